//! The audit log: one line of JSON for each write, refusal, attachment and detachment.
//!
//! A thread writes the lines, so that no call waits for a disk. A line that does not fit the queue, or
//! that cannot be written, is counted as [`Reason::AuditLost`]. Refusals may fill half of the queue, so
//! that a flood of them does not displace writes. When log rotation has moved the file, the thread
//! opens a new one.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flowtracker_proto::Timestamp;
use flowtracker_proto::key::FlowKey;
use flowtracker_proto::v1::Key;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use crate::door::peer::{Origin, Peer};
use crate::door::refusals::{Reason, Refusals};
use crate::mirror::hub::wall_ns;

/// Lines that may wait for the thread.
const WAITING: usize = 8192;
/// Longest text of a caller in a line, bytes.
const TEXT_MAX: usize = 512;
/// How long the service waits for the last lines when it stops.
const LAST_WITHIN: Duration = Duration::from_secs(1);

/// Where the audit log goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// Nowhere.
    #[default]
    Off,
    /// Standard error, between the lines of the service's log.
    Stderr,
    /// A file, to which lines are appended.
    File(PathBuf),
}

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" => Err("must be stderr, a file, or off"),
            "off" => Ok(Self::Off),
            "stderr" => Ok(Self::Stderr),
            path => Ok(Self::File(path.into())),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Stderr => f.write_str("stderr"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A call that changes something, whether it succeeded or not.
    Write,
    /// A call, a handshake or a link that was refused.
    Refusal,
    /// A data plane attached.
    Attach,
    /// A data plane detached.
    Detach,
}

/// A line.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// When it was written.
    pub time: Timestamp,
    /// What it is about.
    pub event: Kind,
    /// The door that the caller came in by.
    pub door: String,
    /// Its address or its process.
    pub peer: String,
    /// Who it is.
    pub identity: String,
    /// Its role there and then.
    pub role: &'static str,
    /// What it called; a handshake is no call.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub method: &'static str,
    /// What the call was about.
    #[serde(flatten)]
    pub about: About,
    /// Status code of a call.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub code: &'static str,
    /// Reason of a refusal.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// How many handshakes were refused without a line since the last one that has a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<u64>,
}

/// What a call is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct About {
    /// The data plane.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub dataplane: String,
    /// The pipeline of a table, as the caller names it; absent where all tables or an entry are
    /// meant.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pipeline: String,
    /// The key of an entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The filter of a flush.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// How many entries it has deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The program as the caller names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// What a call is about, as far as it is known. The handler of the call fills it in.
#[derive(Clone, Debug, Default)]
pub struct Note(Arc<Mutex<About>>);

impl Note {
    /// Records the data plane and the key of an entry.
    pub fn entry(&self, dataplane: &str, key: Option<&Key>) {
        let text = |key: &Key| match FlowKey::from_proto(None, Some(key), "key") {
            Ok(key) => key.to_string(),
            Err(_) => serde_json::to_string(key).unwrap_or_default(),
        };
        self.change(|about| about.key = key.map(|key| cut(&text(key))));
        self.dataplane(dataplane);
    }

    /// Records the data plane and the filter.
    pub fn filter(&self, dataplane: &str, filter: &str) {
        self.change(|about| about.filter = Some(cut(filter)));
        self.dataplane(dataplane);
    }

    /// Records the data plane.
    pub fn dataplane(&self, dataplane: &str) {
        self.change(|about| about.dataplane = cut(dataplane));
    }

    /// Records the pipeline of a table.
    pub fn pipeline(&self, pipeline: &str) {
        self.change(|about| about.pipeline = cut(pipeline));
    }

    /// Records the number of entries.
    pub fn count(&self, count: u64) {
        self.change(|about| about.count = Some(count));
    }

    /// Records the program name that the caller claims.
    pub fn said(&self, said: String) {
        self.change(|about| about.said = Some(said));
    }

    /// Returns what has been recorded.
    #[must_use]
    pub fn about(&self) -> About {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut About)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Returns the beginning of a text, cut between characters.
fn cut(text: &str) -> String {
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= TEXT_MAX).last();
    text[..end.unwrap_or(0)].to_owned()
}

/// Returns a peer's address, or its process.
#[must_use]
pub fn peer(origin: &Origin) -> String {
    match origin {
        Origin::Tcp(addr) => addr.to_string(),
        Origin::Unix(process) => match process.as_ref().and_then(|process| process.pid) {
            Some(pid) => format!("pid={pid}"),
            None => "unknown".to_owned(),
        },
    }
}

/// A message to the writing thread.
enum Job {
    Line(Box<Line>),
    Flush(oneshot::Sender<()>),
}

