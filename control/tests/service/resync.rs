//! The events that a watcher gets after a cut link, a restarted data plane and a purge.

use std::time::{Duration, Instant};

use control::mirror::dataplane::DETACHED_FOR;
use control::mirror::hub::Hub;
use flowtracker_proto::v1::{EventType, RecordKind};

use crate::rig::*;

#[tokio::test]
async fn the_difference_is_reported_and_nothing_else() {
    let service = Service::start().await;
    let mut watcher = service.watch(now()).await;
    let mut plane = Plane::fresh(&service).await;
    plane.send(1, (1..=5).map(|n| created(n, T)).collect()).await;
    assert_eq!(watcher.words(5).await.len(), 5);
    plane.cut(&service).await;

    let mut plane = Plane::attach(&service, hello("dp", 1, &[1])).await.unwrap();
    // 1 is unchanged, 2 was replaced, 3 was updated, 4 expires during the resync, 5 was deleted, 6
    // is new, and 7 is created during the resync.
    let mut updated = present(3, T);
    updated.entry.as_mut().unwrap().aging_ms = 60_000;
    plane
        .send(
            1,
            vec![
                bare(RecordKind::ResyncBegin),
                present(1, T),
                present(2, T + SEC),
                created(7, T + SEC),
                updated,
                present(4, T),
                expired(4, T),
                present(6, T + SEC),
                present(7, T + SEC),
                bare(RecordKind::ResyncEnd),
            ],
        )
        .await;
    let words = [
        "DELETED 2 RESYNC",
        "CREATED 2",
        "CREATED 7",
        "UPDATED 3",
        "DELETED 4 IDLE",
        "CREATED 6",
        "DELETED 5 RESYNC",
    ];
    assert_eq!(watcher.words(words.len()).await, words);
    plane.settled(&service).await;
    assert_eq!(service.hub.window(0).last_seq, 5 + words.len() as u64);
    assert!(service.hub.dataplanes()[0].synced);
}

#[tokio::test]
async fn a_restart_on_other_lcores_deletes_nothing_before_all_have_spoken() {
    let service = Service::start().await;
    let mut watcher = service.watch(now()).await;
    let mut plane = Plane::attach(&service, hello("dp", 1, &[1, 2])).await.unwrap();
    plane.resync(1, vec![present(1, T), present(2, T)]).await;
    plane.resync(2, vec![present(3, T)]).await;
    assert_eq!(watcher.words(3).await, ["CREATED 1", "CREATED 2", "CREATED 3"]);
    plane.cut(&service).await;

    let mut plane = Plane::attach(&service, hello("dp", 2, &[2, 3])).await.unwrap();
    plane.resync(2, vec![]).await;
    plane.settled(&service).await;
    assert_eq!(service.hub.dataplanes()[0].entries, 3, "shard 3 may still confirm them");
    plane.resync(3, vec![present(1, T)]).await;
    let mut gone = watcher.words(2).await;
    gone.sort();
    assert_eq!(gone, ["DELETED 2 RESYNC", "DELETED 3 RESYNC"]);
}

#[tokio::test]
async fn stale_and_unknown_records_are_no_events() {
    let service = Service::start().await;
    let mut watcher = service.watch(now()).await;
    let mut plane = Plane::fresh(&service).await;
    let mut old = present(1, T);
    old.entry.as_mut().unwrap().aging_ms = 60_000;
    // The resync saw it later than the CREATED that waited in the ring. The deletion of an entry
    // that was never reported only shows that 2 is gone.
    plane.send(1, vec![old, created(1, T), expired(9, T), created(2, T), expired(2, T + SEC)]).await;
    assert_eq!(watcher.words(3).await, ["CREATED 1", "CREATED 2", "DELETED 2 RESYNC"]);
    plane.settled(&service).await;
    assert_eq!(service.hub.window(0).last_seq, 3);
    assert_eq!(service.mirrored().await[0].aging_ms, 60_000, "time is not turned back");
}

