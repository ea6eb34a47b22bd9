//! How long the service works on a call.

use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::MetadataMap;

/// Returns when a gRPC call has to be answered: within its `grpc-timeout`, and within `most`.
pub(crate) fn deadline(metadata: &MetadataMap, most: Duration) -> Instant {
    before(metadata.get("grpc-timeout").and_then(|v| v.to_str().ok()).and_then(timeout), most)
}

/// Returns when a caller that waits for `asked` has to be answered: within that time, and within
/// `most`. A twentieth of `asked` is kept back, so that the answer still reaches the caller.
pub(crate) fn before(asked: Option<Duration>, most: Duration) -> Instant {
    Instant::now() + asked.map_or(most, |asked| (asked - asked / 20).min(most))
}

/// Parses a `grpc-timeout`: up to eight digits and a unit.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let n = u64::from(digits.parse::<u32>().ok().filter(|_| digits.len() <= 8)?);
    Some(match unit {
        "H" => Duration::from_secs(n * 3600),
        "M" => Duration::from_secs(n * 60),
        "S" => Duration::from_secs(n),
        "m" => Duration::from_millis(n),
        "u" => Duration::from_micros(n),
        "n" => Duration::from_nanos(n),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// gRPC over HTTP/2, "Timeout": at most eight digits and one of six units.
    #[test]
    fn a_timeout_is_a_number_of_eight_digits_and_a_unit() {
        for (text, expected) in [
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
            ("2M", Some(Duration::from_secs(120))),
            ("3S", Some(Duration::from_secs(3))),
            ("4m", Some(Duration::from_millis(4))),
            ("5u", Some(Duration::from_micros(5))),
            ("00000006n", Some(Duration::from_nanos(6))),
            ("100000000n", None),
            ("9999999999999999H", None),
            ("7", None),
            ("S", None),
            ("-1S", None),
            ("1s", None),
            ("1é", None),
            ("", None),
        ] {
            assert_eq!(timeout(text), expected, "{text:?}");
        }
    }
}
