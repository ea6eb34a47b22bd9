//! Unix time of instants of the lcores' clock.
//!
//! Lcores count nanoseconds since their start and know no other time. Here, where events are
//! written, the difference to the host's clock is measured again and again. A difference is in force
//! from an instant on, and none is forgotten, so:
//!
//! - event times follow the host's clock, whoever sets it, within a second;
//! - an entry's creation time is its instant plus the difference that was in force then. It is the
//!   same whenever it is computed, because it is part of the entry's identity: with another one, a
//!   resync would delete and create the entry;
//! - on one link, of two instants the later one never has the earlier time. When the host's clock is
//!   set back a little, time stands still on the link until the clock has caught up. When it is set
//!   back further, the link ends, and the next one begins with the new time.
//!
//! Ages and deadlines do not depend on any of this: they are differences of instants.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::lcore::clock::{Clock, Reading, Wall};
use tracing::{info, warn};

/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;
/// How often the host's clock is read, in nanoseconds.
const PERIOD: u64 = 250 * MS;
/// The host's clock is followed when it differs by this number of milliseconds. A smaller value
/// would fill the list with the drift between the clocks.
const FOLLOW_MS: i64 = 100;
/// Milliseconds by which time may stand still on a link.
const HOLD_MS: i64 = 900;
/// The most differences that creation times can have: 1.5 MiB of them. With a drift of 50 ppm they
/// last for four years. When they are used up, creation times keep the last one.
const CREATIONS: usize = 65_536;
/// The most differences that event times can have. An event that was kept back while the clock was
/// set more often than that has the oldest of them.
const EVENTS: usize = 1024;

/// A difference to Unix time.
#[derive(Clone, Copy, Debug)]
struct Difference {
    /// The first instant at which it is in force, in nanoseconds; a whole millisecond.
    from_ns: u64,
    /// What has to be added to an instant, in milliseconds.
    ms: i64,
    /// No event since `from_ns` is shown earlier than this.
    floor_ns: u64,
}

impl Difference {
    fn unix_ns(&self, ns: u64) -> u64 {
        ns.saturating_add_signed(self.ms.saturating_mul(MS as i64))
    }

    fn event_ns(&self, ns: u64) -> u64 {
        self.unix_ns(ns).max(self.floor_ns)
    }
}

/// The differences that creation times have, for those that have to know them after this run: each
/// with the instant from which it is in force, in nanoseconds, and what has to be added to an
/// instant, in milliseconds.
#[derive(Clone, Debug, Default)]
pub struct ClockSteps(Arc<Mutex<Vec<(u64, i64)>>>);

impl ClockSteps {
    /// Returns the differences, in the order of their instants.
    #[must_use]
    pub fn all(&self) -> Vec<(u64, i64)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn push(&self, difference: Difference) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps.push((difference.from_ns, difference.ms));
    }
}

/// The most differences that [`ClockSteps`] holds.
pub const CLOCK_STEPS: usize = CREATIONS;

/// The Unix time of instants. See the module.
pub struct WallClock {
    source: Box<dyn FnMut() -> Option<Reading> + Send>,
    /// When the source is asked next.
    due_ns: u64,
    /// For creation times: the first is that of the start, and none is removed.
    creations: Vec<Difference>,
    /// The same, for others.
    steps: ClockSteps,
    /// For event times.
    events: VecDeque<Difference>,
    /// The instant at which the link began.
    began_ns: u64,
    /// How far the clock was set back, when that ends the link.
    set_back: Option<Duration>,
}

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WallClock").field("events", &self.events.back()).finish_non_exhaustive()
    }
}

impl WallClock {
    /// Follows the host's clock.
    #[must_use]
    pub fn of_host(clock: Clock) -> Self {
        Self::new(clock.unix_start_ns(), move || clock.reading())
    }

    /// Follows the host's clock, with a clock that goes on from an earlier run, which had these
    /// differences. The creation times of its entries are what they were.
    #[must_use]
    pub fn continued(clock: Clock, steps: &[(u64, i64)]) -> Self {
        let mut wall = Self::of_host(clock);
        let steps = steps.iter().map(|&(from_ns, ms)| Difference { from_ns, ms, floor_ns: 0 });
        let steps: Vec<_> = steps.take(CREATIONS).collect();
        if let Some(last) = steps.last() {
            wall.steps = ClockSteps::default();
            steps.iter().for_each(|step| wall.steps.push(*step));
            wall.events = VecDeque::from([*last]);
            wall.creations = steps;
        }
        wall
    }

