//! The SIMD twins of [`super::portable`], for x86_64.

use core::arch::x86_64::{
    _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set_epi64x, _mm256_loadu_si256,
    _mm512_broadcast_i32x4, _mm512_castsi256_si512, _mm512_inserti32x4, _mm512_ternarylogic_epi64,
    _mm512_testn_epi64_mask,
};

use super::{SLOTS, Slots};
use crate::key::SlotKey;

// The loads below read whole keys, whose words lie in their order (repr(C)).
const _: () = assert!(size_of::<SlotKey>() == 16 && core::mem::offset_of!(SlotKey, hi) == 8);
const _: () = assert!(SLOTS == 3, "the constants below are for three slots");

/// Returns the bytes of a slot, a bit each, that are ignored when these bits of its second word
/// are.
const fn ignored_bytes(ignored: u64) -> u64 {
    let (mut bytes, mut byte) = (0, 0);
    while byte < 8 {
        match ignored >> (8 * byte) & 0xff {
            0xff => bytes |= 1 << (8 + byte),
            0 => {}
            _ => panic!("only whole bytes can be ignored"),
        }
        byte += 1;
    }
    bytes
}

/// Compares one slot at a time.
#[inline(always)]
pub(super) fn sse2<const IGNORED: u64>(slots: &Slots, key: &SlotKey) -> Option<usize> {
    // SAFETY: SSE2 is part of x86_64, and each load reads the 16 bytes of a key or slot.
    let equal = unsafe {
        let key = _mm_loadu_si128(core::ptr::from_ref(key).cast());
        slots.each_ref().map(|slot| {
            let equal = _mm_cmpeq_epi8(_mm_loadu_si128(slot.as_ptr().cast()), key);
            _mm_movemask_epi8(equal) as u64
        })
    };
    // Each slot has 16 bits for its bytes, 20 apart. When all are set, adding one more carries over
    // into the bits 16, 36 or 56.
    const ONES: u64 = 1 | 1 << 20 | 1 << 40;
    let ignored = const { ignored_bytes(IGNORED) * ONES };
    let all = equal[0] | (equal[1] << 20) | (equal[2] << 40) | ignored;
    let found = (all + ONES) & (ONES << 16);
    (found != 0).then(|| (found.trailing_zeros() / 16 - 1) as usize)
}

/// Compares all slots at once.
///
/// # Safety
/// The CPU has AVX-512 F and DQ.
#[inline(always)]
pub(super) unsafe fn avx512<const IGNORED: u64>(slots: &Slots, key: &SlotKey) -> Option<usize> {
    // SAFETY: the CPU has the instructions, and the loads read the 16 bytes of the key, the 32 of
    // two slots, and the 16 of the third.
    unsafe {
        let key = _mm512_broadcast_i32x4(_mm_loadu_si128(core::ptr::from_ref(key).cast()));
        // One load of 64 bytes would read the stamps as well, and wait for each that is still being
        // written.
        let two = _mm256_loadu_si256(slots.as_ptr().cast());
        let third = _mm_loadu_si128(slots.as_ptr().add(2).cast());
        let line = _mm512_inserti32x4::<2>(_mm512_castsi256_si512(two), third);
        let matters = _mm512_broadcast_i32x4(_mm_set_epi64x(!IGNORED as i64, -1));
        // (line ^ key) & matters
        let differs = _mm512_ternarylogic_epi64::<0x28>(line, key, matters);
        let words = u32::from(_mm512_testn_epi64_mask(differs, differs));
        // Both words of a slot have to be equal. The words behind the third slot do not count.
        let found = words & (words >> 1) & 0b01_01_01;
        (found != 0).then(|| (found.trailing_zeros() / 2) as usize)
    }
}
