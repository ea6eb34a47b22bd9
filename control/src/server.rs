//! Wiring: listeners, services, limits, and the way out.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use flowtracker_proto::FILE_DESCRIPTOR_SET;
use flowtracker_proto::v1::dataplane_link_service_server::DataplaneLinkServiceServer;
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tokio_stream::{Stream, StreamExt as _};
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::api::prepared::PreparedWatch;
use crate::api::service::Admin;
use crate::config::Config;
use crate::http;
use crate::link::ingest::Ingest;
use crate::link::links::Links;
use crate::mirror::hub::{Hub, wall_ns};
use crate::stop::{self, Stop};

/// Health name of the users' service: SERVING while a data plane is attached.
pub use flowtracker_proto::v1::flow_tracker_service_server::SERVICE_NAME as SERVICE;

// Together 30 s: a dead transport is noticed by then. A peer that is merely
// slow answers pings, because its HTTP/2 layer does.
const PING_EVERY: Duration = Duration::from_secs(10);
const PONG_WITHIN: Duration = Duration::from_secs(20);

/// What a data plane may send in one message, bytes.
const LINK_MESSAGE_MAX: usize = 16 << 20;
/// HTTP/2 windows, bytes: per stream and per connection.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

/// How long open streams may take to end after the signal.
const LINGER: Duration = Duration::from_secs(1);
/// How often data planes that are away are looked at.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);

/// Why the service did not start, or ended.
#[derive(Debug)]
pub enum ServeError {
    /// The TCP address cannot be had.
    Listen(SocketAddr, std::io::Error),
    /// The address of metrics and health cannot be had.
    Http(SocketAddr, std::io::Error),
    /// The unix socket cannot be had.
    Unix(PathBuf, std::io::Error),
    /// There is no room for the event log.
    Retain(usize, std::collections::TryReserveError),
    /// The reflection service refused our own descriptors.
    Reflection(tonic_reflection::server::Error),
    /// A listener failed.
    Serve(tonic::transport::Error),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(addr, why) => write!(f, "cannot listen on {addr}: {why}"),
            Self::Http(addr, why) => write!(f, "--http {addr}: cannot listen: {why}"),
            Self::Unix(path, why) => write!(f, "cannot listen on unix:{}: {why}", path.display()),
            Self::Retain(events, why) => write!(f, "--retain {events}: no room for so many events: {why}"),
            Self::Reflection(why) => write!(f, "cannot offer reflection: {why}"),
            Self::Serve(why) => write!(f, "cannot serve: {why}"),
        }
    }
}

impl std::error::Error for ServeError {}

/// A service whose sockets are open. Dropping it closes them.
#[derive(Debug)]
pub struct Bound {
    tcp: TcpListener,
    unix: Option<(UnixListener, UnixPath)>,
    http: Option<(TcpListener, SocketAddr)>,
    addr: SocketAddr,
    hub: Arc<Hub>,
}

/// Takes the socket's file away when the service ends.
#[derive(Debug)]
struct UnixPath(PathBuf);

impl Drop for UnixPath {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// Opens the sockets. From here on clients can dial; they are answered by [`Bound::serve`].
pub async fn bind(config: &Config) -> Result<Bound, ServeError> {
    let listen = |e| ServeError::Listen(config.listen, e);
    let tcp = TcpListener::bind(config.listen).await.map_err(listen)?;
    let addr = tcp.local_addr().map_err(listen)?;
    let unix = match &config.unix {
        Some(path) => Some(bind_unix(path).await.map_err(|e| ServeError::Unix(path.clone(), e))?),
        None => None,
    };
    let http = match config.http.0 {
        Some(addr) => {
            let bind = async {
                TcpListener::bind(addr).await.and_then(|tcp| tcp.local_addr().map(|had| (tcp, had)))
            };
            Some(bind.await.map_err(|e| ServeError::Http(addr, e))?)
        }
        None => None,
    };
    let hub = Hub::new(wall_ns(), config.retain).map_err(|e| ServeError::Retain(config.retain, e))?;
    Ok(Bound { tcp, unix, http, addr, hub: Arc::new(hub) })
}

/// Opens a unix socket; a file that a dead service left behind is replaced.
async fn bind_unix(path: &Path) -> std::io::Result<(UnixListener, UnixPath)> {
    use std::os::unix::fs::FileTypeExt;
    let left_behind = std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket())
        && tokio::net::UnixStream::connect(path)
            .await
            .is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionRefused);
    if left_behind {
        std::fs::remove_file(path)?;
    }
    Ok((UnixListener::bind(path)?, UnixPath(path.to_owned())))
}

