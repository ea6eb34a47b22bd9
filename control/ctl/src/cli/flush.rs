//! `ctl flush`: deletes all entries, or all that a filter matches, and prints how many.

use flowtracker_proto::table::Family;
use flowtracker_proto::v1::{FlushEntriesRequest, FlushEntriesResponse};
use tonic::Status;
use tonic_types::StatusExt;

use super::filter_args::FilterArgs;
use super::{Failure, Form, Options, connect, output};
use crate::render;

pub(super) async fn run(options: Options, filter: FilterArgs) -> Result<(), Failure> {
    let filter = filter.expression()?;
    let mut client = connect::client(&options.target).await?;
    let request =
        FlushEntriesRequest { filter, dataplane: options.dataplane.clone(), pipeline: options.pipeline() };
    if options.form == Form::Tc {
        return each(&options, request, client).await;
    }
    let response = client.flush_entries(connect::request(request)).await?.into_inner();
    let mut text = String::new();
    match options.form {
        Form::Json => render::proto_json::line(&mut text, &response),
        _ => render::table::flushed(&mut text, response),
    }
    output::put(&text)?;
    end(response)
}

/// Flushes each table by a request of its own, because a message of P4TC is about one pipeline.
/// Without -4 and -6, a table that is detached or off is left out, as the service does in a request
/// about all tables.
async fn each(
    options: &Options,
    request: FlushEntriesRequest,
    mut client: connect::Client,
) -> Result<(), Failure> {
    let all = options.family.is_none();
    let families = options.family.map_or(Family::ALL.to_vec(), |family| vec![family]);
    let mut sum = None;
    let mut detached = None;
    let mut off = None;
    for family in families {
        let table = family.table();
        let request = FlushEntriesRequest { pipeline: table.pipeline.to_owned(), ..request.clone() };
        let response = match client.flush_entries(connect::request(request)).await {
            Err(status) if all && has_reason(&status, "DETACHED") => {
                detached = detached.or(Some(status));
                continue;
            }
            Err(status) if all && has_reason(&status, "FAMILY_OFF") => {
                off = off.or(Some(status));
                continue;
            }
            response => response?.into_inner(),
        };
        let mut text = String::new();
        render::tc::flushed(&mut text, table, response.deleted);
        output::put(&text)?;
        let FlushEntriesResponse { deleted, failed } = sum.unwrap_or_default();
        sum = Some(FlushEntriesResponse {
            deleted: deleted.saturating_add(response.deleted),
            failed: failed.saturating_add(response.failed),
        });
    }
    match (sum, detached.or(off)) {
        (None, Some(status)) => Err(status.into()),
        (sum, _) => end(sum.unwrap_or_default()),
    }
}

/// Fails if nothing was deleted although entries matched.
fn end(response: FlushEntriesResponse) -> Result<(), Failure> {
    if response.deleted == 0 && response.failed != 0 { Err(Failure::NotWell) } else { Ok(()) }
}

fn has_reason(status: &Status, reason: &str) -> bool {
    status.get_details_error_info().is_some_and(|info| info.reason == reason)
}
