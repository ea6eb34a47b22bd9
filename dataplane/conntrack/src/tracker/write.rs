//! What the control plane does to one entry: get, create, update, remove.
//!
//! A write checks everything before it changes anything, and reports before it returns. Only the
//! report of a creation may wait in the table, as that of a learned entry does.

use core::fmt;

use super::Tracker;
use super::program::Program;
use crate::attributes::{Attributes, Target, Timer, Violations};
use crate::classes::STATIC;
use crate::entry::{ActorId, Entry};
use crate::event::{DeleteReason, Event, EventBody, EventSink};
use crate::key::FlowKey;
use crate::permission::Permissions;
use crate::table::{FlowTable, Pos};
use crate::timeout::Now;

/// Why a write was refused. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// There is no such entry.
    NotFound,
    /// The entry exists already.
    Exists,
    /// The entry of another key with the same fingerprint exists.
    FingerprintCollision,
    /// This permission is missing.
    Denied(Permission),
    /// The shard holds its maximum number of entries.
    Full,
    /// The program is detached.
    Detached,
    /// The table's permissions are being changed.
    Held,
    /// Attributes are not acceptable.
    Attributes(Violations),
}

/// A permission that the control plane needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Permission {
    /// The control plane's C of the table.
    Create,
    /// The control plane's R of the entry.
    Read,
    /// The control plane's U of the entry.
    Update,
    /// The control plane's D of the entry.
    Delete,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "the table lacks the control plane's C permission",
            Self::Read => "the entry lacks the control plane's R permission",
            Self::Update => "the entry lacks the control plane's U permission",
            Self::Delete => "the entry lacks the control plane's D permission",
        })
    }
}

impl From<Violations> for Refusal {
    fn from(violations: Violations) -> Self {
        Self::Attributes(violations)
    }
}

/// The result of a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Write<K = FlowKey> {
    /// The write was done, and an update or a deletion has been reported. The entry is as it is
    /// now, or was when it was deleted.
    Done(Entry<K>),
    /// The write was refused.
    Refused(Refusal),
    /// The sink takes no event now. Nothing was changed; the write may be tried again.
    Busy,
}

impl<K, E: Into<Refusal>> From<E> for Write<K> {
    fn from(refusal: E) -> Self {
        Self::Refused(refusal.into())
    }
}

impl<T: FlowTable> Tracker<T> {
    /// Returns an entry, without refreshing it. An entry that has expired and only waits for its
    /// report does not exist any more.
    #[must_use]
    pub fn get(&self, key: &T::Key) -> Option<Entry<T::Key>> {
        let pos = self.live(key)?;
        Some(self.entry(pos, *key))
    }

    /// Returns the position of an entry that has not expired.
    fn live(&self, key: &T::Key) -> Option<Pos> {
        let pos = self.table.lookup(key)?;
        (self.program == Program::Attached && !self.table.mark(pos).dying()).then_some(pos)
    }

    /// Creates an entry and reports it. The entry is static unless the attributes say dynamic, and
    /// has the table's permissions without both C bits unless they name fewer.
    pub fn create(
        &mut self,
        now: Now,
        key: &T::Key,
        attributes: &Attributes,
        actor: ActorId,
        sink: &mut impl EventSink<T::Key>,
    ) -> Write<T::Key> {
        debug_assert!(self.between_batches(), "a batch is half probed");
        if self.program != Program::Attached {
            return Refusal::Detached.into();
        }
        if self.held {
            return Refusal::Held.into();
        }
        let table = self.config.permissions;
        let checked = match attributes.check(self.classes.profiles(), table, Target::New) {
            Ok(checked) => checked,
            Err(violations) => return violations.into(),
        };
        if !table.allows(Permissions::CONTROL_CREATE) {
            return Refusal::Denied(Permission::Create).into();
        }
        let hash = self.table.hash(key);
        if let Some(pos) = self.table.lookup_with_hash(key, hash) {
            if !self.table.mark(pos).dying() {
                let same = self.table.key_at(pos) == Some(*key);
                return if same { Refusal::Exists } else { Refusal::FingerprintCollision }.into();
            }
            // The entry has expired; once that is reported, it is gone.
            if !self.report(pos, now, sink) {
                return Write::Busy;
            }
        }
        let Ok(pos) = self.table.add_with_hash(key, hash) else { return Refusal::Full.into() };
        let (class, profile) = match checked.timer {
            Timer::Of(profile) => (self.classes.of_profile(profile), profile),
            Timer::Static | Timer::Kept => (STATIC, Default::default()),
        };
        let permissions = checked.permissions.unwrap_or(table.of_entry());
        self.write_new(now, pos, actor, permissions, profile);
        self.begin(now, pos, class);
        self.report_created(now, pos, key, sink);
        Write::Done(self.entry(pos, *key))
    }

