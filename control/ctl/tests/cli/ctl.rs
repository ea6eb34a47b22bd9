//! Tests of the built `ctl`: its output byte for byte, and its exit status.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};

use flowtracker_proto::v1::{Actor, DeleteReason, Entity, RecordKind};

use crate::rig::*;

const TABLE: &str = "flowtracker/table/Main/ct_flow_table";
const KEY_36876: &str =
    "input_port port0 srcAddr 10.0.0.1 dstAddr 10.0.0.2 protocol 6 srcPort 36876 dstPort 1234";

/// Returns the key lines of [`flow`]`(n)`.
fn key_lines(n: u16) -> String {
    format!(
        " table: Main/ct_flow_table(id 1)entry priority 64000[permissions -RUD-PS-RUDX--]\n\
         \x20   entry key\n\
         \x20    input_port id:1 size:32b type:dev exact fieldval  port0\n\
         \x20    srcAddr id:2 size:32b type:ipv4 exact fieldval  10.0.0.1/32\n\
         \x20    dstAddr id:3 size:32b type:ipv4 exact fieldval  10.0.0.2/32\n\
         \x20    hdr.ipv4.protocol id:4 size:8b type:bit8 exact fieldval  6/0xff\n\
         \x20    srcPort id:5 size:16b type:be16 exact fieldval  {n}/0xffff\n\
         \x20    dstPort id:6 size:16b type:be16 exact fieldval  1234/0xffff\n"
    )
}

