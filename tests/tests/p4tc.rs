//! P4TC's commands with `TC=ctl`, as an operator would run them: the scripts of `tests/p4tc` run on
//! the product. `tests/fixtures/p4tc` records what each command printed, how it ended, and what the
//! monitors showed meanwhile; `UPDATE_GOLDEN=1` writes these files instead of comparing. A further
//! test checks that every test that the page `control/docs/p4tc.md` names exists.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use flowtracker_tests::appliance::{Appliance, LIMIT};
use flowtracker_tests::netns::{Line, Namespace, netcat, netcat6};
use flowtracker_tests::process::{Running, Stream, binary, run, wait_for, workspace_root};

/// With this hash the entries have the same positions in the table, and are listed in the same
/// order, on every run.
const FIXED_PLACES: [&str; 2] = ["--hash", "crc"];

fn script(name: &str) -> PathBuf {
    workspace_root().join("tests/p4tc").join(name)
}

fn fixture(name: &str) -> PathBuf {
    workspace_root().join("tests/fixtures/p4tc").join(name)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the command that runs a script inside `namespace`, with the folder of `ctl` first in the
/// search path.
fn shell(namespace: &Namespace, name: &str, ctl: &Path) -> Command {
    let mut folders = vec![ctl.parent().expect("a folder").to_owned()];
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").expect("a search path")));
    // A shell does not pass a signal on to the processes that it started; `timeout` does.
    let mut command = namespace.command("timeout");
    command
        .args(["600", "sh"])
        .arg(script(name))
        .env("PATH", std::env::join_paths(folders).expect("no colons"));
    command
}

/// Runs a script to its end, and returns the record of its commands.
fn record(appliance: &Appliance, namespace: &Namespace, name: &str) -> String {
    let record = appliance.folder().join("record");
    let mut command = shell(namespace, name, &script("recorder/ctl"));
    // The status of a script is that of its last command, which is in the record.
    let output = command.env("CTL", binary("ctl")).env("RECORD", &record).output().expect("a shell");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
    let recorded = read(&record);
    fs::remove_file(record).expect("it has just been read");
    recorded
}

/// Starts a script that shows events until it is stopped.
fn monitor(namespace: &Namespace, name: &str) -> Running {
    Running::spawn(&mut shell(namespace, name, &binary("ctl")))
}

/// Splits a monitor's output so far into entries and messages, each of which ends with an empty
/// line.
fn blocks(lines: &[&str]) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in lines {
        let last = blocks.last_mut().expect("one");
        last.push_str(line);
        last.push('\n');
        if line.is_empty() {
            blocks.push(String::new());
        }
    }
    // The last block is not complete yet.
    blocks.pop();
    blocks
}

fn golden(name: &str, text: &str) {
    let path = fixture(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, text).expect("a writable folder");
        return;
    }
    let expected = read(&path);
    for (number, (is, should)) in text.lines().zip(expected.lines()).enumerate() {
        assert_eq!(is, should, "{name}:{}", number + 1);
    }
    assert_eq!(text, expected, "{name} is longer or shorter");
}

/// Returns the text without the values that differ between runs. It replaces process ids and times
/// of day, and removes seconds, which are not printed when they are 0. It checks that what it
/// removes has the expected form.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for line in text.lines() {
        if is_ages(line) {
            continue;
        }
        let line = without_numbers(line, &["\"created\":", "\"last_used\":"], None);
        let pids = ["by pid: ", "\"who_created_pid\":", "\"who_updated_pid\":", "\"who_deleted_pid\":"];
        let line = without_numbers(&line, &pids, Some("PID"));
        // This line of pretty JSON held nothing else.
        if line.trim().is_empty() && !line.is_empty() {
            continue;
        }
        plain += &without_time(&line);
        plain.push('\n');
    }
    plain
}

/// Returns true for `    created 30 sec    used 30 sec` and for one of its halves.
fn is_ages(line: &str) -> bool {
    let Some(ages) = line.strip_prefix("    ") else { return false };
    let seconds = |text: &str, word: &str| {
        let number = text.strip_prefix(word).and_then(|rest| rest.strip_suffix(" sec"));
        number.is_some_and(|n| n.parse::<u32>().is_ok_and(|n| n > 0 && n < 60))
    };
    match ages.split_once("    ") {
        Some((created, used)) => seconds(created, "created ") && seconds(used, "used "),
        None => seconds(ages, "created ") || seconds(ages, "used "),
    }
}

