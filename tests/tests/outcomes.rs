//! Every received frame is counted under exactly one outcome and leaves unchanged by the other
//! port, whatever it is.
//!
//! A capture of good and bad frames enters port0 through DPDK's net_pcap. An oracle that shares
//! nothing with the engine says how each is counted.

use std::net::{Ipv4Addr, Ipv6Addr};

use conntrack::key::{TCP, UDP};
use conntrack::test_support::frame::{
    FRAGMENT, Ipv4Frame, Ipv6Frame, TPID_8021AD, TPID_8021Q, arp_request, assert_same, distinct_flows,
    ethernet, every_prefix,
};
use flowtracker_tests::appliance::Appliance;
use flowtracker_tests::netns::Namespace;
use flowtracker_tests::oracle::{self, Oracle, Outcome};
use flowtracker_tests::pcap;

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const A6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const B6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

/// Nothing may expire while a test reads the table, so the aging is 10 minutes.
const NO_EXPIRY: [&str; 2] = ["--timer-profiles", "600000"];

/// Returns at least one frame for every rule, and frames cut short in every way.
fn menagerie() -> Vec<Vec<u8>> {
    let syn = || Ipv4Frame::tcp((A, 36876), (B, 1234));
    let mut frames = Vec::new();

    // Frames are cut at every octet: a plain one, one with the longest IP header, and ones with one
    // and two tags.
    for base in [
        syn().unpadded(),
        Ipv4Frame::tcp((A, 1), (B, 1234)).ip_options(10).unpadded(),
        Ipv4Frame::tcp((A, 2), (B, 1234)).tag(TPID_8021Q, 0xe064).unpadded(),
        Ipv4Frame::tcp((A, 3), (B, 1234)).tag(TPID_8021AD, 100).tag(TPID_8021Q, 200).unpadded(),
    ] {
        frames.extend(every_prefix(&base.build()));
    }

    // These frames belong to the same flow, whatever is between Ethernet and TCP, so they are hits.
    frames.extend((0..=10).map(|words| syn().ip_options(words).build()));
    frames.push(syn().tag(TPID_8021Q, 1).build());
    frames.push(syn().tag(TPID_8021Q, 1).tag(TPID_8021Q, 2).build());
    frames.push(syn().tag(TPID_8021AD, 1).tag(TPID_8021AD, 2).build());
    // A third tag is one too many, and so is a vendor's own tag.
    frames.push(syn().tag(TPID_8021AD, 1).tag(TPID_8021AD, 2).tag(TPID_8021Q, 3).build());
    frames.push(syn().tag(0x9100, 1).build());

    // Of the fragments, the first has ports and the others do not.
    frames.push(syn().first_fragment().payload(&[7; 64]).build());
    frames.extend([1, 2, 185, 8191].map(|offset| syn().later_fragment(offset, true).build()));
    frames.push(syn().later_fragment(1, false).build());

    // These headers contradict themselves.
    frames.extend((0..16).map(|version| syn().version(version).build()));
    frames.extend((0..16).map(|ihl| syn().ihl(ihl).build()));
    frames.extend((0..=45).map(|octets| syn().total_length(octets).build()));
    frames.extend([1500, 65535].map(|octets| syn().total_length(octets).build()));
    // These frames have two faults, and the earlier rule decides.
    frames.push(syn().version(6).later_fragment(1, false).build());
    frames.push(syn().protocol(50).later_fragment(1, false).build());
    frames.push(syn().protocol(50).total_length(20).build());
    frames.push(syn().total_length(20).build()[..34].to_vec());

    // These frames have every protocol number, and other EtherTypes.
    frames.extend((0..=255).map(|protocol| syn().protocol(protocol).build()));
    frames.push(Ipv4Frame::icmp_echo(A, B).build());
    frames.extend((0..20).map(|port| Ipv4Frame::udp((A, 5000 + port), (B, 53)).build()));
    frames.push(arp_request(A, B));
    frames.push(ethernet(&[], 0x0026, &[0xaa; 46], 60)); // 802.3 length, not a type
    frames.push(ethernet(&[(TPID_8021Q, 5)], 0x0806, &[0; 46], 60));

    // Each field of the key matters, and the two directions are two flows.
    frames.push(Ipv4Frame::tcp((B, 1234), (A, 36876)).build());
    frames.push(Ipv4Frame::tcp((A, 36877), (B, 1234)).build());
    frames.push(Ipv4Frame::tcp((A, 36876), (B, 1235)).build());
    frames.push(Ipv4Frame::tcp((Ipv4Addr::new(10, 0, 0, 3), 36876), (B, 1234)).build());
    frames.push(Ipv4Frame::tcp((A, 36876), (Ipv4Addr::new(10, 0, 0, 3), 1234)).build());
    frames.push(Ipv4Frame::tcp((Ipv4Addr::UNSPECIFIED, 0), (Ipv4Addr::BROADCAST, 65535)).build());

    // One burst has many packets of a new flow, and payloads go up to the usual MTU.
    frames.extend((0..100).map(|_| Ipv4Frame::tcp((A, 40000), (B, 80)).build()));
    frames.push(Ipv4Frame::tcp((A, 40000), (B, 80)).payload(&[0x55; 1460]).build());
    frames.extend(distinct_flows(1000));
    frames.extend(menagerie6());
    frames
}

