//! The report for other programs: every figure in full.

use flowtracker_tests::rounds::Rounds;
use serde_json::{Map, Value, json};

use super::{Better, Report, Row, Section, Target, Versus};

impl Report {
    /// Returns all figures of all rounds, and the values derived from them. A missing figure is
    /// null.
    pub(crate) fn json(&self) -> Value {
        let facts: Map<String, Value> =
            self.facts.iter().map(|(name, fact)| (name.clone(), json!(fact))).collect();
        json!({
            "title": self.title,
            "facts": facts,
            "sections": self.sections.iter().map(section).collect::<Vec<_>>(),
            "missed": self.missed(),
        })
    }
}

fn section(section: &Section) -> Value {
    json!({
        "id": section.id,
        "title": section.title,
        "text": section.text,
        "unit": section.unit,
        "targets": section.targets(),
        "missed": section.missed().len(),
        "rows": section.rows.iter().map(|r| row(section, r)).collect::<Vec<_>>(),
    })
}

fn row(section: &Section, row: &Row) -> Value {
    let figures = row.figures();
    let mut value = json!({
        "scenario": row.scenario,
        "contender": row.contender,
        "rounds": row.rounds,
        "median": figures.median(),
        "range": range(&figures),
        "versus": row.versus.iter().map(|v| versus(section, row, v)).collect::<Vec<_>>(),
        "pages": row.pages,
        "notes": row.notes,
    });
    judge(&mut value, row.target, figures.median());
    value
}

fn versus(section: &Section, row: &Row, versus: &Versus) -> Value {
    let ratio = section.ratio(row, versus);
    let mut value = json!({
        "peer": versus.peer,
        "scenario": versus.scenario.as_ref().unwrap_or(&row.scenario),
        "better": match versus.better {
            Better::Higher => "higher",
            Better::Lower => "lower",
        },
        "ratio": ratio.of_medians,
        "range": range(&ratio.by_round),
    });
    judge(&mut value, versus.target, ratio.of_medians);
    value
}

/// Returns the smallest and the largest value.
fn range(rounds: &Rounds) -> Value {
    json!(rounds.range())
}

/// Adds the target, if there is one, and whether it is reached.
fn judge(value: &mut Value, target: Option<Target>, figure: f64) {
    let Some(target) = target else { return };
    value["target"] = match target {
        Target::AtLeast(bound) => json!({ "at_least": bound }),
        Target::AtMost(bound) => json!({ "at_most": bound }),
    };
    value["reached"] = json!(target.reached(figure));
}
