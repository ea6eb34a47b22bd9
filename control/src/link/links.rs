//! The links to the attached data planes: commands go down, replies come back.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flowtracker_proto::change::EntryState;
use flowtracker_proto::v1::{
    AttachResponse, CancelCommand, Command, Reply, ReplyStatus, attach_response, command,
};
use hashbrown::HashMap;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::api::fault;
use crate::link::replies::Budget;
use crate::mirror::capacities::Capacities;
use flowtracker_proto::key::Violation;
use flowtracker_proto::table::Family;

/// What is sent down a link: a message, or the status that ends it.
pub type Down = Result<AttachResponse, Status>;

/// A part of the answer to a command.
#[derive(Debug, Default)]
pub struct Answer {
    /// The part as it came.
    pub reply: Reply,
    /// The entries in its records.
    pub entries: Vec<EntryState>,
}

/// The link to one attached data plane.
#[derive(Debug)]
pub struct Link {
    name: String,
    down: mpsc::Sender<Down>,
    /// Who waits for answers, by the id of the command. What an answer may still have is bounded,
    /// so what waits for its reader is.
    pending: Mutex<HashMap<u64, (mpsc::UnboundedSender<Answer>, Budget)>>,
    /// Entries that the tables of the data plane may hold.
    capacities: Capacities,
    next_id: AtomicU64,
}

/// The links that are up, by the name of their data plane.
#[derive(Debug, Default)]
pub struct Links {
    by_name: Mutex<BTreeMap<String, Arc<Link>>>,
}

impl Links {
    /// Registers a link to a data plane whose tables have these capacities.
    ///
    /// # Errors
    /// Another link of that name is open.
    pub fn open(
        &self,
        name: &str,
        capacities: Capacities,
        down: mpsc::Sender<Down>,
    ) -> Result<Arc<Link>, Status> {
        let mut links = lock(&self.by_name);
        if links.get(name).is_some_and(|old| !old.down.is_closed()) {
            let message = format!("data plane {name:?} is attached already by another link");
            return Err(fault::refusal(Code::AlreadyExists, "DATAPLANE_ATTACHED", message));
        }
        let link = Arc::new(Link {
            name: name.to_owned(),
            down,
            pending: Mutex::default(),
            capacities,
            next_id: AtomicU64::new(1),
        });
        links.insert(name.to_owned(), link.clone());
        Ok(link)
    }

    /// Removes a link, unless another one of its name has taken over. Callers that wait for its
    /// replies get an error.
    pub fn close(&self, link: &Arc<Link>) {
        let mut links = lock(&self.by_name);
        if links.get(&link.name).is_some_and(|present| Arc::ptr_eq(present, link)) {
            links.remove(&link.name);
        }
        lock(&link.pending).clear();
    }

    /// Returns the link to `name`, if it is up.
    pub fn get(&self, name: &str) -> Option<Arc<Link>> {
        lock(&self.by_name).get(name).cloned()
    }

    /// Returns the link that a request means: the one to `name`, or the only one when `name` is
    /// empty. `known` says whether a data plane that is away was ever attached.
    ///
    /// # Errors
    /// There is no such link, or `name` is empty and there are several.
    pub fn pick(&self, name: &str, known: impl Fn(&str) -> bool) -> Result<Arc<Link>, Status> {
        let links = lock(&self.by_name);
        let away = |message| fault::refusal(Code::Unavailable, "NO_DATAPLANE", message);
        if links.is_empty() {
            return Err(away("no data plane is attached".to_owned()));
        }
        if name.is_empty() {
            let mut all = links.values();
            return match (all.next(), all.next()) {
                (Some(only), None) => Ok(only.clone()),
                _ => {
                    let names: Vec<_> = links.keys().map(String::as_str).collect();
                    let choices = names.join(", ");
                    Err(fault::bad_field("dataplane", format!("must name one of: {choices}")))
                }
            };
        }
        match links.get(name) {
            Some(link) => Ok(link.clone()),
            None if known(name) => Err(away(format!("data plane {name:?} is not attached"))),
            None => Err(fault::unknown_dataplane(name)),
        }
    }
}

