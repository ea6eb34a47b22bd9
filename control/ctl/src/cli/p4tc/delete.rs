//! `p4ctrl delete`: deletes named entries, or flushes the table.

use flowtracker_proto::table::TableDescription;
use flowtracker_proto::v1::{DeleteEntryRequest, FlushEntriesRequest};

use super::body::{Choice, Entry};
use super::message::Echo;
use super::{Error, Tc, refusal, say, writes};
use crate::cli::{connect, output};
use crate::render::Done;

pub(super) async fn run(tc: &Tc, table: &'static TableDescription, choice: Choice) -> Result<(), Error> {
    match choice {
        Choice::All => flush(tc, table, String::new()).await,
        Choice::Filter(filter) => flush(tc, table, filter).await,
        Choice::Entries(entries) => named(tc, table, entries).await,
    }
}

async fn named(tc: &Tc, table: &'static TableDescription, entries: Vec<Entry>) -> Result<(), Error> {
    let (target, mut client) = tc.service().await?;
    let delete = async |Entry { key, .. }: Entry| {
        let request = DeleteEntryRequest {
            key: Some(key),
            dataplane: tc.flags.dataplane.clone(),
            pipeline: table.pipeline.to_owned(),
        };
        let response = target.ask(request, |r| client.delete_entry(r)).await;
        // P4TC has no text for a missing D; this is the text of its error number.
        Ok(response.map_err(|status| refusal::of_key(status, "Operation not permitted"))?.entry)
    };
    writes::each(tc, table, entries, Done::Deleted, delete).await
}

async fn flush(tc: &Tc, table: &'static TableDescription, filter: String) -> Result<(), Error> {
    let (_, mut client) = tc.service().await?;
    let request = FlushEntriesRequest {
        filter,
        dataplane: tc.flags.dataplane.clone(),
        pipeline: table.pipeline.to_owned(),
    };
    let response = client.flush_entries(connect::request(request)).await?.into_inner();
    if response.failed != 0 {
        if response.deleted == 0 {
            return say("Unable to flush any entries");
        }
        let (deleted, failed) = (response.deleted, response.failed);
        output::complain(&format!("Warning: Flushed {deleted} table entries and {failed} failed."));
    }
    let mut echo = Echo::new(&tc.flags, table);
    echo.flushed(response.deleted)?;
    echo.end()
}
