//! One shard: what happens to a frame, and to an entry when its time has come.
//! What the control plane does to it is in `control`.

mod control;

use alloc::boxed::Box;
use alloc::collections::VecDeque;

pub use control::{Cursor, Flush, Permission, Refusal, Removed, Step, TableChange, TableRefusal, Write};

use crate::aging::{BLOCK, PendingBlocks, Wheel};
use crate::arch::Features;
use crate::bits::{members, others};
use crate::classes::Classes;
use crate::entry::{ActorId, Cold, Counts, Entry, Mark};
use crate::event::{DeleteReason, Event, EventBody, EventSink};
use crate::key::FlowKey;
use crate::packet::parser::{SLICE, Slice};
use crate::packet::{Frames, Outcome, Protocols};
use crate::permission::Permissions;
use crate::stats::Counters;
use crate::table::{ALL_STEPS, BULK, FlowTable, Layout, LineTable, Packets, Pos, TableConfigError, Touch};
use crate::timeout::{Now, ProfileId, Profiles, Tick};

/// Frames that go through the later stages together: a burst from each of two ports. Of more the stages could not tell each
/// other with a bit for each.
const BATCH: usize = BULK;

/// Blocks of the wheel that are fetched together: four lines each, sixteen in all, which every CPU has room for on their way.
const BLOCKS_TOGETHER: usize = 4;

/// Aging is late when what it looks at next is so many buckets late.
const LATE: u32 = 2;

/// By so much more blocks are looked at then.
const HURRY: u32 = 8;

/// What the stages know about the frames that are between them. Kept with the tracker, because on the stack it would have
/// to be cleared for each burst.
struct Batch {
    /// When all of them had come; known with [`Tracker::turn`].
    at: Now,
    keys: [FlowKey; BATCH],
    hashes: [u32; BATCH],
    lens: [u32; BATCH],
    len: usize,
    /// Of these so many have had their lines asked for,
    asked: usize,
    /// and so many have been looked up.
    touched: usize,
    /// Those of them that are dealt with, a bit each.
    hits: u64,
}

impl Batch {
    fn new(now: Now) -> Self {
        Batch {
            at: now,
            keys: [FlowKey::default(); BATCH],
            hashes: [0; BATCH],
            lens: [0; BATCH],
            len: 0,
            asked: 0,
            touched: 0,
            hits: 0,
        }
    }
}

/// What a shard is told at its creation.
#[derive(Clone, Copy, Debug)]
pub struct TrackerConfig {
    /// Which IPv4 protocols are looked up.
    pub protocols: Protocols,
    /// The instructions that frames are parsed with.
    pub instructions: Features,
    /// The timer profiles.
    pub profiles: Profiles,
    /// Profile of entries that the data path learns.
    pub learn_profile: ProfileId,
    /// The table's permissions.
    pub permissions: Permissions,
    /// Whether packets and bytes are counted per entry.
    pub accounting: bool,
    /// Width of an aging bucket: 2^this milliseconds.
    pub bucket_shift: u32,
}

impl Default for TrackerConfig {
    /// TCP, the instructions that this CPU has, P4TC's profiles, learning with profile 0, permissions 0x3dfc, accounting, 8 ms buckets.
    fn default() -> Self {
        TrackerConfig {
            protocols: Protocols::Tcp,
            instructions: Features::detect(),
            profiles: Profiles::default(),
            learn_profile: ProfileId::default(),
            permissions: Permissions::new(0x3dfc).unwrap_or_else(|| unreachable!("14 bits")),
            accounting: true,
            bucket_shift: 3,
        }
    }
}

/// What one call of [`Tracker::advance`] may do at most.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Blocks whose deadlines are looked at. Eight times as many when aging is late, but no more deletions.
    pub blocks: u32,
    /// Blocks in which unreported changes are offered again; before these, as
    /// many reports of replaced entries as such blocks have entries.
    pub pending: u32,
    /// Positions that a resync looks at.
    pub resync: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { blocks: 16, pending: 16, resync: 96 }
    }
}

