//! The oracle of the event stream: folds what a watcher reads into the table that it must mean, and knows which events
//! the stream's promise rules out.
//!
//! *No loss without a notice, and no drift*: within an epoch the numbers of events are dense, unless a GAP says from
//! where to where; what a GAP took is replaced by a fresh snapshot; no entry goes that has not come.

use std::collections::{HashMap, VecDeque};

use flowtracker_proto::v1;
use serde::Deserialize;

/// Events kept to be shown when a law is broken.
const REMEMBERED: usize = 16;

/// The key of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    port: u16,
    src: u32,
    dst: u32,
    protocol: u8,
    src_port: u16,
    dst_port: u16,
}

impl Key {
    /// As the API shows it.
    ///
    /// # Errors
    /// Says which field is not as documented.
    pub fn parse(
        (input_port, src_addr, dst_addr): (&str, &str, &str),
        (protocol, src_port, dst_port): (u32, u32, u32),
    ) -> Result<Self, String> {
        let addr = |text: &str| match text.parse::<std::net::Ipv4Addr>() {
            Ok(addr) => Ok(addr.to_bits()),
            Err(error) => Err(format!("address {text:?}: {error}")),
        };
        let port = |number: u32| u16::try_from(number).map_err(|error| format!("port {number}: {error}"));
        let input = input_port.strip_prefix("port").and_then(|number| number.parse().ok());
        Ok(Self {
            port: input.ok_or_else(|| format!("input port {input_port:?}"))?,
            src: addr(src_addr)?,
            dst: addr(dst_addr)?,
            protocol: u8::try_from(protocol).map_err(|error| format!("protocol {protocol}: {error}"))?,
            src_port: port(src_port)?,
            dst_port: port(dst_port)?,
        })
    }

    /// The key that a flow of the traffic generator has when it enters this port: its numbering is that of
    /// [`distinct_flows`](conntrack::test_support::frame::distinct_flows).
    #[must_use]
    pub fn of_flow(number: u64, port: u16) -> Self {
        let addr = |a, b| u32::from_be_bytes([10, a, 0, b]);
        let src = addr(1, 0).wrapping_add((number >> 16) as u32);
        Self { port, src, dst: addr(0, 2), protocol: 6, src_port: number as u16, dst_port: 80 }
    }

    /// As the API takes it.
    #[must_use]
    pub fn to_proto(&self) -> v1::Key {
        let addr = |bits| std::net::Ipv4Addr::from_bits(bits).to_string();
        v1::Key {
            input_port: format!("port{}", self.port),
            src_addr: addr(self.src),
            dst_addr: addr(self.dst),
            protocol: self.protocol.into(),
            src_port: self.src_port.into(),
            dst_port: self.dst_port.into(),
        }
    }
}

/// One entry: its key and when it was created, nanoseconds of Unix time. Two entries under one key differ in the latter.
pub type Entry = (Key, i128);

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The entry is there now.
    Created(Entry),
    /// The entry was rewritten.
    Updated(Entry),
    /// The entry has gone; the flag says that a resync found out.
    Deleted(Entry, bool),
    /// A flush has ended.
    Flushed,
    /// The data plane's table is empty now.
    Purged,
    /// The data plane tracks again.
    Loaded,
    /// The snapshot is complete.
    Synced,
    /// Nothing happened beyond this number.
    Progress,
    /// Events are missing: first and last number, 0 where it is not known.
    Gap(u64, u64),
}

/// An event as far as the fold cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Run of the control service.
    pub epoch: u64,
    /// Number in the epoch.
    pub seq: u64,
    /// Where it happened.
    pub dataplane: String,
    /// What.
    pub kind: Kind,
}

/// What is read of a line of `ctl watch -o json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Line<'a> {
    epoch: &'a str,
    seq: &'a str,
    dataplane: &'a str,
    r#type: &'a str,
    #[serde(borrow)]
    entry: Option<EntryLine<'a>>,
    reason: &'a str,
    gap_from: &'a str,
    gap_to: &'a str,
    lifecycle: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryLine<'a> {
    #[serde(borrow)]
    key: KeyLine<'a>,
    create_time: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyLine<'a> {
    input_port: &'a str,
    src_addr: &'a str,
    dst_addr: &'a str,
    protocol: u32,
    #[serde(default)]
    src_port: u32,
    #[serde(default)]
    dst_port: u32,
}

