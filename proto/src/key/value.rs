//! Conversion of the values of single key fields from text to numbers, and back.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::num::IntErrorKind;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::table::{FieldType, KeyField, KeyPart};

/// IP protocol number of TCP (IANA).
pub const TCP: u8 = 6;
/// IP protocol number of UDP (IANA).
pub const UDP: u8 = 17;

/// Highest DPDK port id: port ids are 16 bits wide.
const MAX_PORT_ID: u32 = 0xffff;

/// Parses the value of a key field, as operators and API clients write it.
///
/// # Errors
///
/// Says what is wrong with the text, without the name of the field.
pub fn parse_value(field: &KeyField, text: &str) -> Result<u128, String> {
    match field.r#type {
        FieldType::Dev => parse_input_port(text).map(u128::from),
        FieldType::Ipv4 => parse_ipv4(text).map(|addr| addr.to_bits().into()),
        FieldType::Ipv6 => parse_ipv6(text).map(Ipv6Addr::to_bits),
        FieldType::Bit(bits) | FieldType::Be(bits) => match (field.part, text) {
            (KeyPart::Protocol, "tcp") => Ok(TCP.into()),
            (KeyPart::Protocol, "udp") => Ok(UDP.into()),
            _ => parse_bits(text, bits).map(u128::from),
        },
    }
}

/// Returns the value of a key field as text that [`parse_value`] reads: `port0`, `10.0.0.1`, `6`.
#[must_use]
pub fn value_text(field: &KeyField, value: u128) -> String {
    // A valid value of the field fits into these widths.
    match field.r#type {
        FieldType::Dev => port_name(value as u32),
        FieldType::Ipv4 => Ipv4Addr::from_bits(value as u32).to_string(),
        FieldType::Ipv6 => ipv6_text(Ipv6Addr::from_bits(value)),
        FieldType::Bit(_) | FieldType::Be(_) => value.to_string(),
    }
}

