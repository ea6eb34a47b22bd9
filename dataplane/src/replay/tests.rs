use super::*;

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::start::cli;
use crate::test_key::{TestKey, both_families};

both_families!(
    time_costs_nothing_while_nothing_is_due,
    a_century_passes_at_once_and_time_goes_on_after_a_step_back,
    a_table_that_was_empty_for_long_ages_in_time,
);

const DAY_MS: u64 = 86_400_000;
/// 2024-01-01.
const START_MS: u64 = 1_704_067_200_000;

/// Returns a replay of packets that a test hands over.
fn replay(aging_ms: u64) -> Replay<Vec<u8>> {
    replay_of("ipv4,ipv6", aging_ms)
}

/// Does the same for these families.
fn replay_of(families: &str, aging_ms: u64) -> Replay<Vec<u8>> {
    let (families, profile) = (format!("--families={families}"), format!("--timer-profiles={aging_ms}"));
    let line = ["replay", "none.pcap", "--capacity=1000", &families, &profile].map(Into::into);
    let line = cli::parse_replay(line).expect("a command line");
    let config = configuration(&line.line).expect("a configuration");
    Replay::new(&config, Vec::new()).expect("a table")
}

/// What a law needs to know about a table of a replay.
trait ReplayKey: TestKey {
    /// The key of the other table.
    type Beside: ReplayKey;
    /// Returns the pace of its table.
    fn pace(replay: &Replay<Vec<u8>>) -> &pace::Pace;
}

impl ReplayKey for FlowKey {
    type Beside = FlowKeyV6;

    fn pace(replay: &Replay<Vec<u8>>) -> &pace::Pace {
        &replay.ipv4.pace
    }
}

impl ReplayKey for FlowKeyV6 {
    type Beside = FlowKey;

    fn pace(replay: &Replay<Vec<u8>>) -> &pace::Pace {
        &replay.ipv6.pace
    }
}

/// An event that was printed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reported {
    pipeline: String,
    created: bool,
    time: String,
    port: u64,
}

impl Replay<Vec<u8>> {
    /// Takes a packet of flow `n`.
    fn take<K: TestKey>(&mut self, time_ns: u64, n: u16) {
        let frame = K::flow(1, n).frame();
        let length = frame.len() as u32;
        self.packet(&Packet { time_ns: Some(time_ns), octets: &frame, length }).expect("memory has room");
    }

    /// Runs until the table is empty.
    fn drain(&mut self) {
        while !self.is_empty() {
            self.step(u64::MAX).expect("memory has room");
        }
    }

    /// Returns what was printed.
    fn told(&self) -> Vec<Reported> {
        let lines = self.events.out.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
        lines
            .map(|line| {
                let event: serde_json::Value = serde_json::from_slice(line).expect("JSON");
                let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
                Reported {
                    pipeline: text(&event["entry"]["pipeline"]),
                    created: event["type"] == "EVENT_TYPE_CREATED",
                    time: text(&event["time"]),
                    // JSON leaves a zero out.
                    port: event["entry"]["key"]["srcPort"].as_u64().unwrap_or(0),
                }
            })
            .collect()
    }
}

/// Nothing is done for the time between a packet and the next deadline, and for a deadline no more
/// than a short walk and a leap, however many days lie between.
fn time_costs_nothing_while_nothing_is_due<K: ReplayKey>() {
    for flows in [1, 365] {
        let mut replay = replay(10 * DAY_MS);
        for day in 0..365u64 {
            let before = K::pace(&replay).work;
            replay.take::<K>((START_MS + day * DAY_MS) * TICK_NS, (day % flows) as u16);
            if day < 10 {
                assert_eq!(K::pace(&replay).work, before, "nothing is due on day {day}");
            }
        }
        replay.drain();
        let lives = if flows == 1 { 1 } else { 365 };
        assert_eq!(replay.events.seq, 2 * lives);
        // One flow is looked at after nine days of each ten, the others each at its own end; 375 days
        // have 32,400,000,000 ticks. A leap leads to a deadline, and one more to the packet after it.
        let (walked, leaps) = K::pace(&replay).work;
        assert!(leaps <= 2 * (lives + 365 / 9 + 1), "{leaps} leaps");
        assert!(walked <= (leaps + 1) * (8192 + 16 * 11), "{walked} ticks walked, {leaps} leaps");
    }
}

/// A clock that is wrong for a packet, or that is set, moves by a century or back.
fn a_century_passes_at_once_and_time_goes_on_after_a_step_back<K: ReplayKey>() {
    let century = 36_524 * DAY_MS;
    let mut replay = replay(30_000);
    let start_ns = START_MS * TICK_NS;
    replay.take::<K>(start_ns, 1);
    replay.take::<K>(start_ns + century * TICK_NS, 2);
    // Back in the first century: the clock stands.
    replay.take::<K>(start_ns + 1, 3);
    replay.take::<K>(0, 2);
    replay.take::<K>(start_ns + (century + 29_999) * TICK_NS, 2);
    replay.take::<K>(start_ns + (century + 30_000) * TICK_NS, 3);
    replay.take::<K>(start_ns + 2 * century * TICK_NS, 1);
    replay.drain();
    let expected = [
        (true, "2024-01-01T00:00:00Z", 1),
        (false, "2024-01-01T00:00:30Z", 1),
        (true, "2124-01-01T00:00:00Z", 2),
        (true, "2124-01-01T00:00:00Z", 3),
        (false, "2124-01-01T00:00:30Z", 3),
        (true, "2124-01-01T00:00:30Z", 3),
        (false, "2124-01-01T00:00:59.999Z", 2),
        (false, "2124-01-01T00:01:00Z", 3),
        (true, "2224-01-01T00:00:00Z", 1),
        (false, "2224-01-01T00:00:30Z", 1),
    ];
    let pipeline = || K::FAMILY.table().pipeline.to_owned();
    let expected = expected.map(|(created, time, port)| Reported {
        pipeline: pipeline(),
        created,
        time: time.to_owned(),
        port,
    });
    assert_eq!(replay.told(), expected);
    let (walked, _) = K::pace(&replay).work;
    assert!(walked < 10 * 8192 * 2, "{walked} ticks walked");
}

