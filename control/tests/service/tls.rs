//! TLS of the doors: hostile handshakes, certificates and rules that change while streams run, and
//! data planes that are none.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use control::door::handshakes::{LINES, WITHIN};
use control::door::refusals::Reason;
use flowtracker_proto::v1::flow_tracker_service_client::FlowTrackerServiceClient;
use flowtracker_proto::v1::{DeleteEntryRequest, EventType, WhoAmIRequest, command};
use flowtracker_tls::client::Files;
use flowtracker_tls::rustls::client::ClientConfig;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::certs::{self, Ca, Kind};
use crate::rig::*;

/// A service behind TLS, its authority, and the file of its rules.
struct Lab {
    service: Service,
    ca: Ca,
    dir: Dir,
}

impl Lab {
    /// Starts a service that has these rules, and a certificate NAME of each of these names.
    async fn start(name: &str, names: &[&str], rules: &[&str], flags: &[&str]) -> Self {
        let dir = Dir::new(name);
        let ca = Ca::new(&PathBuf::from(dir.path("")), "ca");
        ca.sign("server", "", &["localhost"], Kind::Good);
        for name in names {
            ca.sign(name, name, &[], Kind::Good);
        }
        ca.revoke(Path::new(&dir.path("crl.pem")), &[]);
        std::fs::write(dir.path("control.toml"), toml(&dir, rules)).unwrap();
        let config = dir.path("control.toml");
        let service = Service::with(&[&["--config", &config][..], flags].concat()).await;
        Self { service, ca, dir }
    }

    /// Replaces the rules.
    fn rule(&self, rules: &[&str]) {
        std::fs::write(self.dir.path("control.toml"), toml(&self.dir, rules)).unwrap();
    }

    fn path(&self, file: &str) -> PathBuf {
        PathBuf::from(self.dir.path(file))
    }

    async fn channel(&self, file: &str) -> Channel {
        certs::channel(self.service.addr, self.ca.client(file)).await.unwrap()
    }

    async fn watch(&self, file: &str) -> Result<Watcher, Status> {
        self.service.watch_over(self.channel(file).await, now()).await
    }

