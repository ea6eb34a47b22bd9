//! The product at run time: a control service and one data plane.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use flowtracker_proto::v1;
use tempfile::TempDir;

use crate::grpcurl::Grpcurl;
use crate::hugepages::Hugepages;
use crate::netns::Namespace;
use crate::oracle;
use crate::process::{Running, binary, cpu, tool, wait_for};
use crate::scrape::Page;

/// Upper limit for everything that normally takes well under a second. Only a failing test ever
/// waits this long.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Name (`--id`) of the data plane.
pub const DATAPLANE: &str = "test";

/// Where the control service listens. Each appliance has a network namespace, so the port is always
/// free.
const ADDRESS: &str = "127.0.0.1:50051";

/// Where it serves metrics and health. The port is free for the same reason.
const HTTP: &str = "127.0.0.1:9464";

/// Unix socket on which it listens too, because every namespace can reach it.
const SOCKET: &str = "control.sock";

/// Returns the EAL argument that keeps this process's DPDK files apart from others.
fn file_prefix() -> String {
    format!("--file-prefix=fttest{}", std::process::id())
}

/// Completes the command `nice` so that it starts the data plane at a low priority. A polling
/// thread never sleeps, so other processes would not run in time where two data planes share two
/// CPUs.
#[must_use]
pub fn polling(mut nice: Command) -> Command {
    nice.args(["-n", "10"]).arg(binary("flowtracker-dataplane"));
    nice
}

/// The counters of all lcores together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// Frames received.
    pub rx: u64,
    /// Frames that the peer port accepted.
    pub tx: u64,
    /// Frames that the peer port did not accept.
    pub tx_dropped: u64,
    /// Frames freed on purpose.
    pub filtered: u64,
    /// Entries in the tables now.
    pub entries: u64,
    /// Where the received frames ended.
    pub outcomes: v1::Outcomes,
    /// The drivers' counters, by port id.
    pub ports: Vec<v1::PortStats>,
}

impl Totals {
    /// Adds up the lcores, and checks that no frame is outside a counter: the outcomes add up to
    /// the frames received, and so do the frames' fates.
    ///
    /// # Panics
    /// When a frame is missing.
    #[must_use]
    pub fn of(stats: &v1::DataplaneStats) -> Self {
        let sum = |counter: fn(&v1::LcoreStats) -> u64| stats.lcores.iter().map(counter).sum();
        let outcomes = stats.lcores.iter().filter_map(|lcore| lcore.outcomes);
        let totals = Self {
            rx: sum(|lcore| lcore.rx),
            tx: sum(|lcore| lcore.tx),
            tx_dropped: sum(|lcore| lcore.tx_dropped),
            filtered: sum(|lcore| lcore.filtered),
            entries: sum(|lcore| lcore.entries),
            outcomes: outcomes.fold(v1::Outcomes::default(), |sum, lcore| oracle::add(&sum, &lcore)),
            ports: stats.ports.clone(),
        };
        assert_eq!(oracle::sum(&totals.outcomes), totals.rx, "outcomes: {stats:?}");
        assert_eq!(totals.tx + totals.tx_dropped + totals.filtered, totals.rx, "fates: {stats:?}");
        totals
    }

    /// Returns the number of frames that matched or created an entry.
    #[must_use]
    pub fn tracked(&self) -> u64 {
        self.outcomes.hit + self.outcomes.miss_created
    }
}

/// How an appliance is to run. By default one lcore on the test's CPU does everything, so that
/// frames of one port keep their order.
#[derive(Clone)]
pub struct Setup<'a> {
    namespace: &'a Namespace,
    id: String,
    devices: Vec<String>,
    lcores: String,
    /// EAL arguments that select the memory of DPDK.
    memory: Vec<String>,
    options: Vec<String>,
    /// Whether the data plane runs at a low priority, see [`polling`].
    yields: bool,
}

