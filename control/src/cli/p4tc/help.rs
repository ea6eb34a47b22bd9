//! `p4ctrl VERB PATH help`: key fields, and for writes the actions.

use super::Error;
use crate::cli::output;

/// Usage of `p4ctrl`.
const USAGE: &str = "\
Usage: ctl p4ctrl VERB flowtracker/table/Main/ct_flow_table [BODY | help]
where VERB is create, update, get or delete
";

/// Name, id and type of each key field.
const KEY_FIELDS: [(&str, u32, &str); 6] = [
    ("input_port", 1, "dev"),
    ("srcAddr", 2, "ipv4"),
    ("dstAddr", 3, "ipv4"),
    ("hdr.ipv4.protocol", 4, "bit8"),
    ("srcPort", 5, "be16"),
    ("dstPort", 6, "be16"),
];

pub(super) fn usage() -> Result<(), Error> {
    Ok(output::put(USAGE)?)
}

/// What can be said behind the path.
pub(super) fn body(writes: bool) -> Result<(), Error> {
    let mut text = "Key fields for table ct_flow_table:\n".to_owned();
    for (name, id, kind) in KEY_FIELDS {
        text +=
            &format!("\t key name {name}\n\t key id {id}\n\t key type {kind}\n\t key match type \t exact\n");
    }
    if writes {
        text += "\nActions for table ct_flow_table:\n\t  act name NoAction\n";
    }
    Ok(output::put(&text)?)
}
