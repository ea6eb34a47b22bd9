use flowtracker_proto::Timestamp;
use flowtracker_proto::key::FlowKey;
use flowtracker_proto::v1::{
    DataplaneStats, Entry, GetStatsResponse, LcoreStats, Outcomes, PortStats, TableStats,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::cli::top::flows::Flows;
use crate::cli::top::flows::tests::{entry, list};
use crate::cli::top::source::News;

fn lcore(lcore: u32, n: u64) -> LcoreStats {
    LcoreStats {
        lcore,
        rx: 2_500 * n,
        tx_dropped: n,
        outcomes: Some(Outcomes { miss_created: 10 * n, ..Outcomes::default() }),
        entries: 300,
        capacity: 1000,
        expired: 5 * n,
        polls: 1000 * n,
        busy_polls: 250 * n,
        loop_time: vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 997 * n, 0, 0, 3 * n],
        ..LcoreStats::default()
    }
}

fn plane(name: &str, n: u64) -> DataplaneStats {
    DataplaneStats {
        dataplane: name.to_owned(),
        lcores: vec![lcore(1, n), lcore(2, n)],
        ports: vec![PortStats { rx_bytes: 100_000 * n, ..PortStats::default() }],
        time: Some(Timestamp { seconds: n as i64, nanos: 0 }),
        live: true,
    }
}

/// Returns an app after two answers, a second apart, about these data planes.
fn app(planes: &[&str], listings: [&[Entry]; 2]) -> App {
    let order = Order { column: Column::Pps, reversed: false };
    let mut app = App::new("unix:/run/ft.sock".to_owned(), 100, order, Duration::from_millis(500));
    let mut flows = Flows::default();
    for n in [1, 2] {
        let dataplanes = planes.iter().map(|name| plane(name, n)).collect();
        app.take(News::Stats(GetStatsResponse { dataplanes, log: None }));
        app.take(News::Listed(list(&mut flows, n, listings[n as usize - 1])));
    }
    app
}

fn one() -> App {
    app(
        &["lab"],
        [
            &[entry("lab", 1, 10, 5_000), entry("lab", 40_001, 10, 5_000)],
            &[entry("lab", 1, 1_260, 6_000), entry("lab", 40_001, 10, 6_000), entry("lab", 7, 3, 600)],
        ],
    )
}

const NOW: Duration = Duration::from_secs(5);

#[test]
fn the_screen_of_one_data_plane() {
    let app = one();
    let golden = [
        "ctl top  unix:/run/ft.sock  every 500ms  by pps, largest first  ? for help",
        "data planes  lab live",
        "entries      600 of 2000 (30.0%) ━━━━━━━━━━━━━━━━━━━━───────────────────────────────────────────────",
        "per second   new 20.0  expired 10.0  deleted 0  packets 5.00k  bits 800k  dropped 2.00 (4 in all)",
        "lcores       1  busy  25%  p99.9 112ns    2  busy  25%  p99.9 112ns",
        "flows        3 listed 3 s ago in 0ms",
        "",
        "KEY                                      PKT/Sv   BYTE/S    PACKETS        BYTES     IDLE      AGE",
        "port0/tcp/10.0.0.1:1-10.0.0.2:80          1.25k     125k       1260       126000     3.0s     6.0s",
        "port0/tcp/10.0.0.1:7-10.0.0.2:80           3.00      300          3          300    300ms    600ms",
        "port0/tcp/10.0.0.1:40001-10.0.0.2:80          0        0         10         1000     3.0s     6.0s",
    ];
    assert_eq!(screen(&app, 100, 13), golden);
    let lines: String = golden.iter().flat_map(|line| [line, "\n"]).collect();
    assert_eq!(text(&app, NOW, 100, 30), lines, "as text too");
}

/// Returns the screen of a terminal of this size, without trailing blanks.
fn screen(app: &App, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(app, NOW, frame.area(), frame.buffer_mut())).unwrap();
    let cells = terminal.backend().to_string();
    let mut lines: Vec<String> =
        cells.lines().map(|line| line.trim_matches('"').trim_end().to_owned()).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

#[test]
fn several_data_planes_are_told_apart() {
    let app = app(
        &["edge-west", "lab"],
        [&[], &[entry("lab", 7, 3, 600), entry("edge-west", 7, 30, 600), entry("lab", 8, 1, 60_000)]],
    );
    let shown = screen(&app, 130, 20);
    assert_eq!(shown[1], "data planes  edge-west live, lab live");
    assert!(shown[2].starts_with("entries      1200 of 4000 (30.0%)"), "{}", shown[2]);
    assert_eq!(
        shown[4],
        "lcores       edge-west/1  busy  25%  p99.9 112ns    edge-west/2  busy  25%  p99.9 112ns    lab/1  busy  25%  p99.9 112ns"
    );
    assert_eq!(shown[5], "             lab/2  busy  25%  p99.9 112ns");
    assert_eq!(
        shown[8..],
        [
            "PLANE      KEY                                      PKT/Sv   BYTE/S    PACKETS        BYTES     IDLE      AGE",
            "edge-west  port0/tcp/10.0.0.1:7-10.0.0.2:80           30.0    3.00k         30         3000    300ms    600ms",
            "lab        port0/tcp/10.0.0.1:7-10.0.0.2:80           3.00      300          3          300    300ms    600ms",
            "lab        port0/tcp/10.0.0.1:8-10.0.0.2:80              -        -          1          100    30.0s    60.0s",
        ]
    );
}

