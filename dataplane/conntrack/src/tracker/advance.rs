//! The work that no packet waits for. It is done in slices, between batches.

use super::Tracker;
use super::program::Program;
use crate::aging::BLOCK;
use crate::event::EventSink;
use crate::table::FlowTable;
use crate::timeout::Now;

/// Limits of the work of one call of [`Tracker::advance`].
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Maximum number of blocks whose deadlines are checked. When aging is late it is eight times
    /// this number, and the number of deletions stays the same.
    pub blocks: u32,
    /// Maximum number of blocks whose reports are offered again. Before these, as many reports of
    /// the backlog are offered as such blocks have entries.
    pub pending: u32,
    /// Maximum number of positions that a resync visits.
    pub resync: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { blocks: 16, pending: 16, resync: 96 }
    }
}

impl Budget {
    /// Returns half of the budget, and at least one of everything.
    pub(crate) fn half(self) -> Self {
        let half = |number: u32| (number / 2).max(1);
        Budget { blocks: half(self.blocks), pending: half(self.pending), resync: half(self.resync) }
    }
}

impl<T: FlowTable> Tracker<T> {
    /// Returns true when [`Tracker::advance`] would find something to do.
    #[inline]
    pub(crate) fn has_work(&self, now: Now) -> bool {
        let purging = matches!(self.program, Program::Purging(_));
        let nothing = self.all_reported() && self.caught_up(now);
        !(purging || nothing)
    }

    /// Does a slice of work: offers again what the sink has refused, deletes what has been idle for
    /// its aging time, and goes on with a resync.
    pub fn advance(&mut self, now: Now, budget: Budget, sink: &mut impl EventSink<T::Key>) {
        debug_assert!(self.between_batches(), "a batch is half probed");
        if matches!(self.program, Program::Purging(_)) {
            // What is left of the table goes unreported, and a resync is about what exists
            // afterwards.
            return;
        }
        if !self.all_reported() {
            self.report_backlog(budget.pending.saturating_mul(BLOCK), sink);
            self.report_pending(budget.pending, now, sink);
        }
        if !self.caught_up(now) {
            self.expire_due(now, budget.blocks, sink);
        }
        self.resync_slice(now, budget.resync, sink);
    }
}
