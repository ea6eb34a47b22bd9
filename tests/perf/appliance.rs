//! `perf appliance`: the whole data plane next to its peers, on ports that always have frames, in
//! one interleaved run.
//!
//! The ports are net_null's, which deliver blank frames as fast as they are polled. `source.c`
//! writes flows into them and counts, in the same way for each program. So neither a wire nor a
//! generator can be too slow. The cost of the source has rows of its own: testpmd in io mode, which
//! forwards without a look at the frames, with and without the source.

#[path = "appliance/scenarios.rs"]
mod scenarios;
#[path = "appliance/trial.rs"]
mod trial;

use std::cell::Cell;
use std::path::Path;

use flowtracker_tests::hugepages::Hugepages;

use crate::report::{Row, Section};
use crate::source;
use scenarios::{Case, Figure};
use trial::Bench;

/// The extent of a run.
pub(crate) struct Plan {
    /// Number of measurements of each trial.
    pub(crate) rounds: usize,
    /// Length of a measurement, seconds.
    pub(crate) seconds: f64,
    /// Largest number of flows, of both ports together.
    pub(crate) largest: u64,
    /// Id of the only section to measure; `None` means all.
    pub(crate) only: Option<String>,
}

/// Hugepages of 2 MiB for the mbufs of two ports, for all programs that have them at the same time.
const HUGEPAGES: u64 = 64 * 4 + 32;

/// Measures everything.
pub(crate) fn run(plan: &Plan) -> Vec<Section> {
    measure(plan, |folder| scenarios::all(plan, folder))
}

/// Measures known flows, with the programs in the folder `programs`, which are called `name`, and
/// with this checkout's.
pub(crate) fn next_to_revision(plan: &Plan, name: &str, programs: &Path) -> Vec<Section> {
    measure(plan, |_| scenarios::revisions(plan, name, programs))
}

/// Measures scenarios, which may keep files in the folder that they are given.
fn measure(plan: &Plan, scenarios: impl FnOnce(&Path) -> scenarios::All) -> Vec<Section> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    assert!(cores >= 2, "two cores are needed: one for the worker, one for everything else");
    let hugepages = Hugepages::ask(HUGEPAGES);
    if hugepages.is_none() {
        println!("no hugepages to be had: everything is measured without");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bench = Bench {
        library: source::build(),
        hugepages,
        folder: folder.path().to_owned(),
        seconds: plan.seconds,
        started: Cell::default(),
    };
    let (mut sections, contests) = scenarios(folder.path());
    if let Some(only) = &plan.only {
        assert!(sections.iter().any(|section| section.id == only), "no section is called {only}");
    }
    let contests: Vec<Vec<Case>> = contests
        .into_iter()
        .filter(|cases| {
            plan.only.as_deref().is_none_or(|only| sections[cases[0].figures[0].section].id == only)
        })
        .collect();
    let new_rows = |case: &Case| -> Vec<Row> { case.figures.iter().map(Figure::row).collect() };
    let mut rows: Vec<Vec<Vec<Row>>> =
        contests.iter().map(|cases| cases.iter().map(new_rows).collect()).collect();
    for round in 0..plan.rounds {
        // Every second round runs in reverse order, so that drift affects all alike.
        let mut order: Vec<usize> = (0..contests.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let cases = &contests[index];
            let measured = match &cases[..] {
                [case] => vec![bench.measure(&case.trial)],
                cases => bench.measure_in_turns(cases.iter().map(|case| &case.trial)),
            };
            for ((case, rows), measured) in cases.iter().zip(&mut rows[index]).zip(&measured) {
                for (figure, row) in case.figures.iter().zip(rows) {
                    row.rounds.push((figure.read)(measured));
                    row.pages.clone_from(&measured.pages);
                }
            }
        }
        println!("appliance: round {} of {}", round + 1, plan.rounds);
    }
    for (case, rows) in contests.iter().flatten().zip(rows.into_iter().flatten()) {
        for (figure, row) in case.figures.iter().zip(rows) {
            sections[figure.section].rows.push(row);
        }
    }
    sections.retain(|section| !section.rows.is_empty());
    sections.iter_mut().for_each(mark_source_bound);
    sections
}

/// Marks the rows that depend on the source more than on the program, because the source alone is
/// hardly faster.
fn mark_source_bound(section: &mut Section) {
    if section.unit != "Mpps" {
        return;
    }
    let median = |row: &Row| flowtracker_tests::rounds::Rounds(row.rounds.clone()).median();
    let ceilings: Vec<(String, f64)> = section
        .rows
        .iter()
        .filter(|row| row.contender == scenarios::SOURCE)
        .map(|row| (row.scenario.clone(), median(row)))
        .collect();
    for row in section.rows.iter_mut().filter(|row| row.contender.starts_with(scenarios::OURS)) {
        let ceiling = ceilings.iter().find(|(scenario, _)| *scenario == row.scenario);
        if ceiling.is_some_and(|(_, ceiling)| median(row) > 0.8 * ceiling) {
            row.notes.push("source-bound".to_owned());
        }
    }
}
