//! An interface of a pcapng file, as far as reading its packets needs it.

use std::io::Read;

use super::link::Link;
use super::pcapng::Body;
use super::{SECOND, check_time};

/// Options of an interface description block.
const IF_TSRESOL: u16 = 9;
const IF_FCSLEN: u16 = 13;
const IF_TSOFFSET: u16 = 14;

/// An interface.
#[derive(Clone, Copy)]
pub(super) struct Interface {
    pub(super) link: Link,
    /// The most octets of a packet that are captured; 0 when there is no limit.
    pub(super) snap_length: u32,
    /// Units of its clock in a second.
    resolution: Resolution,
    /// Seconds to add to its times.
    offset_s: i64,
}

/// `if_tsresol` of pcapng.
#[derive(Clone, Copy)]
pub(super) enum Resolution {
    /// A second has ten to the power of this many units.
    Decimal(u32),
    /// A second has two to the power of this many units.
    Binary(u32),
}

impl Interface {
    /// Reads an interface description block.
    pub(super) fn read(body: &mut Body<'_, impl Read>) -> Result<Self, String> {
        let kind = u32::from(body.half()?);
        body.skip(2)?; // reserved
        let snap_length = body.word()?;
        let (order, link) = (body.order(), Link { kind, fcs: 0 });
        let mut interface = Self { link, snap_length, resolution: Resolution::Decimal(6), offset_s: 0 };
        body.options(|code, value, length| {
            let wrong = |name| Err(format!("its option {name} has {length} octets"));
            match (code, value) {
                (IF_TSRESOL, [exponent]) => {
                    interface.resolution = match exponent & 0x7f {
                        power if exponent & 0x80 == 0 => Resolution::Decimal(power.into()),
                        power => Resolution::Binary(power.into()),
                    };
                }
                (IF_FCSLEN, [length]) => interface.link.fcs = fcs_octets(*length),
                (IF_TSOFFSET, seconds) if length == 8 => {
                    let seconds = seconds.try_into().unwrap_or_default();
                    interface.offset_s = order.i64(seconds);
                }
                (IF_TSRESOL, _) => return wrong("if_tsresol"),
                (IF_FCSLEN, _) => return wrong("if_fcslen"),
                (IF_TSOFFSET, _) => return wrong("if_tsoffset"),
                _ => {}
            }
            Ok(())
        })?;
        Ok(interface)
    }

    /// Converts a time of this interface to Unix nanoseconds.
    ///
    /// # Errors
    /// When it is before 1970 or after 2554.
    pub(super) fn unix_ns(&self, units: u64) -> Result<u64, String> {
        let units = u128::from(units);
        let ns = match self.resolution {
            Resolution::Decimal(power @ ..=9) => units * 10u128.pow(9 - power),
            // The bound keeps the power within 128 bits; it divides any number of units to zero.
            Resolution::Decimal(power) => units / 10u128.pow((power - 9).min(38)),
            Resolution::Binary(power) => (units * u128::from(SECOND)) >> power,
        };
        // 64 bits of seconds are 94 bits of nanoseconds: no overflow.
        check_time(ns.cast_signed() + i128::from(self.offset_s) * i128::from(SECOND))
    }
}

/// Returns the octets of a frame check sequence by `if_fcslen`. The drafts count it in bits and give
/// 4 as an example, and so writers count it in either: a check sequence of 16 octets or more does
/// not exist, nor one of less than 16 bits.
fn fcs_octets(length: u8) -> u32 {
    u32::from(if length >= 16 { length / 8 } else { length })
}

#[cfg(test)]
mod tests;
