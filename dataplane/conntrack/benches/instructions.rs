//! Runs each of the engine's hot operations a few thousand times, so that their instructions can be
//! counted.
//!
//! `instructions NAME…` runs the named operations, or all of them without a name, and prints for
//! each how often it ran. Only what runs inside [`under_callgrind`] is counted; tables are made and
//! filled outside of it. Frames, keys and secret are the same each time, so two runs execute the
//! same instructions. `tests/tests/instructions.rs` of the workspace runs this in callgrind and has
//! the expected counts.

#[path = "../tests/laws/mod.rs"]
mod laws;

use std::hint::black_box;

use conntrack::arch::Features;
use conntrack::hash::KeyHasher as _;
use conntrack::packet::{AnyKey, parse, parse_both};
use conntrack::table::{ALL_STEPS, Counted, Packets, Refresh, TableConfig};
use conntrack::test_support::flow;
use conntrack::test_support::frame::{ETHERTYPE_IPV6, Ipv4Frame, Ipv6Frame, TPID_8021Q};
use conntrack::tracker::Budget;
use conntrack::{
    DualShard, Event, EventSink, FlowKey, FlowKeyV6, FlowTable, HashKind, LineTable, Now, Outcome, Parser,
    Pos, Protocols, Shard, Tick, Tracker, TrackerConfig,
};
use laws::keys::{self, TestKey};

/// The number of frames of a burst, as the data plane receives it.
const BURST: usize = 32;
/// The number of bursts that are counted.
const BURSTS: usize = 64;
/// The number of operations that are counted, one per frame or key.
const COUNT: usize = BURST * BURSTS;
/// The number of entries that the tables may hold.
const CAPACITY: u32 = 16_384;
/// The number of entries before the counting starts: three quarters of the capacity.
const FILL: usize = 12_288;
const PORT: u8 = 1;

type Table<K> = LineTable<Counted, K>;

/// Runs an operation, and returns how often it ran.
type Operation = fn() -> usize;

const OPERATIONS: [(&str, Operation); 31] = [
    ("parse/tcp", || parse_all(&plain(), true)),
    ("parse/tagged", || parse_all(&plain().tag(TPID_8021Q, 7), true)),
    ("parse/not_tracked_ethertype", || parse_all(&plain().ethertype(ETHERTYPE_IPV6), false)),
    ("hash/keyed/native", || hash_all::<FlowKey>(HashKind::Keyed, Features::detect())),
    ("hash/keyed/portable", || hash_all::<FlowKey>(HashKind::Keyed, Features::PORTABLE)),
    ("hash/crc/native", || hash_all::<FlowKey>(HashKind::Crc, Features::detect())),
    ("hash/crc/portable", || hash_all::<FlowKey>(HashKind::Crc, Features::PORTABLE)),
    ("hash/jhash", || hash_all::<FlowKey>(HashKind::Jhash, Features::PORTABLE)),
    ("table/hit_and_refresh", table_hit_and_refresh::<FlowKey>),
    ("table/miss", table_miss::<FlowKey>),
    ("table/insert", table_insert::<FlowKey>),
    ("table/remove", table_remove::<FlowKey>),
    ("tracker/hit", || tracker_hit::<FlowKey>(BURST)),
    ("tracker/hit_alone", || tracker_hit::<FlowKey>(1)),
    ("tracker/new_flow", tracker_new_flow::<FlowKey>),
    ("tracker/expire", tracker_expire::<FlowKey>),
    ("tracker/nothing_due", tracker_nothing_due::<FlowKey>),
    ("ipv6/parse/tcp", || parse_all_of_both(&plain_v6())),
    ("ipv6/parse/extended", || parse_all_of_both(&plain_v6().extension(0, 0).fragment(0, true))),
    ("ipv6/hash/keyed/native", || hash_all::<FlowKeyV6>(HashKind::Keyed, Features::detect())),
    ("ipv6/hash/keyed/portable", || hash_all::<FlowKeyV6>(HashKind::Keyed, Features::PORTABLE)),
    ("ipv6/hash/crc/native", || hash_all::<FlowKeyV6>(HashKind::Crc, Features::detect())),
    ("ipv6/table/hit_and_refresh", table_hit_and_refresh::<FlowKeyV6>),
    ("ipv6/table/miss", table_miss::<FlowKeyV6>),
    ("ipv6/table/insert", table_insert::<FlowKeyV6>),
    ("ipv6/table/remove", table_remove::<FlowKeyV6>),
    ("ipv6/tracker/hit", || tracker_hit::<FlowKeyV6>(BURST)),
    ("ipv6/tracker/new_flow", tracker_new_flow::<FlowKeyV6>),
    ("ipv6/tracker/expire", tracker_expire::<FlowKeyV6>),
    ("both/tracker/hit", || both_hit(BURST)),
    ("both/tracker/hit_alone", || both_hit(1)),
];

