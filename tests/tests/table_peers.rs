//! The part of the perf lab that compares DPDK's tables with ours, in small sizes. It checks that
//! the measured tables lose no flow.

#[path = "../perf/tables.rs"]
mod tables;

use tables::{Counts, Operation, Plan, Table};

/// Every flow that a table took is found in it and no other flow is, and each flow that is to make
/// room is there to be deleted. Only the learner refuses flows, and each refusal is counted.
#[test]
fn every_table_answers_for_every_flow() {
    const FLOWS: u32 = 4096;
    const ROUNDS: usize = 2;
    let (lookups, churn) = (3 * u64::from(FLOWS), 2 * u64::from(FLOWS));
    let plan = Plan {
        sizes: vec![(1024, ROUNDS), (FLOWS, ROUNDS)],
        inserts: 10_000,
        lookups,
        churn,
        cpu: 0,
        hugepages: false,
    };
    let report = tables::run(&plan);
    assert_eq!(report.sizes.len(), 2, "{report}");
    for size in &report.sizes {
        assert_eq!(size.rows.iter().map(|row| row.table).collect::<Vec<_>>(), Table::ALL, "{report}");
        for row in &size.rows {
            assert_eq!(row.counts.len(), ROUNDS, "{report}");
            assert_eq!(row.counts[0], row.counts[1], "the same flows, the same answers: {report}");
            let Counts { taken, refused, found, found_absent, deleted, added, added_refused } = row.counts[0];
            assert_eq!(taken + refused, u64::from(size.flows), "{report}");
            assert_eq!(added + added_refused, churn, "{report}");
            assert_eq!(found_absent, 0, "{report}");
            // The lookups are whole rounds over all flows, so each flow is found once per round if
            // it was taken.
            assert_eq!(found, taken * (lookups / u64::from(size.flows)), "{report}");
            assert!(taken <= row.capacity && row.capacity >= size.flows.into(), "{report}");
            if row.table == Table::Learner {
                // The bounds follow from the odds that a bucket is full: it holds four entries, and
                // one on average.
                assert!(0 < refused && refused < u64::from(size.flows) / 50, "{report}");
                assert!(0 < added_refused && added_refused < churn / 20, "{report}");
                assert!(deleted < churn, "{report}");
            } else {
                assert_eq!((refused, added_refused, deleted), (0, 0, churn), "{report}");
            }
            for operation in Operation::ALL {
                let ns = &row.ns[operation as usize];
                assert_eq!(ns.0.len(), ROUNDS, "{report}");
                assert!(ns.median() > 0.0, "{report}");
            }
        }
    }
    // Both forms of the report are complete, whatever the figures are.
    let json = report.json();
    assert_eq!(
        json["sizes"][1]["tables"][3]["operations"][0]["ns"].as_array().map(Vec::len),
        Some(2),
        "{json}"
    );
    let text = report.to_string();
    let rows = text.lines().filter(|line| line.starts_with("| 4096 |")).count();
    assert_eq!(rows, Table::ALL.len() + Table::FAMILIES.len() * Operation::ALL.len(), "{text}");
}
