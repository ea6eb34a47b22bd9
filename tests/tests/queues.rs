//! The same frames through one worker, through two, and through ports of two queues give the same
//! entries and the same counters, summed over all lcores.
//!
//! The queues are files (net_pcap), so each test chooses the queue of each frame. The main lcore
//! does not poll when there are others; it shares a CPU with one, so that each poller has a CPU.

use std::net::Ipv6Addr;

use conntrack::key::TCP;
use conntrack::test_support::frame::{Ipv6Frame, distinct_flows};
use flowtracker_tests::appliance::{Setup, Totals};
use flowtracker_tests::netns::Namespace;
use flowtracker_tests::oracle::Oracle;
use flowtracker_tests::pcap;

const ONE_WORKER: &str = "0@0";
const TWO_WORKERS: &str = "0@0,1@0,2@1";

/// Nothing may expire while a test reads the table, so the aging is 10 minutes.
const NO_EXPIRY: [&str; 2] = ["--timer-profiles", "600000"];

/// Frames of one queue.
type Frames = Vec<Vec<u8>>;

/// Returns twenty packets of each of these flows, every other one of IPv6. Disjoint ranges have no
/// flow in common.
fn packets_of(flows: std::ops::Range<usize>) -> Frames {
    const SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
    let ipv6 = |flow: usize| Ipv6Frame::tcp((Ipv6Addr::LOCALHOST, flow as u16), (SERVER, 80)).build();
    let numbered = distinct_flows(flows.end as u64).enumerate().skip(flows.start);
    let once: Frames = numbered.map(|(flow, frame)| if flow % 2 == 1 { ipv6(flow) } else { frame }).collect();
    std::iter::repeat_n(once, 20).flatten().collect()
}

/// Sends each queue of each port its frames, and compares the outcomes and the entries with the
/// oracle. Returns the counters and the number of lcores.
fn through(ports: &[&[Frames]], lcores: &str) -> (Totals, usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |port: usize, queue: usize, way: &str| {
        folder.path().join(format!("{way}-{port}-{queue}.pcap")).to_str().expect("UTF-8").to_owned()
    };
    let mut oracle = Oracle::new(&[TCP], usize::MAX);
    let mut devices = Vec::new();
    let mut count = 0;
    for (port, queues) in ports.iter().enumerate() {
        let mut device = format!("net_pcap{port}");
        for (queue, frames) in queues.iter().enumerate() {
            pcap::write_frames(path(port, queue, "in").as_ref(), frames).expect("written");
            device += &format!(",rx_pcap={},tx_pcap={}", path(port, queue, "in"), path(port, queue, "out"));
            for frame in frames {
                oracle.receive(port as u16, frame);
            }
            count += frames.len() as u64;
        }
        devices.push(device);
    }

    let alone = Namespace::new("queues");
    let appliance = Setup::new(&alone, &devices).lcores(lcores).options(&NO_EXPIRY).start();
    let stats = appliance.wait_forwarded(count);
    let totals = Totals::of(&stats);
    assert_eq!(totals.outcomes, oracle.outcomes());
    oracle.assert_entries(appliance.entries());
    appliance.stop();

    // The frames that entered a port have left its peer, each queue in its order.
    for (port, queues) in ports.iter().enumerate() {
        let mut sent: Frames = (0..queues.len())
            .flat_map(|queue| pcap::read_frames(path(port ^ 1, queue, "out").as_ref()).expect("a capture"))
            .collect();
        let mut received = queues.concat();
        sent.sort_unstable();
        received.sort_unstable();
        assert!(sent == received, "port{port}: {} of {} frames left, or others", sent.len(), received.len());
    }
    (totals, stats.lcores.len())
}

#[test]
fn two_workers_see_what_one_sees() {
    let ports: [&[Frames]; 2] = [&[packets_of(0..300)], &[packets_of(200..500)]];
    let (one, lcores) = through(&ports, ONE_WORKER);
    assert_eq!(lcores, 1);
    let (two, lcores) = through(&ports, TWO_WORKERS);
    assert_eq!(lcores, 2);
    assert_eq!((one.outcomes, one.tx), (two.outcomes, two.tx));
}

/// Both queues carry packets of the same flows, which must still have one entry each.
#[test]
fn queues_that_do_not_split_by_flow_make_no_second_entry() {
    let flows = packets_of(0..300);
    let halves: Vec<Frames> = flows.chunks(flows.len() / 2).map(<[Vec<u8>]>::to_vec).collect();
    let ports: [&[Frames]; 2] = [&halves, &[packets_of(100..200), packets_of(100..200)]];
    let (one, _) = through(&ports, ONE_WORKER);
    let (two, _) = through(&ports, TWO_WORKERS);
    assert_eq!((one.outcomes, one.entries), (two.outcomes, two.entries));
    assert_eq!(two.entries, 400);
}

#[test]
fn queues_that_split_by_flow_are_all_polled() {
    let ports: [&[Frames]; 2] =
        [&[packets_of(0..100), packets_of(100..300)], &[packets_of(0..50), packets_of(50..60)]];
    let (totals, _) = through(&ports, TWO_WORKERS);
    assert_eq!(totals.entries, 360);
}

/// port2 and port3 form a second line.
#[test]
fn four_ports_are_two_pairs() {
    let ports: [&[Frames]; 4] =
        [&[packets_of(0..100)], &[packets_of(0..80)], &[packets_of(0..60)], &[packets_of(50..90)]];
    let (totals, lcores) = through(&ports, TWO_WORKERS);
    assert_eq!((totals.entries, lcores), (280, 2));
    let names: Vec<_> = totals.ports.iter().map(|port| (port.port.as_str(), port.rx_packets)).collect();
    assert_eq!(names, [("port0", 2000), ("port1", 1600), ("port2", 1200), ("port3", 800)]);
}
