//! The perf lab. Without arguments it runs everything that compares the product with its peers, and
//! writes a report for the terminal, as JSON and as an HTML page. Each part has a file of its own
//! and can be run alone:
//!
//! | argument | what |
//! |---|---|
//! | `appliance [SECTION]` | the whole data plane next to `dpdk-testpmd` on ports that never run dry |
//! | `pcap` | the same on net_pcap |
//! | `tables [hugepages]` | the bare tables side by side |
//! | `one-line` | the bare table with flows that all want one line |
//! | `fills` | tables filled to the last entry |
//! | `events`, `kernel [SECONDS]`, `control` | what is no part of the report |
//! | `ab NAME PROGRAMS` | two revisions of the product |
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a program that prints a table")]

mod ab;
mod appliance;
mod bare;
mod control;
mod events;
mod fills;
mod kernel;
mod on_rte_hash;
mod one_line;
mod report;
mod source;
mod swallow;
mod tables;
mod watch;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use conntrack::test_support::frame;
use flowtracker_proto::v1;
use flowtracker_tests::grpcurl::Grpcurl;
use flowtracker_tests::pcap;
use flowtracker_tests::process::{Running, Stream, binary, run, wait_for, workspace_root};
use flowtracker_tests::rounds::Rounds;
use report::{Better, Report, Row, Section, Target, Versus};
use serde_json::json;

/// Number of flows in the capture that is repeated.
const FLOWS: [u64; 3] = [1, 1_000, 65_536];
/// A smaller capture is repeated within itself, so that the driver's queue of copies is not shorter
/// than a burst.
const MIN_FRAMES: u64 = 4_096;
const START: Duration = Duration::from_secs(60);

struct Plan {
    rounds: usize,
    seconds: u64,
}

/// The same allocator as the data plane's.
#[global_allocator]
static ALLOCATOR: dpdk::memory::LargePages = dpdk::memory::LargePages;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["watch", uri] => return watch::run(uri, false, None),
        ["watch", uri, "delays"] => return watch::run(uri, true, None),
        ["watch", uri, "ca", ca] => return watch::run(uri, false, Some(Path::new(ca))),
        ["stuck", uri, count] => return watch::stuck(uri, count.parse().expect("a number")),
        ["events"] => return if quick() { events::run(1, 2) } else { events::run(3, 4) },
        ["control"] => return beside_commands(),
        ["ab", name, programs] => return publish("ab", ab::sections(name, Path::new(programs))),
        ["tables"] => return print_tables(&bare_tables(false)),
        ["tables", "hugepages"] => return print_tables(&bare_tables(true)),
        ["fills"] => return filled_tables(),
        ["kernel"] => return next_to_the_kernel(None),
        ["kernel", seconds] => {
            return next_to_the_kernel(Some(seconds.parse().expect("a number of seconds")));
        }
        ["again", uri, "list"] => return control::again(uri, true),
        ["again", uri, "flush"] => return control::again(uri, false),
        ["on-rte-hash", entries, ..] => {
            return on_rte_hash::run(entries.parse().expect("a number"), &arguments[2..]);
        }
        ["appliance"] => return publish("appliance", appliance::run(&plan(None))),
        ["appliance", section] => return publish("appliance", appliance::run(&plan(Some(section)))),
        ["one-line"] => return publish("one-line", vec![one_line::section(5)]),
        ["pcap"] => return publish("pcap", vec![next_to_testpmd(&forwarding())]),
        [] => {}
        _ => {
            panic!(
                "no part of the lab is called {words:?}: appliance, pcap, tables, one-line, fills, events, kernel, control, ab, or nothing for the report"
            )
        }
    }
    let mut sections = appliance::run(&plan(None));
    sections.push(next_to_testpmd(&forwarding()));
    sections.extend(bare::sections(&bare_tables(false)));
    sections.push(one_line::section(if quick() { 1 } else { 5 }));
    publish("report", sections);
}

/// Returns the extent of the appliance's measurements.
fn plan(only: Option<&str>) -> appliance::Plan {
    let only = only.map(str::to_owned);
    if quick() {
        appliance::Plan { rounds: 1, seconds: 0.3, largest: 1 << 16, only }
    } else {
        appliance::Plan { rounds: 5, seconds: 1.0, largest: 1 << 24, only }
    }
}

