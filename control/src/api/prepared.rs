//! WatchEvents with responses that are encoded already.
//!
//! The generated server encodes every message for every caller. Here an event is encoded once and
//! its bytes go to all watchers, so this method is answered here; all others pass on to the
//! generated server.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use flowtracker_proto::v1::flow_tracker_service_server::FlowTrackerServiceServer;
use flowtracker_proto::v1::{WatchEventsRequest, WatchEventsResponse};
use prost::bytes::{BufMut as _, Bytes};
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic::codegen::{Service, http};
use tonic::server::{Grpc, NamedService, ServerStreamingService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::api::service::UserService;
use crate::api::watch;

/// The method that is answered here.
const WATCH_EVENTS: &str = "/flowtracker.v1.FlowTrackerService/WatchEvents";

/// The users' service, whose WatchEvents sends prepared bytes.
#[derive(Clone, Debug)]
pub struct PreparedWatch {
    service: Arc<UserService>,
    others: FlowTrackerServiceServer<UserService>,
}

impl PreparedWatch {
    /// Serves `service`.
    pub fn new(service: UserService) -> Self {
        let service = Arc::new(service);
        Self { others: FlowTrackerServiceServer::from_arc(service.clone()), service }
    }
}

impl NamedService for PreparedWatch {
    const NAME: &'static str = <FlowTrackerServiceServer<UserService> as NamedService>::NAME;
}

impl Service<http::Request<Body>> for PreparedWatch {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<http::Request<Body>>::poll_ready(&mut self.others, context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != WATCH_EVENTS {
            return self.others.call(request);
        }
        let watch = Watch(self.service.clone());
        Box::pin(async move { Ok(Grpc::new(Prepared).server_streaming(watch, request).await) })
    }
}

struct Watch(Arc<UserService>);

impl ServerStreamingService<WatchEventsRequest> for Watch {
    type Response = Bytes;
    type ResponseStream = ReceiverStream<watch::Response>;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Self::ResponseStream>, Status>> + Send>>;

    fn call(&mut self, request: Request<WatchEventsRequest>) -> Self::Future {
        let service = self.0.clone();
        Box::pin(async move { service.watch(request.into_inner()).await })
    }
}

/// Decodes requests, and sends responses as they are.
struct Prepared;

impl Codec for Prepared {
    type Encode = Bytes;
    type Decode = WatchEventsRequest;
    type Encoder = AsIs;
    type Decoder = <ProstCodec<WatchEventsResponse, WatchEventsRequest> as Codec>::Decoder;

    fn encoder(&mut self) -> AsIs {
        AsIs
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<WatchEventsResponse, WatchEventsRequest>::raw_decoder(BufferSettings::default())
    }
}

struct AsIs;

impl Encoder for AsIs {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, response: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(response);
        Ok(())
    }
}
