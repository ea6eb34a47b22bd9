//! The bounds of a data plane's link. Each test has a link that goes beyond one, next to a sound one
//! whose events keep coming.

use std::sync::Arc;

use control::door::refusals::Reason;
use flowtracker_proto::table::Family;
use flowtracker_proto::v1::{
    Actor, Author, Batch, DataplaneStats, EventType, GetTableRequest, Hello, LcoreStats,
    ListDataplanesRequest, ListEntriesRequest, PortStats, RecordKind, Reply, ReplyStatus, Table, TableStats,
    TimerProfile,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::rig::*;

mod answers;

/// Memory that a link may cost besides what its declared capacity allows, bytes.
const COST: usize = 64 << 20;

/// A service with a sound data plane, "dp", whose events a watcher gets.
struct Scene {
    service: Service,
    sound: Plane,
    watcher: Watcher,
    next: u16,
    rss: usize,
}

impl Scene {
    async fn new(flags: &[&str]) -> Self {
        let service = Service::with(flags).await;
        let sound = Plane::fresh(&service).await;
        let watcher = service.watch_of("dp", now()).await;
        let mut scene = Self { service, sound, watcher, next: 1, rss: 0 };
        scene.goes_on().await;
        scene.rss = rss();
        scene
    }

    async fn link(&self, hello: Hello) -> Plane {
        Plane::attach(&self.service, hello).await.unwrap()
    }

    async fn refused(&self, hello: Hello) -> Status {
        Plane::attach(&self.service, hello).await.err().unwrap()
    }

    /// Checks that the sound data plane is as well as ever: what it reports arrives.
    async fn goes_on(&mut self) {
        self.sound.send(1, vec![created(self.next, T)]).await;
        assert_eq!(self.watcher.words(1).await, [format!("CREATED {}", self.next)]);
        self.next += 1;
    }

    /// Checks that `plane` is closed for `reason`, that this is counted, costs no memory, and that
    /// the sound data plane goes on.
    async fn closed_for(&mut self, mut plane: Plane, reason: &str, counted: Reason) -> Status {
        let refused = plane.ended().await.unwrap_err();
        assert_eq!(reason_of(&refused), reason, "{refused:?}");
        assert!(self.service.door.refusals.of(counted) > 0);
        let grown = rss().saturating_sub(self.rss);
        assert!(grown < COST, "{} MB", grown >> 20);
        self.goes_on().await;
        refused
    }

    /// Returns the number of mirrored entries; `None` when the data plane is not known.
    fn mirrored(&self, name: &str) -> Option<u64> {
        self.service.hub.dataplanes().iter().find(|d| *d.name == *name).map(|d| d.entries)
    }
}

/// Returns the resident memory of this process, bytes.
fn rss() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

fn reason_of(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

fn field_of(status: &Status) -> String {
    status.get_details_bad_request().unwrap().field_violations[0].field.clone()
}

/// Returns the introduction of "bad" with a table for this many entries.
fn bad(shards: &[u32], entries: u64) -> Hello {
    Hello { capacities: vec![capacity(entries)], ..hello("bad", 1, shards) }
}

/// Returns records that create these flows.
fn flows(numbers: std::ops::Range<u16>) -> Vec<Record> {
    numbers.map(|n| created(n, T)).collect()
}

#[tokio::test]
async fn hello_is_short_and_printable() {
    let mut scene = Scene::new(&[]).await;
    let long = "x".repeat(257);
    let ports = |ports: Vec<String>| Hello { ports, ..bad(&[1], 0) };
    let tables = |names: &[&str]| {
        let table =
            |name: &&str| flowtracker_proto::v1::TableCapacity { pipeline: (*name).to_owned(), entries: 1 };
        Hello { capacities: names.iter().map(table).collect(), ..bad(&[1], 0) }
    };
    for (hello, field) in [
        (bad(&(0..100_000).collect::<Vec<_>>(), 0), "hello"),
        (bad(&(0..257).collect::<Vec<_>>(), 0), "hello.shards"),
        (ports(vec!["y".repeat(200); 400]), "hello"),
        (ports(vec![String::new(); 1025]), "hello.ports"),
        (ports(vec!["net\u{1b}[2J".to_owned()]), "hello.ports"),
        (ports(vec![long.clone()]), "hello.ports"),
        (Hello { version: "0.1\n".to_owned(), ..bad(&[1], 0) }, "hello.version"),
        (Hello { version: long, ..bad(&[1], 0) }, "hello.version"),
        (tables(&["flowtracker", "flowtracker"]), "hello.capacities"),
        (tables(&["flowtracker\u{1b}"]), "hello.capacities"),
    ] {
        let refused = scene.refused(hello).await;
        assert_eq!((refused.code(), field_of(&refused).as_str()), (Code::InvalidArgument, field));
    }
    // What is longer than any message is not read at all.
    let refused = scene.refused(bad(&(0..1_000_000).collect::<Vec<_>>(), 0)).await;
    assert_eq!((refused.code(), reason_of(&refused).as_str()), (Code::ResourceExhausted, "MESSAGE_SIZE"));
    assert_eq!(scene.service.door.refusals.of(Reason::BadLink), 10);
    assert_eq!(scene.service.door.refusals.of(Reason::LinkMessageSize), 1);
    assert!(rss() - scene.rss < COST);
    scene.goes_on().await;
    scene.link(bad(&(0..256).collect::<Vec<_>>(), 0)).await;
}

#[tokio::test]
async fn a_batch_is_no_longer_than_a_message() {
    let mut scene = Scene::new(&[]).await;
    let mut plane = scene.link(bad(&[1], 10_000)).await;
    plane.send(1, flows(0..4096)).await;
    plane.settled_as(&scene.service, "bad").await;
    assert_eq!(scene.mirrored("bad"), Some(4096));
    plane.send_batch(Batch { shard: 1, first_seq: 4097, records: vec![0; 600 << 10] }).await;
    scene.closed_for(plane, "MESSAGE_SIZE", Reason::LinkMessageSize).await;
}

#[tokio::test]
async fn no_more_is_mirrored_than_hello_declares() {
    let mut scene = Scene::new(&[]).await;
    let mut plane = scene.link(bad(&[1, 2], 100)).await;
    plane.send(1, flows(0..50)).await;
    plane.send(2, flows(50..101)).await;
    let refused = scene.closed_for(plane, "CAPACITY", Reason::Capacity).await;
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(scene.mirrored("bad"), Some(0), "what it had is gone");
    // Room for nothing is nothing.
    let mut plane = scene.link(bad(&[1], 0)).await;
    plane.send(1, flows(0..1)).await;
    scene.closed_for(plane, "CAPACITY", Reason::Capacity).await;
    // Each table has a room of its own, and none that is not declared.
    let tables = vec![capacity(10), capacity_of(Family::Ipv6, 3)];
    let mut plane = scene.link(Hello { capacities: tables, ..bad(&[1], 0) }).await;
    plane.send(1, flows(0..10)).await;
    plane.send(1, flows(0..4).into_iter().map(wide).collect()).await;
    let refused = scene.closed_for(plane, "CAPACITY", Reason::Capacity).await;
    assert!(refused.message().contains("of flowtracker_ipv6 than the 3"), "{}", refused.message());
    for record in [created(1, T), bare(RecordKind::ResyncBegin), bare(RecordKind::Flushed)].map(wide) {
        let mut plane = scene.link(bad(&[1], 10)).await;
        plane.send(1, vec![record]).await;
        let refused = scene.closed_for(plane, "BAD_REQUEST", Reason::BadLink).await;
        assert_eq!(field_of(&refused), "batch.records");
        assert!(refused.message().contains("the table of flowtracker_ipv6"), "{}", refused.message());
    }
    // Two tables of the greatest capacity that a data plane can be given are within the bound.
    let tables = Family::ALL.map(|family| capacity_of(family, 1 << 26)).to_vec();
    drop(scene.link(Hello { capacities: tables, ..hello("great", 1, &[1]) }).await);
    // More than the service allows.
    let refused = scene.refused(bad(&[1], 1 << 60)).await;
    assert_eq!((refused.code(), reason_of(&refused).as_str()), (Code::ResourceExhausted, "CAPACITY"));
    assert!(refused.message().contains("--max-entries=134217728"), "{}", refused.message());
    assert_eq!(scene.service.door.refusals.of(Reason::Capacity), 4);
}

/// A table that is always full, and changes completely between links and during a resync.
#[tokio::test]
async fn a_full_table_meets_no_bound() {
    let scene = Scene::new(&[]).await;
    let mut plane = scene.link(bad(&[1], 100)).await;
    plane.resync(1, flows(0..100)).await;
    plane.send(1, (0..100).flat_map(|n| [expired(n, T), created(n + 100, T)]).collect()).await;
    plane.settled_as(&scene.service, "bad").await;
    plane.cut_one(&scene.service, "bad").await;

    let mut plane = scene.link(bad(&[1], 100)).await;
    let table = (200..300).map(|n| present(n, T)).collect();
    plane.resync(1, table).await;
    plane.settled_as(&scene.service, "bad").await;
    assert_eq!(scene.mirrored("bad"), Some(100));
    plane.cut_one(&scene.service, "bad").await;

    // A restart with smaller tables and on other lcores: the former entries are there until the last
    // resync ends.
    let mut plane = scene.link(Hello { instance: 2, ..bad(&[3, 4], 10) }).await;
    plane.resync(3, flows(0..5)).await;
    plane.send(4, vec![bare(RecordKind::ResyncBegin)]).await;
    plane.send(4, flows(5..10)).await;
    // An entry moves to another lcore, twice.
    plane.send(4, vec![present(0, T)]).await;
    plane.send(3, vec![present(0, T)]).await;
    plane.settled_as(&scene.service, "bad").await;
    assert_eq!(scene.mirrored("bad"), Some(110));
    plane.send(4, vec![bare(RecordKind::ResyncEnd)]).await;
    plane.settled_as(&scene.service, "bad").await;
    assert_eq!(scene.mirrored("bad"), Some(10));
    let purge = || vec![bare(RecordKind::Purged)];
    plane.send(3, purge()).await;
    plane.send(4, purge()).await;
    plane.send(3, flows(20..30)).await;
    plane.settled_as(&scene.service, "bad").await;
    assert_eq!(scene.mirrored("bad"), Some(10));
}

/// Links that end before their resync leave entries behind. They are bounded too, and do not lock a
/// sound data plane out for good.
#[tokio::test]
async fn what_is_left_of_unfinished_resyncs_is_bounded() {
    let mut scene = Scene::new(&[]).await;
    for nth in 0..2 {
        let mut plane = scene.link(bad(&[1], 100)).await;
        plane.send(1, vec![bare(RecordKind::ResyncBegin)]).await;
        plane.send(1, flows(nth * 100..(nth + 1) * 100)).await;
        plane.settled_as(&scene.service, "bad").await;
        plane.cut_one(&scene.service, "bad").await;
    }
    assert_eq!(scene.mirrored("bad"), Some(200));
    let mut plane = scene.link(bad(&[1], 100)).await;
    plane.send(1, vec![bare(RecordKind::ResyncBegin), created(300, T)]).await;
    scene.closed_for(plane, "CAPACITY", Reason::Capacity).await;
    let mut plane = scene.link(bad(&[1], 100)).await;
    plane.resync(1, flows(200..300)).await;
    plane.settled_as(&scene.service, "bad").await;
    assert_eq!(scene.mirrored("bad"), Some(100));
}

#[tokio::test]
async fn what_waits_for_a_purge_is_bounded() {
    let mut scene = Scene::new(&[]).await;
    let mut plane = scene.link(bad(&[1, 2], 1000)).await;
    plane.send(1, vec![bare(RecordKind::Purged)]).await;
    let churn: Vec<_> = (0..2000).flat_map(|n| [created(n, T), expired(n, T)]).collect();
    for _ in 0..16 {
        plane.send(1, churn.clone()).await;
    }
    plane.settled_as(&scene.service, "bad").await;
    // A sound data plane may be as far behind as this.
    plane.send(2, vec![bare(RecordKind::Purged)]).await;
    plane.settled_as(&scene.service, "bad").await;
    plane.send(1, vec![bare(RecordKind::Purged)]).await;
    for _ in 0..17 {
        plane.send(1, churn.clone()).await;
    }
    let refused = scene.closed_for(plane, "TOO_MANY_DEFERRED", Reason::TooManyDeferred).await;
    assert_eq!(refused.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn what_waits_for_a_flush_is_bounded_and_sums_do_not_wrap() {
    let mut scene = Scene::new(&[]).await;
    let mut watcher = scene.service.watch_of("bad", now()).await;
    let mut plane = scene.link(bad(&[1, 2], 0)).await;
    let flushed = |deleted, failed| Record { deleted, failed, ..bare(RecordKind::Flushed) };
    plane.send(1, vec![flushed(u64::MAX - 1, 3)]).await;
    plane.send(2, vec![flushed(7, u64::MAX)]).await;
    let event = watcher.next().await;
    assert_eq!(event.r#type(), EventType::Flushed);
    assert_eq!((event.deleted, event.failed), (u64::MAX, u64::MAX));
    plane.send(1, vec![flushed(1, 1); 1025]).await;
    let refused = scene.closed_for(plane, "TOO_MANY_FLUSHES", Reason::TooManyFlushes).await;
    assert_eq!(refused.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn authors_have_short_printable_names() {
    let mut scene = Scene::new(&[]).await;
    for length in [64, 400_000] {
        let mut plane = scene.link(bad(&[1], 10)).await;
        let actor = Actor { process: "a".repeat(length), ..Actor::default() };
        plane.introduce(vec![Author { number: 1, actor: Some(actor) }]).await;
        let refused = scene.closed_for(plane, "BAD_REQUEST", Reason::BadLink).await;
        assert_eq!(field_of(&refused), "authors.actor.process");
    }
    let mut plane = scene.link(bad(&[1], 10)).await;
    let actor = Actor { identity: "a".repeat(128), ..Actor::default() };
    plane.introduce(vec![Author { number: 1, actor: Some(actor) }]).await;
    let refused = scene.closed_for(plane, "BAD_REQUEST", Reason::BadLink).await;
    assert_eq!(field_of(&refused), "authors.actor.identity");
    // Nobody can have more programs write than it reports writes.
    let mut plane = scene.link(bad(&[1], 10)).await;
    let author = |number| Author { number, actor: Some(Actor { pid: number, ..Actor::default() }) };
    for _ in 0..16 {
        plane.introduce((1..=4096).map(author).collect()).await;
    }
    plane.send(1, flows(1..2)).await;
    plane.introduce(vec![author(7)]).await;
    plane.settled_as(&scene.service, "bad").await;
    plane.introduce(vec![author(7)]).await;
    scene.closed_for(plane, "TOO_MANY_AUTHORS", Reason::TooManyAuthors).await;

    let mut watcher = scene.service.watch_of("bad", now()).await;
    let mut plane = scene.link(bad(&[1], 10)).await;
    let process = "a\u{1b}]0;x\u{7}".to_owned();
    let entry = EntryRecord { created_by: Some(Actor { process, ..Actor::default() }), ..learned(2, T, T) };
    plane.send(1, vec![record(RecordKind::Created, T, entry)]).await;
    let entry = watcher.next().await.entry.unwrap();
    assert_eq!(entry.created_by.unwrap().process, "a\u{fffd}]0;x\u{fffd}");
}

#[tokio::test]
async fn there_are_only_so_many_data_planes() {
    let mut scene = Scene::new(&["--max-dataplanes", "3"]).await;
    let named = |name: &str| hello(name, 1, &[1]);
    let mut watcher = scene.service.watch(now()).await;
    let mut first = scene.link(named("first")).await;
    first.send(1, flows(1..3)).await;
    let second = scene.link(named("second")).await;
    let refused = scene.refused(named("third")).await;
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(reason_of(&refused), "TOO_MANY_DATAPLANES");
    assert!(refused.message().contains("--max-dataplanes=3"), "{}", refused.message());
    assert_eq!(scene.service.door.refusals.of(Reason::TooManyDataplanes), 1);
    // Who has a place keeps it, and gets it back.
    first.settled_as(&scene.service, "first").await;
    first.cut_one(&scene.service, "first").await;
    second.cut_one(&scene.service, "second").await;
    // The one that has been away for longest goes first, with its entries.
    scene.link(named("third")).await.settled_as(&scene.service, "third").await;
    let mut words = watcher.words(4).await;
    words[2..].sort();
    assert_eq!(words, ["CREATED 1", "CREATED 2", "DELETED 1 RESYNC", "DELETED 2 RESYNC"]);
    let names: Vec<_> = scene.service.hub.dataplanes().iter().map(|d| d.name.clone()).collect();
    assert_eq!(names, ["dp", "second", "third"].map(Arc::from));
    scene.link(named("second")).await;
    scene.goes_on().await;
}
