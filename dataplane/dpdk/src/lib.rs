//! Safe wrapper of the part of DPDK (22.11 or later) that flowtracker uses, and the only caller of
//! its FFI.
//!
//! No raw pointer and no DPDK type leaves this crate. Borrows decide the order of clean-up, so the
//! compiler refuses the orders that DPDK does not survive:
//!
//! ```text
//!   Eal ◄──── Mempool                 the pool's memory goes when the Eal goes
//!    ▲  ◄──── RteHash, Learner        (features "hash", "learner")
//!    │
//!    └─────── Port ◄──── RxQueue      one handle per queue, moved to the lcore that polls it
//!              ▲   ◄──── TxQueue
//!              └──────── Burst        owns mbufs; frees what is left when dropped
//!                          ▲
//!                          └───────── &[u8]   frames, borrowed from the burst
//! ```
//!
//! Dropping goes from right to left: frames, bursts and queues, then ports (stop and close), then
//! the EAL.
//!
//! A program has three kinds of threads. The *main* thread calls [`Eal::init`] and keeps its CPU
//! affinity. *Lcores* are DPDK's pinned threads; [`Eal::scope`] runs closures on them. All other
//! threads may use what is `Sync` here: they may start, stop and ask a [`Port`] at any time, also
//! while lcores poll its queues. DPDK's own threads, on which [`telemetry`] is answered, are among
//! them.
//!
//! Where a line of code goes: a workaround for DPDK itself goes to `quirks/`, which the page
//! `dataplane/docs/quirks.md` describes; types that name things go to `ids.rs`.

#![deny(unsafe_op_in_unsafe_fn)]

#[cfg(not(target_os = "linux"))]
compile_error!("flowtracker's DPDK wrapper knows Linux only");

mod affinity;
mod argv;
pub mod clock;
mod eal;
mod eal_log;
mod error;
mod gate;
#[cfg(feature = "hash")]
pub mod hash;
mod ids;
mod kernel;
mod lcore;
#[cfg(feature = "learner")]
pub mod learner;
mod lock;
mod log;
mod mbuf;
pub mod memory;
mod mempool;
mod merging;
mod output;
mod port;
mod queue;
mod quirks;
mod sync;
pub mod telemetry;
#[cfg(feature = "test-support")]
pub mod test_support;

pub use eal::{Eal, ProcessType, RELEASE, plugin_directory};
pub use eal_log::{FailedDevice, is_trouble};
pub use error::Error;
pub use ids::{LcoreId, PortId, QueueId, SocketId};
pub use kernel::interface_mtu;
pub use lcore::LcoreScope;
pub use log::Hush;
pub use mbuf::{Burst, CAPACITY, Segments};
pub use mempool::{Mempool, MempoolConfig};
pub use merging::Merging;
pub use output::capture_output;
pub use port::{Port, PortConfig, PortFacts, PortSetup, PortStats, Rss};
pub use queue::{RxQueue, Sent, TxQueue};
pub use quirks::long_frames::ring_room;