/// One shard of the connection tracker.
pub struct Tracker<T> {
    table: T,
    wheel: Wheel,
    pending: PendingBlocks,
    /// Reports of entries whose place was needed before the sink took them.
    /// While there are any, nothing else is offered, so order is kept.
    backlog: VecDeque<Event>,
    resync: Option<Resync>,
    /// What has been parsed since the last turn: keys and hashes, nothing that depends on the table.
    fresh: Box<Batch>,
    /// The batch before, whose lines come meanwhile.
    ripe: Box<Batch>,
    classes: Classes,
    program: Program,
    /// No entry may be created: a change of the table is about to be made.
    held: bool,
    config: TrackerConfig,
    counters: Counters,
}

/// The P4 program's state on this shard.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Program {
    Attached,
    /// Detached; entries from this position on may still be there.
    Purging(u32),
    Detached,
}

#[derive(Clone, Copy)]
enum Resync {
    Begin,
    Entries(Cursor),
    End,
}

impl<L: Layout> Tracker<LineTable<L>> {
    /// The memory that it has taken, in bytes, the table's included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.table.bytes()
            + self.wheel.bytes()
            + self.pending.bytes()
            + self.backlog.capacity() * size_of::<Event>()
    }
}

impl<T: FlowTable> Tracker<T> {
    /// A shard around an empty table. Takes all the memory it will ever use.
    ///
    /// # Errors
    /// When the memory cannot be had.
    pub fn new(table: T, config: TrackerConfig, now: Now) -> Result<Self, TableConfigError> {
        let positions = table.positions() as usize;
        let blocks = positions.div_ceil(BLOCK as usize);
        // Two events for one entry in 128, and some for a small table.
        let backlog = VecDeque::with_capacity(64.max(table.capacity() as usize / 64));
        Ok(Tracker {
            wheel: Wheel::new(blocks, config.bucket_shift, now.tick),
            pending: PendingBlocks::new(blocks),
            backlog,
            resync: None,
            fresh: Box::new(Batch::new(now)),
            ripe: Box::new(Batch::new(now)),
            classes: Classes::new(config.profiles),
            program: Program::Attached,
            held: false,
            config,
            counters: Counters::default(),
            table,
        })
    }

    /// The table, for reading.
    pub fn table(&self) -> &T {
        &self.table
    }

    /// The counters.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Tracks the frames of one burst, in order, as having entered `input_port` (DPDK port id + 1): all stages at once.
    pub fn burst<F: Frames + ?Sized>(
        &mut self,
        now: Now,
        input_port: u8,
        frames: &F,
        sink: &mut impl EventSink,
        tracked: impl FnMut(usize, u64),
    ) {
        self.take(input_port, frames, || now, sink, tracked);
        self.settle(now, sink);
    }

    /// Reads the keys of a burst that has entered `input_port`, and asks the cache for their lines while it looks up as many
    /// frames of the batch before, whose lines have come since. After the bursts of all ports comes [`Tracker::turn`] or
    /// [`Tracker::settle`], before any other call; what does not fit a batch makes a turn here, which is what the time is read
    /// for.
    ///
    /// `tracked` is told which frames are looked up, whatever comes of it: bit i of its second argument is about frame
    /// i after its first, which is a multiple of 32.
    #[inline]
    pub fn take<F: Frames + ?Sized>(
        &mut self,
        input_port: u8,
        frames: &F,
        now: impl Fn() -> Now,
        sink: &mut impl EventSink,
        mut tracked: impl FnMut(usize, u64),
    ) {
        self.counters.rx += frames.len() as u64;
        if self.program != Program::Attached {
            // Nothing is there that could call a frame untracked: all pass.
            self.counters.outcomes[Outcome::Detached as usize] += frames.len() as u64;
            for first in (0..frames.len()).step_by(SLICE) {
                tracked(first, (1 << (frames.len() - first).min(SLICE)) - 1);
            }
            return;
        }
        for first in (0..frames.len()).step_by(SLICE) {
            if self.fresh.len > BATCH - SLICE {
                self.turn(now(), sink);
            }
            tracked(first, self.parse(input_port, frames, first));
            self.touch(SLICE);
        }
    }

