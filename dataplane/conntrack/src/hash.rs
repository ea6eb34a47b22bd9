//! The hash functions: which bucket a key lives in.
//!
//! `crc` and `jhash` give the values of DPDK's `rte_hash_crc` and `rte_jhash`
//! over the 17 bytes of [`FlowKey::to_bytes`], bit by bit, so that a hash
//! computed elsewhere is usable. Both can be collided from outside: CRC-32C is
//! linear, so keys that collide do so for every initial value. `keyed` cannot,
//! without the secret: whitening and three AES rounds under secret keys, of
//! which every pair of inputs differs in at least nine S-boxes.

use crate::arch::{self, AesKeys, Features};
use crate::key::FlowKey;

/// Which hash function finds the home bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HashKind {
    /// Secret per start, resists chosen collisions.
    #[default]
    Keyed,
    /// `rte_hash_crc`, bit-exact.
    Crc,
    /// `rte_jhash`, bit-exact.
    Jhash,
}

/// Most keys of one [`Hasher::hash_burst`].
pub const BURST: usize = 64;

/// A hash function with its secret.
#[derive(Clone)]
pub struct Hasher {
    kind: HashKind,
    init: u32,
    keys: AesKeys,
    features: Features,
}

impl Hasher {
    /// A hash function with initial value 0. The `secret` is needed whatever
    /// the kind: it also says where a key goes whose home bucket is full.
    #[must_use]
    pub fn new(kind: HashKind, secret: [u8; 32], features: Features) -> Self {
        // Four round keys from 32 secret bytes: two taken as they are, two made
        // from them with distinct constants so that no two rounds share a key.
        let word = |at: usize| u128::from_le_bytes(core::array::from_fn(|i| secret[at + i]));
        let (a, b) = (word(0), word(16));
        const C: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834;
        let keys = [a, b, a.rotate_left(61) ^ C, b.rotate_left(29) ^ C.rotate_left(64)];
        Hasher { kind, init: 0, keys, features }
    }

    /// The same with another initial value, as in `rte_hash_parameters::hash_func_init_val`.
    #[must_use]
    pub fn with_init(mut self, init: u32) -> Self {
        self.init = init;
        self
    }

    /// Hash of one key (`hash_sig_t` in DPDK).
    #[must_use]
    pub fn hash(&self, key: &FlowKey) -> u32 {
        if self.kind == HashKind::Keyed {
            return self.spread(key) as u32;
        }
        let mut out = [0];
        self.hash_burst(core::slice::from_ref(key), &mut out);
        out[0]
    }

    /// Hashes of up to [`BURST`] keys at once.
    ///
    /// # Panics
    /// When there are more keys than [`BURST`] or than places in `out`.
    #[inline]
    pub fn hash_burst(&self, keys: &[FlowKey], out: &mut [u32]) {
        assert!(keys.len() <= BURST && keys.len() <= out.len());
        match self.kind {
            HashKind::Keyed => arch::aes_burst(self.features, &self.keys, keys, out),
            HashKind::Crc => arch::crc_burst(self.features, self.init, keys, out),
            HashKind::Jhash => {
                for (key, out) in keys.iter().zip(out) {
                    *out = jhash(&key.to_bytes(), self.init);
                }
            }
        }
    }

    /// The instructions that it uses.
    #[inline(always)]
    pub(crate) fn features(&self) -> Features {
        self.features
    }

    /// Where else a key may live when its home bucket is full: secret for
    /// every kind, so that colliding keys part ways.
    #[inline]
    pub(crate) fn spread(&self, key: &FlowKey) -> u64 {
        arch::aes(self.features, &self.keys, key)
    }
}

/// `rte_hash_crc(bytes, len, init)`.
#[must_use]
pub fn crc(bytes: &[u8], init: u32) -> u32 {
    arch::portable::crc32c(init, bytes)
}

/// `rte_jhash(bytes, len, init)`: Bob Jenkins' lookup3 (public domain, May 2006).
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

/// Adds up to 12 bytes, little-endian, the missing ones as zero.
fn absorb(state: &mut [u32; 3], bytes: &[u8]) {
    for (word, chunk) in state.iter_mut().zip(bytes.chunks(4)) {
        let mut le = [0; 4];
        le[..chunk.len()].copy_from_slice(chunk);
        *word = word.wrapping_add(u32::from_le_bytes(le));
    }
}

/// lookup3's reversible mixing of a full block.
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

/// lookup3's final mixing.
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
mod tests {
    use super::*;
    use crate::key::TCP;
    use core::net::Ipv4Addr;

    #[test]
    fn jhash_of_the_published_example() {
        // The self-test of lookup3.c: "Four score and seven years ago", initial values 0 and 1.
        let text = b"Four score and seven years ago";
        assert_eq!(jhash(text, 0), 0x1777_0551);
        assert_eq!(jhash(text, 1), 0xcd62_8161);
    }

    #[test]
    fn another_secret_is_another_function() {
        let key = FlowKey::new(1, Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2), TCP, 1, 2);
        let a = Hasher::new(HashKind::Keyed, [1; 32], Features::detect());
        let b = Hasher::new(HashKind::Keyed, [2; 32], Features::detect());
        assert_ne!(a.hash(&key), b.hash(&key));
        assert_eq!(a.hash(&key), a.clone().hash(&key));
    }

    #[test]
    fn crc_collides_for_every_initial_value_and_keyed_does_not() {
        // Two keys whose CRC is equal: x ^ y is a multiple of the polynomial.
        let hasher = |kind| Hasher::new(kind, [7; 32], Features::detect());
        let crc = hasher(HashKind::Crc);
        let key = |sport, src: u32| {
            FlowKey::new(1, Ipv4Addr::from(src), Ipv4Addr::new(10, 0, 0, 2), TCP, sport, 80)
        };
        let base = key(1000, 0x0a00_0001);
        // 2^16 ports times a few addresses must repeat some of 2^32 values of a
        // 32-bit linear function; find one pair by solving for the address bits.
        let target = crc.hash(&base);
        let mut columns = [0u32; 32];
        for (bit, column) in columns.iter_mut().enumerate() {
            *column = crc.hash(&key(2000, 1 << bit)) ^ crc.hash(&key(2000, 0));
        }
        let src = solve(columns, target ^ crc.hash(&key(2000, 0)));
        let twin = key(2000, src);
        assert_ne!(twin, base);
        assert_eq!(crc.hash(&twin), target);
        assert_eq!(crc.clone().with_init(12345).hash(&twin), crc.clone().with_init(12345).hash(&base));
        let keyed = hasher(HashKind::Keyed);
        assert_ne!(keyed.hash(&twin), keyed.hash(&base));
    }

    /// Solves a 32 × 32 system over GF(2): which columns add up to `target`?
    fn solve(columns: [u32; 32], target: u32) -> u32 {
        let mut rows: std::vec::Vec<(u32, u32)> =
            columns.iter().enumerate().map(|(i, &c)| (c, 1 << i)).collect();
        let (mut rest, mut chosen) = (target, 0);
        for bit in (0..32).rev() {
            let Some(at) = rows.iter().position(|(c, _)| c >> bit & 1 == 1) else { continue };
            let pivot = rows.swap_remove(at);
            for row in &mut rows {
                if row.0 >> bit & 1 == 1 {
                    *row = (row.0 ^ pivot.0, row.1 ^ pivot.1);
                }
            }
            if rest >> bit & 1 == 1 {
                rest ^= pivot.0;
                chosen ^= pivot.1;
            }
        }
        assert_eq!(rest, 0, "the system has a solution");
        chosen
    }
}
