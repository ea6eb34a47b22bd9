//! The twin of the CRC with SSE4.2.

use core::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u64};

use super::Bytes17;

/// Does what [`super::crc_burst`] does.
#[target_feature(enable = "sse4.2")]
pub(super) fn crc_burst<B: Bytes17>(init: u32, inputs: &[B], out: &mut [u32]) {
    for (input, out) in inputs.iter().zip(out) {
        let ([first, second], last) = input.as_words();
        let crc = _mm_crc32_u64(u64::from(init), first);
        let crc = _mm_crc32_u64(crc, second);
        *out = _mm_crc32_u8(crc as u32, last);
    }
}
