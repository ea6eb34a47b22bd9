//! Keys that collide: under CRC-32C, whose collisions anybody can choose, and under the fingerprint of
//! IPv6, whose collisions can be made with its secret.

use std::net::{Ipv4Addr, Ipv6Addr};

use conntrack::key::TCP;
use conntrack::test_support::{Random, mixed};
use conntrack::{FlowKey, FlowKeyV6, hash};

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

/// Does what [`equal_crc`] does with IPv6 keys, towards `[2001:db8::2]:80`. The 32 bits that are
/// determined are the lowest of the source address.
pub(crate) fn equal_crc_v6(count: usize) -> Vec<FlowKeyV6> {
    let key = |ports: u32, low: u32| {
        let (sport, dport) = (ports as u16, ((ports >> 16) as u16).wrapping_add(80));
        let addr = |low: u32| Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(low));
        FlowKeyV6::new(1, addr(low), addr(2), TCP, sport, dport)
    };
    let crc = |ports, low| hash::crc(&key(ports, low).to_bytes(), 0);
    let inverse = invert(std::array::from_fn(|bit| crc(0, 1 << bit) ^ crc(0, 0)));
    let wanted = crc(0, 1);
    (0..count as u32)
        .map(|ports| {
            let missing = wanted ^ crc(ports, 0);
            let low = (0..32).filter(|bit| missing >> bit & 1 == 1).fold(0, |low, bit| low ^ inverse[bit]);
            key(ports, low)
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

/// Returns `count` distinct IPv6 keys of one port that have the same fingerprint under the secret
/// that the hasher of the `seed` has. Those of another `group` have another.
///
/// The fingerprint is `(src + k0)·(dst + k1) + rest·k2` in the field of RFC 8452, the keys being the
/// last 48 bytes of the secret. For any source and ports there is one destination that gives the
/// wanted value.
pub(crate) fn equal_fingerprint(seed: u64, group: u64, count: usize) -> Vec<FlowKeyV6> {
    let secret = super::secret_v6(seed);
    let [k0, k1, k2] =
        [0, 1, 2].map(|i| u128::from_le_bytes(secret[32 + 16 * i..][..16].try_into().expect("16 bytes")));
    let mut random = Random(mixed(group));
    let wanted = u128::from(random.bits()) << 64 | u128::from(random.bits());
    (0..count)
        .map(|_| {
            let src = u128::from(random.bits()) << 64 | u128::from(random.bits());
            let (sport, dport) = (random.bits() as u16, random.bits() as u16);
            let ports = u64::from(sport.to_be()) | u64::from(dport.to_be()) << 16;
            let rest = ports | u64::from(TCP) << 32 | 1 << 40;
            let product = wanted ^ field::dot(rest.into(), k2);
            let dst = field::dot(product, field::inverse(src ^ k0)) ^ k1;
            let addr = |element: u128| Ipv6Addr::from(element.to_le_bytes());
            FlowKeyV6::new(1, addr(src), addr(dst), TCP, sport, dport)
        })
        .collect()
}

/// The field of POLYVAL (RFC 8452 section 3): polynomials modulo x^128 + x^127 + x^126 + x^121 + 1.
/// Bit i of a number is the coefficient of x^i.
mod field {
    /// Returns `a` multiplied by x.
    fn times_x(a: u128) -> u128 {
        a << 1 ^ if a >> 127 == 1 { 1 << 127 | 1 << 126 | 1 << 121 | 1 } else { 0 }
    }

    fn times(a: u128, b: u128) -> u128 {
        (0..128).rev().fold(0, |product, bit| times_x(product) ^ if b >> bit & 1 == 1 { a } else { 0 })
    }

    /// Returns the inverse under [`times`]: the power of 2^128 - 2.
    fn reciprocal(a: u128) -> u128 {
        let (mut result, mut square) = (1, a);
        for _ in 1..128 {
            square = times(square, square);
            result = times(result, square);
        }
        result
    }

    /// Returns x^128.
    fn x_128() -> u128 {
        (0..128).fold(1, |power, _| times_x(power))
    }

    /// RFC 8452's `dot`: a·b·x^-128.
    pub(super) fn dot(a: u128, b: u128) -> u128 {
        times(times(a, b), reciprocal(x_128()))
    }

    /// Returns the number of which the `dot` with `a` is the neutral element of `dot`, x^128.
    pub(super) fn inverse(a: u128) -> u128 {
        times(reciprocal(a), times(x_128(), x_128()))
    }
}
