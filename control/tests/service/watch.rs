//! Watchers: snapshots, cursors, gaps, marks, and the effect of a slow watcher on the others.

use std::sync::Arc;

use control::api::service::UserService;
use control::api::watch;
use control::mirror::hub::Hub;
use control::stop;
use flowtracker_proto::v1::flow_tracker_service_server::FlowTrackerService as _;
use flowtracker_proto::v1::{Event, EventType, WatchEventsRequest, WatchEventsResponse};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tonic::Code;
use tonic_types::StatusExt;

use crate::rig::*;

/// Returns a hub with "dp" attached, and the number of its link.
async fn hub(retain: usize) -> (Arc<Hub>, u64) {
    let hub = Arc::new(Hub::new(7, retain).unwrap());
    let link = hub.attach(&hello("dp", 1, &[1]), 16, T).await.unwrap();
    (hub, link)
}

async fn create(hub: &Hub, link: u64, flows: impl Iterator<Item = u16>) {
    let records = flows.map(|n| report(&created(n, T)));
    hub.apply("dp", link, 1, records).await.unwrap();
}

async fn event_of(stream: &mut mpsc::Receiver<watch::Response>, ready: &mut Vec<Event>) -> Event {
    while ready.is_empty() {
        let response = stream.recv().await.unwrap().unwrap();
        *ready = WatchEventsResponse::decode(response).unwrap().events;
        ready.reverse();
    }
    ready.pop().unwrap()
}

