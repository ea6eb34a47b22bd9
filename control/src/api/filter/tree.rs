//! Logical expressions, whatever their comparisons are made of, and their canonical text.

use std::fmt;

/// A logical expression over comparisons `L`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree<L> {
    /// One comparison.
    Is(L),
    /// `!`: the opposite.
    Not(Box<Self>),
    /// `&&` between two or more: all of them.
    All(Vec<Self>),
    /// `^^` between two or more: an odd number of them.
    Odd(Vec<Self>),
    /// `||` between two or more: at least one of them.
    Any(Vec<Self>),
}

impl<L> Tree<L> {
    /// The same expression over other comparisons; the first that cannot be had is the error.
    pub(super) fn try_map<M, E>(self, map: &mut impl FnMut(L) -> Result<M, E>) -> Result<Tree<M>, E> {
        let mut each =
            |parts: Vec<Self>| parts.into_iter().map(|part| part.try_map(map)).collect::<Result<_, E>>();
        Ok(match self {
            Self::All(parts) => Tree::All(each(parts)?),
            Self::Odd(parts) => Tree::Odd(each(parts)?),
            Self::Any(parts) => Tree::Any(each(parts)?),
            Self::Not(part) => Tree::Not(Box::new(part.try_map(map)?)),
            Self::Is(leaf) => Tree::Is(map(leaf)?),
        })
    }

    /// How tightly it holds together: what is looser than its surroundings needs a parenthesis.
    fn tightness(&self) -> u8 {
        match self {
            Self::Any(_) => 0,
            Self::Odd(_) => 1,
            Self::All(_) => 2,
            Self::Is(_) | Self::Not(_) => 3,
        }
    }
}

/// Canonical text: one blank around every operator, no parenthesis that could be left out, but for
/// the one after `!`.
impl<L: fmt::Display> fmt::Display for Tree<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, operator) = match self {
            Self::Is(leaf) => return leaf.fmt(f),
            Self::Not(part) if matches!(**part, Self::Not(_)) => return write!(f, "!{part}"),
            Self::Not(part) => return write!(f, "!({part})"),
            Self::All(parts) => (parts, " && "),
            Self::Odd(parts) => (parts, " ^^ "),
            Self::Any(parts) => (parts, " || "),
        };
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                f.write_str(operator)?;
            }
            if part.tightness() > self.tightness() {
                part.fmt(f)?;
            } else {
                write!(f, "({part})")?;
            }
        }
        Ok(())
    }
}

/// How a comparison compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// `=`, `==`.
    Eq,
    /// `!=`, `/=`, `<>`.
    Ne,
    /// `<`.
    Lt,
    /// `<=`.
    Le,
    /// `>`.
    Gt,
    /// `>=`.
    Ge,
}

impl Relation {
    /// True for those that ask for an order.
    pub(super) fn orders(self) -> bool {
        !matches!(self, Self::Eq | Self::Ne)
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        })
    }
}
