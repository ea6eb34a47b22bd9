//! Puts refusals into the words of the command line, where a field of the request is a flag or a
//! word.

use flowtracker_proto::table::{KeyField, TABLES};
use tonic::Status;
use tonic_types::StatusExt;

/// A dialect of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `ctl create KEY --aging MS`.
    Everyday,
    /// `ctl p4ctrl create PATH KEY aging MS`.
    P4tc,
}

/// The path of a field without indexes, its name in everyday verbs, and its name in P4TC's
/// commands.
/// The fields of the key have the same names in both dialects. A refusal does not say which table
/// it is about, so the names are the ones that every table accepts.
const NAMES: [(&str, &str, &str); 10] = [
    ("dataplane", "--dataplane", "--dataplane"),
    ("pipeline", "-4 or -6", "pipeline"),
    ("dynamic", "--dynamic", "dynamic"),
    ("profile_id", "--profile", "profile_id"),
    ("aging_ms", "--aging", "aging"),
    ("permissions", "--permissions", "permissions"),
    ("profiles", "--profile", "timer_profile"),
    ("profiles.profile_id", "--profile", "timer_profile"),
    ("profiles.aging_ms", "--profile", "timer_profile"),
    ("filter", "filter", "filter"),
];

/// Returns the whole message of a refusal, with fields named as in `dialect`.
pub(super) fn refusal(status: &Status, dialect: Dialect) -> String {
    let violations = status.get_details_bad_request().map(|request| request.field_violations);
    match violations {
        Some(several) if several.len() > 1 => {
            let said = several.iter().map(|v| named(&format!("{}: {}", v.field, v.description), dialect));
            said.collect::<Vec<_>>().join("; ")
        }
        _ => named(status.message(), dialect),
    }
}

/// Replaces the path of a field at the start of `message` by its name in `dialect`.
fn named(message: &str, dialect: Dialect) -> String {
    let name = |path: &str| {
        if let Some(part) = path.strip_prefix("key.") {
            let field = TABLES.iter().flat_map(|table| table.key).find(|field| field.part.api_name() == part);
            return field.map(KeyField::everyday_name);
        }
        let (_, everyday, p4tc) = *NAMES.iter().find(|(field, ..)| *field == without_indexes(path))?;
        Some(match dialect {
            Dialect::Everyday => everyday,
            Dialect::P4tc => p4tc,
        })
    };
    let named =
        message.split_once(": ").and_then(|(path, reason)| Some(format!("{}: {reason}", name(path)?)));
    named.unwrap_or_else(|| message.to_owned())
}

/// Returns `path` without its indexes: `profiles.aging_ms` for `profiles[0].aging_ms`.
fn without_indexes(path: &str) -> String {
    let mut parts = path.split('[');
    let mut bare = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        bare += part.split_once(']').map_or(part, |(_, rest)| rest);
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_the_key_fields_that_are_named() {
        for table in TABLES {
            for field in table.key {
                let message = named(&format!("key.{}: is missing", field.part.api_name()), Dialect::P4tc);
                let name = message.strip_suffix(": is missing").unwrap();
                assert_eq!(table.field(name), Some(field), "{}: {name}", table.pipeline);
            }
        }
    }

    #[test]
    fn fields_are_named_as_the_user_has_written_them() {
        for (message, everyday, p4tc) in [
            ("aging_ms: no profile has it", "--aging: no profile has it", "aging: no profile has it"),
            ("key.src_addr: is missing", "srcAddr: is missing", "srcAddr: is missing"),
            (
                "profiles[11].aging_ms: 0 is too small",
                "--profile: 0 is too small",
                "timer_profile: 0 is too small",
            ),
            ("filter: column 3: x", "filter: column 3: x", "filter: column 3: x"),
            ("no entry has this key", "no entry has this key", "no entry has this key"),
            ("data plane \"a\": away", "data plane \"a\": away", "data plane \"a\": away"),
        ] {
            assert_eq!(named(message, Dialect::Everyday), everyday);
            assert_eq!(named(message, Dialect::P4tc), p4tc);
        }
    }
}
