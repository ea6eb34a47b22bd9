//! The run-time files of EAL: is there a primary process with the same `--file-prefix`? Every
//! primary process holds a lock on its `config` file. Asking who holds it changes nothing.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::process::{Flock, FlockOffsetType, FlockType, fcntl_getlk};

use crate::doctor::case::Case;
use crate::doctor::check::Check;
use crate::start::config;

const TOPIC: &str = "file-prefix";

pub(super) fn check(case: &Case) -> Vec<Check> {
    let prefix = &case.eal.file_prefix;
    let folder = run_time_folder(case).join(prefix);
    let shown = folder.display();
    if case.eal.no_shconf || case.eal.in_memory {
        return vec![Check::ok(TOPIC, format!("{prefix}: nothing is shared (--no-shconf or --in-memory)"))];
    }
    if let Some(top) = not_writable(case, &folder) {
        return vec![Check::fail(
            TOPIC,
            format!("{shown} cannot be made: {} is not writable for this user", top.display()),
            "RUNTIME_DIRECTORY=FOLDER with one that is, or --no-shconf",
        )];
    }
    let file = match File::open(case.root.path(folder.join("config"))) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return vec![free(prefix, &folder)];
        }
        Err(error) => {
            // It may belong to a process that runs, so the remedy does not remove it.
            let found = format!("{shown}/config: {error}");
            return vec![Check::fail(TOPIC, found, format!("--file-prefix {prefix}2"))];
        }
    };
    let whole_file = Flock {
        start: 0,
        length: 0,
        pid: None,
        typ: FlockType::WriteLock,
        offset_type: FlockOffsetType::Set,
    };
    vec![match fcntl_getlk(&file, &whole_file) {
        Ok(None) => free(prefix, &folder),
        Ok(Some(lock)) => Check::fail(
            TOPIC,
            format!("{prefix}: taken by {}, which has locked {shown}/config", holder(case, &lock)),
            format!("--file-prefix {prefix}2, or stop that process"),
        ),
        Err(error) => Check::warn(
            TOPIC,
            format!("{shown}/config: whether it is locked cannot be told: {error}"),
            format!("--file-prefix {prefix}2"),
        ),
    }]
}

/// The prefix is free.
fn free(prefix: &str, folder: &Path) -> Check {
    Check::ok(TOPIC, format!("{prefix}: free, {}", folder.display()))
}

fn run_time_folder(case: &Case) -> PathBuf {
    let env = case.env;
    let root = crate::doctor::permissions::is_root(case);
    config::dpdk_folder(env.runtime_directory.as_deref(), env.xdg_runtime_dir.as_deref(), root)
}

/// Returns the nearest folder upwards that exists, if it is not writable.
fn not_writable(case: &Case, folder: &Path) -> Option<PathBuf> {
    let existing = folder.ancestors().find(|folder| case.root.exists(folder))?;
    let access = Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::access(case.root.path(existing), access).err().map(|_| existing.to_owned())
}

/// Names the process that holds a lock: `process 123 (testpmd)`.
fn holder(case: &Case, lock: &Flock) -> String {
    let Some(pid) = lock.pid else { return "a process of another PID namespace".to_owned() };
    let pid = pid.as_raw_nonzero();
    match case.root.read(format!("/proc/{pid}/comm")) {
        Some(name) => format!("process {pid} ({name})"),
        None => format!("process {pid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fixture, only};
    use super::super::{Check, Verdict};

    fn check(fixture: &Fixture, line: &str) -> Check {
        only(&fixture.examine(&format!("--no-pci --no-huge {line}")), "file-prefix")
    }

    #[test]
    fn the_folder_is_the_one_that_eal_would_take() {
        let mut fixture = Fixture::healthy();
        assert_eq!(check(&fixture, "").found, "rte: free, /var/run/dpdk/rte");
        fixture.user(1000);
        assert_eq!(check(&fixture, "").found, "rte: free, /tmp/dpdk/rte");
        fixture.env.xdg_runtime_dir = Some("/run/user/1000".into());
        assert_eq!(check(&fixture, "").found, "rte: free, /run/user/1000/dpdk/rte");
        fixture.env.runtime_directory = Some("/run/ft".into());
        assert_eq!(check(&fixture, "--file-prefix ft").found, "ft: free, /run/ft/dpdk/ft");
    }

    /// What a process left behind that is gone is nobody's. (A lock of this very process would not
    /// be seen: the end-to-end tests have a real other one.)
    #[test]
    fn an_old_file_without_a_lock_is_free() {
        let fixture = Fixture::healthy();
        fixture.file("/var/run/dpdk/rte/config", "");
        assert_eq!(check(&fixture, "").verdict, Verdict::Ok);
    }

    #[test]
    fn what_cannot_be_read_may_be_somebodys() {
        let fixture = Fixture::healthy();
        // A link to itself: an error other than that there is no such file, for root too.
        fixture.link("/var/run/dpdk/rte/config", "config");
        let check = check(&fixture, "");
        assert_eq!((check.verdict, &*check.remedy), (Verdict::Fail, "--file-prefix rte2"), "{check:?}");
    }

    #[test]
    fn without_shared_configuration_there_is_no_clash() {
        assert!(check(&Fixture::healthy(), "--no-shconf").found.contains("nothing is shared"));
    }
}
