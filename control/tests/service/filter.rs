//! Filters over the wire: the events of a watcher, the entries of a list, and the refusal of a bad
//! expression.

use std::collections::BTreeMap;

use flowtracker_proto::test_support::event::Key;
use flowtracker_proto::v1::{
    DumpCommand, EventType, ListEntriesRequest, RecordKind, ReplyStatus, WatchEventsRequest, command,
};
use proptest::prelude::RngExt as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::rig::*;

/// Returns true for the keys that a filter is to keep.
type Keeps = fn(&Key) -> bool;

/// Returns the violation of a refused request: its field and its description.
fn violation(refused: &Status) -> (String, String) {
    assert_eq!(refused.code(), Code::InvalidArgument);
    let [violation] = &refused.get_details_bad_request().unwrap().field_violations[..] else {
        panic!("one field is wrong: {refused:?}")
    };
    (violation.field.clone(), violation.description.clone())
}

async fn list(service: &Service, filter: &str) -> Result<Vec<u32>, Status> {
    let request = ListEntriesRequest { filter: filter.to_owned(), ..ListEntriesRequest::default() };
    let mut replies = service.client().await.list_entries(request).await?.into_inner();
    let mut ports = Vec::new();
    while let Some(reply) = soon("entries", replies.message()).await? {
        ports.extend(reply.entries.into_iter().map(|entry| entry.key.unwrap().src_port));
    }
    Ok(ports)
}

#[tokio::test]
async fn a_watcher_is_told_of_what_its_filter_wants_and_of_every_mark() {
    let service = Service::start().await;
    let mut plane = Plane::fresh(&service).await;
    plane.send(1, (1..=3).map(|n| created(n, T)).collect()).await;
    plane.settled(&service).await;
    let mut watcher =
        service.watch_filtered(snapshot(), "key.srcPort = 2 || key.srcPort = 5 && cmd = delete").await;
    assert_eq!(watcher.words(2).await, ["CREATED 2", "SYNCED"]);
    plane.send(1, vec![created(4, T), created(5, T), expired(2, T), expired(5, T)]).await;
    plane.send(1, vec![bare(RecordKind::Flushed), bare(RecordKind::Purged), bare(RecordKind::Loaded)]).await;
    plane.settled(&service).await;
    let mut told = Vec::new();
    for _ in 0..5 {
        let event = watcher.next().await;
        told.push((event.seq, word(&event)));
    }
    let told: Vec<_> = told.iter().map(|(seq, word)| (*seq, word.as_str())).collect();
    assert_eq!(
        told,
        [
            (6, "DELETED 2 IDLE"),
            (7, "DELETED 5 IDLE"),
            (8, "FLUSHED"),
            (9, "LIFECYCLE PURGED"),
            (10, "LIFECYCLE LOADED")
        ]
    );
}

