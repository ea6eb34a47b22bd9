//! The terminal, restored to its former state however the program ends.

use std::io::{self, stdout};
use std::sync::Once;

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::{DefaultTerminal, Terminal};
use tokio::sync::mpsc;

/// The alternate screen in raw mode, until dropped.
pub(super) struct Screen(DefaultTerminal);

impl Screen {
    pub(super) fn take() -> io::Result<Self> {
        // A release build aborts when it panics, and nothing is dropped then.
        static ON_PANIC: Once = Once::new();
        ON_PANIC.call_once(|| {
            let say = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                say(panic);
            }));
        });
        enable_raw_mode()?;
        // From here on there is something to restore.
        let screen = Terminal::new(CrosstermBackend::new(stdout())).map(Self);
        if screen.is_err() {
            give_back();
        }
        let screen = screen?;
        execute!(stdout(), EnterAlternateScreen)?;
        Ok(screen)
    }

    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        self.0.draw(draw).map(|_| ())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Restores the terminal. Errors are ignored: they cannot be reported anywhere.
fn give_back() {
    let _ = disable_raw_mode();
    let _ = execute!(stdout(), LeaveAlternateScreen, Show);
}

/// Returns keys and changes of size as they come. The thread that reads them ends with the process.
pub(super) fn input() -> mpsc::UnboundedReceiver<io::Result<Event>> {
    let (send, events) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        loop {
            let event = event::read();
            let broken = event.is_err();
            if send.send(event).is_err() || broken {
                return;
            }
        }
    });
    events
}
