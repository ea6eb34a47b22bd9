//! `-4` and `-6`: the table that a verb means.

use flowtracker_proto::table::Family;

use super::Failure;

/// Chooses one of the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub(super) struct FamilyArgs {
    /// IPv4 only: the pipeline `flowtracker`
    #[arg(short = '4', global = true, conflicts_with = "ipv6")]
    ipv4: bool,

    /// IPv6 only: the pipeline `flowtracker_ipv6`
    #[arg(short = '6', global = true)]
    ipv6: bool,
}

impl FamilyArgs {
    /// Returns the family that was chosen.
    pub(super) fn family(self) -> Result<Option<Family>, Failure> {
        match (self.ipv4, self.ipv6) {
            (false, false) => Ok(None),
            (true, false) => Ok(Some(Family::Ipv4)),
            (false, true) => Ok(Some(Family::Ipv6)),
            // clap does not see that one stands in front of the verb and the other behind it.
            (true, true) => Err(Failure::Usage("-4 and -6 cannot be used together".to_owned())),
        }
    }
}
