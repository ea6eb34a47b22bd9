//! The metrics that Prometheus reads, compared with GetStats and with the frames that were sent.
//! Programs of the Prometheus project read them from the running product.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

use conntrack::key::TCP;
use conntrack::test_support::frame::{Ipv4Frame, Ipv6Frame, arp_request, distinct_flows};
use flowtracker_proto::{loop_time, v1};
use flowtracker_tests::appliance::{Appliance, DATAPLANE, LIMIT};
use flowtracker_tests::netns::{Line, Namespace};
use flowtracker_tests::oracle::{self, Oracle};
use flowtracker_tests::pcap;
use flowtracker_tests::process::{Running, run, tool, wait_for, workspace_root};
use flowtracker_tests::scrape::{CLASSIC, OPENMETRICS, Page, Sample};
use rustix::process::Signal;

const A: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);

/// The labels of the only lcore of the only data plane.
const LCORE: [(&str, &str); 2] = [("dataplane", DATAPLANE), ("lcore", "0")];
const PLANE: [(&str, &str); 1] = [("dataplane", DATAPLANE)];

/// Returns frames of every outcome that does not need a full table.
fn frames() -> Vec<Vec<u8>> {
    let tcp = || Ipv4Frame::tcp((A, 36876), (B, 1234));
    let odd = [
        tcp().build(),
        tcp().payload(&[7; 1446]).build(),
        tcp().later_fragment(185, false).build(),
        tcp().ihl(4).build(),
        Ipv4Frame::udp((A, 53), (B, 53)).build(),
        Ipv4Frame::icmp_echo(A, B).build(),
        arp_request(A, B),
        Ipv6Frame::tcp((A.to_ipv6_mapped(), 36876), (B.to_ipv6_mapped(), 1234)).build(),
    ];
    distinct_flows(100).chain(odd).collect()
}

/// Returns the outcomes by name.
fn outcomes(outcomes: &v1::Outcomes) -> BTreeMap<String, f64> {
    let v1::Outcomes {
        hit,
        miss_created,
        miss_full,
        miss_denied,
        truncated,
        not_tracked_ethertype,
        malformed,
        extension_limit,
        fragment,
        not_tracked_protocol,
        detached,
    } = *outcomes;
    [
        ("hit", hit),
        ("miss_created", miss_created),
        ("miss_full", miss_full),
        ("miss_denied", miss_denied),
        ("truncated", truncated),
        ("not_tracked_ethertype", not_tracked_ethertype),
        ("malformed", malformed),
        ("extension_limit", extension_limit),
        ("fragment", fragment),
        ("not_tracked_protocol", not_tracked_protocol),
        ("detached", detached),
    ]
    .map(|(name, count)| (name.to_owned(), count as f64))
    .into()
}

/// Runs `promtool check metrics`, which must report nothing.
fn lint(text: &str) {
    let mut promtool = Command::new(tool("promtool"));
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = promtool.spawn().expect("promtool runs");
    child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("promtool reads");
    let output = child.wait_with_output().expect("promtool ends");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
}

