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
        ("flowtracker/table/Main/ct_flow_table", "Pipeline name not found"),
        ("action/flowtracker/Main/ct_flow_miss", "Unknown object type"),
    ] {
        assert_eq!(said(template(path)), message, "{path}");
    }
}
