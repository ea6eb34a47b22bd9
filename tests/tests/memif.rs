//! The appliance between two memif links: DPDK's testpmd sends on one side and receives on the
//! other. Both are servers, as in a composition of containers. The appliance is the client, and
//! must connect to them whenever they start.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use conntrack::key::TCP;
use conntrack::test_support::frame::{
    FRAGMENT, Ipv4Frame, Ipv6Frame, arp_request, assert_same, distinct_flows,
};
use flowtracker_tests::appliance::{Appliance, LIMIT};
use flowtracker_tests::netns::Namespace;
use flowtracker_tests::oracle::Oracle;
use flowtracker_tests::pcap;
use flowtracker_tests::process::wait_for;
use flowtracker_tests::testpmd::{Repeat, Testpmd};
use rustix::process::Signal;
use tempfile::TempDir;

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// Nothing may expire while a test reads the table, so the aging is 10 minutes.
const NO_EXPIRY: [&str; 2] = ["--timer-profiles", "600000"];

/// The number of frames that a link can hold: net_memif's rings have 1024 places.
const IN_FLIGHT: u64 = 1023;

/// A neighbour of the appliance. Its number is the number of the appliance's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left = 0,
    Right = 1,
}

impl Side {
    fn socket(self) -> &'static str {
        ["left.sock", "right.sock"][self as usize]
    }

    fn capture(self) -> &'static str {
        ["left.pcap", "right.pcap"][self as usize]
    }
}

/// The sockets and captures of the two sides.
struct Sides {
    folder: TempDir,
}

impl Sides {
    /// Writes the captures: the left side sends `frames`, and the right side sends none.
    fn new(frames: &[Vec<u8>]) -> Self {
        let sides = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        pcap::write_frames(&sides.path(Side::Left.capture()), frames).expect("written");
        pcap::write_frames(&sides.path(Side::Right.capture()), &[]).expect("written");
        sides
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts testpmd on one side, with its frames.
    fn testpmd(&self, side: Side, repeat: Repeat) -> Testpmd {
        Testpmd::serve(&self.path(side.socket()), &self.path(side.capture()), repeat)
    }

    fn appliance<'a>(&self, namespace: &'a Namespace) -> Appliance<'a> {
        let devices = [Side::Left, Side::Right].map(|side| {
            let socket = self.path(side.socket());
            format!("net_memif{},role=client,id=0,socket-abstract=no,socket={}", side as u8, socket.display())
        });
        Appliance::start(namespace, &devices, &NO_EXPIRY)
    }
}

/// Waits until both of the appliance's links are up, as seen by the appliance and by the servers.
fn wait_links(appliance: &Appliance, servers: [&mut Testpmd; 2]) {
    for server in servers {
        server.wait_link();
    }
    wait_for("port0 and port1 are up", LIMIT, || {
        appliance.totals().ports.iter().all(|port| port.link_up).then_some(())
    });
}

/// The side that starts first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    Servers,
    Appliance,
}

/// Sends all of `frames` from left to right, and checks that each arrives octet by octet.
fn all_arrive(frames: &[Vec<u8>], first: First) {
    assert!(frames.len() as u64 <= IN_FLIGHT, "more could be lost, with every right");
    let mut oracle = Oracle::new(&[TCP], usize::MAX);
    for frame in frames {
        oracle.receive(0, frame);
    }
    let sides = Sides::new(frames);
    let alone = Namespace::new("memif");
    let servers = || [Side::Left, Side::Right].map(|side| sides.testpmd(side, Repeat::Once));
    let ([mut left, mut right], appliance) = match first {
        First::Servers => (servers(), sides.appliance(&alone)),
        First::Appliance => {
            let appliance = sides.appliance(&alone);
            assert!(appliance.totals().ports.iter().all(|port| !port.link_up), "nobody is there");
            (servers(), appliance)
        }
    };
    wait_links(&appliance, [&mut left, &mut right]);
    right.forward();
    left.forward();

    appliance.wait_forwarded(frames.len() as u64);
    right.wait_received(frames.len() as u64);
    let totals = appliance.totals();
    assert_eq!(totals.outcomes, oracle.outcomes());
    assert_eq!((totals.tx, totals.tx_dropped), (frames.len() as u64, 0));
    oracle.assert_entries(appliance.entries());
    assert_same(&right.quit(), frames);
    assert_same(&left.quit(), &[]);
    appliance.stop();
}

