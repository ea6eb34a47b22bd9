//! A resync: the whole table is reported again, from its beginning, among the events that go on
//! meanwhile.

use super::Tracker;
use super::walk::{Cursor, Step};
use crate::event::{Event, EventBody, EventSink};
use crate::table::{FlowTable, Pos};
use crate::timeout::Now;

/// What a resync reports next.
#[derive(Clone, Copy)]
pub(super) enum Resync {
    /// Its begin.
    Begin,
    /// The entries from this cursor on.
    Entries(Cursor),
    /// Its end.
    End,
}

impl<T: FlowTable> Tracker<T> {
    /// Starts a resync, or starts it again. Reports that wait in the backlog are dropped: the
    /// entries that they are about are in the enumeration or gone.
    pub fn start_resync(&mut self) {
        self.backlog.clear();
        self.resync = Some(Resync::Begin);
    }

    /// Goes on with the resync, if there is one, until the sink refuses an event or `positions`
    /// positions have been visited.
    pub(super) fn resync_slice(&mut self, now: Now, mut positions: u32, sink: &mut impl EventSink<T::Key>) {
        let event = |body| Event { at_ns: now.ns, body };
        loop {
            match self.resync {
                None => return,
                Some(Resync::Begin) => {
                    if !self.offer_in_order(&event(EventBody::ResyncBegin), sink) {
                        return;
                    }
                    self.resync = Some(Resync::Entries(Cursor::default()));
                }
                Some(Resync::Entries(at)) => {
                    let mut next = at;
                    match self.walk(&mut next, &mut positions, true) {
                        Step::Entry(entry) => {
                            let pos = Pos(next.0 - 1);
                            if !self.offer_in_order(&event(EventBody::ResyncEntry(entry)), sink) {
                                // The walk goes on with this entry; free positions before it are
                                // not visited again.
                                self.resync = Some(Resync::Entries(Cursor(pos.0)));
                                return;
                            }
                            self.table.set_mark(pos, self.table.mark(pos).with_unreported(false));
                            self.resync = Some(Resync::Entries(next));
                        }
                        Step::Pause => {
                            self.resync = Some(Resync::Entries(next));
                            return;
                        }
                        Step::End => self.resync = Some(Resync::End),
                    }
                }
                Some(Resync::End) => {
                    if !self.offer_in_order(&event(EventBody::ResyncEnd), sink) {
                        return;
                    }
                    self.resync = None;
                }
            }
        }
    }
}
