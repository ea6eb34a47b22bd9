//! The screen: figures above, the first flows below.

use std::time::Duration;

use clap::ValueEnum;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style, Stylize};
use ratatui::symbols::line;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, LineGauge, Paragraph, Widget};

use super::app::App;
use super::figures::{Lcore, Plane};
use super::flows::{Column, Order, Row};
use crate::render::{busy, duration, loop_time};

/// Width of the words in front of the figures.
const LABEL: usize = 13;
/// Blanks behind an lcore's figures.
const GAP: usize = 3;
/// Lines that lcores may take.
const LCORE_LINES: usize = 4;

/// Draws everything, as it is at `now`, which counts from the start.
pub(super) fn draw(app: &App, now: Duration, area: Rect, buf: &mut Buffer) {
    let mut lines = Lines { area, at: 0, buf };
    let sum = app.figures.sum();
    lines.put(title(app));
    lines.put(labelled("data planes", planes(&app.figures.planes)));
    lines.gauge(&sum);
    lines.put(labelled("per second", per_second(&sum)));
    lcores(&app.figures.planes, area.width).into_iter().for_each(|line| lines.put(line));
    lines.put(labelled("flows", listed(app, now)));
    lines.put(Line::default());

    let many = app.figures.planes.len() > 1;
    let left = usize::from(area.height).saturating_sub(lines.at + 1).min(app.count);
    let rows = app.listing.as_ref().map_or(&[][..], |listing| listing.rows(app.order));
    let rows = &rows[..rows.len().min(left)];
    let (planes, keys) = widths(rows, many);
    lines.put(heading(app.order, planes, keys).reversed());
    rows.iter().for_each(|row| lines.put(flow(row, planes, keys).into()));
    if app.help {
        help(area, lines.buf);
    }
}

/// The same as text: lines without blanks at their ends, without empty lines at the end.
pub(super) fn text(app: &App, now: Duration, width: u16, height: u16) -> String {
    let area = Rect::new(0, 0, width, height);
    let mut buf = Buffer::empty(area);
    draw(app, now, area, &mut buf);
    let line = |y| -> String { (0..width).map(|x| buf[(x, y)].symbol()).collect() };
    let lines: String = (0..height).flat_map(|y| [line(y).trim_end().to_owned(), "\n".to_owned()]).collect();
    format!("{}\n", lines.trim_end())
}

/// Lines from top to bottom, as many as there is room for.
struct Lines<'b> {
    area: Rect,
    at: usize,
    buf: &'b mut Buffer,
}

impl Lines<'_> {
    fn next(&mut self) -> Option<Rect> {
        let y = u16::try_from(self.at).ok().filter(|y| *y < self.area.height)?;
        self.at += 1;
        Some(Rect { y: self.area.y + y, height: 1, ..self.area })
    }

    fn put(&mut self, line: Line<'_>) {
        if let Some(area) = self.next() {
            line.render(area, self.buf);
        }
    }

    fn gauge(&mut self, sum: &Plane) {
        let Some(area) = self.next() else { return };
        let share = if sum.capacity == 0 { 0.0 } else { sum.entries as f64 / sum.capacity as f64 };
        let label = format!("{} of {} ({:.1}%)", sum.entries, sum.capacity, 100.0 * share);
        // A table is full before its last entry is taken.
        let colour = if share < 0.9 { Color::Green } else { Color::Red };
        LineGauge::default()
            .ratio(share.min(1.0))
            // Told apart without colours too.
            .filled_symbol(line::THICK_HORIZONTAL)
            .unfilled_symbol(line::HORIZONTAL)
            .label(labelled("entries", label))
            .filled_style(Style::new().fg(colour))
            .unfilled_style(Style::new().dark_gray())
            .render(area, self.buf);
    }
}

fn title(app: &App) -> Line<'_> {
    let mut spans = vec![
        "ctl top".bold(),
        format!("  {}  every {}  by {}", app.server, duration(millis(app.pace.interval)), by(app.order))
            .into(),
    ];
    if app.pace.paused {
        spans.push("  paused".bold());
    }
    if let Some(why) = &app.away {
        spans.push(format!("  AWAY: {why}; trying again").red().bold());
    }
    spans.push("  ? for help".dark_gray());
    spans.into()
}

fn by(order: Order) -> String {
    let first = if order.reversed { "smallest" } else { "largest" };
    format!("{}, {first} first", column(order.column))
}

/// As `--sort` takes it.
fn column(column: Column) -> String {
    column.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

fn labelled(label: &str, figures: impl Into<String>) -> Line<'static> {
    Line::from(vec![format!("{label:<LABEL$}").dark_gray(), figures.into().into()])
}

fn planes(planes: &[Plane]) -> String {
    let state = |plane: &Plane| format!("{} {}", plane.name, if plane.live { "live" } else { "away" });
    let states: Vec<String> = planes.iter().map(state).collect();
    if states.is_empty() { "none".to_owned() } else { states.join(", ") }
}

fn per_second(sum: &Plane) -> String {
    let rates = sum.rates;
    let rate =
        |rate: fn(&super::figures::Rates) -> f64| rates.as_ref().map_or("-".to_owned(), |r| scaled(rate(r)));
    format!(
        "new {}  expired {}  deleted {}  packets {}  bits {}  dropped {} ({} in all)",
        rate(|r| r.created),
        rate(|r| r.expired),
        rate(|r| r.deleted),
        rate(|r| r.packets),
        rate(|r| r.bits),
        rate(|r| r.dropped),
        sum.dropped
    )
}

