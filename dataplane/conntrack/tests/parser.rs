//! The parser against an oracle that knows only the rules.

mod laws;

use std::collections::{HashMap, HashSet};

use conntrack::arch::Features;
use conntrack::entry::Counts;
use conntrack::key::{TCP, UDP};
use conntrack::packet::{MAX_HEADER, parse};
use conntrack::table::TableConfig;
use conntrack::{
    Event, FlowKey, FlowTable as _, HashKind, Hasher, LineTable, Now, Outcome, Protocols, Tracker,
    TrackerConfig,
};
use laws::frames::Frame;
use laws::oracle::classify;
use proptest::prelude::*;

/// Both protocol lists, as the engine and as the oracle take them.
const TRACKED: [(Protocols, &[u8]); 2] = [(Protocols::Tcp, &[TCP]), (Protocols::TcpUdp, &[TCP, UDP])];

/// Parser and oracle agree, also when the parser sees no more than the longest header.
fn agree(frame: &[u8]) {
    for (protocols, tracked) in TRACKED {
        let expected = classify(frame, 3, tracked);
        assert_eq!(parse(frame, 3, protocols), expected, "{frame:02x?}");
        let seen = &frame[..frame.len().min(MAX_HEADER)];
        assert_eq!(parse(seen, 3, protocols), expected, "start of {frame:02x?}");
    }
}

/// Frames that are tracked: all tags, all lengths of options, with and without payload.
fn tracked_shapes() -> impl Iterator<Item = Frame> {
    let tags = [vec![], vec![0x8100], vec![0x88a8], vec![0x88a8, 0x8100], vec![0x8100, 0x8100]];
    tags.into_iter().flat_map(|tags| {
        (0..=10).flat_map(move |option_words| {
            let tags = tags.clone();
            [TCP, UDP].into_iter().flat_map(move |protocol| {
                let tags = tags.clone();
                [0, 16, 100].map(|rest| Frame {
                    tags: tags.clone(),
                    option_words,
                    protocol,
                    rest,
                    ..Frame::default()
                })
            })
        })
    })
}

#[test]
fn every_frame_cut_at_every_length() {
    for shape in tracked_shapes() {
        let frame = shape.build();
        let needed = 14 + shape.tags.len() * 4 + 20 + usize::from(shape.option_words) * 4 + 4;
        for len in 0..=frame.len() {
            agree(&frame[..len]);
            let parsed = parse(&frame[..len], 3, Protocols::TcpUdp);
            assert_eq!(parsed.is_ok(), len >= needed, "{shape:?} cut at {len}");
            if len < needed {
                assert_eq!(parsed, Err(Outcome::Truncated), "{shape:?} cut at {len}");
            }
        }
        let key = parse(&frame, 3, Protocols::TcpUdp).expect("complete");
        assert_eq!((key.src_addr(), key.dst_addr()), (shape.src, shape.dst));
        assert_eq!((key.src_port(), key.dst_port()), (shape.src_port, shape.dst_port));
        assert_eq!((key.input_port(), key.protocol()), (3, shape.protocol));
    }
}

#[test]
fn every_header_length_and_total_length() {
    for option_words in [0, 1, 10] {
        for ihl in 0..16 {
            for total_len in (0..90).chain([1500, u16::MAX]) {
                let frame =
                    Frame { option_words, ihl: Some(ihl), total_len: Some(total_len), ..Frame::default() };
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
    let plain = Frame::default();
    let outcome = |frame: &Frame| parse(&frame.build(), 1, Protocols::Tcp).expect_err("not looked up");
    let fragment = Frame { fragment: 1, ..plain.clone() };
    assert_eq!(outcome(&Frame { ether_type: 0x86dd, version: 6, ..plain.clone() }), Outcome::NotIpv4);
    assert_eq!(outcome(&Frame { tags: vec![0x8100; 3], ..plain.clone() }), Outcome::NotIpv4);
    assert_eq!(outcome(&Frame { version: 6, ..fragment.clone() }), Outcome::Malformed);
    assert_eq!(outcome(&Frame { total_len: Some(19), ..fragment.clone() }), Outcome::Malformed);
    assert_eq!(outcome(&Frame { protocol: 1, ..fragment.clone() }), Outcome::Fragment);
    assert_eq!(
        outcome(&Frame { protocol: 1, total_len: Some(20), ..plain.clone() }),
        Outcome::NotTrackedProtocol
    );
    assert_eq!(outcome(&Frame { total_len: Some(23), ..plain.clone() }), Outcome::Malformed);
    let cut = Frame { total_len: Some(20), ..plain.clone() }.build();
    assert_eq!(parse(&cut[..37], 1, Protocols::Tcp), Err(Outcome::Truncated));
    // The first fragment carries the ports, and flags do not matter.
    assert!(parse(&Frame { fragment: 0xe000, ..plain }.build(), 1, Protocols::Tcp).is_ok());
}

/// A frame that is tracked, or would be but for a few bytes, or is cut short.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let tag = prop_oneof![Just(0x8100u16), Just(0x88a8), any::<u16>()];
    let shape = (prop::collection::vec(tag, 0..4), 0..=10u8, 0..40usize, protocol());
    let changes = prop::collection::vec((0..60usize, any::<u8>()), 0..4);
    let cut = prop::option::of(any::<prop::sample::Index>());
    (shape, changes, cut).prop_map(|((tags, option_words, rest, protocol), changes, cut)| {
        let mut frame = Frame { tags, option_words, rest, protocol, ..Frame::default() }.build();
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

/// Plain frames of a few flows.
fn plain() -> impl Strategy<Value = Vec<u8>> {
    (protocol(), 0..4u16, 0..40usize)
        .prop_map(|(protocol, src_port, rest)| Frame { protocol, src_port, rest, ..Frame::default() }.build())
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

    /// In a burst, whatever its length and whatever is among them, each frame is what it is alone: tracked or not, counted
    /// under its outcome, and with its length for the flow that is its own.
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
        let config = TrackerConfig { protocols, instructions, ..TrackerConfig::default() };
        let mut tracker = Tracker::new(table, config, Now::from_ns(0)).expect("memory");
        let mut looked_up = HashSet::new();
        tracker.burst(Now::from_ns(0), 3, &frames[..], &mut |_: &Event| true, |first, which| {
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
        prop_assert_eq!(tracker.counters().outcomes, outcomes);
        for (key, (packets, bytes)) in flows {
            let pos = tracker.table().lookup(&key).expect("an entry");
            prop_assert_eq!(tracker.table().counts(pos), Counts { packets, bytes }, "{}", key);
        }
    }
}
