//! How soon a stream ends when its caller may no longer have it: by a clock that stands still while
//! anything is left to do, over a connection in memory.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use flowtracker_proto::v1::flow_tracker_service_client::FlowTrackerServiceClient;
use flowtracker_proto::v1::{Now, Start, WatchEventsRequest, start};
use flowtracker_tls::files;
use flowtracker_tls::rustls::time_provider::DefaultTimeProvider;
use tempfile::TempDir;
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;
use tonic::transport::Endpoint;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{Arc, Grpc, Instant, TokioIo};
use crate::config::Config;
use crate::door::Door;
use crate::door::bearer::Bearer;
use crate::door::gate::{Gate, Serves};
use crate::door::peer::{Origin, Peer};
use crate::door::places::Places;
use crate::door::reload::{EVERY, Reload};
use crate::link::links::Links;
use crate::mirror::hub::Hub;
use crate::{server, stop};

#[expect(dead_code, reason = "the tests of the whole service also dial")]
#[path = "../../../tests/service/certs.rs"]
mod certs;

use certs::{Ca, Kind};

/// A changed file is applied at the second look that finds it so.
const APPLIED_WITHIN: Duration = Duration::from_secs(2);
/// What is promised.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

const _: () = assert!(2 * EVERY.as_millis() <= APPLIED_WITHIN.as_millis());
const _: () = assert!(APPLIED_WITHIN.as_millis() <= ENDS_WITHIN.as_millis());

/// What takes a caller's stream away.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Revoked,
    Demoted,
}

/// A service that looks at its files, and a connection of alice, who is a viewer.
struct Scene {
    folder: TempDir,
    ca: Ca,
    /// The serial number of alice's certificate.
    serial: u64,
    looking: JoinHandle<()>,
    serving: JoinHandle<()>,
    client: Option<DuplexStream>,
    _stopper: stop::Stopper,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.looking.abort();
        self.serving.abort();
    }
}

impl Scene {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ca = Ca::new(folder.path(), "ca");
        ca.sign("server", "server", &[], Kind::Good);
        let serial = ca.sign("alice", "alice", &[], Kind::Good);
        ca.revoke(&folder.path().join("crl.pem"), &[]);
        rule(folder.path(), "viewer");

        let file = folder.path().join("control.toml");
        let config =
            Config::read(["flowtracker-control", "--config", file.to_str().unwrap()].map(Into::into));
        let config = config.unwrap();
        let reload = Reload::new(&config, Arc::new(DefaultTimeProvider)).unwrap();
        let door = Arc::new(Door::new(config.limits.clone()));
        reload.apply(&door).unwrap();
        let (stopper, stop) = stop::channel();
        let hub = Arc::new(Hub::new(0, 16).unwrap());
        let routes = server::routes(&hub, &Arc::new(Links::default()), &door, &stop).unwrap();
        let grpc = Grpc::new(routes, door.clone(), stop);

        let alice = files::certificates(&folder.path().join("alice.pem")).unwrap().remove(0);
        let gate = Arc::new(Gate::new("listen", "192.0.2.1:50051", Serves::All));
        let origin = Origin::Tcp(SocketAddr::from(([192, 0, 2, 2], 1)));
        let (place, _) = Places::new(4, 4).enter();
        let peer = Peer::new(gate, origin, Some(Bearer::read(&alice).unwrap()), Arc::new(place));
        let (client, io) = tokio::io::duplex(16 << 10);
        let serving = tokio::spawn(grpc.serve(io, peer, Instant::now() + Duration::from_secs(5)));
        let looking = tokio::spawn(async move { reload.follow(&door).await });
        Self { folder, ca, serial, looking, serving, client: Some(client), _stopper: stopper }
    }

    fn lose(&self, how: Loss) {
        match how {
            Loss::Revoked => self.ca.revoke(&self.folder.path().join("crl.pem"), &[self.serial]),
            Loss::Demoted => rule(self.folder.path(), "dataplane"),
        }
    }
}

fn rule(folder: &Path, role: &str) {
    let files =
        [("tls-cert", "server.pem"), ("tls-key", "server.key"), ("client-ca", "ca.pem"), ("crl", "crl.pem")];
    let files = files.map(|(key, file)| format!("{key} = {:?}\n", folder.join(file)));
    std::fs::write(folder.join("control.toml"), format!("{}role = [\"CN=alice:{role}\"]\n", files.concat()))
        .unwrap();
}

fn request() -> WatchEventsRequest {
    let start = Some(Start { at: Some(start::At::Now(Now {})) });
    WatchEventsRequest { start, ..WatchEventsRequest::default() }
}

fn reason(status: &Status) -> (Code, String) {
    let info = status.get_details_error_info();
    (status.code(), info.map(|info| info.reason).unwrap_or_default())
}

/// When the file changes, after a look.
const PHASES: [u64; 5] = [0, 1, 250, 499, 500];

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_its_reason_soon_after_the_file_has_changed() {
    for (loss, why) in [
        (Loss::Revoked, (Code::Unauthenticated, "NO_IDENTITY".to_owned())),
        (Loss::Demoted, (Code::PermissionDenied, "ROLE".to_owned())),
    ] {
        for phase in PHASES {
            let mut scene = Scene::start();
            let mut io = scene.client.take();
            let connector = tower::service_fn(move |_| {
                let io = io.take().map(TokioIo::new);
                async move { io.ok_or_else(|| std::io::Error::other("one connection only")) }
            });
            let channel = Endpoint::from_static("http://memory").connect_with_connector(connector).await;
            let mut client = FlowTrackerServiceClient::new(channel.unwrap());
            let mut stream = client.watch_events(request()).await.unwrap().into_inner();
            // It lives on while nothing changes.
            let quiet = tokio::time::timeout(4 * ENDS_WITHIN, async {
                while stream.message().await.unwrap().is_some() {}
            });
            assert!(quiet.await.is_err(), "the stream has ended by itself");

            tokio::time::sleep(Duration::from_millis(phase)).await;
            scene.lose(loss);
            let changed = Instant::now();
            let status = loop {
                match stream.message().await {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("it has ended without a reason"),
                    Err(status) => break status,
                }
            };
            let took = changed.elapsed();
            assert_eq!(reason(&status), why, "{loss:?}");
            assert!(took <= APPLIED_WITHIN, "{loss:?} {phase} ms after a look: {took:?}");
        }
    }
}
