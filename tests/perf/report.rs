//! The results of a run of the lab: figures next to each other and next to their targets, as tables
//! for a terminal ([`fmt::Display`]), as JSON, and as one HTML page with a plot per section.

mod html;
mod json;
mod plot;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use flowtracker_tests::rounds::Rounds;
use table::Table;

/// All results of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) title: String,
    /// The conditions of the run, such as machine, versions, rounds and times, each as name and
    /// value.
    pub(crate) facts: Vec<(String, String)>,
    pub(crate) sections: Vec<Section>,
}

/// Scenarios that share one table and one plot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    /// Its name in the JSON and in a link.
    pub(crate) id: &'static str,
    pub(crate) title: String,
    /// A description of the measurement, in plain paragraphs with an empty line between them.
    pub(crate) text: String,
    /// "Mpps", "ns", "ms", "B".
    pub(crate) unit: &'static str,
    pub(crate) rows: Vec<Row>,
    /// Whether a common axis for the figures is useful.
    pub(crate) plot: bool,
}

/// One contender in one scenario.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// "64k flows".
    pub(crate) scenario: String,
    /// "testpmd io".
    pub(crate) contender: String,
    /// One figure per round, in the section's unit. Without any it could not be measured.
    pub(crate) rounds: Vec<f64>,
    /// The target of the median itself.
    pub(crate) target: Option<Target>,
    pub(crate) versus: Vec<Versus>,
    /// The kind of its memory, or empty.
    pub(crate) pages: String,
    /// "source-bound", "18.2 M events/s".
    pub(crate) notes: Vec<String>,
}

/// A comparison of a row with another one of the same section.
#[derive(Clone, Debug)]
pub(crate) struct Versus {
    /// The contender of the other row.
    pub(crate) peer: String,
    /// The scenario of the other row, if it is a different one.
    pub(crate) scenario: Option<String>,
    pub(crate) better: Better,
    pub(crate) target: Option<Target>,
}

/// Whether higher or lower figures are better. A ratio above 1 always favours the row that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    /// For rates: the ratio is ours to the peer's.
    Higher,
    /// For times: the ratio is the peer's to ours.
    Lower,
}

/// The target of a figure or a ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Row {
    pub(crate) fn new(scenario: impl Into<String>, contender: impl Into<String>, rounds: Vec<f64>) -> Self {
        Row { scenario: scenario.into(), contender: contender.into(), rounds, ..Row::default() }
    }

    pub(crate) fn next_to(mut self, versus: Versus) -> Self {
        self.versus.push(versus);
        self
    }

    fn figures(&self) -> Rounds {
        Rounds(self.rounds.clone())
    }
}

impl Versus {
    /// Returns a comparison within the same scenario, without a target.
    pub(crate) fn new(peer: impl Into<String>, better: Better) -> Self {
        Versus { peer: peer.into(), scenario: None, better, target: None }
    }

    /// Returns the name of the other row.
    fn label(&self) -> String {
        match &self.scenario {
            None => self.peer.clone(),
            Some(scenario) => format!("{} ({scenario})", self.peer),
        }
    }
}

impl Target {
    /// Returns true if the figure reaches the target. NaN, a missing figure, never does.
    fn reached(self, figure: f64) -> bool {
        figure.is_finite()
            && match self {
                Target::AtLeast(least) => figure >= least,
                Target::AtMost(most) => figure <= most,
            }
    }
}

/// The ratio of a row's figures to those of another row.
struct Ratio {
    of_medians: f64,
    by_round: Rounds,
}

/// A figure as text, and whether it misses its target.
#[derive(Clone, Debug, Default, PartialEq)]
struct Judged {
    text: String,
    missed: bool,
}

impl Judged {
    fn new(figure: f64, decimals: usize, target: Option<Target>) -> Self {
        let Some(target) = target else { return Judged { text: number(figure, decimals), missed: false } };
        let missed = !target.reached(figure);
        let (Target::AtLeast(bound) | Target::AtMost(bound)) = target;
        let wanted = decimals.max(decimals_of(bound));
        let sign = match (target, missed) {
            (Target::AtLeast(_), false) => "≥",
            (Target::AtLeast(_), true) => "<",
            (Target::AtMost(_), false) => "≤",
            (Target::AtMost(_), true) => ">",
        };
        if !figure.is_finite() {
            let sign = if sign == "<" { "≥" } else { "≤" };
            return Judged { text: format!("no figure, {sign} {bound:.wanted$}"), missed };
        }
        // Shows enough decimals that the text is true: never "0.50 < 0.50".
        let tells = |shown: &usize| {
            let rounded = number(figure, *shown).parse().expect("a number");
            target.reached(rounded) != missed
        };
        let shown = (decimals..=17).find(tells).unwrap_or(decimals);
        Judged { text: format!("{figure:.shown$} {sign} {bound:.wanted$}"), missed }
    }
}

/// Formats a figure for a table, or a dash where there is none.
fn number(figure: f64, decimals: usize) -> String {
    if figure.is_finite() { format!("{figure:.decimals$}") } else { "–".to_owned() }
}

