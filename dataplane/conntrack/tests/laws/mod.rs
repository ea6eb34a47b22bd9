//! Laws of the engine with any table, and the oracles that check them.
//!
//! Everything here is written from the contract, and shares only public types with the engine:
//! [`model`] is a naive tracker, [`oracle`] a naive parser, and [`tables`] compares a table with a
//! `HashMap`.
#![allow(dead_code, unused_imports, reason = "every test binary uses its part")]

pub(crate) mod keys;
pub(crate) mod model;
pub(crate) mod oracle;
pub(crate) mod tables;
