//! From the frames of a burst to keys, and to outcomes of the frames that have none.
//!
//! [`Parser`] takes bursts. It parses *plain* frames, which are nearly all, in a loop of their own
//! (`plain`, with a SIMD twin), and the others with [`parse`], which applies every rule.

mod eth;
mod frames;
mod ipv4;
#[cfg(feature = "test-support")]
mod keys;
mod outcome;
mod parser;
#[expect(unsafe_code, reason = "SIMD loads and stores")]
mod plain;
mod ports;
mod protocols;
mod rules;

pub use frames::Frames;
pub use outcome::{Outcome, Outcomes};
pub use parser::Parser;
pub(crate) use parser::SLICE;
pub use protocols::Protocols;
pub use rules::{MAX_HEADER, parse};
