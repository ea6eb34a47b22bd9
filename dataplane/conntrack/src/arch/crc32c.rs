//! CRC-32C (Castagnoli, reflected polynomial 0x82f63b78) without the final inversion, which is how
//! DPDK uses it.

#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::Features;

/// `WORDS` words of eight bytes, and one more byte.
pub(crate) trait Bytes<const WORDS: usize> {
    /// Returns the bytes as little-endian words and the last byte.
    fn as_words(&self) -> ([u64; WORDS], u8);
}

/// Writes the CRCs of the inputs to `out`, each with the initial value `init`.
#[inline]
pub(crate) fn crc_burst<const WORDS: usize, B: Bytes<WORDS>>(
    features: Features,
    init: u32,
    inputs: &[B],
    out: &mut [u32],
) {
    #[cfg(target_arch = "x86_64")]
    if features.crc {
        // SAFETY: the CPU has SSE4.2.
        unsafe { x86::crc_burst(init, inputs, out) };
        return;
    }
    let _ = features;
    for (input, out) in inputs.iter().zip(out) {
        let (words, last) = input.as_words();
        let crc = words.iter().fold(init, |crc, word| crc32c(crc, &word.to_le_bytes()));
        *out = crc32c(crc, &[last]);
    }
}

/// Returns the CRC of the bytes. The twin without special instructions.
pub(crate) fn crc32c(init: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(init, |crc, &b| crc >> 8 ^ TABLE[usize::from(crc as u8 ^ b)])
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
};
