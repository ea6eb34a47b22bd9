use flowtracker_proto::change::{Change, Changed};
use flowtracker_proto::table::Family;
use flowtracker_proto::test_support;
use flowtracker_proto::v1::{DeleteReason, TableCapacity};
use proptest::prelude::*;

use super::*;
use crate::mirror::dataplane::DETACHED_FOR;

mod both;

/// Flow `n` of IPv4, created at `create_ns` and reported at `time_ns`.
fn entry(n: u16, create_ns: u64, time_ns: u64) -> EntryState {
    entry_of(Family::Ipv4, n, create_ns, time_ns)
}

fn entry_of(family: Family, n: u16, create_ns: u64, time_ns: u64) -> EntryState {
    let key = match family {
        Family::Ipv4 => format!("port0/tcp/10.0.0.1:{n}-10.0.0.2:80"),
        Family::Ipv6 => format!("port0/tcp/[2001:db8::1]:{n}-[2001:db8::2]:80"),
    };
    let state = test_support::state(key.parse().expect("a key"));
    EntryState { create_ns, last_used_ns: time_ns, as_of_ns: time_ns, ..state }
}

/// Returns the introduction of a data plane that runs these tables, each with its capacity.
fn hello_of(tables: &[Family], name: &str, instance: u64, shards: &[u32], entries: u64) -> Hello {
    let declared = |family: &Family| TableCapacity { pipeline: family.pipeline().to_owned(), entries };
    let capacities = tables.iter().map(declared).collect();
    Hello { dataplane: name.to_owned(), instance, shards: shards.to_vec(), capacities, ..Hello::default() }
}

fn hello(name: &str, instance: u64, shards: &[u32], entries: u64) -> Hello {
    hello_of(&[Family::Ipv4], name, instance, shards, entries)
}

/// A registry with its log.
struct Trial {
    registry: Registry,
    log: EventLog,
    link: u64,
}

impl Trial {
    fn new(step: usize) -> Self {
        let registry = Registry { step, ..Registry::default() };
        Self { registry, log: EventLog::new(7, 1 << 20).expect("room"), link: 0 }
    }

    fn attach(&mut self, instance: u64, shards: &[u32]) {
        self.attach_with(&Family::ALL, instance, shards);
    }

    fn attach_with(&mut self, tables: &[Family], instance: u64, shards: &[u32]) {
        self.link += 1;
        let hello = hello_of(tables, "dp", instance, shards, 1 << 20);
        assert_eq!(self.registry.attach(&hello, self.link, 16, 0), Admission::Attached);
    }

    /// Applies reports, and returns how many events each step logged.
    fn apply(&mut self, shard: u32, time_ns: u64, reports: impl IntoIterator<Item = Report>) -> Vec<u64> {
        let mut reports = reports.into_iter().map(|report| Ok((time_ns, report)));
        let mut logged = Vec::new();
        loop {
            let before = self.log.last_seq();
            let more = self.registry.apply_some(&mut self.log, "dp", self.link, shard, &mut reports);
            logged.push(self.log.last_seq() - before);
            match more {
                Ok(true) => {}
                Ok(false) => return logged,
                Err(why) => panic!("{why}"),
            }
        }
    }

    /// Returns all events, [`in_order`].
    fn events(&mut self) -> Vec<Changed> {
        in_order(self.logged())
    }

    /// Returns all events as they are in the log.
    fn logged(&mut self) -> Vec<Changed> {
        let mut events = Vec::new();
        while let Some(run) = self.log.run_after(events.len() as u64).expect("all are retained") {
            events.extend(run.events().map(|(_, event)| event.clone()));
        }
        events
    }

    /// Begins and ends the resync of both tables of a shard, without an entry.
    fn resync(&mut self, shard: u32, time_ns: u64) {
        for family in Family::ALL {
            self.apply(shard, time_ns, [Report::ResyncBegin(family), Report::ResyncEnd(family)]);
        }
    }