/// One table lives on for months while the other one is empty: longer than ticks last before they
/// repeat, and at the worst place of their circle.
fn a_table_that_was_empty_for_long_ages_in_time<K: ReplayKey>() {
    let start_ns = START_MS * TICK_NS;
    for days in [24, 25, 49, 50, 74, 75, 100, 200] {
        let mut replay = replay(3 * DAY_MS);
        for day in 0..=days {
            replay.take::<K::Beside>(start_ns + day * DAY_MS * TICK_NS, 1);
        }
        replay.take::<K>(start_ns + days * DAY_MS * TICK_NS + 5_000_000, 2);
        replay.drain();
        let end_ms = START_MS + (days + 3) * DAY_MS;
        let told = replay.told();
        let (_, [created, first, second]) = told.split_at(1) else { panic!("{told:?}") };
        let pipeline = |told: &Reported| told.pipeline.clone();
        assert_eq!((created.created, pipeline(created)), (true, K::FAMILY.table().pipeline.to_owned()));
        let text = |ms: u64| flowtracker_proto::Timestamp::from_unix_ns(ms * TICK_NS).to_string();
        assert_eq!((first.created, &first.time, first.port), (false, &text(end_ms), 1), "{days} days");
        assert_eq!((second.created, &second.time, second.port), (false, &text(end_ms + 5), 2), "{days} days");
        let (walked, leaps) = K::pace(&replay).work;
        assert!(leaps < 40 && walked < 1_000_000, "{walked} ticks walked, {leaps} leaps");
    }
}

/// A packet: time since the one before, flow, and whether it is of IPv6.
fn packets() -> impl Strategy<Value = Vec<(u64, u16, bool)>> {
    let gap =
        prop_oneof![0..3_000_000u64, 0..2_000_000_000u64, 0..40_000_000_000u64, Just(30_000_000_000u64)];
    prop::collection::vec((gap, 0..20u16, any::<bool>()), 0..40)
}

fn play(replay: &mut Replay<Vec<u8>>, packets: &[(u64, u16, bool)]) {
    let mut time_ns = START_MS * TICK_NS;
    for (gap, n, ipv6) in packets {
        time_ns += gap;
        if *ipv6 { replay.take::<FlowKeyV6>(time_ns, *n) } else { replay.take::<FlowKey>(time_ns, *n) }
    }
    replay.drain();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Oracle: a replay that opens every bucket on its way. Law: leaps do not show.
    #[test]
    fn leaps_do_not_show(
        aging_ms in prop_oneof![1..50u64, Just(30_000), Just(100_000)],
        packets in packets(),
    ) {
        let (mut leaping, mut walking) = (replay(aging_ms), replay(aging_ms));
        walking.ipv4.pace.never_leap();
        walking.ipv6.pace.never_leap();
        play(&mut leaping, &packets);
        play(&mut walking, &packets);
        prop_assert_eq!((walking.ipv4.pace.work.1, walking.ipv6.pace.work.1), (0, 0));
        prop_assert!(leaping.events.out == walking.events.out);
    }
    /// Oracle: a replay of one family. Law: each table lives as alone, times never go back, and
    /// what is deleted at the same time has the order of its creation, whichever table it was in.
    #[test]
    fn both_tables_have_one_order(
        aging_ms in prop_oneof![1..50u64, Just(30_000), Just(100_000)],
        packets in packets(),
    ) {
        let mut both = replay(aging_ms);
        play(&mut both, &packets);
        let told = both.told();
        for (families, pipeline) in [("ipv4", "flowtracker"), ("ipv6", "flowtracker_ipv6")] {
            let mut alone = replay_of(families, aging_ms);
            play(&mut alone, &packets);
            let mine: Vec<_> = told.iter().filter(|told| told.pipeline == pipeline).cloned().collect();
            prop_assert_eq!(mine, alone.told());
        }
        let mut births = BTreeMap::new();
        let mut last: Option<(String, Option<usize>)> = None;
        for (number, told) in told.iter().enumerate() {
            let flow = (told.pipeline.clone(), told.port);
            let birth = if told.created {
                births.insert(flow, number);
                None
            } else {
                births.remove(&flow)
            };
            let time = instant(&told.time);
            if let Some((before, birth_before)) = &last {
                prop_assert!(*before <= time, "{} after {}", time, before);
                if let (true, Some(one), Some(other)) = (*before == time, birth_before, birth) {
                    prop_assert!(*one < other, "at {time}");
                }
            }
            last = Some((time, birth));
        }
    }
}

/// Returns a time as text that sorts as the time does: with all digits of a second.
fn instant(time: &str) -> String {
    let (seconds, fraction) =
        time.trim_end_matches('Z').split_once('.').unwrap_or((time.trim_end_matches('Z'), ""));
    format!("{seconds}.{fraction:0<9}")
}
