//! From comparisons of names and constants to tests of an entry: names are looked up, constants are
//! checked.

use std::fmt;

use flowtracker_proto::key;
use flowtracker_proto::table::{Family, FieldType, KeyField, NotFound, TableDescription};

use super::Place;
use super::error::Fault;
use super::parse::{Comparison, Constant, Placed};
use super::tree::Relation;

/// What a test looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// `key.FIELD`.
    Key(&'static KeyField),
    /// `family`: 4 or 6.
    Family,
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
    pub(super) mask: u128,
    /// With what.
    pub(super) value: u128,
}

/// The tables whose entries an expression is about.
pub(super) type Tables<'a> = &'a [&'static TableDescription];

/// Words of `cmd`; the value of each is its place, from 1.
const COMMANDS: [&str; 3] = ["create", "update", "delete"];

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(field) => write!(f, "key.{}", field.name),
            Self::Family => f.write_str("family"),
            Self::Prio => f.write_str("prio"),
            Self::MsecsSince => f.write_str("msecs_since"),
            Self::Cmd => f.write_str("cmd"),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.subject, self.relation)?;
        match self.subject {
            Subject::Key(field) if is_address(field) => {
                write!(f, "\"{}", key::value_text(field, self.value))?;
                match self.mask.count_ones() {
                    len if len == field.r#type.bits() => f.write_str("\""),
                    len => write!(f, "/{len}\""),
                }
            }
            Subject::Key(field) => f.write_str(&key::value_text(field, self.value)),
            Subject::Cmd => f.write_str(COMMANDS[self.value as usize - 1]),
            Subject::Family | Subject::Prio | Subject::MsecsSince => self.value.fmt(f),
        }
    }
}