/// Compares every value that no longer changes once all frames are through with `stats`.
fn check_still(page: &Page, stats: &v1::DataplaneStats, log: &v1::LogStats) {
    let lcore = &stats.lcores[0];
    for (name, count) in [
        ("frames_received_total", lcore.rx),
        ("frames_forwarded_total", lcore.tx),
        ("entries", lcore.entries),
        ("entries_capacity", lcore.capacity),
        ("entries_created_total", lcore.outcomes.expect("outcomes").miss_created),
        ("entries_expired_total", lcore.expired),
        ("entries_deleted_total", lcore.deleted),
        ("expiries_deferred_total", lcore.expired_deferred),
        ("events_sent_total", lcore.events_sent),
        ("events_deferred_total", lcore.events_deferred),
        ("events_unlinked_total", lcore.events_unlinked),
        ("lcore_stalls_total", lcore.stalls),
        ("lcore_stalled", lcore.stalled.into()),
        ("expiry_lateness_seconds_count", lcore.expiry_lateness_log2_ms.iter().sum()),
    ] {
        assert_eq!(page.value(&format!("flowtracker_{name}"), &LCORE), count as f64, "{name}: {stats:?}");
    }
    for (reason, count) in [("tx_dropped", lcore.tx_dropped), ("filtered", lcore.filtered)] {
        assert_eq!(page.value("flowtracker_frames_dropped_total", &[("reason", reason)]), count as f64);
    }
    let by_outcome: BTreeMap<_, _> = page
        .samples
        .iter()
        .filter(|sample| sample.name == "flowtracker_frame_outcomes_total")
        .map(|sample| (sample.labels["outcome"].clone(), sample.value))
        .collect();
    assert_eq!(by_outcome, outcomes(&lcore.outcomes.expect("outcomes")));
    for port in &stats.ports {
        for (name, count) in [
            ("up", port.link_up.into()),
            ("receive_packets_total", port.rx_packets),
            ("receive_bytes_total", port.rx_bytes),
            ("receive_missed_total", port.rx_missed),
            ("receive_errors_total", port.rx_errors),
            ("receive_nombuf_total", port.rx_nombuf),
            ("transmit_packets_total", port.tx_packets),
            ("transmit_bytes_total", port.tx_bytes),
            ("transmit_errors_total", port.tx_errors),
        ] {
            let of = [PLANE[0], ("port", port.port.as_str())];
            assert_eq!(
                page.value(&format!("flowtracker_port_{name}"), &of),
                count as f64,
                "{name}: {port:?}"
            );
        }
        let info = [("port", port.port.as_str()), ("device", port.device.as_str())];
        assert_eq!(page.value("flowtracker_port_info", &info), 1.0);
    }
    let of_log = [("epoch", log.epoch.to_string())];
    assert_eq!(page.value("flowtracker_log_info", &of_log.each_ref().map(|(k, v)| (*k, v.as_str()))), 1.0);
    for (name, count) in [
        ("log_events_total", log.last_seq),
        ("log_oldest_seq", log.oldest_seq),
        ("watchers", log.watchers),
        ("watcher_gaps_total", log.gaps),
    ] {
        assert_eq!(page.value(&format!("flowtracker_{name}"), &[]), count as f64, "{name}: {log:?}");
    }
}

/// Checks the values that always change: each lies between two readings of GetStats.
fn check_moving(page: &Page, before: &v1::DataplaneStats, after: &v1::DataplaneStats) {
    let between = |name: &str, labels: &[(&str, &str)], count: &dyn Fn(&v1::LcoreStats) -> u64| {
        let value = page.value(name, labels);
        let range = count(&before.lcores[0]) as f64..=count(&after.lcores[0]) as f64;
        assert!(range.contains(&value), "{name} {labels:?}: {value} in {range:?}");
    };
    between("flowtracker_polls_total", &LCORE, &|lcore| lcore.polls);
    between("flowtracker_busy_polls_total", &LCORE, &|lcore| lcore.busy_polls);
    between("flowtracker_loop_time_seconds_count", &LCORE, &|lcore| lcore.loop_time.iter().sum());
    let buckets = page.samples.iter().filter(|sample| sample.name == "flowtracker_loop_time_seconds_bucket");
    for Sample { name, labels, .. } in buckets {
        let le = labels["le"].as_str();
        let seconds: f64 = le.parse().expect("a number");
        between(name, &[("le", le)], &|lcore| {
            let within = |bucket| loop_time::bounds(bucket).end as f64 <= seconds * 1e9 * (1.0 + 1e-9);
            let counts = lcore.loop_time.iter().enumerate();
            counts
                .filter(|(bucket, _)| seconds.is_infinite() || within(*bucket))
                .map(|(_, count)| count)
                .sum()
        });
    }
}

