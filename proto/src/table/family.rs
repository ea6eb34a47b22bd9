//! The address families, each of which has a table.

use crate::table::{IPV4_FLOWS, IPV6_FLOWS, NotFound, TableDescription};

/// An address family, which names a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    #[default]
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// Both, in the order of their pipelines' ids.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// Returns the description of its table.
    #[must_use]
    pub fn table(self) -> &'static TableDescription {
        match self {
            Self::Ipv4 => &IPV4_FLOWS,
            Self::Ipv6 => &IPV6_FLOWS,
        }
    }

    /// Returns the name of its table's pipeline.
    #[must_use]
    pub fn pipeline(self) -> &'static str {
        self.table().pipeline
    }

    /// Returns the family whose table has this pipeline.
    ///
    /// # Errors
    ///
    /// When there is no such pipeline.
    pub fn of_pipeline(pipeline: &str) -> Result<Self, NotFound> {
        Self::ALL.into_iter().find(|family| family.pipeline() == pipeline).ok_or(NotFound::Pipeline)
    }

    /// Returns the version of IP, which names the family in filters: 4 or 6.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Ipv4 => 4,
            Self::Ipv6 => 6,
        }
    }

    /// Returns the family with this number.
    #[must_use]
    pub fn of_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|family| u32::from(family.number()) == number)
    }
}
