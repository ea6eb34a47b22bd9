//! `perf tables`: the bare tables side by side, without ports: the product's, librte_hash's, and
//! the learner table of librte_table.
//!
//! A round makes each table, fills it, looks up flows that are present and flows that are not, and
//! replaces the oldest flows by new ones. Tables take turns in one process, one at a time, with
//! every second round in reverse order. Keys are made in advance, in chunks, outside of the
//! measured time. Every answer is compared with the expected one, so that a table that loses flows
//! yields no figure.

#[path = "tables/contenders.rs"]
mod contenders;
#[path = "tables/report.rs"]
mod report;

use std::collections::HashSet;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use conntrack::test_support::mixed;
use conntrack::{FlowKey, FlowKeyV6, FlowTable};
use contenders::{BURST, Contender, Hash, Nothing, Ours, learner};
use dpdk::Eal;
use dpdk::clock::tsc;
use flowtracker_tests::hugepages::Hugepages;
use flowtracker_tests::rounds::Rounds;
#[cfg_attr(test, allow(unused_imports, reason = "the report takes it"))]
pub(crate) use report::target;
pub(crate) use report::{Operation, Report, Row, Size};

/// Keys that are made at a time; few enough that a small table stays in the cache meanwhile.
const CHUNK: usize = 16 * BURST;
/// Flows from this number on are in no table.
const ABSENT: u64 = 1 << 40;
/// Bytes for each flow: a bucket of the largest table, the learner's, with alignment and headers.
const EAL_BYTES_PER_FLOW: u64 = 256;
const EAL_MORE_MIB: u64 = 192;

/// The extent of a run.
pub(crate) struct Plan {
    /// Numbers of flows, which are powers of two of at least a chunk of keys, each with its number
    /// of rounds.
    pub(crate) sizes: Vec<(u32, usize)>,
    /// A smaller table is filled repeatedly until this number of flows was added.
    pub(crate) inserts: u64,
    /// Number of lookups of present flows, and again of absent ones.
    pub(crate) lookups: u64,
    /// Number of flows that are replaced.
    pub(crate) churn: u64,
    /// CPU of the EAL's only lcore; the caller's thread stays where it is.
    pub(crate) cpu: u32,
    /// Whether DPDK's tables get hugepages of 2 MiB, which are taken from the machine during the
    /// run.
    pub(crate) hugepages: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Ours,
    OursHalf,
    Hash,
    HashPacked,
    HashExt,
    Learner,
    OursV6,
    HashV6,
}

/// The product's table of a family, and what it is compared with.
pub(crate) struct Family {
    pub(crate) ours: Table,
    pub(crate) peers: &'static [Table],
}

impl Table {
    pub(crate) const ALL: [Table; 8] = [
        Table::Ours,
        Table::OursHalf,
        Table::Hash,
        Table::HashPacked,
        Table::HashExt,
        Table::Learner,
        Table::OursV6,
        Table::HashV6,
    ];
    /// IPv4 and IPv6; the peers of the latter begin with the product's own table of IPv4.
    pub(crate) const FAMILIES: [Family; 2] = [
        Family {
            ours: Table::Ours,
            peers: &[Table::OursHalf, Table::Hash, Table::HashPacked, Table::HashExt, Table::Learner],
        },
        Family { ours: Table::OursV6, peers: &[Table::Ours, Table::HashV6] },
    ];

    /// Returns true for the learner, which silently refuses a flow when its bucket is full. All
    /// others must accept the flows that they have room for.
    fn may_refuse(self) -> bool {
        self == Table::Learner
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Table::Ours => "flowtracker",
            Table::OursHalf => "flowtracker, half full",
            Table::Hash => "rte_hash",
            Table::HashPacked => "rte_hash, 16-byte keys",
            Table::HashExt => "the same, EXT_TABLE",
            Table::Learner => "SWX learner",
            Table::OursV6 => "flowtracker, IPv6",
            Table::HashV6 => "rte_hash, 41-byte keys",
        })
    }
}

/// Counts of the flows of one round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Flows in the table once it was filled, and those that it refused.
    pub(crate) taken: u64,
    pub(crate) refused: u64,
    /// Lookups that found an entry, of flows that had been taken and of others.
    pub(crate) found: u64,
    pub(crate) found_absent: u64,
    /// Flows deleted during replacement; then those added, and those refused.
    pub(crate) deleted: u64,
    pub(crate) added: u64,
    pub(crate) added_refused: u64,
}

