//! How bad requests are refused: the status code, the reason, the field and a sentence are as
//! expected, and nothing has changed. A row is a request in the JSON that grpcurl takes, or a
//! command line.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

use flowtracker_proto::v1;
use flowtracker_tests::appliance::{Appliance, LIMIT};
use flowtracker_tests::netns::Namespace;
use flowtracker_tests::process::{Running, binary, wait_for};
use flowtracker_tests::watcher::{self, Caller};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tonic::Code::{
    self, AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, OutOfRange, PermissionDenied,
    ResourceExhausted, Unavailable,
};
use tonic::{Response, Status};
use tonic_types::StatusExt as _;

/// The number of entries that the appliance may hold.
const CAPACITY: usize = 6;
/// A length in octets, longer than a gRPC client accepts in trailers, and than messages quote.
const LONG: usize = 25_000;
/// The table's permissions without both C bits; below, the same without one bit of the control
/// plane.
const ALL: u32 = 0x1dbc;
const NO_READ: u32 = ALL & !(1 << 12);
const NO_UPDATE: u32 = ALL & !(1 << 11);
const NO_DELETE: u32 = ALL & !(1 << 10);
/// The methods that name one entry.
const OF_ENTRY: [&str; 4] = ["GetEntry", "CreateEntry", "UpdateEntry", "DeleteEntry"];
/// The methods that a data plane answers. [`good`] makes a valid request for each.
const OF_DATAPLANE: [&str; 11] = [
    "GetEntry",
    "CreateEntry",
    "UpdateEntry",
    "DeleteEntry",
    "ListEntries",
    "FlushEntries",
    "GetTable",
    "UpdateTable",
    "GetIntrospection",
    "Load",
    "Purge",
];

/// A request, and how it is refused. An empty field means that the details name none.
struct Row {
    method: &'static str,
    request: Value,
    code: Code,
    reason: &'static str,
    field: &'static str,
    message: &'static str,
}

fn row(
    method: &'static str,
    request: Value,
    code: Code,
    reason: &'static str,
    field: &'static str,
    message: &'static str,
) -> Row {
    Row { method, request, code, reason, field, message }
}

/// Returns a key that differs from others in its source port.
fn key(src_port: u32) -> Value {
    json!({"input_port": "port0", "src_addr": "10.0.0.1", "dst_addr": "10.0.0.2", "protocol": 6,
           "src_port": src_port, "dst_port": 80})
}

/// Returns `{"key": …}` with one of the key's fields changed.
fn with(field: &str, value: impl Into<Value>) -> Value {
    let mut key = key(1);
    key[field] = value.into();
    json!({"key": key})
}

/// Returns a request with more fields.
fn and(mut request: Value, more: &Value) -> Value {
    let fields = more.as_object().expect("an object").clone();
    request.as_object_mut().expect("an object").extend(fields);
    request
}

/// Returns a valid request for each method, apart from the data plane's name.
fn good(method: &str) -> Value {
    match method {
        "UpdateTable" => json!({"profiles": [{"profile_id": 0, "aging_ms": 31_000}]}),
        method if OF_ENTRY.contains(&method) => json!({"key": key(1)}),
        _ => json!({}),
    }
}

fn typed<T: DeserializeOwned>(request: &Value) -> T {
    serde_json::from_value(request.clone()).unwrap_or_else(|error| panic!("{error}: {request}"))
}

