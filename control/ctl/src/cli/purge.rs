//! `ctl purge`: detaches the program and prints how many entries that removed.

use std::fmt::Write;

use flowtracker_proto::v1::PurgeRequest;

use super::{Failure, Form, Options, connect, output};
use crate::render;

pub(super) async fn run(options: Options) -> Result<(), Failure> {
    let mut client = connect::client(&options.target).await?;
    let pipeline = options.pipeline();
    let request = PurgeRequest { dataplane: options.dataplane, pipeline };
    let response = client.purge(connect::request(request)).await?.into_inner();
    let mut text = String::new();
    match options.form {
        Form::Json => render::proto_json::line(&mut text, &response),
        Form::Table | Form::Wide | Form::Tc => {
            let _ = writeln!(text, "purged, {} removed", response.removed);
        }
    }
    output::put(&text)
}
