//! `FlowTrackerService`, the gRPC service of users.
//!
//! The lcores own the entries, so a request that reads or writes entries is checked, sent down the
//! link as a command with a deadline, and answered from the replies.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use flowtracker_proto::v1::flow_tracker_service_server::FlowTrackerService;
use flowtracker_proto::v1::{
    Attributes, CreateCommand, CreateEntryRequest, CreateEntryResponse, Dataplane, DeleteCommand,
    DeleteEntryRequest, DeleteEntryResponse, DumpCommand, Entry, FlushCommand, FlushEntriesRequest,
    FlushEntriesResponse, GetCommand, GetEntryRequest, GetEntryResponse, GetIntrospectionRequest,
    GetIntrospectionResponse, GetStatsRequest, GetStatsResponse, GetTableRequest, GetTableResponse,
    ListDataplanesRequest, ListDataplanesResponse, ListEntriesRequest, ListEntriesResponse, LoadCommand,
    LoadRequest, LoadResponse, PurgeCommand, PurgeRequest, PurgeResponse, Reply, Table, TableCommand,
    UpdateCommand, UpdateEntryRequest, UpdateEntryResponse, UpdateTableCommand, UpdateTableRequest,
    UpdateTableResponse, WatchEventsRequest, WatchEventsResponse, WhoAmIRequest, WhoAmIResponse, command,
};
use prost::Message as _;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Code, Request, Response, Status};

use crate::api::deadline::deadline;
use crate::api::filter::{self, Place};
use crate::api::{caller, fault, introspection, list, watch as watcher};
use crate::door::Door;
use crate::door::lists;
use crate::door::peer::Peer;
use crate::door::refusals::Reason;
use crate::link::links::{Link, Links};
use crate::link::stats;
use crate::mirror::dataplane::DataplaneState;
use crate::mirror::hub::Hub;
use crate::stop::Stop;
use flowtracker_proto::header;
use flowtracker_proto::key::{FlowKey, Violation};
use flowtracker_proto::limits;
use flowtracker_proto::show;
use flowtracker_proto::table::IPV4_FLOWS;

/// Longest wait for a data plane's answer about one entry; a caller may ask for less.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Longest wait for a data plane that lists or empties its table; a caller may ask for less.
const TABLE_WITHIN: Duration = Duration::from_secs(300);

/// Answers the calls of users.
#[derive(Debug)]
pub struct UserService {
    hub: Arc<Hub>,
    links: Arc<Links>,
    door: Arc<Door>,
    stop: Stop,
}

impl UserService {
    /// Creates a service that reads `hub`, sends commands over `links`, lets callers take what
    /// `door` allows, and ends its streams when `stop` turns true.
    pub fn new(hub: Arc<Hub>, links: Arc<Links>, door: Arc<Door>, stop: Stop) -> Self {
        Self { hub, links, door, stop }
    }

    /// Starts a watcher. Its stream carries `WatchEventsResponse` in wire form.
    pub async fn watch(
        &self,
        request: WatchEventsRequest,
    ) -> Result<Response<ReceiverStream<watcher::Response>>, Status> {
        let permit = self.door.watchers.clone().try_acquire_owned().map_err(|_| {
            self.door.refusals.count(Reason::TooManyWatchers);
            let message = format!("{} event streams are open already", self.door.limits.max_watchers);
            fault::refusal(Code::ResourceExhausted, "TOO_MANY_WATCHERS", message)
        })?;
        let (responses, cursor) =
            watcher::start(self.hub.clone(), request, self.stop.clone(), permit).await?;
        let mut response = Response::new(ReceiverStream::new(responses));
        response.metadata_mut().insert(header::EPOCH, self.hub.epoch().into());
        response.metadata_mut().insert(header::SEQ, cursor.into());
        Ok(response)
    }

    /// Returns the name of the data plane that a request means.
    fn meant(&self, dataplane: &str) -> String {
        self.link(dataplane).map_or_else(|_| dataplane.to_owned(), |link| link.name().to_owned())
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
        while let Some(answer) = call.next().await? {
            found = found.or(answer.entries.into_iter().next());
        }
        let found = found.ok_or_else(|| broken(link.name(), "its answer has no entry"))?;
        Ok(show::entry(&link.name().into(), &found))
    }

    /// Sends a command and returns the last part of its answer.
    async fn conclusion(
        &self,
        dataplane: &str,
        body: command::Body,
        deadline: Instant,
    ) -> Result<Reply, Status> {
        let link = self.link(dataplane)?;
        let mut call = link.call(body, deadline)?;
        let mut last = None;
        while let Some(answer) = call.next().await? {
            last = Some(answer.reply);
        }
        last.ok_or_else(|| broken(link.name(), "its answer is empty"))
    }

