//! A control service that accepts everything and keeps nothing: it is used to measure the data
//! plane, its exporter and the link, without the cost of a mirror.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use flowtracker_proto::link::{self, Body};
use flowtracker_proto::v1;
use flowtracker_proto::v1::dataplane_link_service_server::{
    DataplaneLinkService, DataplaneLinkServiceServer,
};
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tonic::{Request, Response, Status, Streaming};

/// The longest time that the data plane may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Counts of the records that arrived over the link.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Records of any kind.
    pub(crate) records: AtomicU64,
    /// CREATED records.
    pub(crate) created: AtomicU64,
    /// DELETED records.
    pub(crate) deleted: AtomicU64,
    /// DELETED records among them, by the idle timer, whose entry had been idle for less than its
    /// aging.
    pub(crate) early: AtomicU64,
}

#[derive(Default)]
struct Shared {
    heard: Heard,
    /// The channel to the data plane, while one is attached.
    commands: Mutex<Option<tokio::sync::mpsc::Sender<Result<v1::AttachResponse, Status>>>>,
    /// The channel to the caller that waits for the answer.
    asked: Mutex<Option<mpsc::Sender<v1::DataplaneStats>>>,
}

/// The service, in a thread of this process.
pub(crate) struct Swallow {
    socket: PathBuf,
    shared: Arc<Shared>,
    _runtime: tokio::runtime::Runtime,
}

impl Swallow {
    /// Starts the service on a socket in this folder.
    pub(crate) fn start(folder: &Path) -> Self {
        let socket = folder.join("swallow.sock");
        let shared = Arc::new(Shared::default());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = {
            let _inside = runtime.enter();
            tokio::net::UnixListener::bind(&socket).expect("a socket to listen on")
        };
        let service =
            DataplaneLinkServiceServer::new(Link(shared.clone())).max_decoding_message_size(16 << 20);
        runtime.spawn(
            tonic::transport::Server::builder()
                .initial_stream_window_size(4 << 20)
                .initial_connection_window_size(4 << 20)
                .add_service(service)
                .serve_with_incoming(UnixListenerStream::new(listener)),
        );
        Swallow { socket, shared, _runtime: runtime }
    }

    /// Returns the address for the data plane's `--control`.
    pub(crate) fn uri(&self) -> String {
        format!("unix:{}", self.socket.display())
    }

    /// Returns the counts so far.
    pub(crate) fn heard(&self) -> &Heard {
        &self.shared.heard
    }

    /// Returns true if nothing arrives for a while.
    pub(crate) fn is_quiet(&self) -> bool {
        let records = || self.heard().records.load(Ordering::Relaxed);
        let before = records();
        std::thread::sleep(Duration::from_millis(250));
        records() == before
    }

    /// Returns the data plane's counters, once it is attached.
    pub(crate) fn stats(&self) -> Option<v1::DataplaneStats> {
        let commands = self.shared.commands.lock().expect("no panic").clone()?;
        let (asked, answer) = mpsc::channel();
        *self.shared.asked.lock().expect("no panic") = Some(asked);
        let body = Some(v1::command::Body::Stats(v1::StatsCommand {}));
        let command = v1::Command { id: 1, deadline_ms: 1000, body };
        let body = Some(v1::attach_response::Body::Command(command));
        commands.blocking_send(Ok(v1::AttachResponse { body })).ok()?;
        answer.recv_timeout(PATIENCE).ok()
    }
}

struct Link(Arc<Shared>);

#[tonic::async_trait]
impl DataplaneLinkService for Link {
    type AttachStream = ReceiverStream<Result<v1::AttachResponse, Status>>;

    async fn attach(
        &self,
        request: Request<Streaming<v1::AttachRequest>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let (commands, responses) = tokio::sync::mpsc::channel(4);
        let welcome = v1::attach_response::Body::Welcome(v1::Welcome { epoch: 1 });
        let _ = commands.send(Ok(v1::AttachResponse { body: Some(welcome) })).await;
        *self.0.commands.lock().expect("no panic") = Some(commands);
        let shared = self.0.clone();
        let mut requests = request.into_inner();
        tokio::spawn(async move {
            while let Ok(Some(message)) = requests.message().await {
                match message.body {
                    Some(v1::attach_request::Body::Batch(batch)) => shared.heard.take(&batch),
                    Some(v1::attach_request::Body::Reply(v1::Reply { stats: Some(stats), .. })) => {
                        if let Some(asked) = shared.asked.lock().expect("no panic").take() {
                            let _ = asked.send(stats);
                        }
                    }
                    _ => {}
                }
            }
            *shared.commands.lock().expect("no panic") = None;
        });
        Ok(Response::new(ReceiverStream::new(responses)))
    }
}

impl Heard {
    /// Counts the records by kind, and checks one deletion of each batch.
    fn take(&self, batch: &v1::Batch) {
        const CREATED: u8 = v1::RecordKind::Created as u8;
        const DELETED: u8 = v1::RecordKind::Deleted as u8;
        let (mut created, mut deleted) = (0, 0);
        let mut sample = None;
        for record in batch.records.chunks_exact(link::LEN) {
            match record[0] {
                CREATED => created += 1,
                DELETED => {
                    deleted += 1;
                    sample = Some(record);
                }
                _ => {}
            }
        }
        self.records.fetch_add((batch.records.len() / link::LEN) as u64, Ordering::Relaxed);
        self.created.fetch_add(created, Ordering::Relaxed);
        self.deleted.fetch_add(deleted, Ordering::Relaxed);
        let Some(Ok(record)) = sample.map(<&[u8; link::LEN]>::try_from) else { return };
        if let Ok(link::Record { time_ns, body: Body::Deleted { entry, reason: v1::DeleteReason::Idle, .. } }) =
            link::Record::from_bytes(record)
            && time_ns - entry.last_used_ns < u64::from(entry.aging_ms) * 1_000_000
        {
            self.early.fetch_add(1, Ordering::Relaxed);
        }
    }
}
