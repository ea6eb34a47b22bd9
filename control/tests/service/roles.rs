//! Who may call what: every method, by every kind of caller, at every kind of door.

use std::collections::BTreeMap;

use control::door::refusals::Reason;
use flowtracker_proto::v1::flow_tracker_service_client::FlowTrackerServiceClient;
use flowtracker_proto::v1::{PurgeRequest, WhoAmIRequest, WhoAmIResponse};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt as _;

use crate::certs::{self, Ca, Kind};
use crate::rig::*;

/// Returns all methods that the service describes.
fn methods() -> Vec<String> {
    let sets = [
        flowtracker_proto::FILE_DESCRIPTOR_SET,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ];
    let files = sets.into_iter().flat_map(|set| FileDescriptorSet::decode(set).unwrap().file);
    let mut methods = Vec::new();
    for file in files {
        for service in &file.service {
            for method in &service.method {
                methods.push(format!("{}.{}/{}", file.package(), service.name(), method.name()));
            }
        }
    }
    methods
}

/// Returns the lowest role that the contract names for a method; empty is none.
fn needs(method: &str) -> &'static str {
    let (service, name) = method.split_once('/').unwrap();
    let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    match service {
        "grpc.health.v1.Health" if name == "Check" => "",
        "grpc.health.v1.Health" if begins(&["Watch"]) => "viewer",
        "grpc.reflection.v1.ServerReflection" | "grpc.reflection.v1alpha.ServerReflection" => "viewer",
        "flowtracker.v1.DataplaneLinkService" if name == "Attach" => "dataplane",
        "flowtracker.v1.FlowTrackerService" => match name {
            "WhoAmI" => "",
            "UpdateTable" | "Purge" | "Load" => "admin",
            _ if begins(&["Get", "List", "Watch"]) => "viewer",
            _ if begins(&["Create", "Update", "Delete", "Flush"]) => "operator",
            _ => panic!("who may call {method}?"),
        },
        _ => panic!("who may call {method}?"),
    }
}

/// Returns whether `role` is enough for a method; `everything` is what callers have without rules.
fn allowed(role: &str, method: &str) -> bool {
    let rank = |role: &str| ["viewer", "operator", "admin"].iter().position(|known| *known == role);
    match (role, needs(method)) {
        ("everything", _) | (_, "") => true,
        (role, "dataplane") => role == "dataplane",
        (role, needed) => rank(role).is_some_and(|rank_of| Some(rank_of) >= rank(needed)),
    }
}

/// Calls a method with an empty message. A stream is not read.
async fn call(channel: &Channel, method: &str) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.map_err(|why| Status::unavailable(why.to_string()))?;
    let path: PathAndQuery = format!("/{method}").parse().unwrap();
    let called = client.server_streaming(Request::new(()), path, ProstCodec::<(), ()>::default());
    soon("an answer", called).await.map(drop)
}

/// Returns the reason of a refusal at the door; an error of the method itself is none.
fn refusal(answer: &Result<(), Status>) -> Option<(Code, String)> {
    let status = answer.as_ref().err()?;
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    ["NO_IDENTITY", "ROLE", "UNKNOWN_METHOD"].contains(&reason.as_str()).then(|| (status.code(), reason))
}

async fn who(channel: &Channel) -> (String, String, String) {
    let mut client = FlowTrackerServiceClient::new(channel.clone());
    let WhoAmIResponse { identity, role, door } =
        client.who_am_i(WhoAmIRequest {}).await.unwrap().into_inner();
    (identity, role, door)
}

async fn plain(addr: std::net::SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{addr}")).unwrap().connect().await.unwrap()
}

async fn unix(path: &str) -> Channel {
    let path = path.to_owned();
    let connector = tower::service_fn(move |_| {
        let path = path.clone();
        async move { tokio::net::UnixStream::connect(path).await.map(hyper_util::rt::TokioIo::new) }
    });
    Endpoint::from_static("http://localhost").connect_with_connector(connector).await.unwrap()
}

