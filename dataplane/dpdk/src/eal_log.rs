//! Reads the lines that the EAL and the drivers printed during rte_eal_init.
//!
//! Input: those lines and the arguments. Output: the cause of a failure, with a remedy where one is
//! known ([`cause`]), and the devices that could not be made ([`failed_devices`]). The return value
//! of rte_eal_init says next to nothing about the first and nothing about the second.
//!
//! A line is a message with the name of its log before it, as `EAL: `. DPDK 24.11 names the log of
//! every driver too (`AFPACKET: `, `VDEV_BUS: `), which 22.11 does not.

/// Words of lines that report trouble, in lower case. The level of a message is not in its text.
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

/// Parts of lines that sound like trouble but are printed at good starts too.
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

/// The message of the vdev bus about a device whose driver refused: these words, the name, `
/// device`.
const VDEV_FAILED: &str = "vdev_probe(): failed to initialize ";

/// The message of an EAL that refuses its arguments, whatever is wrong with them.
const BAD_ARGUMENTS: &str = "Invalid 'command line' arguments.";

/// The message of an EAL that cannot make the folder of its run-time files. [`BAD_ARGUMENTS`]
/// follows it.
const NO_RUNTIME_DIRECTORY: &str = "Cannot create runtime directory";

/// Parts of messages, each with the remedy. The first that fits counts.
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

/// A `--vdev` whose device could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedDevice {
    /// The device as the EAL's arguments named it, parameters included.
    pub device: String,
    /// The words of its driver, with a remedy where one is known.
    pub reason: String,
}

/// Returns whether a line reports trouble.
#[must_use]
pub fn is_trouble(line: &str) -> bool {
    let lower = line.to_lowercase();
    TROUBLE.iter().any(|word| lower.contains(word)) && !is_harmless(line)
}

fn is_harmless(line: &str) -> bool {
    HARMLESS.iter().any(|part| line.contains(part))
}

/// Returns the devices that the vdev bus could not make. The EAL starts without them.
pub(crate) fn failed_devices(lines: &[String], args: &[String]) -> Vec<FailedDevice> {
    let lines = without_times(lines);
    let mut failed = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let refused = message(line).strip_prefix(VDEV_FAILED).and_then(|rest| rest.strip_suffix(" device"));
        let Some(name) = refused else { continue };
        // The driver's words are the lines up to the last one that is the EAL's or about another
        // device.
        let said = lines[..at]
            .iter()
            .rev()
            .take_while(|line| !line.starts_with("EAL: ") && !message(line).starts_with(VDEV_FAILED))
            .filter(|line| !is_harmless(line))
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

/// Returns `name` with the parameters that it has in the arguments.
fn device_argument(name: &str, args: &[String]) -> String {
    let named = |device: &&str| device.split(',').next() == Some(name);
    let values = args.iter().map(|arg| arg.strip_prefix("--vdev=").unwrap_or(arg));
    values.rev().find(named).unwrap_or(name).to_owned()
}

/// The cause of a failed rte_eal_init.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// Whether the EAL refused its arguments.
    pub(crate) usage: bool,
    /// The EAL's words, and a remedy where one is known. Empty if it printed nothing.
    pub(crate) reason: String,
}

/// Finds the cause in the lines of the EAL. `program` is the name that getopt puts before its
/// complaints.
pub(crate) fn cause(lines: &[String], program: &str) -> Cause {
    let lines = without_times(lines);
    let mut found: Vec<&str> = Vec::new();
    // The usage text is left out: it contains "invalid" too.
    let said = lines.iter().take_while(|line| !line.starts_with("Usage: "));
    for line in said.filter(|line| is_trouble(line) || line.contains(NOT_MOUNTED)) {
        let line = line.strip_prefix(program).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(line);
        let line = bare(line);
        // The EAL prints its last line twice, and calls getopt twice.
        if line != BAD_ARGUMENTS && !found.contains(&line) {
            found.push(line);
        }
    }
    if found.is_empty() {
        // No line has a word of TROUBLE: the cause is the last line before the EAL gave up.
        let gives_up = |line: &&str| line.starts_with("EAL: FATAL: ") || message(line) == BAD_ARGUMENTS;
        let end = lines.iter().position(gives_up).unwrap_or(0);
        found.extend(lines[..end].last().map(|line| bare(line)));
    }
    let has = |part: &str| lines.iter().any(|line| line.contains(part));
    // The EAL makes its runtime directory while it reads the arguments.
    let usage = has(BAD_ARGUMENTS) && !has(NO_RUNTIME_DIRECTORY);
    Cause { usage, reason: with_remedy(&found) }
}

/// Joins lines to one, and adds the remedy if one is known.
fn with_remedy(lines: &[&str]) -> String {
    let text = lines.join("; ");
    let text = text.trim_end_matches('.');
    match REMEDIES.iter().find(|(part, _)| text.contains(part)) {
        Some((_, remedy)) => format!("{text}: {remedy}"),
        None => text.to_owned(),
    }
}

/// Returns lines without the times that `--log-timestamp` of DPDK 24.11 puts before them, in
/// brackets.
fn without_times(lines: &[String]) -> Vec<&str> {
    fn after_time(line: &str) -> Option<&str> {
        Some(line.strip_prefix('[')?.split_once("] ")?.1)
    }
    lines.iter().map(|line| after_time(line).unwrap_or(line)).collect()
}

/// Returns a line without the name of its log, which is in capitals.
fn message(line: &str) -> &str {
    let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    match line.split_once(": ") {
        Some((log, rest)) if log.chars().all(capital) => rest,
        _ => line,
    }
}

/// Returns a line without its prefixes: its log, its level, and the function in DPDK that it comes
/// from.
fn bare(line: &str) -> &str {
    let line = message(line);
    let line = line.strip_prefix("FATAL: ").unwrap_or(line);
    let identifier = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match line.split_once("(): ") {
        Some((function, rest)) if function.chars().all(identifier) => rest,
        _ => line,
    }
    .trim()
}

#[cfg(test)]
#[path = "eal_log_tests.rs"]
mod tests;
