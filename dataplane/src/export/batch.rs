//! The only conversion between the engine's words and the wire's.

use std::net::Ipv4Addr;

use conntrack::{DeleteReason, Entry, Event, EventBody, FlowKey, Tick};
use flowtracker_proto::{packed, v1};

use super::authors::Authors;
use crate::clock::Wall;
use crate::stats::Published;

/// An entry as it was `at_ns` nanoseconds after the clock's start.
pub(super) fn entry(entry: &Entry, at_ns: u64, clock: &impl Wall, authors: &Authors) -> v1::EntryRecord {
    let at_ms = at_ns / 1_000_000;
    let idle_ms = u64::from(entry.idle_ms(Tick(at_ms as u32)));
    // In whole milliseconds, as the stamp is; but an entry used in this very millisecond was used now.
    let last_used_ns = if idle_ms == 0 { at_ns } else { at_ms.saturating_sub(idle_ms) * 1_000_000 };
    v1::EntryRecord {
        permissions: u32::from(entry.permissions.bits()),
        dynamic: entry.dynamic(),
        profile_id: u32::from(entry.profile.get()),
        aging_ms: entry.aging_ms,
        create_time_ns: clock.wall_ns(entry.created_ms * 1_000_000),
        last_used_time_ns: clock.wall_ns(last_used_ns),
        packets: entry.packets,
        bytes: entry.bytes,
        created_by: authors.get(entry.creator),
        updated_by: authors.get(entry.updater),
        ..key_record(&entry.key)
    }
}

/// A record with nothing but the key.
fn key_record(key: &FlowKey) -> v1::EntryRecord {
    v1::EntryRecord {
        input_port: u32::from(key.input_port()),
        src_addr: key.src_addr().to_bits(),
        dst_addr: key.dst_addr().to_bits(),
        ports: u32::from(key.src_port()) << 16 | u32::from(key.dst_port()),
        protocol: u32::from(key.protocol()),
        ..Default::default()
    }
}

/// The key in a record; `None` when a field is out of range.
pub(super) fn key(record: &v1::EntryRecord) -> Option<FlowKey> {
    let port = u8::try_from(record.input_port).ok().filter(|port| *port != 0)?;
    Some(FlowKey::new(
        port,
        Ipv4Addr::from_bits(record.src_addr),
        Ipv4Addr::from_bits(record.dst_addr),
        u8::try_from(record.protocol).ok()?,
        (record.ports >> 16) as u16,
        record.ports as u16,
    ))
}

/// One event.
pub(crate) fn record(event: &Event, clock: &impl Wall, authors: &Authors) -> v1::Record {
    use v1::RecordKind as Kind;
    let of = |kind: Kind, e: Option<&Entry>| v1::Record {
        kind: kind.into(),
        time_ns: clock.wall_ns(event.at_ns),
        entry: e.map(|e| entry(e, event.at_ns, clock, authors)),
        ..Default::default()
    };
    match &event.body {
        EventBody::Created(entry) => of(Kind::Created, Some(entry)),
        EventBody::Updated(entry) => of(Kind::Updated, Some(entry)),
        EventBody::Flushed(removed) => {
            v1::Record { deleted: removed.deleted, failed: removed.failed, ..of(Kind::Flushed, None) }
        }
        EventBody::Purged(deleted) => v1::Record { deleted: *deleted, ..of(Kind::Purged, None) },
        EventBody::Loaded => of(Kind::Loaded, None),
        EventBody::Deleted { entry, reason, actor } => {
            let reason = match reason {
                DeleteReason::Idle => v1::DeleteReason::Idle,
                DeleteReason::Control => v1::DeleteReason::Control,
                DeleteReason::Flush => v1::DeleteReason::Flush,
            };
            let deleted_by = authors.get(*actor);
            v1::Record { reason: reason.into(), deleted_by, ..of(Kind::Deleted, Some(entry)) }
        }
        EventBody::ResyncBegin => of(Kind::ResyncBegin, None),
        EventBody::ResyncEntry(entry) => of(Kind::ResyncEntry, Some(entry)),
        EventBody::ResyncEnd => of(Kind::ResyncEnd, None),
    }
}

