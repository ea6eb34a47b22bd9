//! The file of `--config`: TOML whose keys are the long flags without their dashes.
//!
//! Each setting is turned into the flag that it stands for, so that clap checks both in the same
//! way.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{ArgAction, Parser};
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
    let options = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let known: BTreeMap<_, _> = options
        .filter_map(|arg| Some((arg.get_long()?, arg.get_action())))
        .filter(|(key, _)| !["config", "help", "version"].contains(key))
        .collect();
    let mut flags = Vec::new();
    for (key, value) in table {
        let (at, key, value) = (key.span().start, key.into_inner(), value.into_inner());
        let Some(action) = known.get(key.as_str()) else {
            let keys: Vec<_> = known.keys().copied().collect();
            return Err(wrong(at, &format!("unknown key `{key}`: the keys are {}", keys.join(", "))));
        };
        let given = flags_of(&key, value, action)
            .map_err(|kind| wrong(at, &format!("{key}: its value cannot be of type {kind}")))?;
        // Each flag is tried on its own, also when the command line overrides it, so that the
        // message can name its line.
        for flag in given {
            if let Err(why) = P::try_parse_from([command.get_name(), &flag]) {
                let why = why.to_string();
                let first = why.lines().next().unwrap_or_default();
                return Err(wrong(at, &first.strip_prefix("error: ").unwrap_or(first)));
            }
            flags.push(flag);
        }
    }
    Ok(flags)
}

/// Returns the flags that a setting stands for: one, or one for each item of a list, or for a switch
/// that is off none.
///
/// # Errors
/// The type of the value, which cannot be that of this key.
fn flags_of(key: &str, value: Value, action: &ArgAction) -> Result<Vec<String>, &'static str> {
    let flag = |value: String| vec![format!("--{key}={value}")];
    match (value, action) {
        (Value::Boolean(on), ArgAction::SetTrue) => {
            Ok(if on { vec![format!("--{key}")] } else { Vec::new() })
        }
        (Value::Array(items), ArgAction::Append) => {
            let items: Result<Vec<_>, _> =
                items.into_iter().map(|item| flags_of(key, item, &ArgAction::Set)).collect();
            items.map(|flags| flags.concat())
        }
        (Value::String(text), ArgAction::Set | ArgAction::Append) => Ok(flag(text)),
        (Value::Integer(number), ArgAction::Set | ArgAction::Append) => Ok(flag(number.to_string())),
        (other, _) => Err(other.type_str()),
    }
}
