//! Flows by number: pseudo-random, and the same in every run.

use std::net::Ipv4Addr;

use conntrack::FlowKey;
use conntrack::key::TCP;
use conntrack::test_support::mixed;

/// Returns the flow of a number. No two flows have the same source and ports.
#[must_use]
pub fn flow(number: u64) -> FlowKey {
    let bits = mixed(number);
    let destination = mixed(bits) as u32;
    FlowKey::new(
        1,
        Ipv4Addr::from(bits as u32),
        Ipv4Addr::from(destination),
        TCP,
        (bits >> 32) as u16,
        (bits >> 48) as u16,
    )
}
