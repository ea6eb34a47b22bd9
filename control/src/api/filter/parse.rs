//! From text to a tree of comparisons. What their names and constants mean is not known here.

use std::fmt;

use flowtracker_proto::filter::MAX_STEPS;
use winnow::Parser;
use winnow::ascii::multispace0;
use winnow::combinator::{alt, empty, eof, not, opt, peek, separated, terminated};
use winnow::error::{ErrMode, ParserError};
use winnow::stream::{LocatingSlice, Location, Stateful};
use winnow::token::{any, take_till, take_while};

use super::error::Fault;
use super::tree::{Relation, Tree};

/// Length of an expression, bytes, at most.
pub(super) const MAX_LEN: usize = 4096;
/// Length of a name or a constant, bytes, at most: messages repeat them.
const MAX_WORD: usize = 64;
/// How many `!`, `(` and `!(` may be open at a place, at most.
pub(super) const MAX_NESTING: usize = 5;

/// A part of the text. Where it stands does not count when two are compared.
#[derive(Clone, Debug)]
pub(super) struct Placed<T> {
    pub(super) at: usize,
    pub(super) value: T,
}

impl<T: PartialEq> PartialEq for Placed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Placed<T> {}

/// The right side of a comparison, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Constant {
    pub(super) text: String,
    pub(super) quoted: bool,
}

/// `NAME RELATION CONSTANT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) name: Placed<String>,
    pub(super) relation: Placed<Relation>,
    pub(super) constant: Placed<Constant>,
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Constant { text, quoted } = &self.constant.value;
        let quote = if *quoted { "\"" } else { "" };
        write!(f, "{} {} {quote}{text}{quote}", self.name.value, self.relation.value)
    }
}

type Untyped = Tree<Comparison>;
/// The text, and how many steps the program of what was read so far has.
type Input<'t> = Stateful<LocatingSlice<&'t str>, usize>;
type Parsed<T> = Result<T, ErrMode<Fault>>;

/// A fault that nobody words is never shown: it only makes a parser try something else.
impl ParserError<Input<'_>> for Fault {
    type Inner = Self;

    fn from_input(input: &Input<'_>) -> Self {
        Self::new(input.current_token_start(), "is not understood")
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Untyped, Fault> {
    if text.len() > MAX_LEN {
        let at = text.char_indices().map(|(at, _)| at).find(|at| *at >= MAX_LEN).unwrap_or(text.len());
        return Err(Fault::new(at, format!("the expression is longer than {MAX_LEN} bytes")));
    }
    let mut input = Input { input: LocatingSlice::new(text), state: 0 };
    let whole = |input: &mut Input<'_>| {
        blanks(input)?;
        let tree = disjunction(input, 0)?;
        let end: Parsed<_> = eof.void().parse_next(input);
        end.map_err(|_| ErrMode::Cut(leftover(input))).map(|()| tree)
    };
    let parsed: Parsed<_> = whole(&mut input);
    parsed.map_err(|error| error.into_inner().unwrap_or_else(|_| Fault::from_input(&input)))
}

/// Parts with `||` between them. Like all that follow, it takes the blanks behind it too.
fn disjunction(input: &mut Input<'_>, depth: usize) -> Parsed<Untyped> {
    let all = |input: &mut Input<'_>| chain(input, "&&", Tree::All, |input| part(input, depth));
    let odd = |input: &mut Input<'_>| chain(input, "^^", Tree::Odd, all);
    chain(input, "||", Tree::Any, odd)
}

fn chain<'t>(
    input: &mut Input<'t>,
    operator: &'static str,
    join: fn(Vec<Untyped>) -> Untyped,
    part: impl Fn(&mut Input<'t>) -> Parsed<Untyped>,
) -> Parsed<Untyped> {
    let between = |input: &mut Input<'t>| {
        let at = input.current_token_start();
        operator.void().parse_next(input)?;
        count_step(input, at)?;
        blanks(input)
    };
    let mut parts: Vec<_> = separated(1.., part, between).parse_next(input)?;
    Ok(if parts.len() == 1 { parts.remove(0) } else { join(parts) })
}

/// What stands between two operators.
fn part(input: &mut Input<'_>, depth: usize) -> Parsed<Untyped> {
    let at = input.current_token_start();
    let negation = terminated('!', not('=')).void();
    match opt(alt((negation.value(true), '('.value(false)))).parse_next(input)? {
        Some(true) => {
            let depth = deeper(depth, at)?;
            count_step(input, at)?;
            blanks(input)?;
            let at = input.current_token_start();
            // A parenthesis that a `!` stands before is part of it.
            let negated = match opt('(').parse_next(input)? {
                Some(_) => parenthesis(input, depth, at)?,
                None => part(input, depth)?,
            };
            Ok(Tree::Not(Box::new(negated)))
        }
        Some(false) => parenthesis(input, deeper(depth, at)?, at),
        None => comparison(input).map(Tree::Is),
    }
}

/// The rest of a parenthesis that was opened at `open`.
fn parenthesis(input: &mut Input<'_>, depth: usize, open: usize) -> Parsed<Untyped> {
    blanks(input)?;
    let tree = disjunction(input, depth)?;
    match opt(')').parse_next(input)? {
        Some(_) => blanks(input).map(|()| tree),
        None if input.is_empty() => refuse(open, "this parenthesis is not closed"),
        None => Err(ErrMode::Cut(leftover(input))),
    }
}

