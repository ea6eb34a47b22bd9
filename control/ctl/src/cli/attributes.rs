//! The attributes that `create` and `update` give an entry, as flags.

use flowtracker_proto::key::parse_ranged;
use flowtracker_proto::limits;

use super::{Failure, KeyArgs};

/// Names an entry and says what it is to be.
#[derive(Debug, clap::Args)]
pub(super) struct EntryArgs {
    #[command(flatten)]
    pub(super) key: KeyArgs,
    #[command(flatten)]
    pub(super) attributes: Attributes,
}

/// What is not given is left to the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(super) struct Attributes {
    /// Let the idle timer delete the entry
    #[arg(
        long,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub(super) dynamic: Option<bool>,

    /// Timer profile that the aging time comes from
    #[arg(long, value_name = "ID", conflicts_with = "aging", value_parser = profile_id)]
    pub(super) profile: Option<u32>,

    /// Aging time, milliseconds: that of a timer profile
    #[arg(long, value_name = "MS", value_parser = aging_ms)]
    pub(super) aging: Option<u64>,

    /// Permission bits: some of the table's, without its two C bits
    #[arg(long, value_name = "HEX", value_parser = permissions)]
    pub(super) permissions: Option<u32>,
}

impl Attributes {
    /// Refuses attributes that set a timer on a static entry, which has none.
    pub(super) fn check_create(&self) -> Result<(), Failure> {
        let flag = match (self.profile, self.aging) {
            _ if self.dynamic == Some(true) => return Ok(()),
            (None, None) => return Ok(()),
            (Some(_), _) => "--profile",
            (None, Some(_)) => "--aging",
        };
        Err(Failure::Usage(format!("{flag} needs --dynamic: a static entry has no timer")))
    }
}

/// Reads the number of a timer profile.
pub(super) fn profile_id(text: &str) -> Result<u32, String> {
    parse_ranged(text, limits::PROFILE_ID)
}

/// Reads an aging time, milliseconds.
pub(super) fn aging_ms(text: &str) -> Result<u64, String> {
    parse_ranged(text, limits::AGING_MS)
}

/// Reads permission bits: hexadecimal, as everywhere in P4TC.
pub(super) fn permissions(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let hexadecimal = digits.bytes().all(|b| b.is_ascii_hexdigit());
    let bits = hexadecimal.then(|| u32::from_str_radix(digits, 16).ok()).flatten();
    bits.filter(|bits| *bits <= MOST_PERMISSIONS)
        .ok_or_else(|| format!("{text:?} is not a hexadecimal number of 14 bits, such as 0x1dbc"))
}

/// All 14 bits.
const MOST_PERMISSIONS: u32 = 0x3fff;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_fourteen_bits_in_hexadecimal() {
        for (text, bits) in [("0", 0), ("0x3dfc", 0x3dfc), ("3DFC", 0x3dfc), ("0X3fff", 0x3fff)] {
            assert_eq!(permissions(text), Ok(bits));
        }
        for text in ["", "0x", "4000", "+1", "-1", " 1", "1g", "0x0x1", "CRUD-PSCRUDX--", "100000000"] {
            assert!(permissions(text).unwrap_err().contains("14 bits"), "{text}");
        }
    }
}
