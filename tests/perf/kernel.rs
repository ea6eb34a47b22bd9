//! The kernel's own connection tracker next to flowtracker: the same rate of new flows, a listener
//! on each, and the events that the listeners miss.
//!
//! ```text
//!   CPU 1                                            CPU 0
//!   traffic ─ veth ─ nf_conntrack ─ forward ─ x      conntrack -E ─ counted here
//!   dataplane's worker (memif in, net_null out)      traffic, control, ctl watch ─ counted here
//! ```
//!
//! **The kernel.** SYNs enter a namespace that forwards them to a port whose far end is down: they
//! pass nf_conntrack, are confirmed on the way out and vanish in the driver. There are no replies,
//! so a flow is one NEW and, when the kernel removes it, one DESTROY. A rule of nftables counts the
//! packets in state NEW; less `insert_failed` and `drop` they are the entries created. The kernel
//! removes an entry that has timed out when a packet visits its bucket, when a program reads the
//! table, or by a collector that may come a minute later. So the expected events are one NEW per
//! entry created, and one DESTROY per entry that is gone by the end.
//!
//! **flowtracker.** `miss_created` and `expired` of GetStats are the expected events; `ctl watch -o
//! json` is the listener.
//!
//! Everything except the processing of packets shares CPU 0, on both sides. That includes
//! flowtracker's generator, because its worker has CPU 1 for itself.

use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use flowtracker_tests::appliance::{LIMIT, Setup};
use flowtracker_tests::netns::Namespace;
use flowtracker_tests::process::{Running, Stream, run as run_command, wait_for};
use flowtracker_tests::rounds::Rounds;
use serde_json::Value;

/// Idle time after which a flow is deleted, on both sides.
const AGING: Duration = Duration::from_secs(1);
/// Capacity of both tables, entries.
const CAPACITY: u64 = 2 << 20;
/// The buffer size that `conntrack -b 134217728` requests, doubled as the kernel does.
const BIG_BUFFER: u64 = 2 * 134_217_728;
/// Time between two checks of a state that settles.
const LOOK: Duration = Duration::from_millis(200);
/// Destination of the flows. No host has this address.
const SERVER: &str = "10.0.0.2";

const CONNTRACK_MAX: &str = "/proc/sys/net/netfilter/nf_conntrack_max";
const RMEM_DEFAULT: &str = "/proc/sys/net/core/rmem_default";

/// The measurements to make.
pub(crate) struct Plan {
    /// New flows per second.
    pub(crate) rates: Vec<u64>,
    /// Number of measurements at each rate.
    pub(crate) rounds: usize,
    /// Length of each measurement.
    pub(crate) seconds: u64,
    /// Whether, with the big buffer, the table is read at the end, which removes the entries that
    /// have timed out.
    pub(crate) read_out: bool,
    /// Number of flows for the flush; 0 means no flush.
    pub(crate) flush: u64,
    /// The generator.
    pub(crate) traffic: PathBuf,
}

/// The listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listener {
    /// `conntrack -E` with its defaults.
    Conntrack,
    /// The same with a socket buffer of 128 MiB.
    ConntrackBig,
    /// `ctl watch`.
    Flowtracker,
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conntrack => "conntrack -E",
            Self::ConntrackBig => "conntrack -E, 128 MiB",
            Self::Flowtracker => "flowtracker",
        })
    }
}

/// One measurement of one listener at one rate.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Flows whose first packet the generator made.
    pub(crate) offered: u64,
    /// Flows among them that its port did not take.
    pub(crate) refused: u64,
    /// Entries created.
    pub(crate) created: u64,
    /// Entries that were gone at the end.
    pub(crate) deleted: u64,
    /// Number of NEW or CREATED that arrived.
    pub(crate) created_events: u64,
    /// Number of DESTROY or DELETED that arrived.
    pub(crate) deleted_events: u64,
    /// Events that the program knows to be lost: `Drops` of the kernel's socket, or the ranges of
    /// GAP events.
    pub(crate) known_lost: u64,
    /// Time from the end of the load to the last event.
    pub(crate) behind: Duration,
    /// Lines that report the loss, each with its number.
    pub(crate) said: Vec<(String, usize)>,
}

