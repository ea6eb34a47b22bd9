//! `ctl top` in a real terminal: it shows what `ctl list` shows, and gives the terminal back in its
//! former state.

use std::collections::BTreeMap;
use std::process::Command;

use flowtracker_proto::v1;
use flowtracker_tests::appliance::{Appliance, LIMIT};
use flowtracker_tests::netns::Namespace;
use flowtracker_tests::process::{Running, Stream, binary, run, wait_for};
use flowtracker_tests::relay::{Cut, Relay};
use flowtracker_tests::tmux::{Terminal, shell_line};
use rustix::process::{Pid, Signal, kill_process};

/// The number of flows that the generator keeps; below, also how often it sends each in a second.
const FLOWS: usize = 5;
const KEEP: &str = "5,20";

const SIZE: (u16, u16) = (160, 40);

/// Starts an appliance between the generator and a port without traffic, with a few flows that
/// stay.
fn appliance<'a>(alone: &'a Namespace, folder: &tempfile::TempDir) -> (Running, Appliance<'a>) {
    let socket = folder.path().join("memif.sock");
    let memif =
        |role: &str| format!("net_memif0,role={role},id=0,socket-abstract=no,socket={}", socket.display());
    let mut traffic = alone.command(env!("CARGO_BIN_EXE_traffic"));
    traffic.env("RUNTIME_DIRECTORY", folder.path());
    traffic.args(["-l", "0", "--no-huge", "--no-shconf", "--no-pci", "-m", "512"]);
    traffic
        .arg(format!("--file-prefix=fttop{}", std::process::id()))
        .arg(format!("--vdev={}", memif("server")));
    let mut traffic = Running::spawn(traffic.args(["--", "--keep", KEEP]));
    traffic.wait_line(Stream::Stdout, LIMIT, |line| line == "ready");
    let devices = [memif("client"), "net_null0,no-rx=1".to_owned()];
    let appliance = Appliance::start(alone, &devices, &["--timer-profiles", "600000"]);
    wait_for("the flows are there", LIMIT, || (appliance.entries().len() == FLOWS).then_some(()));
    (traffic, appliance)
}

/// Returns the packets by key that `ctl list -o json` shows. The key is in the form that people
/// write.
fn listed(appliance: &Appliance<'_>) -> BTreeMap<String, u64> {
    let entry = |line: &str| {
        let entry: v1::Entry = serde_json::from_str(line).expect("an entry");
        let key = entry.key.expect("a key");
        assert_eq!(key.protocol, 6);
        let (src, dst) = ((key.src_addr, key.src_port), (key.dst_addr, key.dst_port));
        (format!("{}/tcp/{}:{}-{}:{}", key.input_port, src.0, src.1, dst.0, dst.1), entry.packets)
    };
    run(appliance.ctl().args(["list", "-o", "json"])).lines().map(entry).collect()
}

/// Returns the rows of the list of flows, each as its key and its other columns.
fn rows(lines: &[String]) -> Vec<(String, Vec<&str>)> {
    let heading = lines.iter().position(|line| line.starts_with("KEY "));
    let below = heading.map_or(&[][..], |at| &lines[at + 1..]);
    below
        .iter()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.collect()))
        })
        .collect()
}

fn packets(lines: &[String]) -> BTreeMap<String, u64> {
    rows(lines).into_iter().map(|(key, columns)| (key, columns[2].parse().expect("packets"))).collect()
}

fn line<'a>(lines: &'a [String], label: &str) -> Option<&'a str> {
    lines.iter().find_map(|line| line.strip_prefix(label)).map(str::trim_start)
}

/// Types `ctl top` with these arguments into the shell of `terminal`, which then prints the exit
/// status after `status`.
fn type_top(terminal: &Terminal, mut ctl: Command, arguments: &[&str]) {
    terminal.type_line(&format!("{}; echo status $?", shell_line(ctl.arg("top").args(arguments))));
    terminal.wait("the screen of top", LIMIT, |lines| line(lines, "ctl top ").map(|_| ()));
}

