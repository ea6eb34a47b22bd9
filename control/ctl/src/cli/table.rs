//! `ctl table`: a table's attributes and occupation; with flags, changes them first.

use flowtracker_proto::v1::{GetTableRequest, TimerProfile, UpdateTableRequest};

use super::attributes::{aging_ms, permissions, profile_id};
use super::{Failure, Form, Options, connect, output};
use crate::render;

/// What is to change; nothing where nothing is given.
#[derive(Debug, clap::Args)]
pub(super) struct TableArgs {
    /// New aging time of a timer profile, milliseconds; may be given several times
    #[arg(long = "profile", value_name = "ID=MS", value_parser = profile)]
    profiles: Vec<TimerProfile>,

    /// New permission bits of the table, which must be empty
    #[arg(long, value_name = "HEX", value_parser = permissions)]
    permissions: Option<u32>,
}

fn profile(text: &str) -> Result<TimerProfile, String> {
    let (id, aging) = text.split_once('=').ok_or_else(|| format!("{text:?} is not ID=MS, such as 0=5000"))?;
    Ok(TimerProfile { profile_id: profile_id(id)?, aging_ms: aging_ms(aging)? })
}

pub(super) async fn run(options: Options, table: TableArgs) -> Result<(), Failure> {
    let (described, pipeline) = (options.table(), options.pipeline());
    let Options { target, dataplane, form, .. } = options;
    let TableArgs { profiles, permissions } = table;
    let mut client = connect::client(&target).await?;
    let table = if profiles.is_empty() && permissions.is_none() {
        target.ask(GetTableRequest { dataplane, pipeline }, |r| client.get_table(r)).await?.table
    } else {
        let request = UpdateTableRequest { dataplane, profiles, permissions, pipeline };
        target.ask(request, |r| client.update_table(r)).await?.table
    };
    let table = table.unwrap_or_default();
    let mut text = String::new();
    match form {
        Form::Table | Form::Wide => render::table::attributes(&mut text, &table),
        Form::Json => render::proto_json::line(&mut text, &table),
        Form::Tc => render::tc::table(&mut text, described, &table),
    }
    output::put(&text)
}
