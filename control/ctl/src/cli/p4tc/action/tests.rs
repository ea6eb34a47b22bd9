use flowtracker_proto::table::{IPV4_FLOWS, IPV6_FLOWS};

use super::*;

#[test]
fn only_no_action_is_allowed() {
    for name in ["NoAction", "flowtracker/NoAction", "flowtracker//NoAction/", "/NoAction"] {
        assert!(check(&IPV4_FLOWS, name).is_ok());
    }
    for name in ["ct_flow_miss", "flowtracker/Main/ct_flow_miss", "drop", ""] {
        assert!(check(&IPV4_FLOWS, name).is_err(), "{name}");
        assert!(check(&IPV6_FLOWS, name).is_err(), "{name}");
    }
    // The action of another pipeline is another action.
    assert!(check(&IPV6_FLOWS, "flowtracker_ipv6/NoAction").is_ok());
    assert!(check(&IPV6_FLOWS, "flowtracker/NoAction").is_err());
    assert!(check(&IPV4_FLOWS, "flowtracker_ipv6/NoAction").is_err());
}
