//! Two lcores without threads and devices, and the command desk. A test is about the table of one
//! family, and the other table is there.

mod commands;
mod listener;

use std::collections::{BTreeMap, HashMap};

use conntrack::tracker::{Budget, Write};
use conntrack::{ActorId, Attributes, DeleteReason, Event, EventSink, Now, Profiles, Tracker, TrackerConfig};
use flowtracker_proto::v1::{self, ReplyStatus as Status};

use super::super::{Desk, Shard, Table, TableDesk};
use crate::export::TableEvent;
use crate::lcore::clock::Wall;
use crate::lcore::executors::Executors;
use crate::lcore::generation::LinkGeneration;
use crate::lcore::mailbox::mailbox;
use crate::test_key::{self, TestKey};

pub(super) use commands::*;
pub(super) use listener::RigKey;
use listener::{Known, adds_up, follow};

/// Positions of one slice; few, so that a long operation takes many slices.
const SLICE: u32 = 16;
/// A clock that starts at a whole second.
struct Fixed;

impl Wall for Fixed {
    fn wall_ns(&self, ns: u64) -> u64 {
        wall(ns)
    }
}

pub(super) fn wall(ns: u64) -> u64 {
    1_700_000_000_000_000_000 + ns
}

/// The content of a refusal: status, reason, field, message.
pub(super) type Says<'a> = (Status, &'a str, &'a str, &'a str);

/// An event that was taken, with its lcore and link.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported<K> {
    pub(super) lcore: usize,
    pub(super) link: Option<LinkGeneration>,
    pub(super) event: Event<K>,
}

pub(super) struct Lcore<K: RigKey> {
    pub(super) shard: test_key::Shard,
    executors: Executors,
    /// Whether its event ring accepts events.
    pub(super) open: bool,
    /// The link that it has noticed.
    link: Option<LinkGeneration>,
    /// The entries that a listener knows of the table since the resync of this link.
    known: Known<K>,
    /// The same of the other table.
    other: Known<K::Beside>,
}

/// Takes events as the event ring does.
struct Ring<'a> {
    link: Option<LinkGeneration>,
    open: bool,
    taken: &'a mut Vec<TableEvent>,
}

impl<K> EventSink<K> for Ring<'_>
where
    TableEvent: From<Event<K>>,
    Event<K>: Copy,
{
    fn offer(&mut self, event: &Event<K>) -> bool {
        if self.link.is_some() && self.open {
            self.taken.push((*event).into());
        }
        self.link.is_none() || self.open
    }
}

pub(super) struct Rig<K: RigKey> {
    pub(super) desk: Desk,
    pub(super) lcores: [Lcore<K>; 2],
    pub(super) ns: u64,
    /// The current link; `None` while there is none.
    pub(super) link: Option<LinkGeneration>,
    next_link: LinkGeneration,
    /// Id of the next command; each link counts from 1.
    next: u64,
    /// Answers on the current link.
    pub(super) answers: Vec<v1::Reply>,
    pub(super) told: Vec<Reported<K>>,
    /// Events of the other table that are no part of a resync.
    pub(super) told_other: Vec<Reported<K::Beside>>,
    /// The authors introduced on the link, by number.
    authors: HashMap<u32, v1::Actor>,
}

impl<K: RigKey> Rig<K> {
    /// Makes shards of this number of entries each. Frames of port0 come to the first lcore, those
    /// of port1 to the second, those of port2 to both.
    pub(super) fn new(entries: u32) -> Self {
        let (mut ipv4, mut ipv6, mut lcores) = (Vec::new(), Vec::new(), Vec::new());
        for lcore in 0..2 {
            let ((desk_ipv4, mailbox_ipv4), (desk_ipv6, mailbox_ipv6)) = (mailbox(), mailbox());
            ipv4.push(Shard { lcore, mailbox: desk_ipv4 });
            ipv6.push(Shard { lcore, mailbox: desk_ipv6 });
            lcores.push(Lcore {
                shard: test_key::shard(entries, lcore.into()),
                executors: Executors::new(mailbox_ipv4, mailbox_ipv6),
                open: true,
                link: None,
                known: HashMap::new(),
                other: HashMap::new(),
            });
        }
        let table = || {
            let TrackerConfig { permissions, learn_profile, .. } = TrackerConfig::default();
            Table { profiles: Profiles::default(), permissions, learn_profile }
        };
        let owners = BTreeMap::from([(0, Some(0)), (1, Some(1)), (2, None)]);
        let (ipv4, ipv6) = (TableDesk::new(ipv4, table()), TableDesk::new(ipv6, table()));
        let mut rig = Rig {
            desk: Desk::new("dp".to_owned(), owners, Some(ipv4), Some(ipv6)),
            lcores: lcores.try_into().unwrap_or_else(|_| unreachable!("two")),
            ns: 7_000_000,
            link: None,
            next_link: LinkGeneration::FIRST,
            next: 1,
            answers: Vec::new(),
            told: Vec::new(),
            told_other: Vec::new(),
            authors: HashMap::new(),
        };
        rig.raise();
        rig.settle();
        rig.told.clear();
        rig.told_other.clear();
        rig
    }

