//! The twins of the universal hash with PCLMULQDQ, and with AVX-512 and VPCLMULQDQ.

use core::arch::x86_64::{
    __m128i, __m512i, _mm_and_si128, _mm_clmulepi64_si128, _mm_cvtsi128_si32, _mm_loadu_si128, _mm_or_si128,
    _mm_set_epi64x, _mm_shuffle_epi32, _mm_slli_si128, _mm_srli_si128, _mm_storeu_si128, _mm_xor_si128,
    _mm512_aesenc_epi128, _mm512_and_si512, _mm512_broadcast_i32x4, _mm512_castsi128_si512,
    _mm512_clmulepi64_epi128, _mm512_extracti32x4_epi32, _mm512_inserti32x4, _mm512_or_si512,
    _mm512_set_epi64, _mm512_setzero_si512, _mm512_shuffle_epi32, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi64, _mm512_xor_si512,
};

use super::super::aes::{self, x86 as aes_x86};
use super::{Hashed, Input, Keys, hashed_bits};

/// The upper half of the field's polynomial, and 1: what a half is multiplied with to reduce it.
const POLYNOMIAL: [i64; 2] = [1, 0xc2 << 56];

/// Does what [`super::hash_burst`] does, one input at a time.
#[target_feature(enable = "pclmulqdq,aes,sse2")]
pub(super) fn hash_burst<I: Input, O: AsMut<Hashed>>(
    keys: &Keys,
    rounds: &aes::Schedule,
    inputs: &[I],
    out: &mut [O],
) {
    let [k0, k1, k2] = keys.map(|key| element(key));
    let rounds = aes_x86::schedule(rounds);
    let mine = _mm_set_epi64x(hashed_bits(I::CLEAR) as i64, -1);
    for (input, out) in inputs.iter().zip(out) {
        let out = out.as_mut();
        let (a, b, c) = input.parts();
        let (a, b) = (_mm_xor_si128(load(a), k0), _mm_xor_si128(load(b), k1));
        let third = _mm_set_epi64x(0, c as i64);
        let low = _mm_xor_si128(_mm_clmulepi64_si128::<0x00>(a, b), _mm_clmulepi64_si128::<0x00>(third, k2));
        let mid = _mm_xor_si128(_mm_clmulepi64_si128::<0x01>(a, b), _mm_clmulepi64_si128::<0x10>(a, b));
        let mid = _mm_xor_si128(mid, _mm_clmulepi64_si128::<0x10>(third, k2));
        let high = _mm_clmulepi64_si128::<0x11>(a, b);
        let low = _mm_xor_si128(low, _mm_slli_si128::<8>(mid));
        let high = _mm_xor_si128(high, _mm_srli_si128::<8>(mid));
        let print = _mm_xor_si128(fold(fold(low)), high);
        let print = _mm_or_si128(_mm_and_si128(print, mine), _mm_set_epi64x((c & I::CLEAR) as i64, 0));
        // SAFETY: the print has 16 bytes.
        unsafe { _mm_storeu_si128(core::ptr::from_mut(&mut out.print).cast(), print) };
        out.mixed = _mm_cvtsi128_si32(aes_x86::three_rounds_of(rounds, print)) as u32;
    }
}

