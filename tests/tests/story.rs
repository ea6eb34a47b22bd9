//! The main use of the product: two hosts, netcat between them, and an operator who watches the
//! flows come and go.

use std::process::Command;

use flowtracker_proto::v1::{DeleteReason, Event, EventType};
use flowtracker_tests::appliance::{Appliance, LIMIT};
use flowtracker_tests::netns::{CLIENT_PORT, LEFT_ADDR, Line, RIGHT_ADDR, SERVER_PORT, netcat};
use flowtracker_tests::process::{Running, Stream, run, wait_for};

/// Returns the text form of an entry between its first line and the times.
fn block(port: &str, src: (&str, &str), dst: (&str, &str), authors: &str) -> String {
    format!(
        " table: Main/ct_flow_table(id 1)entry priority 64000[permissions -RUD-PS-RUDX--]
    entry key
     input_port id:1 size:32b type:dev exact fieldval  {port}
     srcAddr id:2 size:32b type:ipv4 exact fieldval  {}/32
     dstAddr id:3 size:32b type:ipv4 exact fieldval  {}/32
     hdr.ipv4.protocol id:4 size:8b type:bit8 exact fieldval  6/0xff
     srcPort id:5 size:16b type:be16 exact fieldval  {}/0xffff
     dstPort id:6 size:16b type:be16 exact fieldval  {}/0xffff
    created by: kernel (id 1)
{authors}    dynamic true
",
        src.0, dst.0, src.1, dst.1
    )
}

fn forward(authors: &str) -> String {
    block("port0", (LEFT_ADDR, CLIENT_PORT), (RIGHT_ADDR, SERVER_PORT), authors)
}

fn reverse(authors: &str) -> String {
    block("port1", (RIGHT_ADDR, SERVER_PORT), (LEFT_ADDR, CLIENT_PORT), authors)
}

fn created(block: &str) -> String {
    format!("created pipeline:  flowtracker(id 1)\n{block}    table aging 30000\n    tmpl created false\n\n")
}

#[test]
fn a_connection_is_seen_in_both_directions_and_deleted_on_request() {
    seen_and_deleted("net_af_packet");
}

#[test]
fn a_connection_over_af_xdp_is_seen_and_deleted() {
    seen_and_deleted("net_af_xdp");
}

fn seen_and_deleted(driver: &str) {
    let line = Line::new();
    let appliance = Appliance::start(&line.middle, &line.devices(driver, ""), &[]);
    let mut monitor = Running::spawn(appliance.ctl().args(["mon", "p4", "events"]));
    appliance.wait_watchers(1);

    let (mut server, mut client) = netcat(&line.left, &line.right);
    // Each entry ends with an empty line.
    let blocks = |lines: &[&str], count: usize| {
        (lines.iter().filter(|line| line.is_empty()).count() >= count).then_some(())
    };
    monitor.wait_lines(Stream::Stdout, LIMIT, |lines| blocks(lines, 2));
    let expected = created(&forward("")) + &created(&reverse(""));
    assert_eq!(monitor.text(Stream::Stdout), expected);

    // Data passes both ways, and causes no further events.
    client.write_stdin("hello\n");
    server.wait_line(Stream::Stdout, LIMIT, |line| line == "hello");
    server.write_stdin("and back\n");
    client.wait_line(Stream::Stdout, LIMIT, |line| line == "and back");

    // The last delayed acknowledgement must have passed: it would create again the entry that is
    // deleted below.
    wait_for("the connection is quiet", LIMIT, || {
        appliance.entries().iter().all(|entry| entry.idle_ms >= 1000).then_some(())
    });

    let listed = run(appliance.ctl().args(["list"]));
    let compact = format!("port0/tcp/{LEFT_ADDR}:{CLIENT_PORT}-{RIGHT_ADDR}:{SERVER_PORT}");
    assert!(listed.contains(&compact), "{listed}");
    let dump = run(appliance.ctl().args(["p4ctrl", "get", "flowtracker/table/Main/ct_flow_table"]));
    assert!(dump.starts_with("pipeline:  flowtracker(id 1)\n"), "{dump}");
    assert!(dump.contains(&forward("")) && dump.contains(&reverse("")), "{dump}");
    let json = run(appliance.ctl().args(["-j", "p4ctrl", "get", "flowtracker/table/Main/ct_flow_table"]));
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json[0], serde_json::json!({"pname": "flowtracker", "pipeid": 1}));
    assert_eq!(json[1]["entries"].as_array().map(Vec::len), Some(2), "{json}");

    run(appliance.ctl().args(["DeleteEntry", &compact]));
    monitor.wait_lines(Stream::Stdout, LIMIT, |lines| blocks(lines, 3));
    let text = monitor.text(Stream::Stdout);
    let deletion = text.strip_prefix(&expected).expect("only something new at the end");
    let expected = format!(
        "deleted pipeline:  flowtracker(id 1)\n{}    table aging 30000\n",
        forward("    deleted by: tc (id 2)\n")
    );
    assert!(deletion.starts_with(&expected), "{deletion}");
    assert!(!run(appliance.ctl().args(["list"])).contains(&compact));

    drop((server, client, monitor));
    appliance.stop();
    let names = [line.left.name(), line.middle.name(), line.right.name()].map(str::to_owned);
    drop(line);
    let left = run(Command::new("ip").args(["netns", "list"]));
    assert!(names.iter().all(|name| !left.contains(name)), "{left}");
}