fn command(server: &str, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ctl"));
    command.args(arguments.split_whitespace()).env("FLOWTRACKER_SERVER", server).env("TZ", "UTC");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs `ctl` to its end.
async fn ctl(server: &str, arguments: &str) -> Output {
    let mut command = command(server, arguments);
    soon(arguments, tokio::task::spawn_blocking(move || command.output())).await.unwrap().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Starts a `ctl` that watches, and waits until the service serves it.
async fn watching(service: &Service, arguments: &str) -> Child {
    let before = service.hub.log_stats().watchers;
    let child = command(&service.uri(), arguments).spawn().unwrap();
    until("ctl to watch", || service.hub.log_stats().watchers > before).await;
    child
}

/// Returns the output of `child`, once it has printed `bytes` bytes.
async fn printed(child: &mut Child, bytes: usize) -> String {
    let mut out = child.stdout.take().unwrap();
    let read = tokio::task::spawn_blocking(move || {
        let mut buffer = vec![0; bytes];
        out.read_exact(&mut buffer).map(|()| (out, buffer))
    });
    let (out, buffer) = soon("output", read).await.unwrap().unwrap();
    child.stdout = Some(out);
    String::from_utf8(buffer).unwrap()
}

/// Sends SIGINT and returns the exit status and the rest of the output.
async fn interrupted(child: Child) -> (Option<i32>, String) {
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let end = tokio::task::spawn_blocking(move || child.wait_with_output());
    let output = soon("ctl to end", end).await.unwrap().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn deleted_by_ctl(n: u16) -> Record {
    let mut record = record(RecordKind::Deleted, T + 12 * SEC, learned(n, T, T + 9 * SEC));
    record.reason = DeleteReason::Control;
    record.deleted_by =
        Some(Actor { entity: Entity::Tc.into(), pid: 448, process: "ctl".to_owned(), ..Actor::default() });
    record
}

#[tokio::test]
async fn the_monitor_prints_the_golden_text() {
    let service = Service::start().await;
    let mut plane = Plane::fresh(&service).await;
    let mut child = watching(&service, &format!("mon p4 events {TABLE}")).await;
    // Without the control half's P bit nothing is published.
    let mut hidden = created(5, T);
    hidden.entry.as_mut().unwrap().permissions &= !0x100;
    plane.send(1, vec![hidden, created(36876, T), expired(36876, T)]).await;
    plane.send(1, vec![created(36876, T), deleted_by_ctl(36876)]).await;
    let mut flushed = expired(5, T);
    flushed.reason = DeleteReason::Flush;
    plane.send(1, vec![flushed, Record { deleted: 1, ..bare(RecordKind::Flushed) }]).await;

    let key = key_lines(36876);
    let created = format!(
        "created pipeline:  flowtracker(id 1)\n{key}\
         \x20   created by: kernel (id 1)\n\
         \x20   dynamic true\n\
         \x20   table aging 30000\n\
         \x20   tmpl created false\n\n"
    );
    let by_timer = format!(
        "deleted pipeline:  flowtracker(id 1)\n{key}\
         \x20   created by: kernel (id 1)\n\
         \x20   deleted by: timer (id 3)\n\
         \x20   dynamic true\n\
         \x20   table aging 30000\n\
         \x20   created 30 sec    used 30 sec\n\
         \x20   tmpl created false\n\n"
    );
    let by_ctl = format!(
        "deleted pipeline:  flowtracker(id 1)\n{key}\
         \x20   created by: kernel (id 1)\n\
         \x20   deleted by: tc (id 2)\n\
         \x20   dynamic true\n\
         \x20   table aging 30000\n\
         \x20   created 12 sec    used 3 sec\n\
         \x20   tmpl created false\n\n"
    );
    let flushed = "flushed pipeline:  flowtracker(id 1)\n    table entry flush count 1\n\n";
    let golden = format!("{created}{by_timer}{created}{by_ctl}{flushed}");
    assert_eq!(printed(&mut child, golden.len()).await, golden);
    assert_eq!(interrupted(child).await, (Some(0), String::new()));
}

#[tokio::test]
async fn timestamps_and_details() {
    let service = Service::start().await;
    let mut plane = Plane::fresh(&service).await;
    let mut long = watching(&service, "-timestamp mon p4 ev").await;
    let mut short = watching(&service, "-ti -ts -d monitor p4 events").await;
    plane.send(1, vec![created(1, T)]).await;
    let key = key_lines(1);
    let golden = "Timestamp: Sun Nov 22 06:46:12 2026 123456 usec\ncreated pipeline:  flowtracker(id 1)\n";
    assert_eq!(printed(&mut long, golden.len()).await, golden);
    let golden = format!(
        "[2026-11-22T06:46:12.123456] created pipeline:  flowtracker(id 1)\n{key}\
         \x20   created by: kernel (id 1)\n\
         \x20   create by pid: 0\n\
         \x20   created by process: dataplane:dp\n\
         \x20   dynamic true\n"
    );
    assert_eq!(printed(&mut short, golden.len()).await, golden);
    assert_eq!(interrupted(long).await.0, Some(0));
    assert_eq!(interrupted(short).await.0, Some(0));
}

fn seventeen() -> Vec<EntryRecord> {
    (1..=17).map(|n| learned(n, T, T + 9 * SEC)).collect()
}

#[tokio::test]
async fn a_dump_names_the_pipeline_once_per_sixteen_entries() {
    let service = Service::start().await;
    Plane::fresh(&service).await.serve(seventeen(), T + 12 * SEC);
    let mut golden = String::new();
    for n in 1..=17 {
        if n == 1 || n == 17 {
            golden += "pipeline:  flowtracker(id 1)\n";
        }
        golden += &key_lines(n);
        golden += "    created by: kernel (id 1)\n    dynamic true\n    table aging 30000\n";
        golden += "    created 12 sec    used 3 sec\n    tmpl created false\n\n";
    }
    let output = ctl(&service.uri(), &format!("p4ctrl get {TABLE}")).await;
    assert_eq!(text(&output.stdout), golden);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let output = ctl(&service.uri(), "list -o tc").await;
    assert_eq!(text(&output.stdout), golden);

    let output = ctl(&service.uri(), &format!("-j p4ctrl get {TABLE}")).await;
    let entry = |n: u16| {
        format!(
            r#"{{"tblname":"Main/ct_flow_table","tblid":1,"prio":64000,"permissions":"-RUD-PS-RUDX--","key":[{{"keyfield":"input_port","id":1,"width":32,"type":"dev","match_type":"exact","fieldval":"port0"}},{{"keyfield":"srcAddr","id":2,"width":32,"type":"ipv4","match_type":"exact","fieldval":"10.0.0.1/32"}},{{"keyfield":"dstAddr","id":3,"width":32,"type":"ipv4","match_type":"exact","fieldval":"10.0.0.2/32"}},{{"keyfield":"hdr.ipv4.protocol","id":4,"width":8,"type":"bit8","match_type":"exact","fieldval":"6/0xff"}},{{"keyfield":"srcPort","id":5,"width":16,"type":"be16","match_type":"exact","fieldval":"{n}/0xffff"}},{{"keyfield":"dstPort","id":6,"width":16,"type":"be16","match_type":"exact","fieldval":"1234/0xffff"}}],"create_whodunnit":"kernel","create_whodunnit_id":1,"who_created_pid":0,"who_created":"dataplane:dp","dynamic":"true","aging":30000,"created":12,"last_used":3,"tmpl_created":"false"}}"#
        )
    };
    let header = r#"{"pname":"flowtracker","pipeid":1}"#;
    let first: Vec<_> = (1..=16).map(entry).collect();
    let golden = format!(
        "[{header},{{\"entries\":[{}]}},{header},{{\"entries\":[{}]}}]\n",
        first.join(","),
        entry(17)
    );
    assert_eq!(text(&output.stdout), golden);
    let pretty = ctl(&service.uri(), &format!("-j -p p4ctrl get {TABLE}")).await;
    let value = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    assert_eq!(value(&pretty.stdout), value(&output.stdout));
}

#[tokio::test]
async fn an_empty_table_prints_nothing_or_an_empty_array() {
    let service = Service::start().await;
    Plane::fresh(&service).await.serve(vec![], T);
    for (arguments, golden) in [("p4ctrl get", ""), ("-j p4ctrl get", "[]\n")] {
        let output = ctl(&service.uri(), &format!("{arguments} {TABLE}")).await;
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), golden));
    }
}