/// Replaces the numbers after these names, except 0. Without a replacement, removes name, number
/// and comma.
fn without_numbers(line: &str, names: &[&str], replacement: Option<&str>) -> String {
    let mut line = line.to_owned();
    for name in names {
        let mut from = 0;
        while let Some(at) = line[from..].find(name).map(|at| from + at) {
            let digits = at + name.len() + line[at + name.len()..].chars().take_while(|c| *c == ' ').count();
            let end = digits + line[digits..].chars().take_while(char::is_ascii_digit).count();
            let number = line[digits..end].parse::<u32>().unwrap_or_default();
            match replacement {
                _ if number == 0 => {}
                Some(replacement) => line.replace_range(digits..end, replacement),
                None => {
                    assert!(number < 60 && line[end..].starts_with(','), "{line}");
                    line.replace_range(at..=end, "");
                }
            }
            from = line.len().min(at + 1);
        }
    }
    line
}

/// Replaces the time before an event.
fn without_time(line: &str) -> String {
    let shape: String = line.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    if let Some(time) = shape.strip_prefix("Timestamp: ") {
        let words: Vec<_> = time.split_whitespace().collect();
        let [day, month, date, clock, year, micros, "usec"] = words[..] else { panic!("{line}") };
        assert!(day.len() == 3 && month.len() == 3 && ["9", "99"].contains(&date), "{line}");
        assert_eq!((clock, year, micros), ("99:99:99", "9999", "999999"), "{line}");
        return "Timestamp: TIME".to_owned();
    }
    let short = "[9999-99-99T99:99:99.999999] ";
    if shape.starts_with(short) { format!("[TIME] {}", &line[short.len()..]) } else { line.to_owned() }
}

/// Returns a sample of the original documentation as the program prints it. A Markdown editor has
/// put a blank before its first line or before all its lines.
fn sample(name: &str) -> String {
    let text = read(&fixture(name));
    let everywhere = text.lines().skip(1).all(|line| line.starts_with("  "));
    let strip = |(n, line): (usize, &str)| {
        let line = if n == 0 || everywhere { line.strip_prefix(' ').expect("a blank") } else { line };
        format!("{line}\n")
    };
    text.lines().enumerate().map(strip).collect()
}

/// Returns the block of the opposite direction of the same flow.
fn reverse(block: &str) -> String {
    let swap = |text: String, a: &str, b: &str| text.replace(a, "\0").replace(b, a).replace('\0', b);
    let block = swap(block.replace("port0", "port1"), "10.0.0.1/32", "10.0.0.2/32");
    swap(block, " 36876/0xffff", " 1234/0xffff")
}

/// Returns the block with the ages that it would show if the entry had expired on time.
fn on_time(block: &str) -> String {
    let line = |line: &str| match line.strip_prefix("    created ") {
        Some(ages) if ages.contains(" sec    used ") => {
            let seconds = ages.split(' ').filter_map(|word| word.parse::<u32>().ok());
            assert!(seconds.clone().all(|n| n >= 30), "early: {block}");
            "    created 30 sec    used 30 sec\n".to_owned()
        }
        _ => format!("{line}\n"),
    };
    block.lines().map(line).collect()
}

