//! Checks who can connect to the sockets of memif. A peer shares memory with this process, so a hostile
//! one can corrupt it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::doctor::case::Case;
use crate::doctor::check::Check;
use crate::doctor::devices::MEMIF_SOCKET;

const TOPIC: &str = "memif";

pub(super) fn check(case: &Case) -> Vec<Check> {
    let memifs = case.eal.vdevs.iter().filter(|vdev| vdev.driver() == "net_memif");
    memifs
        .filter_map(|vdev| {
            let name = &vdev.name;
            let path = vdev.param("socket").unwrap_or(MEMIF_SOCKET);
            if vdev.param("socket-abstract") != Some("no") {
                let found = format!(
                    "{name}: @{path} has no owner: any process in this network namespace may take the peer's \
                     place, and corrupt this process's memory"
                );
                return Some(Check::warn(TOPIC, found, "socket-abstract=no,socket=PATH in a folder of mode 0700"));
            }
            // The devices topic reports a missing folder.
            let folder = Path::new(path).parent().unwrap_or(Path::new("/"));
            if !case.root.path(folder).is_dir() {
                return None;
            }
            // A process that cannot enter one of the folders cannot reach the socket.
            let folders = Path::new(path).ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
            let closed = folders.map(|folder| case.root.path(folder)).any(|folder| {
                std::fs::metadata(folder).is_ok_and(|folder| folder.permissions().mode() & 0o001 == 0)
            });
            if closed {
                let found = format!("{name}: {path} is in a folder that is closed to others");
                return Some(Check::ok(TOPIC, found));
            }
            let folder = folder.display();
            let found = format!(
                "{name}: others may enter {folder}: one of them may take the peer's place at {path}, and corrupt \
                 this process's memory"
            );
            Some(Check::warn(TOPIC, found, format!("chmod o-x {folder}, or another folder")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fixture, all};
    use super::*;
    use crate::doctor::check::Verdict;

    #[test]
    fn a_socket_that_others_reach_is_told() {
        let fixture = Fixture::healthy();
        fixture.folder("/run/open");
        fixture.folder("/run/closed/below");
        let mode = |path: &str, mode| {
            std::fs::set_permissions(fixture.path(path), PermissionsExt::from_mode(mode)).unwrap();
        };
        mode("/", 0o755);
        mode("/run", 0o755);
        mode("/run/open", 0o755);
        mode("/run/closed", 0o750);
        mode("/run/closed/below", 0o755);
        for (params, verdict, words) in [
            ("", Verdict::Warn, "@/run/memif.sock has no owner"),
            (",socket=/run/closed/s", Verdict::Warn, "@/run/closed/s has no owner"),
            (",socket-abstract=no,socket=/run/open/s", Verdict::Warn, "others may enter /run/open"),
            (",socket-abstract=no,socket=/run/closed/s", Verdict::Ok, "closed to others"),
            (",socket-abstract=no,socket=/run/closed/below/s", Verdict::Ok, "closed to others"),
        ] {
            let line = format!("-l 0,1 --vdev net_memif0,role=client{params} --vdev net_null1");
            let found = all(&fixture.examine(&line), TOPIC);
            assert!(found.len() == 1 && found[0].verdict == verdict, "{params}: {found:?}");
            assert!(found[0].found.contains(words), "{params}: {found:?}");
        }
        for nothing in ["net_null0", "net_memif0,socket-abstract=no,socket=/run/missing/s"] {
            let line = format!("-l 0,1 --vdev {nothing} --vdev net_null1");
            assert_eq!(all(&fixture.examine(&line), TOPIC), [], "{nothing}");
        }
    }
}