impl Sample {
    fn due(&self) -> u64 {
        self.created + self.deleted
    }

    fn delivered(&self) -> u64 {
        self.created_events + self.deleted_events
    }

    /// Returns the number of expected events that did not arrive.
    #[must_use]
    pub(crate) fn lost(&self) -> u64 {
        self.due().saturating_sub(self.delivered())
    }
}

/// One listener at one rate.
pub(crate) struct Row {
    /// Rate of new flows per second.
    pub(crate) rate: u64,
    /// The listener.
    pub(crate) listener: Listener,
    /// The measurements by round.
    pub(crate) samples: Vec<Sample>,
}

/// The result of `conntrack -F`, which deletes every entry at once.
pub(crate) struct Flush {
    /// The listener.
    pub(crate) listener: Listener,
    /// Entries before the flush.
    pub(crate) flows: u64,
    /// DESTROY events that arrived.
    pub(crate) arrived: u64,
    /// Events that the kernel counted as not delivered.
    pub(crate) drops: u64,
    /// Lines that report the loss, each with its number.
    pub(crate) said: Vec<(String, usize)>,
}

/// All results.
pub(crate) struct Report {
    seconds: u64,
    /// By rate, then by listener.
    pub(crate) rows: Vec<Row>,
    /// By round and listener.
    pub(crate) flushes: Vec<Flush>,
}

/// Measures each rate with each listener, round by round.
///
/// # Panics
/// When a program does not start, or the machine lacks a requirement: root, nf_conntrack,
/// `conntrack`, `nft`.
#[must_use]
pub(crate) fn run(plan: &Plan) -> Report {
    // Children inherit the CPU; DPDK's lcores go where `-l` puts them.
    run_command(Command::new("taskset").args(["-apc", "0", &std::process::id().to_string()]));
    let host = Host::new();
    let _room = Setting::at_least(CONNTRACK_MAX, CAPACITY);
    let listeners = [Listener::Conntrack, Listener::ConntrackBig, Listener::Flowtracker];
    let mut rows: Vec<Row> = (plan.rates.iter())
        .flat_map(|&rate| listeners.map(|listener| Row { rate, listener, samples: Vec::new() }))
        .collect();
    let mut flushes = Vec::new();
    for round in 0..plan.rounds {
        for at_rate in rows.chunks_mut(listeners.len()) {
            // Every second round runs in reverse order, so that drift affects all alike.
            let measure = |row: &mut Row| {
                row.samples.push(match row.listener {
                    Listener::Flowtracker => flowtracker(plan, row.rate),
                    listener => host.conntrack(plan, listener, row.rate),
                });
            };
            if round % 2 == 0 {
                at_rate.iter_mut().for_each(measure);
            } else {
                at_rate.iter_mut().rev().for_each(measure);
            }
        }
        if plan.flush > 0 {
            for listener in [Listener::Conntrack, Listener::ConntrackBig] {
                flushes.push(host.flush(plan, listener));
            }
        }
    }
    Report { seconds: plan.seconds, rows, flushes }
}

/// A number under `/proc/sys`, restored when dropped.
struct Setting {
    path: &'static str,
    before: String,
}

