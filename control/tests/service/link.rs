//! The rules of the data plane's link, and the effect of breaking them.

use control::server::SERVICE;
use flowtracker_proto::link;
use flowtracker_proto::v1::{Actor, Author, Batch, Hello, RecordKind};
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
        // Number 2 is expected.
        plane.send_batch(Batch { shard: 1, first_seq, records: bytes(&created(3, T)) }).await;
        assert_eq!(plane.ended().await.unwrap_err().code(), Code::DataLoss, "{first_seq}");
        plane.cut(&service).await;
    }
    assert_eq!(service.hub.dataplanes()[0].entries, 2, "what was dense has been taken in");
}

/// Returns the fixed form of a record that names no author.
fn bytes(record: &Record) -> Vec<u8> {
    Introduced::default().record(record).to_bytes().to_vec()
}

/// Returns the octets of [`bytes`], with one of them changed.
fn spoilt(record: &Record, at: usize, octet: u8) -> Vec<u8> {
    let mut bytes = bytes(record);
    bytes[at] = octet;
    bytes
}

#[tokio::test]
async fn nonsense_closes_the_link_with_the_field_named() {
    let service = Service::start().await;
    // Where a record names its table, and where its key begins.
    let (table, key) = (3, 60);
    for (shard, records, field) in [
        (9, bytes(&created(1, T)), "batch.shard"),
        (1, spoilt(&created(1, T), key, 0), "batch.records"),
        (1, spoilt(&wide(created(1, T)), key, 0), "batch.records"),
        (1, spoilt(&created(1, T), table, 0), "batch.records"),
        (1, spoilt(&created(1, T), table, 3), "batch.records"),
        (1, spoilt(&bare(RecordKind::Purged), table, 0), "batch.records"),
        (1, spoilt(&created(1, T), 0, 99), "batch.records"),
        (1, spoilt(&created(1, T), 0, 0), "batch.records"),
        (1, spoilt(&expired(1, T), 1, 99), "batch.records"),
        (1, spoilt(&created(1, T), 6, 1), "batch.records"),
        (1, bytes(&created(1, T))[1..].to_vec(), "batch.records"),
    ] {
        let mut plane = Plane::attach(&service, hello_of_both("dp", 1, &[1])).await.unwrap();
        plane.send_batch(Batch { shard, first_seq: 1, records }).await;
        let refused = plane.ended().await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(refused.get_details_bad_request().unwrap().field_violations[0].field, field);
        plane.cut(&service).await;
    }
    assert_eq!(service.hub.dataplanes()[0].entries, 0);
}

#[tokio::test]
async fn authors_have_a_number_and_a_name() {
    let service = Service::start().await;
    let somebody = Some(Actor::default());
    for (number, actor, field) in [
        (0, somebody.clone(), "authors.number"),
        (65_536, somebody.clone(), "authors.number"),
        (1, None, "authors.actor"),
    ] {
        let mut plane = Plane::attach(&service, hello("dp", 1, &[1])).await.unwrap();
        plane.introduce(vec![Author { number, actor }]).await;
        let refused = plane.ended().await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(refused.get_details_bad_request().unwrap().field_violations[0].field, field);
        plane.cut(&service).await;
    }
    let mut plane = Plane::attach(&service, hello("dp", 1, &[1])).await.unwrap();
    plane.introduce([1, 65_535].map(|number| Author { number, actor: somebody.clone() }).to_vec()).await;
    plane.settled(&service).await;
}

/// A different layout of records is noticed before the first of them.
#[tokio::test]
async fn another_version_of_records_is_refused() {
    let service = Service::start().await;
    for record_version in [0, link::VERSION - 1, link::VERSION + 1] {
        let hello = Hello { record_version, ..hello("dp", 1, &[1]) };
        let refused = Plane::attach(&service, hello).await.err().unwrap();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        let (theirs, ours) = (record_version, link::VERSION);
        let message = format!("its records have version {theirs}, those of this control service {ours}");
        assert_eq!(refused.message(), message);
    }
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
