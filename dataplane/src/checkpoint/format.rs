//! The form of the file.
//!
//! | bytes | what |
//! |---:|---|
//! | 8 | [`MAGIC`] |
//! | 4 | [`VERSION`] |
//! | 4 | CRC-32 of everything else in the file |
//! | 8, 8 | number of records of IPv4, of IPv6 |
//! | 8 | length of the description |
//! | | the records of IPv4, then those of IPv6 ([`Saved`]) |
//! | | the description ([`Description`]), as protobuf |
//!
//! All numbers are little-endian.

use conntrack::{ActorId, Entry, Now, Permissions, ProfileId, Profiles};
use flowtracker_proto::v1;

use crate::lcore::family::TableKey;

/// The first bytes of every version of the file.
pub const MAGIC: [u8; 8] = *b"ft-chkpt";
/// The version of this form. Another version is refused.
pub const VERSION: u32 = 1;
/// Length of the head in bytes.
pub const HEAD: usize = 40;
/// The longest description: that of all authors, with room to spare.
pub const MAX_DESCRIPTION: u64 = 16 << 20;
/// Bytes of a record besides the key.
const AROUND_KEY: usize = 44;
/// The first milliseconds since a clock's start that no entry can hold, less the longest break.
const END_MS: u64 = (1 << 40) - (1 << 36);

/// Returns the length of a record of this table in bytes.
#[must_use]
pub const fn record_len<K: TableKey>() -> usize {
    K::BYTES + AROUND_KEY
}

/// The head of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) version: u32,
    pub(super) crc: u32,
    /// Number of records of IPv4 and of IPv6.
    pub(super) records: [u64; 2],
    pub(super) description: u64,
}

impl Head {
    /// Returns the bytes of the head.
    pub(super) fn to_bytes(self) -> [u8; HEAD] {
        let mut out = [0; HEAD];
        out[..8].copy_from_slice(&MAGIC);
        out[8..12].copy_from_slice(&self.version.to_le_bytes());
        out[12..16].copy_from_slice(&self.crc.to_le_bytes());
        let numbers = [self.records[0], self.records[1], self.description];
        for (place, number) in out[16..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        out
    }

    /// Reads a head. Returns none when the file is another one.
    pub(super) fn from_bytes(bytes: &[u8; HEAD]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&MAGIC)?;
        let (version, crc) = (take_u32(&mut rest)?, take_u32(&mut rest)?);
        let records = [take_u64(&mut rest)?, take_u64(&mut rest)?];
        Some(Head { version, crc, records, description: take_u64(&mut rest)? })
    }
}

/// What the file says besides the entries.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Description {
    /// When the file was written, in nanoseconds since the start of the lcores' clock.
    #[prost(uint64, tag = "1")]
    pub at_ns: u64,
    /// The same moment in Unix nanoseconds, by the host's clock.
    #[prost(uint64, tag = "2")]
    pub unix_ns: u64,
    /// Name of the data plane.
    #[prost(string, tag = "3")]
    pub dataplane: String,
    /// The ports.
    #[prost(message, repeated, tag = "4")]
    pub ports: Vec<SavedPort>,
    /// The tables, one for each family that is tracked.
    #[prost(message, repeated, tag = "5")]
    pub tables: Vec<SavedTable>,
    /// The differences to Unix time that creation times have.
    #[prost(message, repeated, tag = "6")]
    pub steps: Vec<ClockStep>,
    /// The control programs that entries name.
    #[prost(message, repeated, tag = "7")]
    pub authors: Vec<v1::Author>,
}

/// A port.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SavedPort {
    /// DPDK port id.
    #[prost(uint32, tag = "1")]
    pub id: u32,
    /// Name of its device.
    #[prost(string, tag = "2")]
    pub device: String,
}

/// A table.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SavedTable {
    /// Name of the pipeline.
    #[prost(string, tag = "1")]
    pub pipeline: String,
    /// The attributes that the flags have given it.
    #[prost(message, optional, tag = "2")]
    pub at_start: Option<SavedAttributes>,
    /// The attributes that it has, after the changes at run time.
    #[prost(message, optional, tag = "3")]
    pub at_end: Option<SavedAttributes>,
    /// The program is detached.
    #[prost(bool, tag = "4")]
    pub detached: bool,
}

/// The attributes of a table that can be changed at run time.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SavedAttributes {
    /// The agings of the timer profiles, in milliseconds.
    #[prost(uint64, repeated, tag = "1")]
    pub profiles: Vec<u64>,
    /// The permissions.
    #[prost(uint32, tag = "2")]
    pub permissions: u32,
}

