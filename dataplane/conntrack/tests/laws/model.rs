//! A naive tracker, and a trial that runs the engine beside it.
//!
//! The model is a map of entries, and finds those that have expired by examining all of them. In
//! some cases the engine has a choice: it may delete an entry past its deadline at once or one
//! aging bucket later, its report may be taken or not, and a refusal may name any of several
//! reasons. There the model first checks that the choice was open, and then reads what the engine
//! did. In everything else it predicts the result.

mod life;
mod listener;
pub(crate) mod ops;
mod program;
mod slices;
mod writes;

use std::collections::{HashMap, VecDeque};

use conntrack::entry::ActorId;
use conntrack::key::UDP;
use conntrack::test_support::flow;
use conntrack::test_support::frame::{ETHERTYPE_ARP, Ipv4Frame, TPID_8021Q};
use conntrack::tracker::Budget;
use conntrack::{Entry, FlowTable, Now, Outcome, Permissions, Shard, Tracker};

use super::keys::{self, TestKey};
use life::{Attrs, Life, Settings};
use listener::Listener;
use ops::{FLOWS, Moment, Mood, Op, Setup, Sink};
use program::Program;
use slices::{Enumeration, Flushing};

/// Nanoseconds per millisecond.
const MS: u64 = 1_000_000;
/// The control programs of a trial.
const OPERATORS: [ActorId; 2] = [ActorId(ActorId::FIRST_CONTROL + 3), ActorId(u16::MAX)];
/// The number of reports of replaced entries that the smallest tracker is guaranteed to keep: two
/// for each of 32 entries.
const KEPT_REPLACEMENTS: usize = 32;

/// The engine, the model, and the state that connects them.
pub(crate) struct Trial<T: FlowTable> {
    shard: Shard<T>,
    sink: Sink<T::Key>,
    setup: Setup,
    flows: Vec<T::Key>,
    ns: u64,
    next_id: u64,
    attrs: Attrs,
    program: Program,
    /// If set, no entry may be created until a change of the table is made or given up.
    held: bool,
    /// The entry of each key, alive or dying.
    lives: HashMap<T::Key, Life>,
    /// The entries that a packet ended, and whose DELETED has not been taken.
    replaced: HashMap<T::Key, VecDeque<Life>>,
    listener: Listener<T::Key>,
    enumeration: Option<Enumeration>,
    flushing: Option<Flushing>,
    outcomes: [u64; Outcome::ALL.len()],
    rx: u64,
    expired: u64,
    removed: u64,
    sent: u64,
}

impl<K: TestKey, T: FlowTable<Key = K>> Trial<T> {
    pub(crate) fn new(table: T, setup: &Setup) -> Self {
        let flows = keys::random(7, FLOWS).into_iter().map(|key: K| key.at_port(1)).collect();
        Self::with_flows(table, setup, flows)
    }

    /// Does what [`Trial::new`] does, with these flows.
    fn with_flows(table: T, setup: &Setup, flows: Vec<K>) -> Self {
        assert_eq!(flows.len(), FLOWS);
        let ns = setup.start_ms * MS;
        Trial {
            shard: Shard::new(
                setup.parser(),
                Tracker::new(table, setup.config(), Now::from_ns(ns)).expect("memory"),
            ),
            sink: Sink { mood: Mood::Open, taken: Vec::new(), refused: 0 },
            setup: setup.clone(),
            flows,
            ns,
            next_id: 0,
            attrs: Attrs { agings: setup.agings.clone(), permissions: setup.permissions },
            program: Program::Attached,
            held: false,
            lives: HashMap::new(),
            replaced: HashMap::new(),
            listener: Listener::default(),
            enumeration: None,
            flushing: None,
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

    /// Runs all steps, one after the other, and checks the whole state after each.
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
            Op::Advance(budget) => self.shard.tracker.advance(self.now(), *budget, &mut self.sink),
            Op::Mood(mood) => self.sink.mood = *mood,
            Op::Create(flow, wish) => self.create(usize::from(*flow), wish, self.operator()),
            Op::Update(flow, wish) => self.update(usize::from(*flow), wish, self.operator()),
            Op::Remove(flow) => self.remove(usize::from(*flow), self.operator()),
            Op::Flush(which, positions) => self.flush(*which, self.operator(), *positions),
            Op::Enumerate(positions) => self.enumerate(*positions),
            Op::Hold(change) => self.hold(change),
            Op::Change(change) => self.change(change),
            Op::Release => self.release(),
            Op::Detach => self.detach(),
            Op::Purge(positions) => self.purge(*positions),
            Op::Attach => self.attach(),
            Op::Resync => {
                self.shard.tracker.start_resync();
                // A resync drops the reports of entries that are no longer in the table.
                self.replaced.clear();
                self.listener.void = true;
                self.listener.resync = None;
            }
        }
    }