impl Setting {
    fn at_least(path: &'static str, wanted: u64) -> Self {
        let before = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let now: u64 = before.trim().parse().unwrap_or_else(|error| panic!("{path}: {error}: {before}"));
        if now < wanted {
            fs::write(path, wanted.to_string()).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
        Self { path, before }
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        // This may run in a panic, so errors are ignored.
        let _ = fs::write(self.path, &self.before);
    }
}

/// Counts of the lines that a listener has printed so far.
#[derive(Default)]
struct Tally {
    created: AtomicU64,
    deleted: AtomicU64,
    /// Events that its GAP events report as lost.
    gaps: AtomicU64,
    gap_events: AtomicU64,
    /// True between a GAP and SYNCED: what arrives then is present entries, not events.
    catching_up: AtomicBool,
}

impl Tally {
    /// Counts a line of `conntrack -E`.
    fn conntrack(&self, line: &[u8]) {
        match line.trim_ascii_start() {
            [b'[', b'N', b'E', b'W', b']', ..] => self.created.fetch_add(1, Ordering::Relaxed),
            [b'[', b'D', b'E', b'S', b'T', b'R', b'O', b'Y', b']', ..] => {
                self.deleted.fetch_add(1, Ordering::Relaxed)
            }
            _ => panic!("conntrack printed {:?}", String::from_utf8_lossy(line)),
        };
    }

    /// Counts a line of `ctl watch -o json`.
    fn ctl(&self, line: &[u8]) {
        // The type is near the start. To parse each line as JSON would take more time than ctl has.
        const TYPE: &[u8] = b"\"type\":\"EVENT_TYPE_";
        let at = line.windows(TYPE.len()).position(|part| part == TYPE).expect("an event has a type");
        let kind = &line[at + TYPE.len()..];
        if kind.starts_with(b"CREATED") {
            if !self.catching_up.load(Ordering::Relaxed) {
                self.created.fetch_add(1, Ordering::Relaxed);
            }
        } else if kind.starts_with(b"DELETED") {
            self.deleted.fetch_add(1, Ordering::Relaxed);
        } else if kind.starts_with(b"SYNCED") {
            self.catching_up.store(false, Ordering::Relaxed);
        } else if kind.starts_with(b"GAP") {
            let event: Value = serde_json::from_slice(line).expect("JSON");
            let seq = |name: &str| -> u64 {
                event[name].as_str().and_then(|text| text.parse().ok()).expect("a sequence number")
            };
            self.gaps.fetch_add(seq("gapTo") + 1 - seq("gapFrom"), Ordering::Relaxed);
            self.gap_events.fetch_add(1, Ordering::Relaxed);
            self.catching_up.store(true, Ordering::Relaxed);
        }
    }

    fn events(&self) -> (u64, u64) {
        (self.created.load(Ordering::Relaxed), self.deleted.load(Ordering::Relaxed))
    }

    /// Returns the number of events that arrived or are known to be lost.
    fn accounted(&self) -> u64 {
        let (created, deleted) = self.events();
        created + deleted + self.gaps.load(Ordering::Relaxed)
    }
}

/// A program that prints events, and a thread that counts them.
struct Counted {
    process: Running,
    tally: Arc<Tally>,
    _folder: tempfile::TempDir,
}

impl Counted {
    /// Starts the program. Its standard output goes through a named pipe, because [`Running`] keeps
    /// all that it reads, and this is a million lines.
    fn spawn(command: &Command, count: fn(&Tally, &[u8])) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let pipe = folder.path().join("events");
        run_command(Command::new("mkfifo").arg(&pipe));
        let mut shell = Command::new("sh");
        shell.args(["-c", r#"exec "$@" >"$0""#]).arg(&pipe);
        shell.arg(command.get_program()).args(command.get_args());
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let process = Running::spawn(&mut shell);
        let tally = Arc::new(Tally::default());
        let counts = Arc::clone(&tally);
        std::thread::spawn(move || {
            let mut lines = BufReader::with_capacity(1 << 20, fs::File::open(pipe).expect("a named pipe"));
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).expect("readable") > 0 {
                count(&counts, &line);
                line.clear();
            }
        });
        Self { process, tally, _folder: folder }
    }
}

/// The traffic generator.
struct Generator {
    process: Running,
    reports: usize,
    // Dropped after the process: DPDK keeps its run-time files here.
    _folder: tempfile::TempDir,
}

impl Generator {
    fn start(mut command: Command, lcore: &str, vdev: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        command.env("RUNTIME_DIRECTORY", folder.path());
        command.args(["-l", lcore, "--no-huge", "--no-shconf", "--no-pci", "-m", "512"]);
        command.arg(format!("--file-prefix=fttraffic{}", std::process::id()));
        command.arg(format!("--vdev={vdev}"));
        let mut process = Running::spawn(command.arg("--").args(options));
        process.wait_line(Stream::Stdout, LIMIT, |line| line == "ready");
        Self { process, reports: 0, _folder: folder }
    }

