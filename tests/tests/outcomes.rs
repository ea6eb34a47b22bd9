//! Every received frame is counted under exactly one outcome and leaves unchanged by the other
//! port, whatever it is.
//!
//! A capture of good and bad frames enters port0 through DPDK's net_pcap. An oracle that shares
//! nothing with the engine says how each is counted.

use std::net::Ipv4Addr;

use conntrack::key::{TCP, UDP};
use conntrack::test_support::frame::{
    Ipv4Frame, TPID_8021AD, TPID_8021Q, arp_request, assert_same, distinct_flows, ethernet, every_prefix,
    ipv6_tcp,
};
use flowtracker_tests::appliance::Appliance;
use flowtracker_tests::netns::Namespace;
use flowtracker_tests::oracle::{self, Oracle, Outcome};
use flowtracker_tests::pcap;

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

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
    frames.push(ipv6_tcp(36876, 1234));
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
    frames
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

#[test]
fn without_the_create_permission_nothing_is_learned() {
    let frames: Vec<_> = distinct_flows(100).collect();
    // The mask is 0x3dfc without bit 6, the data path's C.
    let oracle = Oracle::new(&[TCP], usize::MAX).without_create();
    assert_same(&check(&frames, &["--permissions", "0x3dbc"], oracle), &frames);
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
        Outcome::Fragment,
        Outcome::NotTrackedProtocol,
    ] {
        assert!(met.contains(&outcome), "{outcome:?}");
    }
}
