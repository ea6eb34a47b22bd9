use super::*;
use conntrack::Tick;
use conntrack::test_support::{entry, flow};

#[test]
fn every_field_arrives_where_it_is_asked_for() {
    use v1::FilterOperand as O;
    let entry = Entry { last_used: Tick(2000), ..entry(flow(2, 36876)) };
    let now = Now::from_ms(2750);
    let (byte, half, word) = (0xff, 0xffff, 0xffff_ffff);
    for (operand, mask, value) in [
        (O::InputPort, word, 2),
        (O::SrcAddr, word, 0x0a00_0001),
        (O::DstAddr, word, 0x0a00_0002),
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
