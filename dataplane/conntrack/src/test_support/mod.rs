//! What tests and benches are made of (feature `test-support`): frames, flows, a reproducible
//! stream of numbers, and an entry to start from.
//!
//! Nothing here uses the parser, the table or the tracker, so that a mistake in them cannot hide in
//! their tests.

pub mod frame;
mod random;

use core::net::Ipv4Addr;

pub use random::{Random, mixed};

use crate::key::TCP;
use crate::{ActorId, Entry, FlowKey, Permissions, ProfileId, Tick};

/// The TCP flow from 10.0.0.1, port `src_port`, to 10.0.0.2, port 80. `input_port` is the DPDK port
/// id + 1.
///
/// # Panics
/// When `input_port` is 0.
#[must_use]
pub fn flow(input_port: u8, src_port: u16) -> FlowKey {
    FlowKey::new(input_port, Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2), TCP, src_port, 80)
}

/// The entry of `key` as its first packet leaves it: learned a second after the clock's start from
/// one frame of 60 octets, with the default profile, an aging of 30 s and the permissions that a
/// learned entry has by default. A test that wants something else writes `Entry { …, ..entry(key)
/// }`.
///
/// # Panics
/// Never.
#[must_use]
pub fn entry<K>(key: K) -> Entry<K> {
    Entry {
        key,
        created_ms: 1001,
        last_used: Tick(1001),
        rounds: 0,
        aging_ms: 30_000,
        profile: ProfileId::default(),
        permissions: Permissions::new(0x1dbc).expect("14 bits"),
        packets: 1,
        bytes: 60,
        creator: ActorId::DATA_PATH,
        updater: ActorId::NONE,
    }
}

/// An entry of `key` with random attributes and counters, created and last used at random times up to
/// `now_ms`; its last use is the second value, in milliseconds since the clock's start. Its aging may be
/// one that no profile has any more.
///
/// # Panics
/// Never.
#[must_use]
pub fn any_entry<K>(random: &mut Random, key: K, now_ms: u64) -> (Entry<K>, u64) {
    let agings = [0, 1, 250, 3_000, 30_000, 777_777, 864_000_000];
    let created_ms = random.between(0, now_ms);
    let entry = Entry {
        created_ms,
        aging_ms: agings[random.below(agings.len())],
        profile: ProfileId::new(random.below(16) as u32).expect("below 16"),
        permissions: Permissions::new(random.bits() as u16 & Permissions::MASK).expect("14 bits"),
        packets: random.bits(),
        bytes: random.bits(),
        creator: ActorId(random.bits() as u16),
        updater: ActorId(random.bits() as u16),
        ..entry(key)
    };
    (entry, random.between(created_ms, now_ms))
}
