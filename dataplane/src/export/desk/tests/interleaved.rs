//! Commands, lcores and the link in any order, by laws that hold for all orders.

use std::collections::BTreeMap;

use conntrack::{EventBody, FlowKey, FlowKeyV6};
use flowtracker_proto::v1::{self, ReplyStatus as Status};
use proptest::prelude::*;

use super::rig::{
    Body, Rig, RigKey, attributes, change, create, delete, dump, entries, flush, get, load, odd_source_ports,
    purge, table, update,
};

/// A command of the trial.
#[derive(Clone, Debug)]
enum Ask {
    Get(u16),
    Create(u16),
    Update(u16),
    Delete(u16),
    Dump,
    /// Of the odd source ports, or of all.
    Flush(bool),
    Table,
    /// Changes the aging of profile 0, and the permissions.
    Change(u64, Option<u32>),
    Purge,
    Load,
    /// Cancels the command that lies this number of places back.
    Cancel(u64),
    /// Something about the other table.
    Beside(Beside),
}

/// A command about the other table.
#[derive(Clone, Copy, Debug)]
enum Beside {
    Create(u16),
    Flush,
    Purge,
    Load,
}

#[derive(Clone, Debug)]
enum Op {
    /// A command and its deadline.
    Ask(Ask, u32),
    /// This number of turns of an lcore.
    Step(usize, u8),
    /// The exporter takes the replies of an lcore.
    Hear(usize),
    Packet(u16),
    /// A packet of the other family.
    PacketBeside(u16),
    Wait(u64),
    /// An lcore's event ring opens or closes.
    Ring(usize, bool),
    Cut,
    Raise,
}

/// Returns a flow and the lcore to which its packets come.
fn place<K: RigKey>(number: u16) -> (usize, K) {
    let lcore = match number % 3 {
        2 => number / 3 % 2,
        port => port,
    };
    (lcore.into(), K::flow((number % 3) as u8 + 1, number))
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let number = || 0..12u16;
    // All of these permissions allow creation and deletion.
    let permissions = prop::option::of(prop::sample::select(vec![0x3dfc, 0x3fff, 0x3dff]));
    let ask = prop_oneof![
        2 => number().prop_map(Ask::Get),
        3 => number().prop_map(Ask::Create),
        3 => number().prop_map(Ask::Update),
        2 => number().prop_map(Ask::Delete),
        2 => Just(Ask::Dump),
        3 => any::<bool>().prop_map(Ask::Flush),
        1 => Just(Ask::Table),
        5 => (1000..1005u64, permissions).prop_map(|(aging, permissions)| Ask::Change(aging, permissions)),
        2 => Just(Ask::Purge),
        3 => Just(Ask::Load),
        1 => (1..4u64).prop_map(Ask::Cancel),
        3 => prop_oneof![
            number().prop_map(Beside::Create),
            Just(Beside::Flush),
            Just(Beside::Purge),
            Just(Beside::Load),
        ].prop_map(Ask::Beside),
    ];
    let deadline = prop_oneof![3 => Just(0), 1 => 1..4u32];
    let op = prop_oneof![
        10 => (ask, deadline).prop_map(|(ask, deadline)| Op::Ask(ask, deadline)),
        12 => (0..2usize, 1..6u8).prop_map(|(lcore, turns)| Op::Step(lcore, turns)),
        6 => (0..2usize).prop_map(Op::Hear),
        4 => number().prop_map(Op::Packet),
        3 => number().prop_map(Op::PacketBeside),
        2 => (0..3_000_000u64).prop_map(Op::Wait),
        2 => (0..2usize, any::<bool>()).prop_map(|(lcore, open)| Op::Ring(lcore, open)),
        1 => Just(Op::Cut),
        2 => Just(Op::Raise),
    ];
    prop::collection::vec(op, 0..150)
}

/// A command on the current link.
struct Asked {
    ask: Ask,
    ended: bool,
    cancelled: bool,
}

/// The possible states of the table, as aging of profile 0 and permissions.
type Possible = Vec<(u64, u32)>;

