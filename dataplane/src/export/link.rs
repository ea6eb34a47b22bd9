//! The exporter: keeps a link to the control service, sends events and answers up, and hands
//! commands to the desk.
//!
//! The exporter is one thread that polls the lcores' rings, because an lcore would have to wake a
//! blocked receiver. Commands wake it. It dials until the control service answers, and again when
//! the link is lost. What was in the rings when a link was lost is dropped: the resync of the next
//! link reports the table from its beginning.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use conntrack::shard::Tracked;
use crossbeam_channel::Receiver;
use flowtracker_proto::v1::attach_request::Body;
use flowtracker_proto::{Timestamp, link as wire, v1};
use tokio::sync::mpsc::{self, error::SendError};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use crate::export::authors::Authors;
use crate::export::bounds::{COMMANDS, Noted};
use crate::export::desk::Desk;
use crate::export::dial::{Dialled, Incoming, dial, read_commands};
use crate::export::ring::RingEvent;
use crate::export::wall::WallClock;
use crate::export::{encode, stats};
use crate::lcore::clock::{Clock, Wall as _};
use crate::lcore::generation::{LinkGeneration, LinkState};
use crate::lcore::stats::Published;
use crate::start::config::{ControlTls, ControlUri};

/// Records in one message at most.
const BATCH: usize = 1024;
/// How long the exporter sleeps when there was nothing to do, unless a command wakes it.
const NAP: Duration = Duration::from_millis(1);
/// How long it looks for the reply to a command without sleeping. An lcore takes a command at its
/// next iteration. An lcore that shares the exporter's CPU may only run once the exporter sleeps.
const AWAKE: Duration = Duration::from_micros(200);
/// First and longest pause between two attempts to dial.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How long a link must have stood for the next pause to be the first one again. A control service
/// that ends every link at once is not dialled at a high rate.
const STOOD: Duration = Duration::from_secs(1);
/// How long the last events may take once the lcores have stopped.
const FAREWELL: Duration = Duration::from_secs(1);

/// The exporter's ends of what it shares with one lcore.
pub struct LcoreEnd {
    /// The lcore's id, which names the shard.
    pub lcore: u32,
    /// Its events.
    pub ring: Receiver<RingEvent>,
    /// Its counters.
    pub stats: Arc<Published>,
}

/// Everything between the lcores and the control service.
pub struct Exporter<'a> {
    /// Where to dial.
    pub control: ControlUri,
    /// How to dial over TLS.
    pub tls: Option<ControlTls>,
    /// How to introduce this data plane.
    pub hello: v1::Hello,
    /// The lcores.
    pub lcores: Vec<LcoreEnd>,
    /// The families that they track.
    pub tracked: Tracked,
    /// The command desk.
    pub desk: Desk,
    /// Where the lcores see which link stands.
    pub link: Arc<LinkState>,
    /// The lcores' clock.
    pub clock: Clock,
    /// The Unix time of its instants.
    pub wall: WallClock,
    /// Reads the ports' counters.
    pub ports: &'a (dyn Fn() -> Vec<v1::PortStats> + Sync),
    /// Set when the lcores have stopped: the exporter then sends what is left and ends.
    pub finish: Arc<AtomicBool>,
}

type Sent<T> = Result<T, SendError<v1::AttachRequest>>;

