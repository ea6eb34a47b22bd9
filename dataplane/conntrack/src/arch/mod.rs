//! What depends on the CPU and knows nothing of flows: the detection of instructions and the choice
//! between code compiled with and without them, AES rounds, CRC-32C, a universal hash, and
//! prefetching.
//!
//! Each instruction has a portable twin that gives the same result; a test beside the twins
//! compares them. SIMD code that knows frames or lines lies beside its twin in `packet` and
//! `table`, and is chosen through `Instructions`.

pub(crate) mod aes;
pub(crate) mod crc32c;
mod dispatch;
mod features;
mod prefetch;
pub(crate) mod universal;

pub(crate) use dispatch::{Baseline, Instructions, Work};
pub use features::Features;
pub(crate) use prefetch::{prefetch, prefetch_near};

/// 16 bytes in two words. This is a struct and no array, because the compiler passes arrays through
/// memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
#[repr(C)]
pub struct Words {
    pub(crate) lo: u64,
    pub(crate) hi: u64,
}

impl aes::Block for Words {
    #[inline(always)]
    fn words(&self) -> [u64; 2] {
        [self.lo, self.hi]
    }
}
