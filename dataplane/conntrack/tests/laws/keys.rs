//! Flow keys: random ones, and ones that collide.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use conntrack::key::TCP;
use conntrack::test_support::Random;
use conntrack::{FlowKey, hash};

/// Returns `count` distinct random keys.
pub(crate) fn random(seed: u64, count: usize) -> Vec<FlowKey> {
    let mut random = Random(seed);
    let mut seen = HashSet::with_capacity(count);
    let mut keys = Vec::with_capacity(count);
    while keys.len() < count {
        let (addrs, ports) = (random.bits(), random.bits());
        let key = FlowKey::new(
            (ports >> 32) as u8 % 32 + 1,
            Ipv4Addr::from(addrs as u32),
            Ipv4Addr::from((addrs >> 32) as u32),
            TCP,
            ports as u16,
            (ports >> 16) as u16,
        );
        if seen.insert(key) {
            keys.push(key);
        }
    }
    keys
}

/// Returns `count` distinct keys that have the same CRC-32C for every initial value. All of them
/// lead to 10.0.0.2:80 as long as there are no more than 65,536.
///
/// CRC is affine over GF(2), and the 32 bits of the source address determine all of its 32 bits.
/// For every pair of ports there is therefore exactly one address that gives the wanted value, and
/// elimination finds it.
pub(crate) fn equal_crc(count: usize) -> Vec<FlowKey> {
    let key = |ports: u32, src: u32| {
        let (sport, dport) = (ports as u16, ((ports >> 16) as u16).wrapping_add(80));
        FlowKey::new(1, Ipv4Addr::from(src), Ipv4Addr::new(10, 0, 0, 2), TCP, sport, dport)
    };
    let crc = |ports, src| hash::crc(&key(ports, src).to_bytes(), 0);
    let inverse = invert(std::array::from_fn(|bit| crc(0, 1 << bit) ^ crc(0, 0)));
    let wanted = crc(0, 0x0a00_0001);
    (0..count as u32)
        .map(|ports| {
            let missing = wanted ^ crc(ports, 0);
            let src = (0..32).filter(|bit| missing >> bit & 1 == 1).fold(0, |src, bit| src ^ inverse[bit]);
            key(ports, src)
        })
        .collect()
}

/// Inverts a matrix: `columns[i]` is the image of bit i, and the result holds the preimage of bit
/// i.
fn invert(columns: [u32; 32]) -> [u32; 32] {
    let mut rows: [(u32, u32); 32] = std::array::from_fn(|i| (columns[i], 1 << i));
    for bit in 0..32 {
        let pivot = (bit..32).find(|&i| rows[i].0 >> bit & 1 == 1).expect("the map can be inverted");
        rows.swap(bit, pivot);
        let pivot = rows[bit];
        for (i, row) in rows.iter_mut().enumerate() {
            if i != bit && row.0 >> bit & 1 == 1 {
                *row = (row.0 ^ pivot.0, row.1 ^ pivot.1);
            }
        }
    }
    rows.map(|(_, preimage)| preimage)
}

/// Returns `count` distinct keys whose hashes lie in the lowest of `one_in` equal parts of the
/// range, so that a table of up to `one_in` home places puts all of them into one. It tries random
/// keys, for hash functions that cannot be solved.
pub(crate) fn crowded(hash: impl Fn(&FlowKey) -> u32, one_in: u32, count: usize) -> Vec<FlowKey> {
    let mut keys = Vec::with_capacity(count);
    for seed in 0.. {
        keys.extend(random(seed, 1 << 16).into_iter().filter(|key| hash(key) < u32::MAX / one_in));
        if keys.len() >= count {
            break;
        }
    }
    let distinct: HashSet<FlowKey> = keys.drain(..).collect();
    keys.extend(distinct);
    assert!(keys.len() >= count, "two seeds gave the same keys");
    keys.truncate(count);
    keys
}
