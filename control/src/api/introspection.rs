//! The introspection document: what P4TC's user space learns names, ids and types from, as JSON.
//!
//! It is made from the description of the table ([`flowtracker_proto::table`]).

use flowtracker_proto::table::{KEY_FIELDS, KeyField, PIPELINE, PIPELINE_ID, TABLE, TABLE_ID};
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
struct Table {
    name: &'static str,
    id: u32,
    tentries: u64,
    #[serde(serialize_with = "hexadecimal")]
    permissions: u32,
    nummask: u32,
    keysize: u32,
    keyfields: [KeyField; 6],
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

/// The introspection document of a table that may hold `max_entries` and has these permission bits, as JSON.
#[must_use]
pub fn document(max_entries: u64, permissions: u32) -> String {
    let miss = Action {
        id: 1,
        name: "Main/ct_flow_miss",
        action_scope: ActionScope::DefaultOnly,
        annotations: ["defaultonly"],
        params: [],
        default_hit_action: false,
        default_miss_action: true,
    };
    let table = Table {
        name: TABLE,
        id: TABLE_ID,
        tentries: max_entries,
        permissions,
        // What the P4 compiler writes for every table; an exact one uses a single mask.
        nummask: 8,
        keysize: KEY_FIELDS.iter().map(|field| field.bitwidth).sum(),
        keyfields: KEY_FIELDS,
        actions: [miss],
    };
    let document = Document {
        schema_version: "1.0.0",
        pipeline_name: PIPELINE,
        id: PIPELINE_ID,
        externs: [],
        tables: [table],
    };
    serde_json::to_string(&document).expect("names and numbers have a JSON form")
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_p4tcs() {
        let field = |id: u32, name: &str, r#type: &str, bitwidth: u32| {
            format!(
                r#"{{"id":{id},"name":"{name}","type":"{type}","match_type":"exact","bitwidth":{bitwidth}}}"#
            )
        };
        let fields = [
            field(1, "input_port", "dev", 32),
            field(2, "srcAddr", "ipv4", 32),
            field(3, "dstAddr", "ipv4", 32),
            field(4, "hdr.ipv4.protocol", "bit8", 8),
            field(5, "srcPort", "be16", 16),
            field(6, "dstPort", "be16", 16),
        ];
        let golden = [
            r#"{"schema_version":"1.0.0","pipeline_name":"flowtracker","id":1,"externs":[],"tables":["#,
            r#"{"name":"Main/ct_flow_table","id":1,"tentries":1048576,"permissions":"0x3dfc","#,
            r#""nummask":8,"keysize":136,"keyfields":["#,
            &fields.join(","),
            r#"],"actions":[{"id":1,"name":"Main/ct_flow_miss","action_scope":"DefaultOnly","#,
            r#""annotations":["defaultonly"],"params":[],"#,
            r#""default_hit_action":false,"default_miss_action":true}]}]}"#,
        ];
        assert_eq!(document(1 << 20, 0x3dfc), golden.concat());
    }

    #[test]
    fn capacity_and_permissions_are_the_tables_own() {
        let document: serde_json::Value = serde_json::from_str(&document(1024, 0)).expect("JSON");
        let table = &document["tables"][0];
        assert_eq!((&table["tentries"], &table["permissions"]), (&1024.into(), &"0x0".into()));
    }
}
