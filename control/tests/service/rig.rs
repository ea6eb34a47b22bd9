//! A service in this process, a simulated data plane, and the fold that every watcher is promised.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use control::config::Config;
use control::door::Door;
use control::door::refusals::Reason;
use control::mirror::hub::Hub;
use control::server;
use flowtracker_proto::change::EntryState;
use flowtracker_proto::table::Family;
use flowtracker_proto::test_support::event::{self, Key, State};
pub(crate) use flowtracker_proto::test_support::fold::Fold;
use flowtracker_proto::v1::flow_tracker_service_client::FlowTrackerServiceClient;
use flowtracker_proto::v1::{
    After, DeleteReason, Event, EventType, LifecycleKind, Now, Snapshot, Start, WatchEventsRequest,
    WatchEventsResponse, start,
};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

// By path, because another crate has these files as well.
#[path = "rig/plane.rs"]
mod plane;
#[path = "rig/records.rs"]
mod records;

pub(crate) use self::plane::*;
pub(crate) use self::records::*;

/// 2026-11-22 06:46:12.123456 UTC, Unix nanoseconds.
pub(crate) const T: u64 = 1_795_329_972_123_456_000;
/// One second, nanoseconds.
pub(crate) const SEC: u64 = 1_000_000_000;
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
        self.watch_as(WatchEventsRequest { filter: filter.to_owned(), ..watch_request(at) }).await
    }

    /// Watches with a request of any kind.
    pub(crate) async fn watch_as(&self, request: WatchEventsRequest) -> Watcher {
        let stream = self.client().await.watch_events(request).await.unwrap().into_inner();
        Watcher { stream, ready: Vec::new() }
    }

    /// Watches one data plane.
    pub(crate) async fn watch_of(&self, dataplane: &str, at: start::At) -> Watcher {
        self.watch_as(WatchEventsRequest { dataplane: dataplane.to_owned(), ..watch_request(at) }).await
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

/// Returns an event in short: `CREATED n` for [`flow`]`(n)`, `DELETED n RESYNC`, with `IPV6` behind
/// it where that table is meant.
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
    let pipeline = event.entry.as_ref().map_or(&event.pipeline, |entry| &entry.pipeline);
    if pipeline == Family::Ipv6.pipeline() {
        word += " IPV6";
    }
    word
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
