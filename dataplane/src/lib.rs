//! The poll-mode data plane of flowtracker.
//!
//! ```text
//!         lcore/: one worker per lcore                    │ export/: one thread
//! port0 ─► receive ─► parse ─► tracker ─► event ring ─────┼─► link ─► control service
//! port1 ◄─ send ◄───────┘         ▲                       │     │
//!                              executor ◄─ mailbox ◄──────┼── command desk
//! ```
//!
//! A room is named after when and where its code runs: [`start`] before the first packet, [`lcore`]
//! on the polling lcores, [`export`] and [`service`] on threads beside them. [`start::lifecycle::run`]
//! connects the parts and takes them apart again. [`replay::run`] feeds the tracker from a capture,
//! without ports and lcores; [`doctor::run`] says whether a start would work; a [`checkpoint`] is
//! what the next run goes on from.
#![forbid(unsafe_code)]

pub mod checkpoint;
pub mod doctor;
pub mod export;
pub mod lcore;
pub mod replay;
pub mod service;
pub mod start;
#[cfg(test)]
mod test_key;
