//! The SIMD twin of [`super::portable`], for x86_64 with AVX.

use core::arch::x86_64::{
    _mm_loadu_si128, _mm_min_epu8, _mm_or_si128, _mm_setr_epi8, _mm_shuffle_epi8, _mm_storeu_si128,
    _mm_testz_si128, _mm_xor_si128,
};

use super::super::protocols::Protocols;
use super::v6::{LEAST_PAYLOAD_LEN, PLAIN_V6};
use super::{LEAST_TOTAL_LEN, PLAIN};
use crate::key::{FlowKey, TCP, UDP};

// The comparison of the total length below looks at the bits above this one.
const _: () = assert!(LEAST_TOTAL_LEN.is_power_of_two() && LEAST_TOTAL_LEN < 256);
const _: () = assert!(LEAST_PAYLOAD_LEN.is_power_of_two() && LEAST_PAYLOAD_LEN < 128);
// The store below writes a whole key.
const _: () = assert!(size_of::<FlowKey>() == 16);

/// Does what [`super::plain_key`] does.
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
    /// The bits of the total length's lower byte that make a frame long enough.
    const LONG: i8 = !(LEAST_TOTAL_LEN as i8 - 1);
    let other = if protocols == Protocols::Tcp { TCP } else { UDP };
    // SAFETY: the CPU has AVX. The loads read bytes 10 to 25 and 22 to 37 of 38, and a key has the
    // 16 bytes that the store writes.
    unsafe {
        // The bytes before the addresses. The fields are loaded apart from these, because a load
        // has to wait when it spans what was just written by several stores.
        let head = _mm_loadu_si128(start.as_ptr().add(10).cast());
        // EtherType, version and IHL, fragment offset, protocol.
        let tcp = _mm_setr_epi8(0, 0, 8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 0, TCP as i8, 0, 0);
        let other = _mm_setr_epi8(0, 0, 8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 0, other as i8, 0, 0);
        let matters = _mm_setr_epi8(0, 0, X, X, X, 0, 0, 0, 0, 0, 0x1f, X, 0, X, 0, 0);
        let differs = _mm_min_epu8(_mm_xor_si128(head, tcp), _mm_xor_si128(head, other));
        let long = _mm_setr_epi8(0, 0, 0, 0, 0, 0, X, LONG, 0, 0, 0, 0, 0, 0, 0, 0);
        if _mm_testz_si128(differs, matters) == 0 || _mm_testz_si128(head, long) == 1 {
            return false;
        }
        let fields = _mm_loadu_si128(start.as_ptr().add(22).cast());
        // Addresses, ports, protocol; three bytes of zeros, of which the first is the input port.
        let order = _mm_setr_epi8(4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1, X, X, X);
        let port = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, input_port as i8, 0, 0);
        let fields = _mm_or_si128(_mm_shuffle_epi8(fields, order), port);
        _mm_storeu_si128(core::ptr::from_mut(key).cast(), fields);
        true
    }
}

/// Returns true when the frame is a plain one of IPv6.
///
/// # Safety
/// The CPU has AVX.
#[inline(always)]
pub(super) unsafe fn is_plain_v6(start: &[u8; PLAIN_V6], protocols: Protocols) -> bool {
    /// All bits of a byte.
    const X: i8 = -1;
    /// The bits of the payload length's lower byte that make a frame long enough.
    const LONG: i8 = !(LEAST_PAYLOAD_LEN as i8 - 1);
    const TCP6: i8 = TCP as i8;
    let other = if protocols == Protocols::Tcp { TCP } else { UDP } as i8;
    // SAFETY: the CPU has AVX, and the load reads bytes 10 to 25 of 58.
    unsafe {
        let head = _mm_loadu_si128(start.as_ptr().add(10).cast());
        // EtherType, version, next header.
        let tcp = _mm_setr_epi8(0, 0, 0x86u8 as i8, 0xddu8 as i8, 0x60, 0, 0, 0, 0, 0, TCP6, 0, 0, 0, 0, 0);
        let other =
            _mm_setr_epi8(0, 0, 0x86u8 as i8, 0xddu8 as i8, 0x60, 0, 0, 0, 0, 0, other, 0, 0, 0, 0, 0);
        let matters = _mm_setr_epi8(0, 0, X, X, 0xf0u8 as i8, 0, 0, 0, 0, 0, X, 0, 0, 0, 0, 0);
        let differs = _mm_min_epu8(_mm_xor_si128(head, tcp), _mm_xor_si128(head, other));
        let long = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, X, LONG, 0, 0, 0, 0, 0, 0);
        _mm_testz_si128(differs, matters) == 1 && _mm_testz_si128(head, long) == 0
    }
}
