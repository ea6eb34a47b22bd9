//! `perf events`: the rate of events from an lcore to its watchers, and their delay. Generator,
//! data plane, control service and watchers are the real programs and share this machine's cores.
//!
//! The generator offers new flows at a rate; each is created, and deleted by its timer a second
//! later, so there are twice as many events. A rate is *sustained* when every watcher got every
//! event (no GAP, no missing number), the lcore's ring never refused one, no port lost a frame, and
//! no watcher is more than a tenth of a second behind at the end.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use flowtracker_proto::v1;
use flowtracker_tests::grpcurl::Grpcurl;
use flowtracker_tests::process::{Running, Stream, binary, wait_for};
use flowtracker_tests::tls::Certificates;

use crate::watch::Seen;

/// Aging of every entry.
const AGING_MS: u64 = 1_000;
const START: Duration = Duration::from_secs(60);

/// The running programs.
pub(crate) struct Rig {
    watchers: Vec<Running>,
    traffic: Running,
    dataplane: Running,
    control: Running,
    grpcurl: Grpcurl<'static>,
    uri: String,
    _folder: tempfile::TempDir,
}

/// CPU time of each part since it was started.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu {
    /// The polling lcore.
    pub(crate) lcore: f64,
    /// The rest of the data plane: the exporter.
    pub(crate) exporter: f64,
    /// The control service.
    pub(crate) control: f64,
    /// All watchers together.
    pub(crate) watchers: f64,
    /// The generator.
    pub(crate) traffic: f64,
}

impl Cpu {
    fn since(self, before: Self) -> Self {
        Self {
            lcore: self.lcore - before.lcore,
            exporter: self.exporter - before.exporter,
            control: self.control - before.control,
            watchers: self.watchers - before.watchers,
            traffic: self.traffic - before.traffic,
        }
    }
}

/// The result of one measurement at one rate.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Events per second that the generator was set to.
    pub(crate) offered: f64,
    /// Events per second that the slowest watcher received.
    pub(crate) delivered: f64,
    /// Events that the lcore's ring refused for the moment.
    pub(crate) deferred: u64,
    /// Events lost to watchers, and announced by a GAP.
    pub(crate) lost: u64,
    /// Missing numbers without a GAP.
    pub(crate) unannounced: u64,
    /// Events by which the slowest watcher was behind the service at the end.
    pub(crate) behind: u64,
    /// Frames that the ports lost.
    pub(crate) missed: u64,
    /// CPU seconds per second.
    pub(crate) cpu: Cpu,
    /// Delays of the first watcher, if it records them: percentiles 50, 99 and 99.9, microseconds.
    pub(crate) delay_us: [u32; 3],
}

impl Row {
    /// Returns the sustained rate. More events may have been delivered than offered, if some were
    /// left from the previous rate.
    fn rate(&self) -> f64 {
        self.delivered.min(self.offered)
    }

    /// Returns true if no event was lost, refused or left behind.
    pub(crate) fn sustained(&self) -> bool {
        self.deferred == 0
            && self.lost == 0
            && self.unannounced == 0
            && self.missed == 0
            && self.delivered >= 0.98 * self.offered
            // A tenth of a second's events.
            && (self.behind as f64) < 0.1 * self.offered
    }
}

