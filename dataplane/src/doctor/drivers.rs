//! Drivers: are DPDK's own (PMDs), which are plugins, there, and are PCI devices bound to a kernel
//! driver that hands them to DPDK?

use std::io::Read as _;
use std::path::Path;

use crate::doctor::case::Case;
use crate::doctor::check::{Check, list};

const TOPIC: &str = "drivers";
const PCI: &str = "/sys/bus/pci/devices";

/// Kernel drivers that hand a device to user space.
const FOR_USER_SPACE: [&str; 3] = ["vfio-pci", "igb_uio", "uio_pci_generic"];
/// Kernel drivers that share their device with DPDK.
const SHARED: [&str; 3] = ["mlx4_core", "mlx5_core", "mana"];

pub(super) fn check(case: &Case) -> Vec<Check> {
    let mut checks = vec![plugins(case)];
    for path in &case.eal.drivers {
        if !case.root.exists(path) {
            let path = path.display();
            checks.push(Check::fail(TOPIC, format!("-d {path}: there is no such file"), "correct the path"));
        }
    }
    for address in pci_ports(case) {
        checks.extend(pci(case, &address));
    }
    if case.eal.no_pci && !case.eal.allow.is_empty() {
        checks.push(Check::fail(
            TOPIC,
            format!("--no-pci hides {}", list(&case.eal.allow)),
            "remove --no-pci, or the -a",
        ));
    }
    checks
}

/// Checks the PMDs of the vdevs.
fn plugins(case: &Case) -> Check {
    let folder = &case.env.plugins;
    let files = case.root.names(folder);
    if files.is_empty() {
        let found = format!("DPDK's folder of drivers, {}, is empty or missing", folder.display());
        return Check::fail(TOPIC, found, "apt-get install libdpdk-dev");
    }
    let mut wanted: Vec<String> = case.eal.vdevs.iter().map(crate::start::eal_args::Vdev::driver).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut folders: Vec<&Path> = case.eal.drivers.iter().map(AsRef::as_ref).collect();
    folders.push(folder);
    let missing: Vec<&String> = wanted
        .iter()
        .filter(|driver| !folders.iter().any(|folder| has_plugin(case, folder, driver)))
        .collect();
    let shown = folder.display();
    if missing.is_empty() {
        let what = if wanted.is_empty() { format!("{} files", files.len()) } else { list(&wanted) };
        return Check::ok(TOPIC, format!("{what} in {shown}"));
    }
    // `pmds-23.0` is ABI 23, and Debian's packages carry it in their names.
    let abi = folder
        .file_name()
        .and_then(|name| name.to_str()?.strip_prefix("pmds-")?.split('.').next())
        .unwrap_or_default();
    let packages: Vec<String> =
        missing.iter().map(|driver| format!("librte-{}{abi}", driver.replace('_', "-"))).collect();
    Check::fail(
        TOPIC,
        format!("no driver {} in {shown}", list(&missing)),
        format!("apt-get install {} # or correct the name", packages.join(" ")),
    )
}

/// Returns `true` when `place`, a folder or a plugin itself, has a library that is a plugin of this
/// driver.
fn has_plugin(case: &Case, place: &Path, driver: &str) -> bool {
    let stem = format!("librte_{driver}.so");
    let matches = |name: &str| name == stem || name.starts_with(&format!("{stem}."));
    let is_library = |path: &Path| {
        let mut magic = [0; 4];
        std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok()
            && magic == *b"\x7fELF"
    };
    let path = case.root.path(place);
    if path.is_file() {
        return path.file_name().and_then(|name| name.to_str()).is_some_and(matches) && is_library(&path);
    }
    case.root.names(place).iter().any(|name| matches(name) && is_library(&path.join(name)))
}

