//! Permissions: has the process the capabilities that its devices need, enough locked memory, and
//! access to the files of VFIO?

use std::collections::BTreeSet;

use rustix::fs::Access;

use crate::doctor::case::Case;
use crate::doctor::check::{Check, list};
use crate::doctor::{devices, drivers, ports};

const TOPIC: &str = "permissions";

/// A capability of capabilities(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Capability {
    bit: u32,
    name: &'static str,
}

const NET_ADMIN: Capability = Capability { bit: 12, name: "NET_ADMIN" };
const NET_RAW: Capability = Capability { bit: 13, name: "NET_RAW" };
const IPC_LOCK: Capability = Capability { bit: 14, name: "IPC_LOCK" };
const SYS_RAWIO: Capability = Capability { bit: 17, name: "SYS_RAWIO" };
const SYS_ADMIN: Capability = Capability { bit: 21, name: "SYS_ADMIN" };

impl Capability {
    fn held(self, case: &Case) -> bool {
        let effective = case.root.field("/proc/self/status", "CapEff");
        let bits = effective.and_then(|text| u64::from_str_radix(&text, 16).ok()).unwrap_or(0);
        bits & (1 << self.bit) != 0
    }
}

/// Returns `true` when the real user is root, which is what EAL asks too.
pub(super) fn is_root(case: &Case) -> bool {
    let ids = case.root.field("/proc/self/status", "Uid");
    ids.is_some_and(|ids| ids.split_whitespace().next() == Some("0"))
}

pub(super) fn check(case: &Case) -> Vec<Check> {
    let user = if is_root(case) { "root" } else { "not root" };
    let needed = needed(case);
    let names = |capabilities: &[Capability]| {
        list(&capabilities.iter().map(|capability| format!("CAP_{}", capability.name)).collect::<Vec<_>>())
    };
    let missing: Vec<Capability> = needed.iter().copied().filter(|c| !c.held(case)).collect();
    let mut checks = Vec::new();
    if !missing.is_empty() {
        let found = format!("{user} and without {}, which the devices need", names(&missing));
        checks.push(Check::fail(TOPIC, found, grant(case, &missing)));
    }
    checks.extend(vfio_files(case));
    checks.extend(locked_memory(case));
    if checks.is_empty() {
        let needed: Vec<_> = needed.into_iter().collect();
        let held = if needed.is_empty() { "none needed".to_owned() } else { names(&needed) };
        checks.push(Check::ok(TOPIC, format!("{user}, capabilities: {held}")));
    }
    checks
}

/// Returns the capabilities that the devices of these arguments need.
fn needed(case: &Case) -> BTreeSet<Capability> {
    let mut needed = BTreeSet::new();
    for vdev in &case.eal.vdevs {
        match vdev.driver().as_str() {
            // For a raw socket, and for promiscuous mode.
            "net_af_packet" => needed.extend([NET_RAW, NET_ADMIN]),
            // The last one is for the maps of its program.
            "net_af_xdp" => needed.extend([NET_RAW, NET_ADMIN, SYS_ADMIN]),
            "net_pcap" if !devices::interfaces_of(vdev).is_empty() => needed.extend([NET_RAW]),
            "net_tap" => needed.extend([NET_ADMIN]),
            _ => {}
        }
    }
    for address in drivers::pci_ports(case) {
        match drivers::kernel_driver(case, &address).as_deref() {
            // For registers by port or BAR, and for physical addresses from /proc/self/pagemap.
            Some("igb_uio" | "uio_pci_generic") => needed.extend([SYS_RAWIO, SYS_ADMIN]),
            Some("vfio-pci") if drivers::iommu_group(case, &address).is_none() => needed.extend([SYS_RAWIO]),
            Some("mlx4_core" | "mlx5_core" | "mana") => needed.extend([NET_RAW]),
            _ => {}
        }
    }
    needed
}

fn grant(case: &Case, missing: &[Capability]) -> String {
    let join = |separator: &str, each: &dyn Fn(&str) -> String| {
        missing.iter().map(|capability| each(capability.name)).collect::<Vec<_>>().join(separator)
    };
    let docker = join(" ", &|name| format!("--cap-add {name}"));
    if is_root(case) {
        // A root whose bounding set is reduced gets nothing from the file's capabilities.
        return format!("docker run {docker} # or CapabilityBoundingSet= of systemd");
    }
    let capabilities = join(",", &|name| format!("cap_{}", name.to_lowercase()));
    format!("sudo setcap {capabilities}+ep \"$(command -v flowtracker-dataplane)\" # or run it as root")
}

