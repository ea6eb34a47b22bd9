//! Compares the parser with an oracle that knows only the rules.

mod laws;

use std::collections::{HashMap, HashSet};

use conntrack::arch::Features;
use conntrack::entry::Counts;
use conntrack::key::{TCP, UDP};
use conntrack::packet::{MAX_HEADER, parse};
use conntrack::table::TableConfig;
use conntrack::test_support::flow;
use conntrack::test_support::frame::{
    ETHERTYPE_IPV6, ICMP, Ipv4Frame, TPID_8021AD, TPID_8021Q, every_prefix,
};
use conntrack::{
    Event, FlowKey, FlowTable as _, HashKind, Hasher, LineTable, Now, Outcome, Parser, Protocols, Shard,
    Tracker, TrackerConfig,
};
use laws::oracle::classify;
use proptest::prelude::*;

/// Both protocol lists, in the engine's form and in the oracle's.
const TRACKED: [(Protocols, &[u8]); 2] = [(Protocols::Tcp, &[TCP]), (Protocols::TcpUdp, &[TCP, UDP])];

/// Checks that parser and oracle agree, also when the parser sees only the octets of the longest
/// header.
fn agree(frame: &[u8]) {
    for (protocols, tracked) in TRACKED {
        let expected = classify(frame, 3, tracked);
        assert_eq!(parse(frame, 3, protocols), expected, "{frame:02x?}");
        let seen = &frame[..frame.len().min(MAX_HEADER)];
        assert_eq!(parse(seen, 3, protocols), expected, "start of {frame:02x?}");
    }
}

/// Returns a frame from 10.0.0.1 to 10.0.0.2 behind these tags, without padding.
fn shape(tags: &[u16], option_words: usize, protocol: u8, after_ports: usize) -> Ipv4Frame {
    let key = flow(3, 36876);
    let plain = Ipv4Frame::of(&key).protocol(protocol).after_ports(after_ports).unpadded();
    tags.iter().fold(plain, |frame, &tpid| frame.tag(tpid, 0x6007)).ip_options(option_words)
}

/// Returns frames that are tracked, with their keys and the number of octets up to the end of the
/// ports. They have all tags, all lengths of options, and come with and without payload.
fn tracked_shapes() -> impl Iterator<Item = (Ipv4Frame, FlowKey, usize)> {
    const TAGS: [&[u16]; 5] =
        [&[], &[TPID_8021Q], &[TPID_8021AD], &[TPID_8021AD, TPID_8021Q], &[TPID_8021Q, TPID_8021Q]];
    TAGS.into_iter().flat_map(|tags| {
        (0..=10).flat_map(move |option_words| {
            [TCP, UDP].into_iter().flat_map(move |protocol| {
                let k = flow(3, 36876);
                let key = FlowKey::new(3, k.src_addr(), k.dst_addr(), protocol, k.src_port(), k.dst_port());
                let needed = 14 + tags.len() * 4 + 20 + option_words * 4 + 4;
                [0, 16, 100].map(|rest| (shape(tags, option_words, protocol, rest), key, needed))
            })
        })
    })
}

#[test]
fn every_frame_cut_at_every_length() {
    for (shape, key, needed) in tracked_shapes() {
        for frame in every_prefix(&shape.build()) {
            agree(&frame);
            let parsed = parse(&frame, 3, Protocols::TcpUdp);
            let expected = if frame.len() < needed { Err(Outcome::Truncated) } else { Ok(key) };
            assert_eq!(parsed, expected, "{shape:?} cut at {}", frame.len());
        }
    }
}

#[test]
fn every_header_length_and_total_length() {
    for option_words in [0, 1, 10] {
        for ihl in 0..16 {
            for total_len in (0..90).chain([1500, u16::MAX]) {
                let frame = shape(&[], option_words, TCP, 16).ihl(ihl).total_length(total_len);
                let bytes = frame.build();
                for len in [bytes.len(), 34, 37, 38, 41, 42, 53] {
                    agree(&bytes[..len]);
                }
            }
        }
    }
}

