//! DPDK's own tools on the running data plane: counters with dpdk-telemetry.py, captures with
//! dpdk-dumpcap, port statistics with dpdk-proc-info.
//!
//! This is one test, because all of it needs a data plane whose memory and configuration other
//! processes can map.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use conntrack::test_support::frame::{Ipv4Frame, arp_request, distinct_flows, ethernet};
use flowtracker_proto::v1;
use flowtracker_tests::appliance::{Appliance, LIMIT, Setup, Totals};
use flowtracker_tests::hugepages::Hugepages;
use flowtracker_tests::netns::{Line, Namespace};
use flowtracker_tests::pcap;
use flowtracker_tests::process::{Running, Stream, run, wait_for};
use rustix::process::Signal;
use serde_json::{Value, json};

/// The number of hugepages of 2 MiB, enough for the mbufs of the data plane and of the captures.
const PAGES: u64 = 128;

/// An EtherType for experiments (IEEE 802, local experimental 1). Frames with it only show that a
/// capture has begun.
const BEACON: u16 = 0x88b5;

#[test]
fn dpdks_own_tools_work_on_the_running_data_plane() {
    let line = Line::new();
    let hugepages = Hugepages::take(PAGES);
    let devices = ["net_af_packet0,iface=port0", "net_af_packet1,iface=port1"].map(str::to_owned);
    // Nothing expires while the tools read: the aging is 10 minutes.
    let appliance = Setup::new(&line.middle, &devices)
        .hugepages(&hugepages)
        .options(&["--timer-profiles", "600000"])
        .start();
    let mut sender = Sender::new(&line.left);
    let frames = frames();

    let received = capture(&appliance, &mut sender, &frames, &["-P", "-i", "0"], 1, |file| {
        let packets = pcap::read(file).expect("a capture");
        BTreeMap::from([(0, packets.into_iter().map(|packet| packet.frame).collect())])
    });
    assert_same("port0, in pcap", &received, 0, &frames);

    // What leaves port1 is what entered port0. DPDK 22.11 uses only the last of several `-i`, and
    // takes `*` for all ports.
    let both = capture(&appliance, &mut sender, &frames, &["-i", "*"], 2, |file| {
        let mut by_port: BTreeMap<u32, Vec<Vec<u8>>> = BTreeMap::new();
        for (interface, frame) in pcap::read_pcapng(file).expect("a capture") {
            by_port.entry(interface).or_default().push(frame);
        }
        by_port
    });
    assert_same("port0, in pcapng", &both, 0, &frames);
    assert_same("port1, in pcapng", &both, 1, &frames);

    let stats = appliance.wait_forwarded(sender.sent);
    telemetry_says_what_get_stats_says(&appliance, &stats);
    proc_info_counts_what_we_count(&appliance, &Totals::of(&stats));
    appliance.stop();
}

/// Checks that the frames are the same, octet by octet and in order. Names only the first
/// difference, because the lists are long.
#[track_caller]
fn assert_same(what: &str, captured: &BTreeMap<u32, Vec<Vec<u8>>>, port: u32, sent: &[Vec<u8>]) {
    let captured = captured.get(&port).map(Vec::as_slice).unwrap_or_default();
    for (i, (captured, sent)) in captured.iter().zip(sent).enumerate() {
        assert_eq!(captured, sent, "{what}: frame {i}");
    }
    assert_eq!(captured.len(), sent.len(), "{what}: frames captured");
}

