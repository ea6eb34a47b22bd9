//! Follows the events of a table, as the control service does.

use std::collections::HashMap;

use conntrack::tracker::{Cursor, Step};
use conntrack::{Entry, Event, EventBody, FlowKey, FlowKeyV6};

use super::super::super::{Desk, TableDesk};
use crate::export::TableEvent;
use crate::test_key::{self, TestKey};

/// The table of a test.
pub(in super::super) trait RigKey: TestKey {
    /// The key of the other table.
    type Beside: RigKey;

    /// Returns the desk of its table.
    fn desk(desk: &Desk) -> &TableDesk<Self>;
    /// Turns its table off.
    fn turn_off(desk: &mut Desk);
    /// Returns the event, if it is of its table.
    fn event(event: &TableEvent) -> Option<&Event<Self>>;
}

impl RigKey for FlowKey {
    type Beside = FlowKeyV6;

    fn desk(desk: &Desk) -> &TableDesk<Self> {
        desk.ipv4.as_ref().expect("both tables are on")
    }

    fn turn_off(desk: &mut Desk) {
        desk.ipv4 = None;
    }

    fn event(event: &TableEvent) -> Option<&Event<Self>> {
        if let TableEvent::Ipv4(event) = event { Some(event) } else { None }
    }
}

impl RigKey for FlowKeyV6 {
    type Beside = FlowKey;

    fn desk(desk: &Desk) -> &TableDesk<Self> {
        desk.ipv6.as_ref().expect("both tables are on")
    }

    fn turn_off(desk: &mut Desk) {
        desk.ipv6 = None;
    }

    fn event(event: &TableEvent) -> Option<&Event<Self>> {
        if let TableEvent::Ipv6(event) = event { Some(event) } else { None }
    }
}

/// The entries that a listener knows, by their keys.
pub(super) type Known<K> = HashMap<K, Entry<K>>;

/// Follows an event of a table.
pub(super) fn follow<K: RigKey>(known: &mut Known<K>, event: &Event<K>) {
    match event.body {
        EventBody::Created(entry) | EventBody::Updated(entry) | EventBody::ResyncEntry(entry) => {
            known.insert(entry.key, entry);
        }
        EventBody::Deleted { entry, .. } => {
            known.remove(&entry.key);
        }
        EventBody::ResyncBegin | EventBody::Purged(_) => known.clear(),
        EventBody::ResyncEnd | EventBody::Flushed(_) | EventBody::Loaded => {}
    }
}

/// Checks that the events of a table add up to it.
pub(super) fn adds_up<K: RigKey>(known: &Known<K>, shard: &test_key::Shard) {
    let identity = |e: &Entry<K>| (e.created_ms, e.aging_ms, e.permissions, e.creator, e.updater);
    let (mut table, mut cursor, mut positions) = (HashMap::new(), Cursor::default(), u32::MAX);
    while let Step::Entry(entry) = K::tracker(shard).step(&mut cursor, &mut positions) {
        table.insert(entry.key, identity(&entry));
    }
    let known: HashMap<_, _> = known.iter().map(|(key, e)| (*key, identity(e))).collect();
    assert_eq!(known, table, "the events do not add up to the table");
}