impl Rig {
    /// Starts everything, with `watchers` watchers. `delays` makes them record delays; `apart`
    /// reserves CPU 1 for the lcore; with `certificates` the watchers come over TLS, all others by a
    /// unix socket.
    pub(crate) fn start(
        watchers: usize,
        delays: bool,
        apart: bool,
        certificates: Option<&Certificates>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("memif.sock");
        let program = |path: &Path| {
            if !apart {
                return Command::new(path);
            }
            // DPDK places its lcore itself.
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(path);
            command
        };
        let mut control = program(&binary("flowtracker-control"));
        control.args(["--listen", "127.0.0.1:0", "--http", "off"]);
        let unix = folder.path().join("control.sock");
        if let Some(certificates) = certificates {
            control.arg("--tls-cert").arg(certificates.path("server.pem"));
            control.arg("--tls-key").arg(certificates.path("server.key"));
            control.arg("--unix").arg(&unix);
        }
        let mut control = Running::spawn(&mut control);
        let listening =
            control.wait_line(Stream::Stderr, START, |line| line.contains("listening on 127.0.0.1:"));
        let address = listening.split_whitespace().find(|word| word.starts_with("127.0.0.1:"));
        let address = address.expect("the address that it listens on").to_owned();

        let eal = |command: &mut Command, name: &str, lcores: &str, role: &str| {
            command.env("RUNTIME_DIRECTORY", folder.path());
            command.args(["-l", lcores, "--no-huge", "--no-shconf", "--no-pci", "-m", "512"]);
            command.arg(format!("--file-prefix=ftevents{name}{}", std::process::id()));
            command.arg(format!(
                "--vdev=net_memif0,role={role},id=0,rsize=14,socket-abstract=no,socket={}",
                socket.display()
            ));
        };
        // Built with this program.
        let this = std::env::current_exe().expect("the path of this program");
        let mut traffic = program(&this.with_file_name("traffic"));
        eal(&mut traffic, "traffic", "0", "server");
        let mut traffic = Running::spawn(&mut traffic);
        traffic.wait_line(Stream::Stdout, START, |line| line == "ready");

        let mut dataplane = program(&binary("flowtracker-dataplane"));
        eal(&mut dataplane, "ours", "0,1", "client");
        dataplane.args(["--vdev=net_null0,no-rx=1", "--", "--id=perf", "--capacity=4194304"]);
        dataplane.arg(format!("--timer-profiles={AGING_MS}"));
        let secure = certificates.is_some();
        let link = if secure { format!("unix:{}", unix.display()) } else { format!("http://{address}") };
        dataplane.arg(format!("--control={link}"));
        let dataplane = Running::spawn(&mut dataplane);
        let grpcurl = Grpcurl::new(if secure { unix.to_str().expect("UTF-8") } else { &address }, None);
        wait_for("the data plane attaches", START, || grpcurl.is_attached("perf").then_some(()));
        wait_for("the link to the generator", START, || grpcurl.stats().0.ports[0].link_up.then_some(()));

        let uri = format!("{}://{address}", if secure { "https" } else { "http" });
        let watch = || {
            let mut watcher = program(&this);
            watcher.arg("watch").arg(&uri).args(delays.then_some("delays"));
            if let Some(certificates) = certificates {
                watcher.arg("ca").arg(certificates.path("ca.pem"));
            }
            Running::spawn(&mut watcher)
        };
        let all: Vec<_> = (0..watchers).map(|_| watch()).collect();
        let here = || (grpcurl.stats().1.watchers as usize == watchers).then_some(());
        wait_for("the watchers watch", START, here);
        Self { watchers: all, traffic, dataplane, control, grpcurl, uri, _folder: folder }
    }

    /// Offers `rate` events per second, which takes half as many new flows.
    pub(crate) fn offer(&mut self, rate: f64) {
        self.traffic.write_stdin(&format!("new {}\n", rate / 2.0));
    }

    fn ask_watchers(&mut self) -> Vec<Seen> {
        self.watchers
            .iter_mut()
            .map(|watcher| {
                let before = watcher.text(Stream::Stdout).lines().count();
                watcher.write_stdin("?\n");
                watcher.wait_lines(Stream::Stdout, START, |lines| {
                    lines.get(before).map(|line| serde_json::from_str(line).expect("an answer"))
                })
            })
            .collect()
    }

    fn cpu(&self) -> Cpu {
        let process = |program: &Running| cpu_seconds(&format!("/proc/{}/stat", program.pid()));
        let tasks = format!("/proc/{}/task", self.dataplane.pid());
        let lcore = fs::read_dir(tasks)
            .expect("a running process")
            .filter_map(Result::ok)
            .filter(|task| {
                let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
                ["rte-worker", "lcore-worker", "dpdk-worker"].iter().any(|worker| name.starts_with(worker))
            })
            .map(|task| cpu_seconds(&task.path().join("stat").display().to_string()))
            .sum();
        Cpu {
            lcore,
            exporter: process(&self.dataplane) - lcore,
            control: process(&self.control),
            watchers: self.watchers.iter().map(process).sum(),
            traffic: process(&self.traffic),
        }
    }

