//! Flushes: deletes all entries that match, slice by slice.

use super::Tracker;
use super::walk::{Cursor, Step};
use super::write::Write;
use crate::entry::{ActorId, Entry};
use crate::event::{DeleteReason, EventSink, Removed};
use crate::table::{FlowTable, Pos};
use crate::timeout::Now;

/// A flush that is going on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flush {
    cursor: Cursor,
    /// Entries that were created after this time stay; otherwise a flush under load might not end.
    until_ms: u64,
    actor: ActorId,
    /// What it has done so far.
    pub removed: Removed,
}

impl Flush {
    /// Returns a flush of the entries that exist now, by `actor`.
    #[must_use]
    pub fn new(now: Now, actor: ActorId) -> Self {
        Flush { cursor: Cursor::default(), until_ms: now.stamp_ms(), actor, removed: Removed::default() }
    }
}

impl<T: FlowTable> Tracker<T> {
    /// Goes on with a flush: deletes and reports the entries for which `matches` returns true,
    /// visiting at most `positions` positions. An entry without the D permission stays and counts
    /// as failed.
    ///
    /// Returns true when every entry has been visited, and false when there are more or the sink
    /// has refused an event.
    pub fn flush(
        &mut self,
        now: Now,
        flush: &mut Flush,
        mut positions: u32,
        matches: impl Fn(&Entry<T::Key>) -> bool,
        sink: &mut impl EventSink<T::Key>,
    ) -> bool {
        loop {
            match self.step(&mut flush.cursor, &mut positions) {
                Step::Pause => return false,
                Step::End => return true,
                Step::Entry(entry) if entry.created_ms > flush.until_ms || !matches(&entry) => {}
                Step::Entry(entry) => {
                    let pos = Pos(flush.cursor.0 - 1);
                    match self.remove_live(now, pos, entry, DeleteReason::Flush, flush.actor, sink) {
                        Write::Done(_) => flush.removed.deleted += 1,
                        Write::Refused(_) => flush.removed.failed += 1,
                        Write::Busy => {
                            flush.cursor.0 -= 1;
                            return false;
                        }
                    }
                }
            }
        }
    }
}