    /// Returns the control program that writes now, which depends on the time.
    fn operator(&self) -> ActorId {
        OPERATORS[(self.ns % 2) as usize]
    }

    fn frame(&self, index: usize, number: u8) -> Vec<u8> {
        let Some(flow) = self.flows.get(usize::from(number)) else {
            let plain = Ipv4Frame::of(&flow(1, 36876)).unpadded();
            let strange = match number as usize - FLOWS {
                0 => plain.ethertype(ETHERTYPE_ARP),
                1 => plain.version(6),
                2 => plain.later_fragment(185, false),
                3 => plain.protocol(UDP),
                4 => plain.total_length(23),
                5 => return plain.build()[..30].to_vec(),
                6 => return Vec::new(),
                _ => plain.tag(TPID_8021Q, 5).tag(TPID_8021Q, 6).tag(TPID_8021Q, 7),
            };
            return strange.build();
        };
        flow.frame(index)
    }

    fn burst(&mut self, numbers: &[u8]) {
        let frames: Vec<Vec<u8>> = numbers.iter().enumerate().map(|(i, &n)| self.frame(i, n)).collect();
        let now = self.now();
        let mut tracked = Vec::new();
        // The frames arrive in groups, as in a poll loop, or all at once.
        let some = 1 + numbers.iter().map(|&n| usize::from(n)).sum::<usize>() % 48;
        for (nth, frames) in frames.chunks(some).enumerate() {
            let before = nth * some;
            self.shard.receive(
                1,
                frames,
                || now,
                &mut self.sink,
                |first, which| {
                    tracked.extend((0..64).filter(|i| which >> i & 1 == 1).map(|i| before + first + i));
                },
            );
            if nth % 3 != 0 {
                self.shard.tracker.turn(now, &mut self.sink);
            }
        }
        self.shard.tracker.drain(now, &mut self.sink);

        let mut expected = Vec::new();
        for (i, frame) in frames.iter().enumerate() {
            let outcome = match K::classify(frame, 1, &[6]) {
                _ if self.program != Program::Attached => {
                    // While detached no rule applies, so all frames pass.
                    expected.push(i);
                    Outcome::Detached
                }
                Err(outcome) => outcome,
                Ok(key) => {
                    expected.push(i);
                    self.packet(key, frame.len() as u64)
                }
            };
            self.outcomes[outcome as usize] += 1;
        }
        self.rx += frames.len() as u64;
        assert_eq!(tracked, expected, "frames that are tracked");
    }

