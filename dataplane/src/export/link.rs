//! The link to the control service: dial, resync, events and answers up,
//! commands down. It may be away for as long as it likes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::Receiver;
use flowtracker_proto::v1::dataplane_link_service_client::DataplaneLinkServiceClient;
use flowtracker_proto::{Timestamp, packed, v1};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tracing::{debug, info, warn};

use super::batch;
use super::desk::Commands;
use super::ring::{LinkState, Record};
use crate::lcore::clock::Clock;
use crate::lcore::mailbox::Reply;
use crate::lcore::stats::Published;
use crate::start::config::ControlUri;

/// Records in one message at most: some 60 KiB.
const BATCH: usize = 1024;
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
/// Stands for no link: what commands have to tell then is told by the next link's resync.
const NO_LINK: u32 = 0;
/// How long the last events may take at the end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What the exporter has of one lcore.
pub struct LcoreEnd {
    /// Its id, which names the shard.
    pub lcore: u32,
    /// Its events.
    pub ring: Receiver<Record>,
    /// Its answers to commands.
    pub replies: Receiver<Reply>,
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
    /// Their commands.
    pub commands: Commands,
    /// Tells the lcores whether there is a link.
    pub link: Arc<LinkState>,
    /// The lcores' clock.
    pub clock: Clock,
    /// Reads the ports' counters.
    pub ports: &'a (dyn Fn() -> Vec<v1::PortStats> + Sync),
    /// Set when the lcores have stopped: send what is left, then end.
    pub finish: Arc<AtomicBool>,
}

type Outbound = mpsc::Sender<v1::AttachRequest>;