/// Prints the results, and writes them to `target/lab`.
fn publish(name: &str, sections: Vec<Section>) {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let facts = vec![
        fact("flowtracker", format!("{} ({})", env!("CARGO_PKG_VERSION"), revision())),
        fact("DPDK", dpdk_version()),
        fact("CPU", cpu()),
        fact("CPUs", read_line("/proc/cpuinfo").matches("processor\t").count().to_string()),
        fact("Linux", kernel_release()),
        fact("transparent huge pages", read_line("/sys/kernel/mm/transparent_hugepage/enabled")),
        fact(
            "rounds",
            sections.iter().flat_map(|s| &s.rows).map(|r| r.rounds.len()).max().unwrap_or(0).to_string(),
        ),
    ];
    let title = "flowtracker next to its peers".to_owned();
    let report = Report { title, facts, sections };
    print!("{report}");
    let folder = workspace_root().join("target/lab");
    std::fs::create_dir_all(&folder).expect("target/lab");
    for (suffix, text) in [("json", format!("{:#}\n", report.json())), ("html", report.html())] {
        let path = folder.join(format!("{name}.{suffix}"));
        std::fs::write(&path, text).expect("write the report");
        println!("{}", path.display());
    }
}

/// Returns the checkout's revision, as git names it.
fn revision() -> String {
    let output =
        Command::new("git").args(["describe", "--always", "--dirty"]).current_dir(workspace_root()).output();
    output.map_or_else(|_| "?".to_owned(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
}

fn read_line(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

fn kernel_release() -> String {
    read_line("/proc/sys/kernel/osrelease")
}

/// Returns the plan for forwarding.
fn forwarding() -> Plan {
    if quick() { Plan { rounds: 1, seconds: 1 } } else { Plan { rounds: 5, seconds: 3 } }
}

/// Returns the plan for comparing two revisions. A quick run has several rounds too, whose range
/// shows whether there is a difference.
fn revisions() -> Plan {
    if quick() { Plan { rounds: 3, seconds: 2 } } else { Plan { rounds: 5, seconds: 4 } }
}

/// `perf pcap`: flowtracker next to `dpdk-testpmd` in io mode on a capture that net_pcap repeats
/// without end (`infinite_rx=1`), without hugepages. A figure is frames received divided by the
/// time between two readings of the counters, from the program's own reports.
fn next_to_testpmd(plan: &Plan) -> Section {
    const PEER: &str = "testpmd io";
    let ours = |capture: &Path, folder: &Path| flowtracker(&binary, capture, plan, folder);
    let theirs = |capture: &Path, folder: &Path| testpmd(capture, plan, folder);
    let mut rows = Vec::new();
    for (flows, [peer, ours]) in interleave(plan, [&theirs, &ours]) {
        let scenario = format!("{flows} flows");
        let target = match flows {
            1_000 => Some(Target::AtLeast(0.65)),
            65_536 => Some(Target::AtLeast(0.75)),
            _ => None,
        };
        rows.push(Row::new(scenario.clone(), PEER, peer.0));
        let versus = Versus { target, ..Versus::new(PEER, Better::Higher) };
        rows.push(Row::new(scenario, "flowtracker", ours.0).next_to(versus));
    }
    Section {
        id: "pcap",
        title: "On net_pcap".to_owned(),
        text: format!(
            "{} Events, aging and accounting are on; every frame is a hit after the first pass.",
            circumstances(plan)
        ),
        unit: "Mpps",
        rows,
        plot: true,
    }
}

/// Returns the conditions under which two programs that forward are compared.
fn circumstances(plan: &Plan) -> String {
    format!(
        "net_pcap infinite_rx, 60-byte TCP frames, one worker, 4 KiB pages (--no-huge), DPDK {}, {}, {} rounds of {} s each, interleaved.",
        dpdk_version(),
        cpu(),
        plan.rounds,
        plan.seconds
    )
}

/// Measures Mpps with a capture; the folder is for the program's own files.
type Measure<'a> = &'a dyn Fn(&Path, &Path) -> f64;

/// Measures two programs in turn, on each number of flows in each round. Returns Mpps.
fn interleave(plan: &Plan, programs: [Measure<'_>; 2]) -> Vec<(u64, [Rounds; 2])> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    assert!(cores >= 2, "two cores are needed: one for the worker, one for everything else");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut cells: Vec<(u64, [Rounds; 2])> = FLOWS.iter().map(|flows| (*flows, Default::default())).collect();
    for round in 0..plan.rounds {
        for (flows, cells) in &mut cells {
            let capture = folder.path().join(format!("{flows}.pcap"));
            if !capture.exists() {
                write_capture(&capture, *flows);
            }
            // Every second round runs in reverse order, so that drift affects both alike.
            for turn in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
                cells[turn].0.push(programs[turn](&capture, folder.path()));
            }
        }
    }
    cells
}

/// Runs `perf control`.
fn beside_commands() {
    let plan = if quick() {
        control::Plan { rounds: 1, idle: Duration::from_secs(1), entries: 100_000 }
    } else {
        control::Plan { rounds: 5, idle: Duration::from_secs(3), entries: 1_000_000 }
    };
    println!("flowtracker {}, DPDK {}, {}.", env!("CARGO_PKG_VERSION"), dpdk_version(), cpu());
    control::run(&plan);
}

/// Measures the bare tables.
fn bare_tables(hugepages: bool) -> tables::Report {
    // A round is short, so that a disturbance may slow all of it: the median needs many rounds.
    let rounds = if quick() { 5 } else { 25 };
    let mut sizes = vec![(1 << 10, rounds), (1 << 16, rounds), (1 << 20, rounds)];
    if !quick() {
        sizes.push((1 << 24, 5));
    }
    let plan = tables::Plan { sizes, inserts: 1 << 18, lookups: 1 << 20, churn: 1 << 16, cpu: 1, hugepages };
    run(Command::new("taskset").args(["-cp", "1", &std::process::id().to_string()]));
    tables::run(&plan)
}

/// Prints the report of `perf tables [hugepages]`.
fn print_tables(report: &tables::Report) {
    println!("flowtracker {}, DPDK {}, {}.", env!("CARGO_PKG_VERSION"), dpdk_version(), cpu());
    println!();
    print!("{report}");
    let path = workspace_root().join("target/lab/tables.json");
    let mut json = report.json();
    json["dpdk"] = json!(dpdk_version());
    json["cpu"] = json!(cpu());
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("target/lab");
    std::fs::write(&path, format!("{json:#}\n")).expect("write the figures");
    println!("All figures: {}", path.display());
}

/// Runs `perf fills`.
fn filled_tables() {
    let (largest, often) = if quick() { (1, 10) } else { (100, 100) };
    println!("flowtracker {}, {}.\n\n{}", env!("CARGO_PKG_VERSION"), cpu(), fills::HEADER);
    for (entries, fills) in [(1 << 10, 100), (1 << 16, 100), (1 << 20, often), (1 << 24, largest)] {
        let row = fills::run(entries, fills);
        println!("{row}");
        assert_eq!(
            (row.refused_early, row.refused_full),
            (0, fills),
            "a table refuses when it is full, only then"
        );
    }
}

/// Runs `perf kernel [SECONDS]`. Loads of another length, once each, show the losses that a buffer
/// only delays.
fn next_to_the_kernel(seconds: Option<u64>) {
    let (rates, rounds, seconds) = match seconds {
        Some(seconds) => (vec![50_000, 100_000], 1, seconds),
        None if quick() => (vec![10_000, 100_000], 1, 2),
        None => (vec![10_000, 50_000, 100_000, 200_000, 400_000], 3, 2),
    };
    // Built together with this program.
    let traffic = std::env::current_exe().expect("the path of this program").with_file_name("traffic");
    let plan = kernel::Plan { rates, rounds, seconds, read_out: false, flush: 100_000, traffic };
    println!(
        "flowtracker {} next to nf_conntrack of Linux {}, DPDK {}, {}, {rounds} rounds of {seconds} s each, interleaved.",
        env!("CARGO_PKG_VERSION"),
        std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        dpdk_version(),
        cpu(),
    );
    println!();
    print!("{}", kernel::run(&plan));
}

/// Returns true for a short run.
fn quick() -> bool {
    std::env::var_os("QUICK").is_some_and(|v| v != "0")
}

fn write_capture(path: &Path, flows: u64) {
    let repeat = MIN_FRAMES.div_ceil(flows);
    let once: Vec<Vec<u8>> = frame::distinct_flows(flows).collect();
    let frames: Vec<Vec<u8>> = (0..repeat).flat_map(|_| once.iter().cloned()).collect();
    pcap::write_frames(path, &frames).expect("write the capture");
}

/// Adds the EAL arguments that both programs get: main lcore on core 0, one worker on core 1.
fn eal(command: &mut Command, capture: &Path, folder: &Path, name: &str) {
    command.env("RUNTIME_DIRECTORY", folder);
    command.args(["-l", "0,1", "--no-huge", "--no-shconf", "--no-pci", "-m", "1024"]);
    command.arg(format!("--file-prefix=ftperf{name}{}", std::process::id()));
    for port in 0..2 {
        command.arg(format!("--vdev=net_pcap{port},rx_pcap={},infinite_rx=1", capture.display()));
    }
}

/// Returns the Mpps that testpmd reports: the median of its readings after the first.
fn testpmd(capture: &Path, plan: &Plan, folder: &Path) -> f64 {
    let mut command = Command::new("dpdk-testpmd");
    eal(&mut command, capture, folder, "peer");
    let mbufs = 3 * 65_536 + 32_768;
    command.args(["--", "--forward-mode=io", "--auto-start", "--stats-period=1"]);
    command.args([format!("--total-num-mbufs={mbufs}")]);
    let mut testpmd = Running::spawn(&mut command);
    // It prints a rate per port and second; the first pair is from before the traffic.
    let wanted = 2 * (plan.seconds as usize + 1);
    let rates: Vec<f64> = testpmd.wait_lines(Stream::Stdout, START, |lines| {
        let rates: Vec<f64> = lines
            .iter()
            .filter_map(|line| line.trim().strip_prefix("Rx-pps:"))
            .filter_map(|rest| rest.split_whitespace().next()?.parse().ok())
            .collect();
        (rates.len() >= wanted).then_some(rates)
    });
    testpmd.terminate();
    let by_second: Vec<f64> = rates[2..wanted].chunks(2).map(|pair| pair.iter().sum::<f64>() / 1e6).collect();
    Rounds(by_second).median()
}

/// Returns the Mpps between two readings of the data plane's counters; `program` returns the path
/// of a program.
fn flowtracker(program: &dyn Fn(&str) -> PathBuf, capture: &Path, plan: &Plan, folder: &Path) -> f64 {
    let socket = folder.join("control.sock");
    let mut command = Command::new(program("flowtracker-control"));
    // An earlier revision may lack HTTP, and then also the option to turn it off.
    if run(Command::new(program("flowtracker-control")).arg("--help")).contains("--http") {
        command.args(["--http", "off"]);
    }
    command.args(["--listen", "127.0.0.1:0", "--unix"]).arg(&socket);
    let mut control = Running::spawn(&mut command);
    let listening = control.wait_line(Stream::Stderr, START, |line| line.contains("listening on 127.0.0.1:"));
    let address = listening
        .split_whitespace()
        .find(|word| word.starts_with("127.0.0.1:"))
        .expect("the address that it listens on")
        .to_owned();
    let mut command = Command::new(program("flowtracker-dataplane"));
    eal(&mut command, capture, folder, "ours");
    command.args(["--", "--id=perf", "--capacity=262144"]);
    command.arg(format!("--control=unix:{}", socket.display()));
    let mut dataplane = Running::spawn(&mut command);

    let grpcurl = Grpcurl::new(&address, None);
    let rx = || -> Option<(u64, Instant)> {
        let stats: v1::GetStatsResponse = grpcurl.call("GetStats", &json!({})).ok()?;
        let received = stats.dataplanes.first()?.lcores.iter().map(|l| l.rx).sum();
        Some((received, Instant::now()))
    };
    let (before, since) = wait_for("the data plane receives", START, || rx().filter(|(n, _)| *n > 0));
    std::thread::sleep(Duration::from_secs(plan.seconds));
    let (after, until) = rx().expect("the control service answers");
    dataplane.terminate();
    control.terminate();
    (after - before) as f64 / (until - since).as_secs_f64() / 1e6
}

fn dpdk_version() -> String {
    let output = Command::new("pkg-config").args(["--modversion", "libdpdk"]).output();
    output.map_or_else(|_| "?".to_owned(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
}

fn cpu() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(|| "unknown CPU".to_owned(), |(_, name)| name.trim().to_owned())
}
