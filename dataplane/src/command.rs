//! The one door through which commands reach an lcore. They are executed by
//! the lcore that owns the shard, between two bursts, within a budget.

use conntrack::tracker::{Cursor, Removal, Step};
use conntrack::{ActorId, DeleteReason, Entry, EventSink, FlowKey, FlowTable, Now, Tracker};
use crossbeam_channel::{Receiver, Sender, bounded};

/// Commands that may wait at one lcore.
const MAILBOX: usize = 256;
/// Parts of answers that may wait to be fetched from one lcore.
const REPLIES: usize = 8192;
/// Dumps that one lcore works on at a time.
const DUMPS: usize = 4;

/// Identifies a command to whoever sent it.
pub type CommandId = u64;

/// Something for one shard to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Read one entry.
    Get {
        /// Of this command.
        id: CommandId,
        /// Which entry.
        key: FlowKey,
    },
    /// Delete one entry.
    Remove {
        /// Of this command.
        id: CommandId,
        /// Which entry.
        key: FlowKey,
        /// For whom.
        actor: ActorId,
    },
    /// Read every entry.
    Dump {
        /// Of this command.
        id: CommandId,
    },
    /// Give up a dump.
    Cancel {
        /// Of the dump.
        id: CommandId,
    },
}

/// How a command ended on one shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Ok,
    /// This shard has no such entry.
    NotFound,
    /// The entry lacks the permission.
    Denied,
    /// Too many dumps at a time.
    Busy,
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
    /// A removal that waits for the event ring.
    waiting: Option<Command>,
    dumps: [Option<(CommandId, Cursor)>; DUMPS],
}

/// Makes a door.
#[must_use]
pub fn door() -> (Door, Mailbox) {
    let (commands, inbox) = bounded(MAILBOX);
    let (outbox, replies) = bounded(REPLIES);
    let mailbox = Mailbox { commands: inbox, replies: outbox, waiting: None, dumps: [None; DUMPS] };
    (Door { commands, replies }, mailbox)
}

impl Mailbox {
    /// Executes what has come in, for at most `positions` positions of the table.
    #[inline]
    pub fn run<T: FlowTable>(
        &mut self,
        tracker: &mut Tracker<T>,
        now: Now,
        positions: u32,
        sink: &mut impl EventSink,
    ) {
        if let Some(command) = self.waiting.take().or_else(|| self.next()) {
            self.execute(command, tracker, now, sink);
        }
        if self.dumps.iter().any(Option::is_some) {
            self.dump_slice(tracker, now, positions);
        }
    }

    /// A command is only fetched when its answer has room: two parts at most.
    fn next(&self) -> Option<Command> {
        // The emptiness check is one load; a refused `try_recv` costs more.
        if self.commands.is_empty() || !self.has_room(2) {
            return None;
        }
        self.commands.try_recv().ok()
    }

    fn has_room(&self, parts: usize) -> bool {
        self.replies.len() + parts <= REPLIES
    }

    /// There is room, because this lcore is the only sender and has looked.
    fn answer(&self, reply: Reply) {
        let sent = self.replies.try_send(reply);
        debug_assert!(sent.is_ok(), "room was checked");
    }

    fn execute<T: FlowTable>(
        &mut self,
        command: Command,
        tracker: &mut Tracker<T>,
        now: Now,
        sink: &mut impl EventSink,
    ) {
        let at_ns = now.ns;
        match command {
            Command::Get { id, key } => {
                let outcome = match tracker.get(&key) {
                    Some(entry) => {
                        self.answer(Reply::Entry { id, at_ns, entry });
                        Outcome::Ok
                    }
                    None => Outcome::NotFound,
                };
                self.answer(Reply::Done { id, outcome });
            }
            Command::Remove { id, key, actor } => {
                let outcome = match tracker.remove(now, &key, DeleteReason::Control, actor, sink) {
                    Removal::Done(entry) => {
                        self.answer(Reply::Entry { id, at_ns, entry });
                        Outcome::Ok
                    }
                    Removal::NotFound => Outcome::NotFound,
                    Removal::Denied => Outcome::Denied,
                    Removal::Busy => {
                        self.waiting = Some(command);
                        return;
                    }
                };
                self.answer(Reply::Done { id, outcome });
            }
            Command::Dump { id } => match self.dumps.iter_mut().find(|d| d.is_none()) {
                Some(place) => *place = Some((id, Cursor::default())),
                None => self.answer(Reply::Done { id, outcome: Outcome::Busy }),
            },
            Command::Cancel { id } => {
                for dump in &mut self.dumps {
                    if dump.is_some_and(|(other, _)| other == id) {
                        *dump = None;
                    }
                }
            }
        }
    }

