//! From the frames of a burst to keys, and to outcomes of the frames that have none.
//!
//! [`Parser`] takes bursts. It parses *plain* frames of IPv4, which are nearly all, in a loop of their
//! own (`plain`, with a SIMD twin). Of the others it parses plain frames of IPv6 in the same way, and
//! the rest by every rule, as [`parse`] and [`parse_both`] do with a single frame.

mod eth;
mod families;
mod frames;
mod ipv4;
mod ipv6;
#[cfg(feature = "test-support")]
mod keys;
mod outcome;
mod parser;
#[expect(unsafe_code, reason = "SIMD loads and stores")]
mod plain;
mod ports;
mod protocols;
mod rules;

pub use families::AnyKey;
pub use frames::Frames;
pub use outcome::{Outcome, Outcomes};
pub use parser::Parser;
pub(crate) use parser::{SLICE, Target};
pub use protocols::Protocols;
pub use rules::{MAX_HEADER, parse, parse_both};
