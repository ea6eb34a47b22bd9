//! An entry as it is shown, and the part of it that lookups do not touch.

use crate::key::FlowKey;
use crate::permission::Permissions;
use crate::timeout::{ProfileId, Tick};

/// Who did something: a number that whoever drives the engine gives a meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ActorId(pub u16);

impl ActorId {
    /// Nobody yet.
    pub const NONE: ActorId = ActorId(0);
    /// The data path itself.
    pub const DATA_PATH: ActorId = ActorId(1);
    /// The idle timer.
    pub const TIMER: ActorId = ActorId(2);
    /// First number that is free for control programs.
    pub const FIRST_CONTROL: u16 = 16;
}

/// One table entry, complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The match key.
    pub key: FlowKey,
    /// When it was created, in milliseconds since the clock's start.
    pub created_ms: u64,
    /// When it was last used, rounded up to the tick; see [`Entry::idle_ms`].
    pub last_used: Tick,
    /// Idle time after which it is deleted, milliseconds; 0 when static.
    pub aging_ms: u32,
    /// Timer profile that gave `aging_ms`.
    pub profile: ProfileId,
    /// What may be done with it.
    pub permissions: Permissions,
    /// Packets since creation; 0 without accounting.
    pub packets: u64,
    /// Bytes since creation; 0 without accounting.
    pub bytes: u64,
    /// Who created it.
    pub creator: ActorId,
    /// Who updated it last.
    pub updater: ActorId,
}

impl Entry {
    /// True when the idle timer applies.
    #[must_use]
    pub fn dynamic(&self) -> bool {
        self.aging_ms != 0
    }

    /// Idle time at `tick`, milliseconds. A static entry can be idle for longer
    /// than the clock's circle of 49.7 days and then shows the remainder.
    #[must_use]
    pub fn idle_ms(&self, tick: Tick) -> u32 {
        // An entry used within the present tick is stamped with the next one.
        if self.last_used == tick.plus(1) { 0 } else { tick.0.wrapping_sub(self.last_used.0) }
    }
}

/// The cold part of an entry: beside the table, two to a cache line.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub(crate) struct Cold {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    pub(crate) created_ms: u64,
    pub(crate) creator: ActorId,
    pub(crate) updater: ActorId,
    pub(crate) permissions: u16,
    pub(crate) profile: u8,
}

const _: () = assert!(size_of::<Cold>() == 32);

/// The table keeps 16 bits beside every key; this is what they mean.
///
/// ```text
/// bit  15 DYING | 14 UNREPORTED | 13..8 zero | 7..0 aging class (0 = static)
/// ```
///
/// So the upper byte is zero unless something has still to be told, and one comparison of bytes sees both: the key,
/// and that nothing more has to be known about its entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mark(pub u16);

impl Mark {
    const DYING: u16 = 1 << 15;
    const UNREPORTED: u16 = 1 << 14;

    pub(crate) fn new(class: u8) -> Self {
        Mark(u16::from(class))
    }

    /// Which aging value the entry has.
    pub(crate) fn class(self) -> u8 {
        self.0 as u8
    }

    /// Expired, but its DELETED has not been taken yet.
    pub(crate) fn dying(self) -> bool {
        self.0 & Self::DYING != 0
    }

    /// Its CREATED has not been taken yet.
    pub(crate) fn unreported(self) -> bool {
        self.0 & Self::UNREPORTED != 0
    }

    pub(crate) fn with_class(self, class: u8) -> Self {
        Mark(self.0 & !0xff | u16::from(class))
    }

    pub(crate) fn with_dying(self) -> Self {
        Mark(self.0 | Self::DYING)
    }

    pub(crate) fn with_unreported(self, unreported: bool) -> Self {
        Mark(if unreported { self.0 | Self::UNREPORTED } else { self.0 & !Self::UNREPORTED })
    }

    /// Something about the entry has still to be told.
    #[must_use]
    pub fn pending(self) -> bool {
        self.0 >> 8 != 0
    }
}
