//! TCP flows that are chosen to collide: the worst input of a hash table.
//!
//! [`crc`] is the attack for which it is enough to know that the hash function is a CRC.
//! [`in_one_line`] needs the secret too. Nobody knows it, but a table has to withstand these flows.
//!
//! The CRC is that of librte_hash, so that a mistake in the product's own CRC cannot hide here.

use std::net::{Ipv4Addr, Ipv6Addr};

use conntrack::key::TCP;
use conntrack::table::BULK;
use conntrack::{FlowKey, FlowKeyV6, Hasher};
use dpdk::hash::hash_crc;

/// Where all flows enter, and where they go.
const INPUT_PORT: u8 = 1;
const DESTINATION: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const SERVICE: u16 = 80;

/// Flows of [`crc`] that go to one port: one from each source port.
pub const PER_SERVICE: usize = 1 << 16;

fn flow(src: u32, sport: u16, dport: u16) -> FlowKey {
    FlowKey::new(INPUT_PORT, Ipv4Addr::from(src), DESTINATION, TCP, sport, dport)
}

/// Returns `count` distinct flows whose 17 bytes all have the same `rte_hash_crc`, for any initial
/// value. The first [`PER_SERVICE`] flows go to 10.0.0.2:80, the next [`PER_SERVICE`] to port 81,
/// and so on.
///
/// A CRC is linear over GF(2): flipping a bit of the source address flips the same bits of the
/// hash, whatever the rest of the key is. The effects of the 32 address bits are the 32 columns of
/// a matrix. The matrix has an inverse, so for every pair of ports exactly one address leads to the
/// wanted hash.
#[must_use]
pub fn crc(count: usize) -> Vec<FlowKey> {
    let crc = |key: FlowKey| hash_crc(&key.to_bytes(), 0);
    let from_nowhere = crc(flow(0, 0, SERVICE));
    let address = inverse(std::array::from_fn(|bit| crc(flow(1 << bit, 0, SERVICE)) ^ from_nowhere));
    // Any hash will do; this is the hash of an ordinary flow.
    let wanted = crc(flow(u32::from(Ipv4Addr::new(10, 0, 0, 1)), 1, SERVICE));
    let services = (SERVICE..=u16::MAX).flat_map(|dport| (0..=u16::MAX).map(move |sport| (sport, dport)));
    let flows = services.map(|(sport, dport)| {
        let src = times(&address, wanted ^ crc(flow(0, sport, dport)));
        flow(src, sport, dport)
    });
    flows.take(count).collect()
}

/// Does what [`crc`] does with IPv6 flows of 41 bytes, to `[2001:db8::2]:80`. The lowest 32 bits of
/// the source address are the ones that are computed.
#[must_use]
pub fn crc_v6(count: usize) -> Vec<FlowKeyV6> {
    let flow = |low: u32, sport, dport| {
        let addr = |low: u32| Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(low));
        FlowKeyV6::new(INPUT_PORT, addr(low), addr(2), TCP, sport, dport)
    };
    let crc = |key: FlowKeyV6| hash_crc(&key.to_bytes(), 0);
    let from_nowhere = crc(flow(0, 0, SERVICE));
    let address = inverse(std::array::from_fn(|bit| crc(flow(1 << bit, 0, SERVICE)) ^ from_nowhere));
    let wanted = crc(flow(1, 1, SERVICE));
    let services = (SERVICE..=u16::MAX).flat_map(|dport| (0..=u16::MAX).map(move |sport| (sport, dport)));
    let flows = services.map(|(sport, dport)| {
        let low = times(&address, wanted ^ crc(flow(0, sport, dport)));
        flow(low, sport, dport)
    });
    flows.take(count).collect()
}

/// Returns the product of a matrix over GF(2), given by its columns, and a vector.
fn times(columns: &[u32; 32], vector: u32) -> u32 {
    columns
        .iter()
        .enumerate()
        .filter(|(bit, _)| vector >> bit & 1 == 1)
        .fold(0, |sum, (_, column)| sum ^ column)
}

/// Returns the inverse of a matrix over GF(2). Both are given by their columns.
///
/// This is Gauss-Jordan elimination: the steps that turn the columns into unit vectors turn the
/// unit vectors into the inverse.
fn inverse(mut columns: [u32; 32]) -> [u32; 32] {
    let mut inverse: [u32; 32] = std::array::from_fn(|bit| 1 << bit);
    for bit in 0..32 {
        let pivot = (bit..32).find(|&at| columns[at] >> bit & 1 == 1).expect("the matrix has an inverse");
        columns.swap(bit, pivot);
        inverse.swap(bit, pivot);
        for at in 0..32 {
            if at != bit && columns[at] >> bit & 1 == 1 {
                columns[at] ^= columns[bit];
                inverse[at] ^= inverse[bit];
            }
        }
    }
    inverse
}