/// The original's own demonstration, line by line, in full.
#[test]
fn the_story_of_the_original_documentation() {
    let line = Line::new();
    // The client uses the source port of the sample.
    run(line.left.command("sysctl").args(["-qw", "net.ipv4.ip_local_port_range=36876 36876"]));
    let mut appliance = Appliance::start(&line.middle, &line.devices("net_af_packet", ""), &FIXED_PLACES);
    let mut terminal_1 = monitor(&line.middle, "terminal-1.sh");
    appliance.wait_watchers(1);
    let mut recorded = record(&appliance, &line.middle, "terminal-2.sh");

    let nothing = Path::new("/bin/sh");
    let server = Running::spawn(&mut shell(&line.right, "server.sh", nothing));
    wait_for("nc listens", LIMIT, || {
        run(line.right.command("ss").arg("-Hltn")).contains(":1234").then_some(())
    });
    let client = Running::spawn(&mut shell(&line.left, "terminal-3.sh", nothing));
    let events = |n: usize| move |lines: &[&str]| Some(blocks(lines)).filter(|blocks| blocks.len() >= n);
    // The sample lacks its last lines.
    let created = sample("sample-created.txt") + "    tmpl created false\n\n";
    let both = [created.clone(), reverse(&created)];
    assert_eq!(terminal_1.wait_lines(Stream::Stdout, LIMIT, events(2)), both);

    recorded += &record(&appliance, &line.middle, "other-commands.sh");

    let mut deleted = terminal_1.wait_lines(Stream::Stdout, LIMIT, events(4)).split_off(2);
    // The entry that was silent first expires first, unless both expire at the same tick.
    deleted.sort();
    let expected = sample("sample-deleted.txt") + "\n";
    let expected = [expected.clone(), reverse(&expected)];
    if appliance.dataplane().text(Stream::Stderr).contains("has not polled") {
        // The lcore did not get enough CPU time, so the entries may have expired late. They never
        // expire early, and all else is the same.
        deleted.iter_mut().for_each(|block| *block = on_time(block));
    }
    assert_eq!(deleted, expected);

    recorded += &record(&appliance, &line.middle, "cleanup.sh");
    golden("story.txt", &plain(&recorded));
    assert_eq!(
        terminal_1.text(Stream::Stdout).matches("pipeline:").count(),
        4,
        "a purge is no event of P4TC's"
    );
    drop((server, client, terminal_1));
    appliance.stop();
}

/// Connects two hosts by netcat.
type Connect = fn(&Namespace, &Namespace) -> (Running, Running);

/// Runs a script while these monitors watch, until each has shown the block that `last` accepts.
/// With `connect` a connection is open meanwhile.
fn themed(name: &str, monitors: &[&str], connect: Option<Connect>, last: impl Fn(&str) -> bool) {
    let line = Line::with_ipv6();
    // Only the entries of the last profile expire during the script.
    let options = ["--timer-profiles", "30000,60000,90000,1200", FIXED_PLACES[0], FIXED_PLACES[1]];
    let appliance = Appliance::start(&line.middle, &line.devices("net_af_packet", ""), &options);
    let mut running: Vec<_> =
        monitors.iter().map(|name| monitor(&line.middle, &format!("{name}.sh"))).collect();
    appliance.wait_watchers(monitors.len() as u64);
    let hosts = connect.map(|connect| {
        let hosts = connect(&line.left, &line.right);
        // The handshake must be over: its last segment would create again what a script deletes.
        wait_for("the handshake has passed", LIMIT, || {
            (appliance.entries().iter().map(|entry| entry.packets).sum::<u64>() == 3).then_some(())
        });
        hosts
    });
    golden(&format!("{name}.txt"), &plain(&record(&appliance, &line.middle, &format!("{name}.sh"))));
    for (monitor, of) in running.iter_mut().zip(monitors) {
        let ended = |lines: &[&str]| blocks(lines).iter().any(|block| last(block)).then_some(());
        monitor.wait_lines(Stream::Stdout, LIMIT, ended);
        golden(&format!("{name}-{of}.txt"), &plain(&monitor.text(Stream::Stdout)));
    }
    // The monitors stop first, otherwise they would show the end of the connection.
    drop((running, hosts));
    appliance.stop();
}

/// Returns true for the last event of a script that writes.
fn last_deletion(block: &str) -> bool {
    block.contains("deleted pipeline:") && block.contains(" 9999/0xffff")
}

#[test]
fn entries_are_read_in_every_form() {
    themed("read", &["terminal-1"], Some(netcat), |block| block.contains("fieldval  port1"));
}

#[test]
fn entries_are_written_and_every_event_is_shown() {
    themed("write", &["terminal-1", "monitor-details"], Some(netcat), last_deletion);
}

#[test]
fn the_table_is_changed_and_taken_away() {
    themed("table", &["monitor-times"], None, last_deletion);
}

