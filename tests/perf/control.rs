//! `perf control`: whether packets wait while a client reads or empties a full table.
//!
//! One lcore polls one port with a table of a million entries. Its iteration times (`loop_time` of
//! GetStats) without any command are compared with those while every entry is listed, and while all
//! are flushed. This is one interleaved run, with every second round in reverse order; each is
//! measured without packets and with light traffic.

use std::fmt;
use std::process::Command;
use std::time::{Duration, Instant};

use flowtracker_proto::v1::flow_tracker_service_client::FlowTrackerServiceClient;
use flowtracker_proto::{loop_time, v1};
use flowtracker_tests::process::{Running, Stream, binary, run as run_command, wait_for};
use flowtracker_tests::rounds::Rounds;
use tonic::transport::{Channel, Endpoint};

/// Rate of the packets that create entries, per second.
const FILL_PPS: u64 = 200_000;
/// Rate of the light traffic, packets per second, of known flows in turn.
const LIGHT_PPS: u64 = 20_000;
/// Aging that no entry reaches: ten days.
const AGING_MS: u64 = 864_000_000;
/// The longest that a listing or a flush may take.
const LIMIT: Duration = Duration::from_secs(120);
/// Time from a change of the traffic to the next measurement.
const SETTLE: Duration = Duration::from_millis(300);

/// The extent of a run.
pub(crate) struct Plan {
    /// Number of times that each measurement is made.
    pub(crate) rounds: usize,
    /// Length of a measurement without a command.
    pub(crate) idle: Duration,
    /// Entries in the table.
    pub(crate) entries: u64,
}

/// The command for the lcore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Nothing,
    List,
    Flush,
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ask::Nothing => "idle",
            Ask::List => "ListEntries",
            Ask::Flush => "FlushEntries",
        })
    }
}

/// Quantiles in thousandths, and the maximum.
const QUANTILES: [u32; 4] = [500, 990, 999, 1000];
/// Index of p99.9 among them.
const P999: usize = 2;

/// One measurement.
struct Times {
    /// Iteration times, nanoseconds: the ends of the buckets of [`QUANTILES`].
    ns: [u64; QUANTILES.len()],
    /// Length of the measurement, seconds.
    took: f64,
}

/// The running programs. All but the lcore share CPU 0 with this one.
struct Rig {
    runtime: tokio::runtime::Runtime,
    client: FlowTrackerServiceClient<Channel>,
    entries: u64,
    traffic: Running,
    // Dropped after the generator, so that it always has a receiver.
    _dataplane: Running,
    _control: Running,
    _folder: tempfile::TempDir,
}

impl Rig {
    fn start(entries: u64) -> Self {
        run_command(Command::new("taskset").args(["-cp", "0", &std::process::id().to_string()]));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut control = Command::new(binary("flowtracker-control"));
        let mut control = Running::spawn(control.args(["--listen", "127.0.0.1:0", "--http", "off"]));
        let listening =
            control.wait_line(Stream::Stderr, LIMIT, |line| line.contains("listening on 127.0.0.1:"));
        let address = listening.split_whitespace().find(|word| word.starts_with("127.0.0.1:"));
        let uri = format!("http://{}", address.expect("the address that it listens on"));

        let socket = folder.path().join("memif.sock");
        let eal = |command: &mut Command, name: &str, lcores: &str, role: &str| {
            command.env("RUNTIME_DIRECTORY", folder.path());
            command.args(["-l", lcores, "--no-huge", "--no-shconf", "--no-pci", "-m", "512"]);
            command.arg(format!("--file-prefix=ftcontrol{name}{}", std::process::id()));
            command.arg(format!(
                "--vdev=net_memif0,role={role},id=0,rsize=14,socket-abstract=no,socket={}",
                socket.display()
            ));
        };
        // Built with this program.
        let this = std::env::current_exe().expect("the path of this program");
        let mut traffic = Command::new(this.with_file_name("traffic"));
        eal(&mut traffic, "traffic", "0", "server");
        let mut traffic = Running::spawn(&mut traffic);
        traffic.wait_line(Stream::Stdout, LIMIT, |line| line == "ready");
        let mut dataplane = Command::new(binary("flowtracker-dataplane"));
        // DPDK places its lcore itself: on CPU 1.
        eal(&mut dataplane, "ours", "0,1", "client");
        dataplane.args(["--vdev=net_null0,no-rx=1", "--", "--id=perf", "--capacity=1048576"]);
        dataplane.arg(format!("--timer-profiles={AGING_MS}")).arg(format!("--control={uri}"));
        let dataplane = Running::spawn(&mut dataplane);

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = runtime.block_on(async {
            let endpoint = Endpoint::from_shared(uri).expect("a URI");
            let endpoint =
                endpoint.initial_stream_window_size(1 << 20).initial_connection_window_size(1 << 20);
            FlowTrackerServiceClient::new(endpoint.connect().await.expect("the service answers"))
        });
        let mut rig = Self {
            runtime,
            client,
            entries,
            traffic,
            _dataplane: dataplane,
            _control: control,
            _folder: folder,
        };
        wait_for("the link to the generator", LIMIT, || rig.stats()?.ports.first()?.link_up.then_some(()));
        rig
    }