/// Times of use are whole milliseconds; the times of events are not.
#[tokio::test]
async fn every_update_is_an_event_even_within_a_millisecond() {
    let service = Service::start().await;
    let mut watcher = service.watch(now()).await;
    let mut plane = Plane::fresh(&service).await;
    let update = |at| record(RecordKind::Updated, at, learned(1, T, T));
    plane.send(1, vec![created(1, T), update(T + 1000), update(T + 2000), update(T + 2000)]).await;
    // The last update equals the one before it.
    assert_eq!(watcher.words(3).await, ["CREATED 1", "UPDATED 1", "UPDATED 1"]);
    plane.settled(&service).await;
    assert_eq!(service.hub.window(0).last_seq, 3);
}

/// The ten minutes pass by way of an argument, not of a clock.
#[tokio::test]
async fn entries_of_a_detached_data_plane_stay_ten_minutes() {
    let hub = Hub::new(1, 20_000).unwrap();
    let link = hub.attach(&hello("dp", 1, &[1]), 16, T).await.unwrap();
    let records = (0..10_000).map(|n| report(&created(n, T)));
    hub.apply("dp", link, 1, records).await.unwrap();
    let cut = Instant::now();
    hub.detach("dp", link, cut, T);
    hub.expire_detached(cut + DETACHED_FOR - Duration::from_millis(1), T).await;
    assert_eq!(hub.dataplanes()[0].entries, 10_000);
    hub.expire_detached(cut + DETACHED_FOR, T).await;
    assert!(hub.dataplanes().is_empty());
    assert_eq!(hub.window(0).last_seq, 20_000, "each of them with a DELETED");
}

#[tokio::test]
async fn a_data_plane_that_is_back_is_not_let_go() {
    let hub = Hub::new(1, 100).unwrap();
    let first = hub.attach(&hello("dp", 1, &[1]), 16, T).await.unwrap();
    let cut = Instant::now();
    hub.detach("dp", first, cut, T);
    let second = hub.attach(&hello("dp", 1, &[1]), 16, T).await.unwrap();
    hub.detach("dp", first, cut, T);
    hub.expire_detached(cut + 2 * DETACHED_FOR, T).await;
    assert!(hub.dataplanes()[0].attached, "the end of the first link is not the second's");
    assert!(hub.apply("dp", first, 1, [report(&created(1, T))]).await.is_err());
    hub.apply("dp", second, 1, [report(&created(1, T))]).await.unwrap();
}

#[tokio::test]
async fn a_purge_is_one_event_however_the_shards_drift() {
    let service = Service::start().await;
    let mut watcher = service.watch(now()).await;
    let mut plane = Plane::attach(&service, hello("dp", 1, &[1, 2])).await.unwrap();
    plane.resync(1, vec![]).await;
    plane.resync(2, vec![]).await;
    plane.send(1, vec![created(1, T)]).await;
    plane.send(2, vec![created(2, T)]).await;
    // Shard 1 is purged, loaded and working again before shard 2 reports anything.
    plane.send(1, vec![bare(RecordKind::Purged), bare(RecordKind::Loaded), created(3, T)]).await;
    plane.send(2, vec![created(4, T), bare(RecordKind::Purged)]).await;
    plane.send(2, vec![bare(RecordKind::Loaded), created(5, T)]).await;
    let words = [
        "CREATED 1",
        "CREATED 2",
        "CREATED 4",
        "LIFECYCLE PURGED",
        "LIFECYCLE LOADED",
        "CREATED 3",
        "CREATED 5",
    ];
    assert_eq!(watcher.words(words.len()).await, words);
    plane.settled(&service).await;
    assert_eq!(service.hub.dataplanes()[0].entries, 2);
}

#[tokio::test]
async fn a_flush_is_told_once_with_the_sum_of_its_shards() {
    let service = Service::start().await;
    let mut watcher = service.watch(now()).await;
    let mut plane = Plane::attach(&service, hello("dp", 1, &[1, 2])).await.unwrap();
    let flushed = |deleted, failed| Record { deleted, failed, ..bare(RecordKind::Flushed) };
    plane.send(1, vec![flushed(3, 0), flushed(1, 1)]).await;
    plane.send(2, vec![flushed(4, 2)]).await;
    plane.send(2, vec![flushed(0, 0)]).await;
    for (deleted, failed) in [(7, 2), (1, 1)] {
        let event = watcher.next().await;
        assert_eq!(event.r#type(), EventType::Flushed);
        assert_eq!((event.deleted, event.failed), (deleted, failed));
    }
}
