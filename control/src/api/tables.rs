//! The tables that a request means, by its field `pipeline` or by its key.

use flowtracker_proto::key::{FlowKey, quoted};
use flowtracker_proto::table::Family;
use flowtracker_proto::v1::Key;
use tonic::{Code, Status};

use crate::api::fault;
use crate::link::links::Link;

/// Returns the family of the table that the field `pipeline` names; `None` when it is empty.
///
/// # Errors
/// No table has this pipeline.
pub(super) fn named(pipeline: &str) -> Result<Option<Family>, Status> {
    if pipeline.is_empty() {
        return Ok(None);
    }
    Family::of_pipeline(pipeline).map(Some).map_err(|why| {
        let description = format!("{}: {}", why.text(), quoted(pipeline));
        fault::bad_field("pipeline", description)
    })
}

/// Returns the family of the one table that the field `pipeline` names: IPv4 when it is empty.
///
/// # Errors
/// No table has this pipeline.
pub(super) fn named_or_first(pipeline: &str) -> Result<Family, Status> {
    named(pipeline).map(|family| family.unwrap_or(Family::Ipv4))
}

/// Checks a key, whose addresses say which table it belongs to, unless `pipeline` does.
///
/// # Errors
/// Names the fields that are wrong, or that contradict `pipeline`.
pub(super) fn key(pipeline: &str, key: Option<&Key>) -> Result<FlowKey, Status> {
    FlowKey::from_proto(named(pipeline)?, key, "key").map_err(fault::bad_request)
}

/// Returns the families whose tables a request means on the data plane of `link`: `named`, or all
/// that the data plane runs.
///
/// # Errors
/// The data plane does not run the table, or runs no table.
pub(super) fn meant(link: &Link, named: Option<Family>) -> Result<Vec<Family>, Status> {
    let meant: Vec<_> = link.families().filter(|family| named.is_none_or(|named| named == *family)).collect();
    if meant.is_empty() { Err(off(link, named)) } else { Ok(meant) }
}

/// Checks that the data plane of `link` runs the table of `family`.
///
/// # Errors
/// It does not.
pub(super) fn check_runs(link: &Link, family: Family) -> Result<(), Status> {
    meant(link, Some(family)).map(|_| ())
}

fn off(link: &Link, named: Option<Family>) -> Status {
    let table = named.map_or_else(|| "any table".to_owned(), |family| family.pipeline().to_owned());
    let message = format!("data plane {:?} does not run {table}; see its --families", link.name());
    fault::refusal(Code::FailedPrecondition, "FAMILY_OFF", message)
}