#[expect(clippy::print_stdout, reason = "a program that prints a table")]
fn main() {
    // Cargo passes options of its own to the program, such as `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    for name in &wanted {
        assert!(OPERATIONS.iter().any(|(known, _)| known == name), "no operation is called {name}");
    }
    println!("native {:?}", Features::detect());
    for (name, operation) in OPERATIONS {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            println!("{name} {}", operation());
        }
    }
}

/// Runs operations that callgrind counts, by the name of this function (`--toggle-collect`).
#[inline(never)]
fn under_callgrind(operations: impl FnOnce()) {
    operations();
    // Without this, the call above could be a tail call, and this function would be gone before
    // `operations` returns.
    black_box(());
}

fn hasher<K: TestKey>(kind: HashKind, features: Features) -> K::Hasher {
    K::hasher(kind, [42; 80], features)
}

/// Returns the keys of a filled table, and [`COUNT`] keys that are not in it.
fn known_and_unknown<K: TestKey>() -> (Vec<K>, Vec<K>) {
    let mut known = keys::random(1, FILL + COUNT);
    let unknown = known.split_off(FILL);
    (known, unknown)
}

fn table<K: TestKey>() -> Table<K> {
    let hasher = hasher::<K>(HashKind::Keyed, Features::detect());
    LineTable::laid_out(TableConfig { entries: CAPACITY, hasher }).expect("a valid size")
}

fn filled_table<K: TestKey>(keys: &[K]) -> Table<K> {
    let mut table = table();
    for key in keys {
        table.add(key).expect("there is room");
    }
    table
}

fn frames<K: TestKey>(keys: &[K]) -> Vec<Vec<u8>> {
    keys.iter().map(TestKey::first_frame).collect()
}

fn tracker<K: TestKey>() -> Tracker<Table<K>> {
    Tracker::new(table(), TrackerConfig::default(), Now::from_ms(0)).expect("there is memory")
}

fn parser() -> Parser {
    Parser::new(Protocols::Tcp, Features::detect())
}

/// Returns a shard that has received these frames, one burst per millisecond from 0 on.
fn filled_shard<K: TestKey>(frames: &[Vec<u8>]) -> Shard<Table<K>> {
    let mut shard = Shard::new(parser(), tracker::<K>());
    for (ms, burst) in (0..).zip(frames.chunks(BURST)) {
        shard.burst(Now::from_ms(ms), PORT, burst, &mut take::<K>, |_, _| {});
    }
    assert_eq!(shard.tracker.counters().outcome(Outcome::MissCreated), frames.len() as u64);
    shard
}

/// Takes every event, as a sink.
fn take<K>(event: &Event<K>) -> bool {
    black_box(event);
    true
}

/// Returns a TCP segment of 54 octets.
fn plain() -> Ipv4Frame {
    Ipv4Frame::of(&flow(PORT, 36876)).unpadded()
}

fn parse_all(frame: &Ipv4Frame, tracked: bool) -> usize {
    let burst = vec![frame.build(); BURST];
    let mut keys = [FlowKey::default(); BURST];
    let mut outcomes = [0usize; Outcome::ALL.len()];
    let mut found = 0;
    under_callgrind(|| {
        for _ in 0..BURSTS {
            let mut n = 0;
            for frame in black_box(&burst) {
                match parse(frame, PORT, Protocols::Tcp) {
                    Ok(key) => {
                        keys[n] = key;
                        n += 1;
                    }
                    Err(outcome) => outcomes[outcome as usize] += 1,
                }
            }
            black_box(&mut keys);
            found += n;
        }
    });
    assert_eq!(found, if tracked { COUNT } else { 0 });
    assert_eq!(outcomes[Outcome::NotTrackedEthertype as usize], COUNT - found);
    COUNT
}

