//! A batch: the keys and lengths of parsed frames, for one table.
//!
//! The parser appends to a batch and the tracker of a table probes and commits it. So a parser and
//! a tracker know nothing of each other, and a second table is a second batch.

use core::ops::Range;

use crate::key::{FlowKey, Key};

/// The frames of some bursts that are to be looked up in one table, in the order of their arrival.
pub struct Batch<K = FlowKey> {
    keys: [K; CAPACITY],
    lens: [u32; CAPACITY],
    len: usize,
}

/// Maximum number of frames of a batch: a burst from each of two ports. It is also the number of bits
/// in the sets of frames that the stages pass on.
pub(crate) const CAPACITY: usize = u64::BITS as usize;

impl<K: Key> Batch<K> {
    /// Returns an empty batch.
    pub(crate) fn new() -> Self {
        Batch { keys: [K::default(); CAPACITY], lens: [0; CAPACITY], len: 0 }
    }

    /// Returns the number of frames.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the keys of these frames.
    #[inline(always)]
    pub(crate) fn keys(&self, frames: Range<usize>) -> &[K] {
        debug_assert!(frames.end <= self.len);
        &self.keys[frames]
    }

    /// Returns the lengths of these frames in bytes.
    #[inline(always)]
    pub(crate) fn lens(&self, frames: Range<usize>) -> &[u32] {
        debug_assert!(frames.end <= self.len);
        &self.lens[frames]
    }

    /// Returns true when `N` more frames fit.
    #[inline(always)]
    pub(crate) fn has_room<const N: usize>(&self) -> bool {
        self.len + N <= CAPACITY
    }

    /// Returns the places of the next `N` keys and lengths. [`Batch::append`] says how many of them
    /// were filled.
    ///
    /// # Panics
    /// When there is no room for `N` frames.
    #[inline(always)]
    pub(crate) fn room<const N: usize>(&mut self) -> (&mut [K; N], &mut [u32; N]) {
        match (self.keys[self.len..].first_chunk_mut(), self.lens[self.len..].first_chunk_mut()) {
            (Some(keys), Some(lens)) => (keys, lens),
            _ => unreachable!("the caller has made room"),
        }
    }

    /// Appends the first `count` frames of the places that [`Batch::room`] returned last.
    #[inline(always)]
    pub(crate) fn append(&mut self, count: usize) {
        self.len += count;
        debug_assert!(self.len <= CAPACITY);
    }

    /// Removes all frames.
    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }
}
