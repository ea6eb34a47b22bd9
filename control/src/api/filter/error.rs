//! What is wrong with an expression, and where.

/// Something that is wrong at a byte of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) p4tc: Option<&'static str>,
}

impl Fault {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), p4tc: None }
    }

    /// What P4TC refuses too, in its words; `why` explains them.
    pub(super) fn of_p4tc(at: usize, text: &'static str, why: &str) -> Self {
        Self { at, message: format!("{text}: {why}"), p4tc: Some(text) }
    }
}

/// Why an expression is refused. It reads `column 15: unknown key field "dstport"; did you mean
/// dstPort?`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct Error {
    column: usize,
    message: String,
    p4tc: Option<&'static str>,
}

impl Error {
    pub(super) fn new(text: &str, fault: Fault) -> Self {
        let column = text.char_indices().take_while(|(at, _)| *at < fault.at).count() + 1;
        Self { column, message: fault.message, p4tc: fault.p4tc }
    }

    /// Where, in characters from 1; one past the end when something is missing there.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// What, without the column.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// P4TC's own words, where it refuses the same.
    #[must_use]
    pub fn p4tc(&self) -> Option<&'static str> {
        self.p4tc
    }

    /// Two lines for a terminal: the text that was refused, and below it a caret and the message.
    #[must_use]
    pub fn caret(&self, text: &str) -> String {
        let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("{line}\n{:>width$} {}", "^", self.message, width = self.column)
    }
}
