//! One program, one load, one measurement; or several programs in turns.

use std::cell::Cell;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use flowtracker_proto::v1;
use flowtracker_tests::grpcurl::Grpcurl;
use flowtracker_tests::hugepages::Hugepages;
use flowtracker_tests::process::{Running, Stream, binary, wait_for};
use flowtracker_tests::rounds::Rounds;
use rustix::process::Signal;
use serde_json::json;

use crate::source::{Counts, Load, Meter};
use crate::swallow::Swallow;

const START: Duration = Duration::from_secs(90);
/// How long a turn is, at least.
const TURN: Duration = Duration::from_millis(25);
/// How long before a turn a program has to find its caches as they were: what it takes to see every
/// flow twice at 20 M/s. With more flows than that, no cache holds them anyway.
const BEFORE_TURN: RangeInclusive<Duration> = Duration::from_millis(5)..=Duration::from_millis(100);

fn before_turn(flows: u64) -> Duration {
    Duration::from_micros(flows / 10).clamp(*BEFORE_TURN.start(), *BEFORE_TURN.end())
}

/// What forwards the frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// `dpdk-testpmd --forward-mode=io`.
    Testpmd,
    /// The data plane, with these options.
    Ours(Vec<String>),
    /// Its poll loop and engine around the real rte_hash, of so many entries.
    OnRteHash(u64),
}

/// What happens during the measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Meanwhile {
    /// Nothing; the control service swallows all events.
    #[default]
    Nothing,
    /// The real control service mirrors the table, and nobody asks.
    Mirrored,
    /// It lists the table, again and again.
    Dump,
    /// It empties the table, again and again.
    Flush,
    /// Watchers of it read nothing.
    StuckWatchers,
}

/// A measurement to be made.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    pub(crate) who: Who,
    pub(crate) load: Load,
    /// Where our programs are, when they are not this checkout's.
    pub(crate) programs: Option<PathBuf>,
    /// EAL's choice of lcores: main lcore and exporter on CPU 0, if there is room.
    pub(crate) lcores: &'static str,
    /// Whether mbufs are in hugepages.
    pub(crate) hugepages: bool,
    /// Frames per burst.
    pub(crate) burst: u32,
    pub(crate) ports: u32,
    pub(crate) meanwhile: Meanwhile,
    /// Wait until so many frames were received before measuring.
    pub(crate) warm_up: u64,
    /// And until an entry has expired.
    pub(crate) expiring: bool,
}

impl Trial {
    /// On two ports, with one worker, hugepages and bursts of 32, after the flows have come twice.
    pub(crate) fn new(who: Who, load: Load) -> Self {
        let warm_up = 2 * load.flows.max(100_000);
        Trial {
            who,
            load,
            programs: None,
            lcores: "0,1",
            hugepages: true,
            burst: 32,
            ports: 2,
            meanwhile: Meanwhile::Nothing,
            warm_up,
            expiring: false,
        }
    }
}

/// What came of it.
pub(crate) struct Measured {
    /// Millions of frames a second; of turns the median.
    pub(crate) mpps: f64,
    /// From first to last, what passed between turns included.
    pub(crate) seconds: f64,
    pub(crate) counts: Counts,
    /// Counters of the data plane before and after, if it is ours and they can be had.
    pub(crate) stats: Option<(v1::DataplaneStats, v1::DataplaneStats)>,
    /// DELETED events that came too early, of those looked at.
    pub(crate) early: u64,
    /// What its memory is made of.
    pub(crate) pages: String,
}

impl Measured {
    /// What a counter of all lcores has grown by, millions a second.
    pub(crate) fn rate(&self, counter: impl Fn(&v1::LcoreStats) -> u64) -> f64 {
        let Some((before, after)) = &self.stats else { return f64::NAN };
        let sum = |stats: &v1::DataplaneStats| stats.lcores.iter().map(&counter).sum::<u64>();
        (sum(after) - sum(before)) as f64 / self.seconds / 1e6
    }

