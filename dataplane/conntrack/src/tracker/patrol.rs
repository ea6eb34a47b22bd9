//! Visits static entries, so that their stamps stay readable for years.
//!
//! A stamp is a tick, and ticks repeat after 49.7 days. A dynamic entry is deleted long before, but
//! a static entry may be idle for as long as the process runs. So each static entry is visited at
//! least every 37 hours. The stamp of one that has been quiet for more than a round is moved by
//! [`ROUND_MS`], and the entry's cold part counts that. A hit does not know of this and stores its
//! stamp as ever: [`QUIET_MS`] tells both kinds of stamps apart.
//!
//! ```text
//! stamp's age   0 ─── a use ─── VISIT_MS ─── QUIET_MS ───── a quiet entry ───── + ROUND_MS + VISIT_MS   2^32
//! ```

use super::Tracker;
use crate::classes::STATIC;
use crate::entry::{QUIET_MS, ROUND_MS, since};
use crate::table::{FlowTable, Pos};
use crate::timeout::{Now, Tick};

/// The longest time between two visits of an entry, in milliseconds.
const VISIT_MS: u32 = 1 << 27;

const _: () = assert!(VISIT_MS < QUIET_MS && QUIET_MS as u64 + ROUND_MS as u64 + (VISIT_MS as u64) < 1 << 32);

/// Where the patrol is.
pub(super) struct Patrol {
    blocks: u32,
    /// The block that is visited next.
    next: u32,
    /// When that is due.
    due: Tick,
    /// Milliseconds between two blocks.
    pace: u32,
}

impl Patrol {
    /// Returns the patrol of blocks 0 to `blocks - 1`.
    pub(super) fn new(blocks: usize, now: Tick) -> Self {
        let blocks = (blocks as u32).max(1);
        // Half of the time that there is, which leaves the other half for delays.
        Patrol { blocks, next: 0, due: now, pace: (VISIT_MS / 2 / blocks).max(1) }
    }
}

impl<T: FlowTable> Tracker<T> {
    /// Visits the blocks that are due, `most` at most. It is called when an aging bucket has ended.
    #[inline]
    pub(super) fn patrol(&mut self, now: Now, most: u32) {
        if self.classes.none_static() {
            self.patrol.due = now.tick;
            return;
        }
        for _ in 0..most {
            if !now.tick.reached(self.patrol.due) {
                return;
            }
            let block = self.patrol.next;
            self.patrol.next = (block + 1) % self.patrol.blocks;
            self.patrol.due = self.patrol.due.plus(self.patrol.pace);
            self.visit(block, now);
        }
    }

    fn visit(&mut self, block: u32, now: Now) {
        for pos in self.block_positions(block).map(Pos) {
            if self.table.slot_at(pos).is_none() || self.table.mark(pos).class() != STATIC {
                continue;
            }
            let stamp = self.table.stamp(pos);
            let (since, rounds) = (since(now.tick, stamp), self.table.cold(pos).rounds());
            if since < QUIET_MS {
                if rounds != 0 {
                    self.table.cold_mut(pos).set_rounds(0);
                }
            } else if since >= QUIET_MS + ROUND_MS {
                self.table.set_stamp(pos, stamp.plus(ROUND_MS));
                self.table.cold_mut(pos).set_rounds(rounds + 1);
            }
        }
    }
}
