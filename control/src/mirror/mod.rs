//! The state of the service: what each data plane holds, and the last events.
//!
//! [`hub`] keeps both behind one lock: the mirrors of the live entries ([`registry`], one
//! [`dataplane`] each, with a `table` for each family) and the log of numbered events ([`log`]).
//! [`snapshot`] copies the mirrors for readers that start from the present entries. A [`feed`]
//! gives a reader a snapshot and the events that follow it, as far as its [`predicate`] wants them.

mod bad_report;
pub mod capacities;
pub mod dataplane;
mod entries;
pub mod feed;
pub mod hub;
pub mod log;
pub mod predicate;
pub mod registry;
mod room;
mod seen;
mod shards;
pub mod snapshot;
mod state;
mod table;
mod waiting;
