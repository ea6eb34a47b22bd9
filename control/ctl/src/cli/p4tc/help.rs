//! `p4ctrl VERB PATH help`: key fields, and for writes the actions.

use flowtracker_proto::table::{KeyField, MATCH_TYPE, TABLES, TableDescription};

use super::Error;
use super::verb::Verb;
use crate::cli::output;
use crate::render::NO_ACTION;

/// Prints the usage of `p4ctrl`.
pub(super) fn usage() -> Result<(), Error> {
    let mut text = String::new();
    for (head, table) in std::iter::once("Usage:").chain(std::iter::repeat("      ")).zip(TABLES) {
        text += &format!("{head} ctl p4ctrl VERB {}/table/{} [BODY | help]\n", table.pipeline, table.name);
    }
    let [verbs @ .., last] = Verb::ENTRIES.map(Verb::name);
    text += &format!("where VERB is {} or {last}\n", verbs.join(", "));
    Ok(output::put(&text)?)
}

/// Prints what may follow the path of `table`.
pub(super) fn body(table: &TableDescription, writes: bool) -> Result<(), Error> {
    let name = table.short_name();
    let mut text = format!("Key fields for table {name}:\n");
    for KeyField { name, id, r#type, .. } in table.key {
        text += &format!(
            "\t key name {name}\n\t key id {id}\n\t key type {type}\n\t key match type \t {MATCH_TYPE}\n"
        );
    }
    if writes {
        text += &format!("\nActions for table {name}:\n\t  act name {NO_ACTION}\n");
    }
    Ok(output::put(&text)?)
}