/// The audit log.
#[derive(Debug, Default)]
pub struct Audit(Option<mpsc::Sender<Job>>);

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Line(_) => "Line",
            Self::Flush(_) => "Flush",
        })
    }
}

impl Audit {
    /// Opens the log. What is lost is counted in `refusals`.
    ///
    /// # Errors
    /// The file cannot be opened, or no thread started.
    pub fn open(target: &Target, refusals: Arc<Refusals>) -> io::Result<Self> {
        let out = match target {
            Target::Off => return Ok(Self(None)),
            Target::Stderr => Out::Stderr,
            Target::File(path) => Out::File(path.clone(), open(path)?),
        };
        let (jobs, waiting) = mpsc::channel(WAITING);
        std::thread::Builder::new().name("audit".to_owned()).spawn(move || write(waiting, out, &refusals))?;
        Ok(Self(Some(jobs)))
    }

    /// Returns whether there is a log.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Writes a line about a peer's call, if there is a log.
    pub fn line(&self, refusals: &Refusals, event: Kind, peer: &Peer, details: Details) {
        if !self.is_on() {
            return;
        }
        let line = Line {
            time: Timestamp::from_unix_ns(wall_ns()),
            event,
            door: peer.gate().name.clone(),
            peer: self::peer(peer.origin()),
            identity: peer.identity().unwrap_or_default(),
            role: details.role,
            method: details.method,
            about: details.about,
            code: details.code,
            reason: details.reason,
            left_out: None,
        };
        self.put(refusals, line);
    }

    /// Writes a line about a handshake that was refused, if there is a log. `identity` is what the
    /// client's certificate says.
    pub fn handshake(
        &self,
        refusals: &Refusals,
        (door, origin): (&str, &Origin),
        identity: String,
        reason: Reason,
        left_out: u64,
    ) {
        let line = Line {
            time: Timestamp::from_unix_ns(wall_ns()),
            event: Kind::Refusal,
            door: door.to_owned(),
            peer: peer(origin),
            identity,
            role: "",
            method: "",
            about: About::default(),
            code: "",
            reason: reason.name().to_owned(),
            left_out: (left_out > 0).then_some(left_out),
        };
        self.put(refusals, line);
    }

    fn put(&self, refusals: &Refusals, line: Line) {
        let Some(jobs) = &self.0 else { return };
        let room = if line.event == Kind::Refusal { WAITING / 2 } else { 0 };
        if jobs.capacity() <= room || jobs.try_send(Job::Line(Box::new(line))).is_err() {
            refusals.count(Reason::AuditLost);
        }
    }

    /// Waits until all lines so far are written, but not for long.
    pub async fn flush(&self) {
        let Some(jobs) = &self.0 else { return };
        let flushed = async {
            let (done, flushed) = oneshot::channel();
            if jobs.send(Job::Flush(done)).await.is_ok() {
                drop(flushed.await);
            }
        };
        drop(tokio::time::timeout(LAST_WITHIN, flushed).await);
    }
}

/// The parts of a line that do not come from the peer.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// Role.
    pub role: &'static str,
    /// Method.
    pub method: &'static str,
    /// What the call was about.
    pub about: About,
    /// Status code.
    pub code: &'static str,
    /// Reason of a refusal.
    pub reason: String,
}

/// Where lines go.
enum Out {
    Stderr,
    File(PathBuf, File),
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o640).open(path)
}

/// Writes lines as they arrive. The first of several failures in a row is logged.
fn write(mut jobs: mpsc::Receiver<Job>, mut out: Out, refusals: &Refusals) {
    let mut failing = false;
    while let Some(job) = jobs.blocking_recv() {
        let line = match job {
            Job::Line(line) => line,
            Job::Flush(done) => {
                // This fails when the waiting task has timed out.
                let _ = done.send(());
                continue;
            }
        };
        let mut text = serde_json::to_string(&line).unwrap_or_default();
        text.push('\n');
        let written = match &mut out {
            // In one call, so that lines of the service's log do not come between.
            Out::Stderr => io::stderr().lock().write_all(text.as_bytes()),
            Out::File(path, file) => follow(path, file).and_then(|()| file.write_all(text.as_bytes())),
        };
        match written {
            Ok(()) => failing = false,
            Err(why) => {
                refusals.count(Reason::AuditLost);
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!("--audit-log: cannot write: {why}");
                }
            }
        }
    }
}

/// Opens the file again if its path no longer leads to it.
fn follow(path: &Path, file: &mut File) -> io::Result<()> {
    let is_same = |there: std::fs::Metadata| {
        file.metadata().is_ok_and(|here| (here.dev(), here.ino()) == (there.dev(), there.ino()))
    };
    if !std::fs::metadata(path).is_ok_and(is_same) {
        *file = open(path)?;
    }
    Ok(())
}
