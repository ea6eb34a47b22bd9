//! The output of `ctl`: one file per form. All of them write into a `String`, so that an event
//! reaches the terminal in one piece.

pub(crate) mod json;
mod pretty;
pub(crate) mod printable;
pub(crate) mod proto_json;
pub(crate) mod table;
pub(crate) mod tc;
pub(crate) mod wide;

use self::printable::one_line;
use flowtracker_proto::key::{WideKey, carried_text};
use flowtracker_proto::table::{FieldType, IPV4_FLOWS, KeyField, TableDescription, of_pipeline};
use flowtracker_proto::v1::{Entry, Event, Key, LcoreStats, TableStats};
use flowtracker_proto::{Timestamp, loop_time};

/// Entries per message of P4TC, each of which has one header line or object.
pub(crate) const ENTRIES_PER_MESSAGE: usize = 16;

/// The operation that a message of P4TC reports; a message of a read reports none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// The entries were created.
    Created,
    /// The entries were updated.
    Updated,
    /// The entries were deleted.
    Deleted,
    /// All entries, or all that match, were deleted: the message has a count instead of entries.
    Flushed,
}

impl Done {
    /// Returns the word in front of the first line, which is also the flag of the header object.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::Flushed => "flushed",
        }
    }
}

/// The action of every entry.
pub(crate) const NO_ACTION: &str = "NoAction";

/// Returns the table's action on a miss, with its pipeline.
fn miss_action(table: &TableDescription) -> String {
    format!("{}/{}", table.pipeline, table.miss_action)
}

/// Returns the actions that P4TC's template of a table lists, and where each of them may stand.
fn actions(table: &TableDescription) -> [(String, &'static str); 2] {
    [(NO_ACTION.to_owned(), "tableonly"), (miss_action(table), "defaultonly")]
}

/// Returns the table of an entry, or the first one where that is not known.
pub(crate) fn table_of(entry: Option<&Entry>) -> &'static TableDescription {
    entry.and_then(|entry| of_pipeline(&entry.pipeline).ok()).unwrap_or(&IPV4_FLOWS)
}

/// Returns the table that an event is about, or the first one where that is not known.
pub(crate) fn table_of_event(event: &Event) -> &'static TableDescription {
    let pipeline = event.entry.as_ref().map_or(&event.pipeline, |entry| &entry.pipeline);
    of_pipeline(pipeline).unwrap_or(&IPV4_FLOWS)
}

/// Returns the name of a pipeline in parentheses, and nothing for IPv4, whose lines do not name it.
fn other_pipeline(pipeline: &str) -> String {
    let usual = pipeline.is_empty() || pipeline == IPV4_FLOWS.pipeline;
    if usual { String::new() } else { format!(" ({})", one_line(pipeline)) }
}

/// Returns the fields of a table's key with the values of `key` as P4TC shows them.
fn key_values(table: &TableDescription, key: &Key) -> impl Iterator<Item = (&'static KeyField, String)> {
    table.key.iter().map(|field| {
        let value = one_line(&carried_text(key, field.part)).into_owned();
        let shown = match field.r#type {
            FieldType::Dev => value,
            FieldType::Ipv4 | FieldType::Ipv6 => format!("{value}/{}", field.r#type.bits()),
            FieldType::Bit(_) | FieldType::Be(_) => format!("{value}/{:#x}", field.r#type.mask()),
        };
        (field, shown)
    })
}

/// Returns the compact form of a key that the service sent.
fn compact_key(table: &TableDescription, key: Option<&Key>) -> String {
    let key = WideKey::from_proto(table, key, "key");
    key.map_or_else(|_| "-".to_owned(), |key| key.compact(table).to_string())
}

/// Formats a time as RFC 3339 in UTC with microseconds, or `-`.
fn utc(time: Option<&Timestamp>) -> String {
    time.and_then(|t| jiff::Timestamp::new(t.seconds, t.nanos).ok())
        .map_or_else(|| "-".to_owned(), |t| format!("{t:.6}"))
}

/// Formats a duration for people: `850ms`, `12.3s`, `2h03m`.
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..600_000 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        600_000..3_600_000 => format!("{}m{:02}s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{}h{:02}m", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// Returns the tables of these lcores, in the order in which they are reported, each with its sums.
pub(crate) fn tables(lcores: &[LcoreStats]) -> Vec<TableStats> {
    let mut sums: Vec<TableStats> = Vec::new();
    for part in lcores.iter().flat_map(|lcore| &lcore.tables) {
        let TableStats { pipeline, hit, miss_created, miss_full, miss_denied, entries, capacity } = part;
        let Some(sum) = sums.iter_mut().find(|sum| sum.pipeline == *pipeline) else {
            sums.push(part.clone());
            continue;
        };
        sum.hit += hit;
        sum.miss_created += miss_created;
        sum.miss_full += miss_full;
        sum.miss_denied += miss_denied;
        sum.entries += entries;
        sum.capacity += capacity;
    }
    sums
}

/// Formats the share of polls that found a frame.
pub(crate) fn busy(busy_polls: u64, polls: u64) -> String {
    if polls == 0 { "-".to_owned() } else { format!("{:.0}%", 100.0 * busy_polls as f64 / polls as f64) }
}

/// Formats a time of the poll loop for people, to three digits and with the unit that fits: ns, us,
/// ms or s.
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

/// Formats a quantile of the poll loop's times. It is the end of its bucket, so that it is never
/// shown shorter than it was.
pub(crate) fn loop_time(counts: &[u64], per_mille: u32) -> String {
    match loop_time::quantile(counts, per_mille) {
        None => "-".to_owned(),
        Some(bucket) if bucket.end == u64::MAX => format!(">{}", nanoseconds(bucket.start)),
        Some(bucket) => nanoseconds(bucket.end),
    }
}

#[cfg(test)]
mod described_tests;
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
