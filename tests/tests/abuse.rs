//! Those who can reach the product and abuse it leave everybody else alone: bounded memory, health,
//! lists, watchers and the lcore. `make abuse` prints the figures of a longer and larger form.
#![forbid(unsafe_code)]

use std::path::Path;
use std::time::Duration;

use flowtracker_tests::abuse::suite::{self, Scale};

#[test]
fn nobody_who_calls_the_service_harms_anybody_else() {
    let rows = suite::against_service(Path::new(env!("CARGO_BIN_EXE_abuse")), Scale::QUICK, |_| true);
    let table = suite::table(&rows);
    assert!(rows.iter().all(|row| row.broken.is_empty()), "\n{table}");
}

#[test]
fn no_service_makes_a_data_plane_grow() {
    let ordered = suite::against_dataplane(Duration::from_secs(2));
    assert!(ordered.iter().all(|ordered| ordered.counts.1 > 0), "{ordered:?}");
}
