//! Connections of HTTP/1, each with one request.
//!
//! A connection ends within seconds, and the number of open ones is limited, so that a client that
//! dials and sends nothing, or does not read, costs little. When there are too many, the oldest that
//! has not said what it wants gives way. What metrics may take is bounded apart, so that health is
//! always answered. `axum::serve` sets none of these limits, so the connections are served here.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tonic::codegen::Service as _;

use crate::door::Door;
use crate::door::listener::Entrance;
use crate::door::peer::Origin;
use crate::door::places::{Call, Kind, Place, Places};
use crate::door::refusals::Reason;
use crate::door::tls::{Opened, Protocol};
use crate::stop::Stop;

use super::pages::METRICS;

/// How long a connection may take, from its acceptance to the last byte.
pub const CONNECTION_WITHIN: Duration = Duration::from_secs(10);
/// Longest request line and headers together, bytes.
const REQUEST_MAX: usize = 16 << 10;

/// Serves pages over connections.
#[derive(Clone, Debug)]
pub struct Pages {
    pages: Router,
    door: Arc<Door>,
    /// One permit for each connection that may be busy with metrics.
    scrapes: Arc<Semaphore>,
}

/// What a connection keeps to its end once it has asked for metrics.
type Kept = OnceLock<(Option<Call>, OwnedSemaphorePermit)>;

/// Serves `pages` within the bounds of `door` until `stop` turns true, and then ends what is under
/// way.
pub async fn serve(listener: TcpListener, pages: Router, door: Arc<Door>, stop: Stop) {
    let places = Places::new(door.limits.max_http_connections, 0);
    let entrance = Entrance::new(door.clone(), places, Reason::IdleHttpConnection);
    let name: Arc<str> = match listener.local_addr() {
        Ok(addr) => format!("http {addr}").into(),
        Err(_) => "http".into(),
    };
    let pages = Pages::new(pages, door);
    let serve = |io, origin, place| pages.clone().serve(io, name.clone(), origin, place);
    entrance.run(listener, serve, stop).await;
}

impl Pages {
    /// Serves `pages` within the bounds of `door`.
    #[must_use]
    pub fn new(pages: Router, door: Arc<Door>) -> Self {
        let scrapes = Arc::new(Semaphore::new(door.limits.max_http_connections.div_ceil(4)));
        Self { pages, door, scrapes }
    }

    /// Serves one connection, from its handshake to its end.
    async fn serve(self, io: TcpStream, name: Arc<str>, origin: Origin, place: Arc<Place>) {
        let by = Instant::now() + self.door.limits.max_handshake;
        match self.door.open(io, Protocol::Http, by, (&name, &origin), &place).await {
            Some(Opened::Plain(io)) => self.converse(io, place).await,
            Some(Opened::Tls(io, _)) => self.converse(io, place).await,
            None => {}
        }
    }

    /// Answers the one request of a connection. This ends within [`CONNECTION_WITHIN`], whatever
    /// comes and whatever is not read.
    pub async fn converse(&self, io: impl AsyncRead + AsyncWrite + Unpin, place: Arc<Place>) {
        let kept = Kept::new();
        let service = service_fn(|request| self.answer(request, &place, &kept));
        let mut server = http1::Builder::new();
        server
            .timer(TokioTimer::new())
            .header_read_timeout(self.door.limits.max_handshake)
            .keep_alive(false)
            // A client that has sent its request may close its half, as `nc` does.
            .half_close(true)
            .max_buf_size(REQUEST_MAX);
        let connection = pin!(server.serve_connection(TokioIo::new(io), service));
        tokio::select! {
            ended = connection => {
                // Any other failure is its client's business.
                if ended.is_err_and(|why| why.is_timeout()) {
                    self.door.refusals.count(Reason::NoFirstRequest);
                }
            }
            _ = place.leaving() => {}
            () = tokio::time::sleep(CONNECTION_WITHIN) => {}
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        place: &Arc<Place>,
        kept: &Kept,
    ) -> Result<Response, Infallible> {
        if request.uri().path() == METRICS {
            let Ok(scrape) = self.scrapes.clone().try_acquire_owned() else {
                self.door.refusals.count(Reason::TooManyScrapes);
                let text = "too many ask for metrics at a time\n";
                return Ok((StatusCode::SERVICE_UNAVAILABLE, text).into_response());
            };
            // There are more places than scrapes.
            drop(kept.set((place.begin(Kind::User).ok(), scrape)));
        } else {
            drop(place.begin(Kind::Health));
        }
        let Ok(response) = self.pages.clone().call(request.map(Body::new)).await;
        Ok(response)
    }
}
