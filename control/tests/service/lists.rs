//! Lists of entries whose readers take their time, and when they give way.

use std::net::SocketAddr;

use control::door::refusals::Reason;
use flowtracker_proto::v1::flow_tracker_service_client::FlowTrackerServiceClient;
use flowtracker_proto::v1::{ListEntriesRequest, Reply, ReplyStatus};
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use crate::door::reason;
use crate::rig::*;

/// A table whose list does not fit into what is buffered on the way to a client.
fn large() -> Vec<EntryRecord> {
    (0..3_000).map(|n| learned(n, T, T)).collect()
}

#[tokio::test]
async fn the_list_that_nobody_reads_gives_way() {
    let service = Service::with(&["--max-lists", "3"]).await;
    Plane::fresh(&service).await.serve(large(), T);
    let list = || async {
        let mut client = FlowTrackerServiceClient::new(small_window(service.addr).await);
        client.list_entries(ListEntriesRequest::default()).await.map(tonic::Response::into_inner)
    };
    let mut stuck = Vec::new();
    for _ in 0..3 {
        stuck.push(list().await.unwrap());
    }
    for _ in 0..2 {
        let mut listed = 0;
        let mut replies = list().await.unwrap();
        while let Some(reply) = soon("entries", replies.message()).await.unwrap() {
            listed += reply.entries.len();
        }
        assert_eq!((listed, service.refused(Reason::StalledList)), (3_000, 1));
    }
    let mut ends = Vec::new();
    for mut replies in stuck {
        ends.push(loop {
            match soon("the rest", replies.message()).await {
                Ok(Some(_)) => {}
                Ok(None) => break None,
                Err(status) => break Some(reason(&status)),
            }
        });
    }
    let stalled = Some((Code::ResourceExhausted, "STALLED".to_owned()));
    assert_eq!(ends, [stalled, None, None], "the first had stalled longest");
    assert_eq!(service.refused(Reason::TooManyLists), 0);
}

/// Connects with windows so small that an unread list stalls soon.
async fn small_window(addr: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{addr}")).unwrap();
    endpoint
        .initial_stream_window_size(1 << 16)
        .initial_connection_window_size(1 << 16)
        .connect()
        .await
        .unwrap()
}

#[tokio::test]
async fn lists_that_are_read_do_not_give_way() {
    let service = Service::with(&["--max-lists", "1"]).await;
    let mut plane = Plane::fresh(&service).await;
    let mut client = service.client().await;
    // Its data plane does not answer, so its reader has nothing to take.
    let _first = client.list_entries(ListEntriesRequest::default()).await.unwrap();
    plane.command().await;
    let refused = client.list_entries(ListEntriesRequest::default()).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::ResourceExhausted, "TOO_MANY_LISTS".to_owned()));
    assert_eq!(service.refused(Reason::TooManyLists), 1);
}

#[tokio::test]
async fn a_list_that_the_data_plane_refuses_has_not_stalled() {
    let service = Service::start().await;
    let mut plane = Plane::fresh(&service).await;
    let mut client = service.client().await;
    let mut replies = client.list_entries(ListEntriesRequest::default()).await.unwrap().into_inner();
    let id = plane.command().await.id;
    let busy = Reply { reason: "BUSY".to_owned(), ..status(id, ReplyStatus::ResourceExhausted) };
    plane.reply(busy).await;
    let refused = soon("the end", replies.message()).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::ResourceExhausted, "BUSY".to_owned()));
    assert_eq!(service.refused(Reason::StalledList), 0);
}
