//! What [`crate::gate`] takes from the standard library. A test puts loom's in the place of this file,
//! and tries every interleaving (`tests/tests/interleavings.rs`).

pub(crate) use std::sync::atomic::{AtomicBool, Ordering};
pub(crate) use std::thread::yield_now;
