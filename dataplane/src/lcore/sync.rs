//! The atomics of what lcores share with other threads. They have a file of their
//! own so that a test can put loom's in their place and try every interleaving
//! (`tests/tests/interleavings.rs`).

pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