    /// Sends new flows for some time. Returns their number, and the number that its port did not
    /// take.
    fn load(&mut self, rate: u64, seconds: u64) -> (u64, u64) {
        self.process.write_stdin(&format!("new {rate}\n"));
        std::thread::sleep(Duration::from_secs(seconds));
        self.process.write_stdin("new 0\n");
        self.sent()
    }

    /// Returns the new flows so far, and the frames that the port did not take.
    fn sent(&mut self) -> (u64, u64) {
        self.process.write_stdin("report\n");
        let nth = self.reports;
        self.reports += 1;
        self.process.wait_lines(Stream::Stdout, LIMIT, |lines| {
            // sent S dropped D new N
            let report = lines.iter().filter(|line| line.starts_with("sent ")).nth(nth)?;
            let word = |n| report.split(' ').nth(n).and_then(|word| word.parse().ok()).expect("a number");
            Some((word(5), word(3)))
        })
    }
}

/// A namespace whose kernel tracks the packets that it forwards, and the namespace that sends to
/// it.
struct Host {
    sender: Namespace,
    tracker: Namespace,
    mac: String,
}

/// A listening socket, as `/proc/net/netlink` shows it.
struct Socket {
    /// Bytes that are waiting to be read.
    waiting: u64,
    /// Messages that it dropped.
    drops: u64,
}

impl Host {
    fn new() -> Self {
        let (sender, tracker) = (Namespace::new("sender"), Namespace::new("tracker"));
        let ip = |args: &[&str]| run_command(tracker.command("ip").args(args));
        ip(&["link", "add", "port0", "type", "veth", "peer", "name", "eth0", "netns", sender.name()]);
        // The far end stays down: frames that leave by port1 are dropped by its queue, after
        // nf_conntrack has seen them.
        ip(&["link", "add", "port1", "type", "veth", "peer", "name", "nowhere"]);
        ip(&["address", "add", "10.0.0.1/24", "dev", "port1"]);
        sender.set_link("eth0", true);
        tracker.set_link("port0", true);
        tracker.set_link("port1", true);
        ip(&["neighbour", "add", SERVER, "lladdr", "02:00:00:00:00:02", "dev", "port1"]);
        let script = "table ip lab {
            counter created { }
            chain forward {
                type filter hook forward priority 0; policy accept;
                ct state new counter name created
            }
        }";
        run_command(tracker.command("nft").arg(script));
        run_command(tracker.command("sysctl").args([
            "-qw",
            "net.ipv4.ip_forward=1",
            "net.ipv4.conf.all.rp_filter=0",
            "net.ipv4.conf.port0.rp_filter=0",
        ]));
        let mac = run_command(tracker.command("cat").arg("/sys/class/net/port0/address")).trim().to_owned();
        let host = Self { sender, tracker, mac };
        host.set_timeout(AGING);
        host
    }

    fn set_timeout(&self, timeout: Duration) {
        let setting = format!("net.netfilter.nf_conntrack_tcp_timeout_syn_sent={}", timeout.as_secs());
        run_command(self.tracker.command("sysctl").args(["-qw", &setting]));
    }

    fn generator(&self, plan: &Plan) -> Generator {
        let device = "net_af_packet0,iface=eth0,qdisc_bypass=1";
        let options = ["--mac", &self.mac, "--dst", SERVER];
        Generator::start(self.sender.command(&plan.traffic), "1", device, &options)
    }

