//! Compiled filter expressions: what the control service sends down the link, and what lcores evaluate.
//!
//! A [`Program`] is a filter in postfix form. Text becomes a program in the control service only; here is what both ends
//! of the link need: the checked form, and its evaluation. A data plane evaluates it for every entry that a list or a
//! flush walks over, between two bursts of packets. So a program is a value of fixed size, and its evaluation allocates
//! nothing, cannot fail, and takes at most [`MAX_STEPS`] steps.

use std::fmt;

use crate::v1::{Filter, FilterOp, FilterOperand, FilterStep};

/// Steps of a program, at most.
pub const MAX_STEPS: usize = 64;

/// What a filter may ask about one entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// DPDK port id + 1.
    pub input_port: u32,
    /// IPv4 source address, most significant byte first.
    pub src_addr: u32,
    /// IPv4 destination address, most significant byte first.
    pub dst_addr: u32,
    /// IPv4 protocol number.
    pub protocol: u8,
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Priority.
    pub prio: u32,
    /// Time since the last packet or update, whole milliseconds.
    pub idle_ms: u64,
    /// Event type: 1 created, 2 updated, 3 deleted; 0 where there is no event.
    pub cmd: u8,
}

/// What a comparison looks at, when 32 bits hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operand {
    InputPort,
    SrcAddr,
    DstAddr,
    Protocol,
    SrcPort,
    DstPort,
    Prio,
    Cmd,
}

/// How a comparison compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// One step. Those that compare push a truth value, `Not` changes the topmost, the others make one of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Compare { operand: Operand, relation: Relation, mask: u32, value: u32 },
    Idle { relation: Relation, ms: u64 },
    Not,
    And,
    Xor,
    Or,
}

/// A filter that was checked: evaluating it always ends with one truth value.
#[derive(Clone, Copy)]
pub struct Program {
    steps: [Step; MAX_STEPS],
    len: u8,
}

const _: () = assert!(size_of::<Program>() <= 1032, "it is copied into the command of every shard");
const _: () = assert!(MAX_STEPS <= 64, "the stack is one word");

impl Program {
    /// The empty program: it matches everything.
    pub const ALL: Self = Self { steps: [Step::Not; MAX_STEPS], len: 0 };

    /// Checks a filter as it comes over the link; an absent one matches everything.
    ///
    /// # Errors
    ///
    /// Names the first step that is not sound.
    pub fn from_proto(filter: Option<&Filter>) -> Result<Self, BadFilter> {
        let Some(filter) = filter else { return Ok(Self::ALL) };
        let mut program = Self::ALL;
        let mut depth = 0_usize;
        for (index, step) in filter.steps.iter().enumerate() {
            let bad = |why| BadFilter { step: index + 1, why };
            let slot = program.steps.get_mut(index).ok_or(bad("one more than the 64 that are possible"))?;
            *slot = step_of(step).map_err(bad)?;
            let (takes, gives) = slot.effect();
            depth = depth.checked_sub(takes).ok_or(bad("too few values on the stack"))? + gives;
            program.len += 1;
        }
        if depth != 1 {
            return Err(BadFilter {
                step: filter.steps.len(),
                why: "the last one must leave exactly one value",
            });
        }
        Ok(program)
    }

    /// The form of the link; the program that matches everything is absent there.
    #[must_use]
    pub fn to_proto(&self) -> Option<Filter> {
        let steps: Vec<_> = self.steps().iter().map(|step| step.to_proto()).collect();
        (!steps.is_empty()).then_some(Filter { steps })
    }

    /// True when it matches everything without a look.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.len == 0
    }

    /// True when a comparison looks at the event type.
    #[must_use]
    pub fn asks_cmd(&self) -> bool {
        self.steps().iter().any(|step| matches!(step, Step::Compare { operand: Operand::Cmd, .. }))
    }

    /// True when it lets these facts pass.
    #[must_use]
    pub fn matches(&self, facts: &Facts) -> bool {
        if self.is_all() {
            return true;
        }
        // The stack of truth values, the topmost in bit 0.
        let mut stack = 0_u64;
        for step in self.steps() {
            match *step {
                Step::Compare { operand, relation, mask, value } => {
                    let holds = relation.holds(operand.of(facts) & mask, value);
                    stack = stack << 1 | u64::from(holds);
                }
                Step::Idle { relation, ms } => {
                    stack = stack << 1 | u64::from(relation.holds(facts.idle_ms, ms));
                }
                Step::Not => stack ^= 1,
                Step::And => stack = stack >> 1 & (stack | !1),
                Step::Xor => stack = stack >> 1 ^ (stack & 1),
                Step::Or => stack = stack >> 1 | (stack & 1),
            }
        }
        stack & 1 == 1
    }

    fn steps(&self) -> &[Step] {
        &self.steps[..usize::from(self.len)]
    }
}