#[tokio::test]
async fn snapshot_then_live_without_seam() {
    let service = Service::start().await;
    let mut plane = Plane::fresh(&service).await;
    plane.send(1, vec![created(1, T), created(2, T), expired(1, T)]).await;
    plane.settled(&service).await;
    let mut watcher = service.watch(snapshot()).await;
    let first = watcher.next().await;
    assert_eq!((word(&first).as_str(), first.seq), ("CREATED 2", 3), "at the cut's number");
    let synced = watcher.next().await;
    assert_eq!((synced.r#type(), synced.seq), (EventType::Synced, 3));
    plane.send(1, vec![created(3, T)]).await;
    let live = watcher.next().await;
    assert_eq!((word(&live).as_str(), live.seq), ("CREATED 3", 4));
    let entry = live.entry.unwrap();
    assert_eq!((entry.created_ms_ago, entry.idle_ms), (0, 0), "ages are as of the event");
    assert_eq!(entry.created_by.unwrap().process, "dataplane:dp");
    service.stop().await;
}

#[tokio::test]
async fn a_cursor_resumes_or_is_refused_with_a_reason() {
    let service = Service::with(&["--retain", "3"]).await;
    let mut plane = Plane::fresh(&service).await;
    plane.send(1, (1..=5).map(|n| created(n, T)).collect()).await;
    plane.settled(&service).await;
    let epoch = service.hub.epoch();
    let mut watcher = service.watch(after(epoch, 2)).await;
    assert_eq!(watcher.words(3).await, ["CREATED 3", "CREATED 4", "CREATED 5"]);
    for (epoch_asked, seq, reason) in
        [(epoch + 1, 2, "EPOCH_GONE"), (epoch, 1, "SEQ_TOO_OLD"), (epoch, 6, "SEQ_IN_FUTURE")]
    {
        let mut client = service.client().await;
        let refused = client.watch_events(watch_request(after(epoch_asked, seq))).await.unwrap_err();
        assert_eq!(refused.code(), Code::OutOfRange);
        let info = refused.get_details_error_info().unwrap();
        assert_eq!(info.reason, reason);
        let metadata = |name: &str| info.metadata[name].parse::<u64>().unwrap();
        assert_eq!((metadata("epoch"), metadata("oldest_seq"), metadata("last_seq")), (epoch, 3, 5));
    }
}

#[tokio::test]
async fn a_slow_watcher_is_told_of_its_gap_and_goes_on() {
    let (hub, link) = hub(4).await;
    let (_stopper, stop) = stop::channel();
    let (mut stream, _) = watch::start(hub.clone(), watch_request(snapshot()), stop, ()).await.unwrap();
    // While the watcher does not read, the queue fills and the log moves on.
    for n in 1..=2000 {
        create(&hub, link, std::iter::once(n)).await;
        tokio::task::yield_now().await;
    }
    let (mut fold, mut ready) = (Fold::default(), Vec::new());
    while !has_reached(&fold, 2000) || fold.gaps().is_empty() {
        take(&mut fold, &event_of(&mut stream, &mut ready).await);
    }
    assert_eq!(table(&fold).len(), 2000);
    let tally = fold.tally();
    assert_eq!(tally.snapshots, tally.gaps + 1, "SYNCED exactly once per snapshot");
    assert_eq!(hub.log_stats().gaps, tally.gaps);
    create(&hub, link, 2001..2003).await;
    while !has_reached(&fold, 2002) {
        take(&mut fold, &event_of(&mut stream, &mut ready).await);
    }
    assert_eq!(table(&fold).len(), 2002);
}

#[tokio::test(start_paused = true)]
async fn progress_every_second_when_idle_with_the_last_number_considered() {
    let (hub, link) = hub(100).await;
    let (_stopper, stop) = stop::channel();
    let request = WatchEventsRequest { dataplane: "other".to_owned(), ..watch_request(now()) };
    let (mut other, _) = watch::start(hub.clone(), request, stop.clone(), ()).await.unwrap();
    let (mut all, _) = watch::start(hub.clone(), watch_request(now()), stop, ()).await.unwrap();
    let begin = tokio::time::Instant::now();
    let mut ready = Vec::new();
    for second in 1..=3 {
        let mark = event_of(&mut all, &mut ready).await;
        assert_eq!((mark.r#type(), mark.seq), (EventType::Progress, 0));
        assert_eq!(begin.elapsed().as_secs(), second);
    }
    create(&hub, link, 1..4).await;
    for n in 1..4 {
        assert_eq!(event_of(&mut all, &mut ready).await.seq, n);
    }
    let mark = loop {
        let event = event_of(&mut other, &mut ready).await;
        assert_eq!(event.r#type(), EventType::Progress, "the other data plane's events are not ours");
        if event.seq > 0 {
            break event;
        }
    };
    assert_eq!(mark.seq, 3);
}

#[tokio::test]
async fn a_stuck_watcher_stops_nobody() {
    let service = Service::with(&["--retain", "1000"]).await;
    let mut plane = Plane::fresh(&service).await;
    let stuck = service.watch(now()).await;
    let mut lively = service.watch(now()).await;
    let total = 30_000_u64;
    let feed = tokio::spawn(async move {
        for round in 0..total / 100 {
            let first = (round * 100 % 60_000) as u16;
            plane.send(1, (first..first + 100).map(|n| created(n, T)).collect()).await;
        }
        plane
    });
    let mut fold = Fold::of_present();
    while !has_reached(&fold, total) {
        take(&mut fold, &lively.next().await);
    }
    assert_eq!(service.mirrored().await.len() as u64, total);
    drop(feed.await.unwrap());
    drop(stuck);
}

#[tokio::test]
async fn streams_end_when_the_service_does() {
    let service = Service::start().await;
    let mut watcher = service.watch(now()).await;
    let mut plane = Plane::fresh(&service).await;
    service.stop().await;
    let end = loop {
        if let Err(status) = watcher.any().await {
            break status;
        }
    };
    assert_eq!(end.code(), Code::Unavailable);
    assert_eq!(plane.ended().await.unwrap_err().code(), Code::Unavailable);
}

/// The generated server and the prepared one send the same.
#[tokio::test]
async fn messages_are_what_the_bytes_say() {
    let (hub, link) = hub(100).await;
    create(&hub, link, 1..4).await;
    let (_stopper, stop) = stop::channel();
    let service = UserService::new(hub.clone(), Arc::default(), door(&[]), stop);
    let bytes = service.watch(watch_request(after(7, 0))).await.unwrap();
    let messages = service.watch_events(tonic::Request::new(watch_request(after(7, 0)))).await.unwrap();
    for header in ["x-flowtracker-epoch", "x-flowtracker-seq"] {
        assert_eq!(bytes.metadata().get(header), messages.metadata().get(header));
    }
    let bytes = bytes.into_inner().next().await.unwrap().unwrap();
    let message = messages.into_inner().next().await.unwrap().unwrap();
    assert_eq!(message.events.len(), 3);
    assert_eq!(message.encode_to_vec(), bytes);
}
