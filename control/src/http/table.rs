//! The metrics of a table of flows, as far as one lcore has it.

use flowtracker_proto::v1::{LcoreStats, TableStats};

use super::metric::{Label, Metric, Value};

pub(super) const TABLE: &[Metric<TableStats>] = &[
    Metric {
        name: "table_lookups",
        help: "Frames that were looked up in the table, by outcome.",
        unit: None,
        value: Value::Counters("outcome", lookups),
    },
    Metric {
        name: "table_entries",
        help: "Entries in the table.",
        unit: None,
        value: Value::Gauge(|table| table.entries),
    },
    Metric {
        name: "table_entries_capacity",
        help: "Entries that the table may hold.",
        unit: None,
        value: Value::Gauge(|table| table.capacity),
    },
];

/// Returns the tables of an lcore, each with the number of the lcore.
pub(super) fn of_lcore(lcore: &LcoreStats) -> impl Iterator<Item = (u32, &TableStats)> {
    lcore.tables.iter().map(|table| (lcore.lcore, table))
}

/// Returns the labels of a table.
pub(super) fn labels(dataplane: Label, lcore: u32, table: &TableStats) -> Vec<Label> {
    vec![dataplane, ("lcore", lcore.to_string()), ("pipeline", table.pipeline.clone())]
}

/// Returns the counts of what was looked up in a table, by their names in the API.
fn lookups(table: &TableStats) -> Vec<(&'static str, u64)> {
    // Without `..`, so that an outcome added to the API has to be added here.
    let TableStats { pipeline: _, hit, miss_created, miss_full, miss_denied, entries: _, capacity: _ } =
        table;
    vec![
        ("hit", *hit),
        ("miss_created", *miss_created),
        ("miss_full", *miss_full),
        ("miss_denied", *miss_denied),
    ]
}
