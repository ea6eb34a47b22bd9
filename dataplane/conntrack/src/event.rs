//! Events: what a shard reports, and the trait of a listener.

use crate::entry::{ActorId, Entry};
use crate::key::{FlowKey, FlowKeyV6};

/// Why an entry was deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeleteReason {
    /// The entry was idle for its aging time.
    Idle,
    /// A control program deleted this one entry.
    Control,
    /// A control program flushed the table.
    Flush,
}

/// The result of a flush.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Removed {
    /// Number of entries that were deleted.
    pub deleted: u64,
    /// Number of entries that matched and stayed, because they lack the D permission.
    pub failed: u64,
}

/// What happened.
///
/// The engine itself makes all of these but `Flushed`, `Purged` and `Loaded`, which concern the
/// table as a whole and are offered by the driver of the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventBody<K = FlowKey> {
    /// An entry was created.
    Created(Entry<K>),
    /// The control plane has changed an entry. The entry is as it is after the change.
    Updated(Entry<K>),
    /// A flush has ended. Each of its deletions was reported before.
    Flushed(Removed),
    /// The program was detached and the table is empty now. The number counts the entries that went
    /// with it, which are not reported one by one.
    Purged(u64),
    /// The program was attached.
    Loaded,
    /// An entry was deleted.
    Deleted {
        /// The entry as it was at its end.
        entry: Entry<K>,
        /// Why it was deleted.
        reason: DeleteReason,
        /// Who deleted it.
        actor: ActorId,
    },
    /// An enumeration of the whole shard starts: the listener may forget what it knew.
    ResyncBegin,
    /// One entry of that enumeration.
    ResyncEntry(Entry<K>),
    /// The enumeration has ended: every entry that was alive throughout has been reported.
    ResyncEnd,
}

/// One change of a table of the shard. The type of the keys says which table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event<K = FlowKey> {
    /// When it happened, in nanoseconds since the clock's start.
    pub at_ns: u64,
    /// What happened.
    pub body: EventBody<K>,
}

/// Takes the events of a table. A sink of both tables implements it for both keys, and keeps the order
/// in which they come.
///
/// Events are offered, never pushed: the engine does not wait for a sink. What a sink refuses stays
/// in the table, or in a bounded backlog, and is offered again later.
pub trait EventSink<K = FlowKey> {
    /// Takes the event and returns true, or refuses it for now and returns false.
    #[must_use]
    fn offer(&mut self, event: &Event<K>) -> bool;
}

impl<K, F: FnMut(&Event<K>) -> bool> EventSink<K> for F {
    fn offer(&mut self, event: &Event<K>) -> bool {
        self(event)
    }
}

// An event is copied on its way to the exporter, so it has to stay small.
const _: () = assert!(size_of::<Event>() <= 80 && size_of::<Event<FlowKeyV6>>() <= 104);
