//! Watchers that behave: each folds every event that it reads, as it arrives. One kind is `ctl
//! watch`; the other is a client that follows the documented rules of the API.

use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use flowtracker_proto::v1::flow_tracker_service_client::FlowTrackerServiceClient;
use flowtracker_proto::v1::{self, start};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use flowtracker_proto::test_support::event::{Event, Key};
use flowtracker_proto::test_support::fold::{Fold, Tables, Tally};

/// Time limit of an attempt to connect.
const DIAL: Duration = Duration::from_secs(2);
/// Pause between two attempts, and between two checks of the API's watcher whether it is to end.
const PAUSE: Duration = Duration::from_millis(100);

/// The state that a watcher shares with its reader thread.
#[derive(Debug, Default)]
struct Shared {
    fold: Mutex<State>,
    ending: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    fold: Fold,
    /// Description of the first broken law.
    broken: Option<String>,
    /// Streams begun after the first.
    resumed: u64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.fold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, event: Result<Event, String>) {
        let state = &mut *self.lock();
        if state.broken.is_none() {
            state.broken = event.and_then(|event| state.fold.take(&event)).err();
        }
    }
}

/// A running watcher. Dropping it ends it.
#[derive(Debug)]
pub struct Watcher {
    name: String,
    shared: Arc<Shared>,
    ctl: Option<Child>,
    /// Its filter passes this source address.
    source: Option<Ipv4Addr>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Starts `ctl watch` from a snapshot. `ctl` is a command that runs that program on a server.
    /// It has to resume by itself after a fault. With `source` it has a filter, which passes the
    /// flows from this address.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn ctl(name: &str, ctl: &mut Command, source: Option<Ipv4Addr>) -> Self {
        ctl.args(["watch", "-o", "json", "--from", "snapshot"]);
        if let Some(source) = source {
            ctl.arg("filter").arg(format!("key.srcAddr = \"{source}\""));
        }
        let mut child = ctl
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {ctl:?}: {error}"));
        let lines = BufReader::with_capacity(1 << 20, child.stdout.take().expect("piped"));
        let shared = Arc::new(Shared::default());
        if source.is_some() {
            shared.lock().fold = Fold::default().filtered();
        }
        let thread = {
            let shared = shared.clone();
            std::thread::spawn(move || {
                let read = |line: &str| {
                    Event::from_json(line).map_err(|error| format!("{error} in the line {line}"))
                };
                lines.lines().map_while(Result::ok).for_each(|line| shared.take(read(&line)));
            })
        };
        Self { name: name.to_owned(), shared, ctl: Some(child), source, thread: Some(thread) }
    }

    /// Starts a client of the API at `server`. It resumes after the last event that it has, and
    /// starts from a snapshot when the server refuses that.
    ///
    /// # Panics
    /// When `server` is no URI.
    #[must_use]
    pub fn api(name: &str, server: &str) -> Self {
        let endpoint = Endpoint::from_shared(server.to_owned()).expect("a URI").connect_timeout(DIAL);
        let shared = Arc::new(Shared::default());
        let thread = {
            let shared = shared.clone();
            std::thread::spawn(move || runtime().block_on(follow(&endpoint, &shared)))
        };
        Self { name: name.to_owned(), shared, ctl: None, source: None, thread: Some(thread) }
    }

    /// Returns the name, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the process id of `ctl`.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.ctl.as_ref().map(Child::id)
    }

    /// Returns whether it is to know the flow with this key.
    #[must_use]
    pub fn covers(&self, key: &Key) -> bool {
        self.source.is_none_or(|source| key.source() == std::net::IpAddr::V4(source))
    }

    /// Returns the epoch and number up to which it knows all events, or `None` during a snapshot.
    ///
    /// # Panics
    /// When it has found a broken law, or has ended.
    pub fn position(&mut self) -> Option<(u64, u64)> {
        let Self { name, ctl, shared, .. } = self;
        let state = shared.lock();
        if let Some(broken) = &state.broken {
            panic!("{name}: {broken}");
        }
        let status = ctl.as_mut().and_then(|child| child.try_wait().expect("own child"));
        assert_eq!(status, None, "{name} has ended");
        state.fold.position()
    }

    /// Returns the state that it has folded.
    #[must_use]
    pub fn tables(&self) -> Tables {
        self.shared.lock().fold.tables().clone()
    }

    /// Returns what its streams have carried, and the number of streams after the first as far as
    /// it is known.
    #[must_use]
    pub fn tally(&self) -> (Tally, u64) {
        let state = self.shared.lock();
        (state.fold.tally(), state.resumed)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::Release);
        if let Some(mut child) = self.ctl.take() {
            // The value is being dropped, perhaps in a panic, so errors are ignored.
            let _ = child.kill();
            let _ = child.wait();
        }
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been printed already.
            let _ = thread.join();
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Reads one stream after the other until the watcher is to end.
async fn follow(endpoint: &Endpoint, shared: &Shared) {
    while !shared.ending.load(Ordering::Acquire) {
        // Errors of the transport are ignored, because the client connects again.
        if let Ok(channel) = endpoint.connect().await
            && let Err(status) = stream(channel, shared).await
            && status.code() == Code::OutOfRange
        {
            shared.lock().fold.start_over();
        } else {
            tokio::time::sleep(PAUSE).await;
        }
        shared.lock().resumed += 1;
    }
}

