//! Tests that every form follows the description of the table.

use flowtracker_proto::table::samples::{SMALL, WIDE};

use super::*;
use flowtracker_proto::v1::{Event, EventType};

fn entry(table: &TableDescription, key: &str) -> Entry {
    let key = WideKey::parse(table, key).expect(key);
    Entry {
        pipeline: table.pipeline.to_owned(),
        table: table.name.to_owned(),
        key: Some(key.to_proto(table)),
        priority: 64000,
        ..Entry::default()
    }
}

#[test]
fn the_text_of_tc_has_the_fields_of_the_table() {
    let mut text = String::new();
    tc::pipeline(&mut text, &WIDE, Some(Done::Created));
    tc::entry(&mut text, &WIDE, &entry(&WIDE, "port1/tcp/[2001:db8::1]:53-[fe80::2]:1024"), false);
    let head = "created pipeline:  wide(id 7)\n \
        table: Ingress/wide_table(id 3)entry priority 64000[permissions ]\n    \
        entry key\n     \
        in id:1 size:32b type:dev exact fieldval  port1\n     \
        src id:2 size:128b type:ipv6 exact fieldval  2001:db8::1/128\n     \
        dst id:3 size:128b type:ipv6 exact fieldval  fe80::2/128\n     \
        hdr.next id:4 size:8b type:bit8 exact fieldval  6/0xff\n     \
        sport id:5 size:16b type:be16 exact fieldval  53/0xffff\n     \
        dport id:6 size:16b type:be16 exact fieldval  1024/0xffff\n    \
        dynamic false\n";
    assert!(text.starts_with(head), "{text}");
    let mut text = String::new();
    tc::entry(&mut text, &SMALL, &entry(&SMALL, "10.0.0.1-10.0.0.2:9"), false);
    assert!(
        text.contains("\n     class id:3 size:4b type:bit4 exact fieldval  9/0xf\n    dynamic"),
        "{text}"
    );
    let mut text = String::new();
    tc::table(&mut text, &SMALL, &flowtracker_proto::v1::Table::default());
    assert!(text.contains("pipeline name small\npipeline id 8\n    table id 1\n"), "{text}");
    assert!(text.contains("action order 1: small/Main/pair_miss  index 1"), "{text}");
}

#[test]
fn the_json_of_tc_has_the_fields_of_the_table() {
    for (table, key, last) in [
        (
            &WIDE,
            "port1/tcp/[::1]:53-[fe80::2]:7",
            r#""width":16,"type":"be16","match_type":"exact","fieldval":"7/0xffff"}]"#,
        ),
        (
            &SMALL,
            "10.0.0.1-10.0.0.2:9",
            r#""width":4,"type":"bit4","match_type":"exact","fieldval":"9/0xf"}]"#,
        ),
    ] {
        let pieces = json::message(table, &[entry(table, key)], None);
        let text = json::document(&pieces, false);
        let TableDescription { pipeline, pipeline_id, name, id, .. } = table;
        let head = format!(
            r#"[{{"pname":"{pipeline}","pipeid":{pipeline_id}}},{{"entries":[{{"tblname":"{name}","tblid":{id},"#
        );
        assert!(text.starts_with(&head) && text.contains(last), "{text}");
        assert_eq!(text.matches("keyfield").count(), table.key.len());
    }
}

#[test]
fn lines_show_the_compact_form_of_the_table() {
    for (described, key) in
        [(&WIDE, "port1/udp/[2001:db8::1]:53-[fe80::2]:1024"), (&SMALL, "10.0.0.1-10.0.0.2:9")]
    {
        let entry = entry(described, key);
        let (mut line, mut long) = (String::new(), String::new());
        table::entry(&mut line, described, &entry);
        wide::entry(&mut long, described, &entry);
        assert!(
            line.starts_with(&format!("{key:<52} ")) && long.starts_with(line.trim_end()),
            "{line}{long}"
        );
        let event = Event { r#type: EventType::Created.into(), entry: Some(entry), ..Default::default() };
        let mut line = String::new();
        table::event(&mut line, described, &event);
        assert_eq!(line, format!("- CREATED {key}\n"));
    }
}
