//! Every output of `ctl`, byte for byte. Each file in `tests/golden` is a transcript: a command,
//! its requests to the service after `>`, its output, its standard error after `2>`, and its exit
//! status after `=`. The answers come from a script. `UPDATE_GOLDEN=1` writes the files instead of
//! comparing.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use control::api::fault;
use flowtracker_proto::change::EntryState;
use flowtracker_proto::key::Violation;
use flowtracker_proto::show;
use flowtracker_proto::v1::*;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::rig::*;
use crate::scripted::{Answer, Scripted};

const TABLE: &str = "flowtracker/table/Main/ct_flow_table";
const KEY: &str = "port0/tcp/10.0.0.1:36876-10.0.0.2:1234";
/// A fixed pid, so that the golden files can contain it.
const PID: u32 = 448;

/// A command, its answers, and its standard input.
pub(crate) struct Step {
    pub(crate) arguments: Vec<String>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) input: &'static str,
}

/// Makes a step of a command line, split as a shell would: text between single quotes is one word.
pub(crate) fn step(command: &str, answers: Vec<Answer>) -> Step {
    let command = command.replace("TABLE", TABLE).replace("KEY", KEY);
    let mut arguments = Vec::new();
    for (i, part) in command.split('\'').enumerate() {
        if i % 2 == 1 {
            arguments.push(part.to_owned());
        } else {
            arguments.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    Step { arguments, answers, input: "" }
}

/// Returns the word as a user would type it into a shell.
fn typed(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/:.=_-".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{word}'") }
}

