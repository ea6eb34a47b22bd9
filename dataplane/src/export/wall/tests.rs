use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use conntrack::test_support::{self, Random};
use conntrack::{ActorId, DeleteReason, Entry, Event, EventBody, Tick};
use flowtracker_proto::clock_step::age_ms;
use flowtracker_proto::link::Body;
use proptest::prelude::*;

use super::*;
use crate::export::encode;

const SECOND: u64 = 1_000 * MS;
const HOUR_MS: i64 = 3_600_000;
/// Unix time at the start, in milliseconds.
const START_MS: i64 = 1_700_000_000_000;

/// The host's clock: whoever sets it changes the difference to the lcores' clock.
#[derive(Clone, Default)]
struct Host {
    ns: Arc<AtomicU64>,
    /// Set by this number of nanoseconds since the start.
    set_ns: Arc<AtomicI64>,
}

impl Host {
    fn unix_ns(&self) -> u64 {
        let ns = self.ns.load(Ordering::Relaxed);
        (START_MS as u64 * MS + ns).saturating_add_signed(self.set_ns.load(Ordering::Relaxed))
    }

    fn set(&self, by_ns: i64) {
        self.set_ns.fetch_add(by_ns, Ordering::Relaxed);
    }

    fn wall(&self) -> WallClock {
        let host = self.clone();
        WallClock::new(START_MS as u64 * MS, move || {
            Some(Reading { ns: host.ns.load(Ordering::Relaxed), unix_ns: host.unix_ns() })
        })
    }

    /// Lets time pass as the exporter sees it: it follows the clock in every round, and begins
    /// another link when it has to.
    fn pass(&self, ns: u64, wall: &mut WallClock, begun: &Cell<bool>) {
        let end = self.ns.load(Ordering::Relaxed) + ns;
        loop {
            let now = self.ns.load(Ordering::Relaxed);
            wall.follow(now);
            if wall.set_back().is_some() {
                wall.begin_link(now);
                begun.set(true);
            }
            if now == end {
                return;
            }
            self.ns.store(end.min(now + 20 * MS), Ordering::Relaxed);
        }
    }
}

fn entry(created_ms: u64, last_used_ms: u64) -> Entry {
    let last_used = Tick(last_used_ms as u32);
    Entry { created_ms, last_used, ..test_support::entry(test_support::flow(1, 1)) }
}

