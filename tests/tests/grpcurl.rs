//! The service as an outsider uses it: with the real grpcurl, and without `.proto` files.

use std::net::Ipv4Addr;

use conntrack::test_support::frame::Ipv4Frame;
use flowtracker_proto::v1::{self, DeleteReason, Entity, EventType};
use flowtracker_tests::appliance::{Appliance, DATAPLANE, LIMIT};
use flowtracker_tests::grpcurl::{Refused, SERVICE};
use flowtracker_tests::netns::Namespace;
use flowtracker_tests::pcap;
use serde_json::{Value, json};

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const SRC_PORTS: [u16; 3] = [1001, 1002, 1003];

/// Starts an appliance that has learned the flows A:1001..1003 → B:80 on port0.
fn appliance(alone: &Namespace) -> (Appliance<'_>, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("in");
    let frames = SRC_PORTS.map(|port| Ipv4Frame::tcp((A, port), (B, 80)).build());
    pcap::write_frames(&path, &frames).expect("written");
    let devices = [format!("net_pcap0,rx_pcap={}", path.display()), "net_null0,no-rx=1".to_owned()];
    let appliance = Appliance::start(alone, &devices, &["--timer-profiles", "600000"]);
    appliance.wait_forwarded(frames.len() as u64);
    (appliance, folder)
}

fn key(src_port: u16) -> Value {
    json!({"input_port": "port0", "src_addr": A, "dst_addr": B, "protocol": 6, "src_port": src_port, "dst_port": 80})
}

fn src_port(event: &v1::Event) -> u32 {
    event.entry.as_ref().and_then(|entry| entry.key.as_ref()).map_or(0, |key| key.src_port)
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, Refused>, code: &str, mentions: &str) {
    let refused = result.expect_err("refused");
    assert_eq!(refused.code, code, "{}", refused.text);
    assert!(refused.text.contains(mentions), "no {mentions:?} in {}", refused.text);
}

#[test]
fn the_service_describes_itself() {
    let alone = Namespace::new("grpcurl");
    let (appliance, _folder) = appliance(&alone);
    let grpcurl = appliance.grpcurl();

    let services = grpcurl.list(None).expect("listed");
    for service in [SERVICE, "grpc.health.v1.Health"] {
        assert!(services.iter().any(|s| s == service), "{service} in {services:?}");
    }
    let methods = grpcurl.list(Some(SERVICE)).expect("listed");
    for method in [
        "CreateEntry",
        "DeleteEntry",
        "FlushEntries",
        "GetEntry",
        "GetIntrospection",
        "GetStats",
        "GetTable",
        "ListDataplanes",
        "ListEntries",
        "Load",
        "Purge",
        "UpdateEntry",
        "UpdateTable",
        "WatchEvents",
        "WhoAmI",
    ] {
        assert!(methods.contains(&format!("{SERVICE}.{method}")), "{method} in {methods:?}");
    }
    let described = grpcurl.describe(&format!("{SERVICE}.WatchEvents")).expect("described");
    assert!(described.contains("returns ( stream .flowtracker.v1.WatchEventsResponse )"), "{described}");
    let described = grpcurl.describe("flowtracker.v1.EventType").expect("described");
    assert!(described.contains("EVENT_TYPE_CREATED = 1"), "{described}");

    for service in ["", SERVICE] {
        let health =
            grpcurl.call_json("grpc.health.v1.Health/Check", &json!({"service": service})).expect("answered");
        assert_eq!(health, [json!({"status": "SERVING"})], "of {service:?}");
    }
    appliance.stop();
}

