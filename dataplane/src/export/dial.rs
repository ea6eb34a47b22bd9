//! How the control service is reached: the connection, the greeting, and the commands that come
//! over it.

use std::time::Duration;

use flowtracker_proto::v1;
use flowtracker_proto::v1::attach_response::Body;
use flowtracker_proto::v1::dataplane_link_service_client::DataplaneLinkServiceClient;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tracing::debug;

use crate::export::bounds;
use crate::start::config::ControlUri;

/// Messages that may wait for the transport.
const OUTBOUND: usize = 4;
/// How long connecting may take, and how long the welcome may take after it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a link may be silent before it is asked for a sign of life, and how long that may take.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(20));
/// Bytes of commands that may be on their way and in the buffers of HTTP/2.
const WINDOW: u32 = 4 * bounds::MESSAGE as u32;

/// A command, or the answer to one that was refused before anybody acted on it.
pub(super) type Incoming = Result<v1::Command, Box<v1::Reply>>;

/// A link that stands.
pub(super) struct Dialled {
    /// What this data plane sends. The end of it ends the link.
    pub(super) outbound: mpsc::Sender<v1::AttachRequest>,
    /// What the control service sends.
    pub(super) inbound: tonic::Streaming<v1::AttachResponse>,
    /// Epoch of the control service's log.
    pub(super) epoch: u64,
}

/// Connects to the control service and introduces this data plane.
///
/// # Errors
/// The reason in a few words, for the log.
pub(super) async fn dial(control: &ControlUri, hello: v1::Hello) -> Result<Dialled, String> {
    let connected = tokio::time::timeout(PATIENCE, connect(control)).await;
    let channel = connected.map_err(|_| "timed out".to_owned())??;
    let mut client = DataplaneLinkServiceClient::new(channel).max_decoding_message_size(bounds::MESSAGE);
    let (outbound, requests) = mpsc::channel(OUTBOUND);
    let hello = v1::AttachRequest { body: Some(v1::attach_request::Body::Hello(hello)) };
    outbound.send(hello).await.map_err(|e| e.to_string())?;
    let attach = async {
        let mut inbound = client.attach(ReceiverStream::new(requests)).await?.into_inner();
        Ok::<_, tonic::Status>((inbound.message().await?, inbound))
    };
    let (first, inbound) = tokio::time::timeout(PATIENCE, attach)
        .await
        .map_err(|_| "no welcome".to_owned())?
        .map_err(|status| bounds::shown(status.message()))?;
    match first.and_then(|m| m.body) {
        Some(Body::Welcome(welcome)) => Ok(Dialled { outbound, inbound, epoch: welcome.epoch }),
        _ => Err("no welcome".to_owned()),
    }
}

async fn connect(control: &ControlUri) -> Result<Channel, String> {
    let tuned = |endpoint: Endpoint| {
        endpoint
            .http2_keep_alive_interval(KEEP_ALIVE.0)
            .keep_alive_timeout(KEEP_ALIVE.1)
            .keep_alive_while_idle(true)
            .tcp_nodelay(true)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
    };
    let channel = match control {
        ControlUri::Http(uri) => {
            let endpoint = Endpoint::from_shared(uri.clone()).map_err(|e| e.to_string())?;
            tuned(endpoint).connect().await
        }
        ControlUri::Unix(path) => {
            let path = path.clone();
            // The address only fills the requests' authority; the connector knows the path.
            tuned(Endpoint::from_static("http://localhost"))
                .connect_with_connector(tower::service_fn(move |_| {
                    let path = path.clone();
                    async move {
                        let stream = tokio::net::UnixStream::connect(path).await?;
                        Ok::<_, std::io::Error>(hyper_util::rt::TokioIo::new(stream))
                    }
                }))
                .await
        }
    };
    channel.map_err(|e| root_cause(&e))
}

/// Passes commands on until the link ends, and returns why it ended.
pub(super) async fn read_commands(
    mut inbound: tonic::Streaming<v1::AttachResponse>,
    commands: mpsc::Sender<Incoming>,
) -> String {
    loop {
        match inbound.message().await {
            Ok(Some(v1::AttachResponse { body: Some(Body::Command(command)) })) => {
                let id = command.id;
                let incoming = match bounds::check(&command) {
                    Ok(()) => Ok(command),
                    Err(refused) => Err(Box::new(v1::Reply { id, ..*refused })),
                };
                if commands.send(incoming).await.is_err() {
                    return "closed".to_owned();
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => return "closed by the control service".to_owned(),
            Err(status) => {
                debug!("link: {status}");
                // A status that the transport has made up has a source; one of the service has
                // none.
                let lost = std::error::Error::source(&status).is_some();
                return if lost { "connection lost".to_owned() } else { bounds::shown(status.message()) };
            }
        }
    }
}

/// Returns the text of the innermost error. Transport errors wrap it several times over.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
