//! The rules of the data plane's link, and what breaking them leads to.

use control::server::SERVICE;
use flowtracker_proto::packed;
use flowtracker_proto::v1::{Batch, Hello, Record, RecordKind};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use crate::rig::*;

#[tokio::test]
async fn a_hole_in_the_batches_closes_the_link() {
    let service = Service::start().await;
    for first_seq in [0, 1, 3] {
        let mut plane = Plane::attach(&service, hello("dp", 1, &[1, 2])).await.unwrap();
        plane.send(1, vec![created(1, T)]).await;
        plane.send(2, vec![created(2, T)]).await;
        // 2 is due.
        plane.send_batch(Batch { shard: 1, first_seq, records: vec![created(3, T)], packed: vec![] }).await;
        assert_eq!(plane.ended().await.unwrap_err().code(), Code::DataLoss, "{first_seq}");
        plane.cut(&service).await;
    }
    assert_eq!(service.hub.dataplanes()[0].entries, 2, "what was dense has been taken in");
}

#[tokio::test]
async fn nonsense_closes_the_link_with_the_field_named() {
    let service = Service::start().await;
    let mut no_port = created(1, T);
    no_port.entry.as_mut().unwrap().input_port = 0;
    for (shard, record, field) in [
        (9, created(1, T), "batch.shard"),
        (1, no_port, "batch.records"),
        (1, bare(RecordKind::Created), "batch.records"),
        (1, Record { kind: 99, ..Record::default() }, "batch.records"),
    ] {
        let mut plane = Plane::attach(&service, hello("dp", 1, &[1])).await.unwrap();
        plane.send(shard, vec![record]).await;
        let refused = plane.ended().await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(refused.get_details_bad_request().unwrap().field_violations[0].field, field);
        plane.cut(&service).await;
    }
}

#[tokio::test]
async fn records_come_in_one_of_two_forms() {
    let service = Service::start().await;
    let whole = packed::pack(&created(2, T)).unwrap().to_vec();
    let cut = whole[1..].to_vec();
    for (records, packed, taken) in [
        (vec![created(1, T)], vec![], true),
        (vec![], whole.clone(), true),
        (vec![created(1, T)], whole, false),
        (vec![], cut, false),
    ] {
        let mut plane = Plane::attach(&service, hello("dp", 1, &[1])).await.unwrap();
        plane.send_batch(Batch { shard: 1, first_seq: 1, records, packed }).await;
        if taken {
            plane.settled(&service).await;
        } else {
            let refused = plane.ended().await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
            let details = refused.get_details_bad_request().unwrap();
            assert_eq!(details.field_violations[0].field, "batch.packed");
        }
        plane.cut(&service).await;
    }
    assert_eq!(service.hub.dataplanes()[0].entries, 2, "one in each form");
}

#[tokio::test]
async fn hello_is_checked() {
    let service = Service::start().await;
    for (hello, field) in [
        (hello("", 1, &[1]), "hello.dataplane"),
        (hello(&"x".repeat(64), 1, &[1]), "hello.dataplane"),
        (hello("a b", 1, &[1]), "hello.dataplane"),
        (hello("dp", 1, &[]), "hello.shards"),
        (hello("dp", 1, &[1, 1]), "hello.shards"),
    ] {
        let refused = Plane::attach(&service, hello).await.err().unwrap();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(refused.get_details_bad_request().unwrap().field_violations[0].field, field);
    }
    assert_eq!(Plane::attach(&service, Hello::default()).await.err().unwrap().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_second_link_is_refused_while_the_first_is_open() {
    let service = Service::start().await;
    let first = Plane::fresh(&service).await;
    let refused = Plane::attach(&service, hello("dp", 2, &[1])).await.err().unwrap();
    assert_eq!(refused.code(), Code::AlreadyExists);
    let other = Plane::attach(&service, hello("other", 1, &[1])).await.unwrap();
    drop(other);
    first.cut(&service).await;
    Plane::attach(&service, hello("dp", 2, &[1])).await.unwrap();
}

#[tokio::test]
async fn health_follows_the_data_planes() {
    let service = Service::start().await;
    let mut client = HealthClient::new(service.channel().await);
    let request = |service: &str| HealthCheckRequest { service: service.to_owned() };
    let whole = client.check(request("")).await.unwrap().into_inner();
    assert_eq!(whole.status(), ServingStatus::Serving);
    let mut changes = client.watch(request(SERVICE)).await.unwrap().into_inner();
    let mut wait_for = async |wanted| {
        let change = async { while changes.message().await.unwrap().unwrap().status() != wanted {} };
        soon("a change of health", change).await;
    };
    wait_for(ServingStatus::NotServing).await;
    let first = Plane::fresh(&service).await;
    wait_for(ServingStatus::Serving).await;
    first.cut(&service).await;
    wait_for(ServingStatus::NotServing).await;
}
