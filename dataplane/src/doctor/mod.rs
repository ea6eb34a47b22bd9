//! `flowtracker-dataplane doctor [EAL arguments] -- [options]`: would a start with these arguments work?
//!
//! Nothing is started, opened for writing or taken: DPDK is not even initialised, because that makes files and
//! sockets, takes devices over and waits for other processes. The checks read `/proc` and `/sys` instead, below a
//! [`Root`] that tests replace by a folder, and ask the kernel what it would answer to DPDK.
//!
//! A *failure* means that the start is refused or goes ahead without something that was asked for; a *warning*, that
//! it works, but not as well as it could.

mod control;
mod cpus;
mod devices;
mod drivers;
mod file_prefix;
mod hugepages;
mod numa;
mod permissions;
mod ports;
mod root;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use crate::start::cli::CommandLine;
use crate::start::config::{self, Config, ConfigError};
use crate::start::eal_args::EalArgs;
pub use root::Root;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// The start works, but somebody should know this.
    Warn,
    /// The start is refused, or something that was asked for is missing.
    Fail,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        })
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// How it went.
    pub verdict: Verdict,
    /// What it is about, in a word.
    pub topic: &'static str,
    /// What was found.
    pub found: String,
    /// What to do about it: a command where there is one. Empty only if all is well.
    pub remedy: String,
}

impl Check {
    fn ok(topic: &'static str, found: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, topic, found: found.into(), remedy: String::new() }
    }

    fn warn(topic: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warn, topic, found: found.into(), remedy: remedy.into() }
    }

    fn fail(topic: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, topic, found: found.into(), remedy: remedy.into() }
    }
}

/// What the checks need of the outside world beyond the files of [`Root`].
#[derive(Clone, Debug)]
pub struct Environment {
    /// `RUNTIME_DIRECTORY`, which systemd sets.
    pub runtime_directory: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`, which a login sets.
    pub xdg_runtime_dir: Option<PathBuf>,
    /// DPDK's folder of drivers.
    pub plugins: PathBuf,
    /// Whether the kernel would let a thread of this process move to a CPU. Affinity (`taskset`) does not matter,
    /// because DPDK sets it anew; a cpuset does.
    pub may_run_on: fn(u32) -> bool,
    /// What a program prints, `ethtool -k eth0` for example.
    pub output_of: fn(&[&str]) -> io::Result<String>,
}

impl Environment {
    /// The real one.
    #[must_use]
    pub fn of_process() -> Self {
        let (runtime_directory, xdg_runtime_dir) = config::runtime_directories();
        Self {
            runtime_directory,
            xdg_runtime_dir,
            plugins: dpdk::plugin_directory().into(),
            may_run_on: cpus::may_run_on,
            output_of: devices::output_of,
        }
    }
}

/// What is examined.
struct Case<'a> {
    root: &'a Root,
    env: &'a Environment,
    eal: &'a EalArgs,
    config: &'a Config,
}

/// Examines a start with `line` on the machine below `root`, topic by topic.
///
/// # Errors
/// When an option of ours is not acceptable: then there is no start to examine.
pub fn examine(line: &CommandLine, root: &Root, env: &Environment) -> Result<Vec<Check>, ConfigError> {
    let config = Config::new(line)?;
    let eal = match EalArgs::parse(&line.eal).and_then(EalArgs::accepted) {
        Ok(eal) => eal,
        Err(bad) => return Ok(vec![Check::fail("arguments", bad.found, bad.remedy)]),
    };
    let case = Case { root, env, eal: &eal, config: &config };
    let topics = [
        hugepages::check,
        drivers::check,
        devices::check,
        permissions::check,
        numa::check,
        file_prefix::check,
        ports::check,
        cpus::check,
        control::check,
    ];
    Ok(topics.iter().flat_map(|check| check(&case)).collect())
}

/// Prints the findings as a table, and a line that sums them up.
///
/// # Errors
/// When `out` refuses.
pub fn print(checks: &[Check], out: &mut impl Write) -> io::Result<()> {
    let width = checks.iter().map(|check| check.topic.len()).max().unwrap_or(0);
    for Check { verdict, topic, found, remedy } in checks {
        let separator = if remedy.is_empty() { "" } else { "; " };
        writeln!(out, "{verdict:4}  {topic:width$}  {found}{separator}{remedy}")?;
    }
    let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    writeln!(
        out,
        "{}, {}",
        plural(count(Verdict::Warn), "warning"),
        plural(count(Verdict::Fail), "failure")
    )?;
    out.flush()
}

/// Examines, prints, and says whether the start would work.
///
/// # Errors
/// When an option of ours is not acceptable.
pub fn run(line: &CommandLine) -> Result<bool, ConfigError> {
    let checks = examine(line, &Root::default(), &Environment::of_process())?;
    // Whoever closed our standard output still gets the exit status.
    let _ = print(&checks, &mut io::stdout().lock());
    Ok(checks.iter().all(|check| check.verdict != Verdict::Fail))
}

/// `1 warning`, `2 warnings`.
fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `2, 3 and 5`.
fn list<T: ToString>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    match items.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => items.concat(),
    }
}

/// Longest wait for somebody who might answer.
const PATIENCE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests {
    use super::testing::Fixture;
    use super::*;

    #[test]
    fn the_table_is_aligned_and_summed_up() {
        let checks = [
            Check::ok("cpus", "all is well"),
            Check::warn("hugepages", "few", "make more"),
            Check::fail("numa", "no node", "buy one"),
        ];
        let mut text = Vec::new();
        print(&checks, &mut text).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "ok    cpus       all is well\n\
             warn  hugepages  few; make more\n\
             fail  numa       no node; buy one\n\
             1 warning, 1 failure\n"
        );
    }

    #[test]
    fn a_healthy_machine_has_no_findings() {
        let checks = Fixture::healthy().examine("-l 0,1 --no-huge --no-pci --no-shconf -m 64 --vdev net_af_packet0,iface=port0 --vdev net_af_packet1,iface=port1");
        let bad: Vec<_> =
            checks.iter().filter(|c| c.verdict != Verdict::Ok && c.topic != "control").collect();
        assert_eq!(bad, Vec::<&Check>::new());
        for topic in [
            "hugepages",
            "drivers",
            "devices",
            "permissions",
            "numa",
            "file-prefix",
            "ports",
            "cpus",
            "control",
        ] {
            assert!(checks.iter().any(|check| check.topic == topic), "{topic} is silent");
        }
    }

    #[test]
    fn what_is_wrong_has_a_remedy() {
        // As bare a machine as can be: nearly everything is wrong.
        let fixture = Fixture::empty();
        for line in [
            "-l 0-3 -a 0000:01:00.0 --vdev net_memif0,socket=/x/y,socket-abstract=no --vdev net_zzz0",
            "-l 9 --no-huge --in-memory --vdev net_af_packet0,iface=eth9 --vdev net_pcap0,rx_pcap=/gone",
            "-l 5-1",
        ] {
            let checks = fixture.examine(line);
            assert!(checks.iter().any(|check| check.verdict == Verdict::Fail), "{line}");
            for check in checks {
                assert_eq!(check.verdict == Verdict::Ok, check.remedy.is_empty(), "{check:?}");
            }
        }
    }

    #[test]
    fn lists_read_well() {
        assert_eq!(list(&[1]), "1");
        assert_eq!(list(&[1, 2, 3]), "1, 2 and 3");
        assert_eq!(list::<u32>(&[]), "");
        assert_eq!((plural(1, "page"), plural(0, "page")), ("1 page".into(), "0 pages".into()));
    }
}
