//! Events as a watcher reads them, from messages and from lines of JSON: an independent reader,
//! written from the documentation.

use std::net::{IpAddr, Ipv4Addr};

use serde::Deserialize;

use crate::v1;

/// The key of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    port: u16,
    src: IpAddr,
    dst: IpAddr,
    protocol: u8,
    /// Source port, which distinguishes the flows of many tests.
    pub src_port: u16,
    dst_port: u16,
}

impl Key {
    /// Parses the fields of a key as the API shows them.
    ///
    /// # Errors
    /// Names the field that is not as documented.
    pub fn parse(
        (input_port, src_addr, dst_addr): (&str, &str, &str),
        (protocol, src_port, dst_port): (u32, u32, u32),
    ) -> Result<Self, String> {
        let addr = |text: &str| text.parse::<IpAddr>().map_err(|error| format!("address {text:?}: {error}"));
        let port = |number: u32| u16::try_from(number).map_err(|error| format!("port {number}: {error}"));
        let input = input_port.strip_prefix("port").and_then(|number| number.parse().ok());
        let (src, dst) = (addr(src_addr)?, addr(dst_addr)?);
        if src.is_ipv4() != dst.is_ipv4() {
            return Err(format!("addresses of two families: {src} and {dst}"));
        }
        Ok(Self {
            port: input.ok_or_else(|| format!("input port {input_port:?}"))?,
            src,
            dst,
            protocol: u8::try_from(protocol).map_err(|error| format!("protocol {protocol}: {error}"))?,
            src_port: port(src_port)?,
            dst_port: port(dst_port)?,
        })
    }

    /// Returns the key that a flow of the tests' traffic generator has when it enters this port:
    /// from 10.1.0.0 on, consecutive source ports first, then the next address, to 10.0.0.2:80.
    #[must_use]
    pub fn of_flow(number: u64, port: u16) -> Self {
        let addr = |a, b| Ipv4Addr::new(10, a, 0, b);
        let src = Ipv4Addr::from_bits(addr(1, 0).to_bits().wrapping_add((number >> 16) as u32));
        let (src, dst) = (src.into(), addr(0, 2).into());
        Self { port, src, dst, protocol: 6, src_port: number as u16, dst_port: 80 }
    }

    /// Returns true when both addresses are of IPv6.
    #[must_use]
    pub fn is_ipv6(&self) -> bool {
        self.src.is_ipv6()
    }

    /// Returns the source address.
    #[must_use]
    pub fn source(&self) -> IpAddr {
        self.src
    }

    /// Returns the key in the form of the API.
    #[must_use]
    pub fn to_proto(&self) -> v1::Key {
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

/// The fields of an entry beside its key that a watcher compares. Two entries under one key differ
/// in their creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct State {
    /// Time of creation, nanoseconds of Unix time.
    pub created_ns: i128,
    /// Its permissions.
    pub permissions: u32,
    /// Idle time after which it is deleted, milliseconds; 0 when it is static.
    pub aging_ms: u64,
}

/// One entry.
pub type Entry = (Key, State);

/// The content of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The entry was created.
    Created(Entry),
    /// The entry was rewritten.
    Updated(Entry),
    /// The entry was deleted; the flag is set when a resync noticed it.
    Deleted(Entry, bool),
    /// A flush has ended.
    Flushed,
    /// A table of the data plane is empty now: the table of IPv6 if true, else that of IPv4.
    Purged(bool),
    /// The data plane tracks again.
    Loaded,
    /// The snapshot is complete.
    Synced,
    /// Nothing happened beyond this number.
    Progress,
    /// Events are missing: first and last number, 0 where it is not known.
    Gap(u64, u64),
}

/// An event, reduced to the fields that the fold uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Run of the control service.
    pub epoch: u64,
    /// Number in the epoch.
    pub seq: u64,
    /// The data plane where it happened.
    pub dataplane: String,
    /// Its content.
    pub kind: Kind,
}

/// The fields that are read from a line of `ctl watch -o json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Line<'a> {
    epoch: &'a str,
    seq: &'a str,
    dataplane: &'a str,
    r#type: &'a str,
    #[serde(borrow)]
    entry: Option<EntryLine<'a>>,
    reason: &'a str,
    gap_from: &'a str,
    gap_to: &'a str,
    lifecycle: &'a str,
    pipeline: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryLine<'a> {
    #[serde(borrow)]
    key: KeyLine<'a>,
    create_time: &'a str,
    #[serde(default)]
    permissions: u32,
    #[serde(default)]
    aging_ms: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyLine<'a> {
    input_port: &'a str,
    src_addr: &'a str,
    dst_addr: &'a str,
    protocol: u32,
    #[serde(default)]
    src_port: u32,
    #[serde(default)]
    dst_port: u32,
}

