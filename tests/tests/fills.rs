//! The part of the perf lab that fills tables, limited to what takes a few seconds.

#[path = "../perf/fills.rs"]
mod fills;

/// A table takes exactly the number of flows that it may hold, whatever the flows and the secret
/// are.
#[test]
fn nothing_is_refused_before_the_table_is_full() {
    for (entries, count) in [(1 << 10, 100), (1 << 16, 100), (1 << 20, 3)] {
        let fills = fills::run(entries, count);
        assert_eq!((fills.refused_early, fills.refused_full), (0, count), "{fills:?}");
        // At most 0.6 of the lines are ever full, so an entry lies beyond 60 of them once in 10^13
        // times.
        assert!(0 < fills.farthest && fills.farthest < 60, "{fills:?}");
    }
}

#[test]
fn a_row_has_a_cell_for_each_column() {
    let columns = |line: &str| line.matches('|').count();
    let row = fills::run(1 << 10, 1).to_string();
    assert!(row.starts_with("| 1024 | 1 | 0 | "), "{row}");
    assert!(fills::HEADER.lines().all(|line| columns(line) == columns(&row)), "{row}");
}
