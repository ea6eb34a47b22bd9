//! How an entry begins and ends in the table, and how it is read.
//!
//! An entry that exists is in three places: in the table, in an aging class, and, if it is dynamic,
//! in a block of the wheel. It begins and ends in all of them here.

use core::ops::Range;

use super::Tracker;
use crate::aging::BLOCK;
use crate::classes::STATIC;
use crate::entry::{ActorId, Cold, Counts, Entry, Mark};
use crate::event::{DeleteReason, Event, EventBody};
use crate::key::Key;
use crate::permission::Permissions;
use crate::table::{FlowTable, Pos};
use crate::timeout::{Now, ProfileId, Tick};

impl<T: FlowTable> Tracker<T> {
    /// Returns the block of a position.
    #[inline]
    pub(super) fn block_of(pos: Pos) -> u32 {
        pos.0 / BLOCK
    }

    /// Returns the positions of a block.
    #[inline]
    pub(super) fn block_positions(&self, block: u32) -> Range<u32> {
        block * BLOCK..((block + 1) * BLOCK).min(self.table.positions())
    }

    /// Writes the cold part and the counts of a new entry.
    pub(super) fn write_new(
        &mut self,
        now: Now,
        pos: Pos,
        creator: ActorId,
        permissions: Permissions,
        profile: ProfileId,
    ) {
        *self.table.cold_mut(pos) = Cold::new(now.stamp_ms(), creator, permissions, profile);
        if let Some(counts) = self.table.counts_mut(pos) {
            *counts = Counts::ZERO;
        }
    }

    /// Begins the life of an entry: writes its stamp and mark, and starts its timer.
    #[inline(always)]
    pub(super) fn begin(&mut self, now: Now, pos: Pos, class: u8) {
        self.table.set_stamp(pos, now.stamp);
        self.table.set_mark(pos, Mark::new(class));
        self.classes.join(class);
        if class != STATIC {
            self.wheel.schedule(Self::block_of(pos), now.stamp.plus(self.classes.aging_ms(class)));
        }
    }

    /// Restarts the timer of an entry, with another aging class or the same.
    pub(super) fn restart(&mut self, now: Now, pos: Pos, class: u8) {
        let mark = self.table.mark(pos);
        self.classes.leave(mark.class());
        self.classes.join(class);
        self.table.set_mark(pos, mark.with_class(class));
        self.table.set_stamp(pos, now.stamp);
        if class != STATIC {
            self.wheel.schedule(Self::block_of(pos), now.stamp.plus(self.classes.aging_ms(class)));
        }
    }

    /// Ends the life of an entry and removes it from the table.
    pub(super) fn end(&mut self, pos: Pos) {
        debug_assert!(self.table.slot_at(pos).is_some(), "an entry ends once");
        self.classes.leave(self.table.mark(pos).class());
        self.table.remove_at(pos);
    }

    /// Returns the entry at an occupied position, which holds `key`.
    pub(super) fn entry(&self, pos: Pos, key: T::Key) -> Entry<T::Key> {
        let (cold, counts) = (self.table.cold(pos), self.table.counts(pos));
        Entry {
            key,
            created_ms: cold.created_ms(),
            last_used: self.table.stamp(pos),
            rounds: cold.rounds(),
            aging_ms: self.classes.aging_ms(self.table.mark(pos).class()),
            profile: cold.profile(),
            permissions: cold.permissions(),
            packets: counts.packets,
            bytes: counts.bytes,
            creator: cold.creator(),
            updater: cold.updater(),
        }
    }
}

/// Returns the CREATED of an entry that is reported late. Its times are those of the creation,
/// whatever has come since.
#[inline]
pub(super) fn created_event<K: Key>(entry: &Entry<K>, now: Now) -> Event<K> {
    let entry = Entry { last_used: Tick(entry.created_ms as u32), rounds: 0, ..*entry };
    Event { at_ns: now.ns.min(entry.created_ms * 1_000_000), body: EventBody::Created(entry) }
}

/// Returns the DELETED of an entry that has expired.
#[inline]
pub(super) fn idle_event<K: Key>(entry: Entry<K>, now: Now) -> Event<K> {
    let body = EventBody::Deleted { entry, reason: DeleteReason::Idle, actor: ActorId::TIMER };
    Event { at_ns: now.ns, body }
}
