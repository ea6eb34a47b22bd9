//! Flows by number: pseudo-random, and the same in every run.

use std::net::{Ipv4Addr, Ipv6Addr};

use conntrack::key::TCP;
use conntrack::test_support::mixed;
use conntrack::{FlowKey, FlowKeyV6};

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

/// Returns the IPv6 flow of a number. No two flows have the same source and ports. The addresses
/// are those of hosts in two networks of 64 bits (RFC 3849).
#[must_use]
pub fn flow_v6(number: u64) -> FlowKeyV6 {
    let bits = mixed(number);
    let host =
        |network: u128, host: u64| Ipv6Addr::from_bits(0x2001_0db8 << 96 | network << 64 | u128::from(host));
    let source = host(1, bits);
    FlowKeyV6::new(1, source, host(2, mixed(bits)), TCP, (bits >> 32) as u16, (bits >> 48) as u16)
}
