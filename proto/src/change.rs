//! Changes of a table: the model that both sides of the API's conversion share.
//!
//! A data plane's records become [`Report`]s, the control service's mirror and log hold
//! [`EntryState`]s and [`Changed`]s, and the API's bytes are made from these in
//! [`show`](crate::show).

use std::sync::Arc;

use crate::clock_step::ClockStep;
use crate::key::FlowKey;
use crate::link::{self, AuthorNumber, BadRecord};
use crate::table::Family;
use crate::v1::{Actor, DeleteReason};

/// One entry, as of `as_of_ns`. Times are wall clock, Unix nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryState {
    /// The match key.
    pub key: FlowKey,
    /// The 14 permission bits.
    pub permissions: u16,
    /// Timer profile that gave the aging value.
    pub profile_id: u8,
    /// True when the idle timer applies.
    pub dynamic: bool,
    /// Idle time after which the entry is deleted, milliseconds.
    pub aging_ms: u32,
    /// Time of creation.
    pub create_ns: u64,
    /// Time of the last packet or update.
    pub last_used_ns: u64,
    /// Time at which the counters of this entry were read.
    pub as_of_ns: u64,
    /// By how much the clock was set between the creation and `as_of_ns`.
    pub clock_step: ClockStep,
    /// Packets since creation.
    pub packets: u64,
    /// Bytes since creation.
    pub bytes: u64,
    /// The creator; `None` means the data path.
    pub created_by: Option<Arc<Actor>>,
    /// The program that updated it last; `None` means that it was never updated.
    pub updated_by: Option<Arc<Actor>>,
}

const _: () = assert!(size_of::<EntryState>() <= 120, "a million of these sit in the mirror");

impl EntryState {
    /// Returns true when `other` differs only in the fields that packets change.
    #[must_use]
    pub fn same_attributes(&self, other: &Self) -> bool {
        self.permissions == other.permissions
            && self.profile_id == other.profile_id
            && self.dynamic == other.dynamic
            && self.aging_ms == other.aging_ms
            && self.created_by == other.created_by
            && self.updated_by == other.updated_by
    }
}

/// A change of a data plane's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An entry was created.
    Created(EntryState),
    /// An entry was rewritten.
    Updated(EntryState),
    /// An entry was deleted.
    Deleted {
        /// Its last known state.
        entry: EntryState,
        /// The reason of the deletion.
        reason: DeleteReason,
        /// The program that deleted it; `None` where the reason identifies the cause.
        by: Option<Arc<Actor>>,
    },
    /// A flush has ended on all shards.
    Flushed {
        /// The table.
        family: Family,
        /// Entries deleted.
        deleted: u64,
        /// Entries left because they lack the D permission.
        failed: u64,
    },
    /// The program was detached: this table of the data plane is empty.
    Purged(Family),
    /// The program was attached again.
    Loaded(Family),
}

impl Change {
    /// Returns the family of the table that has changed.
    #[must_use]
    pub fn family(&self) -> Family {
        match self {
            Self::Created(entry) | Self::Updated(entry) | Self::Deleted { entry, .. } => entry.key.family(),
            Self::Flushed { family, .. } | Self::Purged(family) | Self::Loaded(family) => *family,
        }
    }
}

/// A change, with its time and place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Time of the change, wall clock, Unix nanoseconds.
    pub time_ns: u64,
    /// The data plane where it happened.
    pub dataplane: Arc<str>,
    /// The change.
    pub change: Change,
}

const _: () = assert!(size_of::<Changed>() <= 160, "a million of these are retained");

/// A report of one shard: its part of a change, or a mark of its resync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The shard's table has changed.
    Change(Change),
    /// The shard starts to enumerate a table.
    ResyncBegin(Family),
    /// An entry that the table holds.
    Present(EntryState),
    /// Every entry alive since the start of the enumeration has been reported.
    ResyncEnd(Family),
}

impl Report {
    /// Returns the family of the table that it is about.
    #[must_use]
    pub fn family(&self) -> Family {
        match self {
            Self::Change(change) => change.family(),
            Self::Present(entry) => entry.key.family(),
            Self::ResyncBegin(family) | Self::ResyncEnd(family) => *family,
        }
    }

    /// Makes a report of a record. `author` returns the program with a number.
    ///
    /// # Errors
    /// When `author` knows no program of a number that the record uses.
    pub fn of(
        record: &link::Record,
        author: impl Fn(AuthorNumber) -> Option<Arc<Actor>>,
    ) -> Result<Self, BadRecord> {
        let named = |number: AuthorNumber| match number {
            0 => Ok(None),
            number => author(number).map(Some).ok_or(BadRecord::Author(number)),
        };
        let state = |entry: &link::Entry| {
            Ok(EntryState {
                key: entry.key,
                permissions: entry.permissions,
                profile_id: entry.profile_id,
                dynamic: entry.dynamic,
                aging_ms: entry.aging_ms,
                create_ns: entry.create_ns,
                last_used_ns: entry.last_used_ns,
                clock_step: entry.clock_step,
                as_of_ns: match record.time_ns {
                    0 => entry.create_ns.max(entry.last_used_ns),
                    time_ns => time_ns,
                },
                packets: entry.packets,
                bytes: entry.bytes,
                created_by: named(entry.created_by)?,
                updated_by: named(entry.updated_by)?,
            })
        };
        Ok(match &record.body {
            link::Body::Created(entry) => Report::Change(Change::Created(state(entry)?)),
            link::Body::Updated(entry) => Report::Change(Change::Updated(state(entry)?)),
            link::Body::Deleted { entry, reason, by } => {
                Report::Change(Change::Deleted { entry: state(entry)?, reason: *reason, by: named(*by)? })
            }
            link::Body::Flushed { family, deleted, failed } => {
                Report::Change(Change::Flushed { family: *family, deleted: *deleted, failed: *failed })
            }
            link::Body::Purged { family, .. } => Report::Change(Change::Purged(*family)),
            link::Body::Loaded(family) => Report::Change(Change::Loaded(*family)),
            link::Body::ResyncBegin(family) => Report::ResyncBegin(*family),
            link::Body::Present(entry) => Report::Present(state(entry)?),
            link::Body::ResyncEnd(family) => Report::ResyncEnd(*family),
        })
    }
}
