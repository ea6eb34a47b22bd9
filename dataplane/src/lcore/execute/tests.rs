use super::*;
use crate::lcore::mailbox::{MailboxHandle, REPLIES, mailbox};
use crate::test_key::{Table, TestKey, both_families, tracker};
use conntrack::{Attributes, Parser, Shard};

const OPERATOR: ActorId = ActorId(ActorId::FIRST_CONTROL);
const LINK: Option<LinkGeneration> = Some(LinkGeneration::FIRST);

both_families!(
    get_and_remove_answer_with_the_entry_or_say_why_not,
    an_entry_that_may_not_be_read_is_there_and_is_listed,
    a_removal_waits_for_the_event_ring_and_the_queue_with_it,
    dumps_go_on_in_slices_and_stop_when_nobody_fetches,
    a_flush_deletes_what_matches_and_was_there_and_reports_its_end_last,
    what_is_created_after_a_flush_has_begun_stays,
    a_purge_is_one_event_and_nothing_is_there_from_its_first_slice_on,
    what_an_earlier_link_asked_for_is_not_told_to_a_later_one,
    what_is_late_is_not_done,
);

fn order<K: TestKey>(id: CommandId, task: Task<K>) -> Command<K> {
    Command { id, link: LINK, until_ns: u64::MAX, task }
}

fn shard<K: TestKey>(entries: u32) -> Shard<Table<K>> {
    Shard::new(Parser::default(), tracker(entries, 3))
}

fn frame<K: TestKey>(port: u16) -> Vec<u8> {
    key::<K>(port).frame()
}

fn key<K: TestKey>(port: u16) -> K {
    K::flow(1, port)
}

/// Returns an executor, and the command desk's end of its mailbox.
fn executor<K: TestKey>() -> (MailboxHandle<K>, Executor<K>) {
    let (desk, mailbox) = mailbox();
    (desk, Executor::new(mailbox))
}

/// Runs the part of one poll-loop iteration that concerns commands.
fn run<K: TestKey>(
    executor: &mut Executor<K>,
    tracker: &mut Tracker<Table<K>>,
    now: Now,
    positions: u32,
    link: Option<LinkGeneration>,
    sink: &mut impl EventSink<K>,
) {
    let command = executor.take_command();
    executor.run(command, tracker, now, positions, link, sink);
}

fn collect<K: TestKey>(desk: &MailboxHandle<K>) -> Vec<Reply<K>> {
    desk.replies.try_iter().collect()
}

fn get_and_remove_answer_with_the_entry_or_say_why_not<K: TestKey>() {
    let (desk, mut executor) = executor::<K>();
    let mut shard = shard::<K>(16);
    let now = Now::from_ms(5);
    let mut sink = |_: &Event<K>| true;
    shard.burst(now, 1, &[frame::<K>(7)][..], &mut sink, |_, _| {});
    for command in [
        order(1, Task::Get(key(7))),
        order(2, Task::Get(key(8))),
        order(3, Task::Remove(key(7), OPERATOR)),
        order(4, Task::Remove(key(7), OPERATOR)),
    ] {
        desk.commands.send(command).expect("room");
        run(&mut executor, &mut shard.tracker, now, 8, LINK, &mut sink);
    }
    let replies = collect(&desk);
    let done = |id, outcome| Reply::Done { id, outcome };
    assert!(matches!(replies[0], Reply::Entry { id: 1, entry, .. } if entry.key == key(7)));
    assert_eq!(replies[1..3], [done(1, Outcome::OK), done(2, Outcome::Refused(Refusal::NotFound))]);
    assert!(matches!(replies[3], Reply::Entry { id: 3, .. }));
    assert_eq!(replies[4..], [done(3, Outcome::OK), done(4, Outcome::Refused(Refusal::NotFound))]);
    assert!(shard.tracker.table().is_empty());
}

/// As in P4TC, an author who may not read an entry may still change it.
fn an_entry_that_may_not_be_read_is_there_and_is_listed<K: TestKey>() {
    let (desk, mut executor) = executor::<K>();
    let mut shard = learned::<K>(0..1);
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
        desk.commands.send(order(id, task)).expect("room");
    }
    let (_, replies) = settle(&desk, &mut executor, &mut shard, now);
    let refused = |id, refusal| Reply::Done { id, outcome: Outcome::Refused(refusal) };
    assert!(replies.contains(&refused(2, Refusal::Denied(Permission::Read))), "{replies:?}");
    assert!(!replies.iter().any(|r| matches!(r, Reply::Entry { id: 2, .. })), "{replies:?}");
    assert!(replies.contains(&refused(3, Refusal::NotFound)), "{replies:?}");
    assert!(replies.iter().any(|r| matches!(r, Reply::Entry { id: 4, .. })), "{replies:?}");
    desk.commands.send(order(5, Task::Remove(key(0), OPERATOR))).expect("room");
    let (_, replies) = settle(&desk, &mut executor, &mut shard, now);
    assert!(replies.contains(&Reply::Done { id: 5, outcome: Outcome::OK }), "{replies:?}");
    assert!(shard.tracker.table().is_empty());
}

