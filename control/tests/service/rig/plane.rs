//! The simulated data plane.

use std::collections::BTreeMap;

use flowtracker_proto::filter::{Facts, Program};
use flowtracker_proto::show;
use flowtracker_proto::v1::dataplane_link_service_client::DataplaneLinkServiceClient;
use flowtracker_proto::v1::{
    AttachRequest, AttachResponse, Author, Authors, Batch, Command, DataplaneStats, GetStatsRequest, Hello,
    LcoreStats, RecordKind, Reply, ReplyStatus, attach_request, attach_response, command,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use super::records::{EntryRecord, Introduced, Record, bare, hello, hello_of_both, record, wide};
use super::{Service, soon, until};

/// A simulated data plane.
pub(crate) struct Plane {
    up: mpsc::Sender<AttachRequest>,
    down: Streaming<AttachResponse>,
    next_seq: BTreeMap<u32, u64>,
    introduced: Introduced,
}

impl Plane {
    pub(crate) async fn attach(service: &Service, hello: Hello) -> Result<Self, Status> {
        Self::attach_over(service.channel().await, service, hello).await
    }

    /// Attaches over a channel that the test has made.
    pub(crate) async fn attach_over(
        channel: Channel,
        service: &Service,
        hello: Hello,
    ) -> Result<Self, Status> {
        let (up, requests) = mpsc::channel(64);
        up.send(AttachRequest { body: Some(attach_request::Body::Hello(hello)) }).await.unwrap();
        let mut client = DataplaneLinkServiceClient::new(channel);
        let mut down = client.attach(ReceiverStream::new(requests)).await?.into_inner();
        let welcome = soon("Welcome", down.message()).await?.unwrap();
        assert!(
            matches!(welcome.body, Some(attach_response::Body::Welcome(w)) if w.epoch == service.hub.epoch())
        );
        Ok(Self { up, down, next_seq: BTreeMap::new(), introduced: Introduced::default() })
    }

    /// Attaches "dp" with one shard, 1, and an empty table.
    pub(crate) async fn fresh(service: &Service) -> Self {
        let mut plane = Self::attach(service, hello("dp", 1, &[1])).await.unwrap();
        plane.resync(1, vec![]).await;
        plane
    }

    /// Attaches "dp" with one shard, 1, and two empty tables.
    pub(crate) async fn fresh_of_both(service: &Service) -> Self {
        let mut plane = Self::attach(service, hello_of_both("dp", 1, &[1])).await.unwrap();
        plane.resync(1, vec![]).await;
        plane.resync_wide(1, vec![]).await;
        plane
    }

    pub(crate) async fn send(&mut self, shard: u32, records: Vec<Record>) {
        let seq = self.next_seq.entry(shard).or_insert(1);
        let first_seq = *seq;
        *seq += records.len() as u64;
        let records = self.bytes(&records).await;
        self.send_batch(Batch { shard, first_seq, records }).await;
    }

    /// Returns records in their fixed form, after introducing their authors.
    async fn bytes(&mut self, records: &[Record]) -> Vec<u8> {
        let known = self.introduced.0.len();
        let bytes: Vec<_> = records.iter().map(|r| self.introduced.record(r).to_bytes()).collect();
        let news = self.introduced.0.iter().zip(1..).skip(known);
        let authors: Vec<_> =
            news.map(|(actor, number)| Author { number, actor: Some(actor.clone()) }).collect();
        if !authors.is_empty() {
            self.introduce(authors).await;
        }
        bytes.concat()
    }

    /// Returns entries in the form of an answer.
    async fn entries(&mut self, time_ns: u64, entries: &[EntryRecord]) -> Vec<u8> {
        let present = |entry: &EntryRecord| record(RecordKind::Present, time_ns, entry.clone());
        self.bytes(&entries.iter().map(present).collect::<Vec<_>>()).await
    }

    pub(crate) async fn introduce(&mut self, authors: Vec<Author>) {
        let body = attach_request::Body::Authors(Authors { authors });
        self.up.send(AttachRequest { body: Some(body) }).await.unwrap();
    }

    pub(crate) async fn send_batch(&mut self, batch: Batch) {
        self.up.send(AttachRequest { body: Some(attach_request::Body::Batch(batch)) }).await.unwrap();
    }

    pub(crate) async fn resync(&mut self, shard: u32, entries: Vec<Record>) {
        self.send(shard, vec![bare(RecordKind::ResyncBegin)]).await;
        self.send(shard, entries).await;
        self.send(shard, vec![bare(RecordKind::ResyncEnd)]).await;
    }

    /// Does the same as [`Plane::resync`] with the table of IPv6, after turning the records of IPv4
    /// into records of IPv6 ([`wide`]).
    pub(crate) async fn resync_wide(&mut self, shard: u32, entries: Vec<Record>) {
        self.send(shard, vec![wide(bare(RecordKind::ResyncBegin))]).await;
        self.send(shard, entries.into_iter().map(wide).collect()).await;
        self.send(shard, vec![wide(bare(RecordKind::ResyncEnd))]).await;
    }

    pub(crate) async fn command(&mut self) -> Command {
        match soon("a command", self.down.message()).await.unwrap().unwrap().body {
            Some(attach_response::Body::Command(command)) => command,
            other => panic!("{other:?} is not a command"),
        }
    }

    pub(crate) async fn reply(&mut self, reply: Reply) {
        self.up.send(AttachRequest { body: Some(attach_request::Body::Reply(reply)) }).await.unwrap();
    }

    /// Sends a reply, unless the link has ended.
    pub(crate) async fn offer_reply(&mut self, reply: Reply) {
        let body = attach_request::Body::Reply(reply);
        drop(self.up.send(AttachRequest { body: Some(body) }).await);
    }

    /// Waits until the service has processed everything that was sent: replies come after batches
    /// on the same stream.
    pub(crate) async fn settled(&mut self, service: &Service) {
        self.settled_as(service, "").await;
    }

    /// Does the same as [`Plane::settled`], while other data planes are attached.
    pub(crate) async fn settled_as(&mut self, service: &Service, name: &str) {
        let mut client = service.client().await;
        let name = name.to_owned();
        let asked = tokio::spawn(async move { client.get_stats(stats_of(&name)).await });
        let command = self.command().await;
        let stats = DataplaneStats::default();
        self.reply(Reply { stats: Some(stats), ..status(command.id, ReplyStatus::Ok) }).await;
        soon("stats", asked).await.unwrap().unwrap();
    }

    /// Waits for the end of the link, and returns its status.
    pub(crate) async fn ended(&mut self) -> Result<(), Status> {
        let drain = async {
            while self.down.message().await?.is_some() {}
            Ok(())
        };
        soon("the end of the link", drain).await
    }

    /// Cuts the link and waits until the service has noticed it.
    pub(crate) async fn cut(self, service: &Service) {
        drop(self);
        let away = || service.hub.dataplanes().iter().all(|d| !d.attached);
        until("the service to notice the cut", away).await;
    }

    /// Answers commands from `table` until the link ends.
    pub(crate) fn serve(mut self, mut table: Vec<EntryRecord>, time_ns: u64) {
        tokio::spawn(async move {
            while let Ok(Some(message)) = self.down.message().await {
                let Some(attach_response::Body::Command(command)) = message.body else { continue };
                let id = command.id;
                let find = |table: &[EntryRecord], key: &[u8]| {
                    table.iter().position(|entry| entry.key.to_bytes() == key)
                };
                let done = status(id, ReplyStatus::Ok);
                let missing = status(id, ReplyStatus::NotFound);
                match command.body.unwrap() {
                    command::Body::Get(get) => {
                        let found = find(&table, &get.key).map(|i| table[i].clone());
                        let reply = match found {
                            Some(entry) => Reply { records: self.entries(time_ns, &[entry]).await, ..done },
                            None => missing,
                        };
                        self.reply(reply).await;
                    }
                    command::Body::Delete(delete) => {
                        let found = find(&table, &delete.key).map(|i| table.remove(i));
                        let reply = match found {
                            Some(entry) => Reply { records: self.entries(time_ns, &[entry]).await, ..done },
                            None => missing,
                        };
                        self.reply(reply).await;
                    }
                    command::Body::Dump(dump) => {
                        let filter = Program::from_proto(dump.filter.as_ref()).unwrap();
                        let mut wanted = table.clone();
                        wanted.retain(|entry| {
                            entry.key.family().pipeline() == dump.pipeline
                                && filter.matches(&facts(entry, time_ns))
                        });
                        for part in wanted.chunks(10) {
                            let records = self.entries(time_ns, part).await;
                            self.reply(Reply { id, records, ..Reply::default() }).await;
                        }
                        self.reply(done).await;
                    }
                    command::Body::Stats(_) => {
                        let lcores = vec![LcoreStats { lcore: 1, rx: 7, ..LcoreStats::default() }];
                        let stats = DataplaneStats { lcores, ..DataplaneStats::default() };
                        self.reply(Reply { stats: Some(stats), ..done }).await;
                    }
                    command::Body::Cancel(_) => {}
                    other => panic!("paper has no answer to {other:?}"),
                }
            }
        });
    }
}

/// Returns the facts of an entry that a data plane's filters test at `time_ns`.
fn facts(entry: &EntryRecord, time_ns: u64) -> Facts {
    let key = entry.key;
    Facts {
        family: key.family(),
        key: key.widen(),
        prio: show::PRIORITY,
        idle_ms: time_ns.saturating_sub(entry.last_used_time_ns) / 1_000_000,
        cmd: 0,
    }
}

/// Returns a request for the counters of a data plane.
pub(crate) fn stats_of(dataplane: &str) -> GetStatsRequest {
    GetStatsRequest { dataplane: dataplane.to_owned(), ..GetStatsRequest::default() }
}

/// Returns a reply that has only a status.
pub(crate) fn status(id: u64, status: ReplyStatus) -> Reply {
    Reply { id, status: status.into(), ..Reply::default() }
}

impl Plane {
    /// Does the same as [`Plane::cut`], while other data planes stay attached.
    pub(crate) async fn cut_one(self, service: &Service, name: &str) {
        drop(self);
        let away = || service.hub.dataplanes().iter().any(|d| *d.name == *name && !d.attached);
        until("the service to notice the cut", away).await;
    }
}
