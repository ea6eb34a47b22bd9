//! The reports of shards that were purged while others were not yet.
//!
//! One LIFECYCLE stands for the purge of a table on all shards, and watchers empty their copy of the
//! table when it comes. What a shard reports of the table after its part of the purge has to follow
//! that event.

use std::collections::VecDeque;

use flowtracker_proto::change::Report;

/// A report, with its shard and its time.
pub(super) type Waited = (u32, u64, Report);

/// Reports that wait, and those that are due because what they waited for has come.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    deferred: VecDeque<Waited>,
    /// In pieces, so that deferred reports become due without being moved one by one.
    due: VecDeque<VecDeque<Waited>>,
    len: usize,
}

impl Waiting {
    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Makes a report wait.
    pub(super) fn defer(&mut self, report: Waited) {
        self.deferred.push_back(report);
        self.len += 1;
    }

    /// Makes all that wait due. They precede what is due already: a shard whose reports are in both
    /// has made these first.
    pub(super) fn release(&mut self) {
        if !self.deferred.is_empty() {
            self.due.push_front(std::mem::take(&mut self.deferred));
        }
    }

    /// Takes the next report that is due.
    pub(super) fn next_due(&mut self) -> Option<Waited> {
        let piece = self.due.front_mut()?;
        let next = piece.pop_front();
        if piece.is_empty() {
            self.due.pop_front();
        }
        self.len -= usize::from(next.is_some());
        next
    }
}

#[cfg(test)]
mod tests {
    use flowtracker_proto::table::Family;

    use super::*;

    /// A shard may be purged again while what waited for the first purge is still due.
    #[test]
    fn the_reports_of_a_shard_keep_their_order() {
        let mut waiting = Waiting::default();
        let report = |time_ns| (1, time_ns, Report::ResyncBegin(Family::Ipv4));
        (1..=3).for_each(|n| waiting.defer(report(n)));
        waiting.release();
        assert_eq!(waiting.next_due(), Some(report(1)));
        let again = waiting.next_due().expect("there");
        waiting.defer(again);
        assert_eq!(waiting.len(), 2);
        waiting.release();
        waiting.release();
        let rest: Vec<_> = std::iter::from_fn(|| waiting.next_due()).collect();
        assert_eq!(rest, [report(2), report(3)]);
        assert_eq!(waiting.len(), 0);
    }
}
