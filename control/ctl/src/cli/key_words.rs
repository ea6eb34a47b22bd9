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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    proptest! {
        /// Any order of the pairs and the compact form give the same key.
        #[test]
        fn order_does_not_matter(
            ports in any::<(u16, u16, u16)>(), addrs in any::<(u32, u32)>(), protocol: u8,
            order in Just([0, 1, 2, 3, 4, 5]).prop_shuffle(),
        ) {
            let key = FlowKey {
                input_port: u32::from(ports.0) + 1, src_addr: addrs.0, dst_addr: addrs.1,
                src_port: ports.1, dst_port: ports.2, protocol,
            };
            let p = key.to_proto();
            let values = [
                p.input_port, p.src_addr, p.dst_addr, p.protocol.to_string(), p.src_port.to_string(),
                p.dst_port.to_string(),
            ];
            let pairs: Vec<String> =
                order.iter().flat_map(|i| [KEY_FIELDS[*i].name.to_owned(), values[*i].clone()]).collect();
            prop_assert_eq!(parse(&pairs), Ok(key));
            prop_assert_eq!(parse(&[key.to_string()]), Ok(key));
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let missing = parse(&words("srcAddr 10.0.0.1 protocol tcp srcPort 1 dstPort 2"));
        assert_eq!(missing, Err(KeyError::Missing(vec!["input_port", "dstAddr"])));
        for (text, named) in [
            ("srcAddr 10.0.0.1 srcAddr 10.0.0.1", "srcAddr"),
            ("tos 4", "tos"),
            ("srcPort", "srcPort"),
            ("port0/tcp/10.0.0.1:1", "port0/tcp"),
        ] {
            assert!(parse(&words(text)).unwrap_err().to_string().contains(named), "{text}");
        }
    }
}
