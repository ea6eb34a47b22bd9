//! How the aging of a table of a replay keeps up with its clock.
//!
//! A capture may be silent for days, and a day is 86 million ticks: too many to open the aging bucket
//! of each. So aging does nothing before the earliest deadline that there may be. When the clock has
//! come to it, aging walks from tick to tick as it does on an lcore where that is the shorter way,
//! and elsewhere *leaps* to the next deadline, past all buckets in between. A leap costs as much as
//! there are entries. It is made only after a walk of that cost, so that a replay with deadlines
//! everywhere is not slower for it.
//!
//! A table that is empty has no deadline, but the clock may go on because of the other one. Aging
//! must not fall so far behind that ticks repeat, so it follows after [`REACH`] ticks at the latest.

use conntrack::{FlowTable, Now, Profiles, Tracker};

use crate::replay::clock::STEP;

/// The most ticks that aging is behind the clock: a table that has entries is never further behind.
const REACH: u64 = Profiles::MAX_AGING_MS + STEP;

/// The cost of a leap over an empty wheel, and of each entry on it, in ticks that could be walked at
/// that cost. Only the time of a replay depends on these, not what it prints.
const LEAP: u64 = 8192;
const LEAP_ENTRY: u64 = 16;

/// How far aging has come. Ticks are those of the replay's clock, in 64 bits.
#[derive(Debug)]
pub(super) struct Pace {
    /// No deadline comes before this tick.
    quiet: u64,
    /// The first tick whose bucket has not been opened.
    next: u64,
    /// Ticks that are walked before a leap is worth it.
    credit: u64,
    /// Ticks walked and leaps made so far.
    #[cfg(test)]
    pub(super) work: (u64, u64),
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            quiet: u64::MAX,
            next: 0,
            credit: LEAP,
            #[cfg(test)]
            work: (0, 0),
        }
    }
}

impl Pace {
    /// Returns a tick before which nothing has to be done.
    pub(super) fn quiet(&self) -> u64 {
        self.quiet.min(self.next.saturating_add(REACH))
    }

    /// Notes a deadline that has come about.
    pub(super) fn due_at(&mut self, tick: u64) {
        self.quiet = self.quiet.min(tick);
    }

    /// Catches up with the clock, if anything may be due: calls `walk` with each tick up to which all
    /// buckets have to be opened, until that is `tick`.
    pub(super) fn follow<T: FlowTable>(
        &mut self,
        tick: u64,
        tracker: &mut Tracker<T>,
        mut walk: impl FnMut(&mut Tracker<T>, u64),
    ) {
        if tick < self.quiet() {
            return;
        }
        while self.next <= tick {
            if tick - self.next >= self.credit {
                let now = Now::from_ms(tick);
                let due = tracker.leap(now).map(|due| tick.saturating_add_signed(due.since(now.tick).into()));
                self.quiet = due.unwrap_or(u64::MAX);
                self.next = self.next.max(self.quiet.min(tick));
                self.credit = LEAP + LEAP_ENTRY * u64::from(tracker.table().len());
                #[cfg(test)]
                {
                    self.work.1 += 1;
                }
            }
            let last = tick.min(self.next.saturating_add(self.credit - 1));
            walk(tracker, last);
            let walked = last + 1 - self.next;
            self.credit -= walked;
            self.next = last + 1;
            #[cfg(test)]
            {
                self.work.0 += walked;
            }
        }
    }

    /// Makes every tick be walked.
    #[cfg(test)]
    pub(super) fn never_leap(&mut self) {
        (self.quiet, self.credit) = (0, u64::MAX);
    }
}
