//! A naive tracker and a trial that runs the engine beside it.
//!
//! The model is a map of entries whose expiry is found by looking at all of
//! them. Where the engine has a choice (an entry past its deadline may be
//! deleted at once or one aging bucket later, its report may be taken or not)
//! the model asks which way it went, after checking that both were open; in
//! everything else it says beforehand what must come.

use std::collections::{HashMap, HashSet, VecDeque};

use conntrack::entry::ActorId;
use conntrack::event::EventBody;
use conntrack::tracker::{Budget, Cursor, Refusal, Step, Write};
use conntrack::{
    DeleteReason, Entry, Event, EventSink, FlowKey, FlowTable, Now, Outcome, Permissions, ProfileId,
    Profiles, Protocols, Tracker, TrackerConfig,
};
use proptest::prelude::*;

use super::frames::Frame;
use super::keys;
use super::oracle::classify;
use super::random::Random;

/// Nanoseconds per millisecond.
const MS: u64 = 1_000_000;
/// Flows that a trial knows.
const FLOWS: usize = 40;
/// The control program of a trial.
const OPERATOR: ActorId = ActorId(ActorId::FIRST_CONTROL + 3);
/// Reports of replaced entries that the smallest tracker promises to keep: two for each of 32.
const KEPT_REPLACEMENTS: usize = 32;

/// The circumstances of a trial.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) aging_ms: u64,
    pub(crate) bucket_shift: u32,
    pub(crate) accounting: bool,
    pub(crate) start_ms: u64,
    pub(crate) learn_profile: u8,
}

impl Setup {
    /// The tracker's configuration, whose learn profile has the trial's aging.
    fn config(&self) -> TrackerConfig {
        let mut values = vec![500_000, 600_000, 700_000];
        values.insert(usize::from(self.learn_profile), self.aging_ms);
        TrackerConfig {
            protocols: Protocols::Tcp,
            profiles: Profiles::new(&values).expect("distinct and in range"),
            learn_profile: ProfileId::new(u32::from(self.learn_profile)).expect("below 4"),
            accounting: self.accounting,
            bucket_shift: self.bucket_shift,
            ..TrackerConfig::default()
        }
    }
}

/// Any circumstances; the clock often starts shortly before the tick's wrap.
pub(crate) fn setup() -> impl Strategy<Value = Setup> {
    let start = prop_oneof![0..5_000u64, (1u64 << 32) - 300..1 << 32, (1u64 << 31) - 300..1 << 31];
    (1..60u64, 0..5u32, any::<bool>(), start, 0..4u8).prop_map(
        |(aging_ms, bucket_shift, accounting, start_ms, learn_profile)| Setup {
            aging_ms,
            bucket_shift,
            accounting,
            start_ms,
            learn_profile,
        },
    )
}

/// How willing the sink is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mood {
    /// Takes everything.
    Open,
    /// Takes so many events more, then none.
    Room(u32),
    /// Takes about half, without a pattern.
    Fickle(u64),
}

/// One step of a trial.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// A burst; a number below [`FLOWS`] stands for a frame of that flow, others for frames that are not tracked.
    Burst(Vec<u8>),
    /// Time goes on, nanoseconds.
    Wait(u64),
    /// A call of `advance`.
    Advance(Budget),
    Mood(Mood),
    /// Removal of a flow by the control plane, and whether for a flush.
    Remove(u8, bool),
    /// A slice of an enumeration that spans the other steps.
    Enumerate(u32),
    Resync,
}

