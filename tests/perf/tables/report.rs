//! The results of `perf tables`: figures next to each other and next to the product's targets.

use std::fmt;

use flowtracker_tests::rounds::Rounds;
use serde_json::{Value, json};

use super::{Counts, Family, Table};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Hit,
    Miss,
    Insert,
    Churn,
}

impl Operation {
    pub(crate) const ALL: [Operation; 4] =
        [Operation::Hit, Operation::Miss, Operation::Insert, Operation::Churn];
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::Hit => "hit, refresh",
            Operation::Miss => "miss",
            Operation::Insert => "insert",
            Operation::Churn => "delete + insert",
        })
    }
}

/// Returns the target ratio of the product's speed to a peer's.
pub(crate) fn target(flows: u32, operation: Operation, peer: Table) -> Option<f64> {
    let of_sizes = match (operation, peer) {
        (Operation::Hit, Table::Hash) => [2.0, 2.5, 3.4, 4.5],
        (Operation::Hit, Table::Learner) => [3.0, 4.0, 4.5, 5.0],
        (Operation::Insert, Table::Hash) => [2.5, 2.0, 3.0, 3.0],
        (Operation::Hit, Table::HashV6) => [1.6, 1.6, 3.0, 3.0],
        (Operation::Insert, Table::HashV6) => [3.0; 4],
        _ => return None,
    };
    let size = [1 << 10, 1 << 16, 1 << 20, 1 << 24].iter().position(|&size| size == flows)?;
    Some(of_sizes[size])
}

/// The results of one table at one size.
pub(crate) struct Row {
    pub(crate) table: Table,
    /// Number of places for entries.
    pub(crate) capacity: u64,
    /// The kind of its memory.
    pub(crate) pages: String,
    /// Nanoseconds per flow.
    pub(crate) ns: [Rounds; Operation::ALL.len()],
    pub(crate) counts: Vec<Counts>,
}

/// The results for one number of flows.
pub(crate) struct Size {
    pub(crate) flows: u32,
    /// In the order of [`Table::ALL`].
    pub(crate) rows: Vec<Row>,
    /// The time to read the keys, and the clock once per burst, which is a part of every figure.
    pub(crate) stream: Rounds,
}

/// The results of all sizes.
pub(crate) struct Report {
    pub(crate) sizes: Vec<Size>,
}

impl Row {
    fn load(&self, flows: u32) -> f64 {
        let taken: u64 = self.counts.iter().map(|counts| counts.taken).max().unwrap_or(flows.into());
        taken as f64 / self.capacity as f64
    }
}

/// The ratio of a peer's figure to the product's.
struct Versus {
    ratio: f64,
    target: Option<f64>,
}

impl Versus {
    fn below(&self) -> bool {
        self.target.is_some_and(|target| self.ratio < target)
    }
}

impl fmt::Display for Versus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.target {
            None => write!(f, "{:.2}", self.ratio),
            Some(target) if self.below() => write!(f, "**{:.2} < {target}**", self.ratio),
            Some(target) => write!(f, "{:.2} ≥ {target}", self.ratio),
        }
    }
}

impl Size {
    fn row(&self, table: Table) -> &Row {
        self.rows.iter().find(|row| row.table == table).expect("a row per table")
    }

    fn versus(&self, operation: Operation, ours: Table, peer: Table) -> Versus {
        let median = |table| self.row(table).ns[operation as usize].median();
        Versus { ratio: median(peer) / median(ours), target: target(self.flows, operation, peer) }
    }
}

impl Report {
    /// Returns the number of ratios below their targets.
    fn below(&self) -> usize {
        let pairs =
            || Table::FAMILIES.iter().flat_map(|family| family.peers.iter().map(|peer| (family.ours, *peer)));
        let all = self.sizes.iter().flat_map(|size| {
            let of = move |&op| pairs().map(move |(ours, peer)| size.versus(op, ours, peer));
            Operation::ALL.iter().flat_map(of)
        });
        all.filter(Versus::below).count()
    }