impl Exporter<'_> {
    /// Dials, serves and dials again until [`Exporter::finish`] is set.
    pub async fn run(mut self) {
        let mut pause = BACK_OFF.0;
        let mut generation = LinkGeneration::FIRST;
        let mut complained = None;
        while !self.finished() {
            let dialled = tokio::select! {
                dialled = dial(&self.control, self.tls.as_ref(), self.hello.clone()) => dialled,
                () = self.until_finished() => return,
            };
            match dialled {
                Ok(dialled) => {
                    complained = None;
                    let since = Instant::now();
                    info!("linked to {} (epoch {})", self.control, dialled.epoch);
                    self.desk.authors().begin_link();
                    self.wall.begin_link(self.clock.now().ns);
                    self.link.raise(generation);
                    let end = self.serve(generation, dialled).await;
                    self.link.lower();
                    self.forget();
                    generation = generation.next();
                    if self.finished() {
                        return;
                    }
                    warn!("link to {} is down: {end}", self.control);
                    if since.elapsed() >= STOOD {
                        pause = BACK_OFF.0;
                    }
                }
                // One warning per outage, and one per refusal.
                Err(error) if error.is_news(complained.as_ref()) => {
                    warn!("no link to {}: {error}; dialling again", self.control);
                    complained = Some(error);
                }
                Err(error) => debug!("no link to {}: {error}", self.control),
            }
            self.wait(pause).await;
            pause = (pause * 2).min(BACK_OFF.1);
        }
    }

    fn finished(&self) -> bool {
        self.finish.load(Ordering::Acquire)
    }

    async fn until_finished(&self) {
        while !self.finished() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits before the next attempt to dial. Without a link nothing may pile up meanwhile.
    async fn wait(&mut self, pause: Duration) {
        let until = Instant::now() + pause;
        while Instant::now() < until && !self.finished() {
            tokio::time::sleep(Duration::from_millis(10).min(pause)).await;
            self.forget();
        }
    }

    /// Drops the events in the rings, and the answers that nobody waits for any more. Dumps end; other
    /// commands that have begun go on.
    fn forget(&mut self) {
        self.desk.unlink();
        self.wall.follow(self.clock.now().ns);
        for (shard, lcore) in self.lcores.iter().enumerate() {
            while lcore.ring.try_recv().is_ok() {}
            while self.desk.hear(shard, BATCH, &self.wall, None) {}
        }
        self.desk.pump();
    }

    /// Serves one link until it breaks or the data plane ends, and returns why it ended.
    async fn serve(&mut self, generation: LinkGeneration, dialled: Dialled) -> String {
        let (passed_on, mut commands) = mpsc::channel(COMMANDS);
        let mut reader = tokio::spawn(read_commands(dialled.inbound, passed_on));
        let seqs = vec![1; self.lcores.len()];
        let mut link = Link {
            outbound: dialled.outbound,
            generation,
            seqs,
            noted: Noted::default(),
            next: None,
            awake: Instant::now(),
        };
        let finish = self.finish.clone();
        let mut finishing = None;
        loop {
            if reader.is_finished() {
                return reader.await.unwrap_or_else(|e| e.to_string());
            }
            // A control service that does not read makes the work wait. The rings fill then, and
            // the lcores keep in their tables what the rings refuse. The work is cut short, and what
            // it holds is lost, only when the link has ended or the last events have had their time.
            let given_up = async {
                let over = |finishing: &mut _| finish.load(Ordering::Acquire) && has_had_time(finishing);
                while !reader.is_finished() && !over(&mut finishing) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let worked = tokio::select! {
                worked = link.work(self, &mut commands) => match worked {
                    Ok(worked) => worked,
                    Err(_) => {
                        // The transport has gone; the reader knows why.
                        let why = tokio::time::timeout(FAREWELL, &mut reader).await;
                        return why.ok().and_then(Result::ok).unwrap_or_else(|| "connection lost".to_owned());
                    }
                },
                () = given_up => true,
            };
            if self.finished() && (has_had_time(&mut finishing) || !worked) {
                return self.end_in_order(link, &mut reader, "stopped".to_owned()).await;
            }
            self.wall.follow(self.clock.now().ns);
            if let Some(by) = self.wall.set_back() {
                // Nothing is shown earlier than what this link has shown. The next one may begin with
                // an earlier time.
                let end = format!("the clock was set back by {:.1} s", by.as_secs_f64());
                return self.end_in_order(link, &mut reader, end).await;
            }
            if !worked {
                link.rest(self.desk.is_busy(), &mut commands).await;
            }
        }
    }

    /// Ends a link from this side, and returns `why`. The end of our stream says that this is all;
    /// the service answers with the end of its own.
    async fn end_in_order(&self, link: Link, reader: &mut JoinHandle<String>, why: String) -> String {
        drop(link);
        let _ = tokio::time::timeout(FAREWELL, reader).await;
        why
    }

    /// Returns the counters as they are now.
    fn stats(&self) -> v1::DataplaneStats {
        let now_ns = self.clock.now().ns;
        v1::DataplaneStats {
            dataplane: self.hello.dataplane.clone(),
            lcores: self.lcores.iter().map(|l| stats::lcore_stats(l.lcore, &l.stats, self.tracked)).collect(),
            ports: (self.ports)(),
            time: Some(Timestamp::from_unix_ns(self.wall.wall_ns(now_ns))),
            live: true,
        }
    }
}

/// Returns `true` when the last events have had their time, which begins with the first call.
fn has_had_time(finishing: &mut Option<Instant>) -> bool {
    finishing.get_or_insert_with(Instant::now).elapsed() >= FAREWELL
}

/// The state of one link.
struct Link {
    outbound: mpsc::Sender<v1::AttachRequest>,
    generation: LinkGeneration,
    /// Sequence number of the next record on this link, by shard.
    seqs: Vec<u64>,
    /// The bounds that it has reached.
    noted: Noted,
    /// The command that has ended a nap.
    next: Option<Incoming>,
    /// Until when the reply to the last command is looked for without a nap.
    awake: Instant,
}

impl Link {
    /// Hands on what has come in from both sides. Returns `false` when there was nothing.
    async fn work(
        &mut self,
        exporter: &mut Exporter<'_>,
        commands: &mut mpsc::Receiver<Incoming>,
    ) -> Sent<bool> {
        let mut worked = false;
        // However many there are, events have their turn.
        for _ in 0..COMMANDS {
            let Some(incoming) = self.next.take().or_else(|| commands.try_recv().ok()) else { break };
            self.command(incoming, exporter).await?;
            self.awake = Instant::now() + AWAKE;
            worked = true;
        }
        worked |= self.hear(exporter);
        // Those whom answers name are more than fit in front of a batch.
        for authors in introductions(exporter.desk.authors()) {
            self.outbound.send(v1::AttachRequest { body: Some(authors) }).await?;
        }
        // The event of a write comes before its answer.
        worked |= self.events(exporter).await?;
        self.send_answers(&mut exporter.desk).await?;
        Ok(worked)
    }

    /// Waits until there may be work. An lcore wakes nobody, so while it has a command (`busy`) the
    /// exporter looks again at once, for a short time; else until a command comes, or for a nap.
    async fn rest(&mut self, busy: bool, commands: &mut mpsc::Receiver<Incoming>) {
        if busy && Instant::now() < self.awake {
            std::thread::yield_now();
            tokio::task::yield_now().await;
            return;
        }
        tokio::select! {
            // Without a sender, the reader has ended, which the caller notices.
            Some(command) = commands.recv() => self.next = Some(command),
            () = tokio::time::sleep(NAP) => {}
        }
    }

    async fn command(&mut self, incoming: Incoming, exporter: &mut Exporter<'_>) -> Sent<()> {
        let command = match incoming {
            Ok(command) => command,
            Err(refused) => {
                self.noted.refusal(&refused);
                return self.send(exporter.desk.authors(), Body::Reply(*refused)).await;
            }
        };
        if let Some(v1::command::Body::Stats(_)) = command.body {
            let reply = v1::Reply {
                id: command.id,
                status: v1::ReplyStatus::Ok.into(),
                stats: Some(exporter.stats()),
                ..Default::default()
            };
            return self.send(exporter.desk.authors(), Body::Reply(reply)).await;
        }
        if let Err(refused) = exporter.desk.take(command, self.generation, exporter.clock.now()) {
            self.noted.refusal(&refused);
            self.send(exporter.desk.authors(), Body::Reply(*refused)).await?;
        }
        self.send_answers(&mut exporter.desk).await
    }

    /// Hands the shards' replies to the desk.
    fn hear(&self, exporter: &mut Exporter<'_>) -> bool {
        let mut worked = false;
        for shard in 0..exporter.lcores.len() {
            worked |= exporter.desk.hear(shard, BATCH, &exporter.wall, Some(self.generation));
        }
        exporter.desk.pump();
        worked
    }

    /// Sends batches of events, one ring after the other: all that waits when an answer has to
    /// follow it, else one batch of each ring, so that answers do not wait for a storm to end.
    async fn events(&mut self, exporter: &mut Exporter<'_>) -> Sent<bool> {
        let waiting = exporter.lcores.iter().map(|l| l.ring.len().div_ceil(BATCH)).max().unwrap_or(0);
        let rounds = if exporter.desk.events_first() { waiting } else { waiting.min(1) };
        for _ in 0..rounds {
            self.batches(exporter).await?;
        }
        Ok(rounds > 0)
    }

    /// Sends one batch from every ring.
    async fn batches(&mut self, exporter: &mut Exporter<'_>) -> Sent<()> {
        for (shard, lcore) in exporter.lcores.iter().enumerate() {
            // Room first, for the batch and for the authors that it names: what has left the ring
            // must not be lost.
            let room = self.outbound.reserve_many(2).await;
            let mut room = room.map_err(|_| SendError(v1::AttachRequest::default()))?;
            // There may have been no room for long.
            exporter.wall.follow(exporter.clock.now().ns);
            let authors = exporter.desk.authors();
            let mut records = Vec::with_capacity(lcore.ring.len().min(BATCH) * wire::LEN);
            for waiting in lcore.ring.try_iter().take(BATCH).filter(|r| r.link == self.generation) {
                let mut record = encode::record_of_any(&waiting.event, &exporter.wall);
                authors.introduce(&mut record);
                records.extend_from_slice(&record.to_bytes());
            }
            if records.is_empty() {
                continue;
            }
            let first_seq = self.seqs[shard];
            self.seqs[shard] += (records.len() / wire::LEN) as u64;
            let batch = Body::Batch(v1::Batch { shard: lcore.lcore, first_seq, records });
            for (room, body) in room.by_ref().zip(with_introductions(authors, batch)) {
                room.send(v1::AttachRequest { body: Some(body) });
            }
        }
        Ok(())
    }

    async fn send_answers(&self, desk: &mut Desk) -> Sent<()> {
        while let Some(answer) = desk.answer() {
            self.send(desk.authors(), Body::Reply(answer)).await?;
        }
        Ok(())
    }

    async fn send(&self, authors: &mut Authors, body: Body) -> Sent<()> {
        for body in with_introductions(authors, body) {
            self.outbound.send(v1::AttachRequest { body: Some(body) }).await?;
        }
        Ok(())
    }
}

/// Returns a message, and before it the introductions of authors that it is the first to name.
fn with_introductions(authors: &mut Authors, body: Body) -> impl Iterator<Item = Body> {
    introductions(authors).chain([body])
}

/// Returns the introductions that are due.
fn introductions(authors: &mut Authors) -> impl Iterator<Item = Body> {
    std::iter::from_fn(|| authors.introductions().map(Body::Authors))
}

#[cfg(test)]
mod tests;