/// Makes a call, and returns the answer as text. Of a stream it returns the first message.
fn call(caller: &Caller, method: &str, request: &Value) -> Result<String, Status> {
    fn shown<T: std::fmt::Debug>(answer: Result<T, Status>) -> Result<String, Status> {
        answer.map(|answer| format!("{answer:?}"))
    }
    match method {
        "CreateEntry" => {
            shown(caller.call(async |c| c.create_entry(typed::<v1::CreateEntryRequest>(request)).await))
        }
        "UpdateEntry" => {
            shown(caller.call(async |c| c.update_entry(typed::<v1::UpdateEntryRequest>(request)).await))
        }
        "GetEntry" => shown(caller.call(async |c| c.get_entry(typed::<v1::GetEntryRequest>(request)).await)),
        "DeleteEntry" => {
            shown(caller.call(async |c| c.delete_entry(typed::<v1::DeleteEntryRequest>(request)).await))
        }
        "FlushEntries" => {
            shown(caller.call(async |c| c.flush_entries(typed::<v1::FlushEntriesRequest>(request)).await))
        }
        "GetTable" => shown(caller.call(async |c| c.get_table(typed::<v1::GetTableRequest>(request)).await)),
        "UpdateTable" => {
            shown(caller.call(async |c| c.update_table(typed::<v1::UpdateTableRequest>(request)).await))
        }
        "GetIntrospection" => shown(
            caller.call(async |c| c.get_introspection(typed::<v1::GetIntrospectionRequest>(request)).await),
        ),
        "Load" => shown(caller.call(async |c| c.load(typed::<v1::LoadRequest>(request)).await)),
        "Purge" => shown(caller.call(async |c| c.purge(typed::<v1::PurgeRequest>(request)).await)),
        "GetStats" => shown(caller.call(async |c| c.get_stats(typed::<v1::GetStatsRequest>(request)).await)),
        "ListEntries" => shown(caller.call(async |c| {
            let mut stream = c.list_entries(typed::<v1::ListEntriesRequest>(request)).await?.into_inner();
            Ok(Response::new(stream.message().await?))
        })),
        "WatchEvents" => shown(caller.call(async |c| {
            let mut stream = c.watch_events(typed::<v1::WatchEventsRequest>(request)).await?.into_inner();
            Ok(Response::new(stream.message().await?))
        })),
        other => panic!("no method {other}"),
    }
}

/// The state that a refused request must not change.
#[derive(Debug, PartialEq)]
struct State {
    entries: Vec<v1::Entry>,
    table: v1::Table,
    last_seq: u64,
}

impl State {
    fn of(caller: &Caller) -> Self {
        let told = caller.call(async |client| {
            let (mut lists, mut tables, mut counters) = (client.clone(), client.clone(), client.clone());
            // The calls run concurrently, because they are repeated after every row.
            let (entries, table, stats) = tokio::try_join!(
                watcher::entries(&mut lists),
                tables.get_table(v1::GetTableRequest::default()),
                counters.get_stats(v1::GetStatsRequest::default()),
            )?;
            Ok(Response::new((entries, table.into_inner().table, stats.into_inner().log)))
        });
        let (mut entries, table, log) = told.expect("told");
        for entry in &mut entries {
            // Ages change by themselves. (`last_used_time`, from which the idle timer counts, does
            // not.)
            (entry.created_ms_ago, entry.idle_ms) = (0, 0);
        }
        entries.sort_by_key(|entry| entry.key.as_ref().map(|key| key.src_port));
        Self { entries, table: table.expect("a table"), last_seq: log.expect("of the log").last_seq }
    }
}

/// Checks every part of a refusal.
fn check_status(row: &Row, status: &Status) {
    let Row { method, request, code, reason, field, message } = row;
    let mut request = request.to_string();
    request.truncate(200);
    let what = format!("{method} {request}: {status:?}");
    assert_eq!(status.code(), *code, "{what}");
    let info = status.get_details_error_info().unwrap_or_else(|| panic!("no ErrorInfo: {what}"));
    assert_eq!((info.reason.as_str(), info.domain.as_str()), (*reason, "flowtracker.v1"), "{what}");
    let violations = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
    let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields.join(" "), *field, "{what}");
    assert!(status.message().contains(message), "no {message:?}: {what}");
    if let Some(first) = violations.first() {
        assert_eq!(status.message(), format!("{}: {}", first.field, first.description), "{what}");
    }
    assert!(status.message().len() < 400, "a sentence, not a page: {what}");
}

/// Checks that every request is refused as its row says, and changes nothing.
fn check(caller: &Caller, rows: &[Row]) {
    let before = State::of(caller);
    for row in rows {
        match call(caller, row.method, &row.request) {
            Ok(answer) => panic!("{} {} is not refused: {answer}", row.method, row.request),
            Err(status) => check_status(row, &status),
        }
        assert_eq!(State::of(caller), before, "{} {}", row.method, row.request);
    }
}

