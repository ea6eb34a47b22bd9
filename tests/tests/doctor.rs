//! `flowtracker-dataplane doctor` on a healthy machine and on machines that were really broken. The
//! law that makes it useful: what it reports as a failure does not start, and everything else
//! starts.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::process::Command;

use flowtracker_tests::appliance::LIMIT;
use flowtracker_tests::netns::{Line, Namespace};
use flowtracker_tests::process::{Running, Stream, binary, run};
use tempfile::TempDir;

const PORTS: [&str; 2] = ["--vdev=net_af_packet0,iface=port0", "--vdev=net_af_packet1,iface=port1"];

/// A line with a control service in its middle, where data planes are started and the doctor runs.
struct Machine {
    line: Line,
    /// The folder for DPDK's run-time files.
    folder: TempDir,
    prefix: String,
    control: Option<Running>,
}

impl Machine {
    fn new() -> Self {
        let line = Line::new();
        let mut control = line.middle.command(binary("flowtracker-control"));
        let mut control = Running::spawn(control.args(["--listen", "127.0.0.1:50051"]));
        control.wait_line(Stream::Stderr, LIMIT, |line| line.contains("127.0.0.1:50051"));
        Self {
            line,
            folder: tempfile::tempdir().expect("a temporary folder"),
            prefix: format!("fttest{}", std::process::id()),
            control: Some(control),
        }
    }

    /// Returns the command that starts the data plane inside of `wrapper`, a command that starts
    /// another one.
    fn command(&self, wrapper: &[&str], doctor: bool, eal: &[&str]) -> Command {
        let program = binary("flowtracker-dataplane");
        let program = program.to_str().expect("UTF-8");
        let words: Vec<&str> =
            wrapper.iter().copied().chain([program]).chain(doctor.then_some("doctor")).collect();
        let mut command = self.line.middle.command(words[0]);
        command.args(&words[1..]).env("RUNTIME_DIRECTORY", self.folder.path());
        command.args(["-l", "0", "--no-pci", &format!("--file-prefix={}", self.prefix)]).args(eal);
        command
    }

    /// Runs the doctor, and returns its output and its exit status.
    fn doctor(&self, wrapper: &[&str], eal: &[&str]) -> Report {
        let output = self.command(wrapper, true, eal).output().expect("the doctor starts");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(stderr, "", "it logs nothing");
        Report { status: output.status.code(), text }
    }

    /// Starts the data plane and returns its exit status. If `works`, it is stopped once it polls;
    /// otherwise it must end by itself.
    fn start(&self, wrapper: &[&str], eal: &[&str], works: bool) -> Option<i32> {
        let mut dataplane = Running::spawn(&mut self.command(wrapper, false, eal));
        if works {
            dataplane.wait_line(Stream::Stderr, LIMIT, |line| line.contains("polling"));
            return dataplane.terminate().code();
        }
        dataplane.wait(LIMIT).code()
    }
}

/// The doctor's output.
struct Report {
    status: Option<i32>,
    text: String,
}

impl Report {
    /// Returns the lines that are not `ok`, each as (verdict, topic, rest of the line).
    fn findings(&self) -> BTreeSet<(&str, &str, &str)> {
        let (table, _summary) = self.text.trim_end().rsplit_once('\n').expect("a table and its summary");
        let lines = table.lines().map(|line| {
            let (verdict, rest) = line.split_once(' ').expect("a verdict");
            let (topic, rest) = rest.trim_start().split_once(' ').expect("a topic");
            (verdict, topic, rest.trim_start())
        });
        lines.filter(|(verdict, ..)| *verdict != "ok").collect()
    }

    /// Checks that the last line agrees with the lines above it.
    #[track_caller]
    fn assert_summary(&self) {
        let count = |wanted| self.findings().iter().filter(|(verdict, ..)| *verdict == wanted).count();
        let plural = |count, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        let summary = format!("{}, {}", plural(count("warn"), "warning"), plural(count("fail"), "failure"));
        assert_eq!(self.text.lines().last(), Some(summary.as_str()));
        assert_eq!(self.status, Some(i32::from(count("fail") > 0)), "{}", self.text);
    }
}

