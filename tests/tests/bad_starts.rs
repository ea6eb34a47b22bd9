//! A start that cannot succeed prints one line on standard error that names the cause. It ends with
//! status 2 if the arguments cannot be right on any machine, and with status 1 if the machine lacks
//! what they name.
#![forbid(unsafe_code)]

use std::process::{Command, Output};

use flowtracker_tests::appliance::LIMIT;
use flowtracker_tests::process::{Running, Stream, binary};
use tempfile::TempDir;

/// The EAL arguments of a start that needs only a little memory.
const PLAIN: [&str; 6] = ["--no-huge", "--no-shconf", "--no-pci", "-m", "128", "-l0"];
/// Two ports that always exist; the first one never receives.
const TWO_PORTS: [&str; 2] = ["--vdev=net_null0,no-rx=1", "--vdev=net_null1,no-rx=1"];

/// Returns the command that starts the data plane with its run-time files in `folder`.
fn dataplane(folder: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new("timeout");
    // A start that hangs instead of failing is killed, and so fails the test.
    command.args(["--signal=KILL", &LIMIT.as_secs().to_string()]).arg(binary("flowtracker-dataplane"));
    command.args(args).env("RUNTIME_DIRECTORY", folder.path()).env_remove("FLOWTRACKER_LOG");
    command
}

/// Returns the only line that a start prints before it ends with `status`.
#[track_caller]
fn only_line(command: &mut Command, status: i32) -> String {
    let Output { status: ended, stdout, stderr } = command.output().expect("it can be started");
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert_eq!(stdout, "", "results only: {command:?}");
    assert_eq!(stderr.lines().count(), 1, "one line: {command:?}\n{stderr}");
    assert_eq!(ended.code(), Some(status), "{command:?}\n{stderr}");
    stderr.into_owned()
}

#[track_caller]
fn check(eal: &[&str], options: &[&str], status: i32, words: &[&str]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let args = [eal, &["--"], options].concat();
    let line = only_line(&mut dataplane(&folder, &args), status);
    for word in words {
        assert!(line.contains(word), "no {word:?} in the line of {args:?}: {line}");
    }
}

#[test]
fn bad_options_are_named() {
    let eal = [&PLAIN[..], &TWO_PORTS].concat();
    for (options, words) in [
        (&["--no-such-flag"][..], &["--no-such-flag"][..]),
        (&["--burts=5"], &["--burts", "--burst"]),
        (&["--burst=0"], &["--burst", "1..=256"]),
        (&["--instructions", "avx"], &["--instructions", "avx", "native, portable"]),
        (&["--hash", "md5"], &["--hash", "md5", "keyed, crc, jhash"]),
        (&["--id"], &["--id", "value is required"]),
        (&["--id", "two\nlines"], &["--id"]),
        (&["--id", "two words"], &["--id", "without blanks"]),
        (&["--id", "two\u{a0}words"], &["--id", "without blanks"]),
        (&["--timer-profiles=5,5"], &["--timer-profiles"]),
        (&["--learn-profile=4"], &["--learn-profile", "--timer-profiles has 4"]),
        (&["--permissions=0x4000"], &["--permissions", "0x3fff"]),
        (&["--control=127.0.0.1:50051"], &["--control", "http://HOST:PORT"]),
        (&["stray"], &["stray"]),
    ] {
        check(&eal, options, 2, words);
    }
    check(&["--id", "lab"], &[], 2, &["--id", "behind `--`"]);
}

