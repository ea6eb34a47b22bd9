use super::*;

use std::net::Ipv4Addr;

use conntrack::test_support::frame::Ipv4Frame;
use proptest::prelude::*;

use crate::start::cli;

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const DAY_MS: u64 = 86_400_000;
/// 2024-01-01.
const START_MS: u64 = 1_704_067_200_000;

/// Returns a replay of packets that a test hands over.
fn replay(aging_ms: u64) -> Replay<Vec<u8>> {
    let profile = format!("--timer-profiles={aging_ms}");
    let line = ["replay", "none.pcap", "--capacity=1000", &profile].map(Into::into);
    let line = cli::parse_replay(line).expect("a command line");
    let config = Config { secret: SECRET, ..Config::new(&line.line).expect("a configuration") };
    Replay::new(&config, Vec::new()).expect("a table")
}

impl Replay<Vec<u8>> {
    /// Takes a packet of flow `n`.
    fn take(&mut self, time_ns: u64, n: u16) {
        let frame = Ipv4Frame::tcp((A, n), (B, 80)).build();
        let length = frame.len() as u32;
        self.packet(&Packet { time_ns: Some(time_ns), octets: &frame, length }).expect("memory has room");
    }

    /// Runs until the table is empty.
    fn drain(&mut self) {
        while !self.shard.tracker.table().is_empty() {
            self.step(u64::MAX).expect("memory has room");
        }
    }

    /// Returns type, time and source port of what was printed.
    fn told(&self) -> Vec<(bool, String, u64)> {
        let lines = self.events.out.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
        lines
            .map(|line| {
                let event: serde_json::Value = serde_json::from_slice(line).expect("JSON");
                let time = event["time"].as_str().expect("a time").to_owned();
                let port = event["entry"]["key"]["srcPort"].as_u64().expect("a port");
                (event["type"] == "EVENT_TYPE_CREATED", time, port)
            })
            .collect()
    }
}

/// Nothing is done for the time between a packet and the next deadline, and for a deadline no more
/// than a short walk and a leap, however many days lie between.
#[test]
fn time_costs_nothing_while_nothing_is_due() {
    for flows in [1, 365] {
        let mut replay = replay(10 * DAY_MS);
        for day in 0..365u64 {
            let before = replay.pace.work;
            replay.take((START_MS + day * DAY_MS) * TICK_NS, (day % flows) as u16);
            if day < 10 {
                assert_eq!(replay.pace.work, before, "nothing is due on day {day}");
            }
        }
        replay.drain();
        let lives = if flows == 1 { 1 } else { 365 };
        assert_eq!(replay.events.seq, 2 * lives);
        // One flow is looked at after nine days of each ten, the others each at its own end; 375 days
        // have 32,400,000,000 ticks. A leap leads to a deadline, and one more to the packet after it.
        let (walked, leaps) = replay.pace.work;
        assert!(leaps <= 2 * (lives + 365 / 9 + 1), "{leaps} leaps");
        assert!(walked <= (leaps + 1) * (8192 + 16 * 11), "{walked} ticks walked, {leaps} leaps");
    }
}

/// A clock that is wrong for a packet, or that is set, moves by a century or back.
#[test]
fn a_century_passes_at_once_and_time_goes_on_after_a_step_back() {
    let century = 36_524 * DAY_MS;
    let mut replay = replay(30_000);
    let start_ns = START_MS * TICK_NS;
    replay.take(start_ns, 1);
    replay.take(start_ns + century * TICK_NS, 2);
    // Back in the first century: the clock stands.
    replay.take(start_ns + 1, 3);
    replay.take(0, 2);
    replay.take(start_ns + (century + 29_999) * TICK_NS, 2);
    replay.take(start_ns + (century + 30_000) * TICK_NS, 3);
    replay.take(start_ns + 2 * century * TICK_NS, 1);
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
    let expected: Vec<_> = expected.map(|(created, time, port)| (created, time.to_owned(), port)).into();
    assert_eq!(replay.told(), expected);
    let (walked, _) = replay.pace.work;
    assert!(walked < 10 * 8192 * 2, "{walked} ticks walked");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Oracle: a replay that opens every bucket on its way. Law: leaps do not show.
    #[test]
    fn leaps_do_not_show(
        aging_ms in prop_oneof![1..50u64, Just(30_000), Just(100_000)],
        packets in prop::collection::vec(
            (prop_oneof![0..3_000_000u64, 0..2_000_000_000u64, 0..40_000_000_000u64, Just(30_000_000_000u64)], 0..20u16),
            0..40,
        ),
    ) {
        let (mut leaping, mut walking) = (replay(aging_ms), replay(aging_ms));
        walking.pace.never_leap();
        for replay in [&mut leaping, &mut walking] {
            let mut time_ns = START_MS * TICK_NS;
            for (gap, n) in &packets {
                time_ns += gap;
                replay.take(time_ns, *n);
            }
            replay.drain();
        }
        prop_assert_eq!(walking.pace.work.1, 0);
        prop_assert!(leaping.events.out == walking.events.out);
    }
}
