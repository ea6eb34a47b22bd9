//! The connection-tracking engine of flowtracker.
//!
//! A [`Shard`] is what one thread tracks frames with: a [`Parser`] and the [`Tracker`] of its
//! table. A [`DualShard`] has a table for each family, IPv4 and IPv6. It takes bursts of frames and
//! the time, finds an [`Outcome`] for every frame, and offers an [`Event`] to an [`EventSink`] for
//! every entry that comes or goes:
//!
//! ```text
//! frames ─► packet ─► batch ─► tracker ─► event ─► EventSink
//!                              │     ▲
//!                        table ┘     └ aging
//! ```
//!
//! A burst is *parsed* into a batch; a batch is *probed* in the table, and *committed*: what was
//! not known becomes an entry. All of that is in the order of the frames.
//!
//! The engine knows nothing of DPDK, clocks, threads or I/O: frames are byte slices, time is an
//! argument, and a sink says whether it has room for one more event.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod aging;
#[expect(unsafe_code, reason = "CPU intrinsics")]
pub mod arch;
pub mod attributes;
mod batch;
mod bits;
mod classes;
pub mod entry;
pub mod event;
pub mod hash;
pub mod key;
pub mod packet;
mod pending;
pub mod permission;
pub mod shard;
pub mod stats;
pub mod table;
#[cfg(any(test, feature = "test-support"))]
pub mod test_support;
pub mod timeout;
pub mod tracker;

pub use attributes::{AttributeError, Attributes, Violations};
pub use entry::{ActorId, Entry};
pub use event::{DeleteReason, Event, EventBody, EventSink, Removed};
pub use hash::{HashKind, Hasher, HasherV6};
pub use key::{FlowKey, FlowKeyV6, Key};
pub use packet::{Frames, Outcome, Parser, Protocols};
pub use permission::Permissions;
pub use shard::{DualShard, Shard};
pub use stats::Counters;
pub use table::{FlowTable, LineTable, Pos, TableFull};
pub use timeout::{Now, ProfileId, Profiles, Tick};
pub use tracker::{Tracker, TrackerConfig};
