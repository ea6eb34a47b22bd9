//! A control service that the test plays, on a unix socket, and an exporter that dials it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use conntrack::shard::Tracked;
use conntrack::{Event, EventBody, EventSink, FlowKey, FlowKeyV6, Permissions, ProfileId, Profiles};
use flowtracker_proto::link::{self, Record};
use flowtracker_proto::v1::attach_request::Body;
use flowtracker_proto::v1::dataplane_link_service_server::{
    DataplaneLinkService, DataplaneLinkServiceServer,
};
use flowtracker_proto::v1::{self, AttachRequest, AttachResponse, attach_response, command};
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tonic::{Request, Response, Streaming};

use super::super::{Exporter, LcoreEnd};
use crate::export::{Desk, RingSink, Shard, Table, TableDesk, WallClock, ring};
use crate::lcore::clock::{Calibration, Clock, Reading};
use crate::lcore::generation::LinkState;
use crate::lcore::mailbox::{Mailbox, mailbox};
use crate::start::config::ControlUri;

/// How long a step of a test may take.
pub(super) const LIMIT: Duration = Duration::from_secs(60);

type Down = Result<AttachResponse, tonic::Status>;

/// One link, as the control service sees it.
pub(super) struct FakeLink {
    up: Streaming<AttachRequest>,
    down: mpsc::Sender<Down>,
}

impl FakeLink {
    async fn say(&self, body: attach_response::Body) {
        // A link that has ended shows when it is read.
        let _ = self.down.send(Ok(AttachResponse { body: Some(body) })).await;
    }

    pub(super) async fn send(&self, id: u64, body: command::Body) {
        let command = v1::Command { id, deadline_ms: 0, body: Some(body) };
        self.say(attach_response::Body::Command(command)).await;
    }

    /// Returns what the data plane says next; `None` when the link has ended.
    pub(super) async fn next(&mut self) -> Option<Body> {
        let next = tokio::time::timeout(LIMIT, self.up.message()).await.expect("in time");
        next.ok().flatten().and_then(|message| message.body)
    }

    /// Returns the next reply, which must have this id.
    pub(super) async fn reply(&mut self, id: u64) -> v1::Reply {
        loop {
            match self.next().await.expect("the link stands") {
                Body::Reply(reply) => {
                    assert_eq!(reply.id, id, "{reply:?}");
                    return reply;
                }
                Body::Hello(_) | Body::Batch(_) | Body::Authors(_) => {}
            }
        }
    }

    /// Returns the next records.
    pub(super) async fn records(&mut self) -> Vec<Record> {
        loop {
            match self.next().await.expect("the link stands") {
                Body::Batch(batch) => {
                    let records = link::records(&batch.records).expect("whole records");
                    return records.collect::<Result<_, _>>().expect("sound records");
                }
                Body::Hello(_) | Body::Reply(_) | Body::Authors(_) => {}
            }
        }
    }

    /// Waits for the end of the link.
    pub(super) async fn ended(&mut self) -> bool {
        loop {
            match self.next().await {
                None => return true,
                Some(Body::Reply(_)) => return false,
                Some(_) => {}
            }
        }
    }
}

/// The control service.
pub(super) struct Control(mpsc::Receiver<FakeLink>);

impl Control {
    /// Waits for the next link, and welcomes the data plane.
    pub(super) async fn attached(&mut self) -> FakeLink {
        let link = tokio::time::timeout(LIMIT, self.0.recv()).await.expect("in time");
        let mut link = link.expect("the server runs");
        assert!(matches!(link.next().await, Some(Body::Hello(_))));
        link.say(attach_response::Body::Welcome(v1::Welcome { epoch: 7 })).await;
        link
    }
}

struct Server(mpsc::Sender<FakeLink>);

#[tonic::async_trait]
impl DataplaneLinkService for Server {
    type AttachStream = ReceiverStream<Down>;

    async fn attach(
        &self,
        request: Request<Streaming<AttachRequest>>,
    ) -> Result<Response<Self::AttachStream>, tonic::Status> {
        let (down, outbound) = mpsc::channel(16);
        let link = FakeLink { up: request.into_inner(), down };
        let _ = self.0.send(link).await;
        Ok(Response::new(ReceiverStream::new(outbound)))
    }
}

