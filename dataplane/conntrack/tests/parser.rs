//! The parser against an oracle that knows only the rules.

mod laws;

use conntrack::key::{TCP, UDP};
use conntrack::packet::{MAX_HEADER, parse};
use conntrack::{Outcome, Protocols};
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_frames(
        tags in prop::collection::vec(prop_oneof![Just(0x8100u16), Just(0x88a8), any::<u16>()], 0..4),
        option_words in 0..=10u8,
        rest in 0..40usize,
        protocol in prop_oneof![Just(TCP), Just(UDP), any::<u8>()],
        changes in prop::collection::vec((0..60usize, any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut frame = Frame { tags, option_words, rest, protocol, ..Frame::default() }.build();
        for (at, byte) in changes {
            if let Some(place) = frame.get_mut(at) {
                *place = byte;
            }
        }
        if let Some(cut) = cut {
            frame.truncate(cut.index(frame.len() + 1));
        }
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