/// Measures all tables. Panics where one breaks a law.
pub(crate) fn run(plan: &Plan) -> Report {
    let largest = plan.sizes.iter().map(|&(flows, _)| flows).max().expect("a number of flows");
    let mib = (u64::from(largest) * EAL_BYTES_PER_FLOW).div_ceil(1 << 20) + EAL_MORE_MIB;
    let before = Memory::now();
    // Returned to the machine after the EAL is gone.
    let hugepages = plan.hugepages.then(|| Hugepages::take(mib.div_ceil(2)));
    let eal = start_eal(plan.cpu, mib, hugepages.as_ref().map(Hugepages::folder));
    // The EAL does not zero memory that was never used, and leaves the page faults to the first
    // writer. Memory that was used, as after the first of these two, is zeroed when it is handed
    // out again.
    drop(learner(&eal, largest));
    drop(learner(&eal, largest));
    let pages = Memory::now().since(&before);
    let sizes = plan.sizes.iter().map(|&(flows, rounds)| compare(plan, &eal, &pages, flows, rounds));
    Report { sizes: sizes.collect() }
}

/// Starts the EAL without ports, and with memory for the largest of DPDK's tables.
fn start_eal(cpu: u32, mib: u64, hugepages: Option<&Path>) -> Eal {
    let mut args =
        format!("--no-shconf --no-pci -l {cpu} -m {mib} --file-prefix fttables{}", std::process::id());
    match hugepages {
        Some(folder) => args += &format!(" --huge-dir {}", folder.display()),
        None => args += " --no-huge",
    }
    let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
    Eal::init("tables", &args).unwrap_or_else(|error| panic!("the EAL does not start: {error}"))
}

/// Measures all tables with this number of flows. `pages` describes the memory of DPDK's tables.
fn compare(plan: &Plan, eal: &Eal, pages: &str, flows: u32, rounds: usize) -> Size {
    assert!(flows.is_power_of_two() && flows as usize >= CHUNK, "{flows} flows");
    let before = Memory::now();
    let ours = Ours::<FlowKey>::new(flows, 0);
    // All of it has been written to.
    let our_pages = Memory::now().since(&before);
    let places = ours.table.positions();
    drop(ours);
    // A table has places for 5/3 of the entries that it may hold. rte_hash is half full as well.
    let half = flows + flows / 5;
    let half_places = Ours::<FlowKey>::new(half, 0).table.positions();
    let row = |table| {
        let flows = u64::from(flows);
        let (capacity, pages) = match table {
            Table::Ours | Table::OursV6 => (u64::from(places), our_pages.clone()),
            Table::OursHalf => (u64::from(half_places), our_pages.clone()),
            Table::Hash | Table::HashPacked | Table::HashV6 => (2 * flows, pages.to_owned()),
            Table::HashExt => (flows, pages.to_owned()),
            Table::Learner => (4 * flows, pages.to_owned()),
        };
        Row { table, capacity, pages, ns: Default::default(), counts: Vec::new() }
    };
    let mut size = Size { flows, rows: Table::ALL.map(row).into(), stream: Rounds::default() };
    for round in 0..rounds {
        let mut bench = Bench { table: Nothing, plan, flows: flows.into(), refused: HashSet::new() };
        size.stream.0.push(bench.hits().0);
        let mut order: [usize; Table::ALL.len()] = std::array::from_fn(|row| row);
        // Every second round runs in reverse order, so that drift affects all alike.
        if round % 2 == 1 {
            order.reverse();
        }
        for row in order {
            let row = &mut size.rows[row];
            let (figures, counts) = match row.table {
                // Full, to the last entry that it may hold.
                Table::Ours => measure(plan, flows, || Ours::<FlowKey>::new(flows, round)),
                Table::OursHalf => measure(plan, flows, || Ours::<FlowKey>::new(half, round)),
                Table::OursV6 => measure(plan, flows, || Ours::<FlowKeyV6>::new(flows, round)),
                // Half of its places are taken: with more, a bucket or two may overflow, which
                // makes it slower.
                Table::Hash => {
                    measure(plan, flows, || Hash::<{ FlowKey::BYTES }>::new(eal, 2 * flows, false))
                }
                Table::HashV6 => {
                    measure(plan, flows, || Hash::<{ FlowKeyV6::BYTES }>::new(eal, 2 * flows, false))
                }
                Table::HashPacked => measure(plan, flows, || Hash::<16>::new(eal, 2 * flows, false)),
                // This variant is made for tables that are filled to the last place.
                Table::HashExt => measure(plan, flows, || Hash::<16>::new(eal, flows, true)),
                // `n_keys_max` of its parameters: the same number of buckets of four.
                Table::Learner => measure(plan, flows, || learner(eal, flows)),
            };
            assert!(
                row.table.may_refuse() || counts.refused + counts.added_refused == 0,
                "{} with {flows} flows refused some: {counts:?}",
                row.table
            );
            for (rounds, figure) in row.ns.iter_mut().zip(figures) {
                rounds.0.push(figure);
            }
            row.counts.push(counts);
        }
    }
    size
}

