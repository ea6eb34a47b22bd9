//! `ctl dataplanes`: prints the data planes that report to the service.

use flowtracker_proto::v1::ListDataplanesRequest;

use super::{Failure, Form, Options, connect, output};
use crate::render;

pub(super) async fn run(options: Options) -> Result<(), Failure> {
    let mut client = connect::client(&options.server).await?;
    let response = client.list_dataplanes(connect::request(ListDataplanesRequest {})).await?.into_inner();
    let mut text = String::new();
    match options.form {
        Form::Json => response.dataplanes.iter().for_each(|d| render::proto_json::line(&mut text, d)),
        Form::Table | Form::Wide | Form::Tc => render::table::dataplanes(&mut text, &response),
    }
    output::put(&text)
}
