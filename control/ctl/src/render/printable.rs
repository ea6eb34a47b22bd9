//! Text that came over the network, made safe for a terminal.
//!
//! Names of data planes, ports, devices and processes, versions, and the messages of refusals are
//! other people's text. A terminal obeys control characters in it, and characters that turn the
//! direction of writing make it read as something else. Here they become `\u001b`, the form of
//! JSON, so that the same text is right in a JSON document too.
//!
//! Two functions do it. [`one_line`] is for a field that becomes part of a line. [`lines`] is for
//! everything that is written at all: the last net, which keeps the line ends and tabs of `ctl`'s
//! own forms.

use std::borrow::Cow;
use std::fmt::Write;

/// Returns `text` with every character escaped that a terminal would obey or hide, line ends
/// included.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, |c| obeyed(c) || hidden(c))
}

/// Does the same for text of several lines: line ends and tabs stay.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| (obeyed(c) && c != '\n' && c != '\t') || hidden(c))
}

/// C0 controls, DEL and C1 controls.
fn obeyed(c: char) -> bool {
    c.is_control()
}

/// Characters without a shape of their own (Unicode's general categories Cf, Zl and Zp) that change
/// the direction, order or extent of the text around them.
fn hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

fn escaped(text: &str, unsafe_: impl Fn(char) -> bool) -> Cow<'_, str> {
    let Some(first) = text.find(&unsafe_) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first]);
    for c in text[first..].chars() {
        if unsafe_(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_or_hides_is_escaped() {
        for (text, line) in [
            ("lab", "lab"),
            ("", ""),
            ("dépôt 東京 …", "dépôt 東京 …"),
            ("\x1b[2J", "\\u001b[2J"),
            ("a\nb\tc\r", "a\\u000ab\\u0009c\\u000d"),
            ("\0\x07\x08\x7f", "\\u0000\\u0007\\u0008\\u007f"),
            ("\u{9b}31m\u{85}", "\\u009b31m\\u0085"),
            ("\u{202e}gnp\u{202c}\u{2066}\u{200f}", "\\u202egnp\\u202c\\u2066\\u200f"),
            ("\u{2028}\u{feff}", "\\u2028\\ufeff"),
            ("\u{e0041}", "\\udb40\\udc41"),
        ] {
            assert_eq!(one_line(text), line);
        }
        assert_eq!(lines("a\tb\nc\x1b\r\u{202e}\n"), "a\tb\nc\\u001b\\u000d\\u202e\n");
        for c in '\0'..='\u{10ffff}' {
            let text = c.to_string();
            let escaped = one_line(&text);
            assert!(!escaped.chars().any(char::is_control), "{c:?}");
            // The same text in a JSON document.
            assert!(matches!(lines(&text), Cow::Owned(_)) || c == '\n' || c == '\t' || escaped == text);
        }
    }

    #[test]
    fn escaping_a_json_document_keeps_its_meaning() {
        let hostile: String = ('\0'..='\u{ff}').chain("\u{202e}\u{2066}\u{e0041}é".chars()).collect();
        let document = serde_json::to_string(&[&hostile]).unwrap();
        let safe = lines(&document);
        assert!(!safe.chars().any(|c| obeyed(c) || hidden(c)));
        assert_eq!(serde_json::from_str::<Vec<String>>(&safe).unwrap(), [hostile]);
    }
}
