//! A million entries expire: none of them early, and each late by a bounded time at most.

mod laws;

use std::net::Ipv4Addr;

use conntrack::aging::BLOCK;
use conntrack::arch::Features;
use conntrack::event::EventBody;
use conntrack::key::TCP;
use conntrack::table::TableConfig;
use conntrack::test_support::Random;
use conntrack::test_support::frame::Ipv4Frame;
use conntrack::tracker::Budget;
use conntrack::{
    Event, FlowKey, FlowTable, HashKind, Hasher, LineTable, Now, Parser, ProfileId, Shard, Tracker,
    TrackerConfig,
};

/// Nanoseconds per millisecond.
const MS: u64 = 1_000_000;
/// The guaranteed maximum lateness of a deletion, in milliseconds.
const LATEST_MS: u64 = 100;

/// Numbered flows, and the time of each one's last packet as the test has recorded it.
struct Flows {
    last_ns: Vec<u64>,
    frame: Vec<u8>,
}

impl Flows {
    fn new(count: usize) -> Self {
        let key = FlowKey::new(1, Ipv4Addr::UNSPECIFIED, Ipv4Addr::new(10, 0, 0, 2), TCP, 1000, 80);
        Flows { last_ns: vec![0; count], frame: Ipv4Frame::of(&key).after_ports(0).unpadded().build() }
    }

    /// Returns the flow's number, which is its source address.
    fn number(key: &FlowKey) -> usize {
        key.src_addr().to_bits() as usize
    }

    /// Sends a packet of each of these flows.
    fn send(&mut self, watched: &mut Watched, ns: u64, numbers: &[usize]) {
        for numbers in numbers.chunks(64) {
            let mut burst: Vec<Vec<u8>> = vec![self.frame.clone(); numbers.len()];
            for (frame, &number) in burst.iter_mut().zip(numbers) {
                frame[26..30].copy_from_slice(&(number as u32).to_be_bytes());
                self.last_ns[number] = ns;
            }
            watched.shard.burst(Now::from_ns(ns), 1, &burst[..], &mut |_: &Event| true, |_, _| {});
        }
    }
}

/// A shard, and the record of its deletions.
struct Watched {
    shard: Shard<LineTable>,
    aging_ms: u64,
    deleted: u64,
    /// The greatest lateness of a deletion, in nanoseconds.
    latest_ns: u64,
}

impl Watched {
    fn new(entries: usize, profile: u32) -> Self {
        let config = TrackerConfig {
            learn_profile: ProfileId::new(profile).expect("below 16"),
            ..TrackerConfig::default()
        };
        let hasher = Hasher::new(HashKind::Keyed, [9; 32], Features::detect());
        let table = LineTable::new(TableConfig { entries: entries as u32, hasher }).expect("a valid size");
        let aging_ms = u64::from(config.profiles.aging_ms(config.learn_profile).expect("a profile"));
        let tracker = Tracker::new(table, config, Now::from_ms(0)).expect("memory");
        Watched { shard: Shard::new(Parser::default(), tracker), aging_ms, deleted: 0, latest_ns: 0 }
    }

    /// Runs up to `polls` iterations of a poll loop at this instant.
    fn poll(&mut self, flows: &Flows, ns: u64, polls: u32) {
        let Watched { shard, aging_ms, deleted, latest_ns } = self;
        let now = Now::from_ns(ns);
        let mut sink = |event: &Event| {
            let EventBody::Deleted { entry, .. } = event.body else { panic!("{event:?}") };
            let idle = event.at_ns - flows.last_ns[Flows::number(&entry.key)];
            assert!(idle >= *aging_ms * MS, "{} deleted after {idle} ns", entry.key);
            *latest_ns = (idle - *aging_ms * MS).max(*latest_ns);
            *deleted += 1;
            true
        };
        for _ in 0..polls {
            shard.tracker.advance(now, Budget::default(), &mut sink);
            if shard.tracker.caught_up(now) {
                break;
            }
        }
    }

    /// Checks that the histogram of lateness agrees with the test's own record.
    fn check(&self, all: u64) {
        assert_eq!(self.deleted, all);
        assert!(self.shard.tracker.table().is_empty() && self.shard.tracker.all_reported());
        assert!(self.latest_ns <= LATEST_MS * MS, "{} ns late", self.latest_ns);
        let counters = self.shard.tracker.counters();
        assert_eq!((counters.expired, counters.expired_deferred), (all, 0));
        // Bucket 7 ends at 128 ms.
        assert_eq!(counters.lateness_log2_ms[..8].iter().sum::<u64>(), all);
    }
}

