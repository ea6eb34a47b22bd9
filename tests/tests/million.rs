//! With a million entries of each family, listing and flushing are exact while other flows come and
//! go.
#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::process::Command;

use conntrack::test_support::frame::FlowFrames;
use flowtracker_proto::v1::{Event, EventType};
use flowtracker_tests::appliance::{Appliance, DATAPLANE, LIMIT};
use flowtracker_tests::generated::Frames;
use flowtracker_tests::netns::Namespace;
use flowtracker_tests::pcap;
use flowtracker_tests::process::{Running, Stream, run, wait_for};

/// Entries of each family.
const MILLION: usize = 1_000_000;
/// Entries of both.
const BOTH: usize = 2 * MILLION;
/// The number of flows that come per second; each goes again after a second.
const CHURN: u32 = 5_000;

/// Starts the traffic generator behind `socket`.
fn traffic(alone: &Namespace, socket: &str, runtime: &std::path::Path) -> Running {
    let mut traffic = alone.command(env!("CARGO_BIN_EXE_traffic"));
    traffic.env("RUNTIME_DIRECTORY", runtime).args(["--no-huge", "--no-shconf", "--no-pci", "-m", "512"]);
    traffic.arg("--lcores=0@(0-1)").arg(format!("--file-prefix=ftmillion{}", std::process::id()));
    traffic.arg(format!("--vdev=net_memif0,role=server,id=0,socket-abstract=no,socket={socket}"));
    traffic.args(["--", "--families", "ipv4,ipv6"]);
    let mut traffic = Running::spawn(&mut traffic);
    traffic.wait_line(Stream::Stdout, LIMIT, |line| line == "ready");
    traffic
}

/// Writes one frame of each of a million flows of each family.
fn million_flows(path: &std::path::Path) {
    let mut flows = Frames::new(FlowFrames::default(), true);
    let frames: Vec<Vec<u8>> = (0..BOTH as u64).map(|number| flows.flow(number, 1).to_vec()).collect();
    pcap::write_frames(path, &frames).expect("written");
}

/// Returns the keys in the first column of `ctl list`, without its heading.
fn keys(listing: &str) -> Vec<&str> {
    listing.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect()
}

#[test]
fn a_million_entries_of_each_family_are_listed_and_flushed_exactly_while_others_come_and_go() {
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
    wait_for("two million entries", LIMIT, || (appliance.totals().entries == BOTH as u64).then_some(()));
    wait_for("the link to the generator", LIMIT, || appliance.totals().ports[1].link_up.then_some(()));

    // Learned entries keep their aging of ten minutes; new ones get one second.
    for family in ["-4", "-6"] {
        run(appliance.ctl().args(["table", family, "--profile", "0=1000"]));
    }
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
    for (family, due) in [(None, BOTH), (Some("-4"), MILLION), (Some("-6"), MILLION)] {
        let mut list = appliance.ctl();
        list.arg("list").args(family).args(["filter", "key.input_port = port0"]);
        assert_eq!(count(&mut list), due, "{family:?}");
    }
    let listing = run(appliance.ctl().arg("list"));
    let keys = keys(&listing);
    let distinct: HashSet<&str> = keys.iter().copied().collect();
    assert_eq!(distinct.len(), keys.len(), "no entry twice");
    assert_eq!(keys.iter().filter(|key| key.starts_with("port0/")).count(), BOTH);
    assert!(keys.len() > BOTH, "those that come and go are in it");
    assert!(expired() > before, "and did so meanwhile");

    // A filter that no entry passes lets only the marks pass, FLUSHED among them.
    let mut watch = Running::spawn(appliance.ctl().args(["watch", "-o", "json", "filter", "prio", "=", "0"]));
    appliance.wait_watchers(1);
    let deleted = || appliance.stats().0.lcores.iter().map(|lcore| lcore.deleted).sum::<u64>();
    assert_eq!(deleted(), 0);
    let flushed = run(appliance.ctl().args(["flush", "filter", "key.input_port", "=", "port0"]));
    assert_eq!(flushed, format!("{BOTH} deleted\n"));
    assert_eq!(deleted(), BOTH as u64);
    let ends: Vec<Event> = watch.wait_lines(Stream::Stdout, LIMIT, |lines| {
        let events = lines.iter().map(|line| serde_json::from_str::<Event>(line).expect("an event"));
        let ends: Vec<_> = events.filter(|event| event.r#type() == EventType::Flushed).collect();
        (ends.len() == 2).then_some(ends)
    });
    let mut ends: Vec<_> =
        ends.iter().map(|end| (&*end.pipeline, end.deleted, end.failed, &*end.dataplane)).collect();
    ends.sort_unstable();
    let due = |pipeline| (pipeline, MILLION as u64, 0, DATAPLANE);
    assert_eq!(ends, [due("flowtracker"), due("flowtracker_ipv6")]);

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
