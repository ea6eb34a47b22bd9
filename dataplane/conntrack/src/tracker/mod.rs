//! A tracker: the entries of one table, from their creation to their end.
//!
//! ```text
//! batch ─► burst ─► learn ─┐             write, flush ◄─ control plane
//!                          ├─► life ◄────┤
//! clock ─► advance ─► aging┘   report ◄──┘ ─► EventSink
//!               └───► resync ─────┘
//! ```
//!
//! | file | job |
//! |---|---|
//! | `burst` | the stages of a batch: probe, commit, turn, drain |
//! | `learn` | a packet that was not a plain hit: add-on-miss |
//! | `life` | how an entry begins and ends in the table |
//! | `report` | offers events, and keeps what the sink refused |
//! | `advance` | the work that no packet waits for, in slices |
//! | `aging` | deletes idle entries |
//! | `patrol` | keeps the stamps of static entries readable |
//! | `resync` | reports the whole table from its beginning |
//! | `walk` | enumerates entries |
//! | `write` | get, create, update, remove |
//! | `flush` | deletes many entries, in slices |
//! | `program` | changes of the table, and attaching and detaching the program |
//! | `restore` | puts entries of an earlier run back |

mod advance;
mod aging;
mod burst;
mod flush;
mod learn;
mod life;
mod patrol;
mod program;
mod report;
mod restore;
mod resync;
mod stage;
mod walk;
mod write;

use alloc::boxed::Box;
use alloc::collections::VecDeque;

pub use advance::Budget;
pub use flush::Flush;
pub use program::{TableChange, TableRefusal};
pub use restore::NotRestored;
pub use walk::{Cursor, Step};
pub use write::{Permission, Refusal, Write};

use crate::aging::{BLOCK, Wheel};
use crate::classes::Classes;
use crate::event::Event;
use crate::key::Key;
use crate::pending::PendingBlocks;
use crate::permission::Permissions;
use crate::stats::Counters;
use crate::table::{FlowTable, Layout, LineTable, TableConfigError};
use crate::timeout::{Now, ProfileId, Profiles};
use patrol::Patrol;
use program::Program;
use resync::Resync;
use stage::Stage;

/// The settings of a tracker.
#[derive(Clone, Copy, Debug)]
pub struct TrackerConfig {
    /// The timer profiles.
    pub profiles: Profiles,
    /// The profile of entries that the data path learns.
    pub learn_profile: ProfileId,
    /// The permissions of the table.
    pub permissions: Permissions,
    /// Whether packets and bytes are counted per entry.
    pub accounting: bool,
    /// The width of an aging bucket: 2^`bucket_shift` milliseconds.
    pub bucket_shift: u32,
}

impl Default for TrackerConfig {
    /// P4TC's profiles, learning with profile 0, permissions 0x3dfc, accounting, buckets of 8 ms.
    fn default() -> Self {
        TrackerConfig {
            profiles: Profiles::default(),
            learn_profile: ProfileId::default(),
            permissions: Permissions::new(0x3dfc).unwrap_or_else(|| unreachable!("14 bits")),
            accounting: true,
            bucket_shift: 3,
        }
    }
}

/// The tracker of one table.
///
/// Time is an argument, and events are offered to a sink that is an argument too. The time of a
/// call is never before that of an earlier call.
pub struct Tracker<T: FlowTable> {
    table: T,
    wheel: Wheel,
    patrol: Patrol,
    /// The blocks with entries about which something is still to be reported.
    pending: PendingBlocks,
    /// Reports about entries whose places were needed before the sink took the reports. While there
    /// are any, nothing else is offered, so order is kept.
    backlog: VecDeque<Event<T::Key>>,
    /// The resync that is going on.
    resync: Option<Resync>,
    /// The batch that the parser fills.
    parsing: Box<Stage<T::Key>>,
    /// The batch before, whose lines arrive meanwhile.
    probing: Box<Stage<T::Key>>,
    classes: Classes,
    program: Program,
    /// No entry may be created, because a change of the table is about to be made.
    held: bool,
    config: TrackerConfig,
    counters: Counters,
}

impl<L: Layout, K: Key> Tracker<LineTable<L, K>> {
    /// Returns the size of its memory in bytes, the table's included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.table.bytes()
            + self.wheel.bytes()
            + self.pending.bytes()
            + self.backlog.capacity() * size_of::<Event<K>>()
    }
}

impl<T: FlowTable> Tracker<T> {
    /// Returns a tracker of an empty table. Takes all the memory that it will ever use.
    ///
    /// # Errors
    /// When the memory cannot be had.
    pub fn new(table: T, config: TrackerConfig, now: Now) -> Result<Self, TableConfigError> {
        let positions = table.positions() as usize;
        let blocks = positions.div_ceil(BLOCK as usize);
        // Two events for one entry in 128, and some for a small table.
        let backlog = VecDeque::with_capacity(64.max(table.capacity() as usize / 64));
        Ok(Tracker {
            wheel: Wheel::new(blocks, config.bucket_shift, now.tick),
            patrol: Patrol::new(blocks, now.tick),
            pending: PendingBlocks::new(blocks),
            backlog,
            resync: None,
            parsing: Box::new(Stage::new(now)),
            probing: Box::new(Stage::new(now)),
            classes: Classes::new(config.profiles),
            program: Program::Attached,
            held: false,
            config,
            counters: Counters::default(),
            table,
        })
    }

    /// Returns the table, for reading.
    pub fn table(&self) -> &T {
        &self.table
    }

    /// Returns what the tracker has counted. Its received frames are those that were handed to it
    /// in batches.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Returns the timer profiles as they are now.
    #[must_use]
    pub fn profiles(&self) -> &Profiles {
        self.classes.profiles()
    }

    /// Returns the permissions of the table.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        self.config.permissions
    }
}
