//! JSON as iproute2 indents it (`ip -j -p`, `tc -j -p`): each member of an object has a line,
//! indented by four blanks per level, and an array opens and closes on the lines of its members.

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::Error;
use serde_json::ser::{Formatter, Serializer};

/// Serializes `value` in that form.
pub(super) fn to_string(value: &(impl Serialize + ?Sized)) -> serde_json::Result<String> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, Iproute2::default()))?;
    String::from_utf8(out).map_err(Error::custom)
}

#[derive(Debug, Default)]
struct Iproute2 {
    /// Number of objects and arrays around the next value.
    depth: usize,
    /// Whether the innermost array has a member.
    filled: bool,
}

impl Iproute2 {
    fn line(&self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| out.write_all(b"    "))
    }
}

impl Formatter for Iproute2 {
    fn begin_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        out.write_all(b"[ ")
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn end_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth -= 1;
        out.write_all(if self.filled { b" ]" } else { b"]" })
    }

    fn begin_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        out.write_all(b"{")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        self.line(out)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth -= 1;
        self.line(out)?;
        out.write_all(b"}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn arrays_open_on_the_line_of_their_first_member() {
        let value = json!([{"a": true, "b": [{"c": 1}, {"c": 2}], "d": []}, {"e": "x"}]);
        let text = super::to_string(&value).unwrap();
        assert_eq!(
            text,
            r#"[ {
        "a": true,
        "b": [ {
                "c": 1
            },{
                "c": 2
            } ],
        "d": [ ]
    },{
        "e": "x"
    } ]"#
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
