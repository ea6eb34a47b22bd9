//! Hostile data planes: links that report, answer and introduce more than a sound one would.

use std::time::Duration;

use flowtracker_proto::clock_step::ClockStep;
use flowtracker_proto::key::{FlowKey, FlowKeyV4, FlowKeyV6};
use flowtracker_proto::link::{self, Body, Record};
use flowtracker_proto::table::Family;
use flowtracker_proto::v1::dataplane_link_service_client::DataplaneLinkServiceClient;
use flowtracker_proto::v1::{
    Actor, AttachRequest, AttachResponse, Author, Authors, Batch, Entity, Hello, Reply, ReplyStatus,
    TableCapacity, attach_request, attach_response, command,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Endpoint;

use super::h2::{self, Connection};
use super::{Tally, Target};

/// The capacity that the hostile data planes declare for each table.
const DECLARED: u64 = 1024;
/// Records in a batch.
const BATCH: usize = 4096;
/// Time limit of each step of a link.
const STEP: Duration = Duration::from_secs(2);
/// Pause before a link that was closed is dialled again.
const AGAIN: Duration = Duration::from_millis(100);

/// A link.
struct Link {
    up: mpsc::Sender<AttachRequest>,
    down: Streaming<AttachResponse>,
}

impl Link {
    async fn attach(target: &Target, hello: Hello) -> Result<Self, String> {
        let endpoint = Endpoint::from_shared(format!("http://{}", target.grpc)).expect("a URI");
        let channel = endpoint.connect_timeout(STEP).connect().await.map_err(|error| error.to_string())?;
        let (up, requests) = mpsc::channel(4);
        up.send(AttachRequest { body: Some(attach_request::Body::Hello(hello)) }).await.expect("open");
        let mut client = DataplaneLinkServiceClient::new(channel).max_encoding_message_size(usize::MAX);
        let attached = tokio::time::timeout(STEP, client.attach(ReceiverStream::new(requests))).await;
        let mut down = attached
            .map_err(|_| "no answer to Hello".to_owned())?
            .map_err(|status| status.message().to_owned())?
            .into_inner();
        match tokio::time::timeout(STEP, down.message()).await {
            Ok(Ok(Some(_welcome))) => Ok(Self { up, down }),
            Ok(Ok(None)) => Err("ended".to_owned()),
            Ok(Err(status)) => Err(status.message().to_owned()),
            Err(_) => Err("no Welcome".to_owned()),
        }
    }

    /// Sends, or returns why the link has ended.
    async fn send(&mut self, body: attach_request::Body) -> Result<(), String> {
        let sent = tokio::time::timeout(STEP, self.up.send(AttachRequest { body: Some(body) })).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.end().await),
            // The service takes its time, which is its right.
            Err(_) => Ok(()),
        }
    }

    async fn batch(&mut self, shard: u32, first_seq: u64, records: &[Record]) -> Result<(), String> {
        let records = records.iter().flat_map(Record::to_bytes).collect();
        self.send(attach_request::Body::Batch(Batch { shard, first_seq, records })).await
    }

    async fn end(&mut self) -> String {
        loop {
            match tokio::time::timeout(STEP, self.down.message()).await {
                Ok(Ok(Some(_command))) => {}
                Ok(Ok(None)) => return "ended".to_owned(),
                Ok(Err(status)) => return status.message().to_owned(),
                Err(_) => return "no end".to_owned(),
            }
        }
    }
}

fn hello(name: &str, shards: Vec<u32>) -> Hello {
    Hello {
        dataplane: name.to_owned(),
        instance: 1,
        version: "0".to_owned(),
        shards,
        ports: vec!["port0".to_owned()],
        pid: 1,
        record_version: link::VERSION,
        capacities: Family::ALL
            .map(|family| TableCapacity { pipeline: family.pipeline().to_owned(), entries: DECLARED })
            .into(),
    }
}

/// Returns the entry of a number: every other one is of IPv6.
fn entry(n: usize) -> link::Entry {
    let (input_port, src_port, dst_port, protocol) = (1, n as u16, 1, 6);
    let src_addr = (n >> 16) as u32;
    let key = if n.is_multiple_of(2) {
        FlowKey::V4(FlowKeyV4 { input_port, src_addr, dst_addr: 1, src_port, dst_port, protocol })
    } else {
        let [src_addr, dst_addr] = [src_addr, 1].map(|addr| u128::from(addr).to_be_bytes());
        FlowKey::V6(FlowKeyV6 { input_port, src_addr, dst_addr, src_port, dst_port, protocol })
    };
    link::Entry {
        key,
        permissions: 0x1dbc,
        dynamic: true,
        profile_id: 0,
        aging_ms: 30_000,
        create_ns: n as u64,
        last_used_ns: n as u64,
        clock_step: ClockStep::default(),
        packets: 1,
        bytes: 60,
        created_by: 0,
        updated_by: 0,
    }
}

fn of(body: Body) -> Record {
    Record { time_ns: 1, body }
}

/// Returns such a record of each table.
fn of_each(body: fn(Family) -> Body) -> impl Iterator<Item = Record> {
    Family::ALL.into_iter().map(move |family| of(body(family)))
}

/// Returns the marks of a resync of empty tables.
fn resync() -> Vec<Record> {
    of_each(Body::ResyncBegin).chain(of_each(Body::ResyncEnd)).collect()
}