    fn dump_slice<T: FlowTable>(&mut self, tracker: &Tracker<T>, now: Now, mut positions: u32) {
        for place in 0..DUMPS {
            let Some((id, mut cursor)) = self.dumps[place] else { continue };
            // One part in reserve, so that a long dump never shuts out a short command for good.
            while self.has_room(3) {
                match tracker.step(&mut cursor, &mut positions) {
                    Step::Entry(entry) => self.answer(Reply::Entry { id, at_ns: now.ns, entry }),
                    Step::Pause => break,
                    Step::End => {
                        self.answer(Reply::Done { id, outcome: Outcome::Ok });
                        self.dumps[place] = None;
                        break;
                    }
                }
            }
            if let Some(dump) = &mut self.dumps[place] {
                dump.1 = cursor;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use conntrack::arch::Features;
    use conntrack::table::TableConfig;
    use conntrack::{Event, HashKind, Hasher, LineTable, TrackerConfig};
    use std::net::Ipv4Addr;

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
        tracker.burst(now, 1, &[frame(7)][..], &mut sink, |_| {});
        for command in [
            Command::Get { id: 1, key: key(7) },
            Command::Get { id: 2, key: key(8) },
            Command::Remove { id: 3, key: key(7), actor: ActorId(16) },
            Command::Remove { id: 4, key: key(7), actor: ActorId(16) },
        ] {
            door.commands.send(command).expect("room");
            mailbox.run(&mut tracker, now, 8, &mut sink);
        }
        let replies = collect(&door);
        let done = |id, outcome| Reply::Done { id, outcome };
        assert!(matches!(replies[0], Reply::Entry { id: 1, entry, .. } if entry.key == key(7)));
        assert_eq!(replies[1..3], [done(1, Outcome::Ok), done(2, Outcome::NotFound)]);
        assert!(matches!(replies[3], Reply::Entry { id: 3, .. }));
        assert_eq!(replies[4..], [done(3, Outcome::Ok), done(4, Outcome::NotFound)]);
        assert!(tracker.table().is_empty());
    }

    #[test]
    fn a_removal_waits_for_the_event_ring_and_the_queue_with_it() {
        let (door, mut mailbox) = door();
        let mut tracker = tracker(16);
        let now = Now::from_ms(5);
        tracker.burst(now, 1, &[frame(7)][..], &mut |_: &Event| true, |_| {});
        door.commands.send(Command::Remove { id: 1, key: key(7), actor: ActorId(16) }).expect("room");
        door.commands.send(Command::Get { id: 2, key: key(7) }).expect("room");
        for _ in 0..5 {
            mailbox.run(&mut tracker, now, 8, &mut |_: &Event| false);
        }
        assert_eq!(collect(&door), []);
        for _ in 0..2 {
            mailbox.run(&mut tracker, now, 8, &mut |_: &Event| true);
        }
        let replies = collect(&door);
        assert_eq!(replies[1], Reply::Done { id: 1, outcome: Outcome::Ok });
        assert_eq!(replies[2], Reply::Done { id: 2, outcome: Outcome::NotFound });
    }

    #[test]
    fn dumps_go_on_in_slices_and_stop_when_nobody_fetches() {
        const FLOWS: u16 = 20_000;
        let (door, mut mailbox) = door();
        let mut tracker = tracker(u32::from(FLOWS));
        let now = Now::from_ms(5);
        for port in 0..FLOWS {
            tracker.burst(now, 1, &[frame(port)][..], &mut |_: &Event| true, |_| {});
        }
        for id in 1..=DUMPS as u64 + 1 {
            door.commands.send(Command::Dump { id }).expect("room");
            mailbox.run(&mut tracker, now, 64, &mut |_: &Event| true);
        }
        let mut replies = Vec::new();
        for _ in 0..20 {
            for _ in 0..1000 {
                mailbox.run(&mut tracker, now, 96, &mut |_: &Event| true);
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
            assert!(replies.contains(&Reply::Done { id, outcome: Outcome::Ok }));
        }
        assert!(replies.contains(&Reply::Done { id: DUMPS as u64 + 1, outcome: Outcome::Busy }));
    }
}
