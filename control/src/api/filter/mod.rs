//! Filter expressions: P4TC's grammar, from the text to the program that is evaluated.
//!
//! `parse.rs` parses text into a tree of comparisons that mean nothing yet. `types.rs` types the
//! tree against the description of the table and the place where it is used. `postfix.rs` makes of
//! it a program in postfix form ([`flowtracker_proto::filter`]). Watchers evaluate it here, lists
//! and flushes on the lcores. A tree prints itself as canonical text, which parses to the same
//! tree.
//!
//! Grammar, precedence, examples and what differs from P4TC: `docs/filters.md`.

mod error;
mod parse;
mod postfix;
#[cfg(test)]
mod tests;
mod tree;
mod types;

use flowtracker_proto::filter::Program;
use flowtracker_proto::table::TableDescription;
use flowtracker_proto::v1::Filter;
use tonic::Status;

pub use self::error::Error;
pub use self::tree::Tree;
pub use self::types::Test;

use crate::api::fault;

/// Where an expression is used: not every name has a meaning everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// WatchEvents: `cmd`, but no `msecs_since`.
    Watch,
    /// ListEntries: `msecs_since`, but no `cmd`.
    List,
    /// FlushEntries: as on a list.
    Flush,
}

/// Parses an expression about entries of `table`; `None` when the text is empty, which means
/// everything.
///
/// # Errors
///
/// Says what is wrong and where.
pub fn read(table: &TableDescription, text: &str, place: Place) -> Result<Option<Tree<Test>>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let typed = parse::parse(text).and_then(|tree| tree.try_map(&mut |leaf| types::test(table, leaf, place)));
    typed.map(Some).map_err(|fault| Error::new(text, fault))
}

/// Compiles the field `filter` of a request about entries of `table`.
///
/// # Errors
///
/// INVALID_ARGUMENT that names the field, and in the text the column.
pub fn program(table: &TableDescription, text: &str, place: Place) -> Result<Program, Status> {
    let tree = read(table, text, place).map_err(|error| fault::bad_field("filter", error.to_string()))?;
    Ok(tree.map_or(Program::ALL, |tree| postfix::program(&tree)))
}

/// [`program`] in the form of the link; `None` when the text is empty, which means everything.
///
/// # Errors
///
/// As [`program`].
pub fn compile(table: &TableDescription, text: &str, place: Place) -> Result<Option<Filter>, Status> {
    Ok(program(table, text, place)?.to_proto())
}