/// Measures one round of one table. Returns nanoseconds in the order of [`Operation::ALL`].
fn measure<C: Contender>(
    plan: &Plan,
    flows: u32,
    make: impl Fn() -> C,
) -> ([f64; Operation::ALL.len()], Counts) {
    let mut bench = Bench { table: make(), plan, flows: flows.into(), refused: HashSet::new() };
    let fills = plan.inserts.div_ceil(bench.flows);
    let mut insert = 0.0;
    for fill in 0..fills {
        if fill != 0 {
            // The old table is dropped first, because only one may exist at a time.
            let Bench { table, .. } = bench;
            drop(table);
            bench = Bench { table: make(), plan, flows: flows.into(), refused: HashSet::new() };
        }
        insert += bench.fill() / fills as f64;
    }
    let refused = bench.refused.len() as u64;
    let (hit, found) = bench.hits();
    let (miss, found_absent) = bench.misses();
    let (churn, deleted) = bench.churn();
    let added_refused = bench.refused.len() as u64 - refused;
    let counts = Counts {
        taken: bench.flows - refused,
        refused,
        found,
        found_absent,
        deleted,
        added: plan.churn - added_refused,
        added_refused,
    };
    ([hit, miss, insert, churn], counts)
}

/// A table and the expected answers.
struct Bench<'p, C> {
    table: C,
    plan: &'p Plan,
    flows: u64,
    /// Flows that the table refused to add.
    refused: HashSet<u64>,
}

/// The numbers and keys of the flows of one chunk, and the table's answer to each burst.
struct Chunk<K> {
    numbers: Vec<u64>,
    keys: Vec<K>,
    answers: [u64; CHUNK / BURST],
}

impl<K> Chunk<K> {
    /// Makes the flows of one chunk out of `count`, which begins with the `start`-th.
    fn make(start: u64, count: u64, number: impl Fn(u64) -> u64, key: impl Fn(u64) -> K) -> Self {
        let numbers: Vec<u64> = (start..count.min(start + CHUNK as u64)).map(number).collect();
        let keys = numbers.iter().map(|&number| key(number)).collect();
        Chunk { numbers, keys, answers: [0; CHUNK / BURST] }
    }

    /// Returns every flow with the answer about it.
    fn answered(&self) -> impl Iterator<Item = (u64, bool)> {
        self.numbers.chunks(BURST).zip(self.answers).flat_map(|(numbers, answer)| {
            numbers.iter().enumerate().map(move |(i, &n)| (n, answer >> i & 1 == 1))
        })
    }
}