/// Returns `count` distinct flows that all have the same home line in a [`conntrack::LineTable`] of
/// `lines` lines. They are found by trial, and each takes `lines` trials on average.
#[must_use]
pub fn in_one_line(hasher: &Hasher, lines: u32, count: usize) -> Vec<FlowKey> {
    // The table maps hashes to lines in this way: evenly and in order. The first line begins with
    // the hash 0.
    let home = |hash: u32| (u64::from(hash) * u64::from(lines)) >> 32;
    let mut found = Vec::with_capacity(count);
    let mut tried = 0u64..1 << 48;
    while found.len() < count {
        let burst: [FlowKey; BULK] = std::array::from_fn(|_| {
            let number = tried.next().expect("more flows than there are");
            flow(number as u32, (number >> 32) as u16, SERVICE)
        });
        let mut hashes = [0; BULK];
        hasher.hash_burst(&burst, &mut hashes);
        found.extend(burst.iter().zip(hashes).filter(|(_, hash)| home(*hash) == 0).map(|(key, _)| *key));
    }
    found.truncate(count);
    found
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use conntrack::arch::Features;
    use conntrack::table::TableConfig;
    use conntrack::{FlowTable as _, HashKind, LineTable};
    use dpdk::hash::jhash;

    use super::*;

    /// Initial values: the usual ones, and a few without a pattern.
    const INITS: [u32; 6] = [0, 1, u32::MAX, 0x8000_0000, 0xdead_beef, 0x1234_5678];

    fn distinct(flows: &[FlowKey]) -> usize {
        flows.iter().collect::<HashSet<_>>().len()
    }

    #[test]
    fn all_have_one_crc_whatever_its_initial_value() {
        let flows = crc(PER_SERVICE + 1000);
        assert_eq!(distinct(&flows), PER_SERVICE + 1000);
        for init in INITS {
            let hashes: HashSet<u32> = flows.iter().map(|key| hash_crc(&key.to_bytes(), init)).collect();
            assert_eq!(hashes.len(), 1, "initial value {init:#x}");
            // Under another function, for which they are not chosen, the flows collide only by
            // chance, as in the birthday problem.
            let others: HashSet<u32> = flows.iter().map(|key| jhash(&key.to_bytes(), init)).collect();
            assert!(others.len() > flows.len() - 20, "initial value {init:#x}: {}", others.len());
        }
    }

    #[test]
    fn flows_of_ipv6_have_one_crc_too() {
        let flows = crc_v6(PER_SERVICE + 100);
        assert_eq!(flows.iter().collect::<HashSet<_>>().len(), PER_SERVICE + 100);
        for init in INITS {
            let hashes: HashSet<u32> = flows.iter().map(|key| hash_crc(&key.to_bytes(), init)).collect();
            assert_eq!(hashes.len(), 1, "initial value {init:#x}");
            let others: HashSet<u32> = flows.iter().map(|key| jhash(&key.to_bytes(), init)).collect();
            assert!(others.len() > flows.len() - 20, "initial value {init:#x}: {}", others.len());
        }
    }

    #[test]
    fn all_are_tcp_to_one_service_from_every_port() {
        let flows = crc(PER_SERVICE + 1);
        let (first, next) = flows.split_at(PER_SERVICE);
        for key in first {
            assert_eq!((key.input_port(), key.protocol()), (1, 6));
            assert_eq!((key.dst_addr(), key.dst_port()), (Ipv4Addr::new(10, 0, 0, 2), 80));
        }
        assert_eq!(first.iter().map(FlowKey::src_port).collect::<HashSet<_>>().len(), PER_SERVICE);
        assert_eq!(next[0].dst_port(), 81);
        assert_eq!(crc(3), first[..3], "fewer are the first of more");
    }

    /// Each of the flows gets the same place when it is put alone into an empty table.
    #[test]
    fn all_are_at_home_in_one_line() {
        for kind in [HashKind::Keyed, HashKind::Crc, HashKind::Jhash] {
            for secret in 1..4 {
                let hasher = Hasher::new(kind, [secret; 32], Features::detect()).with_init(secret.into());
                let mut table = LineTable::new(TableConfig { entries: 500, hasher: hasher.clone() })
                    .expect("a valid size");
                let flows = in_one_line(&hasher, table.lines(), 200);
                assert_eq!((flows.len(), distinct(&flows)), (200, 200));
                let places: HashSet<u32> = flows
                    .iter()
                    .map(|key| {
                        let pos = table.add(key).expect("it is empty");
                        table.remove_at(pos);
                        pos.0
                    })
                    .collect();
                assert_eq!(places.len(), 1, "{kind:?}");
            }
        }
    }
}
