//! WatchEvents: a feed on a gRPC stream.
//!
//! Each item of the feed becomes a response, which waits for the client in a short queue. Events
//! are encoded once for all watchers, and those that want all of them share the bytes. HTTP/2 flow
//! control stops the queue, the queue stops the feed's reader, and nobody else notices.

use std::sync::Arc;

use flowtracker_proto::show::{self, Encoder, single};
use flowtracker_proto::v1::{EventType, WatchEventsRequest, start};
use prost::bytes::Bytes;
use tokio::sync::mpsc;
use tonic::{Code, Status};

use crate::api::filter::{self, Place};
use crate::api::{fault, tables};
use crate::mirror::feed::{CannotResume, Feed, Item, Origin};
use crate::mirror::hub::{Hub, wall_ns};
use crate::mirror::predicate::{Predicate, Wanted};
use crate::stop::Stop;

/// Responses that may wait for the client.
const QUEUE: usize = 2;

/// What the stream of a watcher carries: `WatchEventsResponse` in wire form, or the status that
/// ends it.
pub type Response = Result<Bytes, Status>;

/// Starts a watcher. Returns its stream and the number of the event that the stream follows.
/// The stream ends when `stop` turns true; `held` is kept until its end.
pub async fn start(
    hub: Arc<Hub>,
    request: WatchEventsRequest,
    stop: Stop,
    held: impl Send + 'static,
) -> Result<(mpsc::Receiver<Response>, u64), Status> {
    let family = tables::named(&request.pipeline)?;
    let filter = filter::program(&request.filter, Place::Watch)?;
    let predicate = Predicate::new(request.dataplane, family, filter);
    let origin = match request.start.and_then(|start| start.at) {
        None | Some(start::At::Now(_)) => Origin::Now,
        Some(start::At::Snapshot(_)) => Origin::Snapshot,
        Some(start::At::After(after)) => Origin::After { epoch: after.epoch, seq: after.seq },
    };
    let epoch = hub.epoch();
    let feed = Feed::start(hub, predicate, origin).await.map_err(|why| refusal(&why))?;
    let cursor = feed.cursor();
    let (client, responses) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        forward(feed, epoch, client, stop).await;
        drop(held);
    });
    Ok((responses, cursor))
}

/// Returns the status for a cursor after which no stream can go on.
fn refusal(why: &CannotResume) -> Status {
    let (reason, held) = match why {
        CannotResume::EpochGone { held, .. } => ("EPOCH_GONE", held),
        CannotResume::SeqInFuture { held, .. } => ("SEQ_IN_FUTURE", held),
        CannotResume::SeqTooOld { held, .. } => ("SEQ_TOO_OLD", held),
    };
    let metadata = [("epoch", held.epoch), ("oldest_seq", held.oldest_seq), ("last_seq", held.last_seq)];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_string())).into();
    fault::with_metadata(Code::OutOfRange, reason, why.to_string(), metadata)
}

/// Sends what `feed` gives until the client is gone or the service stops.
async fn forward(mut feed: Feed, epoch: u64, client: mpsc::Sender<Response>, mut stop: Stop) {
    loop {
        let item = tokio::select! {
            // The others are asked only when the feed has nothing; sending asks them as well.
            biased;
            item = feed.next() => item,
            () = client.closed() => return,
            () = stop.wanted() => break,
        };
        let response = encode(epoch, item);
        tokio::select! {
            sent = client.send(Ok(response)) => if sent.is_err() { return },
            () = stop.wanted() => break,
        }
    }
    let message = "the control service is stopping";
    // A client whose queue is full does not read; its connection ends without a status.
    drop(client.try_send(Err(fault::refusal(Code::Unavailable, "SHUTDOWN", message))));
}

/// Returns the response that holds `item`.
fn encode(epoch: u64, item: Item) -> Bytes {
    let mark = |seq, kind| single(&show::mark(epoch, seq, wall_ns(), kind));
    match item {
        Item::Events(run, Wanted::All) => run.encoded().all(),
        Item::Events(run, Wanted::These(wanted)) => run.encoded().only(|index| wanted[index]),
        Item::Entries { cut, dataplane, entries } => {
            let mut encoder = Encoder::new(epoch, entries.len());
            entries.iter().for_each(|entry| encoder.snapshot_entry(cut, &dataplane, entry));
            encoder.finish().all()
        }
        Item::Synced(seq) => mark(seq, EventType::Synced),
        Item::Progress(seq) => mark(seq, EventType::Progress),
        Item::Gap { from, to } => single(&show::gap(epoch, from, to, wall_ns())),
    }
}
