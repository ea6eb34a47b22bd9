//! Watchers that behave: each folds all that it reads, as it comes. One is `ctl watch`, the other
//! follows the documented rules of the API by itself.

use std::io::{BufRead, BufReader};
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

use flowtracker_proto::test_support::event::Event;
use flowtracker_proto::test_support::fold::{Fold, Tables, Tally};

/// How long an attempt to dial may take.
const DIAL: Duration = Duration::from_secs(2);
/// Pause between two attempts, and how often the API's watcher looks whether it is to end.
const PAUSE: Duration = Duration::from_millis(100);

/// What has been folded so far.
#[derive(Debug, Default)]
struct Shared {
    fold: Mutex<State>,
    ending: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    fold: Fold,
    /// The first law that was broken.
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

/// A watcher at work. Dropping it ends it.
#[derive(Debug)]
pub struct Watcher {
    name: String,
    shared: Arc<Shared>,
    ctl: Option<Child>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// `ctl watch` from a snapshot on; `ctl` is that program, aimed at a server. It has to find its
    /// way back by itself.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn ctl(name: &str, ctl: &mut Command) -> Self {
        let mut child = ctl
            .args(["watch", "-o", "json", "--from", "snapshot"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {ctl:?}: {error}"));
        let lines = BufReader::with_capacity(1 << 20, child.stdout.take().expect("piped"));
        let shared = Arc::new(Shared::default());
        let thread = {
            let shared = shared.clone();
            std::thread::spawn(move || {
                let read = |line: &str| {
                    Event::from_json(line).map_err(|error| format!("{error} in the line {line}"))
                };
                lines.lines().map_while(Result::ok).for_each(|line| shared.take(read(&line)));
            })
        };
        Self { name: name.to_owned(), shared, ctl: Some(child), thread: Some(thread) }
    }

    /// A client of the API at `server`: it resumes after the last event that it has, and starts
    /// from a snapshot when it is told that this is not possible.
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
        Self { name: name.to_owned(), shared, ctl: None, thread: Some(thread) }
    }

    /// Its name, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Epoch and number up to which it knows all; `None` while a snapshot is coming.
    ///
    /// # Panics
    /// When it has met a broken law, or has ended.
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

    /// The state that it has folded.
    #[must_use]
    pub fn tables(&self) -> Tables {
        self.shared.lock().fold.tables().clone()
    }

    /// How much its streams have carried, and how many there were after the first as far as that is
    /// known.
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
            // Already being dropped, perhaps in a panic: nothing to do about errors.
            let _ = child.kill();
            let _ = child.wait();
        }
        if let Some(thread) = self.thread.take() {
            // A panic there has been shown already.
            let _ = thread.join();
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Streams one after the other until the end.
async fn follow(endpoint: &Endpoint, shared: &Shared) {
    while !shared.ending.load(Ordering::Acquire) {
        // What the transport says is of no interest: it is dialled again.
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

/// One stream to its end.
async fn stream(channel: Channel, shared: &Shared) -> Result<(), Status> {
    let at = {
        let fold = &mut shared.lock().fold;
        match fold.position() {
            Some((epoch, seq)) => start::At::After(v1::After { epoch, seq }),
            None => {
                // What came of a snapshot that broke off is no use.
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
        // A wait that is given up loses nothing: the stream keeps what it has.
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

/// Unary calls, each over a connection of its own, so that no restart of the service is in their
/// way.
#[derive(Debug)]
pub struct Caller {
    endpoint: Endpoint,
    runtime: tokio::runtime::Runtime,
}

impl Caller {
    /// Aims at the unix socket `server`; a call that takes longer than `limit` is refused.
    ///
    /// # Panics
    /// When the path is not fit for a URI.
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

    /// Every entry, as ListEntries gives them.
    ///
    /// # Errors
    /// When the service is away, or refuses.
    pub fn entries(&self) -> Result<Vec<v1::Entry>, Status> {
        self.call(async |client| Ok(tonic::Response::new(entries(client).await?)))
    }
}

/// Every entry, as ListEntries gives them.
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
