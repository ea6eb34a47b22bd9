//! What the control plane does to a shard.
//!
//! Writes check everything before they change anything, and report before they
//! return; only a creation's report may wait in the table, as a learned one's does.
//! What would take long is a cursor: the caller goes on with it, slice by slice,
//! between bursts.

use core::fmt;

use super::{Program, Tracker};
use crate::aging::BLOCK;
use crate::attributes::{AttributeError, Attributes, Timer};
use crate::classes::STATIC;
use crate::entry::{ActorId, Entry, Mark};
use crate::event::{DeleteReason, Event, EventBody, EventSink};
use crate::key::FlowKey;
use crate::permission::Permissions;
use crate::table::{FlowTable, Pos};
use crate::timeout::{Now, Profiles};

/// Why a write was refused. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// There is no such entry.
    NotFound,
    /// There is one already.
    Exists,
    /// This permission bit is missing: of the table for a creation, else of the entry.
    Denied(Permission),
    /// The shard holds as many entries as it may.
    Full,
    /// The program is detached.
    Detached,
    /// The table's permissions are being changed.
    Held,
    /// An attribute is not acceptable.
    Attribute(AttributeError),
}

/// A permission that the control plane needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Permission {
    /// C of the table's control half.
    Create,
    /// R of the entry's control half.
    Read,
    /// U of the entry's control half.
    Update,
    /// D of the entry's control half.
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

impl From<AttributeError> for Refusal {
    fn from(error: AttributeError) -> Self {
        Self::Attribute(error)
    }
}

/// How an attempt to write an entry ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Write {
    /// Done; an update and a deletion have been reported. The entry as it is now, or
    /// was when it was deleted.
    Done(Entry),
    /// Not done.
    Refused(Refusal),
    /// The sink takes no event now: nothing was changed, try again.
    Busy,
}

impl<E: Into<Refusal>> From<E> for Write {
    fn from(refusal: E) -> Self {
        Self::Refused(refusal.into())
    }
}

/// What a flush has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Removed {
    /// Entries deleted.
    pub deleted: u64,
    /// Entries left, because they lack the D permission.
    pub failed: u64,
}

/// A flush that is going on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flush {
    cursor: Cursor,
    /// Entries that were created later stay, else a flush under load might not end.
    until_ms: u64,
    actor: ActorId,
    /// What it has done so far.
    pub removed: Removed,
}

impl Flush {
    /// A flush of what is there now, for `actor`.
    #[must_use]
    pub fn new(now: Now, actor: ActorId) -> Self {
        Flush { cursor: Cursor::default(), until_ms: now.ns / 1_000_000, actor, removed: Removed::default() }
    }
}

/// One step of an enumeration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// An entry.
    Entry(Entry),
    /// None in this slice; there may be more.
    Pause,
    /// That was all.
    End,
}

/// Where an enumeration is. Entries never move, so a cursor is a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cursor(pub(super) u32);

/// A change of the table's attributes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableChange {
    /// All timer profiles, as many as before. Entries keep the aging that they have.
    pub profiles: Profiles,
    /// The permissions; others than before only while the table is empty.
    pub permissions: Permissions,
}

/// Why a table cannot be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableRefusal {
    /// Permissions change only while the table is empty.
    NotEmpty,
    /// Entries have too many different aging values; some with old ones have to go first.
    TooManyAgings,
    /// The program is detached.
    Detached,
}

impl<T: FlowTable> Tracker<T> {
    /// Reads an entry, without refreshing it. One that has expired and only
    /// waits for its report is gone already.
    #[must_use]
    pub fn get(&self, key: &FlowKey) -> Option<Entry> {
        let pos = self.live(key)?;
        Some(self.entry(pos, *key))
    }

    fn live(&self, key: &FlowKey) -> Option<Pos> {
        let pos = self.table.lookup(key)?;
        (self.program == Program::Attached && !self.table.mark(pos).dying()).then_some(pos)
    }

    /// Creates an entry for the control plane and reports it. Static unless it
    /// is to be dynamic; permissions as the table's without both C bits unless
    /// fewer are asked for.
    pub fn create(
        &mut self,
        now: Now,
        key: &FlowKey,
        attributes: &Attributes,
        actor: ActorId,
        sink: &mut impl EventSink,
    ) -> Write {
        if self.program != Program::Attached {
            return Refusal::Detached.into();
        }
        if self.held {
            return Refusal::Held.into();
        }
        let table = self.config.permissions;
        let (checked, timer) = match attributes
            .check(self.classes.profiles(), table)
            .and_then(|checked| Ok((checked, checked.timer_of_new()?)))
        {
            Ok(sound) => sound,
            Err(error) => return error.into(),
        };
        if !table.allows(Permissions::CONTROL_CREATE) {
            return Refusal::Denied(Permission::Create).into();
        }
        let hash = self.table.hash(key);
        if let Some(pos) = self.table.lookup_with_hash(key, hash) {
            if !self.table.mark(pos).dying() {
                return Refusal::Exists.into();
            }
            // It has expired; when that is told, it is gone.
            if !self.report(pos, now, sink) {
                return Write::Busy;
            }
        }
        let Ok(pos) = self.table.add_with_hash(key, hash) else { return Refusal::Full.into() };
        let (class, profile) = match timer {
            Timer::Of(profile) => (self.classes.of_profile(profile), profile),
            Timer::Static | Timer::Kept => (STATIC, Default::default()),
        };
        let permissions = checked.permissions.unwrap_or(table.of_entry());
        self.begin(now, pos, actor, permissions, profile);
        self.admit(now, pos, key, class, sink);
        Write::Done(self.entry(pos, *key))
    }

