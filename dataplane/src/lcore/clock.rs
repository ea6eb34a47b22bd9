//! The lcores' clock. No other file of the data plane reads time, except that a replay has the
//! capture's. What Unix time an instant of it has is said by [`crate::export`], which follows the
//! host's clock.

use std::time::{Duration, Instant, SystemTime};

use conntrack::Now;
use dpdk::clock::tsc;

/// The start of a measurement of the time stamp counter's rate.
///
/// EAL's own value is rounded too coarsely for deadlines of milliseconds. So the rate is measured
/// against the monotonic clock, over the time that the start takes anyway.
#[derive(Debug, Clone, Copy)]
pub struct Calibration(Pair);

/// A reading of both clocks at one moment.
#[derive(Debug, Clone, Copy)]
struct Pair {
    instant: Instant,
    tsc: u64,
}

impl Pair {
    const TRIES: usize = 32;

    /// Reads the monotonic clock between two readings of the counter, several times, and returns
    /// the pair with the shortest gap. Otherwise a thread that is preempted between the readings
    /// would give a wrong pair.
    fn read() -> Self {
        let once = || {
            let before = tsc();
            let instant = Instant::now();
            let gap = tsc().wrapping_sub(before);
            (gap, Pair { instant, tsc: before.wrapping_add(gap / 2) })
        };
        let closest = (1..Self::TRIES).fold(once(), |best, _| {
            let next = once();
            if next.0 < best.0 { next } else { best }
        });
        closest.1
    }
}

impl Calibration {
    /// Shortest measurement: long enough that the gap between the readings of both clocks does not
    /// matter.
    const WINDOW: Duration = Duration::from_millis(100);

    /// Starts the measurement.
    #[must_use]
    pub fn start() -> Self {
        Calibration(Pair::read())
    }

    /// Ends the measurement and starts the clock. Sleeps until the measurement is long enough.
    #[must_use]
    pub fn finish(self) -> Clock {
        self.finish_after(None)
    }

    /// Does the same, and lets the clock go on from what an earlier run has read, plus the time since
    /// then by the host's clock. So instants of that run keep their meaning.
    #[must_use]
    pub(crate) fn finish_after(self, last: Option<Reading>) -> Clock {
        std::thread::sleep(Self::WINDOW.saturating_sub(self.0.instant.elapsed()));
        let end = Pair::read();
        let elapsed_ns = (end.instant - self.0.instant).as_nanos();
        let cycles = u128::from(end.tsc.wrapping_sub(self.0.tsc).max(1));
        let unix_ns = unix().as_nanos() as u64;
        let ns_per_cycle = ((elapsed_ns << Clock::FRACTION) / cycles) as u64;
        let now_ns = first_ns(unix_ns, last);
        let cycles = (u128::from(now_ns) << Clock::FRACTION) / u128::from(ns_per_cycle.max(1));
        let start = end.tsc.wrapping_sub(cycles as u64);
        Clock { start, ns_per_cycle, wall_start_ns: unix_ns - now_ns.min(unix_ns) }
    }
}

/// Returns the first reading of a clock that starts at the Unix time `unix_ns`: after the `last` one
/// of an earlier run, else less than a millisecond.
///
/// The clock starts at a whole millisecond of Unix time, so that a tick is a whole millisecond of
/// wall clock too.
pub(crate) fn first_ns(unix_ns: u64, last: Option<Reading>) -> u64 {
    /// No longer break is counted. After it every entry with a timer has expired.
    const LONGEST_BREAK: u64 = 366 * 24 * 3600 * 1_000_000_000;
    let since = |last: Reading| {
        let away = unix_ns.saturating_sub(last.unix_ns).min(LONGEST_BREAK);
        last.ns.saturating_add(away)
    };
    let at_least = last.map_or(0, since);
    let into_ms = |ns: u64| ns % 1_000_000;
    at_least + (into_ms(unix_ns) + 1_000_000 - into_ms(at_least)) % 1_000_000
}

/// A clock of nanoseconds since its start, which reads the time stamp counter.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: u64,
    /// Fixed point with [`Clock::FRACTION`] fractional bits.
    ns_per_cycle: u64,
    wall_start_ns: u64,
}

impl Clock {
    const FRACTION: u32 = 40;

    /// Reads the clock. One reading serves a whole burst.
    #[inline]
    #[must_use]
    pub fn now(&self) -> Now {
        let cycles = tsc().wrapping_sub(self.start);
        Now::from_ns(((u128::from(cycles) * u128::from(self.ns_per_cycle)) >> Self::FRACTION) as u64)
    }