    fn held(&self) -> Vec<EntryState> {
        let mut held: Vec<_> =
            self.registry.snapshot().into_iter().flat_map(|(_, entries)| entries).collect();
        held.sort_by_key(|entry| entry.key);
        held
    }
}

/// What one sweep deletes has no order of its own, and is sorted by key.
fn in_order(mut events: Vec<Changed>) -> Vec<Changed> {
    let swept = |event: &Changed| match &event.change {
        Change::Deleted { entry, reason: DeleteReason::Resync, .. } => Some(entry.key),
        _ => None,
    };
    for group in events.chunk_by_mut(|a, b| swept(a).is_some() == swept(b).is_some()) {
        if swept(&group[0]).is_some() {
            group.sort_by_key(|event| (event.time_ns, swept(event)));
        }
    }
    events
}

#[test]
fn a_sweep_and_an_expiry_hold_the_lock_for_a_bounded_number_of_entries() {
    const ENTRIES: u16 = 20_000;
    let mut trial = Trial::new(Registry::default().step);
    trial.attach(1, &[1]);
    let created = (0..ENTRIES).map(|n| Report::Change(Change::Created(entry(n, 1, 1))));
    trial.apply(1, 1, created);
    trial.attach(1, &[1]);
    // One entry is confirmed, and one comes into being behind the end.
    let reports = [
        Report::ResyncBegin(Family::Ipv4),
        Report::Present(entry(7, 1, 2)),
        Report::ResyncEnd(Family::Ipv4),
        Report::Change(Change::Created(entry(ENTRIES, 2, 2))),
    ];
    let logged = trial.apply(1, 2, reports);
    assert!(
        logged.len() > usize::from(ENTRIES) / STEP && logged.iter().all(|n| *n <= STEP as u64),
        "{logged:?}"
    );
    assert_eq!(logged.iter().sum::<u64>(), u64::from(ENTRIES), "all but one are gone, one is new");
    assert_eq!(logged.last(), Some(&1), "the report behind the end comes last");
    assert_eq!(trial.held(), [entry(7, 1, 2), entry(ENTRIES, 2, 2)]);

    let again = (0..ENTRIES).map(|n| Report::Change(Change::Created(entry(n, 3, 3))));
    trial.apply(1, 3, again);
    let now = Instant::now();
    trial.registry.detach("dp", trial.link, now, 0);
    let mut before = trial.log.last_seq();
    while trial.registry.expire_some(&mut trial.log, now + DETACHED_FOR, 4) {
        let logged = trial.log.last_seq() - before;
        assert!(logged <= STEP as u64, "{logged}");
        before = trial.log.last_seq();
    }
    assert!(trial.held().is_empty() && !trial.registry.knows("dp"));
}

#[test]
fn a_data_plane_is_synced_when_its_sweep_is_over_and_a_cut_sweep_stays_due() {
    let mut trial = Trial::new(8);
    trial.attach(1, &[1]);
    trial.apply(1, 1, (0..100).map(|n| Report::Change(Change::Created(entry(n, 1, 1)))));
    // The data plane was restarted, so that the whole table is swept.
    trial.attach(2, &[1]);
    let reports = [Report::ResyncBegin(Family::Ipv4), Report::ResyncEnd(Family::Ipv4)];
    let mut reports = reports.map(|report| Ok((2, report))).into_iter();
    for _ in 0..3 {
        let more = trial.registry.apply_some(&mut trial.log, "dp", trial.link, 1, &mut reports);
        assert_eq!(more, Ok(true));
        assert!(!trial.registry.dataplanes()[0].synced);
    }
    let old = trial.link;
    trial.attach(2, &[1]);
    let stale = trial.registry.apply_some(&mut trial.log, "dp", old, 1, &mut reports);
    assert_eq!(stale, Err(BadReport::StaleLink));
    assert!(!trial.held().is_empty(), "the sweep was cut");
    trial.resync(1, 3);
    assert!(trial.held().is_empty() && trial.registry.dataplanes()[0].synced);
}

