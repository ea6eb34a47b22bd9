//! What runs before the first packet: options, EAL, devices, topology and memory, and the order in
//! which they stop.

pub mod cli;
pub mod config;
pub mod config_file;
pub(crate) mod control_tls;
mod control_uri;
mod devices;
pub(crate) mod eal_args;
pub mod lifecycle;
pub mod manual;
pub mod mbufs;
pub mod options;
mod resume;
pub mod rings;
mod shards;
pub mod start_error;
pub mod start_log;
pub mod topology;
