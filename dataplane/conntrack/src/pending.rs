//! The blocks with entries about which something is still to be reported, in a queue.

use alloc::boxed::Box;
use alloc::vec;

/// Ends the queue.
const NONE: u32 = u32::MAX;

/// A queue of distinct blocks, first come first served.
pub(crate) struct PendingBlocks {
    /// By block: the next block of the queue, [`NONE`] for the last one, [`PendingBlocks::OUT`]
    /// when the block is not queued.
    next: Box<[u32]>,
    head: u32,
    tail: u32,
}

impl PendingBlocks {
    /// Marks a block that is not queued.
    const OUT: u32 = u32::MAX - 1;

    /// Returns an empty queue for blocks 0 to `blocks - 1`.
    pub(crate) fn new(blocks: usize) -> Self {
        PendingBlocks { next: vec![Self::OUT; blocks].into_boxed_slice(), head: NONE, tail: NONE }
    }

    /// Returns the size of its memory in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.next)
    }

    /// Returns true when no block is queued.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.head == NONE
    }

    /// Appends a block, unless it is queued already.
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

    /// Returns the first block.
    pub(crate) fn front(&self) -> Option<u32> {
        (self.head != NONE).then_some(self.head)
    }

    /// Removes the first block.
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

    proptest! {
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
