//! The control service may be absent, die and come back: packets are forwarded all the same, and
//! the mirror receives the table again.
#![forbid(unsafe_code)]

use std::io::Read;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use conntrack::test_support::frame;
use flowtracker_proto::v1::{self, EventType};
use flowtracker_tests::appliance::{LIMIT, polling};
use flowtracker_tests::pcap;
use flowtracker_tests::process::{Running, Stream, binary, cpu, wait_for};
use rustix::process::Signal;

const FLOWS: u64 = 500;

fn control(socket: &Path) -> Running {
    let mut control = Command::new(binary("flowtracker-control"));
    control.args(["--listen", "127.0.0.1:0", "--http", "off", "--unix"]).arg(socket);
    Running::spawn(&mut control)
}

fn ctl(socket: &Path, args: &[&str]) -> Command {
    let mut ctl = Command::new(binary("ctl"));
    ctl.arg(format!("--server=unix:{}", socket.display())).args(args);
    ctl
}

/// Waits until the control service has every flow, and knows that these are all. A list does not
/// tell: the data plane answers it, and a snapshot is complete only as far as the resync has come.
fn wait_synced(socket: &Path) {
    wait_for("every flow is known", LIMIT, || {
        let output = ctl(socket, &["dataplanes", "-o", "json"]).output().expect("ctl runs");
        let known: v1::Dataplane = serde_json::from_slice(&output.stdout).ok()?;
        (known.synced && known.entries == FLOWS).then_some(())
    });
}

/// Returns the number of entries that the data plane lists.
fn listed(socket: &Path) -> usize {
    let output = ctl(socket, &["list"]).output().expect("ctl runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).lines().filter(|l| l.starts_with("port0/tcp/")).count()
}

/// Watches a snapshot, checks that its mark comes once and last, and returns the number of its
/// entries.
fn snapshot(socket: &Path) -> usize {
    let mut watch = Running::spawn(&mut ctl(socket, &["watch", "-o", "json", "--from", "snapshot"]));
    watch.wait_lines(Stream::Stdout, LIMIT, |lines| {
        let events: Vec<v1::Event> =
            lines.iter().map(|line| serde_json::from_str(line).expect("an Event a line")).collect();
        let mark = events.iter().position(|e| e.r#type() == EventType::Synced)?;
        assert!(events[..mark].iter().all(|e| e.r#type() == EventType::Created), "{events:?}");
        Some(mark)
    })
}

/// Starts the data plane on a capture, with a link to `socket`.
fn dataplane(folder: &Path, capture: &Path, socket: &Path) -> Running {
    let mut dataplane = polling(Command::new("nice"));
    dataplane.env("RUNTIME_DIRECTORY", folder);
    dataplane.arg(format!("--lcores=0@{}", cpu()));
    dataplane.args(["--no-huge", "--no-shconf", "--no-pci", "-m", "256"]);
    dataplane.arg(format!("--file-prefix=ftreconnect{}", std::process::id()));
    dataplane.arg(format!("--vdev=net_pcap0,rx_pcap={}", capture.display()));
    dataplane.args(["--vdev=net_null0,no-rx=1", "--", "--id=test", "--timer-profiles=600000"]);
    dataplane.arg(format!("--control=unix:{}", socket.display()));
    Running::spawn(&mut dataplane)
}

#[test]
fn the_mirror_is_told_again_whenever_the_control_service_comes_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("control.sock");
    let capture = folder.path().join("in.pcap");
    let frames: Vec<Vec<u8>> = frame::distinct_flows(FLOWS).collect();
    pcap::write_frames(&capture, &frames).expect("write the capture");

    // No service listens yet.
    let mut dataplane = dataplane(folder.path(), &capture, &socket);
    dataplane.wait_line(Stream::Stderr, LIMIT, |line| line.contains("no link to"));

    for _ in 0..3 {
        let mut control = control(&socket);
        control.wait_line(Stream::Stderr, LIMIT, |line| line.contains("attached"));
        wait_synced(&socket);
        assert_eq!(listed(&socket) as u64, FLOWS);
        assert_eq!(snapshot(&socket) as u64, FLOWS);
        // The service dies without a farewell, so the data plane has to notice by itself.
        control.signal(Signal::KILL);
        control.wait(LIMIT);
    }

    let status = dataplane.terminate();
    assert_eq!(status.code(), Some(0), "{}", dataplane.output());
    let text = dataplane.text(Stream::Stderr);
    assert!(text.contains(&format!("miss_created={FLOWS}")), "no packet waited for anybody: {text}");
}

/// A service accepts the connection and then sends nothing, as a stopped process does. The data
/// plane must be able to end before it has given the service up.
#[test]
fn an_end_does_not_wait_for_a_service_that_is_silent() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("control.sock");
    let capture = folder.path().join("in.pcap");
    let frames: Vec<Vec<u8>> = frame::distinct_flows(1).collect();
    pcap::write_frames(&capture, &frames).expect("write the capture");
    let silent = UnixListener::bind(&socket).expect("a socket");

    let mut dataplane = dataplane(folder.path(), &capture, &socket);
    let (mut connection, _) = silent.accept().expect("the data plane dials");
    // HTTP/2 has begun, so the request to attach is on its way.
    connection.read_exact(&mut [0; 24]).expect("the preface");

    assert_eq!(dataplane.terminate().code(), Some(0), "{}", dataplane.output());
    let text = dataplane.text(Stream::Stderr);
    assert!(!text.contains("no link to"), "it was given up: {text}");
}
