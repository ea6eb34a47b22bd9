//! The configuration file: contexts, each a server and the certificates for it.
//!
//! ```toml
//! current-context = "lab"
//!
//! [contexts.lab]
//! server = "https://lab.example:50051"
//! cacert = "lab/ca.pem"       # relative to the folder of this file
//! cert = "lab/alice.pem"
//! key = "lab/alice.key"
//! ```
//!
//! The user's file is read on top of the system's: contexts of both are known, and what the user's
//! says wins.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use flowtracker_tls::client::server_name;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::address::{Address, Scheme};
use super::settings::{Field, variable};

/// The file of this machine.
const SYSTEM: &str = "/etc/flowtracker/config.toml";
/// Variable that names another file than the user's.
const FILE_VARIABLE: &str = "FLOWTRACKER_CONFIG";
/// The key that names the current context.
const CURRENT: &str = "current-context";
/// The table of contexts.
const CONTEXTS: &str = "contexts";

/// A server, and the files that a connection to it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Context {
    pub(in crate::cli) name: String,
    /// Where it stands.
    pub(in crate::cli) file: PathBuf,
    /// Values by key; paths are complete.
    values: Vec<(Field, String)>,
}

impl Context {
    pub(in crate::cli) fn value(&self, key: Field) -> Option<String> {
        self.values.iter().find(|(of, _)| *of == key).map(|(_, value)| value.clone())
    }
}

/// All contexts, and the current one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Config {
    /// In the order of their names.
    pub(in crate::cli) contexts: Vec<Context>,
    /// Name of the current one, and the file that says so.
    current: Option<(String, PathBuf)>,
}

/// Returns the user's file, whether or not it exists.
pub(in crate::cli) fn user_file() -> Option<PathBuf> {
    let folder = || {
        let home = || variable("HOME").map(|home| Path::new(&home).join(".config"));
        Some(variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(home)?.join("flowtracker/config.toml"))
    };
    variable(FILE_VARIABLE).map(PathBuf::from).or_else(folder)
}

impl Config {
    /// Reads the files that are there. One that `FLOWTRACKER_CONFIG` names must be there.
    pub(in crate::cli) fn read() -> Result<Self, String> {
        let mut config = Self::default();
        for file in [Some(PathBuf::from(SYSTEM)), user_file()].into_iter().flatten() {
            match std::fs::read_to_string(&file) {
                Ok(text) => config.add(Self::parse(&file, &text)?),
                Err(why) if why.kind() == ErrorKind::NotFound => {
                    if variable(FILE_VARIABLE).is_some_and(|named| Path::new(&named) == file) {
                        return Err(format!("{FILE_VARIABLE}={}: {why}", file.display()));
                    }
                }
                Err(why) => return Err(format!("{}: {why}", file.display())),
            }
        }
        Ok(config)
    }

    fn add(&mut self, other: Self) {
        self.contexts.retain(|context| other.contexts.iter().all(|new| new.name != context.name));
        self.contexts.extend(other.contexts);
        self.contexts.sort_by(|a, b| a.name.cmp(&b.name));
        self.current = other.current.or(self.current.take());
    }

    /// Returns the context of this name, or else the current one, if there is one.
    pub(super) fn choose(&self, name: Option<&str>) -> Result<Option<&Context>, String> {
        let (name, by) = match (name, &self.current) {
            (Some(name), _) => (name, "--context".to_owned()),
            (None, Some((name, file))) => (name.as_str(), format!("{}: {CURRENT}", file.display())),
            (None, None) => return Ok(None),
        };
        self.find(name).map(Some).map_err(|why| format!("{by}: {why}"))
    }

