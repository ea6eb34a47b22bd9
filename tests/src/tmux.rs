//! A terminal whose contents can be read: tmux, one server per test, so that `ctl top` runs as it
//! does for an operator.

use std::ffi::OsStr;
use std::process::Command;
use std::time::Duration;

use crate::process::{run, wait_for};

/// How long a shell may take to start.
const START: Duration = Duration::from_secs(30);

/// A tmux server with one session of one window. Dropping it ends everything inside.
pub struct Terminal {
    server: String,
}

impl Terminal {
    /// Starts a shell in a terminal of this size, with the prompt `$ `.
    ///
    /// # Panics
    /// When tmux is missing: `make deps`.
    #[must_use]
    pub fn new(name: &str, (width, height): (u16, u16)) -> Self {
        let terminal = Self { server: format!("ft-{name}-{}", std::process::id()) };
        let size = [width.to_string(), height.to_string()];
        let session = ["-f", "/dev/null", "new-session", "-d", "-x", &size[0], "-y", &size[1]];
        // As separate words, tmux executes the command itself. As one word it would go through the
        // user's shell, which may set another prompt.
        let shell = ["env", "PS1=$ ", "sh"];
        run(terminal.tmux().args(session).args(shell).env("LC_ALL", "C.UTF-8").env_remove("TMUX"));
        terminal.wait("the shell", START, |lines| (lines.first()?.trim_end() == "$").then_some(()));
        terminal
    }

    fn tmux(&self) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-u", "-L", &self.server]);
        command
    }

    /// Presses keys, by their names in tmux: `q`, `Enter`, `C-c`.
    ///
    /// # Panics
    /// When there is no terminal any more.
    pub fn press(&self, keys: &[&str]) {
        run(self.tmux().arg("send-keys").args(keys));
    }

    /// Types a line and presses Enter.
    ///
    /// # Panics
    /// When there is no terminal any more.
    pub fn type_line(&self, line: &str) {
        run(self.tmux().args(["send-keys", "-l", line]));
        self.press(&["Enter"]);
    }

    /// Changes the size of the terminal.
    ///
    /// # Panics
    /// When there is no terminal any more.
    pub fn resize(&self, (width, height): (u16, u16)) {
        run(self.tmux().args(["resize-window", "-x", &width.to_string(), "-y", &height.to_string()]));
    }

    /// Returns the present lines, without the blanks at their ends.
    ///
    /// # Panics
    /// When there is no terminal any more.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        run(self.tmux().args(["capture-pane", "-p"])).lines().map(str::to_owned).collect()
    }

    /// Returns tmux's information on the terminal, as `display-message` formats it.
    ///
    /// # Panics
    /// When there is no terminal any more.
    #[must_use]
    pub fn ask(&self, format: &str) -> String {
        run(self.tmux().args(["display-message", "-p", format])).trim_end().to_owned()
    }

    /// Waits until `wanted` returns a value for the present lines, and returns it.
    ///
    /// # Panics
    /// When it returns none within `limit`. The message shows the lines.
    pub fn wait<T>(&self, what: &str, limit: Duration, wanted: impl Fn(&[String]) -> Option<T>) -> T {
        let mut last = Vec::new();
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for(what, limit, || {
                last = self.lines();
                wanted(&last)
            })
        }));
        found.unwrap_or_else(|_| panic!("in vain: {what}; the terminal shows:\n{}", last.join("\n")))
    }
}

/// Returns a command as it is typed into a shell.
#[must_use]
pub fn shell_line(command: &Command) -> String {
    let quoted = |word: &OsStr| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''"));
    let assigned = |(name, value): (&OsStr, Option<&OsStr>)| {
        Some(format!("{}={}", name.to_string_lossy(), quoted(value?)))
    };
    let words = std::iter::once(command.get_program()).chain(command.get_args()).map(quoted);
    command.get_envs().filter_map(assigned).chain(words).collect::<Vec<_>>().join(" ")
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The value may be dropped in a panic, so errors are ignored.
        let _ = self.tmux().arg("kill-server").output();
    }
}
