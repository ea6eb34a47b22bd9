//! A keyed hash of inputs of 16, 16 and 8 bytes: a *print* of 128 bits, which no two inputs share
//! but by a chance that does not depend on them, and 32 bits that say nothing about the print.
//!
//! The parts a, b and c of an input, and three secret keys, are elements of GF(2^128):
//!
//! ```text
//! print = (a + k0)·(b + k1) + c·k2
//! ```
//!
//! Take two different inputs. The difference of their prints is a constant plus `(b + b')·k0 +
//! (a + a')·k1 + (c + c')·k2`, in which at least one factor in front of a key is not zero. As long
//! as the keys are uniform, so is the difference: any n of its bits are all zero with a chance of
//! exactly 2^-n. This is the XOR-universality of multilinear hashing (Carter and Wegman, 1979) with
//! half of the multiplications. It holds for inputs that were chosen without knowledge of prints.
//! So nothing that can be observed may be computed from a print except through [`aes`] rounds
//! under other keys, which is how the 32 bits come about.
//!
//! The field is that of POLYVAL (RFC 8452 section 3), x^128 + x^127 + x^126 + x^121 + 1, and a
//! product is POLYVAL's `dot`: divided by x^128, which changes nothing above.

#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::{Features, Words, aes};

/// The keys of the prints, uniform and independent.
pub(crate) type Keys = [u128; 3];

/// An input.
pub(crate) trait Input {
    /// The bits of the third part that take the places of those of the print's upper word, instead
    /// of being hashed only. The bits above them are zero there.
    const CLEAR: u64;

    /// Returns the parts. All bytes are loaded little-endian.
    fn parts(&self) -> (&[u8; 16], &[u8; 16], u64);
}

impl AsMut<Hashed> for Hashed {
    #[inline(always)]
    fn as_mut(&mut self) -> &mut Hashed {
        self
    }
}

/// The hash of an input. It is aligned so that a copy is stored 16 bytes at a time: a print that was
/// stored in two pieces and is loaded in one waits until both have left the store buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(16))]
pub(crate) struct Hashed {
    /// The print.
    pub(crate) print: Words,
    /// The lower 32 bits of three AES rounds over the print.
    pub(crate) mixed: u32,
}

/// The bits of the upper word that are the print's.
const fn hashed_bits(clear: u64) -> u64 {
    (1 << clear.trailing_zeros()) - 1
}

/// Hashes every input and writes the hashes to the first places of `out`, which has at least as many
/// places as there are inputs.
#[inline]
pub(crate) fn hash_burst<I: Input, O: AsMut<Hashed>>(
    features: Features,
    keys: &Keys,
    rounds: &aes::Schedule,
    inputs: &[I],
    out: &mut [O],
) {
    #[cfg(target_arch = "x86_64")]
    if features.wide {
        // SAFETY: the CPU has what `wide` stands for.
        unsafe { x86::hash_burst_wide(keys, rounds, inputs, out) };
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if features.clmul && features.aes {
        // SAFETY: the CPU has PCLMULQDQ, AES and SSE2.
        unsafe { x86::hash_burst(keys, rounds, inputs, out) };
        return;
    }
    for (input, out) in inputs.iter().zip(out) {
        let out = out.as_mut();
        let (a, b, c) = input.parts();
        let (a, b) = (u128::from_le_bytes(*a), u128::from_le_bytes(*b));
        let print = dots([(a ^ keys[0], b ^ keys[1]), (keys[2], c.into())]);
        let clear = c & I::CLEAR;
        let hi = (print >> 64) as u64 & hashed_bits(I::CLEAR) | clear;
        out.print = Words { lo: print as u64, hi };
        out.mixed = aes::hash(features, rounds, &out.print) as u32;
    }
}

/// Returns the sum of two products, each as `dot` of RFC 8452 section 3.
fn dots(mut factors: [(u128, u128); 2]) -> u128 {
    /// 1 divided by x.
    const BY_X: u128 = 0xe1 << 120;
    let all_if = |bit: u128| bit.wrapping_neg();
    let mut sum = 0;
    for _ in 0..u128::BITS {
        for (one, other) in &mut factors {
            sum ^= *one & all_if(*other & 1);
            *other >>= 1;
        }
        sum = (sum >> 1) ^ (BY_X & all_if(sum & 1));
    }
    sum
}
