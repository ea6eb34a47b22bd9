//! The counters of a shard. All of them start at zero and only grow.

use crate::packet::{Outcome, Outcomes};

/// What a shard, or a part of it, has counted.
///
/// A tracker counts the frames that it was handed, a parser those that have no key; the parts add
/// up to the counters of the shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames received.
    pub rx: u64,
    /// Frames by [`Outcome`]. They add up to `rx` once no frame is left between the stages.
    pub outcomes: Outcomes,
    /// Deletions by the idle timer.
    pub expired: u64,
    /// Deletions by the idle timer whose report had to wait for the sink.
    pub expired_deferred: u64,
    /// Deletions by the control plane.
    pub deleted: u64,
    /// Events that the sink took.
    pub events_sent: u64,
    /// CREATED events, and DELETED events of the idle timer, that the sink refused at first.
    pub events_deferred: u64,
    /// Histogram of the lateness of deletions by the idle timer. Bucket 0 counts a lateness of 0
    /// ms, bucket i one of 2^(i-1) up to but excluding 2^i ms, and the last bucket everything
    /// later. Deletions that waited for the sink are not in it.
    pub lateness_log2_ms: [u64; Counters::LATENESS_BUCKETS],
}

impl Counters {
    /// Number of buckets of the lateness histogram: the last one starts at 16 s.
    pub const LATENESS_BUCKETS: usize = 16;

    /// Returns the number of frames with this outcome.
    #[must_use]
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// Counts the end of `frames` frames that were counted in `rx` before.
    #[inline]
    pub(crate) fn count(&mut self, outcome: Outcome, frames: u64) {
        self.outcomes[outcome as usize] += frames;
    }

    /// Adds what the tracker of another table has counted.
    pub(crate) fn add(&mut self, other: &Counters) {
        // There is no `..`, so that a counter cannot be left out here.
        let Counters {
            rx,
            outcomes,
            expired,
            expired_deferred,
            deleted,
            events_sent,
            events_deferred,
            lateness_log2_ms,
        } = other;
        self.rx += rx;
        for (mine, theirs) in self.outcomes.iter_mut().zip(outcomes) {
            *mine += theirs;
        }
        self.expired += expired;
        self.expired_deferred += expired_deferred;
        self.deleted += deleted;
        self.events_sent += events_sent;
        self.events_deferred += events_deferred;
        for (mine, theirs) in self.lateness_log2_ms.iter_mut().zip(lateness_log2_ms) {
            *mine += theirs;
        }
    }

    /// Adds frames that another part of the shard has received and dealt with.
    pub(crate) fn add_outcomes(&mut self, outcomes: &Outcomes) {
        for (mine, theirs) in self.outcomes.iter_mut().zip(outcomes) {
            *mine += theirs;
            self.rx += theirs;
        }
    }

    /// Counts a deletion by the idle timer that was `ms` milliseconds late.
    pub(crate) fn late(&mut self, ms: u32) {
        let bucket = (u32::BITS - ms.leading_zeros()) as usize;
        self.lateness_log2_ms[bucket.min(Self::LATENESS_BUCKETS - 1)] += 1;
    }
}