impl<C: Contender> Bench<'_, C> {
    /// Calls the table for `count` flows. `number` returns the n-th flow, `ask` makes the call, and
    /// `law` checks each answer. Returns nanoseconds per flow.
    fn ask(
        &mut self,
        count: u64,
        number: impl Fn(u64) -> u64,
        ask: impl Fn(&mut C, u64, &[C::Key], &[C::Key]) -> u64,
        mut law: impl FnMut(&mut HashSet<u64>, u64, bool),
    ) -> f64 {
        let mut took = Duration::ZERO;
        for start in (0..count).step_by(CHUNK) {
            let mut chunk = Chunk::make(start, count, &number, C::key);
            let since = Instant::now();
            let mut ahead = chunk.keys.chunks(BURST);
            self.table.announce(ahead.next().unwrap_or(&[]));
            for (keys, answer) in chunk.keys.chunks(BURST).zip(&mut chunk.answers) {
                *answer = ask(&mut self.table, tsc(), keys, ahead.next().unwrap_or(&[]));
            }
            took += since.elapsed();
            for (number, answer) in chunk.answered() {
                law(&mut self.refused, number, answer);
            }
        }
        took.as_nanos() as f64 / count as f64
    }

    /// Adds the flows from 0 on. Returns nanoseconds per flow.
    fn fill(&mut self) -> f64 {
        self.ask(self.flows, |n| n, C::insert, note_refused)
    }

    /// Looks flows up, each equally often, in an order that is unrelated to that of their addition.
    /// Also returns the number of flows found.
    fn hits(&mut self) -> (f64, u64) {
        let flows = self.flows;
        let mut found = 0;
        let ns = self.ask(
            self.plan.lookups,
            |n| shuffled(n % flows, flows, n / flows),
            C::refresh,
            |refused, flow, answer| {
                assert_eq!(answer, !refused.contains(&flow), "flow {flow} of {flows} is there: {answer}");
                found += u64::from(answer);
            },
        );
        (ns, found)
    }

    /// Looks up flows that were never added. Also returns the number of flows found.
    fn misses(&mut self) -> (f64, u64) {
        let mut found = 0;
        let ns = self.ask(
            self.plan.lookups,
            |n| ABSENT + n,
            C::refresh,
            |_, flow, answer| {
                assert!(!answer, "flow {flow} was never added and is there");
                found += u64::from(answer);
            },
        );
        (ns, found)
    }

    /// Deletes the oldest burst of flows and adds a burst of new ones, repeatedly. Returns
    /// nanoseconds per pair, and the number of flows deleted.
    fn churn(&mut self) -> (f64, u64) {
        let mut took = Duration::ZERO;
        let mut deleted = 0;
        for start in (0..self.plan.churn).step_by(CHUNK) {
            let mut old = Chunk::make(start, self.plan.churn, |n| n, C::key);
            let mut new = Chunk::make(start, self.plan.churn, |n| self.flows + n, C::key);
            let since = Instant::now();
            let bursts = old.keys.chunks(BURST).zip(new.keys.chunks(BURST));
            for ((old_keys, new_keys), (gone, come)) in
                bursts.zip(old.answers.iter_mut().zip(&mut new.answers))
            {
                let now = tsc();
                self.table.announce(new_keys);
                *gone = self.table.delete(now, old_keys);
                *come = self.table.insert(now, new_keys, &[]);
            }
            took += since.elapsed();
            for (flow, answer) in new.answered() {
                note_refused(&mut self.refused, flow, answer);
            }
            for (flow, answer) in old.answered() {
                assert_eq!(answer, !self.refused.contains(&flow), "flow {flow} was deleted: {answer}");
                deleted += u64::from(answer);
            }
        }
        (took.as_nanos() as f64 / self.plan.churn as f64, deleted)
    }
}

fn note_refused(refused: &mut HashSet<u64>, flow: u64, taken: bool) {
    if !taken {
        refused.insert(flow);
    }
}

/// Returns the place of `n`, of 0 to `count` - 1, in a permutation that `seed` chooses. `count` is
/// a power of two.
fn shuffled(n: u64, count: u64, seed: u64) -> u64 {
    let mask = count - 1;
    let half = count.ilog2().div_ceil(2);
    let mut x = n ^ (mixed(seed + 1) & mask);
    for factor in [0x9e37_79b9_7f4a_7c15u64, 0xbf58_476d_1ce4_e5b9] {
        x = x.wrapping_mul(factor) & mask;
        x ^= x >> half;
    }
    x
}

/// Memory of this process by the kind of its pages, in KiB.
struct Memory {
    usual: u64,
    transparent: u64,
    hugetlb: u64,
}

impl Memory {
    fn now() -> Self {
        let text = std::fs::read_to_string("/proc/self/smaps_rollup").expect("Linux 4.14 or later");
        let sum = |names: &[&str]| -> u64 {
            text.lines()
                .filter_map(|line| line.split_once(':'))
                .filter(|(name, _)| names.contains(name))
                .map(|(_, rest)| rest.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of KiB"))
                .sum()
        };
        let transparent = sum(&["AnonHugePages", "ShmemPmdMapped"]);
        Memory {
            usual: sum(&["Rss"]) - transparent,
            transparent,
            hugetlb: sum(&["Shared_Hugetlb", "Private_Hugetlb"]),
        }
    }

    /// Describes the memory that was added since `before`.
    fn since(&self, before: &Memory) -> String {
        let grown = |of: fn(&Memory) -> u64| of(self).saturating_sub(of(before));
        match (grown(|m| m.hugetlb), grown(|m| m.transparent), grown(|m| m.usual)) {
            (0, 0, _) => "4 KiB".to_owned(),
            (0, huge, usual) => format!("{} % THP", 100 * huge / (huge + usual)),
            (_, _, _) => "hugepages".to_owned(),
        }
    }
}
