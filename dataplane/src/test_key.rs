//! What the tests of both families have in common: a law is a function that is generic over the
//! key, and [`both_families`] makes a test of it for each table.

use std::net::Ipv6Addr;

use conntrack::arch::Features;
use conntrack::key::TCP;
use conntrack::table::{Counted, TableConfig};
use conntrack::test_support::frame::{Ipv4Frame, Ipv6Frame};
use conntrack::test_support::{self, Random};
use conntrack::{
    DualShard, Entry, FlowKey, FlowKeyV6, HashKind, Hasher, HasherV6, LineTable, Now, Parser, Tracker,
    TrackerConfig,
};

use crate::lcore::family::TableKey;

/// The table of the tests.
pub(crate) type Table<K> = LineTable<Counted, K>;
/// A shard of both tables.
pub(crate) type Shard = DualShard<Table<FlowKey>, Table<FlowKeyV6>>;

/// What a law needs to know about the key of a table.
pub(crate) trait TestKey: TableKey {
    /// The key of the other table.
    type Other: TestKey;

    /// Returns the flow from this source port to port 80 of another host. `input_port` is the DPDK
    /// port id + 1.
    fn flow(input_port: u8, src_port: u16) -> Self;
    /// Returns the source port.
    fn src_port(&self) -> u16;
    /// Returns the form of commands.
    fn bytes(&self) -> Vec<u8>;
    /// Returns a frame of the flow.
    fn frame(&self) -> Vec<u8>;
    /// Returns a hash function.
    fn hasher(seed: u64) -> Self::Hasher;
    /// Returns the tracker of its table.
    fn tracker(shard: &Shard) -> &Tracker<Table<Self>>;
    /// Returns the tracker of its table, to be changed.
    fn tracker_mut(shard: &mut Shard) -> &mut Tracker<Table<Self>>;

    /// Returns an entry to start from.
    fn entry(self) -> Entry<Self> {
        test_support::entry(self)
    }
}

impl TestKey for FlowKey {
    type Other = FlowKeyV6;

    fn flow(input_port: u8, src_port: u16) -> Self {
        test_support::flow(input_port, src_port)
    }

    fn src_port(&self) -> u16 {
        self.src_port()
    }

    fn bytes(&self) -> Vec<u8> {
        self.to_bytes().to_vec()
    }

    fn frame(&self) -> Vec<u8> {
        Ipv4Frame::of(self).unpadded().build()
    }

    fn hasher(seed: u64) -> Hasher {
        Hasher::new(HashKind::Keyed, Random(seed).secret(), Features::detect())
    }

    fn tracker(shard: &Shard) -> &Tracker<Table<Self>> {
        &shard.ipv4
    }

    fn tracker_mut(shard: &mut Shard) -> &mut Tracker<Table<Self>> {
        &mut shard.ipv4
    }
}

impl TestKey for FlowKeyV6 {
    type Other = FlowKey;

    fn flow(input_port: u8, src_port: u16) -> Self {
        let host = |n: u128| Ipv6Addr::from_bits(0x2001_0db8 << 96 | n);
        FlowKeyV6::new(input_port, host(1), host(2), TCP, src_port, 80)
    }

    fn src_port(&self) -> u16 {
        self.src_port()
    }

    fn bytes(&self) -> Vec<u8> {
        self.to_bytes().to_vec()
    }

    fn frame(&self) -> Vec<u8> {
        Ipv6Frame::of(self).unpadded().build()
    }

    fn hasher(seed: u64) -> HasherV6 {
        HasherV6::new(HashKind::Keyed, Random(seed).secret(), Features::detect())
    }

    fn tracker(shard: &Shard) -> &Tracker<Table<Self>> {
        &shard.ipv6
    }

    fn tracker_mut(shard: &mut Shard) -> &mut Tracker<Table<Self>> {
        &mut shard.ipv6
    }
}

/// Returns a shard of both tables, each of this number of entries.
pub(crate) fn shard(entries: u32, seed: u64) -> Shard {
    DualShard::new(Parser::default(), tracker(entries, seed), tracker(entries, seed))
}

/// Returns a tracker of a table of this number of entries.
pub(crate) fn tracker<K: TestKey>(entries: u32, seed: u64) -> Tracker<Table<K>> {
    let table = LineTable::laid_out(TableConfig { entries, hasher: K::hasher(seed) }).expect("a valid size");
    Tracker::new(table, TrackerConfig::default(), Now::from_ms(0)).expect("memory")
}

/// Makes tests of laws that are generic over the key, for the tables of both families.
macro_rules! both_families {
    ($($law:ident),+ $(,)?) => {
        mod ipv4 {
            $(#[test] fn $law() { super::$law::<conntrack::FlowKey>(); })+
        }
        mod ipv6 {
            $(#[test] fn $law() { super::$law::<conntrack::FlowKeyV6>(); })+
        }
    };
}
pub(crate) use both_families;
