//! The link to the control service: dial, resync, events and answers up,
//! commands down. It may be away for as long as it likes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use conntrack::ActorId;
use crossbeam_channel::{Receiver, TrySendError};
use flowtracker_proto::v1::dataplane_link_service_client::DataplaneLinkServiceClient;
use flowtracker_proto::{Timestamp, packed, v1};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tracing::{debug, info, warn};

use super::batch::{self, Actors};
use super::ring::{LinkState, Record};
use crate::clock::Clock;
use crate::command::{Command, Door, Outcome, Reply};
use crate::config::ControlUri;
use crate::stats::Published;

/// Records in one message at most: some 60 KiB.
const BATCH: usize = 1024;
/// Entries in one part of an answer at most.
const PART: usize = 256;
/// Messages on their way to the transport at most.
const OUTBOUND: usize = 4;
/// How long the exporter sleeps when there was nothing to do.
const NAP: Duration = Duration::from_millis(1);
/// First and longest pause between two attempts to dial.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How long an attempt to dial may take.
const DIAL: Duration = Duration::from_secs(5);
/// A link without any answer for PING.0 + PING.1 = 30 s is down.
const PING: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(20));
/// How long the last events may take at the end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What the exporter has of one lcore.
pub struct LcoreEnd {
    /// Its id, which names the shard.
    pub lcore: u32,
    /// Its events.
    pub ring: Receiver<Record>,
    /// Commands in, answers out.
    pub door: Door,
    /// Its counters.
    pub stats: Arc<Published>,
}

/// The exporter: everything between the lcores and the control service.
pub struct Exporter<'a> {
    /// Where to dial.
    pub control: ControlUri,
    /// How to introduce this data plane.
    pub hello: v1::Hello,
    /// The lcores.
    pub lcores: Vec<LcoreEnd>,
    /// Tells the lcores whether there is a link.
    pub link: Arc<LinkState>,
    /// The lcores' clock.
    pub clock: Clock,
    /// Reads the ports' counters.
    pub ports: &'a (dyn Fn() -> Vec<v1::PortStats> + Sync),
    /// Set when the lcores have stopped: send what is left, then end.
    pub finish: Arc<AtomicBool>,
}

/// An answer that is being put together.
struct Pending {
    /// Shards that have not ended it.
    shards: usize,
    entries: Vec<v1::EntryRecord>,
    at_ns: u64,
    /// The best that a shard has said.
    outcome: Outcome,
}

type Outbound = mpsc::Sender<v1::AttachRequest>;

