//! Frames that kernel interfaces make longer than the wire had them, or that are too long for a
//! packet socket: they cross unchanged, or are dropped and counted.

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::{Duration, Instant};

use conntrack::test_support::frame::{Ipv4Frame, TPID_8021AD, TPID_8021Q, assert_same};
use flowtracker_tests::appliance::{Appliance, LIMIT, Setup};
use flowtracker_tests::netns::{Line, Namespace, RIGHT_ADDR, SERVER_PORT};
use flowtracker_tests::process::{Running, run, wait_for};

const A: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);

/// Nothing may expire while a test reads the table, so the aging is 10 minutes.
const NO_EXPIRY: [&str; 2] = ["--timer-profiles", "600000"];

/// The longest frame that net_af_packet's own ring holds.
const ROOM: usize = 1982;

/// Returns a frame of this length in bytes, whose contents no other frame has.
fn frame(len: usize) -> Vec<u8> {
    let payload: Vec<u8> = (0..len - 54).map(|octet| (octet * 7 + len) as u8).collect();
    Ipv4Frame::tcp((A, 1000), (B, 80)).payload(&payload).build()
}

/// Returns a frame of this length in bytes whose Ethernet header carries a VLAN tag.
fn tagged(tpid: u16, len: usize) -> Vec<u8> {
    Ipv4Frame::tcp((A, 1000), (B, 80)).tag(tpid, 5).payload(&vec![len as u8; len - 58]).build()
}

fn set_mtu(namespace: &Namespace, interface: &str, mtu: u32) {
    run(namespace.command("ip").args(["link", "set", interface, "mtu", &mtu.to_string()]));
}

fn set_mtus(line: &Line, mtu: u32) {
    for (namespace, interface) in
        [(&line.left, "eth0"), (&line.middle, "port0"), (&line.middle, "port1"), (&line.right, "eth0")]
    {
        set_mtu(namespace, interface, mtu);
    }
}

fn wait_log(appliance: &mut Appliance<'_>, text: &str, times: usize) {
    wait_for(&format!("{times} times in the log: {text}"), LIMIT, || {
        (appliance.dataplane().output().matches(text).count() >= times).then_some(())
    });
}

/// Sends 3 MB through netcat from left to right. Returns how long it took.
fn transfer(line: &Line) -> Duration {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let bytes: Vec<u8> = (0u32..3_000_000).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::fs::write(&from, &bytes).expect("written");
    let shell = |host: &Namespace, script: String| -> Command {
        let mut command = host.command("sh");
        command.args(["-c", &script]);
        command
    };
    let receive = format!("nc -n -l -s {RIGHT_ADDR} -p {SERVER_PORT} </dev/null >{}", to.display());
    let mut server = Running::spawn(&mut shell(&line.right, receive));
    wait_for("nc listens", LIMIT, || {
        let sockets = run(line.right.command("ss").args(["-Hltn"]));
        sockets.contains(&format!("{RIGHT_ADDR}:{SERVER_PORT}")).then_some(())
    });
    let since = Instant::now();
    let send = format!("nc -n -q 1 {RIGHT_ADDR} {SERVER_PORT} <{}", from.display());
    let mut client = Running::spawn(&mut shell(&line.left, send));
    wait_for("3 MB arrive", LIMIT, || {
        let size = std::fs::metadata(&to).map_or(0, |file| file.len());
        (size >= bytes.len() as u64).then_some(())
    });
    let took = since.elapsed();
    assert!(client.wait(LIMIT).success() && server.wait(LIMIT).success());
    assert!(std::fs::read(&to).expect("read") == bytes, "what arrived is not what was sent");
    took
}

/// GRO is on for most network cards; veth has it off. The kernel merges segments before a packet
/// socket sees them.
#[test]
fn a_transfer_crosses_interfaces_that_merged_frames() {
    const SWITCHED_OFF: &str = "merged received frames (gro)";
    let line = Line::new();
    let gro = |port: &str, on: &str| {
        run(line.middle.command("ethtool").args(["-K", port, "gro", on]));
    };
    let is_on = |port: &str| {
        run(line.middle.command("ethtool").args(["-k", port])).contains("generic-receive-offload: on")
    };
    gro("port0", "on");
    gro("port1", "on");
    let mut appliance = Appliance::start(&line.middle, &line.devices("net_af_packet", ""), &NO_EXPIRY);
    wait_log(&mut appliance, SWITCHED_OFF, 2);
    let took = transfer(&line);
    assert!(took < LIMIT / 4, "{took:?}");

    gro("port0", "on");
    wait_log(&mut appliance, SWITCHED_OFF, 3);
    assert!(!is_on("port0"));
    transfer(&line);
    let totals = appliance.totals();
    assert_eq!(totals.tx, totals.rx, "{totals:?}");
    assert_eq!(appliance.entries().len(), 4, "two connections, both directions");
    appliance.stop();
    assert!(is_on("port0") && is_on("port1"), "they are as they were before the start");
}

