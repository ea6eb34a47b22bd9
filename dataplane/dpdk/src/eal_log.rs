//! Reads what the EAL and the drivers said during rte_eal_init: the return value alone tells next to nothing, and a
//! device on the virtual bus that could not be made is only told of in a line.

/// Words of lines that tell of trouble, in lower case. The level of a message is not in its text.
const TROUBLE: [&str; 23] = [
    "fail",
    "error",
    "fatal",
    "cannot",
    "can't",
    "can not",
    "could not",
    "couldn't",
    "unable",
    "unavailable",
    "invalid",
    "no such",
    "not found",
    "not enough",
    "denied",
    "not permitted",
    "unsupported",
    "not supported",
    "unrecognized",
    "warning",
    "requires an argument",
    "ambiguous",
    "doesn't allow",
];

/// Parts of lines that sound like trouble and are said at good starts too.
const HARMLESS: [&str; 6] = [
    "Failed to register mp action callback: Operation not supported",
    "Failed to send start req to secondary",
    "Physical addresses are unavailable, selecting IOVA as VA mode",
    "No legacy callbacks, legacy socket not created",
    "hugepages reported",
    "No DPDK runtime directory created",
];

/// Part of a line that is harmless unless the start fails: --in-memory needs no mount.
const NOT_MOUNTED: &str = "no mounted hugetlbfs found";

/// What the vdev bus says of a device whose driver refused: this, the name, ` device`.
const VDEV_FAILED: &str = "vdev_probe(): failed to initialize ";

/// What the EAL says when it refuses its arguments, whatever was wrong with them.
const BAD_ARGUMENTS: &str = "Invalid 'command line' arguments.";

/// What the EAL says when it cannot make the folder of its run-time files, and then BAD_ARGUMENTS as well.
const NO_RUNTIME_DIRECTORY: &str = "Cannot create runtime directory";

/// Part of what was said, and what to do about it; the first that fits.
const REMEDIES: [(&str, &str); 12] = [
    ("unrecognized option", "`--help` lists the EAL's options, flowtracker's own go behind `--`"),
    ("invalid option", "`--help` lists the EAL's options, flowtracker's own go behind `--`"),
    (NOT_MOUNTED, "mount it (mount -t hugetlbfs none /dev/hugepages), or give --in-memory or --no-huge"),
    (
        "Cannot get hugepage information",
        "reserve hugepages (sysctl vm.nr_hugepages=512) and mount hugetlbfs where this user may write, or give --no-huge",
    ),
    ("Is another primary process running", "this --file-prefix is taken: give another one, or --no-shconf"),
    (NO_RUNTIME_DIRECTORY, "let RUNTIME_DIRECTORY name a folder that this user may write, or be root"),
    (
        "Unable to parse device",
        "no driver takes this name: it must be that of a driver and a number, as net_af_packet0",
    ),
    ("Cannot init memory", "ask for less with -m, or reserve more hugepages"),
    ("unavailable", "choose CPUs that this machine has (-l, --lcores)"),
    ("Cannot init plugins", "-d names a driver's shared object or a folder of them"),
    ("SIOCGIFINDEX", "there is no interface of this name in this network namespace"),
    ("Could not open AF_PACKET socket", "that takes the capability CAP_NET_RAW, be root"),
];

/// A `--vdev` that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedDevice {
    /// As the arguments of the EAL had it, parameters included.
    pub device: String,
    /// What its driver said.
    pub reason: String,
}

/// True for a line that tells of trouble.
#[must_use]
pub fn is_trouble(line: &str) -> bool {
    let lower = line.to_lowercase();
    TROUBLE.iter().any(|word| lower.contains(word)) && !HARMLESS.iter().any(|part| line.contains(part))
}

/// The devices that the vdev bus could not make. The EAL goes on without them.
pub(crate) fn failed_devices(lines: &[String], args: &[String]) -> Vec<FailedDevice> {
    let mut failed = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = line.strip_prefix(VDEV_FAILED).and_then(|rest| rest.strip_suffix(" device")) else {
            continue;
        };
        // What stands between this and the line before it that is not the driver's.
        let said = lines[..at]
            .iter()
            .rev()
            .take_while(|line| !line.starts_with("EAL: ") && !line.starts_with(VDEV_FAILED))
            .map(|line| bare(line));
        let mut said: Vec<&str> = said.collect();
        said.reverse();
        let reason = if said.is_empty() {
            "its driver gives no reason; are its parameters right?".to_owned()
        } else {
            with_remedy(&said)
        };
        failed.push(FailedDevice { device: device_argument(name, args), reason });
    }
    failed
}