/// Waits until the shell has the terminal back, and checks that its state is the former one: the
/// shell's own screen with what was typed, a cursor, and a line discipline that echoes.
fn assert_given_back(terminal: &Terminal, status: u32) {
    let wanted = format!("status {status}");
    terminal.wait(&wanted, LIMIT, |lines| lines.contains(&wanted).then_some(()));
    assert_eq!(terminal.ask("#{alternate_on} #{cursor_flag}"), "0 1");
    let lines = terminal.lines();
    assert!(lines[0].starts_with("$ "), "{lines:?}");
    assert!(line(&lines, "ctl top ").is_none(), "{lines:?}");
    terminal.type_line("clear; stty -a");
    terminal.wait("a terminal that is not raw", LIMIT, |lines| {
        let words: Vec<&str> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
        ["icanon", "echo", "isig", "opost"].iter().all(|flag| words.contains(flag)).then_some(())
    });
    terminal.type_line("clear");
    terminal.wait("an empty screen", LIMIT, |lines| (lines[0].trim_end() == "$").then_some(()));
}

#[test]
fn top_shows_what_list_says_and_gives_the_terminal_back() {
    let alone = Namespace::new("top");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_traffic, appliance) = appliance(&alone, &folder);
    let terminal = Terminal::new("top", SIZE);
    type_top(&terminal, appliance.ctl(), &["--interval", "0.2"]);

    // Counters only grow, so the values of a screen that was drawn between two lists lie between
    // theirs.
    let before = listed(&appliance);
    let shown = terminal.wait("figures from after the first list", LIMIT, |lines| {
        let shown = packets(lines);
        let later = before.iter().all(|(key, n)| shown.get(key).is_some_and(|shown| shown >= n));
        let rates = rows(lines).iter().all(|(_, columns)| columns[0] != "-");
        (later && rates).then(|| lines.to_vec())
    });
    let after = listed(&appliance);
    let rows_shown = packets(&shown);
    assert!(rows_shown.keys().eq(before.keys()) && rows_shown.keys().eq(after.keys()), "{shown:#?}");
    assert!(rows_shown.iter().all(|(key, n)| n <= &after[key]), "{shown:#?}\n{after:?}");
    assert!(rows_shown.values().all(|n| *n > 0));
    assert!(
        line(&shown, "entries IPv4").is_some_and(|l| l.starts_with(&format!("{FLOWS} of "))),
        "{shown:#?}"
    );
    assert!(line(&shown, "flows").is_some_and(|l| l.starts_with(&format!("{FLOWS} listed"))), "{shown:#?}");
    assert!(line(&shown, "data planes").is_some_and(|l| l == "test live"), "{shown:#?}");
    assert!(line(&shown, "lcores").is_some_and(|l| l.contains("busy") && l.contains("p99.9")), "{shown:#?}");
    // Every flow sends, and no flow is new.
    terminal.wait("all flows send and none is new", LIMIT, |lines| {
        let send = rows(lines).iter().all(|(_, columns)| columns[0] != "0");
        (send && line(lines, "per second")?.starts_with("new 0  expired 0")).then_some(())
    });

    // Keys.
    terminal.press(&["s", "s", "r"]);
    let sorted = terminal.wait("another order", LIMIT, |lines| {
        lines[0].contains("by packets, smallest first").then(|| lines.to_vec())
    });
    let column: Vec<u64> =
        rows(&sorted).iter().map(|(_, columns)| columns[2].parse().expect("packets")).collect();
    assert!(column.is_sorted(), "{sorted:#?}");
    terminal.press(&["?"]);
    terminal.wait("the keys", LIMIT, |lines| {
        lines.iter().any(|l| l.contains("q Esc Ctrl-C  quit")).then_some(())
    });
    terminal.press(&["?", "p"]);
    let paused =
        terminal.wait("a pause", LIMIT, |lines| lines[0].contains("  paused").then(|| packets(lines)));
    // The screen does not show what is counted during the pause.
    wait_for("more packets", LIMIT, || {
        listed(&appliance).iter().all(|(key, n)| *n > paused[key] + 5).then_some(())
    });
    assert_eq!(packets(&terminal.lines()), paused);
    terminal.press(&["p", "+"]);
    terminal.wait("an end of the pause", LIMIT, |lines| {
        (lines[0].contains("every 500ms") && packets(lines).iter().all(|(key, n)| *n > paused[key]))
            .then_some(())
    });

    terminal.resize((100, 11));
    terminal
        .wait("a smaller screen", LIMIT, |lines| (lines.len() == 11 && rows(lines).len() == 2).then_some(()));
    terminal.resize(SIZE);
    terminal.wait("the first size", LIMIT, |lines| (rows(lines).len() == FLOWS).then_some(()));

    terminal.press(&["q"]);
    assert_given_back(&terminal, 0);
    type_top(&terminal, appliance.ctl(), &[]);
    terminal.press(&["C-c"]);
    assert_given_back(&terminal, 0);
    type_top(&terminal, appliance.ctl(), &["--sort", "Bps"]);
    let shell = terminal.ask("#{pane_pid}");
    let ctl = run(Command::new("pgrep").args(["-P", &shell]));
    let ctl = Pid::from_raw(ctl.trim().parse().expect("one child")).expect("a process id");
    kill_process(ctl, Signal::TERM).expect("it runs");
    assert_given_back(&terminal, 0);

    // With a pipe as its output, `ctl top` prints one frame, of the same flows.
    let frame = run(appliance.ctl().args(["top", "--interval", "0.2", "--count", "3", "--sort", "packets"]));
    let lines: Vec<String> = frame.lines().map(str::to_owned).collect();
    assert_eq!(rows(&lines).len(), 3, "{frame}");
    assert!(packets(&lines).keys().all(|key| before.contains_key(key)), "{frame}");
    assert!(line(&lines, "per second").is_some_and(|l| l.starts_with("new 0")), "{frame}");
    let refused =
        appliance.ctl().args(["top", "--once", "--dataplane", "elsewhere"]).output().expect("ctl runs");
    assert_eq!(refused.status.code(), Some(1));
    let refused = appliance.ctl().args(["top", "-o", "json"]).output().expect("ctl runs");
    assert_eq!(refused.status.code(), Some(2));
    appliance.stop();
}

