//! The stages of a batch.
//!
//! ```text
//! parse ─► probe ─────────────────────────────────► commit
//!          hash, prefetch │ turn │ probe home lines  displaced keys, misses, events
//! ```
//!
//! Between a key and its line lies the latency of the memory. So two batches are on their way:
//! while one is parsed, hashed and its lines are prefetched, the one before is probed, whose lines
//! have arrived. A *turn* commits the earlier batch and lets the other take its place; to *drain*
//! is to commit both.

use super::Tracker;
use crate::batch::Batch;
use crate::bits::{members, others};
use crate::event::EventSink;
use crate::packet::{Outcome, SLICE};
use crate::table::{ALL_STEPS, FlowTable, Pos, Refresh};
use crate::timeout::Now;

impl<T: FlowTable> Tracker<T> {
    /// Returns true when `N` more keys fit the batch that is being parsed.
    #[inline]
    pub(crate) fn has_room<const N: usize>(&self) -> bool {
        self.parsing.batch.has_room::<N>()
    }

    /// Returns the batch that is being parsed, for the parser to append to. [`Tracker::probe`]
    /// takes up what was appended.
    #[inline]
    pub(crate) fn batch(&mut self) -> &mut Batch<T::Key> {
        &mut self.parsing.batch
    }

    /// Counts and hashes the keys that were parsed since the last call, and prefetches their lines.
    /// In between it probes frames of the batch before: one after each prefetch, a slice at most.
    #[inline]
    pub(crate) fn probe(&mut self) {
        self.counters.rx += self.parsing.unhashed() as u64;
        self.probe_some(SLICE);
    }

    /// Does the work of [`Tracker::probe`] with up to `count` frames of the batch before.
    #[inline]
    fn probe_some(&mut self, count: usize) {
        let refresh = self.refresh_at(self.probing.at);
        let next = self.parsing.hash(&self.table);
        let (first, end) = (self.probing.probed, self.probing.batch.len().min(self.probing.probed + count));
        if first >= end {
            self.table.prefetch_burst(next, refresh.counting);
            return;
        }
        // Keys that earlier calls did not find in their home lines go one line further. That line was
        // prefetched when they were left.
        let mut hits = self.table.probe_displaced(self.probing.packets(first), 1, refresh);
        let vacancy = |pos: Pos| self.wheel.prefetch(Self::block_of(pos));
        hits |= self.table.probe_burst(self.probing.packets(end), first, refresh, next, vacancy);
        self.probing.probed = end;
        self.probing.hits |= hits;
    }

    fn refresh_at(&self, now: Now) -> Refresh {
        Refresh { stamp: now.stamp, counting: self.config.accounting }
    }

    /// Ends the parsing of a batch: commits the batch before, and lets this one be probed.
    ///
    /// `now` is the time of all frames that were parsed since the last turn. Their outcomes and
    /// events come with the next turn.
    #[inline]
    pub fn turn(&mut self, now: Now, sink: &mut impl EventSink<T::Key>) {
        self.commit(sink);
        core::mem::swap(&mut self.parsing, &mut self.probing);
        self.probing.at = now;
    }

    /// Commits all frames that were parsed. Until then the frames since the last turn are counted
    /// in [`Counters::rx`](crate::Counters::rx) and have no outcome.
    #[inline]
    pub fn drain(&mut self, now: Now, sink: &mut impl EventSink<T::Key>) {
        self.turn(now, sink);
        self.commit(sink);
    }

    /// Commits the batch that is being probed: probes the rest of it, follows displaced keys,
    /// creates the entries of unknown flows and reports them. The batch is empty afterwards.
    #[inline]
    fn commit(&mut self, sink: &mut impl EventSink<T::Key>) {
        let (len, now) = (self.probing.batch.len(), self.probing.at);
        if len == 0 {
            return;
        }
        self.probe_some(len);
        let refresh = self.refresh_at(now);
        let displaced = self.table.probe_displaced(self.probing.packets(len), ALL_STEPS, refresh);
        let hits = self.probing.hits | displaced;
        self.counters.count(Outcome::Hit, u64::from(hits.count_ones()));
        // In the order of the packets, which is that of their events.
        for i in members(others(hits, 0..len)) {
            let packets = self.probing.packets(len);
            let (key, hash, bytes) = (packets.keys[i], packets.hashes[i], packets.lens[i]);
            let outcome = self.commit_packet(now, &key, hash, bytes, sink);
            self.counters.count(outcome, 1);
        }
        self.probing.clear();
    }

    /// Returns true when no batch is half probed: entries may be added and removed.
    #[inline]
    pub(super) fn between_batches(&self) -> bool {
        self.probing.probed == 0
    }
}
