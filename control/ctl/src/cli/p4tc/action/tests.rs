use flowtracker_proto::table::IPV4_FLOWS;

use super::*;

#[test]
fn only_no_action_is_allowed() {
    for name in ["NoAction", "flowtracker/NoAction", "flowtracker//NoAction/", "/NoAction"] {
        assert!(check(&IPV4_FLOWS, name).is_ok());
    }
    for name in ["ct_flow_miss", "flowtracker/Main/ct_flow_miss", "drop", ""] {
        assert!(check(&IPV4_FLOWS, name).is_err(), "{name}");
    }
}