impl Event {
    /// Reads a line of `ctl watch -o json`: an Event in proto3 JSON, where what has its default is left out and
    /// 64-bit numbers are texts.
    ///
    /// # Errors
    /// Says what is not as documented.
    pub fn from_json(line: &str) -> Result<Self, String> {
        let read: Line<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let number = |text: &str| match text {
            "" => Ok(0),
            text => text.parse::<u64>().map_err(|error| format!("{text:?}: {error}")),
        };
        let entry = || {
            let entry = read.entry.as_ref().ok_or("no entry")?;
            let EntryLine { key: k, create_time } = entry;
            let key =
                Key::parse((k.input_port, k.src_addr, k.dst_addr), (k.protocol, k.src_port, k.dst_port))?;
            Ok::<_, String>((key, unix_ns(create_time).ok_or_else(|| format!("time {create_time:?}"))?))
        };
        let kind = match read.r#type {
            "EVENT_TYPE_CREATED" => Kind::Created(entry()?),
            "EVENT_TYPE_UPDATED" => Kind::Updated(entry()?),
            "EVENT_TYPE_DELETED" => Kind::Deleted(entry()?, read.reason == "DELETE_REASON_RESYNC"),
            "EVENT_TYPE_FLUSHED" => Kind::Flushed,
            "EVENT_TYPE_LIFECYCLE" if read.lifecycle == "LIFECYCLE_KIND_PURGED" => Kind::Purged,
            "EVENT_TYPE_LIFECYCLE" if read.lifecycle == "LIFECYCLE_KIND_LOADED" => Kind::Loaded,
            "EVENT_TYPE_SYNCED" => Kind::Synced,
            "EVENT_TYPE_PROGRESS" => Kind::Progress,
            "EVENT_TYPE_GAP" => Kind::Gap(number(read.gap_from)?, number(read.gap_to)?),
            other => return Err(format!("type {other:?}, lifecycle {:?}", read.lifecycle)),
        };
        Ok(Self {
            epoch: number(read.epoch)?,
            seq: number(read.seq)?,
            dataplane: read.dataplane.to_owned(),
            kind,
        })
    }

    /// Reads a message.
    ///
    /// # Errors
    /// Says what is not as documented.
    pub fn from_proto(event: &v1::Event) -> Result<Self, String> {
        use v1::{EventType as Type, LifecycleKind};
        let entry = || entry(event.entry.as_ref().ok_or("no entry")?);
        let kind = match (event.r#type(), event.lifecycle()) {
            (Type::Created, _) => Kind::Created(entry()?),
            (Type::Updated, _) => Kind::Updated(entry()?),
            (Type::Deleted, _) => Kind::Deleted(entry()?, event.reason() == v1::DeleteReason::Resync),
            (Type::Flushed, _) => Kind::Flushed,
            (Type::Lifecycle, LifecycleKind::Purged) => Kind::Purged,
            (Type::Lifecycle, LifecycleKind::Loaded) => Kind::Loaded,
            (Type::Synced, _) => Kind::Synced,
            (Type::Progress, _) => Kind::Progress,
            (Type::Gap, _) => Kind::Gap(event.gap_from, event.gap_to),
            (other, lifecycle) => return Err(format!("type {other:?}, lifecycle {lifecycle:?}")),
        };
        Ok(Self { epoch: event.epoch, seq: event.seq, dataplane: event.dataplane.clone(), kind })
    }
}

/// Reads an entry of the API.
///
/// # Errors
/// Says what is not as documented.
pub fn entry(entry: &v1::Entry) -> Result<Entry, String> {
    let k = entry.key.as_ref().ok_or("no key")?;
    let key = Key::parse((&k.input_port, &k.src_addr, &k.dst_addr), (k.protocol, k.src_port, k.dst_port))?;
    let time = entry.create_time.as_ref().ok_or("no creation time")?;
    Ok((key, i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos)))
}

