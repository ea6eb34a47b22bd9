//! Entries and records of the simulated data plane.

use flowtracker_proto::change::Report;
use flowtracker_proto::key::FlowKey;
use flowtracker_proto::link::{self, AuthorNumber, BadRecord, Body};
use flowtracker_proto::table::Family;
use flowtracker_proto::test_support::event::Key;
use flowtracker_proto::v1::{Actor, DeleteReason, Hello, RecordKind, TableCapacity};

use super::{SEC, T};

/// Permissions of learned entries: `-RUD-PS-RUDX--`.
pub(crate) const LEARNED: u16 = 0x1dbc;

/// Returns the n-th flow of IPv4, which differs in its source port.
pub(crate) fn flow(n: u16) -> FlowKey {
    format!("port0/tcp/10.0.0.1:{n}-10.0.0.2:1234").parse().unwrap()
}

/// Returns the n-th flow of IPv6.
pub(crate) fn wide_flow(n: u16) -> FlowKey {
    format!("port0/tcp/[2001:db8::1]:{n}-[2001:db8::2]:1234").parse().unwrap()
}

/// Returns [`flow`] as watchers see it.
pub(crate) fn key(n: u16) -> Key {
    Key::parse(("port0", "10.0.0.1", "10.0.0.2"), (6, n.into(), 1234)).unwrap()
}

/// Returns [`wide_flow`] as watchers see it.
pub(crate) fn wide_key(n: u16) -> Key {
    Key::parse(("port0", "2001:db8::1", "2001:db8::2"), (6, n.into(), 1234)).unwrap()
}

/// An entry of the simulated data plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntryRecord {
    pub(crate) key: FlowKey,
    pub(crate) permissions: u16,
    pub(crate) dynamic: bool,
    pub(crate) profile_id: u8,
    pub(crate) aging_ms: u32,
    pub(crate) create_time_ns: u64,
    pub(crate) last_used_time_ns: u64,
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    /// `None` means the data path.
    pub(crate) created_by: Option<Actor>,
    /// `None` means that it was never updated.
    pub(crate) updated_by: Option<Actor>,
}

/// A record before its authors have numbers.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) kind: RecordKind,
    pub(crate) time_ns: u64,
    /// The table of a record without an entry.
    pub(crate) family: Family,
    pub(crate) entry: Option<EntryRecord>,
    pub(crate) reason: DeleteReason,
    pub(crate) deleted_by: Option<Actor>,
    pub(crate) deleted: u64,
    pub(crate) failed: u64,
}

/// The authors that a data plane has introduced, by number.
#[derive(Default)]
pub(crate) struct Introduced(pub(super) Vec<Actor>);

impl Introduced {
    /// Returns the number of an author, which is its place, counted from 1.
    fn number(&mut self, actor: Option<&Actor>) -> AuthorNumber {
        let Some(actor) = actor else { return 0 };
        let at = self.0.iter().position(|known| known == actor).unwrap_or_else(|| {
            self.0.push(actor.clone());
            self.0.len() - 1
        });
        at as AuthorNumber + 1
    }

    fn entry(&mut self, entry: &EntryRecord) -> link::Entry {
        link::Entry {
            key: entry.key,
            permissions: entry.permissions,
            dynamic: entry.dynamic,
            profile_id: entry.profile_id,
            aging_ms: entry.aging_ms,
            create_ns: entry.create_time_ns,
            last_used_ns: entry.last_used_time_ns,
            clock_step: Default::default(),
            packets: entry.packets,
            bytes: entry.bytes,
            created_by: self.number(entry.created_by.as_ref()),
            updated_by: self.number(entry.updated_by.as_ref()),
        }
    }

    pub(crate) fn record(&mut self, record: &Record) -> link::Record {
        let family = record.family;
        let mut entry = || self.entry(record.entry.as_ref().expect("an entry"));
        let body = match record.kind {
            RecordKind::Unspecified => unreachable!("no record"),
            RecordKind::Created => Body::Created(entry()),
            RecordKind::Updated => Body::Updated(entry()),
            RecordKind::Present => Body::Present(entry()),
            RecordKind::Deleted => {
                let (entry, reason) = (entry(), record.reason);
                Body::Deleted { entry, reason, by: self.number(record.deleted_by.as_ref()) }
            }
            RecordKind::ResyncBegin => Body::ResyncBegin(family),
            RecordKind::ResyncEnd => Body::ResyncEnd(family),
            RecordKind::Flushed => Body::Flushed { family, deleted: record.deleted, failed: record.failed },
            RecordKind::Purged => Body::Purged { family, deleted: record.deleted },
            RecordKind::Loaded => Body::Loaded(family),
        };
        link::Record { time_ns: record.time_ns, body }
    }
}

