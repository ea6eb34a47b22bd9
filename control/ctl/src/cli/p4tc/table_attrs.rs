//! `tbl_attrs`: attributes of the table that an update changes.

use flowtracker_proto::v1::TimerProfile;

use super::words::Words;
use super::{Error, say};
use crate::cli::attributes::{aging_ms, permissions, profile_id};

/// The changes that `tbl_attrs` makes.
#[derive(Debug, Default, PartialEq)]
pub(super) struct TableChange {
    pub(super) profiles: Vec<TimerProfile>,
    pub(super) permissions: Option<u32>,
}

/// Reads `tbl_attrs ATTR...`.
pub(super) fn read(words: &mut Words<'_>) -> Result<TableChange, Error> {
    words.next();
    let mut change = TableChange::default();
    while let Some(word) = words.next() {
        match word {
            "timer_profile" => change.profiles.push(timer_profile(words)?),
            "tbl_permissions" => change.permissions = Some(words.number(word, permissions)?),
            "default_hit_action" | "default_miss_action" => return say("Default actions cannot be changed"),
            other => return say(format!("Unknown table attribute \"{other}\"")),
        }
    }
    if change == TableChange::default() {
        return say("Must specify table attributes");
    }
    Ok(change)
}

/// Reads `id N aging MS`, in any order.
fn timer_profile(words: &mut Words<'_>) -> Result<TimerProfile, Error> {
    let (mut id, mut aging) = (None, None);
    while let Some(word @ ("id" | "aging")) = words.peek() {
        words.next();
        match word {
            "id" => id = Some(words.number(word, profile_id)?),
            _ => aging = Some(words.number(word, aging_ms)?),
        }
    }
    match (id, aging) {
        (Some(profile_id), Some(aging_ms)) => Ok(TimerProfile { profile_id, aging_ms }),
        _ => say("Must specify both id and aging of a timer profile"),
    }
}

#[cfg(test)]
mod tests;
