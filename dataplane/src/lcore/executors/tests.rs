use super::*;
use crate::lcore::filter::Filter;
use crate::lcore::mailbox::{MailboxHandle, Outcome, Reply, Task, mailbox};
use crate::test_key::{Shard, TestKey, shard};
use conntrack::{ActorId, Event};

const LINK: Option<LinkGeneration> = Some(LinkGeneration::FIRST);

/// Takes all events, and notes their families.
#[derive(Default)]
struct Taken(Vec<u8>);

impl EventSink<FlowKey> for Taken {
    fn offer(&mut self, _: &Event<FlowKey>) -> bool {
        self.0.push(4);
        true
    }
}

impl EventSink<FlowKeyV6> for Taken {
    fn offer(&mut self, _: &Event<FlowKeyV6>) -> bool {
        self.0.push(6);
        true
    }
}

struct Rig {
    ipv4: MailboxHandle<FlowKey>,
    ipv6: MailboxHandle<FlowKeyV6>,
    executors: Executors,
    shard: Shard,
    taken: Taken,
}

impl Rig {
    /// Returns a shard with this number of flows of each family.
    fn new(flows: u16) -> Self {
        let ((ipv4, of_ipv4), (ipv6, of_ipv6)) = (mailbox(), mailbox());
        let mut rig = Rig {
            ipv4,
            ipv6,
            executors: Executors::new(of_ipv4, of_ipv6),
            shard: shard(flows.into(), 1),
            taken: Taken::default(),
        };
        let v4 = (0..flows).map(|port| <FlowKey as TestKey>::flow(1, port).frame());
        let v6 = (0..flows).map(|port| <FlowKeyV6 as TestKey>::flow(1, port).frame());
        let frames: Vec<_> = v4.chain(v6).collect();
        rig.shard.burst(Now::from_ms(5), 1, &frames[..], &mut rig.taken, |_, _| {});
        rig.taken.0.clear();
        rig
    }

    fn iterate(&mut self, positions: u32) {
        let command = self.executors.take_command();
        let now = Now::from_ms(6);
        self.executors.run(command, &mut self.shard, now, positions, LINK, &mut self.taken);
    }
}

fn order<K: TestKey>(mailbox: &MailboxHandle<K>, id: u64, task: Task<K>) {
    mailbox.commands.send(Command { id, link: LINK, until_ns: u64::MAX, task }).expect("room");
}

/// Law: of two tables with commands, each is served every other time, and a table that is alone
/// every time. A command of one table that cannot be finished does not delay commands of the other.
#[test]
fn tables_are_served_in_turn() {
    let actor = ActorId(ActorId::FIRST_CONTROL);
    let mut rig = Rig::new(20);
    for id in 0..10 {
        order(&rig.ipv4, id, Task::Remove(TestKey::flow(1, id as u16), actor));
        order(&rig.ipv6, id, Task::Remove(TestKey::flow(1, id as u16), actor));
    }
    for id in 10..15 {
        order(&rig.ipv6, id, Task::Remove(TestKey::flow(1, id as u16), actor));
    }
    (0..25).for_each(|_| rig.iterate(16));
    let expected: Vec<u8> = [4, 6].repeat(10).into_iter().chain([6; 5]).collect();
    assert_eq!(rig.taken.0, expected);

    // A purge is many slices long.
    let mut rig = Rig::new(1000);
    order(&rig.ipv4, 1, Task::Purge);
    order(&rig.ipv6, 2, Task::Remove(TestKey::flow(1, 7), actor));
    (0..2).for_each(|_| rig.iterate(16));
    assert_eq!(rig.taken.0, [6], "the purge goes on, and the other table is served");
    assert!(rig.ipv4.replies.is_empty());
    (0..1000).for_each(|_| rig.iterate(16));
    assert_eq!(rig.taken.0, [6, 4], "the purge has ended");
    assert_eq!(rig.shard.ipv6.counters().deleted, 1, "the other table keeps its entries");
}

/// Law: flushes and dumps of both tables take no more of an iteration than those of one table.
#[test]
fn tables_share_the_positions_of_an_iteration() {
    const FLOWS: u16 = 5000;
    let entries = |replies: usize| replies.saturating_sub(1);
    let per_iteration = |tasks: &dyn Fn(&Rig)| {
        let mut rig = Rig::new(FLOWS);
        tasks(&rig);
        rig.iterate(0);
        rig.iterate(0);
        let mut most = 0;
        let (mut v4, mut v6) = (0, 0);
        for _ in 0..10_000 {
            rig.iterate(120);
            let now = (rig.ipv4.replies.try_iter().count(), rig.ipv6.replies.try_iter().count());
            most = most.max(now.0 + now.1);
            (v4, v6) = (v4 + now.0, v6 + now.1);
        }
        (most, entries(v4), entries(v6))
    };
    let flows = usize::from(FLOWS);
    // A reply for each position, and one for the end of each dump.
    let most = 120;
    let (one, v4, v6) = per_iteration(&|rig| order(&rig.ipv4, 1, Task::Dump(Filter::ALL)));
    assert_eq!((v4, v6), (flows, 0));
    assert!(one > most / 2 && one <= most + 1, "{one} replies in an iteration");
    let (both, v4, v6) = per_iteration(&|rig| {
        order(&rig.ipv4, 1, Task::Dump(Filter::ALL));
        order(&rig.ipv6, 1, Task::Dump(Filter::ALL));
    });
    assert_eq!((v4, v6), (flows, flows));
    assert!(both <= most + 2, "{both} replies in an iteration of both");
}

/// The end of a purge, a flush and a load of one table is reported of that table.
#[test]
fn each_table_is_purged_and_loaded_alone() {
    let mut rig = Rig::new(50);
    order(&rig.ipv6, 1, Task::Purge);
    (0..100).for_each(|_| rig.iterate(16));
    let done = |reply: &Reply<FlowKeyV6>| matches!(reply, Reply::Done { id: 1, outcome: Outcome::Done(r) } if r.deleted == 50);
    assert!(rig.ipv6.replies.try_iter().any(|reply| done(&reply)));
    assert!(!rig.shard.ipv6.attached() && rig.shard.ipv4.attached());
    assert_eq!(FlowKey::tracker(&rig.shard).counters().deleted, 0);
    order(&rig.ipv6, 2, Task::Load);
    rig.iterate(16);
    assert!(rig.shard.ipv6.attached());
    assert_eq!(rig.taken.0, [6, 6], "PURGED and LOADED");
}
