//! Reads and writes of entries, and the code and field of each refusal.

use flowtracker_proto::v1::flow_tracker_service_client::FlowTrackerServiceClient;
use flowtracker_proto::v1::{
    Actor, Attributes, CreateEntryRequest, DeleteEntryRequest, Entity, GetEntryRequest, Key,
    ListDataplanesRequest, ListEntriesRequest, Reply, ReplyStatus, command,
};
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt;

use crate::rig::*;

fn get(key: Option<Key>, dataplane: &str) -> GetEntryRequest {
    GetEntryRequest { key, dataplane: dataplane.to_owned(), ..GetEntryRequest::default() }
}

fn fields(status: &Status) -> Vec<String> {
    status.get_details_bad_request().unwrap().field_violations.into_iter().map(|v| v.field).collect()
}

#[tokio::test]
async fn one_entry_is_read_and_deleted_by_its_owner() {
    let service = Service::start().await;
    let mut plane = Plane::fresh(&service).await;
    let mut client = service.client().await;
    let mut key = flow(7).to_proto();
    key.input_port = "1".to_owned();
    key.src_addr += "/32";
    let asked = tokio::spawn(async move {
        let got = client.get_entry(get(Some(key.clone()), "")).await.unwrap().into_inner().entry.unwrap();
        let delete = DeleteEntryRequest { key: Some(key), dataplane: "dp".to_owned(), ..Default::default() };
        let mut delete = Request::new(delete);
        delete.metadata_mut().insert("x-flowtracker-pid", 448.into());
        delete.metadata_mut().insert("x-flowtracker-process", "ctl".parse().unwrap());
        (got, client.delete_entry(delete).await.unwrap().into_inner().entry.unwrap())
    });
    let command = plane.command().await;
    assert!(matches!(command.body, Some(command::Body::Get(g)) if g.key == flow(7).to_bytes()));
    assert!((1..=10_000).contains(&command.deadline_ms));
    let records = answer(T + 3 * SEC + SEC / 2, &[learned(7, T, T + SEC)]);
    plane.reply(Reply { records: records.clone(), ..status(command.id, ReplyStatus::Ok) }).await;
    let command = plane.command().await;
    let author = Actor { entity: Entity::Tc.into(), pid: 448, process: "ctl".to_owned(), ..Actor::default() };
    assert!(matches!(&command.body, Some(command::Body::Delete(d)) if d.actor.as_ref() == Some(&author)));
    plane.reply(Reply { records, ..status(command.id, ReplyStatus::Ok) }).await;
    let (got, deleted) = soon("answers", asked).await.unwrap();
    assert_eq!((got.created_ms_ago, got.idle_ms), (3500, 2500), "as of the reply");
    assert_eq!((got.dataplane.as_str(), got.deleted_by), ("dp", None));
    assert_eq!(deleted.deleted_by, Some(author));
}

#[tokio::test]
async fn refusals_of_the_data_plane_have_their_codes() {
    let service = Service::start().await;
    let mut plane = Plane::fresh(&service).await;
    for (answer, code) in [
        (ReplyStatus::NotFound, Code::NotFound),
        (ReplyStatus::AlreadyExists, Code::AlreadyExists),
        (ReplyStatus::PermissionDenied, Code::PermissionDenied),
        (ReplyStatus::ResourceExhausted, Code::ResourceExhausted),
        (ReplyStatus::InvalidArgument, Code::InvalidArgument),
        (ReplyStatus::FailedPrecondition, Code::FailedPrecondition),
        (ReplyStatus::Unavailable, Code::Unavailable),
    ] {
        let mut client = service.client().await;
        let asked =
            tokio::spawn(
                async move { client.get_entry(get(Some(flow(1).to_proto()), "")).await.unwrap_err() },
            );
        let command = plane.command().await;
        plane.reply(Reply { message: "because".to_owned(), ..status(command.id, answer) }).await;
        let refused = soon("a refusal", asked).await.unwrap();
        assert_eq!((refused.code(), refused.message()), (code, "because"));
        assert!(refused.get_details_error_info().is_some());
    }
}