fn comparison(input: &mut Input<'_>) -> Parsed<Comparison> {
    let name = placed(take_while(1.., is_of_name)).parse_next(input).or_else(|_: ErrMode<Fault>| {
        let at = input.current_token_start();
        match next_word(input) {
            "" => refuse(at, "a comparison is missing, such as key.dstPort = 1234"),
            "\"" => refuse(at, LEFT_AND_RIGHT),
            found => refuse(at, format!("a comparison such as key.dstPort = 1234 is due, not {found:?}")),
        }
    })?;
    check_length(name.value, name.at)?;
    if name.value.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return refuse(name.at, LEFT_AND_RIGHT);
    }
    let relation = placed(relation).parse_next(input).or_else(|_: ErrMode<Fault>| {
        let why = format!("after {:?} a relation is missing: = != < <= > or >=", name.value);
        refuse(input.current_token_start(), why)
    })?;
    let constant = placed(constant).parse_next(input)?;
    count_step(input, name.at)?;
    Ok(Comparison { name: Placed { at: name.at, value: name.value.to_owned() }, relation, constant })
}

const LEFT_AND_RIGHT: &str = "the name goes to the left and the constant to the right: key.dstPort = 1234";

fn relation(input: &mut Input<'_>) -> Parsed<Relation> {
    alt((
        alt(("==", "=")).value(Relation::Eq),
        alt(("!=", "/=", "<>")).value(Relation::Ne),
        "<=".value(Relation::Le),
        ">=".value(Relation::Ge),
        "<".value(Relation::Lt),
        ">".value(Relation::Gt),
    ))
    .parse_next(input)
}

fn constant(input: &mut Input<'_>) -> Parsed<Constant> {
    let at = input.current_token_start();
    let quoted = opt('"').parse_next(input)?.is_some();
    let text = if quoted {
        take_till(0.., '"').parse_next(input)?
    } else {
        take_while(0.., is_of_constant).parse_next(input)?
    };
    if quoted && opt('"').parse_next(input)?.is_none() {
        return refuse(at, "this string has no closing quote");
    }
    if text.is_empty() && !quoted {
        return match next_word(input) {
            "" => refuse(at, "a constant is missing"),
            found => refuse(at, format!("a constant is due, not {found:?}")),
        };
    }
    check_length(text, at)?;
    Ok(Constant { text: text.to_owned(), quoted })
}

fn check_length(word: &str, at: usize) -> Parsed<()> {
    if word.len() <= MAX_WORD {
        return Ok(());
    }
    refuse(at, format!("no name and no constant is longer than {MAX_WORD} bytes"))
}

/// What `inner` reads, with its place, and the blanks behind it.
fn placed<'t, T>(
    mut inner: impl Parser<Input<'t>, T, ErrMode<Fault>>,
) -> impl FnMut(&mut Input<'t>) -> Parsed<Placed<T>> {
    move |input| {
        let at = input.current_token_start();
        let value = inner.parse_next(input)?;
        blanks(input).map(|()| Placed { at, value })
    }
}

fn blanks(input: &mut Input<'_>) -> Parsed<()> {
    multispace0.void().parse_next(input)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-".contains(c)
}

fn is_of_constant(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-+:/".contains(c)
}

/// One level down, opened at `at`.
fn deeper(depth: usize, at: usize) -> Parsed<usize> {
    if depth < MAX_NESTING {
        return Ok(depth + 1);
    }
    let why = "too many ! and ( are open at a time";
    Err(ErrMode::Cut(Fault::of_p4tc(at, "Recursion limit (5) exceeded", why)))
}

/// One more step, because of what stands at `at`.
fn count_step(input: &mut Input<'_>, at: usize) -> Parsed<()> {
    input.state += 1;
    if input.state <= MAX_STEPS {
        return Ok(());
    }
    let why = format!("the expression is too long: comparisons, operators and ! may be {MAX_STEPS} together");
    refuse(at, why)
}

fn refuse<T>(at: usize, why: impl Into<String>) -> Parsed<T> {
    Err(ErrMode::Cut(Fault::new(at, why)))
}

/// What is wrong with what stands behind an expression that was complete.
fn leftover(input: &Input<'_>) -> Fault {
    let at = input.current_token_start();
    let found = next_word(input);
    let meant = match found.to_ascii_lowercase().as_str() {
        "&" | "and" => "&&",
        "^" | "xor" => "^^",
        "|" | "or" => "||",
        ")" => return Fault::new(at, "this parenthesis was never opened"),
        "=" | "<" | ">" | "!" | "/" => {
            return Fault::new(at, "a comparison has one relation: join two comparisons with &&");
        }
        _ => return Fault::new(at, format!("before {found:?} an operator is missing: && ^^ or ||")),
    };
    Fault::new(at, format!("{found:?} is not an operator; did you mean {meant}?"))
}

/// The word or the character that comes next; empty at the end.
fn next_word<'t>(input: &Input<'t>) -> &'t str {
    let mut ahead = *input;
    let word = alt((take_while(1..=MAX_WORD, is_of_name), any.take(), empty.take()));
    let word: Parsed<_> = peek(word).parse_next(&mut ahead);
    word.unwrap_or_default()
}
