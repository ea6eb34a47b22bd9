//! The engine's events and entries as records of the link.

use conntrack::{ActorId, DeleteReason, Entry, Event, EventBody, FlowKey, Tick};
use flowtracker_proto::clock_step::ClockStep;
use flowtracker_proto::link::{self, AuthorNumber, Body, Record};
use flowtracker_proto::{key, v1};

use crate::lcore::clock::Wall;

/// Returns the record of an event.
pub(crate) fn record(event: &Event, clock: &impl Wall) -> Record {
    let of = |entry| link_entry(entry, event.at_ns, clock);
    let body = match &event.body {
        EventBody::Created(entry) => Body::Created(of(entry)),
        EventBody::Updated(entry) => Body::Updated(of(entry)),
        EventBody::Deleted { entry, reason, actor } => {
            Body::Deleted { entry: of(entry), reason: delete_reason(*reason), by: author(*actor) }
        }
        EventBody::Flushed(removed) => Body::Flushed { deleted: removed.deleted, failed: removed.failed },
        EventBody::Purged(deleted) => Body::Purged { deleted: *deleted },
        EventBody::Loaded => Body::Loaded,
        EventBody::ResyncBegin => Body::ResyncBegin,
        EventBody::ResyncEntry(entry) => Body::Present(of(entry)),
        EventBody::ResyncEnd => Body::ResyncEnd,
    };
    Record { time_ns: clock.wall_ns(event.at_ns), body }
}

/// Returns the record of an entry that was read `at_ns` nanoseconds after the clock's start.
pub(super) fn present(entry: &Entry, at_ns: u64, clock: &impl Wall) -> Record {
    Record { time_ns: clock.wall_ns(at_ns), body: Body::Present(link_entry(entry, at_ns, clock)) }
}

/// Returns the key of a command; `None` when it is not a key of this table.
pub(super) fn key(bytes: &[u8]) -> Option<FlowKey> {
    FlowKey::from_bytes(bytes.try_into().ok()?)
}

fn link_entry(entry: &Entry, at_ns: u64, clock: &impl Wall) -> link::Entry {
    let (time_ns, create_ns) = (clock.wall_ns(at_ns), clock.created_ns(entry.created_ms * 1_000_000));
    let age_ms = (at_ns / 1_000_000).saturating_sub(entry.created_ms);
    link::Entry {
        key: link_key(&entry.key),
        permissions: entry.permissions.bits(),
        dynamic: entry.dynamic(),
        profile_id: entry.profile.get(),
        aging_ms: entry.aging_ms,
        create_ns,
        last_used_ns: time_ns.saturating_sub(at_ns.saturating_sub(last_used_ns(entry, at_ns))),
        clock_step: ClockStep::between(create_ns, time_ns, age_ms),
        packets: entry.packets,
        bytes: entry.bytes,
        created_by: author(entry.creator),
        updated_by: author(entry.updater),
    }
}

fn link_key(key: &FlowKey) -> key::FlowKey {
    key::FlowKey {
        input_port: u32::from(key.input_port()),
        src_addr: key.src_addr().to_bits(),
        dst_addr: key.dst_addr().to_bits(),
        src_port: key.src_port(),
        dst_port: key.dst_port(),
        protocol: key.protocol(),
    }
}

/// Returns the link's number of an actor: 0 for the data path, the timer and nobody, whom the reader
/// tells apart by the field and the reason.
fn author(actor: ActorId) -> AuthorNumber {
    if actor.0 < ActorId::FIRST_CONTROL { 0 } else { actor.0 }
}

fn delete_reason(reason: DeleteReason) -> v1::DeleteReason {
    match reason {
        DeleteReason::Idle => v1::DeleteReason::Idle,
        DeleteReason::Control => v1::DeleteReason::Control,
        DeleteReason::Flush => v1::DeleteReason::Flush,
    }
}

/// When an entry was last used, in nanoseconds after the clock's start, as seen `at_ns` after it.
fn last_used_ns(entry: &Entry, at_ns: u64) -> u64 {
    let at_ms = at_ns / 1_000_000;
    let idle_ms = entry.idle_ms(Tick(at_ms as u32));
    // The stamp is in whole milliseconds; an entry used in this very millisecond was used now.
    if idle_ms == 0 { at_ns } else { at_ms.saturating_sub(idle_ms) * 1_000_000 }
}

#[cfg(test)]
mod tests;
