//! The data planes' gRPC: `DataplaneLinkService`.
//!
//! Data planes dial in and report over [`ingest`]; commands go down to them and replies come back
//! over [`links`]. [`stats`] asks all of them for their counters.

mod authors;
pub mod ingest;
pub mod links;
pub mod stats;
