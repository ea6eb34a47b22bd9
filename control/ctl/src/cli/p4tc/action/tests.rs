use super::*;

#[test]
fn only_no_action_is_allowed() {
    for name in ["NoAction", "flowtracker/NoAction"] {
        assert!(check(name).is_ok());
    }
    for name in ["ct_flow_miss", "flowtracker/Main/ct_flow_miss", "drop", ""] {
        assert!(check(name).is_err(), "{name}");
    }
}