/// Returns frames of many kinds and lengths, up to the MTU. The fragments form a whole packet,
/// which the kernel would reassemble if the port let it.
fn frames() -> Vec<Vec<u8>> {
    let (a, b) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
    let mut frames = vec![
        arp_request(a, b),
        Ipv4Frame::icmp_echo(a, b).build(),
        Ipv4Frame::udp((a, 5000), (b, 53)).build(),
        Ipv4Frame::tcp((a, 36876), (b, 1234)).version(6).build(),
        Ipv4Frame::udp((a, 5000), (b, 54)).payload(&[1; 16]).first_fragment().build(),
        Ipv4Frame::udp((a, 5000), (b, 54)).payload(&[2; 16]).later_fragment(3, false).build(),
    ];
    let long = |len: u16| {
        let octets: Vec<u8> = (0..len).map(|i| i.to_le_bytes()[0]).collect();
        Ipv4Frame::tcp((a, len), (b, 80)).payload(&octets).build()
    };
    frames.extend([1, 100, 1000, 1459, 1460].map(long));
    frames.extend(distinct_flows(100));
    frames
}

/// Sends raw frames from a host's eth0, one at a time and in order.
struct Sender {
    program: Running,
    sent: u64,
}

impl Sender {
    fn new(host: &Namespace) -> Self {
        // The program reads one frame in hexadecimal per line, and prints a line when the kernel
        // has taken the frame.
        const PROGRAM: &str = "
import socket, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(('eth0', 0))
for line in sys.stdin:
    wire.send(bytes.fromhex(line))
    print(flush=True)
";
        Self { program: Running::spawn(host.command("python3").args(["-c", PROGRAM])), sent: 0 }
    }

    fn send(&mut self, frame: &[u8]) {
        let hex: String = frame.iter().map(|octet| format!("{octet:02x}")).collect();
        self.program.write_stdin(&(hex + "\n"));
        self.sent += 1;
        let sent = usize::try_from(self.sent).expect("few");
        self.program.wait_lines(Stream::Stdout, LIMIT, |answers| (answers.len() == sent).then_some(()));
    }
}

/// Sends `frames` while dpdk-dumpcap runs with `options`, under which it captures each frame
/// `copies` times. Returns the captured frames by port, as `read` reads them from the file, without
/// the beacons.
fn capture(
    appliance: &Appliance<'_>,
    sender: &mut Sender,
    frames: &[Vec<u8>],
    options: &[&str],
    copies: u64,
    read: impl Fn(&Path) -> BTreeMap<u32, Vec<Vec<u8>>>,
) -> BTreeMap<u32, Vec<Vec<u8>>> {
    let (file, progress) = (appliance.folder().join("capture"), appliance.folder().join("progress"));
    // dpdk-dumpcap prints its count on one line that has no end, which only a file shows at once.
    // `-p` leaves the ports' promiscuous mode alone.
    let script = r#"progress=$1; shift; exec "$@" 2>"$progress""#;
    // The count of an earlier capture must not be read instead.
    let _ = fs::remove_file(&progress);
    let tool = appliance.dpdk_tool("dpdk-dumpcap");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script, "sh"]).arg(&progress);
    command.arg(tool.get_program()).args(tool.get_args()).arg("-p").args(options).arg("-w").arg(&file);
    for (name, value) in tool.get_envs() {
        command.env(name, value.expect("set, not removed"));
    }
    let mut dumpcap = Running::spawn(&mut command);
    let captured = || captured(&fs::read_to_string(&progress).unwrap_or_default());

    let beacon = ethernet(&[], BEACON, &[0; 46], 60);
    let mut beacons = 0;
    wait_for("dpdk-dumpcap sees a frame", LIMIT, || {
        sender.send(&beacon);
        beacons += 1;
        (captured() > 0).then_some(())
    });
    for frame in frames {
        sender.send(frame);
    }
    // A signal makes dpdk-dumpcap drop what it has not written yet. How many of the beacons it
    // captured is unknown, but frames stay in order: after the same number of beacons again, its
    // count reaches this sum only if it captured all frames.
    for _ in 0..beacons {
        sender.send(&beacon);
    }
    wait_for("dpdk-dumpcap has all frames", LIMIT, || {
        (captured() >= copies * (beacons + frames.len() as u64)).then_some(())
    });
    dumpcap.signal(Signal::INT);
    let status = dumpcap.wait(LIMIT);
    assert_eq!(status.code(), Some(0), "{}", fs::read_to_string(&progress).unwrap_or_default());

    let mut by_port = read(&file);
    for frames in by_port.values_mut() {
        frames.retain(|frame| frame[12..14] != BEACON.to_be_bytes());
    }
    by_port
}