    /// Updates an entry for the control plane, restarts its timer, and reports
    /// it. What is not asked for stays.
    pub fn update(
        &mut self,
        now: Now,
        key: &FlowKey,
        attributes: &Attributes,
        actor: ActorId,
        sink: &mut impl EventSink,
    ) -> Write {
        if self.program != Program::Attached {
            return Refusal::Detached.into();
        }
        let checked = match attributes.check(self.classes.profiles(), self.config.permissions) {
            Ok(checked) => checked,
            Err(error) => return error.into(),
        };
        let Some(pos) = self.live(key) else { return Refusal::NotFound.into() };
        let old = self.entry(pos, *key);
        if !old.permissions.allows(Permissions::CONTROL_UPDATE) {
            return Refusal::Denied(Permission::Update).into();
        }
        let (class, profile) = match checked.timer_of_known(old.dynamic()) {
            Ok(Timer::Of(profile)) => (self.classes.of_profile(profile), profile),
            Ok(Timer::Kept | Timer::Static) => (self.table.mark(pos).class(), old.profile),
            Err(error) => return error.into(),
        };
        let new = Entry {
            last_used: now.stamp,
            aging_ms: self.classes.aging_ms(class),
            profile,
            permissions: checked.permissions.unwrap_or(old.permissions),
            updater: actor,
            ..old
        };
        // What it has still to tell comes first.
        let event = Event { at_ns: now.ns, body: EventBody::Updated(new) };
        if !self.report(pos, now, sink) || !self.offer_again(&event, sink) {
            return Write::Busy;
        }
        self.table.cold_mut(pos).update(actor, new.permissions, profile);
        let mark = self.table.mark(pos);
        self.classes.leave(mark.class());
        self.classes.join(class);
        self.table.set_mark(pos, mark.with_class(class));
        self.table.set_stamp(pos, now.stamp);
        if new.dynamic() {
            self.wheel.schedule(pos.0 / BLOCK, now.stamp.plus(new.aging_ms));
        }
        Write::Done(new)
    }

    /// Deletes an entry for the control plane and reports it.
    pub fn remove(
        &mut self,
        now: Now,
        key: &FlowKey,
        reason: DeleteReason,
        actor: ActorId,
        sink: &mut impl EventSink,
    ) -> Write {
        if self.program != Program::Attached {
            return Refusal::Detached.into();
        }
        match self.live(key) {
            Some(pos) => self.remove_live(now, pos, self.entry(pos, *key), reason, actor, sink),
            None => Refusal::NotFound.into(),
        }
    }

    fn remove_live(
        &mut self,
        now: Now,
        pos: Pos,
        entry: Entry,
        reason: DeleteReason,
        actor: ActorId,
        sink: &mut impl EventSink,
    ) -> Write {
        if !entry.permissions.allows(Permissions::CONTROL_DELETE) {
            return Refusal::Denied(Permission::Delete).into();
        }
        // What it has still to tell comes first.
        let event = Event { at_ns: now.ns, body: EventBody::Deleted { entry, reason, actor } };
        if !self.report(pos, now, sink) || !self.offer_again(&event, sink) {
            return Write::Busy;
        }
        self.drop_at(pos);
        self.counters.deleted += 1;
        Write::Done(entry)
    }

    /// Goes on with a flush: deletes and reports the entries for which `matches`
    /// holds, looking at no more than `positions` positions. An entry without the
    /// D permission stays and counts as failed. True when every entry has been looked at.
    pub fn flush(
        &mut self,
        now: Now,
        flush: &mut Flush,
        mut positions: u32,
        matches: impl Fn(&Entry) -> bool,
        sink: &mut impl EventSink,
    ) -> bool {
        loop {
            match self.step(&mut flush.cursor, &mut positions) {
                Step::Pause => return false,
                Step::End => return true,
                Step::Entry(entry) if entry.created_ms > flush.until_ms || !matches(&entry) => {}
                Step::Entry(entry) => {
                    let pos = Pos(flush.cursor.0 - 1);
                    match self.remove_live(now, pos, entry, DeleteReason::Flush, flush.actor, sink) {
                        Write::Done(_) => flush.removed.deleted += 1,
                        Write::Refused(_) => flush.removed.failed += 1,
                        Write::Busy => {
                            flush.cursor.0 -= 1;
                            return false;
                        }
                    }
                }
            }
        }
    }