/// What is broken on the machine, and what the doctor must report.
struct Broken<'a> {
    /// A shell script that breaks the namespace in the middle of the line.
    breakage: &'a str,
    /// A command that starts the program, and breaks what the program sees of the machine.
    wrapper: &'a [&'a str],
    eal: Vec<&'a str>,
    finding: (&'a str, &'a str, &'a str),
}

fn shell(namespace: &Namespace, script: &str) {
    run(namespace.command("sh").args(["-ec", script]));
}

fn with_ports<'a>(eal: &[&'a str]) -> Vec<&'a str> {
    eal.iter().copied().chain(PORTS).collect()
}

/// A shell script that makes mounts of its own and then starts the program, which so sees a machine
/// without hugepages.
const NO_HUGEPAGES: &str = "mount -t tmpfs none /sys/kernel/mm/hugepages && \
    mkdir /sys/kernel/mm/hugepages/hugepages-2048kB && \
    echo 0 > /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages && exec \"$@\"";
const NO_DRIVERS: &str = "mount -t tmpfs none /usr/lib/x86_64-linux-gnu/dpdk && exec \"$@\"";

/// The folder that [`NO_DRIVERS`] hides.
const DRIVERS: &str = "/usr/lib/x86_64-linux-gnu/dpdk";

#[test]
fn a_healthy_machine_has_no_failure_and_starts() {
    let machine = Machine::new();
    let eal = with_ports(&["--no-huge", "-m", "256"]);
    let report = machine.doctor(&[], &eal);
    report.assert_summary();
    assert_eq!(report.status, Some(0), "{}", report.text);
    for topic in ["devices", "control", "file-prefix", "permissions", "hugepages", "drivers", "ports"] {
        let line = |line: &str| line.starts_with("ok ") && line.split_whitespace().nth(1) == Some(topic);
        assert!(report.text.lines().any(line), "{topic} is well:\n{}", report.text);
    }
    let left: Vec<_> = std::fs::read_dir(machine.folder.path()).expect("the folder").collect();
    assert!(left.is_empty(), "the doctor leaves nothing behind: {left:?}");
    assert_eq!(machine.start(&[], &eal, true), Some(0));
}

#[test]
fn what_starts_has_no_failure() {
    let machine = Machine::new();
    let common = ["--no-huge", "-m", "256"];
    for devices in [
        ["--vdev=net_af_xdp0,iface=port0", "--vdev=net_af_xdp1,iface=port1"],
        // EAL accepts an abbreviated option.
        ["--vde=net_af_packet0,iface=port0", "--vd=net_af_packet1,iface=port1"],
        // These are the longest frames that the doctor ever suggests.
        [PORTS[0], "--vdev=net_af_packet1,iface=port1,framesz=32768,blocksz=32768,framecnt=64"],
    ] {
        let eal = [&common[..], &devices].concat();
        let report = machine.doctor(&[], &eal);
        assert_eq!(report.status, Some(0), "{devices:?}: {}", report.text);
        assert_eq!(machine.start(&[], &eal, true), Some(0), "{devices:?}");
    }
}

#[test]
fn arguments_that_are_refused_are_failures() {
    let machine = Machine::new();
    for refused in ["--proc-type=auto", "--proc-typ=secondary", "--no-h", "--no-huge=yes", "--brust=3"] {
        let eal = with_ports(&["--no-huge", "-m", "256", refused]);
        let report = machine.doctor(&[], &eal);
        let findings = report.findings();
        let about = |(verdict, topic, _): &(&str, &str, &str)| (*verdict, *topic) == ("fail", "arguments");
        assert!(findings.iter().any(about), "{refused}: {}", report.text);
        report.assert_summary();
        assert_eq!(machine.start(&[], &eal, false), Some(2), "{refused}");
    }
}

