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

/// Returns counters that all differ.
fn figures() -> DataplaneStats {
    let outcomes = Outcomes {
        hit: 31,
        miss_created: 32,
        miss_full: 33,
        miss_denied: 34,
        truncated: 35,
        not_tracked_ethertype: 36,
        malformed: 37,
        fragment: 38,
        not_tracked_protocol: 39,
        detached: 40,
        extension_limit: 41,
    };
    let table = TableStats {
        pipeline: "flowtracker".to_owned(),
        hit: 51,
        miss_created: 52,
        miss_full: 53,
        miss_denied: 54,
        entries: 55,
        capacity: 56,
    };
    let lcore = LcoreStats {
        lcore: 1,
        rx: 396,
        tx: 300,
        tx_dropped: 50,
        outcomes: Some(outcomes),
        entries: 6,
        capacity: 7,
        expired: 8,
        deleted: 9,
        events_sent: 10,
        events_deferred: 11,
        events_unlinked: 12,
        expiry_lateness_log2_ms: vec![0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5],
        polls: 14,
        busy_polls: 15,
        expired_deferred: 16,
        filtered: 5,
        stalls: 18,
        stalled: true,
        loop_time: vec![3],
        tables: vec![table],
    };
    let port = PortStats {
        port: "port0".to_owned(),
        device: "net_null0".to_owned(),
        rx_packets: 21,
        tx_packets: 22,
        rx_bytes: 23,
        tx_bytes: 24,
        rx_missed: 25,
        rx_errors: 26,
        rx_nombuf: 27,
        tx_errors: 28,
        link_up: true,
    };
    let time = Some(Timestamp { seconds: 1_795_329_972, nanos: 500_000_000 });
    DataplaneStats { dataplane: String::new(), lcores: vec![lcore], ports: vec![port], time, live: false }
}

/// Every counter is in the sample that is named after it.
#[tokio::test]
async fn every_figure_has_its_sample() {
    let (service, addr) = start().await;
    let mut plane = Plane::fresh(&service).await;
    let page = scrape(addr, &mut plane, figures(), &[]).await;
    let (epoch, version) = (service.hub.epoch(), env!("CARGO_PKG_VERSION"));
    for (sample, value) in [
        (format!("build_info{{version=\"{version}\"}}"), "1"),
        (format!("log_info{{epoch=\"{epoch}\"}}"), "1"),
        ("log_events_total".to_owned(), "0"),
        ("log_oldest_seq".to_owned(), "0"),
        ("watchers".to_owned(), "0"),
        ("watcher_gaps_total".to_owned(), "0"),
        ("dataplane_info{dataplane=\"dp\",version=\"0.1.0\"}".to_owned(), "1"),
    ] {
        assert_eq!(page.sample(&format!("flowtracker_{sample}")), Some(value), "{sample}: {}", page.body);
    }
    for (sample, value) in [
        ("attached", "1"),
        ("synced", "1"),
        ("mirrored_entries", "0"),
        ("stats_live", "1"),
        ("stats_timestamp_seconds", "1795329972.5"),
    ] {
        let name = format!("flowtracker_dataplane_{sample}{{dataplane=\"dp\"}}");
        assert_eq!(page.sample(&name), Some(value), "{name}");
    }
    for (sample, value) in [
        ("frames_received_total", 396),
        ("frames_forwarded_total", 300),
        ("entries", 6),
        ("entries_capacity", 7),
        ("entries_created_total", 32),
        ("entries_expired_total", 8),
        ("entries_deleted_total", 9),
        ("expiry_lateness_seconds_count", 9),
        ("expiries_deferred_total", 16),
        ("events_sent_total", 10),
        ("events_deferred_total", 11),
        ("events_unlinked_total", 12),
        ("polls_total", 14),
        ("busy_polls_total", 15),
        ("loop_time_seconds_count", 3),
        ("lcore_stalls_total", 18),
        ("lcore_stalled", 1),
    ] {
        let name = format!("flowtracker_{sample}{{dataplane=\"dp\",lcore=\"1\"}}");
        assert_eq!(page.sample(&name), Some(value.to_string().as_str()), "{name}");
    }
    for (sample, label, value) in [
        ("frames_dropped_total", "reason=\"tx_dropped\"", 50),
        ("frames_dropped_total", "reason=\"filtered\"", 5),
        ("frame_outcomes_total", "outcome=\"hit\"", 31),
        ("frame_outcomes_total", "outcome=\"miss_created\"", 32),
        ("frame_outcomes_total", "outcome=\"miss_full\"", 33),
        ("frame_outcomes_total", "outcome=\"miss_denied\"", 34),
        ("frame_outcomes_total", "outcome=\"truncated\"", 35),
        ("frame_outcomes_total", "outcome=\"not_tracked_ethertype\"", 36),
        ("frame_outcomes_total", "outcome=\"malformed\"", 37),
        ("frame_outcomes_total", "outcome=\"fragment\"", 38),
        ("frame_outcomes_total", "outcome=\"not_tracked_protocol\"", 39),
        ("frame_outcomes_total", "outcome=\"detached\"", 40),
        ("frame_outcomes_total", "outcome=\"extension_limit\"", 41),
    ] {
        let name = format!("flowtracker_{sample}{{dataplane=\"dp\",lcore=\"1\",{label}}}");
        assert_eq!(page.sample(&name), Some(value.to_string().as_str()), "{name}: {}", page.body);
    }
    for (sample, label, value) in [
        ("table_lookups_total", ",outcome=\"hit\"", 51),
        ("table_lookups_total", ",outcome=\"miss_created\"", 52),
        ("table_lookups_total", ",outcome=\"miss_full\"", 53),
        ("table_lookups_total", ",outcome=\"miss_denied\"", 54),
        ("table_entries", "", 55),
        ("table_entries_capacity", "", 56),
    ] {
        let name =
            format!("flowtracker_{sample}{{dataplane=\"dp\",lcore=\"1\",pipeline=\"flowtracker\"{label}}}");
        assert_eq!(page.sample(&name), Some(value.to_string().as_str()), "{name}: {}", page.body);
    }
    for (histogram, le, count) in [
        ("expiry_lateness", "0.002", 0),
        ("expiry_lateness", "0.004", 0),
        ("expiry_lateness", "0.008", 4),
        ("expiry_lateness", "16.384", 4),
        ("expiry_lateness", "+Inf", 9),
        ("loop_time", "1.28e-7", 3),
    ] {
        let name =
            format!("flowtracker_{histogram}_seconds_bucket{{le=\"{le}\",dataplane=\"dp\",lcore=\"1\"}}");
        assert_eq!(page.sample(&name), Some(count.to_string().as_str()), "{name}: {}", page.body);
    }
    let sum = page.sample("flowtracker_expiry_lateness_seconds_sum{dataplane=\"dp\",lcore=\"1\"}");
    assert_eq!(sum, Some("81.936"), "4 of at least 4 ms, 5 of at least 16.384 s");
    let info = "flowtracker_port_info{dataplane=\"dp\",port=\"port0\",device=\"net_null0\"}";
    assert_eq!(page.sample(info), Some("1"));
    for (sample, value) in [
        ("up", 1),
        ("receive_packets_total", 21),
        ("receive_bytes_total", 23),
        ("receive_missed_total", 25),
        ("receive_errors_total", 26),
        ("receive_nombuf_total", 27),
        ("transmit_packets_total", 22),
        ("transmit_bytes_total", 24),
        ("transmit_errors_total", 28),
    ] {
        let name = format!("flowtracker_port_{sample}{{dataplane=\"dp\",port=\"port0\"}}");
        assert_eq!(page.sample(&name), Some(value.to_string().as_str()), "{name}");
    }
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

/// Returns name, type and labels of every metric, as `docs/metrics.md` lists them.
fn documented() -> BTreeSet<(String, String, String)> {
    let page = include_str!("../../docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `flowtracker_"));
    let row = |row: &str| {
        let mut cells = row.split('|').map(str::trim);
        let name = format!("flowtracker_{}", cells.next().unwrap().trim_end_matches('`'));
        let (kind, labels) = (cells.next().unwrap().to_owned(), cells.next().unwrap().replace('`', ""));
        assert!(cells.next().is_some_and(|meaning| !meaning.is_empty()), "{name} has a meaning");
        (name, kind, labels)
    };
    rows.map(row).collect()
}

