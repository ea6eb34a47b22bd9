//! `p4ctrl create`.

use flowtracker_proto::table::TableDescription;
use flowtracker_proto::v1::CreateEntryRequest;

use super::body::Entry;
use super::{Error, Tc, refusal, writes};
use crate::render::Done;

pub(super) async fn run(tc: &Tc, table: &'static TableDescription, entries: Vec<Entry>) -> Result<(), Error> {
    let (target, mut client) = tc.service().await?;
    let create = async |Entry { key, attributes }: Entry| {
        let request = CreateEntryRequest {
            key: Some(key),
            dynamic: attributes.dynamic,
            profile_id: attributes.profile,
            aging_ms: attributes.aging,
            permissions: attributes.permissions,
            dataplane: tc.flags.dataplane.clone(),
            pipeline: table.pipeline.to_owned(),
        };
        let response = target.ask(request, |r| client.create_entry(r)).await;
        Ok(response.map_err(|status| refusal::of_write(status, &attributes))?.entry)
    };
    writes::each(tc, table, entries, Done::Created, create).await
}
