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
    if options.form != Form::Tc {
        let request = FlushEntriesRequest {
            filter,
            dataplane: options.dataplane.clone(),
            pipeline: options.pipeline(),
        };
        let response = client.flush_entries(connect::request(request)).await?.into_inner();
        let mut text = String::new();
        match options.form {
            Form::Json => render::proto_json::line(&mut text, &response),
            Form::Table | Form::Wide | Form::Tc => render::table::flushed(&mut text, response),
        }
        output::put(&text)?;
        return end(response);
    }
    // A message of P4TC is about one pipeline, so each table is flushed by a request of its own.
    let families = options.family.map_or(Family::ALL.to_vec(), |family| vec![family]);
    let mut sum = FlushEntriesResponse::default();
    for family in families {
        let table = family.table();
        let request = FlushEntriesRequest {
            filter: filter.clone(),
            dataplane: options.dataplane.clone(),
            pipeline: table.pipeline.to_owned(),
        };
        let response = match client.flush_entries(connect::request(request)).await {
            Err(status) if options.family.is_none() && is_off(&status) => continue,
            response => response?.into_inner(),
        };
        let mut text = String::new();
        render::tc::flushed(&mut text, table, response.deleted);
        output::put(&text)?;
        sum.deleted += response.deleted;
        sum.failed += response.failed;
    }
    end(sum)
}

/// Returns the end of a command that has had this effect.
fn end(response: FlushEntriesResponse) -> Result<(), Failure> {
    if response.deleted == 0 && response.failed != 0 { Err(Failure::NotWell) } else { Ok(()) }
}

/// Returns true if the data plane does not run the table.
fn is_off(status: &Status) -> bool {
    status.get_details_error_info().is_some_and(|info| info.reason == "FAMILY_OFF")
}
