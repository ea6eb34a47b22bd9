//! CPU instructions, each with a portable twin that gives the same result.
//!
//! The whole burst is hashed in one call, so that the choice between the twins
//! is made once per burst and the instructions are inlined behind it.

use core::fmt;

use crate::key::FlowKey;

/// Key schedule of the keyed hash: whitening key and one key per AES round.
pub(crate) type AesKeys = [u128; 4];

/// Which instructions may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    aes: bool,
    crc: bool,
}

#[cfg(target_arch = "x86_64")]
cpufeatures::new!(cpuid_aes, "aes", "sse2");
#[cfg(target_arch = "x86_64")]
cpufeatures::new!(cpuid_crc, "sse4.2");

impl Features {
    /// No special instructions: the portable twins.
    pub const PORTABLE: Features = Features { aes: false, crc: false };

    /// What this CPU has.
    #[must_use]
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            Features { aes: cpuid_aes::get(), crc: cpuid_crc::get() }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            Self::PORTABLE
        }
    }
}

/// What is used beside the instructions that every CPU has: `AES, CRC32C`, one of them, or `portable`.
impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.aes, self.crc) {
            (true, true) => "AES, CRC32C",
            (true, false) => "AES",
            (false, true) => "CRC32C",
            (false, false) => "portable",
        })
    }
}

/// Asks for the cache line of `item`, if there is one, ahead of its use.
#[inline(always)]
pub(crate) fn prefetch<T>(item: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch has no effect that a program can see, whatever the address; SSE is part of x86_64.
    unsafe {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(item.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = item;
}

/// Which of a line's slots holds the key; the upper 16 bits of a slot's second word, the mark, do not matter.
#[inline(always)]
pub(crate) fn matching(slots: &[[u64; 2]; 3], key: &FlowKey) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    {
        native::first_match::<0xc000>(slots, key)
    }
    #[cfg(not(target_arch = "x86_64"))]
    portable::first_match::<0xc000>(slots, key)
}

/// The same if the slot's uppermost byte is zero; the one below does not matter.
#[inline(always)]
pub(crate) fn matching_settled(slots: &[[u64; 2]; 3], key: &FlowKey) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    {
        native::first_match::<0x4000>(slots, key)
    }
    #[cfg(not(target_arch = "x86_64"))]
    portable::first_match::<0x4000>(slots, key)
}

/// The lower half of the keyed hash of every key.
#[inline]
pub(crate) fn aes_burst(features: Features, secret: &AesKeys, keys: &[FlowKey], out: &mut [u32]) {
    #[cfg(target_arch = "x86_64")]
    if features.aes {
        // SAFETY: `features.aes` is only true when the CPU has AES and SSE2.
        unsafe { native::aes_burst(secret, keys, out) };
        return;
    }
    let _ = features;
    for (key, out) in keys.iter().zip(out) {
        *out = portable::aes_hash(secret, key) as u32;
    }
}

/// The keyed hash of one key.
#[inline]
pub(crate) fn aes(features: Features, secret: &AesKeys, key: &FlowKey) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if features.aes {
        // SAFETY: `features.aes` is only true when the CPU has AES and SSE2.
        return unsafe { native::aes(secret, key) };
    }
    let _ = features;
    portable::aes_hash(secret, key)
}

/// CRC-32C of every key's 17 bytes, as `rte_hash_crc` computes it.
#[inline]
pub(crate) fn crc_burst(features: Features, init: u32, keys: &[FlowKey], out: &mut [u32]) {
    #[cfg(target_arch = "x86_64")]
    if features.crc {
        // SAFETY: `features.crc` is only true when the CPU has SSE4.2.
        unsafe { native::crc_burst(init, keys, out) };
        return;
    }
    let _ = features;
    for (key, out) in keys.iter().zip(out) {
        *out = portable::crc32c(init, &key.to_bytes());
    }
}

#[cfg(target_arch = "x86_64")]
mod native {
    use super::AesKeys;
    use crate::key::FlowKey;
    use core::arch::x86_64::{
        __m128i, _mm_aesenc_si128, _mm_cmpeq_epi8, _mm_crc32_u8, _mm_crc32_u64, _mm_cvtsi128_si32,
        _mm_cvtsi128_si64, _mm_loadu_si128, _mm_movemask_epi8, _mm_set_epi64x, _mm_xor_si128,
    };

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
}

/// The twins without special instructions.
pub(crate) mod portable {
    use super::AesKeys;
    use crate::key::FlowKey;

