//! The body after the path: entries with their attributes, a filter, or attributes of the table.

use flowtracker_proto::key::WideKey;
use flowtracker_proto::table::TableDescription;
use flowtracker_proto::v1::Key;

use super::table_attrs::{self, TableChange};
use super::texts::{AGING_ALONGSIDE, AGING_OR_PROFILE, FILTER_MISPLACED, NO_ENTRY_GIVEN, PROFILE_ALONGSIDE};
use super::words::Words;
use super::{Error, action, say};
use crate::cli::attributes::{Attributes, aging_ms, permissions, profile_id};
use crate::cli::key_words::{self, KeyError};

/// The most entries that one command may name.
const BATCH_MAX: usize = 16;

/// The object of a create or an update.
#[derive(Debug, PartialEq)]
pub(super) enum Write {
    Entries(Vec<Entry>),
    Table(TableChange),
}

/// The object of a get or a delete.
#[derive(Debug, PartialEq)]
pub(super) enum Choice {
    All,
    Filter(String),
    Entries(Vec<Entry>),
}

/// One entry; the word `entry` separates two.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) attributes: Attributes,
}

/// Reads the body of a create.
pub(super) fn create(table: &TableDescription, words: &[String]) -> Result<Vec<Entry>, Error> {
    let words = &mut Words(words);
    words.skip_ids(table)?;
    match words.peek() {
        None => say(NO_ENTRY_GIVEN),
        Some("filter") => say(FILTER_MISPLACED),
        Some("tbl_attrs") => say("Table attributes may only be updated"),
        Some(_) => {
            let entries = entries(table, words, true)?;
            entries.iter().try_for_each(|entry| check_create(&entry.attributes))?;
            Ok(entries)
        }
    }
}

/// Reads the body of an update.
pub(super) fn update(table: &TableDescription, words: &[String]) -> Result<Write, Error> {
    let words = &mut Words(words);
    words.skip_ids(table)?;
    match words.peek() {
        None => say(NO_ENTRY_GIVEN),
        Some("filter") => say(FILTER_MISPLACED),
        Some("tbl_attrs") => Ok(Write::Table(table_attrs::read(words)?)),
        Some(_) => Ok(Write::Entries(entries(table, words, true)?)),
    }
}

/// Reads the body of a get or a delete.
pub(super) fn choice(table: &TableDescription, words: &[String]) -> Result<Choice, Error> {
    let words = &mut Words(words);
    words.skip_ids(table)?;
    match words.peek() {
        None => Ok(Choice::All),
        Some("filter") => Ok(Choice::Filter(expression(&words.0[1..])?)),
        Some(_) => Ok(Choice::Entries(entries(table, words, false)?)),
    }
}

/// Reads the filter after the word `filter`.
pub(super) fn expression(words: &[String]) -> Result<String, Error> {
    if words.is_empty() {
        return say("Filter has no expression");
    }
    if words.iter().any(|word| word == "filter") {
        return say("Unable to add two filters");
    }
    Ok(words.join(" "))
}

/// Reads `ENTRY ("entry" ENTRY)*`; the word may also precede the first.
fn entries(table: &TableDescription, words: &mut Words<'_>, attributes: bool) -> Result<Vec<Entry>, Error> {
    if words.peek() == Some("entry") {
        words.next();
    }
    let mut entries = vec![entry(table, words, attributes)?];
    while words.next().is_some() {
        entries.push(entry(table, words, attributes)?);
    }
    if entries.len() > BATCH_MAX {
        return say(format!("At most {BATCH_MAX} entries may be named"));
    }
    Ok(entries)
}

/// Reads one entry, up to the next `entry`; a word that is no attribute is a field of the key.
fn entry(table: &TableDescription, words: &mut Words<'_>, attributes: bool) -> Result<Entry, Error> {
    let mut key = Vec::new();
    let mut read = Attributes::default();
    while let Some(word) = words.peek().filter(|word| *word != "entry") {
        words.next();
        match word {
            "pipeid" | "tblid" => words.id(table, word)?,
            "filter" => return say(FILTER_MISPLACED),
            "prio" | "priority" => return say("Mustn't specify entry priority for exact"),
            "dynamic" if attributes => read.dynamic = Some(true),
            "aging" if attributes => read.aging = Some(words.number(word, aging_ms)?),
            "profile_id" if attributes => read.profile = Some(words.number(word, profile_id)?),
            "permissions" if attributes => read.permissions = Some(words.number(word, permissions)?),
            "action" if attributes => {
                action::check(table, words.value(word)?)?;
                if words.peek() == Some("param") {
                    return say("NoAction has no parameters");
                }
            }
            field => {
                key.push(field.to_owned());
                // The compact form is a whole key.
                if !WideKey::looks_compact(table, field) {
                    key.extend(words.next().map(str::to_owned));
                }
            }
        }
    }
    if read.profile.is_some() && read.aging.is_some() {
        return say(AGING_OR_PROFILE);
    }
    match key_words::parse(table, &key) {
        Ok(key) => Ok(Entry { key: key.to_proto(table), attributes: read }),
        Err(KeyError::Missing(_)) => say("Key blob size and table key size differ"),
        Err(KeyError::Wrong(why)) => say(why),
    }
}

/// Refuses attributes that set a timer on a static entry.
fn check_create(attributes: &Attributes) -> Result<(), Error> {
    match attributes {
        Attributes { dynamic: None, aging: Some(_), .. } => say(AGING_ALONGSIDE),
        Attributes { dynamic: None, profile: Some(_), .. } => say(PROFILE_ALONGSIDE),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
