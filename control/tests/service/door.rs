//! The bounds of the service, each reached by clients that mean no good.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use control::door::refusals::Reason;
use flowtracker_proto::v1::flow_tracker_service_client::FlowTrackerServiceClient;
use flowtracker_proto::v1::{GetEntryRequest, ListDataplanesRequest, ListEntriesRequest};
use h2::client::SendRequest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::codegen::http;
use tonic::transport::Endpoint;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use crate::rig::*;

/// Bound on what must be answered at once.
const AT_ONCE: Duration = Duration::from_secs(1);

pub(crate) fn reason(status: &Status) -> (Code, String) {
    let info = status.get_details_error_info();
    (status.code(), info.map(|info| info.reason).unwrap_or_default())
}

async fn silent(addr: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(TcpStream::connect(addr).await.unwrap());
    }
    all
}

/// Waits until the service has closed the connection.
async fn closed(mut stream: TcpStream) {
    let end = async { while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {} };
    soon("the end of a connection", end).await;
}

/// Returns whether a new user is answered.
async fn is_served(service: &Service) -> Result<(), Status> {
    let mut client = service.client().await;
    soon("an answer", client.list_dataplanes(ListDataplanesRequest {})).await.map(drop)
}

#[tokio::test]
async fn of_300_silent_connections_the_oldest_give_way() {
    let service = Service::with(&["--max-handshake", "600"]).await;
    let begin = Instant::now();
    let mut all = silent(service.addr, 300).await;
    is_served(&service).await.unwrap();
    assert!(begin.elapsed() < 5 * AT_ONCE, "users are served whatever is silent");
    let rest = all.split_off(45);
    for oldest in all {
        closed(oldest).await;
    }
    assert!(service.refused(Reason::IdleConnection) >= 45);
    let mut last = rest.into_iter().next_back().unwrap();
    let read = tokio::time::timeout(Duration::from_millis(50), last.read_u8()).await;
    assert!(!matches!(read, Ok(Err(_))), "the youngest are still there");
}

#[tokio::test]
async fn who_says_nothing_for_long_is_let_go() {
    let service = Service::with(&["--max-handshake", "0.2"]).await;
    let all = silent(service.addr, 5).await;
    let mut greeted = TcpStream::connect(service.addr).await.unwrap();
    greeted.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    for stream in all.into_iter().chain([greeted]) {
        closed(stream).await;
    }
    assert_eq!(service.refused(Reason::NoFirstRequest), 6);
    // A connection that had a request may be idle for longer.
    let mut client = service.client().await;
    client.list_dataplanes(ListDataplanesRequest {}).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    client.list_dataplanes(ListDataplanesRequest {}).await.unwrap();
    assert_eq!(service.refused(Reason::NoFirstRequest), 6);
}

#[tokio::test]
async fn when_all_have_calls_a_user_is_refused_and_links_and_health_are_not() {
    let service = Service::with(&["--max-connections", "3"]).await;
    let mut watchers = Vec::new();
    for _ in 0..3 {
        watchers.push(service.watch(now()).await);
    }
    let refused = is_served(&service).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::ResourceExhausted, "TOO_MANY_CONNECTIONS".to_owned()));
    assert_eq!(service.refused(Reason::TooManyConnections), 1);
    let mut plane = Plane::fresh(&service).await;
    let mut health = HealthClient::new(service.channel().await);
    health.check(HealthCheckRequest::default()).await.unwrap();
    // Those that are there are served, and one that leaves makes room.
    plane.send(1, vec![created(1, T)]).await;
    assert_eq!(watchers[0].words(1).await, ["CREATED 1"]);
    watchers.pop();
    let served = async { while is_served(&service).await.is_err() {} };
    soon("a place", served).await;
}

#[tokio::test]
async fn watchers_are_bounded() {
    let service = Service::with(&["--max-watchers", "2"]).await;
    let mut watchers = vec![service.watch(now()).await, service.watch(snapshot()).await];
    let mut client = service.client().await;
    let refused = client.watch_events(watch_request(now())).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::ResourceExhausted, "TOO_MANY_WATCHERS".to_owned()));
    assert_eq!(service.refused(Reason::TooManyWatchers), 1);
    watchers.pop();
    let again = async { while client.watch_events(watch_request(now())).await.is_err() {} };
    soon("a place", again).await;
}

/// A connection of HTTP/2 whose client waits for nothing.
async fn http2(addr: SocketAddr) -> SendRequest<prost::bytes::Bytes> {
    let stream = TcpStream::connect(addr).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(async move { drop(connection.await) });
    client
}

fn post(method: &str) -> http::Request<()> {
    let uri = format!("http://localhost/flowtracker.v1.FlowTrackerService/{method}");
    http::Request::post(uri).header("content-type", "application/grpc").body(()).unwrap()
}

