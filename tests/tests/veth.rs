//! The appliance on kernel interfaces (net_af_packet on veth) under more traffic than a few frames:
//! a real TCP stream, frames of every size, and links that go down and come up.

use conntrack::key::TCP;
use conntrack::test_support::frame::{
    FRAGMENT, Ipv4Frame, Ipv6Frame, TPID_8021AD, TPID_8021Q, arp_request, assert_same, distinct_flows,
};
use flowtracker_tests::appliance::{Appliance, LIMIT, Setup};
use flowtracker_tests::netns::{Line, RIGHT_ADDR, RIGHT_ADDR6};
use flowtracker_tests::oracle::Oracle;
use flowtracker_tests::process::{Running, Stream, run, wait_for};
use std::net::{Ipv4Addr, Ipv6Addr};

const A: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);
const A6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, 1);
const B6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, 2);

/// Nothing may expire while a test reads the table, so the aging is 10 minutes.
const NO_EXPIRY: [&str; 2] = ["--timer-profiles", "600000"];

/// Sends frames in on the left, and compares them with what comes out on the right.
fn all_arrive(line: &Line, devices: &[String], frames: &[Vec<u8>]) {
    let mut oracle = Oracle::new(&[TCP], usize::MAX);
    for frame in frames {
        oracle.receive(0, frame);
    }
    let appliance = Appliance::start(&line.middle, devices, &NO_EXPIRY);
    let capture = line.right.capture("eth0");
    line.left.send("eth0", frames);
    appliance.wait_forwarded(frames.len() as u64);
    assert_same(&capture.frames(frames.len()), frames);
    assert_eq!(appliance.totals().outcomes, oracle.outcomes());
    oracle.assert_entries(appliance.entries());
    appliance.stop();
}

/// Returns at least one frame of every kind that the parser distinguishes, tagged and untagged, up
/// to the usual MTU.
fn frames_of_every_kind() -> Vec<Vec<u8>> {
    let tcp = || Ipv4Frame::tcp((A, 36876), (B, 1234));
    let tcp6 = || Ipv6Frame::tcp((A6, 53660), (B6, 1234));
    vec![
        tcp().build(),
        tcp().unpadded().build(),
        tcp().payload(&[7; 1446]).build(),
        tcp().payload(&[7; 1460]).build(),
        tcp().tag(TPID_8021Q, 5).build(),
        tcp().tag(TPID_8021Q, 0xe064).payload(&[9; 1460]).build(),
        tcp().tag(TPID_8021Q, 5).tag(TPID_8021Q, 6).build(),
        tcp().first_fragment().build(),
        tcp().later_fragment(185, false).build(),
        tcp().ihl(4).build(),
        Ipv4Frame::udp((A, 53), (B, 53)).build(),
        Ipv4Frame::icmp_echo(A, B).build(),
        arp_request(A, B),
        tcp6().build(),
        tcp6().unpadded().build(),
        tcp6().payload(&[7; 1440]).build(),
        tcp6().tag(TPID_8021Q, 5).build(),
        tcp6().tag(TPID_8021Q, 5).tag(TPID_8021Q, 6).payload(&[9; 1436]).build(),
        tcp6().extension(0, 0).extension(43, 2).extension(60, 1).build(),
        tcp6().fragment(0, true).build(),
        tcp6().extension(60, 0).fragment(185, false).build(),
        (0..9).fold(tcp6(), |frame, _| frame.extension(FRAGMENT, 0)).build(),
        tcp6().version(4).build(),
        Ipv6Frame::tcp((Ipv6Addr::UNSPECIFIED, 1), (A.to_ipv6_mapped(), 2)).build(),
        Ipv6Frame::udp((A6, 53), (B6, 53)).build(),
        Ipv6Frame::icmp_echo(A6, B6).build(),
    ]
}

#[test]
fn frames_of_every_kind_cross_af_packet() {
    let line = Line::new();
    all_arrive(&line, &line.devices("net_af_packet", ""), &frames_of_every_kind());
}

