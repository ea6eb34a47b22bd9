//! Paths of objects.

use super::{Error, say};
use flowtracker_proto::table::PIPELINE;

/// The table's name, with and without its control block; the brief's older name is an alias.
const TABLES: [&str; 4] = ["Main/ct_flow_table", "Main/ct_tcp_table", "ct_flow_table", "ct_tcp_table"];

/// Reads `PIPELINE/table/CONTROL/TABLE`.
pub(super) fn check(path: &str) -> Result<(), Error> {
    let mut parts = path.splitn(3, '/');
    let (pipeline, object, table) = (parts.next(), parts.next(), parts.next());
    parts_are_ours(pipeline, object, table)
}

/// Reads `table/PIPELINE/CONTROL/TABLE`, the order of templates.
pub(super) fn check_template(path: &str) -> Result<(), Error> {
    let mut parts = path.splitn(3, '/');
    let (object, pipeline, table) = (parts.next(), parts.next(), parts.next());
    parts_are_ours(pipeline, object, table)
}

fn parts_are_ours(pipeline: Option<&str>, object: Option<&str>, table: Option<&str>) -> Result<(), Error> {
    if pipeline != Some(PIPELINE) {
        return say("Pipeline name not found");
    }
    if object != Some("table") {
        return say("Unknown object type");
    }
    match table {
        Some(table) if TABLES.contains(&table) => Ok(()),
        _ => say("Table name not found"),
    }
}

#[cfg(test)]
mod tests;
