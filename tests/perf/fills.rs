//! `perf fills`: fills tables to the last entry, repeatedly, each time with other random flows
//! under another secret.
//!
//! The product's table puts an entry into one of 128 lines, so it could refuse one before it is
//! full. The arithmetic at the top of `table/lines.rs` says that this never happens; this is the
//! same by trial.

use std::fmt;
use std::time::{Duration, Instant};

use conntrack::arch::Features;
use conntrack::table::{BULK, TableConfig, Uncounted};
use conntrack::test_support::mixed;
use conntrack::{FlowKey, FlowTable as _, HashKind, Hasher, LineTable};
use flowtracker_tests::flows::flow;

/// The results for one size.
#[derive(Debug)]
pub(crate) struct Fills {
    /// Entries that the table may hold.
    pub(crate) entries: u32,
    /// Number of times that it was filled.
    pub(crate) fills: u32,
    /// Flows that were refused although there was room.
    pub(crate) refused_early: u64,
    /// Fills after which one more flow was refused.
    pub(crate) refused_full: u32,
    /// Largest distance of an entry from its home line, in lines.
    pub(crate) farthest: u32,
    pub(crate) took: Duration,
}

pub(crate) const HEADER: &str = "| entries | fills | refused below that | most lines beyond home | seconds |\n\
                                 |---:|---:|---:|---:|---:|";

impl fmt::Display for Fills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fills { entries, fills, refused_early, farthest, .. } = self;
        let seconds = self.took.as_secs_f64();
        write!(f, "| {entries} | {fills} | {refused_early} | {farthest} | {seconds:.1} |")
    }
}

/// Fills tables of this number of entries, one at a time.
pub(crate) fn run(entries: u32, fills: u32) -> Fills {
    let since = Instant::now();
    let mut all =
        Fills { entries, fills, refused_early: 0, refused_full: 0, farthest: 0, took: Duration::ZERO };
    for fill in 0..fills {
        let hasher = Hasher::new(HashKind::Keyed, secret(fill), Features::detect());
        let mut table =
            LineTable::<Uncounted>::laid_out(TableConfig { entries, hasher }).expect("memory for the table");
        let first = u64::from(fill) << 32;
        let mut next = first;
        while next < first + u64::from(entries) {
            let burst: [FlowKey; BULK] = std::array::from_fn(|i| flow(next + i as u64));
            let burst = &burst[..BULK.min((first + u64::from(entries) - next) as usize)];
            next += burst.len() as u64;
            let mut hashes = [0; BULK];
            table.hash_burst(burst, &mut hashes);
            table.prefetch_burst(&hashes[..burst.len()], false);
            for (key, hash) in burst.iter().zip(hashes) {
                match table.add_with_hash(key, hash) {
                    Ok(pos) => all.farthest = all.farthest.max(table.displacement(pos).expect("it is there")),
                    Err(_) => all.refused_early += 1,
                }
            }
        }
        all.refused_full += u32::from(table.add(&flow(next)).is_err());
    }
    all.took = since.elapsed();
    all
}

/// Returns the secret with this number.
fn secret(number: u32) -> [u8; 32] {
    let mut secret = [0; 32];
    for (chunk, word) in secret.chunks_exact_mut(8).zip(1u64..) {
        chunk.copy_from_slice(&mixed(u64::from(number) << 3 | word).to_le_bytes());
    }
    secret
}
