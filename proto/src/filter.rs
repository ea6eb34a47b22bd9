//! Compiled filter expressions, which the control service sends over the link and lcores evaluate.
//!
//! A [`Program`] is a filter in postfix form, which the control service makes of text. This module
//! checks and evaluates it. A data plane evaluates it between two bursts of packets, for every
//! entry that a list or a flush visits. So a program is a value of fixed size, and its evaluation
//! allocates nothing, cannot fail, and takes at most [`MAX_STEPS`] steps.

use std::fmt;

use thiserror::Error;

use crate::key::WideKey;
use crate::table::{Family, KeyPart};
use crate::v1::{Filter, FilterOp, FilterOperand, FilterStep};

/// The most steps of a program.
pub const MAX_STEPS: usize = 64;
/// The most comparisons of a program: each operator that joins two of them is a step too.
const MAX_COMPARISONS: usize = MAX_STEPS.div_ceil(2);

/// The properties of one entry that a filter can test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The family of its table.
    pub family: Family,
    /// The key.
    pub key: WideKey,
    /// Priority.
    pub prio: u32,
    /// Time since the last packet or update, whole milliseconds.
    pub idle_ms: u64,
    /// Event type: 1 created, 2 updated, 3 deleted; 0 where there is no event.
    pub cmd: u8,
}

/// The property that a comparison tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operand {
    Key(KeyPart),
    Prio,
    Idle,
    Cmd,
    Family,
}

/// The relation that a comparison tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// One step. A comparison pushes a truth value, `Not` negates the topmost one, and the others
/// replace the two topmost values by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Compares with the next constant. An entry that is not of `family` only satisfies `Ne`.
    Compare {
        operand: Operand,
        relation: Relation,
        family: Option<Family>,
    },
    Not,
    And,
    Xor,
    Or,
}

/// The constant that an operand is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Constant {
    /// The bits of the operand that are compared.
    mask: u128,
    value: u128,
}

impl Constant {
    const NONE: Self = Self { mask: 0, value: 0 };
}

/// A filter that was checked: evaluating it always ends with one truth value.
#[derive(Clone, Copy)]
pub struct Program {
    /// One for each comparison, in the order of the steps.
    constants: [Constant; MAX_COMPARISONS],
    steps: [Step; MAX_STEPS],
    len: u8,
    comparisons: u8,
}

const _: () = assert!(size_of::<Program>() <= 1232, "it is copied into the command of every shard");
const _: () = assert!(MAX_STEPS <= 64, "the stack is one word");

impl Program {
    /// The empty program: it matches everything.
    pub const ALL: Self = Self {
        constants: [Constant::NONE; MAX_COMPARISONS],
        steps: [Step::Not; MAX_STEPS],
        len: 0,
        comparisons: 0,
    };

    /// Checks a filter that arrived over the link; an absent one matches everything.
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
            let (step, constant) = step_of(step).map_err(bad)?;
            *slot = step;
            if let Some(constant) = constant {
                let slot = program.constants.get_mut(usize::from(program.comparisons));
                *slot.ok_or(bad("more comparisons than can be joined"))? = constant;
                program.comparisons += 1;
            }
            let (takes, gives) = step.effect();
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

    /// Returns the form of the link. The program that matches everything is absent there.
    #[must_use]
    pub fn to_proto(&self) -> Option<Filter> {
        let mut constants = self.constants().iter();
        let steps: Vec<_> = self.steps().iter().map(|step| step.to_proto(&mut constants)).collect();
        (!steps.is_empty()).then_some(Filter { steps })
    }

    /// Returns true when it matches everything.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.len == 0
    }

    /// Returns true when a comparison tests the event type.
    #[must_use]
    pub fn asks_cmd(&self) -> bool {
        self.steps().iter().any(|step| matches!(step, Step::Compare { operand: Operand::Cmd, .. }))
    }

    /// Returns true when it matches these facts.
    #[must_use]
    pub fn matches(&self, facts: &Facts) -> bool {
        if self.is_all() {
            return true;
        }
        // The stack of truth values, the topmost in bit 0.
        let mut stack = 0_u64;
        let mut constants = self.constants().iter();
        for step in self.steps() {
            match *step {
                Step::Compare { operand, relation, family } => {
                    // Each comparison has one.
                    let Some(Constant { mask, value }) = constants.next().copied() else { return false };
                    let holds = match family {
                        Some(family) if family != facts.family => relation == Relation::Ne,
                        _ => relation.holds(operand.of(facts) & mask, value),
                    };
                    stack = stack << 1 | u64::from(holds);
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

    fn constants(&self) -> &[Constant] {
        &self.constants[..usize::from(self.comparisons)]
    }
}

impl Default for Program {
    fn default() -> Self {
        Self::ALL
    }
}

/// Compares the used steps and constants only.
impl PartialEq for Program {
    fn eq(&self, other: &Self) -> bool {
        self.steps() == other.steps() && self.constants() == other.constants()
    }
}

impl Eq for Program {}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.steps()).entries(self.constants()).finish()
    }
}

/// A filter that a correct peer never sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("step {step}: {why}")]
pub struct BadFilter {
    /// The faulty step, counted from 1; 0 when the filter has no steps.
    pub step: usize,
    /// The error in it.
    pub why: &'static str,
}

