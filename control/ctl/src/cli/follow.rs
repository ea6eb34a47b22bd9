//! Events that outlast the connection they come over, and the service too.
//!
//! A [`Follower`] holds the cursor of the last event that its reader has. When the connection is
//! lost it dials again, without limit, and resumes after the cursor. Where the service cannot
//! resume, the follower starts over: it makes a GAP event, as the service does for a watcher that
//! was too slow, and a snapshot follows. So a reader needs one rule for every case: at a GAP it
//! empties its state.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flowtracker_proto::v1::{Event, EventType, WatchEventsRequest, WatchEventsResponse};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

use super::connect::{Client, Target};
use super::origin::{Cursor, Origin};
use super::{Failure, connect, output};
use flowtracker_proto::{header, show};

/// Pause before the first attempt to dial again; it doubles from attempt to attempt.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
/// Longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Which events a reader wants.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// The data plane whose events are wanted; empty means all.
    pub(super) dataplane: String,
    /// The pipeline of the table whose events are wanted; empty means all.
    pub(super) pipeline: String,
    /// The expression that the events must match; empty means all.
    pub(super) filter: String,
}

/// The position of a reader in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It has nothing yet, and a snapshot follows.
    Empty,
    /// It has everything up to this event.
    At(Cursor),
    /// It has events, but no stream can resume after them; the text says why.
    Nowhere(&'static str),
}

/// One stream of the service.
struct Stream {
    /// Kept alive because HTTP/2 pings, which detect a dead peer, stop once no client is left that
    /// could make another call.
    _client: Client,
    responses: Streaming<WatchEventsResponse>,
    /// The event after which the stream starts, if the service gives it.
    start: Option<Cursor>,
    /// True until the SYNCED of the snapshot arrives.
    in_snapshot: bool,
}

/// A source of events that continues over a new connection when its connection is lost.
pub(super) struct Follower {
    target: Target,
    scope: Scope,
    stream: Stream,
    place: Place,
    /// The stream has started over and the reader does not know it yet: a GAP goes in front of its
    /// first event.
    owes_gap: bool,
    /// The pause before the next attempt to dial.
    pause: Duration,
}

impl Follower {
    /// Dials the service and starts. A failure here is final.
    pub(super) async fn start(target: Target, scope: Scope, origin: Origin) -> Result<Self, Failure> {
        let client = connect::client(&target).await?;
        let stream = match open(client, &scope, origin).await {
            Err(status) if lost_cursor(&status) => return Err(not_there(origin, &status)),
            stream => stream?,
        };
        let place = match (origin, stream.start) {
            (Origin::Snapshot, _) => Place::Empty,
            (Origin::After(cursor), _) | (Origin::Now, Some(cursor)) => Place::At(cursor),
            (Origin::Now, None) => Place::Nowhere("where it had started is not known"),
        };
        Ok(Self { target, scope, stream, place, owes_gap: false, pause: PAUSE_FIRST })
    }

    /// Returns the events of the next response. Waits for as long as the service is away.
    pub(super) async fn next(&mut self) -> Result<Vec<Event>, Failure> {
        loop {
            let why = match self.stream.responses.message().await {
                Ok(Some(response)) => {
                    self.pause = PAUSE_FIRST;
                    return Ok(self.take(response.events));
                }
                Ok(None) => "the server ended the stream".to_owned(),
                Err(status) => {
                    let why = reason(&status);
                    match status.into() {
                        Failure::Unreachable(_) => why,
                        refused => return Err(refused),
                    }
                }
            };
            self.dial_again(&why).await?;
        }
    }