    /// End of the bucket, in milliseconds, within which this share of the expirations was late.
    pub(crate) fn lateness_ms(&self, share: f64) -> f64 {
        let Some((before, after)) = &self.stats else { return f64::NAN };
        let counts: Vec<u64> = (0..16)
            .map(|bucket| {
                let sum = |stats: &v1::DataplaneStats| -> u64 {
                    stats.lcores.iter().filter_map(|l| l.expiry_lateness_log2_ms.get(bucket)).sum()
                };
                sum(after) - sum(before)
            })
            .collect();
        let wanted = (counts.iter().sum::<u64>() as f64 * share).ceil() as u64;
        let mut seen = 0;
        let bucket = counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        if wanted == 0 { f64::NAN } else { bucket.map_or(f64::NAN, |bucket| f64::from(1 << bucket)) }
    }
}

/// What all trials share.
pub(crate) struct Bench {
    pub(crate) library: PathBuf,
    /// For mbufs, if they were to be had.
    pub(crate) hugepages: Option<Hugepages>,
    pub(crate) folder: PathBuf,
    pub(crate) seconds: f64,
    /// Programs started so far.
    pub(crate) started: Cell<u32>,
}

/// A program that has been warmed up.
struct Ready {
    program: Running,
    meter: Meter,
    control: Control,
    pages: String,
    _folder: tempfile::TempDir,
}

/// Who the data plane reports to.
enum Control {
    Nobody,
    Swallow(Swallow),
    Service { grpcurl: Grpcurl<'static>, uri: String, _service: Running },
}

impl Control {
    fn stats(&self) -> Option<v1::DataplaneStats> {
        match self {
            Control::Nobody => None,
            Control::Swallow(swallow) => swallow.stats(),
            Control::Service { grpcurl, .. } => {
                let all: v1::GetStatsResponse = grpcurl.call("GetStats", &json!({})).ok()?;
                all.dataplanes.into_iter().next().filter(|stats| stats.live)
            }
        }
    }
}

impl Bench {
    /// Runs the program until it has been measured.
    pub(crate) fn measure(&self, trial: &Trial) -> Measured {
        let Ready { mut program, meter, control, pages, .. } = self.start(trial);
        let asking = Asking::start(trial.meanwhile, &control);
        let stats = control.stats();
        let (before, since) = (meter.read(), Instant::now());
        std::thread::sleep(Duration::from_secs_f64(self.seconds));
        let (after, took) = (meter.read(), since.elapsed());
        let stats = stats.zip(control.stats());
        drop(asking);
        program.terminate();
        let early = match &control {
            Control::Swallow(swallow) => swallow.heard().early.load(Ordering::Relaxed),
            _ => 0,
        };
        let counts = after.since(&before);
        let mpps = counts.frames as f64 / took.as_secs_f64() / 1e6;
        Measured { mpps, seconds: took.as_secs_f64(), counts, stats, early, pages }
    }

