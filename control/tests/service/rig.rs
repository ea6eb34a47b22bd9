//! A service in this process, a simulated data plane, and the fold that every watcher is promised.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use control::config::Config;
use control::door::Door;
use control::door::refusals::Reason;
use control::mirror::hub::Hub;
use control::server;
use flowtracker_proto::change::{EntryState, Report};
use flowtracker_proto::filter::{Facts, Program};
use flowtracker_proto::key::FlowKey;
use flowtracker_proto::link::{self, AuthorNumber, BadRecord, Body};
use flowtracker_proto::show;
use flowtracker_proto::table::IPV4_FLOWS;
use flowtracker_proto::test_support::event::{self, Key, State};
pub(crate) use flowtracker_proto::test_support::fold::Fold;
use flowtracker_proto::v1::dataplane_link_service_client::DataplaneLinkServiceClient;
use flowtracker_proto::v1::flow_tracker_service_client::FlowTrackerServiceClient;
use flowtracker_proto::v1::{
    Actor, After, AttachRequest, AttachResponse, Author, Authors, Batch, Command, DataplaneStats,
    DeleteReason, Event, EventType, GetStatsRequest, Hello, LcoreStats, LifecycleKind, Now, RecordKind,
    Reply, ReplyStatus, Snapshot, Start, TableCapacity, WatchEventsRequest, WatchEventsResponse,
    attach_request, attach_response, command, start,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

/// 2026-11-22 06:46:12.123456 UTC, Unix nanoseconds.
pub(crate) const T: u64 = 1_795_329_972_123_456_000;
/// One second, nanoseconds.
pub(crate) const SEC: u64 = 1_000_000_000;
/// Permissions of learned entries: `-RUD-PS-RUDX--`.
pub(crate) const LEARNED: u16 = 0x1dbc;
/// Limit of every wait, longer than any should take; it keeps a broken test from hanging.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for `work`, and fails rather than hangs.
pub(crate) async fn soon<F: Future>(what: &str, work: F) -> F::Output {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(output) => output,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// Waits until `holds` returns true.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let poll = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    soon(what, poll).await;
}

/// A service on a free port.
pub(crate) struct Service {
    pub(crate) addr: SocketAddr,
    doors: Vec<(&'static str, Option<SocketAddr>)>,
    /// Address of metrics and health.
    pub(crate) http: Option<SocketAddr>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) door: Arc<Door>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), server::ServeError>>,
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts a service with these flags besides the address. Without `--http` among them, it has
    /// no HTTP.
    pub(crate) async fn with(flags: &[&str]) -> Self {
        let base = ["flowtracker-control", "--listen", "127.0.0.1:0"];
        let http: &[_] = if flags.contains(&"--http") { &[] } else { &["--http", "off"] };
        let args = base.iter().chain(http).chain(flags);
        let config = Config::read(args.map(std::ffi::OsString::from)).unwrap();
        let bound = server::bind(&config).await.unwrap();
        let doors =
            ["listen", "listen-read", "listen-link"].map(|option| (option, bound.addr(option))).to_vec();
        let (stop, stopped) = oneshot::channel();
        let (addr, http, hub, door) =
            (bound.addr("listen").unwrap(), bound.http_addr(), bound.hub(), bound.door());
        let task = tokio::spawn(bound.serve(async { drop(stopped.await) }));
        Self { addr, doors, http, hub, door, stop, task }
    }

    /// Returns the address of the TCP door that this option has opened.
    pub(crate) fn door_addr(&self, option: &str) -> SocketAddr {
        self.doors.iter().find(|(name, _)| *name == option).and_then(|(_, addr)| *addr).unwrap()
    }

    /// Returns how often the service refused something for this reason.
    pub(crate) fn refused(&self, reason: Reason) -> u64 {
        self.door.refusals.of(reason)
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(self.uri()).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn client(&self) -> FlowTrackerServiceClient<Channel> {
        FlowTrackerServiceClient::new(self.channel().await)
    }

    pub(crate) async fn watch(&self, at: start::At) -> Watcher {
        self.watch_filtered(at, "").await
    }

    /// Watches over a channel that the test has made.
    pub(crate) async fn watch_over(&self, channel: Channel, at: start::At) -> Result<Watcher, Status> {
        let mut client = FlowTrackerServiceClient::new(channel);
        let stream = client.watch_events(watch_request(at)).await?.into_inner();
        Ok(Watcher { stream, ready: Vec::new() })
    }

    pub(crate) async fn watch_filtered(&self, at: start::At, filter: &str) -> Watcher {
        let request = WatchEventsRequest { filter: filter.to_owned(), ..watch_request(at) };
        let stream = self.client().await.watch_events(request).await.unwrap().into_inner();
        Watcher { stream, ready: Vec::new() }
    }

    /// Watches one data plane.
    pub(crate) async fn watch_of(&self, dataplane: &str, at: start::At) -> Watcher {
        let request = WatchEventsRequest { dataplane: dataplane.to_owned(), ..watch_request(at) };
        let stream = self.client().await.watch_events(request).await.unwrap().into_inner();
        Watcher { stream, ready: Vec::new() }
    }

    /// Returns the mirrored entries of the first data plane.
    pub(crate) async fn mirrored(&self) -> Vec<EntryState> {
        self.hub.snapshot().await.parts().unwrap()[0].1.clone()
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        soon("the service to stop", self.task).await.unwrap().unwrap();
    }
}

/// Returns a door with the bounds that these flags set.
pub(crate) fn door(flags: &[&str]) -> Arc<Door> {
    let config = Config::try_parse_from(["flowtracker-control"].iter().chain(flags)).unwrap();
    Arc::new(Door::new(config.limits))
}

pub(crate) fn now() -> start::At {
    start::At::Now(Now {})
}

pub(crate) fn snapshot() -> start::At {
    start::At::Snapshot(Snapshot {})
}

pub(crate) fn after(epoch: u64, seq: u64) -> start::At {
    start::At::After(After { epoch, seq })
}

pub(crate) fn watch_request(at: start::At) -> WatchEventsRequest {
    WatchEventsRequest { start: Some(Start { at: Some(at) }), ..WatchEventsRequest::default() }
}

/// A stream of events, read one at a time.
pub(crate) struct Watcher {
    stream: Streaming<WatchEventsResponse>,
    ready: Vec<Event>,
}

impl Watcher {
    /// Returns the next event or mark.
    pub(crate) async fn any(&mut self) -> Result<Event, Status> {
        while self.ready.is_empty() {
            let response = soon("an event", self.stream.message()).await?;
            self.ready = response.ok_or_else(|| Status::aborted("end of stream"))?.events;
            self.ready.reverse();
        }
        Ok(self.ready.pop().unwrap())
    }

    /// Returns the status that ends the stream.
    pub(crate) async fn end(&mut self) -> Status {
        let end = async {
            loop {
                if let Err(status) = self.any().await {
                    return status;
                }
            }
        };
        soon("the end of a stream", end).await
    }

    /// Returns the next event that is not PROGRESS. A stream that carries only PROGRESS for long is
    /// broken.
    pub(crate) async fn next(&mut self) -> Event {
        for _ in 0..PATIENCE.as_secs() {
            let event = self.any().await.unwrap();
            if event.r#type() != EventType::Progress {
                return event;
            }
        }
        panic!("nothing but PROGRESS comes");
    }

    /// Returns the next `n` events in the short form of [`word`].
    pub(crate) async fn words(&mut self, n: usize) -> Vec<String> {
        let mut words = Vec::new();
        for _ in 0..n {
            words.push(word(&self.next().await));
        }
        words
    }
}

