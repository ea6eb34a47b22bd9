//! `ctl watch` and `ctl mon p4 events` over connections that are cut: the output still folds into
//! the table.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use flowtracker_proto::test_support::event::Event;
use flowtracker_proto::v1::RecordKind;
use proptest::prelude::RngExt as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::rig::*;

/// A connection between `ctl` and a service that can be cut.
struct Relay {
    addr: SocketAddr,
    wire: Arc<Wire>,
}

struct Wire {
    /// The service that connections go to; `None` closes them at once.
    target: watch::Sender<Option<SocketAddr>>,
    /// Counts the cuts that were ordered.
    cuts: watch::Sender<u32>,
    /// Bytes that each of the next connections may carry to `ctl` before it breaks.
    budgets: Mutex<VecDeque<usize>>,
    /// Counts the responses of the service whose HTTP/2 headers have passed.
    answers: watch::Sender<u32>,
}

impl Relay {
    async fn to(service: &Service) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let wire = Arc::new(Wire {
            target: watch::Sender::new(Some(service.addr)),
            cuts: watch::Sender::new(0),
            budgets: Mutex::default(),
            answers: watch::Sender::new(0),
        });
        let relay = Self { addr, wire: wire.clone() };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let target = *wire.target.borrow();
                if let Some(target) = target {
                    tokio::spawn(wire.clone().carry(client, target));
                }
            }
        });
        relay
    }

    fn uri(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Breaks the open connections. Data that is already on its way still arrives.
    fn cut(&self) {
        self.wire.cuts.send_modify(|n| *n += 1);
    }

    /// Closes all connections from now on, new ones included.
    fn close(&self) {
        self.wire.target.send_replace(None);
        self.cut();
    }

    /// Lets new connections go to `service` from now on.
    fn open(&self, service: &Service) {
        self.wire.target.send_replace(Some(service.addr));
    }

    fn break_after(&self, budgets: impl IntoIterator<Item = usize>) {
        self.wire.budgets.lock().unwrap().extend(budgets);
    }

    fn budgets_left(&self) -> usize {
        self.wire.budgets.lock().unwrap().len()
    }
}

impl Wire {
    async fn carry(self: Arc<Self>, client: TcpStream, target: SocketAddr) {
        let mut budget = self.budgets.lock().unwrap().pop_front().unwrap_or(usize::MAX);
        let mut cuts = self.cuts.subscribe();
        cuts.mark_unchanged();
        let server = TcpStream::connect(target).await.unwrap();
        let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
            (client.into_split(), server.into_split());
        let up = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
        let down = async {
            let (mut frames, mut buffer) = (Frames::default(), vec![0; 16 << 10]);
            while budget > 0 {
                let room = budget.min(buffer.len());
                let Ok(n @ 1..) = from_server.read(&mut buffer[..room]).await else { return };
                if to_client.write_all(&buffer[..n]).await.is_err() {
                    return;
                }
                budget -= n;
                let headers = frames.headers_in(&buffer[..n]);
                self.answers.send_if_modified(|seen| {
                    *seen += headers;
                    headers > 0
                });
            }
        };
        tokio::select! {
            () = down => {}
            _ = cuts.changed() => {}
        }
        // Towards `ctl` the connection ends in order, after all bytes that were carried.
        drop(to_client.shutdown().await);
        drop(soon("ctl to hang up", up).await);
    }
}

/// Follows the frames of an HTTP/2 connection, server to client.
#[derive(Default)]
struct Frames {
    head: Vec<u8>,
    body_left: usize,
}

impl Frames {
    /// Returns the number of HEADERS frames that end in these bytes.
    fn headers_in(&mut self, mut bytes: &[u8]) -> u32 {
        let mut found = 0;
        while !bytes.is_empty() {
            if self.body_left == 0 && self.head.len() < 9 {
                self.head.push(bytes[0]);
                bytes = &bytes[1..];
                if let [a, b, c, _, _, _, _, _, _] = self.head[..] {
                    self.body_left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                }
            } else {
                let n = self.body_left.min(bytes.len());
                bytes = &bytes[n..];
                self.body_left -= n;
            }
            if self.head.len() == 9 && self.body_left == 0 {
                found += u32::from(self.head[3] == 1);
                self.head.clear();
            }
        }
        found
    }
}

/// A running `ctl`, whose output is read line by line.
struct Ctl {
    child: Child,
    out: mpsc::UnboundedReceiver<String>,
    err: mpsc::UnboundedReceiver<String>,
}

