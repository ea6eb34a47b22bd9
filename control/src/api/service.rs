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
    DeleteEntryRequest, DeleteEntryResponse, DumpCommand, FlushCommand, FlushEntriesRequest,
    FlushEntriesResponse, GetCommand, GetEntryRequest, GetEntryResponse, GetIntrospectionRequest,
    GetIntrospectionResponse, GetStatsRequest, GetStatsResponse, GetTableRequest, GetTableResponse,
    ListDataplanesRequest, ListDataplanesResponse, ListEntriesRequest, ListEntriesResponse, LoadCommand,
    LoadRequest, LoadResponse, PurgeCommand, PurgeRequest, PurgeResponse, Table, TableCommand, UpdateCommand,
    UpdateEntryRequest, UpdateEntryResponse, UpdateTableCommand, UpdateTableRequest, UpdateTableResponse,
    WatchEventsRequest, WatchEventsResponse, WhoAmIRequest, WhoAmIResponse, command,
};
use prost::Message as _;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Code, Request, Response, Status};

use crate::api::ask::{self, Done};
use crate::api::deadline::deadline;
use crate::api::filter::{self, Place};
use crate::api::list::{self, Asked};
use crate::api::{caller, fault, introspection, tables, watch as watcher};
use crate::door::Door;
use crate::door::audit::Note;
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
use flowtracker_proto::table::Family;

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

    /// Returns the link to the data plane that runs the table of `key`.
    fn link_of(&self, dataplane: &str, key: FlowKey) -> Result<Arc<Link>, Status> {
        let link = self.link(dataplane)?;
        tables::check_runs(&link, key.family())?;
        Ok(link)
    }

    /// Sends a command whose answer describes the table of `family`.
    async fn table(
        &self,
        dataplane: &str,
        family: Family,
        body: command::Body,
        deadline: Instant,
    ) -> Result<Table, Status> {
        let link = self.link(dataplane)?;
        tables::check_runs(&link, family)?;
        ask::table(&link, family, body, deadline).await
    }

    /// Sends the same command for each table that is meant, all of them if `named` is `None`, and
    /// returns what [`ask::each`] makes of the answers.
    ///
    /// # Errors
    /// No data plane is meant, or it does not run the table. Nothing has been sent.
    async fn each(
        &self,
        dataplane: &str,
        named: Option<Family>,
        body: impl Fn(String) -> command::Body,
        nothing_to_do: &str,
        deadline: Instant,
    ) -> Result<(Option<Done>, Result<(), Status>), Status> {
        let link = self.link(dataplane)?;
        let tables = tables::meant(&link, named)?;
        Ok(ask::each(&link, &tables, body, nothing_to_do, deadline).await)
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
        let GetEntryRequest { key, dataplane, pipeline } = request.into_inner();
        let key = tables::key(&pipeline, key.as_ref())?;
        let link = self.link_of(&dataplane, key)?;
        let body = command::Body::Get(GetCommand { key: key.to_bytes() });
        let entry = Some(ask::entry(&link, body, deadline).await?);
        Ok(Response::new(GetEntryResponse { entry }))
    }

    async fn delete_entry(
        &self,
        request: Request<DeleteEntryRequest>,
    ) -> Result<Response<DeleteEntryResponse>, Status> {
        let deadline = deadline(request.metadata(), ANSWER_WITHIN);
        let (actor, note) = caller::of(&request);
        let DeleteEntryRequest { key, dataplane, pipeline } = request.into_inner();
        note.entry(&self.meant(&dataplane), key.as_ref());
        let key = tables::key(&pipeline, key.as_ref())?;
        let link = self.link_of(&dataplane, key)?;
        let body = command::Body::Delete(DeleteCommand { key: key.to_bytes(), actor: Some(actor.clone()) });
        let mut entry = ask::entry(&link, body, deadline).await?;
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
        let table = tables::named(&request.pipeline)?;
        let filter = filter::compile(&request.filter, Place::List)?;
        let link = self.link(&request.dataplane)?;
        let tables = tables::meant(&link, table)?;
        let place = self.door.lists.take(link.name()).await.map_err(|lists::Full| {
            self.door.refusals.count(Reason::TooManyLists);
            let most = self.door.limits.max_lists;
            let message = format!("data plane {:?} serves {most} lists already", link.name());
            fault::refusal(Code::ResourceExhausted, "TOO_MANY_LISTS", message)
        })?;
        let dump = |family: Family| {
            let (pipeline, filter) = (family.pipeline().to_owned(), filter.clone());
            DumpCommand { pipeline, filter }
        };
        let asked = Asked { link, dumps: tables.into_iter().map(dump).collect(), deadline };
        let responses = list::start(asked, place, peer, self.door.clone(), self.stop.clone())?;
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
        let GetStatsRequest { dataplane: asked, pipeline } = request.into_inner();
        let table = tables::named(&pipeline)?;
        if !asked.is_empty() && !self.hub.knows(&asked) {
            return Err(fault::unknown_dataplane(&asked));
        }
        let wanted = |name: &str| asked.is_empty() || *name == *asked;
        let mut all = stats::gather(&self.hub, &self.links, wanted, deadline).await;
        if table.is_some() {
            let lcores = all.dataplanes.iter_mut().flat_map(|dataplane| &mut dataplane.lcores);
            lcores.for_each(|lcore| lcore.tables.retain(|table| table.pipeline == pipeline));
        }
        Ok(Response::new(all))
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
        let key = tables::key(&r.pipeline, r.key.as_ref())?;
        let link = self.link_of(&r.dataplane, key)?;
        let CreateEntryRequest { dynamic, profile_id, aging_ms, permissions, .. } = r;
        let attributes = Some(Attributes { dynamic, profile_id, aging_ms, permissions });
        let body = command::Body::Create(CreateCommand { key: key.to_bytes(), attributes, actor });
        let entry = Some(ask::entry(&link, body, deadline).await?);
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
        let key = tables::key(&r.pipeline, r.key.as_ref())?;
        let link = self.link_of(&r.dataplane, key)?;
        let UpdateEntryRequest { dynamic, profile_id, aging_ms, permissions, .. } = r;
        let attributes = Some(Attributes { dynamic, profile_id, aging_ms, permissions });
        let body = command::Body::Update(UpdateCommand { key: key.to_bytes(), attributes, actor });
        let entry = Some(ask::entry(&link, body, deadline).await?);
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
        note.pipeline(&request.pipeline);
        let table = tables::named(&request.pipeline)?;
        let filter = filter::compile(&request.filter, Place::Flush)?;
        let body = |pipeline| {
            let (filter, actor) = (filter.clone(), actor.clone());
            command::Body::Flush(FlushCommand { pipeline, filter, actor })
        };
        let (done, end) = self.each(&request.dataplane, table, body, "DETACHED", deadline).await?;
        note_count(&note, done);
        end?;
        let Done { deleted, failed } = done.unwrap_or_default();
        Ok(Response::new(FlushEntriesResponse { deleted, failed }))
    }

    async fn get_table(
        &self,
        request: Request<GetTableRequest>,
    ) -> Result<Response<GetTableResponse>, Status> {
        let deadline = deadline(request.metadata(), ANSWER_WITHIN);
        let GetTableRequest { dataplane, pipeline } = request.into_inner();
        let family = tables::named_or_first(&pipeline)?;
        let table = Some(self.table(&dataplane, family, read(family), deadline).await?);
        Ok(Response::new(GetTableResponse { table }))
    }

    async fn update_table(
        &self,
        request: Request<UpdateTableRequest>,
    ) -> Result<Response<UpdateTableResponse>, Status> {
        let deadline = deadline(request.metadata(), ANSWER_WITHIN);
        let (_, note) = caller::of(&request);
        let UpdateTableRequest { dataplane, profiles, permissions, pipeline } = request.into_inner();
        note.dataplane(&self.meant(&dataplane));
        let named = tables::named_or_first(&pipeline);
        note.pipeline(named.as_ref().map_or(&pipeline, |family| family.pipeline()));
        let family = named?;
        check_count(profiles.len())?;
        let pipeline = family.pipeline().to_owned();
        let body = command::Body::UpdateTable(UpdateTableCommand { pipeline, profiles, permissions });
        let table = Some(self.table(&dataplane, family, body, deadline).await?);
        Ok(Response::new(UpdateTableResponse { table }))
    }

    async fn get_introspection(
        &self,
        request: Request<GetIntrospectionRequest>,
    ) -> Result<Response<GetIntrospectionResponse>, Status> {
        let deadline = deadline(request.metadata(), ANSWER_WITHIN);
        let GetIntrospectionRequest { dataplane, pipeline } = request.into_inner();
        let family = tables::named_or_first(&pipeline)?;
        let table = self.table(&dataplane, family, read(family), deadline).await?;
        let json = introspection::document(family.table(), table.max_entries, table.permissions);
        Ok(Response::new(GetIntrospectionResponse { json }))
    }

    async fn load(&self, request: Request<LoadRequest>) -> Result<Response<LoadResponse>, Status> {
        let deadline = deadline(request.metadata(), ANSWER_WITHIN);
        let (_, note) = caller::of(&request);
        let LoadRequest { dataplane, pipeline } = request.into_inner();
        note.dataplane(&self.meant(&dataplane));
        note.pipeline(&pipeline);
        let table = tables::named(&pipeline)?;
        let body = |pipeline| command::Body::Load(LoadCommand { pipeline });
        let (_, end) = self.each(&dataplane, table, body, "ALREADY_ATTACHED", deadline).await?;
        end?;
        Ok(Response::new(LoadResponse {}))
    }

    async fn purge(&self, request: Request<PurgeRequest>) -> Result<Response<PurgeResponse>, Status> {
        let deadline = deadline(request.metadata(), TABLE_WITHIN);
        let (_, note) = caller::of(&request);
        let PurgeRequest { dataplane, pipeline } = request.into_inner();
        note.dataplane(&self.meant(&dataplane));
        note.pipeline(&pipeline);
        let table = tables::named(&pipeline)?;
        let body = |pipeline| command::Body::Purge(PurgeCommand { pipeline });
        let (done, end) = self.each(&dataplane, table, body, "ALREADY_DETACHED", deadline).await?;
        note_count(&note, done);
        end?;
        Ok(Response::new(PurgeResponse { removed: done.unwrap_or_default().deleted }))
    }
}

/// Notes how many entries were deleted, which a refusal of another table does not undo.
fn note_count(note: &Note, done: Option<Done>) {
    if let Some(done) = done {
        note.count(done.deleted);
    }
}

/// Returns the command that reads the attributes of a table.
fn read(family: Family) -> command::Body {
    command::Body::Table(TableCommand { pipeline: family.pipeline().to_owned() })
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
