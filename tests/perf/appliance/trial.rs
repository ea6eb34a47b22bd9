//! A measurement of one program under one load, or of several programs in turns.

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
/// Minimum length of a turn.
const TURN: Duration = Duration::from_millis(25);
/// Time that a program runs before its turn is measured, so that its caches are warm: long enough
/// to see every flow twice. No cache holds the flows of a larger load anyway.
const BEFORE_TURN: RangeInclusive<Duration> = Duration::from_millis(5)..=Duration::from_millis(100);

fn before_turn(flows: u64) -> Duration {
    Duration::from_micros(flows / 10).clamp(*BEFORE_TURN.start(), *BEFORE_TURN.end())
}

/// The program that forwards the frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// `dpdk-testpmd --forward-mode=io`.
    Testpmd,
    /// The data plane, with these options.
    Ours(Vec<String>),
    /// The poll loop and engine of the data plane around the real rte_hash, with room for this
    /// number of entries.
    OnRteHash(u64),
}

/// The other activity during the measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Meanwhile {
    /// None; the control service swallows all events.
    #[default]
    Nothing,
    /// The real control service mirrors the table, without other clients.
    Mirrored,
    /// The control service lists the table, again and again.
    Dump,
    /// The control service flushes the table, again and again.
    Flush,
    /// The control service has watchers that read nothing.
    StuckWatchers,
}

/// A measurement to make.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    pub(crate) who: Who,
    pub(crate) load: Load,
    /// Folder of the project's programs, when they are not this checkout's.
    pub(crate) programs: Option<PathBuf>,
    /// EAL's list of lcores: main lcore and exporter on CPU 0, if there is room.
    pub(crate) lcores: &'static str,
    /// Whether mbufs are in hugepages.
    pub(crate) hugepages: bool,
    /// Frames per burst.
    pub(crate) burst: u32,
    pub(crate) ports: u32,
    pub(crate) meanwhile: Meanwhile,
    /// Number of frames to receive before measuring.
    pub(crate) warm_up: u64,
    /// Whether to wait until an entry has expired, too.
    pub(crate) expiring: bool,
}

impl Trial {
    /// Returns a trial on two ports, with one worker, hugepages and bursts of 32, that starts to
    /// measure after every flow has come twice.
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

/// The results of a trial.
pub(crate) struct Measured {
    /// Millions of frames per second; the median of turns.
    pub(crate) mpps: f64,
    /// Time from start to end, including the time between turns.
    pub(crate) seconds: f64,
    pub(crate) counts: Counts,
    /// Counters of the data plane before and after, where the program provides them.
    pub(crate) stats: Option<(v1::DataplaneStats, v1::DataplaneStats)>,
    /// Number of DELETED events that came too early, among those that were checked.
    pub(crate) early: u64,
    /// The kind of its memory.
    pub(crate) pages: String,
}

impl Measured {
    /// Returns the growth of a counter, summed over all lcores, in millions per second.
    pub(crate) fn rate(&self, counter: impl Fn(&v1::LcoreStats) -> u64) -> f64 {
        let Some((before, after)) = &self.stats else { return f64::NAN };
        let sum = |stats: &v1::DataplaneStats| stats.lcores.iter().map(&counter).sum::<u64>();
        (sum(after) - sum(before)) as f64 / self.seconds / 1e6
    }

    /// Returns the end, in milliseconds, of the bucket of lateness that holds this quantile of the
    /// expirations.
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

/// The state that all trials share.
pub(crate) struct Bench {
    pub(crate) library: PathBuf,
    /// Hugepages for mbufs, if the machine has them.
    pub(crate) hugepages: Option<Hugepages>,
    pub(crate) folder: PathBuf,
    pub(crate) seconds: f64,
    /// Number of programs started so far.
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

/// The control service that the data plane reports to.
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

    /// Starts all programs and runs them one at a time, in turns of a few milliseconds.
    /// Disturbances by the host, which may slow a CPU for seconds, then affect all of them alike.
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
                // Every second turn is in reverse order.
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
            // A stopped program reacts to no other signal.
            ready.program.signal(Signal::KILL);
            let pages = ready.pages.clone();
            Measured { mpps: rates.median(), seconds, counts, stats: None, early: 0, pages }
        });
        measured.collect()
    }

    /// Starts the program, and waits until it is ready to be measured.
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
        // A chain of extension headers is longer than the shortest frame.
        let size = if trial.load.extensions == 0 { 64 } else { 160 };
        eal.extend((0..trial.ports).map(|port| format!("--vdev=net_null{port},size={size}")));
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

/// Starts the real control service.
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

/// A program of this lab that calls the control service repeatedly until this is dropped.
struct Asking(#[expect(dead_code, reason = "ends with it")] Option<Running>);

impl Asking {
    fn start(meanwhile: Meanwhile, control: &Control) -> Self {
        let Control::Service { uri, grpcurl, .. } = control else { return Asking(None) };
        // The mirror lags while the table is filled.
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

/// Returns the program's own description of its memory.
fn pages(hugepages: bool, program: &Running) -> String {
    let mbufs = if hugepages { "mbufs in hugepages" } else { "mbufs in pages of 4 KiB" };
    let log = program.text(Stream::Stderr);
    let table = log.lines().find_map(|line| Some(line.split_once(" KiB hot; ")?.1.trim().to_owned()));
    match table {
        Some(table) => format!("{mbufs}; table: {table}"),
        None => mbufs.to_owned(),
    }
}
