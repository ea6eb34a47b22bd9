//! An event of either table, as the ring carries it.

use conntrack::{Event, FlowKey, FlowKeyV6};

/// An event of one of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableEvent {
    /// An event of the table of IPv4.
    Ipv4(Event<FlowKey>),
    /// An event of the table of IPv6.
    Ipv6(Event<FlowKeyV6>),
}

impl From<Event<FlowKey>> for TableEvent {
    fn from(event: Event<FlowKey>) -> Self {
        Self::Ipv4(event)
    }
}

impl From<Event<FlowKeyV6>> for TableEvent {
    fn from(event: Event<FlowKeyV6>) -> Self {
        Self::Ipv6(event)
    }
}
