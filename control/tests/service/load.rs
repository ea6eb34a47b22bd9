//! The promise of the stream under a random load: the fold of a watcher equals the table after any
//! cuts, restarts and purges.

use std::collections::{BTreeMap, HashMap};

use flowtracker_proto::table::Family;
use flowtracker_proto::test_support::event::{Key, State};
use flowtracker_proto::v1::{DeleteReason, RecordKind};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::rig::*;

/// One step of a random load.
#[derive(Clone, Debug)]
enum Step {
    /// A packet of flow n arrives, and an entry is learned if there is none.
    Packet(u16),
    /// The entry of flow n, if any, is rewritten with this aging.
    Update(u16, u32),
    /// The entry of flow n, if any, is deleted.
    Remove(u16),
    /// The link is cut and comes back; these steps happen in between.
    Relink(Vec<Step>),
    /// The process is restarted: its table is empty, and its lcores may be others.
    Restart(bool),
    /// The program of a table is detached and attached again.
    Purge(Family),
    /// A watcher joins with a snapshot.
    Join,
}

fn step() -> impl Strategy<Value = Step> {
    let flow = 0..60_u16;
    let change = prop_oneof![
        5 => flow.clone().prop_map(Step::Packet),
        2 => (flow.clone(), 1..4_u32).prop_map(|(n, k)| Step::Update(n, k * 10_000)),
        3 => flow.prop_map(Step::Remove),
    ];
    prop_oneof![
        60 => change.clone(),
        2 => proptest::collection::vec(change, 0..30).prop_map(Step::Relink),
        1 => any::<bool>().prop_map(Step::Restart),
        1 => proptest::sample::select(&Family::ALL).prop_map(Step::Purge),
        3 => Just(Step::Join),
    ]
}

/// The family of flow n: flows of both share shards and times.
fn family(n: u16) -> Family {
    if n.is_multiple_of(3) { Family::Ipv6 } else { Family::Ipv4 }
}

/// Returns the record of flow n, of its family.
fn of_family(n: u16, record: Record) -> Record {
    if family(n) == Family::Ipv6 { wide(record) } else { record }
}

/// The oracle: the tables as the data plane has them.
struct Model {
    table: BTreeMap<u16, EntryRecord>,
    shards: Vec<u32>,
    instance: u64,
    clock: u64,
}

impl Model {
    fn shard(&self, n: u16) -> u32 {
        self.shards[usize::from(n) % self.shards.len()]
    }

    /// Applies the step and returns its record, with the shard that sends it.
    fn change(&mut self, step: &Step) -> Option<(u32, Record)> {
        self.clock += SEC;
        let now = self.clock;
        let of = |n: &u16, shard, record| (shard, of_family(*n, record));
        match step {
            Step::Packet(n) if !self.table.contains_key(n) => {
                self.table.insert(*n, learned(*n, now, now));
                Some(of(n, self.shard(*n), created(*n, now)))
            }
            Step::Packet(n) => {
                let entry = self.table.get_mut(n)?;
                (entry.last_used_time_ns, entry.packets) = (now, entry.packets + 1);
                None
            }
            Step::Update(n, aging_ms) => {
                let entry = self.table.get_mut(n)?;
                (entry.aging_ms, entry.last_used_time_ns) = (*aging_ms, now);
                let entry = entry.clone();
                Some(of(n, self.shard(*n), record(RecordKind::Updated, now, entry)))
            }
            Step::Remove(n) => {
                let mut record = record(RecordKind::Deleted, now, self.table.remove(n)?);
                record.reason = DeleteReason::Idle;
                Some(of(n, self.shard(*n), record))
            }
            _ => None,
        }
    }

    /// Enumerates the table; halfway through, the live change `during` happens.
    async fn resync(&mut self, plane: &mut Plane, during: &Step) {
        for shard in self.shards.clone() {
            plane.send(shard, of_both(RecordKind::ResyncBegin)).await;
        }
        let flows: Vec<u16> = self.table.keys().copied().collect();
        for (i, n) in flows.iter().enumerate() {
            if i == flows.len() / 2
                && let Some((shard, record)) = self.change(during)
            {
                plane.send(shard, vec![record]).await;
            }
            if let Some(entry) = self.table.get(n) {
                let entry = record(RecordKind::Present, self.clock, entry.clone());
                plane.send(self.shard(*n), vec![of_family(*n, entry)]).await;
            }
        }
        for shard in self.shards.clone() {
            plane.send(shard, of_both(RecordKind::ResyncEnd)).await;
        }
    }