/// AF_XDP also carries service tags, which net_af_packet cannot keep: the kernel removes the outer
/// tag, and the driver always inserts a customer tag instead.
#[test]
fn frames_of_every_kind_cross_af_xdp() {
    let tcp = || Ipv4Frame::tcp((A, 36876), (B, 1234));
    let mut frames = frames_of_every_kind();
    frames.push(tcp().tag(TPID_8021AD, 5).build());
    frames.push(tcp().tag(TPID_8021AD, 5).tag(TPID_8021Q, 6).build());
    let line = Line::new();
    all_arrive(&line, &line.devices("net_af_xdp", ""), &frames);
}

#[test]
fn jumbo_frames_cross_unchanged() {
    let frame = |i: usize, len: usize| {
        let payload: Vec<u8> = (0..len - 54).map(|octet| (octet * 7 + i) as u8).collect();
        Ipv4Frame::tcp((A, 1000 + i as u16 % 5), (B, 80)).payload(&payload).build()
    };
    let lengths = [60, 1514, 2048, 2049, 4096, 8192, 9013, 9014];
    let frames: Vec<_> = lengths.iter().cycle().take(64).enumerate().map(|(i, len)| frame(i, *len)).collect();
    let line = Line::with_mtu(9000);
    // Without a ring in the arguments, the start makes one that holds the MTU.
    for ring in [",framesz=16384,framecnt=512,blocksz=16384", ""] {
        all_arrive(&line, &line.devices("net_af_packet", ring), &frames);
    }
}

/// net_af_packet opens its socket for all interfaces, and binds it to one of them a moment later.
#[test]
fn what_other_interfaces_received_before_the_start_is_neither_forwarded_nor_counted() {
    let line = Line::new();
    let capture = line.right.capture("eth0");
    let noise = "while :; do echo >/dev/udp/127.0.0.1/9; done 2>/dev/null";
    let noise = Running::spawn(line.middle.command("timeout").args(["30", "bash", "-c", noise]));
    // Mapping large rings makes that moment long.
    let devices = line.devices("net_af_packet", ",framecnt=16384");
    let mut appliance = Appliance::start(&line.middle, &devices, &NO_EXPIRY);
    drop(noise);
    wait_for("some have been discarded", LIMIT, || {
        appliance.dataplane().output().contains("received before its start").then_some(())
    });

    let frames: Vec<_> = distinct_flows(50).collect();
    line.left.send("eth0", &frames);
    appliance.wait_forwarded(frames.len() as u64);
    assert_same(&capture.frames(frames.len()), &frames);
    let totals = appliance.totals();
    let ports: Vec<_> = totals.ports.iter().map(|port| (port.rx_packets, port.tx_packets)).collect();
    assert_eq!(ports, [(50, 0), (0, 50)]);
    appliance.stop();
}

/// Two queues of one port share its frames by flow, and each frame arrives through one of them.
#[test]
fn two_queues_of_an_interface_share_its_frames() {
    let ipv6 = || (0..200).map(|port| Ipv6Frame::tcp((A6, port), (B6, 80)).build());
    let once = || distinct_flows(200).chain(ipv6());
    let frames: Vec<_> = once().chain(once()).collect();
    let line = Line::new();
    let setup = Setup::new(&line.middle, &line.devices("net_af_packet", ",qpairs=2")).options(&NO_EXPIRY);
    for lcores in ["0@0", "0@0,1@0,2@1"] {
        let appliance = setup.clone().lcores(lcores).start();
        line.left.send("eth0", &frames);
        appliance.wait_forwarded(800);
        let outcomes = appliance.totals().outcomes;
        assert_eq!((outcomes.miss_created, outcomes.hit), (400, 400), "on {lcores}");
        assert!(appliance.entries().iter().all(|entry| entry.packets == 2));
        appliance.stop();
    }
}