    /// Which of the slots hold the key; `ANY` as in the native twin.
    #[cfg_attr(all(target_arch = "x86_64", not(test)), expect(dead_code, reason = "SSE2 is always there"))]
    pub(crate) fn first_match<const ANY: u64>(slots: &[[u64; 2]; 3], key: &FlowKey) -> Option<usize> {
        let mut matters = u64::MAX;
        for byte in 8..16 {
            if ANY >> byte & 1 == 1 {
                matters &= !(0xff << (8 * (byte - 8)));
            }
        }
        slots.iter().position(|&[lo, hi]| ((lo ^ key.lo) | ((hi ^ key.hi) & matters)) == 0)
    }

    /// CRC-32C (Castagnoli, reflected polynomial 0x82f63b78) without the final
    /// inversion, which is how DPDK uses it.
    pub(crate) fn crc32c(init: u32, bytes: &[u8]) -> u32 {
        bytes.iter().fold(init, |crc, &b| crc >> 8 ^ CRC_TABLE[usize::from(crc as u8 ^ b)])
    }

    const CRC_TABLE: [u32; 256] = {
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

    /// Three AES rounds (FIPS 197 section 5.1) over the key's two words.
    pub(crate) fn aes_hash(secret: &AesKeys, key: &FlowKey) -> u64 {
        let mut state = u128::from(key.lo) | u128::from(key.hi) << 64;
        state ^= secret[0];
        for round_key in &secret[1..] {
            state = aes_round(state) ^ round_key;
        }
        state as u64
    }

    /// SubBytes, ShiftRows and MixColumns of one block, byte 0 lowest.
    fn aes_round(state: u128) -> u128 {
        let bytes = state.to_le_bytes();
        let mut out = [0; 16];
        for column in 0..4 {
            let s: [u8; 4] =
                core::array::from_fn(|row| SBOX[usize::from(bytes[(column * 4 + row * 5) % 16])]);
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

    /// Multiplication by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
    const fn double(a: u8) -> u8 {
        a << 1 ^ if a & 0x80 != 0 { 0x1b } else { 0 }
    }

    /// The AES S-box, made from its definition: inverse in GF(2^8), then the affine map.
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

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn sbox_as_fips_197_prints_it() {
            assert_eq!(SBOX[..8], [0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5]);
            assert_eq!(SBOX[0x53], 0xed);
            assert_eq!(SBOX[0xff], 0x16);
        }

        #[test]
        fn crc32c_check_value() {
            // The check value of CRC-32C over "123456789", before the final inversion.
            assert_eq!(!crc32c(!0, b"123456789"), 0xe306_9283);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::HI_KEY_BITS;
    use proptest::prelude::*;
    use std::string::ToString as _;

    #[test]
    fn features_say_what_they_are() {
        let text = |aes, crc| Features { aes, crc }.to_string();
        assert_eq!(text(true, true), "AES, CRC32C");
        assert_eq!((text(true, false), text(false, true)), ("AES".into(), "CRC32C".into()));
        assert_eq!(Features::PORTABLE.to_string(), "portable");
    }

    proptest! {
        #[test]
        fn twins_agree(lo: u64, hi in 0u64..1 << 48, secret: [u64; 8], init: u32) {
            let keys = [FlowKey { lo, hi }; 3];
            let secret: AesKeys =
                core::array::from_fn(|i| u128::from(secret[i]) << 64 | u128::from(secret[i + 4]));
            let (mut fast, mut slow) = ([0; 3], [0; 3]);
            aes_burst(Features::detect(), &secret, &keys, &mut fast);
            aes_burst(Features::PORTABLE, &secret, &keys, &mut slow);
            prop_assert_eq!(fast, slow);
            prop_assert_eq!(fast[0], aes(Features::detect(), &secret, &keys[0]) as u32);
            prop_assert_eq!(
                aes(Features::detect(), &secret, &keys[0]),
                aes(Features::PORTABLE, &secret, &keys[0])
            );
            let (mut fast, mut slow) = ([0; 3], [0; 3]);
            crc_burst(Features::detect(), init, &keys, &mut fast);
            crc_burst(Features::PORTABLE, init, &keys, &mut slow);
            prop_assert_eq!(fast, slow);
        }

        #[test]
        fn matching_twins_agree(key: (u64, u64), slots: [(u64, u64); 3], same in 0usize..4, flip in 0u32..256) {
            let key = FlowKey { lo: key.0, hi: key.1 & HI_KEY_BITS };
            let mut slots = slots.map(|(lo, hi)| [lo, hi]);
            if let Some(slot) = slots.get_mut(same) {
                // As the key, but for one bit or none, and with any mark.
                *slot = [key.lo, key.hi | slot[1] & !HI_KEY_BITS];
                if flip < 128 {
                    slot[flip as usize / 64] ^= 1 << (flip % 64);
                }
            }
            prop_assert_eq!(matching(&slots, &key), portable::first_match::<0xc000>(&slots, &key));
            prop_assert_eq!(matching_settled(&slots, &key), portable::first_match::<0x4000>(&slots, &key));
        }
    }
}
