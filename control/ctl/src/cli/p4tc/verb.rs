//! The verbs of `p4ctrl` and `p4template`.

use super::{Error, say};

/// An operation on an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Update,
    Get,
    Delete,
    Help,
}

impl Verb {
    /// The verbs of entries and templates.
    pub(super) const ENTRIES: [Self; 4] = [Self::Create, Self::Update, Self::Get, Self::Delete];

    /// Returns the whole word.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Get => "get",
            Self::Delete => "delete",
            Self::Help => "help",
        }
    }

    /// Returns true for the verbs whose body gives attributes of an entry.
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Update)
    }

    /// Returns the first of `verbs` that the first word names or abbreviates, and the words after
    /// it.
    pub(super) fn parse<'a>(words: &'a [String], verbs: &[Self]) -> Result<(Self, &'a [String]), Error> {
        let Some((word, rest)) = words.split_first() else { return say("No verb given") };
        match verbs.iter().find(|verb| !word.is_empty() && verb.name().starts_with(word.as_str())) {
            Some(verb) => Ok((*verb, rest)),
            None => say(format!("Unknown verb \"{word}\"")),
        }
    }
}
