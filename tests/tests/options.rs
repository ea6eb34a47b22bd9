//! Options, tested from outside by their effects: the file of `--config`, unix sockets, several
//! data planes on one control service, timer profiles and accounting. The options that decide about
//! frames are in `outcomes.rs`.
#![forbid(unsafe_code)]

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use conntrack::test_support::frame::{Ipv4Frame, distinct_flows};
use flowtracker_proto::v1;
use flowtracker_tests::appliance::{Appliance, DATAPLANE, LIMIT, polling};
use flowtracker_tests::grpcurl::Grpcurl;
use flowtracker_tests::netns::Namespace;
use flowtracker_tests::pcap;
use flowtracker_tests::process::{Running, Stream, binary, cpu, run, wait_for};
use serde::de::DeserializeOwned;
use serde_json::json;
use tempfile::TempDir;

const A: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 0, 0, 1), 36876);
const B: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 0, 0, 2), 1234);

/// The default of `--control` and of `ctl --server`, which is free in every namespace of a test.
const ADDRESS: &str = "127.0.0.1:50051";

/// Writes `frames` to a capture in `folder`, and returns the devices that receive them on port0.
fn devices(folder: &Path, frames: &[Vec<u8>]) -> [String; 2] {
    let path = folder.join("in.pcap");
    pcap::write_frames(&path, frames).expect("written");
    [format!("net_pcap0,rx_pcap={}", path.display()), "net_null0,no-rx=1".to_owned()]
}

/// Starts a data plane in `namespace` that receives `frames` and has no options but `options`.
fn dataplane(namespace: &Namespace, folder: &TempDir, frames: &[Vec<u8>], options: &[&str]) -> Running {
    let mut command = polling(namespace.command("nice"));
    command.env("RUNTIME_DIRECTORY", folder.path());
    command.arg(format!("--lcores=0@{}", cpu()));
    command.args(["--no-huge", "--no-shconf", "--no-pci", "-m", "256"]);
    command.arg(format!("--file-prefix=ftoptions{}", std::process::id()));
    for device in devices(folder.path(), frames) {
        command.arg(format!("--vdev={device}"));
    }
    Running::spawn(command.arg("--").args(options))
}

/// Waits until `ctl dataplanes` shows exactly these data planes, all of them attached and synced.
fn wait_attached(ctl: impl Fn() -> Command, names: &[&str]) {
    wait_for(&format!("{names:?} attach"), LIMIT, || {
        let output = ctl().args(["dataplanes", "-o", "json"]).output().expect("ctl runs");
        let all: Vec<v1::Dataplane> = messages(&String::from_utf8_lossy(&output.stdout));
        let mut found: Vec<_> =
            all.iter().filter(|d| d.attached && d.synced).map(|d| d.name.as_str()).collect();
        found.sort_unstable();
        (found == names).then_some(())
    });
}

/// Parses the output of `ctl -o json`, which has one message per line.
fn messages<T: DeserializeOwned>(text: &str) -> Vec<T> {
    text.lines().map(|line| serde_json::from_str(line).expect("a message a line")).collect()
}

/// Returns the entries that `ctl list` shows.
fn listed(ctl: &mut Command) -> Vec<v1::Entry> {
    messages(&run(ctl.args(["list", "-o", "json"])))
}

#[test]
fn a_configuration_file_is_obeyed_and_flags_win() {
    let alone = Namespace::new("options");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("control.sock");
    let mut control = alone.command(binary("flowtracker-control"));
    let control = Running::spawn(control.args(["--listen", "127.0.0.1:0", "--unix"]).arg(&socket));

    let file = folder.path().join("ft.toml");
    let text = format!(
        "control = \"unix:{}\"\n\
         id = \"from-file\"\n\
         capacity = 40\n\
         protocols = [\"tcp\", \"udp\"]\n\
         timer-profiles = [600000, 700000]\n\
         learn-profile = 1\n\
         permissions = 0x3dfe # with X for the control side\n\
         accounting = false\n\
         instructions = \"portable\"\n",
        socket.display()
    );
    std::fs::write(&file, text).expect("written");
    let frames: Vec<_> = distinct_flows(100).chain([Ipv4Frame::udp(A, B).build()]).collect();
    let path = file.to_str().expect("UTF-8");
    let mut dataplane = dataplane(&alone, &folder, &frames, &["--config", path, "--capacity", "50"]);

    // This needs no network: a unix socket is reachable from every network namespace.
    let ctl = || {
        let mut ctl = Command::new(binary("ctl"));
        ctl.env("FLOWTRACKER_SERVER", format!("unix:{}", socket.display()));
        ctl
    };
    wait_attached(ctl, &["from-file"]);
    wait_for("all frames are received", LIMIT, || {
        let stats: Vec<v1::GetStatsResponse> = messages(&run(ctl().args(["stats", "-o", "json"])));
        let outcomes = stats[0].dataplanes[0].lcores[0].outcomes?;
        (outcomes.miss_created + outcomes.miss_full == frames.len() as u64).then_some(())
    });
    let entries = listed(&mut ctl());
    assert_eq!(entries.len(), 50, "the flag's capacity, not the file's");
    for entry in entries {
        assert_eq!((entry.profile_id, entry.aging_ms), (1, 700_000));
        assert_eq!((entry.packets, entry.bytes), (0, 0), "nothing is counted");
        assert_eq!(entry.permissions, 0x1dbe);
    }
    // The log shows the settings in force, and where they come from.
    let line = dataplane.wait_line(Stream::Stderr, LIMIT, |line| line.contains("effective configuration"));
    for flag in [
        &format!("--config={path}"),
        "--id=from-file",
        "--capacity=50",
        "--protocols=tcp,udp",
        "--timer-profiles=600000,700000",
        "--learn-profile=1",
        "--permissions=0x3dfe",
        "--accounting=off",
        "--instructions=portable",
        "--burst=32",
    ] {
        assert!(line.split(' ').any(|word| word == flag), "no {flag} in {line}");
    }
    dataplane.wait_line(Stream::Stderr, LIMIT, |line| line.ends_with("instructions: portable"));
    assert_eq!(dataplane.terminate().code(), Some(0), "{}", dataplane.output());
    drop(control);
}

