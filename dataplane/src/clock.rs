//! The clock: the only file that knows time.

use std::time::{Duration, Instant, SystemTime};

use conntrack::Now;
use dpdk::clock::tsc;

/// The start of a measurement of the time stamp counter's rate.
///
/// EAL rounds its own figure to 10 MHz, which can be off by more than a
/// thousandth: 30 s would end 45 ms early or late. So the rate is measured
/// against the monotonic clock, over the time that start-up takes anyway.
#[derive(Debug, Clone, Copy)]
pub struct Calibration {
    instant: Instant,
    tsc: u64,
}

impl Calibration {
    /// Shortest measurement: reading the two clocks takes some 100 ns, so the
    /// rate is good to 1 in a million.
    const WINDOW: Duration = Duration::from_millis(100);

    /// Starts to measure.
    #[must_use]
    pub fn start() -> Self {
        Calibration { instant: Instant::now(), tsc: tsc() }
    }

    /// Ends the measurement, waiting for the window to pass if need be, and starts the clock.
    #[must_use]
    pub fn finish(self) -> Clock {
        std::thread::sleep(Self::WINDOW.saturating_sub(self.instant.elapsed()));
        let (instant, end) = (Instant::now(), tsc());
        let elapsed_ns = (instant - self.instant).as_nanos();
        let cycles = u128::from(end.wrapping_sub(self.tsc).max(1));
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Clock {
            start: end,
            ns_per_cycle: ((elapsed_ns << Clock::FRACTION) / cycles) as u64,
            // Whole milliseconds, so that a tick is a whole millisecond of wall clock too.
            wall_start_ns: wall.as_millis() as u64 * 1_000_000,
        }
    }
}

/// Nanoseconds since its start, from the time stamp counter.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: u64,
    /// Fixed point with [`Clock::FRACTION`] fractional bits.
    ns_per_cycle: u64,
    wall_start_ns: u64,
}

impl Clock {
    const FRACTION: u32 = 40;

    /// Reads the clock. One such reading serves a whole burst.
    #[inline]
    #[must_use]
    pub fn now(&self) -> Now {
        let cycles = tsc().wrapping_sub(self.start);
        Now::from_ns(((u128::from(cycles) * u128::from(self.ns_per_cycle)) >> Self::FRACTION) as u64)
    }

    /// Unix time, in nanoseconds, of an instant on this clock.
    ///
    /// The wall clock is read once, at the start: an entry's creation time
    /// stays the same for its life, whatever is done to the host's clock.
    #[must_use]
    pub fn wall_ns(&self, ns: u64) -> u64 {
        self.wall_start_ns + ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_keeps_pace_with_the_monotonic_clock() {
        let clock = Calibration::start().finish();
        let (instant, start) = (Instant::now(), clock.now().ns);
        std::thread::sleep(Duration::from_millis(200));
        let (real, ours) = (instant.elapsed().as_nanos() as f64, (clock.now().ns - start) as f64);
        // Oracle: the monotonic clock over the same stretch; a ratio, not a time.
        assert!((ours / real - 1.0).abs() < 1e-3, "{ours} ns against {real} ns");
    }

    #[test]
    fn wall_time_of_a_tick_is_a_whole_millisecond() {
        let clock = Calibration::start().finish();
        assert_eq!(clock.wall_ns(7_000_000) % 1_000_000, 0);
    }
}
