//! The control side of flowtracker: the unprivileged gRPC service that data planes report to and
//! users watch.
//!
//! Data planes dial in over `DataplaneLinkService` ([`link`]). What they report changes one state
//! behind one lock ([`mirror`]). Users read, write and watch it over `FlowTrackerService`
//! ([`api`]); reads and writes of entries go down the link to the lcore that owns them. Metrics and
//! health are served over [`http`], next to gRPC ([`server`]). What callers may take of all this is
//! bounded at the [`door`]. What callers may rely on, call by call, stands in `docs/api.md`.
#![forbid(unsafe_code)]

pub mod api;
pub mod config;
mod config_file;
pub mod door;
pub mod http;
pub mod link;
pub mod mirror;
pub mod server;
pub mod stop;