    /// Waits until the service does what `file`'s handshakes show.
    async fn until_role(&self, file: &str, role: &str) {
        let is_so = async {
            loop {
                let mut client = FlowTrackerServiceClient::new(self.channel(file).await);
                if client.who_am_i(WhoAmIRequest {}).await.is_ok_and(|who| who.into_inner().role == *role) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        soon(role, is_so).await;
    }
}

fn toml(dir: &Dir, rules: &[&str]) -> String {
    let files =
        [("tls-cert", "server.pem"), ("tls-key", "server.key"), ("client-ca", "ca.pem"), ("crl", "crl.pem")];
    let files: String = files.iter().map(|(key, file)| format!("{key} = {:?}\n", dir.path(file))).collect();
    format!("{files}role = {rules:?}\n")
}

fn reason(status: &Status) -> (Code, String) {
    let info = status.get_details_error_info();
    (status.code(), info.map(|info| info.reason).unwrap_or_default())
}

#[tokio::test]
async fn handshakes_that_stop_or_swell_are_ended() {
    let lab = Lab::start("tls-bounds", &[], &[], &["--max-handshake", "0.5"]).await;
    let mut begun = TcpStream::connect(lab.service.addr).await.unwrap();
    // A handshake record that promises a ClientHello of 512 bytes, and its beginning.
    begun.write_all(&[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]).await.unwrap();
    let mut silent = TcpStream::connect(lab.service.addr).await.unwrap();
    for stream in [&mut begun, &mut silent] {
        let read = soon("the end of a handshake", stream.read(&mut [0; 64])).await;
        assert!(matches!(read, Ok(0) | Err(_)));
    }
    until("two timeouts", || lab.service.refused(Reason::TlsHandshakeTimeout) == 2).await;
    let mut huge = TcpStream::connect(lab.service.addr).await.unwrap();
    // A ClientHello of 16 MiB.
    huge.write_all(&[22, 3, 1, 64, 0, 1, 255, 255, 255]).await.unwrap();
    drop(huge.write_all(&[0; 1 << 14]).await);
    let read = soon("the end of a handshake", huge.read(&mut [0; 64])).await;
    assert!(read.is_ok());
    until("a refusal", || lab.service.refused(Reason::TlsTooLarge) == 1).await;
    lab.service.stop().await;
}

#[tokio::test]
async fn a_giant_chain_of_certificates_is_refused() {
    let lab = Lab::start("tls-giant", &[], &["CN=giant:admin"], &[]).await;
    lab.ca.sign("giant", "giant", &[], Kind::Good);
    // A chain of more than 64 KiB, as Certificate messages are bounded.
    let one = std::fs::read_to_string(lab.path("giant.pem")).unwrap();
    std::fs::write(lab.path("giant.pem"), one.repeat(300)).unwrap();
    if let Ok(channel) = certs::channel(lab.service.addr, lab.ca.client("giant")).await {
        assert!(FlowTrackerServiceClient::new(channel).who_am_i(WhoAmIRequest {}).await.is_err());
    }
    until("a refusal", || lab.service.refused(Reason::TlsTooLarge) == 1).await;
    lab.service.stop().await;
}

/// Returns the lines of the audit log once there are `count`.
async fn audited(path: &str, count: usize) -> Vec<Value> {
    let read = || std::fs::read_to_string(path).unwrap_or_default();
    until("lines of the audit log", || read().lines().count() >= count).await;
    read().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn handshakes_that_are_refused_are_written_down() {
    let audit_log = Dir::new("tls-audit");
    let path = audit_log.path("audit.log");
    let flags = ["--audit-log", &path, "--http", "127.0.0.1:0"];
    let lab = Lab::start("tls-audit-lab", &["alice"], &["CN=alice:viewer"], &flags).await;
    let (ca, addr, http) = (&lab.ca, lab.service.addr, lab.service.http.unwrap());
    let other = Ca::new(&lab.path(""), "other");
    other.sign("mallory", "admin", &[], Kind::Good);
    ca.sign("old", "old", &[], Kind::Expired);
    ca.sign("nameless", "", &["dp1.example", "dp2.example"], Kind::Expired);
    let stranger = Files {
        ca: Some(lab.path("ca.pem")),
        cert: Some(lab.path("mallory.pem")),
        key: Some(lab.path("mallory.key")),
    };
    let mut written = 0;
    let mut shows = async |config: Arc<ClientConfig>, identity: &str, reason: &str| {
        // In TLS 1.3 the client's handshake ends before the service has checked the certificate, so this may
        // succeed.
        drop(certs::channel(addr, config).await);
        written += 1;
        let line = audited(&path, written).await.pop().unwrap();
        let members = line.as_object().unwrap();
        assert!(members["door"] == format!("listen {addr}") && members.contains_key("peer"), "{line}");
        let names: Vec<_> = members.keys().map(String::as_str).collect();
        assert_eq!(names, ["door", "event", "identity", "peer", "reason", "role", "time"], "{line}");
        let stable = [&line["event"], &line["identity"], &line["role"], &line["reason"]];
        assert_eq!(stable.map(|text| text.as_str().unwrap()), ["refusal", identity, "", reason]);
    };
    shows(stranger.config().unwrap(), "CN=admin", "tls_unknown_authority").await;
    shows(ca.client("old"), "CN=old", "tls_expired_certificate").await;
    shows(ca.client("nameless"), "DNS=dp1.example", "tls_expired_certificate").await;

    // No TLS at the other door, and a handshake that does not go on.
    let mut plain = TcpStream::connect(http).await.unwrap();
    plain.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").await.unwrap();
    let line = audited(&path, 4).await.pop().unwrap();
    assert_eq!((&line["door"], &line["reason"]), (&json!(format!("http {http}")), &json!("tls_handshake")));
    assert_eq!((&line["identity"], &line["peer"]), (&json!(""), &json!(plain.local_addr().unwrap())));
    let silent = TcpStream::connect(addr).await.unwrap();
    let line = audited(&path, 5).await.pop().unwrap();
    assert_eq!((&line["reason"], &line["identity"]), (&json!("tls_handshake_timeout"), &json!("")));
    assert_eq!(line["peer"], json!(silent.local_addr().unwrap()));
    drop(silent);

    // While there have been too many within a second, there are no more.
    let later = Instant::now() + Duration::from_secs(3600);
    let pace = || lab.service.door.handshakes.lock().unwrap();
    for nth in 0..LINES + 5 {
        assert_eq!(pace().line(later).is_some(), nth < LINES);
    }
    drop(certs::channel(addr, ca.client("old")).await);
    until("a refusal", || lab.service.refused(Reason::TlsExpiredCertificate) == 3).await;
    assert_eq!(pace().line(later + WITHIN), Some(6));
    // A refused call has a line of its own all the same.
    let mut alice = FlowTrackerServiceClient::new(lab.channel("alice").await);
    assert!(alice.delete_entry(DeleteEntryRequest::default()).await.is_err());
    let line = audited(&path, 6).await.pop().unwrap();
    assert_eq!((&line["identity"], &line["reason"]), (&json!("CN=alice"), &json!("ROLE")));
    lab.service.stop().await;
}

#[tokio::test]
async fn a_new_pair_is_for_new_handshakes_and_a_bad_one_for_none() {
    let lab =
        Lab::start("tls-rotation", &["alice", "dp"], &["CN=alice:viewer", "CN=dp:dataplane"], &[]).await;
    let plane = lab.channel("dp").await;
    let mut plane = Plane::attach_over(plane, &lab.service, hello("dp", 1, &[1])).await.unwrap();
    plane.resync(1, vec![]).await;
    let mut watcher = lab.watch("alice").await.unwrap();
    let (cert, key) = (lab.path("server.pem"), lab.path("server.key"));
    let good = (std::fs::read(&cert).unwrap(), std::fs::read(&key).unwrap());
    // Each of these is left alone, which shows when the next good change is taken in.
    let half = good.0[..good.0.len() / 2].to_vec();
    lab.ca.sign("other", "", &["localhost"], Kind::Good);
    lab.ca.sign("old", "", &["localhost"], Kind::Expired);
    let read = |file: &str| std::fs::read(lab.path(file)).unwrap();
    for (bad_cert, bad_key) in [
        (half, good.1.clone()),
        (read("other.pem"), good.1.clone()),
        (read("old.pem"), read("old.key")),
        (Vec::new(), good.1.clone()),
    ] {
        std::fs::write(&cert, bad_cert).unwrap();
        std::fs::write(&key, bad_key).unwrap();
        // The rules are in the same look, so that they show that it has been.
        lab.rule(&["CN=alice:operator", "CN=dp:dataplane"]);
        lab.until_role("alice", "operator").await;
        lab.rule(&["CN=alice:viewer", "CN=dp:dataplane"]);
        lab.until_role("alice", "viewer").await;
    }
    // A pair of another authority.
    let next = Ca::new(&lab.path(""), "next");
    next.sign("server", "", &["localhost"], Kind::Good);
    let trusting: Arc<ClientConfig> = next.client("");
    let new = async {
        while certs::channel(lab.service.addr, trusting.clone()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon("the new pair", new).await;
    assert!(certs::channel(lab.service.addr, lab.ca.client("")).await.is_err(), "the old pair is gone");
    // What ran before runs on, without a gap.
    plane.send(1, vec![created(1, T), created(2, T)]).await;
    assert_eq!(watcher.words(2).await, ["CREATED 1", "CREATED 2"]);
    lab.service.stop().await;
}

#[tokio::test]
async fn new_authorities_are_for_new_handshakes() {
    let lab = Lab::start("tls-authorities", &["alice"], &["CN=alice:viewer", "CN=bob:viewer"], &[]).await;
    let mut watcher = lab.watch("alice").await.unwrap();
    let next = Ca::new(&lab.path(""), "next");
    next.sign("bob", "bob", &[], Kind::Good);
    let ca = std::fs::read(lab.path("ca.pem")).unwrap();
    // Who trusts the service's authority, and shows a certificate of the next one.
    let bob = Files {
        ca: Some(lab.path("server-ca.pem")),
        cert: Some(lab.path("bob.pem")),
        key: Some(lab.path("bob.key")),
    };
    std::fs::write(lab.path("server-ca.pem"), &ca).unwrap();
    let bob = bob.config().unwrap();
    let is_in = async || match certs::channel(lab.service.addr, bob.clone()).await {
        Ok(channel) => lab.service.watch_over(channel, now()).await.is_ok(),
        Err(_) => false,
    };
    assert!(!is_in().await);
    std::fs::copy(lab.path("next.pem"), lab.path("ca.pem")).unwrap();
    let in_time = async {
        while !is_in().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon("the new authority", in_time).await;
    assert_eq!(watcher.any().await.unwrap().r#type(), EventType::Progress, "the stream lives on");
    lab.service.stop().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_reason_when_its_certificate_is_revoked_or_its_role_is_gone() {
    let lab = Lab::start("tls-lost", &["alice", "bob", "carol", "dp"], &[], &[]).await;
    let all =
        ["CN=alice:viewer", "CN=bob:operator", "CN=carol:viewer", "CN=mallory:viewer", "CN=dp:dataplane"];
    lab.rule(&all);
    lab.until_role("carol", "viewer").await;
    let serial = lab.ca.sign("mallory", "mallory", &[], Kind::Good);
    let mut watchers = Vec::new();
    for name in ["alice", "bob", "carol", "mallory"] {
        watchers.push(lab.watch(name).await.unwrap());
    }
    let plane = lab.channel("dp").await;
    let _plane = Plane::attach_over(plane, &lab.service, hello("dp", 1, &[1])).await.unwrap();
    let [alice, bob, carol, mallory] = &mut watchers[..] else { unreachable!() };

    lab.ca.revoke(&lab.path("crl.pem"), &[serial]);
    assert_eq!(reason(&mallory.end().await), (Code::Unauthenticated, "NO_IDENTITY".to_owned()));
    // An operator who becomes a viewer may still watch.
    lab.rule(&["CN=bob:viewer", "CN=carol:viewer", "CN=dp:viewer"]);
    assert_eq!(reason(&alice.end().await), (Code::PermissionDenied, "ROLE".to_owned()));
    let attached = || lab.service.hub.dataplanes().iter().any(|plane| plane.attached);
    until("the link to end", || !attached()).await;
    for watcher in [bob, carol] {
        watcher.any().await.unwrap();
    }
    lab.service.stop().await;
}

#[tokio::test]
async fn who_is_no_data_plane_cannot_be_one() {
    let rules = ["CN=alice:admin", "CN=dp:dataplane", "CN=dp2:dataplane"];
    let lab = Lab::start("tls-thief", &["alice", "dp", "dp2"], &rules, &[]).await;
    let attach = async |file: &str, name: &str| {
        let channel = lab.channel(file).await;
        Plane::attach_over(channel, &lab.service, hello(name, 1, &[1])).await
    };
    for _ in 0..40 {
        // More than there are places for links.
        let refused = attach("alice", "dp").await.err().unwrap();
        assert_eq!(reason(&refused), (Code::PermissionDenied, "ROLE".to_owned()));
    }
    let refused = attach("dp2", "dp").await.err().unwrap();
    assert_eq!(reason(&refused), (Code::PermissionDenied, "DATAPLANE_NAME".to_owned()));
    assert_eq!(lab.service.refused(Reason::DataplaneName), 1);
    let refused = attach("", "dp").await.err().unwrap();
    assert_eq!(reason(&refused), (Code::Unauthenticated, "NO_IDENTITY".to_owned()));
    let mut plane = attach("dp", "dp").await.unwrap();
    plane.resync(1, vec![]).await;
    // Its name is taken, and stays so.
    let refused = attach("dp2", "dp").await.err().unwrap();
    assert_eq!(reason(&refused), (Code::PermissionDenied, "DATAPLANE_NAME".to_owned()));
    let mut watcher = lab.watch("alice").await.unwrap();
    plane.send(1, vec![created(1, T)]).await;
    assert_eq!(watcher.words(1).await, ["CREATED 1"]);
    lab.service.stop().await;
}

#[tokio::test]
async fn metrics_and_health_are_open_to_all_over_tls() {
    let lab = Lab::start("tls-http", &[], &[], &["--http", "127.0.0.1:0"]).await;
    let addr = lab.service.http.unwrap();
    let mut config = (*lab.ca.client("")).clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let config = Arc::new(config);
    for (path, shown) in [
        ("/healthz", "up"),
        ("/metrics", "flowtracker_certificate_not_after_timestamp_seconds{option=\"tls-cert\"} "),
        ("/metrics", "flowtracker_certificate_not_after_timestamp_seconds{option=\"client-ca\"} "),
    ] {
        let stream = TcpStream::connect(addr).await.unwrap();
        let name = flowtracker_tls::client::server_name("localhost").unwrap();
        let mut stream = flowtracker_tls::dial::tls(stream, config.clone(), name).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await.unwrap();
        let mut page = Vec::new();
        // The service ends the connection, with or without saying so in TLS.
        drop(soon("a page", stream.read_to_end(&mut page)).await);
        let page = String::from_utf8(page).unwrap();
        assert!(page.starts_with("HTTP/1.1 200") && page.contains(shown), "{path}: {page}");
    }
    lab.service.stop().await;
}

#[tokio::test]
async fn the_author_of_a_write_is_its_certificate_and_what_the_caller_says_stands_beside_it() {
    let lab =
        Lab::start("tls-author", &["alice", "dp"], &["CN=alice:operator", "CN=dp:dataplane"], &[]).await;
    let plane = lab.channel("dp").await;
    let mut plane = Plane::attach_over(plane, &lab.service, hello("dp", 1, &[1])).await.unwrap();
    plane.resync(1, vec![]).await;
    let mut client = FlowTrackerServiceClient::new(lab.channel("alice").await);
    let key = Some(flow(7).to_proto());
    let mut delete = Request::new(DeleteEntryRequest { key, ..DeleteEntryRequest::default() });
    delete.metadata_mut().insert("x-flowtracker-pid", 448.into());
    delete.metadata_mut().insert("x-flowtracker-process", "bob".parse().unwrap());
    let asked = tokio::spawn(async move { client.delete_entry(delete).await });
    let Some(command::Body::Delete(command)) = plane.command().await.body else { panic!("no deletion") };
    let actor = command.actor.unwrap();
    assert_eq!((&*actor.identity, actor.pid, &*actor.process), ("CN=alice", 448, "bob"));
    asked.abort();
    lab.service.stop().await;
}
