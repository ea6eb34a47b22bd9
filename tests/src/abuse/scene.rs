//! The real programs on loopback: a control service with the usual limit of descriptors, and a data
//! plane that forwards as fast as it can and holds entries.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use conntrack::test_support::frame::distinct_flows;
use tempfile::TempDir;

use crate::pcap;
use crate::process::{Running, Stream, binary, run, wait_for};

/// Descriptors of the service, soft and hard: what a shell gives.
pub const DESCRIPTORS: usize = 1024;
/// Name of the sound data plane.
pub const DATAPLANE: &str = "lab";
/// The CPU that only the lcore uses.
pub const LCORE_CPU: &str = "1";
/// The CPU of everything else.
pub const OTHER_CPU: &str = "0";
/// Flows whose frames come without end.
const BUSY_FLOWS: u64 = 64;
/// Time limit of a start.
const LIMIT: Duration = Duration::from_secs(120);

/// A running service and its data plane.
pub struct Scene {
    // The data plane goes first.
    dataplane: Running,
    control: Running,
    folder: TempDir,
    /// Where it serves gRPC.
    pub grpc: SocketAddr,
    /// Where it serves metrics and health.
    pub http: SocketAddr,
}

/// Returns the command `program` on this CPU.
#[must_use]
pub fn on_cpu(cpu: &str, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", cpu]).arg(program);
    command
}

/// Returns an address of loopback that nobody uses.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound")
}

/// Starts a data plane that dials `control`. Ports 0 and 1 forward frames without end; with
/// `entries` above 0, port 2 receives one frame of each of `entries` flows.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn dataplane(folder: &Path, control: SocketAddr, entries: u64) -> Running {
    let frames = |name: &str, flows: u64| {
        let path = folder.join(name);
        let frames: Vec<Vec<u8>> = distinct_flows(flows).collect();
        pcap::write_frames(&path, &frames).expect("written");
        path.display().to_string()
    };
    // The main lcore polls, on a CPU of its own; the other threads stay where the process began.
    let mut command = on_cpu(OTHER_CPU, &binary("flowtracker-dataplane"));
    command.env("RUNTIME_DIRECTORY", folder);
    command.args(["--no-pci", "--no-huge", "--no-shconf", "-m", "512", &format!("--lcores=0@{LCORE_CPU}")]);
    command.arg(format!("--file-prefix=ftabuse{}-{}", std::process::id(), control.port()));
    command.arg(format!("--vdev=net_pcap0,rx_pcap={},infinite_rx=1", frames("busy", BUSY_FLOWS)));
    command.arg("--vdev=net_null0,no-rx=1");
    if entries > 0 {
        command.arg(format!("--vdev=net_pcap1,rx_pcap={}", frames("many", entries)));
        command.arg("--vdev=net_null1,no-rx=1");
    }
    command.args(["--", "--id", DATAPLANE, "--control", &format!("http://{control}")]);
    command.args(["--timer-profiles", "600000,60000", "--capacity"]).arg((2 * entries + 65_536).to_string());
    Running::spawn(&mut command)
}

impl Scene {
    /// Starts both programs and waits until the service mirrors `entries` entries.
    ///
    /// # Panics
    /// When a program does not become ready.
    #[must_use]
    pub fn start(entries: u64, handshake: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (grpc, http) = (free_address(), free_address());
        let mut control = Command::new("taskset");
        control.args(["-c", OTHER_CPU, "prlimit", &format!("--nofile={DESCRIPTORS}:{DESCRIPTORS}")]);
        control.arg(binary("flowtracker-control"));
        control.args(["--listen", &grpc.to_string(), "--http", &http.to_string()]);
        control.args(["--max-handshake", handshake]);
        let mut control = Running::spawn(&mut control);
        control.wait_line(Stream::Stderr, LIMIT, |line| line.contains("listening on http"));
        let dataplane = dataplane(folder.path(), grpc, entries);
        let mut scene = Self { dataplane, control, folder, grpc, http };
        wait_for("the entries are mirrored", LIMIT, || {
            assert!(scene.dataplane.is_running(), "{}", scene.dataplane.output());
            let mirrored = scene.ctl().args(["dataplanes", "-o", "json"]).output().ok()?;
            let planes = serde_json::from_slice::<serde_json::Value>(&mirrored.stdout).ok()?;
            let held: u64 = planes["entries"].as_str()?.parse().ok()?;
            (held >= entries).then_some(())
        });
        scene
    }

    /// Returns a `ctl` of another user.
    #[must_use]
    pub fn ctl(&self) -> Command {
        let mut ctl = on_cpu(OTHER_CPU, &binary("ctl"));
        ctl.env("FLOWTRACKER_SERVER", format!("http://{}", self.grpc));
        ctl
    }

    /// Returns the service's process id.
    #[must_use]
    pub fn service(&self) -> u32 {
        self.control.pid()
    }

    /// Returns the output of both programs, for a failure message.
    #[must_use]
    pub fn output(&self) -> String {
        let tail = |text: String| text.lines().rev().take(60).collect::<Vec<_>>().join("\n");
        format!("service:\n{}\ndata plane:\n{}", tail(self.control.output()), tail(self.dataplane.output()))
    }

    /// Returns the lines of the service's log.
    #[must_use]
    pub fn log_lines(&self) -> usize {
        self.control.text(Stream::Stderr).lines().count()
    }

    /// Returns a folder of the scene.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends both programs.
    ///
    /// # Panics
    /// When one of them does not end well.
    pub fn stop(mut self) {
        for program in [&mut self.dataplane, &mut self.control] {
            let status = program.terminate();
            assert_eq!(status.code(), Some(0), "{}", program.output());
        }
    }
}

/// Returns the resident set of a process, in bytes.
///
/// # Panics
/// When the process has ended.
#[must_use]
pub fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident set");
    let kilobytes = line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number");
    kilobytes << 10
}

/// Puts all threads of this process on [`OTHER_CPU`].
pub fn leave_lcore_cpu() {
    run(Command::new("taskset").args(["-a", "-c", "-p", OTHER_CPU, &std::process::id().to_string()]));
}
