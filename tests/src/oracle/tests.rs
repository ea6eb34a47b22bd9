use std::net::Ipv6Addr;

use super::*;
use conntrack::key::{TCP, UDP};
use conntrack::test_support::frame::{
    FRAGMENT, Ipv4Frame, Ipv6Frame, TPID_8021AD, TPID_8021Q, arp_request, distinct_flows, every_prefix,
};

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const A6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const B6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

fn syn() -> Ipv4Frame {
    Ipv4Frame::tcp((A, 36876), (B, 1234))
}

fn verdict(frame: &[u8]) -> Result<Key, Outcome> {
    classify(frame, 0, &[TCP])
}

const KEY: Key =
    Key { port: 0, src: IpAddr::V4(A), dst: IpAddr::V4(B), protocol: TCP, src_port: 36876, dst_port: 1234 };

fn syn6() -> Ipv6Frame {
    Ipv6Frame::tcp((A6, 53660), (B6, 1234)).unpadded()
}

const KEY6: Key =
    Key { port: 0, src: IpAddr::V6(A6), dst: IpAddr::V6(B6), protocol: TCP, src_port: 53660, dst_port: 1234 };

#[test]
fn options_and_up_to_two_tags_do_not_change_the_key() {
    for words in 0..=10 {
        assert_eq!(verdict(&syn().ip_options(words).build()), Ok(KEY));
    }
    assert_eq!(verdict(&syn().tag(TPID_8021Q, 5).build()), Ok(KEY));
    assert_eq!(verdict(&syn().tag(TPID_8021AD, 5).tag(TPID_8021Q, 6).build()), Ok(KEY));
    assert_eq!(verdict(&syn().first_fragment().build()), Ok(KEY));
    // A third tag is an EtherType like any other.
    let three = syn().tag(TPID_8021AD, 5).tag(TPID_8021AD, 6).tag(TPID_8021Q, 7);
    assert_eq!(verdict(&three.build()), Err(Outcome::NotTrackedEthertype));
}

#[test]
fn a_tracked_frame_needs_its_four_port_octets_and_no_more() {
    for (base, needed) in [
        (syn().unpadded(), 38),
        (syn().unpadded().ip_options(10), 78),
        (syn().unpadded().tag(TPID_8021Q, 5), 42),
        (syn().unpadded().tag(TPID_8021AD, 5).tag(TPID_8021Q, 6), 46),
    ] {
        for frame in every_prefix(&base.build()) {
            let expected = if frame.len() < needed { Err(Outcome::Truncated) } else { Ok(KEY) };
            assert_eq!(verdict(&frame), expected, "{} octets", frame.len());
        }
    }
}

#[test]
fn what_is_not_looked_up_has_its_reason() {
    assert_eq!(verdict(&arp_request(A, B)), Err(Outcome::NotTrackedEthertype));
    assert_eq!(verdict(&syn().version(6).build()), Err(Outcome::Malformed));
    assert_eq!(verdict(&syn().ihl(4).build()), Err(Outcome::Malformed));
    assert_eq!(verdict(&syn().total_length(19).build()), Err(Outcome::Malformed));
    assert_eq!(verdict(&syn().total_length(23).build()), Err(Outcome::Malformed));
    assert_eq!(verdict(&syn().total_length(24).build()), Ok(KEY));
    assert_eq!(verdict(&syn().total_length(65535).build()), Ok(KEY));
    assert_eq!(verdict(&syn().later_fragment(1, true).build()), Err(Outcome::Fragment));
    assert_eq!(verdict(&Ipv4Frame::icmp_echo(A, B).build()), Err(Outcome::NotTrackedProtocol));
    assert_eq!(verdict(&Ipv4Frame::udp((A, 1), (B, 2)).build()), Err(Outcome::NotTrackedProtocol));
}

/// First match wins: a frame with two faults lands in the earlier one.
#[test]
fn the_order_of_the_rules_decides() {
    assert_eq!(verdict(&syn().version(5).later_fragment(1, false).build()), Err(Outcome::Malformed));
    assert_eq!(verdict(&syn().protocol(1).later_fragment(1, false).build()), Err(Outcome::Fragment));
    assert_eq!(verdict(&syn().protocol(1).total_length(20).build()), Err(Outcome::NotTrackedProtocol));
    assert_eq!(verdict(&syn().total_length(20).unpadded().build()[..34]), Err(Outcome::Truncated));
}

#[test]
fn the_table_fills_up_to_its_capacity() {
    let mut oracle = Oracle::new(&[TCP, UDP], 5);
    for frame in distinct_flows(8).chain(distinct_flows(8)) {
        oracle.receive(0, &frame);
    }
    let outcomes = oracle.outcomes();
    assert_eq!((outcomes.miss_created, outcomes.hit, outcomes.miss_full), (5, 5, 6));
    assert_eq!(sum(&outcomes), 16);
    assert_eq!(oracle.entries().len(), 5);
}

