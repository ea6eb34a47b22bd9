//! `p4ctrl VERB PATH help`: key fields, and for writes the actions.

use super::Error;
use crate::cli::output;
use flowtracker_proto::table::{KEY_FIELDS, KeyField};

/// Usage of `p4ctrl`.
const USAGE: &str = "\
Usage: ctl p4ctrl VERB flowtracker/table/Main/ct_flow_table [BODY | help]
where VERB is create, update, get or delete
";

pub(super) fn usage() -> Result<(), Error> {
    Ok(output::put(USAGE)?)
}

/// What can be said behind the path.
pub(super) fn body(writes: bool) -> Result<(), Error> {
    let mut text = "Key fields for table ct_flow_table:\n".to_owned();
    for KeyField { name, id, r#type, .. } in KEY_FIELDS {
        text +=
            &format!("\t key name {name}\n\t key id {id}\n\t key type {type}\n\t key match type \t exact\n");
    }
    if writes {
        text += "\nActions for table ct_flow_table:\n\t  act name NoAction\n";
    }
    Ok(output::put(&text)?)
}