#[tokio::test]
async fn bad_input_is_named_field_by_field() {
    let service = Service::start().await;
    Plane::fresh(&service).await.serve(vec![], T);
    let good = flow(1).to_proto();
    let with = |change: fn(&mut Key)| {
        let mut key = good.clone();
        change(&mut key);
        Some(key)
    };
    let cases: [(Option<Key>, &[&str]); 8] = [
        (None, &["key"]),
        (with(|k| k.input_port = "eth0".into()), &["key.input_port"]),
        (with(|k| k.src_addr = "10.0.0.0/24".into()), &["key.src_addr"]),
        (with(|k| k.dst_addr = "::1".into()), &["key.dst_addr"]),
        (with(|k| k.protocol = 256), &["key.protocol"]),
        (with(|k| k.src_port = 65536), &["key.src_port"]),
        (with(|k| (k.dst_port, k.input_port) = (65536, "0".into())), &["key.input_port", "key.dst_port"]),
        (Some(Key::default()), &["key.input_port", "key.src_addr", "key.dst_addr"]),
    ];
    let mut client = service.client().await;
    for (key, wrong) in cases {
        let refused = client.get_entry(get(key.clone(), "")).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(fields(&refused), wrong);
        assert!(refused.message().starts_with(wrong[0]), "{}", refused.message());
        let refused =
            client.delete_entry(DeleteEntryRequest { key, ..Default::default() }).await.unwrap_err();
        assert_eq!(fields(&refused), wrong);
    }
    let list = ListEntriesRequest { filter: "prio =".to_owned(), ..Default::default() };
    assert_eq!(fields(&client.list_entries(list).await.unwrap_err()), ["filter"]);
}

