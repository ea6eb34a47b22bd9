//! The appliance as it is deployed: on PCI ports that vfio-pci drives, with hugepages and an IOMMU,
//! in a virtual machine.
#![cfg(target_arch = "x86_64")]
#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use conntrack::test_support::frame::{Ipv4Frame, Ipv6Frame};
use flowtracker_proto::v1::{self, DeleteReason, Event, EventType};
use flowtracker_tests::appliance::LIMIT;
use flowtracker_tests::guest::{Guest, Machine};
use flowtracker_tests::netns::{LEFT_ADDR, RIGHT_ADDR};
use flowtracker_tests::process::{Running, Stream, run, wait_for};

/// A card whose memory accesses go through the IOMMU, as those of hardware do.
const VIRTIO: &str = "virtio-net-pci,disable-legacy=on,iommu_platform=on";

/// Connects the two hosts and sends a line each way. The connection stays open until both values
/// are dropped.
fn connect(guest: &Guest) -> (Running, Running) {
    let mut server =
        Running::spawn(guest.right.command("nc").args(["-n", "-l", "-s", RIGHT_ADDR, "-p", "1234"]));
    wait_for("nc listens", LIMIT, || {
        let sockets = run(guest.right.command("ss").args(["-Hltn"]));
        sockets.contains(&format!("{RIGHT_ADDR}:1234")).then_some(())
    });
    let mut client = Running::spawn(guest.left.command("nc").args(["-n", "-p", "36876", RIGHT_ADDR, "1234"]));
    client.write_stdin("hello\n");
    server.wait_line(Stream::Stdout, LIMIT, |line| line == "hello");
    server.write_stdin("and back\n");
    client.wait_line(Stream::Stdout, LIMIT, |line| line == "and back");
    (server, client)
}

/// Waits for `count` changes of entries, and returns them.
fn changes(watch: &mut Running, count: usize) -> Vec<Event> {
    watch.wait_lines(Stream::Stdout, LIMIT, |lines| {
        let events = lines.iter().map(|line| serde_json::from_str::<Event>(line).expect("an Event"));
        let changes: Vec<Event> = events.filter(|event| event.entry.is_some()).collect();
        (changes.len() >= count).then_some(changes)
    })
}

