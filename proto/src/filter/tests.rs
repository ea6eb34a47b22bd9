use super::*;

fn compare(op: FilterOp, operand: FilterOperand, mask: u64, value: u64) -> FilterStep {
    FilterStep { op: op.into(), operand: operand.into(), mask, value, ..FilterStep::default() }
}

fn plain(op: FilterOp) -> FilterStep {
    FilterStep { op: op.into(), ..FilterStep::default() }
}

fn push(truth: bool) -> FilterStep {
    compare(FilterOp::Eq, FilterOperand::Prio, 0xffff_ffff, u64::from(truth))
}

fn program(steps: Vec<FilterStep>) -> Result<Program, BadFilter> {
    let filter = Filter { steps };
    let program = Program::from_proto(Some(&filter))?;
    assert_eq!(program.to_proto(), Some(filter), "it goes back as it came");
    Ok(program)
}

#[test]
fn connectives_are_those_of_logic() {
    let facts = Facts { prio: 1, ..Facts::default() };
    for a in [false, true] {
        assert_eq!(program(vec![push(a), plain(FilterOp::Not)]).expect("sound").matches(&facts), !a);
        for b in [false, true] {
            let of = |op| program(vec![push(a), push(b), plain(op)]).expect("sound").matches(&facts);
            assert_eq!((of(FilterOp::And), of(FilterOp::Or), of(FilterOp::Xor)), (a && b, a || b, a != b));
            // The values below stay as they are.
            for c in [false, true] {
                let deep = |op| vec![push(c), push(a), push(b), plain(op), plain(FilterOp::Xor)];
                let of = |op| program(deep(op)).expect("sound").matches(&facts);
                assert_eq!(of(FilterOp::And), c != (a && b));
                assert_eq!(of(FilterOp::Or), c != (a || b));
            }
        }
    }
}

#[test]
fn every_operand_is_the_fact_of_its_name_and_every_relation_is_its_own() {
    let facts = Facts {
        family: Family::Ipv6,
        key: WideKey {
            input_port: 101,
            src_addr: 102,
            dst_addr: 103,
            protocol: 104,
            src_port: 105,
            dst_port: 106,
        },
        prio: 107,
        idle_ms: 108,
        cmd: 109,
    };
    for (number, value) in (1..).zip(101..=109_u64) {
        let operand = FilterOperand::try_from(number).expect("known");
        let mask = if operand == FilterOperand::MsecsSince { u64::MAX } else { 0xff };
        let holds =
            |op, value| program(vec![compare(op, operand, mask, value)]).expect("sound").matches(&facts);
        for other in [value - 1, value, value + 1] {
            assert_eq!(holds(FilterOp::Eq, other), value == other, "{operand:?}");
            assert_eq!(holds(FilterOp::Ne, other), value != other, "{operand:?}");
            assert_eq!(holds(FilterOp::Lt, other), value < other, "{operand:?}");
            assert_eq!(holds(FilterOp::Le, other), value <= other, "{operand:?}");
            assert_eq!(holds(FilterOp::Gt, other), value > other, "{operand:?}");
            assert_eq!(holds(FilterOp::Ge, other), value >= other, "{operand:?}");
        }
    }
    let whole = compare(FilterOp::Gt, FilterOperand::MsecsSince, u64::MAX, u64::MAX - 1);
    let forever = Facts { idle_ms: u64::MAX, ..facts };
    assert!(program(vec![whole]).expect("sound").matches(&forever), "times have 64 bits");
}

fn from(src_addr: u128) -> Facts {
    Facts { key: WideKey { src_addr, ..WideKey::default() }, ..Facts::default() }
}

#[test]
fn a_mask_hides_bits_of_the_operand() {
    let network = compare(FilterOp::Eq, FilterOperand::SrcAddr, 0xffff_ff00, 0x0a00_0000);
    let network = program(vec![network]).expect("sound");
    assert!([0x0a00_0000, 0x0a00_00ff].iter().all(|addr| network.matches(&from(*addr))));
    assert!(![0x0a00_0100, 0x0aff_0000].iter().any(|addr| network.matches(&from(*addr))));
    let any = program(vec![compare(FilterOp::Eq, FilterOperand::SrcAddr, 0, 0)]).expect("sound");
    assert!(any.matches(&from(7)));
}

#[test]
fn an_address_has_up_to_128_bits() {
    let step = |mask_high, value_high, value| FilterStep {
        mask_high,
        value_high,
        ..compare(FilterOp::Eq, FilterOperand::SrcAddr, u64::MAX, value)
    };
    let whole = program(vec![step(u64::MAX, 0x2001_0db8 << 32, 1)]).expect("sound");
    let addr = 0x2001_0db8 << 96 | 1;
    assert!(whole.matches(&from(addr)));
    assert!(!whole.matches(&from(1)) && !whole.matches(&from(addr ^ 1 << 64)));
    for (odd, why) in [
        (step(0, 1, 1), "mask hides"),
        (FilterStep { operand: FilterOperand::Prio.into(), ..step(1, 0, 1) }, "mask is wider"),
        (FilterStep { mask_high: 1, ..plain(FilterOp::Not) }, "only a comparison"),
    ] {
        let refused = program(vec![push(true), odd]).expect_err(why);
        assert!(refused.to_string().contains(why), "{refused} is not {why:?}");
    }
}

