//! The clock of a replay: it has the time of the capture's packets.

use conntrack::{Now, Profiles};

use crate::lcore::clock::Wall;

/// Nanoseconds of a tick.
pub(super) const TICK_NS: u64 = 1_000_000;
/// The most ticks that the clock moves past a deadline before the entry is deleted. Aging may be
/// behind the clock by the longest aging, in which nothing was due, and an entry that is made then
/// has its deadline as much later: with this step all of that is less than half of the range after
/// which ticks repeat.
pub(super) const STEP: u64 = 3_600_000;
const _: () = assert!(2 * Profiles::MAX_AGING_MS + STEP < 1 << 31);

/// The last time that a packet may have, in the year 2554: deadlines after it fit into 64 bits too.
pub(super) const LAST_NS: u64 = u64::MAX - (Profiles::MAX_AGING_MS + STEP) * TICK_NS;

/// Counts ticks for the engine, and knows the Unix time of each.
///
/// While the tables are empty the engine's clock stands still, however much time passes in the
/// capture. So a capture may lie at any time and be silent for any time, although ticks wrap
/// around.
#[derive(Debug, Default)]
pub(super) struct CaptureClock {
    /// Ticks that the engine has seen.
    pub(super) ticks: u64,
    /// Unix time of the engine's tick 0, milliseconds.
    start_ms: u64,
}

impl CaptureClock {
    /// Returns the Unix time, in milliseconds.
    pub(super) fn unix_ms(&self) -> u64 {
        self.start_ms + self.ticks
    }

    /// Returns the clock's reading `into_tick` nanoseconds after the present tick began.
    pub(super) fn now(&self, into_tick: u64) -> Now {
        Now::from_ns(self.ticks * TICK_NS + into_tick)
    }

    /// Moves the clock, as the engine sees it too.
    pub(super) fn advance(&mut self, ticks: u64) {
        self.ticks += ticks;
    }

    /// Moves the clock without the engine seeing it.
    pub(super) fn skip_to(&mut self, unix_ms: u64) {
        self.start_ms = unix_ms - self.ticks;
    }
}

impl Wall for CaptureClock {
    fn wall_ns(&self, ns: u64) -> u64 {
        self.start_ms * TICK_NS + ns
    }
}
