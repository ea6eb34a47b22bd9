//! A shard of both families: one thread's parser and the trackers of its two tables.
//!
//! A burst is parsed into one batch per table, and each tracker takes its batch, so nothing that a
//! family does delays a packet of the other. Both have one clock, one budget for aging, and one sink,
//! which takes the events of both in the order in which they happen.

use crate::event::EventSink;
use crate::key::{FlowKey, FlowKeyV6};
use crate::packet::{Frames, Parser, SLICE, Target};
use crate::stats::Counters;
use crate::table::FlowTable;
use crate::timeout::Now;
use crate::tracker::{Budget, Tracker};

/// The families that a [`DualShard`] tracks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tracked {
    /// IPv4 and IPv6.
    Both,
    /// IPv4 alone: the EtherType of IPv6 is one that is not tracked.
    Ipv4,
    /// IPv6 alone: the EtherType of IPv4 is one that is not tracked.
    Ipv6,
}

impl Tracked {
    /// Returns true when IPv4 is tracked.
    #[inline]
    #[must_use]
    pub fn ipv4(self) -> bool {
        self != Tracked::Ipv6
    }

    /// Returns true when IPv6 is tracked.
    #[inline]
    #[must_use]
    pub fn ipv6(self) -> bool {
        self != Tracked::Ipv4
    }
}

/// What one polling thread tracks frames of both families with.
pub struct DualShard<T: FlowTable, U: FlowTable> {
    /// Reads the keys of frames, and counts the frames that have none.
    pub parser: Parser,
    /// Keeps the entries of IPv4.
    pub ipv4: Tracker<T>,
    /// Keeps the entries of IPv6.
    pub ipv6: Tracker<U>,
    tracked: Tracked,
}

impl<T: FlowTable<Key = FlowKey>, U: FlowTable<Key = FlowKeyV6>> DualShard<T, U> {
    /// Joins a parser and the trackers. Both families are tracked.
    #[must_use]
    pub fn new(parser: Parser, ipv4: Tracker<T>, ipv6: Tracker<U>) -> Self {
        DualShard { parser, ipv4, ipv6, tracked: Tracked::Both }
    }

    /// Does the same, and tracks only these families. The tracker of a family that is left out
    /// never gets a frame.
    #[must_use]
    pub fn of(tracked: Tracked, parser: Parser, ipv4: Tracker<T>, ipv6: Tracker<U>) -> Self {
        DualShard { parser, ipv4, ipv6, tracked }
    }

    /// Returns the families that are tracked.
    #[inline]
    #[must_use]
    pub fn tracked(&self) -> Tracked {
        self.tracked
    }

    /// Starts a resync of every table, as [`Tracker::start_resync`] does.
    pub fn start_resync(&mut self) {
        if self.tracked.ipv4() {
            self.ipv4.start_resync();
        }
        if self.tracked.ipv6() {
            self.ipv6.start_resync();
        }
    }

    /// Does what [`Shard::receive`](super::Shard::receive) does. Frames of a family whose program
    /// is detached count as detached, whatever follows their EtherType. When the programs of all
    /// tracked families are detached, every frame counts as detached.
    #[inline]
    pub fn receive<F: Frames + ?Sized>(
        &mut self,
        input_port: u8,
        frames: &F,
        now: impl Fn() -> Now,
        sink: &mut (impl EventSink<FlowKey> + EventSink<FlowKeyV6>),
        mut tracked: impl FnMut(usize, u64),
    ) {
        let on = self.tracked;
        let ipv4 = on.ipv4() && self.ipv4.attached();
        let ipv6 = on.ipv6() && self.ipv6.attached();
        if !ipv4 && !ipv6 {
            self.parser.pass(frames, tracked);
            return;
        }
        for first in (0..frames.len()).step_by(SLICE) {
            if ipv4 && !self.ipv4.has_room::<SLICE>() {
                self.ipv4.turn(now(), sink);
            }
            if ipv6 && !self.ipv6.has_room::<SLICE>() {
                self.ipv6.turn(now(), sink);
            }
            let v4 = if ipv4 { Target::Batch(self.ipv4.batch()) } else { Target::without(on.ipv4()) };
            let v6 = if ipv6 { Target::Batch(self.ipv6.batch()) } else { Target::without(on.ipv6()) };
            tracked(first, self.parser.parse(frames, first, input_port, v4, v6));
            self.ipv4.probe();
            self.ipv6.probe();
        }
    }

    /// Turns both trackers; see [`Tracker::turn`].
    #[inline]
    pub fn turn(&mut self, now: Now, sink: &mut (impl EventSink<FlowKey> + EventSink<FlowKeyV6>)) {
        self.ipv4.turn(now, sink);
        self.ipv6.turn(now, sink);
    }

    /// Drains both trackers; see [`Tracker::drain`].
    #[inline]
    pub fn drain(&mut self, now: Now, sink: &mut (impl EventSink<FlowKey> + EventSink<FlowKeyV6>)) {
        self.ipv4.drain(now, sink);
        self.ipv6.drain(now, sink);
    }

    /// Does what [`Shard::burst`](super::Shard::burst) does.
    pub fn burst<F: Frames + ?Sized>(
        &mut self,
        now: Now,
        input_port: u8,
        frames: &F,
        sink: &mut (impl EventSink<FlowKey> + EventSink<FlowKeyV6>),
        tracked: impl FnMut(usize, u64),
    ) {
        self.receive(input_port, frames, || now, sink, tracked);
        self.drain(now, sink);
    }

    /// Does a slice of the work that no packet waits for, in both tables; see [`Tracker::advance`].
    /// A table that has work alone has the whole budget, and each has half of it when both have work.
    #[inline]
    pub fn advance(
        &mut self,
        now: Now,
        budget: Budget,
        sink: &mut (impl EventSink<FlowKey> + EventSink<FlowKeyV6>),
    ) {
        let both = self.ipv4.has_work(now) && self.ipv6.has_work(now);
        let budget = if both { budget.half() } else { budget };
        self.ipv4.advance(now, budget, sink);
        self.ipv6.advance(now, budget, sink);
    }

    /// Returns the sum of what the parser and the trackers have counted. Once the trackers are
    /// drained, the outcomes add up to the received frames.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let mut counters = *self.ipv4.counters();
        counters.add(self.ipv6.counters());
        counters.add_outcomes(self.parser.outcomes());
        counters
    }
}
