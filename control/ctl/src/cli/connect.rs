//! Connects to the service, and identifies `ctl` in its requests.

use std::time::Duration;

use flowtracker_proto::v1::flow_tracker_service_client::FlowTrackerServiceClient;
use tonic::Request;
use tonic::transport::{Channel, Endpoint};

use super::Failure;
use flowtracker_proto::header;

/// The process name in the author fields of the entries that `ctl` writes.
const PROCESS: &str = "ctl";
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Silence after which the client pings the server.
pub(super) const PING_EVERY: Duration = Duration::from_secs(10);
/// Time within which the server must answer a ping.
pub(super) const PONG_WITHIN: Duration = Duration::from_secs(20);
/// HTTP/2 windows, bytes: enough for a dump at full speed.
const WINDOW: u32 = 1 << 20;

/// Connects to `server`: `http://HOST:PORT` or `unix:PATH`.
pub(super) async fn channel(server: &str) -> Result<Channel, Failure> {
    let wrong = |why: &str| Failure::Usage(format!("--server {server}: {why}"));
    if !(server.starts_with("http://") || server.starts_with("unix:")) {
        return Err(wrong("must be http://HOST:PORT or unix:PATH"));
    }
    let endpoint = Endpoint::from_shared(server.to_owned())
        .and_then(|e| e.user_agent(concat!("ctl/", env!("CARGO_PKG_VERSION"))))
        .map_err(|e| wrong(&cause(&e)))?;
    endpoint
        .connect_timeout(CONNECT_WITHIN)
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_WITHIN)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .connect()
        .await
        .map_err(|e| Failure::Unreachable(format!("cannot reach {server}: {}", cause(&e))))
}

/// Connects to `server` and returns a client of it.
pub(super) async fn client(server: &str) -> Result<FlowTrackerServiceClient<Channel>, Failure> {
    Ok(FlowTrackerServiceClient::new(channel(server).await?))
}

/// Returns a request with the metadata that identifies `ctl` as its author.
pub(super) fn request<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let metadata = request.metadata_mut();
    metadata.insert(header::PID, std::process::id().into());
    metadata.insert(header::PROCESS, tonic::metadata::MetadataValue::from_static(PROCESS));
    request
}

/// Returns the innermost cause: "connection refused" rather than "transport error".
pub(super) fn cause(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
