//! What `ctl` prints: one file per form. All of them write into a `String`, so
//! that an event reaches the terminal in one piece.

pub(crate) mod json;
mod pretty;
pub(crate) mod proto_json;
pub(crate) mod table;
pub(crate) mod tc;
pub(crate) mod wide;

use flowtracker_proto::v1::Key;
use flowtracker_proto::{Timestamp, loop_time};

use flowtracker_proto::key::FlowKey;

/// Entries per message of P4TC: its header line or object comes once for so many.
pub(crate) const ENTRIES_PER_MESSAGE: usize = 16;

/// What P4TC says that a message reports; a message that was read reports nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
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
    pub(crate) fn word(self) -> &'static str {
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

/// The values of a key as P4TC shows them, by field id.
fn key_values(key: &Key) -> [String; 6] {
    [
        key.input_port.clone(),
        format!("{}/32", key.src_addr),
        format!("{}/32", key.dst_addr),
        format!("{}/0xff", key.protocol),
        format!("{}/0xffff", key.src_port),
        format!("{}/0xffff", key.dst_port),
    ]
}

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
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..600_000 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        600_000..3_600_000 => format!("{}m{:02}s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{}h{:02}m", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// The share of polls that found a frame.
pub(crate) fn busy(busy_polls: u64, polls: u64) -> String {
    if polls == 0 { "-".to_owned() } else { format!("{:.0}%", 100.0 * busy_polls as f64 / polls as f64) }
}

/// A time of the poll loop for people, to three digits: `96ns`, `4.10us`, `12.3ms`, `1.07s`.
pub(crate) fn nanoseconds(ns: u64) -> String {
    let (unit, of) = match ns {
        0..1_000 => return format!("{ns}ns"),
        1_000..1_000_000 => ("us", 1e3),
        1_000_000..1_000_000_000 => ("ms", 1e6),
        _ => ("s", 1e9),
    };
    let figure = ns as f64 / of;
    let decimals = if figure < 10.0 { 2 } else { usize::from(figure < 100.0) };
    format!("{figure:.decimals$}{unit}")
}

/// A quantile of the poll loop's times: the end of its bucket, so that it is not shown shorter than it was.
pub(crate) fn loop_time(counts: &[u64], per_mille: u32) -> String {
    match loop_time::quantile(counts, per_mille) {
        None => "-".to_owned(),
        Some(bucket) if bucket.end == u64::MAX => format!(">{}", nanoseconds(bucket.start)),
        Some(bucket) => nanoseconds(bucket.end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_poll_loop_have_three_digits() {
        for (ns, text) in [
            (0, "0ns"),
            (999, "999ns"),
            (1_000, "1.00us"),
            (12_340, "12.3us"),
            (999_400, "999us"),
            (4_096_000, "4.10ms"),
            (1 << 30, "1.07s"),
        ] {
            assert_eq!(nanoseconds(ns), text);
        }
        assert_eq!(loop_time(&[], 500), "-");
        assert_eq!(loop_time(&[0, 3], 500), "16ns");
        let mut stalled = vec![0; loop_time::BUCKETS];
        stalled[loop_time::BUCKETS - 1] = 1;
        assert_eq!(loop_time(&stalled, 999), ">1.07s");
    }
}
