//! THE poll loop: what an lcore does, for ever.
//!
//! ```text
//! for each lane:  rx burst ─► parse, hash                     one FFI call
//!                                                             one clock read
//! for each lane:  look up at home, stamp, count ─► tx burst   one FFI call
//! then together:  look up elsewhere, create, report
//! then:           a slice of aging and of unreported events, a slice of commands
//! ```
//!
//! Where the CPU brings few lines at a time, counting comes with the third line, when more has been asked for.
//!
//! Between two lines lies the memory's latency. What the later ones need the cache is asked for after each arrow and each line,
//! a few of them at a time: see `Tracker::ask`.
//!
//! Nothing here allocates, locks, logs or calls the system.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use conntrack::packet::MAX_HEADER;
use conntrack::tracker::Budget;
use conntrack::{FlowTable, Frames, Now, Tick, Tracker};
use dpdk::{Burst, LcoreId, RxQueue, TxQueue};

use crate::clock::Clock;
use crate::command::Mailbox;
use crate::export::RingSink;
use crate::forward::{Forwarded, FrameSet, Rules};
use crate::stats::{LcoreCounters, Published};

/// Positions of the table that dumps, and as many that a flush or a purge may look at in one iteration: when no frame was
/// received, and when there was, so that those that follow need not wait for as long again.
const SLICES: [u32; 2] = [128, 16];

/// One queue to poll and the queue that its frames leave by.
pub struct Lane<'p> {
    /// DPDK port id + 1.
    pub input_port: u8,
    /// Where frames come from.
    pub rx: RxQueue<'p>,
    /// Where they go.
    pub tx: TxQueue<'p>,
}

/// One lcore: its lanes, its shard, its end of ring and door.
pub struct Worker<'p, T> {
    /// The lcore that runs it.
    pub lcore: LcoreId,
    /// What it polls, in turn.
    pub lanes: Vec<Lane<'p>>,
    /// Its shard.
    pub tracker: Tracker<T>,
    /// Its event ring.
    pub sink: RingSink,
    /// Its commands.
    pub mailbox: Mailbox,
    /// Where its counters are read by others.
    pub published: Arc<Published>,
    /// What happens to frames after tracking.
    pub rules: Rules,
    /// Frames per receive burst.
    pub burst: usize,
    /// The time.
    pub clock: Clock,
}

impl<'p, T: FlowTable> Worker<'p, T> {
    /// Polls until `stop` is set.
    pub fn run(&mut self, stop: &AtomicBool) {
        let mut poll = Poll::new(self.lanes.len());
        while !stop.load(Ordering::Relaxed) {
            self.iterate(&mut poll);
        }
        self.publish(&poll);
    }

    /// One iteration of the poll loop.
    #[inline]
    pub fn iterate(&mut self, poll: &mut Poll<'p>) {
        if self.sink.poll_link() {
            self.tracker.start_resync();
        }
        let mut received = 0;
        let clock = self.clock;
        let read_clock = || clock.now();
        for (index, turn) in poll.turns.iter_mut().enumerate() {
            let lane = index % self.lanes.len();
            let lane = &mut self.lanes[lane];
            turn.tracked = FrameSet::default();
            let count = lane.rx.receive(&mut turn.burst, self.burst);
            if count == 0 {
                continue;
            }
            received += count;
            let frames = BurstFrames(&turn.burst);
            self.tracker.take(lane.input_port, &frames, read_clock, &mut self.sink, |first, which| {
                turn.tracked.insert_from(first, which);
            });
            turn.waiting = self.tracker.waiting();
        }
        // Once for all of them: 16 ns a reading.
        let now = read_clock();
        if received != 0 {
            for (index, turn) in poll.turns.iter_mut().enumerate() {
                if turn.burst.is_empty() {
                    continue;
                }
                self.tracker.touch(now, turn.waiting);
                let lane = index % self.lanes.len();
                let tx = &mut self.lanes[lane].tx;
                self.rules.apply(&mut turn.burst, &turn.tracked, tx, &mut poll.forwarded);
                self.tracker.ask();
            }
            self.tracker.finish(now, &mut self.sink);
        }
        self.tracker.advance(now, Budget::default(), &mut self.sink);
        let link = self.sink.link();
        let slice = SLICES[usize::from(received != 0)];
        self.mailbox.run(&mut self.tracker, now, slice, link, &mut self.sink);
        poll.polls += 1;
        poll.busy_polls += u64::from(received != 0);
        self.time(poll, now);
        if poll.published != now.tick {
            poll.published = now.tick;
            self.publish(poll);
        }
    }

    /// Counts the time since the iteration before, from the readings that both have taken anyway, once all lanes were asked.
    ///
    /// It is the time that passed, not the CPU's: an iteration during which the system put this thread aside counts with
    /// the whole wait, as the frames that waited would. So scheduler stalls are in it, and on shared CPUs they are its
    /// longest times.
    #[inline]
    fn time(&self, poll: &mut Poll<'p>, now: Now) {
        if let Some(before) = poll.last.replace(now) {
            self.published.loop_times.count(now.ns.saturating_sub(before.ns));
        }
    }

    /// Once per tick, so the counters that others read are a millisecond old.
    fn publish(&self, poll: &Poll<'_>) {
        let table = self.tracker.table();
        self.published.publish(LcoreCounters {
            tracker: *self.tracker.counters(),
            tx: poll.forwarded.tx,
            tx_dropped: poll.forwarded.tx_dropped,
            filtered: poll.forwarded.filtered,
            events_unlinked: self.sink.unlinked(),
            polls: poll.polls,
            busy_polls: poll.busy_polls,
            entries: u64::from(table.len()),
            capacity: u64::from(table.capacity()),
        });
    }
}

/// What the poll loop carries from one iteration to the next.
pub struct Poll<'p> {
    turns: Vec<Turn<'p>>,
    forwarded: Forwarded,
    polls: u64,
    busy_polls: u64,
    /// The clock's last reading of the iteration before.
    last: Option<Now>,
    published: Tick,
}

/// A burst of an iteration.
struct Turn<'p> {
    burst: Burst<'p>,
    tracked: FrameSet,
    /// Frames that wait for the tracker's next stage, up to the last one of this burst.
    waiting: usize,
}

impl Poll<'_> {
    /// Takes the memory for the bursts of so many lanes: one for each, and for a lane that is alone two, so that there is
    /// something to do while the lines of the first are on their way.
    #[must_use]
    pub fn new(lanes: usize) -> Self {
        let turns = if lanes == 1 { 2 } else { lanes };
        Poll {
            turns: (0..turns)
                .map(|_| Turn { burst: Burst::new(), tracked: FrameSet::default(), waiting: 0 })
                .collect(),
            forwarded: Forwarded::default(),
            polls: 0,
            busy_polls: 0,
            last: None,
            published: Tick(u32::MAX),
        }
    }
}

/// A burst as the engine sees it.
struct BurstFrames<'a>(&'a Burst<'a>);

impl Frames for BurstFrames<'_> {
    #[inline]
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn start(&self, index: usize) -> (&[u8], u32) {
        (self.0.frame(index), self.0.frame_len(index))
    }

    fn header<'a>(&'a self, index: usize, room: &'a mut [u8; MAX_HEADER]) -> &'a [u8] {
        let start = self.0.frame(index);
        if start.len() >= MAX_HEADER.min(self.0.frame_len(index) as usize) {
            return start;
        }
        let copied = self.0.read(index, 0, room);
        &room[..copied]
    }
}