/// Returns the same for every metric that is served.
fn served(page: &Page) -> BTreeSet<(String, String, String)> {
    let described = |(name, kind): (&str, &str)| {
        let samples = page.body.lines().filter(|line| !line.starts_with('#')).filter(|line| {
            let sample = line.split(['{', ' ']).next().unwrap();
            let suffix = sample.strip_prefix(name);
            suffix == Some("") || (kind == "histogram" && suffix == Some("_bucket"))
        });
        let labels: BTreeSet<_> = samples.map(|line| labels(line).join(", ")).collect();
        assert_eq!(labels.len(), 1, "{name}: {labels:?}");
        let labels = labels.first().unwrap().trim_start_matches("le, ");
        (name.to_owned(), kind.to_owned(), labels.to_owned())
    };
    page.types().into_iter().map(described).collect()
}

/// Returns the names of a sample's labels.
fn labels(sample: &str) -> Vec<&str> {
    let Some((_, labels)) = sample.split_once('{') else { return vec![] };
    labels.split('}').next().unwrap().split(',').map(|label| label.split('=').next().unwrap()).collect()
}

#[tokio::test]
async fn the_page_about_metrics_has_every_one_of_them() {
    let (service, addr) = start().await;
    let mut plane = Plane::fresh(&service).await;
    // A method has a count once it was called.
    service.client().await.list_dataplanes(ListDataplanesRequest {}).await.unwrap();
    let page = scrape(addr, &mut plane, figures(), &[]).await;
    let without_tls = documented().into_iter().filter(|(name, ..)| !name.contains("certificate"));
    assert_eq!(without_tls.collect::<BTreeSet<_>>(), served(&page));
    let called =
        "flowtracker_rpcs_total{method=\"flowtracker.v1.FlowTrackerService/ListDataplanes\",code=\"OK\"}";
    assert_eq!(page.sample(called), Some("1"));
}

/// Every metric that the page's queries and rules use is served.
#[test]
fn the_queries_on_the_page_name_metrics_that_exist() {
    let names: BTreeSet<_> = documented().into_iter().map(|(name, ..)| name).collect();
    let page = include_str!("../../docs/metrics.md");
    let words = page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let words = words.filter(|word| *word != Family::Ipv6.pipeline());
    for word in words.filter(|word| word.starts_with("flowtracker_") && !word.ends_with('_')) {
        let family =
            ["_bucket", "_sum", "_count"].iter().find_map(|suffix| word.strip_suffix(suffix)).unwrap_or(word);
        assert!(names.contains(family), "{word}");
    }
}
