//! `p4ctrl get`: prints named entries, or a dump.

use flowtracker_proto::table::{PERMISSION_READ, TableDescription};
use flowtracker_proto::v1::{Entry, GetEntryRequest, ListEntriesRequest};

use super::body::{self, Choice};
use super::message::Printer;
use super::{Error, Tc, is_published, refusal, say};
use crate::cli::connect;
use crate::cli::spool::Spool;
use crate::render::ENTRIES_PER_MESSAGE;

pub(super) async fn run(tc: &Tc, table: &'static TableDescription, choice: Choice) -> Result<(), Error> {
    match choice {
        Choice::All => dump(tc, table, String::new()).await,
        Choice::Filter(filter) => dump(tc, table, filter).await,
        Choice::Entries(entries) => named(tc, table, entries).await,
    }
}

/// Prints the named entries in one message.
async fn named(tc: &Tc, table: &'static TableDescription, named: Vec<body::Entry>) -> Result<(), Error> {
    let (target, mut client) = tc.service().await?;
    let mut entries = Vec::new();
    for body::Entry { key, .. } in named {
        let request = GetEntryRequest {
            key: Some(key),
            dataplane: tc.flags.dataplane.clone(),
            pipeline: table.pipeline.to_owned(),
        };
        let response = target.ask(request, |r| client.get_entry(r)).await;
        let response = response.map_err(|status| refusal::of_key(status, "Unable to read table entry"))?;
        let entry = response.entry.unwrap_or_default();
        if !is_published(&entry) {
            return say("Unable to publish read entry");
        }
        entries.push(entry);
    }
    let mut printer = Printer::new(&tc.flags, table);
    printer.entries(&entries, None)?;
    printer.end()
}

/// Prints all entries that may be read, 16 per message.
async fn dump(tc: &Tc, table: &'static TableDescription, filter: String) -> Result<(), Error> {
    let (_, mut client) = tc.service().await?;
    let request = ListEntriesRequest {
        filter,
        dataplane: tc.flags.dataplane.clone(),
        pipeline: table.pipeline.to_owned(),
    };
    let mut stream = client.list_entries(connect::request(request)).await?.into_inner();
    let mut waiting: Vec<Entry> = Vec::new();
    let mut printer = Printer::new(&tc.flags, table);
    let spool = Spool::start();
    let end = loop {
        match stream.message().await {
            Ok(Some(response)) => {
                let readable = |e: &Entry| e.permissions & PERMISSION_READ != 0;
                waiting.extend(response.entries.into_iter().filter(readable));
            }
            end => break end,
        }
        let whole = waiting.len() - waiting.len() % ENTRIES_PER_MESSAGE;
        let messages = waiting[..whole].chunks(ENTRIES_PER_MESSAGE);
        let text: String = messages.map(|entries| printer.text(entries, None)).collect();
        waiting.drain(..whole);
        if !spool.put(&text).await {
            break Ok(None);
        }
    };
    if end.is_ok() && !waiting.is_empty() {
        spool.put(&printer.text(&waiting, None)).await;
    }
    // The list's place at the service is free before the output has caught up.
    drop(stream);
    spool.end().await?;
    end?;
    printer.end()
}