    /// Parses up to [`SLICE`] frames into the batch, which has room; says which are looked up.
    #[inline]
    fn parse<F: Frames + ?Sized>(&mut self, input_port: u8, frames: &F, first: usize) -> u64 {
        let Batch { keys, hashes, lens, len, .. } = &mut *self.fresh;
        let (keys, hashes, lens) = (&mut keys[*len..], &mut hashes[*len..], &mut lens[*len..]);
        let (Some(places), Some(lens)) = (keys.first_chunk_mut(), lens.first_chunk_mut()) else {
            unreachable!("there is room")
        };
        let (protocols, counters) = (self.config.protocols, &mut self.counters);
        let slice = Slice { frames, first, input_port, protocols, keys: places, lens, counters };
        let looked_up = slice.parse(self.config.instructions);
        let count = looked_up.count_ones() as usize;
        self.table.hash_burst(&keys[..count], &mut hashes[..count]);
        *len += count;
        looked_up
    }

    /// Looks the next `count` frames of the batch before up at home, stamps and counts what is known; between them asks for the
    /// lines of frames that were parsed since.
    #[inline]
    fn touch(&mut self, count: usize) {
        let touch = self.touch_at(self.ripe.at);
        let Batch { hashes, len, asked, .. } = &mut *self.fresh;
        let next = &hashes[*asked..*len];
        *asked = *len;
        let Batch { keys, hashes, lens, len, touched, hits, .. } = &mut *self.ripe;
        let (first, upto) = (*touched, (*touched + count).min(*len));
        if first >= upto {
            self.table.prefetch_burst(next, touch.counting);
            return;
        }
        *touched = upto;
        let packets = |count| Packets::first(count, keys, hashes, lens);
        *hits |= self.table.touch_rest(packets(first), 1, touch);
        let vacancy = |pos: Pos| self.wheel.prefetch(pos.0 / BLOCK);
        *hits |= self.table.touch_burst(packets(upto), first, touch, next, vacancy);
    }

    fn touch_at(&self, now: Now) -> Touch {
        Touch { stamp: now.stamp, counting: self.config.accounting }
    }

    /// The bursts of all ports have been taken: finishes the batch before, whose outcomes and events come with this, and lets
    /// these follow it.
    #[inline]
    pub fn turn(&mut self, now: Now, sink: &mut impl EventSink) {
        self.finish(sink);
        core::mem::swap(&mut self.fresh, &mut self.ripe);
        self.ripe.at = now;
    }

    /// Finishes all that was taken. Until then frames of the last turn are counted in [`Counters::rx`] and have no outcome.
    #[inline]
    pub fn settle(&mut self, now: Now, sink: &mut impl EventSink) {
        self.turn(now, sink);
        self.finish(sink);
    }

    /// Looks up what was not at home, creates what was not known, and reports it. Does what is missing of
    /// [`Tracker::touch`] before.
    #[inline]
    fn finish(&mut self, sink: &mut impl EventSink) {
        let (len, now) = (self.ripe.len, self.ripe.at);
        if len == 0 {
            return;
        }
        self.touch(len);
        let touch = self.touch_at(now);
        let hits = self.ripe.hits | self.touch_rest(touch);
        self.counters.outcomes[Outcome::Hit as usize] += u64::from(hits.count_ones());
        // In their order, which is that of their events.
        for i in members(others(hits, 0..len)) {
            let Batch { keys, hashes, lens, .. } = &*self.ripe;
            let (key, hash, bytes) = (keys[i], hashes[i], lens[i]);
            let outcome = self.first_packet(now, &key, hash, bytes, sink);
            self.counters.count(outcome);
        }
        let Batch { len, asked, touched, hits, .. } = &mut *self.ripe;
        (*len, *asked, *touched, *hits) = (0, 0, 0, 0);
    }

