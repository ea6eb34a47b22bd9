//! Every figure of a data plane and its sample.

use super::*;

/// Returns counters that all differ.
pub(super) fn figures() -> DataplaneStats {
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
    let help =
        "# HELP flowtracker_table_lookups_total Frames that were looked up in the table, by outcome.\n";
    assert!(page.body.contains(help), "{}", page.body);
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
