use super::*;
use crate::show::permissions_text;

#[test]
fn the_bits_have_the_letters_that_they_are_named_after() {
    assert_eq!(permissions_text(PERMISSION_PUBLISH | PERMISSION_READ), "-R---P--------");
}

#[test]
fn fields_are_found_by_name_and_the_protocol_by_its_alias() {
    for field in IPV4_FLOWS.key {
        assert_eq!(IPV4_FLOWS.field(field.name), Some(field));
        assert_eq!(IPV4_FLOWS.field_of(field.part), Some(field));
    }
    assert_eq!(IPV4_FLOWS.field("protocol").map(|field| field.name), Some("hdr.ipv4.protocol"));
    assert_eq!((IPV4_FLOWS.field("srcport"), IPV4_FLOWS.field("")), (None, None));
    assert_eq!((IPV4_FLOWS.key_bits(), IPV6_FLOWS.key_bits()), (136, 328));
}

#[test]
fn a_family_is_found_by_its_pipeline_and_by_its_number() {
    for (family, table) in Family::ALL.into_iter().zip(TABLES) {
        assert_eq!(family.table(), *table);
        assert_eq!(Family::of_pipeline(table.pipeline), Ok(family));
        assert_eq!(Family::of_number(family.number().into()), Some(family));
    }
    assert_eq!(Family::of_pipeline("flowtracker_ipv5"), Err(NotFound::Pipeline));
    assert_eq!((Family::of_number(0), Family::of_number(260)), (None, None));
}

#[test]
fn every_description_is_sound() {
    for (at, table) in TABLES.iter().enumerate() {
        assert_eq!(of_pipeline(table.pipeline), Ok(*table));
        assert!(TABLES[..at].iter().all(|other| other.pipeline_id != table.pipeline_id));
        for (id, field) in (1..).zip(table.key) {
            assert_eq!(field.id, id, "{}", field.name);
            assert_eq!(table.field_of(field.part), Some(field), "two fields hold the same part");
        }
        let has = |part| table.field_of(part).is_some();
        assert!(has(KeyPart::SrcAddr) && has(KeyPart::DstAddr));
        let names: Vec<_> = table.field_names().collect();
        assert!(names.iter().all(|name| table.field(name).is_some()));
    }
}

#[test]
fn a_table_is_found_under_all_its_names() {
    assert_eq!(of_pipeline("flowtracker"), Ok(&IPV4_FLOWS));
    assert_eq!(of_pipeline("").unwrap_err().to_string(), NotFound::Pipeline.text());
    for word in ["Main/ct_flow_table", "Main/ct_tcp_table", "ct_flow_table", "ct_tcp_table"] {
        assert_eq!(check_name(&IPV4_FLOWS, word), Ok(()));
        assert_eq!(IPV4_FLOWS.is_called(word), word.starts_with("Main/"));
    }
    for word in ["", "Main", "Main/", "Other/ct_flow_table", "ct_flow_table/Main"] {
        assert_eq!(check_name(&IPV4_FLOWS, word).unwrap_err().to_string(), NotFound::Table.text());
    }
}
