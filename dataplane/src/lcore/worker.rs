//! The poll loop: what an lcore does from start to stop.
//!
//! ```text
//! for each lane   receive a burst ─► parse it, probe some of the batch before ─► send the burst
//! then            read the clock once; commit the batch before, or all when nothing may wait
//! then            one slice of aging, of unreported events and of a resync; one slice of commands
//! ```
//!
//! A frame leaves at once, because only its headers decide where it goes. What it changes in the
//! table follows up to one iteration later, when the table's lines have arrived in the cache.
//! Nothing is left for later when no frame was received, at the first iteration of a millisecond,
//! and before a command.
//!
//! Nothing here allocates, locks, logs or makes a system call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use conntrack::tracker::Budget;
use conntrack::{DualShard, FlowKey, FlowKeyV6, FlowTable, Now, Tick};
use dpdk::{Burst, LcoreId, RxQueue, TxQueue};

use crate::export::RingSink;
use crate::lcore::burst_frames::BurstFrames;
use crate::lcore::clock::Clock;
use crate::lcore::executors::Executors;
use crate::lcore::forward::{Forwarded, FrameSet, Rules};
use crate::lcore::stats::{LcoreCounters, Published, TableCounters};

/// Positions of the tables that commands may look at in an iteration without frames. Dumps have a
/// slice of this size, and a flush or a purge has another.
const SLICE_WHEN_IDLE: u32 = 128;
/// The same in an iteration with frames: small, because the next frames wait for it.
const SLICE_WHEN_BUSY: u32 = 16;

/// One queue to poll and the queue that its frames leave by.
pub struct Lane<'p> {
    /// DPDK port id + 1, as it stands in a flow's key.
    pub input_port: u8,
    /// Where frames come from.
    pub rx: RxQueue<'p>,
    /// Where they go.
    pub tx: TxQueue<'p>,
}

/// One lcore: its lanes, its shard of both tables, and its ends of the event ring and the
/// mailboxes.
pub struct Worker<'p, T: FlowTable, U: FlowTable> {
    /// The lcore that runs the loop.
    pub lcore: LcoreId,
    /// What it polls, in turn.
    pub lanes: Vec<Lane<'p>>,
    /// Its shard: the parser, and the trackers of IPv4 and IPv6.
    pub shard: DualShard<T, U>,
    /// Its event ring, for the events of both tables.
    pub sink: RingSink,
    /// Its commands.
    pub executors: Executors,
    /// Where other threads read its counters.
    pub published: Arc<Published>,
    /// What happens to frames after tracking.
    pub rules: Rules,
    /// Frames per receive burst.
    pub burst: usize,
    /// The time.
    pub clock: Clock,
}

impl<'p, T: FlowTable<Key = FlowKey>, U: FlowTable<Key = FlowKeyV6>> Worker<'p, T, U> {
    /// Polls until `stop` is set.
    pub fn run(&mut self, stop: &AtomicBool) {
        let mut poll = Poll::new(self.lanes.len());
        while !stop.load(Ordering::Relaxed) {
            self.iterate(&mut poll);
        }
        self.shard.drain(self.clock.now(), &mut self.sink);
        self.publish(&poll);
    }

    /// Runs one iteration of the poll loop.
    #[inline]
    pub fn iterate(&mut self, poll: &mut Poll<'p>) {
        self.notice_link();
        let received = self.poll_lanes(poll);
        let now = self.clock.now();
        let new_tick = poll.published != now.tick;
        // A new tick may bring deadlines that the frames of the last iterations have put off, and
        // publishes counters, which have to add up. So nothing is left for later then.
        if received == 0 || new_tick {
            self.shard.drain(now, &mut self.sink);
        } else {
            self.shard.turn(now, &mut self.sink);
        }
        self.shard.advance(now, Budget::default(), &mut self.sink);
        let slice = if received == 0 { SLICE_WHEN_IDLE } else { SLICE_WHEN_BUSY };
        let command = self.executors.take_command();
        if command.is_some() {
            // The exporter raises a link before it gives commands of it. So a command that was taken
            // never belongs to a link that is noticed later, and its end is reported on its link.
            self.notice_link();
        }
        let link = self.sink.link();
        self.executors.run(command, &mut self.shard, now, slice, link, &mut self.sink);
        poll.polls += 1;
        poll.busy_polls += u64::from(received != 0);
        self.count_time(poll, now);
        if new_tick {
            poll.published = now.tick;
            self.publish(poll);
            self.executors.notice_saving();
        }
    }

