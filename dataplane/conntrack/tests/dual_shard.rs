//! A shard of both families is two shards of one family each: the same bursts lead to the same entries,
//! events and counters. Each table of a shard of one family is compared with the model in `tracker.rs`.

mod laws;

use conntrack::arch::Features;
use conntrack::shard::Tracked;
use conntrack::table::{Counted, TableConfig};
use conntrack::test_support::frame::{Ipv4Frame, Ipv6Frame, TPID_8021Q, arp_request};
use conntrack::test_support::{Random, flow};
use conntrack::tracker::{Budget, Cursor, Step};
use conntrack::{
    ActorId, Attributes, Counters, DeleteReason, DualShard, Event, EventSink, FlowKey, FlowKeyV6, FlowTable,
    HashKind, LineTable, Now, Outcome, Parser, Profiles, Protocols, Shard, Tracker, TrackerConfig,
};
use laws::keys::{self, TestKey};

type Table<K> = LineTable<Counted, K>;

const BY: ActorId = ActorId(ActorId::FIRST_CONTROL);
const CAPACITY: u32 = 60;
const FLOWS: usize = 90;

fn tracker<K: TestKey>(capacity: u32, config: TrackerConfig) -> Tracker<Table<K>> {
    let hasher = K::hasher(HashKind::Keyed, keys::secret_v6(5), Features::detect());
    let table = LineTable::laid_out(TableConfig { entries: capacity, hasher }).expect("a valid size");
    Tracker::new(table, config, Now::from_ms(0)).expect("memory")
}

fn parser() -> Parser {
    Parser::new(Protocols::Tcp, Features::detect())
}

/// Takes the events of both tables while it is open.
struct Sink {
    open: bool,
    ipv4: Vec<Event<FlowKey>>,
    ipv6: Vec<Event<FlowKeyV6>>,
    /// The families of the events, in their order.
    order: Vec<u8>,
}

impl Sink {
    fn new() -> Self {
        Sink { open: true, ipv4: Vec::new(), ipv6: Vec::new(), order: Vec::new() }
    }
}

impl EventSink<FlowKey> for Sink {
    fn offer(&mut self, event: &Event<FlowKey>) -> bool {
        if self.open {
            self.ipv4.push(*event);
            self.order.push(4);
        }
        self.open
    }
}

impl EventSink<FlowKeyV6> for Sink {
    fn offer(&mut self, event: &Event<FlowKeyV6>) -> bool {
        if self.open {
            self.ipv6.push(*event);
            self.order.push(6);
        }
        self.open
    }
}

/// The shard of both families, and a shard for each.
struct Rig {
    both: DualShard<Table<FlowKey>, Table<FlowKeyV6>>,
    told: Sink,
    ipv4: Shard<Table<FlowKey>>,
    told_ipv4: Sink,
    ipv6: Shard<Table<FlowKeyV6>>,
    told_ipv6: Sink,
    flows_ipv4: Vec<FlowKey>,
    flows_ipv6: Vec<FlowKeyV6>,
    /// Frames of neither family, which both single shards have counted.
    neither: u64,
    /// Those of them that a single shard has counted as detached.
    detached: u64,
}

/// The family of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Of {
    Ipv4,
    Ipv6,
    Neither,
}

impl Rig {
    fn new() -> Self {
        let config = TrackerConfig {
            profiles: Profiles::new(&[40, 90, 200, 400]).expect("distinct"),
            ..TrackerConfig::default()
        };
        let ipv4 = || tracker::<FlowKey>(CAPACITY, config);
        let ipv6 = || tracker::<FlowKeyV6>(CAPACITY, config);
        let (told, told_ipv4, told_ipv6) = (Sink::new(), Sink::new(), Sink::new());
        Rig {
            both: DualShard::new(parser(), ipv4(), ipv6()),
            told,
            ipv4: Shard::new(parser(), ipv4()),
            told_ipv4,
            ipv6: Shard::new(parser(), ipv6()),
            told_ipv6,
            flows_ipv4: keys::random(1, FLOWS),
            flows_ipv6: keys::random(2, FLOWS),
            neither: 0,
            detached: 0,
        }
    }

