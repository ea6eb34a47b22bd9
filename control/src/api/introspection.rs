//! The introspection document: what P4TC's user space learns names, ids and types from, as JSON.
//!
//! It is made from the description of a table ([`flowtracker_proto::table`]).

use flowtracker_proto::table::{FieldType, KeyField, MATCH_TYPE, TableDescription};
use serde::{Serialize, Serializer};

/// When an action may run.
#[derive(Clone, Copy, Debug, Serialize)]
enum ActionScope {
    DefaultOnly,
}

#[derive(Debug, Serialize)]
struct Action {
    id: u32,
    name: &'static str,
    action_scope: ActionScope,
    annotations: [&'static str; 1],
    /// No action of this program has any.
    params: [(); 0],
    default_hit_action: bool,
    default_miss_action: bool,
}

#[derive(Debug, Serialize)]
struct Field {
    id: u32,
    name: &'static str,
    r#type: FieldType,
    match_type: &'static str,
    bitwidth: u32,
}

impl From<&KeyField> for Field {
    fn from(field: &KeyField) -> Self {
        let &KeyField { id, name, r#type, .. } = field;
        Self { id, name, r#type, match_type: MATCH_TYPE, bitwidth: r#type.bits() }
    }
}

#[derive(Debug, Serialize)]
struct Table {
    name: &'static str,
    id: u32,
    tentries: u64,
    #[serde(serialize_with = "hexadecimal")]
    permissions: u32,
    nummask: u32,
    keysize: u32,
    keyfields: Vec<Field>,
    actions: [Action; 1],
}

#[derive(Debug, Serialize)]
struct Document {
    schema_version: &'static str,
    pipeline_name: &'static str,
    id: u32,
    externs: [(); 0],
    tables: [Table; 1],
}

fn hexadecimal<S: Serializer>(number: &u32, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(&format_args!("{number:#x}"))
}

/// Returns the introspection document of a table that may hold `max_entries` and has these
/// permission bits, as JSON.
#[must_use]
pub fn document(described: &TableDescription, max_entries: u64, permissions: u32) -> String {
    let miss = Action {
        id: 1,
        name: described.miss_action,
        action_scope: ActionScope::DefaultOnly,
        annotations: ["defaultonly"],
        params: [],
        default_hit_action: false,
        default_miss_action: true,
    };
    let table = Table {
        name: described.name,
        id: described.id,
        tentries: max_entries,
        permissions,
        // What the P4 compiler writes for every table; an exact one uses a single mask.
        nummask: 8,
        keysize: described.key_bits(),
        keyfields: described.key.iter().map(Field::from).collect(),
        actions: [miss],
    };
    let document = Document {
        schema_version: "1.0.0",
        pipeline_name: described.pipeline,
        id: described.pipeline_id,
        externs: [],
        tables: [table],
    };
    serde_json::to_string(&document).expect("names and numbers have a JSON form")
}

#[cfg(test)]
mod tests;