#[test]
fn top_tells_that_the_service_is_away_and_comes_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("control.sock");
    let mut control = Command::new(binary("flowtracker-control"));
    let mut control =
        Running::spawn(control.args(["--listen", "127.0.0.1:0", "--http", "off", "--unix"]).arg(&socket));
    control.wait_line(Stream::Stderr, LIMIT, |line| line.contains("listening on 127.0.0.1:"));
    let relay = Relay::new(&socket);
    let ctl = || {
        let mut command = Command::new(binary("ctl"));
        command.args(["--server", &relay.uri()]);
        command
    };
    let terminal = Terminal::new("away", SIZE);
    type_top(&terminal, ctl(), &["--interval", "0.2"]);
    for how in [Cut::Reset, Cut::Close] {
        terminal.wait("no data plane", LIMIT, |lines| {
            (line(lines, "data planes")? == "none" && !lines[0].contains("AWAY")).then_some(())
        });
        relay.refuse(true);
        relay.cut(how);
        terminal.wait("that it is away", LIMIT, |lines| lines[0].contains("  AWAY: ").then_some(()));
        relay.refuse(false);
    }
    terminal.wait("that it is back", LIMIT, |lines| (!lines[0].contains("AWAY")).then_some(()));
    terminal.press(&["Escape"]);
    assert_given_back(&terminal, 0);

    // `ctl top` ends if its first connection fails; only later ones are tried again.
    relay.refuse(true);
    relay.cut(Cut::Reset);
    terminal.type_line(&format!("{}; echo status $?", shell_line(ctl().arg("top"))));
    assert_given_back(&terminal, 3);
}
