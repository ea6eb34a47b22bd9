//! THE poll loop: what an lcore does, for ever.
//!
//! ```text
//! for each lane:  rx burst ─► parse, hash ─► of the iteration before: look up at home, stamp, count ─► tx burst
//!                 one FFI call                                                                         one FFI call
//! then            one clock read; of the iteration before: look up elsewhere, create, report
//! then            a slice of aging and of unreported events, a slice of commands
//! ```
//!
//! A frame is sent at once, because only what was parsed decides where it goes. What it does to its flow comes an iteration later,
//! when its line has come out of the memory: between two lookups the cache is asked for a line of the next iteration's. When
//! nothing was received, once a millisecond, and before a command, nothing is left for later.
//!
//! Nothing here allocates, locks, logs or calls the system.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use conntrack::packet::MAX_HEADER;
use conntrack::tracker::Budget;
use conntrack::{FlowTable, Frames, Now, Tick, Tracker};
use dpdk::{Burst, LcoreId, RxQueue, TxQueue};

use crate::export::RingSink;
use crate::lcore::clock::Clock;
use crate::lcore::forward::{Forwarded, FrameSet, Rules};
use crate::lcore::mailbox::Mailbox;
use crate::lcore::stats::{LcoreCounters, Published};

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
        self.tracker.settle(self.clock.now(), &mut self.sink);
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
        for turn in 0..poll.turns {
            let lane = turn % self.lanes.len();
            let lane = &mut self.lanes[lane];
            let count = lane.rx.receive(&mut poll.burst, self.burst);
            if count == 0 {
                continue;
            }
            received += count;
            let mut tracked = FrameSet::default();
            let frames = BurstFrames(&poll.burst);
            self.tracker.take(lane.input_port, &frames, read_clock, &mut self.sink, |first, which| {
                tracked.insert_from(first, which);
            });
            self.rules.apply(&mut poll.burst, &tracked, &mut lane.tx, &mut poll.forwarded);
        }
        // Once for all of them: 16 ns a reading.
        let now = read_clock();
        // With a new tick there may be deadlines that these frames put off, and counters are published, which add up.
        if received == 0 || poll.published != now.tick {
            self.tracker.settle(now, &mut self.sink);
        } else {
            self.tracker.turn(now, &mut self.sink);
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
    /// Of one lane after the other.
    burst: Burst<'p>,
    /// Bursts of an iteration.
    turns: usize,
    forwarded: Forwarded,
    polls: u64,
    busy_polls: u64,
    /// The clock's last reading of the iteration before.
    last: Option<Now>,
    published: Tick,
}

impl Poll<'_> {
    /// For so many lanes. A lane that is alone has two turns an iteration, so that there is something to do while the lines of
    /// the first are on their way.
    #[must_use]
    pub fn new(lanes: usize) -> Self {
        Poll {
            burst: Burst::new(),
            turns: if lanes == 1 { 2 } else { lanes },
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
    fn starts(&self, from: usize) -> impl Iterator<Item = (&[u8], u32)> {
        self.0.frames(from)
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