/// The lcore, which does nothing by itself.
pub(super) struct Lcore {
    sink: RingSink,
    pub(super) clock: Clock,
    _mailboxes: (Mailbox<FlowKey>, Mailbox<FlowKeyV6>),
}

impl Lcore {
    /// Waits until the lcore has noticed a new link.
    pub(super) async fn linked(&mut self) {
        while !self.sink.poll_link() {
            tokio::task::yield_now().await;
        }
    }

    /// Reports something that happens now.
    pub(super) fn report<K>(&mut self, body: EventBody<K>)
    where
        RingSink: EventSink<K>,
    {
        assert!(self.sink.offer(&Event { at_ns: self.clock.now().ns, body }), "the ring is full");
    }
}

/// An exporter with one lcore.
pub(super) struct Fake {
    folder: tempfile::TempDir,
    exporter: Option<Exporter<'static>>,
    finish: Arc<AtomicBool>,
    lcore: Lcore,
}

impl Fake {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let link = Arc::new(LinkState::default());
        let (sink, events) = ring(link.clone());
        let ((desk_ipv4, mailbox_ipv4), (desk_ipv6, mailbox_ipv6)) = (mailbox(), mailbox());
        let finish = Arc::new(AtomicBool::new(false));
        let clock = Calibration::start().finish();
        let table = || Table {
            profiles: Profiles::default(),
            permissions: Permissions::new(0x3dfc).expect("14 bits"),
            learn_profile: ProfileId::default(),
        };
        let ipv4 = TableDesk::new(vec![Shard { lcore: 0, mailbox: desk_ipv4 }], table());
        let ipv6 = TableDesk::new(vec![Shard { lcore: 0, mailbox: desk_ipv6 }], table());
        let exporter = Exporter {
            control: ControlUri::Unix(socket(folder.path())),
            tls: None,
            hello: v1::Hello { dataplane: "dp".to_owned(), shards: vec![0], ..Default::default() },
            lcores: vec![LcoreEnd { lcore: 0, ring: events, stats: Arc::default() }],
            tracked: Tracked::Both,
            desk: Desk::new("dp".to_owned(), BTreeMap::from([(0, Some(0))]), Some(ipv4), Some(ipv6)),
            link,
            clock,
            wall: WallClock::of_host(clock),
            ports: &Vec::new,
            finish: finish.clone(),
        };
        let lcore = Lcore { sink, clock, _mailboxes: (mailbox_ipv4, mailbox_ipv6) };
        Fake { folder, exporter: Some(exporter), finish, lcore }
    }

    /// Has the exporter follow a clock that the test sets: it is the lcore's clock plus this number of
    /// milliseconds since 1970.
    pub(super) fn follow(&mut self, ms: &Arc<AtomicU64>) {
        let (clock, set) = (self.lcore.clock, ms.clone());
        let source = move || {
            let ns = clock.now().ns;
            Some(Reading { ns, unix_ns: ns + set.load(Ordering::Relaxed) * 1_000_000 })
        };
        let exporter = self.exporter.as_mut().expect("it has not run");
        exporter.wall = WallClock::new(ms.load(Ordering::Relaxed) * 1_000_000, source);
    }

    /// Runs the exporter and the control service on threads of their own until `script` has ended.
    pub(super) fn run(&mut self, script: impl AsyncFnOnce(&mut Control, &mut Lcore)) {
        let runtime =
            || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let exporter = self.exporter.take().expect("it runs once");
        let path = socket(self.folder.path());
        std::thread::scope(|threads| {
            threads.spawn(|| runtime().block_on(exporter.run()));
            let end = EndsWith(&self.finish);
            runtime().block_on(async {
                let (links, attached) = mpsc::channel(4);
                let listener = UnixListenerStream::new(UnixListener::bind(path).expect("a socket"));
                let server = tonic::transport::Server::builder()
                    .add_service(DataplaneLinkServiceServer::new(Server(links)))
                    .serve_with_incoming(listener);
                let mut control = Control(attached);
                tokio::select! {
                    served = server => served.expect("it serves"),
                    () = script(&mut control, &mut self.lcore) => {}
                }
            });
            drop(end);
        });
    }
}

/// Ends the exporter, also when the script has failed.
struct EndsWith<'a>(&'a AtomicBool);

impl Drop for EndsWith<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

fn socket(folder: &Path) -> std::path::PathBuf {
    folder.join("control.sock")
}
