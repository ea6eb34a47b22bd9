//! The parser on single frames, on their beginnings, and on bursts, with every set of instructions, where
//! IPv4 is tracked alone and where both families are.
//!
//! Input: a byte of choices, among them the set of instructions; then frames, each with a byte of
//! its length and a byte that says how many of its bytes lie in the first piece.

use std::net::IpAddr;

use conntrack::arch::Features;
use conntrack::packet::{AnyKey, MAX_HEADER, parse, parse_both};
use conntrack::{FlowKey, FlowKeyV6, Frames, Outcome, Parser, Protocols};

use crate::input::Input;
use crate::laws::oracle::classify_v6;
use crate::oracle::{self, Key, classify, classify_ipv4};

/// DPDK id of the port that the frames enter; the engine counts from 1.
const PORT: u16 = 2;
/// More than two batches of the parser.
const LONGEST_BURST: usize = 80;

/// A frame in one or two pieces, as a chained mbuf has it.
struct Frame<'a> {
    octets: &'a [u8],
    first: usize,
}

/// A burst of frames in pieces.
struct Burst<'a>(Vec<Frame<'a>>);

impl Frames for Burst<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn starts(&self, from: usize) -> impl Iterator<Item = (&[u8], u32)> {
        self.0[from..].iter().map(|frame| (&frame.octets[..frame.first], frame.octets.len() as u32))
    }

    fn header<'a>(&'a self, index: usize, room: &'a mut [u8; MAX_HEADER]) -> &'a [u8] {
        let frame = &self.0[index];
        if frame.first == frame.octets.len() || frame.first >= MAX_HEADER {
            return &frame.octets[..frame.first];
        }
        let len = frame.octets.len().min(MAX_HEADER);
        room[..len].copy_from_slice(&frame.octets[..len]);
        &room[..len]
    }
}

/// Compares the parser with the oracle.
///
/// # Panics
/// When they differ.
pub fn target(data: &[u8]) {
    let mut input = Input(data);
    let choices = input.byte();
    let (protocols, tracked): (_, &[u8]) =
        if choices & 1 == 0 { (Protocols::Tcp, &[6]) } else { (Protocols::TcpUdp, &[6, 17]) };
    let mut burst = Vec::new();
    while !input.is_empty() && burst.len() < LONGEST_BURST {
        let (length, first) = (usize::from(input.byte()), usize::from(input.byte()));
        let octets = input.take(length);
        burst.push(Frame { octets, first: first.min(octets.len()) });
    }
    if let Some(frame) = burst.first() {
        single(frame.octets, protocols, tracked);
        if choices & 2 != 0 {
            // The first frame, cut at every length, is the burst.
            let octets = frame.octets;
            let longest = octets.len().min(LONGEST_BURST);
            burst = (0..=longest).map(|end| Frame { octets: &octets[..end], first: end }).collect();
        }
    }
    let burst = Burst(burst);
    let all = Features::all_present();
    let chosen = usize::from(choices >> 2) % (all.len() + 1);
    for instructions in all.get(chosen..=chosen).unwrap_or(&all) {
        together(&burst, protocols, tracked, *instructions);
    }
}

/// Checks a frame alone, and the part of it that is the longest header.
fn single(frame: &[u8], protocols: Protocols, tracked: &[u8]) {
    let expected = expected(frame, tracked);
    assert_eq!(parse(frame, PORT as u8 + 1, protocols), expected, "{frame:02x?}");
    let start = &frame[..frame.len().min(MAX_HEADER)];
    assert_eq!(parse(start, PORT as u8 + 1, protocols), expected, "the start of {frame:02x?}");
    let expected = expected_of_both(frame, tracked);
    assert_eq!(parse_both(frame, PORT as u8 + 1, protocols), expected, "{frame:02x?}");
    assert_eq!(parse_both(start, PORT as u8 + 1, protocols), expected, "the start of {frame:02x?}");
}

fn together(burst: &Burst<'_>, protocols: Protocols, tracked: &[u8], instructions: Features) {
    let mut parser = Parser::new(protocols, instructions);
    let found = parser.keys(burst, PORT as u8 + 1);
    assert_eq!(found.len(), burst.len());
    let mut outcomes = [0; Outcome::ALL.len()];
    for (frame, found) in burst.0.iter().zip(found) {
        let key = expected(frame.octets, tracked).map_err(|outcome| outcomes[outcome as usize] += 1);
        let due = key.ok().map(|key| (key, frame.octets.len() as u32));
        assert_eq!(found, due, "{instructions}, first piece {}: {:02x?}", frame.first, frame.octets);
    }
    assert_eq!(parser.outcomes(), &outcomes, "{instructions}");

    let verdicts: Vec<_> = burst.0.iter().map(|frame| expected_of_both(frame.octets, tracked)).collect();
    let mut parser = Parser::new(protocols, instructions);
    let is_ipv6 = |i: usize| matches!(verdicts[i], Ok(AnyKey::Ipv6(_)));
    let found = parser.keys_of_both(burst, PORT as u8 + 1, is_ipv6);
    let mut outcomes = [0; Outcome::ALL.len()];
    for ((frame, verdict), found) in burst.0.iter().zip(&verdicts).zip(found) {
        let key = verdict.map_err(|outcome| outcomes[outcome as usize] += 1);
        let due = key.ok().map(|key| (key, frame.octets.len() as u32));
        assert_eq!(found, due, "{instructions}, first piece {}: {:02x?}", frame.first, frame.octets);
    }
    assert_eq!(parser.outcomes(), &outcomes, "{instructions}");
}

/// Returns the oracle's verdict where both families are tracked. On IPv6 two oracles have to agree.
fn expected_of_both(frame: &[u8], tracked: &[u8]) -> Result<AnyKey, Outcome> {
    let port = PORT as u8 + 1;
    let verdict = classify(frame, PORT, tracked).map_err(engines).map(|key| match (key.src, key.dst) {
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            AnyKey::Ipv6(FlowKeyV6::new(port, src, dst, key.protocol, key.src_port, key.dst_port))
        }
        _ => AnyKey::Ipv4(of_ipv4(key)),
    });
    match classify_v6(frame, port, tracked) {
        Err(Outcome::NotTrackedEthertype) => {}
        other => assert_eq!(verdict, other.map(AnyKey::Ipv6), "{frame:02x?}"),
    }
    verdict
}

/// Returns the oracle's verdict where only IPv4 is tracked, in the engine's types.
fn expected(frame: &[u8], tracked: &[u8]) -> Result<FlowKey, Outcome> {
    classify_ipv4(frame, PORT, tracked).map_err(engines).map(of_ipv4)
}

fn of_ipv4(key: Key) -> FlowKey {
    let (IpAddr::V4(src), IpAddr::V4(dst)) = (key.src, key.dst) else { unreachable!("{key:?} is of IPv4") };
    FlowKey::new(PORT as u8 + 1, src, dst, key.protocol, key.src_port, key.dst_port)
}

fn engines(outcome: oracle::Outcome) -> Outcome {
    match outcome {
        oracle::Outcome::Truncated => Outcome::Truncated,
        oracle::Outcome::NotTrackedEthertype => Outcome::NotTrackedEthertype,
        oracle::Outcome::Malformed => Outcome::Malformed,
        oracle::Outcome::ExtensionLimit => Outcome::ExtensionLimit,
        oracle::Outcome::Fragment => Outcome::Fragment,
        oracle::Outcome::NotTrackedProtocol => Outcome::NotTrackedProtocol,
        looked_up => unreachable!("{looked_up:?} without a table"),
    }
}