/// A fragment has no ports, so the kernel may deal it to another queue than the whole segments of
/// its flow.
#[test]
fn fragments_through_two_queues_make_no_second_entry() {
    const FLOWS: u16 = 100;
    let segment = |flow: u16| Ipv4Frame::tcp((A, 1000 + flow), (B, 80)).payload(&[1; 64]);
    let flows = || 0..FLOWS;
    let frames: Vec<_> = flows()
        .map(|flow| segment(flow).build())
        .chain(flows().map(|flow| segment(flow).first_fragment().build()))
        .chain(flows().map(|flow| segment(flow).build()))
        .collect();
    let line = Line::new();
    let devices = line.devices("net_af_packet", ",qpairs=2");
    let appliance = Setup::new(&line.middle, &devices).lcores("0@0,1@0,2@1").options(&NO_EXPIRY).start();
    line.left.send("eth0", &frames);
    appliance.wait_forwarded(frames.len() as u64);
    let outcomes = appliance.totals().outcomes;
    assert_eq!((outcomes.miss_created, outcomes.hit), (FLOWS.into(), 2 * u64::from(FLOWS)));
    assert!(appliance.entries().iter().all(|entry| entry.packets == 3));
    appliance.stop();
}

#[test]
fn a_port_that_goes_down_comes_back_with_its_entries() {
    const FLOWS: usize = 1000;
    let frames: Vec<_> = distinct_flows(FLOWS as u64).collect();
    let line = Line::new();
    let appliance = Appliance::start(&line.middle, &line.devices("net_af_packet", ""), &NO_EXPIRY);
    let wait_link = |up| {
        wait_for("the link's state", LIMIT, || {
            let ports = appliance.totals().ports;
            (ports[0].link_up && ports[1].link_up == up).then_some(())
        });
    };
    // A port's ring holds 512 frames, so each batch fits.
    let send_all = || {
        for batch in frames.chunks(500) {
            let before = appliance.totals().rx;
            line.left.send("eth0", batch);
            appliance.wait_forwarded(before + batch.len() as u64);
        }
    };
    wait_link(true);
    // The frames exceed the ring of a port, and the lcore does not wait for room in it.
    line.middle.set_link("port1", false);
    wait_link(false);
    send_all();
    let down = appliance.totals();
    assert_eq!(down.entries, FLOWS as u64);
    assert!(down.tx_dropped > 0, "{down:?}");
    assert_eq!(line.right.link("eth0").rx.packets, 0, "nothing leaves a port that is down");

    // The frames that the driver had put into its ring leave late; only then does the ring have
    // room again.
    line.middle.set_link("port1", true);
    line.wait_carrier();
    wait_link(true);
    send_all();
    let all_sent_have_left = || {
        wait_for("what was sent has left", LIMIT, || {
            (line.right.link("eth0").rx.packets == appliance.totals().tx).then_some(())
        });
    };
    all_sent_have_left();

    let capture = line.right.capture("eth0");
    let before = appliance.totals();
    send_all();
    assert_same(&capture.frames(frames.len()), &frames);
    all_sent_have_left();
    let after = appliance.totals();
    assert_eq!((after.tx, after.tx_dropped), (before.tx + FLOWS as u64, before.tx_dropped));
    assert_eq!((after.outcomes.miss_created, after.outcomes.hit), (FLOWS as u64, 2 * FLOWS as u64));
    assert!(appliance.entries().iter().all(|entry| entry.packets == 3));
    appliance.stop();
}

#[test]
fn a_tcp_stream_over_ipv6_is_tracked_on_af_packet() {
    ipv6_stream_is_tracked("net_af_packet", ",framecnt=16384");
}

#[test]
fn a_tcp_stream_over_ipv6_is_tracked_on_af_xdp() {
    ipv6_stream_is_tracked("net_af_xdp", "");
}

