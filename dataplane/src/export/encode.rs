//! The engine's events and entries as records of the link.

use conntrack::{ActorId, DeleteReason, Entry, Event, EventBody};
use flowtracker_proto::clock_step::ClockStep;
use flowtracker_proto::link::{self, AuthorNumber, Body, Record};
use flowtracker_proto::v1;

use crate::export::table_event::TableEvent;
use crate::lcore::clock::Wall;
use crate::lcore::family::TableKey;

/// Returns the record of an event of either table.
pub(crate) fn record_of_any(event: &TableEvent, clock: &impl Wall) -> Record {
    match event {
        TableEvent::Ipv4(event) => record(event, clock),
        TableEvent::Ipv6(event) => record(event, clock),
    }
}

/// Returns the record of an event.
pub(crate) fn record<K: TableKey>(event: &Event<K>, clock: &impl Wall) -> Record {
    let family = K::FAMILY;
    let of = |entry| link_entry(entry, event.at_ns, clock);
    let body = match &event.body {
        EventBody::Created(entry) => Body::Created(of(entry)),
        EventBody::Updated(entry) => Body::Updated(of(entry)),
        EventBody::Deleted { entry, reason, actor } => {
            Body::Deleted { entry: of(entry), reason: delete_reason(*reason), by: author(*actor) }
        }
        EventBody::Flushed(removed) => {
            Body::Flushed { family, deleted: removed.deleted, failed: removed.failed }
        }
        EventBody::Purged(deleted) => Body::Purged { family, deleted: *deleted },
        EventBody::Loaded => Body::Loaded(family),
        EventBody::ResyncBegin => Body::ResyncBegin(family),
        EventBody::ResyncEntry(entry) => Body::Present(of(entry)),
        EventBody::ResyncEnd => Body::ResyncEnd(family),
    };
    Record { time_ns: clock.wall_ns(event.at_ns), body }
}

/// Returns the record of an entry that was read `at_ns` nanoseconds after the clock's start.
pub(super) fn present<K: TableKey>(entry: &Entry<K>, at_ns: u64, clock: &impl Wall) -> Record {
    Record { time_ns: clock.wall_ns(at_ns), body: Body::Present(link_entry(entry, at_ns, clock)) }
}

fn link_entry<K: TableKey>(entry: &Entry<K>, at_ns: u64, clock: &impl Wall) -> link::Entry {
    let (created_at_ns, shown_at_ns) = (entry.created_ms * 1_000_000, clock.wall_ns(at_ns));
    let create_ns = clock.created_ns(created_at_ns);
    // Times of an entry are rounded up, to a moment that may come after this one.
    let seen_ns = at_ns.max(created_at_ns);
    let shown = |ns: u64| (shown_at_ns + ns).saturating_sub(at_ns);
    link::Entry {
        key: entry.key.link_key(),
        permissions: entry.permissions.bits(),
        dynamic: entry.dynamic(),
        profile_id: entry.profile.get(),
        aging_ms: entry.aging_ms,
        create_ns,
        last_used_ns: shown(entry.last_used_ms(at_ns) * 1_000_000),
        clock_step: ClockStep::between(create_ns, shown(seen_ns), seen_ns / 1_000_000 - entry.created_ms),
        packets: entry.packets,
        bytes: entry.bytes,
        created_by: author(entry.creator),
        updated_by: author(entry.updater),
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

#[cfg(test)]
mod tests;
