//! Which families are tracked.

use crate::key::{FlowKey, FlowKeyV6};

/// An address family, by the EtherType of its frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Family {
    /// 0x0800.
    Ipv4,
    /// 0x86dd.
    Ipv6,
}

/// What is done with the frames of a family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Handling {
    /// They are looked up.
    Tracked,
    /// The program of the family's table is detached: they pass, and nothing of them is read.
    Detached,
    /// The family is off: their EtherType is one that is not tracked.
    Off,
}

/// What is done with the frames of each family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Families {
    /// What is done with IPv4.
    pub(crate) ipv4: Handling,
    /// What is done with IPv6.
    pub(crate) ipv6: Handling,
}

impl Families {
    /// Both families are tracked.
    pub(super) const BOTH: Families = Families { ipv4: Handling::Tracked, ipv6: Handling::Tracked };

    /// Returns what is done with a family.
    #[inline]
    pub(super) fn handling(self, family: Family) -> Handling {
        match family {
            Family::Ipv4 => self.ipv4,
            Family::Ipv6 => self.ipv6,
        }
    }
}

/// The key of a frame of either family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnyKey {
    /// The key of an IPv4 frame.
    Ipv4(FlowKey),
    /// The key of an IPv6 frame.
    Ipv6(FlowKeyV6),
}
