//! Where the whole keys of a table's entries are.
//!
//! A slot holds all of an IPv4 key. Of an IPv6 key it holds a fingerprint; the whole keys lie in an
//! array of their own, which a hit does not touch.

use alloc::boxed::Box;

use super::config::TableConfigError;
use super::flow_table::Pos;
use super::memory::filled;
use crate::arch::prefetch;
use crate::key::{FlowKey, SlotKey};

/// The whole keys of a table, by position. All memory is taken at once.
pub trait Store<K>: Sized + Send {
    /// Different keys have different slot keys, so nothing beyond a slot is ever to be compared.
    const EXACT: bool;
    /// Takes memory for the keys of positions 0 to `positions - 1`.
    ///
    /// # Errors
    /// When the memory cannot be had.
    fn take(positions: usize) -> Result<Self, TableConfigError>;
    /// Keeps the key of an entry that is added at `pos`.
    fn put(&mut self, pos: Pos, key: &K);
    /// Returns the key at an occupied position, whose slot holds `slot`.
    fn key(&self, pos: Pos, slot: SlotKey) -> K;
    /// Returns true when the key at an occupied position, whose slot holds that of `key`, is `key`.
    fn holds(&self, pos: Pos, key: &K) -> bool;
    /// Prefetches the place of the key of a position.
    fn prefetch(&self, pos: Pos);
    /// Returns the size of its memory in bytes.
    fn bytes(&self) -> usize;
}

/// Slots hold whole keys.
pub struct InSlots;

impl Store<FlowKey> for InSlots {
    const EXACT: bool = true;

    fn take(_: usize) -> Result<Self, TableConfigError> {
        Ok(InSlots)
    }

    #[inline(always)]
    fn put(&mut self, _: Pos, _: &FlowKey) {}

    #[inline(always)]
    fn key(&self, _: Pos, slot: SlotKey) -> FlowKey {
        FlowKey(slot)
    }

    #[inline(always)]
    fn holds(&self, _: Pos, _: &FlowKey) -> bool {
        true
    }

    #[inline(always)]
    fn prefetch(&self, _: Pos) {}

    fn bytes(&self) -> usize {
        0
    }
}

/// Whole keys lie beside the lines.
pub struct Beside<K>(Box<[K]>);

impl<K: Copy + Eq + Default + Send> Store<K> for Beside<K> {
    const EXACT: bool = false;

    fn take(positions: usize) -> Result<Self, TableConfigError> {
        Ok(Beside(filled(K::default(), positions)?))
    }

    #[inline]
    fn put(&mut self, pos: Pos, key: &K) {
        self.0[pos.0 as usize] = *key;
    }

    #[inline]
    fn key(&self, pos: Pos, _: SlotKey) -> K {
        self.0[pos.0 as usize]
    }

    #[inline]
    fn holds(&self, pos: Pos, key: &K) -> bool {
        self.0[pos.0 as usize] == *key
    }

    #[inline]
    fn prefetch(&self, pos: Pos) {
        // A key may lie in two cache lines.
        let key = &self.0[pos.0 as usize];
        prefetch(key);
        prefetch((&raw const *key).wrapping_byte_add(size_of::<K>() - 1));
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}
