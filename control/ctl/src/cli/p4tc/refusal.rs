//! P4TC's texts for the refusals of the service.

use flowtracker_proto::v1::TimerProfile;
use tonic::Status;
use tonic_types::StatusExt;

use super::Error;
use super::texts::{AGING_ALONGSIDE, AGING_OR_PROFILE, NO_ENTRY, PROFILE_ALONGSIDE};
use crate::cli::attributes::Attributes;

/// Returns the error of a get or a delete; `denied` is the text for a missing permission.
pub(super) fn of_key(status: Status, denied: &str) -> Error {
    match reason(&status).as_str() {
        "NO_ENTRY" => said(NO_ENTRY),
        "PERMISSION_BIT" => said(denied),
        _ => status.into(),
    }
}

/// Returns the error of a create or an update.
pub(super) fn of_write(status: Status, asked: &Attributes) -> Error {
    match reason(&status).as_str() {
        "NO_ENTRY" => said(NO_ENTRY),
        "ENTRY_EXISTS" | "PERMISSION_BIT" => said("Failed to create/update entry"),
        "TABLE_FULL" => said("Table max entries reached"),
        "UNKNOWN_PROFILE" => unknown_profile(&status, asked.profile),
        "AGING_UNKNOWN" => {
            let aging = asked.aging.unwrap_or_default();
            said(&format!("Specified aging {aging} doesn't match any timer profile"))
        }
        "BOTH_GIVEN" => said(AGING_OR_PROFILE),
        "NOT_ALONGSIDE" | "STATIC_ENTRY" if asked.aging.is_some() => said(AGING_ALONGSIDE),
        "NOT_ALONGSIDE" | "STATIC_ENTRY" => said(PROFILE_ALONGSIDE),
        "PERMISSIONS_BEYOND_TABLE" => said("Table perms mismatch"),
        "PERMISSIONS_CREATE_BIT" => said("Create perm for entry not allowed"),
        _ => status.into(),
    }
}

/// Returns the error of a change of the table.
pub(super) fn of_table(status: Status, profiles: &[TimerProfile]) -> Error {
    match reason(&status).as_str() {
        "TABLE_NOT_EMPTY" => said("Unable to set table permissions if it already has entries"),
        "UNKNOWN_PROFILE" => {
            let only = if let [profile] = profiles { Some(profile.profile_id) } else { None };
            unknown_profile(&status, only)
        }
        "AGING_DUPLICATE" => match (at_fault(&status, profiles), metadata(&status, "profile_id")) {
            (Some(profile), Some(other)) => {
                said(&format!("Aging {} was already specified by profile ID {other}", profile.aging_ms))
            }
            _ => status.into(),
        },
        _ => status.into(),
    }
}

fn unknown_profile(status: &Status, asked: Option<u32>) -> Error {
    let id = metadata(status, "profile_id").or(asked.map(|id| id.to_string())).unwrap_or_default();
    said(&format!("Unable to find timer profile with ID {id}"))
}

fn said(message: &str) -> Error {
    Error::Said(message.to_owned())
}

/// Returns the reason in `ErrorInfo`; it is empty when there is none.
fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

fn metadata(status: &Status, name: &str) -> Option<String> {
    status.get_details_error_info()?.metadata.remove(name)
}

/// Returns the profile whose field the service names, such as `profiles[0].aging_ms`.
fn at_fault<'a>(status: &Status, profiles: &'a [TimerProfile]) -> Option<&'a TimerProfile> {
    let request = status.get_details_bad_request()?;
    let index = request.field_violations.first()?.field.strip_prefix("profiles[")?.split_once(']')?.0;
    profiles.get(index.parse::<usize>().ok()?)
}