impl Exporter<'_> {
    /// Dials, serves and dials again until [`Exporter::finish`] is set.
    pub async fn run(mut self) {
        let mut pause = BACK_OFF.0;
        let mut generation = 0u32;
        let mut complained = false;
        while !self.finished() {
            let dialled = tokio::select! {
                dialled = self.dial() => dialled,
                () = self.until_finished() => return,
            };
            match dialled {
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

    /// For what may take long and of which nothing has to be kept.
    async fn until_finished(&self) {
        while !self.finished() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Sleeps, but not beyond the end. Without a link nothing may pile up meanwhile.
    async fn nap(&mut self, pause: Duration) {
        let until = tokio::time::Instant::now() + pause;
        while tokio::time::Instant::now() < until && !self.finished() {
            tokio::time::sleep(Duration::from_millis(10).min(pause)).await;
            self.forget();
        }
    }

    /// Drops what waits in the rings: the next link's resync makes it void. What
    /// commands have begun goes on.
    fn forget(&mut self) {
        self.commands.unlink();
        for (index, lcore) in self.lcores.iter().enumerate() {
            while lcore.ring.try_recv().is_ok() {}
            while let Ok(reply) = lcore.replies.try_recv() {
                self.commands.hear(index, reply, &self.clock, NO_LINK);
            }
        }
        self.commands.pump();
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

    /// The counters, as they are now.
    fn stats(&self) -> v1::DataplaneStats {
        let now_ns = self.clock.now().ns;
        v1::DataplaneStats {
            dataplane: self.hello.dataplane.clone(),
            lcores: self.lcores.iter().map(|l| batch::lcore_stats(l.lcore, &l.stats)).collect(),
            ports: (self.ports)(),
            time: Some(Timestamp::from_unix_ns(self.clock.wall_ns(now_ns))),
            live: true,
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
        let mut serving = Serving { outbound: &outbound, generation, seqs: vec![1; self.lcores.len()] };
        let mut last_words = None;
        let finish = self.finish.clone();
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
                worked |= serving.hear(self);
                // The event of a write comes before its answer.
                worked |= serving.events(self).await?;
                serving.send_answers(&mut self.commands).await?;
                Ok::<_, mpsc::error::SendError<v1::AttachRequest>>(worked)
            };
            // A control service that does not read makes this wait, the rings
            // fill, and the table keeps what they refuse.
            let waited = async {
                while !reader.is_finished() && !out_of_time(&finish, last_words) {
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
}

/// The end has come, and the last events have had their time.
fn out_of_time(finish: &AtomicBool, last_words: Option<tokio::time::Instant>) -> bool {
    finish.load(Ordering::Acquire) && last_words.is_none_or(|since| since.elapsed() >= LAST_WORDS)
}

/// The state of one link.
struct Serving<'a> {
    outbound: &'a Outbound,
    generation: u32,
    /// Next link sequence number, by shard.
    seqs: Vec<u64>,
}

type Sent<T> = Result<T, mpsc::error::SendError<v1::AttachRequest>>;

impl Serving<'_> {
    async fn send(&self, body: v1::attach_request::Body) -> Sent<()> {
        self.outbound.send(v1::AttachRequest { body: Some(body) }).await
    }

    /// Batch by batch from one ring after the other: everything that waits there
    /// when an answer has to follow it, else one batch, so that answers need not
    /// wait for a storm to end.
    async fn events(&mut self, exporter: &Exporter<'_>) -> Sent<bool> {
        let waiting = exporter.lcores.iter().map(|l| l.ring.len().div_ceil(BATCH)).max().unwrap_or(0);
        let rounds = if exporter.commands.events_first() { waiting } else { waiting.min(1) };
        for _ in 0..rounds {
            self.batches(exporter).await?;
        }
        Ok(rounds > 0)
    }

    /// One batch from every ring.
    async fn batches(&mut self, exporter: &Exporter<'_>) -> Sent<()> {
        for (index, lcore) in exporter.lcores.iter().enumerate() {
            // Room first: what has left the ring must not be lost.
            let permit = self.outbound.reserve().await.map_err(|_| closed())?;
            let mut all = batch::Records::default();
            for record in lcore.ring.try_iter().take(BATCH).filter(|r| r.generation == self.generation) {
                all.push(&record.event, &exporter.clock, &exporter.commands.authors);
            }
            let (records, packed) = all.finish();
            let count = records.len() + packed.len() / packed::LEN;
            if count == 0 {
                continue;
            }
            let first_seq = self.seqs[index];
            self.seqs[index] += count as u64;
            let batch = v1::Batch { shard: lcore.lcore, first_seq, records, packed };
            permit.send(v1::AttachRequest { body: Some(v1::attach_request::Body::Batch(batch)) });
        }
        Ok(())
    }

    /// Takes in what the shards have answered.
    fn hear(&self, exporter: &mut Exporter<'_>) -> bool {
        let mut worked = false;
        for (index, lcore) in exporter.lcores.iter().enumerate() {
            for reply in lcore.replies.try_iter().take(BATCH) {
                worked = true;
                exporter.commands.hear(index, reply, &exporter.clock, self.generation);
            }
        }
        exporter.commands.pump();
        worked
    }

    async fn send_answers(&self, commands: &mut Commands) -> Sent<()> {
        while let Some(answer) = commands.answer() {
            self.send(v1::attach_request::Body::Reply(answer)).await?;
        }
        Ok(())
    }

    async fn command(&self, command: v1::Command, exporter: &mut Exporter<'_>) -> Sent<()> {
        if let Some(v1::command::Body::Stats(_)) = command.body {
            let reply = v1::Reply {
                id: command.id,
                status: v1::ReplyStatus::Ok.into(),
                stats: Some(exporter.stats()),
                ..Default::default()
            };
            return self.send(v1::attach_request::Body::Reply(reply)).await;
        }
        exporter.commands.take(command, self.generation, exporter.clock.now());
        self.send_answers(&mut exporter.commands).await
    }
}

fn closed() -> mpsc::error::SendError<v1::AttachRequest> {
    mpsc::error::SendError(v1::AttachRequest { body: None })
}

/// Transport errors wrap the reason several times over; the innermost one says it.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
