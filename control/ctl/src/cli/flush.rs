//! `ctl flush`: deletes all entries, or all that a filter matches, and prints how many.

use flowtracker_proto::table::IPV4_FLOWS;
use flowtracker_proto::v1::FlushEntriesRequest;

use super::filter_args::FilterArgs;
use super::{Failure, Form, Options, connect, output};
use crate::render;

pub(super) async fn run(options: Options, filter: FilterArgs) -> Result<(), Failure> {
    let request = FlushEntriesRequest { filter: filter.expression()?, dataplane: options.dataplane };
    let mut client = connect::client(&options.target).await?;
    let response = client.flush_entries(connect::request(request)).await?.into_inner();
    let mut text = String::new();
    match options.form {
        Form::Table | Form::Wide => render::table::flushed(&mut text, response),
        Form::Json => render::proto_json::line(&mut text, &response),
        Form::Tc => render::tc::flushed(&mut text, &IPV4_FLOWS, response.deleted),
    }
    output::put(&text)?;
    if response.deleted == 0 && response.failed != 0 { Err(Failure::NotWell) } else { Ok(()) }
}