/// A connection of iperf3 over IPv6, which also has packets of neighbour discovery and multicast
/// listeners in between.
fn ipv6_stream_is_tracked(driver: &str, arguments: &str) {
    let line = Line::with_ipv6();
    let appliance = Appliance::start(&line.middle, &line.devices(driver, arguments), &NO_EXPIRY);
    let mut server = Running::spawn(line.right.command("iperf3").args(["-6", "-s", "-1", "--forceflush"]));
    server.wait_line(Stream::Stdout, LIMIT, |line| line.starts_with("Server listening"));
    let report = run(line.left.command("iperf3").args(["-6", "-c", RIGHT_ADDR6, "-t", "5", "-J"]));
    assert!(server.wait(LIMIT).success(), "{}", server.output());
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let payload = report["end"]["sum_received"]["bytes"].as_u64().expect("a number of bytes");

    // iperf3 opens two connections, for control and for data.
    let entries = wait_for("the last segments have passed", LIMIT, || {
        let entries = appliance.entries();
        entries.iter().all(|entry| entry.idle_ms >= 1000).then_some(entries)
    });
    let totals = appliance.totals();
    assert_eq!(totals.tx, totals.rx, "the ports took every frame");
    assert_eq!((entries.len(), totals.outcomes.miss_created), (4, 4), "{entries:?}");
    assert!(entries.iter().all(|entry| entry.pipeline == "flowtracker_ipv6"), "{entries:?}");
    assert_eq!(totals.tracked() + totals.outcomes.not_tracked_protocol, totals.rx, "{:?}", totals.outcomes);
    assert_eq!(entries.iter().map(|entry| entry.packets).sum::<u64>(), totals.tracked());
    // The data flow carries the payload behind headers of 86 octets (Ethernet, IPv6, TCP with
    // timestamps).
    let data = entries.iter().max_by_key(|entry| entry.bytes).expect("four");
    let key = data.key.as_ref().expect("an entry has a key");
    assert_eq!((&*key.input_port, &*key.dst_addr, key.dst_port), ("port0", RIGHT_ADDR6, 5201));
    assert!(data.bytes - 86 * data.packets >= payload, "{payload} of {data:?}");
    appliance.stop();
}

/// Ten seconds of TCP at full speed: by the kernel's counters, every lost frame is in a counter.
#[test]
fn a_tcp_stream_is_counted_as_the_kernel_counts_it() {
    let line = Line::new();
    let devices = line.devices("net_af_packet", ",framecnt=16384");
    let appliance = Appliance::start(&line.middle, &devices, &NO_EXPIRY);
    let mut server = Running::spawn(line.right.command("iperf3").args(["-s", "-1", "--forceflush"]));
    server.wait_line(Stream::Stdout, LIMIT, |line| line.starts_with("Server listening"));
    let report = run(line.left.command("iperf3").args(["-c", RIGHT_ADDR, "-t", "10", "-J"]));
    assert!(server.wait(LIMIT).success(), "{}", server.output());
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let payload = report["end"]["sum_received"]["bytes"].as_u64().expect("a number of bytes");

    let (totals, left, right) = wait_for("every frame of the hosts is in a counter", LIMIT, || {
        let (left, right) = (line.left.link("eth0"), line.right.link("eth0"));
        let totals = appliance.totals();
        let counted = totals.rx + totals.ports[0].rx_missed + totals.ports[1].rx_missed;
        let arrived = left.rx.packets + right.rx.packets == totals.tx;
        (left.tx.packets + right.tx.packets == counted && arrived).then_some((totals, left, right))
    });
    assert_eq!(totals.tx, totals.rx, "the ports took every frame");
    assert_eq!(right.rx.packets, left.tx.packets - totals.ports[0].rx_missed);
    assert_eq!(left.rx.packets, right.tx.packets - totals.ports[1].rx_missed);

    // iperf3 opens two connections, for control and for data. Only ARP is not tracked.
    let mut entries = appliance.entries();
    assert_eq!(entries.len(), 4, "{entries:?}");
    assert_eq!(totals.outcomes.miss_created, 4);
    assert_eq!(totals.tracked() + totals.outcomes.not_tracked_ethertype, totals.rx, "{:?}", totals.outcomes);
    assert_eq!(entries.iter().map(|entry| entry.packets).sum::<u64>(), totals.tracked());
    // ARP frames are 42 octets long here, because veth does not pad.
    let bytes: u64 = entries.iter().map(|entry| entry.bytes).sum();
    assert_eq!(bytes + 42 * totals.outcomes.not_tracked_ethertype, left.rx.bytes + right.rx.bytes);
    // The data flow carries the payload behind headers of 66 octets (Ethernet, IPv4, TCP with
    // timestamps).
    entries.sort_by_key(|entry| entry.bytes);
    let data = &entries[3];
    assert_eq!(data.key.as_ref().map(|key| (key.input_port.as_str(), key.dst_port)), Some(("port0", 5201)));
    assert!(data.bytes - 66 * data.packets >= payload, "{payload} of {data:?}");
    appliance.stop();
}
