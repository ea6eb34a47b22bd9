//! `flowtracker-dataplane doctor [EAL arguments] -- [options]`: would a start with these arguments
//! work?
//!
//! Nothing is started, opened for writing or taken. DPDK is not initialised either, because that
//! makes files and sockets, takes devices over and waits for other processes. The checks read
//! `/proc` and `/sys` instead, below a [`Root`] that tests replace by a folder, and ask the kernel
//! what it would answer to DPDK.
//!
//! A *failure* means that the start would be refused, or would go on without something that was
//! asked for. A *warning* means that it would work, but not as well as it could.

mod case;
mod check;
mod checkpoint;
mod control;
mod cpus;
mod devices;
mod drivers;
mod file_prefix;
mod hugepages;
mod memif;
mod numa;
mod permissions;
mod ports;
mod root;
mod tables;
mod tls;

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::start::cli::CommandLine;
use crate::start::config::{self, Config, ConfigError};
use crate::start::eal_args::EalArgs;
use crate::start::{mbufs, rings};
use case::Case;
pub use case::Environment;
use check::print;
pub use check::{Check, Verdict};
pub use root::Root;

/// Returns the environment of this process.
fn environment() -> Environment {
    let (runtime_directory, xdg_runtime_dir) = config::runtime_directories();
    Environment {
        runtime_directory,
        xdg_runtime_dir,
        plugins: dpdk::plugin_directory().into(),
        may_run_on: cpus::may_run_on,
        output_of: devices::output_of,
        now: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
    }
}

/// Examines a start with `line` on the machine below `root`, topic by topic.
///
/// # Errors
/// When an option is not acceptable: then there is no start to examine.
pub fn examine(line: &CommandLine, root: &Root, env: &Environment) -> Result<Vec<Check>, ConfigError> {
    let config = Config::with_link(line)?;
    let fitted = |mut eal: EalArgs| {
        for vdev in &mut eal.vdevs {
            rings::fit(vdev, |interface| devices::mtu_of(root, interface));
        }
        mbufs::check_memif(&eal.vdevs).map(|()| eal)
    };
    let eal = match EalArgs::parse(&line.eal).and_then(EalArgs::accepted).and_then(fitted) {
        Ok(eal) => eal,
        Err(bad) => return Ok(vec![Check::fail("arguments", bad.found, bad.remedy)]),
    };
    let case = Case { root, env, eal: &eal, config: &config };
    let topics = [
        hugepages::check,
        tables::check,
        drivers::check,
        devices::check,
        memif::check,
        permissions::check,
        numa::check,
        file_prefix::check,
        ports::check,
        cpus::check,
        tls::check,
        checkpoint::check,
        control::check,
    ];
    Ok(topics.iter().flat_map(|check| check(&case)).collect())
}

/// Examines, prints the findings, and returns whether the start would work.
///
/// # Errors
/// When an option is not acceptable.
pub fn run(line: &CommandLine) -> Result<bool, ConfigError> {
    let checks = examine(line, &Root::default(), &environment())?;
    // When standard output is closed, the exit status still tells.
    let _ = print(&checks, &mut io::stdout().lock());
    Ok(checks.iter().all(|check| check.verdict != Verdict::Fail))
}

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests {
    use super::check::{list, plural};
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
            "tables",
            "drivers",
            "devices",
            "permissions",
            "numa",
            "file-prefix",
            "ports",
            "cpus",
            "tls",
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