#[test]
fn a_watch_starts_from_a_snapshot_and_goes_on_with_a_deletion() {
    let alone = Namespace::new("grpcurl");
    let (appliance, _folder) = appliance(&alone);
    let grpcurl = appliance.grpcurl();
    let mut watch = grpcurl.watch("WatchEvents", &json!({"start": {"snapshot": {}}}));
    let flatten = |answers: &[v1::WatchEventsResponse]| -> Vec<v1::Event> {
        answers.iter().flat_map(|answer| answer.events.clone()).collect()
    };

    let snapshot = watch.wait(LIMIT, |answers| {
        let events = flatten(answers);
        let end = events.iter().position(|e| e.r#type() == EventType::Synced)?;
        Some(events[..=end].to_vec())
    });
    let (mark, entries) = snapshot.split_last().expect("at least the mark");
    assert_eq!(mark.seq, SRC_PORTS.len() as u64, "one seq for each creation");
    let mut ports: Vec<u32> = entries.iter().map(src_port).collect();
    ports.sort_unstable();
    assert_eq!(ports, SRC_PORTS.map(u32::from));
    for event in entries {
        assert_eq!((event.r#type(), event.seq, event.epoch), (EventType::Created, mark.seq, mark.epoch));
        assert_eq!(event.dataplane, DATAPLANE);
        let entry = event.entry.as_ref().expect("CREATED has an entry");
        assert_eq!((entry.priority, entry.permissions), (64000, 0x1dbc));
        assert_eq!(entry.permissions_text, "-RUD-PS-RUDX--");
        assert_eq!((entry.dynamic, entry.profile_id, entry.aging_ms), (true, 0, 600_000));
        let creator = entry.created_by.as_ref().expect("somebody created it");
        assert_eq!((creator.entity(), creator.pid), (Entity::Kernel, 0));
        assert_eq!(creator.process, format!("dataplane:{DATAPLANE}"));
    }

    let answer: v1::DeleteEntryResponse =
        grpcurl.call("DeleteEntry", &json!({"key": key(1002)})).expect("deleted");
    let deleted = answer.entry.expect("the entry that was");
    assert_eq!(deleted.deleted_by.as_ref().map(v1::Actor::entity), Some(Entity::Tc));

    let event = watch.wait(LIMIT, |answers| {
        flatten(answers).into_iter().find(|event| event.r#type() == EventType::Deleted)
    });
    assert_eq!((event.seq, src_port(&event), event.reason()), (mark.seq + 1, 1002, DeleteReason::Control));
    appliance.stop();
}

#[test]
fn entries_are_listed_read_and_deleted() {
    let alone = Namespace::new("grpcurl");
    let (appliance, _folder) = appliance(&alone);
    let grpcurl = appliance.grpcurl();
    assert_eq!(appliance.entries().len(), SRC_PORTS.len());

    let answer: v1::GetEntryResponse = grpcurl.call("GetEntry", &json!({"key": key(1001)})).expect("found");
    let entry = answer.entry.expect("an entry");
    assert_eq!((entry.packets, entry.bytes), (1, 60));
    assert_eq!((entry.pipeline.as_str(), entry.table.as_str()), ("flowtracker", "Main/ct_flow_table"));

    let request = json!({"key": key(1001), "dataplane": DATAPLANE});
    grpcurl.call::<v1::DeleteEntryResponse>("DeleteEntry", &request).expect("deleted");
    assert_eq!(appliance.entries().len(), SRC_PORTS.len() - 1);
    for method in ["GetEntry", "DeleteEntry"] {
        assert_refused(grpcurl.call::<Value>(method, &json!({"key": key(1001)})), "NotFound", "");
    }

    let filter = json!({"filter": "key.srcPort = 1003 || key.srcPort = 1001"});
    let lists = grpcurl.call_all::<v1::ListEntriesResponse>("ListEntries", &filter).expect("listed");
    let keys: Vec<_> =
        lists.into_iter().flat_map(|list| list.entries).filter_map(|entry| entry.key).collect();
    assert_eq!(keys.iter().map(|key| key.src_port).collect::<Vec<_>>(), [1003], "1001 was deleted");
    appliance.stop();
}

/// A watcher with a filter receives only events that pass it, from the snapshot on.
#[test]
fn a_watch_and_a_flush_are_filtered() {
    let alone = Namespace::new("grpcurl");
    let (appliance, _folder) = appliance(&alone);
    let grpcurl = appliance.grpcurl();
    let request = json!({"filter": "key.srcPort = 1003", "start": {"snapshot": {}}});
    let mut watch = grpcurl.watch("WatchEvents", &request);
    appliance.wait_watchers(1);
    for (src_port, deleted) in [(1001, 1), (1004, 0), (1003, 1)] {
        let filter = json!({"filter": format!("key.srcPort = {src_port}")});
        let answer: v1::FlushEntriesResponse = grpcurl.call("FlushEntries", &filter).expect("flushed");
        assert_eq!((answer.deleted, answer.failed), (deleted, 0), "{src_port}");
    }
    let events = watch.wait(LIMIT, |answers: &[v1::WatchEventsResponse]| {
        let events: Vec<_> = answers.iter().flat_map(|answer| answer.events.clone()).collect();
        // The end of a flush passes every filter, and each table has one.
        (events.iter().filter(|e| e.r#type() == EventType::Flushed).count() == 6).then_some(events)
    });
    let told: Vec<_> =
        events.iter().filter(|e| e.entry.is_some()).map(|e| (e.r#type(), src_port(e))).collect();
    assert_eq!(told, [(EventType::Created, 1003), (EventType::Deleted, 1003)]);
    let left: Vec<_> =
        appliance.entries().into_iter().filter_map(|e| e.key).map(|key| key.src_port).collect();
    assert_eq!(left, [1002]);
    appliance.stop();
}

#[test]
fn a_bad_request_is_told_where_it_is_bad() {
    let alone = Namespace::new("grpcurl");
    let (appliance, _folder) = appliance(&alone);
    let grpcurl = appliance.grpcurl();
    let mut bad = key(1001);
    bad["src_addr"] = json!("10.0.0.256");
    bad["dst_port"] = json!(65536);
    let result = grpcurl.call::<Value>("GetEntry", &json!({"key": bad}));
    assert_refused(result.clone(), "InvalidArgument", "key.src_addr");
    assert_refused(result, "InvalidArgument", "key.dst_port");
    assert_refused(grpcurl.call::<Value>("GetEntry", &json!({})), "InvalidArgument", "key");
    let elsewhere = json!({"key": key(1001), "dataplane": "elsewhere"});
    assert!(grpcurl.call::<Value>("GetEntry", &elsewhere).is_err(), "there is no such data plane");
    for method in ["ListEntries", "FlushEntries", "WatchEvents"] {
        let refused = grpcurl.call_all::<Value>(method, &json!({"filter": "key.srcPort ="}));
        assert_refused(refused, "InvalidArgument", "filter: column 14");
    }
    appliance.stop();
}
