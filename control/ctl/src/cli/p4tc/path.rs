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
mod tests {
    use super::*;

    fn said(checked: Result<(), Error>) -> String {
        match checked {
            Ok(()) => String::new(),
            Err(Error::Said(message)) => message,
            Err(Error::Failed(failure)) => format!("{failure:?}"),
        }
    }

    #[test]
    fn paths_are_checked_part_by_part() {
        for (path, message) in [
            ("flowtracker/table/Main/ct_flow_table", ""),
            ("flowtracker/table/Main/ct_tcp_table", ""),
            ("other/table/Main/ct_flow_table", "Pipeline name not found"),
            ("", "Pipeline name not found"),
            ("flowtracker/table/Main/other", "Table name not found"),
            ("flowtracker/table", "Table name not found"),
            ("flowtracker/extern/x", "Unknown object type"),
        ] {
            assert_eq!(said(check(path)), message, "{path}");
        }
        for (path, message) in [
            ("table/flowtracker/Main/ct_flow_table", ""),
            ("flowtracker/table/Main/ct_flow_table", "Pipeline name not found"),
            ("action/flowtracker/Main/ct_flow_miss", "Unknown object type"),
        ] {
            assert_eq!(said(check_template(path)), message, "{path}");
        }
    }
}
