//! x86_64: SSE2, which is always there, AES-NI, SSE4.2, AVX, and AVX-512 with VAES.

use core::arch::x86_64::{
    __m128i, _mm_aesenc_si128, _mm_cmpeq_epi8, _mm_crc32_u8, _mm_crc32_u64, _mm_cvtsi128_si32,
    _mm_cvtsi128_si64, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
    _mm_setr_epi8, _mm_shuffle_epi8, _mm_storeu_si128, _mm_testz_si128, _mm_xor_si128, _mm256_loadu_si256,
    _mm512_aesenc_epi128, _mm512_broadcast_i32x4, _mm512_castsi256_si512, _mm512_castsi512_si128,
    _mm512_inserti32x4, _mm512_loadu_si512, _mm512_permutexvar_epi32, _mm512_setr_epi32,
    _mm512_ternarylogic_epi64, _mm512_testn_epi64_mask, _mm512_xor_si512,
};

use super::{AesKeys, Avx, Wide, Work};
use crate::key::{FlowKey, TCP, UDP};
use crate::packet::{PLAIN, Protocols};

/// `ANY`: the bytes of a slot, a bit each, that do not matter.
#[inline(always)]
pub(super) fn first_match<const ANY: u64>(slots: &[[u64; 2]; 3], key: &FlowKey) -> Option<usize> {
    // SAFETY: SSE2 is part of x86_64, and each load reads the 16 bytes of a key or slot.
    let equal = unsafe {
        let key = _mm_loadu_si128(core::ptr::from_ref(key).cast());
        slots.each_ref().map(|slot| {
            let equal = _mm_cmpeq_epi8(_mm_loadu_si128(slot.as_ptr().cast()), key);
            _mm_movemask_epi8(equal) as u64
        })
    };
    // 16 ones and one more are carried over, into the bits 16, 36 and 56.
    const ONES: u64 = 1 | 1 << 20 | 1 << 40;
    let all = equal[0] | (equal[1] << 20) | (equal[2] << 40) | (ANY * ONES);
    let found = (all + ONES) & (ONES << 16);
    (found != 0).then(|| (found.trailing_zeros() / 16 - 1) as usize)
}

/// What [`super::Features::run`] does where there is AVX, but not AVX-512.
#[target_feature(enable = "avx")]
pub(super) fn avx<W: Work>(instructions: Avx, work: W) -> W::Result {
    work.run(instructions)
}

/// What [`super::Features::run`] does where there is AVX-512.
#[target_feature(enable = "avx512f,avx512dq,vaes")]
pub(super) fn wide<W: Work>(instructions: Wide, work: W) -> W::Result {
    work.run(instructions)
}

/// [`super::Settled`], all slots in one comparison.
///
/// # Safety
/// The CPU has AVX-512 F and DQ.
#[inline(always)]
pub(super) unsafe fn settled_wide(slots: &[[u64; 2]; 3], key: &FlowKey) -> Option<usize> {
    // SAFETY: it has the instructions, and the loads read the 16 bytes of the key, of two slots, and of the third.
    unsafe {
        let key = _mm512_broadcast_i32x4(_mm_loadu_si128(core::ptr::from_ref(key).cast()));
        // One load of 64 bytes would read the stamps as well, and wait for each that is still being written.
        let two = _mm256_loadu_si256(slots.as_ptr().cast());
        let third = _mm_loadu_si128(slots.as_ptr().add(2).cast());
        let line = _mm512_inserti32x4::<2>(_mm512_castsi256_si512(two), third);
        let matters = _mm512_broadcast_i32x4(_mm_set_epi64x(0xff00_ffff_ffff_ffff_u64 as i64, -1));
        // (line ^ key) & matters
        let differs = _mm512_ternarylogic_epi64::<0x28>(line, key, matters);
        let words = u32::from(_mm512_testn_epi64_mask(differs, differs));
        // Both words of a slot; what is behind the third does not count.
        let found = words & (words >> 1) & 0b01_01_01;
        (found != 0).then(|| (found.trailing_zeros() / 2) as usize)
    }
}

