//! The keys of tables: checked values, the messages of the API, and the compact text form.
//!
//! A [`WideKey`] holds the key of any table, and a [`TableDescription`] gives the parts that are in
//! use and their written form. A [`FlowKey`] is the key of a flow in less memory. [`Key`] is the
//! message of the API. The compact text form, `port0/tcp/10.0.0.1:36876-10.0.0.2:1234`, is easy to
//! copy and paste.

mod flow;
mod value;

use std::fmt;

use crate::table::{FieldType, KeyField, KeyPart, TableDescription};
use crate::v1::Key;

pub use self::flow::{FlowKey, FlowKeyV4, FlowKeyV6};
pub use self::value::{
    TCP, UDP, ipv6_text, parse_masked, parse_number, parse_ranged, parse_value, port_name, quoted, value_text,
};

/// The key of any table, host byte order. A part that the table does not have is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct WideKey {
    /// DPDK port id + 1.
    pub input_port: u32,
    /// Source address, most significant byte first; of an IPv4 address the lowest 32 bits.
    pub src_addr: u128,
    /// Destination address, as `src_addr`.
    pub dst_addr: u128,
    /// IP protocol number.
    pub protocol: u8,
    /// Source port of the segment.
    pub src_port: u16,
    /// Destination port of the segment.
    pub dst_port: u16,
}

impl WideKey {
    /// Returns the value of a part.
    #[must_use]
    #[inline]
    pub fn get(&self, part: KeyPart) -> u128 {
        match part {
            KeyPart::InputPort => self.input_port.into(),
            KeyPart::SrcAddr => self.src_addr,
            KeyPart::DstAddr => self.dst_addr,
            KeyPart::Protocol => self.protocol.into(),
            KeyPart::SrcPort => self.src_port.into(),
            KeyPart::DstPort => self.dst_port.into(),
        }
    }

    /// Sets a part. Bits beyond [`KeyPart::bits`] are lost; no described field has any.
    pub fn set(&mut self, part: KeyPart, value: u128) {
        match part {
            KeyPart::InputPort => self.input_port = value as u32,
            KeyPart::SrcAddr => self.src_addr = value,
            KeyPart::DstAddr => self.dst_addr = value,
            KeyPart::Protocol => self.protocol = value as u8,
            KeyPart::SrcPort => self.src_port = value as u16,
            KeyPart::DstPort => self.dst_port = value as u16,
        }
    }

    /// Checks a key of a request for an entry of `table`.
    ///
    /// # Errors
    ///
    /// Reports every field that is wrong, each under its path below `path`.
    pub fn from_proto(
        table: &TableDescription,
        key: Option<&Key>,
        path: &str,
    ) -> Result<Self, Vec<Violation>> {
        let Some(key) = key else {
            let count = in_words(table.key.len());
            let why = format!("is missing: all {count} fields of the key are needed");
            return Err(vec![Violation::new(path, why)]);
        };
        let mut wide = Self::default();
        let mut wrong = Vec::new();
        for field in table.key {
            let value = match carried(key, field.part) {
                Carried::Text(text) => parse_value(field, text),
                Carried::Number(number) => {
                    value::check_range(number.into(), field.r#type.bits()).map(u128::from)
                }
            };
            match value {
                Ok(value) => wide.set(field.part, value),
                Err(why) => wrong.push(Violation::new(format!("{path}.{}", field.part.api_name()), why)),
            }
        }
        if wrong.is_empty() { Ok(wide) } else { Err(wrong) }
    }

    /// Returns the form of the API; parts that `table` does not have are left empty.
    #[must_use]
    pub fn to_proto(&self, table: &TableDescription) -> Key {
        let mut key = Key::default();
        for field in table.key {
            let value = self.get(field.part);
            match field.part {
                KeyPart::InputPort => key.input_port = value_text(field, value),
                KeyPart::SrcAddr => key.src_addr = value_text(field, value),
                KeyPart::DstAddr => key.dst_addr = value_text(field, value),
                KeyPart::Protocol => key.protocol = self.protocol.into(),
                KeyPart::SrcPort => key.src_port = self.src_port.into(),
                KeyPart::DstPort => key.dst_port = self.dst_port.into(),
            }
        }
        key
    }

    /// Parses the compact form of a key of `table`. Of `PORT/PROTOCOL/ADDRESS:PORT-ADDRESS:PORT`,
    /// the parts that the key does not have are left out.
    ///
    /// # Errors
    ///
    /// Says what is wrong, with the name of the field.
    pub fn parse(table: &TableDescription, text: &str) -> Result<Self, String> {
        let shape =
            || format!("{} is not a key: {} is one", quoted(text), Self::example(table).compact(table));
        let mut key = Self::default();
        for (field, word) in split(table, text).ok_or_else(shape)? {
            let value = parse_value(field, word).map_err(|why| format!("{}: {why}", field.name))?;
            key.set(field.part, value);
        }
        Ok(key)
    }

    /// Returns true when a word can only be a compact key of `table`, not the name of a field.
    #[must_use]
    pub fn looks_compact(table: &TableDescription, word: &str) -> bool {
        let leading = [KeyPart::InputPort, KeyPart::Protocol];
        let has_leading = leading.iter().any(|part| table.field_of(*part).is_some());
        word.contains(if has_leading { '/' } else { '-' })
    }

    /// Returns a value that prints the compact form, which [`WideKey::parse`] reads.
    #[must_use]
    pub fn compact<'a>(&'a self, table: &'a TableDescription) -> impl fmt::Display + 'a {
        Compact { key: self, table }
    }

    /// Returns an example of a key, for messages and help texts.
    #[must_use]
    pub fn example(table: &TableDescription) -> Self {
        let addr = |host: u128| match table.field_of(KeyPart::SrcAddr).map(|field| field.r#type) {
            Some(FieldType::Ipv6) => 0x2001_0db8 << 96 | host,
            _ => 10 << 24 | host,
        };
        Self {
            input_port: 1,
            src_addr: addr(1),
            dst_addr: addr(2),
            protocol: TCP,
            src_port: 36876,
            dst_port: 1234,
        }
    }
}

/// The value of a part in the form of the API.
enum Carried<'a> {
    Text(&'a str),
    Number(u32),
}

fn carried(key: &Key, part: KeyPart) -> Carried<'_> {
    match part {
        KeyPart::InputPort => Carried::Text(&key.input_port),
        KeyPart::SrcAddr => Carried::Text(&key.src_addr),
        KeyPart::DstAddr => Carried::Text(&key.dst_addr),
        KeyPart::Protocol => Carried::Number(key.protocol),
        KeyPart::SrcPort => Carried::Number(key.src_port),
        KeyPart::DstPort => Carried::Number(key.dst_port),
    }
}