/// Returns the input port of an event, its type and its reason.
fn told(event: &Event) -> (&str, EventType, DeleteReason) {
    let key = event.entry.as_ref().and_then(|entry| entry.key.as_ref()).expect("an entry has a key");
    (&key.input_port, event.r#type(), event.reason())
}

fn boot(card: &'static str, driver: &str, options: &str) -> Guest {
    let mut guest = Guest::boot(Machine { card, queues: 1, nodes: 1 });
    guest.start_appliance("-l 0-1", options);
    guest.wait_console("Using IOMMU type 1");
    guest.wait_console(&format!("({driver})"));
    guest
}

/// Checks that a line that is written while a cable is unplugged arrives once the cable is back.
fn pull_the_cable(guest: &Guest, server: &mut Running, client: &mut Running) {
    for port in [0, 1] {
        let line = format!("over the gap of port{port}");
        guest.set_link(port, false);
        client.write_stdin(&format!("{line}\n"));
        guest.set_link(port, true);
        server.wait_line(Stream::Stdout, LIMIT, |received| received == line);
    }
}

#[test]
fn both_directions_are_learned_and_one_is_deleted_and_one_expires() {
    const AGING_MS: u64 = 8000;
    let guest = boot(VIRTIO, "net_virtio", &format!("--timer-profiles {AGING_MS},60000"));
    let mut watch = Running::spawn(guest.ctl().args(["watch", "-o", "json"]));
    wait_for("a watcher", LIMIT, || (guest.stats().1.watchers == 1).then_some(()));

    let (mut server, mut client) = connect(&guest);
    let learned = changes(&mut watch, 2);
    assert_eq!(
        learned.iter().map(told).collect::<Vec<_>>(),
        [
            ("port0", EventType::Created, DeleteReason::Unspecified),
            ("port1", EventType::Created, DeleteReason::Unspecified)
        ]
    );

    // The last delayed acknowledgement must have passed: it would create again the entry that is
    // deleted below.
    wait_for("the connection is quiet", LIMIT, || {
        guest.entries().iter().all(|entry| entry.idle_ms >= 1000).then_some(())
    });
    run(guest.ctl().args(["delete", &format!("port0/tcp/{LEFT_ADDR}:36876-{RIGHT_ADDR}:1234")]));
    let all = changes(&mut watch, 4);
    assert_eq!(
        all[2..].iter().map(told).collect::<Vec<_>>(),
        [
            ("port0", EventType::Deleted, DeleteReason::Control),
            ("port1", EventType::Deleted, DeleteReason::Idle)
        ]
    );
    assert!(all[3].entry.as_ref().is_some_and(|entry| entry.idle_ms >= AGING_MS), "early: {all:?}");

    pull_the_cable(&guest, &mut server, &mut client);
    drop((server, client, watch));
    guest.stop();
}

/// This card has no MSI-X, unlike virtio, so it signals link changes by a pin interrupt.
#[test]
fn an_intel_card_carries_a_connection_over_pulled_cables() {
    let guest = boot("e1000", "net_e1000_em", "");
    let (mut server, mut client) = connect(&guest);
    assert_eq!(guest.entries().len(), 2);
    pull_the_cable(&guest, &mut server, &mut client);
    drop((server, client));
    guest.stop();
}

/// Returns a whole segment, the first fragment of another one, and a whole segment again, of each
/// flow of both families. The flows have addresses and ports of their own.
fn whole_and_fragmented(flows: u16, from: [u8; 2], to: [u8; 2]) -> Vec<Vec<u8>> {
    let segments = |flow: u16| {
        let [high, low] = flow.to_be_bytes();
        let address = |[a, b]: [u8; 2]| Ipv4Addr::new(a, b, high, low);
        let segment =
            move || Ipv4Frame::tcp((address(from), 2000 + flow), (address(to), 7 * flow)).payload(&[1; 64]);
        [segment().build(), segment().first_fragment().build(), segment().build()]
    };
    let segments_v6 = |flow: u16| {
        let address = |net: [u8; 2]| {
            Ipv6Addr::new(0x2001, 0xdb8, u16::from_be_bytes(net), 0, flow, 0, 0, flow.rotate_left(5))
        };
        let segment =
            move || Ipv6Frame::tcp((address(from), 2000 + flow), (address(to), 7 * flow)).payload(&[1; 64]);
        [segment().build(), segment().fragment(0, true).build(), segment().build()]
    };
    (1..=flows).flat_map(segments).chain((1..=flows).flat_map(segments_v6)).collect()
}

/// Fragments have no ports, and still make no second entry. Also checks that flows, entries and
/// shards agree when workers and their memory are on two NUMA nodes.
#[test]
fn a_card_deals_whole_and_fragmented_flows_over_queues_by_rss() {
    const FLOWS: u16 = 64;
    // The card needs a vector for each of four queues, one for the control queue and one for the
    // configuration.
    let card = "virtio-net-pci,disable-legacy=on,iommu_platform=on,mq=on,rss=on,vectors=6";
    let mut guest = Guest::boot(Machine { card, queues: 2, nodes: 2 });
    guest.start_appliance("-l 0-3", "--timer-profiles 600000");
    guest.wait_console("Detected NUMA nodes: 2");
    for port in [0, 1] {
        let status = guest.virtio_status(port);
        let taken = status.split_once("Guest features:").map_or("", |(_, rest)| rest);
        let taken = taken.split_once("Host features:").map_or(taken, |(first, _)| first);
        assert!(taken.contains("VIRTIO_NET_F_RSS"), "{status}");
    }

    guest.left.send("eth0", &whole_and_fragmented(FLOWS, [10, 1], [10, 2]));
    guest.right.send("eth0", &whole_and_fragmented(FLOWS, [10, 2], [10, 1]));
    // Of either family, and in either direction.
    let flows = 4 * usize::from(FLOWS);
    let outcomes = |lcore: &v1::LcoreStats| lcore.outcomes.unwrap_or_default();
    let lcores = wait_for("every frame is tracked", LIMIT, || {
        let lcores = guest.stats().0.lcores;
        let tracked = lcores.iter().map(outcomes).map(|of| of.hit + of.miss_created).sum::<u64>();
        (tracked >= 3 * flows as u64).then_some(lcores)
    });
    let entries = guest.entries();
    let keys: HashSet<String> = entries.iter().map(|entry| format!("{:?}", entry.key)).collect();
    assert_eq!((keys.len(), entries.len()), (flows, flows), "each flow once");
    assert!(entries.iter().all(|entry| entry.packets == 3), "{entries:?}");

    // Three workers poll four queues: the second and the third poll one each, of different ports.
    // Each of them receives some flows of its port, but not all.
    let shares: Vec<u64> = lcores.iter().map(|lcore| outcomes(lcore).miss_created).collect();
    assert_eq!((shares.len(), shares.iter().sum()), (3, flows as u64), "{shares:?}");
    assert!(shares[1..].iter().all(|share| (1..2 * u64::from(FLOWS)).contains(share)), "{shares:?}");
    // The same holds for each table alone.
    for pipeline in ["flowtracker", "flowtracker_ipv6"] {
        let of_table = |lcore: &v1::LcoreStats| -> u64 {
            lcore.tables.iter().filter(|t| t.pipeline == pipeline).map(|t| t.miss_created).sum()
        };
        let shares: Vec<u64> = lcores.iter().map(of_table).collect();
        assert_eq!(shares.iter().sum::<u64>(), 2 * u64::from(FLOWS), "{pipeline}: {shares:?}");
        assert!(
            shares[1..].iter().all(|share| (1..u64::from(FLOWS)).contains(share)),
            "{pipeline}: {shares:?}"
        );
    }
    guest.stop();
}
