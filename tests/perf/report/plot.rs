//! The plot of a section: a group of bars per scenario, with a bar per contender.

use std::ops::RangeInclusive;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Row, Section, distinct, number};

/// Stands for the page's text colour while the plot is drawn. An SVG within a page can inherit that
/// colour, and is then readable on a dark and on a light background.
const INK: RGBColor = RGBColor(1, 2, 3);
/// The same colour in the SVG's notation.
const INK_IN_SVG: &str = "\"#010203\"";

/// Colours that most eyes can distinguish, on a dark and on a light background.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0x4e, 0x79, 0xa7),
    RGBColor(0xf2, 0x8e, 0x2b),
    RGBColor(0x59, 0xa1, 0x4f),
    RGBColor(0xb0, 0x7a, 0xa1),
    RGBColor(0xe1, 0x57, 0x59),
    RGBColor(0x76, 0xb7, 0xb2),
    RGBColor(0x9c, 0x75, 0x5f),
    RGBColor(0x8a, 0x93, 0x9e),
];

/// Returns the colour of the n-th contender, paler each time all colours are in use.
fn colour(n: usize) -> RGBAColor {
    COLOURS[n % COLOURS.len()].mix(0.6f64.powi((n / COLOURS.len()) as i32))
}

/// Returns the same colour for a style sheet.
pub(super) fn css(n: usize) -> String {
    let RGBAColor(red, green, blue, alpha) = colour(n);
    format!("rgba({red}, {green}, {blue}, {alpha:.2})")
}

// Pixels.
const FONT: u32 = 16;
const SMALL_FONT: u32 = 14;
const PER_CHARACTER: usize = 8;
const LEFT: usize = 80;
const RIGHT: usize = 10;
const TOP: usize = 10;
const BOTTOM: usize = 30;
const HEIGHT: usize = 320;
/// Width that the bars share while they are few.
const USUAL: usize = 640;
const BAR: RangeInclusive<usize> = 30..=80;
const GAP: usize = 24;

/// A scenario and its position on the axis.
struct Group<'a> {
    scenario: &'a str,
    rows: Vec<&'a Row>,
    left: usize,
    width: usize,
}

/// Returns the SVG, or `None` if there are no figures. The n-th of `contenders` has the n-th
/// colour.
pub(super) fn svg(section: &Section, contenders: &[&str]) -> Option<String> {
    let figures = section.rows.iter().flat_map(|row| row.rounds.iter().copied());
    let top = figures.filter(|figure| figure.is_finite()).reduce(f64::max)?;
    // Room for the figures above the bars.
    let top = if top > 0.0 { top * 1.12 } else { 1.0 };

    let figure = |row: &Row| number(row.figures().median(), section.decimals());
    let longest = section.rows.iter().map(|row| figure(row).chars().count()).max().unwrap_or_default();
    let bar = (USUAL / section.rows.len()).clamp(*BAR.start(), *BAR.end()).max(PER_CHARACTER * longest);
    let mut groups: Vec<Group<'_>> = Vec::new();
    for scenario in distinct(section.rows.iter().map(|row| row.scenario.as_str())) {
        let rows: Vec<&Row> = section.rows.iter().filter(|row| row.scenario == scenario).collect();
        // The width of the bars or of the name, whichever is larger.
        let width = (bar * rows.len()).max(PER_CHARACTER * scenario.chars().count());
        let left = groups.last().map_or(GAP, |before| before.left + before.width + GAP);
        groups.push(Group { scenario, rows, left, width });
    }
    let width = groups.last().map_or(GAP, |last| last.left + last.width + GAP);

    let mut svg = String::new();
    let size = ((LEFT + width + RIGHT) as u32, HEIGHT as u32);
    let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
    let colour = |row: &Row| colour(contenders.iter().position(|name| *name == row.contender).unwrap_or(0));
    draw(&area, section.unit, top, &groups, bar as f64, figure, colour).expect("a string takes any drawing");
    drop(area);
    Some(svg.replace(INK_IN_SVG, "\"currentColor\""))
}

fn draw<'s>(
    area: &DrawingArea<SVGBackend<'s>, Shift>,
    unit: &str,
    top: f64,
    groups: &[Group<'_>],
    bar: f64,
    figure: impl Fn(&Row) -> String,
    colour: impl Fn(&Row) -> RGBAColor,
) -> Result<(), DrawingAreaErrorKind<<SVGBackend<'s> as DrawingBackend>::ErrorType>> {
    let text = |size: u32| TextStyle::from(("sans-serif", size).into_font()).color(&INK);
    let (width, height) = area.dim_in_pixel();
    // One unit of the first axis is a pixel.
    let across = 0.0..f64::from(width) - (LEFT + RIGHT) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin_top(TOP as u32)
        .margin_right(RIGHT as u32)
        .set_label_area_size(LabelAreaPosition::Left, LEFT as u32)
        .set_label_area_size(LabelAreaPosition::Bottom, BOTTOM as u32)
        .build_cartesian_2d(across, 0.0..top)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .y_labels(6)
        .y_label_formatter(&|value| tick(*value))
        .y_desc(unit)
        .label_style(text(FONT))
        .axis_desc_style(text(FONT))
        .axis_style(INK.mix(0.6))
        .bold_line_style(INK.mix(0.2))
        .light_line_style(TRANSPARENT)
        .draw()?;
    let above = text(SMALL_FONT).pos(Pos::new(HPos::Center, VPos::Bottom));
    let below = text(FONT).pos(Pos::new(HPos::Center, VPos::Top));
    for group in groups {
        let middle = group.left + group.width / 2;
        let at = ((LEFT + middle) as i32, height as i32 - BOTTOM as i32 + 8);
        area.draw(&Text::new(group.scenario, at, below.clone()))?;
        let first = middle as f64 - bar * group.rows.len() as f64 / 2.0;
        for (n, row) in group.rows.iter().enumerate() {
            let Some((least, most)) = row.figures().range().filter(|(_, most)| most.is_finite()) else {
                continue;
            };
            let left = first + bar * n as f64;
            let (middle, right) = (left + bar / 2.0, left + bar);
            let median = row.figures().median();
            let fill = colour(row).filled();
            chart.draw_series([Rectangle::new([(left + 2.0, 0.0), (right - 2.0, median)], fill)])?;
            let whisker = |from, to| PathElement::new([from, to], INK.stroke_width(1));
            let end = |at| whisker((middle - 5.0, at), (middle + 5.0, at));
            chart.draw_series([whisker((middle, least), (middle, most)), end(least), end(most)])?;
            chart.draw_series([Text::new(figure(row), (middle, most), above.clone())])?;
        }
    }
    area.present()
}

/// Formats a figure at the axis in its shortest form.
fn tick(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
