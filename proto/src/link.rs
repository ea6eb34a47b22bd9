//! Records of the data plane's link, in one fixed form that only this module writes and reads.
//!
//! A record is a change of a shard's table or a mark of its resync. Its layout is fixed because a
//! link carries records at a high rate, and protobuf's general form costs more than acting on the
//! record does. A record is [`LEN`] bytes: a head, then the key as P4TC lays it out. All numbers of
//! the head are little-endian. A table is named by the id of its P4TC pipeline.
//!
//! | byte | what |
//! |---:|---|
//! | 0 | [`RecordKind`] |
//! | 1 | [`DeleteReason`] of DELETED, else 0 |
//! | 2 | profile id |
//! | 3 | the table: 1 IPv4, 2 IPv6 |
//! | 4–5 | permissions in the 14 lower bits; bit 15: dynamic |
//! | 6–7, 8–9, 10–11 | numbers of creator, updater, deleter; see [`AuthorNumber`] |
//! | 12–15 | aging, milliseconds |
//! | 16–23 | time of the record, Unix nanoseconds; 0: that of the entry's last change or use |
//! | 24–31, 32–39 | creation, last use, Unix nanoseconds |
//! | 40–47 | packets; entries deleted, of FLUSHED and PURGED |
//! | 48–55 | bytes; entries left, of FLUSHED |
//! | 56–59 | step of the clock during the entry's life, see [`ClockStep`] |
//! | 60–100 | the key, see [`FlowKey::to_bytes`]; a key of IPv4 ends at 76 |
//! | 101–103 | 0 |
//!
//! Fields that a kind does not have are 0. The reader ignores them.

use crate::clock_step::ClockStep;
use crate::key::{FlowKey, FlowKeyV4, FlowKeyV6};
use crate::table::Family;
use crate::v1::{DeleteReason, RecordKind};

/// Version of this layout. Hello carries it, and a peer that has another one is refused.
pub const VERSION: u32 = 4;

/// Length of a record, bytes.
pub const LEN: usize = 104;

const HEAD: usize = 60;
/// Where the number of the table lies.
const TABLE: usize = 3;
/// Where the four numbers of eight bytes and the step lie.
const NUMBERS: usize = 24;
const STEP: usize = 56;
const DYNAMIC: u16 = 1 << 15;
const PERMISSIONS: u16 = (1 << 14) - 1;

/// Number of an author on one link; 0 means none.
///
/// A message of type `Authors` introduces each number, before the first record that uses it. An
/// entry without a creator was created by the data path; a deletion without a deleter is explained
/// by its reason.
pub type AuthorNumber = u16;

/// A report of a shard, with its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Wall clock, Unix nanoseconds.
    pub time_ns: u64,
    /// The content of the report.
    pub body: Body,
}

/// The content of a shard's report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// An entry was created.
    Created(Entry),
    /// An entry was updated; this is its new state.
    Updated(Entry),
    /// An entry was deleted.
    Deleted {
        /// The entry as it was when it was deleted.
        entry: Entry,
        /// The reason of the deletion.
        reason: DeleteReason,
        /// The author of the deletion.
        by: AuthorNumber,
    },
    /// The shard starts to enumerate a table.
    ResyncBegin(Family),
    /// An entry that the table holds; sent in a resync, or in the answer to a command.
    Present(Entry),
    /// Every entry alive since the start of the enumeration has been reported.
    ResyncEnd(Family),
    /// A flush has ended.
    Flushed {
        /// The table.
        family: Family,
        /// Entries deleted.
        deleted: u64,
        /// Entries left because they lack the D permission.
        failed: u64,
    },
    /// The program was detached, and the shard's table is empty.
    Purged {
        /// The table.
        family: Family,
        /// Entries that were removed.
        deleted: u64,
    },
    /// The program was attached.
    Loaded(Family),
}

/// An entry as a record carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The match key.
    pub key: FlowKey,
    /// The 14 permission bits.
    pub permissions: u16,
    /// True when the idle timer applies.
    pub dynamic: bool,
    /// Timer profile.
    pub profile_id: u8,
    /// Idle time after which the entry is deleted, milliseconds; 0 when static.
    pub aging_ms: u32,
    /// Creation, Unix nanoseconds.
    pub create_ns: u64,
    /// Last packet or update, Unix nanoseconds.
    pub last_used_ns: u64,
    /// By how much the clock was set between the creation and the time of the record. Between the
    /// last use and that time it counts as not set.
    pub clock_step: ClockStep,
    /// Packets since creation.
    pub packets: u64,
    /// Bytes since creation.
    pub bytes: u64,
    /// The author who created the entry.
    pub created_by: AuthorNumber,
    /// The author who updated it last.
    pub updated_by: AuthorNumber,
}