impl SavedAttributes {
    /// Makes the form of these attributes.
    #[must_use]
    pub fn new(profiles: &Profiles, permissions: Permissions) -> Self {
        SavedAttributes {
            profiles: profiles.values().iter().map(|ms| u64::from(*ms)).collect(),
            permissions: permissions.bits().into(),
        }
    }

    /// Returns the attributes, if they are possible.
    #[must_use]
    pub fn get(&self) -> Option<(Profiles, Permissions)> {
        let permissions = u16::try_from(self.permissions).ok().and_then(Permissions::new)?;
        Some((Profiles::new(&self.profiles).ok()?, permissions))
    }
}

/// A difference to Unix time.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ClockStep {
    /// The first instant at which it is in force, in nanoseconds since the clock's start.
    #[prost(uint64, tag = "1")]
    pub from_ns: u64,
    /// What has to be added to an instant, in milliseconds.
    #[prost(sint64, tag = "2")]
    pub ms: i64,
}

impl Description {
    /// Returns what is wrong with the description in itself, if anything is.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let sorted = self.steps.is_sorted_by_key(|step| step.from_ns);
        let attributes = |a: &Option<SavedAttributes>| a.as_ref().is_some_and(|a| a.get().is_some());
        let sound = |table: &SavedTable| attributes(&table.at_start) && attributes(&table.at_end);
        match self {
            _ if self.at_ns / 1_000_000 >= END_MS => Some("its clock has run for too long"),
            _ if self.steps.is_empty() || !sorted => Some("its clock has no history"),
            _ if self.steps.len() > crate::export::CLOCK_STEPS => Some("its clock was set too often"),
            _ if !self.tables.iter().all(sound) => Some("a table in it has impossible attributes"),
            _ => None,
        }
    }
}

/// An entry as it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved<K: TableKey> {
    /// The entry; its stamp is not meant.
    entry: Entry<K>,
    /// Time of its last use, in milliseconds since the clock's start.
    last_used_ms: u64,
}

impl<K: TableKey> Saved<K> {
    /// Makes the form of an entry that was read at the instant `at_ns`.
    #[must_use]
    pub fn new(entry: &Entry<K>, at_ns: u64) -> Self {
        Saved { last_used_ms: entry.last_used_ms(at_ns), entry: Entry { rounds: 0, ..*entry } }
    }

    /// Returns the entry as it is at `now`.
    #[must_use]
    pub fn entry(&self, now: Now) -> Entry<K> {
        self.entry.used_at(self.last_used_ms, now)
    }

    /// Appends the bytes of the record to `out`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let entry = &self.entry;
        out.extend_from_slice(&entry.key.to_command()[..K::BYTES]);
        for number in [entry.created_ms, self.last_used_ms, entry.packets, entry.bytes] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&entry.aging_ms.to_le_bytes());
        for half in [entry.permissions.bits(), entry.creator.0, entry.updater.0, entry.profile.get().into()] {
            out.extend_from_slice(&half.to_le_bytes());
        }
    }

    /// Reads a record of a file that was written at the instant `at_ns`. Returns none when it is no
    /// entry.
    pub(super) fn read(bytes: &[u8], at_ns: u64) -> Option<Self> {
        let (key, mut rest) = bytes.split_at_checked(K::BYTES)?;
        let rest = &mut rest;
        let key = K::from_command(key)?;
        let [created_ms, last_used_ms, packets, bytes] =
            [take_u64(rest)?, take_u64(rest)?, take_u64(rest)?, take_u64(rest)?];
        let aging_ms = take_u32(rest)?;
        let permissions = Permissions::new(take_u16(rest)?)?;
        let (creator, updater) = (ActorId(take_u16(rest)?), ActorId(take_u16(rest)?));
        let profile = ProfileId::new(take_u16(rest)?.into())?;
        // Times of an entry are rounded up.
        let end_ms = at_ns.div_ceil(1_000_000) + 1;
        let possible = u64::from(aging_ms) <= Profiles::MAX_AGING_MS
            && created_ms <= end_ms
            && last_used_ms <= end_ms
            && rest.is_empty();
        let entry = Entry {
            key,
            created_ms,
            last_used: conntrack::Tick(0),
            rounds: 0,
            aging_ms,
            profile,
            permissions,
            packets,
            bytes,
            creator,
            updater,
        };
        possible.then_some(Saved { entry, last_used_ms })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*first)
}

fn take_u16(rest: &mut &[u8]) -> Option<u16> {
    take(rest).map(u16::from_le_bytes)
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    take(rest).map(u32::from_le_bytes)
}

fn take_u64(rest: &mut &[u8]) -> Option<u64> {
    take(rest).map(u64::from_le_bytes)
}