/// Ends one side in the middle of a stream and starts it again: the appliance goes on, the stream
/// goes on, and every frame is in a counter.
fn a_peer_comes_back(side: Side, signal: Signal) {
    const FLOWS: u64 = 100;
    let sides = Sides::new(&distinct_flows(FLOWS).collect::<Vec<_>>());
    let alone = Namespace::new("memif");
    let mut left = sides.testpmd(Side::Left, Repeat::Forever);
    let mut right = sides.testpmd(Side::Right, Repeat::Once);
    let appliance = sides.appliance(&alone);
    wait_links(&appliance, [&mut left, &mut right]);
    right.forward();
    left.forward();
    wait_for("frames flow", LIMIT, || (right.link().rx > 10 * FLOWS).then_some(()));

    let gone = if side == Side::Left { &mut left } else { &mut right };
    gone.end(signal);
    wait_for("the appliance sees the link go", LIMIT, || {
        (!appliance.totals().ports[side as usize].link_up).then_some(())
    });
    // This side of the appliance receives and sends nothing until the peer is back.
    let before = appliance.totals();
    assert!(before.ports[side as usize ^ 1].link_up, "the other link stays");
    if side == Side::Right {
        wait_for("frames are dropped and counted", LIMIT, || {
            (appliance.totals().tx_dropped > before.tx_dropped).then_some(())
        });
    }

    *gone = sides.testpmd(side, if side == Side::Left { Repeat::Forever } else { Repeat::Once });
    gone.wait_link();
    gone.forward();
    let received = right.link().rx;
    wait_for("frames flow again", LIMIT, || (right.link().rx > received + 10 * FLOWS).then_some(()));
    left.halt();

    // The side that stayed has counted everything, and the side that came back has counted
    // everything since its start.
    wait_for("what left has sent, right has received", LIMIT, || {
        let (now, sent, received) = (appliance.totals(), left.link().tx, right.link().rx);
        let since = if side == Side::Left { (before.rx, 0) } else { (0, before.tx) };
        (now.rx - since.0 == sent && now.tx - since.1 == received).then_some(())
    });
    let now = appliance.totals();
    assert_eq!((now.ports[0].rx_packets, now.ports[1].tx_packets), (now.rx, now.tx), "by the drivers");
    assert_eq!((now.outcomes.miss_created, now.entries), (FLOWS, FLOWS));
    let entries: u64 = appliance.entries().iter().map(|entry| entry.packets).sum();
    assert_eq!(entries, now.rx);
    appliance.stop();
}

#[test]
fn what_one_testpmd_sends_the_other_receives() {
    let mut frames: Vec<_> = distinct_flows(100).chain(distinct_flows(100)).collect();
    frames.push(arp_request(A, B));
    frames.push(Ipv4Frame::udp((A, 53), (B, 53)).build());
    all_arrive(&frames, First::Servers);
}

/// A capture of both families: plain flows, extension headers, fragments, and what is not tracked.
#[test]
fn ipv6_frames_arrive_beside_ipv4_ones() {
    const A6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    const B6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
    let plain = |port| Ipv6Frame::tcp((A6, 40_000 + port), (B6, 80));
    let mut frames: Vec<_> =
        (0..100).flat_map(|port| [plain(port).build(), plain(port).payload(&[1; 700]).build()]).collect();
    frames.extend(distinct_flows(100));
    frames.extend((0..50).map(|port| plain(port).extension(0, 0).extension(60, 3).build()));
    frames.extend((0..50).map(|port| plain(port).fragment(port % 3, true).build()));
    frames.push((0..9).fold(plain(0), |frame, _| frame.extension(FRAGMENT, 0)).build());
    frames.push(Ipv6Frame::icmp_echo(A6, B6).build());
    frames.push(Ipv6Frame::udp((A6, 53), (B6, 53)).build());
    // A chain of mbufs.
    frames.push(plain(0).payload(&[2; 5000]).build());
    all_arrive(&frames, First::Servers);
}

#[test]
fn servers_may_come_later_than_the_appliance() {
    all_arrive(&distinct_flows(200).collect::<Vec<_>>(), First::Appliance);
}

#[test]
fn an_appliance_whose_servers_never_came_ends_in_order() {
    let alone = Namespace::new("memif");
    let appliance = Sides::new(&[]).appliance(&alone);
    assert!(appliance.totals().ports.iter().all(|port| !port.link_up));
    appliance.stop();
}

#[test]
fn a_sender_that_was_killed_comes_back() {
    a_peer_comes_back(Side::Left, Signal::KILL);
}

#[test]
fn a_sender_that_was_ended_comes_back() {
    a_peer_comes_back(Side::Left, Signal::TERM);
}

#[test]
fn a_receiver_that_was_killed_comes_back() {
    a_peer_comes_back(Side::Right, Signal::KILL);
}

#[test]
fn a_receiver_that_was_ended_comes_back() {
    a_peer_comes_back(Side::Right, Signal::TERM);
}

/// A buffer of memif's default size holds 2048 octets, and so does an mbuf of the data plane: these
/// frames are chains of both.
#[test]
fn chained_frames_arrive_whole() {
    let frame = |i: usize, len: usize| {
        let payload: Vec<u8> = (0..len - 54).map(|octet| (octet * 7 + i) as u8).collect();
        Ipv4Frame::tcp((A, 1000 + i as u16 % 5), (B, 80)).payload(&payload).build()
    };
    let lengths = [60, 1514, 2047, 2048, 2049, 4095, 4096, 4097, 6144, 9000, 9018];
    // A frame uses up to five places of a ring.
    let frames: Vec<_> =
        lengths.iter().cycle().take(150).enumerate().map(|(i, len)| frame(i, *len)).collect();
    all_arrive(&frames, First::Servers);
}
