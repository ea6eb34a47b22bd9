//! The poll-mode data plane of flowtracker.
//!
//! ```text
//! port0 ─┐                                                          │ one thread
//!        ├─► worker (one per lcore): rx burst ─► Tracker ─► RingSink ┼─► Exporter ─► control service
//! port1 ─┘              ▲ tx burst ◄─┘    ▲                          │      │
//!                       forward           └── Mailbox ◄──────────────┼── Door
//! ```
//!
//! A room is named after when and where its code runs: [`start`] before the first packet, [`lcore`] for every burst,
//! [`service`] and [`export`] on threads beside the lcores. [`start::lifecycle::run`] puts the pieces together and takes
//! them apart; [`lcore::worker`] is the loop that everything else exists for. [`replay::run`] does without both:
//! it feeds the tracker from a capture, on the capture's time.
#![forbid(unsafe_code)]

pub mod doctor;
pub mod export;
pub mod lcore;
pub mod replay;
pub mod service;
pub mod start;
