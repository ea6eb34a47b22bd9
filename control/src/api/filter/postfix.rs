//! From a typed tree to the program that is evaluated.

use flowtracker_proto::filter::{Program, halves, key_operand};
use flowtracker_proto::v1::{Filter, FilterOp, FilterOperand, FilterStep};

use super::tree::{Relation, Tree};
use super::types::{Subject, Test};

/// The program of an expression. The parser has counted its steps.
pub(super) fn program(tree: &Tree<Test>) -> Program {
    let mut steps = Vec::new();
    emit(tree, &mut steps);
    Program::from_proto(Some(&Filter { steps })).expect("a tree that was read is a sound program")
}

fn emit(tree: &Tree<Test>, steps: &mut Vec<FilterStep>) {
    let plain = |op: FilterOp| FilterStep { op: op.into(), ..FilterStep::default() };
    let (parts, op) = match tree {
        Tree::Is(test) => return steps.push(comparison(test)),
        Tree::Not(part) => {
            emit(part, steps);
            return steps.push(plain(FilterOp::Not));
        }
        Tree::All(parts) => (parts, FilterOp::And),
        Tree::Odd(parts) => (parts, FilterOp::Xor),
        Tree::Any(parts) => (parts, FilterOp::Or),
    };
    for (index, part) in parts.iter().enumerate() {
        emit(part, steps);
        if index > 0 {
            steps.push(plain(op));
        }
    }
}

fn comparison(test: &Test) -> FilterStep {
    let op = match test.relation {
        Relation::Eq => FilterOp::Eq,
        Relation::Ne => FilterOp::Ne,
        Relation::Lt => FilterOp::Lt,
        Relation::Le => FilterOp::Le,
        Relation::Gt => FilterOp::Gt,
        Relation::Ge => FilterOp::Ge,
    };
    let operand = match test.subject {
        Subject::Key(field) => key_operand(field.part),
        Subject::Family => FilterOperand::Family,
        Subject::Prio => FilterOperand::Prio,
        Subject::MsecsSince => FilterOperand::MsecsSince,
        Subject::Cmd => FilterOperand::Cmd,
    };
    let (mask_high, mask) = halves(test.mask);
    let (value_high, value) = halves(test.value);
    let family = test.family().map_or(0, |family| family.number().into());
    FilterStep { op: op.into(), operand: operand.into(), mask, value, mask_high, value_high, family }
}