/// An error in a record; a correct data plane sends no such record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// The kind is not known.
    #[error("record kind {0} is not known")]
    Kind(u8),
    /// The reason of a deletion is not known.
    #[error("delete reason {0} is not known")]
    Reason(u8),
    /// There is no table of this number.
    #[error("table {0} is not known")]
    Table(u8),
    /// The key's input port is 0.
    #[error("the key of a record is not valid")]
    Key,
    /// No message has introduced this author.
    #[error("author {0} was not introduced")]
    Author(AuthorNumber),
    /// An answer contains a record of another kind than PRESENT.
    #[error("a record of an answer is not an entry")]
    NoEntry,
    /// A run of records ends within one.
    #[error("records must be {LEN} bytes each")]
    Length,
}

impl Record {
    /// Returns the record in its fixed form.
    #[must_use]
    #[inline]
    pub fn to_bytes(&self) -> [u8; LEN] {
        let mut out = [0; LEN];
        out[16..24].copy_from_slice(&self.time_ns.to_le_bytes());
        let counts = |out: &mut [u8; LEN], deleted: u64, failed: u64| {
            out[40..48].copy_from_slice(&deleted.to_le_bytes());
            out[48..56].copy_from_slice(&failed.to_le_bytes());
        };
        let kind = match &self.body {
            Body::Created(entry) => entry.write(&mut out, RecordKind::Created),
            Body::Updated(entry) => entry.write(&mut out, RecordKind::Updated),
            Body::Present(entry) => entry.write(&mut out, RecordKind::Present),
            Body::Deleted { entry, reason, by } => {
                out[1] = *reason as u8;
                out[10..12].copy_from_slice(&by.to_le_bytes());
                entry.write(&mut out, RecordKind::Deleted)
            }
            Body::ResyncBegin(_) => RecordKind::ResyncBegin,
            Body::ResyncEnd(_) => RecordKind::ResyncEnd,
            Body::Flushed { deleted, failed, .. } => {
                counts(&mut out, *deleted, *failed);
                RecordKind::Flushed
            }
            Body::Purged { deleted, .. } => {
                counts(&mut out, *deleted, 0);
                RecordKind::Purged
            }
            Body::Loaded(_) => RecordKind::Loaded,
        };
        out[0] = kind as u8;
        out[TABLE] = number_of(self.body.family());
        out
    }

    /// Reads a record in its fixed form.
    ///
    /// # Errors
    /// Names the first part that is not valid.
    #[inline]
    pub fn from_bytes(bytes: &[u8; LEN]) -> Result<Self, BadRecord> {
        let kind = RecordKind::try_from(i32::from(bytes[0])).map_err(|_| BadRecord::Kind(bytes[0]))?;
        let family = family_of(bytes[TABLE])?;
        let body = match kind {
            RecordKind::Unspecified => return Err(BadRecord::Kind(0)),
            RecordKind::Created => Body::Created(Entry::read(bytes, family)?),
            RecordKind::Updated => Body::Updated(Entry::read(bytes, family)?),
            RecordKind::Present => Body::Present(Entry::read(bytes, family)?),
            RecordKind::Deleted => Body::Deleted {
                entry: Entry::read(bytes, family)?,
                reason: DeleteReason::try_from(i32::from(bytes[1]))
                    .map_err(|_| BadRecord::Reason(bytes[1]))?,
                by: half(bytes, 10),
            },
            RecordKind::ResyncBegin => Body::ResyncBegin(family),
            RecordKind::ResyncEnd => Body::ResyncEnd(family),
            RecordKind::Flushed => {
                Body::Flushed { family, deleted: number(bytes, 40), failed: number(bytes, 48) }
            }
            RecordKind::Purged => Body::Purged { family, deleted: number(bytes, 40) },
            RecordKind::Loaded => Body::Loaded(family),
        };
        Ok(Record { time_ns: number(bytes, 16), body })
    }
}