    /// Starts a listener on an empty table.
    fn listen(&self, listener: Listener) -> Counted {
        run_command(self.tracker.command("conntrack").arg("-F"));
        wait_for("the kernel's table is empty", LIMIT, || (self.entries() == 0).then_some(()));
        // Option -b of conntrack 1.4.7 sets the buffer of a socket other than the one that it
        // listens on. The default size applies to all sockets.
        let buffer =
            (listener == Listener::ConntrackBig).then(|| Setting::at_least(RMEM_DEFAULT, BIG_BUFFER));
        let mut command = self.tracker.command("conntrack");
        command.args(["-E", "-e", "NEW,DESTROY"]);
        let counted = Counted::spawn(&command, Tally::conntrack);
        wait_for("conntrack listens", LIMIT, || self.socket());
        drop(buffer);
        counted
    }

    fn read(&self, path: &str) -> String {
        run_command(self.tracker.command("cat").arg(path))
    }

    fn entries(&self) -> u64 {
        self.read("/proc/sys/net/netfilter/nf_conntrack_count").trim().parse().expect("a number")
    }

    /// Returns the socket that is subscribed to NEW and DESTROY.
    fn socket(&self) -> Option<Socket> {
        let sockets = self.read("/proc/net/netlink");
        // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
        let columns = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let found = columns.into_iter().find(|columns| columns[1] == "12" && columns[3] == "00000005")?;
        let number = |column: usize| found[column].parse().expect("a number");
        Some(Socket { waiting: number(4), drops: number(8) })
    }

    /// Returns the number of entries created since the namespace was made.
    fn created(&self) -> u64 {
        let text =
            run_command(self.tracker.command("nft").args(["-j", "list", "counter", "ip", "lab", "created"]));
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        let objects = answer["nftables"].as_array().expect("a list");
        let packets = objects.iter().find_map(|object| object["counter"]["packets"].as_u64());
        // cpu=0 found=0 invalid=0 insert=0 insert_failed=0 drop=0 …
        let stats = run_command(self.tracker.command("conntrack").arg("-S"));
        let refused = stats.split_whitespace().filter_map(|word| match word.split_once('=')? {
            ("insert_failed" | "drop", count) => count.parse::<u64>().ok(),
            _ => None,
        });
        packets.expect("a counter") - refused.sum::<u64>()
    }

    /// Waits until every event has arrived or is lost, and no more entries are deleted. Returns the
    /// number of entries left, the number of messages that the socket dropped, and the time of the
    /// last event.
    fn settle(&self, tally: &Tally) -> (u64, u64, Instant) {
        let look = || (self.entries(), self.socket().expect("conntrack listens"), tally.events());
        let mut last = look();
        let mut grown = Instant::now();
        wait_for("the events stop", LIMIT, || {
            std::thread::sleep(LOOK);
            let now = look();
            if now.2 != last.2 {
                grown = Instant::now();
            }
            let quiet = now.1.waiting == 0 && (now.0, now.1.drops, now.2) == (last.0, last.1.drops, last.2);
            last = now;
            quiet.then_some(())
        });
        (last.0, last.1.drops, grown)
    }

    fn conntrack(&self, plan: &Plan, listener: Listener, rate: u64) -> Sample {
        let mut counted = self.listen(listener);
        let mut generator = self.generator(plan);
        let before = self.created();
        let (offered, refused) = generator.load(rate, plan.seconds);
        let end = Instant::now();
        let (mut left, mut drops, last) = self.settle(&counted.tally);
        if plan.read_out && listener == Listener::ConntrackBig {
            wait_for("the time of all flows is up", LIMIT, || {
                run_command(self.tracker.command("conntrack").arg("-L"));
                (self.entries() == 0).then_some(())
            });
            (left, drops, _) = self.settle(&counted.tally);
        }
        let created = self.created() - before;
        let (created_events, deleted_events) = counted.tally.events();
        counted.process.terminate();
        Sample {
            offered,
            refused,
            created,
            deleted: created - left,
            created_events,
            deleted_events,
            known_lost: drops,
            behind: last.saturating_duration_since(end),
            said: complaints(&counted.process),
        }
    }