/// Returns an IPv6 address as the C library's `inet_ntop` prints it.
///
/// `Display` of Rust differs in one case: it prints the IPv4-compatible addresses (RFC 4291 section
/// 2.5.5.1), such as `::1.2.3.4`, in hexadecimal.
#[must_use]
pub fn ipv6_text(addr: Ipv6Addr) -> String {
    match addr.segments() {
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
            format!("::{}", Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => addr.to_string(),
    }
}

/// Parses the operand of a comparison with a key field: the value, and the mask of the bits that
/// are compared. An address may have a prefix length; the bits of the value beyond it are 0.
///
/// # Errors
///
/// Says what is wrong with the text, without the name of the field.
pub fn parse_masked(field: &KeyField, text: &str) -> Result<(u128, u128), String> {
    match field.r#type {
        FieldType::Ipv4 => {
            let addr = |text: &str| text.parse().ok().map(|addr: Ipv4Addr| addr.to_bits().into());
            parse_prefix(field, text, addr, "an IPv4 address or prefix, such as \"10.0.0.0/24\"")
        }
        FieldType::Ipv6 => {
            let addr = |text: &str| text.parse().ok().map(Ipv6Addr::to_bits);
            parse_prefix(field, text, addr, "an IPv6 address or prefix, such as \"2001:db8::/32\"")
        }
        FieldType::Dev | FieldType::Bit(_) | FieldType::Be(_) => {
            parse_value(field, text).map(|value| (value, field.r#type.mask()))
        }
    }
}

fn parse_prefix(
    field: &KeyField,
    text: &str,
    addr: impl Fn(&str) -> Option<u128>,
    due: &str,
) -> Result<(u128, u128), String> {
    let bits = field.r#type.bits();
    let wrong = || format!("{text:?} is not {due}");
    let (value, length) = match text.split_once('/') {
        Some((value, length)) => (value, Some(length)),
        None => (text, None),
    };
    let value = addr(value).ok_or_else(wrong)?;
    let length = match length {
        None => bits,
        Some(digits) if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) => {
            return Err(wrong());
        }
        Some(digits) => digits
            .parse()
            .ok()
            .filter(|length| *length <= bits)
            .ok_or_else(|| format!("the prefix length of {text:?} is not in 0 to {bits}"))?,
    };
    let beyond = field.r#type.mask().checked_shr(length).unwrap_or(0);
    Ok((value & !beyond, field.r#type.mask() & !beyond))
}

/// Returns the name of a port by its P4TC number: 1 is `port0`.
#[must_use]
pub fn port_name(input_port: u32) -> String {
    format!("port{}", i64::from(input_port) - 1)
}

/// Parses `portN`, or the number N + 1 that P4TC shows as an interface index.
fn parse_input_port(text: &str) -> Result<u32, String> {
    let wrong = || {
        if text.is_empty() {
            "is missing: a port such as port0 is needed".to_owned()
        } else {
            format!("{} is not a port: port0, port1, … or a port id + 1", quoted(text))
        }
    };
    match text.strip_prefix("port") {
        Some(id) => decimal(id).filter(|id| *id <= MAX_PORT_ID).map(|id| id + 1).ok_or_else(wrong),
        None => decimal(text).filter(|n| (1..=MAX_PORT_ID + 1).contains(n)).ok_or_else(wrong),
    }
}

/// Parses a dotted decimal IPv4 address, which `/32` may follow.
fn parse_ipv4(text: &str) -> Result<Ipv4Addr, String> {
    parse_addr(text, "/32", "IPv4")
}

/// Parses an IPv6 address, which `/128` may follow.
fn parse_ipv6(text: &str) -> Result<Ipv6Addr, String> {
    parse_addr(text, "/128", "IPv6")
}

fn parse_addr<A: FromStr>(text: &str, whole: &str, family: &str) -> Result<A, String> {
    if text.is_empty() {
        return Err(format!("is missing: an {family} address is needed"));
    }
    let bare = text.strip_suffix(whole).unwrap_or(text);
    bare.parse().map_err(|_| format!("{} is not an {family} address", quoted(text)))
}

/// Parses a decimal number in its printed form: digits only, no leading zero.
fn decimal(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.parse().ok()
}

/// Parses a number as P4TC does: decimal, `0x` hexadecimal or `0` octal.
///
/// # Errors
///
/// When the text is no number, or one that `T` does not hold.
pub fn parse_number<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let bits = u8::BITS * size_of::<T>() as u32;
    parse_ranged(text, range(bits))
}

/// Does the same as [`parse_number`] for a number of which only `range` is valid: the error of a
/// number that `T` does not hold names that range. A number that `T` holds is returned even when it
/// is outside of the range, for the data plane to refuse.
///
/// # Errors
///
/// When the text is no number, or one that `T` does not hold.
pub fn parse_ranged<T: TryFrom<u64>>(text: &str, range: RangeInclusive<u64>) -> Result<T, String> {
    let number = parse_any(text, &range)?;
    T::try_from(number).map_err(|_| out_of(&range, number))
}

/// Does the same as [`parse_number`] for a width that no integer type has.
fn parse_bits(text: &str, bits: u32) -> Result<u64, String> {
    let range = range(bits);
    check(parse_any(text, &range)?, &range)
}

/// Parses a number of 64 bits; the error of a longer one names `range`.
fn parse_any(text: &str, range: &RangeInclusive<u64>) -> Result<u64, String> {
    let (digits, radix) = if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        (hex, 16)
    } else if text.len() > 1 && text.starts_with('0') {
        (&text[1..], 8)
    } else {
        (text, 10)
    };
    if digits.starts_with('+') {
        return Err(format!("{} is not a number", quoted(text)));
    }
    u64::from_str_radix(digits, radix).map_err(|e| match e.kind() {
        IntErrorKind::PosOverflow => {
            let (digits, rest) = beginning(text);
            out_of(range, format_args!("{digits}{rest}"))
        }
        _ => format!("{} is not a number", quoted(text)),
    })
}

/// Checks that a number has at most this many bits.
///
/// # Errors
///
/// Names the range of valid numbers.
pub(super) fn check_range(number: u64, bits: u32) -> Result<u64, String> {
    check(number, &range(bits))
}

fn check(number: u64, range: &RangeInclusive<u64>) -> Result<u64, String> {
    if range.contains(&number) { Ok(number) } else { Err(out_of(range, number)) }
}

/// Returns the numbers of at most this many bits, of 64.
fn range(bits: u32) -> RangeInclusive<u64> {
    0..=u64::MAX.checked_shr(u64::BITS.saturating_sub(bits)).unwrap_or(0)
}

fn out_of(range: &RangeInclusive<u64>, number: impl fmt::Display) -> String {
    format!("{number} is not in {} to {}", range.start(), range.end())
}

/// Returns a caller's text in quotes. A long text is cut, because a message with all of it would
/// not fit into the trailers that carry it.
pub fn quoted(text: &str) -> String {
    let (shown, rest) = beginning(text);
    format!("{shown:?}{rest}")
}

/// Returns the beginning of a text, and a note of the length that is left out.
fn beginning(text: &str) -> (&str, String) {
    const MOST: usize = 64;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => (&text[..end], format!("… ({} bytes)", text.len())),
        None => (text, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::IPV4_FLOWS;

    #[test]
    fn ports_are_read_by_name_and_by_number() {
        let input_port = IPV4_FLOWS.field("input_port").expect("a field");
        for (text, port) in [("port0", 1), ("1", 1), ("port65535", 65536)] {
            assert_eq!(parse_value(input_port, text), Ok(port));
        }
        for wrong in ["", "0", "port", "port-1", "port+1", "port01", "port65536", "65537", "eth0", " 1"] {
            assert!(parse_value(input_port, wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(parse_number::<u16>("0x4d2"), Ok(1234));
        assert_eq!(parse_number::<u16>("02322"), Ok(1234));
        assert!(parse_number::<u16>("65536").is_err());
        let far = parse_number::<u16>("99999999999999999999").unwrap_err();
        assert_eq!(far, "99999999999999999999 is not in 0 to 65535");
    }

    #[test]
    fn a_number_that_no_message_carries_is_outside_of_the_range_that_the_data_plane_names() {
        for text in ["99999999999", "99999999999999999999", "0xfffffffff", "4294967296"] {
            let refused = parse_ranged::<u32>(text, 0..=15).unwrap_err();
            assert!(refused.ends_with(" is not in 0 to 15"), "{refused}");
        }
        assert_eq!(parse_ranged::<u32>("255", 0..=15), Ok(255), "the data plane refuses it");
        assert_eq!(parse_ranged::<u32>("x", 0..=15).unwrap_err(), "\"x\" is not a number");
        assert_eq!(range(64), 0..=u64::MAX);
        assert_eq!(range(1), 0..=1);
    }
}