/// Has every method called over `channel` by a caller with this role, and checks each answer.
async fn check_all(channel: &Channel, caller: &str, role: &str, nobody: bool) {
    for method in methods() {
        let answer = call(channel, &method).await;
        let expected = match (allowed(role, &method), nobody) {
            (true, _) => None,
            (false, true) => Some((Code::Unauthenticated, "NO_IDENTITY".to_owned())),
            (false, false) => Some((Code::PermissionDenied, "ROLE".to_owned())),
        };
        assert_eq!(refusal(&answer), expected, "{caller} calls {method}: {answer:?}");
        if let (Some((_, reason)), Err(status)) = (&expected, &answer)
            && reason == "ROLE"
        {
            let told = status.get_details_error_info().unwrap().metadata;
            let shown = if role == "everything" { "admin" } else { role };
            let wanted = [("method", method.as_str()), ("needs", needs(&method)), ("role", shown)];
            let wanted: BTreeMap<_, _> = wanted.into_iter().collect();
            assert_eq!(
                told.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<BTreeMap<_, _>>(),
                wanted
            );
        }
    }
    let unknown = call(channel, "flowtracker.v1.FlowTrackerService/Reboot").await;
    assert_eq!(refusal(&unknown), Some((Code::Unimplemented, "UNKNOWN_METHOD".to_owned())), "{caller}");
}

fn own_uid() -> u32 {
    rustix::process::getuid().as_raw()
}

#[tokio::test]
async fn without_a_client_ca_everybody_may_do_everything() {
    let dir = Dir::new("doors-plain");
    let path = dir.path("control.sock");
    let service = Service::with(&["--unix", &path]).await;
    let channel = plain(service.addr).await;
    check_all(&channel, "loopback", "everything", false).await;
    let told = (String::new(), "admin".to_owned(), format!("listen {}", service.addr));
    assert_eq!(who(&channel).await, told);
    let channel = unix(&path).await;
    check_all(&channel, "unix", "everything", false).await;
    let told = (format!("uid={}", own_uid()), "admin".to_owned(), format!("unix {path}"));
    assert_eq!(who(&channel).await, told);
    service.stop().await;
}

#[tokio::test]
async fn a_rule_and_the_default_apply_without_certificates_too() {
    let dir = Dir::new("doors-rules");
    let path = dir.path("control.sock");
    let rules = [format!("uid={}:operator", own_uid()), format!("uid={}:admin", own_uid())];
    let flags = ["--unix", &path, "--role", &rules[0], "--role", &rules[1], "--default-role", "viewer"];
    let service = Service::with(&flags).await;
    check_all(&unix(&path).await, "an operator", "operator", false).await;
    check_all(&plain(service.addr).await, "loopback", "viewer", false).await;
    service.stop().await;
    let rule = format!("gid={}:operator", rustix::process::getgid().as_raw());
    let service = Service::with(&["--unix", &path, "--role", &rule, "--default-role", "none"]).await;
    check_all(&unix(&path).await, "a member of a group", "operator", false).await;
    service.stop().await;
    let service = Service::with(&["--default-role", "none"]).await;
    check_all(&plain(service.addr).await, "nobody", "", true).await;
    service.stop().await;
}

#[tokio::test]
async fn a_socket_has_the_mode_and_the_group_that_are_asked_for() {
    use std::os::unix::fs::MetadataExt as _;
    let dir = Dir::new("doors-mode");
    let (one, other) = (dir.path("one.sock"), dir.path("other.sock"));
    let own_group = rustix::process::getgid().as_raw().to_string();
    let service = Service::with(&["--unix", &one]).await;
    assert_eq!(std::fs::metadata(&one).unwrap().mode() & 0o777, 0o660);
    let flags = ["--unix", &other, "--unix-mode", "0600", "--unix-group", &own_group];
    let strict = Service::with(&flags).await;
    let made = std::fs::metadata(&other).unwrap();
    assert_eq!((made.mode() & 0o777, made.gid().to_string()), (0o600, own_group));
    service.stop().await;
    strict.stop().await;
}

