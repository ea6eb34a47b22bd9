//! A naive model of what should happen to a frame. It is written from the rules alone, one after
//! the other, and shares nothing with the engine.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::Ipv4Addr;

use flowtracker_proto::v1;

/// Where a received frame ends. Each frame lands in exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The key was in the table.
    Hit,
    /// The key was not in the table and is now.
    MissCreated,
    /// Not in the table, and the table is full.
    MissFull,
    /// Not in the table, which lacks the data path's create permission.
    MissDenied,
    /// The frame ends inside a field that is needed.
    Truncated,
    /// Not of a tracked family behind at most two VLAN tags.
    NotTrackedEthertype,
    /// An IP header that contradicts itself.
    Malformed,
    /// More IPv6 extension headers than are walked, or longer ones.
    ExtensionLimit,
    /// A fragment other than the first.
    Fragment,
    /// A protocol that is not tracked.
    NotTrackedProtocol,
    /// Received while the program was detached.
    Detached,
}

/// The match key of a tracked frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// DPDK port id of the port that the frame entered.
    pub port: u16,
    /// Source address.
    pub src: Ipv4Addr,
    /// Destination address.
    pub dst: Ipv4Addr,
    /// IANA protocol number.
    pub protocol: u8,
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
}

impl Key {
    /// Returns the key as the API shows it.
    #[must_use]
    pub fn to_proto(self) -> v1::Key {
        v1::Key {
            input_port: format!("port{}", self.port),
            src_addr: self.src.to_string(),
            dst_addr: self.dst.to_string(),
            protocol: self.protocol.into(),
            src_port: self.src_port.into(),
            dst_port: self.dst_port.into(),
        }
    }
}

/// Classifies a frame before any table is looked up.
///
/// # Errors
/// The outcome of a frame that is not looked up.
pub fn classify(frame: &[u8], port: u16, tracked_protocols: &[u8]) -> Result<Key, Outcome> {
    // Ethernet: two addresses, then the EtherType; at most two tags are skipped.
    let mut ethertype_at = 12;
    let mut tags = 0;
    let ethertype = loop {
        let ethertype = be16(frame, ethertype_at).ok_or(Outcome::Truncated)?;
        if tags == 2 || (ethertype != 0x8100 && ethertype != 0x88a8) {
            break ethertype;
        }
        tags += 1;
        ethertype_at += 4;
    };
    if ethertype != 0x0800 {
        return Err(Outcome::NotTrackedEthertype);
    }

    let ip = &frame[ethertype_at + 2..];
    if ip.len() < 20 {
        return Err(Outcome::Truncated);
    }
    let version = ip[0] / 16;
    let header = usize::from(ip[0] % 16) * 4;
    let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
    if version != 4 || header < 20 || total < header {
        return Err(Outcome::Malformed);
    }
    if u16::from_be_bytes([ip[6], ip[7]]) & 0x1fff != 0 {
        return Err(Outcome::Fragment);
    }
    if !tracked_protocols.contains(&ip[9]) {
        return Err(Outcome::NotTrackedProtocol);
    }
    let (Some(src_port), Some(dst_port)) = (be16(ip, header), be16(ip, header + 2)) else {
        return Err(Outcome::Truncated);
    };
    if total < header + 4 {
        return Err(Outcome::Malformed);
    }
    Ok(Key {
        port,
        src: Ipv4Addr::new(ip[12], ip[13], ip[14], ip[15]),
        dst: Ipv4Addr::new(ip[16], ip[17], ip[18], ip[19]),
        protocol: ip[9],
        src_port,
        dst_port,
    })
}

fn be16(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*octets.get(at)?, *octets.get(at + 1)?]))
}

/// The traffic of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Frames, the creating one included.
    pub packets: u64,
    /// Octets of those frames, without the frame check sequence.
    pub bytes: u64,
}

impl Traffic {
    fn count(&mut self, frame: &[u8]) {
        self.packets += 1;
        self.bytes += frame.len() as u64;
    }
}

/// A table without time: its entries, and how often each outcome occurred.
#[derive(Clone, Debug)]
pub struct Oracle {
    tracked_protocols: Vec<u8>,
    capacity: usize,
    may_create: bool,
    entries: BTreeMap<Key, Traffic>,
    counts: BTreeMap<Outcome, u64>,
}