impl Event {
    /// Reads a line of `ctl watch -o json`: an Event in proto3 JSON, which omits default values and
    /// writes 64-bit numbers as texts.
    ///
    /// # Errors
    /// Describes what is not as documented.
    pub fn from_json(line: &str) -> Result<Self, String> {
        let read: Line<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let number = |text: &str| match text {
            "" => Ok(0),
            text => text.parse::<u64>().map_err(|error| format!("{text:?}: {error}")),
        };
        let entry = || {
            let entry = read.entry.as_ref().ok_or("no entry")?;
            let EntryLine { key: k, create_time, permissions, aging_ms } = entry;
            let key =
                Key::parse((k.input_port, k.src_addr, k.dst_addr), (k.protocol, k.src_port, k.dst_port))?;
            let created_ns = unix_ns(create_time).ok_or_else(|| format!("time {create_time:?}"))?;
            let (permissions, aging_ms) = (*permissions, number(aging_ms)?);
            Ok::<_, String>((key, State { created_ns, permissions, aging_ms }))
        };
        let kind = match read.r#type {
            "EVENT_TYPE_CREATED" => Kind::Created(entry()?),
            "EVENT_TYPE_UPDATED" => Kind::Updated(entry()?),
            "EVENT_TYPE_DELETED" => Kind::Deleted(entry()?, read.reason == "DELETE_REASON_RESYNC"),
            "EVENT_TYPE_FLUSHED" => Kind::Flushed,
            "EVENT_TYPE_LIFECYCLE" if read.lifecycle == "LIFECYCLE_KIND_PURGED" => {
                Kind::Purged(is_ipv6(read.pipeline)?)
            }
            "EVENT_TYPE_LIFECYCLE" if read.lifecycle == "LIFECYCLE_KIND_LOADED" => Kind::Loaded,
            "EVENT_TYPE_SYNCED" => Kind::Synced,
            "EVENT_TYPE_PROGRESS" => Kind::Progress,
            "EVENT_TYPE_GAP" => Kind::Gap(number(read.gap_from)?, number(read.gap_to)?),
            other => return Err(format!("type {other:?}, lifecycle {:?}", read.lifecycle)),
        };
        Ok(Self {
            epoch: number(read.epoch)?,
            seq: number(read.seq)?,
            dataplane: read.dataplane.to_owned(),
            kind,
        })
    }

    /// Reads a message.
    ///
    /// # Errors
    /// Describes what is not as documented.
    pub fn from_proto(event: &v1::Event) -> Result<Self, String> {
        use v1::{EventType as Type, LifecycleKind};
        let entry = || entry(event.entry.as_ref().ok_or("no entry")?);
        let kind = match (event.r#type(), event.lifecycle()) {
            (Type::Created, _) => Kind::Created(entry()?),
            (Type::Updated, _) => Kind::Updated(entry()?),
            (Type::Deleted, _) => Kind::Deleted(entry()?, event.reason() == v1::DeleteReason::Resync),
            (Type::Flushed, _) => Kind::Flushed,
            (Type::Lifecycle, LifecycleKind::Purged) => Kind::Purged(is_ipv6(&event.pipeline)?),
            (Type::Lifecycle, LifecycleKind::Loaded) => Kind::Loaded,
            (Type::Synced, _) => Kind::Synced,
            (Type::Progress, _) => Kind::Progress,
            (Type::Gap, _) => Kind::Gap(event.gap_from, event.gap_to),
            (other, lifecycle) => return Err(format!("type {other:?}, lifecycle {lifecycle:?}")),
        };
        Ok(Self { epoch: event.epoch, seq: event.seq, dataplane: event.dataplane.clone(), kind })
    }
}

/// Returns true for the pipeline of IPv6, and false for the pipeline of IPv4.
fn is_ipv6(pipeline: &str) -> Result<bool, String> {
    match pipeline {
        "flowtracker" => Ok(false),
        "flowtracker_ipv6" => Ok(true),
        other => Err(format!("pipeline {other:?}")),
    }
}

/// Reads an entry of the API.
///
/// # Errors
/// Describes what is not as documented.
pub fn entry(entry: &v1::Entry) -> Result<Entry, String> {
    let k = entry.key.as_ref().ok_or("no key")?;
    let key = Key::parse((&k.input_port, &k.src_addr, &k.dst_addr), (k.protocol, k.src_port, k.dst_port))?;
    if is_ipv6(&entry.pipeline)? != key.is_ipv6() {
        return Err(format!("{:?} is not the table of {key:?}", entry.pipeline));
    }
    let time = entry.create_time.as_ref().ok_or("no creation time")?;
    let created_ns = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
    Ok((key, State { created_ns, permissions: entry.permissions, aging_ms: entry.aging_ms }))
}

/// Returns a time such as `2026-01-31T12:00:00.25Z` as nanoseconds of Unix time.
fn unix_ns(text: &str) -> Option<i128> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut clock = clock.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let nanos: i128 = format!("{fraction:0<9}").parse().ok()?;
    // Days since 1970 of the proleptic Gregorian calendar; years start in March, so that the leap
    // day is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    Some(i128::from(days * 86_400 + hour * 3600 + minute * 60 + second) * 1_000_000_000 + nanos)
}

#[cfg(test)]
mod tests;
