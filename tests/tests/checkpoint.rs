//! A data plane that is stopped or killed goes on from its checkpoint, and watchers see no event of
//! the entries that live on.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::process::Command;

use conntrack::test_support::frame::{self, Ipv6Frame};
use flowtracker_proto::v1::{self, DeleteReason, EventType};
use flowtracker_tests::appliance::{LIMIT, polling};
use flowtracker_tests::pcap;
use flowtracker_tests::process::{Running, Stream, binary, cpu, wait_for};
use rustix::process::Signal;
use tempfile::TempDir;

const FLOWS: u64 = 300;
const FLOWS6: u16 = 200;
/// Flows of IPv4 of which packets come after the restart too.
const AGAIN: u64 = 50;
/// Aging of the entry that expires, in milliseconds.
const SHORT: u64 = 12_000;

/// The folder of a test, with a control service and a watcher.
struct Lab {
    // Fields drop in this order.
    watcher: Option<Running>,
    _control: Running,
    folder: TempDir,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("control.sock");
        let mut control = Command::new(binary("flowtracker-control"));
        control.args(["--listen", "127.0.0.1:0", "--http", "off", "--unix"]).arg(socket);
        Lab { watcher: None, _control: Running::spawn(&mut control), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a data plane under this name on these frames.
    fn dataplane(&self, id: &str, frames: &[Vec<u8>], options: &[&str]) -> Running {
        let capture = self.path("in.pcap");
        pcap::write_frames(&capture, frames).expect("write the capture");
        let mut dataplane = polling(Command::new("nice"));
        dataplane.env("RUNTIME_DIRECTORY", self.folder.path());
        dataplane.arg(format!("--lcores=0@{}", cpu()));
        dataplane.args(["--no-huge", "--no-shconf", "--no-pci", "-m", "256"]);
        dataplane.arg(format!("--file-prefix=ftcheckpoint{}", std::process::id()));
        dataplane.arg(format!("--vdev=net_pcap0,rx_pcap={}", capture.display()));
        dataplane.args(["--vdev=net_null0,no-rx=1", "--"]).arg(format!("--id={id}"));
        dataplane.arg(format!("--timer-profiles=600000,{SHORT}"));
        dataplane.arg(format!("--control=unix:{}", self.path("control.sock").display()));
        dataplane.arg(format!("--checkpoint={}", self.path("checkpoint").display())).args(options);
        Running::spawn(&mut dataplane)
    }

    fn ctl(&self, args: &[&str]) -> Command {
        let mut ctl = Command::new(binary("ctl"));
        ctl.arg(format!("--server=unix:{}", self.path("control.sock").display())).args(args);
        ctl
    }

    fn create(&self, key: &str, attributes: &[&str]) {
        let output = self.ctl(&["create", key]).args(attributes).output().expect("ctl runs");
        assert!(output.status.success(), "{output:?}");
    }

    /// Waits until the data plane `test` is attached, with all of its entries known.
    fn wait_synced(&self, entries: impl Fn(u64) -> bool) {
        wait_for("every entry is known", LIMIT, || {
            let output = self.ctl(&["dataplanes", "-o", "json"]).output().expect("ctl runs");
            let lines = String::from_utf8_lossy(&output.stdout).into_owned();
            let known = lines.lines().filter_map(|line| serde_json::from_str::<v1::Dataplane>(line).ok());
            let known: Vec<_> = known.filter(|known| known.name == "test").collect();
            known.iter().any(|known| known.attached && known.synced && entries(known.entries)).then_some(())
        });
    }

    /// Returns the entries by their keys.
    fn list(&self) -> BTreeMap<String, v1::Entry> {
        let output = self.ctl(&["list", "-o", "json"]).output().expect("ctl runs");
        assert!(output.status.success(), "{output:?}");
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let entries = lines.lines().map(|line| serde_json::from_str(line).expect("an Entry a line"));
        entries.map(|entry: v1::Entry| (key(&entry), entry)).collect()
    }

    /// Starts the watcher, and waits for the end of its snapshot.
    fn watch(&mut self) {
        let watcher = Running::spawn(&mut self.ctl(&["watch", "-o", "json", "--from", "snapshot"]));
        let watcher = self.watcher.insert(watcher);
        watcher.wait_line(Stream::Stdout, LIMIT, |line| event(line).r#type() == EventType::Synced);
    }

    /// Returns what the watcher has seen since its snapshot, without marks.
    fn seen(&self) -> Vec<v1::Event> {
        let text = self.watcher.as_ref().expect("it runs").text(Stream::Stdout);
        let events = text.lines().map(event).skip_while(|event| event.r#type() != EventType::Synced);
        events.filter(|e| !matches!(e.r#type(), EventType::Synced | EventType::Progress)).collect()
    }
}

fn event(line: &str) -> v1::Event {
    serde_json::from_str(line).expect("an Event a line")
}

fn key(entry: &v1::Entry) -> String {
    format!("{:?}", entry.key)
}

/// The first packets of flows of both families.
fn frames() -> Vec<Vec<u8>> {
    let host = |n| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n);
    let ipv6 = (0..FLOWS6).map(|port| Ipv6Frame::tcp((host(1), port), (host(2), 80)).build());
    frame::distinct_flows(FLOWS).chain(ipv6).collect()
}

const ALL: u64 = FLOWS + FLOWS6 as u64;

/// What must not change while an entry lives.
fn identity(entry: &v1::Entry) -> impl PartialEq + std::fmt::Debug + use<> {
    let attributes = (entry.permissions, entry.dynamic, entry.profile_id, entry.aging_ms);
    (entry.create_time, entry.created_by.clone(), entry.updated_by.clone(), attributes)
}

fn terminate(dataplane: &mut Running) {
    assert_eq!(dataplane.terminate().code(), Some(0), "{}", dataplane.output());
}

#[test]
fn a_restart_forgets_nothing_and_is_silent() {
    let mut lab = Lab::new();
    let mut dataplane = lab.dataplane("test", &frames(), &[]);
    lab.wait_synced(|entries| entries == ALL);
    let (static_key, short_key) = ("port0/tcp/10.9.0.1:1-10.9.0.2:2", "port0/tcp/10.9.0.1:3-10.9.0.2:4");
    lab.create(static_key, &[]);
    lab.create(short_key, &["--dynamic", "--aging", &SHORT.to_string()]);
    lab.watch();
    let before = lab.list();
    assert_eq!(before.len() as u64, ALL + 2);
    terminate(&mut dataplane);
    let text = dataplane.text(Stream::Stderr);
    assert!(text.contains(&format!("{} entries are in ", ALL + 2)), "{text}");

    let again: Vec<_> = frame::distinct_flows(AGAIN).collect();
    let mut dataplane = lab.dataplane("test", &again, &[]);
    dataplane.wait_line(Stream::Stderr, LIMIT, |line| line.contains("linked to"));
    lab.wait_synced(|entries| entries == ALL + 2 || entries == ALL + 1);

    // The entry with the short aging goes when it would have gone.
    let gone = wait_for("the short entry expires", LIMIT, || lab.seen().into_iter().next());
    assert_eq!(gone.r#type(), EventType::Deleted, "{gone:?}");
    let entry = gone.entry.clone().expect("of an entry");
    let known = before.values().find(|e| e.aging_ms == SHORT).expect("it was listed");
    assert_eq!(key(&entry), key(known));
    assert_eq!(identity(&entry), identity(known));
    assert_eq!(entry.last_used_time, known.last_used_time, "a restart is no use");
    if gone.reason() == DeleteReason::Idle {
        let ms = |time: Option<flowtracker_proto::Timestamp>| {
            let time = time.expect("a time");
            time.seconds * 1000 + i64::from(time.nanos) / 1_000_000
        };
        let idle = ms(gone.time) - ms(entry.last_used_time);
        assert!(idle >= SHORT as i64, "{idle} ms");
    } else {
        // The restart took longer than that, and it went before there was a link.
        assert_eq!(gone.reason(), DeleteReason::Resync);
    }

    // All others live on, with their counters, and nothing was said about them.
    let after = lab.list();
    assert_eq!(lab.seen().len(), 1, "{:?}", lab.seen());
    let mut meant = before;
    meant.retain(|_, entry| entry.aging_ms != SHORT);
    assert_eq!(after.keys().collect::<Vec<_>>(), meant.keys().collect::<Vec<_>>());
    for (key, entry) in &after {
        assert_eq!(identity(entry), identity(&meant[key]), "{key}");
    }
    let with_packets = |packets| after.values().filter(|e| e.packets == packets).count() as u64;
    assert_eq!((with_packets(0), with_packets(1), with_packets(2)), (1, ALL - AGAIN, AGAIN));
    terminate(&mut dataplane);

    // The file is this data plane's alone.
    let mut other = lab.dataplane("other", &[], &[]);
    let told = other.wait_line(Stream::Stderr, LIMIT, |line| line.contains("is not restored: "));
    assert!(told.contains(r#"it has --id "test"; here --id is "other"; the tables are empty"#), "{told}");
    other.wait_line(Stream::Stderr, LIMIT, |line| line.contains("linked to"));
    terminate(&mut other);
    assert!(lab.path("checkpoint.refused").exists(), "it is kept");
}

#[test]
fn one_that_is_killed_goes_on_from_its_last_file() {
    let mut lab = Lab::new();
    let mut dataplane = lab.dataplane("test", &frames(), &["--checkpoint-every=1"]);
    lab.wait_synced(|entries| entries == ALL);
    // The second file was begun after the entries were there.
    for _ in 0..2 {
        let file = lab.path("checkpoint");
        let _ = std::fs::remove_file(&file);
        wait_for("a file is written", LIMIT, || file.exists().then_some(()));
    }
    lab.watch();
    let before = lab.list();
    dataplane.signal(Signal::KILL);
    dataplane.wait(LIMIT);

    let mut dataplane = lab.dataplane("test", &[], &["--checkpoint-every=1"]);
    dataplane.wait_line(Stream::Stderr, LIMIT, |line| {
        line.contains(&format!("{ALL} entries of ")) && line.contains(" are restored; left out: 0 ")
    });
    dataplane.wait_line(Stream::Stderr, LIMIT, |line| line.contains("linked to"));
    lab.wait_synced(|entries| entries == ALL);
    let after = lab.list();
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert_eq!(lab.seen(), []);
    terminate(&mut dataplane);
}

/// A purge is remembered, and no packet makes an entry before the program is attached again.
#[test]
fn a_detached_table_stays_detached() {
    let lab = Lab::new();
    let mut dataplane = lab.dataplane("test", &frames(), &[]);
    lab.wait_synced(|entries| entries == ALL);
    let purge = |lab: &Lab, word: &str| {
        let output = lab.ctl(&[word]).output().expect("ctl runs");
        assert!(output.status.success(), "{output:?}");
    };
    purge(&lab, "purge");
    terminate(&mut dataplane);
    let mut dataplane = lab.dataplane("test", &frames(), &[]);
    dataplane.wait_line(Stream::Stderr, LIMIT, |line| line.contains("linked to"));
    lab.wait_synced(|entries| entries == 0);
    terminate(&mut dataplane);
    let text = dataplane.text(Stream::Stderr);
    assert!(text.contains("detached=") && !text.contains("miss_created="), "{text}");
}