#[test]
fn absent_is_all_and_all_is_absent() {
    assert_eq!(Program::from_proto(None), Ok(Program::ALL));
    assert_eq!(Program::default().to_proto(), None);
    assert!(Program::ALL.is_all() && Program::ALL.matches(&Facts::default()) && !Program::ALL.asks_cmd());
    let cmd = program(vec![compare(FilterOp::Eq, FilterOperand::Cmd, 0xff, 3)]).expect("sound");
    assert!(cmd.asks_cmd() && !cmd.is_all() && cmd != Program::ALL);
    assert!(!program(vec![push(true)]).expect("sound").asks_cmd());
}

#[test]
fn a_program_may_be_as_long_as_it_may_be() {
    let mut steps = vec![push(true)];
    while steps.len() + 2 < MAX_STEPS {
        steps.extend([push(true), plain(FilterOp::And)]);
    }
    steps.push(plain(FilterOp::Not));
    assert_eq!(steps.len(), MAX_STEPS);
    let facts = Facts { prio: 1, ..Facts::default() };
    assert!(!program(steps.clone()).expect("sound").matches(&facts));
    steps.push(plain(FilterOp::Not));
    assert_eq!(program(steps).expect_err("too long").step, 65);
    let refused = program(vec![push(true); 64]).expect_err("nothing joins them");
    assert_eq!((refused.step, refused.why), (33, "more comparisons than can be joined"));
    // The deepest stack: all values first.
    let deep = [vec![push(true); 32], vec![plain(FilterOp::And); 31]].concat();
    assert!(program(deep).expect("sound").matches(&facts));
}

#[test]
fn what_is_malformed_is_refused_and_the_step_named() {
    let odd = |op: i32, operand: i32| FilterStep { op, operand, ..FilterStep::default() };
    for (steps, step, why) in [
        (vec![], 0, "exactly one value"),
        (vec![push(true), push(true)], 2, "exactly one value"),
        (vec![plain(FilterOp::Not)], 1, "too few values"),
        (vec![push(true), plain(FilterOp::And)], 2, "too few values"),
        (vec![plain(FilterOp::Or), push(true), push(true)], 1, "too few values"),
        (vec![push(true), odd(11, 0)], 2, "op is not known"),
        (vec![push(true), odd(-1, 0)], 2, "op is not known"),
        (vec![push(true), odd(0, 0)], 2, "no op"),
        (vec![odd(1, 11)], 1, "operand is not known"),
        (vec![odd(1, 0)], 1, "no operand"),
        (vec![push(true), odd(7, 1)], 2, "only a comparison"),
        (vec![push(true), FilterStep { value: 1, ..plain(FilterOp::Not) }], 2, "only a comparison"),
        (vec![compare(FilterOp::Eq, FilterOperand::SrcPort, 0x1_ffff, 0)], 1, "mask is wider"),
        (vec![compare(FilterOp::Eq, FilterOperand::Protocol, 0x100, 0)], 1, "mask is wider"),
        (vec![compare(FilterOp::Eq, FilterOperand::Prio, 1 << 32, 0)], 1, "mask is wider"),
        (vec![compare(FilterOp::Eq, FilterOperand::SrcAddr, 0xff00, 0x0001)], 1, "mask hides"),
        (vec![compare(FilterOp::Eq, FilterOperand::Prio, 0xffff_ffff, 1 << 32)], 1, "mask hides"),
        (vec![compare(FilterOp::Gt, FilterOperand::MsecsSince, 0xffff, 1)], 1, "all 64 bits"),
    ] {
        let refused = program(steps.clone()).expect_err(why);
        assert_eq!(refused.step, step, "{steps:?}");
        assert!(refused.to_string().contains(why), "{refused} is not {why:?}");
    }
}

#[test]
fn an_address_differs_from_those_of_the_other_family() {
    let facts = |family| Facts { family, ..from(1) };
    let step = |op, operand, family| FilterStep { family, ..compare(op, operand, 0xff, 1) };
    let relations = [FilterOp::Eq, FilterOp::Ne, FilterOp::Lt, FilterOp::Le, FilterOp::Gt, FilterOp::Ge];
    for (family, other) in [(Family::Ipv4, Family::Ipv6), (Family::Ipv6, Family::Ipv4)] {
        for op in relations {
            let number = u32::from(family.number());
            let program = program(vec![step(op, FilterOperand::SrcAddr, number)]).expect("sound");
            let own = matches!(op, FilterOp::Eq | FilterOp::Le | FilterOp::Ge);
            assert_eq!(program.matches(&facts(family)), own, "{op:?}");
            assert_eq!(program.matches(&facts(other)), op == FilterOp::Ne, "{op:?}");
        }
        let is = |n: Family| compare(FilterOp::Eq, FilterOperand::Family, 0xff, n.number().into());
        let program = program(vec![is(family)]).expect("sound");
        assert!(program.matches(&facts(family)) && !program.matches(&facts(other)));
    }
    for (operand, family) in
        [(FilterOperand::SrcAddr, 5), (FilterOperand::Prio, 4), (FilterOperand::Family, 6)]
    {
        assert!(program(vec![step(FilterOp::Eq, operand, family)]).is_err(), "{operand:?} {family}");
    }
}