    /// Fills the table, then flushes it at once.
    fn flush(&self, plan: &Plan, listener: Listener) -> Flush {
        self.set_timeout(Duration::from_secs(600));
        let mut counted = self.listen(listener);
        let mut generator = self.generator(plan);
        generator.process.write_stdin(&format!("burst {}\n", plan.flush));
        generator.sent();
        let (flows, drops_before, _) = self.settle(&counted.tally);
        let said_before = complaints(&counted.process);
        // Runs beside the listener.
        let flush = ["-c", "1", "conntrack", "-F"];
        run_command(self.tracker.command("taskset").args(flush));
        let (left, drops, _) = self.settle(&counted.tally);
        assert_eq!(left, 0, "entries after a flush");
        let (_, arrived) = counted.tally.events();
        counted.process.terminate();
        self.set_timeout(AGING);
        let mut said = complaints(&counted.process);
        for (line, count) in &mut said {
            *count -= said_before.iter().find(|(before, _)| before == line).map_or(0, |(_, count)| *count);
        }
        said.retain(|(_, count)| *count > 0);
        Flush { listener, flows, arrived, drops: drops - drops_before, said }
    }
}

/// Returns the lines of conntrack on standard error, without its closing summary.
fn complaints(process: &Running) -> Vec<(String, usize)> {
    let mut said: Vec<(String, usize)> = Vec::new();
    for line in process.text(Stream::Stderr).lines() {
        if line.contains("flow events have been shown") {
            continue;
        }
        match said.iter_mut().find(|(known, _)| known == line) {
            Some((_, count)) => *count += 1,
            None => said.push((line.to_owned(), 1)),
        }
    }
    said
}

fn flowtracker(plan: &Plan, rate: u64) -> Sample {
    let namespace = Namespace::new("ours");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let memif = |number: u8, role: &str| memif(folder.path(), number, role);
    let mut generator = Generator::start(Command::new(&plan.traffic), "0", &memif(0, "server"), &[]);
    let aging = AGING.as_millis().to_string();
    let devices = [memif(0, "client"), "net_null1,no-rx=1".to_owned()];
    let mut appliance = Setup::new(&namespace, &devices)
        .lcores("0@0,1@1")
        .at_usual_priority()
        .options(&["--timer-profiles", &aging, "--capacity", &CAPACITY.to_string()])
        .start();
    appliance.dataplane().wait_line(Stream::Stderr, LIMIT, |line| {
        line.contains("port0 (net_memif0)") && line.contains("link up")
    });
    let mut watch = appliance.ctl();
    watch.args(["watch", "-o", "json"]);
    let mut counted = Counted::spawn(&watch, Tally::ctl);
    appliance.wait_watchers(1);

    let (offered, refused) = generator.load(rate, plan.seconds);
    let end = Instant::now();
    let totals = wait_for("all flows have expired", LIMIT, || {
        std::thread::sleep(LOOK);
        let (stats, _) = appliance.stats();
        let sum =
            |counter: fn(&flowtracker_proto::v1::LcoreStats) -> u64| stats.lcores.iter().map(counter).sum();
        let entries: u64 = sum(|lcore| lcore.entries);
        let rx: u64 = sum(|lcore| lcore.rx);
        let created: u64 = sum(|lcore| lcore.outcomes.map_or(0, |outcomes| outcomes.miss_created));
        let expired: u64 = sum(|lcore| lcore.expired);
        (entries == 0 && rx >= created && created == expired).then_some((created, expired))
    });
    let (created, deleted) = totals;
    wait_for("every event has arrived or is known to be lost", LIMIT, || {
        (counted.tally.accounted() >= created + deleted).then_some(())
    });
    let behind = end.elapsed();
    let (created_events, deleted_events) = counted.tally.events();
    counted.process.terminate();
    let gaps = counted.tally.gap_events.load(Ordering::Relaxed);
    let known_lost = counted.tally.gaps.load(Ordering::Relaxed);
    let said = (gaps > 0).then(|| ("EVENT_TYPE_GAP, from and to".to_owned(), gaps as usize));
    appliance.stop();
    Sample {
        offered,
        refused,
        created,
        deleted,
        created_events,
        deleted_events,
        known_lost,
        behind,
        said: said.into_iter().collect(),
    }
}

