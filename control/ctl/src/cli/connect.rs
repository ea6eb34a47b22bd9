//! Connects to the service, waits for its answers, and identifies `ctl` in its requests.

mod address;
mod config_file;
mod dial;
mod settings;
mod target;
mod wait;

use std::future::Future;

use flowtracker_proto::v1::flow_tracker_service_client::FlowTrackerServiceClient;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, TimeoutExpired};

use super::Failure;
use flowtracker_proto::header;

pub(super) use self::config_file::{Config, user_file, with_current};
pub(super) use self::dial::channel;
#[cfg(test)]
pub(super) use self::dial::{PING_EVERY, PONG_WITHIN};
pub(super) use self::settings::{Field, Place, Setting};
pub(super) use self::target::Target;
pub(super) use self::wait::timeout;

/// The process name in the author fields of the entries that `ctl` writes.
const PROCESS: &str = "ctl";

/// A client of the service.
pub(super) type Client = FlowTrackerServiceClient<Channel>;

/// Connects to the service and returns a client of it.
pub(super) async fn client(target: &Target) -> Result<Client, Failure> {
    Ok(FlowTrackerServiceClient::new(channel(target).await?))
}

/// Returns a request with the metadata that identifies `ctl` as its author.
pub(super) fn request<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let metadata = request.metadata_mut();
    metadata.insert(header::PID, std::process::id().into());
    metadata.insert(header::PROCESS, tonic::metadata::MetadataValue::from_static(PROCESS));
    request
}

/// The service has not answered in time. It is the source of the status that says so.
#[derive(Debug, thiserror::Error)]
#[error("{server} does not answer within {within:?}")]
pub(super) struct NoAnswer {
    server: String,
    within: std::time::Duration,
}

impl Target {
    /// Makes a call that the service answers with one message, and bounds it by the timeout. The
    /// service is told how long `ctl` waits, so that it can say in time what it waits for itself.
    ///
    /// Calls whose work grows with the table (lists, flushes, purges) and watches are not made
    /// this way: they take as long as they need.
    pub(super) async fn ask<M, T, F>(
        &self,
        message: M,
        call: impl FnOnce(Request<M>) -> F,
    ) -> Result<T, Status>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let mut request = request(message);
        request.set_timeout(self.timeout);
        let late = || NoAnswer { server: self.server.clone(), within: self.timeout };
        match tokio::time::timeout(self.timeout, call(request)).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            // The channel looks at the same clock.
            Ok(Err(status)) if is_timeout(&status) => Err(Status::from_error(Box::new(late()))),
            Ok(Err(status)) => Err(status),
            Err(_) => Err(Status::from_error(Box::new(late()))),
        }
    }
}

fn is_timeout(status: &Status) -> bool {
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        if error.is::<TimeoutExpired>() {
            return true;
        }
        source = error.source();
    }
    false
}

/// Returns the innermost cause: "connection refused" rather than "transport error".
pub(super) fn cause(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