/// Returns the same of IPv6: each extension header, chains at and over the limits, fragments, jumbo
/// payloads, addresses of every kind, and neighbour discovery.
fn menagerie6() -> Vec<Vec<u8>> {
    const EXTENSIONS: [u8; 8] = [0, 43, FRAGMENT, 51, 60, 135, 139, 140];
    let syn = || Ipv6Frame::tcp((A6, 53660), (B6, 1234)).unpadded();
    let chain = |numbers: &[(u8, u8)]| {
        numbers.iter().fold(syn(), |frame, &(number, length)| frame.extension(number, length))
    };
    let mut frames = Vec::new();

    // Frames are cut at every octet: a plain one, ones with tags, one with each extension header,
    // and one with the longest chain.
    let plain = Ipv6Frame::tcp((A6, 1), (B6, 1234)).unpadded();
    frames.extend(every_prefix(&plain.build()));
    frames.extend(every_prefix(&plain.clone().tag(TPID_8021Q, 0xe064).build()));
    frames.extend(every_prefix(&plain.tag(TPID_8021AD, 100).tag(TPID_8021Q, 200).build()));
    frames.extend(
        EXTENSIONS
            .iter()
            .flat_map(|&number| every_prefix(&chain(&[(number, 1)]).build()).collect::<Vec<_>>()),
    );
    frames.extend(every_prefix(
        &chain(&[(0, 3), (60, 3), (43, 3), (FRAGMENT, 0), (51, 4), (135, 3), (139, 3), (140, 3)]).build(),
    ));

    // Chains at the limits are hits, and those over them are not.
    for number in EXTENSIONS {
        frames.extend([1, 7, 8, 9, 20].map(|count| chain(&vec![(number, 0); count]).build()));
    }
    frames.extend([30, 31, 32, 200, 255].map(|length| chain(&[(60, length)]).build()));
    frames.extend([61, 62, 63].map(|length| chain(&[(51, length)]).build()));
    frames.push(chain(&[(60, 31), (FRAGMENT, 0)]).build());
    // The limit comes before the end of the frame.
    frames.push(chain(&[(60, 200)]).build()[..14 + 40 + 8].to_vec());

    // Of the fragments, the first and the atomic ones have ports.
    for (offset, more) in [(0, true), (0, false), (1, true), (2, false), (0x1fff, false)] {
        frames.push(syn().fragment(offset, more).build());
        frames.push(syn().extension(0, 0).fragment(offset, more).extension(60, 0).build());
    }

    // Upper protocols: ESP, ICMPv6 and no next header are not tracked, nor behind other headers.
    frames.extend((0..=255).filter(|p| !EXTENSIONS.contains(p)).map(|p| syn().protocol(p).build()));
    frames.extend([50, 58, 59].map(|p| syn().extension(60, 0).protocol(p).build()));
    frames.extend((0..20).map(|port| Ipv6Frame::udp((A6, 5000 + port), (B6, 53)).build()));
    frames.push(Ipv6Frame::icmp_echo(A6, B6).build());
    frames.push(neighbour_solicitation());

    // Headers that contradict themselves, and headers with two faults: the earlier rule decides.
    frames.extend((0..16).map(|version| syn().version(version).extension(60, 255).build()));
    frames.extend((0..=45).map(|octets| syn().payload_length(octets).build()));
    frames.extend((0..=45).map(|octets| syn().extension(60, 0).payload_length(octets).build()));
    frames.push(syn().payload_length(u16::MAX).build());
    frames.push(syn().fragment(1, true).extension(60, 255).build());
    // Behind hop-by-hop options a payload length of 0 says nothing (RFC 2675).
    frames.extend([0, 3, 11, 12].map(|octets| syn().extension(0, 0).payload_length(octets).build()));

    // Tags and EtherTypes in front of IP, and addresses of every kind.
    frames.push(syn().tag(TPID_8021AD, 1).tag(TPID_8021AD, 2).build());
    frames.push(syn().tag(TPID_8021AD, 1).tag(TPID_8021AD, 2).tag(TPID_8021Q, 3).build());
    frames.push(syn().ethertype(0x0800).build());
    frames.push(Ipv4Frame::tcp((A, 1), (B, 2)).ethertype(0x86dd).build());
    let kinds = ["::", "::1", "::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::10.0.0.1", "fe80::1", "ff02::1"];
    let kinds = kinds.map(|text| text.parse::<Ipv6Addr>().expect("an address"));
    for src in kinds {
        frames.extend(kinds.map(|dst| Ipv6Frame::tcp((src, 0), (dst, u16::MAX)).build()));
    }

    // Each field of the key matters, and one burst has many packets of a new flow.
    frames.push(Ipv6Frame::tcp((B6, 1234), (A6, 53660)).build());
    frames.push(Ipv6Frame::tcp((A6, 53661), (B6, 1234)).build());
    frames.push(Ipv6Frame::tcp((A6, 53660), (B6, 1235)).build());
    frames.extend((0..100).map(|_| Ipv6Frame::tcp((A6, 40000), (B6, 80)).build()));
    frames.push(Ipv6Frame::tcp((A6, 40000), (B6, 80)).payload(&[0x55; 1440]).build());
    frames.extend((0..1000).map(|port| Ipv6Frame::tcp((A6, 1000 + port), (B6, 80)).build()));
    frames
}