/// Starts an appliance with five entries: 1 is static, 2 is dynamic, 3 lacks R, 4 lacks U and 5
/// lacks D.
fn appliance(alone: &Namespace) -> (Appliance<'_>, Caller) {
    let devices = ["net_null0,no-rx=1", "net_null1,no-rx=1"].map(str::to_owned);
    let appliance = Appliance::start(alone, &devices, &["--capacity", &CAPACITY.to_string()]);
    let caller = Caller::new(&appliance.socket(), LIMIT);
    for (src_port, attributes) in [
        (1, json!({})),
        (2, json!({"dynamic": true, "profile_id": 3})),
        (3, json!({"permissions": NO_READ})),
        (4, json!({"permissions": NO_UPDATE})),
        (5, json!({"permissions": NO_DELETE})),
    ] {
        let request = and(json!({"key": key(src_port)}), &attributes);
        call(&caller, "CreateEntry", &request).expect("created");
    }
    (appliance, caller)
}

fn bad_keys() -> Vec<Row> {
    let all = "key.input_port key.src_addr key.dst_addr";
    let long = "9".repeat(LONG);
    let table = [
        (json!({}), "key", "all six fields of the key are needed"),
        (json!({"key": {}}), all, "key.input_port: is missing"),
        (with("input_port", ""), "key.input_port", "is missing"),
        (with("input_port", "eth0"), "key.input_port", "\"eth0\" is not a port"),
        (with("input_port", "port65536"), "key.input_port", "\"port65536\" is not a port"),
        (with("input_port", "0"), "key.input_port", "\"0\" is not a port"),
        (with("input_port", format!("port{long}")), "key.input_port", "(25004 bytes) is not a port"),
        (with("src_addr", ""), "key.src_addr", "is missing"),
        (with("src_addr", "10.0.0.256"), "key.src_addr", "\"10.0.0.256\" is not an IPv4 address"),
        (with("src_addr", "10.0.0.0/24"), "key.src_addr", "\"10.0.0.0/24\" is not an IPv4 address"),
        (with("src_addr", "\u{1b}[2J"), "key.src_addr", "\"\\u{1b}[2J\" is not an IPv4 address"),
        (with("src_addr", long.clone()), "key.src_addr", "(25000 bytes) is not an IPv4 address"),
        (with("src_addr", "é".repeat(LONG)), "key.src_addr", "(50000 bytes) is not an IPv4 address"),
        (with("dst_addr", "::1"), "key.dst_addr", "\"::1\" is not an IPv4 address"),
        (with("dst_addr", long), "key.dst_addr", "(25000 bytes) is not an IPv4 address"),
        (with("protocol", 256), "key.protocol", "256 is not in 0 to 255"),
        (with("src_port", 65536), "key.src_port", "65536 is not in 0 to 65535"),
        (with("dst_port", u32::MAX), "key.dst_port", "4294967295 is not in 0 to 65535"),
    ];
    let rows = |method| {
        let of_key = table.iter().map(move |(request, field, message)| {
            row(method, request.clone(), InvalidArgument, "BAD_REQUEST", field, message)
        });
        let there_is_none = "port9 does not exist; this data plane has port0 to port1";
        let unknown = row(
            method,
            with("input_port", "port9"),
            InvalidArgument,
            "UNKNOWN_PORT",
            "key.input_port",
            there_is_none,
        );
        of_key.chain([unknown])
    };
    OF_ENTRY.into_iter().flat_map(rows).collect()
}

fn bad_dataplanes() -> Vec<Row> {
    let rows = |method| {
        [
            ("elsewhere".to_owned(), "no data plane is named \"elsewhere\""),
            ("x".repeat(LONG), "(25000 bytes)"),
        ]
        .map(|(name, message)| {
            let request = and(good(method), &json!({"dataplane": name}));
            row(method, request, NotFound, "UNKNOWN_DATAPLANE", "dataplane", message)
        })
    };
    OF_DATAPLANE.into_iter().chain(["GetStats"]).flat_map(rows).collect()
}

