//! The names of data planes: the rule for `--id` and for the link's `Hello`.

/// The most bytes of a name.
pub const MAX: usize = 63;

/// Returns true for 1 to [`MAX`] bytes of UTF-8 without blanks and control characters.
#[must_use]
pub fn is_valid(name: &str) -> bool {
    (1..=MAX).contains(&name.len()) && !name.chars().any(|c| c.is_control() || c.is_whitespace())
}