    /// Returns the outcome that a packet must have, and updates the model.
    fn packet(&mut self, key: K, bytes: u64) -> Outcome {
        let full = self.lives.len() == self.shard.tracker.table().capacity() as usize;
        let denied = self.held || self.attrs.permissions & Permissions::DATA_CREATE == 0;
        match self.lives.get_mut(&key) {
            Some(life) if !life.dying => {
                life.last_ns = self.ns;
                life.packets += 1;
                life.bytes += bytes;
                return Outcome::Hit;
            }
            Some(_) => {
                if self.shard.tracker.get(&key).is_none() && self.shard.tracker.table().lookup(&key).is_some()
                {
                    // The entry is still dying, which is allowed only when no more reports can be
                    // kept.
                    let kept: usize = self.replaced.values().map(VecDeque::len).sum();
                    assert!(kept >= KEPT_REPLACEMENTS, "{key:?} was not replaced, though only {kept} were");
                    return Outcome::MissFull;
                }
                let ended = self.lives.remove(&key).expect("just seen");
                self.replaced.entry(key).or_default().push_back(ended);
                if denied {
                    return Outcome::MissDenied;
                }
            }
            None if denied => return Outcome::MissDenied,
            None if full => return Outcome::MissFull,
            None => {}
        }
        let settings = Settings {
            aging_ms: Some(self.attrs.agings[usize::from(self.setup.learn_profile)]),
            profile: self.setup.learn_profile,
            permissions: self.attrs.of_entry(),
            creator: ActorId::DATA_PATH,
            updater: ActorId::NONE,
        };
        self.begin(key, bytes, settings);
        Outcome::MissCreated
    }

    /// Checks that the entry is this life, as it is now or as it was at its end.
    fn same(&self, entry: &Entry<K>, life: &Life) {
        assert_eq!(entry.created_ms, life.created_ms());
        let counted = if self.setup.accounting { (life.packets, life.bytes) } else { (0, 0) };
        assert_eq!((entry.packets, entry.bytes), counted, "{:?}", entry.key);
        let idle = (self.ns - life.last_ns) / MS;
        let shown = entry.idle_ms(self.now().tick);
        assert!(shown == idle || shown + 1 == idle, "{:?} idle for {idle} ms, shown as {shown}", entry.key);
        assert_eq!(Settings::of(entry), life.settings, "{:?}", entry.key);
    }

    /// Checks the whole state, and marks the entries that the engine has found expired.
    fn look(&mut self) {
        for key in &self.flows {
            let entry = self.shard.tracker.get(key);
            let Some(life) = self.lives.get_mut(key) else {
                assert_eq!(entry, None);
                continue;
            };
            if entry.is_none() && !life.dying {
                assert!(life.overdue(self.ns), "{key:?} expired early");
                life.dying = true;
                self.expired += 1;
            }
            assert_eq!(entry.is_none(), life.dying);
            let life = &self.lives[key];
            if let Some(entry) = entry {
                self.same(&entry, life);
            }
        }
        let (purging, spared) = match self.program {
            Program::Purging(left) => (left.entries() as usize, left.alive),
            Program::Attached | Program::Detached => (0, 0),
        };
        assert_eq!(self.shard.tracker.table().len() as usize, self.lives.len() + purging);
        assert_eq!(self.shard.tracker.attached(), self.program == Program::Attached);
        assert_eq!(self.shard.tracker.permissions().bits(), self.attrs.permissions);
        self.note_gone();
        let counters = self.shard.counters();
        assert_eq!(counters.outcomes, self.outcomes, "{:?}", Outcome::ALL.map(Outcome::name));
        assert_eq!(counters.rx, self.rx);
        assert_eq!(counters.outcomes.iter().sum::<u64>(), counters.rx);
        assert_eq!((counters.expired, counters.deleted), (self.expired, self.removed));
        let alive = self.lives.values().filter(|life| !life.dying).count() as u64;
        let ended = counters.expired + counters.deleted;
        assert_eq!(self.next_id, ended + alive + u64::from(spared), "each entry ends once");
        assert_eq!(counters.events_sent, self.sent);
        let late: u64 = counters.lateness_log2_ms.iter().sum();
        assert_eq!(late + counters.expired_deferred, counters.expired);
    }