fn bad_filters() -> Vec<Row> {
    let table = [
        ("key.srcPort =".to_owned(), "column 14"),
        ("key.srcport = 1".to_owned(), "column 5: unknown key field \"srcport\"; did you mean srcPort?"),
        ("key.srcPort = 65536".to_owned(), "column 15: 65536 is not in 0 to 65535"),
        ("key.input_port = eth0".to_owned(), "column 18"),
        ("(prio = 1".to_owned(), "column"),
        ("é = 1".to_owned(), "column 1"),
        (format!("prio = {}", "9".repeat(LONG)), "4096"),
        (" ".repeat(LONG), "4096"),
    ];
    let mut rows = Vec::new();
    for method in ["ListEntries", "FlushEntries", "WatchEvents"] {
        let row = |filter: &str, message| {
            row(method, json!({"filter": filter}), InvalidArgument, "BAD_REQUEST", "filter", message)
        };
        rows.extend(table.iter().map(|(filter, message)| row(filter, message)));
        rows.push(match method {
            "WatchEvents" => row("msecs_since > 5", "column 1"),
            _ => row("cmd = delete", "column 1"),
        });
    }
    rows
}

/// Attributes that no entry can have.
fn bad_attributes() -> Vec<Row> {
    let table = [
        (json!({"profile_id": 16}), InvalidArgument, "PROFILE_RANGE", "profile_id", "16 is not in 0 to 15"),
        (json!({"profile_id": 4}), NotFound, "UNKNOWN_PROFILE", "profile_id", "there is no timer profile 4"),
        (
            json!({"aging_ms": 0}),
            InvalidArgument,
            "AGING_UNKNOWN",
            "aging_ms",
            "0 doesn't match any timer profile",
        ),
        (
            json!({"aging_ms": 864_000_001}),
            InvalidArgument,
            "AGING_UNKNOWN",
            "aging_ms",
            "864000001 doesn't match",
        ),
        (json!({"aging_ms": u64::MAX}), InvalidArgument, "AGING_UNKNOWN", "aging_ms", "18446744073709551615"),
        (json!({"aging_ms": 30_000, "profile_id": 0}), InvalidArgument, "BOTH_GIVEN", "aging_ms", "not both"),
        (
            json!({"permissions": 0x4000}),
            InvalidArgument,
            "PERMISSION_BITS",
            "permissions",
            "outside of 0x3fff",
        ),
        (json!({"permissions": u32::MAX}), InvalidArgument, "PERMISSION_BITS", "permissions", "0xffffffff"),
        (json!({"permissions": 0x200}), InvalidArgument, "PERMISSIONS_BEYOND_TABLE", "permissions", "0x3dfc"),
        (
            json!({"permissions": 0x2000}),
            InvalidArgument,
            "PERMISSIONS_CREATE_BIT",
            "permissions",
            "create bit",
        ),
        (
            json!({"permissions": 0x0040}),
            InvalidArgument,
            "PERMISSIONS_CREATE_BIT",
            "permissions",
            "create bit",
        ),
    ];
    let mut rows = Vec::new();
    for (method, src_port) in [("CreateEntry", 6), ("UpdateEntry", 1), ("UpdateEntry", 2)] {
        for (attributes, code, reason, field, message) in &table {
            let request = and(json!({"key": key(src_port), "dynamic": true}), attributes);
            rows.push(row(method, request, *code, reason, field, message));
        }
    }
    for (method, src_port, reason, message) in [
        ("CreateEntry", 6, "NOT_ALONGSIDE", "may only be set alongside dynamic"),
        ("UpdateEntry", 1, "STATIC_ENTRY", "the entry is static; set dynamic as well"),
    ] {
        for (attribute, field) in
            [(json!({"profile_id": 1}), "profile_id"), (json!({"aging_ms": 60_000}), "aging_ms")]
        {
            for still in [json!({}), json!({"dynamic": false})] {
                let request = and(and(json!({"key": key(src_port)}), &attribute), &still);
                rows.push(row(method, request, InvalidArgument, reason, field, message));
            }
        }
    }
    // All that is wrong is told at once.
    let every = json!({"key": key(6), "profile_id": 16, "permissions": 0x40});
    let fields = "profile_id permissions profile_id";
    rows.push(row("CreateEntry", every, InvalidArgument, "PROFILE_RANGE", fields, "16 is not in 0 to 15"));
    let never = json!({"key": key(2), "dynamic": false});
    let message = "a dynamic entry cannot be made static";
    rows.push(row("UpdateEntry", never, InvalidArgument, "DYNAMIC_ENTRY", "dynamic", message));
    rows
}

