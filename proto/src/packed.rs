//! Records of the data plane's link in a fixed form.
//!
//! Almost all records on a link are of a few kinds and have no author but the data
//! path and the timer. In protobuf's general form it takes longer to write and read
//! such a record than to act on it; as 64 bytes in a row it takes a tenth of that.
//! All numbers are little-endian:
//!
//! | byte | what |
//! |---:|---|
//! | 0 | [`RecordKind`](crate::v1::RecordKind) |
//! | 1 | [`DeleteReason`](crate::v1::DeleteReason) |
//! | 2 | protocol |
//! | 3 | profile id |
//! | 4–5 | permissions, the 14 lower bits; bit 15: dynamic; bit 14: there is an entry |
//! | 6–7 | input port: DPDK port id + 1 |
//! | 8–11, 12–15 | source and destination address |
//! | 16–19 | source port in the upper, destination port in the lower 16 bits |
//! | 20–23 | aging, milliseconds |
//! | 24–31 | time of the record, Unix nanoseconds |
//! | 32–39, 40–47 | creation, last use, Unix nanoseconds |
//! | 48–55, 56–63 | packets, bytes |

use crate::v1::{EntryRecord, Record};

/// Length of a packed record, bytes.
pub const LEN: usize = 64;

const DYNAMIC: u16 = 1 << 15;
const HAS_ENTRY: u16 = 1 << 14;

/// A record with nothing that does not fit the fixed form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plain {
    /// A [`RecordKind`](crate::v1::RecordKind).
    pub kind: u8,
    /// A [`DeleteReason`](crate::v1::DeleteReason).
    pub reason: u8,
    /// Unix time in nanoseconds.
    pub time_ns: u64,
    /// The entry, if it is about one.
    pub entry: Option<PlainEntry>,
}

/// The entry of a [`Plain`]; the fields of [`EntryRecord`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "those of EntryRecord")]
pub struct PlainEntry {
    pub input_port: u16,
    pub src_addr: u32,
    pub dst_addr: u32,
    pub ports: u32,
    pub protocol: u8,
    /// The 14 lower bits.
    pub permissions: u16,
    pub dynamic: bool,
    pub profile_id: u8,
    pub aging_ms: u32,
    pub create_time_ns: u64,
    pub last_used_time_ns: u64,
    pub packets: u64,
    pub bytes: u64,
}

impl Plain {
    /// Its fixed form.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; LEN] {
        let mut out = [0; LEN];
        (out[0], out[1]) = (self.kind, self.reason);
        out[24..32].copy_from_slice(&self.time_ns.to_le_bytes());
        let Some(entry) = &self.entry else { return out };
        (out[2], out[3]) = (entry.protocol, entry.profile_id);
        let flags = HAS_ENTRY | if entry.dynamic { DYNAMIC } else { 0 };
        out[4..6].copy_from_slice(&(entry.permissions & (HAS_ENTRY - 1) | flags).to_le_bytes());
        out[6..8].copy_from_slice(&entry.input_port.to_le_bytes());
        let words = [entry.src_addr, entry.dst_addr, entry.ports, entry.aging_ms];
        for (place, word) in out[8..24].chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        let numbers = [entry.create_time_ns, entry.last_used_time_ns, entry.packets, entry.bytes];
        for (place, number) in out[32..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        out
    }
}

/// The record in fixed form; `None` when it has an author or a number that does not fit.
#[must_use]
pub fn pack(record: &Record) -> Option<[u8; LEN]> {
    if record.deleted_by.is_some() || record.deleted != 0 || record.failed != 0 {
        return None;
    }
    let entry = match &record.entry {
        None => None,
        Some(e) if e.created_by.is_some() || e.updated_by.is_some() => return None,
        Some(e) => Some(PlainEntry {
            input_port: u16::try_from(e.input_port).ok()?,
            src_addr: e.src_addr,
            dst_addr: e.dst_addr,
            ports: e.ports,
            protocol: u8::try_from(e.protocol).ok()?,
            permissions: u16::try_from(e.permissions).ok().filter(|bits| *bits < HAS_ENTRY)?,
            dynamic: e.dynamic,
            profile_id: u8::try_from(e.profile_id).ok()?,
            aging_ms: e.aging_ms,
            create_time_ns: e.create_time_ns,
            last_used_time_ns: e.last_used_time_ns,
            packets: e.packets,
            bytes: e.bytes,
        }),
    };
    let (kind, reason) = (u8::try_from(record.kind).ok()?, u8::try_from(record.reason).ok()?);
    Some(Plain { kind, reason, time_ns: record.time_ns, entry }.to_bytes())
}

