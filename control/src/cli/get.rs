//! `ctl get`: one entry.

use flowtracker_proto::v1::{Entry, GetEntryRequest};

use super::{Failure, Form, KeyArgs, Options, connect, list, output};

pub(super) async fn run(options: Options, key: KeyArgs) -> Result<(), Failure> {
    let request = GetEntryRequest { key: Some(key.key()?), dataplane: options.dataplane };
    let mut client = connect::client(&options.server).await?;
    let response = client.get_entry(connect::request(request)).await?.into_inner();
    show(response.entry.as_ref(), options.form)
}

/// Prints the entry of an answer.
pub(super) fn show(entry: Option<&Entry>, form: Form) -> Result<(), Failure> {
    let mut text = String::new();
    if let Some(entry) = entry {
        list::heading(&mut text, form);
        list::entry(&mut text, entry, form, 0);
    }
    output::put(&text)
}