    /// Returns the counters of the data plane, once it is attached.
    fn stats(&mut self) -> Option<v1::DataplaneStats> {
        let answer = self.runtime.block_on(self.client.get_stats(v1::GetStatsRequest::default()));
        let answer = answer.expect("GetStats always answers").into_inner();
        answer.dataplanes.into_iter().next().filter(|stats| stats.live)
    }

    /// Sends this number of packets per second from now on, of all flows in turn.
    fn send(&mut self, per_second: u64) {
        let (flows, each) = match per_second {
            0 => (0, 0.0),
            _ => (self.entries, per_second as f64 / self.entries as f64),
        };
        self.traffic.write_stdin(&format!("keep {flows} {each}\n"));
    }

    /// Fills the table, and waits until the control service knows it as well.
    fn fill(&mut self) {
        self.send(FILL_PPS);
        let entries = self.entries;
        wait_for("the table is filled", LIMIT, || {
            (self.stats()?.lcores.first()?.entries == entries).then_some(())
        });
        self.send(0);
        wait_for("the control service knows all entries", LIMIT, || {
            let request = v1::ListDataplanesRequest::default();
            let known = self.runtime.block_on(self.client.list_dataplanes(request));
            (known.expect("ListDataplanes always answers").into_inner().dataplanes.first()?.entries
                == entries)
                .then_some(())
        });
    }

    /// Returns the iteration times while the lcore executes the command.
    fn measure(&mut self, ask: Ask, idle: Duration, traffic: bool) -> Times {
        self.send(if traffic { LIGHT_PPS } else { 0 });
        std::thread::sleep(SETTLE);
        let before = self.stats().expect("the data plane is attached");
        let since = Instant::now();
        match ask {
            Ask::Nothing => std::thread::sleep(idle),
            Ask::List => assert_eq!(self.list(), self.entries, "every entry is listed once"),
            // Light traffic creates entries again, and some of them are flushed again.
            Ask::Flush => assert!(self.flush() >= self.entries, "every entry is flushed"),
        }
        let took = since.elapsed().as_secs_f64();
        let after = self.stats().expect("the data plane is attached");
        let counts = loop_time::since(&after.lcores[0].loop_time, &before.lcores[0].loop_time);
        let end = |per_mille| {
            let bucket = loop_time::quantile(&counts, per_mille).expect("the lcore polls");
            // The last bucket has no end: a second or longer.
            if bucket.end == u64::MAX { bucket.start } else { bucket.end }
        };
        Times { ns: QUANTILES.map(end), took }
    }

    /// Reads every entry and returns their number.
    fn list(&mut self) -> u64 {
        self.runtime.block_on(async {
            let stream = self.client.list_entries(v1::ListEntriesRequest::default()).await;
            let mut stream = stream.unwrap_or_else(|refused| panic!("ListEntries: {refused}")).into_inner();
            let mut count = 0;
            while let Some(answer) = stream.message().await.expect("the stream goes on") {
                count += answer.entries.len() as u64;
            }
            count
        })
    }