/// Returns the PCI devices that would become ports: those of `-a`, else all network devices that
/// EAL can open.
pub(super) fn pci_ports(case: &Case) -> Vec<String> {
    if case.eal.no_pci {
        return Vec::new();
    }
    if !case.eal.allow.is_empty() {
        return case.eal.allow.iter().filter(|address| address.contains(':')).cloned().collect();
    }
    let free = |address: &String| {
        let is_network =
            case.root.read(format!("{PCI}/{address}/class")).is_some_and(|class| class.starts_with("0x02"));
        let driver = case.root.link(format!("{PCI}/{address}/driver")).unwrap_or_default();
        let usable = FOR_USER_SPACE.iter().chain(&SHARED).any(|name| *name == driver);
        is_network && usable && !case.eal.block.contains(address)
    };
    case.root.names(PCI).into_iter().filter(free).collect()
}

/// Returns the kernel driver of a PCI device.
pub(super) fn kernel_driver(case: &Case, address: &str) -> Option<String> {
    case.root.link(format!("{PCI}/{address}/driver"))
}

/// Returns the IOMMU group of a PCI device.
pub(super) fn iommu_group(case: &Case, address: &str) -> Option<String> {
    case.root.link(format!("{PCI}/{address}/iommu_group"))
}

fn pci(case: &Case, address: &str) -> Vec<Check> {
    let folder = format!("{PCI}/{address}");
    if !case.root.exists(&folder) {
        let found = format!("{address}: there is no such PCI device");
        return vec![Check::fail(TOPIC, found, "dpdk-devbind.py --status-dev net")];
    }
    let take = format!("modprobe vfio-pci && dpdk-devbind.py -b vfio-pci {address}");
    let Some(driver) = kernel_driver(case, address) else {
        return vec![Check::fail(TOPIC, format!("{address} has no kernel driver"), take)];
    };
    if SHARED.contains(&driver.as_str()) {
        return vec![Check::ok(TOPIC, format!("{address} is shared with the kernel's {driver}"))];
    }
    if !FOR_USER_SPACE.contains(&driver.as_str()) {
        let interfaces = case.root.names(format!("{folder}/net"));
        let as_interface =
            if interfaces.is_empty() { String::new() } else { format!(" as {}", list(&interfaces)) };
        let found = format!("{address} belongs to the kernel's {driver}{as_interface}");
        return vec![Check::fail(TOPIC, found, take)];
    }
    if driver != "vfio-pci" {
        let found = format!("{address} is bound to {driver}: no IOMMU keeps it from other memory");
        return vec![if case.eal.no_huge {
            Check::fail(TOPIC, format!("{address} is bound to {driver}, which needs hugepages"), take)
        } else {
            Check::warn(TOPIC, found, take)
        }];
    }
    vfio(case, address)
}

fn vfio(case: &Case, address: &str) -> Vec<Check> {
    let Some(group) = iommu_group(case, address) else {
        let switch = "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode";
        let on = case.root.read(switch).is_some_and(|value| ["Y", "1"].contains(&value.as_str()));
        let iommu = "intel_iommu=on iommu=pt (or amd_iommu=on) on the kernel's command line";
        return vec![if on {
            let found =
                format!("{address} is bound to vfio-pci without an IOMMU: nothing guards other memory");
            Check::warn(TOPIC, found, iommu)
        } else {
            let found = format!("{address} is bound to vfio-pci, but has no IOMMU group");
            Check::fail(TOPIC, found, format!("echo 1 > {switch} # unguarded; better: {iommu}"))
        }];
    };
    // The kernel refuses a group while one of its devices has another driver.
    let others: Vec<String> = case
        .root
        .names(format!("/sys/kernel/iommu_groups/{group}/devices"))
        .into_iter()
        .filter(|other| {
            let driver = kernel_driver(case, other);
            other != address
                && driver
                    .is_some_and(|driver| !["vfio-pci", "pci-stub", "pcieport"].contains(&driver.as_str()))
        })
        .collect();
    vec![if others.is_empty() {
        Check::ok(TOPIC, format!("{address} is bound to vfio-pci, IOMMU group {group}"))
    } else {
        Check::fail(
            TOPIC,
            format!("{address} shares IOMMU group {group} with {}, which the kernel has", list(&others)),
            format!("dpdk-devbind.py -b vfio-pci {}", others.join(" ")),
        )
    }]
}

#[cfg(test)]
mod tests;
