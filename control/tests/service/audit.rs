//! The audit log: a line for each write, refusal, attachment and detachment.

use std::path::Path;

use control::door::refusals::Reason;
use flowtracker_proto::v1::{
    DeleteEntryRequest, FlushEntriesRequest, ListDataplanesRequest, PurgeRequest, Reply, Table,
    UpdateTableRequest,
};
use serde_json::{Value, json};

use crate::families::{did, refuses, with_answers};
use crate::rig::*;

/// Waits until the log has `count` lines, and returns them.
async fn lines(path: &Path, count: usize) -> Vec<Value> {
    let read = || std::fs::read_to_string(path).unwrap_or_default();
    until("lines of the audit log", || read().lines().count() >= count).await;
    read().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns the members that do not differ between runs.
fn stable(line: &Value) -> Value {
    let mut line = line.clone();
    let members = line.as_object_mut().unwrap();
    let time = members.remove("time").unwrap();
    assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
    for varying in ["peer", "door", "said"] {
        members.remove(varying);
    }
    line
}

#[tokio::test]
async fn who_did_what_is_written_down() {
    let dir = Dir::new("audit");
    let path = dir.path("audit.log");
    let service = Service::with(&["--audit-log", &path, "--listen-read", "127.0.0.1:0"]).await;
    let path = Path::new(&path);
    let plane = Plane::fresh(&service).await;
    plane.serve(vec![learned(1, T, T)], T);
    let mut client = service.client().await;
    // A read is not written down.
    client.list_dataplanes(ListDataplanesRequest {}).await.unwrap();
    let request = DeleteEntryRequest { key: Some(flow(9).to_proto()), ..DeleteEntryRequest::default() };
    assert!(client.delete_entry(request).await.is_err());
    let filter = "key.srcPort = \"\u{1b}\n".to_owned();
    let request = FlushEntriesRequest { filter: filter.clone(), ..FlushEntriesRequest::default() };
    assert!(client.flush_entries(request).await.is_err());
    let pipeline = "flowtracker_ipv6".to_owned();
    let request = PurgeRequest { pipeline: pipeline.clone(), ..PurgeRequest::default() };
    assert!(client.purge(request).await.is_err());
    let key = Some(wide_flow(9).to_proto());
    assert!(client.delete_entry(DeleteEntryRequest { key, ..Default::default() }).await.is_err());
    let reader =
        tonic::transport::Endpoint::from_shared(format!("http://{}", service.door_addr("listen-read")));
    let reader = reader.unwrap().connect().await.unwrap();
    let mut reader =
        flowtracker_proto::v1::flow_tracker_service_client::FlowTrackerServiceClient::new(reader);
    assert!(reader.purge(PurgeRequest::default()).await.is_err());
    let written = lines(path, 6).await;
    let service_name = "flowtracker.v1.FlowTrackerService";
    let attach = "flowtracker.v1.DataplaneLinkService/Attach";
    let expected = [
        json!({"event": "attach", "identity": "", "role": "dataplane", "method": attach, "dataplane": "dp", "code": "OK"}),
        json!({"event": "write", "identity": "", "role": "admin", "method": format!("{service_name}/DeleteEntry"),
               "dataplane": "dp", "key": "port0/tcp/10.0.0.1:9-10.0.0.2:1234", "code": "NOT_FOUND",
               "reason": "NO_ENTRY"}),
        json!({"event": "write", "identity": "", "role": "admin", "method": format!("{service_name}/FlushEntries"),
               "dataplane": "dp", "filter": filter, "code": "INVALID_ARGUMENT", "reason": "BAD_REQUEST"}),
        json!({"event": "write", "identity": "", "role": "admin", "method": format!("{service_name}/Purge"),
               "dataplane": "dp", "pipeline": pipeline, "code": "FAILED_PRECONDITION", "reason": "FAMILY_OFF"}),
        json!({"event": "write", "identity": "", "role": "admin", "method": format!("{service_name}/DeleteEntry"),
               "dataplane": "dp", "key": "port0/tcp/[2001:db8::1]:9-[2001:db8::2]:1234",
               "code": "FAILED_PRECONDITION", "reason": "FAMILY_OFF"}),
        json!({"event": "refusal", "identity": "", "role": "viewer", "method": format!("{service_name}/Purge"),
               "code": "PERMISSION_DENIED", "reason": "ROLE"}),
    ];
    assert_eq!(written.iter().map(stable).collect::<Vec<_>>(), expected);
    assert!(written[1]["door"].as_str().unwrap().starts_with("listen 127.0.0.1:"), "{}", written[1]);
    // The file is moved away, as logrotate does.
    let moved = dir.path("audit.log.1");
    std::fs::rename(path, &moved).unwrap();
    assert!(reader.purge(PurgeRequest::default()).await.is_err());
    assert_eq!(stable(&lines(path, 1).await[0]), expected[5]);
    assert_eq!(lines(Path::new(&moved), 6).await.len(), 6);
    assert_eq!(service.refused(Reason::AuditLost), 0);
    service.stop().await;
}

#[tokio::test]
async fn what_one_table_did_is_counted_when_the_other_refuses() {
    let dir = Dir::new("audit-tables");
    let path = dir.path("audit.log");
    let service = Service::with(&["--audit-log", &path]).await;
    let plane = &mut Plane::fresh_of_both(&service).await;
    let (ipv4, ipv6) = ("flowtracker", "flowtracker_ipv6");
    let mut client = service.client().await;
    lines(Path::new(&path), 1).await; // It has attached.
    std::fs::rename(&path, dir.path("audit.log.1")).unwrap();
    for (answers, counted) in [
        (vec![(ipv4, did(3, 1)), (ipv6, did(4, 0))], json!(7)),
        (vec![(ipv4, did(3, 1)), (ipv6, refuses("PURGING"))], json!(3)),
        (vec![(ipv4, refuses("PURGING")), (ipv6, did(4, 0))], json!(4)),
        (vec![(ipv4, did(0, 2)), (ipv6, refuses("PURGING"))], json!(0)),
        (vec![(ipv4, refuses("PURGING")), (ipv6, refuses("PURGING"))], Value::Null),
    ] {
        let refused = answers.iter().any(|(_, reply)| !reply.reason.is_empty());
        let flushed = client.flush_entries(FlushEntriesRequest::default());
        assert_eq!(with_answers(plane, flushed, answers.clone()).await.is_err(), refused);
        let purged = client.purge(PurgeRequest::default());
        assert_eq!(with_answers(plane, purged, answers).await.is_err(), refused);
        for line in lines(Path::new(&path), 2).await {
            assert_eq!((&line["count"], line["code"] == "OK"), (&counted, !refused), "{line}");
        }
        std::fs::rename(&path, dir.path("audit.log.1")).unwrap();
    }
    service.stop().await;
}

/// The table of a change is that which is meant, or else the name that no table has.
#[tokio::test]
async fn the_table_that_is_changed_is_written_down() {
    let dir = Dir::new("audit-update");
    let path = dir.path("audit.log");
    let service = Service::with(&["--audit-log", &path]).await;
    let plane = &mut Plane::fresh_of_both(&service).await;
    let mut client = service.client().await;
    let update = |pipeline: &str| UpdateTableRequest { pipeline: pipeline.to_owned(), ..Default::default() };
    assert!(client.update_table(update("nat")).await.is_err());
    for (asked, meant) in [("", "flowtracker"), ("flowtracker_ipv6", "flowtracker_ipv6")] {
        let answers = vec![(meant, Reply { table: Some(Table::default()), ..did(0, 0) })];
        with_answers(plane, client.update_table(update(asked)), answers).await.unwrap();
    }
    let written = lines(Path::new(&path), 4).await;
    let tables: Vec<_> = written[1..].iter().map(|line| &line["pipeline"]).collect();
    assert_eq!(tables, ["nat", "flowtracker", "flowtracker_ipv6"]);
    service.stop().await;
}

#[tokio::test]
async fn a_full_disk_is_counted_and_no_call_waits_for_it() {
    let service = Service::with(&["--audit-log", "/dev/full", "--default-role", "none"]).await;
    let mut client = service.client().await;
    for _ in 0..3 {
        assert!(client.purge(PurgeRequest::default()).await.is_err());
    }
    until("lost lines", || service.refused(Reason::AuditLost) == 3).await;
    service.stop().await;
}