impl Link {
    /// Returns the name of the data plane.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the families whose tables the data plane runs.
    pub fn families(&self) -> impl Iterator<Item = Family> {
        self.capacities.families()
    }

    /// Sends a command whose answer is awaited until `deadline`.
    ///
    /// # Errors
    /// The link is down or its queue is full.
    pub fn call(self: &Arc<Self>, body: command::Body, deadline: Instant) -> Result<Call, Status> {
        let listed = |pipeline| Family::of_pipeline(pipeline).ok().and_then(|of| self.capacities.get(of));
        let capacity = match &body {
            command::Body::Dump(dump) => listed(&dump.pipeline).unwrap_or(0),
            _ => 0,
        };
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (tx, replies) = mpsc::unbounded_channel();
        lock(&self.pending).insert(id, (tx, Budget::of_table(capacity)));
        let call = Call { link: self.clone(), id, replies, deadline, ended: false };
        let left = deadline.saturating_duration_since(Instant::now());
        // On the link 0 means that there is no deadline, so one that has passed is sent as the
        // shortest.
        self.send(id, left.max(Duration::from_millis(1)), body)?;
        Ok(call)
    }

    /// Takes a part with this many entries from what may come in answer to a command. Returns false
    /// when nobody waits for it.
    ///
    /// # Errors
    /// The answer is longer than the table can make it.
    pub(super) fn take_from_budget(&self, id: u64, entries: usize) -> Result<bool, Status> {
        let within = lock(&self.pending).get_mut(&id).map(|(_, budget)| budget.take(entries));
        if within == Some(false) {
            let message = format!("its answer to command {id} is longer than its tables");
            return Err(fault::refusal(Code::ResourceExhausted, "TOO_MANY_REPLIES", message));
        }
        if within.is_none() {
            tracing::debug!(dataplane = %self.name, id, "reply to nobody");
        }
        Ok(within.is_some())
    }

    /// Passes a part of an answer to the caller that waits for it.
    pub fn deliver(&self, answer: Answer) {
        let mut pending = lock(&self.pending);
        let id = answer.reply.id;
        let last = answer.reply.status() != ReplyStatus::Unspecified;
        if let Some((caller, _)) = pending.get(&id) {
            // A caller that has gone is about to remove the id.
            drop(caller.send(answer));
        }
        if last {
            pending.remove(&id);
        }
    }

    fn send(&self, id: u64, left: Duration, body: command::Body) -> Result<(), Status> {
        let deadline_ms = u32::try_from(left.as_millis()).unwrap_or(u32::MAX);
        let command = Command { id, deadline_ms, body: Some(body) };
        let message = AttachResponse { body: Some(attach_response::Body::Command(command)) };
        self.down.try_send(Ok(message)).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => {
                let message = format!("data plane {:?} does not keep up with commands", self.name);
                fault::refusal(Code::Unavailable, "DATAPLANE_BUSY", message)
            }
            mpsc::error::TrySendError::Closed(_) => self.gone(),
        })
    }

    fn gone(&self) -> Status {
        let message = format!("the link to data plane {:?} was lost", self.name);
        fault::refusal(Code::Unavailable, "LINK_LOST", message)
    }
}

/// A command whose answer is awaited. Dropping it before the end cancels the command.
#[derive(Debug)]
pub struct Call {
    link: Arc<Link>,
    id: u64,
    replies: mpsc::UnboundedReceiver<Answer>,
    deadline: Instant,
    ended: bool,
}

impl Call {
    /// Returns the name of the data plane that answers.
    pub fn dataplane(&self) -> &str {
        self.link.name()
    }

    /// Returns the number of parts of the answer that have come and were not taken yet.
    pub fn waiting(&self) -> usize {
        self.replies.len()
    }