/// Each of the four default profiles has a quarter million entries, in one shard per profile
/// because a shard learns with one. Half of the flows go on for a while, so the deadlines are
/// spread. Each shard polls at most 64 times per ms.
#[test]
fn a_million_entries_of_mixed_profiles() {
    const EACH: usize = 250_000;
    for profile in 0..4 {
        let mut flows = Flows::new(EACH);
        let mut watched = Watched::new(EACH, profile);
        let mut random = Random(u64::from(profile));
        let arrivals_ms = 10_000;
        let end_ms = arrivals_ms + watched.aging_ms + 20_000 + LATEST_MS;
        for ms in 0..end_ms {
            watched.poll(&flows, ms * MS, 64);
            // For ten seconds, 25 new flows arrive per ms. For the next 20 s, some of the flows
            // have another packet.
            let numbers: Vec<usize> = if ms < arrivals_ms {
                (0..25).map(|i| ms as usize * 25 + i).collect()
            } else if ms < arrivals_ms + 20_000 {
                (0..8).map(|_| random.below(EACH)).collect()
            } else {
                Vec::new()
            };
            let fraction = random.bits() % MS;
            flows.send(&mut watched, ms * MS + fraction, &numbers);
        }
        assert_eq!(watched.shard.tracker.table().capacity() as usize, EACH);
        let counters = watched.shard.counters();
        assert_eq!(counters.rx, (EACH + 8 * 20_000) as u64);
        watched.check(EACH as u64);
    }
}

/// A full table of a million entries in one shard, all of which expire at the same instant. The
/// poll loop iterates at most 256 times per ms.
#[test]
fn a_million_entries_expire_at_once() {
    const ALL: usize = 1_000_000;
    let mut flows = Flows::new(ALL);
    let mut watched = Watched::new(ALL, 0);
    let numbers: Vec<usize> = (0..ALL).collect();
    flows.send(&mut watched, 500_001, &numbers);
    assert_eq!(watched.shard.tracker.table().len() as usize, ALL);
    for ms in 1..=30_000 + LATEST_MS {
        watched.poll(&flows, ms * MS, 256);
    }
    watched.check(ALL as u64);
}

/// The same with a slower loop: the lateness is at most the work divided by the budget, plus one
/// aging bucket.
#[test]
fn lateness_is_bounded_by_the_budget() {
    const ALL: usize = 200_000;
    let mut flows = Flows::new(ALL);
    let mut watched = Watched::new(ALL, 0);
    let numbers: Vec<usize> = (0..ALL).collect();
    flows.send(&mut watched, 0, &numbers);
    let polls = 8;
    let blocks = u64::from(watched.shard.tracker.table().positions().div_ceil(BLOCK));
    let bound = 8 + blocks.div_ceil(u64::from(polls * Budget::default().blocks));
    for ms in 0..=30_000 + bound {
        watched.poll(&flows, ms * MS, polls);
    }
    assert_eq!(watched.deleted, ALL as u64);
    assert!(watched.latest_ns <= bound * MS, "{} ns late, {bound} ms allowed", watched.latest_ns);
}

/// When many flows that began together are due together and aging is late, it examines more blocks
/// at a time to catch up. It does not delete more entries at a time than otherwise, because frames
/// wait meanwhile.
#[test]
fn late_aging_hurries_unless_it_deletes() {
    const COUNT: usize = 100_000;
    let aging_ns = 30_000 * MS;
    let late_ns = aging_ns + 100 * MS;
    // Returns the number of polls until aging has caught up, and the most deletions of one poll.
    let catch_up = |used: bool| {
        let (mut flows, mut watched) = (Flows::new(COUNT), Watched::new(COUNT, 0));
        let all: Vec<usize> = (0..COUNT).collect();
        flows.send(&mut watched, 0, &all);
        if used {
            flows.send(&mut watched, 10_000 * MS, &all);
        }
        watched.poll(&flows, aging_ns - 10 * MS, u32::MAX);
        let (mut polls, mut most) = (0, 0);
        while !watched.shard.tracker.caught_up(Now::from_ns(late_ns)) {
            let before = watched.deleted;
            watched.poll(&flows, late_ns, 1);
            polls += 1;
            most = most.max(watched.deleted - before);
        }
        assert_eq!(watched.deleted, if used { 0 } else { COUNT as u64 });
        (polls, most, u64::from(watched.shard.tracker.table().positions()).div_ceil(u64::from(BLOCK)))
    };
    let budget = u64::from(Budget::default().blocks);
    let (polls, _, blocks) = catch_up(true);
    assert!(polls <= blocks / (8 * budget) + 2, "{polls} polls for {blocks} blocks");
    let (polls, most, blocks) = catch_up(false);
    assert!(polls > blocks / (8 * budget) + 2, "{polls} polls for {blocks} blocks");
    // Aging finishes the blocks that it had already started together when its budget was used up.
    assert!(most <= (budget + 4) * u64::from(BLOCK), "{most} deletions in one poll");
}
