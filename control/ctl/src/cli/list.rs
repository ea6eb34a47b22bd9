//! `ctl list`: prints all entries, or all that a filter matches, as they arrive; the output may fall
//! behind.

use flowtracker_proto::v1::{Entry, ListEntriesRequest};

use super::filter_args::FilterArgs;
use super::spool::Spool;
use super::{Failure, Form, Options, connect};
use crate::render::{self, ENTRIES_PER_MESSAGE};

pub(super) async fn run(options: Options, filter: FilterArgs) -> Result<(), Failure> {
    let request = ListEntriesRequest { filter: filter.expression()?, dataplane: options.dataplane };
    let mut client = connect::client(&options.target).await?;
    let mut stream = client.list_entries(connect::request(request)).await?.into_inner();
    let mut text = String::new();
    heading(&mut text, options.form);
    let spool = Spool::start();
    let mut nth = 0;
    let end = loop {
        match stream.message().await {
            Ok(Some(response)) => {
                for shown in &response.entries {
                    entry(&mut text, shown, options.form, nth);
                    nth += 1;
                }
            }
            end => break end,
        }
        if !spool.put(&text).await {
            break Ok(None);
        }
        text.clear();
    };
    // What came before an error is printed too. The list's place at the service is free by now.
    drop((stream, client));
    spool.put(&text).await;
    spool.end().await?;
    end.map(drop).map_err(Failure::from)
}

/// Appends the heading above the first entry.
pub(super) fn heading(out: &mut String, form: Form) {
    match form {
        Form::Table => render::table::entry_heading(out),
        Form::Wide => render::wide::entry_heading(out),
        Form::Json | Form::Tc => {}
    }
}

/// Appends the `nth` entry, counted from 0.
pub(super) fn entry(out: &mut String, entry: &Entry, form: Form, nth: usize) {
    let table = render::table_of(Some(entry));
    match form {
        Form::Table => render::table::entry(out, table, entry),
        Form::Wide => render::wide::entry(out, table, entry),
        Form::Json => render::proto_json::line(out, entry),
        Form::Tc => {
            if nth.is_multiple_of(ENTRIES_PER_MESSAGE) {
                render::tc::pipeline(out, table, None);
            }
            render::tc::entry(out, table, entry, false);
        }
    }
}
