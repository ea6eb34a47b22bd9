//! What the engine refuses, in the words of the wire: a status, a reason, the
//! field of the request that is at fault, and a sentence.

use conntrack::attributes::Field;
use conntrack::tracker::{Refusal, TableRefusal};
use conntrack::{AttributeError, ProfileId};
use flowtracker_proto::v1::{Reply, ReplyStatus as Status};

use crate::lcore::mailbox::Outcome;

/// A reply that says no.
#[must_use]
pub(super) fn refuse(status: Status, reason: &str, message: impl Into<String>) -> Reply {
    Reply { status: status.into(), reason: reason.to_owned(), message: message.into(), ..Default::default() }
}

/// One about a field of the request.
pub(super) fn refuse_field(field: impl Into<String>, reason: &str, message: impl Into<String>) -> Reply {
    Reply { field: field.into(), ..refuse(Status::InvalidArgument, reason, message) }
}

/// No profile has this number.
pub(super) fn unknown_profile(field: impl Into<String>, id: u32) -> Reply {
    let message = format!("there is no timer profile {id}");
    let reply = Reply { field: field.into(), ..refuse(Status::NotFound, "UNKNOWN_PROFILE", message) };
    with(reply, "profile_id", id.into())
}

/// Adds metadata to a reply.
pub(super) fn with(mut reply: Reply, name: &str, value: u64) -> Reply {
    reply.metadata.insert(name.to_owned(), value.to_string());
    reply
}

/// A profile number that no table can have.
pub(super) fn profile_range(field: impl Into<String>, id: u32) -> Reply {
    refuse_field(field, "PROFILE_RANGE", format!("{id} is not in 0 to {}", ProfileId::COUNT - 1))
}

/// The program is detached.
pub(super) fn detached() -> Reply {
    refuse(Status::FailedPrecondition, "DETACHED", "the program is detached (purged); load attaches it again")
}

/// The answer of an outcome; done is OK.
pub(super) fn of(outcome: Outcome) -> Reply {
    match outcome {
        Outcome::Done(removed) => Reply {
            status: Status::Ok.into(),
            deleted: removed.deleted,
            failed: removed.failed,
            ..Default::default()
        },
        Outcome::TooManyDumps => refuse(Status::Unavailable, "", "too many dumps at a time"),
        Outcome::Late => refuse(
            Status::DeadlineExceeded,
            "",
            "the deadline passed before the lcore came to it; nothing was done",
        ),
        Outcome::TableRefused(TableRefusal::Detached) | Outcome::Refused(Refusal::Detached) => detached(),
        Outcome::TableRefused(TableRefusal::NotEmpty) => Reply {
            field: "permissions".to_owned(),
            ..refuse(
                Status::FailedPrecondition,
                "TABLE_NOT_EMPTY",
                "the table has entries, and its permissions change only while it is empty",
            )
        },
        Outcome::TableRefused(TableRefusal::TooManyAgings) => Reply {
            field: "profiles".to_owned(),
            ..refuse(
                Status::FailedPrecondition,
                "TOO_MANY_AGINGS",
                "entries have more than 200 different aging values; those with old ones have to go first",
            )
        },
        Outcome::Refused(refusal) => of_refusal(refusal),
    }
}

fn of_refusal(refusal: Refusal) -> Reply {
    match refusal {
        Refusal::NotFound => refuse(Status::NotFound, "NO_ENTRY", "no entry has this key"),
        Refusal::Exists => refuse(Status::AlreadyExists, "ENTRY_EXISTS", "an entry has this key already"),
        Refusal::Denied(permission) => {
            refuse(Status::PermissionDenied, "PERMISSION_BIT", permission.to_string())
        }
        Refusal::Full => refuse(
            Status::ResourceExhausted,
            "TABLE_FULL",
            "the shard that this flow belongs to holds as many entries as it may",
        ),
        Refusal::Detached => detached(),
        Refusal::Held => table_busy(),
        Refusal::Attribute(AttributeError::ProfileUnknown(id)) => unknown_profile("profile_id", id),
        Refusal::Attribute(AttributeError::ProfileRange(id)) => profile_range("profile_id", id),
        Refusal::Attribute(error) => refuse_field(field(error.field()), reason(&error), error.to_string()),
    }
}

/// Another change of the table is under way.
pub(super) fn table_busy() -> Reply {
    refuse(Status::Unavailable, "TABLE_BUSY", "the table is being changed; try again")
}

fn field(field: Field) -> &'static str {
    match field {
        Field::Dynamic => "dynamic",
        Field::ProfileId => "profile_id",
        Field::AgingMs => "aging_ms",
        Field::Permissions => "permissions",
    }
}

fn reason(error: &AttributeError) -> &'static str {
    match error {
        AttributeError::NotAlongside(_) => "NOT_ALONGSIDE",
        AttributeError::BothGiven => "BOTH_GIVEN",
        AttributeError::ProfileRange(_) => "PROFILE_RANGE",
        AttributeError::ProfileUnknown(_) => "UNKNOWN_PROFILE",
        AttributeError::AgingUnknown(_) => "AGING_UNKNOWN",
        AttributeError::PermissionBits(_) => "PERMISSION_BITS",
        AttributeError::PermissionsBeyondTable { .. } => "PERMISSIONS_BEYOND_TABLE",
        AttributeError::PermissionsCreateBit(_) => "PERMISSIONS_CREATE_BIT",
        AttributeError::StaticEntry(_) => "STATIC_ENTRY",
        AttributeError::DynamicEntry => "DYNAMIC_ENTRY",
    }
}
