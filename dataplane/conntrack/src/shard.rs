//! A shard: one thread's parser and the tracker of its table.
//!
//! A burst is parsed here, before and outside of the tracker, into the batch of the table that its
//! frames are looked up in. A second table would be a second tracker beside this one: the parser
//! would fill a batch for each, and nothing in the stages of a tracker would change.

use crate::event::EventSink;
use crate::packet::{Frames, Outcome, Parser, SLICE};
use crate::stats::Counters;
use crate::table::FlowTable;
use crate::timeout::Now;
use crate::tracker::Tracker;

/// What one polling thread tracks frames with.
pub struct Shard<T> {
    /// Reads the keys of frames, and counts the frames that have none.
    pub parser: Parser,
    /// Keeps the entries of the table.
    pub tracker: Tracker<T>,
}

impl<T: FlowTable> Shard<T> {
    /// Joins a parser and a tracker.
    #[must_use]
    pub fn new(parser: Parser, tracker: Tracker<T>) -> Self {
        Shard { parser, tracker }
    }

    /// Parses the frames of one burst, which has entered `input_port` (DPDK port id + 1), and
    /// probes as many frames of the batch before, whose cache lines have arrived since.
    ///
    /// `tracked` receives the frames that are looked up, whatever the lookup finds, and all frames
    /// while the program is detached: bit i of its second argument stands for frame i after its
    /// first argument, which is a multiple of `SLICE`.
    ///
    /// After the bursts of all ports, and before any other call, [`Tracker::turn`] or
    /// [`Tracker::drain`] has to be called. A batch that is full is turned here; `now` is called
    /// only then.
    #[inline]
    pub fn receive<F: Frames + ?Sized>(
        &mut self,
        input_port: u8,
        frames: &F,
        now: impl Fn() -> Now,
        sink: &mut impl EventSink,
        mut tracked: impl FnMut(usize, u64),
    ) {
        if !self.tracker.attached() {
            // No rule tells tracked frames from others now, so all of them count as tracked.
            self.parser.count(Outcome::Detached, frames.len());
            for first in (0..frames.len()).step_by(SLICE) {
                tracked(first, (1 << (frames.len() - first).min(SLICE)) - 1);
            }
            return;
        }
        for first in (0..frames.len()).step_by(SLICE) {
            if !self.tracker.has_room::<SLICE>() {
                self.tracker.turn(now(), sink);
            }
            tracked(first, self.parser.parse(frames, first, input_port, self.tracker.batch()));
            self.tracker.probe();
        }
    }

    /// Tracks the frames of one burst with all stages at once: [`Shard::receive`] and
    /// [`Tracker::drain`].
    pub fn burst<F: Frames + ?Sized>(
        &mut self,
        now: Now,
        input_port: u8,
        frames: &F,
        sink: &mut impl EventSink,
        tracked: impl FnMut(usize, u64),
    ) {
        self.receive(input_port, frames, || now, sink, tracked);
        self.tracker.drain(now, sink);
    }

    /// Returns the sum of what the parser and the tracker have counted. Once the tracker is
    /// drained, the outcomes add up to the received frames.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let mut counters = *self.tracker.counters();
        counters.add_outcomes(self.parser.outcomes());
        counters
    }
}
