//! Three AES rounds as a keyed hash of blocks of 16 bytes.
//!
//! The block is whitened and goes through three rounds, all under secret keys. Every pair of blocks
//! differs in at least nine S-boxes there, so collisions cannot be chosen without the secret.

#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
pub(super) mod x86;

use super::Features;

/// The key schedule: the whitening key and one key per round.
pub(crate) type Schedule = [u128; 4];

/// A block of 16 bytes, as two words. Word 0 is the lower half.
pub(crate) trait Block {
    /// Returns the words.
    fn words(&self) -> [u64; 2];
}

/// Hashes every block and writes the lower halves of the hashes to the first places of `out`, which
/// has at least as many places as there are blocks. Its other places stay as they are.
#[inline]
pub(crate) fn hash_burst<B: Block>(features: Features, secret: &Schedule, blocks: &[B], out: &mut [u32]) {
    #[cfg(target_arch = "x86_64")]
    if features.wide {
        // SAFETY: the CPU has what `wide` stands for.
        unsafe { x86::hash_burst_wide(secret, blocks, out) };
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if features.aes {
        // SAFETY: the CPU has AES and SSE2.
        unsafe { x86::hash_burst(secret, blocks, out) };
        return;
    }
    let _ = features;
    portable_burst(secret, blocks, out);
}

/// The twin of [`hash_burst`] without special instructions. It is not inlined, because its
/// registers would have to be saved on the way to the other twins too.
#[inline(never)]
fn portable_burst<B: Block>(secret: &Schedule, blocks: &[B], out: &mut [u32]) {
    for (block, out) in blocks.iter().zip(out) {
        *out = portable(secret, block.words()) as u32;
    }
}

/// Returns the hash of one block.
#[inline]
pub(crate) fn hash<B: Block>(features: Features, secret: &Schedule, block: &B) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if features.aes {
        // SAFETY: the CPU has AES and SSE2.
        return unsafe { x86::hash(secret, block) };
    }
    let _ = features;
    portable(secret, block.words())
}

/// The twin of [`hash`] without special instructions (FIPS 197 section 5.1). It is not inlined, as
/// [`portable_burst`] is not.
#[inline(never)]
fn portable(secret: &Schedule, [low, high]: [u64; 2]) -> u64 {
    let mut state = u128::from(low) | u128::from(high) << 64;
    state ^= secret[0];
    for round_key in &secret[1..] {
        state = round(state) ^ round_key;
    }
    state as u64
}

/// Does SubBytes, ShiftRows and MixColumns of one block. Byte 0 of the block is the lowest.
fn round(state: u128) -> u128 {
    let bytes = state.to_le_bytes();
    let mut out = [0; 16];
    for column in 0..4 {
        let s: [u8; 4] = core::array::from_fn(|row| SBOX[usize::from(bytes[(column * 4 + row * 5) % 16])]);
        for row in 0..4 {
            out[column * 4 + row] = double(s[row])
                ^ double(s[(row + 1) % 4])
                ^ s[(row + 1) % 4]
                ^ s[(row + 2) % 4]
                ^ s[(row + 3) % 4];
        }
    }
    u128::from_le_bytes(out)
}

/// Multiplies by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
const fn double(a: u8) -> u8 {
    a << 1 ^ if a & 0x80 != 0 { 0x1b } else { 0 }
}

/// The S-box, made from its definition: inverse in GF(2^8), then the affine map.
const SBOX: [u8; 256] = {
    let mut sbox = [0; 256];
    // p runs through all non-zero elements as powers of 3, q through their inverses.
    let (mut p, mut q) = (1u8, 1u8);
    loop {
        p ^= double(p);
        q ^= q << 1;
        q ^= q << 2;
        q ^= q << 4;
        if q & 0x80 != 0 {
            q ^= 0x09;
        }
        let affine = q ^ q.rotate_left(1) ^ q.rotate_left(2) ^ q.rotate_left(3) ^ q.rotate_left(4) ^ 0x63;
        sbox[p as usize] = affine;
        if p == 1 {
            break;
        }
    }
    sbox[0] = 0x63;
    sbox
};
