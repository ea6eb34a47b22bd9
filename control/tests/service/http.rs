//! Metrics and health over HTTP, with requests written by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use flowtracker_proto::Timestamp;
use flowtracker_proto::table::Family;
use flowtracker_proto::v1::{
    DataplaneStats, LcoreStats, ListDataplanesRequest, Outcomes, PortStats, Reply, ReplyStatus, TableStats,
    command,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::rig::*;

mod documented;
mod figures;

use self::figures::figures;

const OPENMETRICS: &str = "Accept: application/openmetrics-text;version=1.0.0,*/*;q=0.1";

/// An answer over HTTP.
#[derive(Debug)]
struct Page {
    status: u16,
    headers: String,
    body: String,
}

impl Page {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            line.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        })
    }

    /// Returns the value of a sample.
    fn sample(&self, name: &str) -> Option<&str> {
        self.body.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
    }

    /// Returns the type of each metric, from its `# TYPE` line.
    fn types(&self) -> BTreeMap<&str, &str> {
        self.body.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect()
    }
}

/// Starts a service with HTTP.
async fn start() -> (Service, SocketAddr) {
    let service = Service::with(&["--http", "127.0.0.1:0"]).await;
    let addr = service.http.unwrap();
    (service, addr)
}

async fn ask(addr: SocketAddr, method: &str, path: &str, headers: &[&str]) -> Page {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {addr}\r\n");
    headers.iter().for_each(|header| request += &format!("{header}\r\n"));
    stream.write_all((request + "\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    let (headers, body) = answer.split_once("\r\n\r\n").unwrap();
    let (status, headers) = headers.split_once("\r\n").unwrap();
    let status = status.split(' ').nth(1).unwrap().parse().unwrap();
    Page { status, headers: headers.to_owned(), body: body.to_owned() }
}

async fn get(addr: SocketAddr, path: &str) -> Page {
    ask(addr, "GET", path, &[]).await
}

/// Scrapes the metrics while `plane` answers with `stats`.
async fn scrape(
    addr: SocketAddr,
    plane: &mut Plane,
    stats: DataplaneStats,
    headers: &'static [&str],
) -> Page {
    let asked = tokio::spawn(async move { ask(addr, "GET", "/metrics", headers).await });
    let command = plane.command().await;
    assert!(matches!(command.body, Some(command::Body::Stats(_))), "{command:?}");
    plane.reply(Reply { stats: Some(stats), ..status(command.id, ReplyStatus::Ok) }).await;
    asked.await.unwrap()
}

#[tokio::test]
async fn the_format_is_the_one_that_was_asked_for() {
    let (service, addr) = start().await;
    let mut plane = Plane::fresh(&service).await;
    let classic = scrape(addr, &mut plane, figures(), &[]).await;
    assert_eq!(classic.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert!(!classic.body.contains("# EOF") && !classic.body.contains("# UNIT"), "{}", classic.body);
    assert_eq!(classic.types()["flowtracker_port_receive_bytes_total"], "counter");

    let open = scrape(addr, &mut plane, figures(), &[OPENMETRICS]).await;
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(open.header("content-type"), Some(content_type));
    assert!(open.body.ends_with("\n# EOF\n"), "{}", open.body);
    assert_eq!(open.types()["flowtracker_port_receive_bytes"], "counter");
    assert!(open.body.contains("# UNIT flowtracker_port_receive_bytes bytes\n"));
    for page in [&classic, &open] {
        assert_eq!((page.status, page.header("vary")), (200, Some("accept")));
        let length = page.header("content-length").map(|length| length.parse().unwrap());
        assert_eq!(length, Some(page.body.len()));
    }
    let samples = |page: &Page| -> Vec<String> {
        page.body.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    assert_eq!(samples(&classic), samples(&open), "the same figures either way");
}

/// A name may contain characters that have a meaning in the formats.
#[tokio::test]
async fn names_are_escaped() {
    let (service, addr) = start().await;
    let _plane = Plane::attach(&service, hello(r#"a"b\c"#, 1, &[1])).await.unwrap();
    let page = ask(addr, "GET", "/metrics", &["X-Prometheus-Scrape-Timeout-Seconds: 0.001"]).await;
    assert_eq!(page.sample(r#"flowtracker_dataplane_attached{dataplane="a\"b\\c"}"#), Some("1"));
}

#[tokio::test]
async fn who_is_away_is_shown_with_its_last_figures() {
    let (service, addr) = start().await;
    let page = get(addr, "/metrics").await;
    assert!(!page.body.contains("dataplane="), "{}", page.body);

    let mut plane = Plane::fresh(&service).await;
    scrape(addr, &mut plane, figures(), &[]).await;
    plane.cut(&service).await;
    let page = get(addr, "/metrics").await;
    for (sample, value) in [
        ("flowtracker_dataplane_attached{dataplane=\"dp\"}", "0"),
        ("flowtracker_dataplane_stats_live{dataplane=\"dp\"}", "0"),
        ("flowtracker_dataplane_stats_timestamp_seconds{dataplane=\"dp\"}", "1795329972.5"),
        ("flowtracker_frames_received_total{dataplane=\"dp\",lcore=\"1\"}", "396"),
    ] {
        assert_eq!(page.sample(sample), Some(value), "{sample}");
    }
}

/// A stopped data plane keeps its link, but must not delay a scrape.
#[tokio::test(start_paused = true)]
async fn who_does_not_answer_is_not_waited_for() {
    let (service, addr) = start().await;
    let silent = Plane::attach(&service, hello("silent", 1, &[1])).await.unwrap();
    let speaks = Plane::attach(&service, hello("speaks", 1, &[1])).await.unwrap();
    speaks.serve(vec![], T);
    let mut waited = Vec::new();
    for timeout in ["10", "0.5", "-1", "soon"] {
        let asked = Instant::now();
        let headers = format!("X-Prometheus-Scrape-Timeout-Seconds: {timeout}");
        let page = ask(addr, "GET", "/metrics", &[&headers]).await;
        waited.push(asked.elapsed());
        let live = |name| page.sample(&format!("flowtracker_dataplane_stats_live{{dataplane=\"{name}\"}}"));
        assert_eq!((live("silent"), live("speaks")), (Some("0"), Some("1")), "{timeout}");
        let received = |name| {
            page.sample(&format!("flowtracker_frames_received_total{{dataplane=\"{name}\",lcore=\"1\"}}"))
        };
        assert_eq!((received("silent"), received("speaks")), (None, Some("7")), "it never gave figures");
    }
    assert!(waited[1] < waited[0] && waited[1] < waited[2] && waited[1] < waited[3], "{waited:?}");
    drop(silent);
}

#[tokio::test]
async fn ready_is_who_has_a_data_plane() {
    let (service, addr) = start().await;
    for _ in 0..2 {
        let page = get(addr, "/readyz").await;
        assert_eq!((page.status, page.body.as_str()), (503, "no data plane is attached\n"));
        let plane = Plane::fresh(&service).await;
        assert_eq!(get(addr, "/readyz").await.status, 200);
        plane.cut(&service).await;
        assert_eq!(get(addr, "/healthz").await.status, 200);
    }
}

#[tokio::test]
async fn there_are_four_pages_and_they_are_read_only() {
    let (_service, addr) = start().await;
    for path in ["/", "/metrics", "/healthz"] {
        let page = get(addr, path).await;
        assert_eq!((page.status, page.header("cache-control")), (200, Some("no-store")), "{path}");
        let head = ask(addr, "HEAD", path, &[]).await;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        assert_eq!(head.header("content-type"), page.header("content-type"));
    }
    let index = get(addr, "/").await.body;
    for path in ["/", "/metrics", "/healthz", "/readyz"] {
        assert!(index.contains(path));
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "BREW"] {
            let page = ask(addr, method, path, &["Content-Length: 0"]).await;
            assert_eq!((page.status, page.header("allow")), (405, Some("GET, HEAD")), "{method} {path}");
        }
    }
    for path in ["/metrics/", "/metric", "//", "/metrics%00", "/favicon.ico"] {
        for method in ["GET", "POST"] {
            assert_eq!(ask(addr, method, path, &[]).await.status, 404, "{method} {path}");
        }
    }
    // The query after the question mark is ignored.
    assert_eq!(get(addr, "/healthz?x=y").await.status, 200);
}

#[tokio::test]
async fn what_is_too_long_or_no_request_is_refused() {
    let (_service, addr) = start().await;
    let long = format!("X: {}", "x".repeat(17 << 10));
    assert_eq!(ask(addr, "GET", "/metrics", &[&long]).await.status, 431);
    let many: Vec<_> = (0..200).map(|n| format!("X-{n}: y")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!(ask(addr, "GET", "/metrics", &many).await.status, 431);
    assert_eq!(ask(addr, "GE T", "/metrics", &[]).await.status, 400);
    assert_eq!(get(addr, "/healthz").await.status, 200);
}

#[tokio::test]
async fn a_client_may_close_its_half_after_the_request() {
    let (service, addr) = start().await;
    let mut plane = Plane::fresh(&service).await;
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    let command = plane.command().await;
    plane.reply(Reply { stats: Some(figures()), ..status(command.id, ReplyStatus::Ok) }).await;
    let mut answer = String::new();
    soon("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
    assert!(answer.contains("flowtracker_dataplane_stats_live{dataplane=\"dp\"} 1\n"), "{answer}");
}

/// Silent clients are disconnected, even when there are more of them than the limit allows.
#[tokio::test(start_paused = true)]
async fn silent_clients_are_let_go() {
    let (_service, addr) = start().await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(addr).await.unwrap());
    }
    assert_eq!(get(addr, "/healthz").await.status, 200);
    for mut stream in silent {
        let read = soon("the end of a connection", stream.read(&mut [0; 1])).await;
        assert_eq!(read.unwrap_or(0), 0);
    }
}

#[tokio::test]
async fn clients_that_say_nothing_do_not_hold_the_service() {
    let (service, addr) = start().await;
    let silent = TcpStream::connect(addr).await.unwrap();
    // Connections are accepted in order.
    assert_eq!(get(addr, "/healthz").await.status, 200);
    service.stop().await;
    assert!(TcpStream::connect(addr).await.is_err(), "nobody listens any more");
    drop(silent);
}