fn memif(folder: &Path, number: u8, role: &str) -> String {
    let socket = folder.join("memif.sock");
    format!("net_memif{number},role={role},id=0,socket-abstract=no,rsize=14,socket={}", socket.display())
}

/// Returns the main complaint and its count, as a range over the rounds.
fn says<'a>(rounds: impl Iterator<Item = &'a [(String, usize)]>) -> String {
    let warning = |said: &'a [(String, usize)]| {
        let warning = said.iter().find(|(line, _)| line.contains("WARNING")).or_else(|| said.first());
        warning.map_or(("", 0), |(line, times)| (line.as_str(), *times))
    };
    let (mut least, mut most) = (usize::MAX, ("", 0));
    for said in rounds.map(warning) {
        least = least.min(said.1);
        if said.1 > most.1 {
            most = said;
        }
    }
    match most {
        (_, 0) => "–".to_owned(),
        (line, times) if times == least => format!("{times} × \"{line}\""),
        (line, times) => format!("{least}–{times} × \"{line}\""),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_second = |count: f64| count / self.seconds as f64;
        writeln!(
            f,
            "| asked for, flows/s | listener | offered/s | created/s | events due | delivered | lost | range | last event after | says |"
        )?;
        writeln!(f, "|---:|:---|---:|---:|---:|---:|---:|:---:|---:|:---|")?;
        for row in &self.rows {
            let of = |value: fn(&Sample) -> f64| Rounds(row.samples.iter().map(value).collect()).median();
            let share = |sample: &Sample| 100.0 * sample.lost() as f64 / sample.due().max(1) as f64;
            let shares = Rounds(row.samples.iter().map(share).collect());
            let says = says(row.samples.iter().map(|sample| sample.said.as_slice()));
            writeln!(
                f,
                "| {} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.1} % | {} | {:.1} s | {says} |",
                row.rate,
                row.listener,
                per_second(of(|s| s.offered as f64)),
                per_second(of(|s| s.created as f64)),
                of(|s| s.due() as f64),
                of(|s| s.delivered() as f64),
                shares.median(),
                shares.spread(1),
                of(|s| s.behind.as_secs_f64()),
            )?;
        }
        writeln!(f)?;
        let all = || self.rows.iter().flat_map(|row| row.samples.iter().map(|sample| (row.listener, sample)));
        for (ours, counter) in [
            (false, "by conntrack -E; Drops of its sockets"),
            (true, "by flowtracker's watcher; said by GAP events"),
        ] {
            let samples = || all().filter(|(who, _)| (*who == Listener::Flowtracker) == ours);
            let sum = |count: fn(&Sample) -> u64| samples().map(|(_, sample)| count(sample)).sum::<u64>();
            let (offered, refused, created) = (sum(|s| s.offered), sum(|s| s.refused), sum(|s| s.created));
            let (lost, known) = (sum(Sample::lost), sum(|s| s.known_lost));
            writeln!(f, "{lost} events lost {counter}: {known}.")?;
            writeln!(
                f,
                "{offered} flows offered, {refused} refused by the generator's port, {created} created."
            )?;
        }
        if !self.flushes.is_empty() {
            writeln!(f)?;
            writeln!(f, "| conntrack -F of | listener | DESTROY that arrived | lost | Drops | says |")?;
            writeln!(f, "|---:|:---|---:|---:|---:|:---|")?;
        }
        for flush in &self.flushes {
            let lost = flush.flows - flush.arrived;
            let says = says(std::iter::once(flush.said.as_slice()));
            writeln!(
                f,
                "| {} | {} | {} | {lost} ({:.1} %) | {} | {says} |",
                flush.flows,
                flush.listener,
                flush.arrived,
                100.0 * lost as f64 / flush.flows.max(1) as f64,
                flush.drops
            )?;
        }
        Ok(())
    }
}
