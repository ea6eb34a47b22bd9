//! The table of a section, for Markdown and for HTML.

use std::fmt;

use super::{Judged, OF_RATIOS, Section, Versus, number};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Centre,
    Right,
}

pub(super) struct Table {
    pub(super) head: Vec<(String, Align)>,
    pub(super) rows: Vec<Vec<Judged>>,
}

impl Table {
    /// Makes the table; with `rounds` it has the figures of every round.
    pub(super) fn new(section: &Section, rounds: bool) -> Self {
        let mut table = Table { head: Vec::new(), rows: vec![Vec::new(); section.rows.len()] };
        let decimals = section.decimals();
        let plain = |text: String| Judged { text, missed: false };

        table.add("scenario", Align::Left, section.rows.iter().map(|row| plain(row.scenario.clone())));
        table.add("contender", Align::Left, section.rows.iter().map(|row| plain(row.contender.clone())));
        table.add(section.unit, Align::Right, section.rows.iter().map(|row| section.judge(row)));
        let ranges = section.rows.iter().map(|row| plain(row.figures().spread(decimals)));
        table.add("range", Align::Centre, ranges);

        let mut peers: Vec<String> = Vec::new();
        for label in section.rows.iter().flat_map(|row| &row.versus).map(Versus::label) {
            if !peers.contains(&label) {
                peers.push(label);
            }
        }
        for peer in peers {
            let next_to = |row: usize| {
                let row = &section.rows[row];
                row.versus.iter().filter(|versus| versus.label() == peer).map(move |versus| (row, versus))
            };
            let ratios = (0..section.rows.len())
                .map(|row| joined(next_to(row).map(|(row, versus)| section.judge_ratio(row, versus))));
            table.add(&format!("× {peer}"), Align::Right, ratios);
            let ranges = (0..section.rows.len()).map(|row| {
                joined(
                    next_to(row)
                        .map(|(row, versus)| plain(section.ratio(row, versus).by_round.spread(OF_RATIOS))),
                )
            });
            table.add("by round", Align::Centre, ranges);
        }

        if section.rows.iter().any(|row| !row.pages.is_empty()) {
            table.add("pages", Align::Left, section.rows.iter().map(|row| plain(row.pages.clone())));
        }
        if section.rows.iter().any(|row| !row.notes.is_empty()) {
            table.add("notes", Align::Left, section.rows.iter().map(|row| plain(row.notes.join(", "))));
        }
        if rounds {
            let of_round = |figure: &f64| number(*figure, decimals);
            let rounds = section
                .rows
                .iter()
                .map(|row| plain(row.rounds.iter().map(of_round).collect::<Vec<_>>().join(", ")));
            table.add("rounds", Align::Left, rounds);
        }
        table
    }

    fn add(&mut self, name: &str, align: Align, cells: impl Iterator<Item = Judged>) {
        self.head.push((name.to_owned(), align));
        for (row, cell) in self.rows.iter_mut().zip(cells) {
            row.push(cell);
        }
    }
}

/// Joins several results in one cell, if a row has more than one for the same peer.
fn joined(cells: impl Iterator<Item = Judged>) -> Judged {
    cells.fold(Judged::default(), |mut all, cell| {
        if !all.text.is_empty() {
            all.text += "; ";
        }
        all.text += &cell.text;
        all.missed |= cell.missed;
        all
    })
}

/// Prints Markdown, with columns aligned for a terminal.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head: Vec<String> = self.head.iter().map(|(name, _)| markdown(name)).collect();
        let rows: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| {
                let bold = |cell: &Judged| match (cell.missed, markdown(&cell.text)) {
                    (true, text) => format!("**{text}**"),
                    (false, text) => text,
                };
                row.iter().map(bold).collect()
            })
            .collect();
        let width = |column: usize| {
            let cells = rows.iter().chain([&head]).map(|row| row[column].chars().count());
            cells.max().unwrap_or_default().max(4)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let line = |f: &mut fmt::Formatter<'_>, row: &[String]| {
            for ((cell, width), (_, align)) in row.iter().zip(&widths).zip(&self.head) {
                match align {
                    Align::Left => write!(f, "| {cell:<width$} ")?,
                    Align::Centre => write!(f, "| {cell:^width$} ")?,
                    Align::Right => write!(f, "| {cell:>width$} ")?,
                }
            }
            writeln!(f, "|")
        };
        line(f, &head)?;
        for (width, (_, align)) in widths.iter().zip(&self.head) {
            match align {
                Align::Left => write!(f, "|:{}", "-".repeat(width + 1))?,
                Align::Centre => write!(f, "|:{}:", "-".repeat(*width))?,
                Align::Right => write!(f, "|{}:", "-".repeat(width + 1))?,
            }
        }
        writeln!(f, "|")?;
        rows.iter().try_for_each(|row| line(f, row))
    }
}

/// Escapes text for a cell of Markdown, which ends at a bar and at the end of a line.
fn markdown(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
