//! A service that answers from a script and records its requests: the oracle for the requests of
//! `ctl` and for its handling of each answer.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use flowtracker_proto::v1::flow_tracker_service_server::{FlowTrackerService, FlowTrackerServiceServer};
use flowtracker_proto::v1::*;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status};

/// The next answer of the service, to any client.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Answers a request that concerns one entry.
    Entry(Box<Entry>),
    /// Answers ListEntries.
    Entries(Vec<Entry>),
    /// Answers WatchEvents; then the stream ends with this status.
    Events(Vec<Event>, Status),
    /// Answers FlushEntries.
    Flushed(u64, u64),
    /// Answers GetTable and UpdateTable.
    Table(Table),
    /// Answers GetIntrospection.
    Introspection(&'static str),
    /// Answers Load.
    Loaded,
    /// Answers Purge.
    Purged(u64),
    /// Answers ListDataplanes.
    Dataplanes(Vec<Dataplane>),
    /// Answers GetStats.
    Stats(GetStatsResponse),
    /// Answers WhoAmI.
    Caller(WhoAmIResponse),
    /// Answers any request.
    Refused(Status),
}

#[derive(Debug, Default)]
struct Script {
    answers: VecDeque<Answer>,
    asked: Vec<String>,
    pids: Vec<String>,
}

/// The scripted service.
#[derive(Clone, Debug)]
pub(crate) struct Scripted {
    script: Arc<Mutex<Script>>,
    finished: Arc<AtomicUsize>,
    uri: String,
}

impl Scripted {
    /// Serves on a free port until the test ends.
    pub(crate) async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap());
        let script = Script { answers: answers.into(), ..Script::default() };
        let scripted = Self { script: Arc::new(Mutex::new(script)), finished: Arc::default(), uri };
        let service = FlowTrackerServiceServer::new(scripted.clone());
        let incoming = TcpListenerStream::new(listener);
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(incoming));
        scripted
    }

    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// Returns the requests, as `Rpc {request in proto3 JSON}`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.script.lock().unwrap().asked.clone()
    }

    /// Returns `PID PROCESS` of each request.
    pub(crate) fn pids(&self) -> Vec<String> {
        self.script.lock().unwrap().pids.clone()
    }

    /// Returns the number of answers that no request has used.
    pub(crate) fn left(&self) -> usize {
        self.script.lock().unwrap().answers.len()
    }

    /// Returns the number of lists whose client has taken all of them.
    pub(crate) fn finished(&self) -> usize {
        self.finished.load(Ordering::Relaxed)
    }

    fn answer<T: Serialize>(&self, rpc: &str, request: &Request<T>) -> Result<Answer, Status> {
        let text = |key| request.metadata().get(key).and_then(|v| v.to_str().ok()).unwrap_or("-");
        let mut script = self.script.lock().unwrap();
        script.asked.push(format!("{rpc} {}", serde_json::to_string(request.get_ref()).unwrap()));
        script.pids.push(format!("{} {}", text("x-flowtracker-pid"), text("x-flowtracker-process")));
        match script.answers.pop_front() {
            Some(Answer::Refused(status)) => Err(status),
            Some(answer) => Ok(answer),
            None => panic!("the script has no answer to {rpc}"),
        }
    }
}

/// Turns an answer of the script into a response; the answer must fit the request.
macro_rules! fitting {
    ($answer:expr, $pattern:pat => $response:expr) => {
        match $answer? {
            $pattern => Ok(Response::new($response)),
            other => panic!("the script says {other:?}"),
        }
    };
}

