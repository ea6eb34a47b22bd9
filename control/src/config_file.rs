//! The file of `--config`: TOML whose keys are the long flags without their dashes.
//!
//! Each setting is turned into the flag that it stands for, so that clap checks both in the same
//! way.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;

use clap::Parser;
use clap::error::ErrorKind;
use toml::{Spanned, Value};

/// Returns the settings of a file as flags of `P`.
///
/// # Errors
/// The file and the line, and what is wrong there.
pub(crate) fn read<P: Parser>(path: &Path) -> Result<Vec<String>, clap::Error> {
    let place = format!("--config {}", path.display());
    let refuse = |text: String| clap::Error::raw(ErrorKind::ValueValidation, text + "\n");
    let text = std::fs::read_to_string(path).map_err(|why| refuse(format!("{place}: {why}")))?;
    // Turns an offset into its line.
    let wrong = |offset: usize, why: &dyn Display| {
        let line = text.get(..offset).unwrap_or(&text).matches('\n').count() + 1;
        refuse(format!("{place}: line {line}: {why}"))
    };
    let table: BTreeMap<Spanned<String>, Spanned<Value>> = toml::from_str(&text)
        .map_err(|why| wrong(why.span().map_or(0, |span| span.start), &why.message()))?;

    let command = P::command();
    let with_value = command.get_opts().filter(|arg| arg.get_action().takes_values());
    let mut known: Vec<_> =
        with_value.filter_map(clap::Arg::get_long).filter(|key| *key != "config").collect();
    known.sort_unstable();
    let mut flags = Vec::new();
    for (key, value) in table {
        let (at, key, value) = (key.span().start, key.into_inner(), value.into_inner());
        if !known.contains(&key.as_str()) {
            return Err(wrong(at, &format!("unknown key `{key}`: the keys are {}", known.join(", "))));
        }
        let value = match value {
            Value::String(text) => text,
            Value::Integer(number) => number.to_string(),
            other => {
                return Err(wrong(at, &format!("{key}: its value cannot be of type {}", other.type_str())));
            }
        };
        let flag = format!("--{key}={value}");
        // Each flag is tried on its own, also when the command line overrides it, so that the
        // message can name its line.
        if let Err(why) = P::try_parse_from([command.get_name(), &flag]) {
            let why = why.to_string();
            let first = why.lines().next().unwrap_or_default();
            return Err(wrong(at, &first.strip_prefix("error: ").unwrap_or(first)));
        }
        flags.push(flag);
    }
    Ok(flags)
}