    /// Returns the memory of the control service, bytes (resident set size).
    pub(crate) fn control_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.control.pid())).unwrap_or_default();
        let kib =
            status.lines().find_map(|l| l.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
        1024 * kib.unwrap_or(0u64)
    }

    /// Measures for `time`, at the offered rate.
    pub(crate) fn measure(&mut self, offered: f64, time: Duration) -> Row {
        let (stats, _) = self.grpcurl.stats();
        let cpu = self.cpu();
        self.ask_watchers();
        let since = Instant::now();
        std::thread::sleep(time);
        let (_, log) = self.grpcurl.stats();
        let seen = self.ask_watchers();
        let elapsed = since.elapsed().as_secs_f64();
        let cpu = self.cpu().since(cpu);
        let (after, _) = self.grpcurl.stats();
        let sum = |stats: &v1::DataplaneStats, counter: fn(&v1::LcoreStats) -> u64| -> u64 {
            stats.lcores.iter().map(counter).sum()
        };
        let missed = |stats: &v1::DataplaneStats| -> u64 {
            stats.ports.iter().map(|p| p.rx_missed + p.rx_errors + p.rx_nombuf).sum()
        };
        let per_second = |n: f64| n / elapsed;
        Row {
            offered,
            delivered: seen.iter().map(|s| per_second(s.events as f64)).fold(f64::INFINITY, f64::min),
            deferred: sum(&after, |l| l.events_deferred) - sum(&stats, |l| l.events_deferred),
            lost: seen.iter().map(|s| s.lost).sum(),
            unannounced: seen.iter().map(|s| s.unannounced).sum(),
            behind: seen.iter().map(|s| log.last_seq.saturating_sub(s.last_seq)).max().unwrap_or(0),
            missed: missed(&after) - missed(&stats),
            cpu: Cpu {
                lcore: per_second(cpu.lcore),
                exporter: per_second(cpu.exporter),
                control: per_second(cpu.control),
                watchers: per_second(cpu.watchers),
                traffic: per_second(cpu.traffic),
            },
            delay_us: [0.5, 0.99, 0.999].map(|share| seen.first().map_or(0, |s| s.percentile_us(share))),
        }
    }
}

/// Offered rates, events a second.
const LADDER: [f64; 10] = [50e3, 100e3, 150e3, 200e3, 250e3, 300e3, 350e3, 400e3, 500e3, 600e3];
/// Number of streams that are never read.
const STUCK: usize = 100;

/// Prints all figures of `perf events`. `rounds` and `seconds` bound the time that it takes.
pub(crate) fn run(rounds: usize, seconds: u64) {
    println!("Events from an lcore to watchers, all on {} cores.", cores());
    println!();
    println!(
        "| watchers | sustained events/s, median | rounds | CPU at that rate: lcore, exporter, control, watchers, generator |"
    );
    println!("|---:|---:|:---|:---|");
    let mut plain = 0.0;
    for watchers in [1, 10] {
        let best = climbs(rounds, watchers, seconds, None);
        let rates: Vec<String> = best.iter().map(|row| format!("{:.0}k", row.rate() / 1e3)).collect();
        let row = &best[best.len() / 2];
        let Cpu { lcore, exporter, control, watchers: seen, traffic } = row.cpu;
        println!(
            "| {watchers} | {:.0} | {} | {lcore:.2}, {exporter:.2}, {control:.2}, {seen:.2}, {traffic:.2} |",
            row.rate(),
            rates.join(", ")
        );
        if watchers == 1 {
            plain = row.rate();
        }
    }
    println!();
    let certificates = Certificates::new("perf");
    let best = climbs(rounds, 1, seconds, Some(&certificates));
    let secure = best[best.len() / 2].rate();
    println!("One watcher over TLS: {secure:.0} sustained events/s, {:.2} of those without.", secure / plain);
    println!();
    delay(seconds);
    memory();
}