fn samples_at_rest(page: &Page) -> Vec<Sample> {
    let moves = |sample: &&Sample| {
        ["polls_total", "loop_time", "timestamp"].iter().any(|moving| sample.name.contains(moving))
    };
    let mut samples: Vec<_> = page.samples.iter().filter(|sample| !moves(sample)).cloned().collect();
    samples.sort_by(|a, b| (&a.name, &a.labels).cmp(&(&b.name, &b.labels)));
    samples
}

#[test]
fn metrics_are_the_figures_of_get_stats_and_add_up_to_the_frames_sent() {
    let frames = frames();
    let mut oracle = Oracle::new(&[TCP], usize::MAX);
    for frame in &frames {
        oracle.receive(0, frame);
    }

    let line = Line::new();
    let devices = line.devices("net_af_packet", "");
    let appliance = Appliance::start(&line.middle, &devices, &["--timer-profiles", "600000"]);
    let _watcher = Running::spawn(appliance.ctl().args(["watch", "-o", "json"]));
    appliance.wait_watchers(1);
    line.left.send("eth0", &frames);
    appliance.wait_forwarded(frames.len() as u64);
    wait_for("the log has every event", LIMIT, || {
        (appliance.stats().1.last_seq == oracle.entries().len() as u64).then_some(())
    });

    let (before, log) = appliance.stats();
    let pages = [CLASSIC, OPENMETRICS].map(|accept| appliance.page("/metrics", accept));
    let (after, _) = appliance.stats();
    for (page, kind) in pages.iter().zip([CLASSIC, OPENMETRICS]) {
        let kind = kind.replace(';', "; ");
        assert_eq!(
            (page.status, page.content_type.as_str()),
            (200, format!("{kind}; charset=utf-8").as_str())
        );
        check_still(page, &after, &log);
        check_moving(page, &before, &after);

        assert_eq!(page.sum("flowtracker_frames_received_total"), frames.len() as f64);
        assert_eq!(page.sum("flowtracker_frame_outcomes_total"), frames.len() as f64);
        let left =
            page.sum("flowtracker_frames_forwarded_total") + page.sum("flowtracker_frames_dropped_total");
        assert_eq!(left, frames.len() as f64);
        assert_eq!(page.sum("flowtracker_entries"), oracle.entries().len() as f64);
        let received = oracle::sum(&oracle.outcomes()) as f64;
        assert_eq!(page.value("flowtracker_port_receive_packets_total", &[("port", "port0")]), received);
        assert_eq!(page.value("flowtracker_dataplane_attached", &PLANE), 1.0);
        assert_eq!(page.value("flowtracker_dataplane_stats_live", &PLANE), 1.0);
    }
    assert_eq!(samples_at_rest(&pages[0]), samples_at_rest(&pages[1]), "the two formats say the same");
    lint(&pages[0].text);
    appliance.stop();
}

#[test]
fn expiries_are_in_the_histogram() {
    const FLOWS: u64 = 300;
    let alone = Namespace::new("metrics");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let capture = folder.path().join("in.pcap");
    pcap::write_frames(&capture, &distinct_flows(FLOWS).collect::<Vec<_>>()).expect("written");
    let devices = [format!("net_pcap0,rx_pcap={}", capture.display()), "net_null0,no-rx=1".to_owned()];
    let appliance = Appliance::start(&alone, &devices, &["--timer-profiles", "100"]);
    let page = wait_for("all entries expire", LIMIT, || {
        let page = appliance.page("/metrics", OPENMETRICS);
        (page.sum("flowtracker_entries_expired_total") == FLOWS as f64).then_some(page)
    });
    let (stats, _) = appliance.stats();
    let counts = &stats.lcores[0].expiry_lateness_log2_ms;
    let in_time = page.value("flowtracker_expiry_lateness_seconds_count", &LCORE);
    assert_eq!(in_time + page.sum("flowtracker_expiries_deferred_total"), FLOWS as f64);
    let mut buckets = 0;
    for Sample { labels, value, .. } in
        page.samples.iter().filter(|sample| sample.name == "flowtracker_expiry_lateness_seconds_bucket")
    {
        // Bucket i of the data plane's histogram ends at 2^i ms; the last one has no end.
        let ms = labels["le"].parse::<f64>().expect("a number") * 1e3;
        let within =
            counts.iter().enumerate().filter(|(i, _)| ms.is_infinite() || f64::from(1 << i) <= ms + 0.5);
        assert_eq!(*value, within.map(|(_, count)| *count).sum::<u64>() as f64, "{labels:?}: {counts:?}");
        buckets += 1;
    }
    assert_eq!(buckets, counts.len());
    lint(&appliance.page("/metrics", CLASSIC).text);
    appliance.stop();
}

