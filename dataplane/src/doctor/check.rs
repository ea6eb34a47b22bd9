//! What a check finds, and how findings are printed.

use std::fmt;
use std::io::{self, Write};

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// The start works, but not as well as it could.
    Warn,
    /// The start is refused, or something that was asked for is missing.
    Fail,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        })
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The result.
    pub verdict: Verdict,
    /// The topic, in a word.
    pub topic: &'static str,
    /// What was found.
    pub found: String,
    /// What to do about it, as a command where there is one. Empty only if nothing is wrong.
    pub remedy: String,
}

impl Check {
    pub(super) fn ok(topic: &'static str, found: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, topic, found: found.into(), remedy: String::new() }
    }

    pub(super) fn warn(topic: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warn, topic, found: found.into(), remedy: remedy.into() }
    }

    pub(super) fn fail(topic: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, topic, found: found.into(), remedy: remedy.into() }
    }
}

/// Prints the findings as a table, and a line that sums them up.
///
/// # Errors
/// Those of `out`.
pub(super) fn print(checks: &[Check], out: &mut impl Write) -> io::Result<()> {
    let width = checks.iter().map(|check| check.topic.len()).max().unwrap_or(0);
    for Check { verdict, topic, found, remedy } in checks {
        let separator = if remedy.is_empty() { "" } else { "; " };
        writeln!(out, "{verdict:4}  {topic:width$}  {found}{separator}{remedy}")?;
    }
    let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    writeln!(
        out,
        "{}, {}",
        plural(count(Verdict::Warn), "warning"),
        plural(count(Verdict::Fail), "failure")
    )?;
    out.flush()
}

/// Returns a count with its noun: `1 warning`, `2 warnings`.
pub(super) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Returns a list in words: `2, 3 and 5`.
pub(super) fn list<T: ToString>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    match items.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => items.concat(),
    }
}
