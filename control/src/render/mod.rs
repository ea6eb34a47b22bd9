//! What `ctl` prints: one file per form. All of them write into a `String`, so
//! that an event reaches the terminal in one piece.

pub mod json;
mod pretty;
pub mod proto_json;
pub mod table;
pub mod tc;
pub mod wide;

use flowtracker_proto::Timestamp;
use flowtracker_proto::v1::Key;

use crate::key::FlowKey;

/// Entries per message of P4TC: its header line or object comes once for so many.
pub const ENTRIES_PER_MESSAGE: usize = 16;

/// What P4TC says that a message reports; a message that was read reports nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// The entries were created.
    Created,
    /// The entries were updated.
    Updated,
    /// The entries were deleted.
    Deleted,
    /// All of them, or all that match, are gone: a count instead of entries.
    Flushed,
}

impl Done {
    /// The word in front of the first line, and the flag of the header object.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::Flushed => "flushed",
        }
    }
}

/// Actions that the table lists, and where each may stand: P4TC's template of
/// flowtracker has these two.
const ACTIONS: [(&str, &str); 2] = [("NoAction", "tableonly"), (MISS_ACTION, "defaultonly")];
/// What the table does on a miss.
const MISS_ACTION: &str = "flowtracker/Main/ct_flow_miss";

/// The compact form of a key that the service sent.
fn compact_key(key: Option<&Key>) -> String {
    FlowKey::from_proto(key, "key").map_or_else(|_| "-".to_owned(), |key| key.to_string())
}

/// RFC 3339 in UTC with microseconds, or `-`.
fn utc(time: Option<&Timestamp>) -> String {
    time.and_then(|t| jiff::Timestamp::new(t.seconds, t.nanos).ok())
        .map_or_else(|| "-".to_owned(), |t| format!("{t:.6}"))
}

/// A duration for people: `850ms`, `12.3s`, `2h03m`.
fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..600_000 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        600_000..3_600_000 => format!("{}m{:02}s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{}h{:02}m", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}
