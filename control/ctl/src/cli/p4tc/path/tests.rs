use flowtracker_proto::table::Family;

use super::*;

fn said(checked: Result<&TableDescription, Error>) -> String {
    match checked {
        Ok(_) => String::new(),
        Err(Error::Said(message)) => message,
        Err(Error::Failed(failure)) => format!("{failure:?}"),
    }
}

#[test]
fn paths_are_checked_part_by_part() {
    for (path, message) in [
        ("flowtracker/table/Main/ct_flow_table", ""),
        ("flowtracker/table/Main/ct_tcp_table", ""),
        ("flowtracker_ipv6/table/Main/ct_flow_table", ""),
        ("flowtracker_ipv4/table/Main/ct_flow_table", "Pipeline name not found"),
        ("other/table/Main/ct_flow_table", "Pipeline name not found"),
        ("", "Pipeline name not found"),
        ("flowtracker/table/Main/other", "Table name not found"),
        ("flowtracker/table", "Table name not found"),
        ("flowtracker/extern/x", "Unknown object type"),
    ] {
        assert_eq!(said(table(path)), message, "{path}");
    }
    for (path, message) in [
        ("table/flowtracker/Main/ct_flow_table", ""),
        ("table/flowtracker_ipv6/Main/ct_flow_table", ""),
        ("flowtracker/table/Main/ct_flow_table", "Pipeline name not found"),
        ("action/flowtracker/Main/ct_flow_miss", "Unknown object type"),
    ] {
        assert_eq!(said(template(path)), message, "{path}");
    }
}

/// iproute2 splits paths with `strtok`, and P4TC's own tests use that.
#[test]
fn needless_slashes_separate_nothing() {
    let ways = |parts: [&str; 4]| {
        let path = parts.join("/");
        [
            format!("{path}/"),
            format!("{path}///"),
            format!("/{path}"),
            format!("//{path}//"),
            parts.join("//"),
        ]
    };
    for path in ways(["flowtracker", "table", "Main", "ct_flow_table"]) {
        assert_eq!(said(table(&path)), "", "{path}");
    }
    for path in ways(["table", "flowtracker", "Main", "ct_flow_table"]) {
        assert_eq!(said(template(&path)), "", "{path}");
    }
    for (path, message) in [
        ("flowtracker//table//ct_flow_table/", ""),
        ("/", "Pipeline name not found"),
        ("//flowtracker/", "Unknown object type"),
        ("flowtracker/table/", "Table name not found"),
        ("flowtracker/table/Main/", "Table name not found"),
        ("flowtracker/table/Main/ct_flow_table/x", "Table name not found"),
        ("flowtracker/table/Main ct_flow_table", "Table name not found"),
    ] {
        assert_eq!(said(table(path)), message, "{path}");
    }
}

#[test]
fn the_pipeline_says_which_table_is_meant() {
    for family in Family::ALL {
        let described = family.table();
        let TableDescription { pipeline, name, .. } = described;
        assert_eq!(table(&format!("{pipeline}/table/{name}")).unwrap(), described);
        assert_eq!(template(&format!("table/{pipeline}/{name}")).unwrap(), described);
    }
}
