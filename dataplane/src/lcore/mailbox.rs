//! The one door through which commands reach an lcore. They are executed by
//! the lcore that owns the shard, between two bursts, within a budget.

use conntrack::tracker::{
    Cursor, Flush, Permission, Refusal, Removed, Step, TableChange, TableRefusal, Write,
};
use conntrack::{
    ActorId, Attributes, DeleteReason, Entry, Event, EventBody, EventSink, FlowKey, FlowTable, Now,
    Permissions, Tracker,
};
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::lcore::filter::Filter;

/// Commands that may wait at one lcore.
const MAILBOX: usize = 256;
/// Parts of answers that may wait to be fetched from one lcore.
const REPLIES: usize = 8192;
/// Dumps that one lcore works on at a time.
const DUMPS: usize = 4;

/// Identifies a command to whoever sent it.
pub type CommandId = u64;

/// Something for one shard to do.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// Names it in the answer.
    pub id: CommandId,
    /// The link that it came over, by its generation. What a flush, a purge or a
    /// load has to tell as a whole is told on that link or not at all: a resync of
    /// the later link tells the difference.
    pub link: u32,
    /// Not executed after this, nanoseconds since the clock's start.
    pub until_ns: u64,
    /// What to do.
    pub task: Task,
}

/// What to do. A filter lies in it as it is: an lcore frees no memory.
#[derive(Clone, Copy, Debug)]
pub enum Task {
    /// Read one entry.
    Get(FlowKey),
    /// Create one entry.
    Create(FlowKey, Attributes, ActorId),
    /// Update one entry.
    Update(FlowKey, Attributes, ActorId),
    /// Delete one entry.
    Remove(FlowKey, ActorId),
    /// Read every entry that the filter matches.
    Dump(Filter),
    /// Read every entry that names a control program.
    Authored,
    /// Give up the dump with this id.
    Cancel(CommandId),
    /// Delete every entry that the filter matches.
    Flush(Filter, ActorId),
    /// Count the entries.
    Count,
    /// Find out whether the table can be changed so, and keep it as it is until then.
    Hold(TableChange),
    /// Change the table.
    Change(TableChange),
    /// Give up a change of the table.
    Release,
    /// Detach the program and empty the table.
    Purge,
    /// Attach the program.
    Load,
}

/// How a command ended on one shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done; of a flush and a purge, with this result.
    Done(Removed),
    /// Not done.
    Refused(Refusal),
    /// The table cannot be changed so.
    TableRefused(TableRefusal),
    /// Too many dumps at a time.
    TooManyDumps,
    /// Its time had run out.
    Late,
}

impl Outcome {
    /// Done, and nothing was removed.
    pub const OK: Outcome = Outcome::Done(Removed { deleted: 0, failed: 0 });
}

/// Part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An entry read or changed.
    Entry {
        /// Of the command.
        id: CommandId,
        /// When it was read, nanoseconds since the clock's start.
        at_ns: u64,
        /// The entry.
        entry: Entry,
    },
    /// Answer to [`Task::Count`].
    Count {
        /// Of the command.
        id: CommandId,
        /// Entries that the shard holds.
        entries: u32,
        /// Entries that it may hold.
        capacity: u32,
    },
    /// The end of the answer.
    Done {
        /// Of the command.
        id: CommandId,
        /// How it ended.
        outcome: Outcome,
    },
}

/// The far end of an lcore's door, for the exporter.
pub struct Door {
    /// Commands in. Full when the lcore is behind.
    pub commands: Sender<Command>,
    /// Answers out.
    pub replies: Receiver<Reply>,
}

/// The lcore's end.
pub struct Mailbox {
    commands: Receiver<Command>,
    replies: Sender<Reply>,
    /// A command that cannot be finished yet: its event waits for the ring, or a
    /// flush before it has to end first.
    waiting: Option<Command>,
    dumps: [Option<Dump>; DUMPS],
    flush: Option<(Command, Flush)>,
    /// Entries that the purge which is waiting has removed so far.
    purged: u64,
}

#[derive(Clone, Copy)]
struct Dump {
    id: CommandId,
    cursor: Cursor,
    wanted: Wanted,
}

/// Which entries a dump is about.
#[derive(Clone, Copy)]
#[expect(clippy::large_enum_variant, reason = "as in the command")]
enum Wanted {
    Matching(Filter),
    Authored,
}

impl Wanted {
    fn has(&self, entry: &Entry, now: Now) -> bool {
        match self {
            Wanted::Matching(filter) => filter.matches(entry, now),
            Wanted::Authored => [entry.creator, entry.updater].iter().any(|a| a.0 >= ActorId::FIRST_CONTROL),
        }
    }
}

