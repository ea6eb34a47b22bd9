//! Watchers: a snapshot, then what changes, with one cut between them.
//!
//! A watcher is a cursor into the log and a short queue towards its client.
//! HTTP/2 flow control stops the queue, the queue stops the watcher, and nobody
//! else notices. When the log has moved past the cursor in the meantime, the
//! watcher says so (GAP) and goes on from a fresh snapshot. While a snapshot is
//! being sent it holds one reference per entry, and no copies.

use std::sync::Arc;
use std::time::Duration;

use flowtracker_proto::v1::{Event, EventType, WatchEventsRequest, WatchEventsResponse, start};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::fault;
use crate::hub::{Hub, Snapshot, wall_ns};
use crate::stop::Stop;
use crate::{convert, log};

/// Events per response, at most.
const BATCH: usize = 256;
/// Responses that may wait for the client.
const QUEUE: usize = 2;
/// Pause after which an idle stream carries a PROGRESS mark.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// What a watcher's stream carries.
pub type Item = Result<WatchEventsResponse, Status>;

/// Why a watcher ends.
enum End {
    /// The client has gone.
    Client,
    /// The service is stopping.
    Stop,
}

/// Starts a watcher. Its stream ends when `stop` turns true.
pub fn start(hub: Arc<Hub>, request: WatchEventsRequest, stop: Stop) -> Result<mpsc::Receiver<Item>, Status> {
    fault::refuse_filter(&request.filter)?;
    let (client, responses) = mpsc::channel(QUEUE);
    let news = hub.subscribe();
    let mut snapshot = None;
    let cursor = match request.start.and_then(|s| s.at).unwrap_or(start::At::Now(Default::default())) {
        start::At::Now(_) => hub.window(0).last_seq,
        start::At::Snapshot(_) => snapshot.insert(hub.snapshot(&request.dataplane)).cut,
        start::At::After(after) => resume(&hub, after.epoch, after.seq)?,
    };
    let watcher = Watcher {
        hub,
        dataplane: request.dataplane,
        cursor,
        client,
        stop,
        news,
        mark_due: Instant::now() + PROGRESS_EVERY,
    };
    tokio::spawn(watcher.run(snapshot));
    Ok(responses)
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
    dataplane: String,
    /// Number of the last event considered.
    cursor: u64,
    client: mpsc::Sender<Item>,
    stop: Stop,
    news: watch::Receiver<u64>,
    mark_due: Instant,
}

impl Watcher {
    async fn run(mut self, snapshot: Option<Snapshot>) {
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
        let mut run = Vec::with_capacity(BATCH);
        loop {
            run.clear();
            self.news.mark_unchanged();
            match self.hub.read(self.cursor, BATCH, &mut run) {
                Err(log::Lost) => self.start_over().await?,
                Ok(()) if run.is_empty() => self.wait().await?,
                Ok(()) => {
                    let epoch = self.hub.epoch();
                    let events: Vec<_> = run
                        .iter()
                        .zip(self.cursor + 1..)
                        .filter(|(r, _)| self.dataplane.is_empty() || *r.dataplane == *self.dataplane)
                        .map(|(record, seq)| convert::event(epoch, seq, record))
                        .collect();
                    self.cursor += run.len() as u64;
                    if !events.is_empty() {
                        self.send(events).await?;
                    } else if Instant::now() >= self.mark_due {
                        self.send_progress().await?;
                    } else {
                        // A long run of other data planes' events is no reason to hold the thread.
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

    /// The log has moved on: one GAP, then a snapshot whose cut is its end.
    async fn start_over(&mut self) -> Result<(), End> {
        let snapshot = self.hub.snapshot(&self.dataplane);
        self.hub.count_gap();
        let gap = convert::gap(self.hub.epoch(), self.cursor + 1, snapshot.cut, wall_ns());
        self.cursor = snapshot.cut;
        self.send(vec![gap]).await?;
        self.send_snapshot(snapshot).await
    }

    async fn send_snapshot(&mut self, snapshot: Snapshot) -> Result<(), End> {
        let (epoch, cut) = (self.hub.epoch(), snapshot.cut);
        for (name, entries) in snapshot.parts {
            for run in entries.chunks(BATCH) {
                let events = run.iter().map(|e| convert::snapshot_event(epoch, cut, &name, e)).collect();
                self.send(events).await?;
            }
        }
        self.send(vec![convert::mark(epoch, cut, wall_ns(), EventType::Synced)]).await
    }

    async fn send_progress(&mut self) -> Result<(), End> {
        self.send(vec![convert::mark(self.hub.epoch(), self.cursor, wall_ns(), EventType::Progress)]).await
    }

    async fn send(&mut self, events: Vec<Event>) -> Result<(), End> {
        tokio::select! {
            sent = self.client.send(Ok(WatchEventsResponse { events })) => sent.map_err(|_| End::Client)?,
            () = self.stop.wanted() => return Err(End::Stop),
        }
        self.mark_due = Instant::now() + PROGRESS_EVERY;
        Ok(())
    }
}
