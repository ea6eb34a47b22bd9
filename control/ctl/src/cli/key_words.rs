//! Reads a key on the command line: FIELD VALUE pairs in any order, or the compact form.

use flowtracker_proto::key::{self, WideKey};
use flowtracker_proto::table::{Family, KeyField, TableDescription};
use thiserror::Error;

/// An error in a key.
#[derive(Debug, PartialEq, Eq, Error)]
pub(super) enum KeyError {
    /// These fields are missing.
    #[error("the key lacks {}", .0.join(", "))]
    Missing(Vec<&'static str>),
    /// Any other error, as a message.
    #[error("{0}")]
    Wrong(String),
}

/// Returns the family that a key is of, by its addresses and names. A key that has parts of both
/// counts as IPv6, and its parser names the other part.
pub(super) fn family(words: &[String]) -> Family {
    let of_ipv6 = match words {
        // Each of the two ports has a colon in front of it; any other is part of an address.
        [only] if only.contains('/') => only.contains('[') || only.matches(':').count() > 2,
        pairs => pairs.iter().any(|word| word.contains(':') || names_only_ipv6(word)),
    };
    if of_ipv6 { Family::Ipv6 } else { Family::Ipv4 }
}

fn names_only_ipv6(word: &str) -> bool {
    let has = |family: Family| family.table().field(word).is_some();
    has(Family::Ipv6) && !has(Family::Ipv4)
}

/// Parses a key of `table`.
pub(super) fn parse(table: &TableDescription, words: &[String]) -> Result<WideKey, KeyError> {
    if let [only] = words
        && WideKey::looks_compact(table, only)
    {
        return WideKey::parse(table, only).map_err(KeyError::Wrong);
    }
    let mut given: Vec<(&KeyField, &str)> = Vec::with_capacity(table.key.len());
    for pair in words.chunks(2) {
        let name = pair[0].as_str();
        let Some(field) = table.field(name) else {
            return Err(KeyError::Wrong(format!("Unknown key field \"{name}\"")));
        };
        let Some(value) = pair.get(1) else {
            return Err(KeyError::Wrong(format!("Key field \"{name}\" has no value")));
        };
        if given.iter().any(|(other, _)| *other == field) {
            return Err(KeyError::Wrong(format!("Key field \"{name}\" is given twice")));
        }
        given.push((field, value));
    }
    let value_of = |field: &KeyField| given.iter().find(|(of, _)| *of == field).map(|(_, value)| *value);
    let missing: Vec<_> =
        table.key.iter().filter(|field| value_of(field).is_none()).map(|field| field.name).collect();
    if !missing.is_empty() {
        return Err(KeyError::Missing(missing));
    }
    let mut key = WideKey::default();
    for field in table.key {
        let text = value_of(field).unwrap_or_default();
        let value = key::parse_value(field, text);
        key.set(field.part, value.map_err(|why| KeyError::Wrong(format!("{}: {why}", field.name)))?);
    }
    Ok(key)
}

#[cfg(test)]
mod tests;
