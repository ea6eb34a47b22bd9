//! The meaning of the author numbers that entries, events and the link's records carry.
//!
//! The engine keeps a number of 16 bits; this side knows which control program it stands for. A
//! program keeps its number while an entry names it, so a program that makes a million entries
//! needs one number. Only the shards know which numbers entries still name. So after
//! [`SWEEP_AFTER`] new authors, and when there was no number for one, a *sweep* reads all entries
//! of all tables that name a program. A number that two sweeps in a row have not met is free again.
//! Two, because an event that was made during the first may name it.
//!
//! A name has at most 63 bytes and an identity at most 127 (see [`crate::export::bounds`]), so all
//! authors together take less than 64 MiB.
//!
//! The control service learns the meaning of a number before the first record that uses it, once per
//! link: [`Authors::introduce`] collects who is new, [`Authors::introductions`] hands them out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use conntrack::{ActorId, Entry};
use flowtracker_proto::link::{AuthorNumber, Record};
use flowtracker_proto::{limits, v1};

/// Authors in one message at most: the control service bounds the length of messages.
const INTRODUCTIONS: usize = 2048;

/// Bytes of an author on the wire besides its names: tags, lengths, and three numbers.
const AROUND_NAMES: usize = 32;

const _: () = assert!(
    INTRODUCTIONS * (limits::PROCESS + limits::IDENTITY + AROUND_NAMES) <= limits::LINK_MESSAGE,
    "the longest introduction fits a message"
);

/// New authors after which a sweep is due.
const SWEEP_AFTER: u32 = 8192;

#[derive(Debug)]
struct Author {
    actor: v1::Actor,
    /// Sweep in which it was last met, or in whose time it was last assigned.
    met: u64,
}

/// The authors by their numbers. The exporter's thread changes them; the checkpoint's reads names.
#[derive(Clone, Debug, Default)]
pub struct Names(Arc<Mutex<HashMap<u16, Author>>>);