#[test]
fn without_permission_nothing_is_created() {
    let mut oracle = Oracle::new(&[TCP], 5).without_create();
    assert_eq!(oracle.receive(0, &syn().build()), Outcome::MissDenied);
    assert!(oracle.entries().is_empty());
}

#[test]
fn extension_headers_are_walked_up_to_the_limits() {
    let chain = |chain: &[(u8, u8)]| {
        let add = |frame: Ipv6Frame, &(number, length): &(u8, u8)| frame.extension(number, length);
        verdict(&chain.iter().fold(syn6(), add).build())
    };
    assert_eq!(chain(&[]), Ok(KEY6));
    for number in [0, 43, 44, 51, 60, 135, 139, 140] {
        assert_eq!(chain(&[(number, 0)]), Ok(KEY6), "{number}");
        assert_eq!(chain(&[(number, 0); 8]), Ok(KEY6), "{number}");
        assert_eq!(chain(&[(number, 0); 9]), Err(Outcome::ExtensionLimit), "{number}");
    }
    for number in [50, 58, 59, 253] {
        assert_eq!(chain(&[(number, 0)]), Err(Outcome::NotTrackedProtocol), "{number}");
    }
    assert_eq!(chain(&[(60, 31)]), Ok(KEY6), "256 octets");
    assert_eq!(chain(&[(60, 32)]), Err(Outcome::ExtensionLimit));
    assert_eq!(chain(&[(51, 62)]), Ok(KEY6), "256 octets");
    assert_eq!(chain(&[(51, 63)]), Err(Outcome::ExtensionLimit));
    assert_eq!(chain(&[(60, 30), (FRAGMENT, 0)]), Ok(KEY6));
    assert_eq!(chain(&[(60, 31), (FRAGMENT, 0)]), Err(Outcome::ExtensionLimit));
}

#[test]
fn ipv6_frames_have_the_outcome_of_the_first_rule() {
    let all = syn6().tag(TPID_8021Q, 1).extension(0, 1).extension(51, 4).build();
    for cut in every_prefix(&all) {
        let due = if cut.len() < 18 + 40 + 16 + 24 + 4 { Err(Outcome::Truncated) } else { Ok(KEY6) };
        assert_eq!(verdict(&cut), due, "{}", cut.len());
    }
    // The limit comes before the end of the frame, and the version before the headers.
    let long = syn6().extension(60, 200).build();
    assert_eq!(verdict(&long[..14 + 40 + 2]), Err(Outcome::ExtensionLimit));
    assert_eq!(verdict(&long[..14 + 40 + 1]), Err(Outcome::Truncated));
    assert_eq!(verdict(&syn6().version(4).extension(60, 200).build()), Err(Outcome::Malformed));
    for (frame, due) in [
        (syn6().fragment(0, true), Ok(KEY6)),
        (syn6().fragment(0, false), Ok(KEY6)),
        (syn6().fragment(1, false), Err(Outcome::Fragment)),
        (syn6().fragment(0x1fff, true).extension(60, 255), Err(Outcome::Fragment)),
        (syn6().payload_length(3), Err(Outcome::Malformed)),
        (syn6().payload_length(4), Ok(KEY6)),
        (syn6().payload_length(0), Err(Outcome::Malformed)),
        (syn6().extension(0, 0).payload_length(0), Ok(KEY6)),
        (syn6().extension(60, 0).payload_length(0), Err(Outcome::Malformed)),
        (syn6().protocol(UDP), Err(Outcome::NotTrackedProtocol)),
        (Ipv6Frame::icmp_echo(A6, B6), Err(Outcome::NotTrackedProtocol)),
    ] {
        assert_eq!(verdict(&frame.build()), due, "{frame:?}");
    }
}

#[test]
fn each_family_fills_a_table_of_its_own() {
    let mut oracle = Oracle::new(&[TCP], 5);
    let flows6 = (0..8).map(|port| Ipv6Frame::tcp((A6, port), (B6, 80)).build());
    for frame in distinct_flows(8).chain(flows6.clone()) {
        oracle.receive(0, &frame);
    }
    let outcomes = oracle.outcomes();
    assert_eq!((outcomes.miss_created, outcomes.miss_full), (10, 6));
    assert_eq!(oracle.entries().keys().filter(|key| key.src.is_ipv6()).count(), 5);
    let mut oracle = Oracle::new(&[TCP], 5).without_ipv6();
    for frame in flows6 {
        assert_eq!(oracle.receive(0, &frame), Outcome::NotTrackedEthertype);
    }
}

#[test]
fn addresses_of_ipv6_are_shown_as_the_c_library_does() {
    let key = Key { src: IpAddr::V6(Ipv6Addr::from_bits(0x0102_0304)), ..KEY6 }.to_proto();
    assert_eq!((&*key.src_addr, &*key.dst_addr), ("::1.2.3.4", "2001:db8::2"));
}
