//! A naive model of what should happen to a frame. It is written from the rules alone, one after
//! the other, and shares nothing with the engine.

// The fuzz targets compile this file by its path, so that its parts need theirs.
#[path = "oracle/ipv6.rs"]
mod ipv6;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::{IpAddr, Ipv4Addr};

use flowtracker_proto::key::ipv6_text;
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
    pub src: IpAddr,
    /// Destination address, of the same family.
    pub dst: IpAddr,
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
        let text = |addr| match addr {
            IpAddr::V4(addr) => addr.to_string(),
            IpAddr::V6(addr) => ipv6_text(addr),
        };
        v1::Key {
            input_port: format!("port{}", self.port),
            src_addr: text(self.src),
            dst_addr: text(self.dst),
            protocol: self.protocol.into(),
            src_port: self.src_port.into(),
            dst_port: self.dst_port.into(),
        }
    }
}

/// The EtherType of IPv4.
const IPV4: u16 = 0x0800;
/// The EtherType of IPv6.
const IPV6: u16 = 0x86dd;

/// Classifies a frame of either family before any table is looked up.
///
/// # Errors
/// The outcome of a frame that is not looked up.
pub fn classify(frame: &[u8], port: u16, tracked_protocols: &[u8]) -> Result<Key, Outcome> {
    match ethernet(frame)? {
        (IPV4, packet) => ipv4(packet, port, tracked_protocols),
        (IPV6, packet) => ipv6::classify(packet, port, tracked_protocols),
        _ => Err(Outcome::NotTrackedEthertype),
    }
}

/// Classifies a frame where only IPv4 is tracked.
///
/// # Errors
/// The outcome of a frame that is not looked up.
pub fn classify_ipv4(frame: &[u8], port: u16, tracked_protocols: &[u8]) -> Result<Key, Outcome> {
    match ethernet(frame)? {
        (IPV4, packet) => ipv4(packet, port, tracked_protocols),
        _ => Err(Outcome::NotTrackedEthertype),
    }
}

/// Returns the EtherType behind the tags, and the octets behind it.
fn ethernet(frame: &[u8]) -> Result<(u16, &[u8]), Outcome> {
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
    Ok((ethertype, &frame[ethertype_at + 2..]))
}

fn ipv4(ip: &[u8], port: u16, tracked_protocols: &[u8]) -> Result<Key, Outcome> {
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
        src: Ipv4Addr::new(ip[12], ip[13], ip[14], ip[15]).into(),
        dst: Ipv4Addr::new(ip[16], ip[17], ip[18], ip[19]).into(),
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

/// The tables of both families without time: their entries, and how often each outcome occurred.
#[derive(Clone, Debug)]
pub struct Oracle {
    tracked_protocols: Vec<u8>,
    /// Of each table.
    capacity: usize,
    may_create: bool,
    tracks_ipv6: bool,
    entries: BTreeMap<Key, Traffic>,
    counts: BTreeMap<Outcome, u64>,
}

impl Oracle {
    /// Returns empty tables of `capacity` entries each that track these protocols.
    #[must_use]
    pub fn new(tracked_protocols: &[u8], capacity: usize) -> Self {
        Self {
            tracked_protocols: tracked_protocols.to_vec(),
            capacity,
            may_create: true,
            tracks_ipv6: true,
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

    /// Leaves only IPv4 tracked.
    #[must_use]
    pub fn without_ipv6(mut self) -> Self {
        self.tracks_ipv6 = false;
        self
    }

    /// Takes one frame that enters port `port`, and returns its outcome.
    pub fn receive(&mut self, port: u16, frame: &[u8]) -> Outcome {
        let classify = if self.tracks_ipv6 { classify } else { classify_ipv4 };
        let outcome = match classify(frame, port, &self.tracked_protocols) {
            Err(outcome) => outcome,
            Ok(key) => {
                let of_family = self.entries.keys().filter(|known| known.src.is_ipv6() == key.src.is_ipv6());
                // Only a table with a limit is counted.
                let full = self.capacity < usize::MAX && of_family.count() == self.capacity;
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

    /// Returns the entries in the tables.
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
#[path = "oracle/tests.rs"]
mod tests;
