//! Conversion of changes from the model of [`change`](crate::change) to the API's messages, in
//! their wire form.
//!
//! This is the only such conversion: the control service shows the records of the links, a replay
//! shows its own, and both show the same entry in the same octets. [`Encoder`] writes the wire form
//! itself, without a message and its many strings on the way, because a control service writes
//! events at a high rate. Code that needs a message decodes one.

use std::sync::Arc;

use prost::Message;
use prost::bytes::Bytes;

use crate::Timestamp;
use crate::change::{Change, Changed, EntryState};
use crate::clock_step::{ClockStep, age_ms};
use crate::key::{FlowKey, ipv6_text};
use crate::table::Family;
use crate::v1::{Actor, DeleteReason, Entity, Entry, Event, EventType, LifecycleKind, WatchEventsResponse};
use crate::wire::{put_actor, put_decimal, put_message, put_number, put_short, put_text, put_time};

/// Priority of every entry of an exact-match P4TC table.
pub const PRIORITY: u32 = 64000;

/// The usual size of an event, bytes.
const USUAL: usize = 256;

/// Returns the 14 permission bits as P4TC's letters, most significant bit first.
#[must_use]
pub fn permissions_text(permissions: u32) -> String {
    permission_letters(permissions).map(char::from).iter().collect()
}

/// Returns [`permissions_text`] in ASCII.
#[must_use]
pub fn permission_letters(permissions: u32) -> [u8; 14] {
    let mut letters = *b"CRUDXPSCRUDXPS";
    for (letter, bit) in letters.iter_mut().zip((0..14).rev()) {
        if permissions & (1 << bit) == 0 {
            *letter = b'-';
        }
    }
    letters
}

/// Returns the creator of learned entries: the data path.
#[must_use]
pub fn learner(dataplane: &str) -> Actor {
    Actor { entity: Entity::Kernel.into(), process: format!("dataplane:{dataplane}"), ..Actor::default() }
}

/// Returns the author of a deletion of which only the reason is known.
#[must_use]
pub fn deleter(reason: DeleteReason) -> Actor {
    let (entity, process) = match reason {
        DeleteReason::Idle | DeleteReason::Unspecified => (Entity::Timer, "timer"),
        DeleteReason::Resync => (Entity::Kernel, "resync"),
        DeleteReason::Control | DeleteReason::Flush => (Entity::Tc, ""),
    };
    Actor { entity: entity.into(), process: process.to_owned(), ..Actor::default() }
}

/// Returns the entry as the API shows it, its ages as of [`EntryState::as_of_ns`].
#[must_use]
pub fn entry(dataplane: &Arc<str>, state: &EntryState) -> Entry {
    let mut encoder = Encoder::new(0, 0);
    encoder.write_entry(dataplane, state, state.as_of_ns, None);
    decoded(&encoder.entry)
}

/// Returns a change as the event `seq` of `epoch`.
#[must_use]
pub fn event(epoch: u64, seq: u64, changed: &Changed) -> Event {
    let mut encoder = Encoder::new(epoch, 1);
    encoder.event(seq, changed);
    let response: WatchEventsResponse = decoded(&encoder.finish().all());
    response.events.into_iter().next().unwrap_or_default()
}

fn decoded<M: Message + Default>(bytes: &[u8]) -> M {
    M::decode(bytes).expect("what this file writes is a message")
}

/// Returns an event about the stream, without an entry: SYNCED, PROGRESS, or the base of a GAP.
#[must_use]
pub fn mark(epoch: u64, seq: u64, time_ns: u64, kind: EventType) -> Event {
    Event {
        epoch,
        seq,
        time: Some(Timestamp::from_unix_ns(time_ns)),
        r#type: kind.into(),
        ..Event::default()
    }
}

/// Returns the notice that events `from` to `to` are lost to a watcher.
#[must_use]
pub fn gap(epoch: u64, from: u64, to: u64, time_ns: u64) -> Event {
    Event { gap_from: from, gap_to: to, ..mark(epoch, to, time_ns, EventType::Gap) }
}

/// Returns one event as a response of its own.
#[must_use]
pub fn single(event: &Event) -> Bytes {
    let mut out = Vec::with_capacity(USUAL);
    put_message(&mut out, 1, &event.encode_to_vec());
    out.into()
}

/// A response in wire form that repeats one kind of message as field 1, and the end of each
/// message.
#[derive(Clone, Debug, Default)]
pub struct Encoded {
    bytes: Bytes,
    ends: Vec<u32>,
}

impl Encoded {
    /// Returns the whole response.
    #[must_use]
    pub fn all(&self) -> Bytes {
        self.bytes.clone()
    }

