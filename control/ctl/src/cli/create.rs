//! `ctl create`: creates one entry and prints it.

use flowtracker_proto::v1::CreateEntryRequest;

use super::attributes::EntryArgs;
use super::{Failure, Options, connect, get};
use crate::render::Done;

pub(super) async fn run(options: Options, entry: EntryArgs) -> Result<(), Failure> {
    let EntryArgs { key, attributes } = entry;
    attributes.check_create()?;
    let request = CreateEntryRequest {
        key: Some(key.key(options.family)?),
        dynamic: attributes.dynamic,
        profile_id: attributes.profile,
        aging_ms: attributes.aging,
        permissions: attributes.permissions,
        pipeline: options.pipeline(),
        dataplane: options.dataplane,
    };
    let mut client = connect::client(&options.target).await?;
    let response = options.target.ask(request, |r| client.create_entry(r)).await?;
    get::show(response.entry.as_ref(), options.form, Some(Done::Created))
}
