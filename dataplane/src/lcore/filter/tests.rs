use super::*;
use crate::test_key::{TestKey, both_families};
use conntrack::Tick;

both_families!(every_field_arrives_where_it_is_asked_for, an_address_is_compared_within_its_family);

fn every_field_arrives_where_it_is_asked_for<K: TestKey>() {
    use v1::FilterOperand as O;
    let entry = Entry { last_used: Tick(2000), ..K::flow(2, 36876).entry() };
    let now = Now::from_ms(2750);
    let (byte, half, word) = (0xff, 0xffff, 0xffff_ffff);
    for (operand, mask, value) in [
        (O::InputPort, word, 2),
        (O::Family, byte, K::FAMILY.number().into()),
        (O::Protocol, byte, 6),
        (O::SrcPort, half, 36876),
        (O::DstPort, half, 80),
        (O::Prio, word, 64000),
        (O::MsecsSince, u64::MAX, 750),
    ] {
        let matches = |value| {
            let step = v1::FilterStep {
                op: v1::FilterOp::Eq.into(),
                operand: operand.into(),
                mask,
                value,
                ..Default::default()
            };
            let filter = Filter::from_proto(Some(&v1::Filter { steps: vec![step] })).expect("sound");
            filter.matches(&entry, now)
        };
        assert!(matches(value), "{operand:?}");
        assert!(!matches(value + 1), "{operand:?}");
    }
    assert!(Filter::ALL.matches(&entry, now));
}

/// An address of the other family differs from the entry's, whatever its bits.
fn an_address_is_compared_within_its_family<K: TestKey>() {
    use v1::FilterOp as R;
    let flow = K::flow(2, 1);
    let wide = flow.wide();
    let entry = flow.entry();
    let matches = |op: R, operand: v1::FilterOperand, family: u32, value: u128| {
        let mask = if K::FAMILY.number() == 4 { u128::from(u32::MAX) } else { u128::MAX };
        let step = v1::FilterStep {
            op: op.into(),
            operand: operand.into(),
            mask: mask as u64,
            mask_high: (mask >> 64) as u64,
            value: value as u64,
            value_high: (value >> 64) as u64,
            family,
        };
        let filter = Filter::from_proto(Some(&v1::Filter { steps: vec![step] })).expect("sound");
        filter.matches(&entry, Now::from_ms(1))
    };
    let mine = u32::from(K::FAMILY.number());
    let other = u32::from(K::Other::FAMILY.number());
    for (operand, value) in
        [(v1::FilterOperand::SrcAddr, wide.src_addr), (v1::FilterOperand::DstAddr, wide.dst_addr)]
    {
        assert!(matches(R::Eq, operand, mine, value));
        assert!(!matches(R::Eq, operand, mine, value ^ 1));
        assert!(!matches(R::Ne, operand, mine, value));
        // The lowest 32 bits are an address of either family.
        let value = value & u128::from(u32::MAX);
        assert!(!matches(R::Eq, operand, other, value) && matches(R::Ne, operand, other, value));
    }
}
