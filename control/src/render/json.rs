//! The JSON of P4TC's `tc -j`: pairs of a header object and an object with up
//! to 16 entries, fields in `tc`'s order.

use flowtracker_proto::v1::{Actor, Entry};
use serde::{Serialize, Serializer};

use super::tc::{entity, shows_pid};

/// One object of the outer array.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Piece {
    /// Whose entries follow.
    Header(Header),
    /// The entries.
    Entries {
        /// At most 16.
        entries: Vec<EntryObject>,
    },
}

/// The header object; a flag says what happened, reads have none.
#[derive(Debug, Serialize)]
pub struct Header {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
    pname: &'static str,
    pipeid: u32,
}

/// One entry.
#[derive(Debug, Serialize)]
pub struct EntryObject {
    tblname: &'static str,
    tblid: u32,
    prio: u32,
    permissions: String,
    key: [KeyField; 6],
    #[serde(flatten)]
    created: Created,
    #[serde(flatten)]
    updated: Updated,
    #[serde(flatten)]
    deleted: Deleted,
    #[serde(serialize_with = "as_text")]
    dynamic: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    aging: Option<u64>,
    #[serde(rename = "created", skip_serializing_if = "is_zero")]
    created_sec: u64,
    #[serde(skip_serializing_if = "is_zero")]
    last_used: u64,
    #[serde(serialize_with = "as_text")]
    tmpl_created: bool,
}

#[derive(Debug, Serialize)]
struct KeyField {
    keyfield: &'static str,
    id: u32,
    width: u32,
    r#type: &'static str,
    match_type: &'static str,
    fieldval: String,
}

/// The four members that name an author, for one verb.
macro_rules! author {
    ($name:ident, $whodunnit:literal, $id:literal, $pid:literal, $who:literal) => {
        #[derive(Debug, Default, Serialize)]
        struct $name {
            #[serde(rename = $whodunnit, skip_serializing_if = "Option::is_none")]
            whodunnit: Option<&'static str>,
            #[serde(rename = $id, skip_serializing_if = "Option::is_none")]
            id: Option<i32>,
            #[serde(rename = $pid, skip_serializing_if = "Option::is_none")]
            pid: Option<u32>,
            #[serde(rename = $who, skip_serializing_if = "Option::is_none")]
            who: Option<String>,
        }

        impl From<Option<&Actor>> for $name {
            fn from(actor: Option<&Actor>) -> Self {
                actor.map_or_else(Self::default, |actor| Self {
                    whodunnit: Some(entity(actor)),
                    id: Some(actor.entity),
                    pid: shows_pid(actor).then_some(actor.pid),
                    who: Some(actor.process.clone()).filter(|process| !process.is_empty()),
                })
            }
        }
    };
}
author!(Created, "create_whodunnit", "create_whodunnit_id", "who_created_pid", "who_created");
author!(Updated, "update_whodunnit", "update_whodunnit_id", "who_updated_pid", "who_updated");
author!(Deleted, "delete_whodunnit", "delete_whodunnit_id", "who_deleted_pid", "who_deleted");

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn as_text<S: Serializer>(value: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if *value { "true" } else { "false" })
}

impl From<&Entry> for EntryObject {
    fn from(entry: &Entry) -> Self {
        let key = entry.key.clone().unwrap_or_default();
        let field = |keyfield, id, width, r#type, fieldval| KeyField {
            keyfield,
            id,
            width,
            r#type,
            match_type: "exact",
            fieldval,
        };
        Self {
            tblname: crate::convert::TABLE,
            tblid: 1,
            prio: entry.priority,
            permissions: entry.permissions_text.clone(),
            key: [
                field("input_port", 1, 32, "dev", key.input_port),
                field("srcAddr", 2, 32, "ipv4", format!("{}/32", key.src_addr)),
                field("dstAddr", 3, 32, "ipv4", format!("{}/32", key.dst_addr)),
                field("hdr.ipv4.protocol", 4, 8, "bit8", format!("{}/0xff", key.protocol)),
                field("srcPort", 5, 16, "be16", format!("{}/0xffff", key.src_port)),
                field("dstPort", 6, 16, "be16", format!("{}/0xffff", key.dst_port)),
            ],
            created: entry.created_by.as_ref().into(),
            updated: entry.updated_by.as_ref().into(),
            deleted: entry.deleted_by.as_ref().into(),
            dynamic: entry.dynamic,
            aging: entry.dynamic.then_some(entry.aging_ms),
            created_sec: entry.created_ms_ago / 1000,
            last_used: entry.idle_ms / 1000,
            tmpl_created: entry.tmpl_created,
        }
    }
}

/// The pair of objects for up to 16 entries that were read, or deleted.
pub fn message(entries: &[Entry], deleted: bool) -> [Piece; 2] {
    [
        Piece::Header(Header { deleted, pname: crate::convert::PIPELINE, pipeid: 1 }),
        Piece::Entries { entries: entries.iter().map(Into::into).collect() },
    ]
}

/// The array of all objects, with the line end that `tc` gives it.
pub fn document(pieces: &[Piece], pretty: bool) -> String {
    let text = if pretty { serde_json::to_string_pretty(pieces) } else { serde_json::to_string(pieces) };
    // Maps with text keys and plain values: nothing that could fail.
    text.unwrap_or_default() + "\n"
}