#[test]
fn an_idle_connection_expires_in_both_directions_and_never_early() {
    const AGING_MS: u64 = 1500;
    let line = Line::new();
    let devices = line.devices("net_af_packet", "");
    let appliance = Appliance::start(&line.middle, &devices, &["--timer-profiles", "1500,60000"]);
    let mut text = Running::spawn(appliance.ctl().args(["mon", "p4", "events"]));
    let mut json = Running::spawn(appliance.ctl().args(["watch", "-o", "json"]));
    appliance.wait_watchers(2);
    let hosts = netcat(&line.left, &line.right);

    let events: Vec<Event> = json.wait_lines(Stream::Stdout, LIMIT, |lines| {
        let events: Vec<Event> = lines.iter().map(|l| serde_json::from_str(l).expect("an Event")).collect();
        (events.iter().filter(|e| e.r#type() == EventType::Deleted).count() == 2).then_some(events)
    });
    let changes: Vec<&Event> = events.iter().filter(|e| e.entry.is_some()).collect();
    assert_eq!(
        changes.iter().map(|e| e.r#type()).collect::<Vec<_>>(),
        [EventType::Created, EventType::Created, EventType::Deleted, EventType::Deleted]
    );
    for pair in changes.windows(2) {
        assert_eq!(pair[1].seq, pair[0].seq + 1, "dense");
    }
    for event in &changes[2..] {
        let entry = event.entry.as_ref().expect("filtered");
        assert_eq!(event.reason(), DeleteReason::Idle);
        assert!(entry.idle_ms >= AGING_MS, "early: {entry:?}");
        assert!(entry.created_ms_ago >= entry.idle_ms, "used before it was created: {entry:?}");
    }

    text.wait_lines(Stream::Stdout, LIMIT, |lines| {
        (lines.iter().filter(|line| line.is_empty()).count() == 4).then_some(())
    });
    let text = text.text(Stream::Stdout);
    for block in [forward("    deleted by: timer (id 3)\n"), reverse("    deleted by: timer (id 3)\n")] {
        let expected =
            format!("deleted pipeline:  flowtracker(id 1)\n{block}    table aging {AGING_MS}\n    created ");
        assert!(text.contains(&expected), "{text}");
    }
    assert_eq!(appliance.entries(), []);

    drop((hosts, json));
    appliance.stop();
}
