//! An entry: the form in which it is shown and reported, and the parts in which a table keeps it.
//!
//! A table keeps the key, the [`Mark`] and the time of the last use where a lookup finds them,
//! [`Counts`] beside that, and the rest apart, as [`Cold`].

use crate::key::FlowKey;
use crate::permission::Permissions;
use crate::timeout::{Now, ProfileId, Tick};

/// Who did something. The driver of the engine gives the numbers from [`ActorId::FIRST_CONTROL`] on
/// a meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ActorId(pub u16);

impl ActorId {
    /// Nobody yet.
    pub const NONE: ActorId = ActorId(0);
    /// The data path itself.
    pub const DATA_PATH: ActorId = ActorId(1);
    /// The idle timer.
    pub const TIMER: ActorId = ActorId(2);
    /// The first number that is free for control programs.
    pub const FIRST_CONTROL: u16 = 16;
}

/// A complete table entry, copied from the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry<K = FlowKey> {
    /// The match key.
    pub key: K,
    /// Time of its creation, in milliseconds since the clock's start, rounded up as stamps are.
    pub created_ms: u64,
    /// Time of its last use, rounded up to the tick, and later by [`Entry::rounds`]; see
    /// [`Entry::idle_ms`].
    pub last_used: Tick,
    /// By this number of [`ROUND_MS`] the last use was earlier, if it was [`QUIET_MS`] ago.
    pub rounds: u8,
    /// Idle time after which it is deleted, in milliseconds; 0 when it is static.
    pub aging_ms: u32,
    /// Timer profile that `aging_ms` came from.
    pub profile: ProfileId,
    /// What may be done with the entry.
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

impl<K> Entry<K> {
    /// Returns true when the idle timer applies.
    #[must_use]
    pub fn dynamic(&self) -> bool {
        self.aging_ms != 0
    }

    /// Returns the idle time at `tick`, in milliseconds: for a static entry that is never used up to
    /// six years, where it stays.
    #[must_use]
    pub fn idle_ms(&self, tick: Tick) -> u64 {
        let since = since(tick, self.last_used);
        let rounds = if since < QUIET_MS { 0 } else { self.rounds };
        u64::from(since) + u64::from(rounds) * u64::from(ROUND_MS)
    }

    /// Returns the time of the last use, in milliseconds since the clock's start, of an entry that was
    /// read at the instant `at_ns`.
    #[must_use]
    pub fn last_used_ms(&self, at_ns: u64) -> u64 {
        let (at_ms, tick) = (at_ns / 1_000_000, Tick((at_ns / 1_000_000) as u32));
        let next = u64::from(self.last_used == tick.plus(1));
        (at_ms + next).saturating_sub(self.idle_ms(tick))
    }

    /// Returns the entry with this time of its last use, in milliseconds since the clock's start, as
    /// it is read at `now`. A time after `now` counts as `now`. An entry that has been idle for
    /// longer than its aging has been idle for just that time, so it expires at once.
    #[must_use]
    pub fn used_at(self, last_used_ms: u64, now: Now) -> Self {
        let now_ms = now.ns / 1_000_000;
        if last_used_ms > now_ms {
            return Entry { last_used: now.stamp, rounds: 0, ..self };
        }
        let idle = now_ms - last_used_ms;
        let (idle, rounds) = if self.dynamic() {
            (idle.min(self.aging_ms.into()), 0)
        } else {
            // The stamp of a quiet entry is at least QUIET_MS old, so that its rounds count.
            let round = u64::from(ROUND_MS);
            let rounds = (idle.saturating_sub(QUIET_MS.into()) / round).min(MAX_ROUNDS.into());
            let rest = idle - rounds * round;
            (rest.min(u64::from(QUIET_MS) + round - 1), rounds as u8)
        };
        Entry { last_used: Tick((now_ms - idle.min(now_ms)) as u32), rounds, ..self }
    }
}

/// Returns the milliseconds from a stamp to a tick.
#[inline]
pub(crate) fn since(tick: Tick, stamp: Tick) -> u32 {
    // An entry that was used within the present tick is stamped with the next one.
    if stamp == tick.plus(1) { 0 } else { tick.0.wrapping_sub(stamp.0) }
}

