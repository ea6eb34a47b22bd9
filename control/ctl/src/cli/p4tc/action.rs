//! Actions of entries: every entry here has P4TC's NoAction.

use flowtracker_proto::table::{TableDescription, without_block};

use super::{Error, path, say};
use crate::render::NO_ACTION;

/// Checks the action that an entry of `table` is to have. The pipeline, and then the control block,
/// may be left out of its name.
pub(super) fn check(table: &TableDescription, name: &str) -> Result<(), Error> {
    let name = &*path::plain(name);
    let pipeline = name.strip_prefix(table.pipeline).and_then(|rest| rest.strip_prefix('/'));
    let inner = pipeline.unwrap_or(name);
    if inner == NO_ACTION {
        Ok(())
    } else if inner == table.miss_action || name == without_block(table.miss_action) {
        say("Action not allowed as entry action")
    } else {
        say(format!("Unable to find action {name}"))
    }
}

#[cfg(test)]
mod tests;