#[tokio::test]
async fn doors_for_readers_and_for_data_planes_serve_nobody_else() {
    let dir = Dir::new("doors-apart");
    let (unix_read, unix_link) = (dir.path("read.sock"), dir.path("link.sock"));
    let flags = ["--listen-read", "127.0.0.1:0", "--unix-read", &unix_read];
    let flags = [&flags[..], &["--listen-link", "127.0.0.1:0", "--unix-link", &unix_link]].concat();
    let service = Service::with(&flags).await;
    check_all(&plain(service.addr).await, "a user", "admin", false).await;
    for channel in [plain(service.door_addr("listen-read")).await, unix(&unix_read).await] {
        check_all(&channel, "a reader", "viewer", false).await;
    }
    for channel in [plain(service.door_addr("listen-link")).await, unix(&unix_link).await] {
        check_all(&channel, "a data plane", "dataplane", false).await;
    }
    service.stop().await;
}

#[tokio::test]
async fn with_a_client_ca_a_caller_may_do_what_its_rule_says() {
    let dir = Dir::new("doors-roles");
    let folder = std::path::PathBuf::from(dir.path(""));
    let (ca, foreign) = (Ca::new(&folder, "ca"), Ca::new(&folder, "foreign"));
    ca.sign("server", "", &["localhost"], Kind::Good);
    for name in ["viewer", "operator", "admin", "stranger"] {
        ca.sign(name, name, &[], Kind::Good);
    }
    ca.sign("plane", "", &["dp1.example"], Kind::Good);
    ca.sign("old", "admin", &[], Kind::Expired);
    foreign.sign("alien", "admin", &[], Kind::Good);
    let revoked = ca.sign("thief", "admin", &[], Kind::Good);
    let crl = folder.join("crl.pem");
    ca.revoke(&crl, &[revoked]);
    let (cert, key) = (dir.path("server.pem"), dir.path("server.key"));
    let (authority, crl, socket) = (dir.path("ca.pem"), dir.path("crl.pem"), dir.path("control.sock"));
    let of_me = format!("uid={}:operator", own_uid());
    let mut flags = vec!["--tls-cert", &cert, "--tls-key", &key, "--client-ca", &authority, "--crl", &crl];
    flags.extend(["--unix", &socket, "--role", "CN=viewer:viewer", "--role", "CN=operator:operator"]);
    flags.extend(["--role", "CN=admin:admin", "--role", "DNS=dp1.example:dataplane", "--role", &of_me]);
    let service = Service::with(&flags).await;
    for (file, role) in [
        ("viewer", "viewer"),
        ("operator", "operator"),
        ("admin", "admin"),
        ("plane", "dataplane"),
        ("stranger", ""),
    ] {
        let channel = certs::channel(service.addr, ca.client(file)).await.unwrap();
        check_all(&channel, file, role, false).await;
        let identity = if file == "plane" { "DNS=dp1.example".to_owned() } else { format!("CN={file}") };
        assert_eq!(who(&channel).await, (identity, role.to_owned(), format!("listen {}", service.addr)));
    }
    let anonymous = certs::channel(service.addr, ca.client("")).await.unwrap();
    check_all(&anonymous, "nobody", "", true).await;
    check_all(&unix(&socket).await, "a process", "operator", false).await;
    for (file, reason) in [
        ("old", Reason::TlsExpiredCertificate),
        ("alien", Reason::TlsUnknownAuthority),
        ("thief", Reason::TlsRevokedCertificate),
    ] {
        // The verdict on a client's certificate comes when the client already believes itself connected.
        if let Ok(channel) = certs::channel(service.addr, ca.client(file)).await {
            let answer = FlowTrackerServiceClient::new(channel).purge(PurgeRequest::default()).await;
            assert!(answer.is_err_and(|status| status.get_details_error_info().is_none()), "{file}");
        }
        until(file, || service.refused(reason) > 0).await;
    }
    // Plain text is no handshake.
    let plain = Endpoint::from_shared(service.uri()).unwrap().connect().await;
    if let Ok(channel) = plain {
        assert!(call(&channel, "grpc.health.v1.Health/Check").await.is_err());
    }
    until("a bad handshake", || service.refused(Reason::TlsHandshake) > 0).await;
    service.stop().await;
}