    /// Returns a response with those messages whose index `wanted` accepts. A response is the
    /// concatenation of its messages, so nothing is encoded again.
    pub fn only(&self, mut wanted: impl FnMut(usize) -> bool) -> Bytes {
        let mut some = Vec::new();
        let mut from = 0;
        for (index, end) in self.ends.iter().map(|end| *end as usize).enumerate() {
            if wanted(index) {
                some.extend_from_slice(&self.bytes[from..end]);
            }
            from = end;
        }
        some.into()
    }
}

/// Puts a response together: a `WatchEventsResponse` of events, or a `ListEntriesResponse` of
/// entries.
#[derive(Debug)]
pub struct Encoder {
    epoch: u64,
    out: Vec<u8>,
    ends: Vec<u32>,
    /// The event and the entry that are being written; they are kept apart because their lengths
    /// precede them.
    event: Vec<u8>,
    entry: Vec<u8>,
    origin: Origin,
}

/// The fields that all entries of one data plane have in common, in wire form.
#[derive(Debug)]
struct Origin {
    dataplane: Arc<str>,
    /// Fields 1 to 3 of Entry, in the order of [`Family::ALL`].
    heads: [Vec<u8>; Family::ALL.len()],
    /// Field 8 of Entry where the data path is the creator.
    learned: Vec<u8>,
}

impl Origin {
    fn of(dataplane: Arc<str>) -> Self {
        let heads = Family::ALL.map(|family| {
            let mut head = Vec::new();
            let table = family.table();
            for (field, text) in [(1, &*dataplane), (2, table.pipeline), (3, table.name)] {
                put_text(&mut head, field, text.as_bytes());
            }
            head
        });
        let mut learned = Vec::new();
        put_actor(&mut learned, 8, &learner(&dataplane));
        Self { dataplane, heads, learned }
    }
}

impl Encoder {
    /// Starts a response of about `count` messages. Events are numbered in the run `epoch`.
    #[must_use]
    pub fn new(epoch: u64, count: usize) -> Self {
        Self {
            epoch,
            out: Vec::with_capacity(count * USUAL),
            ends: Vec::with_capacity(count),
            event: Vec::with_capacity(2 * USUAL),
            entry: Vec::with_capacity(2 * USUAL),
            origin: Origin::of("".into()),
        }
    }

    /// Adds the event with this number.
    pub fn event(&mut self, seq: u64, changed: &Changed) {
        let time_ns = changed.time_ns;
        let of_entry = match &changed.change {
            Change::Created(state) => (EventType::Created, state, None),
            Change::Updated(state) => (EventType::Updated, state, None),
            Change::Deleted { entry, reason, by } => (EventType::Deleted, entry, Some((*reason, by))),
            Change::Flushed { family, deleted, failed } => {
                self.start_event(seq, time_ns, &changed.dataplane, EventType::Flushed);
                put_number(&mut self.event, 10, *deleted);
                put_number(&mut self.event, 11, *failed);
                return self.end_event_of(*family);
            }
            Change::Purged(family) => return self.lifecycle(seq, changed, *family, LifecycleKind::Purged),
            Change::Loaded(family) => return self.lifecycle(seq, changed, *family, LifecycleKind::Loaded),
        };
        let (kind, state, deleted) = of_entry;
        let by = deleted.map(|(reason, by)| by.as_deref().cloned().unwrap_or_else(|| deleter(reason)));
        let reason = deleted.map_or(DeleteReason::Unspecified, |(reason, _)| reason);
        self.write_entry(&changed.dataplane, state, time_ns, by.as_ref());
        self.start_event(seq, time_ns, &changed.dataplane, kind);
        put_message(&mut self.event, 6, &self.entry);
        put_number(&mut self.event, 7, reason as u64);
        self.end_event();
    }

    /// Adds an entry of a snapshot: CREATED at the cut, as the mirror last knew it.
    pub fn snapshot_entry(&mut self, cut: u64, dataplane: &Arc<str>, state: &EntryState) {
        self.write_entry(dataplane, state, state.as_of_ns, None);
        self.start_event(cut, state.as_of_ns, dataplane, EventType::Created);
        put_message(&mut self.event, 6, &self.entry);
        self.end_event();
    }

    /// Adds an entry, its ages as of [`EntryState::as_of_ns`].
    pub fn entry(&mut self, dataplane: &Arc<str>, state: &EntryState) {
        self.write_entry(dataplane, state, state.as_of_ns, None);
        put_message(&mut self.out, 1, &self.entry);
        self.close();
    }

    /// Returns the response.
    #[must_use]
    pub fn finish(self) -> Encoded {
        Encoded { bytes: self.out.into(), ends: self.ends }
    }

