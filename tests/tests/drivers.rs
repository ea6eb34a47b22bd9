//! The kinds of port that need no hardware and no neighbour process: net_tap,
//! net_ring, net_null.

use conntrack::key::TCP;
use conntrack::test_support::frame::{assert_same, distinct_flows};
use flowtracker_tests::appliance::{Appliance, LIMIT};
use flowtracker_tests::netns::{LEFT_ADDR, Namespace, RIGHT_ADDR, netcat};
use flowtracker_tests::oracle::Oracle;
use flowtracker_tests::pcap;
use flowtracker_tests::process::{Stream, run, wait_for};

/// Frames of zeros arrive as fast as they can be polled. None of them is IPv4.
#[test]
fn null_ports_receive_for_ever_and_forward() {
    let alone = Namespace::new("null");
    let devices = [0, 1].map(|n| format!("net_null{n},size=64"));
    let appliance = Appliance::start(&alone, &devices, &[]);
    let before = appliance.totals().rx;
    wait_for("frames go on coming", LIMIT, || (appliance.totals().rx > before).then_some(()));
    let totals = appliance.totals();
    assert!(totals.tx > 0);
    assert_eq!((totals.outcomes.not_tracked_ethertype, totals.tx_dropped, totals.entries), (totals.rx, 0, 0));
    appliance.stop();
}

/// A ring port receives what it sends: frames that a capture sends into it come back into a
/// capture, and pass the appliance twice. The driver makes 16 rings, so the other port has 16
/// queues too.
#[test]
fn a_ring_port_gives_back_what_it_got() {
    const FLOWS: u64 = 500;
    const QUEUES: usize = 16;
    let frames: Vec<_> = distinct_flows(FLOWS).collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let out = |queue: usize| path(&format!("out{queue}"));
    pcap::write_frames(path("in").as_ref(), &frames).expect("written");
    pcap::write_frames(path("silence").as_ref(), &[]).expect("written");
    let mut capture = "net_pcap0".to_owned();
    for queue in 0..QUEUES {
        let input = path(if queue == 5 { "in" } else { "silence" });
        capture += &format!(",rx_pcap={input},tx_pcap={}", out(queue));
    }
    let alone = Namespace::new("ring");
    // Rings have no descriptors that must stay filled.
    let appliance = Appliance::start(&alone, &[capture, "net_ring1".to_owned()], &["--mbufs", "8191"]);
    appliance.wait_forwarded(2 * FLOWS);
    let mut oracle = Oracle::new(&[TCP], usize::MAX);
    for (port, frame) in [0, 1].into_iter().flat_map(|port| frames.iter().map(move |frame| (port, frame))) {
        oracle.receive(port, frame);
    }
    assert_eq!(appliance.totals().outcomes, oracle.outcomes());
    oracle.assert_entries(appliance.entries());
    appliance.stop();
    for queue in 0..QUEUES {
        let sent = pcap::read_frames(out(queue).as_ref()).expect("a capture");
        assert_same(&sent, if queue == 5 { &frames } else { &[] });
    }
}

/// DPDK makes two interfaces itself, and each is moved into a host: netcat communicates through
/// them.
#[test]
fn hosts_talk_through_tap_ports() {
    let (left, box_, right) = (Namespace::new("left"), Namespace::new("middle"), Namespace::new("right"));
    let devices = [0, 1].map(|n| format!("net_tap{n},iface=dtap{n}"));
    let appliance = Appliance::start(&box_, &devices, &[]);
    for (n, host, addr) in [(0, &left, LEFT_ADDR), (1, &right, RIGHT_ADDR)] {
        let interface = format!("dtap{n}");
        run(box_.command("ip").args(["link", "set", &interface, "netns", host.name()]));
        run(host.command("ip").args(["address", "add", &format!("{addr}/24"), "dev", &interface]));
        run(host.command("ip").args(["link", "set", &interface, "up"]));
    }
    let (mut server, mut client) = netcat(&left, &right);
    client.write_stdin("hello\n");
    server.wait_line(Stream::Stdout, LIMIT, |line| line == "hello");
    server.write_stdin("and back\n");
    client.wait_line(Stream::Stdout, LIMIT, |line| line == "and back");
    wait_for("both directions are counted", LIMIT, || {
        (appliance.totals().outcomes.miss_created == 2).then_some(())
    });
    assert_eq!(appliance.totals().tx_dropped, 0);
    drop((client, server));
    appliance.stop();
}
