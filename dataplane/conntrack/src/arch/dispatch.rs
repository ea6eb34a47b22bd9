//! Runs code compiled for the instructions that the CPU has.
//!
//! A loop over a burst is written once, as a [`Work`], and compiled once for each level of
//! [`Instructions`]. The level is chosen once per burst ([`Features::run`]); within the loop it is
//! a type, so twins are chosen at compile time and inlined.

use super::features::Features;

/// A level of instructions that code can be compiled for.
///
/// # Safety
/// A value of the type can only be had where the CPU has the instructions that the constants say.
pub(crate) unsafe trait Instructions: Copy {
    /// The CPU has AVX.
    const AVX: bool;
    /// The CPU has AVX-512 F and DQ.
    const AVX512: bool;
}

/// The instructions that every CPU of its kind has.
#[derive(Clone, Copy)]
pub(crate) struct Baseline;

// SAFETY: no constant says anything.
unsafe impl Instructions for Baseline {
    const AVX: bool = false;
    const AVX512: bool = false;
}

/// AVX. What is compiled for it takes fewer instructions too where no SIMD is written out.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Avx(());

// SAFETY: the only value is made in `Features::run`, which has seen that the CPU has AVX.
#[cfg(target_arch = "x86_64")]
unsafe impl Instructions for Avx {
    const AVX: bool = true;
    const AVX512: bool = false;
}

/// AVX-512, and AVX.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Avx512(());

// SAFETY: the only value is made in `Features::run`, which has seen that the CPU has AVX-512 F and
// DQ, of which AVX is a part.
#[cfg(target_arch = "x86_64")]
unsafe impl Instructions for Avx512 {
    const AVX: bool = true;
    const AVX512: bool = true;
}

/// Work that is compiled for each level of instructions.
///
/// It is not a closure, because `run` has to be inlined (`#[inline(always)]`) into the function
/// that is compiled for the level. The compiler left a closure outside once it had grown, and each
/// operation with a special instruction became a call (`docs/performance.md`).
pub(crate) trait Work {
    /// What the work results in.
    type Result;
    /// Does the work.
    fn run(self, instructions: impl Instructions) -> Self::Result;
}

impl Features {
    /// Does the work, compiled for the highest level among these instructions.
    #[inline(always)]
    pub(crate) fn run<W: Work>(self, work: W) -> W::Result {
        #[cfg(target_arch = "x86_64")]
        if self.wide {
            // SAFETY: the CPU has what `wide` stands for.
            return unsafe { run_avx512(Avx512(()), work) };
        }
        #[cfg(target_arch = "x86_64")]
        if self.avx {
            // SAFETY: the CPU has AVX.
            return unsafe { run_avx(Avx(()), work) };
        }
        work.run(Baseline)
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx")]
fn run_avx<W: Work>(instructions: Avx, work: W) -> W::Result {
    work.run(instructions)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,vaes")]
fn run_avx512<W: Work>(instructions: Avx512, work: W) -> W::Result {
    work.run(instructions)
}
