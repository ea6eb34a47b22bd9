//! The four pages: an index, the metrics, and two that tell health.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use flowtracker_proto::v1::GetStatsResponse;

use super::door::DoorFigures;
use super::format::Format;
use super::metrics::{Figures, Plane};
use crate::api::deadline;
use crate::door::Door;
use crate::link::links::Links;
use crate::link::stats;
use crate::mirror::dataplane::DataplaneState;
use crate::mirror::hub::Hub;

/// Header in which Prometheus says how long it waits for its answer.
const SCRAPE_TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";

/// Path of the metrics.
pub(super) const METRICS: &str = "/metrics";

const INDEX: &str = "\
flowtracker-control

/metrics  figures of the service and its data planes, for Prometheus
/healthz  200 while the service is up
/readyz   200 while a data plane is attached
";

/// What the pages are made from.
#[derive(Debug)]
struct Source {
    hub: Arc<Hub>,
    links: Arc<Links>,
    door: Arc<Door>,
}

/// Returns the pages. They show what `hub` holds, what the data planes answer over `links`, and what
/// `door` refused.
pub fn router(hub: Arc<Hub>, links: Arc<Links>, door: Arc<Door>) -> Router {
    Router::new()
        .route("/", get(async || text(StatusCode::OK, INDEX)))
        .route(METRICS, get(metrics))
        .route("/healthz", get(async || text(StatusCode::OK, "up\n")))
        .route("/readyz", get(readiness))
        .method_not_allowed_fallback(async || {
            let page = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are possible\n");
            ([(ALLOW, "GET, HEAD")], page)
        })
        .fallback(async || {
            text(StatusCode::NOT_FOUND, "there is no such page; / names those that are there\n")
        })
        .with_state(Arc::new(Source { hub, links, door }))
}

async fn readiness(State(source): State<Arc<Source>>) -> Response {
    if *source.hub.subscribe_attached().borrow() > 0 {
        text(StatusCode::OK, "a data plane is attached\n")
    } else {
        text(StatusCode::SERVICE_UNAVAILABLE, "no data plane is attached\n")
    }
}

async fn metrics(State(source): State<Arc<Source>>, headers: HeaderMap) -> Response {
    let timeout = headers.get(SCRAPE_TIMEOUT).and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    let timeout = timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let deadline = deadline::before(timeout, stats::WITHIN);
    let given = stats::gather(&source.hub, &source.links, |_| true, deadline).await;
    let format = Format::wanted(&headers);
    match source.figures(&given).text(format) {
        Ok(figures) => {
            let headers = [(CONTENT_TYPE, format.content_type()), (VARY, "accept")];
            (headers, text(StatusCode::OK, figures)).into_response()
        }
        Err(why) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{why}\n")),
    }
}

impl Source {
    /// Joins what the data planes gave with what is known of them.
    fn figures(&self, given: &GetStatsResponse) -> Figures {
        let stats_of = |name: &str| given.dataplanes.iter().find(|stats| stats.dataplane == *name).cloned();
        let plane = |state: DataplaneState| Plane { stats: stats_of(&state.name).unwrap_or_default(), state };
        let dataplanes = self.hub.dataplanes().into_iter().map(plane).collect();
        let Door { refusals, calls, tls, .. } = &*self.door;
        let door =
            DoorFigures { refused: refusals.counts(), calls: calls.counts(), expiries: tls.expiries() };
        Figures { log: given.log.unwrap_or_default(), door, dataplanes }
    }
}

/// Returns a page of text that nobody may keep.
fn text(status: StatusCode, text: impl Into<Body>) -> Response {
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    (status, headers, text.into()).into_response()
}
