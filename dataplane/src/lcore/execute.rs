//! Executes the commands about one table on the lcore that owns the shard: between two bursts, in
//! slices of bounded work.
//!
//! An iteration takes at most one command out of the mailbox, works on one slice of a flush, and on
//! one slice of all dumps together. A slice is a number of positions of the table. Commands are
//! executed in order, except that flushes and dumps go on beside the commands behind them.

use conntrack::event::Removed;
use conntrack::tracker::{Cursor, Flush, Permission, Refusal, Step, TableRefusal, Write};
use conntrack::{
    ActorId, DeleteReason, Entry, Event, EventBody, EventSink, FlowTable, Now, Permissions, Tracker,
};

use crate::lcore::family::TableKey;
use crate::lcore::filter::Filter;
use crate::lcore::generation::LinkGeneration;
use crate::lcore::mailbox::{Command, CommandId, Mailbox, Outcome, Reply, Task};
use crate::lcore::saving::{Part, SaveEnd, TableState};

/// Dumps of commands that one lcore works on at a time: the lists that the control service allows at a
/// time by default, and the sweep of authors.
const DUMPS: usize = 9;
/// The place of the checkpoint's dump, which is behind theirs.
const SAVED: usize = DUMPS;

/// Replies that a command may need before its first slice ends.
const REPLIES_OF_A_COMMAND: usize = 2;
/// Room that dumps leave in the mailbox, so that a long dump does not delay a short command.
const REPLIES_OF_OTHERS: usize = 4;

/// Executes the commands about one table of an lcore.
pub struct Executor<K: TableKey> {
    mailbox: Mailbox<K>,
    /// Where the checkpoint asks for entries, if one is written.
    saving: Option<SaveEnd<K>>,
    /// A command that cannot be finished yet: the event ring has no room for its event, it is a
    /// purge, or a flush before it has to end first.
    waiting: Option<Command<K>>,
    dumps: [Option<Dump>; DUMPS + 1],
    /// Number of dumps that go on. The places of `dumps` are in many cache lines, which an iteration
    /// without dumps must not read.
    dumping: usize,
    flush: Option<(Command<K>, Flush)>,
    /// Entries that the waiting purge has removed so far.
    purged: u64,
}

#[derive(Clone, Copy)]
struct Dump {
    id: CommandId,
    cursor: Cursor,
    wanted: Wanted,
}

/// Which entries a dump reads.
#[derive(Clone, Copy)]
#[expect(clippy::large_enum_variant, reason = "a filter lies in the command too: an lcore frees no memory")]
enum Wanted {
    Matching(Filter),
    /// Those that name a control program.
    Authored,
    /// All of them, for the checkpoint.
    Saved,
}

impl Wanted {
    fn matches<K: TableKey>(&self, entry: &Entry<K>, now: Now) -> bool {
        match self {
            Wanted::Matching(filter) => filter.matches(entry, now),
            Wanted::Saved => true,
            Wanted::Authored => [entry.creator, entry.updater].iter().any(|a| a.0 >= ActorId::FIRST_CONTROL),
        }
    }
}

/// How far a command has come.
enum Progress {
    /// It has ended.
    Ended(Outcome),
    /// It goes on in slices, and is answered at its end.
    Begun,
    /// It has to be tried again in the next iteration; the commands behind it wait too.
    Waits,
}

/// What a command works with in one iteration.
struct Slice<'a, T: FlowTable, S> {
    tracker: &'a mut Tracker<T>,
    now: Now,
    /// Positions of the table that may be looked at.
    positions: u32,
    /// The link that `sink` offers events for.
    link: Option<LinkGeneration>,
    sink: &'a mut S,
}

impl<K: TableKey, T: FlowTable<Key = K>, S: EventSink<K>> Slice<'_, T, S> {
    /// Reports the end of a command. Returns `false` when it has to be tried again: the ring is
    /// full. A command of another link is not reported.
    fn report(&mut self, command: &Command<K>, body: EventBody<K>) -> bool {
        command.link != self.link || self.sink.offer(&Event { at_ns: self.now.ns, body })
    }
}

impl<K: TableKey> Executor<K> {
    /// Makes an executor for the commands that come into `mailbox`.
    #[must_use]
    pub fn new(mailbox: Mailbox<K>) -> Self {
        Executor {
            mailbox,
            saving: None,
            waiting: None,
            dumps: [None; DUMPS + 1],
            dumping: 0,
            flush: None,
            purged: 0,
        }
    }

    /// Answers the checkpoint over `saving`.
    #[must_use]
    pub(super) fn with_saving(mut self, saving: SaveEnd<K>) -> Self {
        self.saving = Some(saving);
        self
    }

    /// Begins the dump that the checkpoint asks for, unless the one before has not ended.
    #[inline]
    pub(super) fn notice_saving(&mut self) {
        if self.dumps[SAVED].is_none() && self.saving.as_ref().is_some_and(SaveEnd::take_ask) {
            self.dumps[SAVED] = Some(Dump { id: 0, cursor: Cursor::default(), wanted: Wanted::Saved });
            self.count_dumps();
        }
    }