/// Reads one stream to its end.
async fn stream(channel: Channel, shared: &Shared) -> Result<(), Status> {
    let at = {
        let fold = &mut shared.lock().fold;
        match fold.position() {
            Some((epoch, seq)) => start::At::After(v1::After { epoch, seq }),
            None => {
                // The part of a snapshot that was interrupted is discarded.
                fold.start_over();
                start::At::Snapshot(v1::Snapshot {})
            }
        }
    };
    let start = Some(v1::Start { at: Some(at) });
    let request = v1::WatchEventsRequest { start, ..Default::default() };
    let mut client = FlowTrackerServiceClient::new(channel);
    let mut answer = std::pin::pin!(client.watch_events(request));
    let mut events = loop {
        match tokio::time::timeout(PAUSE, &mut answer).await {
            Ok(answer) => break answer?.into_inner(),
            Err(_) if shared.ending.load(Ordering::Acquire) => return Ok(()),
            Err(_) => {}
        }
    };
    while !shared.ending.load(Ordering::Acquire) {
        // A timeout loses no event, because the stream keeps what it has received.
        match tokio::time::timeout(PAUSE, events.message()).await {
            Ok(Ok(Some(response))) => {
                response.events.iter().for_each(|event| shared.take(Event::from_proto(event)));
            }
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(status)) => return Err(status),
            Err(_) => {}
        }
    }
    Ok(())
}

/// A client for unary calls. Each has a connection of its own, so that a restart of the service
/// does not affect the next.
#[derive(Debug)]
pub struct Caller {
    endpoint: Endpoint,
    runtime: tokio::runtime::Runtime,
}

impl Caller {
    /// Returns a caller for the unix socket `server`. A call that takes longer than `limit` fails.
    ///
    /// # Panics
    /// When the path cannot be part of a URI.
    #[must_use]
    pub fn new(server: &Path, limit: Duration) -> Self {
        let endpoint = Endpoint::from_shared(format!("unix:{}", server.display())).expect("a path");
        Self { endpoint: endpoint.connect_timeout(limit).timeout(limit), runtime: runtime() }
    }

    /// Makes one call.
    ///
    /// # Errors
    /// When the service is away, or refuses.
    pub fn call<T>(
        &self,
        call: impl AsyncFnOnce(&mut FlowTrackerServiceClient<Channel>) -> Result<tonic::Response<T>, Status>,
    ) -> Result<T, Status> {
        self.runtime.block_on(async {
            let away = |error: tonic::transport::Error| Status::unavailable(error.to_string());
            let channel = self.endpoint.connect().await.map_err(away)?;
            Ok(call(&mut FlowTrackerServiceClient::new(channel)).await?.into_inner())
        })
    }

    /// Returns every entry that ListEntries lists.
    ///
    /// # Errors
    /// When the service is away, or refuses.
    pub fn entries(&self) -> Result<Vec<v1::Entry>, Status> {
        self.call(async |client| Ok(tonic::Response::new(entries(client).await?)))
    }
}

/// Returns every entry that ListEntries lists.
///
/// # Errors
/// When the service refuses.
pub async fn entries(client: &mut FlowTrackerServiceClient<Channel>) -> Result<Vec<v1::Entry>, Status> {
    let mut answers = client.list_entries(v1::ListEntriesRequest::default()).await?.into_inner();
    let mut entries = Vec::new();
    while let Some(answer) = answers.message().await? {
        entries.extend(answer.entries);
    }
    Ok(entries)
}