/// A batch's records: in fixed form if all fit it, else as they are.
pub(super) fn packed(records: impl Iterator<Item = v1::Record>) -> (Vec<v1::Record>, Vec<u8>) {
    let (mut plain, mut packed) = (Vec::new(), Vec::new());
    for record in records {
        match packed::pack(&record) {
            Some(bytes) if plain.is_empty() => packed.extend_from_slice(&bytes),
            _ => {
                // One with an author is rare, and takes its batch with it.
                let before = std::mem::take(&mut packed);
                plain.extend(packed::unpack_all(&before).into_iter().flatten());
                plain.push(record);
            }
        }
    }
    (plain, packed)
}

/// The counters of one lcore.
pub(super) fn lcore_stats(lcore: u32, stats: &Published) -> v1::LcoreStats {
    let c = stats.snapshot();
    let (stalls, stalled) = stats.stalls();
    let t = &c.tracker;
    let [
        hit,
        miss_created,
        miss_full,
        miss_denied,
        truncated,
        not_ipv4,
        malformed,
        fragment,
        not_tracked_protocol,
        detached,
    ] = t.outcomes;
    v1::LcoreStats {
        lcore,
        rx: t.rx,
        tx: c.tx,
        tx_dropped: c.tx_dropped,
        outcomes: Some(v1::Outcomes {
            hit,
            miss_created,
            miss_full,
            miss_denied,
            truncated,
            not_ipv4,
            malformed,
            fragment,
            not_tracked_protocol,
            detached,
        }),
        entries: c.entries,
        capacity: c.capacity,
        expired: t.expired,
        deleted: t.deleted,
        events_sent: c.events_sent(),
        events_deferred: t.events_deferred,
        events_unlinked: c.events_unlinked,
        expiry_lateness_log2_ms: t.lateness_log2_ms.to_vec(),
        polls: c.polls,
        busy_polls: c.busy_polls,
        expired_deferred: t.expired_deferred,
        filtered: c.filtered,
        stalls,
        stalled,
        loop_time: stats.loop_times.counts(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Calibration;
    use conntrack::{ActorId, Permissions, ProfileId};

    #[test]
    fn keys_survive_the_wire() {
        let flow = FlowKey::new(3, Ipv4Addr::new(10, 1, 2, 3), Ipv4Addr::new(192, 168, 0, 9), 17, 65535, 53);
        assert_eq!(key(&key_record(&flow)), Some(flow));
        let bad = |f: fn(&mut v1::EntryRecord)| {
            let mut record = key_record(&flow);
            f(&mut record);
            key(&record)
        };
        assert_eq!(bad(|r| r.input_port = 0), None);
        assert_eq!(bad(|r| r.input_port = 256), None);
        assert_eq!(bad(|r| r.protocol = 256), None);
    }

    #[test]
    fn one_author_is_enough_for_a_plain_batch_and_the_order_stays() {
        let record = |time_ns| v1::Record { kind: 1, time_ns, ..Default::default() };
        let authored = |time_ns| v1::Record { deleted_by: Some(v1::Actor::default()), ..record(time_ns) };
        let all = || (0..5).map(record);
        let (plain, fixed) = packed(all());
        assert!(plain.is_empty());
        assert_eq!(packed::unpack_all(&fixed).unwrap().collect::<Vec<_>>(), all().collect::<Vec<_>>());
        let mixed = || all().chain([authored(5)]).chain((6..9).map(record)).chain([authored(9)]);
        assert_eq!(packed(mixed()), (mixed().collect(), vec![]));
    }

    #[test]
    fn an_idle_deletion_shows_at_least_its_aging_and_a_creation_no_age() {
        let clock = Calibration::start().finish();
        let flow = Entry {
            key: FlowKey::new(1, Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST, 6, 1, 2),
            created_ms: 1000,
            last_used: Tick(1001),
            aging_ms: 30_000,
            profile: ProfileId::default(),
            permissions: Permissions::new(0x1dbc).expect("14 bits"),
            packets: 1,
            bytes: 60,
            creator: ActorId::DATA_PATH,
            updater: ActorId::NONE,
        };
        let (at_creation, at_end) = (1_000_400_000, 31_001_200_000);
        let created = entry(&flow, at_creation, &clock, &Authors::new());
        assert!(created.last_used_time_ns <= clock.wall_ns(at_creation));
        assert!(created.create_time_ns <= clock.wall_ns(at_creation));
        let deleted = entry(&flow, at_end, &clock, &Authors::new());
        assert!(clock.wall_ns(at_end) - deleted.last_used_time_ns >= 30_000_000_000);
        assert_eq!(deleted.create_time_ns, created.create_time_ns);
    }
}
