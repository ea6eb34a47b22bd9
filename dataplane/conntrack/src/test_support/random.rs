//! A reproducible stream of numbers, for tests too large to be shrunk.

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same on every machine. The field is its
/// state; a new one starts with the seed.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// Returns the next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// Returns a number below `end`.
    ///
    /// # Panics
    /// When `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// Returns a number from `low` to `high`, both included.
    ///
    /// # Panics
    /// When `high` is less than `low`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.bits() % (high - low + 1)
    }

    /// Returns true half of the time.
    pub fn coin(&mut self) -> bool {
        self.bits().is_multiple_of(2)
    }

    /// Returns the bytes of a secret, a multiple of eight.
    pub fn secret<const BYTES: usize>(&mut self) -> [u8; BYTES] {
        let mut secret = [0; BYTES];
        for chunk in secret.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.bits().to_le_bytes());
        }
        secret
    }
}

/// Mixes 64 bits so that no two numbers become one: the finalizer of SplitMix64.
#[must_use]
pub fn mixed(mut x: u64) -> u64 {
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the published algorithm for the seed 1234567.
    #[test]
    fn the_numbers_are_those_of_split_mix_64() {
        let mut random = Random(1_234_567);
        let drawn = [random.bits(), random.bits(), random.bits()];
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn numbers_stay_within_their_limits() {
        let mut random = Random(1);
        let mut seen = [0; 3];
        (0..300).for_each(|_| seen[(random.between(5, 7) - 5) as usize] += 1);
        assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
        assert!((0..300).all(|_| random.below(7) < 7));
    }
}