/// Climbs as often as there are rounds; the result is in the order of the rates.
fn climbs(rounds: usize, watchers: usize, seconds: u64, certificates: Option<&Certificates>) -> Vec<Row> {
    let mut best: Vec<Row> = (0..rounds).map(|_| climb(watchers, seconds, certificates)).collect();
    best.sort_by(|a, b| a.offered.total_cmp(&b.offered));
    best
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Returns the highest sustained rate of the ladder, which is climbed from the bottom.
fn climb(watchers: usize, seconds: u64, certificates: Option<&Certificates>) -> Row {
    let mut rig = Rig::start(watchers, false, false, certificates);
    let mut best: Option<Row> = None;
    for rate in LADDER {
        rig.offer(rate);
        // Waits until entries expire as fast as they are created, and the new rate is steady.
        std::thread::sleep(Duration::from_millis(2 * AGING_MS));
        let row = rig.measure(rate, Duration::from_secs(seconds));
        assert_eq!(row.unannounced, 0, "a hole that nobody announced: {row:?}");
        if !row.sustained() {
            break;
        }
        best = Some(row);
    }
    best.expect("the lowest rung holds")
}

/// Measures the delay from packet to watcher under a light load.
fn delay(seconds: u64) {
    const RATE: f64 = 10e3;
    for (apart, where_to) in [(false, "all CPUs shared"), (true, "CPU 1 left to the lcore")] {
        let mut rig = Rig::start(1, true, apart, None);
        rig.offer(RATE);
        std::thread::sleep(Duration::from_millis(3 * AGING_MS));
        let row = rig.measure(RATE, Duration::from_secs(2 * seconds));
        let [p50, p99, p999] = row.delay_us.map(|us| f64::from(us) / 1000.0);
        println!(
            "Delay from packet to watcher at {RATE} events/s, {where_to}: p50 {p50:.1} ms, p99 {p99:.1} ms, p99.9 {p999:.1} ms."
        );
    }
}

/// Measures the memory of the control service with a full log, and with streams that are never
/// read.
fn memory() {
    const RETAIN: u64 = 1_048_576;
    const ENTRIES: u64 = 100_000;
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let mut rig = Rig::start(0, false, false, None);
    let empty = rig.control_memory();
    rig.offer(150e3);
    wait_for("the log is full", START, || (rig.grpcurl.stats().1.last_seq > RETAIN + 1000).then_some(()));
    rig.offer(0.0);
    wait_for("the table is empty", START, || (rig.grpcurl.entries().is_empty()).then_some(()));
    let full = rig.control_memory();
    rig.traffic.write_stdin(&format!("keep {ENTRIES} 3\n"));
    wait_for("entries are kept", START, || {
        (rig.grpcurl.stats().0.lcores[0].entries >= ENTRIES).then_some(())
    });
    let before = rig.control_memory();
    let mut stuck = Command::new(std::env::current_exe().expect("the path of this program"));
    let mut stuck = Running::spawn(stuck.args(["stuck", &rig.uri, &STUCK.to_string()]));
    stuck.wait_line(Stream::Stdout, START, |line| line == "stuck");
    rig.offer(100e3);
    let seen = rig.grpcurl.stats().1.last_seq;
    wait_for("the log has gone round", START, || {
        (rig.grpcurl.stats().1.last_seq > seen + RETAIN).then_some(())
    });
    let after = rig.control_memory();
    println!(
        "Memory of the control service: {:.0} MiB at start, {:.0} MiB with {RETAIN} retained events and no entry, \
         {:.0} MiB with {ENTRIES} entries as well, {:.0} MiB with {STUCK} watchers more that have asked for a snapshot \
         and read nothing while the log went round.",
        mib(empty),
        mib(full),
        mib(before),
        mib(after)
    );
}

/// Returns the user and system time of a process or thread, from its `stat` file.
fn cpu_seconds(stat: &str) -> f64 {
    /// USER_HZ, which Linux promises to user space.
    const TICKS_PER_SECOND: f64 = 100.0;
    let text = fs::read_to_string(Path::new(stat)).unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|t| t.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / TICKS_PER_SECOND
}
