//! `ctl delete`: deletes one entry and prints it.

use flowtracker_proto::v1::DeleteEntryRequest;

use super::{Failure, KeyArgs, Options, connect, get};
use crate::render::Done;

pub(super) async fn run(options: Options, key: KeyArgs) -> Result<(), Failure> {
    let pipeline = options.pipeline();
    let request =
        DeleteEntryRequest { key: Some(key.key(options.family)?), dataplane: options.dataplane, pipeline };
    let mut client = connect::client(&options.target).await?;
    let response = options.target.ask(request, |r| client.delete_entry(r)).await?;
    get::show(response.entry.as_ref(), options.form, Some(Done::Deleted))
}
