//! The contract between flowtracker and its users: package `flowtracker.v1`.
//!
//! The `.proto` files beside this crate are the source. The files in `src/generated` are made from
//! them and committed, so that a build needs no protobuf compiler; the test `generated` makes them
//! again and compares (with `UPDATE_GENERATED=1` it writes instead).
#![forbid(unsafe_code)]

pub mod change;
pub mod clock_step;
pub mod filter;
pub mod header;
pub mod key;
pub mod limits;
pub mod link;
pub mod loop_time;
pub mod name;
pub mod show;
pub mod table;
#[cfg(any(test, feature = "test-support"))]
pub mod test_support;
pub mod text;
mod timestamp;
mod wire;

pub use timestamp::Timestamp;

/// Version 1 of the API: messages, clients, servers and their proto3 JSON form.
#[allow(missing_docs, reason = "the code generator documents fields, not its own scaffolding")]
#[allow(clippy::all, clippy::allow_attributes_without_reason, reason = "generated")]
#[allow(unused_qualifications, reason = "generated")]
pub mod v1 {
    include!("generated/flowtracker.v1.rs");
    include!("generated/flowtracker.v1.serde.rs");
}

/// The encoded `FileDescriptorSet`, for gRPC server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/flowtracker.v1.bin");
