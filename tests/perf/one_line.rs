//! The worst case of the product's table: flows that all have the same home line. Without the
//! secret nobody can choose such flows, except for `--hash crc` and `jhash`, whose hashes anybody
//! can compute.

use std::time::Instant;

use conntrack::arch::Features;
use conntrack::table::{ALL_STEPS, BULK, Packets, Refresh, TableConfig, Uncounted};
use conntrack::{FlowKey, FlowTable as _, HashKind, Hasher, LineTable, Tick};
use flowtracker_tests::{collisions, flows};

use crate::report::{Better, Row, Section, Versus};

/// Number of flows, in a table with room for twice as many.
const FLOWS: usize = 4096;
const PASSES: usize = 256;

/// Compares hits of such flows with hits of the same number of evenly spread flows.
pub(crate) fn section(rounds: usize) -> Section {
    let mut section = Section {
        id: "one-line",
        title: "The bare table: all flows in one line".to_owned(),
        text: format!(
            "Hit and refresh, bursts of 32. {FLOWS} flows that have the same home line under the hash that is used, in a table for \
             twice as many; next to as many random ones. Whoever is not at home is found along a probe sequence of his own, \
             which is secret under every hash."
        ),
        unit: "ns",
        rows: Vec::new(),
        plot: true,
    };
    for (kind, name) in [(HashKind::Keyed, "keyed"), (HashKind::Crc, "crc"), (HashKind::Jhash, "jhash")] {
        let hasher = || Hasher::new(kind, [7; 32], Features::detect());
        let new = || {
            LineTable::laid_out(TableConfig { entries: 2 * FLOWS as u32, hasher: hasher() }).expect("memory")
        };
        let chosen = collisions::in_one_line(&hasher(), new().lines(), FLOWS);
        let random: Vec<FlowKey> = (0..FLOWS as u64).map(flows::flow).collect();
        let mut figures = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (figures, keys) in figures.iter_mut().zip([&random, &chosen]) {
                figures.push(hits(&mut new(), keys));
            }
        }
        let [random, chosen] = figures;
        let contender = format!("flowtracker, {name}");
        section.rows.push(Row::new("random flows", contender.clone(), random));
        let versus = Versus {
            scenario: Some("random flows".to_owned()),
            ..Versus::new(contender.clone(), Better::Lower)
        };
        section.rows.push(Row::new("flows of one line", contender, chosen).next_to(versus));
    }
    section
}

/// Returns nanoseconds per flow, once all flows are in the table, where each must be found.
fn hits(table: &mut LineTable<Uncounted>, keys: &[FlowKey]) -> f64 {
    for key in keys {
        table.add(key).expect("there is room");
    }
    let mut hashes = [0; BULK];
    let mut found = 0;
    let since = Instant::now();
    for pass in 0..PASSES {
        for burst in keys.chunks(32) {
            table.hash_burst(burst, &mut hashes);
            table.prefetch_burst(&hashes[..burst.len()], false);
            let refresh = Refresh { stamp: Tick(pass as u32), counting: false };
            let packets = Packets::first(burst.len(), burst, &hashes, &[0; BULK]);
            let mut hits = table.probe_burst(packets, 0, refresh, &[], |_| {});
            hits |= table.probe_displaced(packets, ALL_STEPS, refresh);
            found += hits.count_ones() as usize;
        }
    }
    let took = since.elapsed();
    assert_eq!(found, PASSES * keys.len(), "every flow is found");
    took.as_nanos() as f64 / found as f64
}