    fn touch_rest(&mut self, touch: Touch) -> u64 {
        let Batch { keys, hashes, lens, len, .. } = &*self.ripe;
        self.table.touch_rest(Packets::first(*len, keys, hashes, lens), ALL_STEPS, touch)
    }

    #[inline(always)]
    fn account(&mut self, pos: Pos, len: u32) {
        if self.config.accounting
            && let Some(counts) = self.table.counts_mut(pos)
        {
            counts.count(len);
        }
    }

    /// A packet whose key was not in the table when its batch was looked up, or about whose entry something has still to
    /// be told.
    fn first_packet(
        &mut self,
        now: Now,
        key: &FlowKey,
        hash: u32,
        len: u32,
        sink: &mut impl EventSink,
    ) -> Outcome {
        if self.held || !self.config.permissions.allows(Permissions::DATA_CREATE) {
            return match self.table.lookup_with_hash(key, hash) {
                Some(pos) => self.known(now, pos, key, hash, len, sink),
                None => Outcome::MissDenied,
            };
        }
        let before = self.table.len();
        let Ok(pos) = self.table.add_with_hash(key, hash) else {
            return Outcome::MissFull;
        };
        if self.table.len() == before {
            return self.known(now, pos, key, hash, len, sink);
        }
        self.learn(now, pos, key, len, sink);
        Outcome::MissCreated
    }

    /// Add-on-miss (P4TC `ct_flow_miss`): what an entry is that a packet has made.
    fn learn(&mut self, now: Now, pos: Pos, key: &FlowKey, len: u32, sink: &mut impl EventSink) {
        let profile = self.config.learn_profile;
        let class = self.classes.of_profile(profile);
        let permissions = self.config.permissions.of_entry();
        self.begin(now, pos, ActorId::DATA_PATH, permissions, profile);
        self.account(pos, len);
        self.admit(now, pos, key, class, sink);
    }

    /// What is kept at the position of a new entry, and nothing counted yet.
    fn begin(&mut self, now: Now, pos: Pos, creator: ActorId, permissions: Permissions, profile: ProfileId) {
        *self.table.cold_mut(pos) = Cold::new(now.ns / 1_000_000, creator, permissions, profile);
        if let Some(counts) = self.table.counts_mut(pos) {
            *counts = Counts::ZERO;
        }
    }

    /// A packet for an entry that is there after all: a packet before it in its batch has made it, or its CREATED has not
    /// been taken yet. Or it has expired and its DELETED has not been taken: then that one ends, and a new one starts,
    /// reported in this order.
    #[cold]
    fn known(
        &mut self,
        now: Now,
        pos: Pos,
        key: &FlowKey,
        hash: u32,
        len: u32,
        sink: &mut impl EventSink,
    ) -> Outcome {
        if !self.table.mark(pos).dying() {
            self.table.set_stamp(pos, now.stamp);
            self.account(pos, len);
            return Outcome::Hit;
        }
        if !self.report(pos, now, sink) {
            let mark = self.table.mark(pos);
            let events = 1 + usize::from(mark.unreported());
            if self.backlog.len() + events > self.backlog.capacity() {
                return Outcome::MissFull;
            }
            let entry = self.entry(pos, *key);
            if mark.unreported() {
                self.backlog.push_back(Self::created_event(&entry));
            }
            self.backlog.push_back(Self::idle_event(entry, now));
            self.drop_at(pos);
        }
        self.first_packet(now, key, hash, len, sink)
    }

    /// Does a slice of the work that no packet waits for: reports what has
    /// not been taken yet, deletes what has been idle for its aging time, and
    /// goes on with a resync.
    pub fn advance(&mut self, now: Now, budget: Budget, sink: &mut impl EventSink) {
        debug_assert_eq!(self.ripe.touched, 0, "between the stages of a batch");
        if matches!(self.program, Program::Purging(_)) {
            // What is left goes without a word, and a resync is about what is there afterwards.
            return;
        }
        for _ in 0..budget.pending.saturating_mul(BLOCK) {
            let Some(event) = self.backlog.front() else { break };
            if !sink.offer(event) {
                break;
            }
            self.counters.events_sent += 1;
            self.backlog.pop_front();
        }
        for _ in 0..budget.pending {
            let Some(block) = self.pending.front() else { break };
            if !self.report_block(block, now, sink) {
                break;
            }
            self.pending.pop();
        }
        self.expire_due(now, budget.blocks, sink);
        self.resync_slice(now, budget.resync, sink);
    }

