//! The report as one self-contained page, without scripts and other files. It is well-formed XML
//! too, so that a test can parse it as such.

use std::fmt::{self, Write as _};

use super::table::{Align, Table};
use super::{LEGEND, MISSED, Report, Section, distinct, plot};

/// The colours follow the preference of the reader's system.
const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2125; --paper: #ffffff; --line: #d3d7db; --missed: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e6e9; --paper: #16191c; --line: #3d4349; --missed: #ff8a80; }
}
body { max-width: 80rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.5 sans-serif;
       color: var(--ink); background: var(--paper); }
h2 { margin-top: 3rem; }
a { color: inherit; }
p { max-width: 50rem; }
figure { margin: 1rem 0; overflow-x: auto; }
figcaption span { margin-right: 1.5rem; white-space: nowrap; }
figcaption i { display: inline-block; width: 0.9rem; height: 0.9rem; margin-right: 0.4rem; vertical-align: -0.1rem; }
div.table { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.6rem; border-bottom: 1px solid var(--line); text-align: left; }
th.centre, td.centre { text-align: center; white-space: nowrap; }
th.right, td.right { text-align: right; white-space: nowrap; }
.missed { color: var(--missed); font-weight: bold; }
";

impl Report {
    /// Returns the page.
    pub(crate) fn html(&self) -> String {
        let mut page = String::new();
        self.write(&mut page).expect("a string takes any text");
        page
    }

    fn write(&self, page: &mut String) -> fmt::Result {
        let title = escaped(&self.title);
        writeln!(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>")?;
        writeln!(page, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>")?;
        writeln!(page, "<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>")?;
        writeln!(page, "<table class=\"facts\">")?;
        for (name, fact) in &self.facts {
            writeln!(page, "<tr><th>{}</th><td>{}</td></tr>", escaped(name), escaped(fact))?;
        }
        writeln!(page, "</table>")?;
        let missed = self.missed();
        let class = if missed.is_empty() { "" } else { " class=\"missed\"" };
        writeln!(page, "<p{class}>{}</p>\n<ul>", escaped(&self.verdict()))?;
        for section in &self.sections {
            writeln!(page, "<li><a href=\"#{}\">{}</a></li>", escaped(section.id), escaped(&section.title))?;
        }
        writeln!(page, "</ul>\n<p>{}</p>", escaped(LEGEND))?;

        // One colour for a contender in the whole report.
        let contenders = distinct(
            self.sections.iter().flat_map(|section| &section.rows).map(|row| row.contender.as_str()),
        );
        for section in &self.sections {
            write_section(page, section, &contenders)?;
        }

        writeln!(page, "<h2 id=\"missed\">{MISSED}</h2>\n<p>{}</p>", escaped(&self.verdict()))?;
        if !missed.is_empty() {
            writeln!(page, "<ul>")?;
            for line in missed {
                writeln!(page, "<li class=\"missed\">{}</li>", escaped(&line))?;
            }
            writeln!(page, "</ul>")?;
        }
        writeln!(page, "</body>\n</html>")
    }
}

fn write_section(page: &mut String, section: &Section, contenders: &[&str]) -> fmt::Result {
    writeln!(page, "<section id=\"{}\">\n<h2>{}</h2>", escaped(section.id), escaped(&section.title))?;
    for paragraph in section.text.split("\n\n").map(str::trim).filter(|text| !text.is_empty()) {
        writeln!(page, "<p>{}</p>", escaped(paragraph))?;
    }
    if let Some(svg) = section.plot.then(|| plot::svg(section, contenders)).flatten() {
        let unit = escaped(section.unit);
        writeln!(page, "<figure>\n{svg}<figcaption>")?;
        for name in distinct(section.rows.iter().map(|row| row.contender.as_str())) {
            let colour = plot::css(contenders.iter().position(|other| *other == name).unwrap_or_default());
            writeln!(page, "<span><i style=\"background: {colour}\"></i>{}</span>", escaped(name))?;
        }
        writeln!(page, "<br/>{unit}: medians, and from the smallest figure of a round to the largest.")?;
        writeln!(page, "</figcaption>\n</figure>")?;
    }
    write_table(page, &Table::new(section, true))?;
    if let Some(verdict) = section.verdict() {
        let class = if section.missed().is_empty() { "" } else { " class=\"missed\"" };
        writeln!(page, "<p{class}>{}</p>", escaped(&verdict))?;
    }
    writeln!(page, "</section>")
}

fn write_table(page: &mut String, table: &Table) -> fmt::Result {
    let class = |align: &Align| match align {
        Align::Left => "left",
        Align::Centre => "centre",
        Align::Right => "right",
    };
    writeln!(page, "<div class=\"table\">\n<table>\n<thead>\n<tr>")?;
    for (name, align) in &table.head {
        writeln!(page, "<th class=\"{}\">{}</th>", class(align), escaped(name))?;
    }
    writeln!(page, "</tr>\n</thead>\n<tbody>")?;
    for row in &table.rows {
        writeln!(page, "<tr>")?;
        for (cell, (_, align)) in row.iter().zip(&table.head) {
            let missed = if cell.missed { " missed" } else { "" };
            writeln!(page, "<td class=\"{}{missed}\">{}</td>", class(align), escaped(&cell.text))?;
        }
        writeln!(page, "</tr>")?;
    }
    writeln!(page, "</tbody>\n</table>\n</div>")
}

/// Text as it may stand in an element or between the quotes of an attribute. XML knows no control
/// characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            c if c.is_control() && c != '\n' => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