    /// Works on `command`, which [`Executor::take_command`] has returned, and on what has begun. A flush
    /// looks at no more than `positions` positions of the table, a purge too, and all dumps together
    /// too. `link` is the link that `sink` offers events for; it is polled after the command was
    /// taken, so that the command's own link is known.
    #[inline]
    pub fn run<T: FlowTable<Key = K>>(
        &mut self,
        command: Option<Command<K>>,
        tracker: &mut Tracker<T>,
        now: Now,
        positions: u32,
        link: Option<LinkGeneration>,
        sink: &mut impl EventSink<K>,
    ) {
        if let Some(command) = command {
            // The command sees the table as it is after all frames that came before it.
            tracker.drain(now, sink);
            let mut slice = Slice { tracker, now, positions, link, sink };
            match self.execute(&command, &mut slice) {
                Progress::Ended(outcome) => self.mailbox.reply(Reply::Done { id: command.id, outcome }),
                Progress::Begun => {}
                Progress::Waits => self.waiting = Some(command),
            }
        }
        if self.flush.is_some() {
            self.flush_slice(&mut Slice { tracker, now, positions, link, sink });
        }
        if self.dumping > 0 {
            self.dump_slice(tracker, now, positions);
        }
    }

    /// Returns `true` when a flush or a dump goes on, which has a slice of the table in every
    /// iteration.
    #[inline]
    pub(super) fn goes_on(&self) -> bool {
        self.flush.is_some() || self.dumping > 0
    }

    /// Takes the command to execute: the one that waits, else the next one. Returns none while the
    /// mailbox has no room for its replies.
    #[inline]
    pub fn take_command(&mut self) -> Option<Command<K>> {
        let nothing = self.waiting.is_none() && self.mailbox.is_empty();
        if nothing || !self.mailbox.has_room(REPLIES_OF_A_COMMAND) {
            return None;
        }
        self.waiting.take().or_else(|| self.mailbox.take())
    }

    fn execute<T: FlowTable<Key = K>, S: EventSink<K>>(
        &mut self,
        command: &Command<K>,
        slice: &mut Slice<'_, T, S>,
    ) -> Progress {
        let (id, now) = (command.id, slice.now);
        // A purge that has begun goes on to its end.
        let purging = matches!(command.task, Task::Purge) && !slice.tracker.attached();
        if now.ns >= command.until_ns && !purging {
            return Progress::Ended(Outcome::Late);
        }
        let outcome = match &command.task {
            Task::Get(key) => self.get(id, now, key, slice.tracker),
            Task::Create(key, attributes, actor) => {
                let written = slice.tracker.create(now, key, attributes, *actor, slice.sink);
                return self.written(id, now, written);
            }
            Task::Update(key, attributes, actor) => {
                let written = slice.tracker.update(now, key, attributes, *actor, slice.sink);
                return self.written(id, now, written);
            }
            Task::Remove(key, actor) => {
                let written = slice.tracker.remove(now, key, DeleteReason::Control, *actor, slice.sink);
                return self.written(id, now, written);
            }
            Task::Dump(filter) => return self.begin_dump(id, Wanted::Matching(*filter)),
            Task::Authored => return self.begin_dump(id, Wanted::Authored),
            Task::Cancel(dump) => {
                let places = self.dumps[..DUMPS].iter_mut();
                places.filter(|d| d.is_some_and(|d| d.id == *dump)).for_each(|d| *d = None);
                self.count_dumps();
                Outcome::OK
            }
            Task::Flush(..) | Task::Purge if self.flush.is_some() => return Progress::Waits,
            Task::Flush(..) if !slice.tracker.attached() => Outcome::Refused(Refusal::Detached),
            Task::Flush(_, actor) => {
                self.flush = Some((*command, Flush::new(now, *actor)));
                return Progress::Begun;
            }
            Task::Count => {
                let table = slice.tracker.table();
                let entries = if slice.tracker.attached() { table.len() } else { 0 };
                self.mailbox.reply(Reply::Count { id, entries, capacity: table.capacity() });
                Outcome::OK
            }
            Task::Hold(change) => table_outcome(slice.tracker.hold(change)),
            Task::Change(change) => table_outcome(slice.tracker.change_table(change)),
            Task::Release => {
                slice.tracker.release();
                Outcome::OK
            }
            Task::Purge => return self.purge(command, slice),
            // The event comes before those of what will be created.
            Task::Load if !slice.report(command, EventBody::Loaded) => return Progress::Waits,
            Task::Load => {
                slice.tracker.attach();
                Outcome::OK
            }
        };
        Progress::Ended(outcome)
    }