#[tokio::test]
async fn a_request_whose_message_does_not_come_is_refused() {
    let service = Service::with(&["--max-handshake", "0.2"]).await;
    let mut answers = Vec::new();
    for method in ["GetEntry", "WatchEvents", "ListEntries", "Nothing"] {
        let mut client = http2(service.addr).await.ready().await.unwrap();
        // A prefix that promises a message of 100 bytes is no message.
        for begun in [&[][..], &[0, 0, 0, 0, 100], &[0]] {
            let (answer, mut body) = client.send_request(post(method), false).unwrap();
            body.send_data(begun.into(), false).unwrap();
            answers.push((method, answer, body));
        }
    }
    for (method, answer, _body) in answers {
        let answer = soon("an answer", answer).await.unwrap();
        let status = Status::from_header_map(answer.headers()).unwrap();
        let expected = match method {
            "Nothing" => (Code::Unimplemented, "UNKNOWN_METHOD".to_owned()),
            _ => (Code::DeadlineExceeded, "NO_REQUEST".to_owned()),
        };
        assert_eq!(reason(&status), expected, "{method}");
    }
    assert_eq!(service.refused(Reason::NoRequest), 9);
}

#[tokio::test]
async fn a_long_request_is_refused() {
    let service = Service::start().await;
    let request = ListEntriesRequest { filter: " ".repeat(1 << 20), ..ListEntriesRequest::default() };
    let refused = service.client().await.list_entries(request).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::ResourceExhausted, "REQUEST_TOO_LARGE".to_owned()));
    assert_eq!(service.refused(Reason::RequestTooLarge), 1);
}

/// Opens `count` streams by hand, without heed of what the service allows, each followed by what
/// `more` returns for its number.
async fn streams(addr: SocketAddr, count: u32, more: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    let stream = TcpStream::connect(addr).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let heard = tokio::spawn(async move {
        let mut heard = Vec::new();
        drop(soon("the end", read.read_to_end(&mut heard)).await);
        heard
    });
    write.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    // :method POST, :scheme http, :path as a literal (RFC 7541, 6.1 and 6.2.2), content-type.
    let path = b"/flowtracker.v1.FlowTrackerService/WatchEvents";
    let mut headers = vec![0x83, 0x86, 0x04, path.len() as u8];
    headers.extend(path);
    headers.extend([0x0f, 0x10, 16]);
    headers.extend(b"application/grpc");
    for number in (1..).step_by(2).take(count as usize) {
        let id = u32::to_be_bytes(number);
        let mut frames = [&[0, 0, headers.len() as u8, 1, 4][..], &id, &headers].concat();
        frames.extend(more(number));
        if write.write_all(&frames).await.is_err() {
            break;
        }
    }
    drop(write.shutdown().await);
    heard.await.unwrap()
}

/// Returns the frames of a kind in what a connection has brought, without their header.
fn frames(mut heard: &[u8], kind: u8) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while let Some((header, rest)) = heard.split_at_checked(9) {
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
        let Some((payload, rest)) = rest.split_at_checked(length) else { break };
        if header[3] == kind {
            found.push(payload.to_owned());
        }
        heard = rest;
    }
    found
}