impl Record {
    /// Returns the numbers of authors in the record.
    pub fn authors_mut(&mut self) -> impl Iterator<Item = &mut AuthorNumber> {
        let (entry, by) = match &mut self.body {
            Body::Created(entry) | Body::Updated(entry) | Body::Present(entry) => (Some(entry), None),
            Body::Deleted { entry, by, .. } => (Some(entry), Some(by)),
            _ => (None, None),
        };
        entry.into_iter().flat_map(|entry| [&mut entry.created_by, &mut entry.updated_by]).chain(by)
    }
}

impl Body {
    /// Returns the family of the table that the report is about.
    #[must_use]
    #[inline]
    pub fn family(&self) -> Family {
        match self {
            Body::Created(entry) | Body::Updated(entry) | Body::Present(entry) => entry.key.family(),
            Body::Deleted { entry, .. } => entry.key.family(),
            Body::ResyncBegin(family) | Body::ResyncEnd(family) | Body::Loaded(family) => *family,
            Body::Flushed { family, .. } | Body::Purged { family, .. } => *family,
        }
    }
}

impl Entry {
    #[inline]
    fn write(&self, out: &mut [u8; LEN], kind: RecordKind) -> RecordKind {
        out[2] = self.profile_id;
        let dynamic = if self.dynamic { DYNAMIC } else { 0 };
        out[4..6].copy_from_slice(&(self.permissions & PERMISSIONS | dynamic).to_le_bytes());
        out[6..8].copy_from_slice(&self.created_by.to_le_bytes());
        out[8..10].copy_from_slice(&self.updated_by.to_le_bytes());
        out[12..16].copy_from_slice(&self.aging_ms.to_le_bytes());
        let numbers = [self.create_ns, self.last_used_ns, self.packets, self.bytes];
        for (place, number) in out[NUMBERS..STEP].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        out[STEP..HEAD].copy_from_slice(&self.clock_step.to_bits().to_le_bytes());
        match &self.key {
            FlowKey::V4(key) => out[HEAD..HEAD + FlowKeyV4::BYTES].copy_from_slice(&key.to_bytes()),
            FlowKey::V6(key) => out[HEAD..HEAD + FlowKeyV6::BYTES].copy_from_slice(&key.to_bytes()),
        }
        kind
    }

    #[inline]
    fn read(bytes: &[u8; LEN], family: Family) -> Result<Self, BadRecord> {
        let (_, key) = bytes.split_at(HEAD);
        let key = match family {
            Family::Ipv4 => key.first_chunk().and_then(FlowKeyV4::from_bytes).map(FlowKey::V4),
            Family::Ipv6 => key.first_chunk().and_then(FlowKeyV6::from_bytes).map(FlowKey::V6),
        };
        let key = key.ok_or(BadRecord::Key)?;
        let permissions = half(bytes, 4);
        Ok(Entry {
            key,
            permissions: permissions & PERMISSIONS,
            dynamic: permissions & DYNAMIC != 0,
            profile_id: bytes[2],
            aging_ms: word(bytes, 12),
            create_ns: number(bytes, 24),
            last_used_ns: number(bytes, 32),
            clock_step: ClockStep::from_bits(word(bytes, STEP)),
            packets: number(bytes, 40),
            bytes: number(bytes, 48),
            created_by: half(bytes, 6),
            updated_by: half(bytes, 8),
        })
    }
}

/// Returns the number of a table: the id of its pipeline.
#[inline]
fn number_of(family: Family) -> u8 {
    // Ids of pipelines are small.
    family.table().pipeline_id as u8
}

#[inline]
fn family_of(number: u8) -> Result<Family, BadRecord> {
    Family::ALL.into_iter().find(|family| number_of(*family) == number).ok_or(BadRecord::Table(number))
}

#[inline]
fn half(bytes: &[u8; LEN], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

#[inline]
fn word(bytes: &[u8; LEN], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

#[inline]
fn number(bytes: &[u8; LEN], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

/// Reads a run of records.
///
/// # Errors
/// When the run ends within a record.
pub fn records(
    bytes: &[u8],
) -> Result<impl ExactSizeIterator<Item = Result<Record, BadRecord>> + '_, BadRecord> {
    let (records, rest) = bytes.as_chunks::<LEN>();
    if rest.is_empty() { Ok(records.iter().map(Record::from_bytes)) } else { Err(BadRecord::Length) }
}

#[cfg(test)]
mod tests;
