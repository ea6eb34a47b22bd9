use super::*;
use crate::replay::clock::LAST_NS;

fn interface(resolution: Resolution, offset_s: i64) -> Interface {
    Interface { link: Link { kind: 1, fcs: 0 }, snap_length: 0, resolution, offset_s }
}

#[test]
fn times_of_any_resolution_are_nanoseconds() {
    use Resolution::{Binary, Decimal};
    for (resolution, units, ns) in [
        (Decimal(6), 1_700_000_000_123_456, Some(1_700_000_000_123_456_000)),
        (Decimal(9), 1_700_000_000_123_456_789, Some(1_700_000_000_123_456_789)),
        (Decimal(0), 7, Some(7_000_000_000)),
        (Decimal(3), 7, Some(7_000_000)),
        (Decimal(12), 7_999, Some(7)),
        (Decimal(127), u64::MAX, Some(0)),
        (Binary(0), 7, Some(7_000_000_000)),
        (Binary(20), 3 << 19, Some(1_500_000_000)),
        (Binary(127), u64::MAX, Some(0)),
        (Decimal(9), LAST_NS, Some(LAST_NS)),
        (Decimal(9), LAST_NS + 1, None),
        (Decimal(6), u64::MAX, None),
        (Decimal(0), u64::MAX, None),
    ] {
        assert_eq!(interface(resolution, 0).unix_ns(units).ok(), ns);
    }
    assert_eq!(interface(Decimal(6), 5).unix_ns(1), Ok(5_000_001_000));
    assert_eq!(interface(Decimal(6), -1).unix_ns(1_000_001), Ok(1_000));
    for (offset_s, units) in [(-1, 999_999), (i64::MAX, u64::MAX), (i64::MIN, u64::MAX)] {
        assert!(interface(Decimal(6), offset_s).unix_ns(units).is_err());
    }
}

#[test]
fn a_check_sequence_is_counted_in_octets_or_bits() {
    for (length, octets) in [(0, 0), (2, 2), (4, 4), (16, 2), (32, 4), (255, 31)] {
        assert_eq!(fcs_octets(length), octets, "{length}");
    }
}
