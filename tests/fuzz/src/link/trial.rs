//! Links to a control service without sockets: the bytes of gRPC's streams go in, and the events
//! come out.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use control::link::attach::LinkService;
use control::link::links::{Call, Links};
use control::mirror::dataplane::DETACHED_FOR;
use control::mirror::hub::Hub;
use control::stop::{self, Stopper};
use flowtracker_proto::key::{FlowKeyV4, FlowKeyV6};
use flowtracker_proto::link::{LEN, VERSION};
use flowtracker_proto::table::Family;
use flowtracker_proto::v1::dataplane_link_service_server::DataplaneLinkService as _;
use flowtracker_proto::v1::{
    Actor, AttachRequest, Author, Authors, Batch, Hello, RecordKind, Reply, TableCapacity, attach_request,
    command,
};
use prost::Message as _;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::codec::Streaming;
use tonic::codegen::Bytes;
use tonic::{Request, Status};
use tonic_prost::ProstDecoder;

use super::fold::Watcher;
use crate::door::door;
use crate::input::Input;

/// Steps of a trial, at most.
const STEPS: usize = 200;
/// Events that the log retains: few, so that a watcher may fall behind.
const RETAIN: usize = 64;
/// What a data plane may send in one message, bytes.
const MESSAGE_MAX: usize = 16 << 20;
const SHARDS: [u32; 3] = [1, 2, 7];
/// Where the key of a record begins.
const HEAD: usize = 60;

/// Kinds of records; those that a shard may report at any time come more often.
const KINDS: [RecordKind; 16] = {
    use RecordKind::*;
    [
        Created,
        Created,
        Created,
        Updated,
        Updated,
        Deleted,
        Deleted,
        Deleted,
        Present,
        Present,
        ResyncBegin,
        ResyncEnd,
        ResyncEnd,
        Flushed,
        Purged,
        Loaded,
    ]
};

/// A control service, and what is attached to it.
struct Trial {
    hub: Arc<Hub>,
    links: Arc<Links>,
    service: Arc<LinkService>,
    open: Vec<Link>,
    calls: Vec<Call>,
    readers: JoinSet<Result<(), Status>>,
    _stopper: Stopper,
}

/// The data plane's end of a link.
struct Link {
    up: UnboundedSender<Result<Bytes, Infallible>>,
    /// The number of the next record of each shard.
    next: BTreeMap<u32, u64>,
}

/// Runs a trial on a clock that only waits move, so that nothing takes time.
fn run(trial: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().expect("a runtime").block_on(trial);
}

/// Sends bytes of any kind over one link.
pub(super) fn raw(bytes: &[u8]) {
    run(async {
        let mut trial = Trial::new();
        let mut watcher = Watcher::start(&trial.hub).await;
        let up = trial.dial();
        // In two parts, because a message may come in several.
        let (first, second) = bytes.split_at(bytes.len() / 2);
        for part in [first, second] {
            let _ = up.send(Ok(Bytes::copy_from_slice(part)));
            trial.settle().await;
        }
        drop(up);
        trial.settle().await;
        watcher.catch_up(&trial.hub).await;
        trial.end().await;
    });
}

/// Takes steps of several links: most of them are those of a sound data plane.
pub(super) fn steps(mut input: Input<'_>) {
    run(async {
        let mut trial = Trial::new();
        let mut watcher = Watcher::start(&trial.hub).await;
        for _ in 0..STEPS {
            if input.is_empty() {
                break;
            }
            trial.step(&mut input, &mut watcher).await;
        }
        trial.settle().await;
        watcher.catch_up(&trial.hub).await;
        // One who comes now sees the same.
        Watcher::start(&trial.hub).await.catch_up(&trial.hub).await;
        trial.end().await;
    });
}

impl Trial {
    fn new() -> Self {
        let hub = Arc::new(Hub::new(7, RETAIN).expect("memory"));
        let links = Arc::new(Links::default());
        let (stopper, stop) = stop::channel();
        let service = Arc::new(LinkService::new(hub.clone(), links.clone(), door(), stop));
        Self {
            hub,
            links,
            service,
            open: Vec::new(),
            calls: Vec::new(),
            readers: JoinSet::new(),
            _stopper: stopper,
        }
    }

