//! Aging without a sweep: a timing wheel of blocks.
//!
//! A *block* is a few neighbouring lines of the table. The wheel keeps for each
//! block that has dynamic entries a lower bound of their earliest deadline. A
//! packet only moves a deadline later, so a hit costs one store (the stamp) and
//! the wheel nothing: when a block's time has come its entries are looked at,
//! the idle ones are deleted, and the block goes back on the wheel at the
//! earliest deadline that is left. An idle pass costs nothing, and lateness is
//! the width of an *aging bucket*, one place of the wheel.
//!
//! Blocks rather than entries: the wheel costs two bytes per flow instead of
//! sixteen, and its links are never touched by a hit.

use alloc::boxed::Box;
use alloc::vec;

use crate::arch::prefetch;
use crate::timeout::Tick;

/// Positions per block: four lines of three slots.
pub const BLOCK: u32 = 12;

/// Ends a list; also "not on the wheel".
const NONE: u32 = u32::MAX;

/// The aging buckets: a power of two, so that the wheel turns with the tick's wrap.
const BUCKETS: u32 = 8192;

/// Lists of a bucket. With one, finding the next block would be waiting for the memory of the one before; with four, there is
/// time to bring the next of a list while the others have their turn.
const LISTS: usize = 4;

/// Empty buckets that one call may skip.
const SKIP: u32 = 256;

#[derive(Clone, Copy)]
struct Node {
    next: u32,
    prev: u32,
    /// Bucket that the block is in; [`NONE`] when it is not on the wheel.
    bucket: u32,
    /// Lower bound of the earliest deadline of its entries.
    due: Tick,
}

/// The timing wheel of one shard.
pub struct Wheel {
    nodes: Box<[Node]>,
    heads: Box<[[u32; LISTS]]>,
    /// The list whose turn it is.
    turn: usize,
    /// Width of a bucket: 2^shift ticks.
    shift: u32,
    /// Start of the bucket that is looked at next. Never skips one.
    cursor: Tick,
}

impl Wheel {
    /// A wheel for blocks 0 to `blocks - 1`, with buckets of 2^`shift` ms, starting at `now`.
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

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.nodes) + size_of_val(&*self.heads)
    }

    /// Width of an aging bucket, in ticks.
    fn width(&self) -> u32 {
        1 << self.shift
    }

    fn bucket_of(&self, tick: Tick) -> u32 {
        (tick.0 >> self.shift) & (BUCKETS - 1)
    }

    /// Sees to it that the block is looked at no later than one bucket after `due`.
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

    /// Asks the cache for what [`Wheel::schedule`] needs of a block.
    #[inline]
    pub(crate) fn prefetch(&self, block: u32) {
        if let Some(node) = self.nodes.get(block as usize) {
            prefetch(node);
        }
    }

    /// The list of a bucket that the block is in when it is there.
    fn head_mut(&mut self, bucket: u32, block: u32) -> &mut u32 {
        &mut self.heads[bucket as usize][block as usize % LISTS]
    }

    fn link(&mut self, block: u32, due: Tick) {
        // What is overdue goes to the bucket at the cursor; what lies beyond the
        // horizon to the last one, where it is found not due and put back.
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

    /// Takes the next block whose time has come off the wheel, if any. Skips a
    /// bounded number of empty buckets, so a call may have to be repeated to
    /// catch up with a clock that jumped; [`Wheel::caught_up`] tells.
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

    /// By how many buckets what is looked at next is late.
    #[inline]
    #[must_use]
    pub fn behind(&self, now: Tick) -> u32 {
        now.since(self.cursor).max(0) as u32 >> self.shift
    }

    /// True when every bucket that has ended by `now` has been looked at.
    #[must_use]
    pub fn caught_up(&self, now: Tick) -> bool {
        !now.reached(self.cursor.plus(self.width() - 1))
    }
}

/// The blocks in which something has still to be told, first come first served.
pub(crate) struct PendingBlocks {
    next: Box<[u32]>,
    head: u32,
    tail: u32,
}

impl PendingBlocks {
    /// Marks a block that is in no queue.
    const OUT: u32 = u32::MAX - 1;