#[tokio::test]
async fn the_data_plane_may_be_left_out_only_when_there_is_one() {
    let service = Service::start().await;
    let mut client = service.client().await;
    let key = Some(flow(1).to_proto());
    assert_eq!(client.get_entry(get(key.clone(), "")).await.unwrap_err().code(), Code::Unavailable);
    let list = client.list_dataplanes(ListDataplanesRequest {}).await.unwrap().into_inner();
    assert!(list.dataplanes.is_empty());
    Plane::attach(&service, hello("a", 1, &[1])).await.unwrap().serve(vec![learned(1, T, T)], T);
    assert!(client.get_entry(get(key.clone(), "")).await.is_ok());
    let b = Plane::attach(&service, hello("b", 1, &[1])).await.unwrap();
    let refused = client.get_entry(get(key.clone(), "")).await.unwrap_err();
    assert_eq!(fields(&refused), ["dataplane"]);
    assert!(refused.message().contains("a, b"), "{}", refused.message());
    assert!(client.get_entry(get(key.clone(), "a")).await.is_ok());
    assert_eq!(client.get_entry(get(key.clone(), "c")).await.unwrap_err().code(), Code::NotFound);
    drop(b);
    until("b to go", || service.hub.dataplanes().iter().any(|d| !d.attached)).await;
    assert_eq!(client.get_entry(get(key, "b")).await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn silence_is_a_deadline_and_a_cut_is_unavailable() {
    let service = Service::start().await;
    let mut plane = Plane::fresh(&service).await;
    let key = Some(flow(1).to_proto());
    let channel = service.channel().await;
    let ask = |timeout: Option<u64>| {
        let mut request = Request::new(get(key.clone(), ""));
        if let Some(ms) = timeout {
            // Set as a plain header, so that only the service keeps the time.
            request.metadata_mut().insert("grpc-timeout", format!("{ms}m").parse().unwrap());
        }
        let mut client = FlowTrackerServiceClient::new(channel.clone());
        tokio::spawn(async move { client.get_entry(request).await.unwrap_err() })
    };
    let asked = ask(Some(400));
    let command = plane.command().await;
    assert!(command.deadline_ms <= 400);
    assert_eq!(soon("the deadline", asked).await.unwrap().code(), Code::DeadlineExceeded);
    let cancel = plane.command().await;
    assert!(matches!(cancel.body, Some(command::Body::Cancel(c)) if c.id == command.id));

    let asked = ask(None);
    plane.command().await;
    drop(plane);
    assert_eq!(soon("the cut", asked).await.unwrap().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_caller_who_leaves_cancels_its_list() {
    let service = Service::start().await;
    let mut plane = Plane::fresh(&service).await;
    let mut list =
        service.client().await.list_entries(ListEntriesRequest::default()).await.unwrap().into_inner();
    let dump = plane.command().await;
    assert!(matches!(dump.body, Some(command::Body::Dump(_))));
    let part = Reply { id: dump.id, records: answer(T, &[learned(1, T, T)]), ..Reply::default() };
    plane.reply(part).await;
    let first = soon("the first part", list.message()).await.unwrap().unwrap();
    assert_eq!(first.entries.len(), 1, "parts are passed on as they come");
    drop(list);
    let cancel = plane.command().await;
    assert!(matches!(cancel.body, Some(command::Body::Cancel(c)) if c.id == dump.id));
}

#[tokio::test]
async fn stats_are_live_or_the_last_known() {
    let service = Service::start().await;
    let mut client = service.client().await;
    let plane = Plane::fresh(&service).await;
    plane.serve(vec![], T);
    let mut ask = async |name: &str| client.get_stats(stats_of(name)).await.map(Response::into_inner);
    let stats = ask("").await.unwrap();
    assert_eq!((stats.dataplanes[0].live, stats.dataplanes[0].lcores[0].rx), (true, 7));
    assert_eq!(stats.log.unwrap().epoch, service.hub.epoch());
    assert_eq!(ask("nobody").await.unwrap_err().code(), Code::NotFound);
    let silent = Plane::attach(&service, hello("silent", 1, &[1])).await.unwrap();
    silent.cut_one(&service, "silent").await;
    let stats = ask("silent").await.unwrap();
    assert_eq!((stats.dataplanes.len(), stats.dataplanes[0].live), (1, false));
}

/// A refusal of the data plane arrives with all its details.
#[tokio::test]
async fn a_refusal_names_field_and_reason() {
    let service = Service::start().await;
    let mut plane = Plane::fresh(&service).await;
    let mut client = service.client().await;
    let request =
        CreateEntryRequest { key: Some(flow(1).to_proto()), aging_ms: Some(5), ..Default::default() };
    let asked = tokio::spawn(async move { client.create_entry(request).await });
    let command = plane.command().await;
    let Some(command::Body::Create(create)) = command.body else { panic!("{command:?}") };
    assert_eq!(create.key, flow(1).to_bytes());
    assert_eq!(create.attributes, Some(Attributes { aging_ms: Some(5), ..Default::default() }));
    let reply = Reply {
        message: "5 doesn't match any timer profile".to_owned(),
        field: "aging_ms".to_owned(),
        reason: "AGING_UNKNOWN".to_owned(),
        metadata: [("hint".to_owned(), "30000".to_owned())].into(),
        ..status(command.id, ReplyStatus::InvalidArgument)
    };
    plane.reply(reply).await;
    let refused = soon("an answer", asked).await.unwrap().unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(refused.message(), "aging_ms: 5 doesn't match any timer profile");
    let info = refused.get_details_error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.metadata["hint"].as_str()), ("AGING_UNKNOWN", "30000"));
    let violations = refused.get_details_bad_request().unwrap().field_violations;
    assert_eq!(violations[0].field, "aging_ms");
}

#[tokio::test]
async fn a_unix_socket_tells_who_writes() {
    let dir = Dir::new("unix-author");
    let path = dir.path("control.sock");
    let service = Service::with(&["--unix", &path]).await;
    let mut plane = Plane::fresh(&service).await;
    let channel = tonic::transport::Endpoint::from_shared(format!("unix:{path}")).unwrap();
    let channel = channel.connect().await.unwrap();
    let mut client = FlowTrackerServiceClient::new(channel);
    let key = Some(flow(1).to_proto());
    let asked =
        tokio::spawn(
            async move { client.delete_entry(DeleteEntryRequest { key, ..Default::default() }).await },
        );
    let command = plane.command().await;
    let Some(command::Body::Delete(delete)) = command.body else { panic!("{command:?}") };
    let actor = delete.actor.unwrap();
    assert_eq!(actor.pid, std::process::id());
    assert!(!actor.process.is_empty() && actor.process.len() <= 63);
    plane.reply(status(command.id, ReplyStatus::PermissionDenied)).await;
    assert_eq!(soon("an answer", asked).await.unwrap().unwrap_err().code(), Code::PermissionDenied);
    service.stop().await;
    assert!(!std::path::Path::new(&path).exists(), "the socket goes with the service");
}

#[tokio::test]
async fn reflection_is_there_for_old_and_new_clients() {
    use tonic_reflection::pb::{v1, v1alpha};
    let service = Service::start().await;
    let ask = v1::server_reflection_request::MessageRequest::ListServices(String::new());
    let request = v1::ServerReflectionRequest { host: String::new(), message_request: Some(ask) };
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(service.channel().await);
    let answer = client.server_reflection_info(tokio_stream::iter([request])).await.unwrap();
    let answer = format!("{:?}", answer.into_inner().message().await.unwrap());
    let ask = v1alpha::server_reflection_request::MessageRequest::ListServices(String::new());
    let request = v1alpha::ServerReflectionRequest { host: String::new(), message_request: Some(ask) };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(service.channel().await);
    let alpha = client.server_reflection_info(tokio_stream::iter([request])).await.unwrap();
    let alpha = format!("{:?}", alpha.into_inner().message().await.unwrap());
    for name in ["flowtracker.v1.FlowTrackerService", "grpc.health.v1.Health"] {
        assert!(answer.contains(name) && alpha.contains(name), "{answer} {alpha}");
    }
}
