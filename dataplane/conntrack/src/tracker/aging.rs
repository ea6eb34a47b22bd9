//! Aging: deletes the entries that have been idle for their aging time.

use super::Tracker;
use super::life::idle_event;
use crate::aging::BLOCK;
use crate::event::EventSink;
use crate::table::{FlowTable, Pos};
use crate::timeout::{Now, Tick};

/// Number of blocks that are prefetched together: four lines each, sixteen in all, which every CPU
/// has room for on their way.
const BLOCKS_TOGETHER: usize = 4;

/// Aging is late when it is this number of aging buckets behind.
const LATE: u32 = 2;

/// Factor of the blocks that are checked when aging is late.
const HURRY: u32 = 8;

impl<T: FlowTable> Tracker<T> {
    /// Returns true when no deadline that has passed waits to be checked.
    #[inline]
    #[must_use]
    pub fn caught_up(&self, now: Now) -> bool {
        self.wheel.caught_up(now.tick)
    }

    /// Passes the time in which nothing is due, up to `now`, without the walk that
    /// [`Tracker::advance`] makes of it. Returns the time of the earliest deadline, or an earlier one
    /// at which the entry that had it has been used since; `None` when no entry has a deadline.
    ///
    /// It changes nothing but the work of the next [`Tracker::advance`]. Its cost grows with the
    /// entries and not with the time.
    pub fn leap(&mut self, now: Now) -> Option<Tick> {
        self.wheel.leap(now.tick)
    }

    /// Checks up to `blocks` blocks whose time has come, some together, so that the lines of all
    /// arrive while the first are checked.
    ///
    /// When it is late it checks more of them, unless it has to delete much: a great many flows
    /// that began together are due together, and most of them have been used since.
    pub(super) fn expire_due(&mut self, now: Now, mut blocks: u32, sink: &mut impl EventSink<T::Key>) {
        self.patrol(now, blocks);
        let enough = self.counters.expired.saturating_add(u64::from(blocks) * u64::from(BLOCK));
        if self.wheel.behind(now.tick) > LATE {
            blocks = blocks.saturating_mul(HURRY);
        }
        while blocks != 0 && self.counters.expired < enough {
            let mut due = [0; BLOCKS_TOGETHER];
            let mut count = 0;
            while count < BLOCKS_TOGETHER.min(blocks as usize) {
                let Some(block) = self.wheel.take_due(now.tick) else { break };
                self.prefetch_block(block);
                due[count] = block;
                count += 1;
            }
            for &block in &due[..count] {
                self.expire_block(block, now, sink);
            }
            if count < BLOCKS_TOGETHER {
                return;
            }
            blocks -= BLOCKS_TOGETHER as u32;
        }
    }

    fn prefetch_block(&self, block: u32) {
        // Four neighbouring lines of three positions; in another table as many stamps and keys.
        for pos in (block * BLOCK..(block + 1) * BLOCK).step_by(3) {
            self.table.prefetch_at(Pos(pos));
        }
    }

    /// Deletes the idle entries of a block, and schedules the block for the earliest deadline of
    /// the others. An entry whose DELETED is refused stays as a dying one.
    fn expire_block(&mut self, block: u32, now: Now, sink: &mut impl EventSink<T::Key>) {
        const NONE: u32 = u32::MAX;
        let mut next = NONE;
        for pos in self.block_positions(block).map(Pos) {
            let Some(in_slot) = self.table.slot_at(pos) else { continue };
            let mark = self.table.mark(pos);
            let aging = self.classes.aging_ms(mark.class());
            if aging == 0 || mark.dying() {
                continue;
            }
            let idle = now.tick.since(self.table.stamp(pos));
            let left = aging as i32 - idle;
            if left > 0 {
                next = next.min(left as u32);
                continue;
            }
            self.counters.expired += 1;
            let entry = self.entry(pos, self.table.key_of(pos, in_slot));
            if !mark.unreported() && self.offer(&idle_event(entry, now), sink) {
                self.counters.late(left.unsigned_abs());
                self.end(pos);
            } else {
                self.counters.expired_deferred += 1;
                self.defer(pos, mark.with_dying());
            }
        }
        if next != NONE {
            self.wheel.schedule(block, now.tick.plus(next));
        }
    }
}