#[tokio::test]
async fn a_resumed_stream_has_holes_and_its_marks_go_on() {
    let service = Service::start().await;
    let mut plane = Plane::fresh(&service).await;
    plane.send(1, (1..=600).map(|n| created(n, T)).collect()).await;
    plane.settled(&service).await;
    let epoch = service.hub.epoch();
    let mut watcher = service.watch_filtered(after(epoch, 100), "key.srcPort = 7 || key.srcPort = 555").await;
    let event = watcher.next().await;
    assert_eq!((word(&event).as_str(), event.seq), ("CREATED 555", 555), "7 came before the cursor");
    // No further event matches: the marks show how far the stream has come.
    let mark = watcher.any().await.unwrap();
    assert_eq!((mark.r#type(), mark.seq), (EventType::Progress, 600));
    let mut resumed = service.watch_filtered(after(epoch, mark.seq), "key.srcPort = 601").await;
    plane.send(1, vec![created(602, T), created(601, T)]).await;
    let event = resumed.next().await;
    assert_eq!((word(&event).as_str(), event.seq), ("CREATED 601", 602));
}

/// Checks `snapshot ∪ events == table`, with the filter on both sides, for any part of the history
/// that the snapshot covers.
#[tokio::test]
async fn what_a_filtered_watcher_folds_is_the_filtered_table() {
    let service = Service::start().await;
    let mut plane = Plane::fresh(&service).await;
    let filters: [(&str, Keeps); 4] = [
        ("key.srcPort = 3", |key| key.src_port == 3),
        ("!(key.srcPort = 3)", |key| key.src_port != 3),
        ("key.dstAddr = 10.0.0.0/24", |_| true),
        ("prio < 64000", |_| false),
    ];
    let mut watchers = Vec::new();
    let mut alive = BTreeMap::new();
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    for time in 0..400 {
        if time % 100 == 50 {
            plane.settled(&service).await;
            for (filter, keeps) in filters {
                watchers.push((filter, keeps, service.watch_filtered(snapshot(), filter).await));
            }
        }
        let n = random.random_range(0..8);
        let event = match alive.get(&n) {
            None => created(n, T + time),
            Some(created_at) if random.random() => {
                record(RecordKind::Updated, T + time, learned(n, *created_at, T + time))
            }
            Some(created_at) => expired(n, *created_at),
        };
        match event.kind {
            RecordKind::Created => drop(alive.insert(n, T + time)),
            RecordKind::Deleted => drop(alive.remove(&n)),
            _ => {}
        }
        plane.send(1, vec![event]).await;
    }
    plane.settled(&service).await;
    let mut all = Fold::default();
    let mut whole = service.watch(snapshot()).await;
    while all.position().is_none() {
        take(&mut all, &whole.next().await);
    }
    let all = (table(&all), all.position().unwrap().1);
    assert_eq!((all.0.len(), all.1), (alive.len(), 400));
    for (filter, keeps, mut watcher) in watchers {
        let mut fold = Fold::default().filtered();
        while !has_reached(&fold, 400) {
            take(&mut fold, &watcher.any().await.unwrap());
        }
        let mut expected = all.0.clone();
        expected.retain(|key, _| keeps(key));
        assert_eq!(table(&fold), expected, "{filter}");
    }
}

/// A table larger than one step of the search, of which almost all or almost no entries match.
#[tokio::test]
async fn a_large_snapshot_is_filtered_to_its_last_entry() {
    let service = Service::start().await;
    let mut plane = Plane::fresh(&service).await;
    for first in (0..10_000).step_by(1000) {
        plane.send(1, (first..first + 1000).map(|n| created(n, T)).collect()).await;
    }
    plane.settled(&service).await;
    for (filter, wanted) in [
        ("!(key.srcPort = 5)", 9_999),
        ("key.srcPort = 9999 || key.srcPort = 0", 2),
        ("prio = 64000", 10_000),
        ("prio = 1", 0),
    ] {
        let mut watcher = service.watch_filtered(snapshot(), filter).await;
        let mut fold = Fold::default();
        while fold.position().is_none() {
            take(&mut fold, &watcher.next().await);
        }
        let cut = fold.position().unwrap().1;
        assert_eq!((table(&fold).len(), cut), (wanted, 10_000), "{filter}");
    }
}

#[tokio::test]
async fn a_list_is_filtered_by_the_data_plane() {
    let service = Service::start().await;
    let table = (1..=30).map(|n| learned(n, T, T + u64::from(n) * SEC)).collect();
    Plane::fresh(&service).await.serve(table, T + 31 * SEC);
    for (filter, expected) in [
        ("", (1..=30).collect::<Vec<_>>()),
        ("key.srcPort = 7 || key.srcPort = 30", vec![7, 30]),
        ("msecs_since >= 29000", vec![1, 2]),
        ("msecs_since > 29000 ^^ key.srcPort = 2", vec![1, 2]),
        ("!(msecs_since > 1000)", vec![30]),
        ("key.dstAddr = \"10.0.0.3/31\" && key.srcPort = 5", vec![5]),
        ("key.input_port = port1", vec![]),
        ("prio = 64000 && key.protocol = tcp && key.srcPort = 9", vec![9]),
    ] {
        assert_eq!(list(&service, filter).await.unwrap(), expected, "{filter}");
    }
}

#[tokio::test]
async fn no_filter_is_absent_on_the_link_and_a_filter_is_a_program() {
    let service = Service::start().await;
    let mut plane = Plane::fresh(&service).await;
    for (filter, steps) in [("", None), ("prio = 1 && key.srcPort = 1", Some(3))] {
        let request = ListEntriesRequest { filter: filter.to_owned(), ..ListEntriesRequest::default() };
        let mut replies = service.client().await.list_entries(request).await.unwrap().into_inner();
        let command = plane.command().await;
        let Some(command::Body::Dump(DumpCommand { filter, pipeline })) = command.body else {
            panic!("{command:?}")
        };
        assert_eq!(pipeline, "flowtracker");
        assert_eq!(filter.map(|filter| filter.steps.len()), steps);
        plane.reply(status(command.id, ReplyStatus::Ok)).await;
        assert_eq!(soon("the end", replies.message()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_bad_expression_is_refused_under_its_field_with_a_column() {
    let service = Service::start().await;
    // No data plane is attached: the expression is checked before any data plane is asked.
    let refused = list(&service, "prio = 1 && key.dstport = 1").await.unwrap_err();
    let wrong = "column 17: unknown key field \"dstport\"; did you mean dstPort?";
    assert_eq!(violation(&refused), ("filter".to_owned(), wrong.to_owned()));
    assert_eq!(refused.message(), format!("filter: {wrong}"));
    for (filter, wrong) in [
        (" ", "column 2: a comparison is missing, such as key.dstPort = 1234"),
        (
            "msecs_since > 1",
            "column 1: msecs_since has no meaning for a stream of events: it is known to lists and flushes only",
        ),
    ] {
        let request = WatchEventsRequest { filter: filter.to_owned(), ..WatchEventsRequest::default() };
        let refused = service.client().await.watch_events(request).await.unwrap_err();
        assert_eq!(violation(&refused), ("filter".to_owned(), wrong.to_owned()));
    }
    // The longest text and the longest words that a message may repeat still fit into the headers
    // of an answer.
    let wide = format!("key.srcAddr = \"{}\"{}", "\u{7f}".repeat(64), " ".repeat(4000));
    assert!(violation(&list(&service, &wide).await.unwrap_err()).1.starts_with("column 15"));
    let long = "\u{10ffff}".repeat(2000);
    assert!(violation(&list(&service, &long).await.unwrap_err()).1.starts_with("column 1025"));
}
