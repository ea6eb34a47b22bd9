use flowtracker_proto::table::samples::{SMALL, WIDE};
use flowtracker_proto::table::{IPV4_FLOWS, IPV6_FLOWS};

use super::*;

#[test]
fn the_document_is_p4tcs() {
    let field = |id: u32, name: &str, r#type: &str, bitwidth: u32| {
        format!(r#"{{"id":{id},"name":"{name}","type":"{type}","match_type":"exact","bitwidth":{bitwidth}}}"#)
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
    assert_eq!(document(&IPV4_FLOWS, 1 << 20, 0x3dfc), golden.concat());

    // P4TC's other program differs in these.
    let mut wide = golden.concat();
    for (narrow, other) in [
        (r#""flowtracker","id":1"#, r#""flowtracker_ipv6","id":2"#),
        (r#""ipv4","match_type":"exact","bitwidth":32"#, r#""ipv6","match_type":"exact","bitwidth":128"#),
        ("hdr.ipv4.protocol", "hdr.ipv6.nextHdr"),
        (r#""keysize":136"#, r#""keysize":328"#),
        ("0x3dfc", "0x3de4"),
    ] {
        assert!(wide.contains(narrow), "{narrow}");
        wide = wide.replace(narrow, other);
    }
    assert_eq!(document(&IPV6_FLOWS, 1 << 20, 0x3de4), wide);
}

#[test]
fn capacity_and_permissions_are_the_tables_own() {
    let document: serde_json::Value = serde_json::from_str(&document(&IPV4_FLOWS, 1024, 0)).expect("JSON");
    let table = &document["tables"][0];
    assert_eq!((&table["tentries"], &table["permissions"]), (&1024.into(), &"0x0".into()));
}

#[test]
fn another_table_is_described_as_well() {
    for (table, keysize, types) in [
        (&WIDE, 328, vec!["dev", "ipv6", "ipv6", "bit8", "be16", "be16"]),
        (&SMALL, 68, vec!["ipv4", "ipv4", "bit4"]),
    ] {
        let document: serde_json::Value = serde_json::from_str(&document(table, 1, 0)).expect("JSON");
        assert_eq!(
            (&document["pipeline_name"], &document["id"]),
            (&table.pipeline.into(), &table.pipeline_id.into())
        );
        let shown = &document["tables"][0];
        assert_eq!(
            (&shown["name"], &shown["id"], &shown["keysize"], &shown["actions"][0]["name"]),
            (&table.name.into(), &table.id.into(), &keysize.into(), &table.miss_action.into())
        );
        let fields = shown["keyfields"].as_array().expect("fields");
        let of = |member: &str| fields.iter().map(|field| field[member].clone()).collect::<Vec<_>>();
        assert_eq!(of("type"), types);
        assert_eq!(of("name"), table.key.iter().map(|field| field.name).collect::<Vec<_>>());
    }
}
