//! What the fuzz targets check: each module has a `target`, which takes any bytes, makes an input
//! of them, and panics when the product breaks a law on it. The oracles share no code with what
//! they judge. Which law and which oracle a target has, and how to run it, stands in `README.md`.
//!
//! This is an ordinary library. The binaries of libFuzzer call it (`libfuzzer/`), and so does the
//! test `corpus`, which needs no fuzzer.
#![forbid(unsafe_code)]

pub mod captures;
pub mod checkpoint;
mod door;
pub mod filter;
pub mod http;
mod input;
#[path = "../../../dataplane/conntrack/tests/laws/mod.rs"]
mod laws;
pub mod link;
#[path = "../../src/oracle.rs"]
pub mod oracle;
pub mod parser;
pub mod tracker;

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Name of the target, of its binary and of its folder in `corpus/`.
    pub name: &'static str,
    /// Checks one input.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: [Target; 7] = [
    Target { name: "parser", run: parser::target },
    Target { name: "tracker", run: tracker::target },
    Target { name: "filter", run: filter::target },
    Target { name: "link", run: link::target },
    Target { name: "captures", run: captures::target },
    Target { name: "http", run: http::target },
    Target { name: "checkpoint", run: checkpoint::target },
];
