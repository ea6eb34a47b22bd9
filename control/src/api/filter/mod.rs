//! Filter expressions: P4TC's grammar, from the text to the program that is evaluated.
//!
//! `parse.rs` parses text into a tree of comparisons that mean nothing yet. `types.rs` types the
//! tree against the descriptions of the tables and the place where it is used. `postfix.rs` makes
//! of it a program in postfix form ([`flowtracker_proto::filter`]). Watchers evaluate it here,
//! lists and flushes on the lcores. A tree prints itself as canonical text, which parses to the
//! same tree.
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
use flowtracker_proto::table::TABLES;
use flowtracker_proto::v1::Filter;
use tonic::Status;

pub use self::error::Error;
pub use self::tree::Tree;
use self::types::Tables;
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

/// Parses an expression about entries of all tables; `None` when the text is empty, which means
/// everything.
///
/// # Errors
///
/// Says what is wrong and where.
pub fn read(text: &str, place: Place) -> Result<Option<Tree<Test>>, Error> {
    read_of(TABLES, text, place)
}

/// [`read`] about entries of these tables.
fn read_of(tables: Tables<'_>, text: &str, place: Place) -> Result<Option<Tree<Test>>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let typed =
        parse::parse(text).and_then(|tree| tree.try_map(&mut |leaf| types::test(tables, leaf, place)));
    typed.map(Some).map_err(|fault| Error::new(text, fault))
}

/// Compiles the field `filter` of a request.
///
/// # Errors
///
/// INVALID_ARGUMENT that names the field, and in the text the column.
pub fn program(text: &str, place: Place) -> Result<Program, Status> {
    program_of(TABLES, text, place)
}

/// [`program`] about entries of these tables.
fn program_of(tables: Tables<'_>, text: &str, place: Place) -> Result<Program, Status> {
    let tree = read_of(tables, text, place).map_err(|error| fault::bad_field("filter", error.to_string()))?;
    Ok(tree.map_or(Program::ALL, |tree| postfix::program(&tree)))
}

/// [`program`] in the form of the link; `None` when the text is empty, which means everything.
///
/// # Errors
///
/// As [`program`].
pub fn compile(text: &str, place: Place) -> Result<Option<Filter>, Status> {
    Ok(program(text, place)?.to_proto())
}
