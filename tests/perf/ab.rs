//! `perf ab`: another build of flowtracker next to this checkout's, interleaved on the same ports.

use std::path::Path;

use flowtracker_tests::process::binary;

use crate::{Plan, circumstances, flowtracker, interleave};

/// Compares this checkout's programs with those in the folder `programs`, which are called `name`.
pub(crate) fn run(plan: &Plan, name: &str, programs: &Path) {
    println!("flowtracker, {name} against this checkout: {}", circumstances(plan));
    let other = |program: &str| programs.join(program);
    let before = |capture: &Path, folder: &Path| flowtracker(&other, capture, plan, folder);
    let after = |capture: &Path, folder: &Path| flowtracker(&binary, capture, plan, folder);
    let cells = interleave(plan, [&before, &after]);

    println!();
    println!(
        "| flows | {name}, Mpps | spread | this checkout, Mpps | spread | ratio of medians | by round |"
    );
    println!("|---:|---:|:---:|---:|:---:|---:|:---:|");
    for (flows, [before, after]) in &cells {
        println!(
            "| {flows} | {:.2} | {} | {:.2} | {} | {:.2} | {} |",
            before.median(),
            before.spread(2),
            after.median(),
            after.spread(2),
            after.median() / before.median(),
            after.over(before).spread(2)
        );
    }
}