/// Adds the effect of a command whose answer is lost, if it is a change.
fn may_be_made(ask: &Ask, possible: &mut Possible) {
    if let Ask::Change(aging, permissions) = ask {
        let made = |(_, before): &(u64, u32)| (*aging, permissions.unwrap_or(*before));
        let made: Vec<_> = possible.iter().map(made).collect();
        possible.extend(made);
    }
}

struct Trial<K: RigKey> {
    rig: Rig<K>,
    asked: BTreeMap<u64, Asked>,
    /// It has more than one element while the result of a change is not known.
    possible: Possible,
    /// Entries deleted by flushes and by purges, by the answers on the link.
    deleted: (u64, u64),
}

impl<K: RigKey> Trial<K> {
    fn new() -> Self {
        let possible = vec![(30_000, 0x3dfc)];
        Trial { rig: Rig::<K>::new(40), asked: BTreeMap::new(), possible, deleted: (0, 0) }
    }

    fn ask(&mut self, ask: &Ask, deadline_ms: u32) {
        if self.rig.link.is_none() {
            return;
        }
        let key = |number: &u16| place::<K>(*number).1;
        let body = match ask {
            Ask::Get(number) => get(key(number)),
            Ask::Create(number) => create(key(number), attributes()),
            Ask::Update(number) => update(key(number), attributes()),
            Ask::Delete(number) => delete(key(number)),
            Ask::Dump => dump::<K>(None),
            Ask::Flush(odd) => flush::<K>(odd.then(odd_source_ports).flatten()),
            Ask::Table => table::<K>(),
            Ask::Change(aging, permissions) => change::<K>(&[(0, *aging)], *permissions),
            Ask::Purge => purge::<K>(),
            Ask::Load => load::<K>(),
            Ask::Cancel(before) => {
                let last = self.asked.keys().next_back().copied().unwrap_or(0);
                let id = last.saturating_sub(*before);
                self.give_up(id);
                Body::Cancel(v1::CancelCommand { id })
            }
            Ask::Beside(Beside::Create(number)) => create(place::<K::Beside>(*number).1, attributes()),
            Ask::Beside(Beside::Flush) => flush::<K::Beside>(None),
            Ask::Beside(Beside::Purge) => purge::<K::Beside>(),
            Ask::Beside(Beside::Load) => load::<K::Beside>(),
        };
        let id = self.rig.send_within(body, deadline_ms);
        // A cancellation has no answer.
        let cancelled = matches!(ask, Ask::Cancel(_));
        self.asked.insert(id, Asked { ask: ask.clone(), ended: false, cancelled });
    }

    /// Gives up the answer of this command.
    fn give_up(&mut self, id: u64) {
        let Some(asked) = self.asked.get_mut(&id) else { return };
        if !asked.ended && !std::mem::replace(&mut asked.cancelled, true) {
            may_be_made(&asked.ask, &mut self.possible);
        }
    }

