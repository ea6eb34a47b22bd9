//! From comparisons of names and constants to tests of an entry: names are looked up, constants are checked.

use std::fmt;
use std::net::Ipv4Addr;

use flowtracker_proto::show;

use super::Place;
use super::error::Fault;
use super::parse::{Comparison, Constant, Placed};
use super::tree::Relation;
use flowtracker_proto::key;
use flowtracker_proto::table::{self, FieldType, KEY_FIELDS, KeyField, PIPELINE, TABLE_NAMES};

/// What a test looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// `key.FIELD`.
    Key(&'static KeyField),
    /// `prio`: the priority.
    Prio,
    /// `msecs_since`: milliseconds since the last packet or update.
    MsecsSince,
    /// `cmd`: what the event reports.
    Cmd,
}

/// One comparison that has a meaning. It prints itself as canonical text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Test {
    /// What is looked at.
    pub(super) subject: Subject,
    /// How it is compared.
    pub(super) relation: Relation,
    /// Bits of the subject that count.
    pub(super) mask: u64,
    /// With what.
    pub(super) value: u64,
}

/// Words of `cmd`; the value of each is its place, from 1.
const COMMANDS: [&str; 3] = ["create", "update", "delete"];

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(field) => write!(f, "key.{}", field.name),
            Self::Prio => f.write_str("prio"),
            Self::MsecsSince => f.write_str("msecs_since"),
            Self::Cmd => f.write_str("cmd"),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.subject, self.relation)?;
        // Whatever fits its subject fits these widths.
        let narrow = self.value as u32;
        match self.subject {
            Subject::Key(KeyField { r#type: FieldType::Ipv4, .. }) => {
                write!(f, "\"{}", Ipv4Addr::from_bits(narrow))?;
                match self.mask.count_ones() {
                    32 => f.write_str("\""),
                    len => write!(f, "/{len}\""),
                }
            }
            Subject::Key(KeyField { r#type: FieldType::Dev, .. }) => f.write_str(&show::port_name(narrow)),
            Subject::Cmd => f.write_str(COMMANDS[narrow as usize - 1]),
            Subject::Key(_) | Subject::Prio | Subject::MsecsSince => self.value.fmt(f),
        }
    }
}

/// Gives a comparison its meaning.
pub(super) fn test(comparison: Comparison, place: Place) -> Result<Test, Fault> {
    let Comparison { name, relation, constant } = comparison;
    let subject = subject(&name, place)?;
    if relation.value.orders() {
        check_order(subject, relation.at)?;
    }
    let Placed { at, value: Constant { text, quoted } } = constant;
    if quoted && !matches!(subject, Subject::Key(KeyField { r#type: FieldType::Ipv4 | FieldType::Dev, .. })) {
        return Err(Fault::new(at, "leave the quotes out: only addresses and ports may have them"));
    }
    let read = match subject {
        Subject::Key(field) => match field.r#type {
            FieldType::Ipv4 => prefix(&text),
            FieldType::Dev => key::parse_input_port(&text).map(|port| (port.into(), u32::MAX.into())),
            FieldType::Bit8 => key::parse_protocol(&text).map(|number| (number.into(), u8::MAX.into())),
            FieldType::Be16 => key::parse_number(&text).map(|n: u16| (n.into(), u16::MAX.into())),
        },
        Subject::Prio => key::parse_number(&text).map(|n: u32| (n.into(), u32::MAX.into())),
        Subject::MsecsSince => key::parse_number(&text).map(|n: u64| (n, u64::MAX)),
        Subject::Cmd => command(&text).map(|n| (n, u8::MAX.into())),
    };
    let (value, mask) = read.map_err(|why| Fault::new(at, why))?;
    Ok(Test { subject, relation: relation.value, mask, value })
}

fn check_order(subject: Subject, at: usize) -> Result<(), Fault> {
    match subject {
        Subject::Key(_) => {
            let why = "of a key field only = and != can be asked";
            Err(Fault::of_p4tc(at, "Compare with key operand isn't allowed", why))
        }
        Subject::Cmd => {
            Err(Fault::of_p4tc(at, "Unable to compare command", "of cmd only = and != can be asked"))
        }
        Subject::Prio | Subject::MsecsSince => Ok(()),
    }
}

fn subject(name: &Placed<String>, place: Place) -> Result<Subject, Fault> {
    let refuse = |why: String| Err(Fault::new(name.at, why));
    match (name.value.as_str(), place) {
        ("prio", _) => Ok(Subject::Prio),
        ("msecs_since", Place::List | Place::Flush) => Ok(Subject::MsecsSince),
        ("msecs_since", Place::Watch) => refuse(
            "msecs_since has no meaning for a stream of events: it is known to lists and flushes only".into(),
        ),
        ("cmd", Place::Watch) => Ok(Subject::Cmd),
        ("cmd", Place::List | Place::Flush) => {
            refuse("cmd has no meaning for entries: it is known to a stream of events only".into())
        }
        (text, _) => match text.split_once('.') {
            Some(("key", field)) => key_field(field, name.at + "key.".len()).map(Subject::Key),
            Some(("param", _)) => {
                refuse(format!("{text:?} cannot be asked: entries of this table carry no action parameters"))
            }
            _ => refuse(unknown(text, place)),
        },
    }
}

/// Why a name that is not `key.FIELD` is refused, and what may be meant.
fn unknown(name: &str, place: Place) -> String {
    let (own, other) = match place {
        Place::Watch => ("cmd", "key.FIELD, prio and cmd"),
        Place::List | Place::Flush => ("msecs_since", "key.FIELD, prio and msecs_since"),
    };
    let field = closest(name, field_names());
    match closest(name, ["prio", own].into_iter().chain(field)) {
        Some(meant) if Some(meant) == field => format!("unknown name {name:?}; did you mean key.{meant}?"),
        Some(meant) => format!("unknown name {name:?}; did you mean {meant}?"),
        None => format!("unknown name {name:?}: there are {other}"),
    }
}

/// The field that `name`, at `at`, stands for: `FIELD`, or in the older form `PIPELINE.CONTROL.TABLE.FIELD`.
fn key_field(name: &str, at: usize) -> Result<&'static KeyField, Fault> {
    if let Some(field) = table::key_field(name) {
        return Ok(field);
    }
    let mut parts = name.splitn(4, '.');
    if let (Some(pipeline), Some(control), Some(table), Some(field)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    {
        let table_at = at + pipeline.len() + 1;
        let table = format!("{control}/{table}");
        if pipeline != PIPELINE {
            let why = format!("{pipeline:?} is not {PIPELINE}");
            return Err(Fault::of_p4tc(at, "Pipeline name not found", &why));
        }
        if !TABLE_NAMES.contains(&table.as_str()) {
            let why = format!("{table:?} is not {}", table::TABLE);
            return Err(Fault::of_p4tc(table_at, "Table name not found", &why));
        }
        return table::key_field(field)
            .ok_or_else(|| Fault::new(table_at + table.len() + 1, unknown_field(field)));
    }
    Err(Fault::new(at, unknown_field(name)))
}

fn unknown_field(name: &str) -> String {
    match closest(name, field_names()) {
        Some(meant) => format!("unknown key field {name:?}; did you mean {meant}?"),
        None => {
            let all = KEY_FIELDS.map(|field| field.name).join(", ");
            format!("unknown key field {name:?}: the fields are {all}")
        }
    }
}

fn field_names() -> impl Iterator<Item = &'static str> {
    KEY_FIELDS.iter().map(|field| field.name).chain(["protocol"])
}

/// That of `names` which `word` may be a slip for.
fn closest(word: &str, names: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    let like = |name: &str| strsim::jaro_winkler(&word, &name.to_ascii_lowercase());
    let scored = names.into_iter().map(|name| (like(name), name)).filter(|(score, _)| *score > 0.8);
    scored.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, name)| name)
}

fn command(text: &str) -> Result<u64, String> {
    let [create, update, delete] = COMMANDS;
    let found = (1..).zip(COMMANDS).find(|(_, word)| *word == text).map(|(value, _)| value);
    found.ok_or_else(|| format!("cmd is {create}, {update} or {delete}, not {text:?}"))
}

/// Reads `ADDRESS` or `ADDRESS/LENGTH`: the value, whose bits beyond the prefix do not count, and the mask.
fn prefix(text: &str) -> Result<(u64, u64), String> {
    let (address, length) = text.split_once('/').unwrap_or((text, "32"));
    let wrong = || format!("{text:?} is not an IPv4 address or prefix, such as \"10.0.0.0/24\"");
    let address: Ipv4Addr = address.parse().map_err(|_| wrong())?;
    if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let length: u32 = length
        .parse()
        .ok()
        .filter(|length| *length <= 32)
        .ok_or_else(|| format!("the prefix length of {text:?} is not in 0 to 32"))?;
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    Ok(((address.to_bits() & mask).into(), mask.into()))
}