    /// Returns all figures of all rounds.
    pub(crate) fn json(&self) -> Value {
        let sizes = self.sizes.iter().map(|size| {
            let rows = size.rows.iter().map(|row| {
                let operations = Operation::ALL.iter().map(|&operation| {
                    let ns = &row.ns[operation as usize];
                    let mut value =
                        json!({ "operation": operation.to_string(), "ns": ns.0, "median": ns.median() });
                    let family = Table::FAMILIES.iter().find(|family| family.peers.contains(&row.table));
                    if let Some(family) = family {
                        let versus = size.versus(operation, family.ours, row.table);
                        value["ratio"] = json!(versus.ratio);
                        value["target"] = json!(versus.target);
                    }
                    value
                });
                let last = row.counts.last().copied().unwrap_or_default();
                json!({
                    "table": row.table.to_string(),
                    "capacity": row.capacity,
                    "load": row.load(size.flows),
                    "pages": row.pages,
                    "refused": last.refused,
                    "refused_in_churn": last.added_refused,
                    "operations": operations.collect::<Vec<_>>(),
                })
            });
            json!({ "flows": size.flows, "keys_ns": size.stream.0, "tables": rows.collect::<Vec<_>>() })
        });
        json!({ "sizes": sizes.collect::<Vec<_>>() })
    }
}

impl Report {
    /// Writes a table of the figures of a family.
    fn write_family(&self, f: &mut fmt::Formatter<'_>, family: &Family) -> fmt::Result {
        write!(f, "| flows | operation | {} | range |", family.ours)?;
        for peer in family.peers {
            write!(f, " {peer} | range | × |")?;
        }
        writeln!(f)?;
        writeln!(f, "|---:|:---|---:|:---:|{}", "---:|:---:|---:|".repeat(family.peers.len()))?;
        for size in &self.sizes {
            for operation in Operation::ALL {
                let ours = &size.row(family.ours).ns[operation as usize];
                write!(f, "| {} | {operation} | {:.1} | {} |", size.flows, ours.median(), ours.spread(1))?;
                for &peer in family.peers {
                    let ns = &size.row(peer).ns[operation as usize];
                    let versus = size.versus(operation, family.ours, peer);
                    write!(f, " {:.1} | {} | {versus} |", ns.median(), ns.spread(1))?;
                }
                writeln!(f)?;
            }
        }
        writeln!(f)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| flows | table | places | load | refused, filling | refused, churn | pages |")?;
        writeln!(f, "|---:|:---|---:|---:|---:|---:|:---|")?;
        for size in &self.sizes {
            for row in &size.rows {
                let counts = row.counts.last().copied().unwrap_or_default();
                writeln!(
                    f,
                    "| {} | {} | {} | {:.2} | {} | {} | {} |",
                    size.flows,
                    row.table,
                    row.capacity,
                    row.load(size.flows),
                    counts.refused,
                    counts.added_refused,
                    row.pages
                )?;
            }
        }
        writeln!(f)?;
        let rounds: Vec<String> =
            self.sizes.iter().map(|s| format!("{} with {}", s.stream.0.len(), s.flows)).collect();
        writeln!(
            f,
            "Nanoseconds per flow, medians of all rounds ({} flows), ranges; × is the peer's median to ours.",
            rounds.join(", ")
        )?;
        writeln!(f)?;
        for family in &Table::FAMILIES {
            self.write_family(f, family)?;
        }
        let stream: Vec<String> =
            self.sizes.iter().map(|s| format!("{:.2} at {}", s.stream.median(), s.flows)).collect();
        writeln!(f, "Reading the keys alone, a part of every figure: {} flows.", stream.join(", "))?;
        match self.below() {
            0 => writeln!(f, "No ratio is below its target."),
            below => writeln!(f, "Ratios below their targets, in bold: {below}."),
        }
    }
}