    fn frame(&self, random: &mut Random) -> (Of, Vec<u8>) {
        let n = random.below(FLOWS);
        match random.below(20) {
            0..9 => (Of::Ipv4, self.flows_ipv4[n].at_port(1).frame(random.below(20))),
            9..18 => (Of::Ipv6, self.flows_ipv6[n].at_port(1).frame(random.below(20))),
            18 => match random.below(4) {
                0 => (Of::Ipv4, Ipv4Frame::of(&flow(1, 1)).version(6).build()),
                1 => (Of::Ipv6, Ipv6Frame::of(&self.flows_ipv6[n]).fragment(9, false).build()),
                2 => (
                    Of::Ipv6,
                    Ipv6Frame::of(&self.flows_ipv6[n]).extension(60, 200).tag(TPID_8021Q, 1).build(),
                ),
                _ => (Of::Ipv4, Ipv4Frame::of(&flow(1, 1)).protocol(1).build()),
            },
            _ => (Of::Neither, arp_request([10, 0, 0, 1].into(), [10, 0, 0, 2].into())),
        }
    }

    fn burst(&mut self, now: Now, random: &mut Random) {
        let frames: Vec<_> = (0..random.below(150)).map(|_| self.frame(random)).collect();
        let octets: Vec<_> = frames.iter().map(|(_, octets)| octets).collect();
        let mut tracked = Vec::new();
        self.both.burst(now, 1, &octets[..], &mut self.told, |first, which| {
            tracked.extend((0..64).filter(|i| which >> i & 1 == 1).map(|i| first + i));
        });
        let attached = (self.both.ipv4.attached(), self.both.ipv6.attached());
        let of = |family: Of| {
            let mine = frames.iter().filter(move |(of, _)| *of == family || *of == Of::Neither);
            mine.map(|(_, octets)| octets).collect::<Vec<_>>()
        };
        let mut count = 0;
        self.ipv4
            .burst(now, 1, &of(Of::Ipv4)[..], &mut self.told_ipv4, |_, which| count += which.count_ones());
        self.ipv6
            .burst(now, 1, &of(Of::Ipv6)[..], &mut self.told_ipv6, |_, which| count += which.count_ones());
        // A single shard that is detached takes every frame for tracked.
        let neither = frames.iter().filter(|(of, _)| *of == Of::Neither).count();
        let extra = if attached == (true, true) { 0 } else { neither };
        self.neither += neither as u64;
        self.detached += extra as u64;
        assert_eq!(tracked.len(), count as usize - extra, "{attached:?}");
    }

    fn write(&mut self, now: Now, random: &mut Random) {
        let (v4, v6) = (self.flows_ipv4[random.below(FLOWS)], self.flows_ipv6[random.below(FLOWS)]);
        let (remove, attributes) =
            (random.coin(), Attributes { dynamic: Some(true), ..Attributes::default() });
        fn write<K: TestKey, S: EventSink<K>>(
            tracker: &mut Tracker<Table<K>>,
            sink: &mut S,
            (now, key, remove, attributes): (Now, K, bool, &Attributes),
        ) {
            if remove {
                tracker.remove(now, &key, DeleteReason::Control, BY, sink);
            } else {
                tracker.create(now, &key, attributes, BY, sink);
            }
        }
        write(&mut self.both.ipv4, &mut self.told, (now, v4, remove, &attributes));
        write(&mut self.ipv4.tracker, &mut self.told_ipv4, (now, v4, remove, &attributes));
        write(&mut self.both.ipv6, &mut self.told, (now, v6, remove, &attributes));
        write(&mut self.ipv6.tracker, &mut self.told_ipv6, (now, v6, remove, &attributes));
    }

    /// Detaches the program of a table, or attaches it.
    fn switch(&mut self, ipv6: bool) {
        fn switch<T: FlowTable>(tracker: &mut Tracker<T>) {
            if tracker.attached() {
                tracker.detach();
                while !tracker.purge(100).1 {}
            } else {
                tracker.attach();
            }
        }
        if ipv6 {
            switch(&mut self.both.ipv6);
            switch(&mut self.ipv6.tracker);
        } else {
            switch(&mut self.both.ipv4);
            switch(&mut self.ipv4.tracker);
        }
    }