/// Makes a door.
#[must_use]
pub fn door() -> (Door, Mailbox) {
    let (commands, inbox) = bounded(MAILBOX);
    let (outbox, replies) = bounded(REPLIES);
    let mailbox = Mailbox {
        commands: inbox,
        replies: outbox,
        waiting: None,
        dumps: [None; DUMPS],
        flush: None,
        purged: 0,
    };
    (Door { commands, replies }, mailbox)
}

/// How far a command has come.
enum Progress {
    /// To its end.
    Ended(Outcome),
    /// It goes on in slices, and is answered at its end.
    Begun,
    /// No further now; the commands behind it wait as well.
    Waits,
}

/// What a command may need of its lcore.
struct Desk<'a, T, S> {
    tracker: &'a mut Tracker<T>,
    now: Now,
    positions: u32,
    sink: &'a mut S,
    /// Generation of the link that stands.
    link: u32,
}

impl<T: FlowTable, S: EventSink> Desk<'_, T, S> {
    /// Offers what a command has to tell as a whole; true when that is settled.
    fn tell(&mut self, command: &Command, body: EventBody) -> bool {
        command.link != self.link || self.sink.offer(&Event { at_ns: self.now.ns, body })
    }
}

impl Mailbox {
    /// Executes what has come in, for at most `positions` positions of the table.
    /// `link` is the generation of the link that the sink's events go to.
    #[inline]
    pub fn run<T: FlowTable>(
        &mut self,
        tracker: &mut Tracker<T>,
        now: Now,
        positions: u32,
        link: u32,
        sink: &mut impl EventSink,
    ) {
        if let Some(command) = self.next() {
            // What came before it comes first.
            tracker.settle(now, sink);
            let mut desk = Desk { tracker, now, positions, sink, link };
            match self.execute(&command, &mut desk) {
                Progress::Ended(outcome) => self.answer(Reply::Done { id: command.id, outcome }),
                Progress::Begun => {}
                Progress::Waits => self.waiting = Some(command),
            }
        }
        if self.flush.is_some() {
            self.flush_slice(&mut Desk { tracker, now, positions, sink, link });
        }
        if self.dumps.iter().any(Option::is_some) {
            self.dump_slice(tracker, now, positions);
        }
    }

    /// A command is only taken up, or again, when its answer has room: two parts at most.
    fn next(&mut self) -> Option<Command> {
        // The emptiness check is one load; a refused `try_recv` costs more.
        if self.waiting.is_none() && self.commands.is_empty() || !self.has_room(2) {
            return None;
        }
        self.waiting.take().or_else(|| self.commands.try_recv().ok())
    }

    fn has_room(&self, parts: usize) -> bool {
        self.replies.len() + parts <= REPLIES
    }

    /// There is room, because this lcore is the only sender and has looked.
    fn answer(&self, reply: Reply) {
        let sent = self.replies.try_send(reply);
        debug_assert!(sent.is_ok(), "room was checked");
    }

    fn execute<T: FlowTable, S: EventSink>(
        &mut self,
        command: &Command,
        desk: &mut Desk<'_, T, S>,
    ) -> Progress {
        let (id, now) = (command.id, desk.now);
        let purging = matches!(command.task, Task::Purge) && !desk.tracker.attached();
        if now.ns >= command.until_ns && !purging {
            return Progress::Ended(Outcome::Late);
        }
        let outcome = match &command.task {
            Task::Get(key) => match desk.tracker.get(key) {
                Some(entry) if !entry.permissions.allows(Permissions::CONTROL_READ) => {
                    Outcome::Refused(Refusal::Denied(Permission::Read))
                }
                Some(entry) => {
                    self.answer(Reply::Entry { id, at_ns: now.ns, entry });
                    Outcome::OK
                }
                None => Outcome::Refused(Refusal::NotFound),
            },
            Task::Create(key, attributes, actor) => {
                let written = desk.tracker.create(now, key, attributes, *actor, desk.sink);
                return self.written(id, now, written);
            }
            Task::Update(key, attributes, actor) => {
                let written = desk.tracker.update(now, key, attributes, *actor, desk.sink);
                return self.written(id, now, written);
            }
            Task::Remove(key, actor) => {
                let written = desk.tracker.remove(now, key, DeleteReason::Control, *actor, desk.sink);
                return self.written(id, now, written);
            }
            Task::Dump(filter) => return self.begin_dump(id, Wanted::Matching(*filter)),
            Task::Authored => return self.begin_dump(id, Wanted::Authored),
            Task::Cancel(dump) => {
                for place in self.dumps.iter_mut().filter(|d| d.is_some_and(|d| d.id == *dump)) {
                    *place = None;
                }
                Outcome::OK
            }
            Task::Flush(..) | Task::Purge if self.flush.is_some() => return Progress::Waits,
            Task::Flush(_, actor) => {
                if !desk.tracker.attached() {
                    return Progress::Ended(Outcome::Refused(Refusal::Detached));
                }
                self.flush = Some((*command, Flush::new(now, *actor)));
                return Progress::Begun;
            }
            Task::Count => {
                let table = desk.tracker.table();
                let entries = if desk.tracker.attached() { table.len() } else { 0 };
                self.answer(Reply::Count { id, entries, capacity: table.capacity() });
                Outcome::OK
            }
            Task::Hold(change) => table_outcome(desk.tracker.hold(change)),
            Task::Change(change) => table_outcome(desk.tracker.change_table(change)),
            Task::Release => {
                desk.tracker.release();
                Outcome::OK
            }
            Task::Purge => return self.purge(command, desk),
            Task::Load => {
                // Before what will be created.
                if !desk.tell(command, EventBody::Loaded) {
                    return Progress::Waits;
                }
                desk.tracker.attach();
                Outcome::OK
            }
        };
        Progress::Ended(outcome)
    }

