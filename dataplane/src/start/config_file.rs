//! The file of `--config`: TOML whose keys are the long flags without their dashes.
//!
//! A value becomes the text that its flag would have had, so that clap checks both alike.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Spanned, Value};

/// Keys whose value may be an array: flags that take values separated by commas.
const LISTS: [&str; 2] = ["protocols", "timer-profiles"];
/// Keys whose value may be a boolean: flags that take `on` and `off`.
const SWITCHES: [&str; 1] = ["accounting"];
/// Keys whose value is a name and never a number.
const NAMES: [&str; 2] = ["control", "id"];
/// Keys whose flag reads hexadecimal digits, whatever TOML wrote the integer in.
const HEX: [&str; 1] = ["permissions"];

/// The settings of a file, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// As `--config` named it.
    pub path: PathBuf,
    /// Its settings.
    pub settings: Vec<Setting>,
}

/// One line `key = value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The long flag without dashes.
    pub key: String,
    /// What would follow the flag.
    pub value: String,
    /// Line of the key, from 1.
    pub line: usize,
}

impl ConfigFile {
    /// Reads and parses `path`. `known` are the keys that a file may have.
    ///
    /// # Errors
    /// What is wrong, beginning with the flag and the file.
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

    /// The setting of `key`.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    /// Where a setting stands, for a message.
    pub fn place_of(&self, setting: &Setting) -> impl fmt::Display {
        Place(&self.path, Some(setting.line))
    }
}

/// `--config FILE` and the line, if any.
struct Place<'a>(&'a Path, Option<usize>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--config {}", self.0.display())?;
        self.1.map_or(Ok(()), |line| write!(f, ": line {line}"))
    }
}

/// Line and column of an offset, both from 1.
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

/// What would follow the flag, if the value is of a type that the flag can have.
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
mod tests {
    use super::*;

    const KNOWN: [&str; 6] = ["accounting", "capacity", "id", "permissions", "protocols", "timer-profiles"];

    fn parse(text: &str) -> Result<Vec<(String, String, usize)>, String> {
        let file = ConfigFile::parse(Path::new("ft.toml"), text, &KNOWN)?;
        Ok(file.settings.into_iter().map(|s| (s.key, s.value, s.line)).collect())
    }

    #[test]
    fn a_value_becomes_the_text_of_its_flag() {
        for (line, text) in [
            ("capacity = 65_536", "65536"),
            ("capacity = -1", "-1"),
            ("capacity = \"65536\"", "65536"),
            ("id = \"lab\"", "lab"),
            ("permissions = 0x3dfc", "0x3dfc"),
            ("permissions = 15868", "0x3dfc"),
            ("permissions = \"3dfc\"", "3dfc"),
            ("protocols = \"tcp,udp\"", "tcp,udp"),
            ("protocols = [\"tcp\", \"udp\"]", "tcp,udp"),
            ("timer-profiles = [30000, 60000]", "30000,60000"),
            ("timer-profiles = 30000", "30000"),
            ("accounting = \"off\"", "off"),
            ("accounting = false", "off"),
            ("accounting = true", "on"),
        ] {
            let key = line.split(' ').next().expect("a key").to_owned();
            assert_eq!(parse(line), Ok(vec![(key, text.to_owned(), 1)]), "{line}");
        }
    }

    #[test]
    fn settings_keep_the_order_and_lines_of_the_file() {
        let text = "# a comment\ntimer-profiles = [\n  1000,\n  2000,\n]\n\nid = \"ä\" # b\ncapacity = 5\n";
        let lines: Vec<_> = parse(text).unwrap().into_iter().map(|(key, _, line)| (key, line)).collect();
        assert_eq!(
            lines,
            [("timer-profiles".to_owned(), 2), ("id".to_owned(), 7), ("capacity".to_owned(), 8)]
        );
        assert_eq!(parse(""), Ok(vec![]));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_key_and_line() {
        for (text, told) in [
            (
                "capacity = 5\nburts = 3",
                "--config ft.toml: line 2: unknown key `burts`: the keys are accounting,",
            ),
            ("timer_profiles = [1]", "line 1: unknown key `timer_profiles`: it is spelt `timer-profiles`"),
            ("[table]\ncapacity = 5", "line 1: unknown key `table`"),
            ("\ncapacity = true", "line 2: capacity: its value cannot be of type boolean"),
            ("capacity = 1.5", "line 1: capacity: its value cannot be of type float"),
            ("capacity = [1]", "line 1: capacity: its value cannot be of type array"),
            ("id = 5", "line 1: id: its value cannot be of type integer"),
            ("protocols = [[\"tcp\"]]", "line 1: protocols: its value cannot be of type array"),
            ("capacity.x = 1", "line 1: capacity: its value cannot be of type table"),
            ("capacity = 1\nid = lab", "--config ft.toml: line 2, column 6: "),
            ("capacity = 1\n\"é\" 5", "--config ft.toml: line 2, column 5: "),
            ("id = \"a\"\nid = \"b\"", "--config ft.toml: line 2, column 1: duplicate key"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(told), "{text:?}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn an_unreadable_file_is_named() {
        let error = ConfigFile::read(Path::new("/nosuch/ft.toml"), &KNOWN).unwrap_err();
        assert!(error.starts_with("--config /nosuch/ft.toml: No such file"), "{error}");
    }
}