impl<'a> Setup<'a> {
    /// Returns a setup of both programs in `namespace`. `devices` are DPDK's `--vdev` arguments, in
    /// port order.
    #[must_use]
    pub fn new(namespace: &'a Namespace, devices: &[String]) -> Self {
        Self {
            namespace,
            id: DATAPLANE.to_owned(),
            devices: devices.to_vec(),
            lcores: format!("0@{}", cpu()),
            memory: ["--no-huge", "--no-shconf", "-m", "256"].map(str::to_owned).into(),
            options: Vec::new(),
            yields: true,
        }
    }

    /// Sets the name of the data plane, which is [`DATAPLANE`] by default.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    /// Replaces the private memory and configuration by ones to which DPDK's own tools can attach.
    #[must_use]
    pub fn hugepages(mut self, hugepages: &Hugepages) -> Self {
        self.memory = vec![format!("--huge-dir={}", hugepages.folder().display())];
        self
    }

    /// Sets the lcores and their CPUs, in the syntax of DPDK's `--lcores`.
    #[must_use]
    pub fn lcores(mut self, lcores: &str) -> Self {
        lcores.clone_into(&mut self.lcores);
        self
    }

    /// Runs the data plane at the usual priority, as in a deployment. Measurements need it.
    #[must_use]
    pub fn at_usual_priority(mut self) -> Self {
        self.yields = false;
        self
    }

    /// Adds options of the data plane, which follow `--`.
    #[must_use]
    pub fn options(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(ToString::to_string));
        self
    }

    /// Starts both programs and waits until the data plane is attached.
    ///
    /// # Panics
    /// When a program is missing, ends early or does not become ready.
    #[must_use]
    pub fn start(&self) -> Appliance<'a> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut control = self.namespace.command(binary("flowtracker-control"));
        control.args(["--listen", ADDRESS, "--http", HTTP, "--unix"]).arg(folder.path().join(SOCKET));
        let control = Running::spawn(&mut control);
        let mut dataplane = if self.yields {
            polling(self.namespace.command("nice"))
        } else {
            self.namespace.command(binary("flowtracker-dataplane"))
        };
        // DPDK creates its run-time files here (systemd's convention) and never removes the folder.
        // The test removes it with its own folder.
        dataplane.env("RUNTIME_DIRECTORY", folder.path());
        dataplane.arg("--no-pci").args(&self.memory);
        dataplane.arg(format!("--lcores={}", self.lcores));
        dataplane.arg(file_prefix());
        for device in &self.devices {
            dataplane.arg(format!("--vdev={device}"));
        }
        dataplane.args(["--", "--id", &self.id, "--control", &format!("http://{ADDRESS}")]);
        dataplane.args(&self.options);

        let dataplane = Running::spawn(&mut dataplane);
        let mut appliance = Appliance { dataplane, control, namespace: self.namespace, folder };
        appliance.wait_attached(&self.id);
        appliance
    }
}

/// A control service with one data plane attached to it.
pub struct Appliance<'a> {
    // Fields drop in this order: the data plane goes first, the folder last.
    dataplane: Running,
    control: Running,
    namespace: &'a Namespace,
    folder: TempDir,
}

impl<'a> Appliance<'a> {
    /// Starts both programs as [`Setup::start`] does, on one lcore.
    ///
    /// # Panics
    /// As [`Setup::start`].
    #[must_use]
    pub fn start(namespace: &'a Namespace, devices: &[String], options: &[&str]) -> Self {
        Setup::new(namespace, devices).options(options).start()
    }

    fn wait_attached(&mut self, id: &str) {
        wait_for("the data plane attaches", LIMIT, || {
            assert!(self.dataplane.is_running(), "the data plane has ended");
            self.grpcurl().is_attached(id).then_some(())
        });
    }

