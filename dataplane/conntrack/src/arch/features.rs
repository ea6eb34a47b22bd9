//! Which special instructions the CPU has and the engine may use.

use core::fmt;

#[cfg(target_arch = "x86_64")]
cpufeatures::new!(cpuid_aes, "aes", "sse2");
#[cfg(target_arch = "x86_64")]
cpufeatures::new!(cpuid_clmul, "pclmulqdq", "sse2");
#[cfg(target_arch = "x86_64")]
cpufeatures::new!(cpuid_crc, "sse4.2");
#[cfg(target_arch = "x86_64")]
cpufeatures::new!(cpuid_avx, "avx");
#[cfg(target_arch = "x86_64")]
cpufeatures::new!(cpuid_wide, "avx512f", "avx512dq", "vaes", "vpclmulqdq", "aes");

/// A set of instructions that may be used.
///
/// Only [`Features::detect`] makes a set that is not empty, so a flag that is set proves that the
/// CPU has the instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// AES-NI.
    pub(super) aes: bool,
    /// PCLMULQDQ.
    pub(super) clmul: bool,
    /// SSE4.2, for its CRC32C.
    pub(super) crc: bool,
    /// AVX.
    pub(super) avx: bool,
    /// AVX-512 F and DQ, VAES, and VPCLMULQDQ. CPUs that have only some of them get slower by using them.
    pub(super) wide: bool,
}

impl Features {
    /// No special instructions: the portable twins are used.
    pub const PORTABLE: Features = Features { aes: false, clmul: false, crc: false, avx: false, wide: false };

    /// Returns the instructions that this CPU has.
    #[must_use]
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            Features {
                aes: cpuid_aes::get(),
                clmul: cpuid_clmul::get(),
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

    /// Returns every set that this CPU has and that some CPU has as its whole set. Tests run each.
    #[cfg(any(test, feature = "test-support"))]
    #[must_use]
    pub fn all_present() -> [Features; 3] {
        let all = Features::detect();
        [all, Features { wide: false, ..all }, Features::PORTABLE]
    }
}

/// Lists the instructions that are used beside those of every CPU: some of `AES, CLMUL, CRC32C,
/// AVX, AVX-512`, or `portable`.
impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::PORTABLE {
            return f.write_str("portable");
        }
        let mut before = "";
        let all = [
            (self.aes, "AES"),
            (self.clmul, "CLMUL"),
            (self.crc, "CRC32C"),
            (self.avx, "AVX"),
            (self.wide, "AVX-512"),
        ];
        for (has, name) in all {
            if has {
                write!(f, "{before}{name}")?;
                before = ", ";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString as _;

    #[test]
    fn features_say_what_they_are() {
        let text = |aes, clmul, crc, avx, wide| Features { aes, clmul, crc, avx, wide }.to_string();
        assert_eq!(text(true, true, true, true, true), "AES, CLMUL, CRC32C, AVX, AVX-512");
        assert_eq!(text(true, true, true, false, false), "AES, CLMUL, CRC32C");
        assert_eq!(text(true, false, false, false, false), "AES");
        assert_eq!(text(false, false, true, true, false), "CRC32C, AVX");
        assert_eq!(Features::PORTABLE.to_string(), "portable");
    }
}