#[test]
fn a_bad_configuration_file_is_named_with_the_line() {
    let eal = [&PLAIN[..], &TWO_PORTS].concat();
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text, words) in [
        ("key.toml", "burst = 8\nburts = 5\n", &["line 2", "burts", "burst"][..]),
        ("syntax.toml", "burst = 8\n\nid = lab\n", &["line 3, column 6"]),
        ("type.toml", "capacity = [1, 2]\n", &["line 1", "capacity", "array"]),
        ("range.toml", "# small\nburst = 257\n", &["line 2", "--burst", "1..=256"]),
        ("together.toml", "timer-profiles = [1000]\nlearn-profile = 1\n", &["line 2", "learn-profile"]),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        let path = path.to_str().expect("UTF-8");
        check(&eal, &["--config", path], 2, &[words, &[&format!("--config {path}: line")]].concat());
    }
    let absent = folder.path().join("absent.toml");
    check(&eal, &["--config", absent.to_str().expect("UTF-8")], 2, &["absent.toml", "No such file"]);
    check(&eal, &["--config", folder.path().to_str().expect("UTF-8")], 2, &["Is a directory"]);
}

#[test]
fn arguments_that_the_eal_refuses_are_named() {
    for (eal, words) in [
        (&["--no-such-flag"][..], &["EAL", "--no-such-flag", "--help"][..]),
        (&["-Z"], &["EAL", "'Z'"]),
        (&["-m"], &["EAL", "requires an argument", "'m'"]),
        (&["-l", "0,99"], &["EAL", "lcore 99", "-l"]),
        (&["-l", "x"], &["EAL", "invalid core list"]),
        (&["-l", "0", "--main-lcore", "1"], &["EAL", "ain lcore is not enabled"]),
        (&["--iova-mode", "xx"], &["EAL", "--iova-mode"]),
        (&["-n", "4", "stray", "words"], &["EAL", "`stray words`"]),
        (&["--in-memory"], &["EAL", "--no-huge", "--in-memory", "--no-shconf"]),
        (&["--proc-type", "secondary"], &["EAL", "--proc-type", "primary"]),
        (&["--proc-type=auto"], &["EAL", "--proc-type", "primary"]),
        (&["--proc-typ=secondary"], &["EAL", "--proc-type", "primary"]),
        (&["--vdev=net_memif0,role=client,sokcet=/tmp/x"], &["EAL", "net_memif0", "sokcet", "socket"]),
    ] {
        check(&[&PLAIN[..5], eal].concat(), &[], 2, words);
    }
}

#[test]
fn ports_that_cannot_be_had_are_named_with_the_reason() {
    for (devices, words) in [
        (&[][..], &["0 DPDK ports", "two are needed", "--vdev"][..]),
        (
            &["--vdev=net_pcap0,iface=lo", "--vdev=net_pcap1,iface=lo"],
            &["net_pcap0", "net_pcap1", "same interface"],
        ),
        // EAL reports nothing when a card does not exist.
        (&["--vdev=net_null0", "--vdev=net_null1", "-a", "0000:ff:1f.7"], &["0000:ff:1f.7"]),
        (&["--vdev=net_null0"], &["1 DPDK port", "two are needed", "--vdev"]),
        (&["--vdev=net_null0", "--vdev=net_null1", "--vdev=net_null2"], &["port2 has no peer"]),
        (
            &["--vdev=net_null0", "--vdev", "net_af_packet0,iface=nosuch"],
            &["port for net_af_packet0,iface=nosuch was not made", "SIOCGIFINDEX", "No such device"],
        ),
        (
            &["--vdev=net_pcap0,rx_pcap=/nosuch.pcap", "--vdev=net_null1"],
            &["net_pcap0,rx_pcap=/nosuch.pcap was not made", "No such file or directory"],
        ),
        (&["--vdev=net_null0", "--vdev=net_nosuch0"], &["net_nosuch0", "no driver"]),
        // Two ports exist, but one port of the command line was not made.
        (
            &["--vdev=net_af_packet0,iface=nosuch", "--vdev=net_null0", "--vdev=net_null1"],
            &["port for net_af_packet0,iface=nosuch was not made"],
        ),
    ] {
        check(&[&PLAIN[..], devices].concat(), &[], 1, words);
    }
}

