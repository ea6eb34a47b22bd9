//! A connection of gRPC, from its handshake to its end.
//!
//! It has to show a request soon, it may be told to go, and its calls keep it in its place. The
//! HTTP/2 layer bounds its streams, and ends a connection that opens and resets streams faster than
//! they can be looked at (CVE-2023-44487).

use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use crate::api::fault;
use crate::door::Door;
use crate::door::account::Account;
use crate::door::gate::Gate;
use crate::door::limits::Limits;
use crate::door::methods::Need;
use crate::door::peer::{Origin, Peer};
use crate::door::places::{Full, Kind, Leave, Place};
use crate::door::refusals::Reason;
use crate::door::request::{self, Bounded, Watched};
use crate::door::tls::{Opened, Protocol};
use crate::door::{access, methods};
use crate::stop::Stop;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::codegen::Service as _;
use tonic::codegen::http::{Request, Response};
use tonic::service::Routes;
use tonic::{Code, Status};

// A dead transport is noticed when both have passed. A peer that is merely slow answers pings,
// because its HTTP/2 layer does.
const PING_EVERY: Duration = Duration::from_secs(10);
const PONG_WITHIN: Duration = Duration::from_secs(20);

/// HTTP/2 windows, bytes: per stream and per connection.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

/// How long a connection that was told to go may take to end.
const LINGER: Duration = Duration::from_secs(1);

/// Longest part of an unknown method's path that is shown, bytes.
const PATH_SHOWN: usize = 128;

/// Serves connections with `routes`.
#[derive(Clone, Debug)]
pub struct Grpc {
    routes: Routes,
    door: Arc<Door>,
    stop: Stop,
}

impl Grpc {
    /// Serves `routes` within the bounds of `door` until `stop` turns true.
    #[must_use]
    pub fn new(routes: Routes, door: Arc<Door>, stop: Stop) -> Self {
        Self { routes: routes.prepare(), door, stop }
    }

    /// Serves one connection of TCP that came in by `gate`, from its handshake to its end.
    pub async fn serve_tcp(self, io: TcpStream, gate: Arc<Gate>, origin: Origin, place: Arc<Place>) {
        let by = Instant::now() + self.door.limits.max_handshake;
        match self.door.open(io, Protocol::Grpc, by, (&gate.name, &origin), &place).await {
            Some(Opened::Plain(io)) => self.clone().serve(io, Peer::new(gate, origin, None, place), by).await,
            Some(Opened::Tls(io, bearer)) => {
                self.clone().serve(io, Peer::new(gate, origin, bearer, place), by).await;
            }
            None => {}
        }
    }

    /// Serves one connection of a unix socket.
    pub async fn serve_unix(self, io: UnixStream, gate: Arc<Gate>, origin: Origin, place: Arc<Place>) {
        let by = Instant::now() + self.door.limits.max_handshake;
        self.serve(io, Peer::new(gate, origin, None, place), by).await;
    }

    /// Serves one connection to its end. The first request must arrive before a deadline.
    async fn serve(self, io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer, by: Instant) {
        let place = peer.place().clone();
        let mut changes = self.door.access.changes();
        let (limits, refusals) = (&self.door.limits, &self.door.refusals);
        let mut stop = self.stop.clone();
        let service =
            service_fn(|request| answer(self.routes.clone(), self.door.clone(), peer.clone(), request));
        let mut connection = pin!(http2(limits).serve_connection(TokioIo::new(io), service));
        let mut first_request = pin!(tokio::time::sleep_until(by));
        let (mut watched, mut stopping) = (true, false);
        // Passes once it is reset.
        let mut linger = pin!(tokio::time::sleep(LINGER));
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if ended.is_err_and(|why| is_ours(&why)) {
                        refusals.count(Reason::Http2Rules);
                    }
                    return;
                }
                () = &mut first_request, if watched => {
                    watched = false;
                    if !place.was_called() {
                        refusals.count(Reason::NoFirstRequest);
                        return;
                    }
                }
                how = place.leaving() => {
                    connection.as_mut().graceful_shutdown();
                    if how == Leave::AtOnce {
                        // A client that reads learns that it may dial again.
                        tokio::select! { biased; _ = connection => {}, () = std::future::ready(()) => {} }
                        return;
                    }
                    if !std::mem::replace(&mut stopping, true) {
                        linger.as_mut().reset(Instant::now() + LINGER);
                    }
                }
                Ok(()) = changes.changed() => {
                    let policy = changes.borrow_and_update().clone();
                    if !peer.keeps_to(&policy) {
                        // Each of its calls ends with a status, if the client reads it in time.
                        place.leave(Leave::Soon);
                    }
                }
                () = stop.wanted(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                    linger.as_mut().reset(Instant::now() + LINGER);
                }
                () = &mut linger, if stopping => return,
            }
        }
    }
}

/// Returns a server of HTTP/2 with our limits.
fn http2(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut server = http2::Builder::new(TokioExecutor::new());
    server
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_WITHIN)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(limits.max_streams);
    server
}

/// Returns whether we ended the connection because the peer broke HTTP/2's rules or our limits.
fn is_ours(why: &hyper::Error) -> bool {
    let ended = why.source().and_then(|source| source.downcast_ref::<h2::Error>());
    ended.is_some_and(|why| why.is_library() && why.is_go_away())
}

/// Answers a request, if there is a place for it.
async fn answer(
    mut routes: Routes,
    door: Arc<Door>,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path();
    let method = methods::find(path);
    let mut account = Account::new(door.clone(), peer.clone(), method);
    let allowed = match method {
        Some(method) => door.access.policy().check(&peer, method).map(|()| method),
        None => {
            let message = format!("{:?} is no method of this service", shortened(path));
            Err(fault::refusal(Code::Unimplemented, "UNKNOWN_METHOD", message))
        }
    };
    let method = match allowed {
        Ok(method) => method,
        Err(status) => {
            // Only a call that is allowed takes a place.
            drop(peer.place().begin(Kind::Health));
            door.refusals.count(match status.code() {
                Code::Unimplemented => Reason::UnknownMethod,
                Code::Unauthenticated => Reason::NoIdentity,
                _ => Reason::Role,
            });
            account.refuse(&status);
            return Ok(status.into_http());
        }
    };
    let call = match peer.place().begin(request::kind(method)) {
        Ok(call) => call,
        Err(Full) => {
            door.refusals.count(Reason::TooManyConnections);
            peer.dismiss();
            let message = format!("{} connections have calls already", door.limits.max_connections);
            let status = fault::refusal(Code::ResourceExhausted, "TOO_MANY_CONNECTIONS", message);
            account.refuse(&status);
            return Ok(status.into_http());
        }
    };
    let mut request = Bounded::request(request, &door);
    let running = peer.begin(method);
    let lost = access::lost(door.access.changes(), peer.clone(), method);
    request.extensions_mut().insert(account.note());
    request.extensions_mut().insert(peer);
    let Ok(response) = routes.call(request).await;
    match Status::from_header_map(response.headers()) {
        Some(status) if method.needs == Need::Dataplane => account.refuse(&status),
        Some(status) => account.end(&status),
        // A write runs to its end even if the caller no longer waits for the answer.
        None if method.needs.is_write() => account.end(&Status::ok("")),
        None => {}
    }
    Ok(response.map(|body| Body::new(Watched::new(body, (call, running, account), lost))))
}

/// Returns the beginning of a path.
fn shortened(path: &str) -> &str {
    path.get(..PATH_SHOWN).unwrap_or(path)
}

#[cfg(test)]
mod tests;
