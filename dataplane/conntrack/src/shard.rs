//! A shard: one thread's parser and the tracker of its table.
//!
//! A burst is parsed here, before and outside of the tracker, into the batch of the table that its
//! frames are looked up in. [`Shard`] has one table, of either family, and [`DualShard`] one for each:
//! the parser fills a batch for each, and nothing in the stages of a tracker changes.

mod dual;

pub use dual::{DualShard, Tracked};

use crate::event::EventSink;
use crate::key::Key;
use crate::packet::{Frames, Parser, SLICE};
use crate::stats::Counters;
use crate::table::FlowTable;
use crate::timeout::Now;
use crate::tracker::Tracker;

/// What one polling thread tracks the frames of one family with. The EtherType of the other family is
/// one that is not tracked.
pub struct Shard<T: FlowTable> {
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
        sink: &mut impl EventSink<T::Key>,
        mut tracked: impl FnMut(usize, u64),
    ) {
        if !self.tracker.attached() {
            self.parser.pass(frames, tracked);
            return;
        }
        for first in (0..frames.len()).step_by(SLICE) {
            if !self.tracker.has_room::<SLICE>() {
                self.tracker.turn(now(), sink);
            }
            let batch = self.tracker.batch();
            tracked(first, T::Key::parse(&mut self.parser, frames, first, input_port, batch));
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
        sink: &mut impl EventSink<T::Key>,
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