#[test]
fn two_data_planes_share_a_control_service() {
    let alone = Namespace::new("options");
    let mut control = alone.command(binary("flowtracker-control"));
    let control = Running::spawn(control.args(["--listen", ADDRESS]));
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a temporary folder"));
    let frames = [Ipv4Frame::tcp(A, B).build(), Ipv4Frame::tcp(B, A).build()];
    let planes = ["left", "right"];
    let mut running = Vec::new();
    for ((name, folder), frame) in planes.iter().zip(&folders).zip(&frames) {
        let options = ["--id", name, "--timer-profiles=600000"];
        running.push(dataplane(&alone, folder, std::slice::from_ref(frame), &options));
    }
    // An empty variable counts as unset, so the default address is used.
    let ctl = || {
        let mut ctl = alone.command(binary("ctl"));
        ctl.env("FLOWTRACKER_SERVER", "");
        ctl
    };
    wait_attached(ctl, &planes);

    for (name, src_port) in [("left", A.1), ("right", B.1)] {
        let entry = wait_for("its only flow", LIMIT, || listed(ctl().args(["--dataplane", name])).pop());
        assert_eq!(entry.dataplane, name);
        assert_eq!(entry.key.expect("an entry has a key").src_port, u32::from(src_port));
    }

    // The data plane must be named, and the error lists the choices.
    let output = ctl().arg("list").output().expect("ctl runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert_eq!(complaint, "ctl: --dataplane: must name one of: left, right\n");
    let grpcurl = Grpcurl::new(ADDRESS, Some(&alone));
    let refused =
        grpcurl.call_all::<v1::ListEntriesResponse>("ListEntries", &json!({})).expect_err("refused");
    assert_eq!(refused.code, "InvalidArgument", "{}", refused.text);
    assert!(refused.text.contains("left, right"), "{}", refused.text);
    let output = ctl().args(["--dataplane", "middle", "list"]).output().expect("ctl runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("middle"), "{output:?}");

    // With a single data plane left, its name may be omitted.
    let mut right = running.pop().expect("two were started");
    assert_eq!(right.terminate().code(), Some(0), "{}", right.output());
    wait_for("the choice is clear", LIMIT, || {
        ctl().arg("list").output().expect("ctl runs").status.success().then_some(())
    });
    assert_eq!(listed(&mut ctl()).len(), 1);
    drop((running, control));
}

#[test]
fn entries_are_learned_with_the_chosen_timer_profile() {
    let alone = Namespace::new("options");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let frames: Vec<_> = distinct_flows(20).collect();
    let devices = devices(folder.path(), &frames);
    let start = |learn: &str| {
        let options = ["--timer-profiles=600000,1,700000", "--learn-profile", learn];
        let appliance = Appliance::start(&alone, &devices, &options);
        appliance.wait_forwarded(frames.len() as u64);
        appliance
    };

    let slow = start("2");
    let entries = slow.entries();
    assert_eq!(entries.len(), frames.len());
    assert!(entries.iter().all(|e| (e.profile_id, e.aging_ms) == (2, 700_000)), "{entries:?}");
    slow.stop();

    let fast = start("1");
    wait_for("every entry expires", LIMIT, || {
        let lcore = &fast.stats().0.lcores[0];
        (lcore.expired == frames.len() as u64 && lcore.entries == 0).then_some(())
    });
    assert_eq!(fast.entries(), []);
    fast.stop();
}

#[test]
fn without_accounting_entries_count_nothing_and_frames_still_do() {
    let alone = Namespace::new("options");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let frames = vec![Ipv4Frame::tcp(A, B).build(); 3];
    let devices = devices(folder.path(), &frames);
    let options = ["--timer-profiles=600000", "--accounting=off"];
    let appliance = Appliance::start(&alone, &devices, &options);
    let stats = appliance.wait_forwarded(frames.len() as u64);

    let outcomes = stats.lcores[0].outcomes.expect("outcomes are always there");
    assert_eq!((outcomes.miss_created, outcomes.hit), (1, 2));
    let entries = appliance.entries();
    assert_eq!(entries.iter().map(|e| (e.packets, e.bytes)).collect::<Vec<_>>(), [(0, 0)]);
    // A dash, unlike a zero, shows that nothing was counted.
    let list = run(appliance.ctl().args(["--dataplane", DATAPLANE, "list"]));
    let columns: Vec<_> = list.lines().nth(1).expect("an entry").split_whitespace().collect();
    assert_eq!(columns[4..], ["-", "-"], "{list}");
    appliance.stop();
}