    /// Returns the Unix time, in nanoseconds, at the start of this clock, by the host's clock as it
    /// was then. It is a whole millisecond.
    #[must_use]
    pub(crate) fn unix_start_ns(&self) -> u64 {
        self.wall_start_ns
    }

    /// Reads this clock and the host's at the same time. Returns `None` when this thread was put
    /// aside between the readings, each time.
    #[must_use]
    pub(crate) fn reading(&self) -> Option<Reading> {
        const TRIES: usize = 4;
        const APART_NS: u64 = 1_000_000;
        (0..TRIES).find_map(|_| {
            let before = self.now().ns;
            let unix_ns = unix().as_nanos() as u64;
            let after = self.now().ns;
            let apart = after.saturating_sub(before);
            (apart < APART_NS).then_some(Reading { ns: before + apart / 2, unix_ns })
        })
    }
}

impl Clock {
    /// Does what [`Clock::reading`] does, but returns the last attempt in any case.
    #[must_use]
    pub(crate) fn any_reading(&self) -> Reading {
        self.reading().unwrap_or_else(|| Reading { ns: self.now().ns, unix_ns: unix().as_nanos() as u64 })
    }
}

/// Returns the Unix time by the host's clock.
fn unix() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// A reading of the lcores' clock and of the host's at the same time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Nanoseconds since the start of the lcores' clock.
    pub(crate) ns: u64,
    /// Unix time, in nanoseconds.
    pub(crate) unix_ns: u64,
}

/// Converts instants of a clock to Unix time.
pub(crate) trait Wall {
    /// Returns the Unix time, in nanoseconds, at which an event of the instant `ns` nanoseconds after
    /// the clock's start is shown.
    fn wall_ns(&self, ns: u64) -> u64;

    /// Returns the Unix time, in nanoseconds, of an entry's creation at the instant `ns`. It is the
    /// same for ever.
    fn created_ns(&self, ns: u64) -> u64 {
        self.wall_ns(ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_keeps_pace_with_the_monotonic_clock() {
        let clock = Calibration::start().finish();
        // Each reading between two of the oracle's, so that it does not matter when this thread is
        // put aside: the truth lies between the two.
        let read = || (Instant::now(), clock.now().ns, Instant::now());
        let first = read();
        let last = loop {
            let last = read();
            if last.0 - first.2 > Duration::from_millis(50) {
                break last;
            }
        };
        let ours = (last.1 - first.1) as f64;
        let (shortest, longest) =
            ((last.0 - first.2).as_nanos() as f64, (last.2 - first.0).as_nanos() as f64);
        assert!(
            ours > shortest * 0.9999 && ours < longest * 1.0001,
            "{ours} ns, not {shortest} to {longest}"
        );
    }

    #[test]
    fn a_clock_goes_on_from_an_earlier_run() {
        let (hour, unix_ns) = (3_600_000_000_000, 1_700_000_000_000_000_123);
        let last = |ns, unix_ns| Some(Reading { ns, unix_ns });
        assert_eq!(first_ns(unix_ns, None), 123);
        // An hour away, and in ticks that are whole milliseconds of Unix time.
        assert_eq!(first_ns(unix_ns, last(5_000_000, unix_ns - hour)), 5_000_000 + hour + 123);
        assert_eq!(first_ns(unix_ns, last(5_000_200, unix_ns - hour)), 6_000_123 + hour);
        // The host's clock was set back meanwhile: no time has passed.
        assert_eq!(first_ns(unix_ns, last(5_000_000, unix_ns + hour)), 5_000_123);
        // It was never set before.
        let years = first_ns(unix_ns, last(5_000_000, 0));
        assert!((364..=366).contains(&(years / hour / 24)), "{years}");

        let earlier = Reading { ns: 7 * hour, unix_ns: unix().as_nanos() as u64 - hour };
        let clock = Calibration::start().finish_after(Some(earlier));
        let now = clock.now().ns;
        assert!((8 * hour..9 * hour).contains(&now), "{now}");
    }

    #[test]
    fn the_start_is_a_whole_millisecond_and_readings_agree_with_it() {
        let clock = Calibration::start().finish();
        assert_eq!(clock.unix_start_ns() % 1_000_000, 0);
        let Some(Reading { ns, unix_ns }) = clock.reading() else { return };
        // Within a second, whatever this machine's clock does meanwhile.
        assert!(unix_ns.abs_diff(clock.unix_start_ns() + ns) < 1_000_000_000);
    }
}