    /// Sends a command whose answer describes the table.
    async fn table(&self, dataplane: &str, body: command::Body, deadline: Instant) -> Result<Table, Status> {
        let table = self.conclusion(dataplane, body, deadline).await?.table;
        table.ok_or_else(|| broken(dataplane, "its answer has no table"))
    }
}

#[tonic::async_trait]
impl FlowTrackerService for UserService {
    type WatchEventsStream = Pin<Box<dyn Stream<Item = Result<WatchEventsResponse, Status>> + Send>>;
    type ListEntriesStream = ReceiverStream<Result<ListEntriesResponse, Status>>;

    /// Does what [`UserService::watch`] does, for callers inside this process that want messages.
    /// Over the network, [`crate::api::prepared`] answers this method.
    async fn watch_events(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let decode = |item: watcher::Response| {
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
        let key = key(request.key.as_ref())?.to_bytes().to_vec();
        let body = command::Body::Get(GetCommand { key });
        let entry = Some(self.one_entry(&request.dataplane, body, deadline).await?);
        Ok(Response::new(GetEntryResponse { entry }))
    }

    async fn delete_entry(
        &self,
        request: Request<DeleteEntryRequest>,
    ) -> Result<Response<DeleteEntryResponse>, Status> {
        let deadline = deadline(request.metadata(), ANSWER_WITHIN);
        let (actor, note) = caller::of(&request);
        let request = request.into_inner();
        note.entry(&self.meant(&request.dataplane), request.key.as_ref());
        let key = key(request.key.as_ref())?.to_bytes().to_vec();
        let body = command::Body::Delete(DeleteCommand { key, actor: Some(actor.clone()) });
        let mut entry = self.one_entry(&request.dataplane, body, deadline).await?;
        entry.deleted_by = Some(actor);
        Ok(Response::new(DeleteEntryResponse { entry: Some(entry) }))
    }

    async fn list_entries(
        &self,
        request: Request<ListEntriesRequest>,
    ) -> Result<Response<Self::ListEntriesStream>, Status> {
        let deadline = deadline(request.metadata(), TABLE_WITHIN);
        let peer = request.extensions().get::<Peer>().cloned();
        let request = request.into_inner();
        let filter = filter::compile(&IPV4_FLOWS, &request.filter, Place::List)?;
        let link = self.link(&request.dataplane)?;
        let place = self.door.lists.take(link.name()).await.map_err(|lists::Full| {
            self.door.refusals.count(Reason::TooManyLists);
            let most = self.door.limits.max_lists;
            let message = format!("data plane {:?} serves {most} lists already", link.name());
            fault::refusal(Code::ResourceExhausted, "TOO_MANY_LISTS", message)
        })?;
        let call = link.call(command::Body::Dump(DumpCommand { filter }), deadline)?;
        let responses = list::start(call, link.name(), place, peer, self.door.clone(), self.stop.clone());
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
        let deadline = deadline(request.metadata(), stats::WITHIN);
        let asked = request.into_inner().dataplane;
        if !asked.is_empty() && !self.hub.knows(&asked) {
            return Err(fault::unknown_dataplane(&asked));
        }
        let wanted = |name: &str| asked.is_empty() || *name == *asked;
        Ok(Response::new(stats::gather(&self.hub, &self.links, wanted, deadline).await))
    }

    async fn who_am_i(&self, request: Request<WhoAmIRequest>) -> Result<Response<WhoAmIResponse>, Status> {
        Ok(Response::new(caller::who(request.extensions(), &self.door.access.policy())))
    }

    async fn create_entry(
        &self,
        request: Request<CreateEntryRequest>,
    ) -> Result<Response<CreateEntryResponse>, Status> {
        let deadline = deadline(request.metadata(), ANSWER_WITHIN);
        let (actor, note) = caller::of(&request);
        let actor = Some(actor);
        let r = request.into_inner();
        note.entry(&self.meant(&r.dataplane), r.key.as_ref());
        let key = key(r.key.as_ref())?.to_bytes().to_vec();
        let CreateEntryRequest { dynamic, profile_id, aging_ms, permissions, .. } = r;
        let attributes = Some(Attributes { dynamic, profile_id, aging_ms, permissions });
        let body = command::Body::Create(CreateCommand { key, attributes, actor });
        let entry = Some(self.one_entry(&r.dataplane, body, deadline).await?);
        Ok(Response::new(CreateEntryResponse { entry }))
    }

    async fn update_entry(
        &self,
        request: Request<UpdateEntryRequest>,
    ) -> Result<Response<UpdateEntryResponse>, Status> {
        let deadline = deadline(request.metadata(), ANSWER_WITHIN);
        let (actor, note) = caller::of(&request);
        let actor = Some(actor);
        let r = request.into_inner();
        note.entry(&self.meant(&r.dataplane), r.key.as_ref());
        let key = key(r.key.as_ref())?.to_bytes().to_vec();
        let UpdateEntryRequest { dynamic, profile_id, aging_ms, permissions, .. } = r;
        let attributes = Some(Attributes { dynamic, profile_id, aging_ms, permissions });
        let body = command::Body::Update(UpdateCommand { key, attributes, actor });
        let entry = Some(self.one_entry(&r.dataplane, body, deadline).await?);
        Ok(Response::new(UpdateEntryResponse { entry }))
    }

    async fn flush_entries(
        &self,
        request: Request<FlushEntriesRequest>,
    ) -> Result<Response<FlushEntriesResponse>, Status> {
        let deadline = deadline(request.metadata(), TABLE_WITHIN);
        let (actor, note) = caller::of(&request);
        let actor = Some(actor);
        let request = request.into_inner();
        note.filter(&self.meant(&request.dataplane), &request.filter);
        let filter = filter::compile(&IPV4_FLOWS, &request.filter, Place::Flush)?;
        let body = command::Body::Flush(FlushCommand { filter, actor });
        let Reply { deleted, failed, .. } = self.conclusion(&request.dataplane, body, deadline).await?;
        note.count(deleted);
        Ok(Response::new(FlushEntriesResponse { deleted, failed }))
    }

    async fn get_table(
        &self,
        request: Request<GetTableRequest>,
    ) -> Result<Response<GetTableResponse>, Status> {
        let deadline = deadline(request.metadata(), ANSWER_WITHIN);
        let body = command::Body::Table(TableCommand {});
        let table = Some(self.table(&request.into_inner().dataplane, body, deadline).await?);
        Ok(Response::new(GetTableResponse { table }))
    }

    async fn update_table(
        &self,
        request: Request<UpdateTableRequest>,
    ) -> Result<Response<UpdateTableResponse>, Status> {
        let deadline = deadline(request.metadata(), ANSWER_WITHIN);
        let (_, note) = caller::of(&request);
        let UpdateTableRequest { dataplane, profiles, permissions } = request.into_inner();
        note.dataplane(&self.meant(&dataplane));
        check_count(profiles.len())?;
        let body = command::Body::UpdateTable(UpdateTableCommand { profiles, permissions });
        let table = Some(self.table(&dataplane, body, deadline).await?);
        Ok(Response::new(UpdateTableResponse { table }))
    }

    async fn get_introspection(
        &self,
        request: Request<GetIntrospectionRequest>,
    ) -> Result<Response<GetIntrospectionResponse>, Status> {
        let deadline = deadline(request.metadata(), ANSWER_WITHIN);
        let body = command::Body::Table(TableCommand {});
        let table = self.table(&request.into_inner().dataplane, body, deadline).await?;
        let json = introspection::document(&IPV4_FLOWS, table.max_entries, table.permissions);
        Ok(Response::new(GetIntrospectionResponse { json }))
    }

    async fn load(&self, request: Request<LoadRequest>) -> Result<Response<LoadResponse>, Status> {
        let deadline = deadline(request.metadata(), ANSWER_WITHIN);
        caller::of(&request).1.dataplane(&self.meant(&request.get_ref().dataplane));
        let body = command::Body::Load(LoadCommand {});
        self.conclusion(&request.into_inner().dataplane, body, deadline).await?;
        Ok(Response::new(LoadResponse {}))
    }

    async fn purge(&self, request: Request<PurgeRequest>) -> Result<Response<PurgeResponse>, Status> {
        let deadline = deadline(request.metadata(), TABLE_WITHIN);
        let (_, note) = caller::of(&request);
        let dataplane = request.into_inner().dataplane;
        note.dataplane(&self.meant(&dataplane));
        let body = command::Body::Purge(PurgeCommand {});
        let Reply { deleted: removed, .. } = self.conclusion(&dataplane, body, deadline).await?;
        note.count(removed);
        Ok(Response::new(PurgeResponse { removed }))
    }
}

fn key(key: Option<&flowtracker_proto::v1::Key>) -> Result<FlowKey, Status> {
    FlowKey::from_proto(key, "key").map_err(fault::bad_request)
}

/// Checks the number of profiles of one update. A longer list would not fit into a message of the
/// link.
fn check_count(profiles: usize) -> Result<(), Status> {
    let most = limits::PROFILE_ID.end() + 1;
    if profiles as u64 <= most {
        return Ok(());
    }
    let message = format!("{profiles} are given, and a table has at most {most}");
    let violation = Violation::new("profiles", message);
    Err(fault::of_fields(Code::InvalidArgument, "TOO_MANY_PROFILES", HashMap::new(), vec![violation]))
}

fn broken(dataplane: &str, why: &str) -> Status {
    let message = format!("data plane {dataplane:?}: {why}");
    fault::refusal(Code::Internal, "BROKEN_ANSWER", message)
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
