//! `ctl load`: attaches the program again.

use flowtracker_proto::v1::LoadRequest;

use super::{Failure, Form, Options, connect, output};
use crate::render;

pub(super) async fn run(options: Options) -> Result<(), Failure> {
    let mut client = connect::client(&options.server).await?;
    let request = LoadRequest { dataplane: options.dataplane };
    let response = client.load(connect::request(request)).await?.into_inner();
    let mut text = String::new();
    match options.form {
        Form::Json => render::proto_json::line(&mut text, &response),
        Form::Table | Form::Wide | Form::Tc => text.push_str("loaded\n"),
    }
    output::put(&text)
}
