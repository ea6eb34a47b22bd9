//! The meaning of the author numbers that entries and events carry.
//!
//! The engine keeps a number of 16 bits; this side knows whom it stands for. A
//! program keeps its number for as long as it is named by an entry, so one that
//! makes a million entries needs one. Which numbers are still named only the
//! shards can tell: after so many new ones a *sweep* reads all entries that name
//! a program, and numbers that two sweeps have not met are free again. Two,
//! because an event that was made during the first may still name one.

use std::collections::HashMap;

use conntrack::{ActorId, Entry};
use flowtracker_proto::v1;

/// New authors after which a sweep is due.
const SWEEP_AFTER: u32 = 8192;

#[derive(Debug)]
struct Author {
    actor: v1::Actor,
    /// Sweep in which it was last met, or in whose time it was last assigned.
    met: u64,
}

/// All authors that entries or events may name.
#[derive(Debug)]
pub(crate) struct Authors {
    by_id: HashMap<u16, Author>,
    ids: HashMap<(u32, String), u16>,
    next: u16,
    fresh: u32,
    sweep: u64,
    sweeping: bool,
}

impl Authors {
    pub(crate) fn new() -> Self {
        Authors {
            by_id: HashMap::new(),
            ids: HashMap::new(),
            next: ActorId::FIRST_CONTROL,
            fresh: 0,
            sweep: 0,
            sweeping: false,
        }
    }

    /// A number for the author of a command; `None` when entries name all of them.
    pub(super) fn assign(&mut self, actor: v1::Actor) -> Option<ActorId> {
        let name = (actor.pid, actor.process.clone());
        if let Some(id) = self.ids.get(&name) {
            if let Some(author) = self.by_id.get_mut(id) {
                author.met = self.sweep;
            }
            return Some(ActorId(*id));
        }
        if self.by_id.len() > usize::from(u16::MAX - ActorId::FIRST_CONTROL) {
            return None;
        }
        while self.by_id.contains_key(&self.next) {
            self.next = successor(self.next);
        }
        let id = self.next;
        self.next = successor(id);
        self.fresh += 1;
        self.ids.insert(name, id);
        self.by_id.insert(id, Author { actor, met: self.sweep });
        Some(ActorId(id))
    }

    /// `None` for the data path, the timer and nobody: the wire says these by absence.
    pub(super) fn get(&self, id: ActorId) -> Option<v1::Actor> {
        self.by_id.get(&id.0).map(|author| author.actor.clone())
    }

    /// True when it is time for a sweep, which has then begun.
    pub(super) fn begin_sweep(&mut self) -> bool {
        if self.sweeping || self.fresh < SWEEP_AFTER {
            return false;
        }
        (self.sweeping, self.fresh) = (true, 0);
        self.sweep += 1;
        true
    }

    /// An entry that a sweep has met.
    pub(super) fn meet(&mut self, entry: &Entry) {
        for id in [entry.creator, entry.updater] {
            if let Some(author) = self.by_id.get_mut(&id.0) {
                author.met = self.sweep;
            }
        }
    }

    /// The sweep has met every entry that names a program; or not `all` of them,
    /// and then it says nothing.
    pub(super) fn end_sweep(&mut self, all: bool) {
        self.sweeping = false;
        if !all {
            return;
        }
        let sweep = self.sweep;
        self.by_id.retain(|_, author| author.met + 1 >= sweep);
        self.ids.retain(|_, id| self.by_id.contains_key(id));
    }
}

fn successor(id: u16) -> u16 {
    id.checked_add(1).unwrap_or(ActorId::FIRST_CONTROL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use conntrack::test_support::{self, flow};

    fn actor(pid: u32) -> v1::Actor {
        v1::Actor { entity: 2, pid, process: "ctl".to_owned() }
    }

    fn entry(creator: ActorId, updater: ActorId) -> Entry {
        Entry { creator, updater, ..test_support::entry(flow(1, 1)) }
    }

    #[test]
    fn one_program_has_one_number() {
        let mut authors = Authors::new();
        let id = authors.assign(actor(7)).expect("free");
        assert_eq!(authors.assign(actor(7)), Some(id));
        assert_ne!(authors.assign(actor(8)), Some(id));
        assert_eq!(authors.get(id), Some(actor(7)));
        assert_eq!(authors.get(ActorId::DATA_PATH), None);
    }

    #[test]
    fn a_number_outlives_two_sweeps_only_while_an_entry_names_it() {
        let mut authors = Authors::new();
        let (creator, updater) =
            (authors.assign(actor(1)).expect("free"), authors.assign(actor(2)).expect("free"));
        let forgotten = authors.assign(actor(3)).expect("free");
        let mut pids = 4..;
        for sweep in 1..=20 {
            while !authors.begin_sweep() {
                authors.assign(actor(pids.next().expect("endless"))).expect("the unused are free again");
            }
            authors.meet(&entry(creator, ActorId::NONE));
            authors.meet(&entry(ActorId::DATA_PATH, updater));
            // One that failed frees nothing.
            authors.end_sweep(sweep != 1);
            assert_eq!(authors.get(creator), Some(actor(1)));
            assert_eq!(authors.get(updater), Some(actor(2)));
            assert_eq!(authors.get(forgotten).is_some_and(|a| a == actor(3)), sweep < 2, "sweep {sweep}");
        }
    }

    #[test]
    fn when_entries_name_all_numbers_there_is_none_left() {
        let mut authors = Authors::new();
        let mut ids = Vec::new();
        let refused = (0..).find(|pid| match authors.assign(actor(*pid)) {
            Some(id) => {
                ids.push(id);
                if authors.begin_sweep() {
                    ids.iter().for_each(|id| authors.meet(&entry(*id, ActorId::NONE)));
                    authors.end_sweep(true);
                }
                false
            }
            None => true,
        });
        assert_eq!(refused, Some(u32::from(u16::MAX) + 1 - u32::from(ActorId::FIRST_CONTROL)));
    }
}
