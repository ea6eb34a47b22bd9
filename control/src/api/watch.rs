//! Watchers: a snapshot, then what changes, with one cut between them.
//!
//! A watcher is a cursor into the log and a short queue towards its client.
//! HTTP/2 flow control stops the queue, the queue stops the watcher, and nobody
//! else notices. When the log has moved past the cursor in the meantime, the
//! watcher says so (GAP) and goes on from a fresh snapshot. What is queued are
//! bytes, which watchers at the same place share.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use flowtracker_proto::filter::{Facts, Program};
use flowtracker_proto::show;
use flowtracker_proto::v1::{Event, EventType, WatchEventsRequest, start};
use prost::bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::api::encode::{Encoder, single};
use crate::api::fault;
use crate::api::filter::{self, Place};
use crate::mirror::hub::{Hub, wall_ns};
use crate::mirror::log::{Change, LogRecord, Lost, Run};
use crate::mirror::registry::EntryState;
use crate::mirror::snapshot::Copy;
use crate::stop::Stop;

/// Entries of a snapshot per response, at most.
const BATCH: usize = 256;
/// Entries of a snapshot that are looked at in one go, at most: a filter may want few of them.
const LOOK: usize = 4096;
/// Responses that may wait for the client.
const QUEUE: usize = 2;
/// Pause after which an idle stream carries a PROGRESS mark.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// What a watcher's stream carries: `WatchEventsResponse` in wire form.
pub type Item = Result<Bytes, Status>;

/// Why a watcher ends.
enum End {
    /// The client has gone.
    Client,
    /// The service is stopping.
    Stop,
}

/// Starts a watcher, and tells the number of the event that its stream follows.
/// The stream ends when `stop` turns true.
pub async fn start(
    hub: Arc<Hub>,
    request: WatchEventsRequest,
    stop: Stop,
) -> Result<(mpsc::Receiver<Item>, u64), Status> {
    let predicate = Predicate::of(&request)?;
    let (client, responses) = mpsc::channel(QUEUE);
    let news = hub.subscribe();
    let mut snapshot = None;
    let cursor = match request.start.and_then(|s| s.at).unwrap_or(start::At::Now(Default::default())) {
        start::At::Now(_) => hub.window(0).last_seq,
        start::At::Snapshot(_) => snapshot.insert(hub.snapshot().await).cut(),
        start::At::After(after) => resume(&hub, after.epoch, after.seq)?,
    };
    let mark_due = Instant::now() + PROGRESS_EVERY;
    let watcher = Watcher { hub, predicate, cursor, client, stop, news, mark_due };
    tokio::spawn(watcher.run(snapshot));
    Ok((responses, cursor))
}

/// What a watcher wants to be told. It is asked before anything is queued, so what
/// nobody wants costs nobody memory.
#[derive(Debug)]
struct Predicate {
    /// Name of a data plane; all when empty.
    dataplane: String,
    /// The compiled filter expression.
    filter: Program,
    /// The values of `cmd` that an entry of a snapshot is tried with. It has none of its own, and is wanted when some
    /// event about it would be: so nothing is ever deleted or updated that the snapshot kept back.
    tried: RangeInclusive<u8>,
}

/// `cmd` of the events about entries.
const CREATED: u8 = 1;
const UPDATED: u8 = 2;
const DELETED: u8 = 3;

impl Predicate {
    fn of(request: &WatchEventsRequest) -> Result<Self, Status> {
        let filter = filter::program(&request.filter, Place::Watch)?;
        let tried = CREATED..=if filter.asks_cmd() { DELETED } else { CREATED };
        Ok(Self { dataplane: request.dataplane.clone(), filter, tried })
    }

    fn everything(&self) -> bool {
        self.dataplane.is_empty() && self.filter.is_all()
    }

    fn of_dataplane(&self, name: &str) -> bool {
        self.dataplane.is_empty() || *name == *self.dataplane
    }

    fn wants(&self, record: &LogRecord) -> bool {
        let passes = |entry, cmd| self.filter.matches(&facts(entry, cmd));
        self.of_dataplane(&record.dataplane)
            && match &record.change {
                Change::Created(entry) => passes(entry, CREATED),
                Change::Updated(entry) => passes(entry, UPDATED),
                Change::Deleted { entry, .. } => passes(entry, DELETED),
                Change::Flushed { .. } | Change::Purged | Change::Loaded => true,
            }
    }

    /// Whether an entry of a snapshot is wanted.
    fn wants_entry(&self, entry: &EntryState) -> bool {
        self.tried.clone().any(|cmd| self.filter.matches(&facts(entry, cmd)))
    }

    /// Those events of a run that are wanted; empty when none is.
    fn pick(&self, run: &Run) -> Bytes {
        if self.everything() {
            return run.encoded().all();
        }
        let wanted: Vec<bool> = run.events().map(|(_, record)| self.wants(record)).collect();
        if wanted.iter().any(|wanted| *wanted) {
            run.encoded().only(|index| wanted[index])
        } else {
            Bytes::new()
        }
    }
}

