//! The listener, which only follows the events.

use std::collections::{HashMap, HashSet, VecDeque};

use conntrack::entry::ActorId;
use conntrack::event::EventBody;
use conntrack::{DeleteReason, Entry, Event, FlowTable, Tick};

use super::super::keys::TestKey;
use super::life::{Life, Settings};
use super::{MS, OPERATORS, Trial};

/// The state that results from the events so far.
pub(super) struct Listener<K> {
    /// The life of each key, and its settings as last reported.
    pub(super) known: HashMap<K, (u64, Settings)>,
    /// True between the request for a resync and its begin. What the listener knows is invalid
    /// then.
    pub(super) void: bool,
    /// The lives that the current resync has reported.
    pub(super) resync: Option<HashSet<u64>>,
    /// The lives from this number on began after the resync did.
    young: u64,
}

impl<K> Default for Listener<K> {
    fn default() -> Self {
        Listener { known: HashMap::new(), void: false, resync: None, young: 0 }
    }
}

impl<K: TestKey> Listener<K> {
    /// Returns true if the listener may not know this life yet, because a resync will report it.
    fn untold(&self, life: &Life) -> bool {
        self.resync.is_some() && life.id < self.young
    }

    fn knows(&self, key: &K, life: &Life) -> bool {
        match self.known.get(key) {
            Some((id, _)) => *id == life.id,
            None => self.untold(life),
        }
    }
}

impl<K: TestKey, T: FlowTable<Key = K>> Trial<T> {
    /// Follows the events that have been taken since the last call.
    pub(super) fn hear(&mut self) {
        for event in std::mem::take(&mut self.sink.taken) {
            self.sent += 1;
            assert!(event.at_ns <= self.ns, "from the future");
            match event.body {
                EventBody::Created(entry) => self.hear_created(&event, &entry),
                EventBody::Updated(entry) => self.hear_updated(&entry),
                EventBody::Deleted { entry, reason, actor } => {
                    self.hear_deleted(&event, &entry, reason, actor);
                }
                EventBody::ResyncBegin => {
                    self.listener =
                        Listener { resync: Some(HashSet::new()), young: self.next_id, ..Listener::default() };
                }
                EventBody::ResyncEntry(entry) => self.hear_resync(&entry),
                EventBody::ResyncEnd => self.hear_resync_end(),
                EventBody::Flushed(_) | EventBody::Purged(_) | EventBody::Loaded => {
                    panic!("not the engine's to tell: {event:?}")
                }
            }
        }
    }

    fn hear_created(&mut self, event: &Event<K>, entry: &Entry<K>) {
        let ended = self.replaced.get_mut(&entry.key).and_then(VecDeque::front_mut);
        let life = ended.or_else(|| self.lives.get_mut(&entry.key)).expect("only what was created is");
        assert!(!life.announced, "{:?} created twice", entry.key);
        life.announced = true;
        assert_eq!(Settings::of(entry), life.settings);
        assert_eq!(entry.created_ms, life.created_ms());
        assert_eq!(event.at_ns.div_ceil(MS), entry.created_ms, "a creation is told with its time");
        assert!(event.at_ns <= self.ns, "and not before it comes");
        assert_eq!(entry.idle_ms(Tick(entry.created_ms as u32)), 0, "and with its first use, however late");
        assert!(entry.packets <= life.packets && entry.bytes <= life.bytes);
        if entry.creator == ActorId::DATA_PATH {
            assert_eq!(entry.packets > 0, self.setup.accounting, "the packet that created it counts");
        }
        let told = (life.id, life.settings);
        if !self.listener.void {
            let old = self.listener.known.insert(entry.key, told);
            assert_eq!(old, None, "{:?} created before its predecessor was deleted", entry.key);
        }
    }

    fn hear_updated(&mut self, entry: &Entry<K>) {
        assert!(!self.replaced.contains_key(&entry.key), "told before the end of its predecessor");
        let life = &self.lives[&entry.key];
        assert!(life.announced, "{:?} updated before it was created", entry.key);
        self.same(entry, life);
        if !self.listener.void {
            assert!(self.listener.knows(&entry.key, life), "{:?} was not known", entry.key);
            self.listener.known.insert(entry.key, (life.id, Settings::of(entry)));
        }
    }

    fn hear_deleted(&mut self, event: &Event<K>, entry: &Entry<K>, reason: DeleteReason, actor: ActorId) {
        let ended = self.replaced.get_mut(&entry.key).and_then(VecDeque::pop_front);
        self.replaced.retain(|_, ended| !ended.is_empty());
        let replaced = ended.is_some();
        let life = ended.or_else(|| self.lives.remove(&entry.key)).expect("only what is there is deleted");
        assert!(life.announced, "{:?} deleted before it was created", entry.key);
        self.same(entry, &life);
        match reason {
            DeleteReason::Idle => {
                assert_eq!(actor, ActorId::TIMER);
                assert!(life.overdue(event.at_ns), "{:?} deleted early", entry.key);
                // A dying entry was counted when it was found expired.
                self.expired += u64::from(!life.dying);
            }
            DeleteReason::Control => {
                assert!(!replaced && !life.dying, "what has expired cannot be removed");
                assert!(OPERATORS.contains(&actor));
            }
            DeleteReason::Flush => {
                let flush = self.flushing.as_ref().expect("a flush is going on");
                assert!(!replaced && flush.may_end(&entry.key, &life), "{:?} flushed", entry.key);
                assert_eq!(actor, flush.actor);
            }
        }
        if !self.listener.void {
            assert!(self.listener.knows(&entry.key, &life), "{:?} was not known", entry.key);
            self.listener.known.remove(&entry.key);
        }
    }

    fn hear_resync(&mut self, entry: &Entry<K>) {
        assert!(self.replaced.is_empty(), "told before what ended earlier");
        let life = self.lives.get_mut(&entry.key).expect("only what is there is told");
        life.announced = true;
        let life = life.clone();
        self.same(entry, &life);
        let told = self.listener.resync.as_mut().expect("between begin and end");
        assert!(told.insert(life.id), "{:?} told twice", entry.key);
        let old = self.listener.known.insert(entry.key, (life.id, life.settings));
        assert!(old.is_none_or(|old| old == (life.id, life.settings)));
    }

    fn hear_resync_end(&mut self) {
        assert!(self.listener.resync.take().is_some(), "an end without a begin");
        let known = &self.listener.known;
        for (key, life) in &self.lives {
            let due = life.id < self.listener.young || life.announced;
            assert!(!due || known.get(key) == Some(&(life.id, life.settings)), "{key:?} was not told");
        }
        for (key, (id, _)) in known {
            assert_eq!(self.lives.get(key).map(|life| life.id), Some(*id), "{key:?} is gone");
        }
    }
}
