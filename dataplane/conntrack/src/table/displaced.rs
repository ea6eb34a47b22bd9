//! The keys of a batch that were not in their home lines and may be further along.

use alloc::boxed::Box;

use super::flow_table::BULK;

/// A key of a batch that was in none of the lines probed so far.
#[derive(Clone, Copy, Default)]
pub(super) struct DisplacedKey {
    /// The key's spread; valid from step 2 on.
    pub(super) spread: u64,
    /// The next line of its probe sequence.
    pub(super) at: u32,
    /// The key's number in the batch.
    pub(super) key: u16,
    /// The number of steps from the home line to that line.
    pub(super) step: u16,
}

/// The keys of a batch that [`FlowTable::probe_displaced`](super::FlowTable::probe_displaced) has
/// still to follow.
///
/// They are kept with the table, because on the stack they would have to be cleared for each batch.
pub(super) struct Displaced {
    pub(super) keys: Box<[DisplacedKey; BULK]>,
    pub(super) len: usize,
}

impl Displaced {
    /// Returns an empty list.
    pub(super) fn new() -> Self {
        Displaced { keys: Box::new([DisplacedKey::default(); BULK]), len: 0 }
    }

    /// Returns true when no key is left.
    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a key. There is room for all keys of a batch.
    #[inline(always)]
    pub(super) fn push(&mut self, key: DisplacedKey) {
        self.keys[self.len] = key;
        self.len += 1;
    }
}