/// Returns an entry of IPv6.
fn entry6(key: &str, packets: u64) -> Entry {
    let key: FlowKey = key.parse().unwrap();
    Entry { key: Some(key.to_proto()), ..entry("lab", 1, packets, 6_000) }
}

#[test]
fn both_tables_have_their_gauges_and_their_flows() {
    let of = |pipeline: &str, entries| TableStats {
        pipeline: pipeline.to_owned(),
        entries,
        capacity: 1000,
        ..TableStats::default()
    };
    let lcore = |tables| LcoreStats { entries: 300, capacity: 2000, tables, ..lcore(1, 1) };
    let long = "port0/tcp/[2001:db8:1111:2222:3333:4444:5555:6666]:53660-[2001:db8:1111:2222:3333:4444:5555:7777]:1234";
    let entries = [entry6("port0/tcp/[2001:db8::1]:1-[::ffff:10.0.0.2]:2", 5), entry("lab", 7, 3, 600)];
    let mut app = app(&["lab"], [&[], &entries]);
    let both = vec![of("flowtracker", 950), of("flowtracker_ipv6", 20)];
    let stats = |tables, at| GetStatsResponse {
        dataplanes: vec![DataplaneStats { lcores: vec![lcore(tables)], ..plane("lab", at) }],
        log: None,
    };
    app.take(News::Stats(stats(both, 3)));
    let shown = screen(&app, 110, 20);
    assert!(shown[2].starts_with("entries IPv4 950 of 1000 (95.0%) ━"), "{}", shown[2]);
    assert!(shown[3].starts_with("entries IPv6 20 of 1000 (2.0%) ━"), "{}", shown[3]);
    assert_eq!(
        shown[8..],
        [
            "KEY                                             PKT/Sv   BYTE/S    PACKETS        BYTES     IDLE      AGE",
            "port0/tcp/10.0.0.1:7-10.0.0.2:80                  3.00      300          3          300    300ms    600ms",
            "port0/tcp/[2001:db8::1]:1-[::ffff:10.0.0.2]:2        -        -          5          500     3.0s     6.0s",
        ]
    );
    // A terminal shows the figures of a long key, and a frame of text the whole key.
    let mut flows = Flows::default();
    app.take(News::Listed(list(&mut flows, 5, &[entry6(long, 5)])));
    let shown = screen(&app, 130, 20);
    assert_eq!(
        shown[9],
        format!("{}…        -        -          5          500     3.0s     6.0s", &long[..69])
    );
    assert!(text(&app, NOW, text_width(&app), 20).contains(&format!("\n{long}        -        -")));
    // A data plane with one table has one gauge, whichever table it is.
    app.take(News::Stats(stats(vec![of("flowtracker_ipv6", 20)], 4)));
    assert!(screen(&app, 110, 20)[2].starts_with("entries      20 of 1000 (2.0%) ━"));
}

#[test]
fn what_is_wrong_is_said() {
    let mut app = one();
    app.pace.paused = true;
    app.take(News::Away("connection refused".to_owned()));
    app.take(News::Unlisted("no data plane is attached".to_owned()));
    let shown = screen(&app, 140, 13);
    assert!(shown[0].contains("  paused  AWAY: connection refused; trying again"), "{}", shown[0]);
    assert_eq!(shown[5], "flows        3 listed 3 s ago in 0ms; cannot list: no data plane is attached");
    let order = Order { column: Column::Pps, reversed: false };
    let nothing = App::new("http://[::1]:1".to_owned(), 5, order, Duration::from_secs(1));
    let shown = screen(&nothing, 140, 13);
    assert_eq!(shown[1], "data planes  none");
    assert!(shown[3].contains("new -"), "{}", shown[3]);
    assert_eq!(shown[4], "flows        first listing, 5 s so far");
}

#[test]
fn a_terminal_of_any_size_shows_what_fits() {
    let mut app = one();
    let whole = screen(&app, 100, 13);
    for height in 0..13 {
        let cut = whole[..whole.len().min(height.into())].join("\n");
        assert_eq!(screen(&app, 100, height).join("\n"), cut.trim_end());
    }
    app.help = true;
    for (width, height) in [(1, 1), (20, 5), (80, 24), (400, 100)] {
        let shown = screen(&app, width, height);
        assert!(shown.len() <= height.into());
        assert_eq!(shown.iter().any(|line| line.contains("q Esc Ctrl-C  quit")), width >= 80);
    }
    app.help = false;
    app.count = 2;
    assert_eq!(screen(&app, 100, 13), whole[..10], "as many as asked for");
}

#[test]
fn figures_have_three_digits() {
    for (figure, text) in [
        (0.0, "0"),
        (0.25, "0.25"),
        (9.996, "10.0"),
        (99.96, "100"),
        (999.4, "999"),
        (999.6, "1.00k"),
        (12_345.0, "12.3k"),
        (999_600.0, "1.00M"),
        (1.5e9, "1.50G"),
    ] {
        assert_eq!(scaled(figure), text, "{figure}");
    }
}