    /// Returns the differences that creation times have. They stay those of this clock.
    #[must_use]
    pub fn steps(&self) -> ClockSteps {
        self.steps.clone()
    }

    /// Follows the clock that `source` reads; `start_ns` is the Unix time of instant 0. A source
    /// gives nothing when it could not read both clocks at the same time.
    pub(super) fn new(start_ns: u64, source: impl FnMut() -> Option<Reading> + Send + 'static) -> Self {
        let start = Difference { from_ns: 0, ms: (start_ns / MS) as i64, floor_ns: 0 };
        let steps = ClockSteps::default();
        steps.push(start);
        WallClock {
            steps,
            source: Box::new(source),
            due_ns: 0,
            creations: vec![start],
            events: VecDeque::from([start]),
            began_ns: 0,
            set_back: None,
        }
    }

    /// Reads the host's clock if that is due at the instant `now_ns`.
    pub(super) fn follow(&mut self, now_ns: u64) {
        if now_ns < self.due_ns {
            return;
        }
        self.due_ns = now_ns + PERIOD;
        let Some(Reading { ns, unix_ns }) = (self.source)() else { return };
        let last = *self.events.back().unwrap_or(&self.creations[0]);
        let ms = (i128::from(unix_ns) - i128::from(ns)).div_euclid(i128::from(MS)) as i64;
        let by = ms.saturating_sub(last.ms);
        if by.abs() < FOLLOW_MS {
            return;
        }
        // Of what has happened up to `ns`, something may have been sent, with a creation time that was
        // rounded up.
        let from_ns = (ns.div_ceil(MS) + 1) * MS;
        let next = Difference { from_ns, ms, floor_ns: last.event_ns(from_ns) };
        if next.unix_ns(from_ns).saturating_add(HOLD_MS as u64 * MS) < next.floor_ns {
            self.set_back = Some(Duration::from_nanos(next.floor_ns - next.unix_ns(from_ns)));
        }
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(next);
        match self.creations.len() {
            CREATIONS => {}
            len => {
                self.creations.push(next);
                self.steps.push(next);
                if len + 1 == CREATIONS {
                    warn!("the clock was set {CREATIONS} times: times of creation do not follow it any more");
                }
            }
        }
        if by.abs() >= 2 * FOLLOW_MS {
            let seconds = by.unsigned_abs() as f64 / 1e3;
            info!("the clock was set {} by {seconds:.1} s", if by < 0 { "back" } else { "forward" });
        }
    }

    /// Begins a link at the instant `now_ns`. It may begin with an earlier time than the link before
    /// it had.
    pub(super) fn begin_link(&mut self, now_ns: u64) {
        self.due_ns = 0;
        self.follow(now_ns);
        self.set_back = None;
        if let Some(last) = self.events.back_mut() {
            last.floor_ns = 0;
            self.began_ns = now_ns.max(last.from_ns);
        }
    }

    /// Returns how far the clock was set back, when the link has to end because of that.
    pub(super) fn set_back(&self) -> Option<Duration> {
        self.set_back
    }
}

/// Returns the difference in force at an instant.
fn at(ns: u64, end: usize, nth: impl Fn(usize) -> Difference) -> Difference {
    let (mut low, mut high) = (0, end);
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        if nth(middle).from_ns <= ns { low = middle } else { high = middle }
    }
    nth(low)
}

impl Wall for WallClock {
    fn wall_ns(&self, ns: u64) -> u64 {
        let shown = at(ns, self.events.len(), |nth| self.events[nth]).event_ns(ns);
        if ns >= self.began_ns {
            return shown;
        }
        // What was kept back from before the link is not shown later than what follows it, although
        // the clock was set back in between.
        let later = self.events.iter().rev().skip_while(|d| d.from_ns > self.began_ns);
        let later = later.take_while(|d| d.from_ns > ns).map(|d| d.unix_ns(ns));
        later.fold(shown, u64::min)
    }

    fn created_ns(&self, ns: u64) -> u64 {
        at(ns, self.creations.len(), |nth| self.creations[nth]).unix_ns(ns)
    }
}

#[cfg(test)]
mod tests;
