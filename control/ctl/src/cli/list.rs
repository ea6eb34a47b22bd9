//! `ctl list`: prints all entries, or all that a filter matches, as they arrive; the output may fall
//! behind.

use flowtracker_proto::table::TableDescription;
use flowtracker_proto::v1::{Entry, ListEntriesRequest};

use super::filter_args::FilterArgs;
use super::spool::Spool;
use super::{Failure, Form, Options, connect};
use crate::render::{self, ENTRIES_PER_MESSAGE};

pub(super) async fn run(options: Options, filter: FilterArgs) -> Result<(), Failure> {
    let pipeline = options.pipeline();
    let request = ListEntriesRequest { filter: filter.expression()?, dataplane: options.dataplane, pipeline };
    let mut client = connect::client(&options.target).await?;
    let mut stream = client.list_entries(connect::request(request)).await?.into_inner();
    let mut text = String::new();
    heading(&mut text, options.form);
    let spool = Spool::start();
    let mut lines = Lines::new(options.form);
    let end = loop {
        match stream.message().await {
            Ok(Some(response)) => {
                response.entries.iter().for_each(|entry| lines.entry(&mut text, entry));
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

/// Entries one after the other, of one table or of several.
pub(super) struct Lines {
    form: Form,
    /// The table of the message of P4TC's form that the next entry may go into, and the number of
    /// its entries so far.
    message: Option<(&'static TableDescription, usize)>,
}

impl Lines {
    pub(super) fn new(form: Form) -> Self {
        Self { form, message: None }
    }

    /// Appends an entry.
    pub(super) fn entry(&mut self, out: &mut String, entry: &Entry) {
        let table = render::table_of(Some(entry));
        match self.form {
            Form::Table => render::table::entry(out, table, entry),
            Form::Wide => render::wide::entry(out, table, entry),
            Form::Json => render::proto_json::line(out, entry),
            Form::Tc => {
                let so_far = match self.message {
                    Some((of, entries)) if of == table && entries < ENTRIES_PER_MESSAGE => entries,
                    _ => {
                        render::tc::pipeline(out, table, None);
                        0
                    }
                };
                render::tc::entry(out, table, entry, false);
                self.message = Some((table, so_far + 1));
            }
        }
    }
}
