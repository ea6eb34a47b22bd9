//! The events of both tables: their resync, their purges, and watchers of one of them.

use flowtracker_proto::table::Family;
use flowtracker_proto::v1::{RecordKind, WatchEventsRequest, start};

use crate::rig::*;

async fn watch_table(service: &Service, family: Family, at: start::At) -> Watcher {
    let pipeline = family.pipeline().to_owned();
    service.watch_as(WatchEventsRequest { pipeline, ..watch_request(at) }).await
}

#[tokio::test]
async fn a_watcher_of_a_table_gets_its_events_and_every_mark() {
    let service = Service::start().await;
    let mut plane = Plane::fresh_of_both(&service).await;
    plane.send(1, vec![created(1, T), wide(created(2, T)), created(3, T)]).await;
    plane.settled(&service).await;
    let mut narrow = watch_table(&service, Family::Ipv4, snapshot()).await;
    let mut other = watch_table(&service, Family::Ipv6, snapshot()).await;
    let mut both = service.watch(snapshot()).await;
    let mut words = narrow.words(3).await;
    words[..2].sort();
    assert_eq!(words, ["CREATED 1", "CREATED 3", "SYNCED"]);
    assert_eq!(other.words(2).await, ["CREATED 2 IPV6", "SYNCED"]);
    assert_eq!(both.words(4).await[3], "SYNCED");
    plane
        .send(
            1,
            vec![
                wide(expired(2, T)),
                expired(1, T),
                wide(bare(RecordKind::Flushed)),
                bare(RecordKind::Flushed),
                wide(bare(RecordKind::Purged)),
                wide(bare(RecordKind::Loaded)),
                bare(RecordKind::Purged),
                bare(RecordKind::Loaded),
                created(5, T),
                wide(created(6, T)),
            ],
        )
        .await;
    let of_ipv4 = ["DELETED 1 IDLE", "FLUSHED", "LIFECYCLE PURGED", "LIFECYCLE LOADED", "CREATED 5"];
    let of_ipv6 = [
        "DELETED 2 IDLE IPV6",
        "FLUSHED IPV6",
        "LIFECYCLE PURGED IPV6",
        "LIFECYCLE LOADED IPV6",
        "CREATED 6 IPV6",
    ];
    assert_eq!(narrow.words(5).await, of_ipv4);
    assert_eq!(other.words(5).await, of_ipv6);
    let mut all = both.words(10).await;
    all.sort();
    let mut expected = [of_ipv4, of_ipv6].concat();
    expected.sort_unstable();
    assert_eq!(all, expected);
}

/// A shard may begin or end the resync of one table anywhere within the resync of the other.
#[tokio::test]
async fn the_resyncs_of_both_tables_go_on_side_by_side() {
    let service = Service::start().await;
    let mut watcher = service.watch(now()).await;
    let mut plane = Plane::fresh_of_both(&service).await;
    plane.send(1, (1..=3).map(|n| created(n, T)).collect()).await;
    plane.send(1, (1..=3).map(|n| wide(created(n, T))).collect()).await;
    assert_eq!(watcher.words(6).await.len(), 6);
    plane.cut(&service).await;

    let mut plane = Plane::attach(&service, hello_of_both("dp", 1, &[1])).await.unwrap();
    let is_synced = || service.hub.dataplanes()[0].synced;
    plane
        .send(
            1,
            vec![
                wide(bare(RecordKind::ResyncBegin)),
                bare(RecordKind::ResyncBegin),
                present(1, T),
                wide(present(2, T)),
                present(2, T),
                wide(present(3, T)),
                bare(RecordKind::ResyncEnd),
                created(4, T + SEC),
            ],
        )
        .await;
    assert_eq!(watcher.words(2).await, ["DELETED 3 RESYNC", "CREATED 4"]);
    plane.settled(&service).await;
    assert!(!is_synced(), "the table of IPv6 is still under way");
    assert_eq!(service.hub.dataplanes()[0].entries, 6, "nothing of IPv6 is gone yet");
    plane.send(1, vec![wide(bare(RecordKind::ResyncEnd)), wide(created(4, T + SEC))]).await;
    assert_eq!(watcher.words(2).await, ["DELETED 1 RESYNC IPV6", "CREATED 4 IPV6"]);
    plane.settled(&service).await;
    assert!(is_synced());
}

/// A watcher of one table that was left behind gets a snapshot of that table.
#[tokio::test]
async fn after_a_gap_comes_a_snapshot_of_the_same_table() {
    let service = Service::with(&["--retain", "2"]).await;
    let mut plane = Plane::fresh_of_both(&service).await;
    plane.send(1, vec![created(1, T), wide(created(2, T))]).await;
    plane.settled(&service).await;
    let mut watcher = watch_table(&service, Family::Ipv6, snapshot()).await;
    // A batch is taken in at once, and a log of two events holds the end of it.
    plane.send(1, (10..100).map(|n| wide(created(n, T))).collect()).await;
    plane.send(1, vec![bare(RecordKind::Purged), wide(bare(RecordKind::Purged)), wide(created(3, T))]).await;
    plane.send(1, vec![created(4, T)]).await;
    plane.settled(&service).await;
    let last = service.hub.window(0).last_seq;
    let mut fold = Fold::default().filtered();
    while !has_reached(&fold, last) {
        let event = watcher.any().await.unwrap();
        assert!(event.entry.as_ref().is_none_or(|entry| entry.pipeline == Family::Ipv6.pipeline()));
        take(&mut fold, &event);
    }
    assert!(fold.tally().gaps > 0);
    assert_eq!(table(&fold).into_keys().collect::<Vec<_>>(), [wide_key(3)]);
}

/// A data plane that is restarted without IPv6 has no table whose resync could report what is gone.
#[tokio::test]
async fn what_a_restart_leaves_out_is_gone() {
    let service = Service::start().await;
    let mut watcher = service.watch(now()).await;
    let mut plane = Plane::fresh_of_both(&service).await;
    plane.send(1, vec![created(1, T), wide(created(2, T))]).await;
    assert_eq!(watcher.words(2).await, ["CREATED 1", "CREATED 2 IPV6"]);
    plane.cut(&service).await;
    let mut plane = Plane::attach(&service, hello("dp", 2, &[1])).await.unwrap();
    assert_eq!(watcher.words(1).await, ["DELETED 2 RESYNC IPV6"]);
    plane.resync(1, vec![]).await;
    assert_eq!(watcher.words(1).await, ["DELETED 1 RESYNC"]);
    plane.settled(&service).await;
    assert!(service.hub.dataplanes()[0].synced);
}