/// Returns the number of decimals of a figure as written.
fn decimals_of(figure: f64) -> usize {
    figure.to_string().split_once('.').map_or(0, |(_, decimals)| decimals.len())
}

/// Number of decimals of a ratio.
const OF_RATIOS: usize = 2;

impl Section {
    fn row(&self, scenario: &str, contender: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.scenario == scenario && row.contender == contender)
    }

    /// Returns the ratio to another row; it has no figures where that row is missing or has none.
    fn ratio(&self, row: &Row, versus: &Versus) -> Ratio {
        let scenario = versus.scenario.as_ref().unwrap_or(&row.scenario);
        let ours = row.figures();
        let theirs = self.row(scenario, &versus.peer).map(Row::figures).unwrap_or_default();
        let (over, under) = match versus.better {
            Better::Higher => (ours, theirs),
            Better::Lower => (theirs, ours),
        };
        Ratio { of_medians: over.median() / under.median(), by_round: over.over(&under) }
    }

    /// Returns the number of decimals that all figures of the section share: three digits of the
    /// smallest median, fewer for large numbers.
    fn decimals(&self) -> usize {
        let medians = self.rows.iter().map(|row| row.figures().median());
        let rounds = self.rows.iter().flat_map(|row| row.rounds.iter().copied());
        if medians
            .clone()
            .chain(rounds)
            .filter(|figure| figure.is_finite())
            .all(|figure| figure.fract() == 0.0)
        {
            return 0;
        }
        let smallest = medians.map(f64::abs).filter(|median| *median > 0.0).fold(f64::INFINITY, f64::min);
        match smallest {
            1000.0.. => 0,
            100.0.. => 1,
            1.0.. => 2,
            0.1.. => 3,
            _ => 4,
        }
    }

    fn judge(&self, row: &Row) -> Judged {
        Judged::new(row.figures().median(), self.decimals(), row.target)
    }

    fn judge_ratio(&self, row: &Row, versus: &Versus) -> Judged {
        Judged::new(self.ratio(row, versus).of_medians, OF_RATIOS, versus.target)
    }

    /// Returns the number of targets.
    fn targets(&self) -> usize {
        let of_rows = self.rows.iter().filter(|row| row.target.is_some()).count();
        let of_ratios = self.rows.iter().flat_map(|row| &row.versus).filter(|v| v.target.is_some()).count();
        of_rows + of_ratios
    }

    /// Returns the missed targets, one per line.
    fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        for row in &self.rows {
            let Row { scenario, contender, .. } = row;
            let figure = self.judge(row);
            if figure.missed {
                missed
                    .push(format!("{}, {scenario}, {contender}, {}: {}", self.title, self.unit, figure.text));
            }
            for versus in &row.versus {
                let ratio = self.judge_ratio(row, versus);
                if ratio.missed {
                    let peer = versus.label();
                    missed.push(format!("{}, {scenario}, {contender} × {peer}: {}", self.title, ratio.text));
                }
            }
        }
        missed
    }

    /// Returns the outcome in a sentence, or `None` without a target.
    fn verdict(&self) -> Option<String> {
        match (self.missed().len(), self.targets()) {
            (_, 0) => None,
            (0, 1) => Some("The target is reached.".to_owned()),
            (0, all) => Some(format!("All {all} targets are reached.")),
            (missed, all) => Some(format!("Targets missed: {missed} of {all}.")),
        }
    }
}

impl Report {
    /// Returns the missed targets of the whole run.
    fn missed(&self) -> Vec<String> {
        self.sections.iter().flat_map(Section::missed).collect()
    }

    fn verdict(&self) -> String {
        let all: usize = self.sections.iter().map(Section::targets).sum();
        match self.missed().len() {
            0 => format!("No target was missed, of {all}."),
            missed => format!("Targets missed: {missed} of {all}."),
        }
    }
}

/// The meaning of `×`, once for all tables.
const LEGEND: &str = "Figures are medians of the rounds. × is the ratio of medians to a peer: above 1 the row is the \
                      better one, in rates and in times. \"by round\" is the range of the ratios within one round.";

/// The heading of the last part of a report.
const MISSED: &str = "What was missed";

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# {}\n", self.title)?;
        for (name, fact) in &self.facts {
            writeln!(f, "- {name}: {fact}")?;
        }
        writeln!(f, "\n{LEGEND}")?;
        for section in &self.sections {
            writeln!(f, "\n## {}\n", section.title)?;
            if !section.text.is_empty() {
                writeln!(f, "{}\n", section.text.trim_end())?;
            }
            write!(f, "{}", Table::new(section, false))?;
            if let Some(verdict) = section.verdict() {
                writeln!(f, "\n{verdict}")?;
            }
        }
        writeln!(f, "\n## {MISSED}\n\n{}", self.verdict())?;
        let missed = self.missed();
        if !missed.is_empty() {
            writeln!(f)?;
        }
        missed.iter().try_for_each(|missed| writeln!(f, "- {missed}"))
    }
}

/// Returns the distinct words, in the order of their first occurrence.
fn distinct<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    words.filter(|word| seen.insert(*word)).collect()
}
