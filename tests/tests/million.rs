//! With a million entries, listing and flushing are exact while other flows come and go.
#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::process::Command;

use conntrack::test_support::frame::distinct_flows;
use flowtracker_proto::v1::{Event, EventType};
use flowtracker_tests::appliance::{Appliance, DATAPLANE, LIMIT};
use flowtracker_tests::netns::Namespace;
use flowtracker_tests::pcap;
use flowtracker_tests::process::{Running, Stream, run, wait_for};

const MILLION: usize = 1_000_000;
/// The number of flows that come per second; each goes again after a second.
const CHURN: u32 = 5_000;

/// Starts the traffic generator behind `socket`.
fn traffic(alone: &Namespace, socket: &str, runtime: &std::path::Path) -> Running {
    let mut traffic = alone.command(env!("CARGO_BIN_EXE_traffic"));
    traffic.env("RUNTIME_DIRECTORY", runtime).args(["--no-huge", "--no-shconf", "--no-pci", "-m", "512"]);
    traffic.arg("--lcores=0@(0-1)").arg(format!("--file-prefix=ftmillion{}", std::process::id()));
    traffic.arg(format!("--vdev=net_memif0,role=server,id=0,socket-abstract=no,socket={socket}"));
    let mut traffic = Running::spawn(&mut traffic);
    traffic.wait_line(Stream::Stdout, LIMIT, |line| line == "ready");
    traffic
}

/// Writes one frame of each of a million flows.
fn million_flows(path: &std::path::Path) {
    let frames: Vec<Vec<u8>> = distinct_flows(MILLION as u64).collect();
    pcap::write_frames(path, &frames).expect("written");
}

/// Returns the keys in the first column of `ctl list`, without its heading.
fn keys(listing: &str) -> Vec<&str> {
    listing.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect()
}

#[test]
fn a_million_entries_are_listed_and_flushed_exactly_while_others_come_and_go() {
    let alone = Namespace::new("million");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, socket) = (folder.path().join("million"), folder.path().join("memif.sock"));
    million_flows(&file);
    let mut traffic = traffic(&alone, &socket.display().to_string(), folder.path());
    let devices = [
        format!("net_pcap0,rx_pcap={}", file.display()),
        format!("net_memif0,role=client,id=0,socket-abstract=no,socket={}", socket.display()),
    ];
    let options = ["--timer-profiles", "600000,60000", "--capacity", "1100000"];
    let appliance = Appliance::start(&alone, &devices, &options);
    wait_for("a million entries", LIMIT, || (appliance.totals().entries == MILLION as u64).then_some(()));
    wait_for("the link to the generator", LIMIT, || appliance.totals().ports[1].link_up.then_some(()));

    // Learned entries keep their aging of ten minutes; new ones get one second.
    run(appliance.ctl().args(["table", "--profile", "0=1000"]));
    traffic.write_stdin(&format!("new {CHURN}\n"));
    let expired = || appliance.stats().0.lcores.iter().map(|lcore| lcore.expired).sum::<u64>();
    wait_for("flows come and go", LIMIT, || (expired() > 0).then_some(()));

    // Counts lines as an operator would, and subtracts the heading.
    let count = |ctl: &mut Command| -> usize {
        let text = run(Command::new("sh")
            .args(["-c", "\"$@\" | wc -l", "sh"])
            .arg(ctl.get_program())
            .args(ctl.get_args())
            .envs(ctl.get_envs().filter_map(|(name, value)| Some((name, value?)))));
        text.trim().parse::<usize>().expect("a number") - 1
    };
    let before = expired();
    for _ in 0..2 {
        assert_eq!(count(appliance.ctl().args(["list", "filter", "key.input_port = port0"])), MILLION);
    }
    let listing = run(appliance.ctl().arg("list"));
    let keys = keys(&listing);
    let distinct: HashSet<&str> = keys.iter().copied().collect();
    assert_eq!(distinct.len(), keys.len(), "no entry twice");
    assert_eq!(keys.iter().filter(|key| key.starts_with("port0/")).count(), MILLION);
    assert!(keys.len() > MILLION, "those that come and go are in it");
    assert!(expired() > before, "and did so meanwhile");

    // A filter that no entry passes lets only the marks pass, FLUSHED among them.
    let mut watch = Running::spawn(appliance.ctl().args(["watch", "-o", "json", "filter", "prio", "=", "0"]));
    appliance.wait_watchers(1);
    let deleted = || appliance.stats().0.lcores.iter().map(|lcore| lcore.deleted).sum::<u64>();
    assert_eq!(deleted(), 0);
    let flushed = run(appliance.ctl().args(["flush", "filter", "key.input_port", "=", "port0"]));
    assert_eq!(flushed, format!("{MILLION} deleted\n"));
    assert_eq!(deleted(), MILLION as u64);
    let event: Event = watch.wait_lines(Stream::Stdout, LIMIT, |lines| {
        let events = lines.iter().map(|line| serde_json::from_str::<Event>(line).expect("an event"));
        events.into_iter().find(|event| event.r#type() == EventType::Flushed)
    });
    assert_eq!((event.deleted, event.failed, event.dataplane.as_str()), (MILLION as u64, 0, DATAPLANE));

    // The second flush removes the rest, so that every entry has gone.
    traffic.write_stdin("new 0\n");
    run(appliance.ctl().arg("flush"));
    wait_for("an empty table", LIMIT, || (appliance.totals().entries == 0).then_some(()));
    let totals = appliance.totals();
    assert_eq!(totals.outcomes.miss_created, deleted() + expired(), "each entry has gone once");

    drop(watch);
    traffic.close_stdin();
    traffic.wait(LIMIT);
    appliance.stop();
}