/// `name` with the parameters that it had in the arguments.
fn device_argument(name: &str, args: &[String]) -> String {
    let named = |device: &&str| device.split(',').next() == Some(name);
    let values = args.iter().map(|arg| arg.strip_prefix("--vdev=").unwrap_or(arg));
    values.rev().find(named).unwrap_or(name).to_owned()
}

/// Why rte_eal_init failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// The EAL refused its arguments.
    pub(crate) usage: bool,
    /// What it said, and a remedy where one is known. Empty if it said nothing.
    pub(crate) reason: String,
}

/// Picks the cause from what the EAL said. `program` is the name that getopt puts before its complaints.
pub(crate) fn cause(lines: &[String], program: &str) -> Cause {
    let mut told: Vec<&str> = Vec::new();
    // The usage text says "invalid" too.
    let said = lines.iter().take_while(|line| !line.starts_with("Usage: "));
    for line in said.filter(|line| is_trouble(line) || line.contains(NOT_MOUNTED)) {
        let line = line.strip_prefix(program).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(line);
        let line = bare(line);
        // The EAL says its last words twice, and getopt is asked twice.
        if line != BAD_ARGUMENTS && !told.contains(&line) {
            told.push(line);
        }
    }
    if told.is_empty() {
        // Its words are none of ours: then what it said last before it gave up.
        let end = lines.iter().position(|line| line.starts_with("EAL: FATAL: ")).unwrap_or(0);
        told.extend(lines[..end].last().map(|line| bare(line)));
    }
    let has = |part: &str| lines.iter().any(|line| line.contains(part));
    // It makes its runtime directory while it reads the arguments.
    let usage = has(BAD_ARGUMENTS) && !has(NO_RUNTIME_DIRECTORY);
    Cause { usage, reason: with_remedy(&told) }
}

/// The lines as one, and what to do if that is known.
fn with_remedy(told: &[&str]) -> String {
    let text = told.join("; ");
    let text = text.trim_end_matches('.');
    match REMEDIES.iter().find(|(part, _)| text.contains(part)) {
        Some((_, remedy)) => format!("{text}: {remedy}"),
        None => text.to_owned(),
    }
}

/// A line without what tells where in DPDK it comes from.
fn bare(line: &str) -> &str {
    let line = line.strip_prefix("EAL: ").unwrap_or(line);
    let line = line.strip_prefix("FATAL: ").unwrap_or(line);
    let identifier = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match line.split_once("(): ") {
        Some((function, rest)) if function.chars().all(identifier) => rest,
        _ => line,
    }
    .trim()
}

#[cfg(test)]
mod tests {
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
        let said = lines(
            "rte_pmd_init_internals(): net_af_packet0: ioctl failed (SIOCGIFINDEX):No such device\n\
             vdev_probe(): failed to initialize net_af_packet0 device\n\
             vdev_probe(): failed to initialize net_null1 device\n\
             open_single_rx_pcap(): Couldn't open /x: /x: No such file or directory\n\
             vdev_probe(): failed to initialize net_pcap2 device\n\
             EAL: Bus (vdev) probe failed.",
        );
        // The last line of CHATTER is of no driver, but nor is it the EAL's; it comes after the devices.
        let said: Vec<String> = said.into_iter().filter(|line| !line.starts_with("TELEMETRY")).collect();
        let args =
            args("-l 0 --vdev net_af_packet0,iface=eth7 --vdev=net_null1,x=1 --vdev net_pcap2,rx_pcap=/x");
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
            ("EAL: FATAL: Something new failed\nEAL: Something new failed", false, "Something new failed"),
            ("", false, ""),
        ] {
            assert_eq!(cause(&lines(said), "prog"), Cause { usage, reason: reason.to_owned() }, "{said}");
        }
    }
}
