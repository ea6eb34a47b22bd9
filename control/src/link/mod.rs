//! The data planes' gRPC: `DataplaneLinkService`.
//!
//! Data planes dial in at [`attach`], and `ingest` takes in what they report. Commands go down to
//! them and replies come back over [`links`]. [`stats`] asks all of them for their counters.
//!
//! Whatever a link sends has a bound: `hello` says what follows from its introduction, `replies`
//! what an answer may be, and the mirror counts entries and what waits. [`refused`] has the statuses
//! that close a link.

pub mod attach;
mod authors;
mod hello;
mod ingest;
pub mod links;
pub mod refused;
mod replies;
pub mod stats;
