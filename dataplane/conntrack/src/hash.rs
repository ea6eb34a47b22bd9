//! The hash functions, which name the home line of a key.
//!
//! `crc` and `jhash` return the values of DPDK's `rte_hash_crc` and `rte_jhash` over the 17 bytes
//! of [`FlowKey::to_bytes`] or the 41 of `FlowKeyV6::to_bytes`, bit by bit, so a hash that was
//! computed elsewhere is usable.
//! Collisions of both can be chosen from outside; CRC-32C is linear, so keys that collide do so for
//! every initial value. Collisions of `keyed` cannot be chosen without its secret.

mod v6;

pub use v6::{HashV6, HasherV6};

use crate::arch::{Features, aes, crc32c};
use crate::key::{FlowKey, Key, SlotKey};

/// A hash function.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HashKind {
    /// AES rounds under a secret that differs at each start. Resists chosen collisions.
    #[default]
    Keyed,
    /// `rte_hash_crc`, bit-exact.
    Crc,
    /// `rte_jhash`, bit-exact.
    Jhash,
}

/// Maximum number of keys of one [`Hasher::hash_burst`].
pub const BURST: usize = 64;

/// The hash function of the keys of a table.
pub trait KeyHasher<K: Key>: Clone + Send {
    /// Returns the hash of one key.
    fn hash(&self, key: &K) -> K::Hash;
    /// Writes the hashes of up to [`BURST`] keys to `out`.
    ///
    /// # Panics
    /// When there are more keys than [`BURST`] or than places in `out`.
    fn hash_burst(&self, keys: &[K], out: &mut [K::Hash]);
    /// Returns the hash of the key in a slot; `None` when only the whole key gives it.
    fn hash_of_slot(&self, slot: &SlotKey) -> Option<K::Hash>;
    /// Returns the instructions that it uses.
    fn features(&self) -> Features;
    /// Returns what keys the probe sequence of a key whose home line is full. It is secret for
    /// every kind, so keys that collide at home part ways.
    fn spread(&self, slot: &SlotKey) -> u64;
}

/// The hash function of IPv4 keys, with its initial value, its secret, and the instructions that it
/// uses.
#[derive(Clone)]
pub struct Hasher {
    kind: HashKind,
    init: u32,
    keys: aes::Schedule,
    features: Features,
}

impl Hasher {
    /// Returns a hash function with the initial value 0. Every kind needs a `secret`, because it
    /// also says where a key goes whose home line is full.
    #[must_use]
    pub fn new(kind: HashKind, secret: [u8; 32], features: Features) -> Self {
        // Four round keys from 32 secret bytes: two taken as they are, two made from them with
        // distinct constants so that no two rounds share a key.
        let word = |at: usize| u128::from_le_bytes(core::array::from_fn(|i| secret[at + i]));
        let (a, b) = (word(0), word(16));
        const C: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834;
        let keys = [a, b, a.rotate_left(61) ^ C, b.rotate_left(29) ^ C.rotate_left(64)];
        Hasher { kind, init: 0, keys, features }
    }

    /// Returns the same function with another initial value (`hash_func_init_val` of
    /// `rte_hash_parameters`). The keyed hash has none.
    #[must_use]
    pub fn with_init(mut self, init: u32) -> Self {
        self.init = init;
        self
    }

    /// Returns the hash of one key (`hash_sig_t` in DPDK).
    #[must_use]
    pub fn hash(&self, key: &FlowKey) -> u32 {
        if self.kind == HashKind::Keyed {
            return self.spread(&key.0) as u32;
        }
        let mut out = [0];
        self.hash_burst_rte(core::slice::from_ref(key), &mut out);
        out[0]
    }

    /// Writes the hashes of up to [`BURST`] keys to `out`.
    ///
    /// # Panics
    /// When there are more keys than [`BURST`] or than places in `out`.
    #[inline]
    pub fn hash_burst(&self, keys: &[FlowKey], out: &mut [u32]) {
        assert!(keys.len() <= BURST && keys.len() <= out.len());
        if self.kind == HashKind::Keyed {
            aes::hash_burst(self.features, &self.keys, keys, out);
        } else {
            self.hash_burst_rte(keys, out);
        }
    }

