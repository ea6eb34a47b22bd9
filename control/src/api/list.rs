//! ListEntries: the answers of a data plane on a gRPC stream, one table after the other.
//!
//! Their parts wait for the client in a short queue, and behind that in the call. A client that
//! takes nothing stalls the list, which then has to give way to others.

use std::sync::Arc;

use flowtracker_proto::show;
use flowtracker_proto::v1::{DumpCommand, ListEntriesResponse, command};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status};

use crate::api::fault;
use crate::door::Door;
use crate::door::lists::{ListPlace, Stalled};
use crate::door::peer::Peer;
use crate::door::refusals::Reason;
use crate::link::links::{Call, Link};
use crate::stop::Stop;

/// Entries per response, at most.
const RUN: usize = 256;
/// Responses that may wait for the client.
const QUEUE: usize = 4;
/// Parts of a data plane's answer, of 256 entries each, that may wait for a client that reads nothing.
const WAITING: usize = 256;

type Response = Result<ListEntriesResponse, Status>;

/// What a list asks of a data plane: the dumps of tables, which have to be complete by `deadline`.
pub(super) struct Asked {
    pub(super) link: Arc<Link>,
    pub(super) dumps: Vec<DumpCommand>,
    pub(super) deadline: Instant,
}

/// Starts a list. It has `place`, and is read by `peer`; it ends when `stop` turns true.
///
/// # Errors
/// The first command cannot be sent.
pub(super) fn start(
    Asked { link, dumps, deadline }: Asked,
    place: ListPlace,
    peer: Option<Peer>,
    door: Arc<Door>,
    mut stop: Stop,
) -> Result<mpsc::Receiver<Response>, Status> {
    let mut calls = dumps.into_iter().map(move |dump| link.call(command::Body::Dump(dump), deadline));
    let first = calls.next().transpose()?;
    let (client, responses) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        // A table is asked once the one before it has been listed, so that only one answer waits.
        let all = async {
            for call in first.map(Ok).into_iter().chain(calls) {
                forward(call?, &place, &client, &door).await?;
            }
            Ok(())
        };
        let end = tokio::select! {
            end = all => end,
            () = client.closed() => Ok(()),
            () = stop.wanted() => {
                Err(fault::refusal(Code::Unavailable, "SHUTDOWN", "the control service is stopping"))
            }
        };
        if let Err(status) = end {
            let _unread = place.end(peer);
            tokio::select! {
                _ = client.send(Err(status)) => {}
                () = stop.wanted() => {}
            }
        }
    });
    Ok(responses)
}

/// Sends the replies of a dump to the client as they arrive.
async fn forward(
    mut call: Call,
    place: &ListPlace,
    client: &mpsc::Sender<Response>,
    door: &Door,
) -> Result<(), Status> {
    let dataplane = call.dataplane().into();
    while let Some(answer) = call.next().await? {
        for run in answer.entries.chunks(RUN) {
            let room = match client.try_reserve() {
                Err(mpsc::error::TrySendError::Full(())) => {
                    let reserve = timeout_at(call.deadline(), client.reserve());
                    let much = || call.waiting() > WAITING;
                    place
                        .stall(reserve, much)
                        .await
                        .map_err(|Stalled| stalled(door))?
                        .map_err(|_| late())?
                        .ok()
                }
                room => room.ok(),
            };
            let Some(room) = room else { return Ok(()) };
            let run = run.iter().map(|state| show::entry(&dataplane, state)).collect();
            room.send(Ok(ListEntriesResponse { entries: run }));
        }
    }
    Ok(())
}

/// Counts a list that has to give way, and returns the status for its reader.
fn stalled(door: &Door) -> Status {
    door.refusals.count(Reason::StalledList);
    let message = "nobody read the list for a while, and its place or its memory was needed";
    fault::refusal(Code::ResourceExhausted, "STALLED", message)
}

fn late() -> Status {
    fault::refusal(Code::DeadlineExceeded, "NOT_IN_TIME", "the list was not read in time")
}
