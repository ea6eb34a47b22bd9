//! The users' door: `FlowTrackerService`.
//!
//! Entries are read and written by the lcores that own them: a request is
//! checked, sent down the link as a command with a deadline, and answered from
//! the replies.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use flowtracker_proto::v1::flow_tracker_service_server::FlowTrackerService;
use flowtracker_proto::v1::{
    CreateEntryRequest, CreateEntryResponse, Dataplane, DataplaneStats, DeleteCommand, DeleteEntryRequest,
    DeleteEntryResponse, DumpCommand, Entry, FlushEntriesRequest, FlushEntriesResponse, GetCommand,
    GetEntryRequest, GetEntryResponse, GetIntrospectionRequest, GetIntrospectionResponse, GetStatsRequest,
    GetStatsResponse, GetTableRequest, GetTableResponse, ListDataplanesRequest, ListDataplanesResponse,
    ListEntriesRequest, ListEntriesResponse, LoadRequest, LoadResponse, PurgeRequest, PurgeResponse, Reply,
    StatsCommand, UpdateEntryRequest, UpdateEntryResponse, UpdateTableRequest, UpdateTableResponse,
    WatchEventsRequest, WatchEventsResponse, command,
};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};

use crate::hub::Hub;
use crate::key::FlowKey;
use crate::links::{Call, Link, Links};
use crate::registry::{DataplaneState, EntryState};
use crate::stop::Stop;
use crate::{caller, convert, fault, watch as watcher};

/// Metadata key in front of a stream of events: its epoch.
pub const EPOCH_HEADER: &str = "x-flowtracker-epoch";
/// Metadata key in front of a stream of events: the number of the event that it follows.
pub const SEQ_HEADER: &str = "x-flowtracker-seq";

/// How long a data plane may take to answer about one entry, unless the caller says less.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long a data plane may take to enumerate its table, unless the caller says less.
const DUMP_WITHIN: Duration = Duration::from_secs(300);
/// How long a data plane may take to give its counters; then the last known ones are given.
const STATS_WITHIN: Duration = Duration::from_secs(2);
/// Entries per response of ListEntries, at most.
const RUN: usize = 256;
/// Responses of ListEntries that may wait for the client.
const QUEUE: usize = 4;

/// The service that people and programs use.
#[derive(Debug)]
pub struct Admin {
    hub: Arc<Hub>,
    links: Arc<Links>,
    stop: Stop,
}

impl Admin {
    /// Reads `hub`, sends commands over `links`, and ends its streams when `stop` turns true.
    pub fn new(hub: Arc<Hub>, links: Arc<Links>, stop: Stop) -> Self {
        Self { hub, links, stop }
    }

    /// Starts a watcher; its stream carries `WatchEventsResponse` in wire form.
    pub async fn watch(
        &self,
        request: WatchEventsRequest,
    ) -> Result<Response<ReceiverStream<watcher::Item>>, Status> {
        let (responses, cursor) = watcher::start(self.hub.clone(), request, self.stop.clone()).await?;
        let mut response = Response::new(ReceiverStream::new(responses));
        response.metadata_mut().insert(EPOCH_HEADER, self.hub.epoch().into());
        response.metadata_mut().insert(SEQ_HEADER, cursor.into());
        Ok(response)
    }

    fn link(&self, dataplane: &str) -> Result<Arc<Link>, Status> {
        self.links.pick(dataplane, |name| self.hub.knows(name))
    }

    /// Sends a command that concerns one entry and returns that entry.
    async fn one_entry(
        &self,
        dataplane: &str,
        body: command::Body,
        deadline: Instant,
    ) -> Result<Entry, Status> {
        let link = self.link(dataplane)?;
        let mut call = link.call(body, deadline)?;
        let mut found = None;
        while let Some(reply) = call.next().await? {
            found = found.or(entries(link.name(), &reply)?.into_iter().next());
        }
        found.ok_or_else(|| broken(link.name(), "its answer has no entry"))
    }
}

#[tonic::async_trait]
impl FlowTrackerService for Admin {
    type WatchEventsStream = Pin<Box<dyn Stream<Item = Result<WatchEventsResponse, Status>> + Send>>;
    type ListEntriesStream = ReceiverStream<Result<ListEntriesResponse, Status>>;

