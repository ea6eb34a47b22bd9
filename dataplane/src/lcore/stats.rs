//! The counters of an lcore: written by it alone, read by any thread, and a snapshot is never torn.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use conntrack::{Counters, FlowTable, Outcome, Tracker};
use flowtracker_proto::loop_time;
use flowtracker_proto::table::Family;

use crate::lcore::seqlock::SeqLock;

/// The counters of one lcore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LcoreCounters {
    /// Those of its shard.
    pub tracker: Counters,
    /// Frames that the peer port took.
    pub tx: u64,
    /// Frames freed because the peer port did not take them.
    pub tx_dropped: u64,
    /// Frames freed on purpose: `--forward drop`, `--untracked drop`.
    pub filtered: u64,
    /// Events dropped while the link was down.
    pub events_unlinked: u64,
    /// Poll iterations.
    pub polls: u64,
    /// Poll iterations that received at least one frame.
    pub busy_polls: u64,
    /// What concerns the table of IPv4.
    pub ipv4: TableCounters,
    /// What concerns the table of IPv6.
    pub ipv6: TableCounters,
}

/// The counters of one table of an lcore. All are zero for a table that is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableCounters {
    /// Frames whose key was in the table.
    pub hit: u64,
    /// Frames whose key was not in the table, and is now.
    pub miss_created: u64,
    /// Frames whose key was not in the table, which was full.
    pub miss_full: u64,
    /// Frames whose key was not in the table, which lacked the permission.
    pub miss_denied: u64,
    /// Entries now.
    pub entries: u64,
    /// Entries it may hold.
    pub capacity: u64,
}

impl TableCounters {
    /// Returns the counters of a tracker's table.
    #[must_use]
    pub fn of<T: FlowTable>(tracker: &Tracker<T>) -> Self {
        let (counters, table) = (tracker.counters(), tracker.table());
        TableCounters {
            hit: counters.outcome(Outcome::Hit),
            miss_created: counters.outcome(Outcome::MissCreated),
            miss_full: counters.outcome(Outcome::MissFull),
            miss_denied: counters.outcome(Outcome::MissDenied),
            entries: u64::from(table.len()),
            capacity: u64::from(table.capacity()),
        }
    }

    fn to_words(self) -> [u64; TABLE_WORDS] {
        [self.hit, self.miss_created, self.miss_full, self.miss_denied, self.entries, self.capacity]
    }

    fn from_words(words: &[u64]) -> Self {
        TableCounters {
            hit: words[0],
            miss_created: words[1],
            miss_full: words[2],
            miss_denied: words[3],
            entries: words[4],
            capacity: words[5],
        }
    }
}

/// Returns the outcomes that occurred, for the log: `hit=3 miss_created=1`.
pub(crate) fn outcomes_text(counters: &Counters) -> String {
    let met: Vec<String> = Outcome::ALL
        .iter()
        .filter(|outcome| counters.outcome(**outcome) != 0)
        .map(|outcome| format!("{}={}", outcome.name(), counters.outcome(*outcome)))
        .collect();
    if met.is_empty() { "no outcomes".to_owned() } else { met.join(" ") }
}

/// Index of [`LcoreCounters::polls`] among the words.
const POLLS: usize = 4;
const OUTCOMES: usize = Outcome::ALL.len();
/// Words before the counters of the tables.
const PLAIN: usize = 12;
const TABLE_WORDS: usize = 6;
/// Index of the outcomes, which the lateness follows.
const OUTCOMES_AT: usize = PLAIN + 2 * TABLE_WORDS;
const LATENESS_AT: usize = OUTCOMES_AT + OUTCOMES;
const WORDS: usize = LATENESS_AT + Counters::LATENESS_BUCKETS;

impl LcoreCounters {
    /// Returns what concerns one table.
    #[must_use]
    pub fn table(&self, family: Family) -> &TableCounters {
        match family {
            Family::Ipv4 => &self.ipv4,
            Family::Ipv6 => &self.ipv6,
        }
    }

    /// Returns the entries of both tables.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.ipv4.entries + self.ipv6.entries
    }

    /// Returns the entries that both tables may hold.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.ipv4.capacity + self.ipv6.capacity
    }

    /// Returns how many events went to the link: those that the sink took and did not drop.
    #[must_use]
    pub fn events_sent(&self) -> u64 {
        self.tracker.events_sent - self.events_unlinked.min(self.tracker.events_sent)
    }

    fn to_words(self) -> [u64; WORDS] {
        let t = &self.tracker;
        let plain = [
            self.tx,
            self.tx_dropped,
            self.filtered,
            self.events_unlinked,
            self.polls,
            self.busy_polls,
            t.rx,
            t.expired,
            t.expired_deferred,
            t.deleted,
            t.events_sent,
            t.events_deferred,
        ];
        let mut words = [0; WORDS];
        words[..PLAIN].copy_from_slice(&plain);
        words[PLAIN..][..TABLE_WORDS].copy_from_slice(&self.ipv4.to_words());
        words[PLAIN + TABLE_WORDS..][..TABLE_WORDS].copy_from_slice(&self.ipv6.to_words());
        words[OUTCOMES_AT..LATENESS_AT].copy_from_slice(&t.outcomes);
        words[LATENESS_AT..].copy_from_slice(&t.lateness_log2_ms);
        words
    }

    fn from_words(w: &[u64; WORDS]) -> Self {
        LcoreCounters {
            tx: w[0],
            tx_dropped: w[1],
            filtered: w[2],
            events_unlinked: w[3],
            polls: w[POLLS],
            busy_polls: w[5],
            ipv4: TableCounters::from_words(&w[PLAIN..]),
            ipv6: TableCounters::from_words(&w[PLAIN + TABLE_WORDS..]),
            tracker: Counters {
                rx: w[6],
                expired: w[7],
                expired_deferred: w[8],
                deleted: w[9],
                events_sent: w[10],
                events_deferred: w[11],
                outcomes: std::array::from_fn(|i| w[OUTCOMES_AT + i]),
                lateness_log2_ms: std::array::from_fn(|i| w[LATENESS_AT + i]),
            },
        }
    }
}