impl Test {
    /// Returns the family of the address that it compares with.
    pub(super) fn family(&self) -> Option<Family> {
        match self.subject {
            Subject::Key(KeyField { r#type: FieldType::Ipv4, .. }) => Some(Family::Ipv4),
            Subject::Key(KeyField { r#type: FieldType::Ipv6, .. }) => Some(Family::Ipv6),
            _ => None,
        }
    }
}

fn is_address(field: &KeyField) -> bool {
    matches!(field.r#type, FieldType::Ipv4 | FieldType::Ipv6)
}

/// Gives a comparison its meaning.
pub(super) fn test(tables: Tables<'_>, comparison: Comparison, place: Place) -> Result<Test, Fault> {
    let Comparison { name, relation, constant } = comparison;
    let subject = subject(tables, &name, &constant.value.text, place)?;
    if relation.value.orders() {
        check_order(subject, relation.at)?;
    }
    let Placed { at, value: Constant { text, quoted } } = constant;
    let quotable = |field: &KeyField| is_address(field) || field.r#type == FieldType::Dev;
    if quoted && !matches!(subject, Subject::Key(field) if quotable(field)) {
        return Err(Fault::new(at, "leave the quotes out: only addresses and ports may have them"));
    }
    let read = match subject {
        Subject::Key(field) => key::parse_masked(field, &text),
        Subject::Family => family(&text).map(|n| (n, u8::MAX.into())),
        Subject::Prio => key::parse_number(&text).map(|n: u32| (n.into(), u32::MAX.into())),
        Subject::MsecsSince => key::parse_number(&text).map(|n: u64| (n.into(), u64::MAX.into())),
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
        Subject::Family => Err(Fault::new(at, "of family only = and != can be asked")),
        Subject::Cmd => {
            Err(Fault::of_p4tc(at, "Unable to compare command", "of cmd only = and != can be asked"))
        }
        Subject::Prio | Subject::MsecsSince => Ok(()),
    }
}

/// Returns what a name stands for. Several tables may have a field of this name. `constant` is what
/// the field is compared with, and an address selects the field of its own family.
fn subject(
    tables: Tables<'_>,
    name: &Placed<String>,
    constant: &str,
    place: Place,
) -> Result<Subject, Fault> {
    let refuse = |why: String| Err(Fault::new(name.at, why));
    match (name.value.as_str(), place) {
        ("family", _) => Ok(Subject::Family),
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
            Some(("key", field)) => {
                let fields = key_fields(tables, field, name.at + "key.".len())?;
                Ok(Subject::Key(of_constant(&fields, constant)))
            }
            Some(("param", _)) => {
                refuse(format!("{text:?} cannot be asked: entries of this table carry no action parameters"))
            }
            _ => refuse(unknown(tables, text, place)),
        },
    }
}

/// Returns the first field whose values can have the form of `constant`.
fn of_constant(fields: &[&'static KeyField], constant: &str) -> &'static KeyField {
    let fits = |field: &&&KeyField| match field.r#type {
        FieldType::Ipv4 => !constant.contains(':'),
        FieldType::Ipv6 => constant.contains(':'),
        _ => true,
    };
    fields.iter().find(fits).unwrap_or(&fields[0])
}

/// Returns why a name that is not `key.FIELD` is refused, and what may be meant.
fn unknown(tables: Tables<'_>, name: &str, place: Place) -> String {
    let (own, other) = match place {
        Place::Watch => ("cmd", "key.FIELD, family, prio and cmd"),
        Place::List | Place::Flush => ("msecs_since", "key.FIELD, family, prio and msecs_since"),
    };
    let field = closest(name, field_names(tables));
    match closest(name, ["family", "prio", own].into_iter().chain(field)) {
        Some(meant) if Some(meant) == field => format!("unknown name {name:?}; did you mean key.{meant}?"),
        Some(meant) => format!("unknown name {name:?}; did you mean {meant}?"),
        None => format!("unknown name {name:?}: there are {other}"),
    }
}

/// Returns the fields that `name`, at `at`, stands for, at least one: `FIELD`, in every table that
/// has it, or in the older form `PIPELINE.CONTROL.TABLE.FIELD`.
fn key_fields(tables: Tables<'_>, name: &str, at: usize) -> Result<Vec<&'static KeyField>, Fault> {
    let fields: Vec<_> = tables.iter().filter_map(|table| table.field(name)).collect();
    if !fields.is_empty() {
        return Ok(fields);
    }
    let mut parts = name.splitn(4, '.');
    if let (Some(pipeline), Some(control), Some(called), Some(field)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    {
        let table_at = at + pipeline.len() + 1;
        let called = format!("{control}/{called}");
        let table = tables.iter().find(|table| table.pipeline == pipeline).ok_or_else(|| {
            let all: Vec<_> = tables.iter().map(|table| table.pipeline).collect();
            let why = format!("{pipeline:?} is not {}", all.join(" or "));
            Fault::of_p4tc(at, NotFound::Pipeline.text(), &why)
        })?;
        if !table.is_called(&called) {
            let why = format!("{called:?} is not {}", table.name);
            return Err(Fault::of_p4tc(table_at, NotFound::Table.text(), &why));
        }
        let field_at = table_at + called.len() + 1;
        let unknown = || Fault::new(field_at, unknown_field(&[table], field));
        return table.field(field).map(|field| vec![field]).ok_or_else(unknown);
    }
    Err(Fault::new(at, unknown_field(tables, name)))
}

fn unknown_field(tables: Tables<'_>, name: &str) -> String {
    match closest(name, field_names(tables)) {
        Some(meant) => format!("unknown key field {name:?}; did you mean {meant}?"),
        None => {
            let mut all = Vec::new();
            for name in tables.iter().flat_map(|table| table.key).map(|field| field.name) {
                if !all.contains(&name) {
                    all.push(name);
                }
            }
            format!("unknown key field {name:?}: the fields are {}", all.join(", "))
        }
    }
}

fn field_names(tables: Tables<'_>) -> impl Iterator<Item = &'static str> {
    tables.iter().flat_map(|table| table.field_names())
}

/// That of `names` which `word` may be a slip for.
fn closest(word: &str, names: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    let like = |name: &str| strsim::jaro_winkler(&word, &name.to_ascii_lowercase());
    let scored = names.into_iter().map(|name| (like(name), name)).filter(|(score, _)| *score > 0.8);
    scored.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, name)| name)
}

fn family(text: &str) -> Result<u128, String> {
    match key::parse_number(text)? {
        number @ (4_u32 | 6) => Ok(number.into()),
        _ => Err(format!("family is 4 or 6, not {text:?}")),
    }
}

fn command(text: &str) -> Result<u128, String> {
    let [create, update, delete] = COMMANDS;
    let found = (1..).zip(COMMANDS).find(|(_, word)| *word == text).map(|(value, _)| value);
    found.ok_or_else(|| format!("cmd is {create}, {update} or {delete}, not {text:?}"))
}
