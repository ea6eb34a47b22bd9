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

/// What is counted of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets since creation.
    pub packets: u64,
    /// Bytes since creation.
    pub bytes: u64,
}

impl Counts {
    pub(crate) const ZERO: Counts = Counts { packets: 0, bytes: 0 };

    /// Counts a packet of so many bytes.
    #[inline(always)]
    pub fn count(&mut self, bytes: u32) {
        self.packets += 1;
        self.bytes += u64::from(bytes);
    }
}

/// The cold part of an entry: what neither lookups nor packets touch. 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cold {
    /// When it was created, in milliseconds since the clock's start: the lower 32 bits of 44, which last for 557 years.
    created_low: u32,
    /// The upper 12 bits of that, and below them the number of the timer profile.
    created_high_profile: u16,
    permissions: Permissions,
    creator: ActorId,
    updater: ActorId,
}

const _: () = assert!(size_of::<Cold>() == 12 && ProfileId::COUNT <= 16);

impl Default for Cold {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Cold {
    pub(crate) const EMPTY: Cold = Cold {
        created_low: 0,
        created_high_profile: 0,
        permissions: Permissions::NONE,
        creator: ActorId::NONE,
        updater: ActorId::NONE,
    };

    pub(crate) fn new(
        created_ms: u64,
        creator: ActorId,
        permissions: Permissions,
        profile: ProfileId,
    ) -> Self {
        Cold {
            created_low: created_ms as u32,
            created_high_profile: ((created_ms >> 32) as u16) << 4 | u16::from(profile.get()),
            permissions,
            creator,
            updater: ActorId::NONE,
        }
    }

    pub(crate) fn update(&mut self, updater: ActorId, permissions: Permissions, profile: ProfileId) {
        self.created_high_profile = self.created_high_profile & !0xf | u16::from(profile.get());
        (self.permissions, self.updater) = (permissions, updater);
    }

    pub(crate) fn created_ms(&self) -> u64 {
        u64::from(self.created_high_profile >> 4) << 32 | u64::from(self.created_low)
    }

    pub(crate) fn profile(&self) -> ProfileId {
        ProfileId::new(u32::from(self.created_high_profile & 0xf)).unwrap_or_default()
    }

    pub(crate) fn permissions(&self) -> Permissions {
        self.permissions
    }

    pub(crate) fn creator(&self) -> ActorId {
        self.creator
    }

    pub(crate) fn updater(&self) -> ActorId {
        self.updater
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_cold_part_keeps_what_it_is_given(
            created in 0u64..1 << 44,
            actors: [u16; 2],
            permissions in [0u16..=Permissions::MASK, 0u16..=Permissions::MASK],
            profiles in [0u32..16, 0u32..16],
        ) {
            let [before, after] = permissions.map(|bits| Permissions::new(bits).expect("14 bits"));
            let [first, second] = profiles.map(|id| ProfileId::new(id).expect("below 16"));
            let mut cold = Cold::new(created, ActorId(actors[0]), before, first);
            prop_assert_eq!((cold.created_ms(), cold.creator(), cold.updater()), (created, ActorId(actors[0]), ActorId::NONE));
            prop_assert_eq!((cold.permissions(), cold.profile()), (before, first));
            cold.update(ActorId(actors[1]), after, second);
            prop_assert_eq!((cold.created_ms(), cold.creator(), cold.updater()), (created, ActorId(actors[0]), ActorId(actors[1])));
            prop_assert_eq!((cold.permissions(), cold.profile()), (after, second));
        }
    }
}
