//! The results of `perf tables`, in the form of the lab's report.

use crate::report::{Better, Row, Section, Target, Versus};
use crate::tables::{Operation, Report, Table, target};

/// Returns a section for each operation.
pub(crate) fn sections(report: &Report) -> Vec<Section> {
    Operation::ALL.map(|operation| section(report, operation)).into()
}

fn section(report: &Report, operation: Operation) -> Section {
    let mut rows = Vec::new();
    for size in &report.sizes {
        for row in &size.rows {
            let mut shown = Row::new(
                format!("{} flows", size.flows),
                row.table.to_string(),
                row.ns[operation as usize].0.clone(),
            );
            shown.pages.clone_from(&row.pages);
            if let Some(family) = Table::FAMILIES.iter().find(|family| family.ours == row.table) {
                let versus = |peer: &Table| Versus {
                    target: target(size.flows, operation, *peer).map(Target::AtLeast),
                    ..Versus::new(peer.to_string(), Better::Lower)
                };
                shown.versus = family.peers.iter().map(versus).collect();
            }
            rows.push(shown);
        }
    }
    Section {
        id: match operation {
            Operation::Hit => "table-hit",
            Operation::Miss => "table-miss",
            Operation::Insert => "table-insert",
            Operation::Churn => "table-churn",
        },
        title: format!("The bare tables: {operation}"),
        text: "Nanoseconds per flow, bursts of 64, which is two of the poll loop's, one thread, no ports. rte_hash and the learner are Debian's builds; \
               rte_hash holds twice the flows, with the 136-bit key of the API, with the same packed \
               into 128 bits, or with the 328-bit key of IPv6."
            .to_owned(),
        unit: "ns",
        rows,
        plot: true,
    }
}