    /// Waits until every task waits.
    async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    /// Opens a stream, and reads what comes down on it.
    fn dial(&mut self) -> UnboundedSender<Result<Bytes, Infallible>> {
        let (up, sent) = unbounded_channel();
        let body = Body::from_stream(UnboundedReceiverStream::new(sent));
        let decoder = ProstDecoder::<AttachRequest>::default();
        let stream = Streaming::new_request(decoder, body, None, Some(MESSAGE_MAX));
        let service = self.service.clone();
        self.readers.spawn(async move {
            let mut down = service.attach(Request::new(stream)).await?.into_inner();
            while let Some(message) = down.next().await {
                message?;
            }
            Ok(())
        });
        self.open.push(Link { up: up.clone(), next: SHARDS.map(|shard| (shard, 1)).into() });
        up
    }

    async fn step(&mut self, input: &mut Input<'_>, watcher: &mut Watcher) {
        match input.below(16) {
            0 => self.attach(input).await,
            1 => {
                if !self.open.is_empty() {
                    let which = input.below(self.open.len());
                    drop(self.open.swap_remove(which));
                    self.settle().await;
                }
            }
            2 => self.call(input),
            3 => {
                let later = std::time::Instant::now() + DETACHED_FOR + Duration::from_secs(1);
                self.hub.expire_detached(later, 5).await;
            }
            4 | 5 => {
                self.settle().await;
                watcher.catch_up(&self.hub).await;
            }
            6 => self.settle().await,
            _ => self.send(input),
        }
        self.open.retain(|link| !link.up.is_closed());
    }

    /// Dials and says Hello.
    async fn attach(&mut self, input: &mut Input<'_>) {
        let choices = input.byte();
        let name = ["dp", "other"][usize::from(choices & 1)];
        // The shards are some of those that batches may name, and may be wrong.
        let mut shards: Vec<u32> = SHARDS[..1 + usize::from(choices >> 1 & 3) % 3].to_vec();
        if choices >> 3 == 31 {
            shards.push(1);
        }
        let hello = Hello {
            dataplane: name.to_owned(),
            instance: u64::from(choices >> 3 & 1),
            shards,
            ports: vec!["port0".to_owned(); 2],
            record_version: VERSION,
            // Without the second table, records about it are refused.
            capacities: Family::ALL[..if choices >> 5 & 3 == 0 { 1 } else { 2 }]
                .iter()
                .map(|family| TableCapacity {
                    pipeline: family.pipeline().to_owned(),
                    // Sometimes so few that a link reaches them.
                    entries: if choices >> 4 & 7 == 0 { 4 } else { 64 },
                })
                .collect(),
            ..Hello::default()
        };
        let up = self.dial();
        let _ = up.send(Ok(framed(attach_request::Body::Hello(hello))));
        self.settle().await;
    }

    /// Asks a data plane something.
    fn call(&mut self, input: &mut Input<'_>) {
        let name = ["dp", "other"][input.below(2)];
        let Some(link) = self.links.get(name) else { return };
        let deadline = Instant::now() + Duration::from_millis(10);
        self.calls.extend(link.call(command::Body::Dump(Default::default()), deadline));
    }

    /// Sends a message over one of the links.
    fn send(&mut self, input: &mut Input<'_>) {
        if self.open.is_empty() {
            return;
        }
        let which = input.below(self.open.len());
        let link = &mut self.open[which];
        let body = match input.below(16) {
            0 => attach_request::Body::Authors(authors(input)),
            1 => attach_request::Body::Reply(reply(input)),
            2 => {
                // Any message that can be decoded, mostly none.
                let length = input.below(64);
                let _ = link.up.send(Ok(prefixed(input.take(length))));
                return;
            }
            _ => attach_request::Body::Batch(link.batch(input)),
        };
        let _ = link.up.send(Ok(framed(body)));
    }

    /// Ends all links, and reads what callers got.
    async fn end(mut self) {
        self.open.clear();
        self.settle().await;
        for mut call in self.calls.drain(..) {
            while let Ok(Some(_)) = call.next().await {}
        }
        while let Some(read) = self.readers.join_next().await {
            assert!(read.is_ok(), "{read:?}");
        }
        let left: Vec<_> = self.hub.dataplanes().into_iter().filter(|dataplane| dataplane.attached).collect();
        assert!(left.is_empty(), "attached without a link: {left:?}");
    }
}

