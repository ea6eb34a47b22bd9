//! The hash functions against published values, and the collisions that they permit.

use super::*;
use crate::key::TCP;
use core::net::Ipv4Addr;

#[test]
fn jhash_of_the_published_example() {
    // The self-test of lookup3.c: "Four score and seven years ago", initial values 0 and 1.
    let text = b"Four score and seven years ago";
    assert_eq!(jhash(text, 0), 0x1777_0551);
    assert_eq!(jhash(text, 1), 0xcd62_8161);
}

#[test]
fn a_slot_gives_the_hash_of_its_key_where_it_can() {
    use crate::key::FlowKeyV6;
    use crate::test_support::Random;
    use core::net::Ipv6Addr;
    let mut random = Random(3);
    let secret: [u8; HasherV6::SECRET] = random.secret();
    for kind in [HashKind::Keyed, HashKind::Crc, HashKind::Jhash] {
        for features in Features::all_present() {
            let v4 = Hasher::new(kind, core::array::from_fn(|i| secret[i]), features);
            let v6 = HasherV6::new(kind, secret, features);
            for _ in 0..100 {
                let mut addr =
                    || Ipv6Addr::from_bits(u128::from(random.bits()) << 64 | u128::from(random.bits()));
                let (src, dst, ports) = (addr(), addr(), random.bits());
                let key = FlowKeyV6::new(1, src, dst, TCP, ports as u16, (ports >> 16) as u16);
                let hash = KeyHasher::hash(&v6, &key);
                let known = (kind == HashKind::Keyed).then_some(hash);
                assert_eq!(v6.hash_of_slot(key.slot(&hash)), known, "{kind:?}");
                let key = FlowKey::new(1, Ipv4Addr::from(ports as u32), Ipv4Addr::LOCALHOST, TCP, 1, 2);
                assert_eq!(v4.hash_of_slot(&key.0), Some(v4.hash(&key)), "{kind:?}");
            }
        }
    }
}

#[test]
fn another_secret_is_another_function() {
    let key = FlowKey::new(1, Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2), TCP, 1, 2);
    let a = Hasher::new(HashKind::Keyed, [1; 32], Features::detect());
    let b = Hasher::new(HashKind::Keyed, [2; 32], Features::detect());
    assert_ne!(a.hash(&key), b.hash(&key));
    assert_eq!(a.hash(&key), a.clone().hash(&key));
}

#[test]
fn crc_collides_for_every_initial_value_and_keyed_does_not() {
    // Two keys whose CRC is equal: x ^ y is a multiple of the polynomial.
    let hasher = |kind| Hasher::new(kind, [7; 32], Features::detect());
    let crc = hasher(HashKind::Crc);
    let key =
        |sport, src: u32| FlowKey::new(1, Ipv4Addr::from(src), Ipv4Addr::new(10, 0, 0, 2), TCP, sport, 80);
    let base = key(1000, 0x0a00_0001);
    // 2^16 ports times a few addresses must repeat some of 2^32 values of a 32-bit linear function;
    // find one pair by solving for the address bits.
    let target = crc.hash(&base);
    let mut columns = [0u32; 32];
    for (bit, column) in columns.iter_mut().enumerate() {
        *column = crc.hash(&key(2000, 1 << bit)) ^ crc.hash(&key(2000, 0));
    }
    let src = solve(columns, target ^ crc.hash(&key(2000, 0)));
    let twin = key(2000, src);
    assert_ne!(twin, base);
    assert_eq!(crc.hash(&twin), target);
    assert_eq!(crc.clone().with_init(12345).hash(&twin), crc.clone().with_init(12345).hash(&base));
    let keyed = hasher(HashKind::Keyed);
    assert_ne!(keyed.hash(&twin), keyed.hash(&base));
}

/// Solves a 32 × 32 system over GF(2): which columns add up to `target`?
fn solve(columns: [u32; 32], target: u32) -> u32 {
    let mut rows: std::vec::Vec<(u32, u32)> = columns.iter().enumerate().map(|(i, &c)| (c, 1 << i)).collect();
    let (mut rest, mut chosen) = (target, 0);
    for bit in (0..32).rev() {
        let Some(at) = rows.iter().position(|(c, _)| c >> bit & 1 == 1) else { continue };
        let pivot = rows.swap_remove(at);
        for row in &mut rows {
            if row.0 >> bit & 1 == 1 {
                *row = (row.0 ^ pivot.0, row.1 ^ pivot.1);
            }
        }
        if rest >> bit & 1 == 1 {
            rest ^= pivot.0;
            chosen ^= pivot.1;
        }
    }
    assert_eq!(rest, 0, "the system has a solution");
    chosen
}