/// `2026-01-31T12:00:00.25Z` as nanoseconds of Unix time.
fn unix_ns(text: &str) -> Option<i128> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut clock = clock.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let nanos: i128 = format!("{fraction:0<9}").parse().ok()?;
    // Days since 1970 of the proleptic Gregorian calendar; years start in March, so that the leap day is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    Some(i128::from(days * 86_400 + hour * 3600 + minute * 60 + second) * 1_000_000_000 + nanos)
}

/// Entries by data plane.
pub type Tables = HashMap<String, HashMap<Key, i128>>;

/// Where the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// A snapshot is due or coming; its epoch and cut once they are known.
    Snapshot(Option<(u64, u64)>),
    /// The snapshot is complete; events follow.
    Live,
}

/// How much a stream has carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events with numbers.
    pub events: u64,
    /// Snapshots completed.
    pub snapshots: u64,
    /// GAPs.
    pub gaps: u64,
    /// Entries that a resync found gone.
    pub resynced: u64,
}

/// The state of one watcher, folded from the events that it has read since it asked for a snapshot.
#[derive(Clone, Debug)]
pub struct Fold {
    tables: Tables,
    phase: Phase,
    /// Epoch and number of the last event considered.
    last: Option<(u64, u64)>,
    /// The next snapshot has to be of a later epoch: nothing else explains the hole.
    renewed: bool,
    tally: Tally,
    remembered: VecDeque<Event>,
}

impl Default for Fold {
    fn default() -> Self {
        Self {
            tables: Tables::new(),
            phase: Phase::Snapshot(None),
            last: None,
            renewed: false,
            tally: Tally::default(),
            remembered: VecDeque::new(),
        }
    }
}

impl Fold {
    /// Takes the stream's next event.
    ///
    /// # Errors
    /// Names the law that it breaks, and what came before.
    pub fn take(&mut self, event: &Event) -> Result<(), String> {
        if self.remembered.len() == REMEMBERED {
            self.remembered.pop_front();
        }
        self.remembered.push_back(event.clone());
        self.judge(event).map_err(|law| {
            let before: String = self.remembered.iter().map(|event| format!("\n  {event:?}")).collect();
            format!("{law}\n(position {:?}, {:?}; the last events:{before})", self.last, self.phase)
        })
    }

    fn judge(&mut self, event: &Event) -> Result<(), String> {
        if let Kind::Gap(from, to) = event.kind {
            return self.gap(event, from, to);
        }
        match self.phase {
            Phase::Snapshot(cut) => self.snapshot(event, cut),
            Phase::Live => self.live(event),
        }
    }

    /// The watcher was told that it has to start from a snapshot again, other than by a GAP: the service it knew has
    /// gone, or what follows its cursor.
    pub fn start_over(&mut self) {
        self.tables.clear();
        self.phase = Phase::Snapshot(None);
    }

    /// Epoch and number up to which the fold is the table; `None` while a snapshot is coming.
    #[must_use]
    pub fn position(&self) -> Option<(u64, u64)> {
        self.last.filter(|_| self.phase == Phase::Live)
    }

