//! Tests of the built `flowtracker-control`: its start and its exit.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::rig::*;

fn daemon(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowtracker-control"));
    command.args(flags).env_remove("RUST_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn bad_flags_are_status_2_and_a_failed_start_is_status_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().map(|addr| (taken, addr.to_string())).unwrap();
    let http_taken = format!("--http {}: ", taken.1);
    for (flags, code, named) in [
        (vec!["--no-such-flag"], 2, "no-such-flag"),
        (vec!["--listen", "nowhere"], 2, "--listen"),
        (vec!["--retain", "0"], 2, "--retain"),
        (vec!["--max-connections", "0"], 2, "--max-connections"),
        (vec!["--max-streams", "0"], 2, "--max-streams"),
        (vec!["--max-watchers", "many"], 2, "--max-watchers"),
        (vec!["--max-lists=-1"], 2, "--max-lists"),
        (vec!["--max-dataplanes", "99999999"], 2, "--max-dataplanes"),
        (vec!["--max-http-connections", "0"], 2, "--max-http-connections"),
        (vec!["--max-handshake", "0"], 2, "--max-handshake"),
        (vec!["--max-handshake", "nan"], 2, "--max-handshake"),
        (vec!["--listen", taken.1.as_str()], 1, taken.1.as_str()),
        (vec!["--listen", "127.0.0.1:0", "--unix", "/nonexistent/socket"], 1, "/nonexistent/socket"),
        (vec!["--listen", "127.0.0.1:0", "--http", taken.1.as_str()], 1, http_taken.as_str()),
        (vec!["--http", "9464"], 2, "--http"),
        (vec!["--listen", "0.0.0.0:0", "--http", "off"], 1, "--listen 0.0.0.0:0 is open to other hosts"),
        (vec!["--listen=off", "--listen-link", "[::]:0"], 1, "--listen-link [::]:0 is open to other hosts"),
        (vec!["--listen=off", "--unix-mode", "660"], 2, "--unix-mode"),
        (vec!["--listen=off", "--unix-group", "no-such-group"], 1, "--unix-group: there is no group"),
        (vec!["--listen=off", "--tls-cert", "x"], 1, "--tls-cert needs --tls-key"),
        (vec!["--listen=off", "--client-ca", "x"], 1, "--client-ca needs --tls-cert and --tls-key"),
        (
            vec!["--listen=off", "--tls-cert", "/dev/null", "--tls-key", "x"],
            1,
            "--tls-cert: /dev/null holds no",
        ),
        (vec!["--role", "alice:admin"], 2, "--role"),
        (vec!["--default-role", "boss"], 2, "--default-role"),
        (vec!["--config", "/nonexistent/control.toml"], 2, "--config /nonexistent/control.toml: "),
    ] {
        let output = daemon(&flags).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{flags:?}: {error}");
        assert!(error.contains(named) && output.stdout.is_empty(), "{error}");
        assert!(code == 2 || error.lines().count() == 1, "one line: {error}");
    }
}

#[tokio::test]
async fn signals_end_it_with_status_0_even_with_open_streams() {
    for signal in ["-INT", "-TERM"] {
        let mut child = daemon(&["--listen", "127.0.0.1:0", "--http", "off"]).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let line = log.find(|line| line.contains("listening on ")).unwrap();
        let addr = line.split("listening on ").nth(1).unwrap().trim().to_owned();
        let channel = tonic::transport::Endpoint::from_shared(format!("http://{addr}")).unwrap();
        let channel = channel.connect().await.unwrap();
        let mut client =
            flowtracker_proto::v1::flow_tracker_service_client::FlowTrackerServiceClient::new(channel);
        let stream = client.watch_events(watch_request(now())).await.unwrap();
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let end = tokio::task::spawn_blocking(move || child.wait());
        assert_eq!(soon("the daemon to end", end).await.unwrap().unwrap().code(), Some(0));
        drop(stream);
    }
}

#[tokio::test]
async fn a_socket_left_behind_is_taken_over_and_a_live_one_is_not() {
    let dir = Dir::new("stale-socket");
    let path = dir.path("control.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let service = Service::with(&["--unix", &path]).await;
    let output = daemon(&["--listen", "127.0.0.1:0", "--http", "off", "--unix", &path]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(std::path::Path::new(&path).exists());
    service.stop().await;
}

/// The file sets the options that no flag sets, and the log shows the settings and the service's
/// address.
#[test]
fn the_start_tells_the_configuration_and_the_addresses() {
    let dir = Dir::new("config-file");
    let path = dir.path("control.toml");
    std::fs::write(&path, "listen = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\nretain = 5\n").unwrap();
    let mut child = daemon(&["--config", &path, "--retain=6"]).spawn().unwrap();
    let log = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut told = Vec::new();
    for line in log {
        let last = line.contains("for metrics and health");
        told.push(line);
        if last {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let told = told.join("\n");
    let configuration = "effective configuration: --listen=127.0.0.1:0 --http=127.0.0.1:0 --retain=6";
    assert!(told.contains(configuration), "{told}");
    let addr = told.split("listening on http://").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    assert_ne!(addr.parse::<std::net::SocketAddr>().unwrap().port(), 0, "{told}");
}

#[test]
fn the_service_has_a_page_too() {
    let output = daemon(&["--man"]).output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for flag in ["listen", "unix", "http", "retain", "config", "/readyz", "FLOWTRACKER_LOG", "max\\-streams"]
    {
        assert!(page.contains(flag), "{flag}");
    }
}
