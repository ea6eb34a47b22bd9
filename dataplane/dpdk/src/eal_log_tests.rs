use super::*;

const CHATTER: &str = "EAL: Detected CPU lcores: 2\nEAL: Detected NUMA nodes: 1\nEAL: Detected shared linkage of DPDK\n\
    EAL: Multi-process socket /var/run/dpdk/rte/mp_socket\n\
    EAL: Physical addresses are unavailable, selecting IOVA as VA mode.\nEAL: Selected IOVA mode 'VA'\n\
    EAL: No available 1048576 kB hugepages reported\nTELEMETRY: No legacy callbacks, legacy socket not created";

fn lines(text: &str) -> Vec<String> {
    CHATTER.lines().chain(text.lines()).map(str::to_owned).collect()
}

fn args(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

#[test]
fn what_every_start_says_is_no_trouble() {
    assert_eq!(CHATTER.lines().filter(|line| is_trouble(line)).collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(is_trouble("EAL: Bus (vdev) probe failed."));
    assert!(is_trouble("EAL: WARNING! Base virtual address hint (0x100000000 != 0x7f) not respected!"));
}

#[test]
fn a_device_that_was_not_made_has_the_words_of_its_driver() {
    // DPDK 22.11, then 24.11.
    for said in [
        "rte_pmd_init_internals(): net_af_packet0: ioctl failed (SIOCGIFINDEX):No such device\n\
         vdev_probe(): failed to initialize net_af_packet0 device\n\
         vdev_probe(): failed to initialize net_null1 device\n\
         open_single_rx_pcap(): Couldn't open /x: /x: No such file or directory\n\
         vdev_probe(): failed to initialize net_pcap2 device\n\
         EAL: Bus (vdev) probe failed.",
        "AFPACKET: rte_pmd_init_internals(): net_af_packet0: ioctl failed (SIOCGIFINDEX):No such device\n\
         VDEV_BUS: vdev_probe(): failed to initialize net_af_packet0 device\n\
         VDEV_BUS: vdev_probe(): failed to initialize net_null1 device\n\
         MEMIF: rte_pmd_memif_probe(): Failed to register mp action callback: Operation not supported\n\
         ETH_PCAP: open_single_rx_pcap(): Couldn't open /x: /x: No such file or directory\n\
         VDEV_BUS: vdev_probe(): failed to initialize net_pcap2 device\n\
         EAL: Bus (vdev) probe failed.",
    ] {
        devices_are_named_with_the_words_of_their_drivers(&lines(said));
        let timed = said.lines().map(|line| format!("[     0.012618] {line}")).collect::<Vec<_>>().join("\n");
        devices_are_named_with_the_words_of_their_drivers(&lines(&timed));
    }
}

fn devices_are_named_with_the_words_of_their_drivers(said: &[String]) {
    // The last line of CHATTER is of no driver, but nor is it the EAL's; it comes after the
    // devices.
    let said: Vec<String> = said.iter().filter(|line| !line.starts_with("TELEMETRY")).cloned().collect();
    let args = args("-l 0 --vdev net_af_packet0,iface=eth7 --vdev=net_null1,x=1 --vdev net_pcap2,rx_pcap=/x");
    let failed = failed_devices(&said, &args);
    let devices: Vec<_> = failed.iter().map(|f| (f.device.as_str(), f.reason.as_str())).collect();
    assert_eq!(
        devices,
        [
            (
                "net_af_packet0,iface=eth7",
                "net_af_packet0: ioctl failed (SIOCGIFINDEX):No such device: there is no interface of this name in this network namespace"
            ),
            ("net_null1,x=1", "its driver gives no reason; are its parameters right?"),
            ("net_pcap2,rx_pcap=/x", "Couldn't open /x: /x: No such file or directory"),
        ]
    );
    assert_eq!(failed_devices(&lines(""), &args), []);
}

#[test]
fn the_cause_is_told_once_with_its_remedy() {
    for (said, usage, reason) in [
        (
            "prog: unrecognized option '--nope'\nprog: unrecognized option '--nope'\n\
             EAL: FATAL: Invalid 'command line' arguments.\nEAL: Invalid 'command line' arguments.\n\n\
             Usage: prog [options]\n [NOTE: allow cannot be used with block option]",
            true,
            "unrecognized option '--nope': `--help` lists the EAL's options, flowtracker's own go behind `--`",
        ),
        (
            "EAL: lcore 99 unavailable\nEAL: invalid core list, please check specified cores are part of 0-1\n\
             EAL: FATAL: Invalid 'command line' arguments.\nEAL: Invalid 'command line' arguments.",
            true,
            "lcore 99 unavailable; invalid core list, please check specified cores are part of 0-1: \
             choose CPUs that this machine has (-l, --lcores)",
        ),
        (
            "EAL: Error creating '/run/dpdk/x': Permission denied\nEAL: Cannot create runtime directory\n\
             EAL: FATAL: Invalid 'command line' arguments.",
            false,
            "Error creating '/run/dpdk/x': Permission denied; Cannot create runtime directory: \
             let RUNTIME_DIRECTORY name a folder that this user may write, or be root",
        ),
        (
            "EAL: Main lcore is not enabled for DPDK\nEAL: FATAL: Invalid 'command line' arguments.",
            true,
            "Main lcore is not enabled for DPDK",
        ),
        // DPDK 24.11 has no FATAL.
        (
            "EAL: Main lcore is not enabled for DPDK\nEAL: Invalid 'command line' arguments.",
            true,
            "Main lcore is not enabled for DPDK",
        ),
        (
            "EAL: lcore 99 unavailable\nEAL: Invalid 'command line' arguments.",
            true,
            "lcore 99 unavailable: choose CPUs that this machine has (-l, --lcores)",
        ),
        (
            "EAL: 8 hugepages of size 2097152 reserved, but no mounted hugetlbfs found for that size\n\
             EAL: FATAL: Cannot get hugepage information.\nEAL: Cannot get hugepage information.",
            false,
            "8 hugepages of size 2097152 reserved, but no mounted hugetlbfs found for that size; \
             Cannot get hugepage information: mount it (mount -t hugetlbfs none /dev/hugepages), \
             or give --in-memory or --no-huge",
        ),
        (
            "EAL: Cannot create lock on '/run/dpdk/x/config'. Is another primary process running?\n\
             EAL: FATAL: Cannot init config\nEAL: Cannot init config",
            false,
            "Cannot create lock on '/run/dpdk/x/config'. Is another primary process running?; Cannot init config: \
             this --file-prefix is taken: give another one, or --no-shconf",
        ),
        (
            "EAL: Cannot get hugepage information.",
            false,
            "Cannot get hugepage information: reserve hugepages (sysctl vm.nr_hugepages=512) and mount hugetlbfs \
             where this user may write, or give --no-huge",
        ),
        ("EAL: FATAL: Something new failed\nEAL: Something new failed", false, "Something new failed"),
        ("", false, ""),
    ] {
        assert_eq!(cause(&lines(said), "prog"), Cause { usage, reason: reason.to_owned() }, "{said}");
    }
}
