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
use super::figures::{Fill, Lcore, Plane};
use super::order::{Column, Order, Row};
use crate::render::printable::one_line;
use crate::render::{busy, duration, loop_time};
use flowtracker_proto::table::Family;

/// Width of the words in front of the figures.
const LABEL: usize = 13;
/// Blanks after an lcore's figures.
const GAP: usize = 3;
/// Width of the figures of a flow, with the blanks in front of them.
const FIGURES: usize = 60;
/// Width of the longest key of IPv4.
const IPV4_KEY: usize = 57;
/// Lines that lcores may take.
const LCORE_LINES: usize = 4;

/// Draws everything as it is at `now`, which counts from the start.
pub(super) fn draw(app: &App, now: Duration, area: Rect, buf: &mut Buffer) {
    let mut lines = Lines { area, at: 0, buf };
    let sum = app.figures.sum();
    lines.put(title(app));
    lines.put(labelled("data planes", planes(&app.figures.planes)));
    match &sum.tables[..] {
        [] => lines.gauge("entries", sum.fill),
        tables => tables.iter().for_each(|(pipeline, fill)| lines.gauge(&entries_of(pipeline), *fill)),
    }
    lines.put(labelled("per second", per_second(&sum)));
    lcores(&app.figures.planes, area.width).into_iter().for_each(|line| lines.put(line));
    lines.put(labelled("flows", listed(app, now)));
    lines.put(Line::default());

    let many = app.figures.planes.len() > 1;
    let left = usize::from(area.height).saturating_sub(lines.at + 1).min(app.count);
    let rows = app.listing.as_ref().map_or(&[][..], |listing| listing.rows(app.order));
    let rows = &rows[..rows.len().min(left)];
    let (planes, keys) = widths(rows, many);
    let room = usize::from(area.width).saturating_sub(planes + FIGURES);
    // No key of IPv4 is cut.
    let keys = keys.min(room.max(IPV4_KEY));
    lines.put(heading(app.order, planes, keys).reversed());
    rows.iter().for_each(|row| lines.put(flow(row, planes, keys).into()));
    if app.help {
        help(area, lines.buf);
    }
}

/// Returns the same as text: lines without trailing blanks, without empty lines at the end.
pub(super) fn text(app: &App, now: Duration, width: u16, height: u16) -> String {
    let area = Rect::new(0, 0, width, height);
    let mut buf = Buffer::empty(area);
    draw(app, now, area, &mut buf);
    let line = |y| -> String { (0..width).map(|x| buf[(x, y)].symbol()).collect() };
    let lines: String = (0..height).flat_map(|y| [line(y).trim_end().to_owned(), "\n".to_owned()]).collect();
    format!("{}\n", lines.trim_end())
}

/// Lines from top to bottom, as far as there is room.
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

    fn gauge(&mut self, name: &str, fill: Fill) {
        let Some(area) = self.next() else { return };
        let Fill { entries, capacity } = fill;
        let share = if capacity == 0 { 0.0 } else { entries as f64 / capacity as f64 };
        let label = format!("{entries} of {capacity} ({:.1}%)", 100.0 * share);
        // A table is full before every entry of it is in use.
        let colour = if share < 0.9 { Color::Green } else { Color::Red };
        LineGauge::default()
            .ratio(share.min(1.0))
            // The difference must also show without colours.
            .filled_symbol(line::THICK_HORIZONTAL)
            .unfilled_symbol(line::HORIZONTAL)
            .label(labelled(name, label))
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

/// Returns the name of a column as `--sort` takes it.
fn column(column: Column) -> String {
    column.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

fn labelled(label: &str, figures: impl Into<String>) -> Line<'static> {
    Line::from(vec![format!("{label:<LABEL$}").dark_gray(), figures.into().into()])
}

/// Returns the label of the entries of a pipeline's table.
fn entries_of(pipeline: &str) -> String {
    match Family::of_pipeline(pipeline) {
        Ok(Family::Ipv4) => "entries IPv4".to_owned(),
        Ok(Family::Ipv6) => "entries IPv6".to_owned(),
        Err(_) => format!("{} ", one_line(pipeline)),
    }
}

/// Returns the width that shows the first rows whole, of a frame of text.
pub(super) fn text_width(app: &App) -> u16 {
    let many = app.figures.planes.len() > 1;
    let rows = app.listing.as_ref().map_or(&[][..], |listing| listing.rows(app.order));
    let (planes, keys) = widths(&rows[..rows.len().min(app.count)], many);
    u16::try_from(planes + keys + FIGURES).unwrap_or(u16::MAX)
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

/// Returns lines with the polls of each lcore that found a frame, and the time of its slowest
/// iterations.
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

/// Returns the age of the list.
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

/// Returns the widths of the columns of names: data planes (0 when there is only one), keys.
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
        cut(row.key.to_string(), keys),
        speed(row.speed.map(|speed| speed.packets)),
        speed(row.speed.map(|speed| speed.bytes)),
        row.packets,
        row.bytes,
        duration(row.idle_ms),
        duration(row.age_ms)
    )
}

/// Returns the beginning of a key that is too long, with a mark at its end.
fn cut(key: String, width: usize) -> String {
    if key.len() <= width {
        return key;
    }
    let kept: String = key.chars().take(width - 1).collect();
    format!("{kept}…")
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

/// Formats a figure to three digits: `0`, `0.25`, `12.5`, `999`, `1.23k`, `45.6M`.
fn scaled(figure: f64) -> String {
    // A figure that would round to 1000 is shown in the next unit.
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
mod tests;