/// Runs the steps, each with a service of its own, and compares the transcript with the file.
pub(crate) async fn golden(name: &str, steps: Vec<Step>) {
    let mut transcript = String::new();
    for step in steps {
        let words: Vec<_> = step.arguments.iter().map(|word| typed(word)).collect();
        let _ = writeln!(transcript, "$ ctl {}", words.join(" "));
        for line in step.input.lines() {
            let _ = writeln!(transcript, "< {line}");
        }
        let service = Scripted::start(step.answers).await;
        let mut ctl = Command::new(env!("CARGO_BIN_EXE_ctl"));
        ctl.args(&step.arguments).env("FLOWTRACKER_SERVER", service.uri()).env("TZ", "UTC");
        ctl.current_dir(env!("CARGO_MANIFEST_DIR"));
        let mut child =
            ctl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(step.input.as_bytes()).unwrap();
        let end = tokio::task::spawn_blocking(move || child.wait_with_output());
        let output = soon(&words.join(" "), end).await.unwrap().unwrap();
        for asked in service.asked() {
            let _ = writeln!(transcript, "> {asked}");
        }
        transcript += std::str::from_utf8(&output.stdout).unwrap();
        for line in std::str::from_utf8(&output.stderr).unwrap().lines() {
            let _ = writeln!(transcript, "2> {line}");
        }
        let _ = writeln!(transcript, "= {}\n", output.status.code().unwrap());
        assert_eq!(service.left(), 0, "not all was asked: {words:?}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, transcript).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap();
    for (number, (is, should)) in transcript.lines().zip(expected.lines()).enumerate() {
        assert_eq!(is, should, "{name}:{}", number + 1);
    }
    assert_eq!(transcript, expected, "{name} is longer or shorter");
}

/// Returns an entry of data plane "dp" as the API shows it at `time_ns`.
fn shown(entry: EntryRecord, time_ns: u64) -> Entry {
    let state = EntryState {
        key: entry.key,
        permissions: entry.permissions,
        profile_id: entry.profile_id,
        dynamic: entry.dynamic,
        aging_ms: entry.aging_ms,
        create_ns: entry.create_time_ns,
        last_used_ns: entry.last_used_time_ns,
        as_of_ns: time_ns,
        clock_step: Default::default(),
        packets: entry.packets,
        bytes: entry.bytes,
        created_by: entry.created_by.map(Arc::new),
        updated_by: entry.updated_by.map(Arc::new),
    };
    show::entry(&"dp".into(), &state)
}

/// Returns the entry of [`flow`]`(n)` that a packet made, 12 s old and 3 s idle.
pub(crate) fn entry(n: u16) -> Entry {
    shown(learned(n, T, T + 9 * SEC), T + 12 * SEC)
}

fn tc() -> Option<Actor> {
    Some(Actor { entity: Entity::Tc.into(), pid: PID, process: "ctl".to_owned(), ..Actor::default() })
}

/// Returns the same entry, created a moment ago by a control program.
fn made(n: u16) -> Entry {
    let record = EntryRecord { created_by: tc(), packets: 0, bytes: 0, ..learned(n, T, T) };
    shown(record, T)
}

/// Returns the same entry without a timer.
pub(crate) fn made_static(n: u16) -> Entry {
    Entry { dynamic: false, aging_ms: 0, ..made(n) }
}

pub(crate) fn updated(n: u16) -> Entry {
    Entry { updated_by: tc(), aging_ms: 60_000, profile_id: 1, idle_ms: 0, ..entry(n) }
}

pub(crate) fn deleted(n: u16) -> Entry {
    Entry { deleted_by: tc(), ..entry(n) }
}

/// Returns an entry that is not published: the control half's P bit is clear.
fn unpublished(n: u16) -> Entry {
    with_permissions(n, LEARNED & !0x100)
}

fn with_permissions(n: u16, permissions: u16) -> Entry {
    let permissions = u32::from(permissions);
    Entry { permissions, permissions_text: show::permissions_text(permissions), ..entry(n) }
}

pub(crate) fn table() -> Table {
    let profile = |profile_id, aging_ms| TimerProfile { profile_id, aging_ms };
    let shard = |lcore, entries| Shard { lcore, capacity: 524_288, entries };
    Table {
        dataplane: "dp".to_owned(),
        name: "Main/ct_flow_table".to_owned(),
        pipeline: "flowtracker".to_owned(),
        key_bits: 136,
        max_entries: 1_048_576,
        entries: 3,
        permissions: 0x3dfc,
        permissions_text: show::permissions_text(0x3dfc),
        profiles: vec![profile(0, 30_000), profile(1, 60_000), profile(2, 90_000), profile(3, 120_000)],
        learn_profile_id: 0,
        shards: vec![shard(1, 2), shard(2, 1)],
        detached: false,
    }
}

pub(crate) fn event(kind: EventType, seq: u64, entry: Option<Entry>) -> Event {
    let time = Some(flowtracker_proto::Timestamp::from_unix_ns(T));
    Event { epoch: 7, seq, time, dataplane: "dp".to_owned(), r#type: kind.into(), entry, ..Event::default() }
}

/// Returns one event of each kind that P4TC has, and some that it hides.
fn events() -> Answer {
    let aged = Entry { created_ms_ago: 30_900, idle_ms: 30_000, packets: 1, deleted_by: timer(), ..entry(1) };
    let gone = |entry, seq, reason: DeleteReason| Event {
        reason: reason.into(),
        ..event(EventType::Deleted, seq, Some(entry))
    };
    let new = Entry { created_ms_ago: 0, idle_ms: 0, ..entry(1) };
    let events = vec![
        event(EventType::Created, 1, Some(new)),
        event(EventType::Updated, 2, Some(updated(1))),
        gone(aged, 3, DeleteReason::Idle),
        gone(deleted(2), 4, DeleteReason::Control),
        event(EventType::Created, 5, Some(made_static(4))),
        event(EventType::Created, 6, Some(unpublished(5))),
        gone(deleted(4), 7, DeleteReason::Flush),
        Event { deleted: 1, failed: 2, ..event(EventType::Flushed, 8, None) },
        Event { lifecycle: LifecycleKind::Purged.into(), ..event(EventType::Lifecycle, 9, None) },
        event(EventType::Progress, 9, None),
        Event { gap_from: 10, gap_to: 12, ..event(EventType::Gap, 12, None) },
        event(EventType::Created, 12, Some(entry(6))),
        event(EventType::Synced, 12, None),
    ];
    Answer::Events(events, refused(Code::Aborted, "END", "the script ends here"))
}

pub(crate) fn timer() -> Option<Actor> {
    Some(Actor { entity: Entity::Timer.into(), process: "timer".to_owned(), ..Actor::default() })
}

pub(crate) fn refused(code: Code, reason: &str, message: &str) -> Status {
    fault::refusal(code, reason, message)
}

/// Returns INVALID_ARGUMENT with this reason.
fn bad(reason: &str, field: &str, metadata: &[(&str, &str)]) -> Answer {
    let metadata: HashMap<_, _> = metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let mut details = ErrorDetails::with_error_info(reason, fault::DOMAIN, metadata);
    details.add_bad_request_violation(field, "the server's words");
    let message = format!("{field}: the server's words");
    Answer::Refused(Status::with_error_details(Code::InvalidArgument, message, details))
}

pub(crate) fn no(code: Code, reason: &str) -> Answer {
    Answer::Refused(refused(code, reason, "the server's words"))
}

fn missing() -> Answer {
    no(Code::NotFound, "NO_ENTRY")
}

fn of(entry: Entry) -> Answer {
    Answer::Entry(Box::new(entry))
}

pub(crate) fn one(entry: Entry) -> Vec<Answer> {
    vec![of(entry)]
}

#[tokio::test]
async fn p4ctrl_create() {
    let pairs = "dstPort 1234 permissions 1dbc srcPort 36876 action NoAction protocol 6 dynamic dstAddr 10.0.0.2 \
                 srcAddr 10.0.0.1/32 aging 30000 pipeid 1 input_port 1";
    golden(
        "p4ctrl-create.txt",
        vec![
            step("p4ctrl create TABLE KEY", one(made_static(36876))),
            step(&format!("p4ctrl cr TABLE {pairs}"), one(made(36876))),
            step("-echo p4ctrl create TABLE KEY", one(made_static(36876))),
            step("-echo -d p4ctrl create TABLE KEY dynamic profile_id 0", one(made(36876))),
            step("-j -echo p4ctrl create TABLE KEY", one(made_static(36876))),
            step("-j -p -echo p4ctrl create TABLE KEY dynamic", one(made(36876))),
            step("-j p4ctrl create TABLE KEY", one(made_static(36876))),
            // No event is published of an entry without P.
            step("-echo p4ctrl create TABLE KEY permissions 1cbc", one(unpublished(36876))),
            // Each has its own event.
            step(
                "-echo p4ctrl create TABLE KEY entry port0/tcp/10.0.0.1:2-10.0.0.2:1234 dynamic",
                vec![of(made_static(36876)), of(made(2))],
            ),
            // The writes before the error stay, and are reported.
            step(
                "-j -echo p4ctrl create TABLE KEY entry KEY entry KEY",
                vec![of(made_static(36876)), no(Code::AlreadyExists, "ENTRY_EXISTS")],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn p4ctrl_update() {
    golden(
        "p4ctrl-update.txt",
        vec![
            step("p4ctrl update TABLE KEY aging 60000", one(updated(36876))),
            step("-echo p4ctrl up TABLE KEY dynamic profile_id 1", one(updated(36876))),
            step("-echo -d p4ctrl update TABLE KEY", one(updated(36876))),
            step("-j -echo p4ctrl update TABLE KEY permissions 0x1dbc", one(updated(36876))),
            step("p4ctrl update TABLE tbl_attrs timer_profile id 0 aging 5000", vec![Answer::Table(table())]),
            step(
                "-echo p4ctrl update TABLE tblid 1 tbl_attrs tbl_permissions 3dfc timer_profile aging 1 id 2",
                vec![Answer::Table(table())],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn p4ctrl_get() {
    let seventeen = || vec![Answer::Entries((1..=17).map(entry).collect())];
    let mixed = || vec![entry(1), with_permissions(2, LEARNED & !0x1000), unpublished(3), made_static(4)];
    golden(
        "p4ctrl-get.txt",
        vec![
            step("p4ctrl get TABLE KEY", one(entry(36876))),
            step("-d p4ctrl get TABLE KEY", one(updated(36876))),
            step("-j p4ctrl get TABLE KEY", one(updated(36876))),
            step("-j -p p4ctrl get TABLE KEY", one(made_static(36876))),
            step("p4ctrl get TABLE KEY entry KEY", vec![of(entry(1)), of(entry(2))]),
            step("p4ctrl get TABLE", seventeen()),
            step("-j p4ctrl get TABLE", seventeen()),
            step("p4ctrl get TABLE", vec![Answer::Entries(vec![])]),
            step("-j p4ctrl get TABLE", vec![Answer::Entries(vec![])]),
            step("-j -p p4ctrl get TABLE", vec![Answer::Entries(vec![])]),
            // A dump omits entries without R, and a get refuses entries without P.
            step(
                "p4ctrl get TABLE filter 'key.srcAddr = \"10.0.0.0/24\"' '&&' 'msecs_since > 5'",
                vec![Answer::Entries(mixed())],
            ),
            step("p4ctrl get TABLE KEY", one(unpublished(36876))),
        ],
    )
    .await;
}

#[tokio::test]
async fn p4ctrl_delete() {
    golden(
        "p4ctrl-delete.txt",
        vec![
            step("p4ctrl del TABLE KEY", one(deleted(36876))),
            step("-echo p4ctrl delete TABLE KEY", one(deleted(36876))),
            step("-echo -d p4ctrl delete TABLE KEY", one(deleted(36876))),
            step("-j -echo p4ctrl delete TABLE KEY", one(deleted(36876))),
            step("p4ctrl delete TABLE KEY entry KEY", vec![of(deleted(1)), missing()]),
            step("p4ctrl delete TABLE", vec![Answer::Flushed(3, 0)]),
            step("-echo p4ctrl delete TABLE", vec![Answer::Flushed(3, 0)]),
            step("-j -echo p4ctrl delete TABLE", vec![Answer::Flushed(3, 0)]),
            step("-j -p -echo p4ctrl delete TABLE", vec![Answer::Flushed(3, 0)]),
            step("-echo p4ctrl delete TABLE filter key.dstPort = 80", vec![Answer::Flushed(2, 1)]),
            step("p4ctrl delete TABLE", vec![Answer::Flushed(0, 2)]),
            step("-echo p4ctrl delete TABLE", vec![Answer::Flushed(0, 0)]),
        ],
    )
    .await;
}

#[tokio::test]
async fn p4ctrl_refused() {
    let mut steps = Vec::new();
    for answer in [
        missing(),
        no(Code::AlreadyExists, "ENTRY_EXISTS"),
        no(Code::PermissionDenied, "PERMISSION_BIT"),
        no(Code::ResourceExhausted, "TABLE_FULL"),
        bad("BOTH_GIVEN", "aging_ms", &[]),
        bad("AGING_UNKNOWN", "aging_ms", &[]),
        bad("NOT_ALONGSIDE", "aging_ms", &[]),
        bad("STATIC_ENTRY", "aging_ms", &[]),
        bad("PERMISSIONS_BEYOND_TABLE", "permissions", &[]),
        bad("PERMISSIONS_CREATE_BIT", "permissions", &[]),
        bad("BAD_REQUEST", "permissions", &[]),
        no(Code::FailedPrecondition, "DETACHED"),
        no(Code::FailedPrecondition, "FLOW_OWNER_UNKNOWN"),
        no(Code::Unavailable, "NO_DATAPLANE"),
    ] {
        steps.push(step("p4ctrl update TABLE KEY dynamic aging 7", vec![answer]));
    }
    for answer in [
        bad("STATIC_ENTRY", "profile_id", &[]),
        Answer::Refused(fault::with_metadata(
            Code::NotFound,
            "UNKNOWN_PROFILE",
            "the server's words",
            [("profile_id".to_owned(), "9".to_owned())].into(),
        )),
        no(Code::NotFound, "UNKNOWN_PROFILE"),
    ] {
        steps.push(step("p4ctrl create TABLE KEY dynamic profile_id 9", vec![answer]));
    }
    for verb in ["get", "delete"] {
        for answer in [missing(), no(Code::PermissionDenied, "PERMISSION_BIT")] {
            steps.push(step(&format!("p4ctrl {verb} TABLE KEY"), vec![answer]));
        }
        let answer = Answer::Refused(fault::bad_field("filter", "column 5: a value is missing"));
        steps.push(step(&format!("p4ctrl {verb} TABLE filter 'prio >'"), vec![answer]));
    }
    for answer in [
        no(Code::FailedPrecondition, "TABLE_NOT_EMPTY"),
        no(Code::NotFound, "UNKNOWN_PROFILE"),
        bad("AGING_RANGE", "profiles[0].aging_ms", &[]),
        bad("AGING_DUPLICATE", "profiles[0].aging_ms", &[("profile_id", "3")]),
        bad("AGING_DUPLICATE", "profiles[0].aging_ms", &[]),
        bad("PERMISSIONS_BEYOND_TABLE", "permissions", &[]),
    ] {
        steps.push(step("p4ctrl update TABLE tbl_attrs timer_profile id 1 aging 5", vec![answer]));
    }
    golden("p4ctrl-refused.txt", steps).await;
}

#[tokio::test]
async fn p4template_and_help() {
    golden(
        "p4template.txt",
        vec![
            step("p4template get table/flowtracker/Main/ct_flow_table", vec![Answer::Table(table())]),
            step("-j p4t get table/flowtracker/Main/ct_flow_table", vec![Answer::Table(table())]),
            step("-j -p p4template get table/flowtracker/Main/ct_tcp_table", vec![Answer::Table(table())]),
        ],
    )
    .await;
    golden(
        "help.txt",
        vec![
            step("p4ctrl help", vec![]),
            step("p4ctrl create TABLE help", vec![]),
            step("p4ctrl get TABLE help", vec![]),
        ],
    )
    .await;
}

#[tokio::test]
async fn monitor() {
    golden(
        "monitor.txt",
        vec![
            step("mon p4 events", vec![events()]),
            step("-d -timestamp -tshort monitor p4 ev TABLE", vec![events()]),
            // As with tc, JSON does not apply to events.
            step("-j -timestamp mon p4 events TABLE filter cmd = delete", vec![events()]),
            step(
                "mon p4 events TABLE filter x = 1",
                vec![Answer::Refused(fault::bad_field("filter", "column 1: \"x\" is no operand"))],
            ),
        ],
    )
    .await;
}

/// The slashes that iproute2 ignores, in every command that takes a path.
#[tokio::test]
async fn paths() {
    let (behind, before, doubled) = ("TABLE/", "//TABLE", "flowtracker//table/Main//ct_flow_table");
    let mut steps = vec![
        step("p4template get table/flowtracker/Main/ct_flow_table/", vec![Answer::Table(table())]),
        step("p4template get /table//flowtracker/ct_flow_table", vec![Answer::Table(table())]),
        step("p4ctrl create TABLE KEY action flowtracker//NoAction/", one(made_static(36876))),
    ];
    for path in [behind, before, doubled] {
        steps.extend([
            step(&format!("p4ctrl get {path}"), vec![Answer::Entries(vec![])]),
            step(&format!("p4ctrl get {path} KEY"), one(entry(36876))),
            step(&format!("p4ctrl create {path} KEY"), one(made_static(36876))),
            step(&format!("p4ctrl update {path} KEY"), one(updated(36876))),
            step(
                &format!("p4ctrl update {path} tbl_attrs timer_profile id 0 aging 5000"),
                vec![Answer::Table(table())],
            ),
            step(&format!("p4ctrl delete {path} KEY"), one(deleted(36876))),
            step(&format!("p4ctrl delete {path}"), vec![Answer::Flushed(3, 0)]),
            step(&format!("p4ctrl create {path} help"), vec![]),
            step(&format!("mon p4 events {path}"), vec![events()]),
        ]);
    }
    golden("paths.txt", steps).await;
    let written =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/paths.txt"));
    assert!(!written.unwrap().contains("not found"));
}

#[tokio::test]
async fn batch() {
    let good = || vec![of(entry(1)), Answer::Flushed(3, 0)];
    let input = "# what is there\n\
                 p4ctrl get flowtracker/table/Main/ct_flow_table port0/tcp/10.0.0.1:1-10.0.0.2:1234\n\
                 \n\
                 p4c del flowtracker/table/Main/ct_flow_table \\\n\
                 filter 'key.srcAddr = \"10.0.0.0/24\"' # some\n\
                 nonsense\n\
                 p4ctrl help\n";
    golden(
        "batch.txt",
        vec![
            Step { input, ..step("-batch -", good()) },
            Step { input, ..step("-force -echo -b -", good()) },
            Step { input: "p4ctrl get 'x\n", ..step("-b -", vec![]) },
            Step { input: "p4ctrl help\n", ..step("-b -", vec![]) },
            step("-j -echo -batch tests/golden/writes.batch", vec![of(made_static(1)), missing()]),
            step("-batch /nonexistent/file", vec![]),
        ],
    )
    .await;
}

#[tokio::test]
async fn one_entry() {
    let mut steps = Vec::new();
    for form in ["table", "wide", "json", "tc"] {
        steps.push(step(&format!("get -o {form} KEY"), one(entry(36876))));
        steps.push(step(&format!("create -o {form} KEY"), one(made_static(36876))));
        steps.push(step(&format!("update -o {form} KEY --profile 1"), one(updated(36876))));
        steps.push(step(&format!("delete -o {form} KEY"), one(deleted(36876))));
    }
    let pairs = "dstPort 1234 srcPort 36876 protocol tcp dstAddr 10.0.0.2 srcAddr 10.0.0.1 input_port port0";
    steps.extend([
        step("--dataplane dp DeleteEntry KEY", one(deleted(36876))),
        step(&format!("create --dynamic {pairs} --aging 30000 --permissions 0x1dbc"), one(made(36876))),
        step("create KEY --dynamic=false", one(made_static(36876))),
        step("update KEY --dynamic", one(updated(36876))),
        step("update KEY", one(updated(36876))),
    ]);
    golden("one-entry.txt", steps).await;
}

#[tokio::test]
async fn many_entries() {
    let some = || vec![Answer::Entries(vec![entry(1), made_static(2)])];
    let mut steps = vec![step("list", vec![Answer::Entries(vec![])])];
    for form in ["table", "wide", "json", "tc"] {
        steps.push(step(&format!("list -o {form} filter prio = 64000 '&&' '!' 'key.dstPort = 80'"), some()));
    }
    for form in ["table", "wide", "json", "tc"] {
        let mut answers = vec![Answer::Flushed(3, 0)];
        // P4TC's form asks for each table.
        answers.extend((form == "tc").then(|| no(Code::FailedPrecondition, "FAMILY_OFF")));
        steps.push(step(&format!("-o {form} flush"), answers));
    }
    steps.push(step("flush filter key.dstPort = 80", vec![Answer::Flushed(2, 1)]));
    steps.push(step("flush", vec![Answer::Flushed(0, 2)]));
    steps.push(step("flush", vec![Answer::Flushed(0, 0)]));
    golden("many-entries.txt", steps).await;
}

#[tokio::test]
async fn watch() {
    let mut steps = Vec::new();
    for form in ["table", "wide", "json", "tc"] {
        steps.push(step(&format!("watch -o {form}"), vec![events()]));
    }
    steps.push(step("watch --from snapshot -o json filter cmd = delete", vec![events()]));
    // The connection is lost: ctl resumes after the last event, with the same filter.
    let lost =
        Answer::Events(vec![event(EventType::Created, 8, Some(entry(1)))], Status::unavailable("lost"));
    steps.push(step("watch --from 7:3 filter prio = 1", vec![lost, events()]));
    golden("watch.txt", steps).await;
}

#[tokio::test]
async fn the_table() {
    let answer = || vec![Answer::Table(table())];
    let detached = Table { detached: true, entries: 0, shards: vec![], ..table() };
    let document = r#"{"schema_version":"1.0.0","pipeline_name":"flowtracker"}"#;
    golden(
        "table.txt",
        vec![
            step("table", answer()),
            step("table -o wide", answer()),
            step("table -o json", answer()),
            step("table -o tc", answer()),
            step("table", vec![Answer::Table(detached)]),
            step("table --profile 0=5000 --profile 3=0x10 --permissions 0x3dfc", answer()),
            step("--dataplane dp introspect", vec![Answer::Introspection(document)]),
            step("introspect -o json", vec![Answer::Introspection(document)]),
            step("load", vec![Answer::Loaded]),
            step("load -o json", vec![Answer::Loaded]),
            step("purge", vec![Answer::Purged(3)]),
            step("purge -o json", vec![Answer::Purged(3)]),
        ],
    )
    .await;
}

#[tokio::test]
async fn dataplanes_and_stats() {
    let since = Some(flowtracker_proto::Timestamp::from_unix_ns(T));
    let ports = vec!["port0".to_owned(), "port1".to_owned()];
    let dataplane = |name: &str, attached, synced| Dataplane {
        name: name.to_owned(),
        attached,
        synced,
        version: "0.1.0".to_owned(),
        since,
        entries: 3,
        ports: ports.clone(),
    };
    let three = || {
        let three =
            vec![dataplane("a", true, true), dataplane("b", true, false), dataplane("c", false, false)];
        vec![Answer::Dataplanes(three)]
    };
    let outcomes = Outcomes { hit: 5, miss_created: 2, not_tracked_ethertype: 1, ..Outcomes::default() };
    let lcore = |lcore, stalls| LcoreStats {
        lcore,
        rx: 8,
        tx: 7,
        tx_dropped: 1,
        outcomes: Some(outcomes),
        entries: 1,
        capacity: 524_288,
        expired: 1,
        stalls,
        stalled: stalls != 0,
        polls: 2000,
        busy_polls: 500,
        loop_time: vec![0, 0, 0, 1990, 0, 10],
        ..LcoreStats::default()
    };
    let port = PortStats {
        port: "port0".to_owned(),
        device: "net_null0".to_owned(),
        rx_packets: 16,
        tx_packets: 14,
        rx_missed: 1,
        link_up: true,
        ..PortStats::default()
    };
    let of = |name: &str, lcores, ports| DataplaneStats {
        dataplane: name.to_owned(),
        lcores,
        ports,
        time: since,
        live: name == "a",
    };
    let log = LogStats { epoch: 7, last_seq: 12, oldest_seq: 1, watchers: 2, gaps: 1 };
    let stats = || {
        let dataplanes =
            vec![of("a", vec![lcore(1, 0), lcore(2, 3)], vec![port.clone()]), of("b", vec![], vec![])];
        vec![Answer::Stats(GetStatsResponse { dataplanes, log: Some(log) })]
    };
    golden(
        "state.txt",
        vec![
            step("dataplanes", three()),
            step("dataplanes -o json", three()),
            step("dataplanes", vec![Answer::Dataplanes(vec![])]),
            step("stats", stats()),
            step("--dataplane a stats -o json", stats()),
        ],
    )
    .await;
}

#[tokio::test]
async fn everyday_refused() {
    golden(
        "refused.txt",
        vec![
            step("create KEY", vec![no(Code::AlreadyExists, "ENTRY_EXISTS")]),
            step("create KEY --dynamic --aging 7", vec![bad("AGING_UNKNOWN", "aging_ms", &[])]),
            step("create KEY --dynamic --profile 9", vec![no(Code::NotFound, "UNKNOWN_PROFILE")]),
            step("create KEY --permissions 3fff", vec![bad("PERMISSIONS_CREATE_BIT", "permissions", &[])]),
            step("create KEY", vec![no(Code::ResourceExhausted, "TABLE_FULL")]),
            step("update KEY --dynamic=false", vec![bad("DYNAMIC_ENTRY", "dynamic", &[])]),
            step("update KEY --profile 1", vec![bad("STATIC_ENTRY", "profile_id", &[])]),
            step("update KEY", vec![no(Code::PermissionDenied, "PERMISSION_BIT")]),
            step("delete KEY", vec![missing()]),
            step("get KEY", vec![bad("BAD_REQUEST", "dataplane", &[])]),
            step(
                "list filter x",
                vec![Answer::Refused(fault::bad_field("filter", "column 1: \"x\" is no operand"))],
            ),
            step(
                "flush filter x",
                vec![Answer::Refused(fault::bad_field("filter", "column 1: \"x\" is no operand"))],
            ),
            step(
                "watch filter x",
                vec![Answer::Refused(fault::bad_field("filter", "column 1: \"x\" is no operand"))],
            ),
            step("table --profile 0=0", vec![bad("AGING_RANGE", "profiles[0].aging_ms", &[])]),
            step("table --permissions 0", vec![no(Code::FailedPrecondition, "TABLE_NOT_EMPTY")]),
            step("load", vec![no(Code::FailedPrecondition, "ALREADY_ATTACHED")]),
            step("purge", vec![no(Code::FailedPrecondition, "ALREADY_DETACHED")]),
            step("table", vec![no(Code::Unavailable, "NO_DATAPLANE")]),
            // A status made by the transport is not a refusal.
            step("table", vec![Answer::Refused(Status::unavailable("gone"))]),
            step(
                "get KEY",
                vec![Answer::Refused(fault::bad_request(vec![
                    Violation::new("key.src_addr", "is missing"),
                    Violation::new("key.protocol", "256 is not in 0 to 255"),
                ]))],
            ),
        ],
    )
    .await;
}

/// Nothing is sent when the command line is invalid.
#[tokio::test]
async fn bad_input() {
    let mut steps = Vec::new();
    for command in [
        "get srcPort 1",
        "get KEY srcPort 1",
        "get port0/tcp/10.0.0.1:1",
        "create srcPort 1 dynamic",
        "create KEY --aging 5",
        "create KEY --profile 0",
        "create KEY --dynamic=false --profile 0",
        "list filter",
        "list key.dstPort = 80",
        "flush everything",
        "watch cmd = delete",
        "--server ftp://x table",
        "p4ctrl",
        "p4ctrl replace TABLE KEY",
        "p4ctrl get",
        "p4ctrl get other/table/Main/ct_flow_table",
        "p4ctrl get flowtracker/table/Main/x",
        "p4ctrl get flowtracker/extern/x",
        "p4ctrl get TABLE srcPort 1",
        "p4ctrl get TABLE KEY filter prio = 1",
        "p4ctrl get TABLE filter",
        "p4ctrl get TABLE filter prio = 1 filter prio = 2",
        "p4ctrl get TABLE pipeid 2",
        "p4ctrl get TABLE tblid 2",
        "p4ctrl get TABLE prio 1 KEY",
        "p4ctrl create TABLE",
        "p4ctrl create TABLE KEY filter prio = 1",
        "p4ctrl create TABLE KEY aging 5",
        "p4ctrl create TABLE KEY profile_id 1",
        "p4ctrl create TABLE KEY dynamic profile_id 1 aging 5",
        "p4ctrl create TABLE KEY action ct_flow_miss",
        "p4ctrl create TABLE KEY action drop",
        "p4ctrl create TABLE KEY permissions CRUD",
        "p4ctrl create TABLE KEY entry KEY aging 5",
        "p4ctrl update TABLE tbl_attrs",
        "p4ctrl update TABLE tbl_attrs timer_profile id 1",
        "p4ctrl delete TABLE srcPort x",
        "p4template delete table/flowtracker/Main/ct_flow_table",
        "p4template get pipeline/flowtracker",
        "p4template get table/other/Main/ct_flow_table",
        "p4ctrl create TABLE KEY dynamic profile_id 99999999999",
        "p4ctrl create TABLE KEY dynamic aging 99999999999999999999",
        "p4ctrl update TABLE tbl_attrs timer_profile id 99999999999 aging 5",
        "p4ctrl get TABLE/x",
        "p4template get table/flowtracker",
        "mon p4 digest",
        "mon p4 events TABLE filter",
        "mon p4 events TABLE KEY",
        "-x mon p4 events",
        "-o json mon p4 events",
        "-batch",
    ] {
        steps.push(step(command, vec![]));
    }
    golden("bad-input.txt", steps).await;
    let written =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bad-input.txt"));
    let written = written.unwrap();
    assert!(!written.contains("\n> ") && !written.contains("\n= 0\n"), "something was sent or accepted");
}

/// The texts of clap's own messages are not tested; that they are usage errors is.
#[tokio::test]
async fn bad_flags_are_usage_errors() {
    for command in [
        "create KEY --dynamic --profile 1 --aging 5",
        "create KEY --dynamic=maybe",
        "create KEY --aging soon",
        "create KEY --permissions 4000",
        "table --profile 5000",
        "table --profile 0=soon",
        "get",
        "watch --from yesterday",
        "list --no-such-flag",
        "top-secret",
        "completions tcsh",
    ] {
        let Step { arguments, .. } = step(command, vec![]);
        let service = Scripted::start(vec![]).await;
        let mut ctl = Command::new(env!("CARGO_BIN_EXE_ctl"));
        let output = ctl.args(&arguments).env("FLOWTRACKER_SERVER", service.uri()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert_eq!(service.asked(), [] as [String; 0], "{command}");
    }
}

#[tokio::test]
async fn every_request_says_who_asks() {
    for command in ["get KEY", "-batch -"] {
        let Step { arguments, .. } = step(command, vec![]);
        let service = Scripted::start(one(entry(1))).await;
        let mut ctl = Command::new(env!("CARGO_BIN_EXE_ctl"));
        ctl.args(&arguments).env("FLOWTRACKER_SERVER", service.uri());
        let mut child = ctl.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let pid = child.id();
        let line = format!("p4ctrl get {TABLE} {KEY}\n");
        child.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
        let end = tokio::task::spawn_blocking(move || child.wait());
        assert!(soon("ctl to end", end).await.unwrap().unwrap().success());
        assert_eq!(service.pids(), [format!("{pid} ctl")]);
    }
}

/// The two dialects are equivalent: they send the same requests, and print the same in tc's form.
#[tokio::test]
async fn both_dialects_mean_the_same() {
    let table = || vec![Answer::Table(table())];
    let many = || vec![Answer::Entries((1..=40).map(entry).collect())];
    for (everyday, p4tc, answers) in [
        ("get -4 -o tc KEY", "p4ctrl get TABLE KEY", one(entry(1))),
        ("create -4 -o tc KEY", "-echo p4ctrl create TABLE KEY", one(made_static(1))),
        (
            "create -4 -o tc KEY --dynamic --profile 1 --permissions 1dbc",
            "-echo p4ctrl create TABLE profile_id 1 KEY permissions 0x1dbc dynamic action NoAction",
            one(made(1)),
        ),
        ("update -4 -o tc KEY --aging 60000", "-echo p4ctrl update TABLE aging 60000 KEY", one(updated(1))),
        ("delete -4 -o tc KEY", "-echo p4ctrl delete TABLE KEY", one(deleted(1))),
        ("list -4 -o tc", "p4ctrl get TABLE", many()),
        ("list -4 -o tc filter prio = 1", "p4ctrl get TABLE filter prio = 1", many()),
        ("flush -4 -o tc", "-echo p4ctrl delete TABLE", vec![Answer::Flushed(3, 0)]),
        (
            "flush -4 -o tc filter prio = 1",
            "-echo p4ctrl delete TABLE filter prio = 1",
            vec![Answer::Flushed(3, 0)],
        ),
        ("table -4 -o tc", "p4template get table/flowtracker/Main/ct_flow_table", table()),
    ] {
        let mut outcomes = Vec::new();
        for command in [everyday, p4tc] {
            let Step { arguments, .. } = step(command, vec![]);
            let service = Scripted::start(answers.clone()).await;
            let mut ctl = Command::new(env!("CARGO_BIN_EXE_ctl"));
            ctl.args(&arguments).env("FLOWTRACKER_SERVER", service.uri());
            let end = tokio::task::spawn_blocking(move || ctl.output());
            let output = soon(command, end).await.unwrap().unwrap();
            assert_eq!(output.status.code(), Some(0), "{command}");
            outcomes.push((service.asked(), String::from_utf8(output.stdout).unwrap()));
        }
        assert!(!outcomes[0].1.is_empty(), "{everyday}");
        assert_eq!(outcomes[0], outcomes[1], "{everyday}");
    }
}
