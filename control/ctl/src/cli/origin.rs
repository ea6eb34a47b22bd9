//! The start of a stream of events, as `--from` gives it.

use std::fmt;
use std::str::FromStr;

use flowtracker_proto::v1::{After, Now, Snapshot, Start, start};

/// The place of an event in all streams of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) epoch: u64,
    pub(super) seq: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.seq)
    }
}

/// The place where a reader wants to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// With the events that happen from now on.
    Now,
    /// With the present entries.
    Snapshot,
    /// After this event.
    After(Cursor),
}

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // `parse` alone would accept a sign.
        let number = |n: &str| n.bytes().all(|b| b.is_ascii_digit()).then(|| n.parse().ok()).flatten();
        let cursor = |(epoch, seq)| Some(Cursor { epoch: number(epoch)?, seq: number(seq)? });
        match text {
            "now" => Ok(Self::Now),
            "snapshot" => Ok(Self::Snapshot),
            _ => text
                .split_once(':')
                .and_then(cursor)
                .map(Self::After)
                .ok_or("must be snapshot, now, or EPOCH:SEQ as the last event that you have says"),
        }
    }
}

impl From<Origin> for Start {
    fn from(origin: Origin) -> Self {
        let at = match origin {
            Origin::Now => start::At::Now(Now {}),
            Origin::Snapshot => start::At::Snapshot(Snapshot {}),
            Origin::After(Cursor { epoch, seq }) => start::At::After(After { epoch, seq }),
        };
        Self { at: Some(at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_word_or_a_cursor() {
        let after = |epoch, seq| Ok(Origin::After(Cursor { epoch, seq }));
        for (text, origin) in [
            ("now", Ok(Origin::Now)),
            ("snapshot", Ok(Origin::Snapshot)),
            ("0:0", after(0, 0)),
            ("1795329972123456000:18446744073709551615", after(1_795_329_972_123_456_000, u64::MAX)),
        ] {
            assert_eq!(text.parse(), origin, "{text}");
        }
        for text in
            ["", "Now", ":", "7", "7:", ":7", "+7:1", "7:-1", "7:1:2", "7: 1", "1:18446744073709551616"]
        {
            let refused = text.parse::<Origin>().unwrap_err();
            assert!(refused.contains("EPOCH:SEQ"), "{text}: {refused}");
        }
    }
}