/// Requests whose refusal depends on the entries in the table.
fn bad_moments() -> Vec<Row> {
    let of = |src_port| json!({"key": key(src_port)});
    let denied = |method, src_port, message| {
        row(method, of(src_port), PermissionDenied, "PERMISSION_BIT", "", message)
    };
    let none = |method| row(method, of(6), NotFound, "NO_ENTRY", "", "no entry has this key");
    let cursor = |after, reason, message| {
        row("WatchEvents", json!({"start": {"after": after}}), OutOfRange, reason, "", message)
    };
    vec![
        none("GetEntry"),
        none("UpdateEntry"),
        none("DeleteEntry"),
        row("CreateEntry", of(1), AlreadyExists, "ENTRY_EXISTS", "", "an entry has this key already"),
        denied("GetEntry", 3, "the entry lacks the control plane's R permission"),
        denied("UpdateEntry", 4, "the entry lacks the control plane's U permission"),
        denied("DeleteEntry", 5, "the entry lacks the control plane's D permission"),
        row("Load", json!({}), FailedPrecondition, "ALREADY_ATTACHED", "", "the program is attached already"),
        cursor(json!({"epoch": 1, "seq": 1}), "EPOCH_GONE", "epoch 1 is gone"),
        cursor(json!({}), "EPOCH_GONE", "epoch 0 is gone"),
    ]
}

fn bad_tables() -> Vec<Row> {
    let profiles = |profiles: Value, reason, field, message| {
        row("UpdateTable", json!({"profiles": profiles}), InvalidArgument, reason, field, message)
    };
    let profile = |id: u32, aging_ms: u64| json!({"profile_id": id, "aging_ms": aging_ms});
    vec![
        row(
            "UpdateTable",
            json!({}),
            InvalidArgument,
            "NOTHING_TO_DO",
            "profiles",
            "neither profiles nor permissions",
        ),
        profiles(json!([profile(0, 0)]), "AGING_RANGE", "profiles[0].aging_ms", "0 is not in 1 to 864000000"),
        profiles(
            json!([{"profile_id": 1}]),
            "AGING_RANGE",
            "profiles[0].aging_ms",
            "0 is not in 1 to 864000000",
        ),
        profiles(json!([profile(0, 864_000_001)]), "AGING_RANGE", "profiles[0].aging_ms", "864000001"),
        profiles(
            json!([profile(0, 5), profile(3, u64::MAX)]),
            "AGING_RANGE",
            "profiles[1].aging_ms",
            "18446744073709551615 is not in 1 to 864000000",
        ),
        profiles(json!([profile(16, 5)]), "PROFILE_RANGE", "profiles[0].profile_id", "16 is not in 0 to 15"),
        profiles(
            json!([profile(0, 60_000)]),
            "AGING_DUPLICATE",
            "profiles[0].aging_ms",
            "60000 was already specified by profile 1",
        ),
        profiles(
            json!([profile(1, 7), profile(2, 7)]),
            "AGING_DUPLICATE",
            "profiles[1].aging_ms",
            "7 was already specified by profile 1",
        ),
        profiles(
            json!([profile(1, 7), profile(1, 8)]),
            "PROFILE_TWICE",
            "profiles[1].profile_id",
            "profile 1 is given twice",
        ),
        profiles(json!(vec![profile(1, 7); LONG / 4]), "TOO_MANY_PROFILES", "profiles", "at most 16"),
        profiles(
            json!([profile(1, 7), profile(1, 8), profile(0, 0)]),
            "PROFILE_TWICE",
            "profiles[1].profile_id profiles[2].aging_ms",
            "profile 1 is given twice",
        ),
        row(
            "UpdateTable",
            json!({"profiles": [profile(0, 5), profile(4, 5)]}),
            NotFound,
            "UNKNOWN_PROFILE",
            "profiles[1].profile_id",
            "there is no timer profile 4",
        ),
        row(
            "UpdateTable",
            json!({"permissions": 0x4000}),
            InvalidArgument,
            "PERMISSION_BITS",
            "permissions",
            "0x4000 has bits outside of 0x3fff",
        ),
        row(
            "UpdateTable",
            json!({"permissions": 0x3dbc, "profiles": [profile(0, 5)]}),
            FailedPrecondition,
            "TABLE_NOT_EMPTY",
            "permissions",
            "the table has entries",
        ),
    ]
}

