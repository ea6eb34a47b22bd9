//! Services that do not answer, and addresses that nobody can dial.

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use flowtracker_proto::v1::{Dataplane, Entry};
use tokio::net::{TcpListener, UnixListener};

use crate::rig::*;
use crate::scripted::{Answer, Scripted};

const KEY: &str = "port0/tcp/10.0.0.1:1-10.0.0.2:2";
const TABLE: &str = "flowtracker/table/Main/ct_flow_table";

async fn ctl(server: &str, arguments: &str, timeout: Option<&str>) -> (Output, Duration) {
    let mut ctl = Command::new(env!("CARGO_BIN_EXE_ctl"));
    ctl.args(arguments.split_whitespace()).env("FLOWTRACKER_SERVER", server).stdin(Stdio::null());
    ctl.env_remove("FLOWTRACKER_TIMEOUT");
    if let Some(timeout) = timeout {
        ctl.env("FLOWTRACKER_TIMEOUT", timeout);
    }
    let since = Instant::now();
    let output = soon(arguments, tokio::task::spawn_blocking(move || ctl.output())).await.unwrap().unwrap();
    (output, since.elapsed())
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// Returns the address of a port that accepts connections and says nothing.
async fn mute() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    addr
}

#[tokio::test]
async fn a_port_that_accepts_and_says_nothing_is_given_up() {
    let server = format!("http://{}", mute().await);
    for (arguments, code) in [
        ("list".to_owned(), 3),
        ("watch".to_owned(), 3),
        ("top --batch".to_owned(), 3),
        (format!("get {KEY}"), 3),
        ("health".to_owned(), 3),
        ("flush".to_owned(), 3),
        ("mon p4 events".to_owned(), 255),
        (format!("p4ctrl get {TABLE}"), 255),
        (format!("p4ctrl delete {TABLE}"), 255),
    ] {
        let (output, took) = ctl(&server, &arguments, Some("300ms")).await;
        assert_eq!(output.status.code(), Some(code), "{arguments}: {}", stderr(&output));
        assert!(
            stderr(&output).contains(&format!("{server}: no answer within 300ms")),
            "{}",
            stderr(&output)
        );
        assert!(took < Duration::from_secs(5), "{arguments}: {took:?}");
    }
    // Without an option it takes five seconds; more is this machine's.
    let (output, took) = ctl(&server, "list", None).await;
    assert!(stderr(&output).contains("no answer within 5s"), "{}", stderr(&output));
    assert!((Duration::from_secs(5)..Duration::from_secs(12)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn a_socket_that_nobody_serves_is_given_up_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket");
    let _listener = UnixListener::bind(&path).unwrap();
    let server = format!("unix:{}", path.display());
    let (output, _) = ctl(&server, "--timeout 0.3 list", Some("1h")).await;
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains(&format!("cannot reach {server}: no answer within 300ms")));
}

/// The service is up and the data plane behind it is not.
#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up_and_long_work_is_not() {
    let service = Service::start().await;
    // It never replies.
    let _plane = Plane::fresh(&service).await;
    let (output, took) = ctl(&service.uri(), &format!("--timeout 300ms get {KEY}"), None).await;
    assert!(matches!(output.status.code(), Some(1 | 3)), "{}", stderr(&output));
    assert!(took < Duration::from_secs(5), "{took:?}");
    let (output, took) =
        ctl(&service.uri(), &format!("--timeout 300ms p4ctrl get {TABLE} {KEY}"), None).await;
    assert_eq!(output.status.code(), Some(255), "{}", stderr(&output));
    assert!(took < Duration::from_secs(5), "{took:?}");
    for long in ["list", "flush", "purge"] {
        let mut ctl = Command::new(env!("CARGO_BIN_EXE_ctl"));
        ctl.args(["--timeout", "100ms", long]).env("FLOWTRACKER_SERVER", service.uri());
        let mut child = ctl.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(child.try_wait().unwrap().is_none(), "{long} has given up");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_dialled_is_a_usage_error_that_names_the_flag() {
    for (arguments, code, error) in [
        (
            "--server http://127.0.0.1:99999 list".to_owned(),
            2,
            "ctl: --server http://127.0.0.1:99999: the port must be 1 to 65535\n",
        ),
        (
            format!("--server http://127.0.0.1:99999 p4ctrl get {TABLE}"),
            255,
            "Error: --server http://127.0.0.1:99999: the port must be 1 to 65535.\n",
        ),
        (
            format!("--timeout 0 p4ctrl get {TABLE}"),
            255,
            "Error: --timeout: \"0\" is not a duration from 1ms",
        ),
        ("--timeout 0 list".to_owned(), 2, "error: invalid value '0' for '--timeout <DURATION>'"),
    ] {
        let (output, took) = ctl("", &arguments, None).await;
        assert_eq!(output.status.code(), Some(code), "{arguments}: {}", stderr(&output));
        assert!(stderr(&output).starts_with(error), "{arguments}: {}", stderr(&output));
        assert!(took < Duration::from_secs(5), "{arguments}: {took:?}");
    }
    let (output, _) = ctl("", &format!("p4ctrl get {TABLE}"), Some("soon")).await;
    assert!(stderr(&output).starts_with("Error: FLOWTRACKER_TIMEOUT: \"soon\""), "{}", stderr(&output));
}

/// `ctl list | less`: the service gets rid of the list although nobody reads.
#[tokio::test]
async fn a_list_is_read_ahead_of_its_reader() {
    let entry = |n: u16| Entry {
        key: Some(flow(n).to_proto()),
        pipeline: "flowtracker".to_owned(),
        permissions: 0x1dbc,
        ..Entry::default()
    };
    // Much more text than a pipe holds.
    let entries: Vec<Entry> = (1..=30_000).map(entry).collect();
    let service =
        Scripted::start(vec![Answer::Entries(entries), Answer::Dataplanes(vec![Dataplane::default()])]).await;
    let mut ctl = Command::new(env!("CARGO_BIN_EXE_ctl"));
    ctl.args(["list", "-o", "wide"]).env("FLOWTRACKER_SERVER", service.uri());
    let child = ctl.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let served = service.clone();
    until("the list to be read to its end", move || served.finished() == 1).await;
    // The reader wakes up, and nothing is missing.
    let output = soon("ctl", tokio::task::spawn_blocking(move || child.wait_with_output())).await;
    let output = output.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let lines = std::str::from_utf8(&output.stdout).unwrap().lines().count();
    assert_eq!(lines, 30_001);
}
