//! Calls of Linux and of its C library that no crate offers in a safe form.
//!
//! They are here so that the control service itself has no unsafe code. Each has a safe function,
//! which checks what it passes on.

pub mod allocator;
pub mod peer_groups;
