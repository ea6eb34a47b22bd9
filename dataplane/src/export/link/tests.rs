//! The exporter against control services that behave as the test says. Its lcores stand still.

mod fake;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use conntrack::{Entry, EventBody, EventSink, FlowKey};
use flowtracker_proto::clock_step::age_ms;
use flowtracker_proto::link;

use flowtracker_proto::v1::{self, ReplyStatus as Status, attach_request::Body, command};

use crate::export::RingSink;
use crate::test_key::{TestKey, both_families};
use fake::{Fake, LIMIT};

both_families!(
    commands_beyond_the_mailbox_are_refused,
    times_follow_a_clock_that_is_set_and_entries_stay_the_same
);

fn delete_by<K: TestKey>(process: &str) -> command::Body {
    let key = K::flow(1, 1).bytes();
    let process = process.to_owned();
    let actor = Some(v1::Actor { entity: v1::Entity::Tc.into(), pid: 1, process, ..Default::default() });
    command::Body::Delete(v1::DeleteCommand { key, actor })
}

/// Returns the resident memory of this process, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().expect("a number") * 1024
}

/// Each name is new and nearly as long as a message may be.
#[test]
fn names_of_authors_are_refused_by_their_field_and_do_not_stay() {
    // All of them are many times what other tests of this process may take meanwhile.
    const COMMANDS: u64 = 4000;
    const NAME: usize = 60_000;
    let mut fake = Fake::start();
    fake.run(async |control, _| {
        let mut link = control.attached().await;
        let before = resident();
        for id in 1..=COMMANDS {
            let name = format!("{id:0>NAME$}");
            link.send(id, delete_by::<FlowKey>(&name)).await;
            let reply = link.reply(id).await;
            let says = (reply.status(), &reply.field[..], &reply.reason[..]);
            assert_eq!(says, (Status::InvalidArgument, "actor.process", "BAD_AUTHOR"), "{reply:?}");
        }
        let grown = resident().saturating_sub(before);
        assert!(grown < COMMANDS as usize * NAME / 8, "{grown} bytes for {COMMANDS} names");
        // The link stands, and a name of 63 bytes is taken: the command waits for the lcore.
        link.send(COMMANDS + 1, delete_by::<FlowKey>(&"n".repeat(63))).await;
        link.send(COMMANDS + 2, command::Body::Stats(v1::StatsCommand {})).await;
        assert_eq!(link.reply(COMMANDS + 2).await.status(), Status::Ok);
    });
}

#[test]
fn a_message_that_is_too_long_ends_the_link_and_pauses_grow() {
    let mut fake = Fake::start();
    fake.run(async |control, _| {
        let mut attached = Vec::new();
        for _ in 0..5 {
            let mut link = control.attached().await;
            attached.push(tokio::time::Instant::now());
            link.send(1, delete_by::<FlowKey>(&"n".repeat(100_000))).await;
            assert!(link.ended().await, "the link goes on");
        }
        // 50, 100, 200 and 400 ms, and not 50 ms each time.
        let all = attached[4] - attached[0];
        assert!(all >= Duration::from_millis(700), "five links in {all:?}");
        assert!(all < LIMIT, "{all:?}");
    });
}

/// Nobody empties the mailbox. What has no room is refused, other commands are answered, and the
/// exporter goes on.
fn commands_beyond_the_mailbox_are_refused<K: TestKey>() {
    let mut fake = Fake::start();
    fake.run(async |control, _| {
        let mut link = control.attached().await;
        for id in 1..=1000 {
            link.send(id, delete_by::<K>("ctl")).await;
        }
        link.send(1001, command::Body::Stats(v1::StatsCommand {})).await;
        let mut refused = Vec::new();
        loop {
            let Some(Body::Reply(reply)) = link.next().await else { panic!("the link has ended") };
            if reply.id == 1001 {
                break;
            }
            assert_eq!((reply.status(), &reply.reason[..]), (Status::Unavailable, ""), "{reply:?}");
            refused.push(reply.id);
        }
        assert_eq!(refused, (257..=1000).collect::<Vec<_>>());
    });
}

/// The clock is set forward, and back: times follow, on a new link where they would run backwards,
/// and the entry stays the same one, with its age.
fn times_follow_a_clock_that_is_set_and_entries_stay_the_same<K: TestKey>()
where
    RingSink: EventSink<K>,
{
    const HOUR_MS: u64 = 3_600_000;
    let set = Arc::new(AtomicU64::new(400_000 * HOUR_MS));
    let mut fake = Fake::start();
    fake.follow(&set);
    fake.run(async |control, lcore| {
        let mut link = control.attached().await;
        lcore.linked().await;
        let mut identity = None;
        let mut last_ns = 0;
        let created_ms = lcore.clock.now().ns / 1_000_000;
        let entry = Entry { created_ms, ..K::flow(1, 1).entry() };
        for (turn, hours) in [0_i64, 1, 5, -3, 2, -1].into_iter().enumerate() {
            set.fetch_add(HOUR_MS.wrapping_mul(hours as u64), Ordering::Relaxed);
            if hours < 0 {
                assert!(link.ended().await, "times run backwards on one link");
                link = control.attached().await;
                lcore.linked().await;
                last_ns = 0;
            }
            // Until the new time has been noticed.
            loop {
                // What is reported happens between these two readings.
                let before = lcore.clock.now().ns;
                lcore.report(EventBody::ResyncEntry(entry));
                let now = lcore.clock.now().ns;
                let Some(record) = link.records().await.pop() else { continue };
                let link::Body::Present(shown) = record.body else { panic!("{record:?}") };
                assert!(record.time_ns >= last_ns, "turn {turn}: backwards");
                last_ns = record.time_ns;
                assert_eq!(*identity.get_or_insert(shown.create_ns), shown.create_ns, "turn {turn}");
                let age = age_ms(shown.create_ns, record.time_ns, shown.clock_step);
                let possible = before / 1_000_000 - created_ms..=now / 1_000_000 - created_ms;
                assert!(possible.contains(&age), "turn {turn}: age {age}, not in {possible:?}");
                let host = now + set.load(Ordering::Relaxed) * 1_000_000;
                if record.time_ns.abs_diff(host) < 1_000_000_000 {
                    break;
                }
            }
        }
    });
}