/// See [`crate::packet::plain_key`].
///
/// # Safety
/// The CPU has AVX.
#[inline(always)]
pub(super) unsafe fn plain_key(
    start: &[u8; PLAIN],
    input_port: u8,
    protocols: Protocols,
    key: &mut FlowKey,
) -> bool {
    /// All bits of a byte.
    const X: i8 = -1;
    let other = if protocols == Protocols::Tcp { TCP } else { UDP };
    // SAFETY: it has the instructions, the loads read bytes 10 to 25 and 22 to 37 of 38, and a key has 16 bytes, its words in
    // their order (repr(C)).
    unsafe {
        // Up to where the addresses begin: what was written piece by piece just now cannot be read as one.
        let head = _mm_loadu_si128(start.as_ptr().add(10).cast());
        // EtherType, version and IHL, fragment offset, protocol.
        let tcp = _mm_setr_epi8(0, 0, 8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 0, TCP as i8, 0, 0);
        let other = _mm_setr_epi8(0, 0, 8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 0, other as i8, 0, 0);
        let matters = _mm_setr_epi8(0, 0, X, X, X, 0, 0, 0, 0, 0, 0x1f, X, 0, X, 0, 0);
        let differs = _mm_min_epu8(_mm_xor_si128(head, tcp), _mm_xor_si128(head, other));
        // All bits of a total length from 32 on.
        let long = _mm_setr_epi8(0, 0, 0, 0, 0, 0, X, !0x1f, 0, 0, 0, 0, 0, 0, 0, 0);
        if _mm_testz_si128(differs, matters) == 0 || _mm_testz_si128(head, long) == 1 {
            return false;
        }
        let fields = _mm_loadu_si128(start.as_ptr().add(22).cast());
        // Addresses, ports, protocol.
        let order = _mm_setr_epi8(4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1, X, X, X);
        let port = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, input_port as i8, 0, 0);
        let fields = _mm_or_si128(_mm_shuffle_epi8(fields, order), port);
        _mm_storeu_si128(core::ptr::from_mut(key).cast(), fields);
        true
    }
}

/// As [`aes_burst`], four keys at a time.
#[target_feature(enable = "avx512f,vaes,aes,sse2")]
pub(super) fn aes_burst_wide(secret: &AesKeys, keys: &[FlowKey], out: &mut [u32]) {
    let rounds = schedule(secret);
    let [whiten, k1, k2, k3] = rounds.map(|key| _mm512_broadcast_i32x4(key));
    // The lowest word of each.
    let lowest = _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    let (fours, rest) = keys.as_chunks::<4>();
    let (out_fours, out_rest) = out[..keys.len()].as_chunks_mut::<4>();
    for (keys, out) in fours.iter().zip(out_fours) {
        // SAFETY: the load reads the 64 bytes of four keys, whose words lie in their order (repr(C)).
        let keys = unsafe { _mm512_loadu_si512(keys.as_ptr().cast()) };
        let state = _mm512_xor_si512(keys, whiten);
        let state = _mm512_aesenc_epi128(state, k1);
        let state = _mm512_aesenc_epi128(state, k2);
        let state = _mm512_aesenc_epi128(state, k3);
        let hashes = _mm512_castsi512_si128(_mm512_permutexvar_epi32(lowest, state));
        // SAFETY: `out` has room for the 16 bytes of four hashes.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), hashes) };
    }
    for (key, out) in rest.iter().zip(out_rest) {
        *out = _mm_cvtsi128_si32(three_rounds(rounds, key)) as u32;
    }
}

#[target_feature(enable = "aes,sse2")]
pub(super) fn aes_burst(secret: &AesKeys, keys: &[FlowKey], out: &mut [u32]) {
    let secret = schedule(secret);
    for (key, out) in keys.iter().zip(out) {
        *out = _mm_cvtsi128_si32(three_rounds(secret, key)) as u32;
    }
}

#[target_feature(enable = "aes,sse2")]
pub(super) fn aes(secret: &AesKeys, key: &FlowKey) -> u64 {
    _mm_cvtsi128_si64(three_rounds(schedule(secret), key)) as u64
}

#[target_feature(enable = "sse2")]
fn schedule(secret: &AesKeys) -> [__m128i; 4] {
    secret.map(|w| _mm_set_epi64x((w >> 64) as i64, w as i64))
}

#[target_feature(enable = "aes,sse2")]
#[inline]
fn three_rounds([whiten, k1, k2, k3]: [__m128i; 4], key: &FlowKey) -> __m128i {
    // SAFETY: the load reads the 16 bytes of the key, whose words lie in their order (repr(C)).
    let key = unsafe { _mm_loadu_si128(core::ptr::from_ref(key).cast()) };
    let state = _mm_xor_si128(key, whiten);
    let state = _mm_aesenc_si128(state, k1);
    let state = _mm_aesenc_si128(state, k2);
    _mm_aesenc_si128(state, k3)
}

#[target_feature(enable = "sse4.2")]
pub(super) fn crc_burst(init: u32, keys: &[FlowKey], out: &mut [u32]) {
    for (key, out) in keys.iter().zip(out) {
        // The 17 bytes of FlowKey::to_bytes as two words and one byte.
        let ports = key.hi & 0xffff_ffff;
        let first = u64::from(key.input_port()) | key.lo << 32;
        let second = key.lo >> 32 | u64::from(key.protocol()) << 32 | ports << 40;
        let crc = _mm_crc32_u64(u64::from(init), first);
        let crc = _mm_crc32_u64(crc, second);
        *out = _mm_crc32_u8(crc as u32, (ports >> 24) as u8);
    }
}