/// Returns an event in short: `CREATED n` for [`flow`]`(n)`, `DELETED n RESYNC`.
pub(crate) fn word(event: &Event) -> String {
    let mut word = event.r#type().as_str_name().replace("EVENT_TYPE_", "");
    if let Some(entry) = &event.entry {
        word += &format!(" {}", entry.key.as_ref().unwrap().src_port);
    }
    if event.reason() != DeleteReason::Unspecified {
        word += &event.reason().as_str_name().replace("DELETE_REASON_", " ");
    }
    if event.lifecycle() != LifecycleKind::Unspecified {
        word += &event.lifecycle().as_str_name().replace("LIFECYCLE_KIND_", " ");
    }
    word
}

/// Returns the n-th flow, which differs in its source port.
pub(crate) fn flow(n: u16) -> FlowKey {
    "port0/tcp/10.0.0.1:1-10.0.0.2:1234".parse().map(|key| FlowKey { src_port: n, ..key }).unwrap()
}

/// Returns the same as watchers see it.
pub(crate) fn key(n: u16) -> Key {
    Key::parse(("port0", "10.0.0.1", "10.0.0.2"), (6, n.into(), 1234)).unwrap()
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
    pub(crate) entry: Option<EntryRecord>,
    pub(crate) reason: DeleteReason,
    pub(crate) deleted_by: Option<Actor>,
    pub(crate) deleted: u64,
    pub(crate) failed: u64,
}

