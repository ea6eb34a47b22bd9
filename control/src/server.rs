//! The running service: its listeners, the services on them, their limits, and how it ends.

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
use crate::api::service::UserService;
use crate::config::Config;
use crate::door::Door;
use crate::http;
use crate::link::attach::LinkService;
use crate::link::links::Links;
use crate::mirror::hub::{Hub, wall_ns};
use crate::stop::{self, Stop};

/// Health name of the users' service: SERVING while a data plane is attached.
pub use flowtracker_proto::v1::flow_tracker_service_server::SERVICE_NAME as SERVICE;

// A dead transport is noticed when both have passed. A peer that is merely slow answers pings,
// because its HTTP/2 layer does.
const PING_EVERY: Duration = Duration::from_secs(10);
const PONG_WITHIN: Duration = Duration::from_secs(20);

/// What a data plane may send in one message, bytes.
const LINK_MESSAGE_MAX: usize = 16 << 20;
/// HTTP/2 windows, bytes: per stream and per connection.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

/// How long open streams may take to end after the signal.
const LINGER: Duration = Duration::from_secs(1);
/// How often the mirror is searched for data planes that have been away for too long.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);

/// Why the service did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The TCP address cannot be used.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The address of metrics and health cannot be used.
    #[error("--http {0}: cannot listen: {1}")]
    Http(SocketAddr, std::io::Error),
    /// The unix socket cannot be opened.
    #[error("cannot listen on unix:{path}: {1}", path = .0.display())]
    Unix(PathBuf, std::io::Error),
    /// There is no memory for the event log.
    #[error("--retain {0}: no room for so many events: {1}")]
    Retain(usize, std::collections::TryReserveError),
    /// The reflection service refused our own descriptors.
    #[error("cannot offer reflection: {0}")]
    Reflection(tonic_reflection::server::Error),
    /// A listener failed.
    #[error("cannot serve: {0}")]
    Serve(tonic::transport::Error),
}

/// A service whose sockets are open. Dropping it closes them.
#[derive(Debug)]
pub struct Bound {
    tcp: TcpListener,
    unix: Option<(UnixListener, UnixPath)>,
    http: Option<(TcpListener, SocketAddr)>,
    addr: SocketAddr,
    hub: Arc<Hub>,
    door: Arc<Door>,
}

/// Removes the file of the unix socket when the service ends.
#[derive(Debug)]
struct UnixPath(PathBuf);

impl Drop for UnixPath {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// Opens the sockets. Clients can dial from then on; [`Bound::serve`] answers them.
///
/// # Errors
/// A socket cannot be opened, or there is no memory for the event log.
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
    let door = Arc::new(Door::new(config.limits.clone()));
    Ok(Bound { tcp, unix, http, addr, hub: Arc::new(hub), door })
}

/// Opens a unix socket. A file that a dead service left behind is replaced.
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

/// Opens the sockets and serves until `shutdown` is done.
///
/// # Errors
/// As [`bind`] has them, or a listener failed.
pub async fn serve(
    config: &Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let bound = bind(config).await?;
    tracing::info!("effective configuration: {config}");
    bound.serve(shutdown).await
}

impl Bound {
    /// Returns the TCP address that the service listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the address of metrics and health.
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(|(_, addr)| *addr)
    }

    /// Returns the state that is served.
    pub fn hub(&self) -> Arc<Hub> {
        self.hub.clone()
    }

    /// Serves until `shutdown` is done and the open streams have ended. They end at once; a client
    /// that does not read is not waited for.
    ///
    /// # Errors
    /// A listener failed.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let Self { tcp, unix, http, addr, hub, door } = self;
        let (stopper, stop) = stop::channel();
        let links = Arc::new(Links::default());
        let routes = routes(&hub, &links, &door, &stop)?;
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
                http::serve(socket, http::router(hub.clone(), links, door), stop.clone()).await;
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

/// Returns the connections of `tcp`, set to send at once. Nagle's algorithm (RFC 896) would keep an
/// event back until the client has acknowledged the one before, which it may delay.
fn accepted(tcp: TcpListener) -> impl Stream<Item = std::io::Result<TcpStream>> {
    // A connection that is dead already fails when it is used.
    TcpListenerStream::new(tcp).map(|stream| stream.inspect(|s| drop(s.set_nodelay(true))))
}

/// Returns a server with our limits.
fn server() -> Server {
    Server::builder()
        .http2_keepalive_interval(Some(PING_EVERY))
        .http2_keepalive_timeout(Some(PONG_WITHIN))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
}

/// Returns all gRPC services: the users', the data planes', health and reflection.
fn routes(hub: &Arc<Hub>, links: &Arc<Links>, door: &Arc<Door>, stop: &Stop) -> Result<Routes, ServeError> {
    let service = UserService::new(hub.clone(), links.clone(), door.clone(), stop.clone());
    let link_service = LinkService::new(hub.clone(), links.clone(), door.clone(), stop.clone());
    let (reporter, health) = tonic_health::server::health_reporter();
    tokio::spawn(report_health(reporter, hub.clone(), stop.clone()));
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // google.rpc, so that grpcurl can show the details of an error.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    Ok(Routes::new(PreparedWatch::new(service))
        .add_service(
            DataplaneLinkServiceServer::new(link_service).max_decoding_message_size(LINK_MESSAGE_MAX),
        )
        .add_service(health)
        .add_service(reflection().build_v1().map_err(ServeError::Reflection)?)
        .add_service(reflection().build_v1alpha().map_err(ServeError::Reflection)?))
}

/// Sets the health of the users' service to whether a data plane is attached, until the service
/// ends.
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