    /// Records how far the reader is with these events, and puts a GAP in front of them after a new
    /// start.
    fn take(&mut self, mut events: Vec<Event>) -> Vec<Event> {
        if self.owes_gap
            && let Some(first) = events.first()
        {
            let cut = self.stream.start.unwrap_or(Cursor { epoch: first.epoch, seq: first.seq });
            let from = match self.place {
                Place::At(last) if last.epoch == cut.epoch && last.seq < cut.seq => last.seq + 1,
                _ => 0,
            };
            events.insert(0, show::gap(cut.epoch, from, cut.seq, wall_ns()));
            self.owes_gap = false;
        }
        for event in &events {
            match event.r#type() {
                EventType::Gap => self.stream.in_snapshot = true,
                EventType::Synced => self.stream.in_snapshot = false,
                _ => {}
            }
            self.place = if self.stream.in_snapshot {
                Place::Nowhere("it was lost inside a snapshot")
            } else {
                Place::At(Cursor { epoch: event.epoch, seq: event.seq })
            };
        }
        events
    }

    /// Dials until there is a stream again.
    async fn dial_again(&mut self, why: &str) -> Result<(), Failure> {
        output::complain(&format!("ctl: connection lost ({why}); dialling again"));
        loop {
            tokio::time::sleep(self.pause).await;
            self.pause = (self.pause * 2).min(PAUSE_MAX);
            match self.resume().await {
                Ok(how) => {
                    output::complain(&format!("ctl: connected again, {how}"));
                    return Ok(());
                }
                // Certificate files that cannot be read are perhaps being replaced: they were good at the
                // start.
                Err(Failure::Unreachable(_) | Failure::Usage(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Dials once, then resumes or starts over. Returns a message that says which.
    async fn resume(&mut self) -> Result<String, Failure> {
        let client = connect::client(&self.target).await?;
        let why = match self.place {
            Place::Empty => None,
            Place::Nowhere(why) => Some(why.to_owned()),
            Place::At(cursor) => match open(client.clone(), &self.scope, Origin::After(cursor)).await {
                Err(status) if lost_cursor(&status) => Some(match info(&status, "reason").as_str() {
                    "EPOCH_GONE" => {
                        format!("epoch {} is gone (the control service was restarted)", cursor.epoch)
                    }
                    _ => status.message().to_owned(),
                }),
                stream => {
                    self.stream = stream?;
                    self.owes_gap = false;
                    return Ok(format!("resumed after {cursor}"));
                }
            },
        };
        self.stream = open(client, &self.scope, Origin::Snapshot).await?;
        self.owes_gap = why.is_some();
        Ok(match why {
            Some(why) => format!("but events are lost: {why}; starting over from a snapshot"),
            None => "starting from a snapshot".to_owned(),
        })
    }
}

async fn open(mut client: Client, scope: &Scope, origin: Origin) -> Result<Stream, Status> {
    let request = WatchEventsRequest {
        filter: scope.filter.clone(),
        dataplane: scope.dataplane.clone(),
        pipeline: scope.pipeline.clone(),
        start: Some(origin.into()),
    };
    let response = client.watch_events(connect::request(request)).await?;
    let start = start_of(response.metadata());
    let in_snapshot = origin == Origin::Snapshot;
    Ok(Stream { _client: client, responses: response.into_inner(), start, in_snapshot })
}

/// Returns the event after which a stream starts, from its initial metadata.
fn start_of(metadata: &MetadataMap) -> Option<Cursor> {
    let number = |key| metadata.get(key)?.to_str().ok()?.parse().ok();
    Some(Cursor { epoch: number(header::EPOCH)?, seq: number(header::SEQ)? })
}

/// Returns true if the service cannot resume after a cursor; no other refusal is a reason to start
/// over.
fn lost_cursor(status: &Status) -> bool {
    let reason = info(status, "reason");
    status.code() == Code::OutOfRange
        && ["EPOCH_GONE", "SEQ_TOO_OLD", "SEQ_IN_FUTURE"].contains(&reason.as_str())
}

/// Returns a value of a refusal's details; it is empty where there is none.
fn info(status: &Status, name: &str) -> String {
    let info = status.get_details_error_info();
    info.and_then(|mut i| if name == "reason" { Some(i.reason) } else { i.metadata.remove(name) })
        .unwrap_or_default()
}

/// Returns the failure for a refused cursor that the user has given.
fn not_there(origin: Origin, status: &Status) -> Failure {
    let from = match origin {
        Origin::After(cursor) => cursor.to_string(),
        Origin::Now | Origin::Snapshot => String::new(),
    };
    let (epoch, oldest, last) = (info(status, "epoch"), info(status, "oldest_seq"), info(status, "last_seq"));
    let held = if oldest == "0" { "no events yet".to_owned() } else { format!("events {oldest} to {last}") };
    let message = format!(
        "--from {from}: {}; the service has {held} of epoch {epoch}; `--from snapshot` starts from the present entries",
        status.message()
    );
    Failure::Refused(Status::new(status.code(), message))
}

/// Returns a short reason why a stream ended.
fn reason(status: &Status) -> String {
    match std::error::Error::source(status) {
        Some(source) => connect::cause(source),
        None if status.message().is_empty() => "the server went away".to_owned(),
        None => status.message().to_owned(),
    }
}

/// Returns the wall clock in Unix nanoseconds.
fn wall_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::watch;

    use super::*;
    use crate::cli::connect::Place as Target;
    use control::config::Config;
    use control::server;

    /// Lays a wire to `service`. Once `silent` changes, it carries nothing any more and does not
    /// end either; wires that are laid later do carry.
    async fn lay(service: std::net::SocketAddr, silent: watch::Receiver<u32>) -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut server = TcpStream::connect(service).await.unwrap();
                let mut silent = silent.clone();
                silent.mark_unchanged();
                tokio::spawn(async move {
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        _ = silent.changed() => std::future::pending().await,
                    }
                });
            }
        });
        addr
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_falls_silent_is_dialled_again() {
        // The paused clock leaps to the next timer while bytes are under way: no bound may be near.
        let config = ["flowtracker-control", "--listen", "127.0.0.1:0", "--max-handshake", "3600"];
        let config = Config::try_parse_from(config).unwrap();
        let bound = server::bind(&config).await.unwrap();
        let silence = watch::Sender::new(0);
        let addr = lay(bound.addr("listen").unwrap(), silence.subscribe()).await;
        tokio::spawn(bound.serve(std::future::pending()));
        let mut follower = Follower::start(
            Target {
                server: Some(format!("http://{addr}")),
                timeout: Some(Duration::from_secs(3600)),
                ..Default::default()
            }
            .target()
            .unwrap(),
            Scope::default(),
            Origin::Now,
        )
        .await
        .unwrap();
        for _ in 0..2 {
            // PROGRESS comes every second, over a wire that carries.
            for _ in 0..3 {
                let events = follower.next().await.unwrap();
                assert!(events.iter().all(|event| event.r#type() == EventType::Progress));
            }
            silence.send_modify(|n| *n += 1);
            let within = 2 * (connect::PING_EVERY + connect::PONG_WITHIN);
            let next = tokio::time::timeout(within, follower.next()).await;
            assert!(next.expect("the connection is given up").is_ok());
        }
    }
}