    fn lifecycle(&mut self, seq: u64, changed: &Changed, family: Family, kind: LifecycleKind) {
        self.start_event(seq, changed.time_ns, &changed.dataplane, EventType::Lifecycle);
        put_number(&mut self.event, 12, kind as u64);
        self.end_event_of(family);
    }

    /// Ends an event about a table as a whole.
    fn end_event_of(&mut self, family: Family) {
        put_text(&mut self.event, 13, family.pipeline().as_bytes());
        self.end_event();
    }

    /// Writes message Entry into `self.entry`.
    fn write_entry(
        &mut self,
        dataplane: &Arc<str>,
        state: &EntryState,
        time_ns: u64,
        deleted_by: Option<&Actor>,
    ) {
        if !Arc::ptr_eq(&self.origin.dataplane, dataplane) {
            self.origin = Origin::of(dataplane.clone());
        }
        let out = &mut self.entry;
        out.clear();
        out.extend_from_slice(&self.origin.heads[state.key.family() as usize]);
        put_key(out, &state.key);
        put_number(out, 5, u64::from(PRIORITY));
        let permissions = u32::from(state.permissions);
        put_number(out, 6, u64::from(permissions));
        put_text(out, 7, &permission_letters(permissions));
        match &state.created_by {
            None => out.extend_from_slice(&self.origin.learned),
            Some(actor) => put_actor(out, 8, actor),
        }
        for (field, actor) in [(9, state.updated_by.as_deref()), (10, deleted_by)] {
            if let Some(actor) = actor {
                put_actor(out, field, actor);
            }
        }
        put_number(out, 11, u64::from(state.dynamic));
        put_number(out, 12, u64::from(state.profile_id));
        put_number(out, 13, if state.dynamic { u64::from(state.aging_ms) } else { 0 });
        put_time(out, 14, state.create_ns);
        put_time(out, 15, state.last_used_ns);
        put_number(out, 16, age_ms(state.create_ns, time_ns, state.clock_step));
        put_number(out, 17, age_ms(state.last_used_ns, time_ns, ClockStep::NONE));
        put_number(out, 18, state.packets);
        put_number(out, 19, state.bytes);
    }

    /// Writes fields 1 to 5 of message Event.
    fn start_event(&mut self, seq: u64, time_ns: u64, dataplane: &Arc<str>, kind: EventType) {
        let out = &mut self.event;
        out.clear();
        put_number(out, 1, self.epoch);
        put_number(out, 2, seq);
        put_time(out, 3, time_ns);
        put_text(out, 4, dataplane.as_bytes());
        put_number(out, 5, kind as u64);
    }

    fn end_event(&mut self) {
        put_message(&mut self.out, 1, &self.event);
        self.close();
    }

    fn close(&mut self) {
        // A response holds some hundreds of messages of some hundreds of bytes.
        self.ends.push(u32::try_from(self.out.len()).unwrap_or(u32::MAX));
    }
}

/// Writes field 4 of Entry: six fields, none longer than an address of IPv6 in text, 45 bytes.
fn put_key(out: &mut Vec<u8>, key: &FlowKey) {
    let (input_port, protocol, src_port, dst_port) = match key {
        FlowKey::V4(key) => (key.input_port, key.protocol, key.src_port, key.dst_port),
        FlowKey::V6(key) => (key.input_port, key.protocol, key.src_port, key.dst_port),
    };
    put_short(out, 4, |out| {
        put_short(out, 1, |out| {
            out.extend_from_slice(b"port");
            put_decimal(out, input_port.wrapping_sub(1));
        });
        match key {
            FlowKey::V4(key) => {
                for (field, addr) in [(2, key.src_addr), (3, key.dst_addr)] {
                    put_short(out, field, |out| put_ipv4(out, addr));
                }
            }
            FlowKey::V6(key) => {
                for (field, addr) in [(2, key.src_addr), (3, key.dst_addr)] {
                    put_short(out, field, |out| out.extend_from_slice(ipv6_text(addr.into()).as_bytes()));
                }
            }
        }
        put_number(out, 4, u64::from(protocol));
        put_number(out, 5, u64::from(src_port));
        put_number(out, 6, u64::from(dst_port));
    });
}

/// Writes an address in dotted decimal.
fn put_ipv4(out: &mut Vec<u8>, addr: u32) {
    let [a, b, c, d] = addr.to_be_bytes();
    put_decimal(out, u32::from(a));
    for octet in [b, c, d] {
        out.push(b'.');
        put_decimal(out, u32::from(octet));
    }
}

#[cfg(test)]
mod tests;