    /// Returns when the answer has to be complete.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns the next part of the answer; `None` after the last.
    ///
    /// # Errors
    /// The reply has another status than OK, the link was lost, or the deadline has passed.
    pub async fn next(&mut self) -> Result<Option<Answer>, Status> {
        if self.ended {
            return Ok(None);
        }
        match tokio::time::timeout_at(self.deadline, self.replies.recv()).await {
            Err(_) => {
                let message = format!("data plane {:?} did not answer in time", self.link.name);
                Err(fault::refusal(Code::DeadlineExceeded, "NO_ANSWER", message))
            }
            Ok(None) => {
                self.ended = true;
                Err(self.link.gone())
            }
            Ok(Some(answer)) => {
                self.ended = answer.reply.status() != ReplyStatus::Unspecified;
                refused(&answer.reply).map_or(Ok(Some(answer)), Err)
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        lock(&self.link.pending).remove(&self.id);
        if !self.ended {
            let cancel = command::Body::Cancel(CancelCommand { id: self.id });
            let id = self.link.next_id.fetch_add(1, Ordering::Relaxed);
            // Best effort: the command has a deadline of its own.
            drop(self.link.send(id, Duration::ZERO, cancel));
        }
    }
}

/// Returns the gRPC status of a reply that refuses; `None` for one that does not.
fn refused(reply: &Reply) -> Option<Status> {
    let (code, reason, text) = match reply.status() {
        ReplyStatus::Unspecified | ReplyStatus::Ok => return None,
        ReplyStatus::NotFound => (Code::NotFound, "NO_ENTRY", "no entry has this key"),
        ReplyStatus::AlreadyExists => (Code::AlreadyExists, "ENTRY_EXISTS", "an entry has this key"),
        ReplyStatus::PermissionDenied => {
            (Code::PermissionDenied, "PERMISSION_BIT", "a permission bit is missing")
        }
        ReplyStatus::ResourceExhausted => (Code::ResourceExhausted, "TABLE_FULL", "the shard is full"),
        ReplyStatus::InvalidArgument => (Code::InvalidArgument, "BAD_VALUE", "a value is not acceptable"),
        ReplyStatus::FailedPrecondition => {
            (Code::FailedPrecondition, "NOT_POSSIBLE_NOW", "not possible in the present state")
        }
        ReplyStatus::Unavailable => (Code::Unavailable, "DATAPLANE_BUSY", "the data plane is too busy"),
        ReplyStatus::DeadlineExceeded => (Code::DeadlineExceeded, "NOT_IN_TIME", "the deadline has passed"),
    };
    let text = if reply.message.is_empty() { text } else { &reply.message };
    let reason = if reply.reason.is_empty() { reason } else { &reply.reason };
    let metadata = reply.metadata.clone();
    let faults = reply.faults.iter().map(|fault| Violation::new(&fault.field, &fault.message));
    Some(match (&reply.field[..], reply.faults.len()) {
        ("", _) => fault::with_metadata(code, reason, text, metadata),
        (field, 0) => fault::of_fields(code, reason, metadata, vec![Violation::new(field, text)]),
        _ => fault::of_fields(code, reason, metadata, faults.collect()),
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_that_is_over_is_not_sent_as_none() {
        let (down, mut commands) = mpsc::channel(8);
        let link = Links::default().open("a", Capacities::default(), down).expect("the first of its name");
        let now = Instant::now();
        for deadline in [now, now + Duration::from_micros(10), now + Duration::from_secs(10)] {
            let call = link.call(command::Body::Table(Default::default()), deadline).expect("room");
            let message = commands.try_recv().expect("sent").expect("no refusal");
            let Some(attach_response::Body::Command(command)) = message.body else {
                panic!("no command: {message:?}")
            };
            assert!((1..=10_000).contains(&command.deadline_ms), "{command:?}");
            assert_eq!(command.deadline_ms > 1, deadline > now + Duration::from_secs(9), "{command:?}");
            drop(call);
            drop(commands.try_recv().expect("it is cancelled"));
        }
    }
}