/// A batch, and what has waited for a purge, are applied in steps as well.
#[test]
fn many_reports_hold_the_lock_for_a_bounded_number_of_them() {
    const ENTRIES: u16 = 20_000;
    let mut trial = Trial::new(Registry::default().step);
    trial.attach(1, &[1, 2]);
    let created = || (0..ENTRIES).map(|n| Report::Change(Change::Created(entry(n, 1, 1))));
    let in_steps = |logged: &[u64]| {
        assert!(logged.iter().all(|n| *n <= STEP as u64), "{logged:?}");
        assert_eq!(logged.iter().sum::<u64>() / u64::from(ENTRIES), 1, "{logged:?}");
    };
    in_steps(&trial.apply(1, 1, created()));
    let purged = || Report::Change(Change::Purged(Family::Ipv4));
    assert_eq!(trial.apply(1, 2, [purged()].into_iter().chain(created())).iter().sum::<u64>(), 0);
    in_steps(&trial.apply(2, 3, [purged()]));
    assert_eq!(trial.held().len(), usize::from(ENTRIES));
}

#[test]
fn a_link_that_declares_nothing_mirrors_nothing() {
    let mut registry = Registry::default();
    let mut log = EventLog::new(7, 10).expect("room");
    registry.attach(&hello("dp", 1, &[1], 0), 1, 16, 0);
    for report in [
        Report::Present(entry_of(Family::Ipv6, 1, 1, 1)),
        Report::ResyncBegin(Family::Ipv6),
        Report::Change(Change::Purged(Family::Ipv6)),
    ] {
        let refused = registry.apply_some(&mut log, "dp", 1, 1, &mut [Ok((1, report))].into_iter());
        assert_eq!(refused, Err(BadReport::Table("flowtracker_ipv6")));
    }
    let mut reports = [Ok((1, Report::Present(entry(1, 1, 1))))].into_iter();
    let refused = registry.apply_some(&mut log, "dp", 1, 1, &mut reports);
    assert_eq!(refused, Err(BadReport::Capacity { pipeline: "flowtracker", capacity: 0 }));
}

/// Of those that are away, the one that went first goes first; those that are attached stay.
#[test]
fn the_oldest_of_those_away_gives_its_place() {
    let mut registry = Registry::default();
    let mut log = EventLog::new(7, 10).expect("room");
    let now = Instant::now();
    let names = |registry: &Registry| -> Vec<String> {
        registry.dataplanes().iter().map(|d| d.name.to_string()).collect()
    };
    for (link, name) in (1..).zip(["a", "b", "c"]) {
        assert_eq!(registry.attach(&hello(name, 1, &[1], 1), link, 3, 0), Admission::Attached);
    }
    let d = hello("d", 1, &[1], 1);
    assert_eq!(registry.attach(&d, 4, 3, 0), Admission::Full);
    registry.detach("c", 3, now, 0);
    registry.detach("b", 2, now + std::time::Duration::from_secs(1), 0);
    assert_eq!(registry.attach(&d, 4, 3, 0), Admission::AfterRemoval);
    while registry.expire_some(&mut log, now, 0) {}
    assert_eq!(names(&registry), ["a", "b"]);
    assert_eq!(registry.attach(&d, 4, 3, 0), Admission::Attached);
    // A place that was to be given is kept by a link that is back in time.
    let e = hello("e", 1, &[1], 1);
    assert_eq!(registry.attach(&e, 5, 3, 0), Admission::AfterRemoval);
    assert_eq!(registry.attach(&hello("b", 1, &[1], 1), 6, 3, 0), Admission::Attached);
    while registry.expire_some(&mut log, now, 0) {}
    assert_eq!(names(&registry), ["a", "b", "d"]);
    assert_eq!(registry.attach(&e, 5, 3, 0), Admission::Full);
}

