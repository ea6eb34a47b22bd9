//! The hash of IPv6 keys: a fingerprint for the slot beside what names the home line.
//!
//! A key of 38 bytes does not fit a slot. The slot holds its *fingerprint*: the input port in clear,
//! and 104 bits of a keyed universal hash (`arch::universal`). `docs/table.md` has the proof that two
//! keys do not share one. The fingerprint is secret for every kind of hash function, because with a
//! known one anybody could make keys that share it. The keyed hash of the home line is three AES
//! rounds over the fingerprint, so a line says nothing about it.

use super::{BURST, HashKind, Hasher, KeyHasher, jhash};
use crate::arch::universal::{self, Hashed, Input};
use crate::arch::{Features, crc32c};
use crate::key::{FlowKeyV6, SlotKey};

/// The fingerprint of an IPv6 key and the hash that names its home line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct HashV6(Hashed);

impl HashV6 {
    /// Returns the hash that names the home line (`hash_sig_t` in DPDK).
    #[must_use]
    pub fn home(&self) -> u32 {
        self.0.mixed
    }

    /// Returns the fingerprint, as a slot holds it.
    #[must_use]
    pub fn slot(&self) -> &SlotKey {
        &self.0.print
    }
}

/// The hash function of IPv6 keys.
#[derive(Clone)]
pub struct HasherV6 {
    /// The kind, the initial value, the AES rounds, and the instructions.
    home: Hasher,
    prints: universal::Keys,
}

impl HasherV6 {
    /// Size of the secret in bytes.
    pub const SECRET: usize = 80;

    /// Returns a hash function with the initial value 0. The first 32 bytes of the secret are what
    /// [`Hasher::new`] takes; the others are the keys of the fingerprint, three of 16 bytes. All have
    /// to be random.
    #[must_use]
    pub fn new(kind: HashKind, secret: [u8; Self::SECRET], features: Features) -> Self {
        let (home, prints) = secret.split_at(32);
        let home = core::array::from_fn(|i| home[i]);
        let prints =
            core::array::from_fn(|key| u128::from_le_bytes(core::array::from_fn(|i| prints[16 * key + i])));
        HasherV6 { home: Hasher::new(kind, home, features), prints }
    }

    /// Returns the same function with another initial value, as [`Hasher::with_init`] does.
    #[must_use]
    pub fn with_init(mut self, init: u32) -> Self {
        self.home = self.home.with_init(init);
        self
    }

    /// Replaces the hashes of home lines by those of DPDK's functions.
    #[inline(never)]
    fn rehash_rte(&self, keys: &[FlowKeyV6], out: &mut [HashV6]) {
        let mut homes = [0; BURST];
        if self.home.kind == HashKind::Crc {
            crc32c::crc_burst(self.home.features, self.home.init, keys, &mut homes);
        } else {
            for (key, home) in keys.iter().zip(&mut homes) {
                *home = jhash(&key.to_bytes(), self.home.init);
            }
        }
        for (out, home) in out.iter_mut().zip(homes) {
            out.0.mixed = home;
        }
    }
}

impl KeyHasher<FlowKeyV6> for HasherV6 {
    fn hash(&self, key: &FlowKeyV6) -> HashV6 {
        let mut out = [HashV6::default()];
        self.hash_burst(core::slice::from_ref(key), &mut out);
        out[0]
    }

    #[inline]
    fn hash_burst(&self, keys: &[FlowKeyV6], out: &mut [HashV6]) {
        assert!(keys.len() <= BURST && keys.len() <= out.len());
        universal::hash_burst(self.home.features, &self.prints, &self.home.keys, keys, out);
        if self.home.kind != HashKind::Keyed {
            self.rehash_rte(keys, out);
        }
    }

    /// The keyed hash makes the home line of the fingerprint; DPDK's hashes need the whole key.
    #[inline(always)]
    fn hash_of_slot(&self, slot: &SlotKey) -> Option<HashV6> {
        let mixed = || self.home.spread(slot) as u32;
        (self.home.kind == HashKind::Keyed).then(|| HashV6(Hashed { print: *slot, mixed: mixed() }))
    }

    #[inline(always)]
    fn features(&self) -> Features {
        self.home.features
    }

    #[inline]
    fn spread(&self, slot: &SlotKey) -> u64 {
        self.home.spread(slot)
    }
}

impl AsMut<Hashed> for HashV6 {
    #[inline(always)]
    fn as_mut(&mut self) -> &mut Hashed {
        &mut self.0
    }
}

impl Input for FlowKeyV6 {
    /// The input port, the uppermost bits of the word.
    const CLEAR: u64 = 0xff << 40;

    #[inline(always)]
    fn parts(&self) -> (&[u8; 16], &[u8; 16], u64) {
        self.parts()
    }
}
