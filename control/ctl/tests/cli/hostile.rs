//! Names and messages that a terminal would obey, in every field that `ctl` prints.

use std::process::{Command, Output, Stdio};

use flowtracker_proto::v1::*;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::rig::soon;
use crate::scripted::{Answer, Scripted};

/// Clears the screen, sets the title, writes backwards, and forges a line.
const EVIL: &str = "x\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}31m\u{7f}\u{202e}gnp\u{2066}\u{200f}\nforged 1\r\ty";
const TABLE: &str = "flowtracker/table/Main/ct_flow_table";
const KEY: &str = "port0/tcp/10.0.0.1:1-10.0.0.2:2";

fn evil() -> String {
    EVIL.to_owned()
}

fn actor() -> Option<Actor> {
    Some(Actor { entity: Entity::Tc.into(), pid: 7, process: evil(), identity: evil() })
}

fn entry() -> Entry {
    let key = Key {
        input_port: "port0".to_owned(),
        src_addr: "10.0.0.1".to_owned(),
        dst_addr: "10.0.0.2".to_owned(),
        protocol: 6,
        src_port: 1,
        dst_port: 2,
    };
    Entry {
        dataplane: evil(),
        pipeline: "flowtracker".to_owned(),
        key: Some(key),
        permissions: 0x1dbc,
        permissions_text: evil(),
        created_by: actor(),
        updated_by: actor(),
        deleted_by: actor(),
        ..Entry::default()
    }
}

/// An entry whose key is no key.
fn odd() -> Entry {
    let key = Key { input_port: evil(), src_addr: evil(), dst_addr: evil(), ..Key::default() };
    Entry { key: Some(key), ..entry() }
}

fn table() -> Table {
    Table { dataplane: evil(), name: evil(), permissions_text: evil(), ..Table::default() }
}

fn events() -> Answer {
    let event = |kind: EventType| Event {
        dataplane: evil(),
        r#type: kind.into(),
        entry: Some(entry()),
        lifecycle: LifecycleKind::Purged.into(),
        ..Event::default()
    };
    let kinds = [EventType::Created, EventType::Updated, EventType::Deleted, EventType::Lifecycle];
    let odd = Event { entry: Some(odd()), ..event(EventType::Created) };
    Answer::Events(kinds.into_iter().map(event).chain([odd]).collect(), refusal())
}

fn refusal() -> Status {
    let details = ErrorDetails::with_error_info(evil(), "flowtracker.v1", [("field".to_owned(), evil())]);
    Status::with_error_details(Code::InvalidArgument, EVIL, details)
}

fn violations() -> Status {
    let mut details = ErrorDetails::with_error_info("BAD", "flowtracker.v1", [("x".to_owned(), evil())]);
    details.add_bad_request_violation(EVIL, EVIL).add_bad_request_violation(EVIL, EVIL);
    Status::with_error_details(Code::InvalidArgument, EVIL, details)
}

fn stats() -> Answer {
    let port = PortStats { port: evil(), device: evil(), ..PortStats::default() };
    let lcore = LcoreStats { stalls: 1, ..LcoreStats::default() };
    let plane = DataplaneStats {
        dataplane: evil(),
        live: true,
        lcores: vec![lcore],
        ports: vec![port],
        ..DataplaneStats::default()
    };
    Answer::Stats(GetStatsResponse { dataplanes: vec![plane.clone(), plane], log: None })
}

fn dataplanes() -> Answer {
    let plane = Dataplane {
        name: evil(),
        version: evil(),
        ports: vec![evil(), evil()],
        attached: true,
        ..Dataplane::default()
    };
    Answer::Dataplanes(vec![plane])
}

async fn ctl(answers: Vec<Answer>, arguments: &[String]) -> Output {
    let service = Scripted::start(answers).await;
    let mut ctl = Command::new(env!("CARGO_BIN_EXE_ctl"));
    ctl.args(arguments).env("FLOWTRACKER_SERVER", service.uri()).stdin(Stdio::null());
    let output = soon(&arguments.join(" "), tokio::task::spawn_blocking(move || ctl.output())).await;
    output.unwrap().unwrap()
}

/// No character that a terminal obeys or hides, and no line that the service has forged.
fn assert_tame(what: &str, text: &[u8]) {
    let text = std::str::from_utf8(text).expect(what);
    for c in text.chars() {
        let tame = matches!(c, '\n' | '\t') || !(c.is_control() || "\u{202e}\u{2066}\u{200f}".contains(c));
        assert!(tame, "{what}: {c:?} in {text:?}");
    }
    assert!(!text.lines().any(|line| line.starts_with("forged")), "{what}: {text:?}");
}

#[tokio::test]
async fn nothing_that_a_service_says_reaches_the_terminal_as_it_is() {
    let entries = || vec![Answer::Entries(vec![entry(), odd()])];
    let one = || vec![Answer::Entry(Box::new(entry()))];
    let mut cases: Vec<(String, Vec<Answer>)> = Vec::new();
    for form in ["table", "wide", "json", "tc"] {
        let form = |verb: &str| format!("{verb} -o {form}");
        cases.extend([
            (form("list"), entries()),
            (form(&format!("get {KEY}")), one()),
            (form(&format!("delete {KEY}")), one()),
            (form("table"), vec![Answer::Table(table())]),
            (form("dataplanes"), vec![dataplanes()]),
            (form("stats"), vec![stats()]),
            (form("watch"), vec![events()]),
        ]);
    }
    cases.extend([
        ("introspect".to_owned(), vec![Answer::Introspection("{\"a\u{1b}\u{9b}\":\r1}")]),
        (
            "top --batch --interval 0.1".to_owned(),
            vec![
                stats(),
                dataplanes(),
                Answer::Entries(vec![entry()]),
                stats(),
                dataplanes(),
                Answer::Entries(vec![entry()]),
            ],
        ),
        ("-d mon p4 events".to_owned(), vec![events()]),
        (format!("-d p4ctrl get {TABLE}"), entries()),
        (format!("-j p4ctrl get {TABLE}"), entries()),
        (format!("-j -p p4ctrl get {TABLE}"), entries()),
        (format!("-d p4ctrl get {TABLE} {KEY}"), one()),
        (format!("-d -echo p4ctrl delete {TABLE} {KEY}"), one()),
        ("p4template get table/flowtracker/Main/ct_flow_table".to_owned(), vec![Answer::Table(table())]),
        ("-j p4template get table/flowtracker/Main/ct_flow_table".to_owned(), vec![Answer::Table(table())]),
        (format!("p4ctrl create {TABLE} {KEY}"), vec![Answer::Refused(violations())]),
        (format!("p4ctrl get {TABLE} {KEY}"), vec![Answer::Refused(refusal())]),
        (format!("get {KEY}"), vec![Answer::Refused(refusal())]),
        (format!("create {KEY}"), vec![Answer::Refused(violations())]),
        ("list".to_owned(), vec![Answer::Refused(refusal())]),
        ("stats".to_owned(), vec![Answer::Refused(refusal())]),
    ]);
    for (command, answers) in cases {
        let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        let output = ctl(answers, &words).await;
        assert_tame(&command, &output.stdout);
        assert_tame(&command, &output.stderr);
        assert!(output.stdout.len() + output.stderr.len() > 20, "{command} prints something");
        if command.contains("json") && !command.contains("watch") {
            // JSON still says what the service has said.
            let text = String::from_utf8(output.stdout).unwrap();
            let values = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
            assert!(values.map(|value| value.to_string()).any(|v| v.contains("\u{202e}")), "{command}");
        }
    }
}