    /// Starts all programs, and lets one at a time run, in turns of a few milliseconds: whatever
    /// else the host does, which may halve a CPU's speed for seconds, it does to all of them alike.
    pub(crate) fn measure_in_turns<'t>(&self, trials: impl Iterator<Item = &'t Trial>) -> Vec<Measured> {
        let mut all: Vec<Ready> = Vec::new();
        let mut flows = 0;
        for trial in trials {
            flows = flows.max(trial.load.flows);
            let ready = self.start(trial);
            ready.program.signal(Signal::STOP);
            all.push(ready);
        }
        let before_turn = before_turn(flows);
        let turn_takes = before_turn.max(TURN);
        let before: Vec<Counts> = all.iter().map(|ready| ready.meter.read()).collect();
        let since = Instant::now();
        let mut rates = vec![Rounds::default(); all.len()];
        let turns = (self.seconds / turn_takes.as_secs_f64()).ceil() as usize;
        for turn in 0..turns {
            for nth in 0..all.len() {
                // Every second time the other way about.
                let index = if turn % 2 == 0 { nth } else { all.len() - 1 - nth };
                let Ready { program, meter, .. } = &all[index];
                program.signal(Signal::CONT);
                std::thread::sleep(before_turn);
                let (before, since) = (meter.read(), Instant::now());
                std::thread::sleep(turn_takes);
                let (after, took) = (meter.read(), since.elapsed());
                program.signal(Signal::STOP);
                let frames = after.since(&before).frames;
                rates[index].0.push(frames as f64 / took.as_secs_f64() / 1e6);
            }
        }
        let seconds = since.elapsed().as_secs_f64();
        let measured = all.iter().zip(before).zip(rates).map(|((ready, before), rates)| {
            let counts = ready.meter.read().since(&before);
            // A stopped program hears nothing else.
            ready.program.signal(Signal::KILL);
            let pages = ready.pages.clone();
            Measured { mpps: rates.median(), seconds, counts, stats: None, early: 0, pages }
        });
        measured.collect()
    }

    /// Starts the program, and waits until all that comes before a measurement is over.
    fn start(&self, trial: &Trial) -> Ready {
        let folder = tempfile::tempdir_in(&self.folder).expect("a temporary folder");
        let meter = Meter::new(folder.path());
        let control = match (&trial.who, trial.meanwhile) {
            (Who::Ours(_), Meanwhile::Nothing) => Control::Swallow(Swallow::start(folder.path())),
            (Who::Ours(_), _) => service(folder.path()),
            _ => Control::Nobody,
        };
        let mut command = self.command(trial, &control, folder.path());
        meter.attach(&mut command, &self.library, &trial.load);
        let mut program = Running::spawn(&mut command);
        wait_for("the program forwards", START, || {
            assert!(program.is_running(), "it has ended:\n{}", program.output());
            (meter.read().frames >= trial.warm_up).then_some(())
        });
        if !matches!(control, Control::Nobody) {
            wait_for("the data plane is attached", START, || control.stats());
        }
        if let Control::Swallow(swallow) = &control
            && trial.load.fresh == 0
        {
            wait_for("the data plane has told of all flows", START, || swallow.is_quiet().then_some(()));
        }
        if trial.expiring {
            wait_for("an entry expires", START, || {
                let expired = |l: &v1::LcoreStats| l.expiry_lateness_log2_ms.iter().any(|count| *count != 0);
                control.stats()?.lcores.iter().any(expired).then_some(())
            });
        }
        let pages = pages(trial.hugepages && self.hugepages.is_some(), &program);
        Ready { program, meter, control, pages, _folder: folder }
    }