    /// The entries.
    #[must_use]
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// How much the stream has carried.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    fn gap(&mut self, event: &Event, from: u64, to: u64) -> Result<(), String> {
        let live = self.phase == Phase::Live;
        if let (true, Some((epoch, last))) = (live, self.last) {
            if from != 0 && from != last + 1 {
                return Err(format!("the GAP starts at {from}, but {last} was the last event"));
            }
            if from != 0 && to != 0 && event.epoch == epoch && to < from {
                return Err(format!("the GAP ends at {to}, before it starts"));
            }
        }
        if to != 0 && event.seq != to {
            return Err(format!("the GAP has number {}, but ends at {to}", event.seq));
        }
        self.renewed = live && from == 0;
        self.tally.gaps += 1;
        self.start_over();
        if to != 0 {
            self.phase = Phase::Snapshot(Some((event.epoch, to)));
        }
        Ok(())
    }

    fn snapshot(&mut self, event: &Event, cut: Option<(u64, u64)>) -> Result<(), String> {
        let here = (event.epoch, event.seq);
        match (cut, self.last) {
            (Some(cut), _) if cut != here => {
                return Err(format!("the cut is {cut:?}, the event has {here:?}"));
            }
            (None, Some((epoch, _))) if here.0 < epoch => return Err(format!("epoch {epoch} comes back")),
            (None, Some((epoch, last))) if here.0 == epoch && here.1 < last => {
                return Err(format!("the cut {} is behind {last}", here.1));
            }
            (None, Some((epoch, _))) if here.0 == epoch && self.renewed => {
                return Err("a hole without a beginning in an epoch that goes on".to_owned());
            }
            _ => self.phase = Phase::Snapshot(Some(here)),
        }
        match &event.kind {
            Kind::Created((key, time)) => match self.table(&event.dataplane).insert(*key, *time) {
                None => Ok(()),
                Some(_) => Err("the snapshot has an entry twice".to_owned()),
            },
            Kind::Synced => {
                (self.phase, self.last, self.renewed) = (Phase::Live, Some(here), false);
                self.tally.snapshots += 1;
                Ok(())
            }
            _ => Err("something else within a snapshot".to_owned()),
        }
    }

    fn live(&mut self, event: &Event) -> Result<(), String> {
        let Some((epoch, last)) = self.last else { return Err("live without a position".to_owned()) };
        if event.epoch != epoch {
            return Err(format!("epoch {epoch} went over into another without a notice"));
        }
        let numbered = !matches!(event.kind, Kind::Synced | Kind::Progress);
        let due = last + u64::from(numbered);
        if event.seq != due {
            return Err(format!("number {due} was due"));
        }
        self.last = Some((epoch, event.seq));
        self.tally.events += u64::from(numbered);
        match &event.kind {
            Kind::Created((key, time)) => match self.table(&event.dataplane).insert(*key, *time) {
                None => Ok(()),
                Some(_) => Err("CREATED of an entry that is there".to_owned()),
            },
            Kind::Updated((key, time)) => match self.table(&event.dataplane).get(key) {
                Some(known) if known == time => Ok(()),
                known => Err(format!("UPDATED of an entry that is not there, but {known:?}")),
            },
            Kind::Deleted((key, time), resync) => {
                self.tally.resynced += u64::from(*resync);
                match self.table(&event.dataplane).remove(key) {
                    Some(known) if known == *time => Ok(()),
                    known => Err(format!("DELETED of an entry that is not there, but {known:?}")),
                }
            }
            Kind::Purged => {
                self.table(&event.dataplane).clear();
                Ok(())
            }
            Kind::Flushed | Kind::Loaded | Kind::Progress => Ok(()),
            Kind::Synced => Err("SYNCED without a snapshot".to_owned()),
            Kind::Gap(..) => Err("a GAP is judged elsewhere".to_owned()),
        }
    }

    fn table(&mut self, dataplane: &str) -> &mut HashMap<Key, i128> {
        if !self.tables.contains_key(dataplane) {
            self.tables.insert(dataplane.to_owned(), HashMap::new());
        }
        self.tables.get_mut(dataplane).expect("it is there now")
    }
}

