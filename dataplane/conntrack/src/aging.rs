//! Aging without a sweep: a timing wheel of blocks.
//!
//! A *block* is a few neighbouring lines of the table. For each block that has dynamic entries, the
//! wheel keeps a lower bound of their earliest deadline. A packet only moves a deadline later, so a
//! hit stores a stamp and does nothing to the wheel. When the time of a block has come, its entries
//! are checked, the idle ones are deleted, and the block goes back on the wheel at the earliest
//! deadline that is left. When nothing is due, nothing is visited. A deletion is late by at most
//! the width of an *aging bucket*, one place of the wheel.
//!
//! The wheel holds blocks rather than entries because that is an eighth of the memory, and because
//! a hit never touches its links.

use alloc::boxed::Box;
use alloc::vec;

use crate::arch::prefetch;
use crate::timeout::Tick;

/// Number of positions of a block: four lines of three slots.
pub const BLOCK: u32 = 12;

/// Ends a list. As a bucket it means that the block is not on the wheel.
const NONE: u32 = u32::MAX;

/// Number of aging buckets: a power of two, so that the wheel turns with the tick's wrap.
const BUCKETS: u32 = 8192;

/// Number of lists of a bucket. With one list, finding the next block would wait for the memory of
/// the one before. With four, the next block of a list is prefetched while the others have their
/// turn.
const LISTS: usize = 4;

/// Maximum number of empty buckets that one call skips.
const SKIP: u32 = 256;

/// A block on the wheel.
#[derive(Clone, Copy)]
struct Node {
    /// The next block of its list, or [`NONE`].
    next: u32,
    /// The block before it in its list, or [`NONE`].
    prev: u32,
    /// The bucket that the block is in, or [`NONE`] when it is not on the wheel.
    bucket: u32,
    /// A lower bound of the earliest deadline of its entries.
    due: Tick,
}

/// The timing wheel of one shard.
pub struct Wheel {
    nodes: Box<[Node]>,
    heads: Box<[[u32; LISTS]]>,
    /// The list from which the next block is taken.
    turn: usize,
    /// The width of a bucket: 2^shift ticks.
    shift: u32,
    /// The start of the bucket that is opened next. It never skips one.
    cursor: Tick,
}

impl Wheel {
    /// Returns a wheel for blocks 0 to `blocks - 1`, with buckets of 2^`shift` ms, starting at
    /// `now`.
    ///
    /// # Panics
    /// When `shift` is above 16: the wheel would be longer than the clock's half circle.
    #[must_use]
    pub fn new(blocks: usize, shift: u32, now: Tick) -> Self {
        assert!(shift <= 16, "buckets of 2^{shift} ms are too wide");
        let node = Node { next: NONE, prev: NONE, bucket: NONE, due: Tick(0) };
        Wheel {
            nodes: vec![node; blocks].into_boxed_slice(),
            heads: vec![[NONE; LISTS]; BUCKETS as usize].into_boxed_slice(),
            turn: 0,
            shift,
            cursor: Tick(now.0 >> shift << shift),
        }
    }