/// Does what [`super::hash_burst`] does, four inputs at a time.
#[target_feature(enable = "avx512f,vpclmulqdq,vaes,pclmulqdq,aes,sse2")]
pub(super) fn hash_burst_wide<I: Input, O: AsMut<Hashed>>(
    keys: &Keys,
    rounds: &aes::Schedule,
    inputs: &[I],
    out: &mut [O],
) {
    let [k0, k1, k2] = keys.map(|key| _mm512_broadcast_i32x4(element(key)));
    let [whiten, r1, r2, r3] = aes_x86::schedule(rounds).map(|key| _mm512_broadcast_i32x4(key));
    let mine = _mm512_broadcast_i32x4(_mm_set_epi64x(hashed_bits(I::CLEAR) as i64, -1));
    let (fours, rest) = inputs.as_chunks::<4>();
    let (out_fours, out_rest) = out[..inputs.len()].as_chunks_mut::<4>();
    for (inputs, out) in fours.iter().zip(out_fours) {
        let [(a0, b0, c0), (a1, b1, c1), (a2, b2, c2), (a3, b3, c3)] = inputs.each_ref().map(Input::parts);
        let a = _mm512_xor_si512(four([a0, a1, a2, a3]), k0);
        let b = _mm512_xor_si512(four([b0, b1, b2, b3]), k1);
        let [c0, c1, c2, c3] = [c0, c1, c2, c3].map(u64::cast_signed);
        let third = _mm512_set_epi64(0, c3, 0, c2, 0, c1, 0, c0);
        let low = _mm512_clmulepi64_epi128::<0x00>(a, b);
        let low = _mm512_xor_si512(low, _mm512_clmulepi64_epi128::<0x00>(third, k2));
        let mid = _mm512_clmulepi64_epi128::<0x01>(a, b);
        let mid = _mm512_xor_si512(mid, _mm512_clmulepi64_epi128::<0x10>(a, b));
        let mid = _mm512_xor_si512(mid, _mm512_clmulepi64_epi128::<0x10>(third, k2));
        let high = _mm512_clmulepi64_epi128::<0x11>(a, b);
        let zero = _mm512_setzero_si512();
        let low = _mm512_xor_si512(low, _mm512_unpacklo_epi64(zero, mid));
        let high = _mm512_xor_si512(high, _mm512_unpackhi_epi64(mid, zero));
        let print = _mm512_xor_si512(fold_wide(fold_wide(low)), high);
        let clear = I::CLEAR as i64;
        let clear = _mm512_set_epi64(c3 & clear, 0, c2 & clear, 0, c1 & clear, 0, c0 & clear, 0);
        let print = _mm512_or_si512(_mm512_and_si512(print, mine), clear);
        let state = _mm512_xor_si512(print, whiten);
        let state = _mm512_aesenc_epi128(state, r1);
        let state = _mm512_aesenc_epi128(state, r2);
        let state = _mm512_aesenc_epi128(state, r3);
        write::<0>(out[0].as_mut(), print, state);
        write::<1>(out[1].as_mut(), print, state);
        write::<2>(out[2].as_mut(), print, state);
        write::<3>(out[3].as_mut(), print, state);
    }
    hash_burst(keys, rounds, rest, out_rest);
}

#[target_feature(enable = "sse2")]
fn element(key: u128) -> __m128i {
    _mm_set_epi64x((key >> 64) as i64, key as i64)
}

#[target_feature(enable = "sse2")]
#[inline]
fn load(part: &[u8; 16]) -> __m128i {
    // SAFETY: the part has 16 bytes.
    unsafe { _mm_loadu_si128(part.as_ptr().cast()) }
}

/// Adds a multiple of the polynomial that makes the lower 64 bits zero, and drops these.
#[target_feature(enable = "pclmulqdq,sse2")]
#[inline]
fn fold(low: __m128i) -> __m128i {
    let polynomial = _mm_set_epi64x(POLYNOMIAL[1], POLYNOMIAL[0]);
    let product = _mm_clmulepi64_si128::<0x10>(low, polynomial);
    _mm_xor_si128(_mm_shuffle_epi32::<0b01_00_11_10>(low), product)
}

/// Does what [`fold`] does, with four.
#[target_feature(enable = "avx512f,vpclmulqdq")]
#[inline]
fn fold_wide(low: __m512i) -> __m512i {
    let polynomial = _mm512_broadcast_i32x4(_mm_set_epi64x(POLYNOMIAL[1], POLYNOMIAL[0]));
    let product = _mm512_clmulepi64_epi128::<0x10>(low, polynomial);
    _mm512_xor_si512(_mm512_shuffle_epi32::<0b01_00_11_10>(low), product)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn four(parts: [&[u8; 16]; 4]) -> __m512i {
    let first = _mm512_castsi128_si512(load(parts[0]));
    let two = _mm512_inserti32x4::<1>(first, load(parts[1]));
    let three = _mm512_inserti32x4::<2>(two, load(parts[2]));
    _mm512_inserti32x4::<3>(three, load(parts[3]))
}

/// Writes the hash of input `N` of four.
#[target_feature(enable = "avx512f")]
#[inline]
fn write<const N: i32>(out: &mut Hashed, print: __m512i, state: __m512i) {
    // SAFETY: the print has 16 bytes.
    unsafe {
        _mm_storeu_si128(core::ptr::from_mut(&mut out.print).cast(), _mm512_extracti32x4_epi32::<N>(print));
    }
    out.mixed = _mm_cvtsi128_si32(_mm512_extracti32x4_epi32::<N>(state)) as u32;
}