    fn command(&self, trial: &Trial, control: &Control, folder: &Path) -> Command {
        let mut eal: Vec<String> = ["--no-shconf", "--no-pci", "-m", "128"].map(str::to_owned).into();
        if trial.lcores.contains('@') {
            eal.push(format!("--lcores={}", trial.lcores));
        } else {
            eal.extend(["-l".to_owned(), trial.lcores.to_owned()]);
        }
        match &self.hugepages {
            Some(pages) if trial.hugepages => {
                eal.extend(["--huge-unlink".to_owned(), format!("--huge-dir={}", pages.folder().display())]);
            }
            _ => eal.push("--no-huge".to_owned()),
        }
        let nth = self.started.replace(self.started.get() + 1);
        eal.push(format!("--file-prefix=ftsource{}-{nth}", std::process::id()));
        eal.extend((0..trial.ports).map(|port| format!("--vdev=net_null{port},size=64")));
        let mut command = match &trial.who {
            Who::Testpmd => {
                let mut command = Command::new("dpdk-testpmd");
                command.args(&eal).args([
                    "--",
                    "--forward-mode=io",
                    "--auto-start",
                    "--total-num-mbufs=8191",
                ]);
                command.arg(format!("--burst={}", trial.burst));
                command.arg(format!("--nb-cores={}", if trial.lcores.contains('2') { 2 } else { 1 }));
                command
            }
            Who::Ours(options) => {
                const PROGRAM: &str = "flowtracker-dataplane";
                let elsewhere = trial.programs.as_ref().map(|folder| folder.join(PROGRAM));
                let mut command = Command::new(elsewhere.unwrap_or_else(|| binary(PROGRAM)));
                command.args(&eal).args(["--", "--id=perf"]).arg(format!("--burst={}", trial.burst));
                let uri = match control {
                    Control::Swallow(swallow) => swallow.uri(),
                    Control::Service { uri, .. } => uri.clone(),
                    Control::Nobody => unreachable!("ours has somebody to report to"),
                };
                command.arg(format!("--control={uri}")).args(options);
                command
            }
            Who::OnRteHash(entries) => {
                let mut command = Command::new(std::env::current_exe().expect("the path of this program"));
                command.args(["on-rte-hash", &entries.to_string()]);
                // The table is in the EAL's memory.
                let mib = 128 + entries * 200 / (1 << 20);
                eal.extend(["-m".to_owned(), mib.to_string()]);
                let first = eal.iter().position(|arg| arg == "-m").expect("some memory");
                eal.drain(first..first + 2);
                command.args(&eal);
                command
            }
        };
        command.env("RUNTIME_DIRECTORY", folder);
        command
    }
}

/// The real control service.
fn service(folder: &Path) -> Control {
    let mut command = Command::new(binary("flowtracker-control"));
    let socket = folder.join("control.sock");
    command.args(["--listen", "127.0.0.1:0", "--http", "off", "--unix"]).arg(&socket);
    let mut service = Running::spawn(&mut command);
    let listening = service.wait_line(Stream::Stderr, START, |line| line.contains("listening on 127.0.0.1:"));
    let address = listening
        .split_whitespace()
        .find(|word| word.starts_with("127.0.0.1:"))
        .expect("the address that it listens on");
    let grpcurl = Grpcurl::new(address, None);
    Control::Service { grpcurl, uri: format!("http://{address}"), _service: service }
}

/// A program of this lab that asks the control service for something as long as this lives.
struct Asking(#[expect(dead_code, reason = "ends with it")] Option<Running>);

impl Asking {
    fn start(meanwhile: Meanwhile, control: &Control) -> Self {
        let Control::Service { uri, grpcurl, .. } = control else { return Asking(None) };
        // The mirror is behind while the table is filled.
        let known = || -> Option<(u64, u64)> {
            let entries: v1::ListDataplanesResponse = grpcurl.call("ListDataplanes", &json!({})).ok()?;
            let table = control.stats()?.lcores.iter().map(|l| l.entries).sum();
            Some((entries.dataplanes.first()?.entries, table))
        };
        wait_for("the mirror is complete", START, || known().filter(|(mirror, table)| mirror == table));
        let this = std::env::current_exe().expect("the path of this program");
        let words: &[&str] = match meanwhile {
            Meanwhile::Dump => &["again", uri, "list"],
            Meanwhile::Flush => &["again", uri, "flush"],
            Meanwhile::StuckWatchers => &["stuck", uri, "10"],
            _ => return Asking(None),
        };
        let mut asking = Running::spawn(Command::new(this).args(words));
        asking.wait_line(Stream::Stdout, START, |_| true);
        Asking(Some(asking))
    }
}

/// What the program said about its memory.
fn pages(hugepages: bool, program: &Running) -> String {
    let mbufs = if hugepages { "mbufs in hugepages" } else { "mbufs in pages of 4 KiB" };
    let log = program.text(Stream::Stderr);
    let table = log.lines().find_map(|line| Some(line.split_once(" KiB hot; ")?.1.trim().to_owned()));
    match table {
        Some(table) => format!("{mbufs}; table: {table}"),
        None => mbufs.to_owned(),
    }
}