fn vfio_files(case: &Case) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut paths = BTreeSet::new();
    for address in drivers::pci_ports(case) {
        if drivers::kernel_driver(case, &address).as_deref() == Some("vfio-pci")
            && let Some(group) = drivers::iommu_group(case, &address)
        {
            paths.insert("/dev/vfio/vfio".to_owned());
            paths.insert(format!("/dev/vfio/{group}"));
        }
    }
    for path in paths {
        let access = Access::READ_OK | Access::WRITE_OK;
        if let Err(error) = rustix::fs::access(case.root.path(&path), access) {
            let remedy = if case.root.exists(&path) {
                format!("sudo chown \"$USER\" {path}")
            } else {
                "modprobe vfio-pci # in a container: --device /dev/vfio".to_owned()
            };
            checks.push(Check::fail(TOPIC, format!("{path}: {error}"), remedy));
        }
    }
    checks
}

/// Checks the limit of locked memory: VFIO locks what devices write to.
fn locked_memory(case: &Case) -> Option<Check> {
    let locks = drivers::pci_ports(case)
        .iter()
        .any(|address| drivers::kernel_driver(case, address).as_deref() == Some("vfio-pci"));
    if !locks || IPC_LOCK.held(case) {
        return None;
    }
    let limits = case.root.read("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max locked memory"))?;
    // `unlimited` is not a number.
    let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
    let need = case.eal.megabytes.map_or(0, |megabytes| megabytes << 20).max(ports::mbuf_bytes(case));
    (limit < need).then(|| {
        let (limit, need) = (limit >> 10, need >> 10);
        let found = format!("{limit} kB may be locked (RLIMIT_MEMLOCK), VFIO locks {need} kB");
        Check::fail(TOPIC, found, "ulimit -l unlimited # or LimitMEMLOCK=infinity of systemd")
    })
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::super::testing::{Fixture, all, only};

    const AF_PACKET: &str = "-l 0 --no-huge --no-pci --vdev net_af_packet0,iface=port0";

    fn vfio() -> Fixture {
        let fixture = Fixture::healthy();
        let folder = "/sys/bus/pci/devices/0000:01:00.0";
        fixture.file(&format!("{folder}/class"), "0x020000");
        fixture.link(&format!("{folder}/driver"), "../../drivers/vfio-pci");
        fixture.link(&format!("{folder}/iommu_group"), "../../../kernel/iommu_groups/7");
        fixture.file("/dev/vfio/vfio", "");
        fixture.file("/dev/vfio/7", "");
        fixture
    }

    #[test]
    fn devices_need_capabilities() {
        let fixture = Fixture::healthy();
        let check = only(&fixture.examine(AF_PACKET), "permissions");
        assert_eq!(check.found, "root, capabilities: CAP_NET_ADMIN and CAP_NET_RAW");
        fixture.user(1000);
        let check = only(&fixture.examine(AF_PACKET), "permissions");
        assert_eq!(check.verdict, Verdict::Fail);
        assert!(check.remedy.contains("setcap cap_net_admin,cap_net_raw+ep"), "{check:?}");
        let check = only(&fixture.examine("-l 0 --no-huge --no-pci --vdev net_null0"), "permissions");
        assert_eq!(check.found, "not root, capabilities: none needed");
    }

    #[test]
    fn a_root_that_was_cut_down_is_told_where() {
        let fixture = Fixture::healthy();
        fixture.status("CapEff:\t000001ffffffdfff");
        let check = only(&fixture.examine(AF_PACKET), "permissions");
        assert_eq!(check.found, "root and without CAP_NET_RAW, which the devices need");
        assert_eq!(check.remedy, "docker run --cap-add NET_RAW # or CapabilityBoundingSet= of systemd");
    }

    #[test]
    fn vfio_needs_its_files_and_locked_memory() {
        let examine = |fixture: &Fixture| all(&fixture.examine("-l 0 -a 01:00.0 -m 64"), "permissions");
        let fixture = vfio();
        assert_eq!(examine(&fixture)[0].verdict, Verdict::Ok);
        fixture.user(1000);
        let checks = examine(&fixture);
        assert!(
            checks[0].verdict == Verdict::Fail && checks[0].found.contains("VFIO locks 65536 kB"),
            "{checks:?}"
        );
        fixture.locked("unlimited");
        assert_eq!(examine(&fixture)[0].verdict, Verdict::Ok);
        std::fs::remove_file(fixture.path("/dev/vfio/7")).unwrap();
        let checks = examine(&fixture);
        assert!(
            checks[0].found.contains("/dev/vfio/7") && checks[0].remedy.contains("modprobe"),
            "{checks:?}"
        );
    }
}
