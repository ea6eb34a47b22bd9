//! The connection-tracking engine of flowtracker.
//!
//! A [`Tracker`] is one shard: one table, one timing wheel, one thread. It is
//! given bursts of frames and the time, and answers with an outcome for every
//! frame and with [`Event`]s for every entry that comes or goes:
//!
//! ```text
//! frames ─► packet ─► key ─► hash ─► table ─► tracker ─► event ─► EventSink
//!                                      ▲          │
//!                                    aging ◄──────┘
//! ```
//!
//! The engine knows nothing of DPDK, of clocks, of threads or of I/O: frames
//! are byte slices, time is an argument, and whoever listens to the events
//! says whether there is room for one more.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod aging;
#[expect(unsafe_code, reason = "the one room for CPU intrinsics")]
pub mod arch;
pub mod attributes;
mod bits;
mod classes;
pub mod entry;
pub mod event;
pub mod hash;
pub mod key;
pub mod packet;
pub mod permission;
pub mod stats;
pub mod table;
#[cfg(any(test, feature = "test-support"))]
pub mod test_support;
pub mod timeout;
pub mod tracker;

pub use attributes::{AttributeError, Attributes};
pub use entry::{ActorId, Entry};
pub use event::{DeleteReason, Event, EventBody, EventSink};
pub use hash::{HashKind, Hasher};
pub use key::FlowKey;
pub use packet::{Frames, Outcome, Protocols};
pub use permission::Permissions;
pub use stats::Counters;
pub use table::{FlowTable, LineTable, Pos, TableFull};
pub use timeout::{Now, ProfileId, Profiles, Tick};
pub use tracker::{Tracker, TrackerConfig};
