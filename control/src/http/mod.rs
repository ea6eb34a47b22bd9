//! The door for monitoring: metrics and health over HTTP.
//!
//! Each connection carries one request and is over within seconds, and only so many are open: whoever dials and then
//! says nothing, or does not read, costs little and holds nobody up.

mod classic;
mod format;
mod histogram;
mod metrics;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use flowtracker_proto::v1::GetStatsResponse;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, VARY};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::api::deadline;
use crate::link::links::Links;
use crate::link::stats;
use crate::mirror::hub::Hub;
use crate::mirror::registry::DataplaneState;
use crate::stop::Stop;
use format::Format;
use metrics::{Figures, Plane};

/// Connections that may be open at a time; others wait to be accepted.
const CONNECTIONS: usize = 64;
/// How long a connection may take, from accepting to the last byte.
const CONNECTION_WITHIN: Duration = Duration::from_secs(10);
/// What a request's line and headers may be long together, bytes.
const REQUEST_MAX: usize = 16 << 10;
/// Pause after a connection could not be accepted, for want of a file descriptor as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long Prometheus waits for its answer.
const SCRAPE_TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const INDEX: &str = "\
flowtracker-control

/metrics  figures of the service and its data planes, for Prometheus
/healthz  200 while the service is up
/readyz   200 while a data plane is attached
";

/// What is served.
#[derive(Debug)]
pub struct Http {
    hub: Arc<Hub>,
    links: Arc<Links>,
}

type Page = Response<Full<Bytes>>;

impl Http {
    /// Reads `hub`, and asks data planes over `links`.
    pub fn new(hub: Arc<Hub>, links: Arc<Links>) -> Self {
        Self { hub, links }
    }

    /// Serves until `stop` turns true, and then what is under way.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, mut stop: Stop) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                    Ok((stream, _)) => {
                        let answer = self.clone().answer(stream);
                        connections.spawn(tokio::time::timeout(CONNECTION_WITHIN, answer));
                    }
                    Err(why) => {
                        tracing::warn!("cannot accept a connection of HTTP: {why}");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                // How one ended is its client's business.
                Some(_) = connections.join_next() => {}
                () = stop.wanted() => break,
            }
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    /// One connection: one request and its answer.
    async fn answer(self: Arc<Self>, stream: TcpStream) -> hyper::Result<()> {
        let service = service_fn(move |request: Request<Incoming>| {
            let http = self.clone();
            async move {
                Ok::<_, Infallible>(
                    http.page(request.method(), request.uri().path(), request.headers()).await,
                )
            }
        });
        hyper::server::conn::http1::Builder::new()
            .keep_alive(false)
            // Whoever has said all may close that half, as `nc` does.
            .half_close(true)
            .max_buf_size(REQUEST_MAX)
            .serve_connection(TokioIo::new(stream), service)
            .await
    }

    async fn page(&self, method: &Method, path: &str, headers: &HeaderMap) -> Page {
        let known = ["/", "/metrics", "/healthz", "/readyz"].contains(&path);
        if known && !matches!(*method, Method::GET | Method::HEAD) {
            let mut page = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are possible\n");
            page.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return page;
        }
        match path {
            "/" => text(StatusCode::OK, INDEX),
            "/metrics" => self.metrics(headers).await,
            "/healthz" => text(StatusCode::OK, "up\n"),
            "/readyz" if *self.hub.subscribe_attached().borrow() > 0 => {
                text(StatusCode::OK, "a data plane is attached\n")
            }
            "/readyz" => text(StatusCode::SERVICE_UNAVAILABLE, "no data plane is attached\n"),
            _ => text(StatusCode::NOT_FOUND, "there is no such page; / names those that are there\n"),
        }
    }

    async fn metrics(&self, headers: &HeaderMap) -> Page {
        let timeout = headers.get(SCRAPE_TIMEOUT).and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        let timeout = timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let deadline = deadline::before(timeout, stats::WITHIN);
        let given = stats::gather(&self.hub, &self.links, |_| true, deadline).await;
        let format = Format::wanted(headers);
        match self.figures(&given).text(format) {
            Ok(figures) => {
                let mut page = text(StatusCode::OK, figures);
                page.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
                page.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
                page
            }
            Err(why) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{why}\n")),
        }
    }

    /// What the data planes gave, and what is known of them.
    fn figures(&self, given: &GetStatsResponse) -> Figures {
        let stats_of = |name: &str| given.dataplanes.iter().find(|stats| stats.dataplane == *name).cloned();
        let plane = |state: DataplaneState| Plane { stats: stats_of(&state.name).unwrap_or_default(), state };
        let dataplanes = self.hub.dataplanes().into_iter().map(plane).collect();
        Figures { log: given.log.unwrap_or_default(), dataplanes }
    }
}

/// A page of text.
fn text(status: StatusCode, text: impl Into<Bytes>) -> Page {
    let mut page = Response::new(Full::new(text.into()));
    *page.status_mut() = status;
    page.headers_mut().insert(CONTENT_TYPE, TEXT);
    page.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    page
}
