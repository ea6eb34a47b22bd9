//! What a shard counts. Everything counts up from its creation.

use crate::packet::Outcome;

/// The counters of one shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames seen.
    pub rx: u64,
    /// Frames by [`Outcome`]; they add up to `rx`.
    pub outcomes: [u64; Outcome::ALL.len()],
    /// Deletions by the idle timer.
    pub expired: u64,
    /// Those of them whose report had to wait for the sink.
    pub expired_deferred: u64,
    /// Deletions by the control plane.
    pub deleted: u64,
    /// Events that the sink took.
    pub events_sent: u64,
    /// Events that the sink refused at first.
    pub events_deferred: u64,
    /// How late deletions by the timer were: bucket 0 counts lateness of 0 ms,
    /// bucket i lateness from 2^(i-1) up to but excluding 2^i ms, the last all
    /// that is later. Deletions that waited for the sink are not in it.
    pub lateness_log2_ms: [u64; Counters::LATENESS_BUCKETS],
}

impl Counters {
    /// Buckets of the lateness histogram: the last starts at 16 s.
    pub const LATENESS_BUCKETS: usize = 16;

    /// Frames with this outcome.
    #[must_use]
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    #[inline]
    pub(crate) fn count(&mut self, outcome: Outcome) {
        self.outcomes[outcome as usize] += 1;
    }

    pub(crate) fn late(&mut self, ms: u32) {
        let bucket = (u32::BITS - ms.leading_zeros()) as usize;
        self.lateness_log2_ms[bucket.min(Self::LATENESS_BUCKETS - 1)] += 1;
    }
}