/// Polls that found a frame, and how long the slowest thousandth of the iterations took, by lcore.
fn lcores(planes: &[Plane], width: u16) -> Vec<Line<'static>> {
    let many = planes.len() > 1;
    let cell = |plane: &Plane, lcore: &Lcore| {
        let place = if many { format!("{}/{}", plane.name, lcore.lcore) } else { lcore.lcore.to_string() };
        let state = if lcore.stalled {
            "STALLED".to_owned()
        } else {
            let (busy, slowest) = (busy(lcore.busy_polls, lcore.polls), loop_time(&lcore.loop_time, 999));
            format!("busy {busy:>4}  p99.9 {slowest:<6}")
        };
        format!("{place}  {state}")
    };
    let cells: Vec<String> =
        planes.iter().flat_map(|plane| plane.lcores.iter().map(move |lcore| cell(plane, lcore))).collect();
    let cell = GAP + cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
    let per_line = (usize::from(width).saturating_sub(LABEL) / cell).max(1);
    let line = |cells: &[String]| cells.iter().map(|text| format!("{text:<cell$}")).collect::<String>();
    let lines = cells.chunks(per_line).take(LCORE_LINES).enumerate();
    lines.map(|(nth, cells)| labelled(if nth == 0 { "lcores" } else { "" }, line(cells))).collect()
}

/// How old the list is.
fn listed(app: &App, now: Duration) -> String {
    let listing = app.listing.as_ref().map(|listing| {
        let age = now.saturating_sub(listing.until).as_secs();
        let took = duration(millis(listing.until.saturating_sub(listing.since)));
        format!("{} listed {age} s ago in {took}", listing.flows)
    });
    let unlisted = app.unlisted.as_ref().map(|why| format!("cannot list: {why}"));
    let parts: Vec<String> = listing.into_iter().chain(unlisted).collect();
    if parts.is_empty() { format!("first listing, {} s so far", now.as_secs()) } else { parts.join("; ") }
}

/// Of the columns of names: data planes (none when there is only one), keys.
fn widths(rows: &[Row], many: bool) -> (usize, usize) {
    let plane = rows.iter().map(|row| row.dataplane.chars().count()).max().filter(|_| many);
    let key = rows.iter().map(|row| row.key.to_string().len()).max();
    (plane.map_or(0, |width| width + 2), key.unwrap_or(0).max(38))
}

fn heading(order: Order, planes: usize, keys: usize) -> Line<'static> {
    let mark = |name: &str, of: Column| {
        let arrow = if order.reversed { "^" } else { "v" };
        format!("{name}{}", if of == order.column { arrow } else { "" })
    };
    let plane = if planes == 0 { "" } else { "PLANE" };
    format!(
        "{plane:<planes$}{:<keys$} {:>8} {:>8} {:>10} {:>12} {:>8} {:>8}",
        "KEY",
        mark("PKT/S", Column::Pps),
        mark("BYTE/S", Column::Bps),
        mark("PACKETS", Column::Packets),
        mark("BYTES", Column::Bytes),
        mark("IDLE", Column::Idle),
        mark("AGE", Column::Age)
    )
    .into()
}

fn flow(row: &Row, planes: usize, keys: usize) -> String {
    let plane = if planes == 0 { "" } else { &*row.dataplane };
    let speed = |figure: Option<f64>| figure.map_or("-".to_owned(), scaled);
    format!(
        "{plane:<planes$}{:<keys$} {:>8} {:>8} {:>10} {:>12} {:>8} {:>8}",
        row.key.to_string(),
        speed(row.speed.map(|speed| speed.packets)),
        speed(row.speed.map(|speed| speed.bytes)),
        row.packets,
        row.bytes,
        duration(row.idle_ms),
        duration(row.age_ms)
    )
}

fn help(area: Rect, buf: &mut Buffer) {
    const KEYS: [&str; 8] = [
        "q Esc Ctrl-C  quit",
        "s             sort by the next column",
        "r             the other end first",
        "p             pause, and go on",
        "+ -           ask less often, more often",
        "?             this list, on and off",
        "",
        "A busy poll has found a frame. p99.9: 999 of 1000 polls took no longer.",
    ];
    let width = KEYS.iter().map(|line| line.len()).max().unwrap_or(0) as u16 + 4;
    let height = KEYS.len() as u16 + 2;
    let place = Rect::new(
        area.x + area.width.saturating_sub(width) / 2,
        area.y + area.height.saturating_sub(height) / 2,
        width,
        height,
    )
    .intersection(area);
    Clear.render(place, buf);
    let lines: Vec<Line<'_>> = KEYS.iter().map(|line| Line::from(format!(" {line}"))).collect();
    Paragraph::new(lines).block(Block::bordered().title(" keys ")).render(place, buf);
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// To three digits: `0`, `0.25`, `12.5`, `999`, `1.23k`, `45.6M`.
fn scaled(figure: f64) -> String {
    // What would round to 1000 belongs to the next unit.
    let (figure, unit) = match figure {
        ..999.5 => (figure, ""),
        ..999.5e3 => (figure / 1e3, "k"),
        ..999.5e6 => (figure / 1e6, "M"),
        _ => (figure / 1e9, "G"),
    };
    if figure == 0.0 {
        return "0".to_owned();
    }
    let decimals = match figure {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{figure:.decimals$}{unit}")
}

#[cfg(test)]
mod tests {
    use flowtracker_proto::Timestamp;
    use flowtracker_proto::v1::{DataplaneStats, Entry, GetStatsResponse, LcoreStats, Outcomes, PortStats};
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

    /// An app after two answers, a second apart, about these data planes.
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

    /// What a terminal of this size shows, without the blanks at the ends.
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
}