#[tokio::test]
async fn of_10_000_streams_on_a_connection_64_run() {
    let service = Service::start().await;
    // The message of a watch from now on: a start with an empty `now`.
    let message = [0, 0, 0, 0, 4, 0x12, 2, 0x0a, 0];
    let data = move |number: u32| {
        [&[0, 0, message.len() as u8, 0, 1][..], &u32::to_be_bytes(number), &message].concat()
    };
    let flood = tokio::spawn(streams(service.addr, 10_000, data));
    let mut most = 0;
    while !flood.is_finished() {
        most = most.max(service.hub.log_stats().watchers);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let heard = flood.await.unwrap();
    assert!(most <= 64, "{most} streams ran");
    assert!(frames(&heard, 3).iter().any(|reset| reset[..] == [0, 0, 0, 7]), "REFUSED_STREAM");
    is_served(&service).await.unwrap();
}

#[tokio::test]
async fn rapid_resets_end_the_connection() {
    let service = Service::start().await;
    let reset = |number: u32| [&[0, 0, 4, 3, 0][..], &u32::to_be_bytes(number), &[0, 0, 0, 8]].concat();
    let mut connections = 0;
    while service.refused(Reason::Http2Rules) == 0 {
        let heard = streams(service.addr, 10_000, reset).await;
        connections += 1;
        let calm = frames(&heard, 7).iter().any(|goaway| goaway[4..8] == [0, 0, 0, 11]);
        assert!(calm || connections < 20, "ENHANCE_YOUR_CALM");
    }
    is_served(&service).await.unwrap();
}

async fn page(addr: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    drop(soon("a page", stream.read_to_string(&mut answer)).await);
    answer
}

#[tokio::test]
async fn health_is_answered_whatever_idles_or_asks_for_metrics() {
    let service = Service::with(&["--http", "127.0.0.1:0", "--max-handshake", "600"]).await;
    let addr = service.http.unwrap();
    // A data plane that does not answer keeps scrapes waiting.
    let _plane = Plane::attach(&service, hello("dp", 1, &[1])).await.unwrap();
    let _silent = silent(addr, 64).await;
    let mut scrapes = silent(addr, 40).await;
    for scrape in &mut scrapes {
        scrape.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    }
    let begin = Instant::now();
    for path in ["/healthz", "/readyz"] {
        assert!(page(addr, path).await.starts_with("HTTP/1.1 200 "), "{path}");
    }
    assert!(begin.elapsed() < AT_ONCE);
    assert!(page(addr, "/metrics").await.starts_with("HTTP/1.1 503 "), "16 are being answered");
    assert!(service.refused(Reason::TooManyScrapes) > 0 && service.refused(Reason::IdleHttpConnection) > 0);
}

#[tokio::test]
async fn health_is_answered_while_others_reconnect_all_the_time() {
    let service = Service::with(&["--http", "127.0.0.1:0"]).await;
    let addr = service.http.unwrap();
    let flood = tokio::spawn(async move {
        let mut held = std::collections::VecDeque::new();
        loop {
            held.extend(TcpStream::connect(addr).await);
            if held.len() > 200 {
                held.pop_front();
            }
        }
    });
    for _ in 0..20 {
        let begin = Instant::now();
        assert!(page(addr, "/healthz").await.starts_with("HTTP/1.1 200 "));
        assert!(begin.elapsed() < AT_ONCE);
    }
    flood.abort();
}

#[tokio::test]
async fn a_socket_that_is_anothers_by_now_is_left() {
    let dir = Dir::new("anothers-socket");
    let path = dir.path("control.sock");
    let first = Service::with(&["--unix", &path]).await;
    std::fs::remove_file(&path).unwrap();
    let second = Service::with(&["--unix", &path]).await;
    first.stop().await;
    assert!(tokio::net::UnixStream::connect(&path).await.is_ok(), "it is the second one's");
    second.stop().await;
    assert!(!std::path::Path::new(&path).exists());
}

/// A service with few descriptors does not lock anybody out, and says once what is wrong.
#[tokio::test]
async fn without_descriptors_it_goes_on() {
    let program = env!("CARGO_BIN_EXE_flowtracker-control");
    let command = format!("ulimit -n 60; exec {program} --listen 127.0.0.1:0 --http off --max-handshake 600");
    let mut child = Command::new("sh").args(["-c", &command]).stderr(Stdio::piped()).spawn().unwrap();
    let (told, log) = std::sync::mpsc::channel();
    let stderr = child.stderr.take().unwrap();
    std::thread::spawn(move || {
        BufReader::new(stderr).lines().map_while(Result::ok).try_for_each(|line| told.send(line))
    });
    let mut lines = Vec::new();
    let addr = loop {
        let line = log.recv_timeout(Duration::from_secs(20)).unwrap();
        let addr = line.split("listening on ").nth(1).map(|addr| addr.trim().parse::<SocketAddr>().unwrap());
        lines.push(line);
        if let Some(addr) = addr {
            break addr;
        }
    };
    let all = silent(addr, 200).await;
    let served = async {
        let channel = Endpoint::from_shared(format!("http://{addr}")).unwrap().connect().await.unwrap();
        FlowTrackerServiceClient::new(channel).list_dataplanes(ListDataplanesRequest {}).await.unwrap()
    };
    soon("an answer", served).await;
    // Refusals are summed up once a second.
    while !lines.iter().any(|line| line.contains("refused: ") && line.contains(" accept_failed")) {
        lines.push(log.recv_timeout(Duration::from_secs(20)).unwrap());
    }
    child.kill().unwrap();
    child.wait().unwrap();
    drop(all);
    let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
    assert!(count("files may be open (RLIMIT_NOFILE)") == 1, "{lines:#?}");
    assert!((1..=5).contains(&count("cannot accept a connection: ")), "{lines:#?}");
}

/// The messages of refusals repeat nothing that a caller sent without bounds.
#[tokio::test]
async fn what_a_caller_names_comes_back_short_and_quoted() {
    let service = Service::start().await;
    let _plane = Plane::fresh(&service).await;
    let dataplane = "\x1b[31m\n".repeat(1000);
    let request = GetEntryRequest { dataplane, key: Some(flow(1).to_proto()), ..GetEntryRequest::default() };
    let refused = service.client().await.get_entry(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let message = refused.message();
    assert!(message.len() < 1000 && !message.contains(['\x1b', '\n']), "{message}");
}