#[test]
fn frames_that_outgrow_the_ring_are_dropped_and_counted() {
    let line = Line::new();
    let mut appliance = Appliance::start(&line.middle, &line.devices("net_af_packet", ""), &NO_EXPIRY);
    set_mtus(&line, 65535);
    wait_log(&mut appliance, "port0 has MTU 65535 now, 1500 before", 1);
    wait_log(&mut appliance, "frames of more than 1982 bytes are dropped and counted as rx_errors", 2);
    // The kernel keeps the outer tag outside the ring.
    let fit = [60, 1514, ROOM - 1, ROOM].map(frame).into_iter().chain([tagged(TPID_8021Q, ROOM + 4)]);
    let fit: Vec<_> = fit.collect();
    let long: Vec<_> = [ROOM + 1, 2048, 4000, 8000, 60000].map(frame).to_vec();
    let capture = line.right.capture("eth0");
    for (fit, long) in fit.iter().zip(&long) {
        line.left.send("eth0", &[long.clone(), fit.clone()]);
    }
    appliance.wait_forwarded(fit.len() as u64);
    assert_same(&capture.frames(fit.len()), &fit);
    let totals = appliance.totals();
    let errors: Vec<_> = totals.ports.iter().map(|port| (port.rx_packets, port.rx_errors)).collect();
    assert_eq!(errors, [(fit.len() as u64, long.len() as u64), (0, 0)]);
    assert_eq!((totals.rx, totals.tx_dropped), (fit.len() as u64, 0));
    wait_log(&mut appliance, "receives frames of more than 1982 bytes", 1);
    appliance.stop();
}

/// Each queue has a socket of its own.
#[test]
fn long_frames_are_counted_once_for_all_queues() {
    let line = Line::new();
    let devices = line.devices("net_af_packet", ",qpairs=2");
    let appliance = Setup::new(&line.middle, &devices).options(&NO_EXPIRY).start();
    set_mtus(&line, 9000);
    let flows = |len: usize| {
        (0..40).map(move |port| Ipv4Frame::tcp((A, 1000 + port), (B, 80)).payload(&vec![7; len - 54]).build())
    };
    let frames: Vec<_> = flows(ROOM).chain(flows(ROOM + 1)).collect();
    line.left.send("eth0", &frames);
    appliance.wait_forwarded(40);
    let totals = appliance.totals();
    assert_eq!((totals.rx, totals.ports[0].rx_errors), (40, 40));
    appliance.stop();
}

/// A frame that a port sends is not one that it received.
#[test]
fn sent_frames_are_not_counted_as_received() {
    let line = Line::new();
    let [port0, port1] = line.devices("net_af_packet", "");
    let devices = [port0, port1 + ",framesz=4096,blocksz=4096"];
    let appliance = Appliance::start(&line.middle, &devices, &NO_EXPIRY);
    set_mtus(&line, 9000);
    // port0 has more room for frames that it sends, because they are preceded by less.
    let fit: Vec<_> = [ROOM + 1, 2000, 2016].map(frame).to_vec();
    let capture = line.left.capture("eth0");
    line.right.send("eth0", &fit);
    line.right.send("eth0", &[frame(2017), frame(4000)]);
    appliance.wait_forwarded(5);
    assert_same(&capture.frames(fit.len()), &fit);
    let totals = appliance.totals();
    assert_eq!((totals.tx, totals.tx_dropped), (3, 2));
    assert_eq!(totals.ports.iter().map(|port| port.rx_errors).sum::<u64>(), 0, "{totals:?}");
    appliance.stop();
}

/// The kernel discards a sent frame that is longer than the MTU, and counts it nowhere.
#[test]
fn frames_longer_than_the_peers_mtu_are_dropped_and_counted() {
    let line = Line::new();
    set_mtu(&line.left, "eth0", 9000);
    set_mtu(&line.middle, "port0", 9000);
    let mut appliance = Appliance::start(&line.middle, &line.devices("net_af_packet", ""), &NO_EXPIRY);
    wait_log(&mut appliance, "net_af_packet0: framesz=16384,blocksz=16384, for the MTU of its interface", 1);
    let fit: Vec<_> = vec![frame(1514), tagged(TPID_8021Q, 1518), frame(100)];
    let long = [frame(1515), tagged(TPID_8021Q, 1519), tagged(TPID_8021AD, 1519), frame(4000), frame(9014)];
    let capture = line.right.capture("eth0");
    line.left.send("eth0", &[&long[..], &fit[..]].concat());
    appliance.wait_forwarded(8);
    assert_same(&capture.frames(fit.len()), &fit);
    let totals = appliance.totals();
    assert_eq!((totals.rx, totals.tx, totals.tx_dropped), (8, 3, 5), "{totals:?}");

    // A smaller MTU holds from the log line on.
    set_mtu(&line.middle, "port1", 1000);
    wait_log(&mut appliance, "port1 has MTU 1000 now", 1);
    let capture = line.right.capture("eth0");
    line.left.send("eth0", &[frame(1015), frame(1014)]);
    appliance.wait_forwarded(10);
    assert_same(&capture.frames(1), &[frame(1014)]);
    assert_eq!(appliance.totals().tx_dropped, 6);
    appliance.stop();
}