/// Any steps.
pub(crate) fn ops(longest: usize) -> impl Strategy<Value = Vec<Op>> {
    let few = prop::collection::vec(0..8u8, 0..12);
    let many = prop::collection::vec(0..FLOWS as u8 + 8, 0..150);
    let budget =
        (0..4u32, 0..4u32, 0..40u32).prop_map(|(blocks, pending, resync)| Budget { blocks, pending, resync });
    let mood = prop_oneof![
        2 => Just(Mood::Open),
        3 => (0..6u32).prop_map(Mood::Room),
        2 => any::<u64>().prop_map(Mood::Fickle),
    ];
    let op = prop_oneof![
        4 => few.prop_map(Op::Burst),
        2 => many.prop_map(Op::Burst),
        4 => (0..20 * MS).prop_map(Op::Wait),
        2 => (0..40u64).prop_map(|ms| Op::Wait(ms * MS)),
        5 => budget.prop_map(Op::Advance),
        2 => Just(Op::Advance(Budget::default())),
        2 => mood.prop_map(Op::Mood),
        2 => (0..FLOWS as u8, any::<bool>()).prop_map(|(flow, flush)| Op::Remove(flow, flush)),
        2 => (0..60u32).prop_map(Op::Enumerate),
        1 => Just(Op::Resync),
    ];
    prop::collection::vec(op, 0..longest)
}

struct Sink {
    mood: Mood,
    taken: Vec<Event>,
    refused: u64,
}

impl EventSink for Sink {
    fn offer(&mut self, event: &Event) -> bool {
        let takes = match &mut self.mood {
            Mood::Open => true,
            Mood::Room(left) => {
                let takes = *left > 0;
                *left = left.saturating_sub(1);
                takes
            }
            Mood::Fickle(state) => {
                let mut random = Random(*state);
                let takes = random.bits() & 1 == 1;
                *state = random.0;
                takes
            }
        };
        if takes {
            self.taken.push(*event);
        } else {
            self.refused += 1;
        }
        takes
    }
}

/// One entry from its creation to its end.
#[derive(Clone, Debug)]
struct Life {
    id: u64,
    created_ns: u64,
    last_ns: u64,
    packets: u64,
    bytes: u64,
    /// Its CREATED, or a resync's word of it, has been taken.
    announced: bool,
    /// Past its deadline, found so by the engine, and not yet reported.
    dying: bool,
}

/// What a listener knows who does nothing but follow the events.
#[derive(Default)]
struct Listener {
    known: HashMap<FlowKey, u64>,
    /// Between the request for a resync and its begin what it knows is void.
    void: bool,
    /// The resync that is going on: what it has told.
    resync: Option<HashSet<u64>>,
    /// Lives from this number on began after the resync did.
    young: u64,
}

/// An enumeration that is going on.
struct Enumeration {
    cursor: Cursor,
    /// Lives that have been there since its start.
    throughout: HashSet<u64>,
    met: HashSet<u64>,
}

/// The engine, the model, and what joins them.
pub(crate) struct Trial<T> {
    tracker: Tracker<T>,
    sink: Sink,
    setup: Setup,
    flows: Vec<FlowKey>,
    ns: u64,
    next_id: u64,
    /// The entry of each key, alive or dying.
    lives: HashMap<FlowKey, Life>,
    /// Entries that a packet ended, whose DELETED has not been taken.
    replaced: HashMap<FlowKey, VecDeque<Life>>,
    listener: Listener,
    enumeration: Option<Enumeration>,
    outcomes: [u64; Outcome::ALL.len()],
    rx: u64,
    expired: u64,
    removed: u64,
    sent: u64,
}

impl<T: FlowTable> Trial<T> {
    pub(crate) fn new(table: T, setup: &Setup) -> Self {
        let ns = setup.start_ms * MS;
        let flows = keys::random(7, FLOWS)
            .into_iter()
            .map(|k| FlowKey::new(1, k.src_addr(), k.dst_addr(), k.protocol(), k.src_port(), k.dst_port()))
            .collect();
        Trial {
            tracker: Tracker::new(table, setup.config(), Now::from_ns(ns)).expect("memory"),
            sink: Sink { mood: Mood::Open, taken: Vec::new(), refused: 0 },
            setup: setup.clone(),
            flows,
            ns,
            next_id: 0,
            lives: HashMap::new(),
            replaced: HashMap::new(),
            listener: Listener::default(),
            enumeration: None,
            outcomes: [0; Outcome::ALL.len()],
            rx: 0,
            expired: 0,
            removed: 0,
            sent: 0,
        }
    }

    fn now(&self) -> Now {
        Now::from_ns(self.ns)
    }

