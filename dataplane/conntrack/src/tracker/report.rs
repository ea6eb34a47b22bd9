//! Reports: events are offered to the sink, and what it refuses is offered again later.
//!
//! A refused CREATED, or DELETED of an expired entry, stays with its entry, in the [`Mark`], and the
//! entry's block waits in a queue. A write of the control plane whose event is refused is not done.
//! So the table is the retransmit buffer. Only when a packet needs the place of an
//! entry whose DELETED is refused do its reports move to the backlog, which goes first and is
//! bounded.

use super::Tracker;
use super::life::{created_event, idle_event};
use crate::entry::Mark;
use crate::event::{Event, EventBody, EventSink};
use crate::table::{FlowTable, Pos};
use crate::timeout::Now;

impl<T: FlowTable> Tracker<T> {
    /// Returns true when the sink has taken everything that was to be reported.
    #[inline]
    #[must_use]
    pub fn all_reported(&self) -> bool {
        self.backlog.is_empty() && self.pending.is_empty() && self.resync.is_none()
    }

    /// Offers a new event. Counts it as deferred when it is refused.
    pub(super) fn offer(&mut self, event: &Event<T::Key>, sink: &mut impl EventSink<T::Key>) -> bool {
        let taken = self.offer_in_order(event, sink);
        if !taken {
            self.counters.events_deferred += 1;
        }
        taken
    }

    /// Offers an event, unless there are older ones in the backlog. Returns true when it was taken.
    pub(super) fn offer_in_order(
        &mut self,
        event: &Event<T::Key>,
        sink: &mut impl EventSink<T::Key>,
    ) -> bool {
        let taken = self.backlog.is_empty() && sink.offer(event);
        self.counters.events_sent += u64::from(taken);
        taken
    }

    /// Offers the CREATED of an entry that has just begun. It waits in the table when the sink does
    /// not take it.
    pub(super) fn report_created(
        &mut self,
        now: Now,
        pos: Pos,
        key: &T::Key,
        sink: &mut impl EventSink<T::Key>,
    ) {
        let event = Event { at_ns: now.ns, body: EventBody::Created(self.entry(pos, *key)) };
        if !self.offer(&event, sink) {
            self.defer(pos, self.table.mark(pos).with_unreported(true));
        }
    }

    /// Sets the mark of an entry about which something is to be reported later.
    pub(super) fn defer(&mut self, pos: Pos, mark: Mark) {
        self.table.set_mark(pos, mark);
        self.pending.push(Self::block_of(pos));
    }

    /// Offers what is still to be reported about an entry. Returns false when the sink refused. A
    /// dying entry has ended when the result is true.
    pub(super) fn report(&mut self, pos: Pos, now: Now, sink: &mut impl EventSink<T::Key>) -> bool {
        let Some(key) = self.table.key_at(pos) else { return true };
        let entry = self.entry(pos, key);
        let mut mark = self.table.mark(pos);
        if mark.unreported() {
            if !self.offer_in_order(&created_event(&entry, now), sink) {
                return false;
            }
            mark = mark.with_unreported(false);
            self.table.set_mark(pos, mark);
        }
        if mark.dying() {
            if !self.offer_in_order(&idle_event(entry, now), sink) {
                return false;
            }
            self.end(pos);
        }
        true
    }

    /// Offers what is still to be reported about the entries of a block. Returns false when the
    /// sink refused.
    fn report_block(&mut self, block: u32, now: Now, sink: &mut impl EventSink<T::Key>) -> bool {
        self.block_positions(block).map(Pos).all(|pos| {
            let pending = self.table.slot_at(pos).is_some() && self.table.mark(pos).pending();
            !pending || self.report(pos, now, sink)
        })
    }

    /// Offers up to `events` events of the backlog.
    #[inline]
    pub(super) fn report_backlog(&mut self, events: u32, sink: &mut impl EventSink<T::Key>) {
        for _ in 0..events {
            let Some(event) = self.backlog.front() else { break };
            if !sink.offer(event) {
                break;
            }
            self.counters.events_sent += 1;
            self.backlog.pop_front();
        }
    }

    /// Offers what is still to be reported about the entries of up to `blocks` blocks.
    #[inline]
    pub(super) fn report_pending(&mut self, blocks: u32, now: Now, sink: &mut impl EventSink<T::Key>) {
        for _ in 0..blocks {
            let Some(block) = self.pending.front() else { break };
            if !self.report_block(block, now, sink) {
                break;
            }
            self.pending.pop();
        }
    }

    /// Moves the reports of a dying entry to the backlog and ends the entry. Returns false, and
    /// changes nothing, when the backlog has no room.
    pub(super) fn end_into_backlog(&mut self, pos: Pos, now: Now) -> bool {
        let Some(key) = self.table.key_at(pos) else { return true };
        let mark = self.table.mark(pos);
        let events = 1 + usize::from(mark.unreported());
        if self.backlog.len() + events > self.backlog.capacity() {
            return false;
        }
        let entry = self.entry(pos, key);
        if mark.unreported() {
            self.backlog.push_back(created_event(&entry, now));
        }
        self.backlog.push_back(idle_event(entry, now));
        self.end(pos);
        true
    }
}