    /// Updates an entry, restarts its timer, and reports it. What the attributes do not name stays.
    pub fn update(
        &mut self,
        now: Now,
        key: &T::Key,
        attributes: &Attributes,
        actor: ActorId,
        sink: &mut impl EventSink<T::Key>,
    ) -> Write<T::Key> {
        debug_assert!(self.between_batches(), "a batch is half probed");
        if self.program != Program::Attached {
            return Refusal::Detached.into();
        }
        let known = self.live(key).map(|pos| (pos, self.entry(pos, *key)));
        let target = known.map_or(Target::Unknown, |(_, entry)| Target::Known { dynamic: entry.dynamic() });
        let checked = match attributes.check(self.classes.profiles(), self.config.permissions, target) {
            Ok(checked) => checked,
            Err(violations) => return violations.into(),
        };
        let Some((pos, old)) = known else { return Refusal::NotFound.into() };
        if !old.permissions.allows(Permissions::CONTROL_UPDATE) {
            return Refusal::Denied(Permission::Update).into();
        }
        let (class, profile) = match checked.timer {
            Timer::Of(profile) => (self.classes.of_profile(profile), profile),
            Timer::Kept | Timer::Static => (self.table.mark(pos).class(), old.profile),
        };
        let new = Entry {
            last_used: now.stamp,
            rounds: 0,
            aging_ms: self.classes.aging_ms(class),
            profile,
            permissions: checked.permissions.unwrap_or(old.permissions),
            updater: actor,
            ..old
        };
        // What is still to be reported about the entry comes first.
        let event = Event { at_ns: now.ns, body: EventBody::Updated(new) };
        if !self.report(pos, now, sink) || !self.offer_in_order(&event, sink) {
            return Write::Busy;
        }
        self.table.cold_mut(pos).update(actor, new.permissions, profile);
        self.restart(now, pos, class);
        Write::Done(new)
    }

    /// Deletes an entry and reports it.
    pub fn remove(
        &mut self,
        now: Now,
        key: &T::Key,
        reason: DeleteReason,
        actor: ActorId,
        sink: &mut impl EventSink<T::Key>,
    ) -> Write<T::Key> {
        if self.program != Program::Attached {
            return Refusal::Detached.into();
        }
        match self.live(key) {
            Some(pos) => self.remove_live(now, pos, self.entry(pos, *key), reason, actor, sink),
            None => Refusal::NotFound.into(),
        }
    }

    /// Deletes and reports the entry at `pos`, which has not expired.
    pub(super) fn remove_live(
        &mut self,
        now: Now,
        pos: Pos,
        entry: Entry<T::Key>,
        reason: DeleteReason,
        actor: ActorId,
        sink: &mut impl EventSink<T::Key>,
    ) -> Write<T::Key> {
        debug_assert!(self.between_batches(), "a batch is half probed");
        if !entry.permissions.allows(Permissions::CONTROL_DELETE) {
            return Refusal::Denied(Permission::Delete).into();
        }
        // What is still to be reported about the entry comes first.
        let event = Event { at_ns: now.ns, body: EventBody::Deleted { entry, reason, actor } };
        if !self.report(pos, now, sink) || !self.offer_in_order(&event, sink) {
            return Write::Busy;
        }
        self.end(pos);
        self.counters.deleted += 1;
        Write::Done(entry)
    }
}
