//! The room that the declared capacity of a table gives it in the mirror.
//!
//! On its present link a data plane can have confirmed no more entries than the table holds. What
//! an earlier link has left stays until the resync has ended, so in all there may be twice as many.
//! A link that goes beyond either bound is closed, whatever it sends.

use flowtracker_proto::table::Family;

use crate::mirror::bad_report::BadReport;

/// Reports that may wait for the end of a purge, besides twice the capacity: a small table can
/// change often in that time.
const WAITING: usize = 1 << 16;

/// What a table may have in the mirror.
#[derive(Debug)]
pub(super) struct Room {
    pipeline: &'static str,
    capacity: usize,
    /// Entries in all. It is more than twice the capacity while the mirror holds what the table had
    /// when it was larger.
    in_all: usize,
}

impl Room {
    /// Returns the room of a table that may hold nothing.
    pub(super) fn none(family: Family) -> Self {
        Self { pipeline: family.pipeline(), capacity: 0, in_all: 0 }
    }

    /// Takes in what the table may hold from now on. `held` says whether the mirror holds entries.
    pub(super) fn declare(&mut self, capacity: u64, held: bool) {
        self.capacity = usize::try_from(capacity).unwrap_or(usize::MAX);
        let left = if held { self.in_all } else { 0 };
        self.in_all = left.max(self.capacity.saturating_mul(2));
    }

    /// Takes in that the mirror holds only entries that the present link has confirmed.
    pub(super) fn settle(&mut self) {
        self.in_all = self.capacity.saturating_mul(2);
    }

    /// Returns whether one more entry can be confirmed, when this many are.
    #[inline]
    pub(super) fn check_confirmed(&self, confirmed: usize) -> Result<(), BadReport> {
        let Self { pipeline, capacity, .. } = *self;
        if confirmed < capacity { Ok(()) } else { Err(BadReport::Capacity { pipeline, capacity }) }
    }

    /// Returns whether one more entry can be mirrored, when this many are in all.
    #[inline]
    pub(super) fn check_in_all(&self, held: usize) -> Result<(), BadReport> {
        let Self { pipeline, capacity, in_all } = *self;
        if held < in_all { Ok(()) } else { Err(BadReport::InAll { pipeline, in_all, capacity }) }
    }

    /// Returns whether one more report can wait for the end of a purge, when this many do.
    pub(super) fn check_waiting(&self, waiting: usize) -> Result<(), BadReport> {
        let most = self.capacity.saturating_mul(2).saturating_add(WAITING);
        if waiting < most { Ok(()) } else { Err(BadReport::Waiting(most)) }
    }
}