/// Returns the report that the mirror gets for a record without authors.
pub(crate) fn report(record: &Record) -> Result<(u64, Report), BadRecord> {
    let record = Introduced::default().record(record);
    Ok((record.time_ns, Report::of(&record, |_| None)?))
}

/// Returns entries in the form of an answer to a command, read at `time_ns`. Their only author is
/// the data path.
pub(crate) fn answer(time_ns: u64, entries: &[EntryRecord]) -> Vec<u8> {
    let mut nobody = Introduced::default();
    let record = |entry| link::Record { time_ns, body: Body::Present(nobody.entry(entry)) }.to_bytes();
    let records = entries.iter().map(record).collect::<Vec<_>>().concat();
    assert!(nobody.0.is_empty(), "an author without a link to introduce him on");
    records
}

/// Returns a learned entry of [`flow`]`(n)`.
pub(crate) fn learned(n: u16, create_ns: u64, used_ns: u64) -> EntryRecord {
    EntryRecord {
        key: flow(n),
        permissions: LEARNED,
        dynamic: true,
        profile_id: 0,
        aging_ms: 30_000,
        create_time_ns: create_ns,
        last_used_time_ns: used_ns,
        packets: 1,
        bytes: 60,
        created_by: None,
        updated_by: None,
    }
}

/// Returns a record about `entry`.
pub(crate) fn record(kind: RecordKind, time_ns: u64, entry: EntryRecord) -> Record {
    Record { time_ns, entry: Some(entry), ..bare(kind) }
}

/// Returns a record of the table of IPv4 without an entry.
pub(crate) fn bare(kind: RecordKind) -> Record {
    let (family, reason) = (Family::Ipv4, DeleteReason::Unspecified);
    Record { kind, time_ns: T, family, entry: None, reason, deleted_by: None, deleted: 0, failed: 0 }
}

/// Returns the same record about the table of IPv6: of [`wide_flow`]`(n)` in place of
/// [`flow`]`(n)`.
pub(crate) fn wide(record: Record) -> Record {
    Record { family: Family::Ipv6, entry: record.entry.map(wide_entry), ..record }
}

/// Returns the same entry, but of the flow of IPv6 that has the same number.
pub(crate) fn wide_entry(entry: EntryRecord) -> EntryRecord {
    EntryRecord { key: wide_flow(entry.key.widen().src_port), ..entry }
}

/// Returns the record that [`flow`]`(n)` was created at `create_ns`.
pub(crate) fn created(n: u16, create_ns: u64) -> Record {
    record(RecordKind::Created, create_ns, learned(n, create_ns, create_ns))
}

/// Returns the record that [`flow`]`(n)`, created and last used at `create_ns`, idled out 30 s
/// later.
pub(crate) fn expired(n: u16, create_ns: u64) -> Record {
    let entry = learned(n, create_ns, create_ns);
    Record { reason: DeleteReason::Idle, ..record(RecordKind::Deleted, create_ns + 30 * SEC, entry) }
}

/// Returns the record that [`flow`]`(n)` is in the table.
pub(crate) fn present(n: u16, create_ns: u64) -> Record {
    record(RecordKind::Present, T + SEC, learned(n, create_ns, create_ns))
}

/// Returns the introduction of a data plane that runs the table of IPv4.
pub(crate) fn hello(name: &str, instance: u64, shards: &[u32]) -> Hello {
    Hello {
        dataplane: name.to_owned(),
        instance,
        version: "0.1.0".to_owned(),
        shards: shards.to_vec(),
        ports: vec!["port0".to_owned(), "port1".to_owned()],
        pid: 1,
        record_version: link::VERSION,
        capacities: vec![capacity(1 << 20)],
    }
}

/// Returns the introduction of a data plane that runs both tables.
pub(crate) fn hello_of_both(name: &str, instance: u64, shards: &[u32]) -> Hello {
    let capacities = Family::ALL.map(|family| capacity_of(family, 1 << 20)).to_vec();
    Hello { capacities, ..hello(name, instance, shards) }
}

/// Returns the declaration that the table of IPv4 may hold `entries`.
pub(crate) fn capacity(entries: u64) -> TableCapacity {
    capacity_of(Family::Ipv4, entries)
}

/// Returns the declaration that a table may hold `entries`.
pub(crate) fn capacity_of(family: Family, entries: u64) -> TableCapacity {
    TableCapacity { pipeline: family.pipeline().to_owned(), entries }
}
