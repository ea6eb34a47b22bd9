//! The tables, each called as its users call it, in bursts of keys.

use std::hint::black_box;

use conntrack::arch::Features;
use conntrack::table::{ALL_STEPS, BULK, Packets, Refresh, Store as _, TableConfig, Uncounted};
use conntrack::{FlowKey, FlowKeyV6, FlowTable, HashKind, Hasher, HasherV6, Key, LineTable, Pos, Tick};
use dpdk::hash::{BULK_MAX, HashConfig, HashFunction, RteHash, Words, hash_crc_burst};
use dpdk::learner::{Learner, LearnerConfig};
use dpdk::{Eal, SocketId};
use flowtracker_tests::flows::{flow, flow_v6};

/// Keys of a burst: the number that the poll loop looks up together, which has a burst of 32 frames
/// from each of two ports, and the number that `rte_hash` and the learner take in one call.
pub(crate) const BURST: usize = BULK;
/// Aging that no key of a learner reaches, in seconds: a day.
const NEVER: u32 = 86_400;

/// A table. Each call handles one burst, `now` is the time stamp counter, and bit i of an answer
/// belongs to key i.
pub(crate) trait Contender {
    /// The table's form of a key.
    type Key: Copy;
    /// Returns the flow of a number in that form.
    fn key(number: u64) -> Self::Key;
    /// Announces the keys of the first call of `insert` or `refresh`. Each of these calls gets the
    /// keys of the following one as `next`, for tables that can use them in advance.
    fn announce(&mut self, keys: &[Self::Key]) {
        let _ = keys;
    }
    /// Adds keys that are not there; returns which were taken.
    fn insert(&mut self, now: u64, keys: &[Self::Key], next: &[Self::Key]) -> u64;
    /// Looks keys up and records the use of those that are there; returns which were found.
    fn refresh(&mut self, now: u64, keys: &[Self::Key], next: &[Self::Key]) -> u64;
    /// Deletes keys; returns which were there.
    fn delete(&mut self, now: u64, keys: &[Self::Key]) -> u64;
}

/// A key of the product's tables, for the lab.
pub(crate) trait LabKey: Key {
    /// Returns the flow of a number.
    fn numbered(number: u64) -> Self;
    /// Returns the product's default hash with a secret that this byte repeats.
    fn hasher(secret: u8) -> Self::Hasher;
}

impl LabKey for FlowKey {
    fn numbered(number: u64) -> Self {
        flow(number)
    }

    fn hasher(secret: u8) -> Hasher {
        Hasher::new(HashKind::Keyed, [secret; 32], Features::detect())
    }
}

impl LabKey for FlowKeyV6 {
    fn numbered(number: u64) -> Self {
        flow_v6(number)
    }

    fn hasher(secret: u8) -> HasherV6 {
        // Its three keys of 16 bytes have to differ: each is a factor of the fingerprint.
        let secret = std::array::from_fn(|at| secret.wrapping_mul(31) ^ (at as u8).wrapping_mul(167));
        HasherV6::new(HashKind::Keyed, secret, Features::detect())
    }
}

/// The product's table without accounting, called as the tracker calls it: the lines of one burst
/// are prefetched while those of the burst before are compared.
pub(crate) struct Ours<K: LabKey> {
    pub(crate) table: LineTable<Uncounted, K>,
    /// The hashes of this burst and of the next; `turn` is the index of this burst.
    hashes: [[K::Hash; BULK]; 2],
    turn: usize,
    places: [Pos; BULK],
}

impl<K: LabKey> Ours<K> {
    /// Makes a table with the product's default hash. Which flows share a line depends on the
    /// secret, and with few flows the result depends on it too, so every round has another secret.
    pub(crate) fn new(flows: u32, round: usize) -> Self {
        let hasher = K::hasher(round as u8);
        let table = LineTable::laid_out(TableConfig { entries: flows, hasher });
        let table = table.expect("memory for the table");
        Self { table, hashes: [[K::Hash::default(); BULK]; 2], turn: 0, places: [Pos(0); BULK] }
    }
}

