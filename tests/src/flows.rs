//! Flows by number, as random as any and the same in every run.

use std::net::Ipv4Addr;

use conntrack::FlowKey;
use conntrack::key::TCP;

/// Mixes 64 bits so that no two numbers become one (the finalizer of splitmix64).
#[must_use]
pub fn mixed(mut x: u64) -> u64 {
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

/// The flow of a number: no two have the same source and ports.
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
