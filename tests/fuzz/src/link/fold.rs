//! A watcher that follows a feed, and holds what the events have told it.

use std::collections::HashMap;
use std::sync::Arc;

use control::mirror::feed::{Feed, Item, Origin};
use control::mirror::hub::Hub;
use control::mirror::predicate::Predicate;
use flowtracker_proto::change::{Change, Changed, EntryState};
use flowtracker_proto::filter::Program;
use flowtracker_proto::key::FlowKey;

/// The entries of all data planes.
type Tables = HashMap<(Arc<str>, FlowKey), EntryState>;

pub(super) struct Watcher {
    feed: Feed,
    held: Tables,
    last: u64,
}

impl Watcher {
    pub(super) async fn start(hub: &Arc<Hub>) -> Self {
        let predicate = Predicate::new(String::new(), None, Program::ALL);
        let feed = Feed::start(hub.clone(), predicate, Origin::Snapshot).await;
        let feed = feed.expect("a snapshot can always be had");
        Self { last: feed.cursor(), feed, held: Tables::new() }
    }

    /// Follows the feed to its present end, and compares what is held with the mirror.
    pub(super) async fn catch_up(&mut self, hub: &Hub) {
        let mut synced = false;
        loop {
            match self.feed.next().await {
                Item::Events(run, _) => {
                    for (seq, event) in run.events() {
                        assert_eq!(seq, self.last + 1, "a hole without a notice");
                        self.last = seq;
                        self.event(event);
                    }
                    // What is encoded is decoded by clients; that it can be encoded is checked here.
                    let _ = run.encoded();
                }
                Item::Gap { from, to } => {
                    assert!(from == self.last + 1 && to >= self.last, "{from} to {to} after {}", self.last);
                    self.last = to;
                    self.held.clear();
                }
                Item::Entries { cut, dataplane, entries } => {
                    assert_eq!(cut, self.last);
                    for entry in entries {
                        let twice = self.held.insert((dataplane.clone(), entry.key), entry);
                        assert_eq!(twice, None, "an entry is twice in a snapshot");
                    }
                }
                Item::Synced(cut) => {
                    assert_eq!(cut, self.last);
                    synced = true;
                }
                Item::Progress(seq) => {
                    assert_eq!(seq, self.last);
                    break;
                }
            }
            assert!(self.held.len() <= 10_000, "more entries than were ever reported");
        }
        let copy = hub.snapshot().await;
        assert_eq!(copy.cut(), self.last);
        let parts = copy.parts().expect("it was just made");
        let mirror: Tables = parts
            .iter()
            .flat_map(|(name, entries)| entries.iter().map(|e| ((name.clone(), e.key), e.clone())))
            .collect();
        assert_eq!(mirror.len(), self.held.len(), "{mirror:?} is not {:?} (synced: {synced})", self.held);
        for (key, held) in &self.held {
            let there = mirror.get(key).unwrap_or_else(|| panic!("{key:?} is not in the mirror"));
            // Counts and times are refreshed without an event.
            assert_eq!(there.create_ns, held.create_ns, "{key:?}");
            assert!(there.same_attributes(held), "{there:?} is not {held:?}");
        }
    }

    fn event(&mut self, event: &Changed) {
        let of = |entry: &EntryState| (event.dataplane.clone(), entry.key);
        match &event.change {
            Change::Created(entry) => {
                assert_eq!(self.held.insert(of(entry), entry.clone()), None, "CREATED of what is there");
            }
            Change::Updated(entry) => {
                let known = self.held.insert(of(entry), entry.clone()).map(|known| known.create_ns);
                assert_eq!(known, Some(entry.create_ns), "UPDATED of what is not there");
            }
            Change::Deleted { entry, .. } => {
                let known = self.held.remove(&of(entry)).map(|known| known.create_ns);
                assert_eq!(known, Some(entry.create_ns), "DELETED of what is not there");
            }
            Change::Purged(family) => {
                self.held
                    .retain(|(dataplane, key), _| *dataplane != event.dataplane || key.family() != *family);
            }
            Change::Flushed { .. } | Change::Loaded(_) => {}
        }
    }
}