    /// Returns the context of this name.
    pub(in crate::cli) fn find(&self, name: &str) -> Result<&Context, String> {
        self.contexts.iter().find(|context| context.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.contexts.iter().map(|context| context.name.as_str()).collect();
            match &known[..] {
                [] => format!("there is no context {name:?}, nor any other"),
                known => format!("there is no context {name:?}; there are {}", known.join(", ")),
            }
        })
    }

    /// Returns the name of the current context.
    pub(in crate::cli) fn current(&self) -> Option<&str> {
        self.current.as_ref().map(|(name, _)| name.as_str())
    }

    /// Reads the text of a file. An error names the file, the line and the key.
    pub(super) fn parse(file: &Path, text: &str) -> Result<Self, String> {
        let place = |at: usize| format!("{}: line {}", file.display(), line_of(text, at));
        let table = DeTable::parse(text).map_err(|why| {
            format!("{}: {}", place(why.span().map_or(0, |span| span.start)), why.message())
        })?;
        let mut config = Self::default();
        for (key, value) in table.get_ref() {
            let at = place(key.span().start);
            match key.get_ref().as_ref() {
                CURRENT => {
                    let name = string(value).ok_or_else(|| format!("{at}: {CURRENT}: must be a string"))?;
                    config.current = Some((name.to_owned(), file.to_owned()));
                }
                CONTEXTS => {
                    let DeValue::Table(contexts) = value.get_ref() else {
                        return Err(format!("{at}: {CONTEXTS}: must be a table of contexts"));
                    };
                    for (name, context) in contexts {
                        let at = place(name.span().start);
                        let name = name.get_ref().as_ref();
                        let context = of_table(file, name, context, &at, &place)?;
                        config.contexts.push(context);
                    }
                }
                other => {
                    return Err(format!("{at}: unknown key `{other}`: the keys are {CURRENT}, {CONTEXTS}"));
                }
            }
        }
        config.contexts.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(config)
    }
}

/// Reads one context.
fn of_table(
    file: &Path,
    name: &str,
    context: &Spanned<DeValue<'_>>,
    at: &str,
    place: &impl Fn(usize) -> String,
) -> Result<Context, String> {
    let of = |key: &str| format!("{CONTEXTS}.{name}.{key}");
    let DeValue::Table(settings) = context.get_ref() else {
        return Err(format!("{at}: {CONTEXTS}.{name}: must be a table"));
    };
    let mut values = Vec::new();
    let mut plain = None;
    let mut of_tls = None;
    for (key, value) in settings {
        let at = place(key.span().start);
        let word = key.get_ref().as_ref();
        let Some(key) = Field::ALL.into_iter().find(|key| key.name() == word) else {
            let known = Field::ALL.map(Field::name).join(", ");
            return Err(format!("{at}: unknown key `{}`: the keys are {known}", of(word)));
        };
        let wrong = |why: &str| format!("{at}: {}: {why}", of(word));
        let value = string(value).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| wrong("must be a string that is not empty"))?;
        let value = match key {
            Field::Server => {
                let address = Address::parse(value).map_err(|why| wrong(&why))?;
                let tls = matches!(address, Address::Tcp { scheme: None | Some(Scheme::Https), .. });
                plain = (!tls).then(|| value.to_owned());
                value.to_owned()
            }
            Field::ServerName => {
                server_name(value).map_err(|why| wrong(&why))?;
                value.to_owned()
            }
            Field::CaCert | Field::Cert | Field::Key => complete(file, value),
        };
        if key != Field::Server {
            of_tls.get_or_insert((at, word));
        }
        values.push((key, value));
    }
    if !values.iter().any(|(key, _)| *key == Field::Server) {
        return Err(format!("{at}: {}: is missing", of(Field::Server.name())));
    }
    if let (Some(server), Some((at, key))) = (plain, of_tls) {
        return Err(format!("{at}: {}: means nothing to {server}: TLS needs https://HOST:PORT", of(key)));
    }
    Ok(Context { name: name.to_owned(), file: file.to_owned(), values })
}

/// Returns a path as the file means it: from the home folder, or else from the file's own.
fn complete(file: &Path, path: &str) -> String {
    let whole = match (path.strip_prefix("~/"), variable("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => file.parent().unwrap_or(Path::new("")).join(path),
    };
    whole.to_string_lossy().into_owned()
}

fn string<'a>(value: &'a Spanned<DeValue<'_>>) -> Option<&'a str> {
    match value.get_ref() {
        DeValue::String(text) => Some(text),
        _ => None,
    }
}

/// Returns the line of an offset, from 1.
fn line_of(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or(text).matches('\n').count() + 1
}

/// Returns the text of a file with another current context; all else stays as it is, comments too.
///
/// # Errors
/// When the text is not TOML.
pub(in crate::cli) fn with_current(text: &str, name: &str) -> Result<String, String> {
    // A string of JSON is one of TOML.
    let quoted = serde_json::Value::from(name).to_string();
    let table = DeTable::parse(text).map_err(|why| why.message().to_owned())?;
    let old = table.get_ref().iter().find(|(key, _)| key.get_ref().as_ref() == CURRENT);
    Ok(match old {
        Some((_, value)) => {
            let span = value.span();
            format!("{}{quoted}{}", &text[..span.start], &text[span.end..])
        }
        // In front of the first table, or else it would belong to that.
        None => format!("{CURRENT} = {quoted}\n{text}"),
    })
}

#[cfg(test)]
mod tests;