    /// As [`Admin::watch`], for whoever wants messages. Over the network, [`crate::prepared`] spares the detour.
    async fn watch_events(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let decode = |item: watcher::Item| {
            WatchEventsResponse::decode(item?).map_err(|e| Status::internal(e.to_string()))
        };
        Ok(self.watch(request.into_inner()).await?.map(|responses| Box::pin(responses.map(decode)) as _))
    }

    async fn get_entry(
        &self,
        request: Request<GetEntryRequest>,
    ) -> Result<Response<GetEntryResponse>, Status> {
        let deadline = deadline(request.metadata(), ANSWER_WITHIN);
        let request = request.into_inner();
        let key = key(request.key.as_ref())?.to_record();
        let body = command::Body::Get(GetCommand { key: Some(key) });
        let entry = Some(self.one_entry(&request.dataplane, body, deadline).await?);
        Ok(Response::new(GetEntryResponse { entry }))
    }

    async fn delete_entry(
        &self,
        request: Request<DeleteEntryRequest>,
    ) -> Result<Response<DeleteEntryResponse>, Status> {
        let deadline = deadline(request.metadata(), ANSWER_WITHIN);
        let actor = caller::actor(&request);
        let request = request.into_inner();
        let key = key(request.key.as_ref())?.to_record();
        let body = command::Body::Delete(DeleteCommand { key: Some(key), actor: Some(actor.clone()) });
        let mut entry = self.one_entry(&request.dataplane, body, deadline).await?;
        entry.deleted_by = Some(actor);
        Ok(Response::new(DeleteEntryResponse { entry: Some(entry) }))
    }

