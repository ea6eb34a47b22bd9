//! The names of data planes: the rule for `--id` and for the link's `Hello`.

use crate::text;

/// The most bytes of a name.
pub const MAX: usize = 63;

/// Returns true for 1 to [`MAX`] bytes of printable UTF-8 without blanks; see
/// [`text::is_printable`].
#[must_use]
pub fn is_valid(name: &str) -> bool {
    (1..=MAX).contains(&name.len()) && text::is_printable(name) && !name.contains(char::is_whitespace)
}
