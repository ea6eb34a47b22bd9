//! What depends on the CPU and knows nothing of flows: the detection of instructions and the choice
//! between code compiled with and without them, AES rounds, CRC-32C, and prefetching.
//!
//! Each instruction has a portable twin that gives the same result; a test beside the twins
//! compares them. SIMD code that knows frames or lines lies beside its twin in `packet` and
//! `table`, and is chosen through `Instructions`.

pub(crate) mod aes;
pub(crate) mod crc32c;
mod dispatch;
mod features;
mod prefetch;

pub(crate) use dispatch::{Baseline, Instructions, Work};
pub use features::Features;
pub(crate) use prefetch::{prefetch, prefetch_near};
