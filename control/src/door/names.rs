//! Users and groups of this host, by name or number.

use nix::unistd::{Group, User};

/// Returns the number of a user.
///
/// # Errors
/// There is no such user.
pub fn user(text: &str) -> Result<u32, String> {
    let found = || User::from_name(text).ok().flatten().map(|user| user.uid.as_raw());
    text.parse().ok().or_else(found).ok_or_else(|| format!("there is no user {text:?} on this host"))
}

/// Returns the number of a group.
///
/// # Errors
/// There is no such group.
pub fn group(text: &str) -> Result<u32, String> {
    let found = || Group::from_name(text).ok().flatten().map(|group| group.gid.as_raw());
    text.parse().ok().or_else(found).ok_or_else(|| format!("there is no group {text:?} on this host"))
}