    /// Returns a grpcurl that calls the control service.
    #[must_use]
    pub fn grpcurl(&self) -> Grpcurl<'a> {
        Grpcurl::new(ADDRESS, Some(self.namespace))
    }

    /// Returns a command `ctl` that calls the control service.
    #[must_use]
    pub fn ctl(&self) -> Command {
        let mut command = self.namespace.command(binary("ctl"));
        command.env("FLOWTRACKER_SERVER", format!("http://{ADDRESS}"));
        command
    }

    /// Returns a page that the control service serves over HTTP.
    ///
    /// # Panics
    /// When there is no answer.
    #[must_use]
    pub fn page(&self, path: &str, accept: &str) -> Page {
        Page::get(&mut self.namespace.command(tool("python3")), &format!("http://{HTTP}{path}"), accept)
    }

    /// Returns the control service's unix socket, for clients in this process.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(SOCKET)
    }

    /// Returns a command that runs one of DPDK's own programs on the data plane.
    #[must_use]
    pub fn dpdk_tool(&self, program: &str) -> Command {
        let mut command = self.namespace.command(program);
        command.env("RUNTIME_DIRECTORY", self.folder.path()).arg(file_prefix());
        command
    }

    /// Returns the output of `flowtracker-dataplane health` for this data plane, and whether its
    /// exit status is 0.
    ///
    /// # Panics
    /// When the command cannot be run.
    #[must_use]
    pub fn health(&self) -> (String, bool) {
        let mut health = self.namespace.command(binary("flowtracker-dataplane"));
        health.env("RUNTIME_DIRECTORY", self.folder.path()).arg("health").arg(file_prefix());
        let output = health.output().expect("it runs");
        (String::from_utf8(output.stdout).expect("UTF-8"), output.status.success())
    }

    /// Returns the counters of the data plane and of the control service's log.
    ///
    /// # Panics
    /// When the answer is not about exactly this data plane.
    #[must_use]
    pub fn stats(&self) -> (v1::DataplaneStats, v1::LogStats) {
        self.grpcurl().stats()
    }

    /// Returns the counters of all lcores together, and of the ports. Checks the two sums that hold
    /// at every moment, see [`Totals::of`].
    ///
    /// # Panics
    /// When a sum does not hold.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals::of(&self.stats().0)
    }

    /// Waits until `frames` frames have been received and each has been sent, refused by the peer
    /// port or freed on purpose.
    ///
    /// # Panics
    /// When that does not happen within [`LIMIT`].
    pub fn wait_forwarded(&self, frames: u64) -> v1::DataplaneStats {
        wait_for(&format!("{frames} frames are received and forwarded"), LIMIT, || {
            let (stats, _) = self.stats();
            (Totals::of(&stats).rx == frames).then_some(stats)
        })
    }

    /// Waits until the control service serves `watchers` event streams.
    ///
    /// # Panics
    /// When that does not happen within [`LIMIT`].
    pub fn wait_watchers(&self, watchers: u64) {
        wait_for(&format!("{watchers} watchers"), LIMIT, || {
            (self.stats().1.watchers == watchers).then_some(())
        });
    }

    /// Returns every entry that ListEntries lists.
    ///
    /// # Panics
    /// When the service refuses the call.
    #[must_use]
    pub fn entries(&self) -> Vec<v1::Entry> {
        self.grpcurl().entries()
    }

    /// Returns the data plane's process, to read its log or to disturb it.
    pub fn dataplane(&mut self) -> &mut Running {
        &mut self.dataplane
    }

    /// Returns a folder for files of the test, which is removed with the appliance.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends both programs with SIGTERM.
    ///
    /// # Panics
    /// When one of them does not exit with status 0.
    pub fn stop(mut self) {
        for (name, program) in [("data plane", &mut self.dataplane), ("control service", &mut self.control)] {
            let status = program.terminate();
            assert_eq!(status.code(), Some(0), "{name} at SIGTERM: {status}\n{}", program.output());
        }
    }
}
