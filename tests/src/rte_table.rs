//! The real `rte_hash` as a table of the engine, so that laws, differential tests and benches can
//! use librte_hash in place of the product's own table.
//!
//! `rte_hash` gives a position to every key and keeps nothing else, so stamps, marks and all else
//! are arrays by position. Only this file makes up for what the engine needs and `rte_hash` lacks:
//! - it cannot hold fewer than eight entries: a smaller table refuses keys by its own count;
//! - it may refuse a key although it is not full, when the key's two buckets are: this is passed on
//!   as [`TableFull`].

use std::process;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use conntrack::entry::{Cold, Counts, Mark};
use conntrack::table::BULK;
use conntrack::{FlowKey, FlowTable, Pos, TableFull, Tick};
use dpdk::hash::{HashConfig, HashError, HashFunction, RteHash};
use dpdk::{Eal, SocketId};

/// Smallest number of entries of an `rte_hash` (`RTE_HASH_BUCKET_ENTRIES`).
const FEWEST: u32 = 8;

/// Returns the EAL of this process, which has no hugepages, no devices and no other processes. The
/// first call starts it, and it stays until the process ends.
///
/// # Panics
/// When it cannot start.
pub fn eal() -> &'static Eal {
    static EAL: LazyLock<Eal> = LazyLock::new(|| {
        let prefix = format!("rte-table-{}", process::id());
        let args = ["--no-huge", "--no-shconf", "--no-pci", "-m", "256", "-l", "0", "--file-prefix", &prefix];
        Eal::init("rte-table", &args.map(str::to_owned))
            .unwrap_or_else(|error| panic!("the EAL does not start: {error}"))
    });
    &EAL
}

/// An `rte_hash` over the 17 bytes of [`FlowKey::to_bytes`], with stamps and marks beside it.
pub struct RteTable {
    hash: RteHash<'static>,
    capacity: u32,
    positions: u32,
    stamps: Vec<Tick>,
    marks: Vec<Mark>,
    cold: Vec<Cold>,
    counts: Vec<Counts>,
}

impl RteTable {
    /// Returns a table of `entries` entries with this hash function and initial value, on the EAL
    /// of this process. It may refuse a key before it is full.
    ///
    /// # Panics
    /// When librte_hash refuses.
    #[must_use]
    pub fn new(entries: u32, function: HashFunction, init: u32) -> Self {
        Self::of_size(eal(), entries, entries, function, init)
    }

    /// Returns a table of `entries` entries on this EAL, over an `rte_hash` twice as large, which
    /// is how users size it.
    ///
    /// # Panics
    /// When librte_hash refuses.
    #[must_use]
    pub fn on(eal: &'static Eal, entries: u32, function: HashFunction, init: u32) -> Self {
        Self::of_size(eal, entries, 2 * entries, function, init)
    }

    /// Returns a table as [`Self::new`] does, but over an `rte_hash` that is four times as large
    /// and has at least 32 buckets, so that random keys find room as long as the table is not full.
    ///
    /// # Panics
    /// When librte_hash refuses.
    #[must_use]
    pub fn with_headroom(entries: u32, function: HashFunction, init: u32) -> Self {
        Self::of_size(eal(), entries, (4 * entries).max(32 * FEWEST), function, init)
    }

    /// Returns a table of `capacity` entries over an `rte_hash` of `entries`.
    fn of_size(eal: &'static Eal, capacity: u32, entries: u32, function: HashFunction, init: u32) -> Self {
        // Names are unique in a process, and short (RTE_HASH_NAMESIZE is 32).
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("table{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let config = HashConfig {
            name: &name,
            entries: entries.max(FEWEST),
            key_len: FlowKey::BYTES as u32,
            hash: function,
            init_value: init,
            socket: SocketId::ANY,
            ext_table: false,
        };
        let hash = RteHash::new(eal, &config)
            .unwrap_or_else(|error| panic!("rte_hash_create of {entries} entries: {error}"));
        // DPDK calls this number the largest id, but a table of one thread only assigns ids below
        // it.
        let positions = hash.max_key_id();
        RteTable {
            hash,
            capacity,
            positions,
            stamps: vec![Tick(0); positions as usize],
            marks: vec![Mark::default(); positions as usize],
            cold: vec![Cold::default(); positions as usize],
            counts: vec![Counts::default(); positions as usize],
        }
    }
}

