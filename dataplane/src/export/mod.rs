//! Events to the control service, commands from it: rings, batches, the link, the command desk. All
//! of it but the lcores' ends of the rings runs on the exporter's thread.

mod authors;
mod bounds;
mod desk;
mod dial;
pub(crate) mod encode;
mod link;
mod refusal;
mod ring;
mod secured;
mod stats;
mod table_event;
mod wall;

pub use authors::Names;
pub use desk::{Desk, Shard, Table, TableDesk};
pub use link::{Exporter, LcoreEnd};
pub use ring::{RingEvent, RingSink, ring, ring_of};
pub use table_event::TableEvent;
pub use wall::{CLOCK_STEPS, ClockSteps, WallClock};
