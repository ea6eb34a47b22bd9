//! Paths of objects.

use flowtracker_proto::table::{self, TableDescription};

use super::{Error, say};

/// Parses `PIPELINE/table/CONTROL/TABLE`; the control block may be left out.
pub(super) fn table(path: &str) -> Result<&'static TableDescription, Error> {
    let mut parts = parts(path);
    let (pipeline, object) = (parts.next(), parts.next());
    of_parts(pipeline, object, &rest(parts))
}

/// Parses `table/PIPELINE/CONTROL/TABLE`, the order of templates.
pub(super) fn template(path: &str) -> Result<&'static TableDescription, Error> {
    let mut parts = parts(path);
    let (object, pipeline) = (parts.next(), parts.next());
    of_parts(pipeline, object, &rest(parts))
}

/// Returns a path as it is written without needless slashes.
pub(super) fn plain(path: &str) -> String {
    rest(parts(path))
}

/// Splits a path as iproute2 does, which calls `strtok`: several slashes separate as one does, and
/// those at the beginning and at the end separate nothing.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

fn rest<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    parts.collect::<Vec<_>>().join("/")
}

fn of_parts(
    pipeline: Option<&str>,
    object: Option<&str>,
    name: &str,
) -> Result<&'static TableDescription, Error> {
    let described = table::of_pipeline(pipeline.unwrap_or_default())?;
    if object != Some("table") {
        return say("Unknown object type");
    }
    table::check_name(described, name)?;
    Ok(described)
}

#[cfg(test)]
mod tests;
