//! `DataplaneLinkService`: takes in what data planes report.
//!
//! A link that breaks a rule is closed with a status that says which. The data plane dials again
//! and resyncs, and the difference is reported as events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flowtracker_proto::v1::dataplane_link_service_server::DataplaneLinkService;
use flowtracker_proto::v1::{
    AttachRequest, AttachResponse, Batch, Hello, Reply, Welcome, attach_request, attach_response,
};
use flowtracker_proto::{link as wire, name};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::api::fault;
use crate::link::authors::Authors;
use crate::link::links::{Answer, Down, Link, Links};
use crate::mirror::dataplane::BadReport;
use crate::mirror::hub::{Hub, wall_ns};
use crate::stop::Stop;
use flowtracker_proto::key::Violation;

/// Commands that may wait in front of a link.
const DOWN_QUEUE: usize = 1024;
/// Longest wait for a link's Hello.
const HELLO_WITHIN: Duration = Duration::from_secs(30);

/// The service that data planes dial.
#[derive(Debug)]
pub struct Ingest {
    hub: Arc<Hub>,
    links: Arc<Links>,
    stop: Stop,
}

impl Ingest {
    /// Creates a service that applies reports to `hub`, registers links in `links`, and ends its
    /// streams when `stop` turns true.
    pub fn new(hub: Arc<Hub>, links: Arc<Links>, stop: Stop) -> Self {
        Self { hub, links, stop }
    }
}

#[tonic::async_trait]
impl DataplaneLinkService for Ingest {
    type AttachStream = ReceiverStream<Down>;

    async fn attach(
        &self,
        request: Request<Streaming<AttachRequest>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let mut up = request.into_inner();
        let first = tokio::time::timeout(HELLO_WITHIN, up.message())
            .await
            .map_err(|_| fault::refusal(Code::DeadlineExceeded, "NO_HELLO", "no Hello came within 30 s"))??;
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
        let intake = Intake {
            hub: self.hub.clone(),
            link: link.clone(),
            number,
            expected: hello.shards.iter().map(|shard| (*shard, 1)).collect(),
            authors: Authors::default(),
        };
        let (hub, links, stop) = (self.hub.clone(), self.links.clone(), self.stop.clone());
        tokio::spawn(async move {
            let end = intake.run(up, &down, stop).await;
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

/// The receiving end of one link.
struct Intake {
    hub: Arc<Hub>,
    link: Arc<Link>,
    number: u64,
    /// Number that the next record of each shard must have.
    expected: BTreeMap<u32, u64>,
    authors: Authors,
}

impl Intake {
    /// Takes in what the data plane sends until the link ends.
    ///
    /// # Errors
    /// The status that ends the link.
    async fn run(
        mut self,
        mut up: Streaming<AttachRequest>,
        down: &mpsc::Sender<Down>,
        mut stop: Stop,
    ) -> Result<(), Status> {
        loop {
            let message = tokio::select! {
                // In this order: a flood of messages must not delay the end of the service, and
                // messages that have arrived are taken in before the end of the connection is
                // noticed, because a good-bye is no broken link.
                biased;
                () = stop.wanted() => {
                    return Err(fault::refusal(Code::Unavailable, "SHUTDOWN", "the control service is stopping"));
                }
                message = up.message() => message.map_err(|status| {
                    Status::new(status.code(), format!("its link broke: {}", status.message()))
                })?,
                () = down.closed() => {
                    return Err(Status::unavailable("its link broke: the connection is gone, or pings are not answered"));
                }
            };
            let Some(message) = message else { return Ok(()) };
            match message.body {
                Some(attach_request::Body::Batch(batch)) => self.take_batch(&batch)?,
                Some(attach_request::Body::Reply(reply)) => self.take_reply(reply)?,
                Some(attach_request::Body::Authors(authors)) => self.authors.introduce(authors)?,
                Some(attach_request::Body::Hello(_)) => {
                    return Err(fault::bad_field("hello", "must come only once"));
                }
                None => return Err(fault::bad_field("body", "must be batch, reply or authors")),
            }
        }
    }

    fn take_batch(&mut self, batch: &Batch) -> Result<(), Status> {
        let Some(expected) = self.expected.get_mut(&batch.shard) else {
            let unknown = format!("{} was not named in Hello", batch.shard);
            return Err(fault::bad_field("batch.shard", unknown));
        };
        if batch.first_seq != *expected {
            let message =
                format!("shard {}: record {} was due, {} came", batch.shard, expected, batch.first_seq);
            return Err(fault::refusal(Code::DataLoss, "BATCH_HOLE", message));
        }
        let bad = |why: BadReport| fault::bad_field("batch.records", why.to_string());
        let reports = self.authors.reports(&batch.records).map_err(|why| bad(why.into()))?;
        *expected += reports.len() as u64;
        self.hub.apply(self.link.name(), self.number, batch.shard, reports).map_err(bad)
    }

    fn take_reply(&self, mut reply: Reply) -> Result<(), Status> {
        let records = std::mem::take(&mut reply.records);
        let entries = self.authors.entries(&records);
        let entries = entries.map_err(|why| fault::bad_field("reply.records", why.to_string()))?;
        self.link.deliver(Answer { reply, entries });
        Ok(())
    }
}
