//! The JSON of P4TC's `tc -j`: pairs of a header object and an object with up to 16 entries, fields
//! in `tc`'s order; and the one object of a template.

use flowtracker_proto::table::{FieldType, KeyField, MATCH_TYPE, TableDescription};
use flowtracker_proto::v1::{Actor, Entry, Table};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::tc::{entity, shows_pid};
use super::{Done, actions, key_values, miss_action, pretty};

/// One object of the outer array.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Piece {
    /// The table whose entries follow.
    Header(Header),
    /// The entries.
    Entries {
        /// At most 16.
        entries: Vec<EntryObject>,
    },
    /// The result of a flush.
    Flushed {
        /// The one count.
        entries: [FlushCount; 1],
    },
    /// The template of the table.
    Template(Box<Template>),
}

/// The header object. Its flag names the operation; a read has none.
#[derive(Debug)]
pub(crate) struct Header {
    done: Option<Done>,
    table: &'static TableDescription,
}

impl Serialize for Header {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        if let Some(done) = self.done {
            object.serialize_entry(done.word(), &true)?;
        }
        object.serialize_entry("pname", self.table.pipeline)?;
        object.serialize_entry("pipeid", &self.table.pipeline_id)?;
        object.end()
    }
}

/// The number of entries that a flush has deleted.
#[derive(Debug, Serialize)]
pub(crate) struct FlushCount {
    tecount: u64,
}

/// One entry.
#[derive(Debug, Serialize)]
pub(crate) struct EntryObject {
    tblname: &'static str,
    tblid: u32,
    prio: u32,
    permissions: String,
    key: Vec<FieldObject>,
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
struct FieldObject {
    keyfield: &'static str,
    id: u32,
    width: u32,
    r#type: FieldType,
    match_type: &'static str,
    fieldval: String,
}

impl FieldObject {
    fn new(field: &KeyField, fieldval: String) -> Self {
        let &KeyField { id, name, r#type, .. } = field;
        Self { keyfield: name, id, width: r#type.bits(), r#type, match_type: MATCH_TYPE, fieldval }
    }
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

impl EntryObject {
    fn new(table: &TableDescription, entry: &Entry) -> Self {
        let key = entry.key.clone().unwrap_or_default();
        let fields = key_values(table, &key);
        Self {
            tblname: table.name,
            tblid: table.id,
            prio: entry.priority,
            permissions: entry.permissions_text.clone(),
            key: fields.map(|(field, value)| FieldObject::new(field, value)).collect(),
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

/// The attributes of the table that `p4template get` prints.
#[derive(Debug, Serialize)]
pub(crate) struct Template {
    obj: &'static str,
    pname: &'static str,
    pipeid: u32,
    tblid: u32,
    tname: String,
    keysz: u32,
    max_entries: u64,
    masks: u32,
    entries: u64,
    permissions: String,
    table_type: &'static str,
    default_miss: DefaultAction,
    acts_list: [ListedAction; 2],
    num_timer_profiles: usize,
    profiles: Vec<Profile>,
}

#[derive(Debug, Serialize)]
struct DefaultAction {
    actions: [Action; 1],
}

#[derive(Debug, Serialize)]
struct Action {
    order: u32,
    kind: String,
    index: u32,
    r#ref: u32,
    bind: u32,
    params: [u32; 0],
}

#[derive(Debug, Serialize)]
struct ListedAction {
    act_name: String,
    flags: &'static str,
}

#[derive(Debug, Serialize)]
struct Profile {
    profile_id: u32,
    profile_aging: u64,
}

impl Template {
    pub(crate) fn new(described: &TableDescription, table: &Table) -> Self {
        let profile = |p: &flowtracker_proto::v1::TimerProfile| Profile {
            profile_id: p.profile_id,
            profile_aging: p.aging_ms,
        };
        let miss = Action { order: 1, kind: miss_action(described), index: 1, r#ref: 1, bind: 1, params: [] };
        Self {
            obj: "table",
            pname: described.pipeline,
            pipeid: described.pipeline_id,
            tblid: described.id,
            tname: table.name.clone(),
            keysz: table.key_bits,
            max_entries: table.max_entries,
            masks: 1,
            entries: table.entries,
            permissions: table.permissions_text.clone(),
            table_type: MATCH_TYPE,
            default_miss: DefaultAction { actions: [miss] },
            acts_list: actions(described).map(|(act_name, flags)| ListedAction { act_name, flags }),
            num_timer_profiles: table.profiles.len(),
            profiles: table.profiles.iter().map(profile).collect(),
        }
    }
}

/// Returns the pair of objects for up to 16 entries of `table`.
pub(crate) fn message(table: &'static TableDescription, entries: &[Entry], done: Option<Done>) -> [Piece; 2] {
    let entries = entries.iter().map(|entry| EntryObject::new(table, entry)).collect();
    [Piece::Header(Header { done, table }), Piece::Entries { entries }]
}

/// Returns the pair of objects of a flush.
pub(crate) fn flushed(table: &'static TableDescription, deleted: u64) -> [Piece; 2] {
    let entries = [FlushCount { tecount: deleted }];
    [Piece::Header(Header { done: Some(Done::Flushed), table }), Piece::Flushed { entries }]
}

/// Returns the array of all objects, with the line end that `tc` prints after it.
pub(crate) fn document(pieces: &[Piece], pretty: bool) -> String {
    let text = if pretty { pretty::to_string(pieces) } else { serde_json::to_string(pieces) };
    // These are maps with text keys and plain values, which cannot fail.
    text.unwrap_or_default() + "\n"
}
