//! The part of the perf lab that compares with the kernel's own tracker, at rates at which neither
//! may lose anything.

#[path = "../perf/kernel.rs"]
mod kernel;

use kernel::{Listener, Plan};

/// Each flow is one entry, one event at its start and one at its end, in the kernel as in
/// flowtracker. The kernel counts as dropped what a small buffer misses, of a flush above all.
#[test]
fn at_a_low_rate_nobody_loses() {
    let plan = Plan {
        rates: vec![1_000],
        rounds: 1,
        seconds: 1,
        read_out: true,
        flush: 5_000,
        traffic: env!("CARGO_BIN_EXE_traffic").into(),
    };
    let report = kernel::run(&plan);
    assert_eq!(report.rows.len(), 3, "{report}");
    for row in &report.rows {
        let [sample] = &row.samples[..] else { panic!("one round: {report}") };
        assert!(sample.offered > 0, "{report}");
        assert_eq!(sample.created, sample.offered - sample.refused, "{report}");
        assert_eq!(sample.lost(), sample.known_lost, "{report}");
        // The default buffer of a socket is small: a listener that gets no CPU for part of a second
        // loses some events.
        if row.listener != Listener::Conntrack {
            assert_eq!(sample.known_lost, 0, "{report}");
            assert_eq!(sample.deleted, sample.created, "{report}");
            assert_eq!(
                (sample.created_events, sample.deleted_events),
                (sample.created, sample.deleted),
                "{report}"
            );
        }
    }
    assert_eq!(report.flushes.len(), 2, "{report}");
    for flush in &report.flushes {
        assert_eq!(flush.flows, plan.flush, "{report}");
        assert_eq!(flush.arrived + flush.drops, flush.flows, "{report}");
        if flush.listener == Listener::ConntrackBig {
            assert_eq!(flush.drops, 0, "{report}");
        }
    }
}
