//! The twins of the keyed hash with AES-NI, and with AVX-512 and VAES.

use core::arch::x86_64::{
    __m128i, _mm_aesenc_si128, _mm_cvtsi128_si32, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_storeu_si128,
    _mm_xor_si128, _mm512_aesenc_epi128, _mm512_broadcast_i32x4, _mm512_castsi512_si128,
    _mm512_permutexvar_epi32, _mm512_set_epi64, _mm512_setr_epi32, _mm512_xor_si512,
};

use super::{Block, Schedule};

/// Does what [`super::hash_burst`] does, four blocks at a time.
#[target_feature(enable = "avx512f,vaes,aes,sse2")]
pub(super) fn hash_burst_wide<B: Block>(secret: &Schedule, blocks: &[B], out: &mut [u32]) {
    let rounds = schedule(secret);
    let [whiten, k1, k2, k3] = rounds.map(|key| _mm512_broadcast_i32x4(key));
    // The lowest 32 bits of each block.
    let lowest = _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    let (fours, rest) = blocks.as_chunks::<4>();
    let (out_fours, out_rest) = out[..blocks.len()].as_chunks_mut::<4>();
    for (blocks, out) in fours.iter().zip(out_fours) {
        let [[a, b], [c, d], [e, f], [g, h]] = blocks.each_ref().map(|block| words(block));
        let state = _mm512_xor_si512(_mm512_set_epi64(h, g, f, e, d, c, b, a), whiten);
        let state = _mm512_aesenc_epi128(state, k1);
        let state = _mm512_aesenc_epi128(state, k2);
        let state = _mm512_aesenc_epi128(state, k3);
        let hashes = _mm512_castsi512_si128(_mm512_permutexvar_epi32(lowest, state));
        // SAFETY: `out` has room for the 16 bytes of four hashes.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), hashes) };
    }
    for (block, out) in rest.iter().zip(out_rest) {
        *out = _mm_cvtsi128_si32(three_rounds(rounds, block)) as u32;
    }
}

/// Does what [`super::hash_burst`] does, one block at a time.
#[target_feature(enable = "aes,sse2")]
pub(super) fn hash_burst<B: Block>(secret: &Schedule, blocks: &[B], out: &mut [u32]) {
    let secret = schedule(secret);
    for (block, out) in blocks.iter().zip(out) {
        *out = _mm_cvtsi128_si32(three_rounds(secret, block)) as u32;
    }
}

/// Does what [`super::hash`] does.
#[target_feature(enable = "aes,sse2")]
pub(super) fn hash<B: Block>(secret: &Schedule, block: &B) -> u64 {
    _mm_cvtsi128_si64(three_rounds(schedule(secret), block)) as u64
}

#[target_feature(enable = "sse2")]
pub(in crate::arch) fn schedule(secret: &Schedule) -> [__m128i; 4] {
    secret.map(|w| _mm_set_epi64x((w >> 64) as i64, w as i64))
}

#[inline(always)]
fn words<B: Block>(block: &B) -> [i64; 2] {
    block.words().map(u64::cast_signed)
}

#[target_feature(enable = "aes,sse2")]
#[inline]
fn three_rounds<B: Block>(secret: [__m128i; 4], block: &B) -> __m128i {
    let [low, high] = words(block);
    three_rounds_of(secret, _mm_set_epi64x(high, low))
}

/// Does three rounds over a block that is in a register.
#[target_feature(enable = "aes,sse2")]
#[inline]
pub(in crate::arch) fn three_rounds_of([whiten, k1, k2, k3]: [__m128i; 4], block: __m128i) -> __m128i {
    let state = _mm_xor_si128(block, whiten);
    let state = _mm_aesenc_si128(state, k1);
    let state = _mm_aesenc_si128(state, k2);
    _mm_aesenc_si128(state, k3)
}