    /// Deletes every entry and returns their number.
    fn flush(&mut self) -> u64 {
        let answer = self.runtime.block_on(self.client.flush_entries(v1::FlushEntriesRequest::default()));
        answer.unwrap_or_else(|refused| panic!("FlushEntries: {refused}")).into_inner().deleted
    }
}

/// The measurements of one row of the table.
#[derive(Default)]
struct Measured {
    /// Microseconds, one element for each quantile.
    us: [Rounds; QUANTILES.len()],
    took: Rounds,
    /// Ratio of p99.9 to that of the idle measurement of the same round.
    ratio: Rounds,
}

impl Measured {
    fn add(&mut self, times: &Times, idle: &Times) {
        for (cell, ns) in self.us.iter_mut().zip(times.ns) {
            cell.0.push(ns as f64 / 1e3);
        }
        self.took.0.push(times.took);
        self.ratio.0.push(times.ns[P999] as f64 / idle.ns[P999] as f64);
    }

    fn print(&self, ask: Ask, traffic: bool) {
        let packets = if traffic { LIGHT_PPS } else { 0 };
        let [p50, p99, p999, longest] = &self.us;
        println!(
            "| {ask} | {packets} | {:.1} | {:.3} | {:.3} | {:.3} | {} | {:.1} | {} | {:.2} | {} |",
            self.took.median(),
            p50.median(),
            p99.median(),
            p999.median(),
            p999.spread(2),
            longest.median(),
            longest.spread(2),
            self.ratio.median(),
            self.ratio.spread(2)
        );
    }
}

/// Lists (or else empties) the table of this service repeatedly, until it is killed. Prints a line
/// when it begins.
#[expect(clippy::print_stdout, reason = "the lab waits for the line")]
pub(crate) fn again(uri: &str, list: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let endpoint = Endpoint::from_shared(uri.to_owned()).expect("a URI");
        let mut client =
            FlowTrackerServiceClient::new(endpoint.connect().await.expect("the service answers"));
        println!("asking");
        loop {
            if list {
                let stream = client.list_entries(v1::ListEntriesRequest::default()).await;
                let mut stream = stream.expect("it lists").into_inner();
                while stream.message().await.expect("the stream goes on").is_some() {}
            } else {
                client.flush_entries(v1::FlushEntriesRequest::default()).await.expect("it empties the table");
            }
        }
    });
}

/// Prints all figures of `perf control`.
pub(crate) fn run(plan: &Plan) {
    let mut rig = Rig::start(plan.entries);
    rig.fill();
    println!(
        "Iteration times of an lcore with {} entries, microseconds, {} rounds, medians and ranges.",
        plan.entries, plan.rounds
    );
    for ask in [Ask::List, Ask::Flush] {
        println!();
        println!(
            "| asked for | packets/s | s | p50 | p99 | p99.9 | range | longest | range | p99.9 to idle | range |"
        );
        println!("|:---|---:|---:|---:|---:|---:|:---:|---:|:---:|---:|:---:|");
        compare(&mut rig, plan, ask);
    }
}

/// Compares one command with none.
fn compare(rig: &mut Rig, plan: &Plan, ask: Ask) {
    let mut rows: [[Measured; 2]; 2] = Default::default();
    for round in 0..plan.rounds {
        for (traffic, [idle, asked]) in [false, true].into_iter().zip(&mut rows) {
            // Every second round runs in reverse order, so that drift affects both alike.
            let mut order = [Ask::Nothing, ask];
            if round % 2 == 1 {
                order.reverse();
            }
            let mut times = order.map(|ask| {
                let times = rig.measure(ask, plan.idle, traffic);
                if ask == Ask::Flush {
                    rig.fill();
                }
                times
            });
            if round % 2 == 1 {
                times.reverse();
            }
            let [quiet, busy] = times;
            idle.add(&quiet, &quiet);
            asked.add(&busy, &quiet);
        }
    }
    for (traffic, [idle, asked]) in [false, true].into_iter().zip(&rows) {
        idle.print(Ask::Nothing, traffic);
        asked.print(ask, traffic);
    }
}
