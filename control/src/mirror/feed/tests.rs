use std::collections::BTreeMap;

use flowtracker_proto::change::{Change, EntryState, Report};
use flowtracker_proto::filter::Program;
use flowtracker_proto::key::FlowKey;
use flowtracker_proto::table::Family;
use flowtracker_proto::test_support;
use flowtracker_proto::v1::{DeleteReason, Hello, TableCapacity};
use proptest::prelude::*;

use super::*;
use crate::api::filter::{self, Place};

/// The run of the service in these tests.
const EPOCH: u64 = 7;

/// A hub with the data plane "dp", and the number of its link.
async fn hub(retain: usize) -> (Arc<Hub>, u64) {
    let hub = Arc::new(Hub::new(EPOCH, retain).expect("room"));
    let declared =
        |family: Family| TableCapacity { pipeline: family.pipeline().to_owned(), entries: 1 << 16 };
    let capacities = Family::ALL.map(declared).to_vec();
    let hello =
        Hello { dataplane: "dp".into(), instance: 1, shards: vec![1], capacities, ..Hello::default() };
    let link = hub.attach(&hello, 16, 0).await.expect("a place");
    (hub, link)
}

fn expired(entry: EntryState) -> Change {
    Change::Deleted { entry, reason: DeleteReason::Idle, by: None }
}

/// Returns the key of a source port: those that four divides are of IPv6.
fn key_of(src_port: u16) -> FlowKey {
    let text = match src_port % 4 {
        0 => format!("port0/tcp/[::1]:{src_port}-[::2]:80"),
        _ => format!("port0/tcp/10.0.0.1:{src_port}-10.0.0.2:80"),
    };
    text.parse().expect("a key")
}

async fn report(hub: &Hub, link: u64, kind: fn(EntryState) -> Change, src_port: u16, time_ns: u64) {
    let entry = test_support::state(key_of(src_port));
    let change = kind(EntryState { last_used_ns: time_ns, as_of_ns: time_ns, ..entry });
    hub.apply("dp", link, 1, [Ok((time_ns, Report::Change(change)))]).await.expect("a sound report");
}

fn wants(filter: &str) -> Predicate {
    Predicate::new(String::new(), None, filter::program(filter, Place::Watch).expect(filter))
}

fn everything() -> Predicate {
    Predicate::new(String::new(), None, Program::default())
}

/// What a reader has: the time of the last report by source port. It follows the rules of the
/// module's page.
#[derive(Debug, Default)]
struct Fold {
    table: BTreeMap<u16, u64>,
    /// The place of the last item.
    at: u64,
    in_snapshot: bool,
    gaps: u64,
}

impl Fold {
    /// Takes an item in. Returns true where the table is promised to be whole.
    fn take(&mut self, item: Item) -> bool {
        match item {
            Item::Events(run, wanted) => {
                assert!(!self.in_snapshot, "no event comes inside a snapshot");
                for (index, (seq, record)) in run.events().enumerate() {
                    // A run of which nothing is wanted is skipped.
                    let skips = index == 0 && wanted != Wanted::All;
                    assert!(seq == self.at + 1 || skips && seq > self.at, "every number once and in order");
                    self.at = seq;
                    if let Wanted::These(wanted) = &wanted
                        && !wanted[index]
                    {
                        continue;
                    }
                    match &record.change {
                        Change::Created(entry) | Change::Updated(entry) => {
                            self.table.insert(entry.key.widen().src_port, entry.as_of_ns);
                        }
                        Change::Deleted { entry, .. } => {
                            assert!(self.table.remove(&entry.key.widen().src_port).is_some(), "it was there");
                        }
                        other => panic!("{other:?}"),
                    }
                }
                false
            }
            Item::Entries { cut, dataplane, entries } => {
                assert!(self.in_snapshot && &*dataplane == "dp" && (1..=BATCH).contains(&entries.len()));
                self.at = cut;
                self.table.extend(entries.iter().map(|entry| (entry.key.widen().src_port, entry.as_of_ns)));
                false
            }
            Item::Gap { from, to } => {
                assert!(self.at < from && from <= to);
                *self = Self { at: to, in_snapshot: true, gaps: self.gaps + 1, ..Self::default() };
                false
            }
            Item::Synced(seq) => {
                assert!(self.in_snapshot && (self.table.is_empty() || seq == self.at));
                (self.at, self.in_snapshot) = (seq, false);
                true
            }
            Item::Progress(seq) => {
                assert!(!self.in_snapshot && seq >= self.at);
                self.at = seq;
                true
            }
        }
    }
}

/// What happens in a trial.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// An entry is created, or changed when it is there.
    Set(u16),
    /// An entry is deleted if it is there.
    Remove(u16),
    /// A reader reads until it has nothing to do.
    CatchUp(usize),
    /// A reader asks once and stops asking when nothing is ready.
    Glance(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..12_u16).prop_map(Step::Set),
        4 => (0..12_u16).prop_map(Step::Remove),
        1 => (0..2_usize).prop_map(Step::CatchUp),
        2 => (0..2_usize).prop_map(Step::Glance),
    ];
    proptest::collection::vec(step, 0..120)
}

