//! The hash functions return the same values as librte_hash's.

#[path = "../../dataplane/conntrack/tests/laws/mod.rs"]
mod laws;

use conntrack::arch::Features;
use conntrack::hash::KeyHasher as _;
use conntrack::test_support::Random;
use conntrack::{FlowKey, FlowKeyV6, FlowTable, HashKind, Hasher, HasherV6, hash};
use dpdk::SocketId;
use dpdk::hash::{HashConfig, HashFunction, RteHash};
use flowtracker_tests::rte_table::{RteTable, eal};
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
    let keys = keys::random::<FlowKey>(2, 2000);
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

/// So does an `rte_hash` of 41 bytes for the home line of an IPv6 key.
#[test]
fn ipv6_keys_hash_as_in_an_rte_hash() {
    let keys = keys::random::<FlowKeyV6>(3, 2000);
    let mut number = 0;
    for (kind, function) in [(HashKind::Crc, HashFunction::Crc), (HashKind::Jhash, HashFunction::Jhash)] {
        for init_value in INITS {
            number += 1;
            let config = HashConfig {
                name: &format!("ipv6-{number}"),
                entries: 8,
                key_len: FlowKeyV6::BYTES as u32,
                hash: function,
                init_value,
                socket: SocketId::ANY,
                ext_table: false,
            };
            let table = RteHash::new(eal(), &config).expect("a table");
            for features in Features::all_present() {
                let hasher = HasherV6::new(kind, keys::secret_v6(1), features).with_init(init_value);
                for key in &keys {
                    let due = table.hash(&key.to_bytes()).expect("a key of the table's length");
                    assert_eq!(hasher.hash(key).home(), due, "{kind:?} of {key:?}, {init_value}");
                }
            }
        }
    }
}