fn lines(from: impl std::io::Read + Send + 'static) -> mpsc::UnboundedReceiver<String> {
    let (send, receive) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    receive
}

fn command(server: &str, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ctl"));
    command.args(arguments.split_whitespace()).env("FLOWTRACKER_SERVER", server);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Ctl {
    fn start(server: &str, arguments: &str) -> Self {
        let mut child = command(server, arguments).spawn().unwrap();
        let (out, err) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
        Self { child, out, err }
    }

    /// Returns the next line of standard output.
    async fn line(&mut self) -> String {
        match soon("a line", self.out.recv()).await {
            Some(line) => line,
            None => panic!("ctl has ended: {:?}", self.err.recv().await),
        }
    }

    /// Returns the next line of standard error.
    async fn complaint(&mut self) -> String {
        soon("a complaint", self.err.recv()).await.expect("ctl has ended")
    }

    async fn event(&mut self) -> Value {
        serde_json::from_str(&self.line().await).unwrap()
    }

    /// Reads lines into `fold` until `enough` returns true.
    async fn fold(&mut self, fold: &mut Fold, enough: impl Fn(&Fold) -> bool) {
        while !enough(fold) {
            Event::from_json(&self.line().await).and_then(|event| fold.take(&event)).unwrap();
        }
    }

    fn interrupt(&self) {
        let killed = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// Waits for the end, and returns the exit status.
    async fn end(mut self) -> Option<i32> {
        let end = tokio::task::spawn_blocking(move || self.child.wait());
        soon("ctl to end", end).await.unwrap().unwrap().code()
    }

    async fn interrupted(self) {
        self.interrupt();
        assert_eq!(self.end().await, Some(0));
    }
}

/// Runs `ctl` to its end.
async fn run(server: &str, arguments: &str) -> Output {
    let mut command = command(server, arguments);
    soon(arguments, tokio::task::spawn_blocking(move || command.output())).await.unwrap().unwrap()
}

/// Returns the state that a fold has of each flow. A flow is identified by its source port, and its
/// state by its aging, which the tests change with every write.
fn states(fold: &Fold) -> BTreeMap<u64, u64> {
    table(fold).iter().map(|(key, state)| (key.src_port.into(), state.aging_ms)).collect()
}

/// Returns true when the fold equals the table at this position.
fn is_whole_at(fold: &Fold, epoch: u64, seq: u64) -> bool {
    fold.position() == Some((epoch, seq))
}

fn number(value: &Value, name: &str) -> u64 {
    match &value[name] {
        Value::Null => 0,
        Value::String(text) => text.parse().unwrap(),
        number => number.as_u64().unwrap(),
    }
}

/// A data plane's table, and the records of random packets and deletions.
struct Load {
    random: TestRng,
    table: BTreeMap<u64, u64>,
    writes: u64,
}

impl Load {
    fn new(seed: u8) -> Self {
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
        Self { random, table: BTreeMap::new(), writes: 0 }
    }

    fn below(&mut self, n: u64) -> u64 {
        self.random.random_range(0..n)
    }

    fn entry(n: u64, aging_ms: u64) -> EntryRecord {
        EntryRecord { aging_ms: aging_ms as u32, ..learned(n as u16, T, T) }
    }

    fn step(&mut self) -> Record {
        let n = 1 + self.below(200);
        self.writes += 1;
        let aging = self.writes;
        let kind = self.below(3);
        match (self.table.get(&n).copied(), kind) {
            (None, _) => {
                self.table.insert(n, aging);
                record(RecordKind::Created, T, Self::entry(n, aging))
            }
            (Some(_), 0) => {
                self.table.insert(n, aging);
                record(RecordKind::Updated, T, Self::entry(n, aging))
            }
            (Some(aging), _) => {
                self.table.remove(&n);
                record(RecordKind::Deleted, T, Self::entry(n, aging))
            }
        }
    }

    fn steps(&mut self, n: usize) -> Vec<Record> {
        (0..n).map(|_| self.step()).collect()
    }

    /// Replaces the table by `n` entries, and returns them as the records of a resync.
    fn fill(&mut self, n: u64) -> Vec<Record> {
        self.table = (1..=n).map(|n| (n, 100_000 + n)).collect();
        let entry = |(n, aging): (&u64, &u64)| record(RecordKind::Present, T, Self::entry(*n, *aging));
        self.table.iter().map(entry).collect()
    }
}

fn last(service: &Service) -> (u64, u64) {
    (service.hub.epoch(), service.hub.window(0).last_seq)
}

/// Starts a `ctl`, and waits until the service serves its stream and has answered its call.
async fn watching(service: &Service, relay: &Relay, arguments: &str) -> Ctl {
    let mut answers = relay.wire.answers.subscribe();
    answers.mark_unchanged();
    let ctl = Ctl::start(&relay.uri(), arguments);
    soon("an answer", answers.changed()).await.unwrap();
    until("ctl to watch", || service.hub.log_stats().watchers == 1).await;
    ctl
}

/// Waits until the service has noticed that its watcher is gone.
async fn unwatched(service: &Service) {
    until("the watcher to go", || service.hub.log_stats().watchers == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_written_over_a_cut_connection_folds_into_the_table() {
    for seed in 1..=3 {
        let service = Service::start().await;
        let relay = Relay::to(&service).await;
        let mut plane = Plane::fresh(&service).await;
        let mut load = Load::new(seed);
        let mut ctl = watching(&service, &relay, "watch -o json --from snapshot").await;
        let mut fold = Fold::default();
        ctl.fold(&mut fold, |fold| fold.tally().snapshots == 1).await;
        for round in 0..12 {
            // A connection carries a few events, or not even the headers of the stream.
            let bytes = 1 + load.below(if round % 3 == 0 { 200 } else { 8000 });
            relay.break_after([bytes as usize]);
            let steps = 1 + load.below(150) as usize;
            plane.send(1, load.steps(steps)).await;
            plane.settled(&service).await;
            let (epoch, seq) = last(&service);
            // The cut may come while events are on their way, or later.
            let seen = seq - load.below(steps as u64);
            ctl.fold(&mut fold, |fold| fold.position().is_some_and(|(run, at)| run == epoch && at >= seen))
                .await;
            relay.cut();
        }
        plane.settled(&service).await;
        let (epoch, seq) = last(&service);
        ctl.fold(&mut fold, |fold| is_whole_at(fold, epoch, seq)).await;
        assert_eq!(states(&fold), load.table, "seed {seed}");
        assert_eq!(
            (fold.tally().snapshots, fold.gaps()),
            (1, &[][..]),
            "the log has it all: no reason to start over"
        );
        assert!(ctl.complaint().await.starts_with("ctl: connection lost ("));
        let back = ctl.complaint().await;
        assert!(back.starts_with(&format!("ctl: connected again, resumed after {epoch}:")), "{back}");
        ctl.interrupted().await;
    }
}

/// Folds the events of a service after a restart: one GAP, whose beginning is not known, and all
/// entries.
async fn new_epoch(ctl: &mut Ctl, fold: &mut Fold, service: &Service, load: &Load) {
    let (epoch, seq) = last(service);
    ctl.fold(fold, |fold| is_whole_at(fold, epoch, seq)).await;
    assert_eq!(states(fold), load.table);
    assert!(matches!(fold.gaps(), [(0, _)]), "{:?}", fold.gaps());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_service_is_one_gap_and_a_snapshot() {
    let dir = Dir::new("resume");
    let socket = dir.path("control.sock");
    let service = Service::with(&["--unix", &socket]).await;
    let old_epoch = service.hub.epoch();
    let relay = Relay::to(&service).await;
    let mut plane = Plane::fresh(&service).await;
    let mut load = Load::new(4);
    plane.send(1, load.steps(100)).await;
    plane.settled(&service).await;
    // One `ctl` notices the end by a farewell on a unix socket, the other by a broken connection.
    let mut farewell = Ctl::start(&format!("unix:{socket}"), "watch -o json --from snapshot");
    let mut broken = Ctl::start(&relay.uri(), "watch -o json --from snapshot");
    let mut folds = [Fold::default(), Fold::default()];
    farewell.fold(&mut folds[0], |fold| fold.tally().snapshots == 1).await;
    broken.fold(&mut folds[1], |fold| fold.tally().snapshots == 1).await;
    relay.close();
    assert!(broken.complaint().await.contains("connection lost"));
    drop(plane);
    service.stop().await;
    assert_eq!(
        farewell.complaint().await,
        "ctl: connection lost (the control service is stopping); dialling again"
    );

    let service = Service::with(&["--unix", &socket]).await;
    let mut plane = Plane::attach(&service, hello("dp", 1, &[1])).await.unwrap();
    let present = load.fill(50);
    plane.resync(1, present).await;
    plane.send(1, load.steps(20)).await;
    plane.settled(&service).await;
    relay.open(&service);
    new_epoch(&mut farewell, &mut folds[0], &service, &load).await;
    new_epoch(&mut broken, &mut folds[1], &service, &load).await;
    let words = format!(
        "ctl: connected again, but events are lost: epoch {old_epoch} is gone (the control service was \
         restarted); starting over from a snapshot"
    );
    assert_eq!([farewell.complaint().await, broken.complaint().await], [words.clone(), words]);
    farewell.interrupted().await;
    broken.interrupted().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_log_has_forgotten_is_a_gap_with_its_numbers() {
    let service = Service::with(&["--retain", "2"]).await;
    let relay = Relay::to(&service).await;
    let mut plane = Plane::fresh(&service).await;
    let mut load = Load::new(5);
    let mut json = Ctl::start(&relay.uri(), "watch -o json --from snapshot");
    let mut table = Ctl::start(&relay.uri(), "watch --from snapshot");
    let mut tc = Ctl::start(&relay.uri(), "watch --from snapshot -o tc");
    let mut fold = Fold::default();
    json.fold(&mut fold, |fold| fold.tally().snapshots == 1).await;
    assert!(table.line().await.ends_with("Z SYNCED"));
    plane.send(1, vec![load.step()]).await;
    let (epoch, _) = last(&service);
    json.fold(&mut fold, |fold| is_whole_at(fold, epoch, 1)).await;
    assert!(table.line().await.contains("CREATED"));
    assert!(tc.line().await.starts_with("created"));
    relay.close();
    unwatched(&service).await;
    plane.send(1, load.steps(9)).await;
    plane.settled(&service).await;
    relay.open(&service);
    json.fold(&mut fold, |fold| is_whole_at(fold, epoch, 10)).await;
    assert_eq!((fold.gaps(), fold.tally().snapshots), (&[(2, 10)][..], 2));
    assert_eq!(states(&fold), load.table);
    let gap = table.line().await;
    assert!(gap.ends_with("Z GAP     events 2 to 10 are lost (9); state starts over"), "{gap}");
    assert!(json.complaint().await.contains("connection lost"));
    assert_eq!(
        json.complaint().await,
        "ctl: connected again, but events are lost: what follows event 1 is gone, the oldest is 9; starting \
         over from a snapshot"
    );
    assert!(tc.complaint().await.contains("connection lost"));
    assert!(tc.complaint().await.contains("events are lost"));
    assert_eq!(tc.complaint().await, "netlink receive error No buffer space available (105)");
    for ctl in [json, table, tc] {
        ctl.interrupted().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_of_one_data_plane_starts_over_with_that_one() {
    let service = Service::with(&["--retain", "2"]).await;
    let relay = Relay::to(&service).await;
    let mut planes = Vec::new();
    for name in ["a", "b"] {
        let mut plane = Plane::attach(&service, hello(name, 1, &[1])).await.unwrap();
        plane.resync(1, vec![]).await;
        planes.push(plane);
    }
    let mut ctl = Ctl::start(&relay.uri(), "--dataplane a watch -o json --from snapshot");
    assert_eq!(ctl.event().await["type"], "EVENT_TYPE_SYNCED");
    relay.close();
    unwatched(&service).await;
    for (plane, flows) in planes.iter_mut().zip([1..=2, 3..=6]) {
        plane.send(1, flows.map(|n| created(n, T)).collect()).await;
    }
    until("all events", || service.hub.window(0).last_seq == 6).await;
    relay.open(&service);
    let (mut kinds, mut flows) = (vec![], vec![]);
    while kinds.last().is_none_or(|kind| kind != "EVENT_TYPE_SYNCED") {
        let event = ctl.event().await;
        if event["type"] == "EVENT_TYPE_CREATED" {
            flows.push(number(&event["entry"]["key"], "srcPort"));
        } else if event["type"] != "EVENT_TYPE_PROGRESS" {
            kinds.push(event["type"].clone());
        }
    }
    flows.sort_unstable();
    assert_eq!((kinds, flows), (vec!["EVENT_TYPE_GAP".into(), "EVENT_TYPE_SYNCED".into()], vec![1, 2]));
    ctl.interrupted().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_inside_a_snapshot_starts_a_new_one() {
    let service = Service::start().await;
    let relay = Relay::to(&service).await;
    let mut plane = Plane::attach(&service, hello("dp", 1, &[1])).await.unwrap();
    let mut load = Load::new(6);
    let present = load.fill(3000);
    plane.resync(1, present).await;
    plane.settled(&service).await;
    let (epoch, seq) = last(&service);
    // The first connection carries a part of the snapshot, the second not even an answer.
    let budgets: Vec<usize> =
        [60_000, 40].into_iter().chain((0..4).map(|_| 1000 + load.below(200_000) as usize)).collect();
    relay.break_after(budgets);
    let mut ctl = Ctl::start(&relay.uri(), "watch -o json --from snapshot");
    let mut fold = Fold::default();
    ctl.fold(&mut fold, |fold| is_whole_at(fold, epoch, seq)).await;
    assert_eq!(relay.budgets_left(), 0);
    assert_eq!(states(&fold), load.table);
    assert_eq!(fold.tally().snapshots, 1);
    assert!(!fold.gaps().is_empty() && fold.gaps().iter().all(|gap| *gap == (0, seq)), "{:?}", fold.gaps());
    assert!(ctl.complaint().await.contains("connection lost"));
    assert_eq!(
        ctl.complaint().await,
        "ctl: connected again, but events are lost: it was lost inside a snapshot; starting over from a snapshot"
    );
    plane.send(1, load.steps(20)).await;
    plane.settled(&service).await;
    let (epoch, seq) = last(&service);
    ctl.fold(&mut fold, |fold| is_whole_at(fold, epoch, seq)).await;
    assert_eq!(states(&fold), load.table);
    ctl.interrupted().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_that_was_cut_before_anything_came_misses_nothing() {
    let service = Service::start().await;
    let relay = Relay::to(&service).await;
    let mut plane = Plane::fresh(&service).await;
    plane.send(1, vec![created(1, T)]).await;
    plane.settled(&service).await;
    let mut ctl = watching(&service, &relay, "watch -o json").await;
    relay.close();
    unwatched(&service).await;
    plane.send(1, (2..=4).map(|n| created(n, T)).collect()).await;
    plane.settled(&service).await;
    relay.open(&service);
    for seq in 2..=4 {
        let mut event = ctl.event().await;
        while event["type"] == "EVENT_TYPE_PROGRESS" {
            assert_eq!(number(&event, "seq"), seq - 1);
            event = ctl.event().await;
        }
        assert_eq!(event["type"], "EVENT_TYPE_CREATED");
        assert_eq!((number(&event, "seq"), number(&event["entry"]["key"], "srcPort")), (seq, seq));
    }
    ctl.interrupted().await;
}

#[tokio::test]
async fn a_stream_says_where_it_starts() {
    let service = Service::with(&["--retain", "3"]).await;
    let mut plane = Plane::fresh(&service).await;
    plane.send(1, (1..=5).map(|n| created(n, T)).collect()).await;
    plane.settled(&service).await;
    let epoch = service.hub.epoch();
    for (at, seq) in [(now(), 5), (snapshot(), 5), (after(epoch, 3), 3)] {
        let response = service.client().await.watch_events(watch_request(at)).await.unwrap();
        let metadata = |name| response.metadata().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(metadata("x-flowtracker-epoch"), epoch.to_string());
        assert_eq!(metadata("x-flowtracker-seq"), seq.to_string(), "{at:?}");
    }
}

#[tokio::test]
async fn a_cursor_on_the_command_line() {
    let service = Service::with(&["--retain", "3"]).await;
    let mut plane = Plane::fresh(&service).await;
    let epoch = service.hub.epoch();
    let server = service.uri();
    let refused = async |cursor: &str, words: &str| {
        let output = run(&server, &format!("watch --from {cursor}")).await;
        let error = String::from_utf8(output.stderr).unwrap();
        let want = format!(
            "ctl: --from {cursor}: {words} of epoch {epoch}; `--from snapshot` starts from the present entries\n"
        );
        assert_eq!((output.status.code(), error), (Some(1), want));
    };
    let gone = format!("epoch 7 is gone, the present one is {epoch}; the service has");
    refused("7:5", &format!("{gone} no events yet")).await;
    plane.send(1, (1..=5).map(|n| created(n, T)).collect()).await;
    plane.settled(&service).await;
    refused("7:5", &format!("{gone} events 3 to 5")).await;
    let old = "what follows event 1 is gone, the oldest is 3; the service has events 3 to 5";
    refused(&format!("{epoch}:1"), old).await;
    let early = "event 6 is not there yet, the last is 5; the service has events 3 to 5";
    refused(&format!("{epoch}:6"), early).await;

    let mut good = Ctl::start(&server, &format!("watch -o json --from {epoch}:2"));
    for seq in 3..=5 {
        assert_eq!(number(&good.event().await, "seq"), seq);
    }
    good.interrupted().await;

    for malformed in ["later", "7", "7:", ":7", "7:x", "-1:7", "7:7:7"] {
        let output = run(&server, &format!("watch --from={malformed}")).await;
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{malformed}");
        assert!(error.contains("--from") && error.contains("EPOCH:SEQ"), "{error}");
    }
}

/// Returns the source ports of the entries that the monitor reports as created.
async fn monitored(ctl: &mut Ctl, n: usize) -> Vec<String> {
    let mut ports = Vec::new();
    while ports.len() < n {
        let line = ctl.line().await;
        assert!(!line.starts_with("deleted"), "{line}");
        ports.extend(
            line.trim().strip_prefix("srcPort id:5 size:16b type:be16 exact fieldval  ").map(str::to_owned),
        );
    }
    ports
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_monitor_survives_too_and_shows_no_snapshot() {
    let service = Service::with(&["--retain", "2"]).await;
    let relay = Relay::to(&service).await;
    let mut plane = Plane::fresh(&service).await;
    let mut ctl = watching(&service, &relay, "mon p4 events").await;
    plane.send(1, vec![created(1, T)]).await;
    assert_eq!(monitored(&mut ctl, 1).await, ["1/0xffff"]);
    for (lost, flows) in [(false, 2..=3), (true, 4..=9)] {
        relay.close();
        unwatched(&service).await;
        plane.send(1, flows.map(|n| created(n, T)).collect()).await;
        plane.settled(&service).await;
        relay.open(&service);
        assert!(ctl.complaint().await.contains("connection lost"));
        assert!(ctl.complaint().await.contains("connected again"));
        if lost {
            assert_eq!(ctl.complaint().await, "netlink receive error No buffer space available (105)");
        } else {
            assert_eq!(monitored(&mut ctl, 2).await, ["2/0xffff", "3/0xffff"]);
        }
    }
    plane.send(1, vec![created(10, T)]).await;
    assert_eq!(monitored(&mut ctl, 1).await, ["10/0xffff"], "what came with the snapshot is no event");
    ctl.interrupted().await;
}

#[tokio::test]
async fn the_first_dial_is_not_repeated() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (arguments, code) in [("watch", 3), ("watch --from 1:1 -o json", 3), ("mon p4 events", 255)] {
        let output = run(&format!("http://{free}"), arguments).await;
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments}");
        assert!(error.contains("cannot reach") && !error.contains("again"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_while_dialling_is_a_good_end() {
    let service = Service::start().await;
    let relay = Relay::to(&service).await;
    for arguments in ["watch -o json", "mon p4 events"] {
        let mut ctl = watching(&service, &relay, arguments).await;
        relay.close();
        unwatched(&service).await;
        assert!(ctl.complaint().await.contains("dialling again"));
        ctl.interrupt();
        let complaint = soon("the end of complaints", ctl.err.recv()).await;
        assert_eq!(complaint, None, "one line per outage");
        assert_eq!(ctl.end().await, Some(0));
        relay.open(&service);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_while_nobody_reads_the_output_is_a_good_end() {
    let service = Service::start().await;
    let mut plane = Plane::fresh(&service).await;
    plane.send(1, (1..=5000).map(|n| created(n, T)).collect()).await;
    plane.settled(&service).await;
    let mut child = command(&service.uri(), "watch -o json --from snapshot").spawn().unwrap();
    // The pipe is full: a thread of ctl is blocked in a write, and none writes any more.
    let tasks = format!("/proc/{}/task", child.id());
    let blocked = || {
        std::fs::read_dir(&tasks).unwrap().flatten().any(|task| {
            let wchan = std::fs::read_to_string(task.path().join("wchan"));
            wchan.is_ok_and(|at| at.contains("pipe_write"))
        })
    };
    until("a full pipe", blocked).await;
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let end = tokio::task::spawn_blocking(move || child.wait());
    assert_eq!(soon("ctl to end", end).await.unwrap().unwrap().code(), Some(0));
}
