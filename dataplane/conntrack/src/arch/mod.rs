//! CPU instructions, each with a portable twin that gives the same result.
//!
//! The whole burst is hashed in one call, so that the choice between the twins
//! is made once per burst and the instructions are inlined behind it.

mod prefetch;
pub(crate) mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use core::fmt;

pub(crate) use prefetch::{prefetch, prefetch_near};

use crate::key::FlowKey;
use crate::packet::{self, PLAIN, Protocols};

/// Key schedule of the keyed hash: whitening key and one key per AES round.
pub(crate) type AesKeys = [u128; 4];

/// Which instructions may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    aes: bool,
    crc: bool,
    avx: bool,
    /// AVX-512 and VAES. CPUs that have the one without the other get slower by using it.
    wide: bool,
}

#[cfg(target_arch = "x86_64")]
cpufeatures::new!(cpuid_aes, "aes", "sse2");
#[cfg(target_arch = "x86_64")]
cpufeatures::new!(cpuid_crc, "sse4.2");
#[cfg(target_arch = "x86_64")]
cpufeatures::new!(cpuid_avx, "avx");
#[cfg(target_arch = "x86_64")]
cpufeatures::new!(cpuid_wide, "avx512f", "avx512dq", "vaes", "aes");

impl Features {
    /// No special instructions: the portable twins.
    pub const PORTABLE: Features = Features { aes: false, crc: false, avx: false, wide: false };

    /// What this CPU has.
    #[must_use]
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            Features {
                aes: cpuid_aes::get(),
                crc: cpuid_crc::get(),
                avx: cpuid_avx::get(),
                wide: cpuid_wide::get(),
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            Self::PORTABLE
        }
    }
}

/// What is used beside the instructions that every CPU has: `AES, CRC32C, AVX, AVX-512`, some of them, or `portable`.
impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::PORTABLE {
            return f.write_str("portable");
        }
        let mut before = "";
        let all = [(self.aes, "AES"), (self.crc, "CRC32C"), (self.avx, "AVX"), (self.wide, "AVX-512")];
        for (has, name) in all {
            if has {
                write!(f, "{before}{name}")?;
                before = ", ";
            }
        }
        Ok(())
    }
}

/// Which of a line's slots holds the key; the upper 16 bits of a slot's second word, the mark, do not matter.
#[inline(always)]
pub(crate) fn matching(slots: &[[u64; 2]; 3], key: &FlowKey) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    {
        x86::first_match::<0xc000>(slots, key)
    }
    #[cfg(not(target_arch = "x86_64"))]
    portable::first_match::<0xc000>(slots, key)
}

/// Something to do with these instructions or those. No closure, because `run` has to be inlined into the function that is
/// compiled for them (`#[inline(always)]`): the compiler left a closure outside when it had grown, where each comparison
/// became a call, and a hit took 27 ns instead of 7.
pub(crate) trait Work {
    type Result;
    fn run(self, instructions: impl Instructions) -> Self::Result;
}

/// What these can do, the same with each of them.
pub(crate) trait Instructions: Copy {
    /// Which of a line's slots holds the key, and has zero in the mark's upper byte; the lower one does not matter.
    fn settled(self, slots: &[[u64; 2]; 3], key: &FlowKey) -> Option<usize>;
    /// See [`packet::plain_key`].
    fn plain_key(self, start: &[u8; PLAIN], input_port: u8, protocols: Protocols, key: &mut FlowKey) -> bool;
}

/// With what every CPU of its kind has.
#[derive(Clone, Copy)]
pub(crate) struct Narrow;

impl Instructions for Narrow {
    #[inline(always)]
    fn settled(self, slots: &[[u64; 2]; 3], key: &FlowKey) -> Option<usize> {
        #[cfg(target_arch = "x86_64")]
        {
            x86::first_match::<0x4000>(slots, key)
        }
        #[cfg(not(target_arch = "x86_64"))]
        portable::first_match::<0x4000>(slots, key)
    }

    #[inline(always)]
    fn plain_key(self, start: &[u8; PLAIN], input_port: u8, protocols: Protocols, key: &mut FlowKey) -> bool {
        packet::plain_key(start, input_port, protocols, key)
    }
}

/// With AVX, which the CPU has where there is one of these: the comparison is the narrow one, in fewer instructions, and
/// frames are parsed as with AVX-512. All of the engine 23.4 cycles a frame instead of 26.1 with 1000 flows, 22.2 with AVX-512.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx(());

#[cfg(target_arch = "x86_64")]
impl Instructions for Avx {
    #[inline(always)]
    fn settled(self, slots: &[[u64; 2]; 3], key: &FlowKey) -> Option<usize> {
        Narrow.settled(slots, key)
    }

    #[inline(always)]
    fn plain_key(self, start: &[u8; PLAIN], input_port: u8, protocols: Protocols, key: &mut FlowKey) -> bool {
        // SAFETY: the CPU has AVX.
        unsafe { x86::plain_key(start, input_port, protocols, key) }
    }
}

/// With AVX-512, which the CPU has where there is one of these.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Wide(());

#[cfg(target_arch = "x86_64")]
impl Instructions for Wide {
    #[inline(always)]
    fn settled(self, slots: &[[u64; 2]; 3], key: &FlowKey) -> Option<usize> {
        // SAFETY: the CPU has what `Features::wide` stands for.
        unsafe { x86::settled_wide(slots, key) }
    }

    #[inline(always)]
    fn plain_key(self, start: &[u8; PLAIN], input_port: u8, protocols: Protocols, key: &mut FlowKey) -> bool {
        // SAFETY: the CPU has what `Features::wide` stands for.
        unsafe { x86::plain_key(start, input_port, protocols, key) }
    }
}

