//! Text from others, made fit for terminals and log lines.

use std::borrow::Cow;

/// Returns whether `text` has no control characters and no others that change how a terminal shows
/// what follows: line separators, and marks that turn the direction of writing (Unicode Technical
/// Report 36, section 2.10).
#[must_use]
pub fn is_printable(text: &str) -> bool {
    text.chars().all(is_plain)
}

/// Returns `text` with U+FFFD in place of each character that [`is_printable`] refuses.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if is_printable(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_plain(c) { c } else { char::REPLACEMENT_CHARACTER }).collect())
}

fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_a_cursor_is_replaced_and_the_rest_stays() {
        assert_eq!(
            printable("\u{1b}[2Ja\r\nb\u{9b}1m\u{7f}"),
            "\u{fffd}[2Ja\u{fffd}\u{fffd}b\u{fffd}1m\u{fffd}"
        );
        assert_eq!(printable("a\u{202e}b\u{2028}c"), "a\u{fffd}b\u{fffd}c");
        assert!(matches!(printable("Größe → ∞"), Cow::Borrowed("Größe → ∞")));
        assert!(is_printable("") && !is_printable("\0"));
    }
}
