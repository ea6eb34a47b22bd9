//! How long `ctl` waits for the service.

use std::time::Duration;

/// The bound where no other is given.
pub(super) const DEFAULT_TIMEOUT: &str = "5s";
/// Longest timeout.
const MOST: Duration = Duration::from_secs(24 * 3600);

/// Reads a timeout: seconds, or a number with a unit. An empty text is the default.
pub(in crate::cli) fn timeout(text: &str) -> Result<Duration, String> {
    let text = if text.is_empty() { DEFAULT_TIMEOUT } else { text };
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds_each = match &text[number.len()..] {
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong(text)),
    };
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let seconds = number.parse::<f64>().ok().filter(|_| plain).ok_or_else(|| wrong(text))? * seconds_each;
    let read = Duration::try_from_secs_f64(seconds).ok();
    read.filter(|read| (Duration::from_millis(1)..=MOST).contains(read)).ok_or_else(|| wrong(text))
}

fn wrong(text: &str) -> String {
    format!("{text:?} is not a duration from 1ms to 24h, such as 5s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_number_with_or_without_a_unit() {
        for (text, ms) in [
            ("5", 5_000),
            ("5s", 5_000),
            ("500ms", 500),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("24h", 86_400_000),
            ("1ms", 1),
            ("", 5_000),
        ] {
            assert_eq!(timeout(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in [
            "0",
            "0s",
            "-1",
            "+1",
            "s",
            "ms",
            "5 s",
            "5x",
            "1e3",
            "inf",
            "nan",
            "25h",
            "1.2.3",
            "99999999999999h",
            "é",
        ] {
            assert!(timeout(text).unwrap_err().contains("such as 5s"), "{text}");
        }
    }
}
