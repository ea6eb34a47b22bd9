//! `ctl stats`: prints counters.

use flowtracker_proto::v1::GetStatsRequest;

use super::{Failure, Form, Options, connect, output};
use crate::render;

pub(super) async fn run(options: Options) -> Result<(), Failure> {
    let mut client = connect::client(&options.target).await?;
    let (pipeline, of_one) = (options.pipeline(), options.family.is_some());
    let request = GetStatsRequest { dataplane: options.dataplane, pipeline };
    let response = options.target.ask(request, |r| client.get_stats(r)).await?;
    let mut text = String::new();
    match options.form {
        Form::Json => render::proto_json::line(&mut text, &response),
        Form::Table | Form::Wide | Form::Tc => render::table::stats(&mut text, &response, of_one),
    }
    output::put(&text)
}