/// What two tables do not have in common, shortened; `None` when they are the same.
#[must_use]
pub fn difference(one: &HashMap<Key, i128>, other: &HashMap<Key, i128>) -> Option<String> {
    const SHOWN: usize = 5;
    if one == other {
        return None;
    }
    let lacks = |there: &HashMap<Key, i128>, here: &HashMap<Key, i128>| {
        let mut missing: Vec<_> =
            there.iter().filter(|(key, time)| here.get(key) != Some(time)).map(|(k, t)| (*k, *t)).collect();
        missing.sort_unstable();
        (missing.len(), missing.into_iter().take(SHOWN).collect::<Vec<_>>())
    };
    let (left, right) = (lacks(one, other), lacks(other, one));
    Some(format!(
        "{} and {} entries; only in the first {}: {:?}; only in the second {}: {:?}",
        one.len(),
        other.len(),
        left.0,
        left.1,
        right.0,
        right.1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(port: u16) -> Key {
        Key { port: 0, src: 1, dst: 2, protocol: 6, src_port: port, dst_port: 80 }
    }

    fn event(epoch: u64, seq: u64, kind: Kind) -> Event {
        Event { epoch, seq, dataplane: "a".to_owned(), kind }
    }

    fn created(seq: u64, port: u16, time: i128) -> Event {
        event(7, seq, Kind::Created((flow(port), time)))
    }

    fn deleted(seq: u64, port: u16, time: i128) -> Event {
        event(7, seq, Kind::Deleted((flow(port), time), false))
    }

    fn mark(seq: u64, kind: Kind) -> Event {
        event(7, seq, kind)
    }

    /// A snapshot with entry 1, its end deleted, entries 2 and 3 created, a mark.
    fn sound() -> Vec<Event> {
        vec![
            created(10, 1, 100),
            mark(10, Kind::Synced),
            created(11, 2, 110),
            deleted(12, 1, 100),
            mark(12, Kind::Progress),
            event(7, 13, Kind::Updated((flow(2), 110))),
            created(14, 3, 130),
            created(15, 1, 140),
        ]
    }

    fn fold(events: &[Event]) -> Result<Fold, String> {
        let mut fold = Fold::default();
        events.iter().try_for_each(|event| fold.take(event))?;
        Ok(fold)
    }

    #[test]
    fn a_sound_stream_gives_the_table() {
        let fold = fold(&sound()).expect("sound");
        assert_eq!(fold.position(), Some((7, 15)));
        assert_eq!(fold.tables()["a"], [(flow(2), 110), (flow(3), 130), (flow(1), 140)].into());
        assert_eq!(fold.tally(), Tally { events: 5, snapshots: 1, gaps: 0, resynced: 0 });
    }

    /// The oracle is not blind: take any numbered event away, or give it twice, and it is noticed by the next one.
    #[test]
    fn nothing_numbered_can_be_lost_or_doubled() {
        let more = mark(15, Kind::Progress);
        for lost in 1..sound().len() {
            let mut events = sound();
            let removed = events.remove(lost);
            events.push(more.clone());
            let numbered = !matches!(removed.kind, Kind::Progress);
            assert_eq!(fold(&events).is_err(), numbered, "without {removed:?}");
            let mut events = sound();
            events.insert(lost, removed.clone());
            assert_eq!(fold(&events).is_err(), numbered, "twice {removed:?}");
        }
    }

    #[test]
    fn each_broken_law_is_named() {
        let wrong = [
            (created(16, 1, 150), "CREATED of an entry that is there"),
            (deleted(16, 9, 150), "DELETED of an entry that is not there"),
            (deleted(16, 1, 139), "DELETED of an entry that is not there"),
            (event(7, 16, Kind::Updated((flow(9), 1))), "UPDATED of an entry that is not there"),
            (event(8, 16, Kind::Flushed), "without a notice"),
            (mark(15, Kind::Synced), "SYNCED without a snapshot"),
            (mark(14, Kind::Progress), "number 15 was due"),
            (mark(16, Kind::Progress), "number 15 was due"),
            (mark(20, Kind::Gap(17, 20)), "the GAP starts at 17"),
            (mark(21, Kind::Gap(16, 20)), "the GAP has number 21"),
        ];
        for (event, law) in wrong {
            let mut events = sound();
            events.push(event);
            let error = fold(&events).expect_err(law);
            assert!(
                error.starts_with(law) || error.lines().next().unwrap_or_default().contains(law),
                "{error}"
            );
        }
    }

    #[test]
    fn a_gap_empties_the_state_and_a_snapshot_at_its_end_follows() {
        let mut events = sound();
        events.extend([mark(20, Kind::Gap(16, 20)), created(20, 5, 200), mark(20, Kind::Synced)]);
        let good = fold(&events).expect("sound");
        assert_eq!(good.tables()["a"], [(flow(5), 200)].into());
        assert_eq!((good.position(), good.tally().gaps), (Some((7, 20)), 1));
        for (at, broken, law) in [
            (1, created(21, 5, 200), "the cut is"),
            (1, mark(20, Kind::Progress), "something else"),
            (2, created(20, 5, 200), "twice"),
        ] {
            let mut events = events.clone();
            events.insert(sound().len() + at, broken);
            let error = fold(&events).expect_err(law);
            assert!(error.contains(law), "{error}");
        }
    }

    #[test]
    fn a_hole_without_a_beginning_means_a_new_epoch() {
        let mut events = sound();
        events.push(event(0, 0, Kind::Gap(0, 0)));
        let with = |more: &[Event]| fold(&[&events[..], more].concat());
        let fresh = [event(8, 3, Kind::Created((flow(1), 1))), event(8, 3, Kind::Synced)];
        assert_eq!(with(&fresh).expect("sound").position(), Some((8, 3)));
        assert!(with(&[mark(15, Kind::Synced)]).is_err(), "the same epoch knows where it was");
        assert!(with(&[event(6, 3, Kind::Synced)]).is_err(), "epochs do not come back");
        // A stream that broke within a snapshot knows nothing either, and may be in the same epoch.
        let again = [mark(0, Kind::Gap(0, 0)), created(10, 1, 100), mark(10, Kind::Synced)];
        fold(&[&[created(10, 1, 100)][..], &again].concat()).expect("sound");
    }

    #[test]
    fn a_purge_empties_one_data_plane() {
        let mut other = created(16, 1, 150);
        other.dataplane = "b".to_owned();
        let mut events = sound();
        events.extend([other, mark(17, Kind::Purged), mark(18, Kind::Loaded), created(19, 1, 190)]);
        let fold = fold(&events).expect("sound");
        assert_eq!(fold.tables()["a"], [(flow(1), 190)].into());
        assert_eq!(fold.tables()["b"], [(flow(1), 150)].into());
    }

    #[test]
    fn messages_and_lines_are_read_alike() {
        let key = v1::Key {
            input_port: "port3".to_owned(),
            src_addr: "10.0.0.1".to_owned(),
            dst_addr: "10.0.0.2".to_owned(),
            protocol: 6,
            src_port: 0,
            dst_port: 65535,
        };
        let create_time = flowtracker_proto::Timestamp::from_unix_ns(1_772_323_199_123_456_789);
        let entry = v1::Entry { key: Some(key), create_time: Some(create_time), ..Default::default() };
        let types = [1, 2, 3, 4, 6, 7, 8].map(|kind| (kind, 0)).into_iter().chain([(5, 1), (5, 2)]);
        for (kind, lifecycle) in types {
            let mut message = v1::Event {
                epoch: 1 << 60,
                seq: 3,
                dataplane: "a".to_owned(),
                entry: Some(entry.clone()),
                gap_to: 3,
                lifecycle,
                ..Default::default()
            };
            message.r#type = kind;
            message.set_reason(v1::DeleteReason::Resync);
            let line = serde_json::to_string(&message).expect("JSON");
            let read = Event::from_json(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(Ok(read), Event::from_proto(&message));
        }
        assert!(Event::from_json("{}").is_err());
    }

    /// Against `date -d TEXT +%s`.
    #[test]
    fn times_are_read() {
        let known = [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2026-03-01T00:00:00Z", 1_772_323_200),
            ("2100-12-31T12:30:01Z", 4_133_939_401),
        ];
        for (text, seconds) in known {
            assert_eq!(unix_ns(text), Some(seconds * 1_000_000_000), "{text}");
        }
        assert_eq!(unix_ns("1970-01-01T00:00:01.25Z"), Some(1_250_000_000));
        assert_eq!(unix_ns("1970-01-01"), None);
    }

    #[test]
    fn differences_are_named() {
        let one: HashMap<Key, i128> = [(flow(1), 1), (flow(2), 2)].into();
        assert_eq!(difference(&one, &one.clone()), None);
        let other: HashMap<Key, i128> = [(flow(1), 1), (flow(2), 3)].into();
        let text = difference(&one, &other).expect("they differ");
        assert!(text.contains("only in the first 1") && text.contains("only in the second 1"), "{text}");
    }
}
