//! Compares the parser of IPv6, and of both families, with oracles that know only the rules.

mod laws;

use std::net::Ipv6Addr;

use conntrack::arch::Features;
use conntrack::key::{TCP, UDP};
use conntrack::packet::{AnyKey, MAX_HEADER, parse, parse_both};
use conntrack::test_support::frame::{
    AUTHENTICATION, ETHERTYPE_IPV4, FRAGMENT, ICMPV6, Ipv4Frame, Ipv6Frame, TPID_8021AD, TPID_8021Q,
    arp_request, every_prefix,
};
use conntrack::test_support::{Random, flow};
use conntrack::{FlowKeyV6, Outcome, Parser, Protocols};
use laws::oracle::{classify, classify_v6};
use proptest::prelude::*;

/// Both protocol lists, in the engine's form and in the oracle's.
const TRACKED: [(Protocols, &[u8]); 2] = [(Protocols::Tcp, &[TCP]), (Protocols::TcpUdp, &[TCP, UDP])];
/// The extension headers that are walked.
const EXTENSIONS: [u8; 8] = [0, 43, FRAGMENT, AUTHENTICATION, 60, 135, 139, 140];
/// Upper protocols that are never tracked: ESP, ICMPv6, no next header, and some that IANA has not
/// assigned.
const OTHERS: [u8; 5] = [50, ICMPV6, 59, 200, 255];

const PORT: u8 = 3;

fn addr(host: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host)
}

fn plain() -> Ipv6Frame {
    Ipv6Frame::tcp((addr(1), 53660), (addr(2), 1234)).unpadded()
}

fn key(protocol: u8) -> FlowKeyV6 {
    FlowKeyV6::new(PORT, addr(1), addr(2), protocol, 53660, 1234)
}

/// Returns the oracles' verdict where both families are tracked.
fn expected(frame: &[u8], tracked: &[u8]) -> Result<AnyKey, Outcome> {
    match classify_v6(frame, PORT, tracked) {
        Err(Outcome::NotTrackedEthertype) => classify(frame, PORT, tracked).map(AnyKey::Ipv4),
        verdict => verdict.map(AnyKey::Ipv6),
    }
}

/// Checks that parser and oracle agree, also when the parser sees only the octets of the longest
/// header, and in a burst with every set of instructions.
fn agree(frame: &[u8]) {
    for (protocols, tracked) in TRACKED {
        let expected = expected(frame, tracked);
        assert_eq!(parse_both(frame, PORT, protocols), expected, "{frame:02x?}");
        let seen = &frame[..frame.len().min(MAX_HEADER)];
        assert_eq!(parse_both(seen, PORT, protocols), expected, "start of {frame:02x?}");
        for instructions in Features::all_present() {
            let mut parser = Parser::new(protocols, instructions);
            let is_ipv6 = matches!(expected, Ok(AnyKey::Ipv6(_)));
            let found = parser.keys_of_both(&[frame][..], PORT, |_| is_ipv6);
            assert_eq!(
                found,
                [expected.ok().map(|key| (key, frame.len() as u32))],
                "{instructions}: {frame:02x?}"
            );
            let counted = expected.err().map_or(0, |outcome| parser.outcomes()[outcome as usize]);
            assert_eq!(counted, u64::from(expected.is_err()));
        }
    }
}

/// Returns the outcome of a frame, or its key.
fn verdict(frame: &Ipv6Frame) -> Result<AnyKey, Outcome> {
    let octets = frame.build();
    agree(&octets);
    parse_both(&octets, PORT, Protocols::Tcp)
}

fn tracked(protocol: u8) -> Result<AnyKey, Outcome> {
    Ok(AnyKey::Ipv6(key(protocol)))
}

