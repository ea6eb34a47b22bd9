//! The only conversion between the engine's words and the wire's.

use std::net::Ipv4Addr;

use conntrack::{ActorId, DeleteReason, Entry, Event, EventBody, FlowKey, Tick};
use flowtracker_proto::{packed, v1};

use super::authors::Authors;
use crate::lcore::clock::Wall;
use crate::lcore::stats::Published;

/// An entry as it was `at_ns` nanoseconds after the clock's start.
pub(super) fn entry(entry: &Entry, at_ns: u64, clock: &impl Wall, authors: &Authors) -> v1::EntryRecord {
    v1::EntryRecord {
        permissions: u32::from(entry.permissions.bits()),
        dynamic: entry.dynamic(),
        profile_id: u32::from(entry.profile.get()),
        aging_ms: entry.aging_ms,
        create_time_ns: clock.wall_ns(entry.created_ms * 1_000_000),
        last_used_time_ns: clock.wall_ns(last_used_ns(entry, at_ns)),
        packets: entry.packets,
        bytes: entry.bytes,
        created_by: authors.get(entry.creator),
        updated_by: authors.get(entry.updater),
        ..key_record(&entry.key)
    }
}

/// When an entry was last used, in nanoseconds after the clock's start, as seen `at_ns` after it.
fn last_used_ns(entry: &Entry, at_ns: u64) -> u64 {
    let at_ms = at_ns / 1_000_000;
    let idle_ms = u64::from(entry.idle_ms(Tick(at_ms as u32)));
    // In whole milliseconds, as the stamp is; but an entry used in this very millisecond was used now.
    if idle_ms == 0 { at_ns } else { at_ms.saturating_sub(idle_ms) * 1_000_000 }
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

/// What most events are, at once in fixed form: of an entry that the data path made and nobody updated, and not of a control
/// program. It is the same as the long way's, which takes three times as long; a storm of new flows is nothing else.
fn fixed(event: &Event, clock: &impl Wall) -> Option<[u8; packed::LEN]> {
    let (kind, reason, entry) = match &event.body {
        EventBody::Created(entry) => (v1::RecordKind::Created, v1::DeleteReason::Unspecified, entry),
        EventBody::ResyncEntry(entry) => (v1::RecordKind::ResyncEntry, v1::DeleteReason::Unspecified, entry),
        EventBody::Deleted { entry, reason: DeleteReason::Idle, actor }
            if actor.0 < ActorId::FIRST_CONTROL =>
        {
            (v1::RecordKind::Deleted, v1::DeleteReason::Idle, entry)
        }
        _ => return None,
    };
    if entry.creator.0 >= ActorId::FIRST_CONTROL || entry.updater.0 >= ActorId::FIRST_CONTROL {
        return None;
    }
    let plain = packed::PlainEntry {
        input_port: u16::from(entry.key.input_port()),
        src_addr: entry.key.src_addr().to_bits(),
        dst_addr: entry.key.dst_addr().to_bits(),
        ports: u32::from(entry.key.src_port()) << 16 | u32::from(entry.key.dst_port()),
        protocol: entry.key.protocol(),
        permissions: entry.permissions.bits(),
        dynamic: entry.dynamic(),
        profile_id: entry.profile.get(),
        aging_ms: entry.aging_ms,
        create_time_ns: clock.wall_ns(entry.created_ms * 1_000_000),
        last_used_time_ns: clock.wall_ns(last_used_ns(entry, event.at_ns)),
        packets: entry.packets,
        bytes: entry.bytes,
    };
    let time_ns = clock.wall_ns(event.at_ns);
    Some(packed::Plain { kind: kind as u8, reason: reason as u8, time_ns, entry: Some(plain) }.to_bytes())
}

/// A batch's records: in fixed form if all fit it, else as they are.
#[derive(Default)]
pub(super) struct Records {
    plain: Vec<v1::Record>,
    packed: Vec<u8>,
}

impl Records {
    /// Adds an event.
    pub(super) fn push(&mut self, event: &Event, clock: &impl Wall, authors: &Authors) {
        match fixed(event, clock) {
            Some(bytes) if self.plain.is_empty() => self.packed.extend_from_slice(&bytes),
            _ => self.push_record(record(event, clock, authors)),
        }
    }

    fn push_record(&mut self, record: v1::Record) {
        match packed::pack(&record) {
            Some(bytes) if self.plain.is_empty() => self.packed.extend_from_slice(&bytes),
            _ => {
                // One with an author is rare, and takes its batch with it.
                let before = std::mem::take(&mut self.packed);
                self.plain.extend(packed::unpack_all(&before).into_iter().flatten());
                self.plain.push(record);
            }
        }
    }

    /// Both, of which one is empty.
    pub(super) fn finish(self) -> (Vec<v1::Record>, Vec<u8>) {
        (self.plain, self.packed)
    }
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
    use crate::lcore::clock::Calibration;
    use conntrack::{ProfileId, test_support};

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
        let packed = |records: &mut dyn Iterator<Item = v1::Record>| {
            let mut all = Records::default();
            records.for_each(|record| all.push_record(record));
            all.finish()
        };
        let (plain, fixed) = packed(&mut all());
        assert!(plain.is_empty());
        assert_eq!(packed::unpack_all(&fixed).unwrap().collect::<Vec<_>>(), all().collect::<Vec<_>>());
        let mixed = || all().chain([authored(5)]).chain((6..9).map(record)).chain([authored(9)]);
        assert_eq!(packed(&mut mixed()), (mixed().collect(), vec![]));
    }

    /// The short way to the fixed form, where it is taken, leads to the same as the long one.
    #[test]
    fn both_ways_to_the_fixed_form_agree() {
        let clock = Calibration::start().finish();
        let authors = Authors::new();
        let key = FlowKey::new(3, Ipv4Addr::new(10, 1, 2, 3), Ipv4Addr::BROADCAST, 17, 65535, 53);
        let flow = |creator, updater| Entry {
            last_used: Tick(4001),
            profile: ProfileId::new(3).expect("below 16"),
            packets: 1 << 40,
            creator,
            updater,
            ..test_support::entry(key)
        };
        let control = ActorId(ActorId::FIRST_CONTROL);
        let actors = [ActorId::DATA_PATH, ActorId::TIMER, control];
        let mut short = 0;
        for creator in [ActorId::DATA_PATH, control] {
            for updater in [ActorId::NONE, control] {
                let entry = flow(creator, updater);
                let mut bodies = vec![
                    EventBody::Created(entry),
                    EventBody::Updated(entry),
                    EventBody::ResyncEntry(entry),
                    EventBody::ResyncBegin,
                    EventBody::ResyncEnd,
                    EventBody::Loaded,
                    EventBody::Purged(7),
                ];
                for reason in [DeleteReason::Idle, DeleteReason::Control, DeleteReason::Flush] {
                    bodies.extend(actors.map(|actor| EventBody::Deleted { entry, reason, actor }));
                }
                for body in bodies {
                    for at_ns in [4_000_400_000, 34_001_200_000] {
                        let event = Event { at_ns, body };
                        if let Some(bytes) = fixed(&event, &clock) {
                            assert_eq!(
                                Some(bytes),
                                packed::pack(&record(&event, &clock, &authors)),
                                "{event:?}"
                            );
                            short += 1;
                        }
                    }
                }
            }
        }
        assert_eq!(
            short, 8,
            "created, resynced, and expired by two actors, of the entry that no program has touched"
        );
    }

    #[test]
    fn an_idle_deletion_shows_at_least_its_aging_and_a_creation_no_age() {
        let clock = Calibration::start().finish();
        let flow = test_support::entry(test_support::flow(1, 1));
        let (at_creation, at_end) = (1_000_400_000, 31_001_200_000);
        let created = entry(&flow, at_creation, &clock, &Authors::new());
        assert!(created.last_used_time_ns <= clock.wall_ns(at_creation));
        assert!(created.create_time_ns <= clock.wall_ns(at_creation));
        let deleted = entry(&flow, at_end, &clock, &Authors::new());
        assert!(clock.wall_ns(at_end) - deleted.last_used_time_ns >= 30_000_000_000);
        assert_eq!(deleted.create_time_ns, created.create_time_ns);
    }
}
