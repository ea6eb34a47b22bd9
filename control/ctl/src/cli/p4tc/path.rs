//! Paths of objects.

use flowtracker_proto::table::{self, TableDescription};

use super::{Error, say};

/// Parses `PIPELINE/table/CONTROL/TABLE`; the control block may be left out.
pub(super) fn table(path: &str) -> Result<&'static TableDescription, Error> {
    let mut parts = path.splitn(3, '/');
    let (pipeline, object, table) = (parts.next(), parts.next(), parts.next());
    of_parts(pipeline, object, table)
}

/// Parses `table/PIPELINE/CONTROL/TABLE`, the order of templates.
pub(super) fn template(path: &str) -> Result<&'static TableDescription, Error> {
    let mut parts = path.splitn(3, '/');
    let (object, pipeline, table) = (parts.next(), parts.next(), parts.next());
    of_parts(pipeline, object, table)
}

fn of_parts(
    pipeline: Option<&str>,
    object: Option<&str>,
    name: Option<&str>,
) -> Result<&'static TableDescription, Error> {
    let described = table::of_pipeline(pipeline.unwrap_or_default())?;
    if object != Some("table") {
        return say("Unknown object type");
    }
    table::check_name(described, name.unwrap_or_default())?;
    Ok(described)
}

#[cfg(test)]
mod tests;