/// The record that these bytes stand for.
#[must_use]
pub fn unpack(bytes: &[u8; LEN]) -> Record {
    let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let number = |at: usize| u64::from(word(at + 4)) << 32 | u64::from(word(at));
    let flags = half(4);
    let entry = (flags & HAS_ENTRY != 0).then(|| EntryRecord {
        input_port: u32::from(half(6)),
        src_addr: word(8),
        dst_addr: word(12),
        ports: word(16),
        protocol: u32::from(bytes[2]),
        permissions: u32::from(flags & (HAS_ENTRY - 1)),
        dynamic: flags & DYNAMIC != 0,
        profile_id: u32::from(bytes[3]),
        aging_ms: word(20),
        create_time_ns: number(32),
        last_used_time_ns: number(40),
        packets: number(48),
        bytes: number(56),
        created_by: None,
        updated_by: None,
    });
    Record {
        kind: i32::from(bytes[0]),
        reason: i32::from(bytes[1]),
        time_ns: number(24),
        entry,
        ..Record::default()
    }
}

/// Reads a run of packed records; `None` when its length is not a multiple of [`LEN`].
pub fn unpack_all(bytes: &[u8]) -> Option<impl ExactSizeIterator<Item = Record> + '_> {
    let (records, rest) = bytes.as_chunks::<LEN>();
    rest.is_empty().then(|| records.iter().map(unpack))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::{Actor, DeleteReason, RecordKind};

    fn record() -> Record {
        let entry = EntryRecord {
            input_port: 1,
            src_addr: 0x0a00_0001,
            dst_addr: 0xffff_fffe,
            ports: 0x900c_04d2,
            protocol: 255,
            permissions: 0x3fff,
            dynamic: true,
            profile_id: 15,
            aging_ms: 864_000_000,
            create_time_ns: u64::MAX,
            last_used_time_ns: 1_795_329_972_123_456_000,
            packets: 1 << 40,
            bytes: (1 << 50) + 1,
            created_by: None,
            updated_by: None,
        };
        let (kind, reason) = (RecordKind::Deleted.into(), DeleteReason::Idle.into());
        Record { kind, reason, time_ns: 7, entry: Some(entry), ..Record::default() }
    }

    #[test]
    fn a_packed_record_is_the_same_record() {
        let whole = record();
        let mut least = record();
        least.entry = Some(EntryRecord { input_port: 0xffff, ..EntryRecord::default() });
        let mut bare = record();
        bare.entry = None;
        for record in [whole, least, bare, Record::default()] {
            assert_eq!(unpack(&pack(&record).expect("fits")), record);
        }
    }

    #[test]
    fn what_does_not_fit_is_not_cut() {
        let with = |change: fn(&mut Record, &mut EntryRecord)| {
            let mut record = record();
            let mut entry = record.entry.take().expect("it has one");
            change(&mut record, &mut entry);
            record.entry = Some(entry);
            pack(&record)
        };
        assert!(with(|_, _| {}).is_some());
        assert_eq!(with(|_, e| e.created_by = Some(Actor::default())), None);
        assert_eq!(with(|_, e| e.updated_by = Some(Actor::default())), None);
        assert_eq!(with(|r, _| r.deleted_by = Some(Actor::default())), None);
        assert_eq!(with(|r, _| r.deleted = 1), None);
        assert_eq!(with(|r, _| r.failed = 1), None);
        assert_eq!(with(|r, _| r.kind = 256), None);
        assert_eq!(with(|_, e| e.input_port = 0x1_0000), None);
        assert_eq!(with(|_, e| e.protocol = 256), None);
        assert_eq!(with(|_, e| e.permissions = 0x4000), None);
        assert_eq!(with(|_, e| e.profile_id = 256), None);
    }

    #[test]
    fn a_run_that_is_cut_is_refused() {
        let bytes = [pack(&record()).expect("fits"); 3].concat();
        assert_eq!(unpack_all(&bytes).expect("whole").collect::<Vec<_>>(), vec![record(); 3]);
        assert!(unpack_all(&bytes[..bytes.len() - 1]).is_none());
        assert_eq!(unpack_all(&[]).expect("whole").len(), 0);
    }
}