    /// Opens the sink, and checks that everything is reported soon and that the events then add up
    /// to the table.
    pub(crate) fn settle(&mut self) {
        self.sink.mood = Mood::Open;
        while matches!(self.program, Program::Purging(..)) {
            self.apply(&Op::Purge(9));
            self.look();
        }
        for _ in 0..1000 {
            if self.shard.tracker.all_reported() {
                break;
            }
            self.apply(&Op::Advance(Budget::default()));
            self.hear();
            self.look();
        }
        assert!(self.shard.tracker.all_reported(), "not settled although the sink takes everything");
        assert!(self.replaced.is_empty());
        assert!(self.lives.values().all(|life| life.announced && !life.dying));
        let table: HashMap<K, (u64, Settings)> =
            self.lives.iter().map(|(key, life)| (*key, (life.id, life.settings))).collect();
        assert_eq!(self.listener.known, table, "the events do not add up to the table");
        assert!(!self.listener.void && self.listener.resync.is_none());
    }

    /// Checks that without packets every dynamic entry ends and no static one does, and that a
    /// purge leaves nothing.
    pub(crate) fn run_dry(&mut self) {
        let longest = self.lives.values().filter_map(|life| life.settings.aging_ms).max();
        self.ns += longest.unwrap_or(0) * MS + self.bucket_ns();
        let fixed =
            |lives: &HashMap<K, Life>| lives.values().filter(|life| life.settings.aging_ms.is_none()).count();
        let expected = fixed(&self.lives);
        for _ in 0..10_000 {
            if self.shard.tracker.caught_up(self.now()) {
                break;
            }
            self.apply(&Op::Advance(Budget::default()));
            self.hear();
            self.look();
        }
        self.settle();
        assert_eq!((self.lives.len(), fixed(&self.lives)), (expected, expected), "{:?}", self.lives);
        self.apply(&Op::Detach);
        self.apply(&Op::Attach);
        self.look();
        super::tables::is_empty_and_whole(self.shard.tracker.table(), &self.flows);
    }

    /// Returns the width of an aging bucket in nanoseconds.
    fn bucket_ns(&self) -> u64 {
        (1 << self.setup.bucket_shift) * MS
    }

    /// Runs one millisecond as a poll loop without load does: aging at the start of the tick until
    /// it has caught up, then the steps, each at its offset after that start.
    pub(crate) fn punctual_ms(&mut self, moment: &Moment) {
        while !self.shard.tracker.caught_up(self.now()) {
            self.shard.tracker.advance(self.now(), Budget::default(), &mut self.sink);
        }
        self.hear();
        let start = self.ns;
        for (key, life) in &self.lives {
            let Some(aging_ms) = life.settings.aging_ms else { continue };
            let (idle, latest) = (self.ns - life.last_ns, aging_ms * MS + self.bucket_ns());
            assert!(idle < latest, "{key:?} is there after {idle} ns, at most one bucket late is {latest}");
        }
        for (after, op) in moment {
            self.ns = self.ns.max(start + after);
            self.apply(op);
            self.hear();
        }
        self.look();
        self.ns = start + MS;
    }
}

/// Runs a trial to its end.
pub(crate) fn check<K: TestKey, T: FlowTable<Key = K>>(table: T, setup: &Setup, ops: &[Op]) {
    let mut trial = Trial::new(table, setup);
    trial.run(ops);
    trial.settle();
    trial.run_dry();
}

/// Does what [`check`] does, with these flows.
pub(crate) fn check_flows<K: TestKey, T: FlowTable<Key = K>>(
    table: T,
    setup: &Setup,
    ops: &[Op],
    flows: Vec<K>,
) {
    let mut trial = Trial::with_flows(table, setup, flows);
    trial.run(ops);
    trial.settle();
    trial.run_dry();
}

/// Runs a trial in which `advance` is called every millisecond with ample budget, and the sink
/// takes everything. No deletion is more than one aging bucket late.
pub(crate) fn check_punctual<K: TestKey, T: FlowTable<Key = K>>(table: T, setup: &Setup, time: &[Moment]) {
    let mut trial = Trial::new(table, setup);
    for moment in time {
        trial.punctual_ms(moment);
    }
    trial.settle();
    trial.run_dry();
}