    /// Returns the tracker of an lcore's table.
    pub(super) fn tracker(&self, index: usize) -> &Tracker<test_key::Table<K>> {
        K::tracker(&self.lcores[index].shard)
    }

    /// Returns how many commands wait for their end, and how many next steps wait for room.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let dispatch = &K::desk(&self.desk).dispatch;
        (dispatch.pending.len(), dispatch.due.len())
    }

    fn now(&self) -> Now {
        Now::from_ns(self.ns)
    }

    /// Raises a new link.
    pub(super) fn raise(&mut self) {
        (self.link, self.next) = (Some(self.next_link), 1);
        self.next_link = self.next_link.next();
        self.answers.clear();
    }

    /// Cuts the link.
    pub(super) fn cut(&mut self) {
        self.link = None;
        self.desk.unlink();
        self.answers.clear();
    }

    /// Runs one iteration of an lcore's loop.
    pub(super) fn step(&mut self, index: usize) {
        let link = self.link;
        self.on_lcore(index, |lcore, now, ring| {
            if lcore.link != link {
                lcore.link = link;
                ring.link = link;
                if link.is_some() {
                    lcore.shard.start_resync();
                }
            }
            lcore.shard.advance(now, Budget::default(), ring);
            let command = lcore.executors.take_command();
            lcore.executors.run(command, &mut lcore.shard, now, SLICE, link, ring);
        });
    }

    /// Delivers a packet to an lcore.
    pub(super) fn packet(&mut self, index: usize, key: impl TestKey) {
        self.on_lcore(index, |lcore, now, ring| {
            lcore.shard.burst(now, key.input_port(), &[key.frame()][..], ring, |_, _| {});
        });
    }

    /// Delivers a packet that must be learned.
    pub(super) fn learn<F: TestKey>(&mut self, index: usize, key: F) {
        self.packet(index, key);
        assert!(F::tracker(&self.lcores[index].shard).get(&key).is_some());
    }

    /// Runs `what` on an lcore, and lets a listener follow its events.
    fn on_lcore(&mut self, index: usize, what: impl FnOnce(&mut Lcore<K>, Now, &mut Ring<'_>)) {
        let now = self.now();
        let lcore = &mut self.lcores[index];
        let mut taken = Vec::new();
        let mut ring = Ring { link: lcore.link, open: lcore.open, taken: &mut taken };
        what(lcore, now, &mut ring);
        for event in &taken {
            let link = lcore.link;
            if let Some(event) = K::event(event).copied() {
                follow(&mut lcore.known, &event);
                self.told.push(Reported { lcore: index, link, event });
            }
            if let Some(event) = K::Beside::event(event).copied() {
                follow(&mut lcore.other, &event);
                self.told_other.push(Reported { lcore: index, link, event });
            }
        }
    }

    /// Lets the exporter take the replies of an lcore.
    pub(super) fn hear(&mut self, index: usize) {
        while self.desk.hear(index, 100, &Fixed, self.link) {}
        self.desk.pump();
        self.collect();
    }

    fn collect(&mut self) {
        if self.link.is_none() {
            // The exporter does the same without a link.
            self.desk.unlink();
        }
        self.answers.extend(std::iter::from_fn(|| self.desk.answer()));
        let introduced = self.desk.authors().introductions().unwrap_or_default().authors;
        self.authors.extend(introduced.into_iter().map(|a| (a.number, a.actor.expect("somebody"))));
    }

    /// Returns the author with this number in an answer.
    pub(super) fn author(&self, number: u16) -> Option<&v1::Actor> {
        self.authors.get(&number.into())
    }

    /// Sends a command and returns its id.
    pub(super) fn send(&mut self, body: Body) -> u64 {
        self.send_within(body, 0)
    }

    pub(super) fn send_within(&mut self, body: Body, deadline_ms: u32) -> u64 {
        let id = self.next;
        self.next += 1;
        let command = v1::Command { id, deadline_ms, body: Some(body) };
        self.take(command);
        id
    }

    /// Lets the exporter take a command.
    pub(super) fn take(&mut self, command: v1::Command) {
        let refused = self.desk.take(command, self.link.expect("a link stands"), self.now());
        self.collect();
        self.answers.extend(refused.err().map(|refused| *refused));
    }

    /// Runs lcores and exporter until no work is left.
    pub(super) fn settle(&mut self) {
        for _ in 0..10_000 {
            for index in 0..2 {
                self.step(index);
                self.hear(index);
            }
            let (mine, other) = (&K::desk(&self.desk).dispatch, &K::Beside::desk(&self.desk).dispatch);
            let idle = mine.pending.is_empty() && mine.due.is_empty();
            let idle = idle && other.pending.is_empty() && other.due.is_empty();
            let reported = |l: &Lcore<K>| l.shard.ipv4.all_reported() && l.shard.ipv6.all_reported();
            if idle && self.lcores.iter().all(reported) {
                return;
            }
        }
        panic!("not settled: {:?}", self.desk);
    }

    /// Returns all parts of the answer to a command.
    pub(super) fn parts(&self, id: u64) -> Vec<v1::Reply> {
        self.answers.iter().filter(|answer| answer.id == id).cloned().collect()
    }

    /// Returns the last part of an answer.
    pub(super) fn last(&self, id: u64) -> v1::Reply {
        let last = self.parts(id).pop().expect("an answer");
        assert_ne!(last.status(), Status::Unspecified, "{last:?} is not the last");
        last
    }

    /// Sends a command and returns its answer, which must have one part.
    pub(super) fn ask(&mut self, body: Body) -> v1::Reply {
        let id = self.send(body);
        self.settle();
        let parts = self.parts(id);
        assert_eq!(parts.len(), 1, "{parts:?}");
        self.last(id)
    }

    /// Returns the table as the answer shows it.
    pub(super) fn table(&mut self) -> v1::Table {
        self.ask(table::<K>()).table.expect("a table")
    }

    /// Checks that a command is refused in these words.
    pub(super) fn says(&mut self, body: Body, says: Says<'_>) -> v1::Reply {
        let reply = self.ask(body);
        assert_eq!((reply.status(), &reply.reason[..], &reply.field[..], &reply.message[..]), says);
        assert!(reply.records.is_empty() && reply.table.is_none());
        reply
    }

    /// Checks the same, for a refusal before the command reaches any shard.
    pub(super) fn says_at_once(&mut self, body: Body, says: Says<'_>) {
        let waiting = self.waiting();
        let id = self.send(body);
        let reply = self.last(id);
        assert_eq!((reply.status(), &reply.reason[..], &reply.field[..], &reply.message[..]), says);
        assert_eq!(self.waiting(), waiting);
    }

    /// Checks that every shard has the attributes of this table and is not held. Only a new entry
    /// shows the profiles of a shard.
    pub(super) fn shards_have(&mut self, table: &v1::Table) {
        let (now, probe, author) = (self.now(), K::flow(3, 65_535), ActorId(ActorId::FIRST_CONTROL));
        for lcore in &mut self.lcores {
            let tracker = K::tracker_mut(&mut lcore.shard);
            assert_eq!(tracker.attached(), !table.detached);
            assert_eq!(u32::from(tracker.permissions().bits()), table.permissions);
            for profile in table.profiles.iter().filter(|_| !table.detached) {
                let profile_id = Some(profile.profile_id);
                let asked = Attributes { dynamic: Some(true), profile_id, ..Attributes::default() };
                let nobody = &mut |_: &Event<K>| true;
                let made = tracker.create(now, &probe, &asked, author, nobody);
                let Write::Done(entry) = made else { panic!("{made:?}") };
                assert_eq!(u64::from(entry.aging_ms), profile.aging_ms);
                let ended = tracker.remove(now, &probe, DeleteReason::Control, author, nobody);
                assert!(matches!(ended, Write::Done(_)), "{ended:?}");
            }
        }
    }

    /// Checks that the events of the link add up to both tables.
    pub(super) fn adds_up(&self) {
        for lcore in &self.lcores {
            adds_up(&lcore.known, &lcore.shard);
            adds_up(&lcore.other, &lcore.shard);
        }
    }
}
