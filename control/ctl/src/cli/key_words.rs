//! A key on the command line: FIELD VALUE pairs in any order, or the compact form.

use std::fmt;

use flowtracker_proto::key::{self, FlowKey};
use flowtracker_proto::table::{KEY_FIELDS, key_field};

/// What is wrong with a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeyError {
    /// These fields were not given.
    Missing(Vec<&'static str>),
    /// Anything else.
    Wrong(String),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(fields) => write!(f, "the key lacks {}", fields.join(", ")),
            Self::Wrong(why) => f.write_str(why),
        }
    }
}

/// Reads a key.
pub(super) fn parse(words: &[String]) -> Result<FlowKey, KeyError> {
    if let [only] = words
        && only.contains('/')
    {
        return only.parse().map_err(KeyError::Wrong);
    }
    let mut values: [Option<&str>; 6] = [None; 6];
    for pair in words.chunks(2) {
        let name = pair[0].as_str();
        let Some(slot) = key_field(name).map(|field| &mut values[field.id as usize - 1]) else {
            return Err(KeyError::Wrong(format!("Unknown key field \"{name}\"")));
        };
        let Some(value) = pair.get(1) else {
            return Err(KeyError::Wrong(format!("Key field \"{name}\" has no value")));
        };
        if slot.replace(value).is_some() {
            return Err(KeyError::Wrong(format!("Key field \"{name}\" is given twice")));
        }
    }
    let [Some(input_port), Some(src_addr), Some(dst_addr), Some(protocol), Some(src_port), Some(dst_port)] =
        values
    else {
        let missing = KEY_FIELDS.iter().zip(values).filter(|(_, v)| v.is_none()).map(|(f, _)| f.name);
        return Err(KeyError::Missing(missing.collect()));
    };
    let field = |i: usize| move |why| KeyError::Wrong(format!("{}: {why}", KEY_FIELDS[i].name));
    Ok(FlowKey {
        input_port: key::parse_input_port(input_port).map_err(field(0))?,
        src_addr: key::parse_addr(src_addr).map_err(field(1))?,
        dst_addr: key::parse_addr(dst_addr).map_err(field(2))?,
        protocol: key::parse_protocol(protocol).map_err(field(3))?,
        src_port: key::parse_number(src_port).map_err(field(4))?,
        dst_port: key::parse_number(dst_port).map_err(field(5))?,
    })
}

#[cfg(test)]
mod tests;
