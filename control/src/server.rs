//! The running service: its listeners, the services on them, their limits, and how it ends.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flowtracker_proto::FILE_DESCRIPTOR_SET;
use flowtracker_proto::v1::dataplane_link_service_server::DataplaneLinkServiceServer;
use flowtracker_tls::rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::api::prepared::PreparedWatch;
use crate::api::service::UserService;
use crate::config::Config;
use crate::door::Door;
use crate::door::audit::Audit;
use crate::door::connections::Grpc;
use crate::door::gate::{Gate, Serves};
use crate::door::listener::Entrance;
use crate::door::places::Places;
use crate::door::refusals::Reason;
use crate::door::reload::Reload;
use crate::door::sockets::Sockets;
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
    /// A door cannot be opened, or its certificates are not valid.
    #[error("{0}")]
    Door(String),
    /// The address of metrics and health cannot be used.
    #[error("--http {0}: cannot listen: {1}")]
    Http(SocketAddr, std::io::Error),
    /// There is no memory for the event log.
    #[error("--retain {0}: no memory for this number of events: {1}")]
    Retain(usize, std::collections::TryReserveError),
    /// The reflection service refused our own descriptors.
    #[error("cannot offer reflection: {0}")]
    Reflection(tonic_reflection::server::Error),
}

/// A service whose sockets are open. Dropping it closes them.
#[derive(Debug)]
pub struct Bound {
    sockets: Sockets,
    http: Option<(TcpListener, SocketAddr)>,
    hub: Arc<Hub>,
    door: Arc<Door>,
    reload: Reload,
}

/// Opens the sockets. Clients can dial from then on; [`Bound::serve`] answers them.
///
/// # Errors
/// A door cannot be opened, or there is no memory for the event log.
pub async fn bind(config: &Config) -> Result<Bound, ServeError> {
    bind_by(config, Arc::new(DefaultTimeProvider)).await
}

/// Does the same as [`bind`], with a clock by which certificates are checked.
///
/// # Errors
/// As [`bind`] has them.
pub async fn bind_by(config: &Config, clock: Arc<dyn TimeProvider>) -> Result<Bound, ServeError> {
    let reload = Reload::new(config, clock).map_err(ServeError::Door)?;
    let mut door = Door::new(config.limits.clone());
    let audit = Audit::open(&config.audit_log, door.refusals.clone());
    door.audit = audit.map_err(|why| ServeError::Door(format!("--audit-log {}: {why}", config.audit_log)))?;
    reload.apply(&door).map_err(ServeError::Door)?;
    let has_client_ca = config.tls.client_ca.is_some();
    let sockets = Sockets::open(&config.doors, has_client_ca).await.map_err(ServeError::Door)?;
    let http = match config.http.0 {
        Some(addr) => {
            let bind = async {
                TcpListener::bind(addr).await.and_then(|tcp| tcp.local_addr().map(|had| (tcp, had)))
            };
            Some(bind.await.map_err(|e| ServeError::Http(addr, e))?)
        }
        None => None,
    };
    if !has_client_ca && !config.roles.role.is_empty() && config.roles.default_role.is_none() {
        tracing::warn!(
            "callers whom no --role names are admins, since there is no --client-ca and no --default-role"
        );
    }
    let hub = Hub::new(wall_ns(), config.retain).map_err(|e| ServeError::Retain(config.retain, e))?;
    Ok(Bound { sockets, http, hub: Arc::new(hub), door: Arc::new(door), reload })
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
    /// Returns the address of the TCP door that this option has opened.
    pub fn addr(&self, option: &str) -> Option<SocketAddr> {
        self.sockets.addr(option)
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
        let Self { sockets, http, hub, door, reload } = self;
        let (stopper, stop) = stop::channel();
        let links = Arc::new(Links::default());
        let routes = routes(&hub, &links, &door, &stop)?;
        let (most, most_links) = (door.limits.max_connections, 2 * door.limits.max_dataplanes);
        let entrance =
            |most, links| Entrance::new(door.clone(), Places::new(most, links), Reason::IdleConnection);
        // A data plane may dial again before its old connection is known to be dead. Where data planes
        // have doors of their own, connections at the other doors cannot take their places.
        let (of_all, of_links) = (entrance(most, most_links), entrance(most_links, most_links));
        let entrance = |gate: &Gate| if gate.serves == Serves::Links { &of_links } else { &of_all }.clone();
        let grpc = Grpc::new(routes, door.clone(), stop.clone());
        let mut serving = JoinSet::new();
        let mut files = Vec::new();
        for (_, socket, gate) in sockets.tcp {
            tracing::info!("listening on {}", gate.address());
            let (grpc, entrance) = (grpc.clone(), entrance(&gate));
            let serve = move |io, origin, place| grpc.clone().serve_tcp(io, gate.clone(), origin, place);
            serving.spawn(entrance.run(socket, serve, stop.clone()));
        }
        for (socket, file, gate) in sockets.unix {
            tracing::info!("listening on unix:{}", gate.address());
            files.push(file);
            let (grpc, entrance) = (grpc.clone(), entrance(&gate));
            let serve = move |io, origin, place| grpc.clone().serve_unix(io, gate.clone(), origin, place);
            serving.spawn(entrance.run(socket, serve, stop.clone()));
        }
        if let Some((socket, addr)) = http {
            tracing::info!("listening on http://{addr} for metrics and health");
            let pages = http::router(hub.clone(), links, door.clone());
            serving.spawn(http::serve(socket, pages, door.clone(), stop.clone()));
        }
        let served = async { while serving.join_next().await.is_some() {} };
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
            () = served => {}
            () = signal => {}
            () = expiry => {}
            () = reload.follow(&door) => {}
        }
        door.audit.flush().await;
        Ok(())
    }
}

/// Returns all gRPC services: the users', the data planes', health and reflection.
pub(crate) fn routes(
    hub: &Arc<Hub>,
    links: &Arc<Links>,
    door: &Arc<Door>,
    stop: &Stop,
) -> Result<Routes, ServeError> {
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
