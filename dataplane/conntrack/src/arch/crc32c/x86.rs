//! The twin of the CRC with SSE4.2.

use core::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u64};

use super::Bytes;

/// Does what [`super::crc_burst`] does.
#[target_feature(enable = "sse4.2")]
pub(super) fn crc_burst<const WORDS: usize, B: Bytes<WORDS>>(init: u32, inputs: &[B], out: &mut [u32]) {
    for (input, out) in inputs.iter().zip(out) {
        let (words, last) = input.as_words();
        let crc = words.into_iter().fold(u64::from(init), |crc, word| _mm_crc32_u64(crc, word));
        *out = _mm_crc32_u8(crc as u32, last);
    }
}