/// What happens in a trial, on shard 1 or 2.
#[derive(Clone, Debug)]
enum Happening {
    Reports(u32, Vec<u8>),
    /// A new link, of the same instance or of another.
    Link(bool),
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let reports = (1..=2_u32, proptest::collection::vec(any::<u8>(), 0..12));
    let happening = prop_oneof![
        8 => reports.prop_map(|(shard, reports)| Happening::Reports(shard, reports)),
        1 => any::<bool>().prop_map(Happening::Link),
    ];
    proptest::collection::vec(happening, 0..60)
}

/// Makes a report of a number: mostly about one of sixteen entries, half of them of IPv6.
fn report(choice: u8, time_ns: u64) -> Report {
    let family = Family::ALL[usize::from(choice / 8 % 2)];
    let state = entry_of(family, u16::from(choice % 8), u64::from(choice / 128), time_ns);
    match choice / 16 % 8 {
        0 | 1 => Report::Change(Change::Created(state)),
        2 => Report::Present(state),
        3 => Report::Change(Change::Deleted { entry: state, reason: DeleteReason::Idle, by: None }),
        4 => Report::Change(Change::Updated(state)),
        5 => Report::ResyncBegin(family),
        6 => Report::ResyncEnd(family),
        _ => match choice % 8 {
            0 | 1 => Report::Change(Change::Purged(family)),
            2 => Report::Change(Change::Loaded(family)),
            3 => Report::Change(Change::Flushed { family, deleted: 1, failed: choice.into() }),
            _ => Report::ResyncEnd(family),
        },
    }
}

/// Returns the events and the entries that are left when sweeps take steps of `step` buckets.
fn outcome(step: usize, happenings: &[Happening]) -> (Vec<Changed>, Vec<EntryState>) {
    let mut trial = Trial::new(step);
    let mut instance = 1;
    trial.attach(instance, &[1, 2]);
    for (time_ns, happening) in (10..).zip(happenings) {
        match happening {
            Happening::Reports(shard, choices) => {
                trial.apply(*shard, time_ns, choices.iter().map(|choice| report(*choice, time_ns)));
            }
            Happening::Link(same) => {
                instance += u64::from(!same);
                trial.attach(instance, &[1, 2]);
            }
        }
    }
    (trial.logged(), trial.held())
}

proptest! {
    /// The steps of a sweep show in no event: it is as if it were one step.
    #[test]
    fn a_stepped_sweep_logs_what_a_whole_one_does(happenings in happenings(), step in 1..9_usize) {
        let of = |step| {
            let (events, held) = outcome(step, &happenings);
            (in_order(events), held)
        };
        prop_assert_eq!(of(step), of(usize::MAX));
    }
}

/// A data plane's clock was set back while it was away or for a new link: what it reports on that
/// link is newer than what is known, whatever the times say.
#[test]
fn a_link_may_begin_with_an_earlier_time() {
    let mut trial = Trial::new(100);
    trial.attach(1, &[0]);
    let seen = |time_ns, packets| EntryState { packets, ..entry(1, 50, time_ns) };
    trial.apply(
        0,
        9000,
        [Report::ResyncBegin(Family::Ipv4), Report::Present(seen(9000, 1)), Report::ResyncEnd(Family::Ipv4)],
    );
    trial.attach(1, &[0]);
    trial.apply(
        0,
        300,
        [Report::ResyncBegin(Family::Ipv4), Report::Present(seen(300, 2)), Report::ResyncEnd(Family::Ipv4)],
    );
    assert_eq!(trial.held(), [seen(300, 2)], "the counters stay those of the last link");
    let touched = EntryState { last_used_ns: 400, ..seen(400, 3) };
    trial.apply(0, 400, [Report::Change(Change::Updated(touched.clone()))]);
    assert_eq!(trial.held(), std::slice::from_ref(&touched));
    let events: Vec<_> = trial.events().into_iter().map(|event| event.change).collect();
    assert_eq!(events, [Change::Created(seen(9000, 1)), Change::Updated(touched)]);
    // On one link, what is older is still no news.
    trial.apply(0, 350, [Report::Change(Change::Updated(seen(350, 2)))]);
    assert_eq!(trial.events().len(), 2);
}