/// Returns a neighbour solicitation (RFC 4861 section 4.3) for B6.
fn neighbour_solicitation() -> Vec<u8> {
    let mut body = vec![0x60, 0, 0, 0, 0, 24, 58, 255];
    body.extend(A6.octets());
    body.extend(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 2).octets());
    body.extend([135, 0, 0, 0, 0, 0, 0, 0]);
    body.extend(B6.octets());
    ethernet(&[], 0x86dd, &body, 60)
}

/// Sends `frames` through port0 of an appliance with these options, compares its outcomes and
/// entries with `oracle`, and returns the frames that left port1.
fn check(frames: &[Vec<u8>], options: &[&str], mut oracle: Oracle) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    pcap::write_frames(path("in").as_ref(), frames).expect("written");
    pcap::write_frames(path("silence").as_ref(), &[]).expect("written");
    for frame in frames {
        oracle.receive(0, frame);
    }

    let devices = [
        format!("net_pcap0,rx_pcap={},tx_pcap={}", path("in"), path("out0")),
        format!("net_pcap1,rx_pcap={},tx_pcap={}", path("silence"), path("out1")),
    ];
    let alone = Namespace::new("outcomes");
    let appliance = Appliance::start(&alone, &devices, &[&NO_EXPIRY, options].concat());
    let stats = appliance.wait_forwarded(frames.len() as u64);

    assert_eq!(stats.lcores.len(), 1, "one lcore: {stats:?}");
    let lcore = &stats.lcores[0];
    let outcomes = lcore.outcomes.expect("outcomes are always there");
    assert_eq!(outcomes, oracle.outcomes());
    assert_eq!(oracle::sum(&outcomes), lcore.rx, "the outcomes add up to rx");
    assert_eq!(lcore.tx_dropped, 0, "a capture file takes everything");
    assert_eq!(lcore.entries, oracle.entries().len() as u64);

    oracle.assert_entries(appliance.entries());

    appliance.stop();
    let sent = |name: &str| pcap::read_frames(path(name).as_ref()).expect("a capture");
    assert_eq!(sent("out0").len(), 0, "nothing entered port1");
    sent("out1")
}

#[test]
fn every_frame_has_one_outcome_and_leaves_unchanged() {
    let frames = menagerie();
    let sent = check(&frames, &[], Oracle::new(&[TCP], usize::MAX));
    assert_same(&sent, &frames);
}

#[test]
fn udp_is_tracked_when_asked_for() {
    let frames = menagerie();
    let oracle = Oracle::new(&[TCP, UDP], usize::MAX);
    assert_same(&check(&frames, &["--protocols", "tcp,udp"], oracle), &frames);
}