#[derive(Clone, Debug)]
enum Op {
    Pass(u64),
    /// Somebody sets the clock.
    Set(i64),
    /// A time daemon turns the clock a little.
    Slew(i64),
    /// An entry is created now.
    Create,
    /// The event of a past instant is sent: so much ago.
    Send(u64),
    /// The link is cut and another begins.
    Relink,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let set = prop_oneof![
        -2000 * MS as i64..2000 * MS as i64,
        -40 * HOUR_MS * MS as i64..40 * HOUR_MS * MS as i64,
        Just(-HOUR_MS * MS as i64),
        Just(50 * 365 * 24 * HOUR_MS * MS as i64),
    ];
    let op = prop_oneof![
        4 => (0..3 * SECOND).prop_map(Op::Pass),
        2 => set.prop_map(Op::Set),
        2 => (-50 * MS as i64..50 * MS as i64).prop_map(Op::Slew),
        2 => Just(Op::Create),
        6 => prop_oneof![Just(0), 0..10 * SECOND].prop_map(Op::Send),
        1 => Just(Op::Relink),
    ];
    prop::collection::vec(op, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever sets the clock, and whenever: a creation time never changes, ages are those of the
    /// lcores' clock, times follow the host's clock within a second, and on one link, of two instants
    /// the later one never has the earlier time.
    #[test]
    fn times_follow_the_clock_and_identities_and_ages_do_not(ops in ops()) {
        let host = Host::default();
        host.ns.store(100 * SECOND, Ordering::Relaxed);
        let mut wall = host.wall();
        wall.begin_link(host.ns.load(Ordering::Relaxed));
        let begun = Cell::new(false);
        // What was sent on the link: instant and time.
        let mut sent: Vec<(u64, u64)> = Vec::new();
        // Entries by their creation, with the time that was first shown.
        let mut entries: Vec<(u64, u64)> = Vec::new();
        for op in ops {
            match op {
                Op::Pass(ns) => host.pass(ns, &mut wall, &begun),
                // Unix time in nanoseconds ends in 2554.
                Op::Set(by) if host.set_ns.load(Ordering::Relaxed) > HOUR_MS * MS as i64 * 1000 => host.set(-by.abs()),
                Op::Set(by) => host.set(by),
                Op::Slew(by) => host.set(by),
                Op::Create => {
                    // The clock is followed by then.
                    host.pass(SECOND, &mut wall, &begun);
                    // As the engine rounds it.
                    let created_ms = host.ns.load(Ordering::Relaxed).div_ceil(MS);
                    let shown = wall.created_ns(created_ms * MS);
                    let error = shown.abs_diff(host.unix_ns());
                    prop_assert!(error <= SECOND, "a creation is shown {} ns off", error);
                    entries.push((created_ms, shown));
                }
                Op::Send(ago) => {
                    let now = host.ns.load(Ordering::Relaxed);
                    let at = now.saturating_sub(ago);
                    let time = wall.wall_ns(at);
                    for (other, shown) in std::mem::take(&mut sent).into_iter().filter(|_| !begun.get()) {
                        prop_assert!(if other <= at { shown <= time } else { shown >= time },
                            "instant {} has {}, and instant {} has {}", other, shown, at, time);
                        sent.push((other, shown));
                    }
                    begun.set(false);
                    sent.push((at, time));
                    for (created_ms, shown) in &entries {
                        let used_ms = (created_ms + 7).min(at / MS);
                        let body = EventBody::Deleted {
                            entry: entry(*created_ms, used_ms), reason: DeleteReason::Idle, actor: ActorId::TIMER,
                        };
                        let record = encode::record(&Event { at_ns: at, body }, &wall);
                        let Body::Deleted { entry, .. } = record.body else { panic!("{record:?}") };
                        prop_assert_eq!(entry.create_ns, *shown, "an entry has become another one");
                        if at / MS < *created_ms {
                            continue;
                        }
                        let age = age_ms(entry.create_ns, record.time_ns, entry.clock_step);
                        let most = match entry.clock_step.ms().abs() {
                            0..=0x800_0000 => 0,
                            step if step < 60 * 365 * 24 * HOUR_MS => 500,
                            _ => u64::MAX,
                        };
                        prop_assert!(age.abs_diff(at / MS - created_ms) <= most, "age {}", age);
                        let idle = (record.time_ns - entry.last_used_ns) / MS;
                        prop_assert_eq!(idle, at / MS - used_ms);
                    }
                }
                Op::Relink => {
                    host.pass(10 * MS, &mut wall, &begun);
                    wall.begin_link(host.ns.load(Ordering::Relaxed));
                    begun.set(true);
                }
            }
        }
        host.pass(SECOND, &mut wall, &begun);
        let error = wall.wall_ns(host.ns.load(Ordering::Relaxed)).abs_diff(host.unix_ns());
        prop_assert!(error <= SECOND, "a second after it was set, the clock is {} ns off", error);
    }
}

/// A clock that drifts is followed, and the times of creation stay.
#[test]
fn a_drift_of_a_year_is_followed_and_fits() {
    const DAYS: u64 = 365;
    let host = Host::default();
    let mut wall = host.wall();
    let mut shown = Vec::new();
    for hour in 0..DAYS * 24 {
        host.ns.store(hour * 3600 * SECOND, Ordering::Relaxed);
        host.set(50 * 3600 * 1000);
        wall.follow(hour * 3600 * SECOND);
        let error = wall.wall_ns(hour * 3600 * SECOND).abs_diff(host.unix_ns());
        assert!(error <= 180 * MS, "{error} ns off after {hour} hours");
        shown.push(wall.created_ns(hour * 3600 * SECOND));
    }
    for (hour, shown) in shown.iter().enumerate() {
        assert_eq!(wall.created_ns(hour as u64 * 3600 * SECOND), *shown);
    }
    assert!(wall.creations.len() < CREATIONS / 4, "{}", wall.creations.len());
}

/// Somebody sets the clock for ever. The memory is bounded, event times go on following, and no
/// creation time changes.
#[test]
fn a_clock_that_is_set_for_ever_takes_no_more_memory() {
    let host = Host::default();
    let mut wall = host.wall();
    let mut random = Random(5);
    let mut shown = Vec::new();
    for step in 1..CREATIONS as u64 + 5000 {
        let ns = step * SECOND;
        host.ns.store(ns, Ordering::Relaxed);
        host.set((200 + random.below(10_000)) as i64 * MS as i64);
        wall.follow(ns);
        assert!(wall.wall_ns(ns + MS).abs_diff(host.unix_ns()) <= SECOND);
        if step.is_multiple_of(997) {
            shown.push((ns, wall.created_ns(ns)));
        }
    }
    assert_eq!((wall.creations.len(), wall.events.len()), (CREATIONS, EVENTS));
    for (ns, shown) in shown {
        assert_eq!(wall.created_ns(ns), shown);
    }
}

/// A reading that failed changes nothing.
#[test]
fn without_a_reading_the_clock_goes_on() {
    let mut wall = WallClock::new(START_MS as u64 * MS, || None);
    for ns in [0, 5 * SECOND, 3600 * SECOND] {
        wall.follow(ns);
        assert_eq!(wall.wall_ns(ns), START_MS as u64 * MS + ns);
        assert_eq!(wall.created_ns(ns), START_MS as u64 * MS + ns);
    }
    assert_eq!(wall.set_back(), None);
}