    fn same(&mut self) {
        assert_eq!(self.told.ipv4, self.told_ipv4.ipv4);
        assert_eq!(self.told.ipv6, self.told_ipv6.ipv6);
        fn entries<T: FlowTable>(tracker: &Tracker<T>) -> Vec<conntrack::Entry<T::Key>> {
            let (mut cursor, mut positions, mut entries) = (Cursor::default(), u32::MAX, Vec::new());
            while let Step::Entry(entry) = tracker.step(&mut cursor, &mut positions) {
                entries.push(entry);
            }
            entries
        }
        assert_eq!(entries(&self.both.ipv4), entries(&self.ipv4.tracker));
        assert_eq!(entries(&self.both.ipv6), entries(&self.ipv6.tracker));
        let both = self.both.counters();
        let (v4, v6) = (self.ipv4.counters(), self.ipv6.counters());
        let sum = |count: fn(&Counters) -> u64| count(&v4) + count(&v6);
        assert_eq!(both.rx, both.outcomes.iter().sum::<u64>());
        assert_eq!(both.rx, sum(|c| c.rx) - self.neither);
        for outcome in Outcome::ALL {
            let twice = match outcome {
                Outcome::Detached => self.detached,
                Outcome::NotTrackedEthertype => self.neither - self.detached,
                _ => 0,
            };
            let sum = v4.outcome(outcome) + v6.outcome(outcome);
            assert_eq!(both.outcome(outcome), sum - twice, "{}", outcome.name());
        }
        assert_eq!(both.expired, sum(|c| c.expired));
        assert_eq!(both.expired_deferred, sum(|c| c.expired_deferred));
        assert_eq!(both.deleted, sum(|c| c.deleted));
        assert_eq!(both.events_sent, sum(|c| c.events_sent));
        assert_eq!(both.events_deferred, sum(|c| c.events_deferred));
        assert_eq!(both.lateness_log2_ms.iter().sum::<u64>(), sum(|c| c.lateness_log2_ms.iter().sum()));
    }
}

#[test]
fn both_tables_live_as_alone() {
    let ample = Budget { blocks: 1000, pending: 1000, resync: 1000 };
    for seed in 0..60 {
        let mut random = Random(seed);
        let mut rig = Rig::new();
        let mut ms = 0;
        for _ in 0..200 {
            let now = Now::from_ms(ms);
            match random.below(20) {
                0..8 => rig.burst(now, &mut random),
                8..11 => rig.write(now, &mut random),
                11 if random.below(3) == 0 => rig.switch(random.coin()),
                12 => {
                    let open = random.coin();
                    for sink in [&mut rig.told, &mut rig.told_ipv4, &mut rig.told_ipv6] {
                        sink.open = open;
                    }
                }
                13 if random.below(4) == 0 => {
                    rig.both.ipv4.start_resync();
                    rig.ipv4.tracker.start_resync();
                }
                13..16 => ms += random.bits() % 60,
                _ => {
                    rig.both.advance(now, ample, &mut rig.told);
                    rig.ipv4.tracker.advance(now, ample, &mut rig.told_ipv4);
                    rig.ipv6.tracker.advance(now, ample, &mut rig.told_ipv6);
                }
            }
            rig.same();
        }
    }
}

/// One budget is for both tables: a table that has work alone has all of it, and when both have work
/// neither waits for the other.
#[test]
fn tables_share_a_budget() {
    let now = Now::from_ms(100_000);
    let budget = Budget { blocks: 16, ..Budget::default() };
    let filled = |families: &[Of]| {
        let (ipv4, ipv6) =
            (tracker(20_000, TrackerConfig::default()), tracker(20_000, TrackerConfig::default()));
        let mut shard: DualShard<Table<FlowKey>, Table<FlowKeyV6>> = DualShard::new(parser(), ipv4, ipv6);
        let mut frames: Vec<Vec<u8>> = Vec::new();
        for n in 0..10_000 {
            if families.contains(&Of::Ipv4) {
                frames.push(Ipv4Frame::of(&flow(1, n)).build());
            }
            if families.contains(&Of::Ipv6) {
                let (src, dst) = ("::1".parse().expect("an address"), "::2".parse().expect("an address"));
                frames.push(Ipv6Frame::tcp((src, n), (dst, 80)).build());
            }
        }
        shard.burst(Now::from_ms(0), 1, &frames[..], &mut Sink::new(), |_, _| {});
        shard
    };
    let deletions = |families: &[Of]| {
        let mut shard = filled(families);
        let mut calls = Vec::new();
        let mut before = (0, 0);
        for _ in 0..100 {
            shard.advance(now, budget, &mut Sink::new());
            let after = (shard.ipv4.counters().expired, shard.ipv6.counters().expired);
            calls.push((after.0 - before.0, after.1 - before.1));
            before = after;
        }
        calls
    };
    let most = |calls: &[(u64, u64)]| calls.iter().map(|(ipv4, ipv6)| ipv4 + ipv6).max().unwrap_or_default();
    let (ipv4, ipv6) = (most(&deletions(&[Of::Ipv4])), most(&deletions(&[Of::Ipv6])));
    assert!(ipv4.min(ipv6) * 5 > ipv4.max(ipv6) * 4, "alone, either has all of it: {ipv4} and {ipv6}");
    let both = deletions(&[Of::Ipv4, Of::Ipv6]);
    assert!(most(&both) * 4 <= ipv4 * 5, "{} of both, {ipv4} of one", most(&both));
    let busy: Vec<_> = both.iter().filter(|(ipv4, ipv6)| ipv4 + ipv6 > 0).collect();
    let shared = busy.iter().filter(|(ipv4, ipv6)| *ipv4 > 0 && *ipv6 > 0).count();
    assert!(shared * 10 > busy.len() * 9, "{shared} of {} calls delete in both", busy.len());
}

