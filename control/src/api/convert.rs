//! From the compact forms to the messages of the API.

use flowtracker_proto::Timestamp;
use flowtracker_proto::show;
use flowtracker_proto::v1::{DataplaneStats, Entry, EntryRecord, Event, EventType, Record, RecordKind};

use crate::mirror::log::{Change, LogRecord};
use crate::mirror::registry::EntryState;

/// The entry in the form of the link, which is what both this service and a replay show.
fn record(state: &EntryState) -> EntryRecord {
    EntryRecord {
        permissions: u32::from(state.permissions),
        dynamic: state.dynamic,
        profile_id: u32::from(state.profile_id),
        aging_ms: state.aging_ms,
        create_time_ns: state.create_ns,
        last_used_time_ns: state.last_used_ns,
        packets: state.packets,
        bytes: state.bytes,
        created_by: state.created_by.as_deref().cloned(),
        updated_by: state.updated_by.as_deref().cloned(),
        ..state.key.to_record()
    }
}

/// The entry as the API shows it, its ages as of `time_ns`.
pub fn entry(dataplane: &str, state: &EntryState, time_ns: u64) -> Entry {
    show::entry(dataplane, record(state), time_ns)
}

/// A retained change as the event `seq` of `epoch`.
pub fn event(epoch: u64, seq: u64, change: &LogRecord) -> Event {
    let of = |kind: RecordKind, state: Option<&EntryState>| Record {
        kind: kind.into(),
        time_ns: change.time_ns,
        entry: state.map(record),
        ..Record::default()
    };
    let record = match &change.change {
        Change::Created(state) => of(RecordKind::Created, Some(state)),
        Change::Updated(state) => of(RecordKind::Updated, Some(state)),
        Change::Deleted { entry, reason, by } => Record {
            reason: (*reason).into(),
            deleted_by: by.as_deref().cloned(),
            ..of(RecordKind::Deleted, Some(entry))
        },
        Change::Flushed { deleted, failed } => {
            Record { deleted: *deleted, failed: *failed, ..of(RecordKind::Flushed, None) }
        }
        Change::Purged => of(RecordKind::Purged, None),
        Change::Loaded => of(RecordKind::Loaded, None),
    };
    show::event(epoch, seq, &change.dataplane, record).expect("a change is an event")
}

/// An entry of a snapshot: CREATED at the cut, as the mirror last knew it.
pub fn snapshot_event(epoch: u64, cut: u64, dataplane: &str, state: &EntryState) -> Event {
    Event {
        epoch,
        seq: cut,
        time: Some(Timestamp::from_unix_ns(state.as_of_ns)),
        dataplane: dataplane.to_owned(),
        r#type: EventType::Created.into(),
        entry: Some(entry(dataplane, state, state.as_of_ns)),
        ..Event::default()
    }
}

/// The last known counters of a data plane that does not answer.
pub fn stale_stats(dataplane: &str, last: Option<&DataplaneStats>) -> DataplaneStats {
    let mut stats = last.cloned().unwrap_or_default();
    dataplane.clone_into(&mut stats.dataplane);
    stats.live = false;
    stats
}
