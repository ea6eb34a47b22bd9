use flowtracker_proto::v1::Outcomes;

use super::*;

/// A data plane of one lcore and one port, each of whose counters stands at a multiple of `n`.
fn plane(name: &str, at: i64, n: u64) -> DataplaneStats {
    let lcore = LcoreStats {
        lcore: 1,
        rx: 10 * n,
        tx_dropped: n,
        outcomes: Some(Outcomes { miss_created: 2 * n, ..Outcomes::default() }),
        entries: 7,
        capacity: 100,
        expired: 3 * n,
        deleted: 4 * n,
        polls: 1000 * n,
        busy_polls: 100 * n,
        loop_time: vec![0, n, 5 * n],
        ..LcoreStats::default()
    };
    let port = PortStats { rx_bytes: 600 * n, rx_missed: n, rx_nombuf: n, ..PortStats::default() };
    DataplaneStats {
        dataplane: name.to_owned(),
        lcores: vec![lcore],
        ports: vec![port],
        time: Some(Timestamp { seconds: at, nanos: 500_000_000 }),
        live: true,
    }
}

fn rates_of(n: f64) -> Rates {
    Rates {
        created: 2.0 * n,
        expired: 3.0 * n,
        deleted: 4.0 * n,
        packets: 10.0 * n,
        bits: 4800.0 * n,
        dropped: 3.0 * n,
    }
}

fn take(figures: &mut Figures, dataplanes: Vec<DataplaneStats>) {
    figures.take(GetStatsResponse { dataplanes, log: None });
}

#[test]
fn rates_are_differences_over_the_data_planes_own_seconds() {
    let mut figures = Figures::default();
    take(&mut figures, vec![plane("a", 100, 5)]);
    assert_eq!((figures.planes[0].rates, figures.sum().rates), (None, None), "one answer has no rates");
    assert_eq!(
        (figures.sum().fill.entries, figures.sum().fill.capacity, figures.sum().dropped),
        (7, 100, 15)
    );
    take(&mut figures, vec![plane("a", 102, 9), plane("b", 7, 1)]);
    assert_eq!(figures.planes[0].rates, Some(rates_of(2.0)));
    let lcore = Lcore { lcore: 1, polls: 4000, busy_polls: 400, loop_time: vec![0, 4, 20], stalled: false };
    assert_eq!(figures.planes[0].lcores, [lcore]);
    assert_eq!(figures.planes[1].rates, None, "it has just come");
    take(&mut figures, vec![plane("a", 104, 11), plane("b", 8, 3)]);
    let mut both = rates_of(1.0);
    both += rates_of(2.0);
    assert_eq!(figures.sum().rates, Some(both));
}

#[test]
fn a_restarted_data_plane_has_counted_from_nothing() {
    let mut figures = Figures::default();
    take(&mut figures, vec![plane("a", 100, 1_000_000)]);
    take(&mut figures, vec![plane("a", 104, 8)]);
    assert_eq!(figures.planes[0].rates, Some(rates_of(2.0)));
    assert_eq!(figures.planes[0].lcores[0].loop_time, [0, 8, 40]);
}

#[test]
fn what_is_away_or_has_not_been_asked_again_has_no_rates() {
    let mut figures = Figures::default();
    take(&mut figures, vec![plane("a", 100, 1)]);
    take(&mut figures, vec![plane("a", 100, 1)]);
    assert_eq!(figures.planes[0].rates, None, "the same figures again");
    take(&mut figures, vec![DataplaneStats { live: false, ..plane("a", 101, 2) }]);
    assert_eq!((figures.planes[0].rates, figures.planes[0].fill.entries), (None, 7));
}
