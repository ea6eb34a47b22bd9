//! The file of `--config`: TOML whose keys are the long flags without their dashes.
//!
//! A value becomes the text that its flag would have, so that clap checks both in the same way.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Spanned, Value};

use crate::start::options::{HEX, LISTS, NAMES, SWITCHES};

/// The settings of a file, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// The file, as `--config` names it.
    pub path: PathBuf,
    /// Its settings.
    pub settings: Vec<Setting>,
}

/// One line `key = value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The long flag without dashes.
    pub key: String,
    /// The text that the flag would have.
    pub value: String,
    /// Line of the key, from 1.
    pub line: usize,
}

impl ConfigFile {
    /// Reads and parses `path`. `known` are the keys that a file may have.
    ///
    /// # Errors
    /// The message, which begins with the flag and the file.
    pub fn read(path: &Path, known: &[&str]) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", Place(path, None)))?;
        Self::parse(path, &text, known)
    }

    fn parse(path: &Path, text: &str, known: &[&str]) -> Result<Self, String> {
        let table: BTreeMap<Spanned<String>, Spanned<Value>> = toml::from_str(text).map_err(|e| {
            let (line, column) = position(text, e.span().map_or(0, |span| span.start));
            format!("{}, column {column}: {}", Place(path, Some(line)), e.message())
        })?;
        let mut settings: Vec<(usize, Setting)> = Vec::new();
        for (key, value) in table {
            let at = key.span().start;
            let (line, _) = position(text, at);
            let (key, value) = (key.into_inner(), value.into_inner());
            let place = Place(path, Some(line));
            if !known.contains(&key.as_str()) {
                return Err(format!("{place}: unknown key `{key}`: {}", suggestion(&key, known)));
            }
            let value = flag_text(&key, &value)
                .ok_or_else(|| format!("{place}: {key}: its value cannot be of type {}", value.type_str()))?;
            settings.push((at, Setting { key, value, line }));
        }
        settings.sort_by_key(|(at, _)| *at);
        let settings = settings.into_iter().map(|(_, setting)| setting).collect();
        Ok(Self { path: path.to_owned(), settings })
    }

    /// Returns the setting of `key`.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    /// Writes where a setting stands, for a message.
    pub fn place_of(&self, setting: &Setting) -> impl fmt::Display {
        Place(&self.path, Some(setting.line))
    }
}

/// Writes `--config FILE`, and the line if there is one.
struct Place<'a>(&'a Path, Option<usize>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--config {}", self.0.display())?;
        self.1.map_or(Ok(()), |line| write!(f, ": line {line}"))
    }
}

/// Returns the line and column of an offset, both from 1.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

fn suggestion(key: &str, known: &[&str]) -> String {
    let dashed = key.replace('_', "-");
    if known.contains(&dashed.as_str()) {
        format!("it is spelt `{dashed}`")
    } else {
        format!("the keys are {}", known.join(", "))
    }
}

/// Returns the text that the flag would have, if the value is of a type that the flag can have.
fn flag_text(key: &str, value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) if HEX.contains(&key) => Some(format!("{number:#x}")),
        Value::Integer(number) if !NAMES.contains(&key) => Some(number.to_string()),
        Value::Boolean(on) if SWITCHES.contains(&key) => Some(if *on { "on" } else { "off" }.to_owned()),
        Value::Array(items) if LISTS.contains(&key) => {
            let items: Option<Vec<String>> = items
                .iter()
                .map(|item| match item {
                    Value::String(_) | Value::Integer(_) => flag_text(key, item),
                    _ => None,
                })
                .collect();
            Some(items?.join(","))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