/// Returns the value of a part of an API key as text.
#[must_use]
pub fn carried_text(key: &Key, part: KeyPart) -> String {
    match carried(key, part) {
        Carried::Text(text) => text.to_owned(),
        Carried::Number(number) => number.to_string(),
    }
}

type Word<'a> = (&'static KeyField, &'a str);

/// Splits a compact form into words, in the order in which errors are reported; `None` when it has
/// another shape.
fn split<'a>(table: &TableDescription, text: &'a str) -> Option<Vec<Word<'a>>> {
    let mut rest = text;
    let mut leading = |part| {
        let Some(field) = table.field_of(part) else { return Some(None) };
        let (word, behind) = rest.split_once('/')?;
        rest = behind;
        Some(Some((field, word)))
    };
    let input_port = leading(KeyPart::InputPort)?;
    let protocol = leading(KeyPart::Protocol)?;
    let (src, dst) = rest.split_once('-')?;
    let (src_addr, src_port) =
        split_end(table.field_of(KeyPart::SrcAddr)?, table.field_of(KeyPart::SrcPort), src)?;
    let (dst_addr, dst_port) =
        split_end(table.field_of(KeyPart::DstAddr)?, table.field_of(KeyPart::DstPort), dst)?;
    let words = [input_port, Some(src_addr), Some(dst_addr), src_port, dst_port, protocol];
    Some(words.into_iter().flatten().collect())
}

/// Splits `ADDRESS:PORT`, or takes `ADDRESS` where the key has no such port.
fn split_end<'a>(
    addr: &'static KeyField,
    port: Option<&'static KeyField>,
    text: &'a str,
) -> Option<(Word<'a>, Option<Word<'a>>)> {
    let (addr_word, port_word) = match port {
        Some(port) => {
            let (addr, word) = text.rsplit_once(':')?;
            (addr, Some((port, word)))
        }
        None => (text, None),
    };
    let addr_word = match addr.r#type {
        FieldType::Ipv6 => addr_word.strip_prefix('[')?.strip_suffix(']')?,
        _ => addr_word,
    };
    Some(((addr, addr_word), port_word))
}

/// Prints a key in the compact form.
struct Compact<'a> {
    key: &'a WideKey,
    table: &'a TableDescription,
}

impl fmt::Display for Compact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |part| self.table.field_of(part).map(|field| value_text(field, self.key.get(part)));
        if let Some(port) = text(KeyPart::InputPort) {
            write!(f, "{port}/")?;
        }
        if let Some(number) = text(KeyPart::Protocol) {
            match self.key.protocol {
                TCP => f.write_str("tcp/")?,
                UDP => f.write_str("udp/")?,
                _ => write!(f, "{number}/")?,
            }
        }
        let ends = [(KeyPart::SrcAddr, KeyPart::SrcPort), (KeyPart::DstAddr, KeyPart::DstPort)];
        for (between, (addr, port)) in ["", "-"].into_iter().zip(ends) {
            f.write_str(between)?;
            let field = self.table.field_of(addr);
            match (field.map(|field| field.r#type), text(addr)) {
                (Some(FieldType::Ipv6), Some(addr)) => write!(f, "[{addr}]")?,
                (_, addr) => f.write_str(&addr.unwrap_or_default())?,
            }
            if let Some(port) = text(port) {
                write!(f, ":{port}")?;
            }
        }
        Ok(())
    }
}

/// Writes small numbers as words, as messages do.
fn in_words(number: usize) -> String {
    const WORDS: [&str; 10] = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    WORDS.get(number).map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

/// One error in a field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field in the request message: `key.src_addr`.
    pub field: String,
    /// The error in its value.
    pub description: String,
}

impl Violation {
    /// Makes a violation: `field` is wrong because of `description`.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into() }
    }
}

#[cfg(test)]
mod tests;
