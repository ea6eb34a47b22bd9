//! How the control service is reached: the connection, the greeting, and the commands that come
//! over it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use flowtracker_proto::v1;
use flowtracker_proto::v1::attach_response::Body;
use flowtracker_proto::v1::dataplane_link_service_client::DataplaneLinkServiceClient;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Status};
use tracing::debug;

use crate::export::bounds;
use crate::export::secured::Secured;
use crate::start::config::{ControlTls, ControlUri};
use crate::start::control_tls::told;

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

/// Why there is no link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoLink {
    /// The control service is not there, or cannot be trusted.
    Unreachable(String),
    /// It refuses the identity or the name of this data plane.
    Refused(String),
}

impl NoLink {
    /// Returns true if this must be logged although `last` has been. The reasons of an outage vary while
    /// it lasts, so only its first is logged; each new refusal needs an operator.
    pub(super) fn is_news(&self, last: Option<&Self>) -> bool {
        !matches!((self, last), (Self::Unreachable(_), Some(Self::Unreachable(_)))) && last != Some(self)
    }
}

impl std::fmt::Display for NoLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(why) => f.write_str(why),
            Self::Refused(why) => write!(f, "it refuses this data plane: {why}"),
        }
    }
}

/// What ended a TLS connection, once something has.
pub(super) type Verdict = Arc<OnceLock<String>>;

/// Connects to the control service and introduces this data plane.
///
/// # Errors
/// The reason in a few words, for the log.
pub(super) async fn dial(
    control: &ControlUri,
    tls: Option<&ControlTls>,
    hello: v1::Hello,
) -> Result<Dialled, NoLink> {
    let gone = |why: &str| NoLink::Unreachable(why.to_owned());
    let verdict = Verdict::default();
    let connected = tokio::time::timeout(PATIENCE, connect(control, tls, &verdict)).await;
    let channel = connected.map_err(|_| gone("timed out"))?.map_err(NoLink::Unreachable)?;
    let mut client = DataplaneLinkServiceClient::new(channel).max_decoding_message_size(bounds::MESSAGE);
    let (outbound, requests) = mpsc::channel(OUTBOUND);
    let hello = v1::AttachRequest { body: Some(v1::attach_request::Body::Hello(hello)) };
    outbound.send(hello).await.map_err(|e| gone(&e.to_string()))?;
    let attach = async {
        let mut inbound = client.attach(ReceiverStream::new(requests)).await?.into_inner();
        Ok::<_, Status>((inbound.message().await?, inbound))
    };
    let attached = tokio::time::timeout(PATIENCE, attach).await.map_err(|_| gone("no welcome"))?;
    let (first, inbound) = attached.map_err(|status| match verdict.get() {
        Some(why) => gone(why),
        None => refusal(&status),
    })?;
    match first.and_then(|m| m.body) {
        Some(Body::Welcome(welcome)) => Ok(Dialled { outbound, inbound, epoch: welcome.epoch }),
        _ => Err(gone("no welcome")),
    }
}

fn refusal(status: &Status) -> NoLink {
    let why = bounds::shown(status.message());
    // A status that the transport has made up has a source; one of the service has none.
    match status.code() {
        Code::Unauthenticated | Code::PermissionDenied if std::error::Error::source(status).is_none() => {
            NoLink::Refused(why)
        }
        _ => NoLink::Unreachable(why),
    }
}

async fn connect(
    control: &ControlUri,
    tls: Option<&ControlTls>,
    verdict: &Verdict,
) -> Result<Channel, String> {
    let tuned = |endpoint: Endpoint| {
        endpoint
            .http2_keep_alive_interval(KEEP_ALIVE.0)
            .keep_alive_timeout(KEEP_ALIVE.1)
            .keep_alive_while_idle(true)
            .tcp_nodelay(true)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
    };
    let channel = match (control, tls) {
        (ControlUri::Http(uri), _) => {
            let endpoint = Endpoint::from_shared(uri.clone()).map_err(|e| e.to_string())?;
            tuned(endpoint).connect().await
        }
        (ControlUri::Https { host, port }, Some(tls)) => {
            let config = tls.files.config().map_err(|unfit| told(&unfit))?;
            let stream = flowtracker_tls::dial::tcp(host, *port).await.map_err(|e| e.to_string())?;
            let stream = flowtracker_tls::dial::tls(stream, config, tls.name.clone()).await?;
            let mut stream = Some(hyper_util::rt::TokioIo::new(Secured::new(stream, verdict.clone())));
            let uri: Uri = control.to_string().parse().map_err(|e| format!("{e}"))?;
            // The connector has done the TLS handshake; the endpoint must not try another.
            let plain = control.to_string().replacen("https:", "http:", 1);
            let endpoint = Endpoint::from_shared(plain).map_err(|e| e.to_string())?.origin(uri);
            tuned(endpoint)
                .connect_with_connector(tower::service_fn(move |_| {
                    let stream = stream.take().ok_or(std::io::ErrorKind::NotConnected);
                    async move { stream.map_err(std::io::Error::from) }
                }))
                .await
        }
        (ControlUri::Https { .. }, None) => return Err("no TLS is configured".to_owned()),
        (ControlUri::Unix(path), _) => {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_is_news_and_an_outage_is_news_once() {
        let refused = |why: &str| NoLink::Refused(why.to_owned());
        let gone = |why: &str| NoLink::Unreachable(why.to_owned());
        for (error, last, news) in [
            (gone("a"), None, true),
            (gone("b"), Some(gone("a")), false),
            (refused("a"), None, true),
            (refused("a"), Some(refused("a")), false),
            (refused("b"), Some(refused("a")), true),
            (refused("a"), Some(gone("a")), true),
            (gone("a"), Some(refused("a")), true),
        ] {
            assert_eq!(error.is_news(last.as_ref()), news, "{error:?} after {last:?}");
        }
    }

    #[test]
    fn only_the_services_own_word_is_a_refusal() {
        let said = |code| refusal(&Status::new(code, "no"));
        assert_eq!(said(Code::PermissionDenied), NoLink::Refused("no".to_owned()));
        assert_eq!(said(Code::Unauthenticated), NoLink::Refused("no".to_owned()));
        assert_eq!(said(Code::Unavailable), NoLink::Unreachable("no".to_owned()));
    }
}