impl<K: LabKey> Contender for Ours<K> {
    type Key = K;

    fn key(number: u64) -> K {
        K::numbered(number)
    }

    #[inline]
    fn announce(&mut self, keys: &[K]) {
        let hashes = &mut self.hashes[self.turn];
        self.table.hash_burst(keys, hashes);
        self.table.prefetch_burst(&hashes[..keys.len()], false);
    }

    #[inline]
    fn insert(&mut self, now: u64, keys: &[K], next: &[K]) -> u64 {
        // The probe prefetches where whole keys are to be written, if slots do not hold them.
        let hits = if K::Store::EXACT {
            self.turn ^= 1;
            self.announce(next);
            0
        } else {
            self.refresh(now, keys, next)
        };
        assert_eq!(hits, 0, "keys that are not there");
        let mut taken = 0;
        for (i, (key, &hash)) in keys.iter().zip(&self.hashes[self.turn ^ 1]).enumerate() {
            if let Ok(pos) = self.table.add_with_hash(key, hash) {
                self.table.set_stamp(pos, Tick(now as u32));
                taken |= 1 << i;
            }
        }
        taken
    }

    #[inline]
    fn refresh(&mut self, now: u64, keys: &[K], next: &[K]) -> u64 {
        self.turn ^= 1;
        self.table.hash_burst(next, &mut self.hashes[self.turn]);
        let (ahead, hashes) = (&self.hashes[self.turn], &self.hashes[self.turn ^ 1]);
        let refresh = Refresh { stamp: Tick(now as u32), counting: false };
        let packets = Packets::first(keys.len(), keys, hashes, &[0; BULK]);
        let hits = self.table.probe_burst(packets, 0, refresh, &ahead[..next.len()], |_| {});
        hits | self.table.probe_displaced(packets, ALL_STEPS, refresh)
    }

    #[inline]
    fn delete(&mut self, _now: u64, keys: &[K]) -> u64 {
        let mut hashes = [K::Hash::default(); BULK];
        self.table.hash_burst(keys, &mut hashes);
        self.table.prefetch_burst(&hashes[..keys.len()], false);
        let hits = self.table.lookup_burst(keys, &hashes, &mut self.places);
        for (i, &place) in self.places[..keys.len()].iter().enumerate() {
            if hits >> i & 1 == 1 {
                self.table.remove_at(place);
            }
        }
        hits
    }
}

/// Returns a flow in 16 bytes, as a user of DPDK's tables might pack it who knows that ports are
/// few. Both compare keys of this length with two instructions, but keys of the API's 17 bytes with
/// memcmp.
fn packed(number: u64) -> u128 {
    let bytes = flow(number).to_bytes();
    // The first four bytes are the port; its first byte is sufficient.
    let mut packed = [0; 16];
    packed[0] = bytes[0];
    packed[1..14].copy_from_slice(&bytes[4..]);
    u128::from_ne_bytes(packed)
}

/// rte_hash over keys of `N` bytes. The stamps are kept beside it, by position, because it has none
/// itself.
pub(crate) struct Hash<'eal, const N: usize> {
    table: RteHash<'eal>,
    stamps: Words<'eal>,
}

/// A flow in `N` bytes.
pub(crate) trait Form<const N: usize> {
    fn form(number: u64) -> [u8; N];
}

/// The key in the API's form.
impl Form<{ FlowKey::BYTES }> for Hash<'_, { FlowKey::BYTES }> {
    fn form(number: u64) -> [u8; FlowKey::BYTES] {
        flow(number).to_bytes()
    }
}

impl Form<16> for Hash<'_, 16> {
    fn form(number: u64) -> [u8; 16] {
        packed(number).to_ne_bytes()
    }
}

/// The key of IPv6 in the API's form.
impl Form<{ FlowKeyV6::BYTES }> for Hash<'_, { FlowKeyV6::BYTES }> {
    fn form(number: u64) -> [u8; FlowKeyV6::BYTES] {
        flow_v6(number).to_bytes()
    }
}

