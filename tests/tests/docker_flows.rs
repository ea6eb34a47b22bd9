//! The capture that the composition of containers sends (`docker/flows.pcap`) has the content that
//! its documentation states.

use std::net::{Ipv4Addr, Ipv6Addr};

use conntrack::test_support::frame::{Ipv4Frame, Ipv6Frame, arp_request};
use flowtracker_tests::pcap::{self, Resolution};
use flowtracker_tests::process::workspace_root;

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const CLIENT6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const SERVER6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

/// The capture has 32 TCP flows of one packet each, every other one of IPv6, 60 to 570 octets long,
/// and one frame that is not tracked.
#[test]
fn the_capture_holds_32_flows_of_both_families() {
    let mut frames: Vec<Vec<u8>> = (0..32_u16)
        .map(|flow| {
            let (payload, port) = (vec![0; 16 * usize::from(flow)], 40_000 + flow);
            if flow.is_multiple_of(2) {
                Ipv4Frame::tcp((CLIENT, port), (SERVER, 80)).payload(&payload).build()
            } else {
                Ipv6Frame::tcp((CLIENT6, port), (SERVER6, 80)).payload(&payload).build()
            }
        })
        .collect();
    frames.push(arp_request(CLIENT, SERVER));

    let path = workspace_root().join("docker/flows.pcap");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        let packets = (0..).step_by(1_000_000).zip(frames.iter().map(Vec::as_slice));
        pcap::write(&path, Resolution::Microseconds, packets).expect("written");
    }
    assert_eq!(pcap::read_frames(&path).expect("a capture"), frames, "UPDATE_GENERATED=1 writes it anew");
}