    pub(crate) fn new(blocks: usize) -> Self {
        PendingBlocks { next: vec![Self::OUT; blocks].into_boxed_slice(), head: NONE, tail: NONE }
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.next)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.head == NONE
    }

    /// Adds a block, unless it is queued already.
    pub(crate) fn push(&mut self, block: u32) {
        if self.next[block as usize] != Self::OUT {
            return;
        }
        self.next[block as usize] = NONE;
        if self.tail == NONE {
            self.head = block;
        } else {
            self.next[self.tail as usize] = block;
        }
        self.tail = block;
    }

    pub(crate) fn front(&self) -> Option<u32> {
        (self.head != NONE).then_some(self.head)
    }

    pub(crate) fn pop(&mut self) {
        let block = self.head;
        if block == NONE {
            return;
        }
        self.head = self.next[block as usize];
        if self.head == NONE {
            self.tail = NONE;
        }
        self.next[block as usize] = Self::OUT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::vec::Vec;

    /// Everything that is due at `now`, in the order of the wheel.
    fn drain(wheel: &mut Wheel, now: Tick) -> Vec<u32> {
        let mut due = Vec::new();
        loop {
            match wheel.take_due(now) {
                Some(block) => due.push(block),
                None if wheel.caught_up(now) => return due,
                None => {}
            }
        }
    }

    #[test]
    fn every_aging_bucket_is_visited() {
        // One block in every bucket; time goes on in steps that share no factor
        // with the wheel, some of them longer than a turn.
        for (shift, step) in [(0, 1), (3, 7), (3, 1000), (3, 8192 * 8 + 3), (5, 333)] {
            let start = Tick(u32::MAX - 1000);
            let mut wheel = Wheel::new(BUCKETS as usize, shift, start);
            for block in 0..BUCKETS {
                wheel.schedule(block, start.plus(block << shift));
            }
            let mut seen = std::vec![false; BUCKETS as usize];
            let mut now = start;
            for _ in 0..(BUCKETS << shift) / step + 2 {
                now = now.plus(step);
                for block in drain(&mut wheel, now) {
                    assert!(!core::mem::replace(&mut seen[block as usize], true), "block {block} twice");
                }
            }
            assert_eq!(seen.iter().filter(|s| !**s).count(), 0, "shift {shift}, step {step}");
        }
    }

    proptest! {
        /// Oracle: a sorted map of deadlines. Law: a block is given out within
        /// [due, due + width), or at the horizon when that comes first.
        #[test]
        fn a_block_comes_when_it_is_due(
            shift in 0u32..5,
            start: u32,
            steps in prop::collection::vec((1u32..500, 0u32..64, 0u32..200_000), 1..300),
        ) {
            let mut now = Tick(start);
            let mut wheel = Wheel::new(64, shift, now);
            let mut model: BTreeMap<u32, u64> = BTreeMap::new();
            let mut elapsed = 0u64;
            let horizon = u64::from((BUCKETS - 1) << shift);
            for (step, block, delay) in steps {
                let due = elapsed + u64::from(delay);
                wheel.schedule(block, now.plus(delay));
                let bound = model.entry(block).or_insert(due);
                *bound = due.min(*bound);
                elapsed += u64::from(step);
                now = now.plus(step);
                for block in drain(&mut wheel, now) {
                    let due = model.remove(&block).expect("scheduled");
                    prop_assert!(elapsed >= due || elapsed + 1 >= horizon.min(due));
                }
                for (block, due) in &model {
                    prop_assert!(elapsed < due + u64::from(1u32 << shift), "block {block} forgotten");
                }
            }
        }

        #[test]
        fn pending_blocks_are_a_queue_of_distinct_blocks(ops in prop::collection::vec(prop::option::of(0u32..8), 0..200)) {
            let mut queue = PendingBlocks::new(8);
            let mut model = std::collections::VecDeque::new();
            for op in ops {
                match op {
                    Some(block) => {
                        queue.push(block);
                        if !model.contains(&block) {
                            model.push_back(block);
                        }
                    }
                    None => {
                        queue.pop();
                        model.pop_front();
                    }
                }
                prop_assert_eq!(queue.front(), model.front().copied());
                prop_assert_eq!(queue.is_empty(), model.is_empty());
            }
        }
    }
}
