//! From the lcores to the control service: rings, batches, the link.
//!
//! One thread of its own. It polls the rings, because a blocked receiver would
//! make an lcore pay for waking it.

pub(crate) mod authors;
pub(crate) mod batch;
mod desk;
mod link;
mod refusal;
mod ring;

pub use desk::{Commands, Shard, Table};
pub use link::{Exporter, LcoreEnd};
pub use ring::{LinkState, Record, RingSink, ring, ring_of};