    fn get<T: FlowTable<Key = K>>(&self, id: CommandId, now: Now, key: &K, tracker: &Tracker<T>) -> Outcome {
        match tracker.get(key) {
            Some(entry) if !entry.permissions.allows(Permissions::CONTROL_READ) => {
                Outcome::Refused(Refusal::Denied(Permission::Read))
            }
            Some(entry) => {
                self.mailbox.reply(Reply::Entry { id, at_ns: now.ns, entry });
                Outcome::OK
            }
            None => Outcome::Refused(Refusal::NotFound),
        }
    }

    /// Answers a write.
    fn written(&self, id: CommandId, now: Now, written: Write<K>) -> Progress {
        match written {
            Write::Done(entry) => {
                self.mailbox.reply(Reply::Entry { id, at_ns: now.ns, entry });
                Progress::Ended(Outcome::OK)
            }
            Write::Refused(refusal) => Progress::Ended(Outcome::Refused(refusal)),
            Write::Busy => Progress::Waits,
        }
    }

    fn begin_dump(&mut self, id: CommandId, wanted: Wanted) -> Progress {
        match self.dumps[..DUMPS].iter_mut().find(|d| d.is_none()) {
            Some(place) => {
                *place = Some(Dump { id, cursor: Cursor::default(), wanted });
                self.count_dumps();
                Progress::Begun
            }
            None => Progress::Ended(Outcome::TooManyDumps),
        }
    }

    fn count_dumps(&mut self) {
        self.dumping = self.dumps.iter().flatten().count();
    }

    /// Purges a slice. The commands behind it wait: there is no entry that they could be about.
    fn purge<T: FlowTable<Key = K>, S: EventSink<K>>(
        &mut self,
        command: &Command<K>,
        slice: &mut Slice<'_, T, S>,
    ) -> Progress {
        slice.tracker.detach();
        let (gone, all) = slice.tracker.purge(slice.positions);
        self.purged += gone;
        if !all || !slice.report(command, EventBody::Purged(self.purged)) {
            return Progress::Waits;
        }
        if command.link != slice.link {
            // Entries that the present link knows have gone without an event.
            slice.tracker.start_resync();
        }
        let deleted = std::mem::take(&mut self.purged);
        Progress::Ended(Outcome::Done(Removed { deleted, failed: 0 }))
    }

    fn flush_slice<T: FlowTable<Key = K>, S: EventSink<K>>(&mut self, slice: &mut Slice<'_, T, S>) {
        let Some((command, mut flush)) = self.flush else { return };
        let Task::Flush(filter, _) = command.task else { return };
        let now = slice.now;
        let matches = |entry: &Entry<K>| filter.matches(entry, now);
        let all = slice.tracker.flush(now, &mut flush, slice.positions, matches, slice.sink);
        self.flush = Some((command, flush));
        if all && self.mailbox.has_room(1) && slice.report(&command, EventBody::Flushed(flush.removed)) {
            self.flush = None;
            self.mailbox.reply(Reply::Done { id: command.id, outcome: Outcome::Done(flush.removed) });
        }
    }

    fn dump_slice<T: FlowTable<Key = K>>(&mut self, tracker: &Tracker<T>, now: Now, mut positions: u32) {
        for place in 0..self.dumps.len() {
            let Some(Dump { id, mut cursor, wanted }) = self.dumps[place] else { continue };
            while self.has_room_for(&wanted) {
                match tracker.step(&mut cursor, &mut positions) {
                    Step::Entry(entry) if !wanted.matches(&entry, now) => {}
                    Step::Entry(entry) => self.send_entry(id, &wanted, now, entry),
                    Step::Pause => break,
                    Step::End => {
                        self.send_end(id, &wanted, TableState::of(tracker));
                        self.dumps[place] = None;
                        self.count_dumps();
                        break;
                    }
                }
            }
            if let Some(dump) = &mut self.dumps[place] {
                dump.cursor = cursor;
            }
        }
    }

    fn has_room_for(&self, wanted: &Wanted) -> bool {
        match (wanted, &self.saving) {
            (Wanted::Saved, Some(saving)) => saving.has_room(),
            _ => self.mailbox.has_room(REPLIES_OF_OTHERS),
        }
    }

    fn send_entry(&self, id: CommandId, wanted: &Wanted, now: Now, entry: Entry<K>) {
        match (wanted, &self.saving) {
            (Wanted::Saved, Some(saving)) => saving.send(Part::Entry { at_ns: now.ns, entry }),
            _ => self.mailbox.reply(Reply::Entry { id, at_ns: now.ns, entry }),
        }
    }

    fn send_end(&self, id: CommandId, wanted: &Wanted, state: TableState) {
        match (wanted, &self.saving) {
            (Wanted::Saved, Some(saving)) => saving.send(Part::End(state)),
            _ => self.mailbox.reply(Reply::Done { id, outcome: Outcome::OK }),
        }
    }
}

fn table_outcome(result: Result<(), TableRefusal>) -> Outcome {
    result.map_or_else(Outcome::TableRefused, |()| Outcome::OK)
}

#[cfg(test)]
mod tests;
