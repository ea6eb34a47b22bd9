//! The control side of flowtracker: the unprivileged gRPC service that data
//! planes report to and users watch, and the library behind `ctl`.
//!
//! Data planes dial in over `DataplaneLinkService` ([`ingest`]). What they say
//! changes one state behind one lock ([`hub`]): a mirror of the live entries
//! ([`registry`]) and a log of numbered events ([`log`]). Watchers ([`watch`])
//! hold nothing but a cursor into that log; what they are sent is encoded once
//! ([`encode`], [`prepared`]). Reads and writes of entries
//! ([`admin`]) go down the link to the lcore that owns them ([`links`]).
//! Filter expressions ([`filter`]) are typed against the one description of the
//! table ([`introspection`]). Metrics and health are served over [`http`], next to gRPC ([`server`]). What callers may rely on, call by call, stands in
//! `docs/api.md`; why a call was refused is told by [`fault`].
#![forbid(unsafe_code)]

pub mod admin;
pub mod caller;
pub mod cli;
pub mod config;
mod config_file;
pub mod convert;
mod deadline;
pub mod encode;
pub mod fault;
pub mod filter;
pub mod http;
pub mod hub;
pub mod ingest;
pub mod introspection;
pub mod key;
pub mod links;
pub mod log;
pub mod prepared;
pub mod registry;
pub mod render;
pub mod server;
pub mod snapshot;
pub mod stats;
pub mod stop;
pub mod watch;