/// Returns a TCP segment of 74 octets over IPv6.
fn plain_v6() -> Ipv6Frame {
    Ipv6Frame::of(&keys::random::<FlowKeyV6>(1, 1)[0]).unpadded()
}

fn parse_all_of_both(frame: &Ipv6Frame) -> usize {
    let burst = vec![frame.build(); BURST];
    let mut found = 0;
    under_callgrind(|| {
        for _ in 0..BURSTS {
            for frame in black_box(&burst) {
                let key = parse_both(frame, PORT, Protocols::Tcp);
                found += usize::from(matches!(black_box(key), Ok(AnyKey::Ipv6(_))));
            }
        }
    });
    assert_eq!(found, COUNT);
    COUNT
}

fn hash_all<K: TestKey>(kind: HashKind, features: Features) -> usize {
    let hasher = hasher::<K>(kind, features);
    let keys = keys::random::<K>(1, BURST);
    let mut hashes = [K::Hash::default(); BURST];
    under_callgrind(|| {
        for _ in 0..BURSTS {
            hasher.hash_burst(black_box(&keys), &mut hashes);
            black_box(&mut hashes);
        }
    });
    COUNT
}

/// Probes a burst, as [`Shard::burst`] does. Returns the number of hits.
#[inline(always)]
fn look_up<K: TestKey>(table: &mut Table<K>, burst: &[K]) -> u32 {
    let mut hashes = [K::Hash::default(); BURST];
    table.hash_burst(burst, &mut hashes);
    let refresh = Refresh { stamp: Tick(1), counting: false };
    let packets = Packets::first(burst.len(), burst, &hashes, &[0; BURST]);
    let hits = table.probe_burst(packets, 0, refresh, &[], |_| {});
    (hits | table.probe_displaced(packets, ALL_STEPS, refresh)).count_ones()
}

fn table_hit_and_refresh<K: TestKey>() -> usize {
    let (known, _) = known_and_unknown::<K>();
    let mut table = filled_table(&known);
    let mut hits = 0;
    under_callgrind(|| hits = known[..COUNT].chunks(BURST).map(|burst| look_up(&mut table, burst)).sum());
    assert_eq!(hits as usize, COUNT);
    COUNT
}

fn table_miss<K: TestKey>() -> usize {
    let (known, unknown) = known_and_unknown::<K>();
    let mut table = filled_table(&known);
    let mut hits = 0;
    under_callgrind(|| hits = unknown.chunks(BURST).map(|burst| look_up(&mut table, burst)).sum());
    assert_eq!(hits, 0);
    COUNT
}

fn table_insert<K: TestKey>() -> usize {
    let (known, unknown) = known_and_unknown::<K>();
    let mut table = filled_table(&known);
    under_callgrind(|| {
        for burst in unknown.chunks(BURST) {
            let mut hashes = [K::Hash::default(); BURST];
            table.hash_burst(burst, &mut hashes);
            for (key, hash) in burst.iter().zip(hashes) {
                _ = black_box(table.add_with_hash(key, hash));
            }
        }
    });
    assert_eq!(table.len() as usize, FILL + COUNT);
    COUNT
}

fn table_remove<K: TestKey>() -> usize {
    let (known, _) = known_and_unknown::<K>();
    let mut table = filled_table(&known);
    let places: Vec<Pos> = known[..COUNT].iter().map(|key| table.lookup(key).expect("it is there")).collect();
    under_callgrind(|| {
        for place in &places {
            table.remove_at(*place);
        }
    });
    assert_eq!(table.len() as usize, FILL - COUNT);
    COUNT
}