/// Idle time from which an entry is *quiet*, in milliseconds: 3.1 days. Stamps of a use are newer.
pub const QUIET_MS: u32 = 1 << 28;

/// By this number of milliseconds (37 days) the stamp of a quiet entry is moved at a time, so that it
/// stays within the circle of ticks. The entry keeps the number of moves.
///
/// A use of the entry overwrites the stamp and leaves that number alone, because a hit touches no
/// more than a stamp. So the number counts only while the stamp is [`QUIET_MS`] old. It is cleared by
/// a visit before a newer stamp can become that old; see `tracker::patrol`.
pub const ROUND_MS: u32 = 3 << 30;

/// What is counted for an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets since creation.
    pub packets: u64,
    /// Bytes since creation.
    pub bytes: u64,
}

impl Counts {
    pub(crate) const ZERO: Counts = Counts { packets: 0, bytes: 0 };

    /// Counts a packet of `bytes` bytes.
    #[inline(always)]
    pub fn count(&mut self, bytes: u32) {
        self.packets += 1;
        self.bytes += u64::from(bytes);
    }
}

/// The cold part of an entry, which neither lookups nor packets touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cold {
    /// Time of creation, in milliseconds since the clock's start: the lower 32 bits of 40, which
    /// last for 34 years.
    created_low: u32,
    /// The upper 8 bits of the time of creation, 4 bits of the rounds, and the number of the timer
    /// profile.
    created_high_rounds_profile: u16,
    /// The lower 2 bits of the rounds, and the permissions.
    rounds_permissions: u16,
    creator: ActorId,
    updater: ActorId,
}

/// The most rounds that an entry counts.
const MAX_ROUNDS: u8 = 63;

const _: () = assert!(size_of::<Cold>() == 12 && ProfileId::COUNT <= 16);

impl Default for Cold {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Cold {
    pub(crate) const EMPTY: Cold = Cold {
        created_low: 0,
        created_high_rounds_profile: 0,
        rounds_permissions: 0,
        creator: ActorId::NONE,
        updater: ActorId::NONE,
    };

    /// Returns the cold part of a new entry.
    pub(crate) fn new(
        created_ms: u64,
        creator: ActorId,
        permissions: Permissions,
        profile: ProfileId,
    ) -> Self {
        Cold {
            created_low: created_ms as u32,
            created_high_rounds_profile: ((created_ms >> 32) as u16) << 8 | u16::from(profile.get()),
            rounds_permissions: permissions.bits(),
            creator,
            updater: ActorId::NONE,
        }
    }

    /// Notes a change by the control plane, which is a use.
    pub(crate) fn update(&mut self, updater: ActorId, permissions: Permissions, profile: ProfileId) {
        self.created_high_rounds_profile =
            self.created_high_rounds_profile & 0xff00 | u16::from(profile.get());
        (self.rounds_permissions, self.updater) = (permissions.bits(), updater);
    }

    pub(crate) fn created_ms(&self) -> u64 {
        u64::from(self.created_high_rounds_profile >> 8) << 32 | u64::from(self.created_low)
    }

    pub(crate) fn profile(&self) -> ProfileId {
        ProfileId::new(u32::from(self.created_high_rounds_profile & 0xf)).unwrap_or_default()
    }

    /// Returns by how many [`ROUND_MS`] the stamp was moved.
    pub(crate) fn rounds(&self) -> u8 {
        let (high, low) = (self.created_high_rounds_profile >> 4 & 0xf, self.rounds_permissions >> 14);
        (high << 2 | low) as u8
    }

    /// Sets that number; a larger one than [`MAX_ROUNDS`] counts as that.
    pub(crate) fn set_rounds(&mut self, rounds: u8) {
        let rounds = u16::from(rounds.min(MAX_ROUNDS));
        self.created_high_rounds_profile = self.created_high_rounds_profile & 0xff0f | (rounds >> 2) << 4;
        self.rounds_permissions = self.rounds_permissions & Permissions::MASK | rounds << 14;
    }

    pub(crate) fn permissions(&self) -> Permissions {
        Permissions::new(self.rounds_permissions & Permissions::MASK).unwrap_or(Permissions::NONE)
    }

    pub(crate) fn creator(&self) -> ActorId {
        self.creator
    }