#[test]
fn a_data_plane_that_stops_or_dies_is_seen_and_holds_nobody_up() {
    let alone = Namespace::new("metrics");
    let devices = [0, 1].map(|port| format!("net_null{port},no-rx=1"));
    let mut appliance = Appliance::start(&alone, &devices, &[]);
    let live = |page: &Page| page.value("flowtracker_dataplane_stats_live", &PLANE);
    let attached = |page: &Page| page.value("flowtracker_dataplane_attached", &PLANE);
    let page = appliance.page("/metrics", CLASSIC);
    assert_eq!((live(&page), attached(&page), appliance.page("/readyz", CLASSIC).status), (1.0, 1.0, 200));
    let polls = page.sum("flowtracker_polls_total");
    assert!(polls > 0.0);

    appliance.dataplane().signal(Signal::STOP);
    let page = appliance.page("/metrics", CLASSIC);
    assert_eq!((live(&page), attached(&page)), (0.0, 1.0), "a stopped peer keeps its link");
    assert_eq!(page.sum("flowtracker_polls_total"), polls, "its last known figures");

    appliance.dataplane().signal(Signal::KILL);
    wait_for("the service is not ready", LIMIT, || {
        (appliance.page("/readyz", CLASSIC).status == 503).then_some(())
    });
    let page = appliance.page("/metrics", CLASSIC);
    assert_eq!((live(&page), attached(&page)), (0.0, 0.0));
    assert_eq!(page.sum("flowtracker_polls_total"), polls);
    assert_eq!(appliance.page("/healthz", CLASSIC).status, 200);
    lint(&page.text);
}

/// Prometheus accepts the blocks of YAML and the queries on the page about metrics.
#[test]
fn the_page_about_metrics_is_understood_by_prometheus() {
    let page = std::fs::read_to_string(workspace_root().join("control/docs/metrics.md")).expect("the page");
    let blocks: Vec<_> = page.split("```").filter_map(|block| block.strip_prefix("yaml\n")).collect();
    assert_eq!(blocks.len(), 2);
    let queries: Vec<_> = page
        .lines()
        .filter(|line| line.starts_with("| ") && ["rate(", "sum "].iter().any(|query| line.contains(query)))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .map(|query| query.replace("\\|", "|"))
        .collect();
    assert!(queries.len() >= 7, "{queries:?}");
    let rules: String = queries
        .iter()
        .enumerate()
        .map(|(n, query)| format!("      - {{ record: \"q:{n}\", expr: '{query}' }}\n"))
        .collect();

    let folder = tempfile::tempdir().expect("a temporary folder");
    for (what, text) in [
        ("config", blocks[0].to_owned()),
        ("rules", blocks[1].to_owned()),
        ("rules", format!("groups:\n  - name: queries\n    rules:\n{rules}")),
    ] {
        let file = folder.path().join("file.yaml");
        std::fs::write(&file, &text).expect("written");
        run(Command::new(tool("promtool")).args(["check", what]).arg(&file));
    }
}
