//! The running service: its listeners, the services on them, their limits, and how it ends.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flowtracker_proto::FILE_DESCRIPTOR_SET;
use flowtracker_proto::v1::dataplane_link_service_server::DataplaneLinkServiceServer;
use tokio::net::{TcpListener, UnixListener};
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::api::prepared::PreparedWatch;
use crate::api::service::UserService;
use crate::config::Config;
use crate::door::Door;
use crate::door::connections::Grpc;
use crate::door::gate::Gate;
use crate::door::listener::{Entrance, UnixPath, bind_unix};
use crate::door::peer::Peer;
use crate::door::places::Places;
use crate::door::refusals::Reason;
use crate::http;
use crate::link::attach::LinkService;
use crate::link::links::Links;
use crate::link::refused;
use crate::mirror::hub::{Hub, wall_ns};
use crate::stop::{self, Stop};

/// Health name of the users' service: SERVING while a data plane is attached.
pub use flowtracker_proto::v1::flow_tracker_service_server::SERVICE_NAME as SERVICE;

/// What a caller may ask of reflection in one message, bytes.
const REFLECTION_MESSAGE_MAX: usize = 64 << 10;

/// How long open streams may take to end after the signal.
const LINGER: Duration = Duration::from_secs(1);
/// How often the mirror is searched for data planes that have been away for too long, copies of it for
/// those that nobody reads, and the log is told what was refused.
const EVERY: Duration = Duration::from_secs(1);

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

    /// Returns the bounds that are kept, and the count of those that exceeded them.
    pub fn door(&self) -> Arc<Door> {
        self.door.clone()
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
        // A data plane may dial again before its old connection is known to be dead.
        let places = Places::new(door.limits.max_connections, 2 * door.limits.max_dataplanes);
        let entrance = Entrance::new(door.clone(), places, Reason::IdleConnection);
        let grpc = Grpc::new(routes, door.clone(), stop.clone());
        let gate = Arc::new(Gate { name: format!("listen {addr}") });
        let serve = |io, origin, place| grpc.clone().serve(io, Peer::new(gate.clone(), origin, place));
        tracing::info!("listening on {addr}");
        let on_tcp = entrance.clone().run(tcp, serve, stop.clone());
        let (unix, unix_path) = unix.unzip();
        if let Some(path) = &unix_path {
            tracing::info!("listening on unix:{}", path.path().display());
        }
        let on_unix = async {
            let Some(unix) = unix else { return };
            let path = unix_path.as_ref().map(|path| path.path().display().to_string());
            let gate = Arc::new(Gate { name: format!("unix {}", path.unwrap_or_default()) });
            let serve = |io, origin, place| grpc.clone().serve(io, Peer::new(gate.clone(), origin, place));
            entrance.clone().run(unix, serve, stop.clone()).await;
        };
        if let Some((_, addr)) = &http {
            tracing::info!("listening on http://{addr} for metrics and health");
        }
        let on_http = async {
            if let Some((socket, _)) = http {
                http::serve(
                    socket,
                    http::router(hub.clone(), links, door.clone()),
                    door.clone(),
                    stop.clone(),
                )
                .await;
            }
        };
        let served = async { tokio::join!(on_tcp, on_unix, on_http) };
        let signal = async {
            shutdown.await;
            tracing::info!("stopping");
            stopper.stop();
            tokio::time::sleep(LINGER).await;
        };
        let expiry = async {
            let mut every = tokio::time::interval(EVERY);
            loop {
                every.tick().await;
                hub.expire_detached(Instant::now(), wall_ns()).await;
                (0..hub.take_back_copies()).for_each(|_| door.refusals.count(Reason::StalledSnapshot));
                if let Some(news) = door.refusals.news() {
                    tracing::warn!("refused: {news}");
                }
            }
        };
        tokio::select! {
            _ = served => {}
            () = signal => {}
            () = expiry => {}
        }
        Ok(())
    }
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
    let v1 = reflection().build_v1().map_err(ServeError::Reflection)?;
    let v1alpha = reflection().build_v1alpha().map_err(ServeError::Reflection)?;
    Ok(Routes::new(PreparedWatch::new(service))
        .add_service(
            DataplaneLinkServiceServer::new(link_service).max_decoding_message_size(refused::MESSAGE_MAX),
        )
        .add_service(health)
        .add_service(v1.max_decoding_message_size(REFLECTION_MESSAGE_MAX))
        .add_service(v1alpha.max_decoding_message_size(REFLECTION_MESSAGE_MAX)))
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
