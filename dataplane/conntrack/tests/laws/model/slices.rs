//! Operations in slices, among all other steps: enumerations and flushes.

use std::cell::RefCell;
use std::collections::HashSet;

use conntrack::event::Removed;
use conntrack::tracker::{Cursor, Flush, Step};
use conntrack::{ActorId, Entry, FlowTable, Permissions};

use super::super::keys::TestKey;
use super::life::Life;
use super::ops::Which;
use super::{MS, Program, Trial};

/// An enumeration that is going on.
pub(super) struct Enumeration {
    cursor: Cursor,
    /// The lives that have existed since its start.
    pub(super) throughout: HashSet<u64>,
    met: HashSet<u64>,
}

/// A flush that is going on.
pub(super) struct Flushing {
    flush: Flush,
    which: Which,
    pub(super) actor: ActorId,
    start_ms: u64,
    /// The lives that it must pass and that have existed since its start.
    pub(super) throughout: HashSet<u64>,
    /// The lives that it has passed.
    passed: HashSet<u64>,
    removed: Removed,
}

impl Flushing {
    /// Returns true if the flush must pass this life.
    fn is_about<K: TestKey>(&self, key: &K, life: &Life) -> bool {
        self.which.has(key, life.settings.aging_ms.is_some()) && life.created_ms() <= self.start_ms
    }

    /// Returns true if the flush may end this life.
    pub(super) fn may_end<K: TestKey>(&self, key: &K, life: &Life) -> bool {
        self.is_about(key, life)
            && !life.dying
            && life.settings.allow(Permissions::CONTROL_DELETE)
            && self.passed.contains(&life.id)
    }
}

impl<K: TestKey, T: FlowTable<Key = K>> Trial<T> {
    fn all_alive(&self) -> HashSet<u64> {
        self.lives.values().filter(|life| !life.dying).map(|life| life.id).collect()
    }

    /// Forgets the lives that have ended, which therefore need not be met.
    pub(super) fn note_gone(&mut self) {
        let alive = self.all_alive();
        let waiting = [
            self.enumeration.as_mut().map(|at| &mut at.throughout),
            self.flushing.as_mut().map(|at| &mut at.throughout),
        ];
        waiting.into_iter().flatten().for_each(|throughout| throughout.retain(|id| alive.contains(id)));
    }

    pub(super) fn enumerate(&mut self, positions: u32) {
        let mut at = self.enumeration.take().unwrap_or_else(|| Enumeration {
            cursor: Cursor::default(),
            throughout: self.all_alive(),
            met: HashSet::new(),
        });
        let mut left = positions;
        loop {
            match self.shard.tracker.step(&mut at.cursor, &mut left) {
                Step::Entry(entry) => {
                    assert_eq!(self.program, Program::Attached, "nothing is there while detached");
                    let life = self.lives.get(&entry.key).expect("only what is there is met");
                    assert!(!life.dying, "what has expired is not met");
                    self.same(&entry, life);
                    assert!(at.met.insert(life.id), "{:?} met twice", entry.key);
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

    /// Runs a slice of a flush. It passes the entries that existed when it began, are alive and
    /// match. Each of them ends, or counts as failed if its D permission is missing. Only the last
    /// may stay, if its event has to wait.
    pub(super) fn flush(&mut self, which: Which, actor: ActorId, positions: u32) {
        let now = self.now();
        let mut at = self.flushing.take().unwrap_or_else(|| Flushing {
            flush: Flush::new(now, actor),
            which,
            actor,
            start_ms: self.ns.div_ceil(MS),
            throughout: self.all_alive(),
            passed: HashSet::new(),
            removed: Removed::default(),
        });
        let (refused, backlog) = (self.sink.refused, !self.replaced.is_empty());
        let asked = RefCell::new(Vec::new());
        let matches = |entry: &Entry<K>| {
            asked.borrow_mut().push(*entry);
            at.which.has(&entry.key, entry.dynamic())
        };
        let ended = self.shard.tracker.flush(now, &mut at.flush, positions, matches, &mut self.sink);
        let asked = asked.into_inner();
        assert!(asked.len() <= positions as usize, "more than the slice");

        let mut waits = false;
        for entry in &asked {
            assert!(!waits, "went on although an event waits");
            let life = &self.lives[&entry.key];
            assert!(!life.dying, "what has expired is not met");
            assert!(at.passed.insert(life.id), "{:?} passed twice", entry.key);
            if !at.is_about(&entry.key, life) {
                continue;
            }
            if !life.settings.allow(Permissions::CONTROL_DELETE) {
                at.removed.failed += 1;
            } else if self.shard.tracker.get(&entry.key).is_none() {
                at.removed.deleted += 1;
                self.removed += 1;
            } else {
                // The flush will pass this entry again.
                waits = true;
                at.passed.remove(&life.id);
                assert!(backlog || self.sink.refused > refused, "waits, though the sink refused nothing");
            }
        }
        assert_eq!(at.flush.removed, at.removed);
        assert!(!(waits && ended), "ended although an event waits");
        self.flushing = Some(at);
        // Each deletion is reported at once, and this checks the reports.
        self.hear();
        let there = |key| self.shard.tracker.get(key).is_some();
        assert!(asked.iter().all(|entry| there(&entry.key) == self.alive(&entry.key).is_some()));
        if ended {
            self.note_gone();
            let at = self.flushing.take().expect("just put there");
            assert!(at.throughout.is_subset(&at.passed), "an entry that was there all along was not passed");
        }
    }
}