impl Oracle {
    /// Returns an empty table of `capacity` entries that tracks these protocols.
    #[must_use]
    pub fn new(tracked_protocols: &[u8], capacity: usize) -> Self {
        Self {
            tracked_protocols: tracked_protocols.to_vec(),
            capacity,
            may_create: true,
            entries: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    /// Takes the create permission from the data path.
    #[must_use]
    pub fn without_create(mut self) -> Self {
        self.may_create = false;
        self
    }

    /// Takes one frame that enters port `port`, and returns its outcome.
    pub fn receive(&mut self, port: u16, frame: &[u8]) -> Outcome {
        let outcome = match classify(frame, port, &self.tracked_protocols) {
            Err(outcome) => outcome,
            Ok(key) => {
                let full = self.entries.len() == self.capacity;
                match self.entries.entry(key) {
                    Entry::Occupied(mut entry) => {
                        entry.get_mut().count(frame);
                        Outcome::Hit
                    }
                    Entry::Vacant(_) if !self.may_create => Outcome::MissDenied,
                    Entry::Vacant(_) if full => Outcome::MissFull,
                    Entry::Vacant(place) => {
                        place.insert(Traffic::default()).count(frame);
                        Outcome::MissCreated
                    }
                }
            }
        };
        *self.counts.entry(outcome).or_default() += 1;
        outcome
    }

    /// Returns the entries in the table.
    #[must_use]
    pub fn entries(&self) -> &BTreeMap<Key, Traffic> {
        &self.entries
    }

    /// Compares the entries of the API, in any order, with those of the model: keys, packets and
    /// bytes.
    ///
    /// # Panics
    /// When they differ.
    #[track_caller]
    pub fn assert_entries(&self, entries: Vec<v1::Entry>) {
        let order = |key: &v1::Key| format!("{key:?}");
        let mut found: Vec<_> = entries
            .into_iter()
            .map(|entry| (entry.key.expect("an entry has a key"), entry.packets, entry.bytes))
            .collect();
        let mut expected: Vec<_> =
            self.entries.iter().map(|(key, seen)| (key.to_proto(), seen.packets, seen.bytes)).collect();
        found.sort_by_key(|(key, ..)| order(key));
        expected.sort_by_key(|(key, ..)| order(key));
        assert_eq!(found, expected);
    }

    /// Returns the counters as the API shows them.
    #[must_use]
    pub fn outcomes(&self) -> v1::Outcomes {
        let count = |outcome| self.counts.get(&outcome).copied().unwrap_or(0);
        v1::Outcomes {
            hit: count(Outcome::Hit),
            miss_created: count(Outcome::MissCreated),
            miss_full: count(Outcome::MissFull),
            miss_denied: count(Outcome::MissDenied),
            truncated: count(Outcome::Truncated),
            not_tracked_ethertype: count(Outcome::NotTrackedEthertype),
            malformed: count(Outcome::Malformed),
            extension_limit: count(Outcome::ExtensionLimit),
            fragment: count(Outcome::Fragment),
            not_tracked_protocol: count(Outcome::NotTrackedProtocol),
            detached: count(Outcome::Detached),
        }
    }
}

/// Returns the sums of two lcores' counters.
#[must_use]
pub fn add(a: &v1::Outcomes, b: &v1::Outcomes) -> v1::Outcomes {
    v1::Outcomes {
        hit: a.hit + b.hit,
        miss_created: a.miss_created + b.miss_created,
        miss_full: a.miss_full + b.miss_full,
        miss_denied: a.miss_denied + b.miss_denied,
        truncated: a.truncated + b.truncated,
        not_tracked_ethertype: a.not_tracked_ethertype + b.not_tracked_ethertype,
        malformed: a.malformed + b.malformed,
        extension_limit: a.extension_limit + b.extension_limit,
        fragment: a.fragment + b.fragment,
        not_tracked_protocol: a.not_tracked_protocol + b.not_tracked_protocol,
        detached: a.detached + b.detached,
    }
}

/// Returns the sum of all outcome counters, which `rx` must equal.
#[must_use]
pub fn sum(outcomes: &v1::Outcomes) -> u64 {
    // There is no `..`, so that a counter added to the API must be added here too.
    let v1::Outcomes {
        hit,
        miss_created,
        miss_full,
        miss_denied,
        truncated,
        not_tracked_ethertype,
        malformed,
        extension_limit,
        fragment,
        not_tracked_protocol,
        detached,
    } = *outcomes;
    hit + miss_created
        + miss_full
        + miss_denied
        + truncated
        + not_tracked_ethertype
        + malformed
        + extension_limit
        + fragment
        + not_tracked_protocol
        + detached
}

#[cfg(test)]
mod tests {
    use super::*;
    use conntrack::key::{TCP, UDP};
    use conntrack::test_support::frame::{
        Ipv4Frame, TPID_8021AD, TPID_8021Q, arp_request, distinct_flows, every_prefix, ipv6_tcp,
    };

    const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

    fn syn() -> Ipv4Frame {
        Ipv4Frame::tcp((A, 36876), (B, 1234))
    }

    fn verdict(frame: &[u8]) -> Result<Key, Outcome> {
        classify(frame, 0, &[TCP])
    }

    const KEY: Key = Key { port: 0, src: A, dst: B, protocol: TCP, src_port: 36876, dst_port: 1234 };

    #[test]
    fn options_and_up_to_two_tags_do_not_change_the_key() {
        for words in 0..=10 {
            assert_eq!(verdict(&syn().ip_options(words).build()), Ok(KEY));
        }
        assert_eq!(verdict(&syn().tag(TPID_8021Q, 5).build()), Ok(KEY));
        assert_eq!(verdict(&syn().tag(TPID_8021AD, 5).tag(TPID_8021Q, 6).build()), Ok(KEY));
        assert_eq!(verdict(&syn().first_fragment().build()), Ok(KEY));
        // A third tag is an EtherType like any other.
        let three = syn().tag(TPID_8021AD, 5).tag(TPID_8021AD, 6).tag(TPID_8021Q, 7);
        assert_eq!(verdict(&three.build()), Err(Outcome::NotTrackedEthertype));
    }

    #[test]
    fn a_tracked_frame_needs_its_four_port_octets_and_no_more() {
        for (base, needed) in [
            (syn().unpadded(), 38),
            (syn().unpadded().ip_options(10), 78),
            (syn().unpadded().tag(TPID_8021Q, 5), 42),
            (syn().unpadded().tag(TPID_8021AD, 5).tag(TPID_8021Q, 6), 46),
        ] {
            for frame in every_prefix(&base.build()) {
                let expected = if frame.len() < needed { Err(Outcome::Truncated) } else { Ok(KEY) };
                assert_eq!(verdict(&frame), expected, "{} octets", frame.len());
            }
        }
    }

    #[test]
    fn what_is_not_looked_up_has_its_reason() {
        assert_eq!(verdict(&arp_request(A, B)), Err(Outcome::NotTrackedEthertype));
        assert_eq!(verdict(&ipv6_tcp(1, 2)), Err(Outcome::NotTrackedEthertype));
        assert_eq!(verdict(&syn().version(6).build()), Err(Outcome::Malformed));
        assert_eq!(verdict(&syn().ihl(4).build()), Err(Outcome::Malformed));
        assert_eq!(verdict(&syn().total_length(19).build()), Err(Outcome::Malformed));
        assert_eq!(verdict(&syn().total_length(23).build()), Err(Outcome::Malformed));
        assert_eq!(verdict(&syn().total_length(24).build()), Ok(KEY));
        assert_eq!(verdict(&syn().total_length(65535).build()), Ok(KEY));
        assert_eq!(verdict(&syn().later_fragment(1, true).build()), Err(Outcome::Fragment));
        assert_eq!(verdict(&Ipv4Frame::icmp_echo(A, B).build()), Err(Outcome::NotTrackedProtocol));
        assert_eq!(verdict(&Ipv4Frame::udp((A, 1), (B, 2)).build()), Err(Outcome::NotTrackedProtocol));
    }

    /// First match wins: a frame with two faults lands in the earlier one.
    #[test]
    fn the_order_of_the_rules_decides() {
        assert_eq!(verdict(&syn().version(5).later_fragment(1, false).build()), Err(Outcome::Malformed));
        assert_eq!(verdict(&syn().protocol(1).later_fragment(1, false).build()), Err(Outcome::Fragment));
        assert_eq!(verdict(&syn().protocol(1).total_length(20).build()), Err(Outcome::NotTrackedProtocol));
        assert_eq!(verdict(&syn().total_length(20).unpadded().build()[..34]), Err(Outcome::Truncated));
    }

    #[test]
    fn the_table_fills_up_to_its_capacity() {
        let mut oracle = Oracle::new(&[TCP, UDP], 5);
        for frame in distinct_flows(8).chain(distinct_flows(8)) {
            oracle.receive(0, &frame);
        }
        let outcomes = oracle.outcomes();
        assert_eq!((outcomes.miss_created, outcomes.hit, outcomes.miss_full), (5, 5, 6));
        assert_eq!(sum(&outcomes), 16);
        assert_eq!(oracle.entries().len(), 5);
    }

    #[test]
    fn without_permission_nothing_is_created() {
        let mut oracle = Oracle::new(&[TCP], 5).without_create();
        assert_eq!(oracle.receive(0, &syn().build()), Outcome::MissDenied);
        assert!(oracle.entries().is_empty());
    }
}