/// A frame with two faults has the outcome of the earlier rule.
#[test]
fn the_first_rule_that_matches_decides() {
    let plain = || shape(&[], 0, TCP, 16);
    let outcome = |frame: Ipv4Frame| parse(&frame.build(), 1, Protocols::Tcp).expect_err("not looked up");
    let fragment = || plain().later_fragment(1, false);
    assert_eq!(outcome(plain().ethertype(ETHERTYPE_IPV6).version(6)), Outcome::NotTrackedEthertype);
    assert_eq!(outcome(shape(&[TPID_8021Q; 3], 0, TCP, 16)), Outcome::NotTrackedEthertype);
    assert_eq!(outcome(fragment().version(6)), Outcome::Malformed);
    assert_eq!(outcome(fragment().total_length(19)), Outcome::Malformed);
    assert_eq!(outcome(fragment().protocol(ICMP)), Outcome::Fragment);
    assert_eq!(outcome(plain().protocol(ICMP).total_length(20)), Outcome::NotTrackedProtocol);
    assert_eq!(outcome(plain().total_length(23)), Outcome::Malformed);
    let cut = plain().total_length(20).build();
    assert_eq!(parse(&cut[..37], 1, Protocols::Tcp), Err(Outcome::Truncated));
    // The first fragment carries the ports, and flags do not matter.
    assert!(parse(&plain().fragment_field(0xe000).build(), 1, Protocols::Tcp).is_ok());
}

/// Generates a frame that is tracked, or would be except for a few bytes, or is cut short.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let tag = prop_oneof![Just(TPID_8021Q), Just(TPID_8021AD), any::<u16>()];
    let parts = (prop::collection::vec(tag, 0..4), 0..=10usize, 0..40usize, protocol());
    let changes = prop::collection::vec((0..60usize, any::<u8>()), 0..4);
    let cut = prop::option::of(any::<prop::sample::Index>());
    (parts, changes, cut).prop_map(|((tags, option_words, rest, protocol), changes, cut)| {
        let mut frame = shape(&tags, option_words, protocol, rest).build();
        for (at, byte) in changes {
            if let Some(place) = frame.get_mut(at) {
                *place = byte;
            }
        }
        if let Some(cut) = cut {
            frame.truncate(cut.index(frame.len() + 1));
        }
        frame
    })
}

fn protocol() -> impl Strategy<Value = u8> {
    prop_oneof![Just(TCP), Just(UDP), any::<u8>()]
}

/// Generates plain frames of a few flows.
fn plain() -> impl Strategy<Value = Vec<u8>> {
    (protocol(), 0..4u16, 0..40usize).prop_map(|(protocol, src_port, rest)| {
        Ipv4Frame::of(&flow(3, src_port)).protocol(protocol).after_ports(rest).unpadded().build()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_frames(frame in mutated()) {
        agree(&frame);
    }

    #[test]
    fn random_bytes_after_an_ipv4_start(body in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut frame = vec![0; 12];
        frame.extend([0x08, 0x00]);
        frame.extend(&body);
        agree(&frame);
        agree(&body);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// In a burst of any length and content, each frame has the same result as alone: it is tracked
    /// or not, counted under its outcome, and its length is counted for its own flow.
    #[test]
    fn bursts(
        frames in prop::collection::vec(prop_oneof![4 => plain(), 1 => mutated()], 0..100),
        which in 0..TRACKED.len(),
        native: bool,
    ) {
        let (protocols, tracked) = TRACKED[which];
        let instructions = if native { Features::detect() } else { Features::PORTABLE };
        let hasher = Hasher::new(HashKind::Keyed, [3; 32], instructions);
        let table = LineTable::new(TableConfig { entries: 100, hasher }).expect("a valid size");
        let tracker = Tracker::new(table, TrackerConfig::default(), Now::from_ns(0)).expect("memory");
        let mut shard = Shard::new(Parser::new(protocols, instructions), tracker);
        let mut looked_up = HashSet::new();
        shard.burst(Now::from_ns(0), 3, &frames[..], &mut |_: &Event| true, |first, which| {
            looked_up.extend((0..64).filter(|bit| which >> bit & 1 == 1).map(|bit| first + bit));
        });

        let mut outcomes = [0; Outcome::ALL.len()];
        let mut flows: HashMap<FlowKey, (u64, u64)> = HashMap::new();
        for (i, frame) in frames.iter().enumerate() {
            let expected = classify(frame, 3, tracked);
            prop_assert_eq!(looked_up.contains(&i), expected.is_ok(), "frame {}: {:02x?}", i, frame);
            match expected {
                Ok(key) => {
                    let (packets, bytes) = flows.entry(key).or_default();
                    (*packets, *bytes) = (*packets + 1, *bytes + frame.len() as u64);
                }
                Err(outcome) => outcomes[outcome as usize] += 1,
            }
        }
        outcomes[Outcome::MissCreated as usize] = flows.len() as u64;
        outcomes[Outcome::Hit as usize] = flows.values().map(|(packets, _)| packets - 1).sum();
        prop_assert_eq!(shard.counters().outcomes, outcomes);
        for (key, (packets, bytes)) in flows {
            let pos = shard.tracker.table().lookup(&key).expect("an entry");
            prop_assert_eq!(shard.tracker.table().counts(pos), Counts { packets, bytes }, "{}", key);
        }
    }
}
