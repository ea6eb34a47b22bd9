//! The events that a replay of a capture has to print: a second implementation of the contract,
//! which shares nothing with the engine, and the parts of an event that it knows.

use std::collections::{BTreeMap, BTreeSet};

use flowtracker_proto::{Timestamp, v1};

use crate::oracle::{self, Key};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// The part of an event that the model knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The number of the event.
    pub seq: u64,
    /// CREATED, else DELETED for idleness.
    pub created: bool,
    /// The key of the entry.
    pub key: v1::Key,
    /// When it happened, Unix nanoseconds.
    pub time_ns: u64,
    /// When the entry was created, Unix nanoseconds.
    pub create_ns: u64,
    /// When it was last used, Unix nanoseconds.
    pub last_used_ns: u64,
    /// Its packets.
    pub packets: u64,
    /// Their octets.
    pub bytes: u64,
    /// In milliseconds, on DELETED only.
    pub idle_ms: u64,
}

/// Returns what events of a replay tell. Checks what is the same for all of them.
///
/// # Panics
/// When an event is none that a replay prints.
#[must_use]
pub fn told(events: &[v1::Event], id: &str) -> Vec<Told> {
    let nanoseconds = |time: Option<Timestamp>| {
        let time = time.expect("every event has its times");
        time.seconds as u64 * SECOND + time.nanos as u64
    };
    let told = |event: &v1::Event| {
        let entry = event.entry.as_ref().expect("every event has its entry");
        assert_eq!((event.epoch, event.dataplane.as_str(), entry.dataplane.as_str()), (1, id, id));
        assert!(entry.dynamic && !entry.tmpl_created, "{entry:?}");
        let created = match (event.r#type(), event.reason()) {
            (v1::EventType::Created, v1::DeleteReason::Unspecified) => true,
            (v1::EventType::Deleted, v1::DeleteReason::Idle) => false,
            other => panic!("neither created nor idle: {other:?}"),
        };
        Told {
            seq: event.seq,
            created,
            key: entry.key.clone().expect("every entry has its key"),
            time_ns: nanoseconds(event.time),
            create_ns: nanoseconds(entry.create_time),
            last_used_ns: nanoseconds(entry.last_used_time),
            packets: entry.packets,
            bytes: entry.bytes,
            idle_ms: entry.idle_ms,
        }
    };
    events.iter().map(told).collect()
}

/// An entry of the model.
#[derive(Clone, Copy, Debug)]
struct Alive {
    /// Its number among all that were created.
    birth: u64,
    created_ns: u64,
    last_ns: u64,
    packets: u64,
    bytes: u64,
}

/// The model: entries of both families, and their deadlines in one order. Of several entries with
/// one deadline the one that was created first goes first.
#[derive(Debug)]
pub struct Timeline {
    protocols: Vec<u8>,
    capacity: usize,
    aging_ms: u64,
    now_ns: u64,
    born: u64,
    entries: BTreeMap<Key, Alive>,
    deadlines: BTreeSet<(u64, u64, Key)>,
    /// The events that a replay has to print so far.
    pub told: Vec<Told>,
}

impl Timeline {
    /// Returns empty tables of `capacity` entries each, which age after `aging_ms`.
    #[must_use]
    pub fn new(protocols: &[u8], capacity: usize, aging_ms: u64) -> Self {
        Timeline {
            protocols: protocols.to_vec(),
            capacity,
            aging_ms,
            now_ns: 0,
            born: 0,
            entries: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            told: Vec::new(),
        }
    }

    /// Takes a packet of `length` octets, of which `octets` were captured, at this time or, if that
    /// has passed, now.
    pub fn packet(&mut self, time_ns: u64, octets: &[u8], length: u64) {
        self.now_ns = self.now_ns.max(time_ns);
        self.expire(self.now_ns);
        let Ok(key) = oracle::classify(octets, 0, &self.protocols) else { return };
        if let Some(entry) = self.entries.get_mut(&key) {
            let before = Self::deadline(entry, self.aging_ms);
            (entry.last_ns, entry.packets, entry.bytes) =
                (self.now_ns, entry.packets + 1, entry.bytes + length);
            let after = Self::deadline(entry, self.aging_ms);
            assert!(self.deadlines.remove(&(before, entry.birth, key)), "every entry has its deadline");
            self.deadlines.insert((after, entry.birth, key));
        } else if self.has_room(&key) {
            let now_ns = self.now_ns;
            let entry =
                Alive { birth: self.born, created_ns: now_ns, last_ns: now_ns, packets: 1, bytes: length };
            self.born += 1;
            self.tell(true, now_ns, key, &entry);
            self.deadlines.insert((Self::deadline(&entry, self.aging_ms), entry.birth, key));
            self.entries.insert(key, entry);
        }
    }

    /// Returns whether the table of the key's family has room.
    fn has_room(&self, key: &Key) -> bool {
        let of_family = |known: &&Key| known.src.is_ipv6() == key.src.is_ipv6();
        self.capacity == usize::MAX || self.entries.keys().filter(of_family).count() < self.capacity
    }

    /// Deletes the entries that are due up to `until_ns`, one after the other.
    pub fn expire(&mut self, until_ns: u64) {
        while let Some(&(due, birth, key)) = self.deadlines.first().filter(|(due, ..)| *due <= until_ns) {
            self.deadlines.remove(&(due, birth, key));
            let gone = self.entries.remove(&key).expect("what has a deadline exists");
            self.tell(false, due, key, &gone);
        }
    }

    /// Returns when an entry has been idle for its aging, counted in whole milliseconds.
    fn deadline(entry: &Alive, aging_ms: u64) -> u64 {
        entry.last_ns.next_multiple_of(MS) + aging_ms * MS
    }

    fn tell(&mut self, created: bool, time_ns: u64, key: Key, entry: &Alive) {
        self.told.push(Told {
            seq: self.told.len() as u64 + 1,
            created,
            key: key.to_proto(),
            time_ns,
            create_ns: entry.created_ns.next_multiple_of(MS),
            last_used_ns: entry.last_ns.next_multiple_of(MS),
            packets: entry.packets,
            bytes: entry.bytes,
            idle_ms: if created { 0 } else { self.aging_ms },
        });
    }
}
