//! `ctl load`: attaches the program again.

use flowtracker_proto::v1::LoadRequest;

use super::{Failure, Form, Options, connect, output};
use crate::render;

pub(super) async fn run(options: Options) -> Result<(), Failure> {
    let mut client = connect::client(&options.target).await?;
    let pipeline = options.pipeline();
    let request = LoadRequest { dataplane: options.dataplane, pipeline };
    let response = options.target.ask(request, |r| client.load(r)).await?;
    let mut text = String::new();
    match options.form {
        Form::Json => render::proto_json::line(&mut text, &response),
        Form::Table | Form::Wide | Form::Tc => text.push_str("loaded\n"),
    }
    output::put(&text)
}
