//! `DataplaneLinkService`: lets data planes in, and registers their links.
//!
//! A link that breaks a rule is closed with a status that says which. The data plane dials again
//! and resyncs, and the difference is reported as events.

use std::sync::Arc;
use std::time::Instant;

use flowtracker_proto::key::Violation;
use flowtracker_proto::v1::dataplane_link_service_server::DataplaneLinkService;
use flowtracker_proto::v1::{AttachRequest, AttachResponse, Hello, Welcome, attach_request, attach_response};
use flowtracker_proto::{link as wire, name};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::api::fault;
use crate::door::Door;
use crate::door::refusals::Reason;
use crate::link::ingest::Ingest;
use crate::link::links::{Down, Links};
use crate::mirror::hub::{Hub, wall_ns};
use crate::stop::Stop;

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
        let mut up = request.into_inner();
        let within = self.door.limits.max_handshake;
        let first = tokio::time::timeout(within, up.message()).await.map_err(|_| {
            self.door.refusals.count(Reason::NoHello);
            fault::refusal(Code::DeadlineExceeded, "NO_HELLO", format!("no Hello came within {within:?}"))
        })??;
        let hello = match first.and_then(|m| m.body) {
            Some(attach_request::Body::Hello(hello)) => hello,
            _ => return Err(fault::bad_field("hello", "must be the first message")),
        };
        check_hello(&hello)?;
        let (down, outbound) = mpsc::channel(DOWN_QUEUE);
        let link = self.links.open(&hello.dataplane, down.clone())?;
        let number = self.hub.attach(&hello, wall_ns());
        tracing::info!(dataplane = %hello.dataplane, pid = hello.pid, version = %hello.version, "attached");
        let welcome = Welcome { epoch: self.hub.epoch() };
        let welcome = AttachResponse { body: Some(attach_response::Body::Welcome(welcome)) };
        // The queue is new and empty.
        drop(down.try_send(Ok(welcome)));
        let ingest = Ingest::new(self.hub.clone(), link.clone(), number, &hello.shards);
        let (hub, links, stop) = (self.hub.clone(), self.links.clone(), self.stop.clone());
        tokio::spawn(async move {
            let end = ingest.run(up, &down, stop).await;
            links.close(&link);
            hub.detach(link.name(), number, Instant::now(), wall_ns());
            match end {
                Ok(()) => tracing::info!(dataplane = %link.name(), "detached"),
                Err(status) => {
                    tracing::warn!(dataplane = %link.name(), "detached: {}", status.message());
                    drop(down.try_send(Err(status)));
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(outbound)))
    }
}

fn check_hello(hello: &Hello) -> Result<(), Status> {
    let mut wrong = Vec::new();
    if !name::is_valid(&hello.dataplane) {
        let rule = format!("must have 1 to {} bytes without blanks", name::MAX);
        wrong.push(Violation::new("hello.dataplane", rule));
    }
    let mut shards = hello.shards.clone();
    shards.sort_unstable();
    shards.dedup();
    if shards.is_empty() || shards.len() != hello.shards.len() {
        wrong.push(Violation::new("hello.shards", "must name one or more lcores, each once"));
    }
    if !wrong.is_empty() {
        return Err(fault::bad_request(wrong));
    }
    if hello.record_version != wire::VERSION {
        let (theirs, ours) = (hello.record_version, wire::VERSION);
        let message = format!("its records have version {theirs}, those of this control service {ours}");
        return Err(fault::refusal(Code::FailedPrecondition, "RECORD_VERSION", message));
    }
    Ok(())
}
