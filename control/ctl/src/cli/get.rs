//! `ctl get`: prints one entry.

use flowtracker_proto::v1::{Entry, GetEntryRequest};

use super::{Failure, Form, KeyArgs, Options, connect, list, output};
use crate::render::{self, Done, tc};

pub(super) async fn run(options: Options, key: KeyArgs) -> Result<(), Failure> {
    let pipeline = options.pipeline();
    let request =
        GetEntryRequest { key: Some(key.key(options.family)?), dataplane: options.dataplane, pipeline };
    let mut client = connect::client(&options.target).await?;
    let response = options.target.ask(request, |r| client.get_entry(r)).await?;
    show(response.entry.as_ref(), options.form, None)
}

/// Prints the entry of an answer, and in tc's form what was done to it.
pub(super) fn show(entry: Option<&Entry>, form: Form, done: Option<Done>) -> Result<(), Failure> {
    let mut text = String::new();
    if let Some(entry) = entry {
        match form {
            Form::Tc => {
                let table = render::table_of(Some(entry));
                tc::pipeline(&mut text, table, done);
                tc::entry(&mut text, table, entry, false);
            }
            Form::Table | Form::Wide | Form::Json => {
                list::heading(&mut text, form);
                list::Lines::new(form).entry(&mut text, entry);
            }
        }
    }
    output::put(&text)
}