/// Cuts frames with each extension header, and with none, two or three tags, at every length.
#[test]
fn every_frame_cut_at_every_length() {
    const TAGS: [&[u16]; 5] =
        [&[], &[TPID_8021Q], &[TPID_8021AD], &[TPID_8021AD, TPID_8021Q], &[TPID_8021Q, TPID_8021Q]];
    let chains = EXTENSIONS.into_iter().map(|number| vec![number]);
    for chain in chains.chain([vec![], vec![0, 60, 43, 44, 51, 60, 135], vec![139, 140]]) {
        for tags in TAGS {
            for protocol in [TCP, UDP] {
                let frame = tags.iter().fold(plain().protocol(protocol), |frame, &tpid| frame.tag(tpid, 7));
                let frame = chain.iter().fold(frame, |frame, &number| frame.extension(number, 1));
                let extensions: usize = chain
                    .iter()
                    .map(|number| match *number {
                        FRAGMENT => 8,
                        AUTHENTICATION => 12,
                        _ => 16,
                    })
                    .sum();
                let needed = 14 + 4 * tags.len() + 40 + extensions + 4;
                for octets in every_prefix(&frame.build()) {
                    agree(&octets);
                    let due = if octets.len() < needed { Err(Outcome::Truncated) } else { tracked(protocol) };
                    assert_eq!(
                        parse_both(&octets, PORT, Protocols::TcpUdp),
                        due,
                        "{chain:?} cut at {}",
                        octets.len()
                    );
                }
            }
        }
    }
    let three = plain().tag(TPID_8021Q, 1).tag(TPID_8021Q, 2).tag(TPID_8021Q, 3);
    assert_eq!(verdict(&three), Err(Outcome::NotTrackedEthertype));
}

#[test]
fn chains_at_and_over_the_limits() {
    let chain = |numbers: &[(u8, u8)]| {
        numbers.iter().fold(plain(), |frame, &(number, length)| frame.extension(number, length))
    };
    for number in EXTENSIONS {
        assert_eq!(verdict(&chain(&[(number, 0); 8])), tracked(TCP), "eight of {number}");
        assert_eq!(verdict(&chain(&[(number, 0); 9])), Err(Outcome::ExtensionLimit), "nine of {number}");
    }
    // 256 bytes in one header and in eight, and a header more or a longer one.
    assert_eq!(verdict(&chain(&[(60, 31)])), tracked(TCP));
    assert_eq!(verdict(&chain(&[(60, 32)])), Err(Outcome::ExtensionLimit));
    assert_eq!(verdict(&chain(&[(60, 3); 8])), tracked(TCP));
    assert_eq!(verdict(&chain(&[(60, 30), (FRAGMENT, 0)])), tracked(TCP));
    assert_eq!(verdict(&chain(&[(60, 31), (FRAGMENT, 0)])), Err(Outcome::ExtensionLimit));
    assert_eq!(verdict(&chain(&[(AUTHENTICATION, 62)])), tracked(TCP));
    assert_eq!(verdict(&chain(&[(AUTHENTICATION, 63)])), Err(Outcome::ExtensionLimit));
    // The limit comes before the end of the frame.
    for frame in every_prefix(&chain(&[(60, 200)]).build()) {
        agree(&frame);
        let due = if frame.len() < 56 { Outcome::Truncated } else { Outcome::ExtensionLimit };
        assert_eq!(parse_both(&frame, PORT, Protocols::Tcp), Err(due), "{}", frame.len());
    }
    let ninth = chain(&[(0, 0); 9]).build();
    assert_eq!(parse_both(&ninth[..14 + 40 + 64], PORT, Protocols::Tcp), Err(Outcome::ExtensionLimit));
}

#[test]
fn fragments() {
    assert_eq!(verdict(&plain().fragment(0, true)), tracked(TCP));
    assert_eq!(verdict(&plain().fragment(0, false)), tracked(TCP), "atomic");
    for offset in [1, 2, 0x1fff] {
        for more in [false, true] {
            assert_eq!(verdict(&plain().fragment(offset, more)), Err(Outcome::Fragment));
            // What follows is not looked at, whatever it claims to be.
            let frame = plain().fragment(offset, more).extension(60, 255);
            assert_eq!(verdict(&frame), Err(Outcome::Fragment));
        }
    }
    assert_eq!(verdict(&plain().extension(60, 1).fragment(5, true)), Err(Outcome::Fragment));
}

