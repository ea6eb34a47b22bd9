//! `ctl config`: the contexts of the configuration file; needs no server.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::connect::{Config, Field, Place, user_file, with_current};
use super::{Failure, Form, output};

/// What to do with the contexts.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Print all contexts; `*` marks the current one
    GetContexts,
    /// Make a context the current one, in the user's file
    UseContext {
        /// Name of the context
        name: String,
    },
    /// Print the settings that apply here and now, and where each stands
    View,
}

pub(super) fn run(place: &Place, form: Form, verb: &Verb) -> Result<(), Failure> {
    match verb {
        Verb::GetContexts => output::put(&contexts(&Config::read().map_err(Failure::Usage)?, form)),
        Verb::UseContext { name } => {
            Config::read().and_then(|config| config.find(name).map(drop)).map_err(Failure::Usage)?;
            let file = user_file();
            let file =
                file.ok_or_else(|| Failure::Usage("there is neither HOME nor FLOWTRACKER_CONFIG".into()))?;
            choose(&file, name)?;
            output::put(&format!("{}: the current context is {name}\n", file.display()))
        }
        Verb::View => output::put(&settings(place, form)?),
    }
}

fn contexts(config: &Config, form: Form) -> String {
    let mut text = String::new();
    let rows = config.contexts.iter().map(|context| {
        let current = config.current() == Some(&context.name);
        (current, context.name.as_str(), context.value(Field::Server).unwrap_or_default(), &context.file)
    });
    if form == Form::Json {
        for (current, name, server, file) in rows {
            let row = serde_json::json!({ "name": name, "current": current, "server": server, "file": file });
            text += &format!("{row}\n");
        }
        return text;
    }
    let width = rows.clone().map(|(_, name, ..)| name.chars().count()).max().unwrap_or(0).max(4);
    let servers = rows.clone().map(|(_, _, server, _)| server.chars().count()).max().unwrap_or(0).max(6);
    text += &format!("  {:<width$}  {:<servers$}  FILE\n", "NAME", "SERVER");
    for (current, name, server, file) in rows {
        let mark = if current { '*' } else { ' ' };
        text += &format!("{mark} {name:<width$}  {server:<servers$}  {}\n", file.display());
    }
    text
}

fn settings(place: &Place, form: Form) -> Result<String, Failure> {
    let settings = place.settings()?;
    let rows: Vec<_> = Field::ALL.into_iter().map(|key| (key.name(), settings.get(key))).collect();
    let mut text = String::new();
    if form == Form::Json {
        let row = |(name, setting): &(&str, super::connect::Setting)| {
            let value = serde_json::json!({ "value": setting.value, "source": setting.source.to_string() });
            ((*name).to_owned(), value)
        };
        let all: serde_json::Map<String, serde_json::Value> = rows.iter().map(row).collect();
        return Ok(format!("{}\n", serde_json::Value::from(all)));
    }
    let width = rows.iter().map(|(_, setting)| setting.value.chars().count()).max().unwrap_or(0);
    for (name, setting) in rows {
        let value = if setting.value.is_empty() { "-" } else { &setting.value };
        text += &format!("{name:<12} {value:<width$}  ({})\n", setting.source);
    }
    Ok(text)
}

/// Writes the current context into a file, which is created if it is missing and replaced atomically.
fn choose(file: &Path, name: &str) -> Result<(), Failure> {
    let named =
        |why: io::Error| Failure::Output(io::Error::new(why.kind(), format!("{}: {why}", file.display())));
    // A symbolic link stays: its target is replaced.
    let file = &fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let old = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(why) if why.kind() == io::ErrorKind::NotFound => String::new(),
        Err(why) => return Err(named(why)),
    };
    let new = with_current(&old, name).map_err(Failure::Usage)?;
    let write = || {
        let folder = file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut whole = tempfile::NamedTempFile::new_in(folder)?;
        whole.write_all(new.as_bytes())?;
        if let Ok(known) = fs::metadata(file) {
            whole.as_file().set_permissions(known.permissions())?;
        }
        whole.persist(file).map_err(|why| why.error)?;
        Ok(())
    };
    write().map_err(named)
}