/// What a filter may ask about an event. (Not the idle time: it has no meaning in a stream.)
fn facts(entry: &EntryState, cmd: u8) -> Facts {
    let key = &entry.key;
    Facts {
        input_port: key.input_port,
        src_addr: key.src_addr,
        dst_addr: key.dst_addr,
        protocol: key.protocol,
        src_port: key.src_port,
        dst_port: key.dst_port,
        prio: show::PRIORITY,
        idle_ms: 0,
        cmd,
    }
}

/// Checks that the stream can go on after (`epoch`, `seq`).
fn resume(hub: &Hub, epoch: u64, seq: u64) -> Result<u64, Status> {
    let window = hub.window(seq);
    let refuse = |reason: &str, message: String| {
        let metadata =
            [("epoch", hub.epoch()), ("oldest_seq", window.oldest_seq), ("last_seq", window.last_seq)];
        let metadata = metadata.map(|(k, v)| (k.to_owned(), v.to_string())).into();
        Err(fault::with_metadata(Code::OutOfRange, reason, message, metadata))
    };
    if epoch != hub.epoch() {
        return refuse("EPOCH_GONE", format!("epoch {epoch} is gone, the present one is {}", hub.epoch()));
    }
    if seq > window.last_seq {
        return refuse(
            "SEQ_IN_FUTURE",
            format!("event {seq} is not there yet, the last is {}", window.last_seq),
        );
    }
    if !window.holds {
        let oldest = window.oldest_seq;
        return refuse("SEQ_TOO_OLD", format!("what follows event {seq} is gone, the oldest is {oldest}"));
    }
    Ok(seq)
}

struct Watcher {
    hub: Arc<Hub>,
    predicate: Predicate,
    /// Number of the last event considered.
    cursor: u64,
    client: mpsc::Sender<Item>,
    stop: Stop,
    news: watch::Receiver<u64>,
    mark_due: Instant,
}

impl Watcher {
    async fn run(mut self, snapshot: Option<Arc<Copy>>) {
        let _count = self.hub.count_watcher();
        let end = match snapshot {
            Some(snapshot) => self.send_snapshot(snapshot).await,
            None => Ok(()),
        };
        if let Err(End::Stop) = match end {
            Ok(()) => self.follow().await,
            Err(end) => Err(end),
        } {
            let message = "the control service is stopping";
            drop(self.client.try_send(Err(fault::refusal(Code::Unavailable, "SHUTDOWN", message))));
        }
    }