#[tokio::test]
async fn static_and_updated_entries_in_the_golden_text() {
    let service = Service::start().await;
    let tc =
        |pid| Some(Actor { entity: Entity::Tc.into(), pid, process: "ctl".to_owned(), ..Actor::default() });
    let entry = EntryRecord {
        dynamic: false,
        aging_ms: 0,
        created_by: tc(448),
        updated_by: tc(0),
        ..learned(36876, T, T)
    };
    Plane::fresh(&service).await.serve(vec![entry], T + SEC / 2);
    let output = ctl(&service.uri(), &format!("-d p4ctrl get {TABLE} {KEY_36876}")).await;
    let golden = format!(
        "pipeline:  flowtracker(id 1)\n{}\
         \x20   created by: tc (id 2)\n\
         \x20   create by pid: 448\n\
         \x20   created by process: ctl\n\
         \x20   updated by: tc (id 2)\n\
         \x20   updated by process: ctl\n\
         \x20   dynamic false\n\
         \x20   tmpl created false\n\n",
        key_lines(36876)
    );
    assert_eq!(text(&output.stdout), golden);
}

#[tokio::test]
async fn both_dialects_delete_and_say_what_is_wrong() {
    let service = Service::start().await;
    let mut entries = seventeen();
    let mut hidden = learned(100, T, T);
    hidden.permissions &= !0x100;
    entries.push(hidden);
    Plane::fresh(&service).await.serve(entries, T + 12 * SEC);
    let server = service.uri();
    let swapped =
        "dstPort 1234 srcPort 1 hdr.ipv4.protocol 0x6 dstAddr 10.0.0.2/32 srcAddr 10.0.0.1 input_port 1";
    let unpublished = KEY_36876.replace("36876", "100");
    for (arguments, code, error) in [
        (format!("p4ctrl del {TABLE} {swapped}"), 0, ""),
        (format!("p4ctrl del {TABLE} {swapped}"), 255, "Error: Unable to find entry.\n"),
        (format!("p4ctrl get {TABLE} {swapped}"), 255, "Error: Unable to find entry.\n"),
        (format!("p4ctrl get {TABLE} {unpublished}"), 255, "Error: Unable to publish read entry.\n"),
        (format!("p4ctrl get {TABLE} srcPort 1"), 255, "Error: Key blob size and table key size differ.\n"),
        ("p4ctrl get other/table/Main/ct_flow_table".to_owned(), 255, "Error: Pipeline name not found.\n"),
        ("p4ctrl get flowtracker/table/Main/x".to_owned(), 255, "Error: Table name not found.\n"),
        ("mon p4 events flowtracker/table/Main/x".to_owned(), 255, "Error: Table name not found.\n"),
        ("get port0/tcp/10.0.0.1:2-10.0.0.2:1234".to_owned(), 0, ""),
        ("DeleteEntry port0/tcp/10.0.0.1:2-10.0.0.2:1234".to_owned(), 0, ""),
        ("delete port0/tcp/10.0.0.1:2-10.0.0.2:1234".to_owned(), 1, "ctl: no entry has this key\n"),
        (
            "get srcPort 1".to_owned(),
            2,
            "ctl: the key lacks input_port, srcAddr, dstAddr, hdr.ipv4.protocol, dstPort\n",
        ),
        ("--dataplane nobody list".to_owned(), 1, "ctl: --dataplane: no data plane is named \"nobody\"\n"),
        ("health".to_owned(), 0, ""),
        ("stats".to_owned(), 0, ""),
        ("dataplanes".to_owned(), 0, ""),
    ] {
        let output = ctl(&server, &arguments).await;
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(code), error), "{arguments}");
    }
}

