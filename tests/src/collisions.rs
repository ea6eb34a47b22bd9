//! TCP flows that collide because somebody chose them so: the worst that can be sent to a hash
//! table.
//!
//! [`crc`] is what an attacker can do who knows that the hash function is a CRC, and nothing else.
//! [`in_one_line`] is what he could do who knows the secret too; nobody does, but a table has to
//! bear it.
//!
//! The CRC is that of librte_hash, so that no mistake in the product's own can hide here.

use std::net::Ipv4Addr;

use conntrack::key::TCP;
use conntrack::table::BULK;
use conntrack::{FlowKey, Hasher};
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

/// `count` distinct flows whose 17 bytes have one and the same `rte_hash_crc`, whatever its initial
/// value is. The first [`PER_SERVICE`] go to 10.0.0.2:80, as many more to each following port.
///
/// A CRC is linear over GF(2): flipping a bit of the source address flips the same bits of the
/// hash, whatever else is in the key. What the 32 address bits do are 32 columns of a matrix. As it
/// has an inverse, there is for every pair of ports exactly one address that leads to the wanted
/// hash.
#[must_use]
pub fn crc(count: usize) -> Vec<FlowKey> {
    let crc = |key: FlowKey| hash_crc(&key.to_bytes(), 0);
    let from_nowhere = crc(flow(0, 0, SERVICE));
    let address = inverse(std::array::from_fn(|bit| crc(flow(1 << bit, 0, SERVICE)) ^ from_nowhere));
    // Any will do; this one is that of an ordinary flow.
    let wanted = crc(flow(u32::from(Ipv4Addr::new(10, 0, 0, 1)), 1, SERVICE));
    let services = (SERVICE..=u16::MAX).flat_map(|dport| (0..=u16::MAX).map(move |sport| (sport, dport)));
    let flows = services.map(|(sport, dport)| {
        let src = times(&address, wanted ^ crc(flow(0, sport, dport)));
        flow(src, sport, dport)
    });
    flows.take(count).collect()
}

/// The product of a matrix over GF(2), given by its columns, and a vector.
fn times(columns: &[u32; 32], vector: u32) -> u32 {
    columns
        .iter()
        .enumerate()
        .filter(|(bit, _)| vector >> bit & 1 == 1)
        .fold(0, |sum, (_, column)| sum ^ column)
}

/// The inverse of a matrix over GF(2), both given by their columns.
///
/// Gauss and Jordan: what makes unit vectors of the columns makes the inverse of the unit vectors.
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

/// `count` distinct flows that are all at home in one line of a [`conntrack::LineTable`] of so many
/// `lines`, found by trial, of which a flow takes `lines` on average.
#[must_use]
pub fn in_one_line(hasher: &Hasher, lines: u32, count: usize) -> Vec<FlowKey> {
    // As the table maps a hash to a line: evenly, in order. The first line begins with the hash 0.
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
            // Another function, which no one has solved here, sees nothing in them: the odds are
            // those of birthdays.
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

    /// Each of them, put alone into an empty table, gets the same place.
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
