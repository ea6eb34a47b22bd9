//! `google.protobuf.Timestamp` with the JSON form that proto3 requires.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};

/// A point in time: `google.protobuf.Timestamp`, Unix time in UTC.
///
/// In JSON it is RFC 3339 with a `Z` and 0, 3, 6 or 9 decimals, as the proto3 JSON mapping
/// requires; the usual crates write `+00:00`, which other programs need not accept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, prost::Message)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds within the second, 0 to 999999999.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

impl Timestamp {
    /// Makes a point in time from nanoseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn from_unix_ns(ns: u64) -> Self {
        Timestamp { seconds: (ns / 1_000_000_000) as i64, nanos: (ns % 1_000_000_000) as i32 }
    }
}

/// The JSON form, without quotes.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::new(self.seconds, self.nanos).map_err(|_| fmt::Error)?;
        let decimals = match self.nanos {
            0 => 0,
            n if n % 1_000_000 == 0 => 3,
            n if n % 1_000 == 0 => 6,
            _ => 9,
        };
        write!(f, "{time:.decimals$}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        jiff::Timestamp::new(self.seconds, self.nanos).map_err(S::Error::custom)?;
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let time: jiff::Timestamp = text.parse().map_err(D::Error::custom)?;
        // Before 1970 the seconds are rounded down and the nanoseconds stay positive.
        let ns = time.as_nanosecond();
        let seconds = ns.div_euclid(1_000_000_000) as i64;
        Ok(Timestamp { seconds, nanos: ns.rem_euclid(1_000_000_000) as i32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_what_the_proto3_mapping_says() {
        for (seconds, nanos, json) in [
            (0, 0, "\"1970-01-01T00:00:00Z\""),
            (1_795_368_314, 657_000_000, "\"2026-11-22T17:25:14.657Z\""),
            (1_795_368_314, 657_733_000, "\"2026-11-22T17:25:14.657733Z\""),
            (1_795_368_314, 657_733_629, "\"2026-11-22T17:25:14.657733629Z\""),
            (-1, 999_000_000, "\"1969-12-31T23:59:59.999Z\""),
        ] {
            let time = Timestamp { seconds, nanos };
            assert_eq!(serde_json::to_string(&time).unwrap(), json);
            assert_eq!(serde_json::from_str::<Timestamp>(json).unwrap(), time);
        }
        let elsewhere: Timestamp = serde_json::from_str("\"2026-11-22T18:25:14.657+01:00\"").unwrap();
        assert_eq!(elsewhere, Timestamp { seconds: 1_795_368_314, nanos: 657_000_000 });
        assert!(serde_json::from_str::<Timestamp>("\"yesterday\"").is_err());
    }
}
