//! The data planes' gRPC: `DataplaneLinkService`.
//!
//! Data planes dial in at [`attach`], and `ingest` takes in what they report. Commands go down to
//! them and replies come back over [`links`]. [`stats`] asks all of them for their counters.

pub mod attach;
mod authors;
mod ingest;
pub mod links;
pub mod stats;