/// A shard of both families that tracks one of them is a shard of that family.
#[test]
fn a_family_that_is_off_is_not_there() {
    for seed in 0..40 {
        let mut random = Random(seed);
        let mut rig = Rig::new();
        let config = TrackerConfig::default();
        let dual =
            |tracked| DualShard::of(tracked, parser(), tracker(CAPACITY, config), tracker(CAPACITY, config));
        let (mut only_ipv4, mut only_ipv6) = (dual(Tracked::Ipv4), dual(Tracked::Ipv6));
        rig.ipv4 = Shard::new(parser(), tracker(CAPACITY, config));
        rig.ipv6 = Shard::new(parser(), tracker(CAPACITY, config));
        let (mut told_ipv4, mut told_ipv6) = (Sink::new(), Sink::new());
        for ms in 0..100 {
            let now = Now::from_ms(ms);
            let frames: Vec<_> = (0..random.below(100)).map(|_| rig.frame(&mut random).1).collect();
            let mut tracked = [0; 4];
            let [a, b, c, d] = tracked.each_mut();
            let count = |to: &mut u32, which: u64| *to += which.count_ones();
            only_ipv4.burst(now, 1, &frames[..], &mut told_ipv4, |_, which| count(a, which));
            rig.ipv4.burst(now, 1, &frames[..], &mut rig.told_ipv4, |_, which| count(b, which));
            only_ipv6.burst(now, 1, &frames[..], &mut told_ipv6, |_, which| count(c, which));
            rig.ipv6.burst(now, 1, &frames[..], &mut rig.told_ipv6, |_, which| count(d, which));
            assert_eq!((tracked[0], tracked[2]), (tracked[1], tracked[3]));
            assert_eq!(only_ipv4.counters(), rig.ipv4.counters());
            assert_eq!(only_ipv6.counters(), rig.ipv6.counters());
            if random.below(10) == 0 {
                // When the program of the only table is detached, every frame passes it.
                for attach in [false, true] {
                    if attach {
                        only_ipv4.ipv4.attach();
                        rig.ipv4.tracker.attach();
                    } else {
                        only_ipv4.ipv4.detach();
                        rig.ipv4.tracker.detach();
                        while !only_ipv4.ipv4.purge(100).1 {}
                        while !rig.ipv4.tracker.purge(100).1 {}
                    }
                    only_ipv4.burst(now, 1, &frames[..], &mut told_ipv4, |_, _| {});
                    rig.ipv4.burst(now, 1, &frames[..], &mut rig.told_ipv4, |_, _| {});
                    assert_eq!(only_ipv4.counters(), rig.ipv4.counters());
                }
            }
        }
        // A resync has no marks of a table that is off.
        only_ipv4.start_resync();
        only_ipv6.start_resync();
        rig.ipv4.tracker.start_resync();
        rig.ipv6.tracker.start_resync();
        let (now, ample) = (Now::from_ms(100), Budget { blocks: 1000, pending: 1000, resync: 1000 });
        only_ipv4.advance(now, ample, &mut told_ipv4);
        only_ipv6.advance(now, ample, &mut told_ipv6);
        rig.ipv4.tracker.advance(now, ample, &mut rig.told_ipv4);
        rig.ipv6.tracker.advance(now, ample, &mut rig.told_ipv6);
        assert_eq!((told_ipv4.ipv4, told_ipv4.ipv6), (rig.told_ipv4.ipv4, Vec::new()));
        assert_eq!((told_ipv6.ipv4, told_ipv6.ipv6), (Vec::new(), rig.told_ipv6.ipv6));
    }
}

/// The sink gets the events of both tables in the order in which they happen.
#[test]
fn events_of_both_tables_come_in_one_order() {
    let mut rig = Rig::new();
    let (v4, v6) = (rig.flows_ipv4[0].at_port(1).frame(3), rig.flows_ipv6[0].at_port(1).frame(3));
    for ms in 0..100 {
        let now = Now::from_ms(ms);
        rig.both.advance(now, Budget::default(), &mut rig.told);
        let frame = match ms {
            0 => &v6,
            20 | 90 => &v4,
            _ => continue,
        };
        rig.both.burst(now, 1, &[frame][..], &mut rig.told, |_, _| {});
    }
    assert_eq!(rig.told.order, [6, 4, 6, 4, 4]);
}
