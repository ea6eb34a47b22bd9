//! Connections of HTTP/1, each with one request.
//!
//! A connection ends within seconds, and the number of open ones is limited, so that a client that
//! dials and sends nothing, or does not read, costs little and delays nobody. `axum::serve` sets
//! none of these limits, so the connections are served here.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::stop::Stop;

/// Connections that may be open at a time; others wait to be accepted.
const CONNECTIONS: usize = 64;
/// How long a connection may take, from its acceptance to the last byte.
const CONNECTION_WITHIN: Duration = Duration::from_secs(10);
/// Longest request line and headers together, bytes.
const REQUEST_MAX: usize = 16 << 10;
/// Pause after a connection could not be accepted, usually for want of a file descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `pages` until `stop` turns true, and then ends what is under way.
pub async fn serve(listener: TcpListener, pages: Router, mut stop: Stop) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    let answer = answer(stream, pages.clone());
                    connections.spawn(tokio::time::timeout(CONNECTION_WITHIN, answer));
                }
                Err(why) => {
                    tracing::warn!("cannot accept a connection of HTTP: {why}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            // A failed connection is its client's business.
            Some(_) = connections.join_next() => {}
            () = stop.wanted() => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Answers the one request of a connection.
async fn answer(stream: TcpStream, pages: Router) -> hyper::Result<()> {
    http1::Builder::new()
        .keep_alive(false)
        // A client that has sent its request may close its half, as `nc` does.
        .half_close(true)
        .max_buf_size(REQUEST_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(pages))
        .await
}
