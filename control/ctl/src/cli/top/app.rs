//! What is on the screen, and what keys do to it.

use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::figures::Figures;
use super::flows::{Listing, Order};
use super::source::{News, Pace};

/// The intervals that `+` and `-` step through.
const INTERVALS_MS: [u64; 10] = [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000];

/// Everything that is shown.
pub(super) struct App {
    /// The service's address.
    pub(super) server: String,
    /// At most so many flows.
    pub(super) count: usize,
    pub(super) order: Order,
    pub(super) pace: Pace,
    /// The keys are explained.
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

    /// Takes what was reported. While paused, figures stay as they are.
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

    /// Obeys a key. False when it says to end.
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
mod tests {
    use flowtracker_proto::v1::{DataplaneStats, GetStatsResponse};

    use super::*;
    use crate::cli::top::flows::{Column, Flows};

    fn app() -> App {
        let order = Order { column: Column::Pps, reversed: false };
        App::new("http://127.0.0.1:50051".to_owned(), 10, order, Duration::from_secs(1))
    }

    fn press(app: &mut App, keys: &str) -> bool {
        keys.chars().all(|key| app.obey(KeyCode::Char(key).into()))
    }

    #[test]
    fn keys_do_what_the_help_says() {
        let mut app = app();
        assert!(press(&mut app, "ssr?"));
        assert_eq!(app.order, Order { column: Column::Packets, reversed: true });
        assert!(app.help);
        assert!(press(&mut app, "?p"));
        assert!(!app.help && app.pace.paused);
        for (keys, ms) in [("+", 2_000), ("--", 500), ("-----", 100), ("++++++++++++", 60_000)] {
            assert!(press(&mut app, keys));
            assert_eq!(app.pace.interval, Duration::from_millis(ms), "{keys}");
        }
        assert!(!press(&mut app, "q"));
        assert!(!app.obey(KeyCode::Esc.into()));
        let with_control = |key| KeyEvent::new(KeyCode::Char(key), KeyModifiers::CONTROL);
        assert!(!app.obey(with_control('c')));
        assert!(app.obey(with_control('q')), "another key");
    }

    #[test]
    fn an_interval_of_ones_own_steps_to_its_neighbours() {
        let odd = Duration::from_millis(1_500);
        assert_eq!((longer(odd), shorter(odd)), (Duration::from_secs(2), Duration::from_secs(1)));
        let long = Duration::from_secs(600);
        assert_eq!((longer(long), shorter(long)), (long, Duration::from_secs(60)));
    }

    #[test]
    fn a_pause_keeps_the_figures_and_an_answer_ends_an_absence() {
        let mut app = app();
        let stats = |name: &str| {
            let plane = DataplaneStats { dataplane: name.to_owned(), ..DataplaneStats::default() };
            News::Stats(GetStatsResponse { dataplanes: vec![plane], log: None })
        };
        let listing = || News::Listed(Flows::default().look(1, Duration::ZERO).finish(Duration::ZERO));
        let name = |app: &App| app.figures.planes[0].name.clone();
        app.take(stats("one"));
        press(&mut app, "p");
        app.take(stats("two"));
        app.take(listing());
        app.take(News::Away("gone".to_owned()));
        assert_eq!((name(&app).as_str(), app.listing.is_some(), app.away.is_some()), ("one", false, true));
        press(&mut app, "p");
        app.take(News::Unlisted("resyncing".to_owned()));
        app.take(stats("two"));
        assert_eq!((name(&app).as_str(), app.away.is_some(), app.unlisted.is_some()), ("two", false, true));
        app.take(listing());
        assert!(app.unlisted.is_none() && app.listing.is_some());
    }
}
