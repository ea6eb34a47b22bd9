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

/// Sends a command for each of these tables, all at once, waits for every answer, and returns the
/// sums over the tables that did what they were asked for (`None` if none did) beside the result. A
/// table that refuses for the reason `nothing_to_do` is left out, unless all do.
///
/// # Errors
/// A table cannot be asked, refuses, or does not answer by `deadline`. The sums of the others stand
/// beside that.
pub(super) async fn each(
    link: &Arc<Link>,
    tables: &[Family],
    body: impl Fn(String) -> command::Body,
    nothing_to_do: &str,
    deadline: Instant,
) -> (Option<Done>, Result<(), Status>) {
    let call = |family: &Family| link.call(body(family.pipeline().to_owned()), deadline);
    let calls: Vec<_> = tables.iter().map(call).collect();
    let mut done = None;
    let mut idle = None;
    let mut refused = None;
    for call in calls {
        let answer = match call {
            Ok(call) => conclusion(link, call).await,
            Err(status) => Err(status),
        };
        match answer {
            Ok(Reply { deleted, failed, .. }) => {
                let Done { deleted: d, failed: f } = done.unwrap_or_default();
                done = Some(Done { deleted: d.saturating_add(deleted), failed: f.saturating_add(failed) });
            }
            Err(status) if has_reason(&status, nothing_to_do) => idle = idle.or(Some(status)),
            Err(status) => refused = refused.or(Some(status)),
        }
    }
    let idle = idle.filter(|_| done.is_none());
    (done, refused.or(idle).map_or(Ok(()), Err))
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flowtracker_proto::v1::{PurgeCommand, ReplyStatus, attach_response};
    use tokio::sync::mpsc;

    use super::*;
    use crate::link::links::{Answer, Links};
    use crate::mirror::capacities::Capacities;

    /// The queue of the link has room for one command. What the first table does is awaited, though
    /// the second cannot be asked.
    #[tokio::test]
    async fn a_table_that_is_asked_is_awaited_when_another_cannot_be() {
        let (down, mut commands) = mpsc::channel(1);
        let link = Links::default().open("a", Capacities::default(), down).expect("the first of its name");
        let body = |pipeline| command::Body::Purge(PurgeCommand { pipeline });
        let deadline = Instant::now() + Duration::from_secs(10);
        let asked = each(&link, &Family::ALL, body, "ALREADY_DETACHED", deadline);
        let answered = async {
            let message = commands.recv().await.expect("sent").expect("no refusal");
            let Some(attach_response::Body::Command(command)) = message.body else {
                panic!("no command: {message:?}")
            };
            assert_eq!(command.body, Some(body(Family::ALL[0].pipeline().to_owned())));
            let reply =
                Reply { id: command.id, status: ReplyStatus::Ok.into(), deleted: 3, ..Reply::default() };
            link.deliver(Answer { reply, entries: Vec::new() });
        };
        let ((done, end), ()) = tokio::join!(asked, answered);
        assert_eq!(done, Some(Done { deleted: 3, failed: 0 }));
        assert!(has_reason(&end.expect_err("the second"), "DATAPLANE_BUSY"));
        assert!(commands.try_recv().is_err(), "neither a second command nor a cancellation");
    }
}