    async fn list_entries(
        &self,
        request: Request<ListEntriesRequest>,
    ) -> Result<Response<Self::ListEntriesStream>, Status> {
        let deadline = deadline(request.metadata(), DUMP_WITHIN);
        let request = request.into_inner();
        fault::refuse_filter(&request.filter)?;
        let link = self.link(&request.dataplane)?;
        let call = link.call_dump(command::Body::Dump(DumpCommand::default()), deadline)?;
        let (client, responses) = mpsc::channel(QUEUE);
        let mut stop = self.stop.clone();
        tokio::spawn(async move {
            let end = tokio::select! {
                end = forward(call, link.name(), &client) => end,
                () = client.closed() => Ok(()),
                () = stop.wanted() => {
                    Err(fault::refusal(Code::Unavailable, "SHUTDOWN", "the control service is stopping"))
                }
            };
            if let Err(status) = end {
                tokio::select! {
                    _ = client.send(Err(status)) => {}
                    () = stop.wanted() => {}
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(responses)))
    }

    async fn list_dataplanes(
        &self,
        _request: Request<ListDataplanesRequest>,
    ) -> Result<Response<ListDataplanesResponse>, Status> {
        let dataplanes = self.hub.dataplanes().into_iter().map(dataplane).collect();
        Ok(Response::new(ListDataplanesResponse { dataplanes }))
    }

    async fn get_stats(
        &self,
        request: Request<GetStatsRequest>,
    ) -> Result<Response<GetStatsResponse>, Status> {
        let deadline = deadline(request.metadata(), STATS_WITHIN);
        let asked = request.into_inner().dataplane;
        if !asked.is_empty() && !self.hub.knows(&asked) {
            let message = format!("no data plane is named {asked:?}");
            return Err(fault::refusal(Code::NotFound, "UNKNOWN_DATAPLANE", message));
        }
        let mut answers = JoinSet::new();
        for known in self.hub.dataplanes() {
            if asked.is_empty() || *known.name == *asked {
                let (hub, link) = (self.hub.clone(), self.links.get(&known.name));
                answers.spawn(async move { stats(&hub, link, &known, deadline).await });
            }
        }
        let mut dataplanes = answers.join_all().await;
        dataplanes.sort_by(|a, b| a.dataplane.cmp(&b.dataplane));
        Ok(Response::new(GetStatsResponse { dataplanes, log: Some(self.hub.log_stats()) }))
    }

    async fn create_entry(
        &self,
        _request: Request<CreateEntryRequest>,
    ) -> Result<Response<CreateEntryResponse>, Status> {
        Err(not_served("CreateEntry"))
    }

    async fn update_entry(
        &self,
        _request: Request<UpdateEntryRequest>,
    ) -> Result<Response<UpdateEntryResponse>, Status> {
        Err(not_served("UpdateEntry"))
    }

    async fn flush_entries(
        &self,
        _request: Request<FlushEntriesRequest>,
    ) -> Result<Response<FlushEntriesResponse>, Status> {
        Err(not_served("FlushEntries"))
    }

    async fn get_table(
        &self,
        _request: Request<GetTableRequest>,
    ) -> Result<Response<GetTableResponse>, Status> {
        Err(not_served("GetTable"))
    }

    async fn update_table(
        &self,
        _request: Request<UpdateTableRequest>,
    ) -> Result<Response<UpdateTableResponse>, Status> {
        Err(not_served("UpdateTable"))
    }

    async fn get_introspection(
        &self,
        _request: Request<GetIntrospectionRequest>,
    ) -> Result<Response<GetIntrospectionResponse>, Status> {
        Err(not_served("GetIntrospection"))
    }

    async fn load(&self, _request: Request<LoadRequest>) -> Result<Response<LoadResponse>, Status> {
        Err(not_served("Load"))
    }

    async fn purge(&self, _request: Request<PurgeRequest>) -> Result<Response<PurgeResponse>, Status> {
        Err(not_served("Purge"))
    }
}

fn key(key: Option<&flowtracker_proto::v1::Key>) -> Result<FlowKey, Status> {
    FlowKey::from_proto(key, "key").map_err(fault::bad_request)
}

fn not_served(rpc: &str) -> Status {
    let message = format!("{rpc} is not served by this version");
    fault::refusal(Code::Unimplemented, "NOT_SERVED", message)
}

fn broken(dataplane: &str, why: &str) -> Status {
    let message = format!("data plane {dataplane:?}: {why}");
    fault::refusal(Code::Internal, "BROKEN_ANSWER", message)
}

/// The entries of a reply, as of its time.
fn entries(dataplane: &str, reply: &Reply) -> Result<Vec<Entry>, Status> {
    let convert = |record| {
        EntryState::from_record(record, reply.time_ns)
            .map(|state| convert::entry(dataplane, &state, state.as_of_ns))
            .map_err(|why| broken(dataplane, &why.to_string()))
    };
    reply.entries.iter().map(convert).collect()
}

/// Passes the replies of a dump on to the client as they come.
async fn forward(
    mut call: Call,
    dataplane: &str,
    client: &mpsc::Sender<Result<ListEntriesResponse, Status>>,
) -> Result<(), Status> {
    while let Some(reply) = call.next().await? {
        let mut entries = entries(dataplane, &reply)?.into_iter();
        loop {
            let run: Vec<_> = entries.by_ref().take(RUN).collect();
            if run.is_empty() {
                break;
            }
            if client.send(Ok(ListEntriesResponse { entries: run })).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The counters of one data plane: live, or else the last known ones.
async fn stats(
    hub: &Hub,
    link: Option<Arc<Link>>,
    known: &DataplaneState,
    deadline: Instant,
) -> DataplaneStats {
    let ask = async {
        let mut call = link?.call(command::Body::Stats(StatsCommand {}), deadline).ok()?;
        let mut given = None;
        while let Some(reply) = call.next().await.ok()? {
            given = reply.stats.or(given);
        }
        given
    };
    match ask.await {
        Some(mut stats) => {
            known.name.as_ref().clone_into(&mut stats.dataplane);
            stats.live = true;
            hub.keep_stats(&known.name, Arc::new(stats.clone()));
            stats
        }
        None => convert::stale_stats(&known.name, known.stats.as_deref()),
    }
}

fn dataplane(state: DataplaneState) -> Dataplane {
    Dataplane {
        name: state.name.as_ref().to_owned(),
        attached: state.attached,
        synced: state.synced,
        version: state.version,
        since: Some(flowtracker_proto::Timestamp::from_unix_ns(state.since_ns)),
        entries: state.entries,
        ports: state.ports,
    }
}

/// When to stop waiting: the caller's own deadline if that is sooner. A
/// twentieth is kept back, so that the caller gets our answer rather than none.
fn deadline(metadata: &MetadataMap, most: Duration) -> Instant {
    let asked = metadata.get("grpc-timeout").and_then(|v| v.to_str().ok()).and_then(timeout);
    Instant::now() + asked.map_or(most, |asked| (asked - asked / 20).min(most))
}

/// Reads a `grpc-timeout`: up to eight digits and a unit.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let n = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(n * 3600),
        "M" => Duration::from_secs(n * 60),
        "S" => Duration::from_secs(n),
        "m" => Duration::from_millis(n),
        "u" => Duration::from_micros(n),
        "n" => Duration::from_nanos(n),
        _ => return None,
    })
}