/// For each case: breaks the machine, runs the doctor, starts the data plane, and applies the
/// remedy.
fn law(machine: &Machine, cases: &[Broken]) {
    let healthy = machine.doctor(&[], &with_ports(&["--no-huge", "-m", "256"]));
    for case in cases {
        shell(&machine.line.middle, case.breakage);
        let report = machine.doctor(case.wrapper, &case.eal);
        let known = healthy.findings();
        let found = report.findings();
        let new: Vec<_> = found.difference(&known).copied().collect();
        assert_eq!(new, [case.finding], "{} {:?} {:?}", case.breakage, case.wrapper, case.eal);
        report.assert_summary();

        let works = case.finding.0 == "warn";
        let status = machine.start(case.wrapper, &case.eal, works);
        assert_eq!(status, Some(i32::from(!works)), "{:?}", case.finding);
        if !case.breakage.is_empty() {
            // The remedy is a command, and repairs what was found.
            let (_, remedy) = case.finding.2.rsplit_once("; ").expect("found; remedy");
            shell(&machine.line.middle, remedy);
        }
        let mended = machine.doctor(&[], &with_ports(&["--no-huge", "-m", "256"]));
        assert_eq!(mended.findings(), healthy.findings(), "after {:?}", case.finding);
    }
}

#[test]
fn what_fails_does_not_start() {
    // The folder bears the ABI of DPDK: `pmds-23.0` or `pmds-25.0`.
    let drivers = std::fs::read_dir(DRIVERS).expect("DPDK's drivers").next().expect("a folder");
    let no_drivers = format!(
        "DPDK's folder of drivers, {}, is empty or missing; apt-get install libdpdk-dev",
        drivers.expect("a readable folder").path().display()
    );
    let machine = Machine::new();
    let memif = "--vdev=net_memif0,socket=/nonexistent/m.sock,socket-abstract=no";
    let plain = || with_ports(&["--no-huge", "-m", "256"]);
    let broken = |wrapper, eal, finding| Broken { breakage: "", wrapper, eal, finding };
    law(
        &machine,
        &[
            broken(
                &[],
                vec!["--no-huge", "-m", "256", PORTS[0], "--vdev=net_af_packet1,iface=eth7"],
                (
                    "fail",
                    "devices",
                    "eth7: there is no such network interface in this namespace; ip -brief link",
                ),
            ),
            broken(
                &["unshare", "-m", "sh", "-c", NO_HUGEPAGES, "sh"],
                with_ports(&["-m", "256"]),
                (
                    "fail",
                    "hugepages",
                    "none of 2 MB is free; \
                     echo 128 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages # or --no-huge -m 256",
                ),
            ),
            broken(
                &[],
                with_ports(&["--no-huge", "-m", "15"]),
                (
                    "fail",
                    "hugepages",
                    "not used (--no-huge), and -m 15 is less than the 16 MB that 4544 mbufs need; -m 32",
                ),
            ),
            broken(
                &["unshare", "-m", "sh", "-c", NO_DRIVERS, "sh"],
                plain(),
                ("fail", "drivers", &no_drivers),
            ),
            broken(
                &["setpriv", "--bounding-set=-net_raw"],
                plain(),
                (
                    "fail",
                    "permissions",
                    "root and without CAP_NET_RAW, which the devices need; \
                     docker run --cap-add NET_RAW # or CapabilityBoundingSet= of systemd",
                ),
            ),
            broken(
                &[],
                vec!["--no-huge", "-m", "256", PORTS[0], "--vdev=net_af_packet1,iface=port1,framesz=8192"],
                ("fail", "devices", "net_af_packet1: framesz=8192 is more than blocksz=4096; blocksz=8192"),
            ),
            broken(
                &[],
                vec![
                    "--no-huge",
                    "-m",
                    "256",
                    PORTS[0],
                    "--vdev=net_af_packet1,iface=port1,framesz=65536,blocksz=65536,framecnt=64",
                ],
                (
                    "fail",
                    "devices",
                    "net_af_packet1: framesz=65536 is more than an mbuf can hold; 32768 at most; \
                     framesz=32768,blocksz=32768",
                ),
            ),
            Broken {
                breakage: "ip link set port1 mtu 9000",
                wrapper: &[],
                eal: vec![
                    "--no-huge",
                    "-m",
                    "256",
                    PORTS[0],
                    "--vdev=net_af_packet1,iface=port1,framesz=2048",
                ],
                finding: (
                    "fail",
                    "devices",
                    "net_af_packet1: frames of MTU 9000 do not fit framesz=2048 and would be cut: \
                     append `,framesz=16384,blocksz=16384` to its --vdev, or lower the interface's MTU; \
                     ip link set port1 mtu 1964",
                ),
            },
            broken(
                &[],
                vec!["--no-huge", "-m", "256", PORTS[0], memif],
                (
                    "fail",
                    "devices",
                    "net_memif0: /nonexistent/m.sock cannot be used: /nonexistent: \
                     No such file or directory (os error 2); mkdir -p /nonexistent",
                ),
            ),
            broken(
                &[],
                vec!["--no-huge", "-m", "256", PORTS[0]],
                (
                    "fail",
                    "ports",
                    "1 DPDK port: two are needed (EAL arguments --vdev or -a); \
                     one more --vdev or -a, such as --vdev net_af_packet1,iface=eth1",
                ),
            ),
        ],
    );
}

