//! Actions of entries: P4TC's NoAction is what all of ours have.

use super::{Error, say};

/// Checks the action that an entry is to have.
pub(super) fn check(name: &str) -> Result<(), Error> {
    match name {
        "NoAction" | "flowtracker/NoAction" => Ok(()),
        "ct_flow_miss" | "Main/ct_flow_miss" | "flowtracker/Main/ct_flow_miss" => {
            say("Action not allowed as entry action")
        }
        _ => say(format!("Unable to find action {name}")),
    }
}

#[cfg(test)]
mod tests;