impl Link {
    /// Makes a batch of a few records, numbered as they should be, or nearly.
    fn batch(&mut self, input: &mut Input<'_>) -> Batch {
        let choices = input.byte();
        let shard = SHARDS[usize::from(choices & 3) % 3];
        let count = usize::from(choices >> 2 & 7);
        let mut records = Vec::new();
        for _ in 0..=count {
            records.extend_from_slice(&record(input));
        }
        if choices == 255 {
            records.pop();
        }
        let next = self.next.get_mut(&shard).expect("all shards are there");
        let first_seq = *next + u64::from(choices == 254);
        *next += count as u64 + 1;
        Batch { shard, first_seq, records }
    }
}

/// Makes a record about one of a few keys, with one of a few values in each field, so that records
/// meet. Now and then some byte of it is any.
fn record(input: &mut Input<'_>) -> [u8; LEN] {
    let (kind, key, state) = (input.byte(), input.byte(), input.byte());
    let mut record = [0; LEN];
    record[0] = KINDS[usize::from(kind & 15)] as u8;
    record[1] = kind >> 4 & 3;
    // The table: IPv4 most of the time, because a link begins with the marks of each table.
    let ipv6 = key & 12 == 12;
    record[3] = 1 + u8::from(ipv6);
    record[4] = state & 3;
    record[5] = 0x80;
    record[6] = key >> 6;
    record[8] = state >> 6;
    record[10] = kind >> 6;
    record[16] = state >> 2 & 3;
    record[24] = 1 + (key >> 4 & 3);
    record[32] = 1 + (state >> 4 & 3);
    record[40] = state;
    // The key, as P4TC lays it out: only its last byte and its input port differ.
    if ipv6 {
        record[HEAD..HEAD + FlowKeyV6::BYTES].copy_from_slice(&flow6(key & 15));
    } else {
        record[HEAD..HEAD + FlowKeyV4::BYTES].copy_from_slice(&flow(key & 15));
    }
    if kind == 255 {
        let at = input.below(LEN);
        record[at] = input.byte();
    }
    record
}

/// Returns the bytes of the key of flow `number` of IPv6.
fn flow6(number: u8) -> [u8; FlowKeyV6::BYTES] {
    let key = FlowKeyV6 {
        input_port: 1 + u32::from(number & 1),
        src_addr: [0xfd; 16],
        dst_addr: [0xfe; 16],
        src_port: number.into(),
        dst_port: 80,
        protocol: 6,
    };
    key.to_bytes()
}

/// Returns the bytes of the key of flow `number` of IPv4.
fn flow(number: u8) -> [u8; FlowKeyV4::BYTES] {
    let key = FlowKeyV4 {
        input_port: 1 + u32::from(number & 1),
        src_addr: 0x0a00_0001,
        dst_addr: 0x0a00_0002,
        src_port: number.into(),
        dst_port: 80,
        protocol: 6,
    };
    key.to_bytes()
}

fn authors(input: &mut Input<'_>) -> Authors {
    let author = |number: u8, name: u8| Author {
        number: number.into(),
        actor: (name != 0).then(|| Actor { process: format!("program {name}"), ..Actor::default() }),
    };
    Authors { authors: (0..=input.below(3)).map(|_| author(input.byte() & 3, input.byte() & 7)).collect() }
}

fn reply(input: &mut Input<'_>) -> Reply {
    let count = input.below(3);
    let records = (0..count).flat_map(|_| record(input)).collect();
    Reply {
        id: input.below(8) as u64,
        status: input.below(12) as i32 - 1,
        records,
        field: if input.below(4) == 0 { "aging_ms".to_owned() } else { String::new() },
        ..Reply::default()
    }
}

fn framed(body: attach_request::Body) -> Bytes {
    prefixed(&AttachRequest { body: Some(body) }.encode_to_vec())
}

/// Puts gRPC's prefix before a message: not compressed, and its length.
fn prefixed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).expect("short").to_be_bytes();
    [&[0], &length[..], message].concat().into()
}
