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
mod tests {
    use super::*;
    use conntrack::arch::Features;
    use conntrack::table::TableConfig;
    use conntrack::{HashKind, Hasher, LineTable, TrackerConfig};
    use std::net::Ipv4Addr;

    const OPERATOR: ActorId = ActorId(ActorId::FIRST_CONTROL);
    const LINK: u32 = 1;

    fn order(id: CommandId, task: Task) -> Command {
        Command { id, link: LINK, until_ns: u64::MAX, task }
    }

    fn tracker(entries: u32) -> Tracker<LineTable> {
        let hasher = Hasher::new(HashKind::Keyed, [3; 32], Features::detect());
        let table = LineTable::new(TableConfig { entries, hasher }).expect("a valid size");
        Tracker::new(table, TrackerConfig::default(), Now::from_ms(0)).expect("memory")
    }

    fn frame(port: u16) -> Vec<u8> {
        let mut f = vec![0; 54];
        f[12] = 8;
        f[14] = 0x45;
        f[17] = 40;
        f[23] = 6;
        f[26..34].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
        f[34..38].copy_from_slice(&[(port >> 8) as u8, port as u8, 0, 80]);
        f
    }

    fn key(port: u16) -> FlowKey {
        FlowKey::new(1, Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2), 6, port, 80)
    }

    fn collect(door: &Door) -> Vec<Reply> {
        door.replies.try_iter().collect()
    }

    #[test]
    fn get_and_remove_answer_with_the_entry_or_say_why_not() {
        let (door, mut mailbox) = door();
        let mut tracker = tracker(16);
        let now = Now::from_ms(5);
        let mut sink = |_: &Event| true;
        tracker.burst(now, 1, &[frame(7)][..], &mut sink, |_, _| {});
        for command in [
            order(1, Task::Get(key(7))),
            order(2, Task::Get(key(8))),
            order(3, Task::Remove(key(7), OPERATOR)),
            order(4, Task::Remove(key(7), OPERATOR)),
        ] {
            door.commands.send(command).expect("room");
            mailbox.run(&mut tracker, now, 8, LINK, &mut sink);
        }
        let replies = collect(&door);
        let done = |id, outcome| Reply::Done { id, outcome };
        assert!(matches!(replies[0], Reply::Entry { id: 1, entry, .. } if entry.key == key(7)));
        assert_eq!(replies[1..3], [done(1, Outcome::OK), done(2, Outcome::Refused(Refusal::NotFound))]);
        assert!(matches!(replies[3], Reply::Entry { id: 3, .. }));
        assert_eq!(replies[4..], [done(3, Outcome::OK), done(4, Outcome::Refused(Refusal::NotFound))]);
        assert!(tracker.table().is_empty());
    }

    /// As in P4TC, who may not read an entry may still change it.
    #[test]
    fn an_entry_that_may_not_be_read_is_there_and_is_listed() {
        let (door, mut mailbox) = door();
        let mut tracker = learned(0..1);
        let now = Now::from_ms(7);
        let hidden = Attributes {
            permissions: Some(0x1dbc & !u32::from(Permissions::CONTROL_READ)),
            ..Attributes::default()
        };
        let tasks = [
            Task::Update(key(0), hidden, OPERATOR),
            Task::Get(key(0)),
            Task::Get(key(1)),
            Task::Dump(Filter::ALL),
        ];
        for (id, task) in (1..).zip(tasks) {
            door.commands.send(order(id, task)).expect("room");
        }
        let (_, replies) = settle(&door, &mut mailbox, &mut tracker, now);
        let refused = |id, refusal| Reply::Done { id, outcome: Outcome::Refused(refusal) };
        assert!(replies.contains(&refused(2, Refusal::Denied(Permission::Read))), "{replies:?}");
        assert!(!replies.iter().any(|r| matches!(r, Reply::Entry { id: 2, .. })), "{replies:?}");
        assert!(replies.contains(&refused(3, Refusal::NotFound)), "{replies:?}");
        assert!(replies.iter().any(|r| matches!(r, Reply::Entry { id: 4, .. })), "{replies:?}");
        door.commands.send(order(5, Task::Remove(key(0), OPERATOR))).expect("room");
        let (_, replies) = settle(&door, &mut mailbox, &mut tracker, now);
        assert!(replies.contains(&Reply::Done { id: 5, outcome: Outcome::OK }), "{replies:?}");
        assert!(tracker.table().is_empty());
    }

    #[test]
    fn a_removal_waits_for_the_event_ring_and_the_queue_with_it() {
        let (door, mut mailbox) = door();
        let mut tracker = tracker(16);
        let now = Now::from_ms(5);
        tracker.burst(now, 1, &[frame(7)][..], &mut |_: &Event| true, |_, _| {});
        door.commands.send(order(1, Task::Remove(key(7), OPERATOR))).expect("room");
        door.commands.send(order(2, Task::Get(key(7)))).expect("room");
        for _ in 0..5 {
            mailbox.run(&mut tracker, now, 8, LINK, &mut |_: &Event| false);
        }
        assert_eq!(collect(&door), []);
        for _ in 0..2 {
            mailbox.run(&mut tracker, now, 8, LINK, &mut |_: &Event| true);
        }
        let replies = collect(&door);
        assert_eq!(replies[1], Reply::Done { id: 1, outcome: Outcome::OK });
        assert_eq!(replies[2], Reply::Done { id: 2, outcome: Outcome::Refused(Refusal::NotFound) });
    }

    #[test]
    fn dumps_go_on_in_slices_and_stop_when_nobody_fetches() {
        const FLOWS: u16 = 20_000;
        let (door, mut mailbox) = door();
        let mut tracker = tracker(u32::from(FLOWS));
        let now = Now::from_ms(5);
        for port in 0..FLOWS {
            tracker.burst(now, 1, &[frame(port)][..], &mut |_: &Event| true, |_, _| {});
        }
        for id in 1..=DUMPS as u64 + 1 {
            door.commands.send(order(id, Task::Dump(Filter::ALL))).expect("room");
            mailbox.run(&mut tracker, now, 64, LINK, &mut |_: &Event| true);
        }
        let mut replies = Vec::new();
        for _ in 0..20 {
            for _ in 0..1000 {
                mailbox.run(&mut tracker, now, 96, LINK, &mut |_: &Event| true);
            }
            assert!(door.replies.len() <= REPLIES);
            replies.extend(door.replies.try_iter());
        }
        for id in 1..=DUMPS as u64 {
            let mut ports: Vec<u16> = replies
                .iter()
                .filter_map(|r| match r {
                    Reply::Entry { id: of, entry, .. } if *of == id => Some(entry.key.src_port()),
                    _ => None,
                })
                .collect();
            ports.sort_unstable();
            assert_eq!(ports, (0..FLOWS).collect::<Vec<_>>(), "dump {id}");
            assert!(replies.contains(&Reply::Done { id, outcome: Outcome::OK }));
        }
        assert!(replies.contains(&Reply::Done { id: DUMPS as u64 + 1, outcome: Outcome::TooManyDumps }));
    }

    /// Runs the mailbox until everything is answered, and says what was told meanwhile.
    fn settle(
        door: &Door,
        mailbox: &mut Mailbox,
        tracker: &mut Tracker<LineTable>,
        now: Now,
    ) -> (Vec<Event>, Vec<Reply>) {
        let mut told = Vec::new();
        let mut sink = |event: &Event| {
            told.push(*event);
            true
        };
        // Ten positions at a time, so that what is long takes many slices.
        for _ in 0..1000 {
            mailbox.run(tracker, now, 10, LINK, &mut sink);
        }
        (told, collect(door))
    }

    fn learned(ports: std::ops::Range<u16>) -> Tracker<LineTable> {
        let mut tracker = tracker(1000);
        for port in ports {
            tracker.burst(Now::from_ms(5), 1, &[frame(port)][..], &mut |_: &Event| true, |_, _| {});
        }
        tracker
    }

    fn only_filter(operand: flowtracker_proto::v1::FilterOperand, mask: u64, value: u64) -> Filter {
        let op = flowtracker_proto::v1::FilterOp::Eq.into();
        let step = flowtracker_proto::v1::FilterStep { op, operand: operand.into(), mask, value };
        Filter::from_proto(Some(&flowtracker_proto::v1::Filter { steps: vec![step] })).expect("sound")
    }

    #[test]
    fn a_flush_deletes_what_matches_and_was_there_and_tells_its_end_last() {
        let (door, mut mailbox) = door();
        let mut tracker = learned(0..500);
        let now = Now::from_ms(7);
        // One that may not be deleted.
        let kept = Attributes {
            permissions: Some(0x1dbc & !u32::from(Permissions::CONTROL_DELETE)),
            ..Attributes::default()
        };
        door.commands.send(order(1, Task::Update(key(3), kept, OPERATOR))).expect("room");
        // Ports 0 to 255 have nothing in the upper octet.
        let low = only_filter(flowtracker_proto::v1::FilterOperand::SrcPort, 0xff00, 0);
        door.commands.send(order(2, Task::Flush(low, OPERATOR))).expect("room");
        let (told, replies) = settle(&door, &mut mailbox, &mut tracker, now);
        let removed = Removed { deleted: 255, failed: 1 };
        assert_eq!(replies.last(), Some(&Reply::Done { id: 2, outcome: Outcome::Done(removed) }));
        assert_eq!(told.last().map(|e| e.body), Some(EventBody::Flushed(removed)));
        let by_flush = |e: &&Event| matches!(e.body, EventBody::Deleted { reason: DeleteReason::Flush, actor: OPERATOR, entry } if entry.key.src_port() < 256);
        assert_eq!(told.iter().filter(by_flush).count(), 255);
        assert_eq!(told.len(), 1 + 255 + 1, "an update, the deletions, the end");
        assert_eq!(tracker.table().len(), 245);
    }

    #[test]
    fn what_is_created_after_a_flush_has_begun_stays() {
        let (door, mut mailbox) = door();
        let mut tracker = learned(0..500);
        let mut sink = |_: &Event| true;
        door.commands.send(order(1, Task::Flush(Filter::ALL, OPERATOR))).expect("room");
        mailbox.run(&mut tracker, Now::from_ms(7), 10, LINK, &mut sink);
        for port in 500..600 {
            tracker.burst(Now::from_ms(8), 1, &[frame(port)][..], &mut sink, |_, _| {});
        }
        let (_, replies) = settle(&door, &mut mailbox, &mut tracker, Now::from_ms(9));
        let removed = Removed { deleted: 500, failed: 0 };
        assert_eq!(replies, [Reply::Done { id: 1, outcome: Outcome::Done(removed) }]);
        assert_eq!(tracker.table().len(), 100);
    }

    #[test]
    fn a_purge_is_one_event_and_nothing_is_there_from_its_first_slice_on() {
        let (door, mut mailbox) = door();
        let mut tracker = learned(0..500);
        let now = Now::from_ms(7);
        let mut sink = |_: &Event| true;
        door.commands.send(order(1, Task::Purge)).expect("room");
        mailbox.run(&mut tracker, now, 10, LINK, &mut sink);
        assert_eq!(tracker.get(&key(499)), None, "it counts as gone");
        tracker.burst(now, 1, &[frame(1), frame(2)][..], &mut sink, |_, _| {});
        let writes = [
            Task::Create(key(7), Attributes::default(), OPERATOR),
            Task::Update(key(7), Attributes::default(), OPERATOR),
            Task::Remove(key(7), OPERATOR),
            Task::Flush(Filter::ALL, OPERATOR),
        ];
        for (id, task) in (2..).zip(writes) {
            door.commands.send(order(id, task)).expect("room");
        }
        door.commands.send(order(9, Task::Load)).expect("room");
        let (told, replies) = settle(&door, &mut mailbox, &mut tracker, now);
        let mut expected =
            vec![Reply::Done { id: 1, outcome: Outcome::Done(Removed { deleted: 500, failed: 0 }) }];
        expected.extend((2..6).map(|id| Reply::Done { id, outcome: Outcome::Refused(Refusal::Detached) }));
        expected.push(Reply::Done { id: 9, outcome: Outcome::OK });
        assert_eq!(replies, expected);
        let bodies: Vec<_> = told.iter().map(|e| e.body).collect();
        assert_eq!(bodies, [EventBody::Purged(500), EventBody::Loaded]);
        assert!(tracker.table().is_empty());
        assert_eq!(tracker.counters().outcome(conntrack::Outcome::Detached), 2);
        tracker.burst(now, 1, &[frame(1)][..], &mut sink, |_, _| {});
        assert_eq!(tracker.table().len(), 1, "attached again");
    }

    #[test]
    fn what_an_earlier_link_asked_for_is_not_told_to_a_later_one() {
        let (door, mut mailbox) = door();
        let mut tracker = learned(0..50);
        for (id, task) in (1..).zip([Task::Flush(Filter::ALL, OPERATOR), Task::Purge, Task::Load]) {
            let command = Command { link: LINK - 1, ..order(id, task) };
            door.commands.send(command).expect("room");
        }
        let (told, replies) = settle(&door, &mut mailbox, &mut tracker, Now::from_ms(7));
        assert_eq!(replies.len(), 3);
        assert_eq!(told.len(), 50, "only the deletions: {told:?}");
    }

    #[test]
    fn what_is_late_is_not_done() {
        let (door, mut mailbox) = door();
        let mut tracker = learned(0..1);
        let late = |id, task| Command { until_ns: 7_000_000, ..order(id, task) };
        door.commands.send(late(1, Task::Remove(key(0), OPERATOR))).expect("room");
        door.commands.send(late(2, Task::Create(key(1), Attributes::default(), OPERATOR))).expect("room");
        let (told, replies) = settle(&door, &mut mailbox, &mut tracker, Now::from_ms(7));
        assert_eq!(replies, [1, 2].map(|id| Reply::Done { id, outcome: Outcome::Late }));
        assert_eq!((told, tracker.table().len()), (vec![], 1));
    }
}
