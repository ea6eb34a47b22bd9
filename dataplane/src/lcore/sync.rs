//! The atomics of what lcores share with other threads. A test puts loom's in the place of this
//! file, and tries every interleaving (`tests/tests/interleavings.rs`).

pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