/// Repeats `links` until the attack has to end, and counts how the links ended.
fn repeat<F: Future<Output = Result<usize, String>>>(target: &Target, link: impl Fn(usize) -> F) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (mut links, mut sent, mut last) = (0, 0, String::new());
        while target.on() {
            let left = target.until.saturating_duration_since(std::time::Instant::now());
            match tokio::time::timeout(left, link(links)).await {
                Ok(Ok(n)) => sent += n,
                Ok(Err(why)) => last = why,
                Err(_) => last = "(time is up)".to_owned(),
            }
            links += 1;
            tokio::time::sleep(AGAIN.min(left)).await;
        }
        last.truncate(60);
        format!("{links} links, {sent} sent by those that were not closed, last end: {last}")
    })
}

/// Purges shard 1 of two and goes on with it: what follows waits for the other shard.
pub fn purged(target: &Target, n: usize) -> Tally {
    repeat(target, async |_| {
        let mut link = Link::attach(target, hello("hostile-purge", vec![1, 2])).await?;
        for shard in [1, 2] {
            link.batch(shard, 1, &resync()).await?;
        }
        let purged: Vec<_> = of_each(|family| Body::Purged { family, deleted: 0 }).collect();
        link.batch(1, 5, &purged).await?;
        for from in (0..n).step_by(BATCH) {
            let records: Vec<_> = (from..from + BATCH).map(|n| of(Body::Created(entry(n % 512)))).collect();
            link.batch(1, 7 + from as u64, &records).await?;
        }
        Ok(n)
    })
}

/// Introduces `n` authors with names of a megabyte.
pub fn authors(target: &Target, n: usize) -> Tally {
    repeat(target, async |_| {
        let mut link = Link::attach(target, hello("hostile-authors", vec![1])).await?;
        for number in 1..=n as u32 {
            let process = format!("{number}{}", "x".repeat(1 << 20));
            let actor = Some(Actor { entity: Entity::Tc.into(), pid: number, process, ..Actor::default() });
            let authors = vec![Author { number, actor }];
            link.send(attach_request::Body::Authors(Authors { authors })).await?;
        }
        Ok(n)
    })
}

/// Answers a list with `n` messages, while the user who has asked for it reads nothing.
pub fn replies(target: &Target, n: usize) -> Tally {
    repeat(target, async |_| {
        let name = "hostile-replies";
        let mut link = Link::attach(target, hello(name, vec![1])).await?;
        link.batch(1, 1, &resync()).await?;
        let mut user = Connection::open(target.grpc, 1).map_err(|error| error.to_string())?;
        // ListEntriesRequest: field 2 is the data plane.
        let request = [&[0x12, name.len() as u8][..], name.as_bytes()].concat();
        let mut frames = Vec::new();
        h2::call(&mut frames, 1, "ListEntries");
        h2::message(&mut frames, 1, &request);
        user.send(&frames).map_err(|error| error.to_string())?;
        let id = loop {
            match tokio::time::timeout(STEP, link.down.message()).await {
                Ok(Ok(Some(AttachResponse { body: Some(attach_response::Body::Command(command)) })))
                    if matches!(command.body, Some(command::Body::Dump(_))) =>
                {
                    break command.id;
                }
                Ok(Ok(Some(_))) => {}
                Ok(Err(status)) => return Err(status.message().to_owned()),
                _ => return Err("no command".to_owned()),
            }
        };
        let records: Vec<u8> = (0..1000).flat_map(|n| of(Body::Present(entry(n))).to_bytes()).collect();
        for _ in 0..n / 1000 {
            let reply = Reply {
                id,
                status: ReplyStatus::Unspecified.into(),
                records: records.clone(),
                ..Reply::default()
            };
            link.send(attach_request::Body::Reply(reply)).await?;
            user.pump();
        }
        tokio::time::sleep(STEP).await;
        Ok(n)
    })
}

/// Says Hello for `n` shards.
pub fn shards(target: &Target, n: usize) -> Tally {
    repeat(target, async |_| {
        let mut link = Link::attach(target, hello("hostile-shards", (0..n as u32).collect())).await?;
        link.batch(1, 1, &of_each(Body::ResyncBegin).collect::<Vec<_>>()).await?;
        Ok(1)
    })
}

/// Reports `n` entries, many more than declared, first outside of a resync and then within one.
pub fn created(target: &Target, n: usize) -> Tally {
    repeat(target, async |times| {
        let mut link = Link::attach(target, hello("hostile-entries", vec![1])).await?;
        let within = times % 2 == 1;
        link.batch(1, 1, &of_each(Body::ResyncBegin).collect::<Vec<_>>()).await?;
        let mut seq = 3;
        if !within {
            link.batch(1, seq, &of_each(Body::ResyncEnd).collect::<Vec<_>>()).await?;
            seq += 2;
        }
        for from in (0..n).step_by(BATCH) {
            let body = |n| if within { Body::Present(entry(n)) } else { Body::Created(entry(n)) };
            let records: Vec<_> = (from..from + BATCH).map(|n| of(body(n))).collect();
            link.batch(1, seq + from as u64, &records).await?;
        }
        Ok(n)
    })
}

/// Attaches under up to `n` names, one after the other.
pub fn names(target: &Target, n: usize) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (mut attached, mut refused, mut last, mut open) = (0, 0, String::new(), Vec::new());
        for nth in 0..n {
            if !target.on() {
                break;
            }
            match Link::attach(target, hello(&format!("hostile-{nth}"), vec![1])).await {
                Ok(mut link) => {
                    attached += 1;
                    let _ = link.batch(1, 1, &resync()).await;
                    // Every other one stays.
                    if nth % 2 == 0 {
                        open.push(link);
                    }
                }
                Err(why) => (refused, last) = (refused + 1, why),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        while target.on() {
            tokio::time::sleep(AGAIN).await;
        }
        last.truncate(60);
        format!("{attached} attached, {refused} refused: {last}")
    })
}