/// A frame with two faults has the outcome of the earlier rule.
#[test]
fn the_first_rule_that_matches_decides() {
    for protocol in OTHERS {
        let frame = plain().protocol(protocol);
        assert_eq!(verdict(&frame), Err(Outcome::NotTrackedProtocol), "{protocol}");
        assert_eq!(verdict(&frame.payload_length(0)), Err(Outcome::NotTrackedProtocol), "{protocol}");
    }
    assert_eq!(verdict(&Ipv6Frame::icmp_echo(addr(1), addr(2))), Err(Outcome::NotTrackedProtocol));
    let udp = Ipv6Frame::udp((addr(1), 53), (addr(2), 53));
    assert_eq!(verdict(&udp), Err(Outcome::NotTrackedProtocol));
    for version in (0..16).filter(|version| *version != 6) {
        assert_eq!(verdict(&plain().version(version).extension(60, 255)), Err(Outcome::Malformed));
    }
    assert_eq!(verdict(&plain().ethertype(ETHERTYPE_IPV4)), Err(Outcome::Malformed));
    assert_eq!(verdict(&plain().extension(60, 255).fragment(1, true)), Err(Outcome::ExtensionLimit));
    assert_eq!(verdict(&plain().fragment(1, true).protocol(59)), Err(Outcome::Fragment));
    // Where IPv6 is off, nothing of it is read.
    for frame in every_prefix(&plain().build()) {
        let due = if frame.len() < 14 { Outcome::Truncated } else { Outcome::NotTrackedEthertype };
        assert_eq!(parse(&frame, PORT, Protocols::Tcp), Err(due));
    }
}

#[test]
fn payload_lengths() {
    for length in 0..40 {
        let due = if length < 4 { Err(Outcome::Malformed) } else { tracked(TCP) };
        assert_eq!(verdict(&plain().payload_length(length)), due, "{length}");
        let due = if length < 12 { Err(Outcome::Malformed) } else { tracked(TCP) };
        assert_eq!(verdict(&plain().extension(60, 0).payload_length(length)), due, "{length}");
        // With hop-by-hop options, 0 says that the length is among them (RFC 2675).
        let due = if length == 0 { tracked(TCP) } else { due };
        assert_eq!(verdict(&plain().extension(0, 0).payload_length(length)), due, "{length}");
    }
    assert_eq!(verdict(&plain().payload_length(u16::MAX)), tracked(TCP), "beyond the frame");
    // The end of the frame comes before the payload length.
    let cut = plain().payload_length(0).build();
    assert_eq!(parse_both(&cut[..57], PORT, Protocols::Tcp), Err(Outcome::Truncated));
    agree(&cut[..57]);
}

#[test]
fn addresses_of_every_kind() {
    let kinds = ["::", "::1", "::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::10.0.0.1", "fe80::1", "ff02::1"];
    let kinds = kinds.map(|text| text.parse::<Ipv6Addr>().expect("an address"));
    for src in kinds {
        for dst in kinds {
            let frame = Ipv6Frame::tcp((src, 0), (dst, u16::MAX));
            let due = FlowKeyV6::new(PORT, src, dst, TCP, 0, u16::MAX);
            assert_eq!(verdict(&frame), Ok(AnyKey::Ipv6(due)));
        }
    }
}