    /// Starts a resync when a new link stands.
    #[inline]
    fn notice_link(&mut self) {
        if self.sink.poll_link() {
            self.shard.start_resync();
        }
    }

    /// Receives, tracks and sends a burst of every lane. Returns how many frames were received.
    #[inline]
    fn poll_lanes(&mut self, poll: &mut Poll<'p>) -> usize {
        let clock = self.clock;
        let mut received = 0;
        for receive in 0..poll.receives {
            let lane = receive % self.lanes.len();
            let lane = &mut self.lanes[lane];
            let count = lane.rx.receive(&mut poll.burst, self.burst);
            if count == 0 {
                continue;
            }
            received += count;
            let mut tracked = FrameSet::default();
            let frames = BurstFrames(&poll.burst);
            let read_clock = || clock.now();
            self.shard.receive(lane.input_port, &frames, read_clock, &mut self.sink, |first, which| {
                tracked.insert_from(first, which);
            });
            self.rules.apply(&mut poll.burst, &tracked, &mut lane.tx, &mut poll.forwarded);
        }
        received
    }

    /// Counts the time since the iteration before, from the clock readings that both have taken
    /// anyway.
    ///
    /// This is elapsed time, not CPU time: an iteration during which the scheduler ran another
    /// thread counts with the whole wait, because frames waited as long. On shared CPUs such stalls
    /// are the longest times.
    #[inline]
    fn count_time(&self, poll: &mut Poll<'p>, now: Now) {
        if let Some(before) = poll.last.replace(now) {
            self.published.loop_times.count(now.ns.saturating_sub(before.ns));
        }
    }

    /// Publishes the counters. Called once per tick, so that what others read is a millisecond old
    /// at most.
    fn publish(&self, poll: &Poll<'_>) {
        let tracked = self.shard.tracked();
        let ipv4 = tracked.ipv4().then(|| TableCounters::of(&self.shard.ipv4));
        let ipv6 = tracked.ipv6().then(|| TableCounters::of(&self.shard.ipv6));
        self.published.publish(LcoreCounters {
            tracker: self.shard.counters(),
            tx: poll.forwarded.tx,
            tx_dropped: poll.forwarded.tx_dropped,
            filtered: poll.forwarded.filtered,
            events_unlinked: self.sink.unlinked(),
            polls: poll.polls,
            busy_polls: poll.busy_polls,
            ipv4: ipv4.unwrap_or_default(),
            ipv6: ipv6.unwrap_or_default(),
        });
    }
}

/// What the poll loop carries from one iteration to the next.
pub struct Poll<'p> {
    /// Holds the frames of one lane after the other.
    burst: Burst<'p>,
    /// Receive bursts per iteration.
    receives: usize,
    forwarded: Forwarded,
    polls: u64,
    busy_polls: u64,
    /// The clock reading of the iteration before.
    last: Option<Now>,
    /// The tick for which counters were published last.
    published: Tick,
}

impl Poll<'_> {
    /// Makes the state for a worker with this many lanes. A single lane is received from twice per
    /// iteration, so that a batch holds two bursts, as with two lanes, and its lines have as long to
    /// arrive in the cache.
    #[must_use]
    pub fn new(lanes: usize) -> Self {
        Poll {
            burst: Burst::new(),
            receives: if lanes == 1 { 2 } else { lanes },
            forwarded: Forwarded::default(),
            polls: 0,
            busy_polls: 0,
            last: None,
            published: Tick(u32::MAX),
        }
    }
}
