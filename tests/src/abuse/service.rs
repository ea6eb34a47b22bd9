//! A hostile control service: commands that a sound one would not send.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flowtracker_proto::v1::dataplane_link_service_server::{
    DataplaneLinkService, DataplaneLinkServiceServer,
};
use flowtracker_proto::v1::{
    Actor, AttachRequest, AttachResponse, Attributes, Command, CreateCommand, DeleteCommand, Entity, Filter,
    FilterStep, FlushCommand, GetCommand, Welcome, attach_request, attach_response, command,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// What a hostile service sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Deletions whose authors have names of 100 kB.
    LongNames,
    /// Creations and deletions by ever more authors.
    ManyAuthors,
    /// Flushes with filters of many thousand steps, and keys of a megabyte.
    LongFilters,
    /// Commands without a body and with numbers that repeat.
    Nonsense,
}

impl Order {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::LongNames, Self::ManyAuthors, Self::LongFilters, Self::Nonsense];

    /// Returns the `n`th command.
    fn command(self, n: u64) -> Command {
        let actor = |process: String| {
            Some(Actor { entity: Entity::Tc.into(), pid: n as u32, process, ..Actor::default() })
        };
        // The key in P4TC's form: port 1, and n spread over the rest.
        let key = || {
            let mut key = [1, 0, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 6, 0, 0, 0, 80];
            key[13..15].copy_from_slice(&(n as u16).to_be_bytes());
            key[8..12].copy_from_slice(&((n >> 16) as u32).to_be_bytes());
            key.to_vec()
        };
        let body = match self {
            Self::LongNames => {
                let actor = actor(format!("{n}{}", "x".repeat(100_000)));
                Some(command::Body::Delete(DeleteCommand { key: key(), actor }))
            }
            Self::ManyAuthors => {
                let attributes = Some(Attributes::default());
                Some(command::Body::Create(CreateCommand {
                    key: key(),
                    attributes,
                    actor: actor(n.to_string()),
                }))
            }
            Self::LongFilters if n.is_multiple_of(2) => {
                let filter = Some(Filter { steps: vec![FilterStep::default(); 50_000] });
                Some(command::Body::Flush(FlushCommand {
                    filter,
                    actor: actor(String::new()),
                    pipeline: String::new(),
                }))
            }
            Self::LongFilters => Some(command::Body::Get(GetCommand { key: vec![1; 1 << 20] })),
            Self::Nonsense => None,
        };
        let id = if self == Self::Nonsense { 7 } else { n };
        Command { id, deadline_ms: 1000, body }
    }
}

/// Counts of what was sent and what came back.
#[derive(Debug, Default)]
pub struct Counts {
    /// Links.
    pub links: AtomicU64,
    /// Commands sent.
    pub commands: AtomicU64,
    /// Replies.
    pub replies: AtomicU64,
}

struct Hostile {
    order: Order,
    counts: Arc<Counts>,
}

#[tonic::async_trait]
impl DataplaneLinkService for Hostile {
    type AttachStream = ReceiverStream<Result<AttachResponse, Status>>;

    async fn attach(
        &self,
        request: Request<Streaming<AttachRequest>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let mut up = request.into_inner();
        let (send, down) = tokio::sync::mpsc::channel(4);
        let (order, counts) = (self.order, self.counts.clone());
        counts.links.fetch_add(1, Ordering::Relaxed);
        let heard = counts.clone();
        tokio::spawn(async move {
            while let Ok(Some(request)) = up.message().await {
                if let Some(attach_request::Body::Reply(_)) = request.body {
                    heard.replies.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        tokio::spawn(async move {
            let say = |body| Ok(AttachResponse { body: Some(body) });
            let _ = send.send(say(attach_response::Body::Welcome(Welcome { epoch: 1 }))).await;
            for n in 1.. {
                if send.send(say(attach_response::Body::Command(order.command(n)))).await.is_err() {
                    return;
                }
                counts.commands.fetch_add(1, Ordering::Relaxed);
                if n.is_multiple_of(16) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(down)))
    }
}

/// Serves at `addr` until dropped.
pub struct Serving {
    /// What was sent and what came back.
    pub counts: Arc<Counts>,
    _runtime: tokio::runtime::Runtime,
}

/// Starts a hostile service.
///
/// # Panics
/// When the address is taken.
#[must_use]
pub fn serve(addr: SocketAddr, order: Order) -> Serving {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let counts = Arc::new(Counts::default());
    let service = DataplaneLinkServiceServer::new(Hostile { order, counts: counts.clone() });
    let server = tonic::transport::Server::builder().add_service(service);
    let _inside = runtime.enter();
    let listener = std::net::TcpListener::bind(addr).expect("a free address");
    listener.set_nonblocking(true).expect("a socket");
    let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
    runtime.spawn(server.serve_with_incoming(tokio_stream::wrappers::TcpListenerStream::new(listener)));
    drop(_inside);
    Serving { counts, _runtime: runtime }
}