impl Exporter<'_> {
    /// Dials, serves and dials again until [`Exporter::finish`] is set.
    pub async fn run(mut self) {
        let mut pause = BACK_OFF.0;
        let mut generation = 0u32;
        let mut complained = false;
        while !self.finished() {
            match self.dial().await {
                Ok((outbound, inbound, epoch)) => {
                    pause = BACK_OFF.0;
                    complained = false;
                    generation = generation.wrapping_add(1).max(1);
                    info!("linked to {} (epoch {epoch})", self.control);
                    self.link.raise(generation);
                    let end = self.serve(generation, outbound, inbound).await;
                    self.link.lower();
                    self.forget();
                    if self.finished() {
                        return;
                    }
                    warn!("link to {} is down: {end}", self.control);
                }
                Err(error) => {
                    // Once per outage; the rest is for the curious.
                    if complained {
                        debug!("no link to {}: {error}", self.control);
                    } else {
                        warn!("no link to {}: {error}; dialling again", self.control);
                        complained = true;
                    }
                }
            }
            self.nap(pause).await;
            pause = (pause * 2).min(BACK_OFF.1);
        }
    }

    fn finished(&self) -> bool {
        self.finish.load(Ordering::Acquire)
    }

    /// Sleeps, but not beyond the end. Without a link nothing may pile up meanwhile.
    async fn nap(&self, pause: Duration) {
        let until = tokio::time::Instant::now() + pause;
        while tokio::time::Instant::now() < until && !self.finished() {
            tokio::time::sleep(Duration::from_millis(10).min(pause)).await;
            self.forget();
        }
    }

    /// Drops what waits in the rings: the next link's resync makes it void.
    fn forget(&self) {
        for lcore in &self.lcores {
            while lcore.ring.try_recv().is_ok() {}
            while lcore.door.replies.try_recv().is_ok() {}
        }
    }

    async fn dial(&self) -> Result<(Outbound, tonic::Streaming<v1::AttachResponse>, u64), String> {
        let channel =
            tokio::time::timeout(DIAL, self.connect()).await.map_err(|_| "timed out".to_owned())??;
        let mut client = DataplaneLinkServiceClient::new(channel);
        let (outbound, requests) = mpsc::channel(OUTBOUND);
        let hello = v1::AttachRequest { body: Some(v1::attach_request::Body::Hello(self.hello.clone())) };
        outbound.send(hello).await.map_err(|e| e.to_string())?;
        let attach = async {
            let mut inbound = client.attach(ReceiverStream::new(requests)).await?.into_inner();
            Ok::<_, tonic::Status>((inbound.message().await?, inbound))
        };
        let (first, inbound) = tokio::time::timeout(DIAL, attach)
            .await
            .map_err(|_| "no welcome".to_owned())?
            .map_err(|status| status.message().to_owned())?;
        match first.and_then(|m| m.body) {
            Some(v1::attach_response::Body::Welcome(welcome)) => Ok((outbound, inbound, welcome.epoch)),
            _ => Err("no welcome".to_owned()),
        }
    }

    async fn connect(&self) -> Result<Channel, String> {
        let tuned = |endpoint: Endpoint| {
            endpoint
                .http2_keep_alive_interval(PING.0)
                .keep_alive_timeout(PING.1)
                .keep_alive_while_idle(true)
                .tcp_nodelay(true)
        };
        let channel = match &self.control {
            ControlUri::Http(uri) => {
                let endpoint = Endpoint::from_shared(uri.clone()).map_err(|e| e.to_string())?;
                tuned(endpoint).connect().await
            }
            ControlUri::Unix(path) => {
                let path = path.clone();
                // The address only fills the requests' authority; the connector knows the path.
                tuned(Endpoint::from_static("http://localhost"))
                    .connect_with_connector(tower::service_fn(move |_| {
                        let path = path.clone();
                        async move {
                            let stream = tokio::net::UnixStream::connect(path).await?;
                            Ok::<_, std::io::Error>(hyper_util::rt::TokioIo::new(stream))
                        }
                    }))
                    .await
            }
        };
        channel.map_err(|e| root_cause(&e))
    }

    /// Serves one link until it breaks or the data plane ends; says why.
    async fn serve(
        &mut self,
        generation: u32,
        outbound: Outbound,
        mut inbound: tonic::Streaming<v1::AttachResponse>,
    ) -> String {
        let (heard, mut commands) = mpsc::channel(64);
        let mut reader = tokio::spawn(async move {
            loop {
                match inbound.message().await {
                    Ok(Some(v1::AttachResponse { body: Some(v1::attach_response::Body::Command(c)) })) => {
                        if heard.send(c).await.is_err() {
                            return "closed".to_owned();
                        }
                    }
                    Ok(Some(_)) => {}
                    Ok(None) => return "closed by the control service".to_owned(),
                    Err(status) => {
                        debug!("link: {status}");
                        // What the transport makes up has a source; what the service says has none.
                        let lost = std::error::Error::source(&status).is_some();
                        return if lost { "connection lost".to_owned() } else { status.message().to_owned() };
                    }
                }
            }
        });
        let mut serving = Serving {
            outbound: &outbound,
            generation,
            seqs: vec![1; self.lcores.len()],
            pending: HashMap::new(),
            actors: Actors::new(),
        };
        let mut last_words = None;
        loop {
            if reader.is_finished() {
                return reader.await.unwrap_or_else(|e| e.to_string());
            }
            let work = async {
                let mut worked = false;
                while let Ok(command) = commands.try_recv() {
                    serving.command(command, self).await?;
                    worked = true;
                }
                worked |= serving.events(self).await?;
                worked |= serving.answers(self).await?;
                Ok::<_, mpsc::error::SendError<v1::AttachRequest>>(worked)
            };
            // A control service that does not read makes this wait, the rings
            // fill, and the table keeps what they refuse.
            let waited = async {
                while !reader.is_finished() && !self.out_of_time(last_words) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let worked = tokio::select! {
                worked = work => match worked {
                    Ok(worked) => worked,
                    Err(_) => {
                        // The transport has gone; the reader knows why.
                        let why = tokio::time::timeout(LAST_WORDS, &mut reader).await;
                        return why.ok().and_then(Result::ok).unwrap_or_else(|| "connection lost".to_owned());
                    }
                },
                () = waited => true,
            };
            if self.finished() {
                let since = *last_words.get_or_insert_with(tokio::time::Instant::now);
                if !worked || since.elapsed() >= LAST_WORDS {
                    // The end of our stream is the farewell; the service answers with the end of its own.
                    drop(outbound);
                    let _ = tokio::time::timeout(LAST_WORDS, &mut reader).await;
                    return "stopped".to_owned();
                }
            }
            if !worked {
                tokio::time::sleep(NAP).await;
            }
        }
    }

    fn out_of_time(&self, last_words: Option<tokio::time::Instant>) -> bool {
        self.finished() && last_words.is_none_or(|since| since.elapsed() >= LAST_WORDS)
    }
}

