//! What the engine tells, and to whom.

use crate::entry::{ActorId, Entry};
use crate::tracker::Removed;

/// Why an entry was deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeleteReason {
    /// Idle for its aging time.
    Idle,
    /// A control program deleted this one entry.
    Control,
    /// A control program flushed the table.
    Flush,
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventBody {
    /// An entry came into being.
    Created(Entry),
    /// The control plane has changed an entry, which is now this.
    Updated(Entry),
    /// A flush has ended; each of its deletions has been told before.
    Flushed(Removed),
    /// The program was detached, and the table is empty now. What went with it is
    /// not told one by one.
    Purged(u64),
    /// The program was attached.
    Loaded,
    /// An entry is gone.
    Deleted {
        /// As it was at the end.
        entry: Entry,
        /// Why.
        reason: DeleteReason,
        /// By whom.
        actor: ActorId,
    },
    /// An enumeration of the whole shard starts: the listener may forget what it knew.
    ResyncBegin,
    /// One entry of that enumeration.
    ResyncEntry(Entry),
    /// Every entry alive since [`EventBody::ResyncBegin`] has been told.
    ResyncEnd,
}

/// One change of the shard's table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// When, in nanoseconds since the clock's start.
    pub at_ns: u64,
    /// What.
    pub body: EventBody,
}

/// Who takes the events. Events are offered, never pushed: the engine does not
/// wait, and keeps in the table what was not taken until it is.
pub trait EventSink {
    /// Takes the event, or refuses it for now by returning false.
    #[must_use]
    fn offer(&mut self, event: &Event) -> bool;
}

impl<F: FnMut(&Event) -> bool> EventSink for F {
    fn offer(&mut self, event: &Event) -> bool {
        self(event)
    }
}

/// An event is copied twice on its way to the exporter; keep it small.
const _: () = assert!(size_of::<Event>() <= 80);