type Items<T> = tokio_stream::Iter<std::vec::IntoIter<Result<T, Status>>>;
type Counted<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl FlowTrackerService for Scripted {
    type WatchEventsStream = Items<WatchEventsResponse>;
    type ListEntriesStream = Counted<ListEntriesResponse>;

    async fn watch_events(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        fitting!(self.answer("WatchEvents", &request), Answer::Events(events, end) =>
            tokio_stream::iter(vec![Ok(WatchEventsResponse { events }), Err(end)]))
    }

    async fn list_entries(
        &self,
        request: Request<ListEntriesRequest>,
    ) -> Result<Response<Self::ListEntriesStream>, Status> {
        fitting!(self.answer("ListEntries", &request), Answer::Entries(entries) => {
            // The entries come in runs whose length is unrelated to P4TC's messages.
            let runs = entries.chunks(7).map(|run| Ok(ListEntriesResponse { entries: run.to_vec() }));
            let finished = self.finished.clone();
            // Asked for after the last run only.
            let end = tokio_stream::iter(std::iter::from_fn(move || {
                finished.fetch_add(1, Ordering::Relaxed);
                None
            }));
            Box::pin(tokio_stream::iter(runs.collect::<Vec<_>>()).chain(end)) as Counted<_>
        })
    }

    async fn get_entry(
        &self,
        request: Request<GetEntryRequest>,
    ) -> Result<Response<GetEntryResponse>, Status> {
        fitting!(self.answer("GetEntry", &request), Answer::Entry(e) => GetEntryResponse { entry: Some(*e) })
    }

    async fn create_entry(
        &self,
        request: Request<CreateEntryRequest>,
    ) -> Result<Response<CreateEntryResponse>, Status> {
        fitting!(self.answer("CreateEntry", &request), Answer::Entry(e) => CreateEntryResponse { entry: Some(*e) })
    }

    async fn update_entry(
        &self,
        request: Request<UpdateEntryRequest>,
    ) -> Result<Response<UpdateEntryResponse>, Status> {
        fitting!(self.answer("UpdateEntry", &request), Answer::Entry(e) => UpdateEntryResponse { entry: Some(*e) })
    }

    async fn delete_entry(
        &self,
        request: Request<DeleteEntryRequest>,
    ) -> Result<Response<DeleteEntryResponse>, Status> {
        fitting!(self.answer("DeleteEntry", &request), Answer::Entry(e) => DeleteEntryResponse { entry: Some(*e) })
    }

    async fn flush_entries(
        &self,
        request: Request<FlushEntriesRequest>,
    ) -> Result<Response<FlushEntriesResponse>, Status> {
        fitting!(self.answer("FlushEntries", &request), Answer::Flushed(deleted, failed) =>
            FlushEntriesResponse { deleted, failed })
    }

    async fn get_table(
        &self,
        request: Request<GetTableRequest>,
    ) -> Result<Response<GetTableResponse>, Status> {
        fitting!(self.answer("GetTable", &request), Answer::Table(t) => GetTableResponse { table: Some(t) })
    }

    async fn update_table(
        &self,
        request: Request<UpdateTableRequest>,
    ) -> Result<Response<UpdateTableResponse>, Status> {
        fitting!(self.answer("UpdateTable", &request), Answer::Table(t) => UpdateTableResponse { table: Some(t) })
    }

    async fn get_introspection(
        &self,
        request: Request<GetIntrospectionRequest>,
    ) -> Result<Response<GetIntrospectionResponse>, Status> {
        fitting!(self.answer("GetIntrospection", &request), Answer::Introspection(json) =>
            GetIntrospectionResponse { json: json.to_owned() })
    }

    async fn load(&self, request: Request<LoadRequest>) -> Result<Response<LoadResponse>, Status> {
        fitting!(self.answer("Load", &request), Answer::Loaded => LoadResponse {})
    }

    async fn purge(&self, request: Request<PurgeRequest>) -> Result<Response<PurgeResponse>, Status> {
        fitting!(self.answer("Purge", &request), Answer::Purged(removed) => PurgeResponse { removed })
    }

    async fn list_dataplanes(
        &self,
        request: Request<ListDataplanesRequest>,
    ) -> Result<Response<ListDataplanesResponse>, Status> {
        fitting!(self.answer("ListDataplanes", &request), Answer::Dataplanes(dataplanes) =>
            ListDataplanesResponse { dataplanes })
    }

    async fn get_stats(
        &self,
        request: Request<GetStatsRequest>,
    ) -> Result<Response<GetStatsResponse>, Status> {
        fitting!(self.answer("GetStats", &request), Answer::Stats(stats) => stats)
    }

    async fn who_am_i(&self, request: Request<WhoAmIRequest>) -> Result<Response<WhoAmIResponse>, Status> {
        fitting!(self.answer("WhoAmI", &request), Answer::Caller(caller) => caller)
    }
}