/// How long an lcore's poll iterations took: a histogram in the buckets of [`loop_time`].
///
/// It is too large to be copied once per tick with the other counters. One thread counts in place,
/// with a plain load and store, and a reader sees each bucket as it is at that moment.
#[derive(Debug)]
#[repr(align(128))]
pub struct LoopTimes([AtomicU64; loop_time::BUCKETS]);

impl Default for LoopTimes {
    fn default() -> Self {
        LoopTimes(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl LoopTimes {
    /// Counts an iteration that took `ns` nanoseconds. Only the lcore that owns the counters calls
    /// this.
    #[inline]
    pub fn count(&self, ns: u64) {
        let bucket = &self.0[loop_time::bucket(ns)];
        bucket.store(bucket.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Returns the counts up to the bucket of the longest time.
    #[must_use]
    pub fn counts(&self) -> Vec<u64> {
        let mut counts: Vec<u64> = self.0.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        counts.truncate(counts.iter().rposition(|count| *count != 0).map_or(0, |last| last + 1));
        counts
    }
}

/// The published counters of one lcore, on cache lines of their own.
#[derive(Default)]
#[repr(align(128))]
pub struct Published {
    counters: SeqLock<WORDS>,
    /// The histogram of its iterations, which is counted in place.
    pub loop_times: LoopTimes,
    stalls: AtomicU64,
    stalled: AtomicBool,
}

impl Published {
    /// Replaces the counters. Only the lcore that owns them calls this.
    pub fn publish(&self, counters: LcoreCounters) {
        self.counters.write(counters.to_words());
    }

    /// Counts a stall. Called by the watchdog when the lcore does not poll.
    pub fn stall_began(&self) {
        self.stalls.fetch_add(1, Ordering::Relaxed);
        self.stalled.store(true, Ordering::Relaxed);
    }

    /// Ends a stall. Called by the watchdog when the lcore polls again.
    pub fn stall_ended(&self) {
        self.stalled.store(false, Ordering::Relaxed);
    }

    /// Returns how often the lcore has stalled, and whether it does now.
    #[must_use]
    pub fn stalls(&self) -> (u64, bool) {
        (self.stalls.load(Ordering::Relaxed), self.stalled.load(Ordering::Relaxed))
    }

    /// Returns the poll iterations. Unlike [`Published::snapshot`] it does not wait for the lcore,
    /// which may be stalled in the middle of a change.
    #[must_use]
    pub fn polls(&self) -> u64 {
        self.counters.peek(POLLS)
    }

    /// Returns the counters as they were at one moment.
    #[must_use]
    pub fn snapshot(&self) -> LcoreCounters {
        LcoreCounters::from_words(&self.counters.read())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_counters() {
        let words = std::array::from_fn(|i| i as u64 + 1);
        assert_eq!(LcoreCounters::from_words(&words).to_words(), words);
    }

    /// Law: what is read is what was counted, and no bucket ever goes down while it is being
    /// counted.
    #[test]
    fn loop_times_are_counted_once_each() {
        const ROUNDS: u64 = 200_000;
        let times = LoopTimes::default();
        assert_eq!(times.counts(), Vec::<u64>::new());
        std::thread::scope(|scope| {
            scope.spawn(|| (0..ROUNDS).for_each(|n| times.count(n % 100)));
            let mut last = Vec::new();
            while last.iter().sum::<u64>() < ROUNDS {
                let counts = times.counts();
                assert!(last.iter().zip(&counts).all(|(then, now)| then <= now), "{last:?} {counts:?}");
                last = counts;
            }
        });
        // 100 times in buckets of eight, but for the last.
        let expected: Vec<u64> = (0..=12).map(|b| if b < 12 { 8 } else { 4 } * ROUNDS / 100).collect();
        assert_eq!(times.counts(), expected);
    }

    #[test]
    fn no_snapshot_is_torn() {
        const ROUNDS: u64 = 200_000;
        let published = Published::default();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in 1..=ROUNDS {
                    published.publish(LcoreCounters::from_words(&[n; WORDS]));
                }
            });
            let mut last = 0;
            while last < ROUNDS {
                let words = published.snapshot().to_words();
                assert!(words.iter().all(|w| *w == words[0]), "torn: {words:?}");
                assert!(words[0] >= last);
                last = words[0];
            }
        });
    }
}
