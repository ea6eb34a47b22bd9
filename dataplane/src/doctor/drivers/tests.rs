use super::super::testing::{Fixture, all, only};
use super::super::{Check, Verdict};

const ADDRESS: &str = "0000:01:00.0";

/// Returns a machine with one network card.
fn card(driver: &str) -> Fixture {
    let fixture = Fixture::healthy();
    let folder = format!("/sys/bus/pci/devices/{ADDRESS}");
    fixture.file(&format!("{folder}/class"), "0x020000");
    fixture.link(&format!("{folder}/driver"), &format!("../../drivers/{driver}"));
    fixture
}

fn grouped(driver: &str) -> Fixture {
    let fixture = card(driver);
    fixture.link(&format!("/sys/bus/pci/devices/{ADDRESS}/iommu_group"), "../../../kernel/iommu_groups/7");
    fixture.folder(&format!("/sys/kernel/iommu_groups/7/devices/{ADDRESS}"));
    fixture
}

fn examine(fixture: &Fixture) -> Check {
    all(&fixture.examine(&format!("-l 0 -a {ADDRESS}")), "drivers").pop().expect("the device's line")
}

#[test]
fn a_missing_plugin_is_named_with_its_package() {
    let check = only(&Fixture::healthy().examine("--no-pci --vdev net_null0 --vdev net_ring3"), "drivers");
    assert_eq!(check.verdict, Verdict::Fail);
    assert_eq!(check.found, "no driver net_ring in /plugins/pmds-23.0");
    assert!(check.remedy.starts_with("apt-get install librte-net-ring23 #"), "{check:?}");
}

#[test]
fn a_plugin_may_come_from_elsewhere_but_must_be_a_library() {
    let fixture = Fixture::healthy();
    let drivers = |line: &str| all(&fixture.examine(&format!("--no-pci {line}")), "drivers");
    fixture.file("/opt/librte_net_ring.so", "\x7fELF...");
    assert_eq!(drivers("-d /opt --vdev net_ring0")[0].verdict, Verdict::Ok);
    assert_eq!(drivers("-d /opt/librte_net_ring.so --vdev net_ring0")[0].verdict, Verdict::Ok);
    fixture.file("/opt/librte_net_ring.so", "");
    assert_eq!(drivers("-d /opt --vdev net_ring0")[0].verdict, Verdict::Fail);
    assert!(drivers("-d /gone").iter().any(|c| c.verdict == Verdict::Fail && c.found.contains("/gone")));
}

#[test]
fn the_kernels_card_has_to_be_taken_from_it() {
    let fixture = card("ixgbe");
    fixture.folder(&format!("/sys/bus/pci/devices/{ADDRESS}/net/eth0"));
    let check = examine(&fixture);
    assert_eq!(check.verdict, Verdict::Fail);
    assert_eq!(check.found, "0000:01:00.0 belongs to the kernel's ixgbe as eth0");
    assert_eq!(check.remedy, "modprobe vfio-pci && dpdk-devbind.py -b vfio-pci 0000:01:00.0");
    assert_eq!(examine(&card("mlx5_core")).verdict, Verdict::Ok);
}

#[test]
fn vfio_needs_a_group_of_its_own() {
    let fixture = card("vfio-pci");
    assert_eq!(examine(&fixture).verdict, Verdict::Fail);
    fixture.file("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y");
    assert_eq!(examine(&fixture).verdict, Verdict::Warn);

    let fixture = grouped("vfio-pci");
    assert_eq!(examine(&fixture).verdict, Verdict::Ok);
    fixture.folder("/sys/kernel/iommu_groups/7/devices/0000:01:00.1");
    fixture.link("/sys/bus/pci/devices/0000:01:00.1/driver", "../../drivers/ixgbe");
    let check = examine(&fixture);
    assert_eq!((check.verdict, &*check.remedy), (Verdict::Fail, "dpdk-devbind.py -b vfio-pci 0000:01:00.1"));
}

#[test]
fn uio_works_but_guards_nothing() {
    assert_eq!(examine(&card("uio_pci_generic")).verdict, Verdict::Warn);
    let checks = card("uio_pci_generic").examine(&format!("-l 0 --no-huge -a {ADDRESS}"));
    assert!(all(&checks, "drivers").iter().any(|c| c.verdict == Verdict::Fail));
}

#[test]
fn absent_and_hidden_devices_are_failures() {
    assert!(examine(&Fixture::healthy()).found.contains("no such PCI device"));
    let checks = card("vfio-pci").examine(&format!("--no-pci -a {ADDRESS}"));
    assert!(all(&checks, "drivers").iter().any(|c| c.found == "--no-pci hides 0000:01:00.0"));
}

#[test]
fn without_a_list_eal_takes_what_is_free() {
    let lines = |fixture: &Fixture, args: &str| all(&fixture.examine(args), "drivers").len();
    assert_eq!(lines(&grouped("vfio-pci"), "-l 0"), 2);
    assert_eq!(lines(&grouped("ixgbe"), "-l 0"), 1);
    assert_eq!(lines(&grouped("vfio-pci"), "-l 0 -b 01:00.0"), 1);
    assert_eq!(lines(&grouped("vfio-pci"), "-l 0 --no-pci"), 1);
}
