use super::super::testing::{Fixture, all, only};
use super::super::{Check, Verdict};

/// Returns a machine with CPUs 0 and 1 on node 0, and CPUs 2 and 3 and the card of `port1` on node
/// 1.
fn two_nodes() -> Fixture {
    let fixture = Fixture::healthy();
    fixture.file("/sys/devices/system/node/online", "0-1");
    fixture.file("/sys/devices/system/node/node1/meminfo", "Node 1 MemFree:    8000000 kB\n");
    fixture.file("/sys/devices/system/node/node1/cpulist", "2-3");
    for cpu in [2, 3] {
        let folder = format!("/sys/devices/system/cpu/cpu{cpu}");
        std::fs::remove_dir(fixture.path(&format!("{folder}/node0"))).unwrap();
        fixture.folder(&format!("{folder}/node1"));
    }
    fixture.file("/sys/class/net/port0/device/numa_node", -1);
    fixture.file("/sys/class/net/port1/device/numa_node", 1);
    fixture
}

fn examine(fixture: &Fixture, line: &str) -> Vec<Check> {
    let line = format!(
        "--no-huge --no-pci --vdev net_af_packet0,iface=port0 --vdev net_af_packet1,iface=port1 {line}"
    );
    all(&fixture.examine(&line), "numa")
}

#[test]
fn a_device_of_another_node_is_a_warning() {
    let check = only(&examine(&two_nodes(), "-l 0,1"), "numa");
    assert_eq!(check.verdict, Verdict::Warn);
    assert_eq!(check.found, "lcore 1 is on node 0, its device net_af_packet1 on node 1");
    assert_eq!(check.remedy, "CPUs of node 1 in -l: 2-3");
    assert_eq!(only(&examine(&two_nodes(), "-l 0,2"), "numa").verdict, Verdict::Ok);
}

#[test]
fn memory_is_wanted_where_the_pollers_are() {
    let fixture = two_nodes();
    fixture.file("/sys/devices/system/node/node1/meminfo", "Node 1 MemFree:    1000 kB\n");
    let check = only(&examine(&fixture, "-l 0,2"), "numa");
    assert!(check.verdict == Verdict::Warn && check.found.starts_with("node 1 has 0 MB free"), "{check:?}");
}

#[test]
fn memory_of_a_node_that_is_not_there_is_a_failure() {
    let fixture = two_nodes();
    fixture.file("/sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages", 64);
    fixture.file("/sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages", 0);
    let line = "-l 0 --no-pci --vdev net_null0 --vdev net_null1 --socket-mem";
    assert_eq!(only(&fixture.examine(&format!("{line} 128,0")), "numa").verdict, Verdict::Ok);
    let check = only(&fixture.examine(&format!("{line} 128,128")), "numa");
    assert_eq!(check.found, "--socket-mem asks for 128 MB of node 1, which has 0 MB free");
    assert!(check.remedy.starts_with("echo 64 > /sys/devices/system/node/node1/"), "{check:?}");
}
