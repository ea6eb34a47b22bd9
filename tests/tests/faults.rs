//! *No loss without a notice, and no drift*, whatever is killed, slow or full. Each seed is one
//! trial on the real programs. `FLOWTRACKER_SEED=n` makes `seed_00` run seed n, `seed_01` seed n +
//! 1, and so on; with `FLOWTRACKER_TLS=1` the link and the watchers use mutual TLS.
#![forbid(unsafe_code)]

use std::path::Path;
use std::time::Duration;

use flowtracker_tests::trial;

fn run(offset: u64) {
    let first = std::env::var("FLOWTRACKER_SEED").ok();
    let first = first.map_or(0, |text| text.parse().expect("FLOWTRACKER_SEED is a number"));
    trial::run(first + offset, Path::new(env!("CARGO_BIN_EXE_traffic")));
}

/// The long run of `make soak`, for as long as one round takes.
#[test]
fn a_round_of_the_long_run() {
    trial::endure(4, Duration::ZERO, Path::new(env!("CARGO_BIN_EXE_traffic")));
}

macro_rules! seeds {
    ($($name:ident = $offset:literal)*) => {
        $(#[test]
        fn $name() {
            run($offset);
        })*
    };
}

seeds! {
    seed_00 = 0 seed_01 = 1 seed_02 = 2 seed_03 = 3 seed_04 = 4
    seed_05 = 5 seed_06 = 6 seed_07 = 7 seed_08 = 8 seed_09 = 9
    seed_10 = 10 seed_11 = 11 seed_12 = 12 seed_13 = 13 seed_14 = 14
    seed_15 = 15 seed_16 = 16 seed_17 = 17 seed_18 = 18 seed_19 = 19
}
