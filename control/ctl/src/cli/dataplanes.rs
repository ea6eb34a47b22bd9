//! `ctl dataplanes`: prints the data planes that report to the service.

use flowtracker_proto::v1::ListDataplanesRequest;

use super::{Failure, Form, Options, connect, output};
use crate::render;

pub(super) async fn run(options: Options) -> Result<(), Failure> {
    let mut client = connect::client(&options.target).await?;
    let response = options.target.ask(ListDataplanesRequest {}, |r| client.list_dataplanes(r)).await?;
    let mut text = String::new();
    match options.form {
        Form::Json => response.dataplanes.iter().for_each(|d| render::proto_json::line(&mut text, d)),
        Form::Table | Form::Wide | Form::Tc => render::table::dataplanes(&mut text, &response),
    }
    output::put(&text)
}