    /// The answer to a write.
    fn written(&self, id: CommandId, now: Now, written: Write) -> Progress {
        match written {
            Write::Done(entry) => {
                self.answer(Reply::Entry { id, at_ns: now.ns, entry });
                Progress::Ended(Outcome::OK)
            }
            Write::Refused(refusal) => Progress::Ended(Outcome::Refused(refusal)),
            Write::Busy => Progress::Waits,
        }
    }

    fn begin_dump(&mut self, id: CommandId, wanted: Wanted) -> Progress {
        match self.dumps.iter_mut().find(|d| d.is_none()) {
            Some(place) => {
                *place = Some(Dump { id, cursor: Cursor::default(), wanted });
                Progress::Begun
            }
            None => Progress::Ended(Outcome::TooManyDumps),
        }
    }

    /// Purges a slice. The commands behind it wait: there is nothing that they could be about.
    fn purge<T: FlowTable, S: EventSink>(
        &mut self,
        command: &Command,
        desk: &mut Desk<'_, T, S>,
    ) -> Progress {
        desk.tracker.detach();
        let (gone, all) = desk.tracker.purge(desk.positions);
        self.purged += gone;
        if !all || !desk.tell(command, EventBody::Purged(self.purged)) {
            return Progress::Waits;
        }
        if command.link != desk.link {
            // The link that stands may have been told of entries that went without a word.
            desk.tracker.start_resync();
        }
        let deleted = std::mem::take(&mut self.purged);
        Progress::Ended(Outcome::Done(Removed { deleted, failed: 0 }))
    }

    fn flush_slice<T: FlowTable, S: EventSink>(&mut self, desk: &mut Desk<'_, T, S>) {
        let Some((command, mut flush)) = self.flush else { return };
        let Task::Flush(filter, _) = command.task else { return };
        let now = desk.now;
        let matches = |entry: &Entry| filter.matches(entry, now);
        let all = desk.tracker.flush(now, &mut flush, desk.positions, matches, desk.sink);
        self.flush = Some((command, flush));
        if all && self.has_room(1) && desk.tell(&command, EventBody::Flushed(flush.removed)) {
            self.flush = None;
            self.answer(Reply::Done { id: command.id, outcome: Outcome::Done(flush.removed) });
        }
    }

    fn dump_slice<T: FlowTable>(&mut self, tracker: &Tracker<T>, now: Now, mut positions: u32) {
        for place in 0..DUMPS {
            let Some(Dump { id, mut cursor, wanted }) = self.dumps[place] else { continue };
            // Some parts in reserve, so that a long dump never shuts out a short command for good.
            while self.has_room(4) {
                match tracker.step(&mut cursor, &mut positions) {
                    Step::Entry(entry) if !wanted.has(&entry, now) => {}
                    Step::Entry(entry) => self.answer(Reply::Entry { id, at_ns: now.ns, entry }),
                    Step::Pause => break,
                    Step::End => {
                        self.answer(Reply::Done { id, outcome: Outcome::OK });
                        self.dumps[place] = None;
                        break;
                    }
                }
            }
            if let Some(dump) = &mut self.dumps[place] {
                dump.cursor = cursor;
            }
        }
    }
}

fn table_outcome(result: Result<(), TableRefusal>) -> Outcome {
    result.map_or_else(Outcome::TableRefused, |()| Outcome::OK)
}

#[cfg(test)]
mod tests;
