//! From the compact forms to the messages of the API.

use flowtracker_proto::Timestamp;
use flowtracker_proto::v1::{
    Actor, DataplaneStats, DeleteReason, Entity, Entry, Event, EventType, LifecycleKind,
};

use crate::log::{Change, LogRecord};
use crate::registry::EntryState;

/// Name of the only pipeline; its id is 1.
pub const PIPELINE: &str = "flowtracker";
/// Name of the only table; its id is 1.
pub const TABLE: &str = "Main/ct_flow_table";
/// Priority of every entry of an exact-match P4TC table.
pub const PRIORITY: u32 = 64000;
/// The control half's P bit: events of the entry are published (P4TC hides the others).
pub const PERMISSION_PUBLISH: u32 = 1 << 8;
/// The control half's R bit: the entry may be read.
pub const PERMISSION_READ: u32 = 1 << 12;

/// The 14 permission bits as P4TC's letters, most significant bit first.
pub fn permissions_text(permissions: u32) -> String {
    permission_letters(permissions).map(char::from).iter().collect()
}

/// [`permissions_text`] in ASCII.
pub fn permission_letters(permissions: u32) -> [u8; 14] {
    let mut letters = *b"CRUDXPSCRUDXPS";
    for (letter, bit) in letters.iter_mut().zip((0..14).rev()) {
        if permissions & (1 << bit) == 0 {
            *letter = b'-';
        }
    }
    letters
}

/// Whole milliseconds between two times; 0 when the first is not the earlier one.
pub fn age_ms(since_ns: u64, time_ns: u64) -> u64 {
    time_ns.saturating_sub(since_ns) / 1_000_000
}

/// The aging of an entry; a static one has none.
pub fn shown_aging_ms(state: &EntryState) -> u64 {
    if state.dynamic { u64::from(state.aging_ms) } else { 0 }
}

/// Who creates entries where nobody asks for them: the data path.
pub fn learned(dataplane: &str) -> Actor {
    Actor { entity: Entity::Kernel.into(), pid: 0, process: format!("dataplane:{dataplane}") }
}

/// The entry as the API shows it, its ages as of `time_ns`.
pub fn entry(dataplane: &str, state: &EntryState, time_ns: u64) -> Entry {
    let permissions = u32::from(state.permissions);
    Entry {
        dataplane: dataplane.to_owned(),
        pipeline: PIPELINE.to_owned(),
        table: TABLE.to_owned(),
        key: Some(state.key.to_proto()),
        priority: PRIORITY,
        permissions,
        permissions_text: permissions_text(permissions),
        created_by: Some(state.created_by.as_deref().cloned().unwrap_or_else(|| learned(dataplane))),
        updated_by: state.updated_by.as_deref().cloned(),
        deleted_by: None,
        dynamic: state.dynamic,
        profile_id: u32::from(state.profile_id),
        aging_ms: shown_aging_ms(state),
        create_time: Some(Timestamp::from_unix_ns(state.create_ns)),
        last_used_time: Some(Timestamp::from_unix_ns(state.last_used_ns)),
        created_ms_ago: age_ms(state.create_ns, time_ns),
        idle_ms: age_ms(state.last_used_ns, time_ns),
        packets: state.packets,
        bytes: state.bytes,
        tmpl_created: false,
    }
}

/// A retained change as the event `seq` of `epoch`.
pub fn event(epoch: u64, seq: u64, record: &LogRecord) -> Event {
    let dataplane = &*record.dataplane;
    let with_entry = |state: &EntryState| Some(entry(dataplane, state, record.time_ns));
    let mut event = Event {
        epoch,
        seq,
        time: Some(Timestamp::from_unix_ns(record.time_ns)),
        dataplane: dataplane.to_owned(),
        ..Event::default()
    };
    match &record.change {
        Change::Created(state) => {
            event.set_type(EventType::Created);
            event.entry = with_entry(state);
        }
        Change::Updated(state) => {
            event.set_type(EventType::Updated);
            event.entry = with_entry(state);
        }
        Change::Deleted { entry, reason, by } => {
            event.set_type(EventType::Deleted);
            event.set_reason(*reason);
            let by = by.as_deref().cloned().unwrap_or_else(|| deleter(*reason));
            event.entry = with_entry(entry).map(|e| Entry { deleted_by: Some(by), ..e });
        }
        Change::Flushed { deleted, failed } => {
            event.set_type(EventType::Flushed);
            (event.deleted, event.failed) = (*deleted, *failed);
        }
        Change::Purged => {
            event.set_type(EventType::Lifecycle);
            event.set_lifecycle(LifecycleKind::Purged);
        }
        Change::Loaded => {
            event.set_type(EventType::Lifecycle);
            event.set_lifecycle(LifecycleKind::Loaded);
        }
    }
    event
}

/// Who deleted an entry, where only the reason is known.
pub fn deleter(reason: DeleteReason) -> Actor {
    let (entity, process) = match reason {
        DeleteReason::Idle | DeleteReason::Unspecified => (Entity::Timer, "timer"),
        DeleteReason::Resync => (Entity::Kernel, "resync"),
        DeleteReason::Control | DeleteReason::Flush => (Entity::Tc, ""),
    };
    Actor { entity: entity.into(), pid: 0, process: process.to_owned() }
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

/// A mark of the stream: SYNCED or PROGRESS.
pub fn mark(epoch: u64, seq: u64, time_ns: u64, kind: EventType) -> Event {
    Event {
        epoch,
        seq,
        time: Some(Timestamp::from_unix_ns(time_ns)),
        r#type: kind.into(),
        ..Event::default()
    }
}

/// The notice that events `from` to `to` are lost to a watcher.
pub fn gap(epoch: u64, from: u64, to: u64, time_ns: u64) -> Event {
    Event { gap_from: from, gap_to: to, ..mark(epoch, to, time_ns, EventType::Gap) }
}

/// The last known counters of a data plane that does not answer.
pub fn stale_stats(dataplane: &str, last: Option<&DataplaneStats>) -> DataplaneStats {
    let mut stats = last.cloned().unwrap_or_default();
    dataplane.clone_into(&mut stats.dataplane);
    stats.live = false;
    stats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permission_letters_go_from_the_highest_bit_down() {
        assert_eq!(permissions_text(0x3dfc), "CRUD-PSCRUDX--");
        assert_eq!(permissions_text(0x1dbc), "-RUD-PS-RUDX--");
        assert_eq!(permissions_text(0x1024), "-R------R--X--");
        assert_eq!(permissions_text(0), "--------------");
        assert_eq!(permissions_text(0x3fff), "CRUDXPSCRUDXPS");
        assert_eq!(permissions_text(PERMISSION_PUBLISH | PERMISSION_READ), "-R---P--------");
    }
}