    /// Returns the size of its memory in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.nodes) + size_of_val(&*self.heads)
    }

    /// Returns the width of an aging bucket, in ticks.
    fn width(&self) -> u32 {
        1 << self.shift
    }

    /// Returns the bucket of a tick.
    fn bucket_of(&self, tick: Tick) -> u32 {
        (tick.0 >> self.shift) & (BUCKETS - 1)
    }

    /// Schedules a block to be given out no later than one bucket after `due`. An earlier schedule
    /// stays.
    #[inline]
    pub fn schedule(&mut self, block: u32, due: Tick) {
        let node = self.nodes[block as usize];
        if node.bucket != NONE {
            if due.reached(node.due) {
                return;
            }
            self.unlink(block);
        }
        self.link(block, due);
    }

    /// Prefetches what [`Wheel::schedule`] needs of a block.
    #[inline]
    pub(crate) fn prefetch(&self, block: u32) {
        if let Some(node) = self.nodes.get(block as usize) {
            prefetch(node);
        }
    }

    /// Returns the head of the list of a bucket that a block belongs to.
    fn head_mut(&mut self, bucket: u32, block: u32) -> &mut u32 {
        &mut self.heads[bucket as usize][block as usize % LISTS]
    }

    fn link(&mut self, block: u32, due: Tick) {
        // A block that is overdue goes to the bucket at the cursor. One that is due beyond the
        // horizon goes to the last bucket; when it is given out there, it is scheduled again.
        let horizon = self.width() * (BUCKETS - 1);
        let ahead = due.since(self.cursor).clamp(0, horizon as i32);
        let bucket = self.bucket_of(self.cursor.plus(ahead as u32));
        let head = core::mem::replace(self.head_mut(bucket, block), block);
        self.nodes[block as usize] = Node { next: head, prev: NONE, bucket, due };
        if head != NONE {
            self.nodes[head as usize].prev = block;
        }
    }

    fn unlink(&mut self, block: u32) {
        let Node { next, prev, bucket, .. } = self.nodes[block as usize];
        if prev == NONE {
            *self.head_mut(bucket, block) = next;
        } else {
            self.nodes[prev as usize].next = next;
        }
        if next != NONE {
            self.nodes[next as usize].prev = prev;
        }
        self.nodes[block as usize].bucket = NONE;
    }

    /// Takes the next block whose time has come off the wheel and returns it, if there is one.
    /// Skips a bounded number of empty buckets, so it may have to be called again to catch up with
    /// a clock that jumped; see [`Wheel::caught_up`].
    #[inline]
    pub fn take_due(&mut self, now: Tick) -> Option<u32> {
        for _ in 0..SKIP {
            // A bucket is opened on its last tick, so that nothing in it is early.
            if !now.reached(self.cursor.plus(self.width() - 1)) {
                return None;
            }
            let heads = self.heads[self.bucket_of(self.cursor) as usize];
            for list in 0..LISTS {
                let list = (self.turn + list) % LISTS;
                let head = heads[list];
                if head != NONE {
                    self.prefetch(self.nodes[head as usize].next);
                    self.unlink(head);
                    self.turn = list + 1;
                    return Some(head);
                }
            }
            self.cursor = self.cursor.plus(self.width());
        }
        None
    }

    /// Moves the cursor to `now`, or to the earliest time of a block if that comes first, without
    /// opening the buckets on the way. Returns the earliest time, if there is a block.
    ///
    /// Each block on the wheel is linked anew, so the cost is that of the blocks, however long the
    /// way is. It is for a clock that jumps; the wheel of a polling thread never needs it.
    pub fn leap(&mut self, now: Tick) -> Option<Tick> {
        let (mut block, mut earliest) = (NONE, None);
        for head in self.heads.as_flattened_mut() {
            let mut first = core::mem::replace(head, NONE);
            while first != NONE {
                let node = &mut self.nodes[first as usize];
                let next = core::mem::replace(&mut node.next, block);
                earliest = Some(earliest.filter(|due| node.due.reached(*due)).unwrap_or(node.due));
                (block, first) = (first, next);
            }
        }
        let way = now.since(self.cursor);
        let way = earliest.map_or(way, |due| due.since(self.cursor).min(way));
        self.cursor = Tick(self.cursor.plus(way.max(0) as u32).0 >> self.shift << self.shift);
        while block != NONE {
            let Node { next, due, .. } = self.nodes[block as usize];
            self.link(block, due);
            block = next;
        }
        earliest
    }

    /// Returns the number of buckets by which the next bucket is late.
    #[inline]
    #[must_use]
    pub fn behind(&self, now: Tick) -> u32 {
        now.since(self.cursor).max(0) as u32 >> self.shift
    }

    /// Returns true when every bucket that has ended by `now` has been emptied.
    #[inline]
    #[must_use]
    pub fn caught_up(&self, now: Tick) -> bool {
        !now.reached(self.cursor.plus(self.width() - 1))
    }
}

#[cfg(test)]
mod tests;