    pub(crate) fn updater(&self) -> ActorId {
        self.updater
    }
}

/// The 16 bits that a table keeps beside every key.
///
/// ```text
/// bit  15 DYING | 14 UNREPORTED | 13..8 zero | 7..0 aging class (0 = static)
/// ```
///
/// The upper byte is zero unless something about the entry is still to be reported. So one
/// comparison of bytes finds a key and sees that its entry needs nothing but a stamp.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mark(pub u16);

impl Mark {
    /// The bits of the aging class.
    pub(crate) const CLASS: u16 = 0x00ff;
    /// The bits that are zero unless something is still to be reported.
    const PENDING: u16 = !Self::CLASS;
    const DYING: u16 = 1 << 15;
    const UNREPORTED: u16 = 1 << 14;

    /// Returns the mark of an entry of which everything has been reported.
    pub(crate) fn new(class: u8) -> Self {
        Mark(u16::from(class))
    }

    /// Returns the aging class of the entry.
    pub(crate) fn class(self) -> u8 {
        self.0 as u8
    }

    /// Returns true when the entry has expired and the sink has not taken its DELETED.
    pub(crate) fn dying(self) -> bool {
        self.0 & Self::DYING != 0
    }

    /// Returns true when the sink has not taken the entry's CREATED.
    pub(crate) fn unreported(self) -> bool {
        self.0 & Self::UNREPORTED != 0
    }

    /// Returns the mark with another class.
    pub(crate) fn with_class(self, class: u8) -> Self {
        Mark(self.0 & !Self::CLASS | u16::from(class))
    }

    /// Returns the mark of an entry that has expired since.
    pub(crate) fn with_dying(self) -> Self {
        Mark(self.0 | Self::DYING)
    }

    /// Returns the mark with the sink's answer to the entry's CREATED.
    pub(crate) fn with_unreported(self, unreported: bool) -> Self {
        Mark(if unreported { self.0 | Self::UNREPORTED } else { self.0 & !Self::UNREPORTED })
    }

    /// Returns true when something about the entry is still to be reported.
    #[must_use]
    pub fn pending(self) -> bool {
        self.0 & Self::PENDING != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_time_of_the_last_use_is_kept_across_a_break(
            created in 0u64..1 << 40,
            idle in prop_oneof![0u64..20, 0u64..1_000_000_000, 0u64..1 << 37],
            aging in prop_oneof![Just(0u32), 1u32..864_000_000],
            fraction in 0u64..1_000_000,
        ) {
            let now = Now::from_ns((created + idle) * 1_000_000 + fraction);
            let entry = Entry { aging_ms: aging, ..crate::test_support::entry(FlowKey::default()) };
            let entry = entry.used_at(created, now);
            let kept = if aging == 0 { idle } else { idle.min(aging.into()) };
            prop_assert_eq!(entry.idle_ms(now.tick), kept);
            prop_assert_eq!(entry.last_used_ms(now.ns), created + idle - kept);
            let later = entry.used_at(created + idle + 5, now);
            prop_assert_eq!(later.last_used, now.stamp);
        }

        #[test]
        fn the_cold_part_keeps_what_it_is_given(
            created in 0u64..1 << 40,
            actors: [u16; 2],
            permissions in [0u16..=Permissions::MASK, 0u16..=Permissions::MASK],
            profiles in [0u32..16, 0u32..16],
            rounds: u8,
        ) {
            let [before, after] = permissions.map(|bits| Permissions::new(bits).expect("14 bits"));
            let [first, second] = profiles.map(|id| ProfileId::new(id).expect("below 16"));
            let [creator, updater] = actors.map(ActorId);
            let mut cold = Cold::new(created, creator, before, first);
            let kept = |cold: &Cold| {
                let attributes = (cold.permissions(), cold.profile(), cold.rounds());
                (cold.created_ms(), cold.creator(), cold.updater(), attributes)
            };
            prop_assert_eq!(kept(&cold), (created, creator, ActorId::NONE, (before, first, 0)));
            cold.set_rounds(rounds);
            prop_assert_eq!(kept(&cold), (created, creator, ActorId::NONE, (before, first, rounds.min(63))));
            cold.update(updater, after, second);
            prop_assert_eq!(kept(&cold), (created, creator, updater, (after, second, 0)));
        }
    }
}