impl Features {
    /// Does what `work` does, compiled for these.
    #[inline(always)]
    pub(crate) fn run<W: Work>(self, work: W) -> W::Result {
        #[cfg(target_arch = "x86_64")]
        if self.wide {
            // SAFETY: the CPU has what `Features::wide` stands for.
            return unsafe { x86::wide(Wide(()), work) };
        }
        #[cfg(target_arch = "x86_64")]
        if self.avx {
            // SAFETY: the CPU has it.
            return unsafe { x86::avx(Avx(()), work) };
        }
        work.run(Narrow)
    }
}

/// The lower half of the keyed hash of every key.
#[inline]
pub(crate) fn aes_burst(features: Features, secret: &AesKeys, keys: &[FlowKey], out: &mut [u32]) {
    #[cfg(target_arch = "x86_64")]
    if features.wide {
        // SAFETY: the CPU has what `features.wide` stands for.
        unsafe { x86::aes_burst_wide(secret, keys, out) };
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if features.aes {
        // SAFETY: `features.aes` is only true when the CPU has AES and SSE2.
        unsafe { x86::aes_burst(secret, keys, out) };
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
        return unsafe { x86::aes(secret, key) };
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
        unsafe { x86::crc_burst(init, keys, out) };
        return;
    }
    let _ = features;
    for (key, out) in keys.iter().zip(out) {
        *out = portable::crc32c(init, &key.to_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::HI_KEY_BITS;
    use proptest::prelude::*;
    use std::string::ToString as _;
    use std::vec::Vec;

    struct Compare<'a>(&'a [[u64; 2]; 3], &'a FlowKey);

    impl Work for Compare<'_> {
        type Result = Option<usize>;

        #[inline(always)]
        fn run(self, instructions: impl Instructions) -> Option<usize> {
            instructions.settled(self.0, self.1)
        }
    }

    struct Parse<'a>(&'a [u8; PLAIN], Protocols);

    impl Work for Parse<'_> {
        type Result = Option<FlowKey>;

        #[inline(always)]
        fn run(self, instructions: impl Instructions) -> Option<FlowKey> {
            let mut key = FlowKey::default();
            instructions.plain_key(self.0, 0xfe, self.1, &mut key).then_some(key)
        }
    }

    /// Every set of those that this CPU has and that somebody has.
    fn all_features() -> [Features; 3] {
        let all = Features::detect();
        [all, Features { wide: false, ..all }, Features::PORTABLE]
    }

    #[test]
    fn features_say_what_they_are() {
        let text = |aes, crc, avx, wide| Features { aes, crc, avx, wide }.to_string();
        assert_eq!(text(true, true, true, true), "AES, CRC32C, AVX, AVX-512");
        assert_eq!(text(true, true, false, false), "AES, CRC32C");
        assert_eq!(text(true, false, false, false), "AES");
        assert_eq!(text(false, true, true, false), "CRC32C, AVX");
        assert_eq!(Features::PORTABLE.to_string(), "portable");
    }

    proptest! {
        #[test]
        fn twins_agree(words: [(u64, u64); 11], count in 0usize..=11, secret: [u64; 8], init: u32) {
            let keys = words.map(|(lo, hi)| FlowKey { lo, hi: hi & HI_KEY_BITS });
            let keys = &keys[..count];
            let secret: AesKeys =
                core::array::from_fn(|i| u128::from(secret[i]) << 64 | u128::from(secret[i + 4]));
            let portable: Vec<u64> = keys.iter().map(|key| portable::aes_hash(&secret, key)).collect();
            let one_by_one: Vec<u64> =
                keys.iter().map(|key| aes(Features::detect(), &secret, key)).collect();
            prop_assert_eq!(&portable, &one_by_one);
            // Room that is not theirs stays as it is.
            let lower: Vec<u32> = portable.iter().map(|&hash| hash as u32).chain([7; 5]).collect();
            for features in all_features() {
                let mut together = [7; 16];
                aes_burst(features, &secret, keys, &mut together);
                prop_assert_eq!(&together[..count + 5], &lower[..], "{}", features);
            }
            let (mut fast, mut slow) = ([0; 11], [0; 11]);
            crc_burst(Features::detect(), init, keys, &mut fast);
            crc_burst(Features::PORTABLE, init, keys, &mut slow);
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
            let settled = portable::first_match::<0x4000>(&slots, &key);
            prop_assert_eq!(Narrow.settled(&slots, &key), settled);
            for features in all_features() {
                prop_assert_eq!(features.run(Compare(&slots, &key)), settled, "{}", features);
            }
        }

        /// A plain frame's start, with other contents where they do not matter, and one bit or none changed.
        #[test]
        fn parsing_twins_agree(
            mut start: [u8; PLAIN],
            length in prop_oneof![0u16..70, any::<u16>()],
            udp: bool,
            flip in prop_oneof![Just(None), (0..PLAIN * 8).prop_map(Some)],
        ) {
            (start[12], start[13], start[14]) = (8, 0, 0x45);
            [start[16], start[17]] = length.to_be_bytes();
            (start[20], start[21]) = (start[20] & 0xe0, 0);
            start[23] = if udp { 17 } else { 6 };
            if let Some(bit) = flip {
                start[bit / 8] ^= 1 << (bit % 8);
            }
            for protocols in [Protocols::Tcp, Protocols::TcpUdp] {
                let parsed = Features::PORTABLE.run(Parse(&start, protocols));
                for features in all_features() {
                    prop_assert_eq!(features.run(Parse(&start, protocols)), parsed, "{}", features);
                }
                let expected = packet::parse(&start, 0xfe, protocols);
                prop_assert!(parsed.is_none_or(|key| expected == Ok(key)));
                prop_assert!(parsed.is_some() || expected.is_err() || length < 32 || flip.is_some());
            }
        }
    }
}
