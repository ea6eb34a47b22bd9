//! Notices lcores that do not poll, because they are blocked in a driver or preempted by another
//! thread of their CPU.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tracing::{error, warn};

use crate::lcore::stats::Published;

/// An lcore is stuck when its poll counter has not changed for this long. Lcores publish it every
/// millisecond.
const STUCK: Duration = Duration::from_secs(1);

/// A change to report to the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The lcore has not polled for a second.
    Stuck,
    /// It polls again, after this time.
    Back(Duration),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Stuck => write!(f, "has not polled for {} s", STUCK.as_secs()),
            Finding::Back(after) => write!(f, "polls again after {:.1} s", after.as_secs_f64()),
        }
    }
}

/// Watches one lcore.
pub struct Watchdog {
    stats: Arc<Published>,
    polls: u64,
    /// When the poll counter was last seen to grow.
    at: Duration,
    stuck: bool,
}

impl Watchdog {
    /// Starts to watch at `now`, on any clock that does not go back.
    #[must_use]
    pub fn new(stats: Arc<Published>, now: Duration) -> Self {
        let polls = stats.polls();
        Watchdog { stats, polls, at: now, stuck: false }
    }

    /// Looks at the lcore, and counts its stalls among its other counters.
    pub fn look(&mut self, now: Duration) -> Option<Finding> {
        let polls = self.stats.polls();
        let still = now.saturating_sub(self.at);
        if polls != self.polls {
            self.polls = polls;
            self.at = now;
            if std::mem::take(&mut self.stuck) {
                self.stats.stall_ended();
                return Some(Finding::Back(still));
            }
        } else if !self.stuck && still >= STUCK {
            self.stuck = true;
            self.stats.stall_began();
            return Some(Finding::Stuck);
        }
        None
    }
}

/// Watches all lcores, and logs what it finds.
pub struct Watchdogs(Vec<(u32, Watchdog)>);

impl Watchdogs {
    /// Starts to watch these lcores.
    #[must_use]
    pub fn new(lcores: Vec<(u32, Arc<Published>)>, now: Duration) -> Self {
        Self(lcores.into_iter().map(|(lcore, stats)| (lcore, Watchdog::new(stats, now))).collect())
    }

    /// Looks at each.
    pub fn look(&mut self, now: Duration) {
        for (lcore, watchdog) in &mut self.0 {
            match watchdog.look(now) {
                Some(finding @ Finding::Stuck) => error!("lcore {lcore} {finding}"),
                Some(finding @ Finding::Back(_)) => warn!("lcore {lcore} {finding}"),
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lcore::stats::LcoreCounters;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn an_lcore_that_stands_still_is_told_once_and_again_when_it_moves() {
        let stats = Arc::new(Published::default());
        let poll = |polls| stats.publish(LcoreCounters { polls, ..LcoreCounters::default() });
        let mut dog = Watchdog::new(stats.clone(), ms(0));
        for now in 1..100 {
            poll(now);
            assert_eq!(dog.look(ms(now * 50)), None);
        }
        let last = 99 * 50;
        assert_eq!(dog.look(ms(last + 999)), None);
        assert_eq!(stats.stalls(), (0, false));
        assert_eq!(dog.look(ms(last + 1000)), Some(Finding::Stuck));
        assert_eq!(dog.look(ms(last + 5000)), None, "once is enough");
        assert_eq!(stats.stalls(), (1, true));
        poll(200);
        assert_eq!(dog.look(ms(last + 6000)), Some(Finding::Back(ms(6000))));
        assert_eq!(stats.stalls(), (1, false));
        assert_eq!(dog.look(ms(last + 6500)), None);
    }

    #[test]
    fn an_lcore_that_never_polled_is_stuck_too() {
        let mut dog = Watchdog::new(Arc::new(Published::default()), ms(0));
        assert_eq!(dog.look(ms(1500)), Some(Finding::Stuck));
    }
}
