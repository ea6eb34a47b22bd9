//! The product itself, running: a control service and one data plane.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use flowtracker_proto::v1;
use serde_json::json;
use tempfile::TempDir;

use crate::grpcurl::Grpcurl;
use crate::netns::Namespace;
use crate::process::{Running, binary, wait_for};

/// Upper limit for everything that normally takes well under a second. Only a
/// failing test ever waits this long.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Name (`--id`) of the data plane.
pub const DATAPLANE: &str = "test";

/// Where the control service listens. Each appliance has a network namespace,
/// so the port is always free.
const ADDRESS: &str = "127.0.0.1:50051";

/// A control service with one data plane attached to it.
pub struct Appliance<'a> {
    // Fields drop in this order: the data plane goes first, the folder last.
    dataplane: Running,
    control: Running,
    namespace: &'a Namespace,
    folder: TempDir,
}

impl<'a> Appliance<'a> {
    /// Starts both programs in `namespace` and waits until the data plane is
    /// attached. `devices` are DPDK's `--vdev` arguments, in port
    /// order; `options` go to the data plane behind `--`. One lcore does
    /// everything, so that frames of one port keep their order.
    ///
    /// # Panics
    /// When a program is missing, ends early or does not get ready.
    #[must_use]
    pub fn start(namespace: &'a Namespace, devices: &[String], options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let control =
            Running::spawn(namespace.command(binary("flowtracker-control")).args(["--listen", ADDRESS]));
        let mut dataplane = namespace.command(binary("flowtracker-dataplane"));
        // DPDK makes its run-time files here (systemd's convention) and never
        // removes the folder; in ours, it goes with the test.
        dataplane.env("RUNTIME_DIRECTORY", folder.path());
        dataplane.args(["-l", "0", "--no-huge", "--no-shconf", "--no-pci", "-m", "256"]);
        dataplane.arg(format!("--file-prefix=fttest{}", std::process::id()));
        for device in devices {
            dataplane.arg(format!("--vdev={device}"));
        }
        dataplane.args(["--", "--id", DATAPLANE, "--control", &format!("http://{ADDRESS}")]);
        dataplane.args(options);

        let dataplane = Running::spawn(&mut dataplane);
        let appliance = Self { dataplane, control, namespace, folder };
        appliance.wait_attached();
        appliance
    }

    fn wait_attached(&self) {
        wait_for("the data plane attaches", LIMIT, || {
            let answer: v1::ListDataplanesResponse =
                self.grpcurl().call("ListDataplanes", &json!({})).ok()?;
            answer.dataplanes.iter().any(|d| d.name == DATAPLANE && d.attached && d.synced).then_some(())
        });
    }

    /// grpcurl, aimed at the control service.
    #[must_use]
    pub fn grpcurl(&self) -> Grpcurl<'a> {
        Grpcurl::new(ADDRESS, Some(self.namespace))
    }

    /// `ctl`, aimed at the control service.
    #[must_use]
    pub fn ctl(&self) -> Command {
        let mut command = self.namespace.command(binary("ctl"));
        command.env("FLOWTRACKER_SERVER", format!("http://{ADDRESS}"));
        command
    }

    /// Counters of the data plane and of the control service's log.
    ///
    /// # Panics
    /// When the answer is not about exactly this data plane.
    #[must_use]
    pub fn stats(&self) -> (v1::DataplaneStats, v1::LogStats) {
        let mut answer: v1::GetStatsResponse =
            self.grpcurl().call("GetStats", &json!({})).expect("GetStats always answers");
        assert_eq!(answer.dataplanes.len(), 1, "one data plane: {answer:?}");
        (answer.dataplanes.swap_remove(0), answer.log.unwrap_or_default())
    }

    /// Waits until `frames` frames have been received and each has been sent,
    /// refused by the peer port or freed on purpose.
    ///
    /// # Panics
    /// When that does not happen within [`LIMIT`].
    pub fn wait_forwarded(&self, frames: u64) -> v1::DataplaneStats {
        wait_for(&format!("{frames} frames are received and forwarded"), LIMIT, || {
            let (stats, _) = self.stats();
            let sum = |counter: fn(&v1::LcoreStats) -> u64| stats.lcores.iter().map(counter).sum::<u64>();
            let (rx, gone) = (sum(|l| l.rx), sum(|l| l.tx + l.tx_dropped + l.filtered));
            (rx == frames && gone == frames).then_some(stats)
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

    /// Every entry, as ListEntries gives them.
    ///
    /// # Panics
    /// When the call is refused.
    #[must_use]
    pub fn entries(&self) -> Vec<v1::Entry> {
        let answers: Vec<v1::ListEntriesResponse> =
            self.grpcurl().call_all("ListEntries", &json!({})).expect("ListEntries answers");
        answers.into_iter().flat_map(|answer| answer.entries).collect()
    }

    /// Folder for files of the test, removed with the appliance.
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