#[test]
fn ipv6_entries_are_read_in_every_form() {
    themed("read-ipv6", &["terminal-1"], Some(netcat6), |block| block.contains("fieldval  0:0:1::/128"));
}

#[test]
fn ipv6_entries_are_written_and_every_event_is_shown() {
    themed("write-ipv6", &["terminal-1", "monitor-ipv6"], Some(netcat6), last_deletion);
}

#[test]
fn the_ipv6_table_is_changed_and_taken_away_alone() {
    themed("table-ipv6", &["monitor-times", "monitor-ipv6"], None, last_deletion);
}

#[test]
fn only_what_cannot_be_known_is_replaced() {
    let same =
        "    created by: kernel (id 1)\n    create by pid: 0\n    dynamic true\n{\"created\":true}\n\n";
    assert_eq!(plain(same), same);
    for ages in ["    created 30 sec    used 3 sec", "    created 1 sec", "    used 1 sec"] {
        assert_eq!(plain(ages), "", "{ages}");
    }
    for wrong in
        ["    created 0 sec", "    created 60 sec", "created 1 sec", "    used 1 sec    created 1 sec"]
    {
        assert_eq!(plain(wrong), format!("{wrong}\n"), "stays, and so fails a comparison");
    }
    assert_eq!(
        plain(
            "    update by pid: 448\n{\"who_created_pid\":0,\"who_updated_pid\":7,\"created\":12,\"last_used\":3,}"
        ),
        "    update by pid: PID\n{\"who_created_pid\":0,\"who_updated_pid\":PID,}\n"
    );
    assert_eq!(
        plain("Timestamp: Sun Nov  2 06:46:12 2026 123456 usec\n[2026-11-22T06:46:12.123456] created x"),
        "Timestamp: TIME\n[TIME] created x\n"
    );
}

/// Every row of the page says how the two products compare, and names the tests that show it. All
/// of these exist.
#[test]
fn the_page_names_tests_that_exist() {
    let page = read(&workspace_root().join("control/docs/p4tc.md"));
    let (mut rows, mut missing) = (0, Vec::new());
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, verdict, reason, tests] = cells[..] else { panic!("four cells: {row}") };
        if verdict == "here" {
            continue;
        }
        rows += 1;
        assert!(["same", "better", "different"].contains(&verdict), "{row}");
        assert!(verdict == "same" || !reason.is_empty(), "no reason: {row}");
        assert!(!tests.is_empty(), "no test: {row}");
        for test in tests.split_whitespace() {
            let path = test.strip_prefix('`').and_then(|test| test.strip_suffix('`')).expect(row);
            if !is_test(path) {
                missing.push(path);
            }
        }
    }
    assert_eq!(missing, Vec::<&str>::new());
    assert!(rows > 90, "the rows are where they are looked for: {rows}");
}

/// Returns true when `crate::module::function` is a test.
fn is_test(path: &str) -> bool {
    let mut parts: Vec<&str> = path.split("::").collect();
    let name = parts.pop().expect("a function");
    let function = format!("fn {name}(");
    let room = match parts.remove(0) {
        "conntrack" => "dataplane/conntrack",
        "ctl" => "control/ctl",
        room => room,
    };
    let module = parts.join("/");
    ["src", "tests"].iter().any(|kind| {
        let file = workspace_root().join(room).join(kind).join(&module);
        [file.with_extension("rs"), file.join("mod.rs"), file.join("tests.rs")].iter().any(|file| {
            let Ok(text) = fs::read_to_string(file) else { return false };
            // The macro makes a test of each function that it lists.
            let both = text.split_once("both_families!(").and_then(|(_, rest)| rest.split_once(");"));
            if both.is_some_and(|(listed, _)| listed.split(',').any(|listed| listed.trim() == name)) {
                return true;
            }
            let Some((before, _)) = text.split_once(&function) else { return false };
            // A test's attributes stand directly above its line.
            let above = before.rsplit_once('\n').map_or("", |(above, _)| above);
            let mut attributes = above.lines().rev().map(str::trim).take_while(|l| l.starts_with(['#', '/']));
            attributes.any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
        })
    })
}