    /// Does what [`Hasher::hash_burst`] does, with the hash functions of DPDK. It is apart so that
    /// the registers that they need are not saved for the keyed hash.
    #[inline(never)]
    fn hash_burst_rte(&self, keys: &[FlowKey], out: &mut [u32]) {
        if self.kind == HashKind::Crc {
            crc32c::crc_burst(self.features, self.init, keys, out);
            return;
        }
        for (key, out) in keys.iter().zip(out) {
            *out = jhash(&key.to_bytes(), self.init);
        }
    }

    #[inline]
    fn spread(&self, slot: &SlotKey) -> u64 {
        aes::hash(self.features, &self.keys, slot)
    }
}

impl KeyHasher<FlowKey> for Hasher {
    #[inline(always)]
    fn hash(&self, key: &FlowKey) -> u32 {
        self.hash(key)
    }

    #[inline(always)]
    fn hash_burst(&self, keys: &[FlowKey], out: &mut [u32]) {
        self.hash_burst(keys, out);
    }

    #[inline(always)]
    fn hash_of_slot(&self, slot: &SlotKey) -> Option<u32> {
        Some(self.hash(&FlowKey(*slot)))
    }

    #[inline(always)]
    fn features(&self) -> Features {
        self.features
    }

    #[inline(always)]
    fn spread(&self, slot: &SlotKey) -> u64 {
        self.spread(slot)
    }
}

/// Returns `rte_hash_crc(bytes, len, init)`.
#[must_use]
pub fn crc(bytes: &[u8], init: u32) -> u32 {
    crc32c::crc32c(init, bytes)
}

/// Returns `rte_jhash(bytes, len, init)`: Bob Jenkins' lookup3 (public domain, May 2006).
#[must_use]
pub fn jhash(bytes: &[u8], init: u32) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(bytes.len() as u32).wrapping_add(init);
    let mut state = [start; 3];
    let mut rest = bytes;
    while rest.len() > 12 {
        let (block, tail) = rest.split_at(12);
        absorb(&mut state, block);
        mix(&mut state);
        rest = tail;
    }
    if !rest.is_empty() {
        absorb(&mut state, rest);
        last_mix(&mut state);
    }
    state[2]
}

/// Adds up to 12 bytes, little-endian. Missing bytes count as zero.
fn absorb(state: &mut [u32; 3], bytes: &[u8]) {
    for (word, chunk) in state.iter_mut().zip(bytes.chunks(4)) {
        let mut le = [0; 4];
        le[..chunk.len()].copy_from_slice(chunk);
        *word = word.wrapping_add(u32::from_le_bytes(le));
    }
}

/// Mixes a full block: the reversible mixing of lookup3.
fn mix([a, b, c]: &mut [u32; 3]) {
    macro_rules! round {
        ($x:ident, $z:ident, $y:ident, $by:literal) => {
            *$x = $x.wrapping_sub(*$z) ^ $z.rotate_left($by);
            *$z = $z.wrapping_add(*$y);
        };
    }
    round!(a, c, b, 4);
    round!(b, a, c, 6);
    round!(c, b, a, 8);
    round!(a, c, b, 16);
    round!(b, a, c, 19);
    round!(c, b, a, 4);
}

/// Mixes the last block: the final mixing of lookup3.
fn last_mix([a, b, c]: &mut [u32; 3]) {
    macro_rules! round {
        ($x:ident, $y:ident, $by:literal) => {
            *$x = (*$x ^ *$y).wrapping_sub($y.rotate_left($by));
        };
    }
    round!(c, b, 14);
    round!(a, c, 11);
    round!(b, a, 25);
    round!(c, b, 16);
    round!(a, c, 4);
    round!(b, a, 14);
    round!(c, b, 24);
}

#[cfg(test)]
mod tests;