impl Step {
    /// Returns how many values the step takes from the stack, and how many it leaves there.
    fn effect(self) -> (usize, usize) {
        match self {
            Self::Compare { .. } => (0, 1),
            Self::Not => (1, 1),
            Self::And | Self::Xor | Self::Or => (2, 1),
        }
    }

    /// Returns the form of the link; a comparison takes the next constant.
    fn to_proto<'a>(self, constants: &mut impl Iterator<Item = &'a Constant>) -> FilterStep {
        let plain = |op: FilterOp| FilterStep { op: op.into(), ..FilterStep::default() };
        match self {
            Self::Compare { operand, relation, family } => {
                let Constant { mask, value } = constants.next().copied().unwrap_or(Constant::NONE);
                let (mask_high, mask) = halves(mask);
                let (value_high, value) = halves(value);
                FilterStep {
                    op: relation.to_proto().into(),
                    operand: operand.to_proto().into(),
                    mask,
                    value,
                    mask_high,
                    value_high,
                    family: family.map_or(0, |family| family.number().into()),
                }
            }
            Self::Not => plain(FilterOp::Not),
            Self::And => plain(FilterOp::And),
            Self::Xor => plain(FilterOp::Xor),
            Self::Or => plain(FilterOp::Or),
        }
    }
}

/// Splits a number into its high and its low half, as [`FilterStep`] holds them.
#[must_use]
pub fn halves(number: u128) -> (u64, u64) {
    ((number >> 64) as u64, number as u64)
}

fn joined(high: u64, low: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

fn step_of(step: &FilterStep) -> Result<(Step, Option<Constant>), &'static str> {
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
    if *step == (FilterStep { op: step.op, ..FilterStep::default() }) {
        Ok((plain, None))
    } else {
        Err("only a comparison has an operand, a mask, a value and a family")
    }
}

fn comparison(relation: Relation, step: &FilterStep) -> Result<(Step, Option<Constant>), &'static str> {
    let operand = match FilterOperand::try_from(step.operand).map_err(|_| "its operand is not known")? {
        FilterOperand::Unspecified => return Err("it has no operand"),
        FilterOperand::MsecsSince => Operand::Idle,
        FilterOperand::InputPort => Operand::Key(KeyPart::InputPort),
        FilterOperand::SrcAddr => Operand::Key(KeyPart::SrcAddr),
        FilterOperand::DstAddr => Operand::Key(KeyPart::DstAddr),
        FilterOperand::Protocol => Operand::Key(KeyPart::Protocol),
        FilterOperand::SrcPort => Operand::Key(KeyPart::SrcPort),
        FilterOperand::DstPort => Operand::Key(KeyPart::DstPort),
        FilterOperand::Prio => Operand::Prio,
        FilterOperand::Cmd => Operand::Cmd,
        FilterOperand::Family => Operand::Family,
    };
    let family = match (step.family, operand) {
        (0, _) => None,
        (number, Operand::Key(KeyPart::SrcAddr | KeyPart::DstAddr)) => {
            Some(Family::of_number(number).ok_or("its family is not known")?)
        }
        _ => return Err("only an address has a family"),
    };
    let mask = joined(step.mask_high, step.mask);
    let value = joined(step.value_high, step.value);
    if operand == Operand::Idle && mask != operand.bits() {
        return Err("a time is compared with all 64 bits of the mask");
    }
    if mask & !operand.bits() != 0 {
        return Err("its mask is wider than its operand");
    }
    if value & !mask != 0 {
        return Err("its value has bits that the mask hides");
    }
    Ok((Step::Compare { operand, relation, family }, Some(Constant { mask, value })))
}

impl Operand {
    fn of(self, facts: &Facts) -> u128 {
        match self {
            Self::Key(part) => facts.key.get(part),
            Self::Prio => facts.prio.into(),
            Self::Idle => facts.idle_ms.into(),
            Self::Cmd => facts.cmd.into(),
            Self::Family => facts.family.number().into(),
        }
    }

    /// Returns the bits that the operand may have.
    fn bits(self) -> u128 {
        match self {
            Self::Key(part) => part.mask(),
            Self::Prio => u32::MAX.into(),
            Self::Idle => u64::MAX.into(),
            Self::Cmd | Self::Family => u8::MAX.into(),
        }
    }

    fn to_proto(self) -> FilterOperand {
        match self {
            Self::Key(part) => key_operand(part),
            Self::Prio => FilterOperand::Prio,
            Self::Idle => FilterOperand::MsecsSince,
            Self::Cmd => FilterOperand::Cmd,
            Self::Family => FilterOperand::Family,
        }
    }
}

/// Returns the link's name of a part of the key.
#[must_use]
pub fn key_operand(part: KeyPart) -> FilterOperand {
    match part {
        KeyPart::InputPort => FilterOperand::InputPort,
        KeyPart::SrcAddr => FilterOperand::SrcAddr,
        KeyPart::DstAddr => FilterOperand::DstAddr,
        KeyPart::Protocol => FilterOperand::Protocol,
        KeyPart::SrcPort => FilterOperand::SrcPort,
        KeyPart::DstPort => FilterOperand::DstPort,
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
mod tests;
