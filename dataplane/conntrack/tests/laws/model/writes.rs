//! Writes of the control plane, and their expected results.

use conntrack::attributes::AttributeError;
use conntrack::event::EventBody;
use conntrack::tracker::{Permission, Refusal, Write};
use conntrack::{ActorId, DeleteReason, Entry, Event, FlowTable, Permissions};

use super::super::keys::TestKey;
use super::life::{Life, Settings};
use super::ops::Wish;
use super::{Program, Trial};

impl<K: TestKey, T: FlowTable<Key = K>> Trial<T> {
    /// Makes a write and checks its result. If there are reasons to refuse it, it is refused for
    /// one of them, or for all `faults` of its attributes together, and nothing is offered to the
    /// sink. Otherwise it is done, or it is busy if its
    /// event could not be reported. Returns the entry if the write is done.
    fn written(
        &mut self,
        key: K,
        faults: &[AttributeError],
        reasons: &[Refusal],
        write: impl FnOnce(&mut Self) -> Write<K>,
    ) -> Option<Entry<K>> {
        let before = self.shard.tracker.get(&key);
        let (taken, refused) = (self.sink.taken.len(), self.sink.refused);
        let backlog = !self.replaced.is_empty();
        let result = write(self);
        if let Write::Done(entry) = result {
            assert!(reasons.is_empty() && faults.is_empty(), "done in spite of {reasons:?}, {faults:?}");
            return Some(entry);
        }
        assert_eq!(self.shard.tracker.get(&key), before, "{result:?}, and yet changed");
        if let Write::Refused(refusal) = result {
            if let Refusal::Attributes(violations) = refusal {
                let told: Vec<AttributeError> = violations.iter().collect();
                let all = told.len() == faults.len() && faults.iter().all(|fault| told.contains(fault));
                assert!(all, "refused for {told:?}, not for {faults:?}");
            } else {
                assert!(reasons.contains(&refusal), "refused as {refusal:?}, not for one of {reasons:?}");
            }
            assert_eq!((self.sink.taken.len(), self.sink.refused), (taken, refused), "an event of a refusal");
        } else {
            assert!(reasons.is_empty() && faults.is_empty(), "busy in spite of {reasons:?}, {faults:?}");
            assert!(backlog || self.sink.refused > refused, "busy, though the sink refused nothing");
        }
        None
    }

    pub(super) fn alive(&self, key: &K) -> Option<&Life> {
        self.lives.get(key).filter(|life| !life.dying)
    }

    pub(super) fn create(&mut self, flow: usize, wish: &Wish, actor: ActorId) {
        let key = self.flows[flow];
        let asked = wish.attributes(&self.attrs.agings);
        let mut faults = self.attrs.faults_of_new(&asked);
        let mut reasons = Vec::new();
        let mut check = |wrong: bool, reason| reasons.extend(wrong.then_some(reason));
        let full = self.lives.len() == self.shard.tracker.table().capacity() as usize;
        check(self.held, Refusal::Held);
        check(self.attrs.permissions & Permissions::CONTROL_CREATE == 0, Refusal::Denied(Permission::Create));
        check(self.alive(&key).is_some(), Refusal::Exists);
        // A dying entry of the same key makes room.
        check(full && !self.lives.contains_key(&key), Refusal::Full);
        if self.program != Program::Attached {
            (reasons, faults) = (vec![Refusal::Detached], Vec::new());
        }
        let (now, refused, backlog) = (self.now(), self.sink.refused, !self.replaced.is_empty());
        let write = |trial: &mut Self| trial.shard.tracker.create(now, &key, &asked, actor, &mut trial.sink);
        let Some(entry) = self.written(key, &faults, &reasons, write) else { return };

        if let Some(ended) = self.lives.remove(&key) {
            self.replaced.entry(key).or_default().push_back(ended);
        }
        let settings = self.attrs.create(&asked, actor);
        self.begin(key, 0, settings);
        self.same(&entry, &self.lives[&key]);
        if !backlog && self.sink.refused == refused {
            let told = self.sink.taken.last().expect("nothing is in the way of its event");
            assert_eq!(*told, Event { at_ns: self.ns, body: EventBody::Created(entry) });
        }
    }

    pub(super) fn update(&mut self, flow: usize, wish: &Wish, actor: ActorId) {
        let key = self.flows[flow];
        let asked = wish.attributes(&self.attrs.agings);
        let old = self.alive(&key).map(|life| life.settings);
        let (mut reasons, mut faults) = (Vec::new(), Vec::new());
        match &old {
            _ if self.program != Program::Attached => reasons.push(Refusal::Detached),
            None => {
                // An entry that does not exist is refused only for faults that apply to every
                // entry.
                faults = self.attrs.faults_of_new(&asked);
                faults.retain(|fault| !matches!(fault, AttributeError::NotAlongside(_)));
                reasons.push(Refusal::NotFound);
            }
            Some(old) => {
                faults = self.attrs.faults_of_known(&asked, old);
                let denied = !old.allow(Permissions::CONTROL_UPDATE);
                reasons.extend(denied.then_some(Refusal::Denied(Permission::Update)));
            }
        }
        let now = self.now();
        let write = |trial: &mut Self| trial.shard.tracker.update(now, &key, &asked, actor, &mut trial.sink);
        let Some(entry) = self.written(key, &faults, &reasons, write) else { return };

        let told = self.sink.taken.pop().expect("an update that is done has been reported");
        assert_eq!(told, Event { at_ns: self.ns, body: EventBody::Updated(entry) });
        // Earlier events describe the entry before the update.
        self.hear();
        let settings = self.attrs.update(&asked, &old.expect("else it is refused"), actor);
        let life = self.lives.get_mut(&key).expect("just updated");
        life.settings = settings;
        life.last_ns = self.ns;
        let life = life.clone();
        self.same(&entry, &life);
        assert_eq!(self.shard.tracker.get(&key), Some(entry));
        self.sink.taken.push(told);
    }

    pub(super) fn remove(&mut self, flow: usize, actor: ActorId) {
        let key = self.flows[flow];
        let reason = DeleteReason::Control;
        let mut reasons = Vec::new();
        match self.alive(&key) {
            _ if self.program != Program::Attached => reasons.push(Refusal::Detached),
            None => reasons.push(Refusal::NotFound),
            Some(life) => {
                let denied = !life.settings.allow(Permissions::CONTROL_DELETE);
                reasons.extend(denied.then_some(Refusal::Denied(Permission::Delete)));
            }
        }
        let before = self.shard.tracker.get(&key);
        let now = self.now();
        let write = |trial: &mut Self| trial.shard.tracker.remove(now, &key, reason, actor, &mut trial.sink);
        let Some(entry) = self.written(key, &[], &reasons, write) else { return };

        assert_eq!(Some(entry), before);
        assert_eq!(self.shard.tracker.get(&key), None);
        let told = self.sink.taken.last().expect("a removal that is done has been reported");
        let body = EventBody::Deleted { entry, reason, actor };
        assert_eq!(*told, Event { at_ns: self.ns, body });
        self.removed += 1;
    }

    /// Adds a new entry, with its first packet if a packet made it.
    pub(super) fn begin(&mut self, key: K, bytes: u64, settings: Settings) {
        let life = Life {
            id: self.next_id,
            created_ns: self.ns,
            last_ns: self.ns,
            packets: u64::from(bytes > 0),
            bytes,
            settings,
            announced: false,
            dying: false,
        };
        self.next_id += 1;
        self.lives.insert(key, life);
    }
}