    /// True when no deadline that has passed is waiting to be looked at.
    #[must_use]
    pub fn caught_up(&self, now: Now) -> bool {
        self.wheel.caught_up(now.tick)
    }

    /// True when everything that happened has been taken by the sink.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.backlog.is_empty() && self.pending.is_empty() && self.resync.is_none()
    }

    /// Looks at so many blocks whose time has come, some together, so that the lines of all are on their way while the first
    /// is looked at. When it is late, at more of them, unless it has to delete much: a great many flows that began together
    /// are due together, and most of them have been used since.
    fn expire_due(&mut self, now: Now, mut blocks: u32, sink: &mut impl EventSink) {
        let enough = self.counters.expired.saturating_add(u64::from(blocks) * u64::from(BLOCK));
        if self.wheel.behind(now.tick) > LATE {
            blocks = blocks.saturating_mul(HURRY);
        }
        while blocks != 0 && self.counters.expired < enough {
            let mut due = [0; BLOCKS_TOGETHER];
            let mut count = 0;
            while count < BLOCKS_TOGETHER.min(blocks as usize) {
                let Some(block) = self.wheel.take_due(now.tick) else { break };
                self.prefetch_block(block);
                due[count] = block;
                count += 1;
            }
            for &block in &due[..count] {
                self.expire_block(block, now, sink);
            }
            if count < BLOCKS_TOGETHER {
                return;
            }
            blocks -= BLOCKS_TOGETHER as u32;
        }
    }

    fn prefetch_block(&self, block: u32) {
        // Four neighbouring lines, or as many stamps and keys of another table.
        for pos in (block * BLOCK..(block + 1) * BLOCK).step_by(3) {
            self.table.prefetch_at(Pos(pos));
        }
    }

    fn block_positions(&self, block: u32) -> core::ops::Range<u32> {
        block * BLOCK..((block + 1) * BLOCK).min(self.table.positions())
    }

    /// Deletes the idle entries of a block and puts it back on the wheel.
    fn expire_block(&mut self, block: u32, now: Now, sink: &mut impl EventSink) {
        let mut next: Option<u32> = None;
        for pos in self.block_positions(block).map(Pos) {
            let Some(key) = self.table.key_at(pos) else { continue };
            let mark = self.table.mark(pos);
            let aging = self.classes.aging_ms(mark.class());
            if aging == 0 || mark.dying() {
                continue;
            }
            let idle = now.tick.since(self.table.stamp(pos));
            let left = aging as i32 - idle;
            if left > 0 {
                next = Some(next.map_or(left as u32, |n| n.min(left as u32)));
                continue;
            }
            self.counters.expired += 1;
            let entry = self.entry(pos, key);
            if !mark.unreported() && self.offer(&Self::idle_event(entry, now), sink) {
                self.counters.late(left.unsigned_abs());
                self.drop_at(pos);
            } else {
                self.counters.expired_deferred += 1;
                self.defer(pos, mark.with_dying());
            }
        }
        if let Some(left) = next {
            self.wheel.schedule(block, now.tick.plus(left));
        }
    }

    /// Takes an entry out of the table.
    fn drop_at(&mut self, pos: Pos) {
        self.classes.leave(self.table.mark(pos).class());
        self.table.remove_at(pos);
    }

    /// Sets the mark of an entry about which something has still to be told.
    fn defer(&mut self, pos: Pos, mark: Mark) {
        self.table.set_mark(pos, mark);
        self.pending.push(pos.0 / BLOCK);
    }

    /// Offers what a block has still to tell; false when the sink refused.
    fn report_block(&mut self, block: u32, now: Now, sink: &mut impl EventSink) -> bool {
        self.block_positions(block).map(Pos).all(|pos| {
            let pending = self.table.key_at(pos).is_some() && self.table.mark(pos).pending();
            !pending || self.report(pos, now, sink)
        })
    }

    /// Offers what an entry has still to tell; false when the sink refused. A
    /// dying entry is gone afterwards.
    fn report(&mut self, pos: Pos, now: Now, sink: &mut impl EventSink) -> bool {
        let Some(key) = self.table.key_at(pos) else { return true };
        let entry = self.entry(pos, key);
        let mut mark = self.table.mark(pos);
        if mark.unreported() {
            if !self.offer_again(&Self::created_event(&entry), sink) {
                return false;
            }
            mark = mark.with_unreported(false);
            self.table.set_mark(pos, mark);
        }
        if mark.dying() {
            if !self.offer_again(&Self::idle_event(entry, now), sink) {
                return false;
            }
            self.drop_at(pos);
        }
        true
    }

    /// The CREATED of an entry that is told late: its times are those of its creation, whatever has come since.
    fn created_event(entry: &Entry) -> Event {
        let last_used = Tick(entry.created_ms as u32);
        Event { at_ns: entry.created_ms * 1_000_000, body: EventBody::Created(Entry { last_used, ..*entry }) }
    }

    fn idle_event(entry: Entry, now: Now) -> Event {
        let body = EventBody::Deleted { entry, reason: DeleteReason::Idle, actor: ActorId::TIMER };
        Event { at_ns: now.ns, body }
    }

    /// Offers a new event; one that is refused is counted as deferred.
    fn offer(&mut self, event: &Event, sink: &mut impl EventSink) -> bool {
        let taken = self.offer_again(event, sink);
        if !taken {
            self.counters.events_deferred += 1;
        }
        taken
    }

    fn offer_again(&mut self, event: &Event, sink: &mut impl EventSink) -> bool {
        let taken = self.backlog.is_empty() && sink.offer(event);
        self.counters.events_sent += u64::from(taken);
        taken
    }

    fn entry(&self, pos: Pos, key: FlowKey) -> Entry {
        let (cold, counts) = (self.table.cold(pos), self.table.counts(pos));
        Entry {
            key,
            created_ms: cold.created_ms(),
            last_used: self.table.stamp(pos),
            aging_ms: self.classes.aging_ms(self.table.mark(pos).class()),
            profile: cold.profile(),
            permissions: cold.permissions(),
            packets: counts.packets,
            bytes: counts.bytes,
            creator: cold.creator(),
            updater: cold.updater(),
        }
    }

    /// Starts to tell the whole table, from the beginning, among the events
    /// that go on meanwhile. Earlier reports that still wait are forgotten: the
    /// entries that they announce are in the enumeration or gone.
    pub fn start_resync(&mut self) {
        self.backlog.clear();
        self.resync = Some(Resync::Begin);
    }

    fn resync_slice(&mut self, now: Now, mut positions: u32, sink: &mut impl EventSink) {
        let offered = |body| Event { at_ns: now.ns, body };
        loop {
            match self.resync {
                None => return,
                Some(Resync::Begin) => {
                    if !self.offer_again(&offered(EventBody::ResyncBegin), sink) {
                        return;
                    }
                    self.resync = Some(Resync::Entries(Cursor::default()));
                }
                Some(Resync::Entries(at)) => {
                    let mut next = at;
                    match self.walk(&mut next, &mut positions, true) {
                        Step::Entry(entry) => {
                            if !self.offer_again(&offered(EventBody::ResyncEntry(entry)), sink) {
                                // Only what was found is met again; what was empty is passed.
                                self.resync = Some(Resync::Entries(Cursor(next.0 - 1)));
                                return;
                            }
                            let pos = Pos(next.0 - 1);
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
                    if !self.offer_again(&offered(EventBody::ResyncEnd), sink) {
                        return;
                    }
                    self.resync = None;
                }
            }
        }
    }
}