fn tracker_hit<K: TestKey>(burst: usize) -> usize {
    let (known, _) = known_and_unknown::<K>();
    let frames = frames(&known);
    let mut shard = filled_shard::<K>(&frames);
    under_callgrind(|| {
        for burst in frames[..COUNT].chunks(burst) {
            let now = black_box(Now::from_ms(1000));
            let tracked = |first, which| {
                black_box((first, which));
            };
            shard.receive(PORT, burst, || now, &mut take::<K>, tracked);
            shard.tracker.turn(now, &mut take::<K>);
        }
        shard.tracker.drain(Now::from_ms(1000), &mut take::<K>);
    });
    assert_eq!(shard.tracker.counters().outcome(Outcome::Hit) as usize, COUNT);
    COUNT
}

fn tracker_new_flow<K: TestKey>() -> usize {
    let (known, unknown) = known_and_unknown::<K>();
    let mut shard = filled_shard::<K>(&frames(&known));
    let frames = frames(&unknown);
    under_callgrind(|| {
        for burst in frames.chunks(BURST) {
            shard.burst(black_box(Now::from_ms(1000)), PORT, burst, &mut take::<K>, |first, which| {
                black_box((first, which));
            });
        }
    });
    assert_eq!(shard.tracker.table().len() as usize, FILL + COUNT);
    COUNT
}

/// Every entry expires at its deadline: the entries of one burst in the same millisecond, with one
/// call per millisecond.
fn tracker_expire<K: TestKey>() -> usize {
    let (known, _) = known_and_unknown::<K>();
    let mut shard = filled_shard::<K>(&frames(&known));
    // The last burst's aging of 30 s has passed by then, and one aging bucket.
    let until = 30_000 + (FILL / BURST) as u64 + 8;
    under_callgrind(|| {
        for ms in 30_000..until {
            shard.tracker.advance(
                black_box(Now::from_ms(ms)),
                Budget { blocks: CAPACITY, ..Budget::default() },
                &mut take::<K>,
            );
        }
    });
    assert!(shard.tracker.table().is_empty());
    assert_eq!(shard.tracker.counters().expired as usize, FILL);
    FILL
}

/// Measures what an iteration of the poll loop spends on aging when nothing is due.
fn tracker_nothing_due<K: TestKey>() -> usize {
    let (known, _) = known_and_unknown::<K>();
    let mut shard = filled_shard::<K>(&frames(&known));
    let now = Now::from_ms(1000);
    while !shard.tracker.caught_up(now) {
        shard.tracker.advance(now, Budget::default(), &mut take::<K>);
    }
    under_callgrind(|| {
        for _ in 0..COUNT {
            shard.tracker.advance(black_box(now), Budget::default(), &mut take::<K>);
        }
    });
    assert_eq!(shard.tracker.table().len() as usize, FILL);
    COUNT
}

/// Takes the events of both tables.
struct TakeAll;

impl<K> EventSink<K> for TakeAll {
    fn offer(&mut self, event: &Event<K>) -> bool {
        take(event)
    }
}

/// Frames of both families in turn, of known flows.
fn both_hit(burst: usize) -> usize {
    let (ipv4, ipv6) =
        (frames(&keys::random::<FlowKey>(1, FILL / 2)), frames(&keys::random::<FlowKeyV6>(2, FILL / 2)));
    let frames: Vec<Vec<u8>> = ipv4.into_iter().zip(ipv6).flat_map(|(ipv4, ipv6)| [ipv4, ipv6]).collect();
    let mut shard = DualShard::new(parser(), tracker::<FlowKey>(), tracker::<FlowKeyV6>());
    for frames in frames.chunks(BURST) {
        shard.burst(Now::from_ms(0), PORT, frames, &mut TakeAll, |_, _| {});
    }
    under_callgrind(|| {
        for burst in frames[..COUNT].chunks(burst) {
            let now = black_box(Now::from_ms(1000));
            let tracked = |first, which| {
                black_box((first, which));
            };
            shard.receive(PORT, burst, || now, &mut TakeAll, tracked);
            shard.turn(now, &mut TakeAll);
        }
        shard.drain(Now::from_ms(1000), &mut TakeAll);
    });
    assert_eq!(shard.counters().outcome(Outcome::Hit) as usize, COUNT);
    COUNT
}