#[tokio::test]
async fn what_list_prints_can_be_pasted_back() {
    let service = Service::start().await;
    Plane::fresh(&service).await.serve(seventeen(), T);
    for form in ["table", "wide"] {
        let output = ctl(&service.uri(), &format!("list -o {form}")).await;
        let lines: Vec<_> = text(&output.stdout).lines().collect();
        assert_eq!(lines.len(), 18, "a heading and 17 entries");
        let key = lines[17].split_whitespace().next().unwrap();
        let got = ctl(&service.uri(), &format!("get {key} -o json")).await;
        let entry: flowtracker_proto::v1::Entry = serde_json::from_slice(&got.stdout).unwrap();
        assert_eq!(entry.key, Some(flow(17).to_proto()));
    }
}

#[tokio::test]
async fn of_several_data_planes_one_must_be_chosen_by_its_flag() {
    let service = Service::start().await;
    for name in ["a", "b"] {
        let plane = Plane::attach(&service, hello(name, 1, &[1])).await.unwrap();
        plane.serve(vec![learned(1, T, T)], T);
    }
    for (arguments, code, error) in [
        ("list".to_owned(), 1, "ctl: --dataplane: must name one of: a, b\n"),
        (format!("p4ctrl get {TABLE}"), 255, "Error: --dataplane: must name one of: a, b.\n"),
        ("--dataplane b list".to_owned(), 0, ""),
        (format!("--dataplane b p4ctrl get {TABLE}"), 0, ""),
    ] {
        let output = ctl(&service.uri(), &arguments).await;
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(code), error), "{arguments}");
    }
}

#[tokio::test]
async fn counters_of_a_data_plane_that_keeps_none_are_dashes() {
    let service = Service::start().await;
    let uncounted = EntryRecord { packets: 0, bytes: 0, ..learned(1, T, T) };
    Plane::fresh(&service).await.serve(vec![uncounted, learned(2, T, T)], T);
    for (form, columns) in [("table", 6), ("wide", 10)] {
        let output = ctl(&service.uri(), &format!("list -o {form}")).await;
        let lines: Vec<Vec<_>> =
            text(&output.stdout).lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines.iter().map(Vec::len).collect::<Vec<_>>(), [columns, columns], "{form}");
        assert_eq!((lines[0][4], lines[0][5]), ("-", "-"), "{form}");
        assert_eq!((lines[1][4], lines[1][5]), ("1", "60"), "{form}");
    }
}

#[tokio::test]
async fn watch_prints_json_lines_of_events() {
    let service = Service::start().await;
    let mut plane = Plane::fresh(&service).await;
    plane.send(1, vec![created(1, T)]).await;
    plane.settled(&service).await;
    let mut child = watching(&service, "watch -o json --from snapshot").await;
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let read = tokio::task::spawn_blocking(move || lines.take(2).map(Result::unwrap).collect::<Vec<_>>());
    let lines = soon("two lines", read).await.unwrap();
    let events: Vec<flowtracker_proto::v1::Event> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.iter().map(word).collect::<Vec<_>>(), ["CREATED 1", "SYNCED"]);
    // The reader has gone: the next line ends the watch without a message.
    plane.send(1, vec![created(2, T)]).await;
    let end = soon("ctl to end", tokio::task::spawn_blocking(move || child.wait_with_output())).await;
    let output = end.unwrap().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

#[tokio::test]
async fn a_server_that_is_away_is_status_3() {
    let service = Service::start().await;
    let server = service.uri();
    service.stop().await;
    for (arguments, code) in [
        ("list", 3),
        ("watch", 3),
        ("health", 3),
        ("create port0/tcp/10.0.0.1:1-10.0.0.2:2", 3),
        ("update port0/tcp/10.0.0.1:1-10.0.0.2:2", 3),
        ("flush", 3),
        ("table", 3),
        ("table --permissions 3dfc", 3),
        ("introspect", 3),
        ("load", 3),
        ("purge", 3),
        ("mon p4 events", 255),
        ("p4ctrl delete flowtracker/table/Main/ct_flow_table", 255),
        ("p4template get table/flowtracker/Main/ct_flow_table", 255),
        ("--server unix:/nonexistent/socket list", 3),
        ("--server ftp://x list", 2),
        ("version", 0),
        ("list --no-such-flag", 2),
        ("nonsense", 2),
        ("", 2),
    ] {
        let output = ctl(&server, arguments).await;
        assert_eq!(output.status.code(), Some(code), "{arguments}: {}", text(&output.stderr));
    }
}

#[tokio::test]
async fn health_without_a_data_plane_is_not_well() {
    let service = Service::start().await;
    let output = ctl(&service.uri(), "health").await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("NOT_SERVING"));
}