    async fn attach(&mut self, service: &Service, during: &Step) -> Plane {
        let hello = hello_of_both("dp", self.instance, &self.shards);
        let mut plane = Plane::attach(service, hello).await.unwrap();
        self.resync(&mut plane, during).await;
        plane
    }

    /// Returns the state that a watcher must have.
    fn known(&self) -> HashMap<Key, State> {
        let known = |(n, e): (&u16, &EntryRecord)| {
            let state = State {
                created_ns: e.create_time_ns.into(),
                permissions: e.permissions.into(),
                aging_ms: e.aging_ms.into(),
            };
            (if family(*n) == Family::Ipv6 { wide_key(*n) } else { key(*n) }, state)
        };
        self.table.iter().map(known).collect()
    }
}

/// Returns a record of this kind about each table.
fn of_both(kind: RecordKind) -> Vec<Record> {
    Family::ALL.map(|family| Record { family, ..bare(kind) }).to_vec()
}

/// Lets every watcher catch up, and compares its fold with the model.
async fn compare(service: &Service, plane: &mut Plane, model: &Model, watchers: &mut [(Watcher, Fold)]) {
    plane.settled(service).await;
    let last = service.hub.window(0).last_seq;
    for (watcher, fold) in watchers {
        // A snapshot's entries carry the cut's number, so SYNCED has to arrive as well.
        while !has_reached(fold, last) {
            take(fold, &watcher.next().await);
        }
        assert_eq!(table(fold), model.known());
    }
}

async fn live(service: &Service, steps: Vec<Step>) {
    let mut model = Model { table: BTreeMap::new(), shards: vec![1, 2], instance: 1, clock: T };
    let mut plane = model.attach(service, &Step::Join).await;
    let mut watchers = vec![(service.watch(snapshot()).await, Fold::default())];
    for step in steps {
        match step {
            Step::Packet(_) | Step::Update(..) | Step::Remove(_) => {
                if let Some((shard, record)) = model.change(&step) {
                    plane.send(shard, vec![record]).await;
                }
            }
            Step::Relink(meanwhile) => {
                plane.cut(service).await;
                for step in &meanwhile {
                    model.change(step);
                }
                let during = meanwhile.first().cloned().unwrap_or(Step::Packet(1));
                plane = model.attach(service, &during).await;
                compare(service, &mut plane, &model, &mut watchers).await;
            }
            Step::Restart(other_lcores) => {
                plane.cut(service).await;
                model.table.clear();
                model.instance += 1;
                if other_lcores {
                    model.shards.iter_mut().for_each(|shard| *shard += 1);
                }
                plane = model.attach(service, &Step::Packet(1)).await;
                compare(service, &mut plane, &model, &mut watchers).await;
            }
            Step::Purge(purged) => {
                model.table.retain(|n, _| family(*n) != purged);
                for kind in [RecordKind::Purged, RecordKind::Loaded] {
                    for shard in model.shards.clone() {
                        plane.send(shard, vec![Record { family: purged, ..bare(kind) }]).await;
                    }
                }
            }
            Step::Join => watchers.push((service.watch(snapshot()).await, Fold::default())),
        }
    }
    compare(service, &mut plane, &model, &mut watchers).await;
    plane.cut(service).await;
}

/// Returns steps from a fixed seed, so that a failure can be reproduced.
fn steps(seed: u8, count: usize) -> Vec<Step> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    proptest::collection::vec(step(), count).new_tree(&mut runner).unwrap().current()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_folded_is_the_table() {
    for seed in 0..6 {
        let service = Service::start().await;
        live(&service, steps(seed, 400)).await;
        assert_eq!(service.hub.log_stats().gaps, 0, "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_folded_is_the_table_even_after_gaps() {
    let mut gaps = 0;
    for seed in 0..6 {
        let service = Service::with(&["--retain", "2"]).await;
        live(&service, steps(seed, 400)).await;
        gaps += service.hub.log_stats().gaps;
    }
    assert!(gaps > 0, "a log of two events leaves somebody behind");
}
