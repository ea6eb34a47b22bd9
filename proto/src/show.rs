//! How what a data plane reports is shown: from the compact [`Record`] to the [`Event`] that people and programs read.
//!
//! The only such conversion. The control service shows what comes over the link, a replay what it has just seen, and
//! both print the same octets for the same entry.

use std::net::Ipv4Addr;

use crate::Timestamp;
use crate::v1::{
    Actor, DeleteReason, Entity, Entry, EntryRecord, Event, EventType, Key, LifecycleKind, Record, RecordKind,
};

/// Name of the only pipeline; its id is 1.
pub const PIPELINE: &str = "flowtracker";
/// Name of the only table; its id is 1.
pub const TABLE: &str = "Main/ct_flow_table";
/// Priority of every entry of an exact-match P4TC table.
pub const PRIORITY: u32 = 64000;

/// The 14 permission bits as P4TC's letters, most significant bit first.
#[must_use]
pub fn permissions_text(permissions: u32) -> String {
    permission_letters(permissions).map(char::from).iter().collect()
}

/// [`permissions_text`] in ASCII.
#[must_use]
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
#[must_use]
pub fn age_ms(since_ns: u64, time_ns: u64) -> u64 {
    time_ns.saturating_sub(since_ns) / 1_000_000
}

/// Who creates entries where nobody asks for them: the data path.
#[must_use]
pub fn learner(dataplane: &str) -> Actor {
    Actor { entity: Entity::Kernel.into(), pid: 0, process: format!("dataplane:{dataplane}") }
}

/// Name of a port by its P4TC number: 1 is `port0`.
#[must_use]
pub fn port_name(input_port: u32) -> String {
    format!("port{}", i64::from(input_port) - 1)
}

/// The key of a record.
#[must_use]
pub fn key(record: &EntryRecord) -> Key {
    Key {
        input_port: port_name(record.input_port),
        src_addr: Ipv4Addr::from_bits(record.src_addr).to_string(),
        dst_addr: Ipv4Addr::from_bits(record.dst_addr).to_string(),
        protocol: record.protocol,
        src_port: record.ports >> 16,
        dst_port: record.ports & 0xffff,
    }
}

/// The entry of a record of `dataplane`, its ages as of `time_ns` (Unix nanoseconds).
#[must_use]
pub fn entry(dataplane: &str, record: EntryRecord, time_ns: u64) -> Entry {
    Entry {
        dataplane: dataplane.to_owned(),
        pipeline: PIPELINE.to_owned(),
        table: TABLE.to_owned(),
        key: Some(key(&record)),
        priority: PRIORITY,
        permissions: record.permissions,
        permissions_text: permissions_text(record.permissions),
        created_by: Some(record.created_by.unwrap_or_else(|| learner(dataplane))),
        updated_by: record.updated_by,
        deleted_by: None,
        dynamic: record.dynamic,
        profile_id: record.profile_id,
        aging_ms: if record.dynamic { u64::from(record.aging_ms) } else { 0 },
        create_time: Some(Timestamp::from_unix_ns(record.create_time_ns)),
        last_used_time: Some(Timestamp::from_unix_ns(record.last_used_time_ns)),
        created_ms_ago: age_ms(record.create_time_ns, time_ns),
        idle_ms: age_ms(record.last_used_time_ns, time_ns),
        packets: record.packets,
        bytes: record.bytes,
        tmpl_created: false,
    }
}

/// A change that `dataplane` reports, as the event `seq` of `epoch`; `None` for the marks and entries of a resync, which
/// are no changes.
#[must_use]
pub fn event(epoch: u64, seq: u64, dataplane: &str, record: Record) -> Option<Event> {
    let (kind, reason) = (record.kind(), record.reason());
    let mut event = Event {
        epoch,
        seq,
        time: Some(Timestamp::from_unix_ns(record.time_ns)),
        dataplane: dataplane.to_owned(),
        entry: record.entry.map(|e| entry(dataplane, e, record.time_ns)),
        ..Event::default()
    };
    match kind {
        RecordKind::Created => event.set_type(EventType::Created),
        RecordKind::Updated => event.set_type(EventType::Updated),
        RecordKind::Deleted => {
            event.set_type(EventType::Deleted);
            event.set_reason(reason);
            let by = record.deleted_by.unwrap_or_else(|| deleter(reason));
            event.entry = event.entry.map(|e| Entry { deleted_by: Some(by), ..e });
        }
        RecordKind::Flushed => {
            event.set_type(EventType::Flushed);
            (event.deleted, event.failed) = (record.deleted, record.failed);
        }
        RecordKind::Purged => {
            event.set_type(EventType::Lifecycle);
            event.set_lifecycle(LifecycleKind::Purged);
        }
        RecordKind::Loaded => {
            event.set_type(EventType::Lifecycle);
            event.set_lifecycle(LifecycleKind::Loaded);
        }
        RecordKind::Unspecified
        | RecordKind::ResyncBegin
        | RecordKind::ResyncEntry
        | RecordKind::ResyncEnd => return None,
    }
    Some(event)
}

/// A mark of the stream: SYNCED or PROGRESS.
#[must_use]
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
#[must_use]
pub fn gap(epoch: u64, from: u64, to: u64, time_ns: u64) -> Event {
    Event { gap_from: from, gap_to: to, ..mark(epoch, to, time_ns, EventType::Gap) }
}

/// Who deleted an entry, where only the reason is known.
#[must_use]
pub fn deleter(reason: DeleteReason) -> Actor {
    let (entity, process) = match reason {
        DeleteReason::Idle | DeleteReason::Unspecified => (Entity::Timer, "timer"),
        DeleteReason::Resync => (Entity::Kernel, "resync"),
        DeleteReason::Control | DeleteReason::Flush => (Entity::Tc, ""),
    };
    Actor { entity: entity.into(), pid: 0, process: process.to_owned() }
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
    }

    #[test]
    fn ages_are_those_of_the_event_and_absent_actors_have_names() {
        let record = |kind: RecordKind| Record {
            kind: kind.into(),
            time_ns: 40_000_999_999,
            entry: Some(EntryRecord {
                input_port: 1,
                src_addr: 0x0a00_0001,
                dst_addr: 0x0a00_0002,
                ports: 36876 << 16 | 1234,
                protocol: 6,
                dynamic: true,
                aging_ms: 30_000,
                create_time_ns: 5_000_000_000,
                last_used_time_ns: 10_000_000_000,
                ..EntryRecord::default()
            }),
            reason: DeleteReason::Idle.into(),
            ..Record::default()
        };
        let event = event(1, 7, "lab", record(RecordKind::Deleted)).expect("a change");
        let entry = event.entry.expect("its entry");
        assert_eq!((entry.created_ms_ago, entry.idle_ms, entry.aging_ms), (35_000, 30_000, 30_000));
        assert_eq!(entry.created_by.expect("the data path").process, "dataplane:lab");
        assert_eq!(entry.deleted_by.expect("the timer").entity, i32::from(Entity::Timer));
        let key = entry.key.expect("a key");
        assert_eq!((key.input_port.as_str(), key.src_addr.as_str()), ("port0", "10.0.0.1"));
        assert_eq!((key.src_port, key.dst_port), (36876, 1234));
        assert_eq!(super::event(1, 7, "lab", record(RecordKind::ResyncEntry)), None);
    }
}