/// A filter that passes odd source ports below 8.
const SOME: &str = "key.srcPort = 1 || key.srcPort = 3 || key.srcPort = 5 || key.srcPort = 7";

async fn folds_into_the_table(retain: usize, steps: Vec<Step>) {
    let (hub, link) = hub(retain).await;
    let start = async |predicate, origin| Feed::start(hub.clone(), predicate, origin).await.expect("there");
    let mut readers = [
        (start(everything(), Origin::Snapshot).await, Fold { in_snapshot: true, ..Fold::default() }, false),
        (start(wants(SOME), Origin::Snapshot).await, Fold { in_snapshot: true, ..Fold::default() }, true),
    ];
    let mut table = BTreeMap::new();
    for (time_ns, step) in (1..).zip(steps) {
        match step {
            Step::Set(port) => {
                let known = table.insert(port, time_ns).is_some();
                let kind = if known { Change::Updated } else { Change::Created };
                report(&hub, link, kind, port, time_ns).await;
            }
            Step::Remove(port) => {
                if table.remove(&port).is_some() {
                    report(&hub, link, expired, port, time_ns).await;
                }
            }
            Step::CatchUp(reader) => catch_up(&mut readers[reader], &table).await,
            Step::Glance(reader) => {
                let (feed, fold, _) = &mut readers[reader];
                tokio::select! {
                    biased;
                    item = feed.next() => drop(fold.take(item)),
                    () = std::future::ready(()) => {}
                }
            }
        }
    }
    for reader in &mut readers {
        catch_up(reader, &table).await;
    }
    assert_eq!(hub.log_stats().gaps, readers.iter().map(|(_, fold, _)| fold.gaps).sum::<u64>());
}

/// Reads until a mark speaks of the last event, and compares.
async fn catch_up((feed, fold, some): &mut (Feed, Fold, bool), table: &BTreeMap<u16, u64>) {
    let last_seq = feed.hub.window(0).last_seq;
    while !(fold.take(feed.next().await) && feed.cursor() == last_seq) {}
    let wanted = |port: &u16| !*some || (port % 2 == 1 && *port < 8);
    let wanted: BTreeMap<_, _> =
        table.iter().filter(|(port, _)| wanted(port)).map(|(k, v)| (*k, *v)).collect();
    // An entry that a snapshot gives is as of its last report.
    assert_eq!(fold.table, wanted);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_readers_fold_is_the_table(retain in 1..40_usize, steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(folds_into_the_table(retain, steps));
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_given_in_batches_and_then_synced() {
    let (hub, link) = hub(10).await;
    for port in 0..600 {
        report(&hub, link, Change::Created, port, 5).await;
    }
    let mut feed = Feed::start(hub.clone(), everything(), Origin::Snapshot).await.expect("there");
    assert_eq!(feed.cursor(), 600);
    let mut sizes = Vec::new();
    loop {
        match feed.next().await {
            Item::Entries { cut: 600, entries, .. } => sizes.push(entries.len()),
            Item::Synced(600) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(sizes, [256, 256, 88]);
    assert_eq!(hub.log_stats().watchers, 1);
    drop(feed);
    assert_eq!(hub.log_stats().watchers, 0);
}

#[tokio::test]
async fn a_feed_starts_after_an_event_that_is_followed_by_what_is_retained() {
    let (hub, link) = hub(3).await;
    for port in 1..=5 {
        report(&hub, link, Change::Created, port, 5).await;
    }
    let start = async |epoch, seq| {
        let feed = Feed::start(hub.clone(), everything(), Origin::After { epoch, seq }).await;
        feed.map(|feed| feed.cursor()).map_err(|why| why.to_string())
    };
    assert_eq!(start(EPOCH, 2).await, Ok(2));
    assert_eq!(start(EPOCH, 5).await, Ok(5));
    assert_eq!(start(8, 2).await, Err("epoch 8 is gone, the present one is 7".to_owned()));
    assert_eq!(start(EPOCH, 6).await, Err("event 6 is not there yet, the last is 5".to_owned()));
    assert_eq!(start(EPOCH, 1).await, Err("what follows event 1 is gone, the oldest is 3".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_mark_comes_when_a_reader_has_waited_for_a_second() {
    let (hub, link) = hub(10).await;
    let mut feed = Feed::start(hub.clone(), wants("key.srcPort = 1"), Origin::Now).await.expect("there");
    let begin = Instant::now();
    assert!(matches!(feed.next().await, Item::Progress(0)));
    assert_eq!(begin.elapsed(), PROGRESS_EVERY);
    // A reader that is slow owes no mark for the time that it took.
    tokio::time::sleep(10 * PROGRESS_EVERY).await;
    report(&hub, link, Change::Created, 2, 5).await;
    let begin = Instant::now();
    assert!(matches!(feed.next().await, Item::Progress(1)), "the event was considered");
    assert_eq!(begin.elapsed(), PROGRESS_EVERY);
    // A call that is dropped does not put the mark off.
    tokio::select! {
        _ = feed.next() => panic!("nothing has happened"),
        () = tokio::time::sleep(PROGRESS_EVERY / 2) => {}
    }
    let begin = Instant::now();
    assert!(matches!(feed.next().await, Item::Progress(1)));
    assert_eq!(begin.elapsed(), PROGRESS_EVERY / 2);
}
