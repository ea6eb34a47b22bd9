//! An lcore that does not get to run, for a second or at the worst moment.

#![cfg(target_arch = "x86_64")]

use std::os::fd::AsRawFd as _;
use std::time::Duration;

use conntrack::test_support::frame::distinct_flows;
use flowtracker_proto::v1;
use flowtracker_tests::appliance::{Appliance, LIMIT};
use flowtracker_tests::frozen::Frozen;
use flowtracker_tests::netns::{Line, Namespace, RIGHT_ADDR};
use flowtracker_tests::pcap;
use flowtracker_tests::process::{Stream, run, wait_for};
use flowtracker_tests::testpmd::{Repeat, Testpmd};
use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, listen, socket};
use rustix::process::Signal;

fn only_lcore(appliance: &Appliance) -> v1::LcoreStats {
    let (mut stats, _) = appliance.stats();
    assert_eq!(stats.lcores.len(), 1, "{stats:?}");
    stats.lcores.swap_remove(0)
}

/// Waits until the lcore's state is stalled. The log does not show this: on a busy machine an lcore
/// may have stood still for a second before.
fn wait_until_stalled(appliance: &Appliance) -> v1::LcoreStats {
    wait_for("the lcore is known to stand still", LIMIT, || {
        Some(only_lcore(appliance)).filter(|lcore| lcore.stalled)
    })
}

#[test]
fn a_stuck_lcore_is_noticed_and_so_is_its_return() {
    let alone = Namespace::new("frozen");
    let devices = [0, 1].map(|port| format!("net_null{port},no-rx=1"));
    let mut appliance = Appliance::start(&alone, &devices, &[]);
    let before = only_lcore(&appliance);
    assert_eq!(appliance.health(), ("lcore 0 polls port0/0 port1/0\n".to_owned(), true));

    let frozen = Frozen::anywhere(appliance.dataplane().pid());
    let during = wait_until_stalled(&appliance);
    assert!(during.stalls > before.stalls, "{during:?}");
    appliance.dataplane().wait_line(Stream::Stderr, LIMIT, |line| line.contains("lcore 0 has not polled"));
    let unwell = "lcore 0 stands still instead of polling port0/0 port1/0\n".to_owned();
    assert_eq!(appliance.health(), (unwell, false));

    drop(frozen);
    let after = wait_for("the lcore goes on", LIMIT, || {
        Some(only_lcore(&appliance)).filter(|lcore| !lcore.stalled && lcore.polls > during.polls)
    });
    assert!(after.stalls >= during.stalls, "{after:?}");
    appliance.dataplane().wait_line(Stream::Stderr, LIMIT, |line| line.contains("lcore 0 polls again"));
    appliance.stop();
}

/// net_af_packet does not count the frames that the kernel drops while its ring is full; the
/// appliance does.
#[test]
fn frames_that_a_full_ring_loses_are_counted() {
    const DATAGRAMS: u64 = 3000;
    let line = Line::new();
    let devices = [0, 1].map(|port| format!("net_af_packet{port},iface=port{port}"));
    let mut appliance = Appliance::start(&line.middle, &devices, &[]);
    // No host answers ARP requests here, so the sender gets a fixed neighbour.
    let neighbour = ["neighbour", "add", RIGHT_ADDR, "lladdr", "02:00:00:00:00:02", "dev", "eth0"];
    run(line.left.command("ip").args(neighbour));
    let statistic = |name: &str| -> u64 {
        let file = format!("/sys/class/net/eth0/statistics/{name}");
        run(line.left.command("cat").arg(file)).trim().parse().expect("a number")
    };

    let frozen = Frozen::anywhere(appliance.dataplane().pid());
    let send = format!("for i in {{1..{DATAGRAMS}}}; do echo x > /dev/udp/{RIGHT_ADDR}/9; done");
    run(line.left.command("bash").args(["-c", &send]));
    drop(frozen);

    let sent = statistic("tx_packets");
    assert!(sent >= DATAGRAMS, "{sent}");
    let totals = wait_for("each frame is received or counted as missed", LIMIT, || {
        let totals = appliance.totals();
        (totals.rx + totals.ports[0].rx_missed == sent).then_some(totals)
    });
    assert!(totals.ports[0].rx_missed > 0, "the ring holds fewer: {totals:?}");
    assert_eq!(totals.ports[1].rx_missed, 0);
    appliance.stop();
}

/// A server that is stopped, for example by a debugger, accepts no connection. The driver would
/// wait for it on the thread that every memif port needs.
#[test]
fn a_server_that_does_not_accept_holds_nobody_up() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("mute.sock");
    let mute =
        socket(AddressFamily::Unix, SockType::SeqPacket, SockFlag::SOCK_CLOEXEC, None).expect("a socket");
    bind(mute.as_raw_fd(), &UnixAddr::new(&path).expect("a short path")).expect("bound");
    // The backlog is as long as net_memif's.
    listen(&mute, Backlog::new(1).expect("small")).expect("it listens");

    let alone = Namespace::new("mute");
    let devices = [
        format!("net_memif0,role=client,id=0,socket-abstract=no,socket={}", path.display()),
        "net_null1,no-rx=1".to_owned(),
    ];
    let mut appliance = Appliance::start(&alone, &devices, &[]);
    // The first attempts wait to be accepted; then the backlog has no more room.
    appliance.dataplane().wait_line(Stream::Stderr, LIMIT, |line| line.contains("does not answer"));
    assert!(!appliance.stats().0.ports[0].link_up);
    appliance.stop();
}

/// The driver unmaps the rings of a peer that has died, while an lcore may be reading them.
#[test]
fn a_peer_dies_while_an_lcore_is_inside_its_driver() {
    const ROUNDS: usize = 4;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    pcap::write_frames(&path("flows.pcap"), &distinct_flows(64).collect::<Vec<_>>()).expect("written");
    let alone = Namespace::new("frozen");
    let socket = path("left.sock");
    let devices = [
        format!("net_memif0,role=client,id=0,socket-abstract=no,socket={}", socket.display()),
        "net_null1,no-rx=1".to_owned(),
    ];
    let mut appliance = Appliance::start(&alone, &devices, &[]);
    let lcore = appliance.dataplane().pid();
    let links = |appliance: &mut Appliance, word: &str, count: usize| {
        appliance.dataplane().wait_lines(Stream::Stderr, LIMIT, |lines| {
            let told = lines.iter().filter(|line| line.contains("net_memif0") && line.contains(word));
            (told.count() == count).then_some(())
        });
    };
    for round in 1..=ROUNDS {
        let mut server = Testpmd::serve(&socket, &path("flows.pcap"), Repeat::Forever);
        links(&mut appliance, "link up", round);
        let before = only_lcore(&appliance).rx;
        server.forward();
        wait_for("frames come", LIMIT, || (only_lcore(&appliance).rx > before).then_some(()));

        let frozen = Frozen::inside(lcore, "librte_net_memif", Duration::from_secs(60));
        server.end(Signal::KILL);
        links(&mut appliance, "link down", round);
        if round == 1 {
            // Meanwhile the port is due for a restart, which has to wait for the lcore. Nothing
            // else waits.
            wait_until_stalled(&appliance);
        }
        drop(frozen);
        let polls = only_lcore(&appliance).polls;
        wait_for("the lcore goes on", LIMIT, || (only_lcore(&appliance).polls > polls).then_some(()));
    }
    appliance.stop();
}
