//! Flow keys: random ones, and ones that collide.

mod collide;

use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use conntrack::arch::Features;
use conntrack::key::TCP;
use conntrack::test_support::Random;
use conntrack::test_support::frame::{Ipv4Frame, Ipv6Frame, TPID_8021AD, TPID_8021Q};
use conntrack::{FlowKey, FlowKeyV6, HashKind, Hasher, HasherV6, Key, Outcome};

pub(crate) use self::collide::{equal_crc, equal_crc_v6, equal_fingerprint};
use super::oracle;

/// Returns the secret that a seed draws, of which a hash function of IPv4 takes the start.
pub(crate) fn secret_v6(seed: u64) -> [u8; HasherV6::SECRET] {
    Random(seed).secret()
}

/// What the laws need to know about the keys of a table.
pub(crate) trait TestKey: Key {
    /// Returns a random key.
    fn random(random: &mut Random) -> Self;
    /// Returns the key with another input port.
    fn at_port(&self, input_port: u8) -> Self;
    /// Returns the source port.
    fn src_port(&self) -> u16;
    /// Returns the P4TC form.
    fn bytes(&self) -> Vec<u8>;
    /// Returns a hash function with as much of the secret as it takes.
    fn hasher(kind: HashKind, secret: [u8; HasherV6::SECRET], instructions: Features) -> Self::Hasher;
    /// Returns distinct keys that have the same CRC-32C for every initial value.
    fn equal_crc(count: usize) -> Vec<Self>;
    /// Returns a frame of this flow: its first segment, without padding.
    fn first_frame(&self) -> Vec<u8>;
    /// Returns a frame of this flow, in every valid shape in turn.
    fn frame(&self, index: usize) -> Vec<u8>;
    /// Returns the oracle's verdict on a frame, where only this family is tracked.
    fn classify(frame: &[u8], input_port: u8, tracked: &[u8]) -> Result<Self, Outcome>;
}

impl TestKey for FlowKey {
    fn random(random: &mut Random) -> Self {
        let (addrs, ports) = (random.bits(), random.bits());
        FlowKey::new(
            (ports >> 32) as u8 % 32 + 1,
            Ipv4Addr::from(addrs as u32),
            Ipv4Addr::from((addrs >> 32) as u32),
            TCP,
            ports as u16,
            (ports >> 16) as u16,
        )
    }

    fn at_port(&self, input_port: u8) -> Self {
        let (src, dst) = (self.src_addr(), self.dst_addr());
        FlowKey::new(input_port, src, dst, self.protocol(), self.src_port(), self.dst_port())
    }

    fn src_port(&self) -> u16 {
        self.src_port()
    }

    fn bytes(&self) -> Vec<u8> {
        self.to_bytes().to_vec()
    }

    fn hasher(kind: HashKind, secret: [u8; HasherV6::SECRET], instructions: Features) -> Hasher {
        Hasher::new(kind, std::array::from_fn(|i| secret[i]), instructions)
    }

    fn equal_crc(count: usize) -> Vec<Self> {
        equal_crc(count)
    }

    fn first_frame(&self) -> Vec<u8> {
        Ipv4Frame::of(self).unpadded().build()
    }

    fn frame(&self, index: usize) -> Vec<u8> {
        let shape = Ipv4Frame::of(self).after_ports(index * 11 % 1400).unpadded();
        match index % 5 {
            0 => shape.tag(TPID_8021Q, 5),
            1 => shape.tag(TPID_8021AD, 5).tag(TPID_8021Q, 6).ip_options(3),
            2 => shape.ip_options(10).first_fragment(),
            _ => shape,
        }
        .build()
    }

    fn classify(frame: &[u8], input_port: u8, tracked: &[u8]) -> Result<Self, Outcome> {
        oracle::classify(frame, input_port, tracked)
    }
}

impl TestKey for FlowKeyV6 {
    fn random(random: &mut Random) -> Self {
        let mut addr = || Ipv6Addr::from_bits(u128::from(random.bits()) << 64 | u128::from(random.bits()));
        let (src, dst, ports) = (addr(), addr(), random.bits());
        FlowKeyV6::new((ports >> 32) as u8 % 32 + 1, src, dst, TCP, ports as u16, (ports >> 16) as u16)
    }

    fn at_port(&self, input_port: u8) -> Self {
        let (src, dst) = (self.src_addr(), self.dst_addr());
        FlowKeyV6::new(input_port, src, dst, self.protocol(), self.src_port(), self.dst_port())
    }

    fn src_port(&self) -> u16 {
        self.src_port()
    }

    fn bytes(&self) -> Vec<u8> {
        self.to_bytes().to_vec()
    }

    fn hasher(kind: HashKind, secret: [u8; HasherV6::SECRET], instructions: Features) -> HasherV6 {
        HasherV6::new(kind, secret, instructions)
    }

    fn equal_crc(count: usize) -> Vec<Self> {
        equal_crc_v6(count)
    }

    fn first_frame(&self) -> Vec<u8> {
        Ipv6Frame::of(self).unpadded().build()
    }

    fn frame(&self, index: usize) -> Vec<u8> {
        let shape = Ipv6Frame::of(self).after_ports(4 + index * 11 % 1400).unpadded();
        match index % 5 {
            0 => shape.tag(TPID_8021Q, 5),
            1 => shape.tag(TPID_8021AD, 5).tag(TPID_8021Q, 6).extension(0, 1).extension(60, 0),
            2 => shape.extension(43, 3).fragment(0, index.is_multiple_of(2)),
            _ => shape,
        }
        .build()
    }

    fn classify(frame: &[u8], input_port: u8, tracked: &[u8]) -> Result<Self, Outcome> {
        oracle::classify_v6(frame, input_port, tracked)
    }
}

/// Returns `count` distinct random keys.
pub(crate) fn random<K: TestKey>(seed: u64, count: usize) -> Vec<K> {
    let mut random = Random(seed);
    let mut seen = HashSet::with_capacity(count);
    let mut keys = Vec::with_capacity(count);
    while keys.len() < count {
        let key = K::random(&mut random);
        if seen.insert(key) {
            keys.push(key);
        }
    }
    keys
}

/// Returns `count` distinct keys whose hashes lie in the lowest of `one_in` equal parts of the
/// range, so that a table of up to `one_in` home places puts all of them into one. It tries random
/// keys, for hash functions that cannot be solved.
pub(crate) fn crowded<K: TestKey>(hash: impl Fn(&K) -> u32, one_in: u32, count: usize) -> Vec<K> {
    let mut keys = Vec::with_capacity(count);
    for seed in 0.. {
        keys.extend(random(seed, 1 << 16).into_iter().filter(|key| hash(key) < u32::MAX / one_in));
        if keys.len() >= count {
            break;
        }
    }
    let distinct: HashSet<K> = keys.drain(..).collect();
    keys.extend(distinct);
    assert!(keys.len() >= count, "two seeds gave the same keys");
    keys.truncate(count);
    keys
}