/// Generates a frame that is tracked, or would be except for a few bytes, or is cut short.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let tag = prop_oneof![Just(TPID_8021Q), Just(TPID_8021AD), any::<u16>()];
    let number = prop_oneof![8 => prop::sample::select(&EXTENSIONS[..]), 1 => any::<u8>()];
    let length = prop_oneof![8 => 0..4u8, 1 => any::<u8>()];
    let extension = (number, length, 0..9u16, any::<bool>());
    let protocol =
        prop_oneof![4 => Just(TCP), 4 => Just(UDP), 1 => prop::sample::select(&OTHERS[..]), 1 => any::<u8>()];
    let parts =
        (prop::collection::vec(tag, 0..3), prop::collection::vec(extension, 0..10), 0..40usize, protocol);
    let payload = prop::option::of(prop_oneof![0..100u16, any::<u16>()]);
    let changes = prop::collection::vec((0..100usize, any::<u8>()), 0..3);
    let cut = prop::option::of(any::<prop::sample::Index>());
    (parts, payload, changes, cut).prop_map(|((tags, extensions, rest, protocol), payload, changes, cut)| {
        let mut frame = plain().protocol(protocol).after_ports(rest);
        frame = tags.iter().fold(frame, |frame, &tpid| frame.tag(tpid, 0x6007));
        for (number, length, offset, more) in extensions {
            frame = match number {
                FRAGMENT => frame.fragment(offset.saturating_sub(6), more),
                _ => frame.extension(number, length),
            };
        }
        frame = payload.into_iter().fold(frame, Ipv6Frame::payload_length);
        let mut octets = frame.build();
        for (at, byte) in changes {
            if let Some(place) = octets.get_mut(at) {
                *place = byte;
            }
        }
        if let Some(cut) = cut {
            octets.truncate(cut.index(octets.len() + 1));
        }
        octets
    })
}

/// Generates frames of both families, and of neither.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let ipv4 = (0..4u16, 0..40usize, any::<bool>()).prop_map(|(port, rest, tagged)| {
        let frame = Ipv4Frame::of(&flow(PORT, port)).after_ports(rest).unpadded();
        if tagged { frame.tag(TPID_8021Q, 1) } else { frame }.build()
    });
    let ipv6 = (0..4u16, 0..40usize).prop_map(|(port, rest)| {
        Ipv6Frame::tcp((addr(1), port), (addr(2), 80)).after_ports(rest).unpadded().build()
    });
    let neither = Just(arp_request([10, 0, 0, 1].into(), [10, 0, 0, 2].into()));
    prop_oneof![4 => ipv4, 4 => ipv6, 2 => mutated(), 1 => neither]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_frames(frame in mutated()) {
        agree(&frame);
    }

    #[test]
    fn random_bytes_after_an_ipv6_start(seed: u64, len in 0..120usize) {
        let mut random = Random(seed);
        let mut frame = vec![0; 12];
        frame.extend([0x86, 0xdd]);
        frame.push(0x60 | random.bits() as u8 & 0xf);
        frame.extend((0..len).map(|_| random.bits() as u8));
        agree(&frame);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// In a burst of any length and content, each frame has the same result as alone, and the keys of
    /// each family have the order of their frames.
    #[test]
    fn bursts(frames in prop::collection::vec(any_frame(), 0..100), which in 0..TRACKED.len()) {
        let (protocols, tracked) = TRACKED[which];
        for instructions in Features::all_present() {
            let verdicts: Vec<_> = frames.iter().map(|frame| expected(frame, tracked)).collect();
            let mut parser = Parser::new(protocols, instructions);
            let found = parser.keys_of_both(&frames[..], PORT, |i| matches!(verdicts[i], Ok(AnyKey::Ipv6(_))));
            let mut outcomes = [0; Outcome::ALL.len()];
            for ((frame, verdict), found) in frames.iter().zip(&verdicts).zip(found) {
                let due = verdict.map_err(|outcome| outcomes[outcome as usize] += 1).ok();
                prop_assert_eq!(found, due.map(|key| (key, frame.len() as u32)), "{}: {:02x?}", instructions, frame);
            }
            prop_assert_eq!(parser.outcomes(), &outcomes, "{}", instructions);
        }
    }
}
