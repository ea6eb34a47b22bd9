//! A filter as an lcore applies it: the program that the control service has
//! compiled, and the engine's entry as the facts that it asks about.

use conntrack::{Entry, Now};
use flowtracker_proto::filter::{BadFilter, Facts, Program};
use flowtracker_proto::{show, v1};

/// Which entries a dump or a flush is about.
#[derive(Clone, Copy, Debug)]
pub struct Filter(Program);

impl Filter {
    /// Every entry.
    pub const ALL: Filter = Filter(Program::ALL);

    /// Takes a filter off the link.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_proto(filter: Option<&v1::Filter>) -> Result<Self, BadFilter> {
        Program::from_proto(filter).map(Filter)
    }

    /// True when the entry, as it is now, passes.
    #[inline]
    #[must_use]
    pub fn matches(&self, entry: &Entry, now: Now) -> bool {
        self.0.is_all() || self.0.matches(&facts(entry, now))
    }
}

fn facts(entry: &Entry, now: Now) -> Facts {
    let key = &entry.key;
    Facts {
        input_port: u32::from(key.input_port()),
        src_addr: key.src_addr().to_bits(),
        dst_addr: key.dst_addr().to_bits(),
        protocol: key.protocol(),
        src_port: key.src_port(),
        dst_port: key.dst_port(),
        prio: show::PRIORITY,
        idle_ms: u64::from(entry.idle_ms(now.tick)),
        cmd: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use conntrack::{ActorId, FlowKey, Permissions, ProfileId, Tick};
    use std::net::Ipv4Addr;

    #[test]
    fn every_field_arrives_where_it_is_asked_for() {
        use v1::FilterOperand as O;
        let entry = Entry {
            key: FlowKey::new(2, Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2), 6, 36876, 1234),
            created_ms: 1000,
            last_used: Tick(2000),
            aging_ms: 30_000,
            profile: ProfileId::default(),
            permissions: Permissions::new(0x1dbc).expect("14 bits"),
            packets: 1,
            bytes: 60,
            creator: ActorId::DATA_PATH,
            updater: ActorId::NONE,
        };
        let now = Now::from_ms(2750);
        let (byte, half, word) = (0xff, 0xffff, 0xffff_ffff);
        for (operand, mask, value) in [
            (O::InputPort, word, 2),
            (O::SrcAddr, word, 0x0a00_0001),
            (O::DstAddr, word, 0x0a00_0002),
            (O::Protocol, byte, 6),
            (O::SrcPort, half, 36876),
            (O::DstPort, half, 1234),
            (O::Prio, word, 64000),
            (O::MsecsSince, u64::MAX, 750),
        ] {
            let matches = |value| {
                let step =
                    v1::FilterStep { op: v1::FilterOp::Eq.into(), operand: operand.into(), mask, value };
                let filter = Filter::from_proto(Some(&v1::Filter { steps: vec![step] })).expect("sound");
                filter.matches(&entry, now)
            };
            assert!(matches(value), "{operand:?}");
            assert!(!matches(value + 1), "{operand:?}");
        }
        assert!(Filter::ALL.matches(&entry, now));
    }
}