/// The state of one link.
struct Serving<'a> {
    outbound: &'a Outbound,
    generation: u32,
    /// Next link sequence number, by shard.
    seqs: Vec<u64>,
    pending: HashMap<u64, Pending>,
    actors: Actors,
}

type Sent<T> = Result<T, mpsc::error::SendError<v1::AttachRequest>>;

impl Serving<'_> {
    async fn send(&self, body: v1::attach_request::Body) -> Sent<()> {
        self.outbound.send(v1::AttachRequest { body: Some(body) }).await
    }

    /// One batch from every ring.
    async fn events(&mut self, exporter: &Exporter<'_>) -> Sent<bool> {
        let mut worked = false;
        for (index, lcore) in exporter.lcores.iter().enumerate() {
            // Room first: what has left the ring must not be lost.
            let permit = self.outbound.reserve().await.map_err(|_| closed())?;
            let records = lcore
                .ring
                .try_iter()
                .take(BATCH)
                .filter(|r| r.generation == self.generation)
                .map(|r| batch::record(&r.event, &exporter.clock, &self.actors));
            let (records, packed) = batch::packed(records);
            let count = records.len() + packed.len() / packed::LEN;
            if count == 0 {
                continue;
            }
            worked = true;
            let first_seq = self.seqs[index];
            self.seqs[index] += count as u64;
            let batch = v1::Batch { shard: lcore.lcore, first_seq, records, packed };
            permit.send(v1::AttachRequest { body: Some(v1::attach_request::Body::Batch(batch)) });
        }
        Ok(worked)
    }

    /// Puts the shards' parts of answers together.
    async fn answers(&mut self, exporter: &Exporter<'_>) -> Sent<bool> {
        let mut worked = false;
        for lcore in &exporter.lcores {
            for _ in 0..BATCH {
                let Ok(reply) = lcore.door.replies.try_recv() else { break };
                worked = true;
                self.part(reply, exporter).await?;
            }
        }
        Ok(worked)
    }

    async fn part(&mut self, reply: Reply, exporter: &Exporter<'_>) -> Sent<()> {
        match reply {
            Reply::Entry { id, at_ns, entry } => {
                // Nobody waits for the answer to a command that was given up.
                let Some(pending) = self.pending.get_mut(&id) else { return Ok(()) };
                pending.at_ns = at_ns;
                pending.entries.push(batch::entry(&entry, at_ns, &exporter.clock, &self.actors));
                if pending.entries.len() >= PART {
                    let entries = std::mem::take(&mut pending.entries);
                    let time_ns = exporter.clock.wall_ns(at_ns);
                    let part = v1::Reply { id, entries, time_ns, ..Default::default() };
                    self.send(v1::attach_request::Body::Reply(part)).await?;
                }
            }
            Reply::Done { id, outcome } => {
                let Some(pending) = self.pending.get_mut(&id) else { return Ok(()) };
                pending.shards -= 1;
                pending.outcome = better(pending.outcome, outcome);
                if pending.shards == 0
                    && let Some(pending) = self.pending.remove(&id)
                {
                    let time_ns = exporter.clock.wall_ns(pending.at_ns);
                    let (status, message) = status(pending.outcome);
                    let last = v1::Reply {
                        id,
                        status: status.into(),
                        message: message.to_owned(),
                        entries: pending.entries,
                        time_ns,
                        ..Default::default()
                    };
                    self.send(v1::attach_request::Body::Reply(last)).await?;
                }
            }
        }
        Ok(())
    }

    async fn refuse(&self, id: u64, status: v1::ReplyStatus, message: String) -> Sent<()> {
        let reply = v1::Reply { id, status: status.into(), message, ..Default::default() };
        self.send(v1::attach_request::Body::Reply(reply)).await
    }

    async fn command(&mut self, command: v1::Command, exporter: &Exporter<'_>) -> Sent<()> {
        use v1::command::Body;
        let id = command.id;
        let bad_key = "key: a field is missing or out of range".to_owned();
        match command.body {
            Some(Body::Get(get)) => match get.key.as_ref().and_then(batch::key) {
                Some(key) => self.dispatch(id, Outcome::NotFound, Command::Get { id, key }, exporter).await,
                None => self.refuse(id, v1::ReplyStatus::InvalidArgument, bad_key).await,
            },
            Some(Body::Delete(delete)) => match delete.key.as_ref().and_then(batch::key) {
                Some(key) => {
                    let actor: ActorId = self.actors.assign(delete.actor.unwrap_or_default());
                    self.dispatch(id, Outcome::NotFound, Command::Remove { id, key, actor }, exporter).await
                }
                None => self.refuse(id, v1::ReplyStatus::InvalidArgument, bad_key).await,
            },
            Some(Body::Dump(_)) => self.dispatch(id, Outcome::Ok, Command::Dump { id }, exporter).await,
            Some(Body::Stats(_)) => {
                let now_ns = exporter.clock.now().ns;
                let lcores = exporter.lcores.iter().map(|l| batch::lcore_stats(l.lcore, &l.stats));
                let stats = v1::DataplaneStats {
                    dataplane: exporter.hello.dataplane.clone(),
                    lcores: lcores.collect(),
                    ports: (exporter.ports)(),
                    time: Some(Timestamp::from_unix_ns(exporter.clock.wall_ns(now_ns))),
                    live: true,
                };
                let status = v1::ReplyStatus::Ok.into();
                let reply = v1::Reply { id, status, stats: Some(stats), ..Default::default() };
                self.send(v1::attach_request::Body::Reply(reply)).await
            }
            Some(Body::Cancel(cancel)) => {
                self.pending.remove(&cancel.id);
                for lcore in &exporter.lcores {
                    // A full mailbox means that the lcore is behind; the dump then
                    // runs on and its parts are dropped here.
                    let _ = lcore.door.commands.try_send(Command::Cancel { id: cancel.id });
                }
                Ok(())
            }
            Some(_) | None => {
                let message = "this data plane does not know the command".to_owned();
                self.refuse(id, v1::ReplyStatus::FailedPrecondition, message).await
            }
        }
    }

    /// Gives a command to every shard: only the shards know who owns a flow.
    async fn dispatch(
        &mut self,
        id: u64,
        worst: Outcome,
        command: Command,
        exporter: &Exporter<'_>,
    ) -> Sent<()> {
        let doors = || exporter.lcores.iter().map(|l| &l.door.commands);
        if doors().any(crossbeam_channel::Sender::is_full) {
            let message = "the data plane is behind with its commands".to_owned();
            return self.refuse(id, v1::ReplyStatus::Unavailable, message).await;
        }
        let at_ns = exporter.clock.now().ns;
        let pending = Pending { shards: exporter.lcores.len(), entries: Vec::new(), at_ns, outcome: worst };
        self.pending.insert(id, pending);
        for door in doors() {
            // The exporter is the only sender, so the room that was seen is there.
            if let Err(TrySendError::Full(_)) = door.try_send(command) {
                debug_assert!(false, "room was checked");
            }
        }
        Ok(())
    }
}

fn closed() -> mpsc::error::SendError<v1::AttachRequest> {
    mpsc::error::SendError(v1::AttachRequest { body: None })
}

/// Of what two shards say, what counts: a refusal by the owner before "not mine".
fn better(a: Outcome, b: Outcome) -> Outcome {
    let rank = |outcome| match outcome {
        Outcome::Busy => 3,
        Outcome::Denied => 2,
        Outcome::Ok => 1,
        Outcome::NotFound => 0,
    };
    if rank(b) > rank(a) { b } else { a }
}

fn status(outcome: Outcome) -> (v1::ReplyStatus, &'static str) {
    match outcome {
        Outcome::Ok => (v1::ReplyStatus::Ok, ""),
        Outcome::NotFound => (v1::ReplyStatus::NotFound, "Unable to find entry"),
        Outcome::Denied => (v1::ReplyStatus::PermissionDenied, "the entry lacks the permission"),
        Outcome::Busy => (v1::ReplyStatus::Unavailable, "too many dumps at a time"),
    }
}

/// Transport errors wrap the reason several times over; the innermost one says it.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