/// The authors that a data plane has introduced, by number.
#[derive(Default)]
pub(crate) struct Introduced(Vec<Actor>);

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
            RecordKind::ResyncBegin => Body::ResyncBegin,
            RecordKind::ResyncEnd => Body::ResyncEnd,
            RecordKind::Flushed => Body::Flushed { deleted: record.deleted, failed: record.failed },
            RecordKind::Purged => Body::Purged { deleted: record.deleted },
            RecordKind::Loaded => Body::Loaded,
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

/// Returns a record without an entry.
pub(crate) fn bare(kind: RecordKind) -> Record {
    let reason = DeleteReason::Unspecified;
    Record { kind, time_ns: T, entry: None, reason, deleted_by: None, deleted: 0, failed: 0 }
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

/// Returns the declaration that the table may hold `entries`.
pub(crate) fn capacity(entries: u64) -> TableCapacity {
    TableCapacity { pipeline: IPV4_FLOWS.pipeline.to_owned(), entries }
}

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
                        wanted.retain(|entry| filter.matches(&facts(entry, time_ns)));
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
        key: key.widen(),
        prio: show::PRIORITY,
        idle_ms: time_ns.saturating_sub(entry.last_used_time_ns) / 1_000_000,
        cmd: 0,
    }
}

/// Returns a request for the counters of a data plane.
pub(crate) fn stats_of(dataplane: &str) -> GetStatsRequest {
    GetStatsRequest { dataplane: dataplane.to_owned() }
}

/// Returns a reply that has only a status.
pub(crate) fn status(id: u64, status: ReplyStatus) -> Reply {
    Reply { id, status: status.into(), ..Reply::default() }
}

/// Takes an event or mark into a fold, which refuses what breaks the promise of the stream.
pub(crate) fn take(fold: &mut Fold, event: &Event) {
    event::Event::from_proto(event).and_then(|event| fold.take(&event)).unwrap();
}

/// Returns the entries of the data plane "dp".
pub(crate) fn table(fold: &Fold) -> HashMap<Key, State> {
    fold.tables().get("dp").cloned().unwrap_or_default()
}

/// Returns true when the fold has reached this number, or is beyond it.
pub(crate) fn has_reached(fold: &Fold, seq: u64) -> bool {
    fold.position().is_some_and(|(_, reached)| reached >= seq)
}

impl Plane {
    /// Does the same as [`Plane::cut`], while other data planes stay attached.
    pub(crate) async fn cut_one(self, service: &Service, name: &str) {
        drop(self);
        let away = || service.hub.dataplanes().iter().any(|d| *d.name == *name && !d.attached);
        until("the service to notice the cut", away).await;
    }
}

/// A directory that is deleted with the test.
pub(crate) struct Dir(std::path::PathBuf);

impl Dir {
    pub(crate) fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("flowtracker-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
