//! Machines for the unit tests: folders that stand for `/`.

use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::doctor::case::Environment;
use crate::doctor::check::Check;
use crate::doctor::examine;
use crate::doctor::root::Root;
use crate::start::cli;

/// A machine.
pub(super) struct Fixture {
    folder: TempDir,
    pub(super) env: Environment,
}

impl Fixture {
    /// Nothing but an empty root.
    pub(super) fn empty() -> Self {
        let env = Environment {
            runtime_directory: None,
            xdg_runtime_dir: None,
            plugins: "/plugins/pmds-23.0".into(),
            may_run_on: |_| true,
            output_of: |_| {
                Ok("Features:\ngeneric-receive-offload: off\nlarge-receive-offload: off [fixed]\n".into())
            },
            now: std::time::Duration::ZERO,
        };
        Self { folder: tempfile::tempdir().expect("a temporary folder"), env }
    }

    /// Four CPUs of one node, of which 1 to 3 are isolated; `port0` and `port1`; root with all
    /// capabilities.
    pub(super) fn healthy() -> Self {
        let fixture = Self::empty();
        let cpus = "/sys/devices/system/cpu";
        for cpu in 0..4 {
            fixture.file(&format!("{cpus}/cpu{cpu}/topology/core_id"), cpu);
            fixture.file(&format!("{cpus}/cpu{cpu}/topology/thread_siblings_list"), cpu);
            fixture.folder(&format!("{cpus}/cpu{cpu}/node0"));
        }
        fixture.file(&format!("{cpus}/online"), "0-3");
        fixture.file(&format!("{cpus}/isolated"), "1-3");
        fixture.file(&format!("{cpus}/nohz_full"), "1-3");
        fixture.file("/sys/devices/system/node/online", "0");
        fixture.file("/sys/devices/system/node/node0/meminfo", "Node 0 MemFree:    8000000 kB\n");
        fixture.file("/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc");
        fixture.file("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu tsc constant_tsc nonstop_tsc\n");
        fixture.file("/proc/meminfo", "MemAvailable:   8000000 kB\nHugepagesize:       2048 kB\n");
        fixture.file("/proc/self/limits", LIMITS.replace("LOCKED", "8388608"));
        fixture.user(0);
        for driver in ["af_packet", "memif", "null", "pcap", "tap"] {
            fixture.file(&format!("/plugins/pmds-23.0/librte_net_{driver}.so.23"), "\x7fELF...");
        }
        for interface in ["port0", "port1"] {
            fixture.interface(interface, "0x1003", 1500);
        }
        fixture.folder("/var/run");
        fixture.folder("/tmp");
        fixture
    }

    /// Where a file of the machine is.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    pub(super) fn folder(&self, path: &str) {
        fs::create_dir_all(self.path(path)).expect("a folder of the fixture");
    }

    pub(super) fn file(&self, path: &str, text: impl Display) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("a folder of the fixture");
        fs::write(path, format!("{text}\n")).expect("a file of the fixture");
    }

    pub(super) fn link(&self, path: &str, target: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("a folder of the fixture");
        // Another driver in the place of the first.
        let _ = fs::remove_file(&path);
        std::os::unix::fs::symlink(target, path).expect("a link of the fixture");
    }

    /// A network interface; flag 1 is IFF_UP.
    pub(super) fn interface(&self, name: &str, flags: &str, mtu: u32) {
        let folder = format!("/sys/class/net/{name}");
        self.file(&format!("{folder}/flags"), flags);
        self.file(&format!("{folder}/mtu"), mtu);
        self.file(&format!("{folder}/carrier"), 1);
        let known = fs::read_to_string(self.path("/proc/self/net/dev")).unwrap_or_default();
        self.file("/proc/self/net/dev", format!("{known}{name}: 0 0 0"));
    }

    /// Root has all capabilities, others none.
    pub(super) fn user(&self, uid: u32) {
        let capabilities = if uid == 0 { "000001ffffffffff" } else { "0000000000000000" };
        self.file(
            "/proc/self/status",
            format!("Uid:\t{uid}\t{uid}\t{uid}\t{uid}\nCapEff:\t{capabilities}\nCpus_allowed_list:\t0-3"),
        );
    }

    /// Replaces the line of `/proc/self/status` that starts with the same word.
    pub(super) fn status(&self, line: &str) {
        let name = line.split('\t').next().expect("a name");
        let text = fs::read_to_string(self.path("/proc/self/status")).expect("there is a status");
        let lines: Vec<_> = text.lines().map(|old| if old.starts_with(name) { line } else { old }).collect();
        self.file("/proc/self/status", lines.join("\n"));
    }

    /// The largest locked memory, in bytes or `unlimited`.
    pub(super) fn locked(&self, limit: &str) {
        self.file("/proc/self/limits", LIMITS.replace("LOCKED", limit));
    }

    /// All findings about a start with this command line.
    pub(super) fn examine(&self, line: &str) -> Vec<Check> {
        // Nobody listens at a path that does not exist, so that no test looks outside its folder.
        let control = if line.contains("--control") { "" } else { "--control unix:/nonexistent/control" };
        let separator = if line.contains(" -- ") { "" } else { " -- " };
        let args: Vec<OsString> =
            format!("prog {line}{separator} {control}").split_whitespace().map(Into::into).collect();
        let line = cli::parse(args).expect("the command line of a test");
        examine(&line, &Root::at(self.folder.path()), &self.env).expect("the options of a test")
    }
}

/// As in `/proc/self/limits`.
const LIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units     
Max locked memory         LOCKED               LOCKED               bytes     
";

/// The findings of a topic.
pub(super) fn all(checks: &[Check], topic: &str) -> Vec<Check> {
    checks.iter().filter(|check| check.topic == topic).cloned().collect()
}

/// The only finding of a topic.
#[track_caller]
pub(super) fn only(checks: &[Check], topic: &str) -> Check {
    let found = all(checks, topic);
    let [check] = &found[..] else { panic!("not one line about {topic}: {found:?}") };
    check.clone()
}