fn a_removal_waits_for_the_event_ring_and_the_queue_with_it<K: TestKey>() {
    let (desk, mut executor) = executor::<K>();
    let mut shard = shard::<K>(16);
    let now = Now::from_ms(5);
    shard.burst(now, 1, &[frame::<K>(7)][..], &mut |_: &Event<K>| true, |_, _| {});
    desk.commands.send(order(1, Task::Remove(key(7), OPERATOR))).expect("room");
    desk.commands.send(order(2, Task::Get(key(7)))).expect("room");
    for _ in 0..5 {
        run(&mut executor, &mut shard.tracker, now, 8, LINK, &mut |_: &Event<K>| false);
    }
    assert_eq!(collect(&desk), []);
    for _ in 0..2 {
        run(&mut executor, &mut shard.tracker, now, 8, LINK, &mut |_: &Event<K>| true);
    }
    let replies = collect(&desk);
    assert_eq!(replies[1], Reply::Done { id: 1, outcome: Outcome::OK });
    assert_eq!(replies[2], Reply::Done { id: 2, outcome: Outcome::Refused(Refusal::NotFound) });
}

fn dumps_go_on_in_slices_and_stop_when_nobody_fetches<K: TestKey>() {
    const FLOWS: u16 = 20_000;
    let (desk, mut executor) = executor::<K>();
    let mut shard = shard::<K>(u32::from(FLOWS));
    let now = Now::from_ms(5);
    for port in 0..FLOWS {
        shard.burst(now, 1, &[frame::<K>(port)][..], &mut |_: &Event<K>| true, |_, _| {});
    }
    for id in 1..=DUMPS as u64 + 1 {
        desk.commands.send(order(id, Task::Dump(Filter::ALL))).expect("room");
        run(&mut executor, &mut shard.tracker, now, 64, LINK, &mut |_: &Event<K>| true);
    }
    let mut replies = Vec::new();
    // All entries of all dumps pass through the queue of replies.
    for _ in 0..2 * DUMPS * usize::from(FLOWS) / REPLIES {
        for _ in 0..1000 {
            run(&mut executor, &mut shard.tracker, now, 96, LINK, &mut |_: &Event<K>| true);
        }
        assert!(desk.replies.len() <= REPLIES);
        replies.extend(desk.replies.try_iter());
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

/// Runs the mailbox until everything is answered, and returns the events that were reported
/// meanwhile.
fn settle<K: TestKey>(
    desk: &MailboxHandle<K>,
    executor: &mut Executor<K>,
    shard: &mut Shard<Table<K>>,
    now: Now,
) -> (Vec<Event<K>>, Vec<Reply<K>>) {
    let mut reported = Vec::new();
    let mut sink = |event: &Event<K>| {
        reported.push(*event);
        true
    };
    // Ten positions at a time, so that a long operation takes many slices.
    for _ in 0..1000 {
        run(executor, &mut shard.tracker, now, 10, LINK, &mut sink);
    }
    (reported, collect(desk))
}

fn learned<K: TestKey>(ports: std::ops::Range<u16>) -> Shard<Table<K>> {
    let mut shard = shard::<K>(1000);
    for port in ports {
        shard.burst(Now::from_ms(5), 1, &[frame::<K>(port)][..], &mut |_: &Event<K>| true, |_, _| {});
    }
    shard
}

fn only_filter(operand: flowtracker_proto::v1::FilterOperand, mask: u64, value: u64) -> Filter {
    let op = flowtracker_proto::v1::FilterOp::Eq.into();
    let step =
        flowtracker_proto::v1::FilterStep { op, operand: operand.into(), mask, value, ..Default::default() };
    Filter::from_proto(Some(&flowtracker_proto::v1::Filter { steps: vec![step] })).expect("sound")
}

fn a_flush_deletes_what_matches_and_was_there_and_reports_its_end_last<K: TestKey>() {
    let (desk, mut executor) = executor::<K>();
    let mut shard = learned::<K>(0..500);
    let now = Now::from_ms(7);
    // This entry may not be deleted.
    let kept = Attributes {
        permissions: Some(0x1dbc & !u32::from(Permissions::CONTROL_DELETE)),
        ..Attributes::default()
    };
    desk.commands.send(order(1, Task::Update(key(3), kept, OPERATOR))).expect("room");
    // Ports 0 to 255 have a zero upper octet.
    let low = only_filter(flowtracker_proto::v1::FilterOperand::SrcPort, 0xff00, 0);
    desk.commands.send(order(2, Task::Flush(low, OPERATOR))).expect("room");
    let (reported, replies) = settle(&desk, &mut executor, &mut shard, now);
    let removed = Removed { deleted: 255, failed: 1 };
    assert_eq!(replies.last(), Some(&Reply::Done { id: 2, outcome: Outcome::Done(removed) }));
    assert_eq!(reported.last().map(|e| e.body), Some(EventBody::Flushed(removed)));
    let by_flush = |e: &&Event<K>| matches!(e.body, EventBody::Deleted { reason: DeleteReason::Flush, actor: OPERATOR, entry } if entry.key.src_port() < 256);
    assert_eq!(reported.iter().filter(by_flush).count(), 255);
    assert_eq!(reported.len(), 1 + 255 + 1, "an update, the deletions, the end");
    assert_eq!(shard.tracker.table().len(), 245);
}

fn what_is_created_after_a_flush_has_begun_stays<K: TestKey>() {
    let (desk, mut executor) = executor::<K>();
    let mut shard = learned::<K>(0..500);
    let mut sink = |_: &Event<K>| true;
    desk.commands.send(order(1, Task::Flush(Filter::ALL, OPERATOR))).expect("room");
    run(&mut executor, &mut shard.tracker, Now::from_ms(7), 10, LINK, &mut sink);
    for port in 500..600 {
        shard.burst(Now::from_ms(8), 1, &[frame::<K>(port)][..], &mut sink, |_, _| {});
    }
    let (_, replies) = settle(&desk, &mut executor, &mut shard, Now::from_ms(9));
    let removed = Removed { deleted: 500, failed: 0 };
    assert_eq!(replies, [Reply::Done { id: 1, outcome: Outcome::Done(removed) }]);
    assert_eq!(shard.tracker.table().len(), 100);
}

fn a_purge_is_one_event_and_nothing_is_there_from_its_first_slice_on<K: TestKey>() {
    let (desk, mut executor) = executor::<K>();
    let mut shard = learned::<K>(0..500);
    let now = Now::from_ms(7);
    let mut sink = |_: &Event<K>| true;
    desk.commands.send(order(1, Task::Purge)).expect("room");
    run(&mut executor, &mut shard.tracker, now, 10, LINK, &mut sink);
    assert_eq!(shard.tracker.get(&key(499)), None, "it counts as gone");
    shard.burst(now, 1, &[frame::<K>(1), frame::<K>(2)][..], &mut sink, |_, _| {});
    let writes = [
        Task::Create(key(7), Attributes::default(), OPERATOR),
        Task::Update(key(7), Attributes::default(), OPERATOR),
        Task::Remove(key(7), OPERATOR),
        Task::Flush(Filter::ALL, OPERATOR),
    ];
    for (id, task) in (2..).zip(writes) {
        desk.commands.send(order(id, task)).expect("room");
    }
    desk.commands.send(order(9, Task::Load)).expect("room");
    let (reported, replies) = settle(&desk, &mut executor, &mut shard, now);
    let mut expected =
        vec![Reply::Done { id: 1, outcome: Outcome::Done(Removed { deleted: 500, failed: 0 }) }];
    expected.extend((2..6).map(|id| Reply::Done { id, outcome: Outcome::Refused(Refusal::Detached) }));
    expected.push(Reply::Done { id: 9, outcome: Outcome::OK });
    assert_eq!(replies, expected);
    let bodies: Vec<_> = reported.iter().map(|e| e.body).collect();
    assert_eq!(bodies, [EventBody::Purged(500), EventBody::Loaded]);
    assert!(shard.tracker.table().is_empty());
    assert_eq!(shard.counters().outcome(conntrack::Outcome::Detached), 2);
    shard.burst(now, 1, &[frame::<K>(1)][..], &mut sink, |_, _| {});
    assert_eq!(shard.tracker.table().len(), 1, "attached again");
}

fn what_an_earlier_link_asked_for_is_not_told_to_a_later_one<K: TestKey>() {
    let (desk, mut executor) = executor::<K>();
    let mut shard = learned::<K>(0..50);
    for (id, task) in (1..).zip([Task::Flush(Filter::ALL, OPERATOR), Task::Purge, Task::Load]) {
        let command = Command { link: None, ..order(id, task) };
        desk.commands.send(command).expect("room");
    }
    let (reported, replies) = settle(&desk, &mut executor, &mut shard, Now::from_ms(7));
    assert_eq!(replies.len(), 3);
    assert_eq!(reported.len(), 50, "only the deletions: {reported:?}");
}

fn what_is_late_is_not_done<K: TestKey>() {
    let (desk, mut executor) = executor::<K>();
    let mut shard = learned::<K>(0..1);
    let late = |id, task| Command { until_ns: 7_000_000, ..order(id, task) };
    desk.commands.send(late(1, Task::Remove(key(0), OPERATOR))).expect("room");
    desk.commands.send(late(2, Task::Create(key(1), Attributes::default(), OPERATOR))).expect("room");
    let (reported, replies) = settle(&desk, &mut executor, &mut shard, Now::from_ms(7));
    assert_eq!(replies, [1, 2].map(|id| Reply::Done { id, outcome: Outcome::Late }));
    assert_eq!((reported, shard.tracker.table().len()), (vec![], 1));
}