/// Serves until `shutdown` is done.
pub async fn serve(
    config: &Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let bound = bind(config).await?;
    tracing::info!("effective configuration: {config}");
    bound.serve(shutdown).await
}

impl Bound {
    /// The TCP address that was taken.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address of metrics and health that was taken.
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(|(_, addr)| *addr)
    }

    /// The state that is served.
    pub fn hub(&self) -> Arc<Hub> {
        self.hub.clone()
    }

    /// Serves until `shutdown` is done and the open streams have ended, which
    /// they do at once; a client that does not read is not waited for.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let Self { tcp, unix, http, addr, hub } = self;
        let (stopper, stop) = stop::channel();
        let links = Arc::new(Links::default());
        let routes = routes(&hub, &links, &stop)?;
        let stopped = |mut stop: Stop| async move { stop.wanted().await };
        let on_tcp = server()
            .add_routes(routes.clone())
            .serve_with_incoming_shutdown(accepted(tcp), stopped(stop.clone()));
        tracing::info!("listening on {addr}");
        let (unix, unix_path) = unix.unzip();
        if let Some(UnixPath(path)) = &unix_path {
            tracing::info!("listening on unix:{}", path.display());
        }
        let on_unix = async {
            let Some(unix) = unix else { return Ok(()) };
            let incoming = UnixListenerStream::new(unix);
            server().add_routes(routes).serve_with_incoming_shutdown(incoming, stopped(stop.clone())).await
        };
        if let Some((_, addr)) = &http {
            tracing::info!("listening on http://{addr} for metrics and health");
        }
        let on_http = async {
            if let Some((socket, _)) = http {
                http::serve(socket, http::router(hub.clone(), links), stop.clone()).await;
            }
            Ok(())
        };
        let served =
            async { tokio::try_join!(on_tcp, on_unix, on_http).map(|_| ()).map_err(ServeError::Serve) };
        let signal = async {
            shutdown.await;
            tracing::info!("stopping");
            stopper.stop();
            tokio::time::sleep(LINGER).await;
        };
        let expiry = async {
            let mut every = tokio::time::interval(EXPIRE_EVERY);
            loop {
                every.tick().await;
                hub.expire_detached(Instant::now(), wall_ns());
            }
        };
        tokio::select! {
            result = served => result,
            () = signal => Ok(()),
            () = expiry => Ok(()),
        }
    }
}

/// Connections that send at once. Nagle's algorithm (RFC 896) would keep an event back until the last one has been
/// acknowledged, which a client may put off for 40 ms.
fn accepted(tcp: TcpListener) -> impl Stream<Item = std::io::Result<TcpStream>> {
    // One that is dead already says so when it is used.
    TcpListenerStream::new(tcp).map(|stream| stream.inspect(|s| drop(s.set_nodelay(true))))
}

fn server() -> Server {
    Server::builder()
        .http2_keepalive_interval(Some(PING_EVERY))
        .http2_keepalive_timeout(Some(PONG_WITHIN))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
}

fn routes(hub: &Arc<Hub>, links: &Arc<Links>, stop: &Stop) -> Result<Routes, ServeError> {
    let admin = Admin::new(hub.clone(), links.clone(), stop.clone());
    let ingest = Ingest::new(hub.clone(), links.clone(), stop.clone());
    let (reporter, health) = tonic_health::server::health_reporter();
    tokio::spawn(report_health(reporter, hub.clone(), stop.clone()));
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // google.rpc, so that grpcurl can show the details of an error.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    Ok(Routes::new(PreparedWatch::new(admin))
        .add_service(DataplaneLinkServiceServer::new(ingest).max_decoding_message_size(LINK_MESSAGE_MAX))
        .add_service(health)
        .add_service(reflection().build_v1().map_err(ServeError::Reflection)?)
        .add_service(reflection().build_v1alpha().map_err(ServeError::Reflection)?))
}

/// Keeps the health of the users' service in step with the data planes.
async fn report_health(reporter: HealthReporter, hub: Arc<Hub>, mut stop: Stop) {
    let mut attached = hub.subscribe_attached();
    loop {
        let any = *attached.borrow_and_update() > 0;
        let status = if any { ServingStatus::Serving } else { ServingStatus::NotServing };
        reporter.set_service_status(SERVICE, status).await;
        tokio::select! {
            changed = attached.changed() => if changed.is_err() { return },
            () = stop.wanted() => return,
        }
    }
}
