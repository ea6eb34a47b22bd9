//! `DataplaneLinkService`: lets data planes in, and registers their links.
//!
//! A link that breaks a rule is closed with a status that says which. The data plane dials again
//! and resyncs, and the difference is reported as events.

use std::sync::Arc;
use std::time::Instant;

use flowtracker_proto::text;
use flowtracker_proto::v1::dataplane_link_service_server::DataplaneLinkService;
use flowtracker_proto::v1::{AttachRequest, AttachResponse, Welcome, attach_request, attach_response};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_types::StatusExt as _;

use crate::api::fault;
use crate::door::Door;
use crate::door::account::code_name;
use crate::door::audit::{Details, Kind, Note};
use crate::door::peer::Peer;
use crate::door::refusals::Reason;
use crate::link::ingest::Ingest;
use crate::link::links::{Down, Link, Links};
use crate::link::{hello, refused};
use crate::mirror::hub::{Hub, wall_ns};
use crate::stop::Stop;

/// The method of links, as the audit log has it.
const ATTACH: &str = "flowtracker.v1.DataplaneLinkService/Attach";
/// Commands that may wait in front of a link.
const DOWN_QUEUE: usize = 1024;

/// The service that data planes dial.
#[derive(Debug)]
pub struct LinkService {
    hub: Arc<Hub>,
    links: Arc<Links>,
    door: Arc<Door>,
    stop: Stop,
}

impl LinkService {
    /// Creates a service that applies reports to `hub`, registers links in `links` as far as `door`
    /// allows it, and ends its streams when `stop` turns true.
    pub fn new(hub: Arc<Hub>, links: Arc<Links>, door: Arc<Door>, stop: Stop) -> Self {
        Self { hub, links, door, stop }
    }
}

#[tonic::async_trait]
impl DataplaneLinkService for LinkService {
    type AttachStream = ReceiverStream<Down>;

    async fn attach(
        &self,
        request: Request<Streaming<AttachRequest>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let peer = request.extensions().get::<Peer>().cloned();
        let note = request.extensions().get::<Note>().cloned().unwrap_or_default();
        let let_in = self.let_in(request.into_inner(), peer, &note).await;
        if let Err(status) = &let_in {
            count(&self.door, status);
        }
        let_in
    }
}

impl LinkService {
    async fn let_in(
        &self,
        mut up: Streaming<AttachRequest>,
        peer: Option<Peer>,
        note: &Note,
    ) -> Result<Response<<Self as DataplaneLinkService>::AttachStream>, Status> {
        let limits = &self.door.limits;
        let within = limits.max_handshake;
        let first = tokio::time::timeout(within, up.message()).await.map_err(|_| {
            fault::refusal(Code::DeadlineExceeded, "NO_HELLO", format!("no Hello came within {within:?}"))
        })?;
        let first = first.map_err(|status| refused::by_transport(&status))?;
        let hello = match first.and_then(|m| m.body) {
            Some(attach_request::Body::Hello(hello)) => hello,
            _ => return Err(fault::bad_field("hello", "must be the first message")),
        };
        let declared = hello::check(&hello, limits)?;
        note.dataplane(&hello.dataplane);
        if let Some(peer) = &peer {
            self.door.access.policy().check_name(peer, &hello.dataplane)?;
        }
        let (down, outbound) = mpsc::channel(DOWN_QUEUE);
        let link = self.links.open(&hello.dataplane, declared.capacities, down.clone())?;
        let link = Registered { links: self.links.clone(), link };
        let number = self.hub.attach(&hello, limits.max_dataplanes, wall_ns()).await.ok_or_else(|| {
            let most = limits.max_dataplanes;
            let message = format!("--max-dataplanes={most} are attached");
            fault::refusal(Code::ResourceExhausted, "TOO_MANY_DATAPLANES", message)
        })?;
        tracing::info!(dataplane = %hello.dataplane, pid = hello.pid, version = %hello.version, "attached");
        let welcome = Welcome { epoch: self.hub.epoch() };
        let welcome = AttachResponse { body: Some(attach_response::Body::Welcome(welcome)) };
        // The queue is new and empty.
        drop(down.try_send(Ok(welcome)));
        let ingest = Ingest::new(self.hub.clone(), link.link.clone(), number, declared);
        let details = Details {
            role: "dataplane",
            method: ATTACH,
            about: note.about(),
            code: "OK",
            ..Details::default()
        };
        let record = Record { door: self.door.clone(), peer, details };
        record.write(Kind::Attach);
        tokio::spawn(serve(ingest, up, link, number, down, record, self.stop.clone()));
        Ok(Response::new(ReceiverStream::new(outbound)))
    }
}

/// The audit records of a link, from its attachment to its detachment.
struct Record {
    door: Arc<Door>,
    peer: Option<Peer>,
    details: Details,
}

impl Record {
    fn write(&self, kind: Kind) {
        if let Some(peer) = &self.peer {
            self.door.audit.line(&self.door.refusals, kind, peer, self.details.clone());
        }
    }
}

/// A link that is removed from the links when this is dropped.
struct Registered {
    links: Arc<Links>,
    link: Arc<Link>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.links.close(&self.link);
    }
}

/// Takes in what a link sends until it ends, and takes it out of the mirror.
async fn serve(
    ingest: Ingest,
    up: Streaming<AttachRequest>,
    registered: Registered,
    number: u64,
    down: mpsc::Sender<Down>,
    mut record: Record,
    stop: Stop,
) {
    let (hub, link) = (ingest.hub.clone(), registered.link.clone());
    let end = ingest.run(up, &down, stop).await;
    if let Err(status) = &end
        && count(&record.door, status) == Some(Reason::Capacity)
    {
        hub.forfeit(link.name(), number, wall_ns()).await;
    }
    drop(registered);
    hub.detach(link.name(), number, Instant::now(), wall_ns());
    if let Err(status) = &end {
        record.details.code = code_name(status.code());
        record.details.reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    }
    record.write(Kind::Detach);
    match end {
        Ok(()) => tracing::info!(dataplane = %link.name(), "detached"),
        Err(status) => {
            let why = text::printable(status.message());
            tracing::warn!(dataplane = %link.name(), "detached: {why}");
            drop(down.try_send(Err(status)));
        }
    }
}

/// Counts a refusal, and returns as what.
fn count(door: &Door, status: &Status) -> Option<Reason> {
    let reason = refused::counted_as(status)?;
    door.refusals.count(reason);
    Some(reason)
}
