//! `perf ab`: another build of flowtracker next to this checkout's, interleaved on the same ports.

use std::path::Path;

use flowtracker_tests::process::binary;

use crate::report::{Better, Row, Section, Versus};
use crate::{Plan, appliance, circumstances, flowtracker, interleave, plan, revisions};

const THIS: &str = "flowtracker";

/// Returns the sections that compare this checkout's programs with those in the folder `programs`,
/// which are called `name`.
pub(crate) fn sections(name: &str, programs: &Path) -> Vec<Section> {
    let mut sections = appliance::next_to_revision(&plan(None), name, programs);
    sections.push(on_pcap(&revisions(), name, programs));
    sections
}

fn on_pcap(plan: &Plan, name: &str, programs: &Path) -> Section {
    let other = |program: &str| programs.join(program);
    let before = |capture: &Path, folder: &Path| flowtracker(&other, capture, plan, folder);
    let after = |capture: &Path, folder: &Path| flowtracker(&binary, capture, plan, folder);
    let cells = interleave(plan, [&before, &after]).into_iter();
    let rows = cells.flat_map(|(flows, [before, after])| {
        let scenario = format!("{flows} flows");
        let versus = Versus::new(name, Better::Higher);
        [Row::new(scenario.clone(), name, before.0), Row::new(scenario, THIS, after.0).next_to(versus)]
    });
    Section {
        id: "ab-pcap",
        title: format!("{name} and this checkout: on net_pcap"),
        text: circumstances(plan),
        unit: "Mpps",
        rows: rows.collect(),
        plot: true,
    }
}
