//! Laws of the engine, for any table behind it, and the oracles that judge them.
//!
//! Everything here is written from what is promised and shares nothing with the engine but its
//! public types: [`model`] is a naive tracker, [`oracle`] a naive parser, [`tables`] compares a
//! table with a `HashMap`.
#![allow(dead_code, reason = "every test binary uses its part")]

pub(crate) mod keys;
pub(crate) mod model;
pub(crate) mod oracle;
pub(crate) mod tables;