#[test]
fn what_is_a_warning_starts() {
    let machine = Machine::new();
    let plain = || with_ports(&["--no-huge", "-m", "256"]);
    law(
        &machine,
        &[
            Broken {
                breakage: "ip link set port1 down",
                wrapper: &[],
                eal: plain(),
                finding: (
                    "warn",
                    "devices",
                    "port1 is down: nothing is received or sent; ip link set port1 up",
                ),
            },
            Broken {
                breakage: "ethtool -K port0 gro on",
                wrapper: &[],
                eal: plain(),
                finding: (
                    "warn",
                    "devices",
                    "port0 merges received frames (gro), which cannot be forwarded as they came: \
                     the start switches it off; ethtool -K port0 gro off",
                ),
            },
            Broken {
                breakage: "",
                wrapper: &["taskset", "-c", "1"],
                eal: plain(),
                finding: (
                    "warn",
                    "cpus",
                    "lcore 0: outside the affinity of this process (CPU 1), which DPDK will leave; \
                     -l 1, or start it without taskset",
                ),
            },
        ],
    );
}

#[test]
fn the_control_service_may_come_later() {
    let mut machine = Machine::new();
    machine.control = None;
    let eal = with_ports(&["--no-huge", "-m", "256"]);
    let report = machine.doctor(&[], &eal);
    assert!(
        report.findings().contains(&(
            "warn",
            "control",
            "nobody listens at http://127.0.0.1:50051 (Connection refused (os error 111)); it may come later; \
             flowtracker-control --listen 127.0.0.1:50051 &"
        )),
        "{}",
        report.text
    );
    report.assert_summary();
    assert_eq!(machine.start(&[], &eal, true), Some(0));
}

#[test]
fn a_taken_file_prefix_names_who_has_it() {
    let machine = Machine::new();
    let eal = with_ports(&["--no-huge", "-m", "256"]);
    let mut first = Running::spawn(&mut machine.command(&[], false, &eal));
    first.wait_line(Stream::Stderr, LIMIT, |line| line.contains("polling"));
    let (pid, prefix, folder) = (first.pid(), &machine.prefix, machine.folder.path().display());
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).expect("it runs");

    let report = machine.doctor(&[], &eal);
    let finding = format!(
        "{prefix}: taken by process {pid} ({}), which has locked {folder}/dpdk/{prefix}/config; \
         --file-prefix {prefix}2, or stop that process",
        name.trim()
    );
    assert!(report.findings().contains(&("fail", "file-prefix", finding.as_str())), "{}", report.text);
    report.assert_summary();
    assert_eq!(machine.start(&[], &eal, false), Some(1));

    // Running the doctor does not take the lock away, and stopping the process frees it.
    assert!(machine.doctor(&[], &eal).findings().contains(&("fail", "file-prefix", finding.as_str())));
    assert_eq!(first.terminate().code(), Some(0));
    assert_eq!(machine.doctor(&[], &eal).status, Some(0));
}

#[test]
fn bad_flags_are_not_a_diagnosis() {
    for args in [&["--", "--burst", "0"][..], &["--", "--learn-profile", "9"], &["--burst=3"]] {
        let output =
            Command::new(binary("flowtracker-dataplane")).arg("doctor").args(args).output().expect("starts");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args:?}");
    }
}