    fn overdue(&self, life: &Life) -> bool {
        self.ns - life.last_ns >= self.setup.aging_ms * MS
    }

    /// All steps, one after the other, each followed by a look at everything.
    pub(crate) fn run(&mut self, ops: &[Op]) {
        for op in ops {
            self.apply(op);
            self.hear();
            self.look();
        }
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Burst(numbers) => self.burst(numbers),
            Op::Wait(ns) => self.ns += ns,
            Op::Advance(budget) => self.tracker.advance(self.now(), *budget, &mut self.sink),
            Op::Mood(mood) => self.sink.mood = *mood,
            Op::Remove(flow, flush) => self.remove(usize::from(*flow), *flush),
            Op::Enumerate(positions) => self.enumerate(*positions),
            Op::Resync => {
                self.tracker.start_resync();
                // Reports of what is no longer in the table are forgotten.
                self.replaced.clear();
                self.listener.void = true;
                self.listener.resync = None;
            }
        }
    }

    fn frame(&self, index: usize, number: u8) -> Vec<u8> {
        let Some(flow) = self.flows.get(usize::from(number)) else {
            let plain = Frame::default();
            let strange = match number as usize - FLOWS {
                0 => Frame { ether_type: 0x0806, ..plain },
                1 => Frame { version: 6, ..plain },
                2 => Frame { fragment: 185, ..plain },
                3 => Frame { protocol: 17, ..plain },
                4 => Frame { total_len: Some(23), ..plain },
                5 => return plain.build()[..30].to_vec(),
                6 => return Vec::new(),
                _ => Frame { tags: vec![0x8100; 3], ..plain },
            };
            return strange.build();
        };
        // The same flow in every shape that a frame may have.
        let shape = Frame { rest: index * 11 % 1400, ..Frame::of(flow) };
        match index % 5 {
            0 => Frame { tags: vec![0x8100], ..shape },
            1 => Frame { tags: vec![0x88a8, 0x8100], option_words: 3, ..shape },
            2 => Frame { option_words: 10, fragment: 0x2000, ..shape },
            _ => shape,
        }
        .build()
    }

    fn burst(&mut self, numbers: &[u8]) {
        let frames: Vec<Vec<u8>> = numbers.iter().enumerate().map(|(i, &n)| self.frame(i, n)).collect();
        let now = self.now();
        let mut tracked = Vec::new();
        self.tracker.burst(now, 1, &frames[..], &mut self.sink, |i| tracked.push(i));

        let mut expected = Vec::new();
        for (i, frame) in frames.iter().enumerate() {
            let outcome = match classify(frame, 1, &[6]) {
                Err(outcome) => outcome,
                Ok(key) => {
                    expected.push(i);
                    self.packet(key, frame.len() as u64)
                }
            };
            self.outcomes[outcome as usize] += 1;
        }
        self.rx += frames.len() as u64;
        assert_eq!(tracked, expected, "frames that are looked up");
    }

    /// What must become of a packet.
    fn packet(&mut self, key: FlowKey, bytes: u64) -> Outcome {
        let full = self.lives.len() == self.tracker.table().capacity() as usize;
        match self.lives.get_mut(&key) {
            Some(life) if !life.dying => {
                life.last_ns = self.ns;
                life.packets += 1;
                life.bytes += bytes;
                return Outcome::Hit;
            }
            Some(_) => {
                if self.tracker.get(&key).is_none() {
                    // It is still dying, which is right only when no more reports can be kept.
                    let kept: usize = self.replaced.values().map(VecDeque::len).sum();
                    assert!(kept >= KEPT_REPLACEMENTS, "{key} was not replaced, though only {kept} were");
                    return Outcome::MissFull;
                }
                let ended = self.lives.remove(&key).expect("just seen");
                self.replaced.entry(key).or_default().push_back(ended);
            }
            None if full => return Outcome::MissFull,
            None => {}
        }
        let life = Life {
            id: self.next_id,
            created_ns: self.ns,
            last_ns: self.ns,
            packets: 1,
            bytes,
            announced: false,
            dying: false,
        };
        self.next_id += 1;
        self.lives.insert(key, life);
        Outcome::MissCreated
    }

    fn remove(&mut self, flow: usize, flush: bool) {
        let key = self.flows[flow];
        let reason = if flush { DeleteReason::Flush } else { DeleteReason::Control };
        let before = self.tracker.get(&key);
        let refused = self.sink.refused;
        let backlog = !self.replaced.is_empty();
        let removal = self.tracker.remove(self.now(), &key, reason, OPERATOR, &mut self.sink);
        match removal {
            Write::Done(entry) => {
                assert_eq!(Some(entry), before);
                self.removed += 1;
                let last = self.sink.taken.last().expect("a removal that is done has been reported");
                let body = EventBody::Deleted { entry, reason, actor: OPERATOR };
                assert_eq!(*last, Event { at_ns: self.ns, body });
            }
            Write::Refused(Refusal::NotFound) => assert_eq!(before, None),
            Write::Busy => {
                assert!(before.is_some());
                assert_eq!(self.tracker.get(&key), before, "what is busy has not changed");
                assert!(backlog || self.sink.refused > refused, "busy, though the sink refused nothing");
            }
            Write::Refused(other) => panic!("the table permits deletions: {other:?}"),
        }
    }

    fn enumerate(&mut self, positions: u32) {
        let mut at = self.enumeration.take().unwrap_or_else(|| Enumeration {
            cursor: Cursor::default(),
            throughout: self.lives.values().filter(|life| !life.dying).map(|life| life.id).collect(),
            met: HashSet::new(),
        });
        let mut left = positions;
        loop {
            match self.tracker.step(&mut at.cursor, &mut left) {
                Step::Entry(entry) => {
                    let life = self.lives.get(&entry.key).expect("only what is there is met");
                    assert!(!life.dying, "what has expired is not met");
                    self.same(&entry, life);
                    assert!(at.met.insert(life.id), "{} met twice", entry.key);
                }
                Step::Pause => {
                    assert_eq!(left, 0, "a pause before the slice was used up");
                    self.enumeration = Some(at);
                    return;
                }
                Step::End => {
                    assert!(
                        at.throughout.is_subset(&at.met),
                        "an entry that was there all along was not met"
                    );
                    return;
                }
            }
        }
    }

    /// The entry is this life as it is now, or was at its end.
    fn same(&self, entry: &Entry, life: &Life) {
        assert_eq!(entry.created_ms, life.created_ns / MS);
        let counted = if self.setup.accounting { (life.packets, life.bytes) } else { (0, 0) };
        assert_eq!((entry.packets, entry.bytes), counted, "{}", entry.key);
        let idle = (self.ns - life.last_ns) / MS;
        let shown = u64::from(entry.idle_ms(self.now().tick));
        assert!(shown == idle || shown + 1 == idle, "{} idle for {idle} ms, shown as {shown}", entry.key);
        self.same_settings(entry);
    }

    /// What every entry of a trial has in common.
    fn same_settings(&self, entry: &Entry) {
        assert!(entry.dynamic());
        assert_eq!(u64::from(entry.aging_ms), self.setup.aging_ms);
        assert_eq!(entry.profile.get(), self.setup.learn_profile);
        assert_eq!(Some(entry.permissions), Permissions::new(0x1dbc));
        assert_eq!((entry.creator, entry.updater), (ActorId::DATA_PATH, ActorId::NONE));
    }

    /// Follows the events that have been taken since the last step.
    fn hear(&mut self) {
        for event in std::mem::take(&mut self.sink.taken) {
            self.sent += 1;
            assert!(event.at_ns <= self.ns, "from the future");
            match event.body {
                EventBody::Created(entry) => self.hear_created(&event, &entry),
                EventBody::Deleted { entry, reason, actor } => {
                    self.hear_deleted(&event, &entry, reason, actor);
                }
                EventBody::ResyncBegin => {
                    self.listener =
                        Listener { resync: Some(HashSet::new()), young: self.next_id, ..Listener::default() };
                }
                EventBody::ResyncEntry(entry) => self.hear_resync(&entry),
                EventBody::ResyncEnd => self.hear_resync_end(),
                other => panic!("nothing here does {other:?}"),
            }
        }
    }

    fn hear_created(&mut self, event: &Event, entry: &Entry) {
        self.same_settings(entry);
        let ended = self.replaced.get_mut(&entry.key).and_then(VecDeque::front_mut);
        let life = ended.or_else(|| self.lives.get_mut(&entry.key)).expect("only what was created is");
        assert!(!life.announced, "{} created twice", entry.key);
        life.announced = true;
        assert_eq!(entry.created_ms, life.created_ns / MS);
        assert_eq!(event.at_ns / MS, entry.created_ms, "a creation is told with its time");
        assert!(entry.packets <= life.packets && entry.bytes <= life.bytes);
        assert_eq!(entry.packets > 0, self.setup.accounting, "the packet that created it counts");
        let id = life.id;
        if !self.listener.void {
            let old = self.listener.known.insert(entry.key, id);
            assert_eq!(old, None, "{} created before its predecessor was deleted", entry.key);
        }
    }

    fn hear_deleted(&mut self, event: &Event, entry: &Entry, reason: DeleteReason, actor: ActorId) {
        let ended = self.replaced.get_mut(&entry.key).and_then(VecDeque::pop_front);
        self.replaced.retain(|_, ended| !ended.is_empty());
        let replaced = ended.is_some();
        let life = ended.or_else(|| self.lives.remove(&entry.key)).expect("only what is there is deleted");
        assert!(life.announced, "{} deleted before it was created", entry.key);
        self.same(entry, &life);
        if reason == DeleteReason::Idle {
            assert_eq!(actor, ActorId::TIMER);
            let idle = event.at_ns - life.last_ns;
            assert!(idle >= self.setup.aging_ms * MS, "{} deleted after {idle} ns", entry.key);
            // What was dying has been counted when it was found so.
            self.expired += u64::from(!life.dying);
        } else {
            assert!(!replaced && !life.dying, "what has expired cannot be removed");
            assert_eq!(actor, OPERATOR);
        }
        if self.listener.void {
            return;
        }
        let known = self.listener.known.remove(&entry.key);
        let untold = self.listener.resync.is_some() && life.id < self.listener.young;
        assert!(known == Some(life.id) || (known.is_none() && untold), "{} was not known", entry.key);
    }

    fn hear_resync(&mut self, entry: &Entry) {
        assert!(self.replaced.is_empty(), "told before what ended earlier");
        let life = self.lives.get_mut(&entry.key).expect("only what is there is told");
        life.announced = true;
        let life = life.clone();
        self.same(entry, &life);
        let told = self.listener.resync.as_mut().expect("between begin and end");
        assert!(told.insert(life.id), "{} told twice", entry.key);
        let old = self.listener.known.insert(entry.key, life.id);
        assert!(old.is_none_or(|old| old == life.id));
    }

    fn hear_resync_end(&mut self) {
        assert!(self.listener.resync.take().is_some(), "an end without a begin");
        let known = &self.listener.known;
        for (key, life) in &self.lives {
            let due = life.id < self.listener.young || life.announced;
            assert!(!due || known.get(key) == Some(&life.id), "{key} was not told");
        }
        for (key, id) in known {
            assert_eq!(self.lives.get(key).map(|life| life.id), Some(*id), "{key} is gone");
        }
    }

    /// Looks at everything, and takes notice of what the engine has found expired.
    fn look(&mut self) {
        for key in &self.flows {
            let entry = self.tracker.get(key);
            let Some(life) = self.lives.get_mut(key) else {
                assert_eq!(entry, None);
                continue;
            };
            let overdue = self.ns - life.last_ns >= self.setup.aging_ms * MS;
            if entry.is_none() && !life.dying {
                assert!(overdue, "{key} expired early");
                life.dying = true;
                self.expired += 1;
            }
            assert_eq!(entry.is_none(), life.dying);
            let life = &self.lives[key];
            if let Some(entry) = entry {
                self.same(&entry, life);
            }
        }
        assert_eq!(self.tracker.table().len() as usize, self.lives.len());
        if let Some(at) = &mut self.enumeration {
            let alive: HashSet<u64> = self.lives.values().filter(|l| !l.dying).map(|l| l.id).collect();
            at.throughout.retain(|id| alive.contains(id));
        }
        let counters = self.tracker.counters();
        assert_eq!(counters.outcomes, self.outcomes, "{:?}", Outcome::ALL.map(Outcome::name));
        assert_eq!(counters.rx, self.rx);
        assert_eq!(counters.outcomes.iter().sum::<u64>(), counters.rx);
        assert_eq!((counters.expired, counters.deleted), (self.expired, self.removed));
        assert_eq!(counters.events_sent, self.sent);
        let late: u64 = counters.lateness_log2_ms.iter().sum();
        assert_eq!(late + counters.expired_deferred, counters.expired);
    }

    /// The sink opens: everything is told soon, and then the events add up to the table.
    pub(crate) fn settle(&mut self) {
        self.sink.mood = Mood::Open;
        for _ in 0..1000 {
            if self.tracker.settled() {
                break;
            }
            self.apply(&Op::Advance(Budget::default()));
            self.hear();
            self.look();
        }
        assert!(self.tracker.settled(), "not settled although the sink takes everything");
        assert!(self.replaced.is_empty());
        assert!(self.lives.values().all(|life| life.announced && !life.dying));
        let table: HashMap<FlowKey, u64> = self.lives.iter().map(|(key, life)| (*key, life.id)).collect();
        assert_eq!(self.listener.known, table, "the events do not add up to the table");
        assert!(!self.listener.void && self.listener.resync.is_none());
    }

    /// Everything ends when no packet comes.
    pub(crate) fn run_dry(&mut self) {
        self.ns += (self.setup.aging_ms + (1 << self.setup.bucket_shift)) * MS;
        for _ in 0..10_000 {
            if self.tracker.caught_up(self.now()) {
                break;
            }
            self.apply(&Op::Advance(Budget::default()));
            self.hear();
            self.look();
        }
        self.settle();
        assert!(self.lives.is_empty(), "{:?}", self.lives);
        super::tables::is_empty_and_whole(self.tracker.table(), &self.flows);
    }

    /// One millisecond as an unhurried poll loop spends it: aging at the start of
    /// the tick until it has caught up, then bursts, each so many ns after that start.
    pub(crate) fn punctual_ms(&mut self, bursts: &[(u64, Vec<u8>)]) {
        while !self.tracker.caught_up(self.now()) {
            self.tracker.advance(self.now(), Budget::default(), &mut self.sink);
        }
        self.hear();
        let start = self.ns;
        let latest = (self.setup.aging_ms + (1 << self.setup.bucket_shift)) * MS;
        for (key, life) in &self.lives {
            let idle = self.ns - life.last_ns;
            assert!(idle < latest, "{key} is there after {idle} ns, at most one bucket late is {latest}");
        }
        for (after, numbers) in bursts {
            self.ns = self.ns.max(start + after);
            self.burst(numbers);
            self.hear();
        }
        self.look();
        self.ns = start + MS;
    }
}

/// Any bursts of one millisecond, for [`Trial::punctual_ms`]; most are without one.
pub(crate) fn punctual_bursts() -> impl Strategy<Value = Vec<(u64, Vec<u8>)>> {
    let burst = (0..MS, prop::collection::vec(0..FLOWS as u8, 1..6));
    prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(burst, 1..3)]
}

/// Runs a trial to its end.
pub(crate) fn check<T: FlowTable>(table: T, setup: &Setup, ops: &[Op]) {
    let mut trial = Trial::new(table, setup);
    trial.run(ops);
    trial.settle();
    trial.run_dry();
}

/// Runs a trial in which `advance` is called every millisecond with ample
/// budget and the sink takes everything: no deletion is more than one aging bucket late.
pub(crate) fn check_punctual<T: FlowTable>(table: T, setup: &Setup, time: &[Vec<(u64, Vec<u8>)>]) {
    let mut trial = Trial::new(table, setup);
    for bursts in time {
        trial.punctual_ms(bursts);
    }
    trial.settle();
    trial.run_dry();
}