impl Names {
    /// Returns the author with this number.
    #[must_use]
    pub fn get(&self, number: u16) -> Option<v1::Actor> {
        self.lock().get(&number).map(|author| author.actor.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u16, Author>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All authors that entries or events may name.
#[derive(Debug)]
pub(crate) struct Authors {
    by_id: Names,
    /// Numbers by pid, process and identity.
    ids: HashMap<(u32, String, String), u16>,
    next: u16,
    fresh: u32,
    sweep: u64,
    sweeping: bool,
    /// A bit for each number whose meaning the present link knows.
    introduced: Box<[u64; NUMBERS / 64]>,
    introductions: Vec<v1::Author>,
}

/// How many numbers there are.
const NUMBERS: usize = 1 << AuthorNumber::BITS;

impl Authors {
    pub(crate) fn new() -> Self {
        Authors {
            by_id: Names::default(),
            ids: HashMap::new(),
            next: ActorId::FIRST_CONTROL,
            fresh: 0,
            sweep: 0,
            sweeping: false,
            introduced: Box::new([0; NUMBERS / 64]),
            introductions: Vec::new(),
        }
    }

    /// Takes in the authors that entries of an earlier run name. They keep their numbers.
    pub(super) fn restore(&mut self, authors: impl IntoIterator<Item = (u16, v1::Actor)>) {
        for (id, actor) in authors.into_iter().filter(|(id, _)| *id >= ActorId::FIRST_CONTROL) {
            self.ids.insert((actor.pid, actor.process.clone(), actor.identity.clone()), id);
            self.by_id.lock().insert(id, Author { actor, met: self.sweep });
        }
    }

    /// Returns the names, which stay those of this list.
    pub(super) fn names(&self) -> Names {
        self.by_id.clone()
    }

    /// Forgets whom the control service knows: a new link stands.
    pub(super) fn begin_link(&mut self) {
        self.introduced.fill(0);
        self.introductions.clear();
    }

    /// Prepares a record for the link: collects authors that the control service does not know yet,
    /// and clears numbers that have no meaning any more.
    pub(super) fn introduce(&mut self, record: &mut Record) {
        for number in record.authors_mut().filter(|number| **number != 0) {
            let (word, bit) = (usize::from(*number) / 64, 1 << (*number % 64));
            if self.introduced[word] & bit != 0 {
                continue;
            }
            let Some(actor) = self.by_id.get(*number) else {
                *number = 0;
                continue;
            };
            self.introduced[word] |= bit;
            self.introductions.push(v1::Author { number: u32::from(*number), actor: Some(actor) });
        }
    }

    /// Takes what has to be sent before the records that [`Authors::introduce`] has seen, in messages
    /// of [`INTRODUCTIONS`] at most; `None` when that was all.
    pub(super) fn introductions(&mut self) -> Option<v1::Authors> {
        let next = self.introductions.len().min(INTRODUCTIONS);
        let authors: Vec<_> = self.introductions.drain(..next).collect();
        (!authors.is_empty()).then_some(v1::Authors { authors })
    }

    /// Returns a number for the author of a command; `None` when entries name all numbers.
    pub(super) fn assign(&mut self, actor: v1::Actor) -> Option<ActorId> {
        let name = (actor.pid, actor.process.clone(), actor.identity.clone());
        if let Some(id) = self.ids.get(&name) {
            if let Some(author) = self.by_id.lock().get_mut(id) {
                author.met = self.sweep;
            }
            return Some(ActorId(*id));
        }
        if self.is_full() {
            return None;
        }
        while self.by_id.lock().contains_key(&self.next) {
            self.next = successor(self.next);
        }
        let id = self.next;
        self.next = successor(id);
        self.fresh += 1;
        self.ids.insert(name, id);
        self.introduced[usize::from(id) / 64] &= !(1 << (id % 64));
        self.by_id.lock().insert(id, Author { actor, met: self.sweep });
        Some(ActorId(id))
    }

    /// Returns true when every number has a meaning.
    fn is_full(&self) -> bool {
        self.by_id.lock().len() > usize::from(u16::MAX - ActorId::FIRST_CONTROL)
    }

    /// Begins a sweep if one is due, and returns whether it has begun. It is due when an author was
    /// refused, too.
    pub(super) fn begin_sweep(&mut self, refused: bool) -> bool {
        if self.sweeping || self.fresh < SWEEP_AFTER && !refused {
            return false;
        }
        (self.sweeping, self.fresh) = (true, 0);
        self.sweep += 1;
        true
    }

    /// Takes in an entry that the sweep has met.
    pub(super) fn meet<K>(&mut self, entry: &Entry<K>) {
        for id in [entry.creator, entry.updater] {
            if let Some(author) = self.by_id.lock().get_mut(&id.0) {
                author.met = self.sweep;
            }
        }
    }

    /// Ends the sweep. Numbers become free only if it has met `all` entries that name a program.
    pub(super) fn end_sweep(&mut self, all: bool) {
        self.sweeping = false;
        if !all {
            return;
        }
        let sweep = self.sweep;
        let mut by_id = self.by_id.lock();
        by_id.retain(|_, author| author.met + 1 >= sweep);
        self.ids.retain(|_, id| by_id.contains_key(id));
    }
}

fn successor(id: u16) -> u16 {
    id.checked_add(1).unwrap_or(ActorId::FIRST_CONTROL)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use conntrack::test_support::{self, flow};

    fn actor(pid: u32) -> v1::Actor {
        v1::Actor { entity: 2, pid, process: "ctl".to_owned(), ..v1::Actor::default() }
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
        // A caller of another identity is another author, even under the same name.
        let other = v1::Actor { identity: "CN=mallory".to_owned(), ..actor(7) };
        let number = authors.assign(other.clone()).expect("free");
        assert_ne!(number, id);
        assert_eq!(known(&authors, number), Some(other));
        assert_eq!(known(&authors, id), Some(actor(7)));
    }

    fn known(authors: &Authors, id: ActorId) -> Option<v1::Actor> {
        authors.by_id.get(id.0)
    }

    #[test]
    fn a_link_learns_of_an_author_once_and_before_the_record() {
        let mut authors = Authors::new();
        let ids = [1, 2].map(|pid| authors.assign(actor(pid)).expect("free"));
        let clock = crate::export::wall::WallClock::new(1_700_000_000_000_000_000, || None);
        let introduced = |creator, updater, authors: &mut Authors| {
            let mut record = super::super::encode::present(&entry(creator, updater), 0, &clock);
            authors.introduce(&mut record);
            let numbers: Vec<_> = record.authors_mut().map(|number| *number).collect();
            let news = authors.introductions().unwrap_or_default().authors;
            (numbers, news.into_iter().map(|a| (a.number, a.actor)).collect::<Vec<_>>())
        };
        let whole = |n: usize| (ids[n].0.into(), Some(actor(n as u32 + 1)));
        let both = vec![ids[0].0, ids[1].0];
        assert_eq!(introduced(ids[0], ids[1], &mut authors), (both.clone(), vec![whole(0), whole(1)]));
        assert_eq!(introduced(ids[0], ids[1], &mut authors), (both, vec![]));
        authors.begin_link();
        assert_eq!(introduced(ids[1], ActorId::NONE, &mut authors), (vec![ids[1].0, 0], vec![whole(1)]));
        // Nobody has this number, or nobody has it any more.
        assert_eq!(introduced(ActorId(4711), ids[1], &mut authors), (vec![0, ids[1].0], vec![]));
        // A number that is given to somebody else is introduced again.
        authors.by_id.lock().clear();
        authors.ids.clear();
        authors.next = ids[1].0;
        assert_eq!(authors.assign(actor(3)), Some(ids[1]));
        let news = vec![(ids[1].0.into(), Some(actor(3)))];
        assert_eq!(introduced(ids[1], ActorId::NONE, &mut authors), (vec![ids[1].0, 0], news));
    }

    #[test]
    fn a_message_has_a_bounded_number_of_introductions() {
        let mut authors = Authors::new();
        let clock = crate::export::wall::WallClock::new(1_700_000_000_000_000_000, || None);
        for pid in u32::MAX - 5000..u32::MAX {
            let longest = v1::Actor {
                process: "p".repeat(limits::PROCESS),
                identity: "i".repeat(limits::IDENTITY),
                ..actor(pid)
            };
            let id = authors.assign(longest).expect("free");
            authors.introduce(&mut super::super::encode::present(&entry(id, ActorId::NONE), 0, &clock));
        }
        let messages: Vec<_> = std::iter::from_fn(|| authors.introductions()).collect();
        let sizes = messages.iter().map(|message| message.authors.len());
        assert_eq!(sizes.collect::<Vec<_>>(), [2048, 2048, 904]);
        let first = &messages[0];
        let request = v1::AttachRequest { body: Some(v1::attach_request::Body::Authors(first.clone())) };
        assert!(request.encoded_len() <= limits::LINK_MESSAGE, "{} bytes", request.encoded_len());
    }

    #[test]
    fn a_number_outlives_two_sweeps_only_while_an_entry_names_it() {
        let mut authors = Authors::new();
        let (creator, updater) =
            (authors.assign(actor(1)).expect("free"), authors.assign(actor(2)).expect("free"));
        let forgotten = authors.assign(actor(3)).expect("free");
        let mut pids = 4..;
        for sweep in 1..=20 {
            while !authors.begin_sweep(false) {
                authors.assign(actor(pids.next().expect("endless"))).expect("the unused are free again");
            }
            authors.meet(&entry(creator, ActorId::NONE));
            authors.meet(&entry(ActorId::DATA_PATH, updater));
            // One that failed frees nothing.
            authors.end_sweep(sweep != 1);
            assert_eq!(known(&authors, creator), Some(actor(1)));
            assert_eq!(known(&authors, updater), Some(actor(2)));
            assert_eq!(known(&authors, forgotten).is_some_and(|a| a == actor(3)), sweep < 2, "sweep {sweep}");
        }
    }

    #[test]
    fn when_entries_name_all_numbers_there_is_none_left() {
        let mut authors = Authors::new();
        let mut ids = Vec::new();
        let refused = (0..).find(|pid| match authors.assign(actor(*pid)) {
            Some(id) => {
                ids.push(id);
                if authors.begin_sweep(false) {
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