impl FlowTable for RteTable {
    type Key = FlowKey;

    fn capacity(&self) -> u32 {
        self.capacity
    }

    fn positions(&self) -> u32 {
        self.positions
    }

    fn len(&self) -> u32 {
        self.hash.count()
    }

    fn hash(&self, key: &FlowKey) -> u32 {
        self.hash.hash(&key.to_bytes()).expect("a key of the table's length")
    }

    fn hash_burst(&self, keys: &[FlowKey], out: &mut [u32]) {
        assert!(keys.len() <= BULK && keys.len() <= out.len());
        for (key, out) in keys.iter().zip(out) {
            *out = self.hash(key);
        }
    }

    fn lookup_with_hash(&self, key: &FlowKey, hash: u32) -> Option<Pos> {
        self.hash.lookup_with_hash(&key.to_bytes(), hash).ok().map(Pos)
    }

    fn lookup_burst(&self, keys: &[FlowKey], hashes: &[u32], out: &mut [Pos]) -> u64 {
        let n = keys.len();
        if n == 0 {
            // librte_hash refuses an empty burst with EINVAL.
            return 0;
        }
        let mut bytes = [[0; FlowKey::BYTES]; BULK];
        for (bytes, key) in bytes.iter_mut().zip(keys) {
            *bytes = key.to_bytes();
        }
        let keys: [&[u8]; BULK] = bytes.each_ref().map(<[u8; FlowKey::BYTES]>::as_slice);
        let mut found = [0; BULK];
        let hits = self
            .hash
            .lookup_bulk_with_hash(&keys[..n], &hashes[..n], &mut found[..n])
            .expect("1 to 64 keys of the table's length");
        for (out, found) in out[..n].iter_mut().zip(found) {
            *out = Pos(found);
        }
        hits
    }

    fn add_with_hash(&mut self, key: &FlowKey, hash: u32) -> Result<Pos, TableFull> {
        if let Some(pos) = self.lookup_with_hash(key, hash) {
            return Ok(pos);
        }
        if self.len() == self.capacity {
            return Err(TableFull);
        }
        let pos = match self.hash.add_with_hash(&key.to_bytes(), hash) {
            Ok(pos) => pos,
            Err(HashError::NoSpace) => return Err(TableFull),
            Err(error) => panic!("rte_hash_add_key_with_hash: {error}"),
        };
        self.marks[pos as usize] = Mark::default();
        Ok(Pos(pos))
    }

    fn remove_at(&mut self, pos: Pos) {
        if let Some(key) = self.key_at(pos) {
            let was = self.hash.del(&key.to_bytes());
            assert_eq!(was, Ok(pos.0), "{key} was elsewhere");
        }
    }

    fn key_at(&self, pos: Pos) -> Option<FlowKey> {
        if pos.0 >= self.positions {
            return None;
        }
        FlowKey::from_bytes(self.hash.key_at(pos.0)?.first_chunk()?)
    }

    fn stamp(&self, pos: Pos) -> Tick {
        self.stamps[pos.0 as usize]
    }

    fn set_stamp(&mut self, pos: Pos, stamp: Tick) {
        self.stamps[pos.0 as usize] = stamp;
    }

    fn mark(&self, pos: Pos) -> Mark {
        self.marks[pos.0 as usize]
    }

    fn set_mark(&mut self, pos: Pos, mark: Mark) {
        self.marks[pos.0 as usize] = mark;
    }

    fn prefetch_at(&self, _: Pos) {}

    fn cold(&self, pos: Pos) -> &Cold {
        &self.cold[pos.0 as usize]
    }

    fn cold_mut(&mut self, pos: Pos) -> &mut Cold {
        &mut self.cold[pos.0 as usize]
    }

    fn counts(&self, pos: Pos) -> Counts {
        self.counts[pos.0 as usize]
    }

    fn counts_mut(&mut self, pos: Pos) -> Option<&mut Counts> {
        Some(&mut self.counts[pos.0 as usize])
    }
}