    /// Live events, marks, and fresh snapshots after gaps, until the end.
    async fn follow(&mut self) -> Result<(), End> {
        loop {
            self.news.mark_unchanged();
            match self.hub.run_after(self.cursor) {
                Err(Lost) => {
                    let snapshot = self.start_over().await?;
                    self.send_snapshot(snapshot).await?;
                }
                Ok(None) => self.wait().await?,
                Ok(Some(run)) => {
                    let events = self.predicate.pick(&run);
                    self.cursor = run.last_seq();
                    if !events.is_empty() {
                        self.send(events).await?;
                    } else if Instant::now() >= self.mark_due {
                        self.send_progress().await?;
                    } else {
                        // A long run of events that nobody wants is no reason to hold the thread.
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
    }

    /// Waits for news, for the next mark, or for the end.
    async fn wait(&mut self) -> Result<(), End> {
        tokio::select! {
            news = self.news.changed() => return news.map_err(|_| End::Stop),
            () = tokio::time::sleep_until(self.mark_due) => {}
            () = self.client.closed() => return Err(End::Client),
            () = self.stop.wanted() => return Err(End::Stop),
        }
        self.send_progress().await
    }

    /// What followed the cursor is lost: one GAP, whose end is the cut of the snapshot returned.
    async fn start_over(&mut self) -> Result<Arc<Copy>, End> {
        let snapshot = tokio::select! {
            snapshot = self.hub.snapshot() => snapshot,
            () = self.stop.wanted() => return Err(End::Stop),
        };
        self.hub.count_gap();
        let gap = show::gap(self.hub.epoch(), self.cursor + 1, snapshot.cut(), wall_ns());
        self.cursor = snapshot.cut();
        self.send_one(&gap).await?;
        Ok(snapshot)
    }

    async fn send_snapshot(&mut self, mut snapshot: Arc<Copy>) -> Result<(), End> {
        let (mut part, mut from) = (0, 0);
        loop {
            self.cursor = snapshot.cut();
            match self.snapshot_slice(&snapshot, &mut part, &mut from) {
                // Nor is a table of which nothing is wanted.
                Slice::Entries(entries) if entries.is_empty() => tokio::task::yield_now().await,
                Slice::Entries(entries) => self.send(entries).await?,
                Slice::End => break,
                Slice::TakenAway => {
                    snapshot = self.start_over().await?;
                    (part, from) = (0, 0);
                }
            }
        }
        self.send_one(&show::mark(self.hub.epoch(), self.cursor, wall_ns(), EventType::Synced)).await
    }

    /// The next entries of a snapshot, from entry `from` of part `part` on.
    fn snapshot_slice(&self, snapshot: &Copy, part: &mut usize, from: &mut usize) -> Slice {
        let Some(parts) = snapshot.parts() else { return Slice::TakenAway };
        let Some((name, entries)) = parts.get(*part) else { return Slice::End };
        let rest = entries.get(*from..).unwrap_or_default();
        if rest.is_empty() || !self.predicate.of_dataplane(name) {
            (*part, *from) = (*part + 1, 0);
            return Slice::Entries(Bytes::new());
        }
        let looked_at = rest.iter().take(LOOK).inspect(|_| *from += 1);
        let wanted: Vec<_> = looked_at.filter(|e| self.predicate.wants_entry(e)).take(BATCH).collect();
        let mut encoder = Encoder::new(self.hub.epoch(), wanted.len());
        wanted.iter().for_each(|entry| encoder.snapshot_entry(snapshot.cut(), name, entry));
        Slice::Entries(encoder.finish().all())
    }

    async fn send_progress(&mut self) -> Result<(), End> {
        self.send_one(&show::mark(self.hub.epoch(), self.cursor, wall_ns(), EventType::Progress)).await
    }

    async fn send_one(&mut self, event: &Event) -> Result<(), End> {
        self.send(single(event)).await
    }

    async fn send(&mut self, response: Bytes) -> Result<(), End> {
        tokio::select! {
            sent = self.client.send(Ok(response)) => sent.map_err(|_| End::Client)?,
            () = self.stop.wanted() => return Err(End::Stop),
        }
        self.mark_due = Instant::now() + PROGRESS_EVERY;
        Ok(())
    }
}

/// What comes next of a snapshot.
enum Slice {
    /// A response; empty at the border of two data planes, and where none is wanted.
    Entries(Bytes),
    /// That was all.
    End,
    /// The rest is not to be had any more.
    TakenAway,
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowtracker_proto::key::FlowKey;
    use flowtracker_proto::v1::{DeleteReason, EntryRecord};

    fn predicate(filter: &str) -> Predicate {
        let request = WatchEventsRequest { filter: filter.to_owned(), ..WatchEventsRequest::default() };
        Predicate::of(&request).expect(filter)
    }

    fn entry(src_port: u16) -> EntryState {
        let key: FlowKey = "port1/udp/10.0.0.1:1-10.0.1.2:53".parse().expect("a key");
        let record: EntryRecord = FlowKey { src_port, ..key }.to_record();
        EntryState::from_record(&record, 1).expect("an entry")
    }

    fn record(change: Change) -> LogRecord {
        LogRecord { time_ns: 1, dataplane: "dp".into(), change }
    }

    fn deleted(entry: EntryState) -> Change {
        Change::Deleted { entry, reason: DeleteReason::Idle, by: None }
    }

    #[test]
    fn every_name_asks_for_its_own_part_of_the_event() {
        for yes in [
            "key.input_port = port1",
            "key.srcAddr = 10.0.0.0/24",
            "key.dstAddr = 10.0.1.0/24",
            "key.protocol = udp",
            "key.srcPort = 7",
            "key.dstPort = 53",
            "prio = 64000",
            "cmd = update",
        ] {
            let updated = record(Change::Updated(entry(7)));
            assert!(predicate(yes).wants(&updated), "{yes}");
            assert!(!predicate(&format!("!{yes}")).wants(&updated), "{yes}");
        }
    }

    /// An entry of a snapshot has no `cmd`: it is wanted if and only if some event about it is.
    #[test]
    fn a_snapshot_holds_what_some_event_could_speak_of() {
        for (filter, seven, eight) in [
            ("key.srcPort = 7", true, false),
            ("cmd = delete", true, true),
            ("cmd = delete && key.srcPort = 7", true, false),
            ("!(cmd = delete) && key.srcPort = 7", true, false),
            ("!(cmd = delete || key.srcPort = 7)", false, true),
            ("cmd = create || key.srcPort = 7", true, true),
            ("cmd = delete ^^ key.srcPort = 7", true, true),
            ("cmd = create && cmd = delete", false, false),
            ("!(cmd = create || cmd = update || cmd = delete)", false, false),
            ("cmd = create && key.srcPort = 7 || cmd = delete && key.srcPort = 8", true, true),
        ] {
            let predicate = predicate(filter);
            for (src_port, wanted) in [(7, seven), (8, eight)] {
                let entry = entry(src_port);
                let events =
                    [Change::Created(entry.clone()), Change::Updated(entry.clone()), deleted(entry.clone())];
                assert_eq!(predicate.wants_entry(&entry), wanted, "{filter} of {src_port}");
                assert_eq!(events.map(record).iter().any(|event| predicate.wants(event)), wanted, "{filter}");
            }
        }
    }

    #[test]
    fn what_is_not_about_an_entry_passes_every_filter() {
        let none = predicate("cmd = create && cmd = delete");
        for change in [Change::Flushed { deleted: 1, failed: 0 }, Change::Purged, Change::Loaded] {
            assert!(none.wants(&record(change)));
        }
        assert!(!none.wants(&record(Change::Created(entry(7)))));
        assert!(predicate("").everything() && !none.everything());
    }
}
