//! Accounting of calls: each is counted by method and status code, and recorded in the audit log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::door::Door;
use crate::door::audit::{Details, Kind, Note};
use crate::door::methods::{METHODS, Method};
use crate::door::peer::Peer;
use crate::door::roles::Role;

/// Names of the status codes, by their numbers (grpc/grpc, doc/statuscodes.md).
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Label of calls whose method does not exist.
const UNKNOWN: &str = "unknown";

/// Returns the name of a status code.
#[must_use]
pub fn code_name(code: Code) -> &'static str {
    CODES.get(code as usize).copied().unwrap_or("UNKNOWN")
}

/// Counts of calls that have ended, by method and code.
#[derive(Debug)]
pub struct Calls(Vec<[AtomicU64; CODES.len()]>);

impl Default for Calls {
    fn default() -> Self {
        // The last row counts calls whose method does not exist.
        let zeros = || std::array::from_fn(|_| AtomicU64::new(0));
        Self((0..=METHODS.len()).map(|_| zeros()).collect())
    }
}

impl Calls {
    fn count(&self, method: Option<&Method>, code: Code) {
        let at = method.and_then(|method| METHODS.iter().position(|other| other == method));
        let counts = self.0.get(at.unwrap_or(METHODS.len()));
        if let Some(count) = counts.and_then(|counts| counts.get(code as usize)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the counts that are not zero, with their method and code.
    #[must_use]
    pub fn counts(&self) -> Vec<(&'static str, &'static str, u64)> {
        let names = METHODS.iter().map(|method| method.name).chain([UNKNOWN]);
        let mut all = Vec::new();
        for (name, counts) in names.zip(&self.0) {
            for (code, count) in CODES.iter().zip(counts) {
                all.push((name, *code, count.load(Ordering::Relaxed)));
            }
        }
        all.retain(|(.., count)| *count > 0);
        all
    }
}

/// A call that has not ended yet. A call that is dropped without a code was cancelled by its caller.
#[derive(Debug)]
pub(super) struct Account {
    door: Arc<Door>,
    peer: Peer,
    method: Option<&'static Method>,
    note: Note,
    role: &'static str,
    ended: Option<(Code, String)>,
    refused: bool,
}

impl Account {
    /// Begins the account of a call.
    pub(super) fn new(door: Arc<Door>, peer: Peer, method: Option<&'static Method>) -> Self {
        let role = door.access.policy().grant(&peer).role.map_or("", Role::name);
        Self { door, peer, method, note: Note::default(), role, ended: None, refused: false }
    }

    /// Returns the note to which the call adds its details.
    pub(super) fn note(&self) -> Note {
        self.note.clone()
    }

    /// Records how the call ended. Only the first result counts.
    pub(super) fn end(&mut self, status: &Status) {
        let reason = || status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
        self.ended.get_or_insert_with(|| (status.code(), reason()));
    }

    /// Records that the call was refused, by the access rules or as a link.
    pub(super) fn refuse(&mut self, status: &Status) {
        self.refused = true;
        self.end(status);
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let (code, reason) = self.ended.take().unwrap_or((Code::Cancelled, String::new()));
        self.door.calls.count(self.method, code);
        let kind = match self.method {
            _ if self.refused => Kind::Refusal,
            Some(method) if method.needs.is_write() => Kind::Write,
            // An attached link writes its own lines.
            _ => return,
        };
        let details = Details {
            role: self.role,
            method: self.method.map_or(UNKNOWN, |method| method.name),
            about: self.note.about(),
            code: code_name(code),
            reason,
        };
        self.door.audit.line(&self.door.refusals, kind, &self.peer, details);
    }
}
