//! `p4ctrl update`: changes entries, or the table.

use flowtracker_proto::table::TableDescription;
use flowtracker_proto::v1::{UpdateEntryRequest, UpdateTableRequest};

use super::body::{Entry, Write};
use super::table_attrs::TableChange;
use super::{Error, Tc, refusal, writes};
use crate::render::Done;

pub(super) async fn run(tc: &Tc, table: &'static TableDescription, write: Write) -> Result<(), Error> {
    match write {
        Write::Entries(entries) => update_entries(tc, table, entries).await,
        Write::Table(change) => update_table(tc, table, change).await,
    }
}

async fn update_entries(tc: &Tc, table: &'static TableDescription, entries: Vec<Entry>) -> Result<(), Error> {
    let (target, mut client) = tc.service().await?;
    let update = async |Entry { key, attributes }: Entry| {
        let request = UpdateEntryRequest {
            key: Some(key),
            dynamic: attributes.dynamic,
            profile_id: attributes.profile,
            aging_ms: attributes.aging,
            permissions: attributes.permissions,
            dataplane: tc.flags.dataplane.clone(),
            pipeline: table.pipeline.to_owned(),
        };
        let response = target.ask(request, |r| client.update_entry(r)).await;
        Ok(response.map_err(|status| refusal::of_write(status, &attributes))?.entry)
    };
    writes::each(tc, table, entries, Done::Updated, update).await
}

/// Changes the table. P4TC has no event for that, so there is nothing to echo.
async fn update_table(tc: &Tc, table: &TableDescription, change: TableChange) -> Result<(), Error> {
    let (target, mut client) = tc.service().await?;
    let TableChange { profiles, permissions } = change;
    let request = UpdateTableRequest {
        dataplane: tc.flags.dataplane.clone(),
        profiles: profiles.clone(),
        permissions,
        pipeline: table.pipeline.to_owned(),
    };
    let response = target.ask(request, |r| client.update_table(r)).await;
    response.map_err(|status| refusal::of_table(status, &profiles))?;
    Ok(())
}
