//! The poll-mode data plane of flowtracker.
//!
//! ```text
//! port0 ─┐                                                          │ one thread
//!        ├─► worker (one per lcore): rx burst ─► Tracker ─► RingSink ┼─► Exporter ─► control service
//! port1 ─┘              ▲ tx burst ◄─┘    ▲                          │      │
//!                       forward           └── Mailbox ◄──────────────┼── Door
//! ```
//!
//! [`lifecycle::run`] puts the pieces together and takes them apart; [`worker`]
//! is the loop that everything else exists for. [`replay::run`] does without both:
//! it feeds the tracker from a capture, on the capture's time.
#![forbid(unsafe_code)]

pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod config_file;
mod devices;
pub mod doctor;
mod eal_args;
pub mod export;
pub mod filter;
pub mod forward;
pub mod health;
pub mod lifecycle;
pub mod manual;
pub mod mbufs;
pub mod ports;
pub mod replay;
pub mod seqlock;
pub mod start_log;
pub mod stats;
mod sync;
pub mod telemetry;
pub mod topology;
pub mod watchdog;
pub mod worker;