    /// Checks that each answer belongs to a command of its own link, and ends once.
    fn read_answers(&mut self) {
        for answer in std::mem::take(&mut self.rig.answers) {
            let asked = self.asked.get_mut(&answer.id).expect("asked on this link");
            assert!(!asked.ended && !asked.cancelled, "{answer:?} after the end of {:?}", asked.ask);
            asked.ended = answer.status() != Status::Unspecified;
            let asked = &self.asked[&answer.id];
            let ok = answer.status() == Status::Ok;
            if matches!(asked.ask, Ask::Beside(_)) {
                continue;
            }
            match &asked.ask {
                Ask::Get(number) | Ask::Create(number) | Ask::Update(number) | Ask::Delete(number) => {
                    let entries = entries(&answer);
                    assert_eq!(entries.len(), usize::from(ok), "{answer:?}");
                    let key = place::<K>(*number).1;
                    assert!(entries.iter().all(|entry| entry.key.to_bytes() == key.bytes()));
                }
                Ask::Flush(_) => self.deleted.0 += answer.deleted,
                Ask::Purge => self.deleted.1 += answer.deleted,
                Ask::Change(aging, permissions) if ok => {
                    let table = answer.table.as_ref().expect("the table as it is now");
                    let now = (table.profiles[0].aging_ms, table.permissions);
                    assert_eq!(now, (*aging, permissions.unwrap_or(now.1)));
                    self.possible = vec![now];
                    // A later command that was given up may take effect after it.
                    let later = self.asked.range(answer.id + 1..).map(|(_, later)| later);
                    let untold = later.filter(|later| later.cancelled && !later.ended);
                    untold.for_each(|later| may_be_made(&later.ask, &mut self.possible));
                }
                Ask::Dump | Ask::Table | Ask::Change(..) | Ask::Load | Ask::Cancel(_) | Ask::Beside(_) => {}
            }
            let of_table = matches!(asked.ask, Ask::Table | Ask::Change(..));
            assert_eq!(answer.table.is_some(), of_table && ok, "{answer:?}");
            if let Some(table) = &answer.table {
                assert_eq!(table.shards.len(), 2, "a shard is missing");
            }
            let removes = matches!(asked.ask, Ask::Flush(_) | Ask::Purge);
            assert!(removes || answer.deleted + answer.failed == 0, "{answer:?}");
        }
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Ask(ask, deadline) => self.ask(ask, *deadline),
            Op::Step(lcore, turns) => (0..*turns).for_each(|_| self.rig.step(*lcore)),
            Op::Hear(lcore) => self.rig.hear(*lcore),
            Op::Packet(number) => {
                let (lcore, key) = place::<K>(*number);
                self.rig.packet(lcore, key);
            }
            Op::PacketBeside(number) => {
                let (lcore, key) = place::<K::Beside>(*number);
                self.rig.packet(lcore, key);
            }
            Op::Wait(ns) => self.rig.ns += ns,
            Op::Ring(lcore, open) => self.rig.lcores[*lcore].open = *open,
            Op::Cut => {
                self.rig.cut();
                let ids: Vec<u64> = self.asked.keys().copied().collect();
                ids.into_iter().for_each(|id| self.give_up(id));
                self.asked.clear();
                self.deleted = (0, 0);
            }
            Op::Raise if self.rig.link.is_none() => self.rig.raise(),
            Op::Raise => {}
        }
        let due = self.rig.waiting().1;
        assert!(due <= 1, "{due} next steps wait, and one change is made at a time");
        self.read_answers();
    }

    /// Waits for the end of all work, then checks that every command is answered, that the shards
    /// agree, that the events add up to the tables, and that the events of flushes and purges match
    /// the answers.
    fn settle(&mut self) {
        self.rig.lcores.iter_mut().for_each(|lcore| lcore.open = true);
        self.apply(&Op::Raise);
        self.rig.settle();
        self.read_answers();
        for (id, Asked { ask, ended, cancelled }) in &self.asked {
            assert!(*ended || *cancelled, "{ask:?} ({id}) was not answered");
        }
        self.rig.adds_up();
        let mut told = (0, 0);
        for event in self.rig.told.iter().filter(|told| told.link == self.rig.link) {
            match event.event.body {
                EventBody::Flushed(removed) => told.0 += removed.deleted,
                EventBody::Purged(deleted) => told.1 += deleted,
                _ => {}
            }
        }
        let unheard = |a: &Asked| a.cancelled && matches!(a.ask, Ask::Flush(_) | Ask::Purge);
        if !self.asked.values().any(unheard) {
            assert_eq!(told, self.deleted, "events and answers");
        }
        let table = self.rig.table();
        let now = (table.profiles[0].aging_ms, table.permissions);
        assert!(self.possible.contains(&now), "{now:?} is none of {:?}", self.possible);
        self.rig.shards_have(&table);
        if !table.detached {
            let again = self.rig.ask(change::<K>(&[(0, 2000)], None));
            assert_eq!(again.status(), Status::Ok, "no change is under way any more");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shards_agree_and_each_command_has_its_answer(ops in ops()) {
        run::<FlowKey>(&ops);
        run::<FlowKeyV6>(&ops);
    }
}

fn run<K: RigKey>(ops: &[Op]) {
    let mut trial = Trial::<K>::new();
    for op in ops {
        trial.apply(op);
    }
    trial.settle();
}
