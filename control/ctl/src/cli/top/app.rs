//! The state of the screen, and the effect of keys on it.

use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::figures::Figures;
use super::flows::Listing;
use super::order::Order;
use super::source::{News, Pace};

/// The intervals that `+` and `-` step through.
const INTERVALS_MS: [u64; 10] = [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000];

/// Everything that the screen shows.
pub(super) struct App {
    /// The service's address.
    pub(super) server: String,
    /// The most flows that are shown.
    pub(super) count: usize,
    pub(super) order: Order,
    pub(super) pace: Pace,
    /// Whether the help on keys is shown.
    pub(super) help: bool,
    pub(super) figures: Figures,
    pub(super) listing: Option<Listing>,
    /// Why the service does not answer.
    pub(super) away: Option<String>,
    /// Why there is no new listing.
    pub(super) unlisted: Option<String>,
}

impl App {
    pub(super) fn new(server: String, count: usize, order: Order, interval: Duration) -> Self {
        Self {
            server,
            count,
            order,
            pace: Pace { interval, paused: false },
            help: false,
            figures: Figures::default(),
            listing: None,
            away: None,
            unlisted: None,
        }
    }

    /// Takes a report. While paused, the figures stay as they are.
    pub(super) fn take(&mut self, news: News) {
        match news {
            News::Stats(_) | News::Listed(_) if self.pace.paused => {}
            News::Stats(response) => {
                self.figures.take(response);
                self.away = None;
            }
            News::Listed(listing) => {
                self.listing = Some(listing);
                self.unlisted = None;
            }
            News::Away(why) => self.away = Some(why),
            News::Unlisted(why) => self.unlisted = Some(why),
        }
    }

    /// Handles a key. Returns false when the key ends the program.
    pub(super) fn obey(&mut self, key: KeyEvent) -> bool {
        if key.kind == KeyEventKind::Release {
            return true;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if control => return false,
            KeyCode::Char(_) if control => {}
            KeyCode::Char('q') | KeyCode::Esc => return false,
            KeyCode::Char('s') => self.order = self.order.next(),
            KeyCode::Char('r') => self.order.reversed = !self.order.reversed,
            KeyCode::Char('p') => self.pace.paused = !self.pace.paused,
            KeyCode::Char('?' | 'h') => self.help = !self.help,
            KeyCode::Char('+' | '=') => self.pace.interval = longer(self.pace.interval),
            KeyCode::Char('-') => self.pace.interval = shorter(self.pace.interval),
            _ => {}
        }
        true
    }
}

fn longer(interval: Duration) -> Duration {
    let mut steps = INTERVALS_MS.into_iter().map(Duration::from_millis);
    steps.find(|step| *step > interval).unwrap_or(interval)
}

fn shorter(interval: Duration) -> Duration {
    let mut steps = INTERVALS_MS.into_iter().rev().map(Duration::from_millis);
    steps.find(|step| *step < interval).unwrap_or(interval)
}

#[cfg(test)]
mod tests;
