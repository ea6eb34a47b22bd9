//! `ctl table`: the table's attributes and occupation; with flags, changes them first.

use flowtracker_proto::table::IPV4_FLOWS;
use flowtracker_proto::v1::{GetTableRequest, TimerProfile, UpdateTableRequest};

use super::attributes::permissions;
use super::{Failure, Form, Options, connect, output};
use crate::render;
use flowtracker_proto::key::parse_number;

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
    Ok(TimerProfile { profile_id: parse_number(id)?, aging_ms: parse_number(aging)? })
}

pub(super) async fn run(options: Options, table: TableArgs) -> Result<(), Failure> {
    let Options { server, dataplane, form } = options;
    let TableArgs { profiles, permissions } = table;
    let mut client = connect::client(&server).await?;
    let table = if profiles.is_empty() && permissions.is_none() {
        client.get_table(connect::request(GetTableRequest { dataplane })).await?.into_inner().table
    } else {
        let request = UpdateTableRequest { dataplane, profiles, permissions };
        client.update_table(connect::request(request)).await?.into_inner().table
    };
    let table = table.unwrap_or_default();
    let mut text = String::new();
    match form {
        Form::Table | Form::Wide => render::table::attributes(&mut text, &table),
        Form::Json => render::proto_json::line(&mut text, &table),
        Form::Tc => render::tc::table(&mut text, &IPV4_FLOWS, &table),
    }
    output::put(&text)
}