impl<'eal, const N: usize> Hash<'eal, N> {
    /// Makes a table with room for this number of entries.
    pub(crate) fn new(eal: &'eal Eal, entries: u32, ext_table: bool) -> Self {
        let config = HashConfig {
            // Only one exists at a time.
            name: "peer",
            entries,
            key_len: N as u32,
            hash: HashFunction::Crc,
            init_value: 0,
            socket: SocketId::ANY,
            ext_table,
        };
        let table = RteHash::new(eal, &config).unwrap_or_else(|error| panic!("{entries} entries: {error}"));
        let stamps = Words::new(eal, table.max_key_id() as usize + 1, SocketId::ANY)
            .unwrap_or_else(|error| panic!("{entries} stamps: {error}"));
        Self { table, stamps }
    }
}

impl<const N: usize> Contender for Hash<'_, N>
where
    Self: Form<N>,
{
    type Key = [u8; N];

    fn key(number: u64) -> [u8; N] {
        Self::form(number)
    }

    #[inline]
    fn insert(&mut self, now: u64, keys: &[[u8; N]], _next: &[[u8; N]]) -> u64 {
        let mut taken = 0;
        for (i, key) in keys.iter().enumerate() {
            if let Ok(position) = self.table.add(key) {
                self.stamps[position as usize] = now as u32;
                taken |= 1 << i;
            }
        }
        taken
    }

    #[inline]
    fn refresh(&mut self, now: u64, keys: &[[u8; N]], _next: &[[u8; N]]) -> u64 {
        let (mut hashes, mut positions) = ([0; BULK_MAX], [0; BULK_MAX]);
        hash_crc_burst(keys, 0, &mut hashes);
        self.table.lookup_bulk_in_a_row(keys, &mut hashes, &mut positions).expect("a burst of such keys");
        let mut hits = 0;
        for (i, &position) in positions[..keys.len()].iter().enumerate() {
            if position >= 0 {
                self.stamps[position as usize] = now as u32;
                hits |= 1 << i;
            }
        }
        hits
    }

    #[inline]
    fn delete(&mut self, _now: u64, keys: &[[u8; N]]) -> u64 {
        let mut deleted = 0;
        for (i, key) in keys.iter().enumerate() {
            deleted |= u64::from(self.table.del(key).is_ok()) << i;
        }
        deleted
    }
}

/// Makes a learner with this number of buckets. Its timers are in the table: rearming one records a
/// use.
pub(crate) fn learner(eal: &Eal, buckets: u32) -> Learner<'_> {
    let config = LearnerConfig { keys: buckets, timeout: NEVER, socket: SocketId::ANY };
    Learner::new(eal, &config).unwrap_or_else(|error| panic!("{buckets} buckets: {error}"))
}

impl Contender for Learner<'_> {
    type Key = u128;

    fn key(number: u64) -> u128 {
        packed(number)
    }

    #[inline]
    fn insert(&mut self, now: u64, keys: &[u128], _next: &[u128]) -> u64 {
        self.add_burst(now, keys)
    }

    #[inline]
    fn refresh(&mut self, now: u64, keys: &[u128], _next: &[u128]) -> u64 {
        self.refresh_burst(now, keys)
    }

    #[inline]
    fn delete(&mut self, now: u64, keys: &[u128]) -> u64 {
        self.delete_burst(now, keys)
    }
}

/// No table: it reads the keys and finds all. Its time is the overhead of the measurement.
pub(crate) struct Nothing;

impl Contender for Nothing {
    type Key = u128;

    fn key(number: u64) -> u128 {
        packed(number)
    }

    #[inline]
    fn insert(&mut self, now: u64, keys: &[u128], _next: &[u128]) -> u64 {
        self.refresh(now, keys, &[])
    }

    #[inline]
    fn refresh(&mut self, now: u64, keys: &[u128], _next: &[u128]) -> u64 {
        black_box(keys.iter().fold(u128::from(now), |all, key| all ^ key));
        u64::MAX >> (u64::BITS as usize - keys.len())
    }

    #[inline]
    fn delete(&mut self, now: u64, keys: &[u128]) -> u64 {
        self.refresh(now, keys, &[])
    }
}
