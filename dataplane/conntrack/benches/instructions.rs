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
use conntrack::packet::parse;
use conntrack::table::{ALL_STEPS, Packets, Refresh, TableConfig};
use conntrack::test_support::flow;
use conntrack::test_support::frame::{ETHERTYPE_IPV6, Ipv4Frame, TPID_8021Q};
use conntrack::tracker::Budget;
use conntrack::{
    Event, FlowKey, FlowTable, HashKind, Hasher, LineTable, Now, Outcome, Parser, Pos, Protocols, Shard,
    Tick, Tracker, TrackerConfig,
};
use laws::keys;

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

/// Runs an operation, and returns how often it ran.
type Operation = fn() -> usize;

const OPERATIONS: [(&str, Operation); 17] = [
    ("parse/tcp", || parse_all(&plain(), true)),
    ("parse/tagged", || parse_all(&plain().tag(TPID_8021Q, 7), true)),
    ("parse/not_tracked_ethertype", || parse_all(&plain().ethertype(ETHERTYPE_IPV6), false)),
    ("hash/keyed/native", || hash_all(HashKind::Keyed, Features::detect())),
    ("hash/keyed/portable", || hash_all(HashKind::Keyed, Features::PORTABLE)),
    ("hash/crc/native", || hash_all(HashKind::Crc, Features::detect())),
    ("hash/crc/portable", || hash_all(HashKind::Crc, Features::PORTABLE)),
    ("hash/jhash", || hash_all(HashKind::Jhash, Features::PORTABLE)),
    ("table/hit_and_refresh", table_hit_and_refresh),
    ("table/miss", table_miss),
    ("table/insert", table_insert),
    ("table/remove", table_remove),
    ("tracker/hit", || tracker_hit(BURST)),
    ("tracker/hit_alone", || tracker_hit(1)),
    ("tracker/new_flow", tracker_new_flow),
    ("tracker/expire", tracker_expire),
    ("tracker/nothing_due", tracker_nothing_due),
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

fn hasher(kind: HashKind, features: Features) -> Hasher {
    Hasher::new(kind, [42; 32], features)
}

/// Returns the keys of a filled table, and [`COUNT`] keys that are not in it.
fn known_and_unknown() -> (Vec<FlowKey>, Vec<FlowKey>) {
    let mut known = keys::random(1, FILL + COUNT);
    let unknown = known.split_off(FILL);
    (known, unknown)
}

fn table() -> LineTable {
    let hasher = hasher(HashKind::Keyed, Features::detect());
    LineTable::new(TableConfig { entries: CAPACITY, hasher }).expect("a valid size")
}

fn filled_table(keys: &[FlowKey]) -> LineTable {
    let mut table = table();
    for key in keys {
        table.add(key).expect("there is room");
    }
    table
}

fn frames(keys: &[FlowKey]) -> Vec<Vec<u8>> {
    keys.iter().map(|key| Ipv4Frame::of(key).unpadded().build()).collect()
}

/// Returns a shard that has received these frames, one burst per millisecond from 0 on.
fn filled_shard(frames: &[Vec<u8>]) -> Shard<LineTable> {
    let tracker = Tracker::new(table(), TrackerConfig::default(), Now::from_ms(0)).expect("there is memory");
    let mut shard = Shard::new(Parser::new(Protocols::Tcp, Features::detect()), tracker);
    for (ms, burst) in (0..).zip(frames.chunks(BURST)) {
        shard.burst(Now::from_ms(ms), PORT, burst, &mut take, |_, _| {});
    }
    assert_eq!(shard.tracker.counters().outcome(Outcome::MissCreated), frames.len() as u64);
    shard
}

/// Takes every event, as a sink.
fn take(event: &Event) -> bool {
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

fn hash_all(kind: HashKind, features: Features) -> usize {
    let hasher = hasher(kind, features);
    let keys = keys::random(1, BURST);
    let mut hashes = [0; BURST];
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
fn look_up(table: &mut LineTable, burst: &[FlowKey]) -> u32 {
    let mut hashes = [0; BURST];
    table.hash_burst(burst, &mut hashes);
    let refresh = Refresh { stamp: Tick(1), counting: false };
    let packets = Packets::first(burst.len(), burst, &hashes, &[0; BURST]);
    let hits = table.probe_burst(packets, 0, refresh, &[], |_| {});
    (hits | table.probe_displaced(packets, ALL_STEPS, refresh)).count_ones()
}

fn table_hit_and_refresh() -> usize {
    let (known, _) = known_and_unknown();
    let mut table = filled_table(&known);
    let mut hits = 0;
    under_callgrind(|| hits = known[..COUNT].chunks(BURST).map(|burst| look_up(&mut table, burst)).sum());
    assert_eq!(hits as usize, COUNT);
    COUNT
}

fn table_miss() -> usize {
    let (known, unknown) = known_and_unknown();
    let mut table = filled_table(&known);
    let mut hits = 0;
    under_callgrind(|| hits = unknown.chunks(BURST).map(|burst| look_up(&mut table, burst)).sum());
    assert_eq!(hits, 0);
    COUNT
}

fn table_insert() -> usize {
    let (known, unknown) = known_and_unknown();
    let mut table = filled_table(&known);
    under_callgrind(|| {
        for burst in unknown.chunks(BURST) {
            let mut hashes = [0; BURST];
            table.hash_burst(burst, &mut hashes);
            for (key, hash) in burst.iter().zip(hashes) {
                _ = black_box(table.add_with_hash(key, hash));
            }
        }
    });
    assert_eq!(table.len() as usize, FILL + COUNT);
    COUNT
}

fn table_remove() -> usize {
    let (known, _) = known_and_unknown();
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

fn tracker_hit(burst: usize) -> usize {
    let (known, _) = known_and_unknown();
    let frames = frames(&known);
    let mut shard = filled_shard(&frames);
    under_callgrind(|| {
        for burst in frames[..COUNT].chunks(burst) {
            let now = black_box(Now::from_ms(1000));
            let tracked = |first, which| {
                black_box((first, which));
            };
            shard.receive(PORT, burst, || now, &mut take, tracked);
            shard.tracker.turn(now, &mut take);
        }
        shard.tracker.drain(Now::from_ms(1000), &mut take);
    });
    assert_eq!(shard.tracker.counters().outcome(Outcome::Hit) as usize, COUNT);
    COUNT
}

fn tracker_new_flow() -> usize {
    let (known, unknown) = known_and_unknown();
    let mut shard = filled_shard(&frames(&known));
    let frames = frames(&unknown);
    under_callgrind(|| {
        for burst in frames.chunks(BURST) {
            shard.burst(black_box(Now::from_ms(1000)), PORT, burst, &mut take, |first, which| {
                black_box((first, which));
            });
        }
    });
    assert_eq!(shard.tracker.table().len() as usize, FILL + COUNT);
    COUNT
}

/// Every entry expires at its deadline: the entries of one burst in the same millisecond, with one
/// call per millisecond.
fn tracker_expire() -> usize {
    let (known, _) = known_and_unknown();
    let mut shard = filled_shard(&frames(&known));
    // The last burst's aging of 30 s has passed by then, and one aging bucket.
    let until = 30_000 + (FILL / BURST) as u64 + 8;
    under_callgrind(|| {
        for ms in 30_000..until {
            shard.tracker.advance(
                black_box(Now::from_ms(ms)),
                Budget { blocks: CAPACITY, ..Budget::default() },
                &mut take,
            );
        }
    });
    assert!(shard.tracker.table().is_empty());
    assert_eq!(shard.tracker.counters().expired as usize, FILL);
    FILL
}

/// Measures what an iteration of the poll loop spends on aging when nothing is due.
fn tracker_nothing_due() -> usize {
    let (known, _) = known_and_unknown();
    let mut shard = filled_shard(&frames(&known));
    let now = Now::from_ms(1000);
    while !shard.tracker.caught_up(now) {
        shard.tracker.advance(now, Budget::default(), &mut take);
    }
    under_callgrind(|| {
        for _ in 0..COUNT {
            shard.tracker.advance(black_box(now), Budget::default(), &mut take);
        }
    });
    assert_eq!(shard.tracker.table().len() as usize, FILL);
    COUNT
}