#[test]
fn a_bad_request_says_why_and_changes_nothing() {
    let alone = Namespace::new("bad");
    let (appliance, caller) = appliance(&alone);
    check(&caller, &bad_keys());
    check(&caller, &bad_dataplanes());
    check(&caller, &bad_filters());
    check(&caller, &bad_attributes());
    check(&caller, &bad_moments());
    check(&caller, &bad_tables());

    // It is refused before it is read.
    let request = json!({"filter": "x".repeat(1 << 20)});
    for method in ["ListEntries", "WatchEvents"] {
        let message = "the request is longer than 65536 bytes";
        check(&caller, &[row(method, request.clone(), ResourceExhausted, "REQUEST_TOO_LARGE", "", message)]);
    }

    let full = |src_port| json!({"key": key(src_port)});
    call(&caller, "CreateEntry", &full(6)).expect("the last one that fits");
    let message = "holds as many entries as it may";
    check(&caller, &[row("CreateEntry", full(7), ResourceExhausted, "TABLE_FULL", "", message)]);

    call(&caller, "Purge", &json!({})).expect("attached");
    let detached = |method| {
        let message = "the program is detached (purged); load attaches it again";
        row(method, good(method), FailedPrecondition, "DETACHED", "", message)
    };
    let mut rows: Vec<Row> =
        ["CreateEntry", "UpdateEntry", "DeleteEntry", "FlushEntries", "UpdateTable"].map(detached).into();
    let message = "the program is detached (purged) already";
    rows.push(row("Purge", json!({}), FailedPrecondition, "ALREADY_DETACHED", "", message));
    rows.push(row("GetEntry", good("GetEntry"), NotFound, "NO_ENTRY", "", "no entry has this key"));
    check(&caller, &rows);

    call(&caller, "Load", &json!({})).expect("detached");
    // The table now lets nobody create entries.
    call(&caller, "UpdateTable", &json!({"permissions": ALL})).expect("empty");
    let message = "the table lacks the control plane's C permission";
    check(&caller, &[row("CreateEntry", full(1), PermissionDenied, "PERMISSION_BIT", "", message)]);
    appliance.stop();
}

#[test]
fn without_a_data_plane_its_answers_are_unavailable() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("control.sock");
    let mut control = Command::new(binary("flowtracker-control"));
    let mut control =
        Running::spawn(control.args(["--listen", "127.0.0.1:0", "--http", "off", "--unix"]).arg(&socket));
    let caller = Caller::new(&socket, LIMIT);
    wait_for("the service answers", LIMIT, || call(&caller, "GetStats", &json!({})).ok());
    for method in OF_DATAPLANE {
        for named in [json!({}), json!({"dataplane": "a"})] {
            let row = row(
                method,
                and(good(method), &named),
                Unavailable,
                "NO_DATAPLANE",
                "",
                "no data plane is attached",
            );
            check_status(&row, &call(&caller, method, &row.request).expect_err("nobody is there"));
        }
    }
    // A request is validated before its data plane is looked up.
    for row in bad_keys().iter().filter(|row| row.reason == "BAD_REQUEST").chain(&bad_filters()) {
        check_status(row, &call(&caller, row.method, &row.request).expect_err("a mistake"));
    }
    let (status, stderr) = run(&mut ctl(&socket), &["list"]);
    assert_eq!((status, stderr.as_str()), (Some(1), "ctl: no data plane is attached\n"));
    let (status, stderr) = run(&mut ctl(&socket), &["p4ctrl", "get", PATH]);
    assert_eq!((status, stderr.as_str()), (Some(255), "Error: no data plane is attached.\n"));
    assert_eq!(control.terminate().code(), Some(0));
    let (status, stderr) = run(&mut ctl(&socket), &["list"]);
    assert_eq!(status, Some(3), "{stderr}");
}

/// The table's path in P4TC's commands.
const PATH: &str = "flowtracker/table/Main/ct_flow_table";

fn ctl(socket: &Path) -> Command {
    let mut ctl = Command::new(binary("ctl"));
    ctl.env("FLOWTRACKER_SERVER", format!("unix:{}", socket.display()));
    ctl
}