#[test]
fn what_the_machine_does_not_have_is_named() {
    let two = |eal: &[&'static str]| [eal, &TWO_PORTS].concat();
    check(&two(&PLAIN), &["--mbufs=60000000"], 1, &["60000000 mbufs", "-m", "--mbufs"]);
    check(&two(&PLAIN), &["--capacity=1000000000"], 1, &["--capacity", "memory"]);
    check(&two(&["--no-huge", "--no-pci", "-m", "99999999", "-l0"]), &[], 1, &["memory", "-m"]);
    check(&two(&[&PLAIN[..], &["-d", "/nosuch.so"]].concat()), &[], 1, &["/nosuch.so", "No such file"]);
    // No hugetlbfs is mounted in this folder, even if the machine has one elsewhere.
    check(&two(&["--no-pci", "-l0", "--huge-dir", "/nosuch"]), &[], 1, &["hugepage", "--no-huge"]);
}

#[test]
fn a_run_time_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    let args = ["--no-huge", "--no-pci", "-m", "128", "-l0"];
    let line = only_line(dataplane(&folder, &args).env("RUNTIME_DIRECTORY", &file), 1);
    assert!(line.contains("Not a directory") && line.contains("RUNTIME_DIRECTORY"), "{line}");
}

#[test]
fn a_missing_privilege_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let allowed = dataplane(&folder, &[&PLAIN[..], &["--vdev=net_af_packet0,iface=lo"]].concat());
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-net_raw", "--inh-caps=-net_raw"]).arg(allowed.get_program());
    command.args(allowed.get_args()).env("RUNTIME_DIRECTORY", folder.path()).env_remove("FLOWTRACKER_LOG");
    let line = only_line(&mut command, 1);
    assert!(line.contains("net_af_packet0,iface=lo was not made") && line.contains("CAP_NET_RAW"), "{line}");
}

#[test]
fn a_file_prefix_that_is_taken_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let eal =
        [&["--no-huge", "--no-pci", "-m", "128", "-l0", "--file-prefix=taken"][..], &TWO_PORTS].concat();
    let mut first = Running::spawn(&mut dataplane(&folder, &eal));
    first.wait_line(Stream::Stderr, LIMIT, |line| line.contains("polling"));
    let line = only_line(&mut dataplane(&folder, &eal), 1);
    for word in ["another primary process", "--file-prefix", "--no-shconf"] {
        assert!(line.contains(word), "no {word:?} in {line}");
    }
    assert_eq!(first.text(Stream::Stdout), "");
    // The first data plane is not affected.
    assert_eq!(first.terminate().code(), Some(0), "{}", first.output());
}

/// The reason is printed at every log level, the rest only at the levels that include it.
#[test]
fn everything_is_seen_when_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let args = [&PLAIN[..], &["--vdev=net_null0", "--vdev=net_af_packet0,iface=nosuch"]].concat();
    for (level, wanted, words) in [
        ("debug", true, &["effective configuration", "Detected CPU lcores", "Bus (vdev) probe failed"][..]),
        ("info", true, &["effective configuration", "Bus (vdev) probe failed"]),
        ("info", false, &["Detected CPU lcores"]),
        ("error", false, &["effective configuration", "Bus (vdev) probe failed"]),
        // The reason does not depend on the level.
        ("off", false, &["effective configuration", "Bus (vdev) probe failed"]),
    ] {
        let output =
            dataplane(&folder, &args).env("FLOWTRACKER_LOG", level).output().expect("it can be started");
        let text = String::from_utf8_lossy(&output.stderr);
        for word in words {
            assert_eq!(text.contains(word), wanted, "{word:?} at {level}: {text}");
        }
        let last = text.lines().last().unwrap_or_default();
        assert!(last.contains("port for net_af_packet0,iface=nosuch was not made"), "{text}");
    }
}

#[test]
fn help_is_a_result() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (args, word) in [
        (&["--help"][..], "--timer-profiles"),
        (&["--", "--help"], "--timer-profiles"),
        (&["--version"], "flowtracker-dataplane"),
        // EAL prints its own help, and then ends the process.
        (&["-l0", "--help"], "EAL common options"),
    ] {
        let output = dataplane(&folder, args).output().expect("it can be started");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(word), "{args:?}: {output:?}");
    }
}
