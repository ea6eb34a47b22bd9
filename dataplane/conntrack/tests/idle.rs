//! Static entries and their idle time, over years of the clock.

use conntrack::arch::Features;
use conntrack::table::TableConfig;
use conntrack::test_support::frame::Ipv4Frame;
use conntrack::test_support::{Random, flow};
use conntrack::tracker::{Budget, Write};
use conntrack::{
    ActorId, Attributes, Event, FlowKey, FlowTable, HashKind, Hasher, LineTable, Now, Parser, Shard, Tracker,
    TrackerConfig,
};

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
const WRITER: ActorId = ActorId(ActorId::FIRST_CONTROL);

fn shard(entries: u32) -> Shard<LineTable> {
    let hasher = Hasher::new(HashKind::Keyed, [3; 32], Features::detect());
    let table = LineTable::new(TableConfig { entries, hasher }).expect("a valid size");
    // Wide aging buckets, so that the wheel keeps up with steps of hours.
    let config = TrackerConfig { bucket_shift: 16, ..TrackerConfig::default() };
    let tracker = Tracker::new(table, config, Now::from_ms(0)).expect("memory");
    Shard::new(Parser::default(), tracker)
}

fn taken(_: &Event) -> bool {
    true
}

fn create(shard: &mut Shard<LineTable>, ms: u64, key: &FlowKey) {
    let made = shard.tracker.create(Now::from_ms(ms), key, &Attributes::default(), WRITER, &mut taken);
    assert!(matches!(made, Write::Done(_)), "{made:?}");
}

fn advance(shard: &mut Shard<LineTable>, now: Now) {
    while !shard.tracker.caught_up(now) {
        shard.tracker.advance(now, Budget::default(), &mut taken);
    }
}

/// A naive model keeps the time of the last use in 64 bits. Each entry is used at times of its own:
/// some every few hours, some after weeks, months or years, some never.
#[test]
fn idle_times_are_those_of_a_clock_without_a_circle() {
    const ENTRIES: u16 = 120;
    const DAYS: u64 = 1200;
    let mut shard = shard(200);
    let mut random = Random(11);
    let mut last_ms = [0; ENTRIES as usize];
    for number in 0..ENTRIES {
        create(&mut shard, 0, &flow(1, number));
    }
    // Mean hours between two uses, by entry; the last ones are never used.
    let pause = |number: u16| [3, 50, 24 * 3, 24 * 30, 24 * 52, 24 * 400][usize::from(number) % 6];
    let mut ms = 0;
    while ms < DAYS * DAY_MS {
        ms += random.between(1, 6 * HOUR_MS);
        let now = Now::from_ms(ms);
        advance(&mut shard, now);
        for number in 0..ENTRIES - 20 {
            if random.below(pause(number)) > 3 {
                continue;
            }
            let key = flow(1, number);
            if random.coin() {
                let frame = Ipv4Frame::of(&key).unpadded().build();
                shard.burst(now, 1, &[frame][..], &mut taken, |_, _| {});
                shard.tracker.drain(now, &mut taken);
            } else {
                let updated = shard.tracker.update(now, &key, &Attributes::default(), WRITER, &mut taken);
                assert!(matches!(updated, Write::Done(_)), "{updated:?}");
            }
            last_ms[usize::from(number)] = ms;
        }
        for number in 0..ENTRIES {
            let entry = shard.tracker.get(&flow(1, number)).expect("static entries stay");
            let expected = ms - last_ms[usize::from(number)];
            assert_eq!(entry.idle_ms(now.tick), expected, "entry {number} after {} days", ms / DAY_MS);
            assert_eq!(entry.created_ms, 0);
        }
    }
}

/// After the years that an entry can count, its idle time stays there instead of beginning again.
#[test]
fn an_idle_time_of_many_years_stops_growing() {
    let mut shard = shard(10);
    let key = flow(1, 1);
    create(&mut shard, 0, &key);
    let mut last = 0;
    for day in 1..12 * 365 {
        let now = Now::from_ms(day * DAY_MS);
        advance(&mut shard, now);
        let idle = shard.tracker.get(&key).expect("static entries stay").idle_ms(now.tick);
        if day < 6 * 365 {
            assert_eq!(idle, day * DAY_MS);
        } else {
            assert!(idle >= 6 * 365 * DAY_MS, "{} days after {day} days", idle / DAY_MS);
        }
        last = idle;
    }
    assert!(last < 8 * 365 * DAY_MS);
    assert_eq!(shard.tracker.table().len(), 1);
}
