//! `-4` and `-6`: the table that a verb means.

use flowtracker_proto::table::Family;

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
    pub(super) fn family(self) -> Option<Family> {
        match self {
            Self { ipv6: true, .. } => Some(Family::Ipv6),
            Self { ipv4: true, .. } => Some(Family::Ipv4),
            Self { ipv4: false, ipv6: false } => None,
        }
    }
}