impl Default for Program {
    fn default() -> Self {
        Self::ALL
    }
}

/// Steps beyond the length do not count.
impl PartialEq for Program {
    fn eq(&self, other: &Self) -> bool {
        self.steps() == other.steps()
    }
}

impl Eq for Program {}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.steps()).finish()
    }
}

/// A filter that no sound peer sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFilter {
    /// The step at fault, counted from 1; 0 when there is none at all.
    pub step: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

impl fmt::Display for BadFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}: {}", self.step, self.why)
    }
}

impl std::error::Error for BadFilter {}

impl Step {
    /// How many values it takes from the stack, and how many it leaves there.
    fn effect(self) -> (usize, usize) {
        match self {
            Self::Compare { .. } | Self::Idle { .. } => (0, 1),
            Self::Not => (1, 1),
            Self::And | Self::Xor | Self::Or => (2, 1),
        }
    }

    fn to_proto(self) -> FilterStep {
        let plain = |op: FilterOp| FilterStep { op: op.into(), ..FilterStep::default() };
        match self {
            Self::Compare { operand, relation, mask, value } => FilterStep {
                op: relation.to_proto().into(),
                operand: operand.to_proto().into(),
                mask: mask.into(),
                value: value.into(),
            },
            Self::Idle { relation, ms } => FilterStep {
                op: relation.to_proto().into(),
                operand: FilterOperand::MsecsSince.into(),
                mask: u64::MAX,
                value: ms,
            },
            Self::Not => plain(FilterOp::Not),
            Self::And => plain(FilterOp::And),
            Self::Xor => plain(FilterOp::Xor),
            Self::Or => plain(FilterOp::Or),
        }
    }
}

fn step_of(step: &FilterStep) -> Result<Step, &'static str> {
    let plain = match FilterOp::try_from(step.op).map_err(|_| "its op is not known")? {
        FilterOp::Unspecified => return Err("it has no op"),
        FilterOp::Eq => return comparison(Relation::Eq, step),
        FilterOp::Ne => return comparison(Relation::Ne, step),
        FilterOp::Lt => return comparison(Relation::Lt, step),
        FilterOp::Le => return comparison(Relation::Le, step),
        FilterOp::Gt => return comparison(Relation::Gt, step),
        FilterOp::Ge => return comparison(Relation::Ge, step),
        FilterOp::Not => Step::Not,
        FilterOp::And => Step::And,
        FilterOp::Xor => Step::Xor,
        FilterOp::Or => Step::Or,
    };
    if (step.operand, step.mask, step.value) == (0, 0, 0) {
        Ok(plain)
    } else {
        Err("only a comparison has an operand, a mask and a value")
    }
}

fn comparison(relation: Relation, step: &FilterStep) -> Result<Step, &'static str> {
    let operand = match FilterOperand::try_from(step.operand).map_err(|_| "its operand is not known")? {
        FilterOperand::Unspecified => return Err("it has no operand"),
        FilterOperand::MsecsSince if step.mask == u64::MAX => {
            return Ok(Step::Idle { relation, ms: step.value });
        }
        FilterOperand::MsecsSince => return Err("a time is compared with all 64 bits of the mask"),
        FilterOperand::InputPort => Operand::InputPort,
        FilterOperand::SrcAddr => Operand::SrcAddr,
        FilterOperand::DstAddr => Operand::DstAddr,
        FilterOperand::Protocol => Operand::Protocol,
        FilterOperand::SrcPort => Operand::SrcPort,
        FilterOperand::DstPort => Operand::DstPort,
        FilterOperand::Prio => Operand::Prio,
        FilterOperand::Cmd => Operand::Cmd,
    };
    let mask = u32::try_from(step.mask).ok().filter(|mask| mask & !operand.bits() == 0);
    let mask = mask.ok_or("its mask is wider than its operand")?;
    let value = u32::try_from(step.value).ok().filter(|value| value & !mask == 0);
    let value = value.ok_or("its value has bits that the mask hides")?;
    Ok(Step::Compare { operand, relation, mask, value })
}