/// Returns the last number that dpdk-dumpcap has printed.
fn captured(progress: &str) -> u64 {
    let (_, counts) = progress.rsplit_once("Packets captured:").unwrap_or_default();
    counts.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).next_back().unwrap_or_default()
}

/// Sends requests to dpdk-telemetry.py, which reads them from its standard input. Returns one
/// answer per request.
fn telemetry(appliance: &Appliance<'_>, requests: &[&str]) -> Vec<Value> {
    let mut tool = Running::spawn(&mut appliance.dpdk_tool("dpdk-telemetry.py"));
    for request in requests {
        tool.write_stdin(&format!("{request}\n"));
    }
    tool.close_stdin();
    assert!(tool.wait(LIMIT).success(), "{}", tool.output());
    let answers: Vec<Value> = tool
        .text(Stream::Stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert_eq!(answers.len(), requests.len(), "{}", tool.output());
    answers
        .into_iter()
        .zip(requests)
        // An answer has the form {"/command": answer}.
        .map(|(mut answer, request)| answer[request.split(',').next().unwrap_or_default()].take())
        .collect()
}

/// No frames arrive any more, so both report the same numbers, except for the polls.
fn telemetry_says_what_get_stats_says(appliance: &Appliance<'_>, before: &v1::DataplaneStats) {
    let requests = [
        "/flowtracker/stats",
        "/flowtracker/stats,1",
        "/flowtracker/stats,port1",
        "/flowtracker/table",
        "/flowtracker/lcores",
        "/flowtracker/lcores,0",
    ];
    let answers = telemetry(appliance, &requests);
    let [stats, one, same, table, lcores, lcore] = &answers[..] else { panic!("{answers:?}") };

    let totals = Totals::of(before);
    let all = &before.lcores;
    let sum = |counter: fn(&v1::LcoreStats) -> u64| all.iter().map(counter).sum::<u64>();
    let o = &totals.outcomes;
    let ports: Vec<Value> = before
        .ports
        .iter()
        .map(|port| {
            json!({
                "device": port.device, "link": if port.link_up { "up" } else { "down" },
                "rx_packets": port.rx_packets, "rx_bytes": port.rx_bytes,
                "tx_packets": port.tx_packets, "tx_bytes": port.tx_bytes,
                "rx_missed": port.rx_missed, "rx_errors": port.rx_errors,
                "rx_nombuf": port.rx_nombuf, "tx_errors": port.tx_errors,
            })
        })
        .collect();
    let expected = json!({
        "rx": totals.rx, "tx": totals.tx, "tx_dropped": totals.tx_dropped, "filtered": totals.filtered,
        "outcomes": {
            "hit": o.hit, "miss_created": o.miss_created, "miss_full": o.miss_full, "miss_denied": o.miss_denied,
            "truncated": o.truncated, "not_tracked_ethertype": o.not_tracked_ethertype,
            "malformed": o.malformed, "extension_limit": o.extension_limit, "fragment": o.fragment,
            "not_tracked_protocol": o.not_tracked_protocol, "detached": o.detached,
        },
        "events": {
            "sent": sum(|l| l.events_sent), "deferred": sum(|l| l.events_deferred),
            "unlinked": sum(|l| l.events_unlinked),
        },
        "ports": { "port0": ports[0], "port1": ports[1] },
    });
    assert_eq!(*stats, expected);
    assert_eq!((one, same), (&ports[1], &ports[1]));
    assert!(totals.entries > 100 && totals.rx > totals.entries, "there was something to count: {totals:?}");

    let capacity = sum(|l| l.capacity);
    let tables: serde_json::Map<String, Value> = all[0]
        .tables
        .iter()
        .map(|t| {
            let figures = json!({
                "capacity": t.capacity, "entries": t.entries, "load_percent": 100 * t.entries / t.capacity,
                "hit": t.hit, "miss_created": t.miss_created, "miss_full": t.miss_full, "miss_denied": t.miss_denied,
            });
            (t.pipeline.clone(), figures)
        })
        .collect();
    assert_eq!((all.len(), tables.len()), (1, 2), "one shard, two tables");
    assert_eq!(
        *table,
        json!({
            "capacity": capacity, "entries": totals.entries, "load_percent": 100 * totals.entries / capacity,
            "hash": "keyed", "shards": { "0": { "capacity": capacity, "entries": totals.entries } },
            "expired": 0, "expired_deferred": 0, "deleted": 0, "expiry_lateness_log2_ms": vec![0; 16],
            "tables": tables,
        })
    );

    let (after, _) = appliance.stats();
    for answer in [&lcores["0"], lcore] {
        let polls = answer["polls"].as_u64().expect("a number");
        assert!((before.lcores[0].polls..=after.lcores[0].polls).contains(&polls), "{polls} polls");
        let busy = after.lcores[0].busy_polls;
        assert_eq!(
            *answer,
            json!({
                "rx": totals.rx, "tx": totals.tx, "polls": polls, "busy_polls": busy,
                "busy_percent": 100 * busy / polls, "stalls": after.lcores[0].stalls,
                "stalled": u64::from(after.lcores[0].stalled), "entries": totals.entries,
                "lanes": ["port0/0", "port1/0"],
            })
        );
    }

    let answers = telemetry(
        appliance,
        &[
            "/",
            "/help,/flowtracker/lcores",
            "/flowtracker/stats,7",
            "/flowtracker/table,7",
            "/flowtracker/lcores,7",
        ],
    );
    let [list, help, errors @ ..] = &answers[..] else { panic!("{answers:?}") };
    for command in &requests {
        assert!(list.to_string().contains(command.split(',').next().unwrap_or_default()), "{list}");
    }
    assert!(help.to_string().contains("lcore_id"), "{help}");
    for error in errors {
        assert!(error["error"].as_str().is_some_and(|text| text.contains("`7`")), "{error}");
    }
}

/// The drivers' own counters agree with those of the data plane.
fn proc_info_counts_what_we_count(appliance: &Appliance<'_>, totals: &Totals) {
    let ask = |what: &str| run(appliance.dpdk_tool("dpdk-proc-info").args(["--no-pci", "--", what]));
    let numbers = |text: &str, name: &str| -> Vec<u64> {
        text.lines()
            .filter_map(|line| line.trim_start().strip_prefix(name)?.split_whitespace().next()?.parse().ok())
            .collect()
    };
    let ports = |counter: fn(&v1::PortStats) -> u64| totals.ports.iter().map(counter).collect::<Vec<_>>();

    let stats = ask("--stats");
    assert_eq!(numbers(&stats, "RX-packets:"), ports(|port| port.rx_packets), "{stats}");
    assert_eq!(numbers(&stats, "TX-packets:"), ports(|port| port.tx_packets), "{stats}");
    let received: u64 = numbers(&stats, "RX-packets:").iter().sum();
    assert_eq!(received, totals.rx, "as counted by lcores");

    let xstats = ask("--xstats");
    assert_eq!(numbers(&xstats, "rx_good_bytes:"), ports(|port| port.rx_bytes), "{xstats}");
    assert_eq!(numbers(&xstats, "tx_good_bytes:"), ports(|port| port.tx_bytes), "{xstats}");

    let shown = ask("--show-port");
    assert_eq!(shown.matches("promiscuous mode enabled").count(), 2, "captures have not touched it: {shown}");
    assert!(totals.ports.iter().all(|port| shown.contains(&port.device)), "{shown}");
}
