//! Protobuf's wire form, for messages that are encoded without generated code.
//!
//! Source: protobuf.dev, "Encoding". A field that has its default value is omitted, as proto3
//! requires.

use prost::Message as _;

use crate::v1::Actor;

/// Wire types, the lowest three bits of a field's tag.
const VARINT: u8 = 0;
const LENGTH: u8 = 2;

pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_tag(out: &mut Vec<u8>, field: u8, wire_type: u8) {
    put_varint(out, u64::from(field) << 3 | u64::from(wire_type));
}

/// Writes a number.
pub(crate) fn put_number(out: &mut Vec<u8>, field: u8, value: u64) {
    if value != 0 {
        put_tag(out, field, VARINT);
        put_varint(out, value);
    }
}

/// Writes a message that is already in wire form. It is present even when it is empty.
pub(crate) fn put_message(out: &mut Vec<u8>, field: u8, message: &[u8]) {
    put_tag(out, field, LENGTH);
    put_varint(out, message.len() as u64);
    out.extend_from_slice(message);
}

/// Writes a string.
pub(crate) fn put_text(out: &mut Vec<u8>, field: u8, text: &[u8]) {
    if !text.is_empty() {
        put_message(out, field, text);
    }
}

/// Writes an actor.
pub(crate) fn put_actor(out: &mut Vec<u8>, field: u8, actor: &Actor) {
    put_message(out, field, &actor.encode_to_vec());
}

/// Writes a message or string of less than 128 bytes: its length is one byte, filled in afterwards.
pub(crate) fn put_short(out: &mut Vec<u8>, field: u8, message: impl FnOnce(&mut Vec<u8>)) {
    put_tag(out, field, LENGTH);
    let at = out.len();
    out.push(0);
    message(out);
    let len = out.len() - at - 1;
    debug_assert!(len < 0x80, "{len} bytes");
    out[at] = len as u8;
}

/// Writes a Timestamp: two varints of at most ten bytes each.
pub(crate) fn put_time(out: &mut Vec<u8>, field: u8, unix_ns: u64) {
    put_short(out, field, |out| {
        put_number(out, 1, unix_ns / 1_000_000_000);
        put_number(out, 2, unix_ns % 1_000_000_000);
    });
}

/// Appends a number in decimal digits.
pub(crate) fn put_decimal(out: &mut Vec<u8>, value: u32) {
    if value >= 10 {
        put_decimal(out, value / 10);
    }
    out.push(b'0' + (value % 10) as u8);
}