impl Operand {
    fn of(self, facts: &Facts) -> u32 {
        match self {
            Self::InputPort => facts.input_port,
            Self::SrcAddr => facts.src_addr,
            Self::DstAddr => facts.dst_addr,
            Self::Protocol => facts.protocol.into(),
            Self::SrcPort => facts.src_port.into(),
            Self::DstPort => facts.dst_port.into(),
            Self::Prio => facts.prio,
            Self::Cmd => facts.cmd.into(),
        }
    }

    /// The bits that it has.
    fn bits(self) -> u32 {
        match self {
            Self::InputPort | Self::SrcAddr | Self::DstAddr | Self::Prio => u32::MAX,
            Self::SrcPort | Self::DstPort => 0xffff,
            Self::Protocol | Self::Cmd => 0xff,
        }
    }

    fn to_proto(self) -> FilterOperand {
        match self {
            Self::InputPort => FilterOperand::InputPort,
            Self::SrcAddr => FilterOperand::SrcAddr,
            Self::DstAddr => FilterOperand::DstAddr,
            Self::Protocol => FilterOperand::Protocol,
            Self::SrcPort => FilterOperand::SrcPort,
            Self::DstPort => FilterOperand::DstPort,
            Self::Prio => FilterOperand::Prio,
            Self::Cmd => FilterOperand::Cmd,
        }
    }
}

impl Relation {
    fn holds<T: Copy + Ord>(self, left: T, right: T) -> bool {
        match self {
            Self::Eq => left == right,
            Self::Ne => left != right,
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::Gt => left > right,
            Self::Ge => left >= right,
        }
    }

    fn to_proto(self) -> FilterOp {
        match self {
            Self::Eq => FilterOp::Eq,
            Self::Ne => FilterOp::Ne,
            Self::Lt => FilterOp::Lt,
            Self::Le => FilterOp::Le,
            Self::Gt => FilterOp::Gt,
            Self::Ge => FilterOp::Ge,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(op: FilterOp, operand: FilterOperand, mask: u64, value: u64) -> FilterStep {
        FilterStep { op: op.into(), operand: operand.into(), mask, value }
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
                assert_eq!(
                    (of(FilterOp::And), of(FilterOp::Or), of(FilterOp::Xor)),
                    (a && b, a || b, a != b)
                );
                // What lies deeper stays as it is.
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
            input_port: 101,
            src_addr: 102,
            dst_addr: 103,
            protocol: 104,
            src_port: 105,
            dst_port: 106,
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

    #[test]
    fn a_mask_hides_bits_of_the_operand() {
        let network = compare(FilterOp::Eq, FilterOperand::SrcAddr, 0xffff_ff00, 0x0a00_0000);
        let network = program(vec![network]).expect("sound");
        let from = |src_addr| network.matches(&Facts { src_addr, ..Facts::default() });
        assert!(from(0x0a00_0000) && from(0x0a00_00ff));
        assert!(!from(0x0a00_0100) && !from(0x0aff_0000));
        let any = program(vec![compare(FilterOp::Eq, FilterOperand::SrcAddr, 0, 0)]).expect("sound");
        assert!(any.matches(&Facts { src_addr: 7, ..Facts::default() }));
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
        // The deepest stack: all values first.
        let deep = [vec![push(true); 32], vec![plain(FilterOp::And); 31]].concat();
        assert!(program(deep).expect("sound").matches(&facts));
    }

    #[test]
    fn what_is_malformed_is_refused_and_the_step_named() {
        let odd = |op: i32, operand: i32| FilterStep { op, operand, mask: 0, value: 0 };
        for (steps, step, why) in [
            (vec![], 0, "exactly one value"),
            (vec![push(true), push(true)], 2, "exactly one value"),
            (vec![plain(FilterOp::Not)], 1, "too few values"),
            (vec![push(true), plain(FilterOp::And)], 2, "too few values"),
            (vec![plain(FilterOp::Or), push(true), push(true)], 1, "too few values"),
            (vec![push(true), odd(11, 0)], 2, "op is not known"),
            (vec![push(true), odd(-1, 0)], 2, "op is not known"),
            (vec![push(true), odd(0, 0)], 2, "no op"),
            (vec![odd(1, 10)], 1, "operand is not known"),
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
}
