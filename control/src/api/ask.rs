//! Commands to a data plane, and what is made of the answers.

use std::sync::Arc;

use flowtracker_proto::show;
use flowtracker_proto::table::Family;
use flowtracker_proto::v1::{Entry, Reply, Table, command};
use tokio::time::Instant;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::api::fault;
use crate::link::links::{Call, Link};

/// Sends a command that concerns one entry and returns that entry.
///
/// # Errors
/// The data plane refuses, or does not answer by `deadline`.
pub(super) async fn entry(link: &Arc<Link>, body: command::Body, deadline: Instant) -> Result<Entry, Status> {
    let mut call = link.call(body, deadline)?;
    let mut found = None;
    while let Some(answer) = call.next().await? {
        found = found.or(answer.entries.into_iter().next());
    }
    let found = found.ok_or_else(|| broken(link, "its answer has no entry"))?;
    Ok(show::entry(&link.name().into(), &found))
}

/// Sends a command whose answer describes the table of `family`.
///
/// # Errors
/// The data plane refuses, or does not answer by `deadline`.
pub(super) async fn table(
    link: &Arc<Link>,
    family: Family,
    body: command::Body,
    deadline: Instant,
) -> Result<Table, Status> {
    let answer = conclusion(link, link.call(body, deadline)?).await?;
    let table = answer.table.ok_or_else(|| broken(link, "its answer has no table"))?;
    Ok(Table { pipeline: family.pipeline().to_owned(), ..table })
}

/// The sums of what a command did in several tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// Entries deleted.
    pub(super) deleted: u64,
    /// Entries left because they lack the D permission.
    pub(super) failed: u64,
}

/// Sends a command for each of these tables, all at once, and returns the sums of the answers. A
/// table that refuses for the reason `nothing_to_do` is left out, unless all do.
///
/// # Errors
/// A table refuses, or does not answer by `deadline`. Others may have done what they were asked
/// for.
pub(super) async fn each(
    link: &Arc<Link>,
    tables: &[Family],
    body: impl Fn(String) -> command::Body,
    nothing_to_do: &str,
    deadline: Instant,
) -> Result<Done, Status> {
    let call = |family: &Family| link.call(body(family.pipeline().to_owned()), deadline);
    let calls = tables.iter().map(call).collect::<Result<Vec<_>, _>>()?;
    let mut done = None;
    let mut idle = None;
    let mut refused = None;
    for call in calls {
        match conclusion(link, call).await {
            Ok(Reply { deleted, failed, .. }) => {
                let Done { deleted: d, failed: f } = done.unwrap_or_default();
                done = Some(Done { deleted: d.saturating_add(deleted), failed: f.saturating_add(failed) });
            }
            Err(status) if has_reason(&status, nothing_to_do) => idle = idle.or(Some(status)),
            Err(status) => refused = refused.or(Some(status)),
        }
    }
    match (refused, done, idle) {
        (Some(status), ..) | (None, None, Some(status)) => Err(status),
        (None, done, _) => Ok(done.unwrap_or_default()),
    }
}

/// Returns the last part of an answer.
async fn conclusion(link: &Link, mut call: Call) -> Result<Reply, Status> {
    let mut last = None;
    while let Some(answer) = call.next().await? {
        last = Some(answer.reply);
    }
    last.ok_or_else(|| broken(link, "its answer is empty"))
}

fn has_reason(status: &Status, reason: &str) -> bool {
    status.get_details_error_info().is_some_and(|info| info.reason == reason)
}

fn broken(link: &Link, why: &str) -> Status {
    let message = format!("data plane {:?}: {why}", link.name());
    fault::refusal(Code::Internal, "BROKEN_ANSWER", message)
}
