//! The hash functions return the same values as librte_hash's.

#[path = "../../dataplane/conntrack/tests/laws/mod.rs"]
mod laws;

use conntrack::arch::Features;
use conntrack::test_support::Random;
use conntrack::{FlowTable, HashKind, Hasher, hash};
use dpdk::hash::HashFunction;
use flowtracker_tests::rte_table::RteTable;
use laws::keys;

/// Initial values: the usual ones, and a few without a pattern.
const INITS: [u32; 6] = [0, 1, u32::MAX, 0x8000_0000, 0xdead_beef, 0x1234_5678];

#[test]
fn every_length_and_initial_value() {
    let mut random = Random(1);
    for len in 0..=64 {
        for _ in 0..50 {
            let bytes: Vec<u8> = (0..len).map(|_| random.bits() as u8).collect();
            for init in INITS.into_iter().chain([random.bits() as u32]) {
                assert_eq!(
                    hash::crc(&bytes, init),
                    dpdk::hash::hash_crc(&bytes, init),
                    "crc of {bytes:02x?}, {init}"
                );
                assert_eq!(
                    hash::jhash(&bytes, init),
                    dpdk::hash::jhash(&bytes, init),
                    "jhash of {bytes:02x?}, {init}"
                );
            }
        }
    }
}

/// A whole `rte_hash` computes the same value for a key as the product's hasher, with and without
/// special instructions of the CPU.
#[test]
fn keys_hash_as_in_an_rte_hash() {
    let keys = keys::random(2, 2000);
    for (kind, function) in [(HashKind::Crc, HashFunction::Crc), (HashKind::Jhash, HashFunction::Jhash)] {
        for init in INITS {
            let table = RteTable::new(8, function, init);
            for features in [Features::detect(), Features::PORTABLE] {
                let hasher = Hasher::new(kind, [1; 32], features).with_init(init);
                for key in &keys {
                    assert_eq!(hasher.hash(key), table.hash(key), "{kind:?} of {key}, {init}");
                }
            }
        }
    }
}
