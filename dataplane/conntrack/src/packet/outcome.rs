//! The outcomes of a frame.

/// What became of a received frame. Every frame has exactly one outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Outcome {
    /// The key was in the table.
    Hit,
    /// The key was not in the table and is now.
    MissCreated,
    /// The key was not in the table, and the shard is full.
    MissFull,
    /// The key was not in the table, which lacks the data path's C permission.
    MissDenied,
    /// The frame ended before the Ethernet, VLAN, IP or port fields did.
    Truncated,
    /// The EtherType after at most two VLAN tags was not that of a tracked family.
    NotTrackedEthertype,
    /// The IP header contradicts itself: version, IHL, total length or payload length.
    Malformed,
    /// The packet has more IPv6 extension headers than are walked, or longer ones.
    ExtensionLimit,
    /// The packet was a fragment other than the first.
    Fragment,
    /// The protocol is not tracked.
    NotTrackedProtocol,
    /// The frame was received while the program was detached.
    Detached,
}

/// Numbers of frames, indexed by [`Outcome`].
pub type Outcomes = [u64; Outcome::ALL.len()];

impl Outcome {
    /// All outcomes, in the order of their numbers.
    pub const ALL: [Outcome; 11] = [
        Outcome::Hit,
        Outcome::MissCreated,
        Outcome::MissFull,
        Outcome::MissDenied,
        Outcome::Truncated,
        Outcome::NotTrackedEthertype,
        Outcome::Malformed,
        Outcome::ExtensionLimit,
        Outcome::Fragment,
        Outcome::NotTrackedProtocol,
        Outcome::Detached,
    ];

    /// Returns the name under which the outcome is counted and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Hit => "hit",
            Outcome::MissCreated => "miss_created",
            Outcome::MissFull => "miss_full",
            Outcome::MissDenied => "miss_denied",
            Outcome::Truncated => "truncated",
            Outcome::NotTrackedEthertype => "not_tracked_ethertype",
            Outcome::Malformed => "malformed",
            Outcome::ExtensionLimit => "extension_limit",
            Outcome::Fragment => "fragment",
            Outcome::NotTrackedProtocol => "not_tracked_protocol",
            Outcome::Detached => "detached",
        }
    }
}