/// Runs a command that prints no result, and returns its exit status and its error message.
fn run(command: &mut Command, words: &[impl AsRef<OsStr>]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command.args(words).output().expect("it can be started");
    assert_eq!(String::from_utf8_lossy(&stdout), "", "{command:?} prints no result");
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

/// Command lines with mistakes, in the everyday dialect and in P4TC's.
#[test]
fn a_bad_command_line_says_why_and_changes_nothing() {
    // `%1` stands for the key of entry 1. A row has the command, the exit status, and a part of the
    // error message.
    let everyday: &[(&str, i32, &str)] = &[
        ("get", 2, "KEY"),
        ("get port0", 2, "Unknown key field \"port0\""),
        ("get srcAddr 10.0.0.1", 2, "the key lacks input_port, dstAddr, hdr.ipv4.protocol, srcPort, dstPort"),
        ("get port0/tcp/10.0.0.256:1-10.0.0.2:80", 2, "srcAddr: \"10.0.0.256\" is not an IPv4 address"),
        ("get port0/tcp/10.0.0.1:65536-10.0.0.2:80", 2, "srcPort: 65536 is not in 0 to 65535"),
        ("get port0/256/10.0.0.1:1-10.0.0.2:80", 2, "hdr.ipv4.protocol: 256 is not in 0 to 255"),
        ("get eth0/tcp/10.0.0.1:1-10.0.0.2:80", 2, "input_port: \"eth0\" is not a port"),
        ("get port9/tcp/10.0.0.1:1-10.0.0.2:80", 1, "input_port: port9 does not exist"),
        ("create port9/tcp/10.0.0.1:1-10.0.0.2:80", 1, "input_port: port9 does not exist"),
        (
            "--dataplane elsewhere get port0/tcp/10.0.0.1:1-10.0.0.2:80",
            1,
            "--dataplane: no data plane is named",
        ),
        ("--dataplane elsewhere purge", 1, "--dataplane: no data plane is named \"elsewhere\""),
        ("get %6", 1, "no entry has this key"),
        ("delete %6", 1, "no entry has this key"),
        ("update %6", 1, "no entry has this key"),
        ("create %1", 1, "an entry has this key already"),
        ("get %3", 1, "R permission"),
        ("update %4", 1, "U permission"),
        ("delete %5", 1, "D permission"),
        ("create %6 --profile 1", 2, "--profile needs --dynamic"),
        ("create %6 --aging 60000", 2, "--aging needs --dynamic"),
        ("create %6 --dynamic --aging 60000 --profile 1", 2, "--profile"),
        ("create %6 --dynamic --aging 5", 1, "--aging: 5 doesn't match any timer profile"),
        ("create %6 --dynamic --profile 4", 1, "--profile: there is no timer profile 4"),
        ("create %6 --dynamic --profile 16", 1, "--profile: 16 is not in 0 to 15"),
        ("create %6 --permissions 4000", 2, "--permissions"),
        ("create %6 --permissions 2000", 1, "--permissions: 0x2000 has a create bit"),
        ("create %6 --permissions 200", 1, "--permissions: 0x200 is not a subset of the table's 0x3dfc"),
        ("update %1 --profile 1", 1, "--profile: the entry is static"),
        ("update %2 --dynamic=false", 1, "--dynamic: a dynamic entry cannot be made static"),
        ("update %1 --dynamic --aging 0", 1, "--aging: 0 doesn't match any timer profile"),
        ("list filter key.srcPort =", 1, "filter: column 14"),
        ("list filter cmd = delete", 1, "filter: column 1"),
        ("flush filter key.srcport = 1", 1, "did you mean srcPort?"),
        ("flush key.srcPort = 1", 2, "only `filter EXPR` may stand here"),
        ("watch filter msecs_since > 5", 1, "filter: column 1"),
        ("table --profile 0", 2, "--profile"),
        ("table --profile 0=0", 1, "--profile: 0 is not in 1 to 864000000"),
        ("table --profile 4=7", 1, "--profile: there is no timer profile 4"),
        ("table --profile 0=60000", 1, "--profile: 60000 was already specified by profile 1"),
        ("table --permissions 0x3dbc", 1, "--permissions: the table has entries"),
        ("load", 1, "the program is attached already"),
    ];
    // The path stands between the verb and the rest of the command.
    let p4tc: &[(&str, &str, &str)] = &[
        ("create", "", "Error: Must specify entry for create or update."),
        ("get", "srcPort x", "Error: Key blob size and table key size differ."),
        ("get", "port0/tcp/10.0.0.256:1-10.0.0.2:80", "srcAddr: \"10.0.0.256\" is not an IPv4 address"),
        ("get", "port9/tcp/10.0.0.1:1-10.0.0.2:80", "Error: input_port: port9 does not exist"),
        ("get", "%6", "Error: Unable to find entry."),
        ("get", "%3", "Error: Unable to read table entry."),
        ("update", "%6", "Error: Unable to find entry."),
        ("update", "%4", "Error: Failed to create/update entry."),
        ("delete", "%6", "Error: Unable to find entry."),
        ("delete", "%5", "Error: Operation not permitted."),
        ("create", "%1", "Error: Failed to create/update entry."),
        ("create", "%6 aging 60000", "Error: Aging may only be set alongside dynamic."),
        ("create", "%6 profile_id 1", "Error: Profile may only be set alongside dynamic."),
        ("create", "%6 dynamic aging 60000 profile_id 1", "Error: Must specify either aging or profile ID."),
        ("create", "%6 dynamic aging 5", "Error: Specified aging 5 doesn't match any timer profile."),
        ("create", "%6 dynamic profile_id 4", "Error: Unable to find timer profile with ID 4."),
        ("create", "%6 dynamic profile_id 16", "Error: profile_id: 16 is not in 0 to 15."),
        ("create", "%6 permissions 0x4000", "Error: permissions: \"0x4000\" is not a hexadecimal number"),
        ("create", "%6 permissions 0x2000", "Error: Create perm for entry not allowed."),
        ("create", "%6 permissions 0x0200", "Error: Table perms mismatch."),
        ("create", "%6 action drop", "Error: Unable to find action drop."),
        ("update", "%1 aging 60000", "Error: Aging may only be set alongside dynamic."),
        ("get", "filter key.srcPort =", "Error: filter: column 14"),
        ("delete", "filter cmd = delete", "Error: filter: column 1"),
        ("update", "tbl_attrs", "Error: Must specify table attributes."),
        (
            "update",
            "tbl_attrs timer_profile id 0 aging 0",
            "Error: timer_profile: 0 is not in 1 to 864000000.",
        ),
        ("update", "tbl_attrs timer_profile id 4 aging 7", "Error: Unable to find timer profile with ID 4."),
        (
            "update",
            "tbl_attrs timer_profile id 0 aging 60000",
            "Error: Aging 60000 was already specified by profile ID 1.",
        ),
        (
            "update",
            "tbl_attrs tbl_permissions 0x3dbc",
            "Error: Unable to set table permissions if it already has entries.",
        ),
        ("update", "tbl_attrs tbl_permissions 4000", "\"4000\" is not a hexadecimal number of 14 bits"),
    ];
    let alone = Namespace::new("bad");
    let (appliance, caller) = appliance(&alone);
    let words = |line: &str| -> Vec<String> {
        line.split(' ')
            .filter(|word| !word.is_empty())
            .map(|word| match word.strip_prefix('%') {
                Some(src_port) => format!("port0/tcp/10.0.0.1:{src_port}-10.0.0.2:80"),
                None => word.to_owned(),
            })
            .collect()
    };
    let before = State::of(&caller);
    let refused = |line: &str, status: i32, message: &str| {
        let (ended, stderr) = run(&mut ctl(&appliance.socket()), &words(line));
        assert_eq!(ended, Some(status), "{line}: {stderr}");
        assert!(stderr.contains(message), "{line}: no {message:?} in {stderr}");
        assert_eq!(State::of(&caller), before, "{line}");
        stderr
    };
    for (line, status, message) in everyday {
        refused(line, *status, message);
    }
    let long = "x".repeat(LONG);
    refused(&format!("--dataplane {long} list"), 1, "(25000 bytes)");
    refused(
        &format!("flush filter {long}"),
        1,
        "filter: column 4097: the expression is longer than 4096 bytes",
    );
    for (verb, body, message) in p4tc {
        let stderr = refused(&format!("p4ctrl {verb} {PATH} {body}"), 255, message);
        assert!(stderr.starts_with("Error: ") && stderr.ends_with(".\n"), "{body}: {stderr}");
    }
    appliance.stop();
}