    /// The next entry of an enumeration, looking at no more than `positions`
    /// positions, of which those looked at are taken off. An entry that is
    /// alive throughout is met exactly once.
    pub fn step(&self, cursor: &mut Cursor, positions: &mut u32) -> Step {
        if self.program != Program::Attached {
            return Step::End;
        }
        self.walk(cursor, positions, false)
    }

    pub(super) fn walk(&self, cursor: &mut Cursor, positions: &mut u32, with_dying: bool) -> Step {
        while *positions > 0 {
            if cursor.0 >= self.table.positions() {
                return Step::End;
            }
            *positions -= 1;
            let pos = Pos(cursor.0);
            cursor.0 += 1;
            if let Some(key) = self.table.key_at(pos)
                && (with_dying || !self.table.mark(pos).dying())
            {
                return Step::Entry(self.entry(pos, key));
            }
        }
        Step::Pause
    }

    /// Whether [`Tracker::change_table`] would succeed; if so, and if permissions
    /// are to change, no entry is created until that or [`Tracker::release`]. So a
    /// table of several shards changes in all of them or in none.
    ///
    /// # Errors
    /// Says why not.
    pub fn hold(&mut self, change: &TableChange) -> Result<(), TableRefusal> {
        if self.program != Program::Attached {
            return Err(TableRefusal::Detached);
        }
        let permissions = change.permissions != self.config.permissions;
        if permissions && !self.table.is_empty() {
            return Err(TableRefusal::NotEmpty);
        }
        self.classes.can_take(&change.profiles).map_err(|_| TableRefusal::TooManyAgings)?;
        self.held = permissions;
        Ok(())
    }

    /// Lets entries be created again.
    pub fn release(&mut self) {
        self.held = false;
    }

    /// Makes a change that [`Tracker::hold`] has found possible.
    ///
    /// # Errors
    /// When it is not.
    pub fn change_table(&mut self, change: &TableChange) -> Result<(), TableRefusal> {
        self.hold(change)?;
        self.release();
        self.classes.set_profiles(change.profiles).map_err(|_| TableRefusal::TooManyAgings)?;
        self.config.permissions = change.permissions;
        Ok(())
    }

    /// Detaches the program. Frames pass untracked from now on; what is in the
    /// table counts as gone, and [`Tracker::purge`] takes it out.
    pub fn detach(&mut self) {
        if self.program == Program::Attached {
            self.program = Program::Purging(0);
            // Reports about entries that have gone before: the table is empty says it all.
            self.backlog.clear();
        }
    }

    /// Goes on taking entries out of a detached table, looking at no more than
    /// `positions` positions. Says how many went that had not expired, and whether that was all.
    pub fn purge(&mut self, positions: u32) -> (u64, bool) {
        let Program::Purging(first) = self.program else { return (0, true) };
        let end = first.saturating_add(positions).min(self.table.positions());
        let mut gone = 0;
        for pos in (first..end).map(Pos) {
            if self.table.key_at(pos).is_some() {
                // What had expired, and only waited to be told, was counted then.
                gone += u64::from(!self.table.mark(pos).dying());
                self.drop_at(pos);
            }
        }
        self.counters.deleted += gone;
        let all = end == self.table.positions();
        self.program = if all { Program::Detached } else { Program::Purging(end) };
        (gone, all)
    }

    /// Attaches the program again, once a purge has ended.
    pub fn attach(&mut self) {
        debug_assert!(!matches!(self.program, Program::Purging(_)), "the purge has not ended");
        self.program = Program::Attached;
    }

    /// True while the program is attached.
    #[must_use]
    pub fn attached(&self) -> bool {
        self.program == Program::Attached
    }

    /// The table's permissions.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        self.config.permissions
    }

    /// Brings a new entry to life whose cold part is written: stamp, mark, timer,
    /// and its CREATED, which waits in the table when the sink does not take it.
    pub(super) fn admit(&mut self, now: Now, pos: Pos, key: &FlowKey, class: u8, sink: &mut impl EventSink) {
        self.table.set_stamp(pos, now.stamp);
        self.table.set_mark(pos, Mark::new(class));
        self.classes.join(class);
        if class != STATIC {
            self.wheel.schedule(pos.0 / BLOCK, now.stamp.plus(self.classes.aging_ms(class)));
        }
        let event = Event { at_ns: now.ns, body: EventBody::Created(self.entry(pos, *key)) };
        if !self.offer(&event, sink) {
            self.defer(pos, self.table.mark(pos).with_unreported(true));
        }
    }
}