/// Frames of a family that is off count as `not_tracked_ethertype`, whatever they contain.
#[test]
fn ipv6_can_be_off() {
    let frames = menagerie();
    let oracle = Oracle::new(&[TCP], usize::MAX).without_ipv6();
    assert_same(&check(&frames, &["--families", "ipv4"], oracle), &frames);
}

#[test]
fn untracked_frames_can_be_dropped() {
    let frames = menagerie();
    let tracked: Vec<_> = frames.iter().filter(|f| oracle::classify(f, 0, &[TCP]).is_ok()).cloned().collect();
    let oracle = Oracle::new(&[TCP], usize::MAX);
    assert_same(&check(&frames, &["--untracked", "drop"], oracle), &tracked);
}

#[test]
fn a_monitor_port_sends_nothing() {
    let oracle = Oracle::new(&[TCP], usize::MAX);
    assert_same(&check(&menagerie(), &["--forward", "drop"], oracle), &[]);
}

#[test]
fn a_full_table_still_forwards() {
    // Each flow is sent twice, so that the flows that found room are hit and the others miss again.
    let frames: Vec<_> = distinct_flows(100).chain(distinct_flows(100)).collect();
    let sent = check(&frames, &["--capacity", "64"], Oracle::new(&[TCP], 64));
    assert_same(&sent, &frames);
}

/// Each table has its own capacity: a full table leaves the capacity of the other alone.
#[test]
fn a_full_table_leaves_the_other_its_room() {
    let ipv6 = |count: u16| (0..count).map(|port| Ipv6Frame::tcp((A6, port), (B6, 80)).build());
    let frames: Vec<_> = ipv6(100).chain(distinct_flows(64)).chain(ipv6(100)).collect();
    let sent = check(&frames, &["--capacity", "64", "--capacity-ipv6", "64"], Oracle::new(&[TCP], 64));
    assert_same(&sent, &frames);
}

#[test]
fn tables_may_be_of_different_sizes() {
    let ipv6 = |count: u16| (0..count).map(|port| Ipv6Frame::tcp((A6, port), (B6, 80)).build());
    let frames: Vec<_> = ipv6(32).chain(distinct_flows(200)).chain(ipv6(32)).collect();
    let options = ["--capacity", "1024", "--capacity-ipv6", "32"];
    let sent = check(&frames, &options, Oracle::new(&[TCP], usize::MAX));
    assert_same(&sent, &frames);
}

#[test]
fn without_the_create_permission_nothing_is_learned() {
    let frames: Vec<_> = distinct_flows(100).collect();
    // The mask is 0x3dfc without bit 6, the data path's C.
    let oracle = Oracle::new(&[TCP], usize::MAX).without_create();
    assert_same(&check(&frames, &["--permissions", "0x3dbc"], oracle), &frames);
    let frames: Vec<_> = (0..100).map(|port| Ipv6Frame::tcp((A6, port), (B6, 80)).build()).collect();
    let oracle = Oracle::new(&[TCP], usize::MAX).without_create();
    // The mask is 0x3de4 without that bit.
    assert_same(&check(&frames, &["--permissions-ipv6", "0x3da4"], oracle), &frames);
}

/// A frame longer than an mbuf, which holds 2048 octets, arrives as a chain.
#[test]
fn jumbo_frames_are_tracked_and_leave_whole() {
    let jumbo = |len| Ipv4Frame::tcp((A, 36876), (B, 1234)).payload(&vec![0x3c; len]).build();
    let frames: Vec<_> = [60, 1960, 2048, 4000, 8960].map(jumbo).into();
    assert_same(&check(&frames, &[], Oracle::new(&[TCP], usize::MAX)), &frames);
}

/// The list of frames is useful only if it reaches every rule.
#[test]
fn the_menagerie_meets_every_rule_of_the_parser() {
    let mut oracle = Oracle::new(&[TCP], usize::MAX);
    let met: std::collections::BTreeSet<_> =
        menagerie().iter().map(|frame| oracle.receive(0, frame)).collect();
    for outcome in [
        Outcome::Hit,
        Outcome::MissCreated,
        Outcome::Truncated,
        Outcome::NotTrackedEthertype,
        Outcome::Malformed,
        Outcome::ExtensionLimit,
        Outcome::Fragment,
        Outcome::NotTrackedProtocol,
    ] {
        assert!(met.contains(&outcome), "{outcome:?}");
    }
}
