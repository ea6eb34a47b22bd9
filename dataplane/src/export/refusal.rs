//! What the data plane refuses: for each refusal the status, the reason, the field at fault and the
//! sentence that the control service passes on to the user. No other file of the data plane says
//! one of them.

use conntrack::AttributeError;
use conntrack::attributes::Field;
use conntrack::timeout::{ProfileId, Profiles};
use conntrack::tracker::{Refusal, TableRefusal};
use flowtracker_proto::filter::{BadFilter, MAX_STEPS};
use flowtracker_proto::key::port_name;
use flowtracker_proto::limits;
use flowtracker_proto::table::{Family, NotFound};
use flowtracker_proto::v1::{FieldFault, Reply, ReplyStatus as Status};

use crate::lcore::mailbox::Outcome;

// Clients name these ranges too.
const _: () = assert!(*limits::PROFILE_ID.end() + 1 == ProfileId::COUNT as u64);
const _: () = assert!(*limits::AGING_MS.end() == Profiles::MAX_AGING_MS);

/// An answer that refuses a command. Boxed, because it is the rare side of a `Result`.
pub(super) type Refused = Box<Reply>;

fn refuse(status: Status, reason: &str, message: impl Into<String>) -> Refused {
    Box::new(Reply {
        status: status.into(),
        reason: reason.to_owned(),
        message: message.into(),
        ..Default::default()
    })
}

/// Refuses a field of the request.
fn refuse_field(field: impl Into<String>, reason: &str, message: impl Into<String>) -> Refused {
    at(field, refuse(Status::InvalidArgument, reason, message))
}

/// Names the field at fault.
fn at(field: impl Into<String>, mut refused: Refused) -> Refused {
    refused.field = field.into();
    refused
}

/// Adds metadata.
fn with(mut refused: Refused, name: &str, value: u64) -> Refused {
    refused.metadata.insert(name.to_owned(), value.to_string());
    refused
}

/// Converts an outcome to the answer; done is OK.
pub(super) fn of(outcome: Outcome) -> Reply {
    let refused = match outcome {
        Outcome::Done(removed) => {
            let (deleted, failed) = (removed.deleted, removed.failed);
            return Reply { status: Status::Ok.into(), deleted, failed, ..Default::default() };
        }
        Outcome::TooManyDumps => refuse(Status::Unavailable, "", "too many dumps at a time"),
        Outcome::Late => refuse(
            Status::DeadlineExceeded,
            "",
            "the deadline passed before the lcore came to it; nothing was done",
        ),
        Outcome::TableRefused(TableRefusal::Detached) => detached(),
        Outcome::TableRefused(TableRefusal::NotEmpty) => at(
            "permissions",
            refuse(
                Status::FailedPrecondition,
                "TABLE_NOT_EMPTY",
                "the table has entries, and its permissions change only while it is empty",
            ),
        ),
        Outcome::TableRefused(TableRefusal::TooManyAgings) => at(
            "profiles",
            refuse(
                Status::FailedPrecondition,
                "TOO_MANY_AGINGS",
                "entries have more than 200 different aging values; those with old ones have to go first",
            ),
        ),
        Outcome::Refused(refusal) => of_refusal(refusal),
    };
    *refused
}

fn of_refusal(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound => refuse(Status::NotFound, "NO_ENTRY", "no entry has this key"),
        Refusal::Exists => refuse(Status::AlreadyExists, "ENTRY_EXISTS", "an entry has this key already"),
        Refusal::FingerprintCollision => refuse(
            Status::FailedPrecondition,
            "FINGERPRINT_COLLISION",
            "the entry of another key has the same fingerprint",
        ),
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
        Refusal::Attributes(violations) => {
            let faults = violations.iter().map(|error| attribute(field(error.field()), error)).collect();
            all(faults).unwrap_or_else(nothing_to_do)
        }
    }
}

/// Joins the refusals of one request: the first one, which lists the faults of all. Returns `None`
/// when there are none.
pub(super) fn all(refusals: Vec<Refused>) -> Option<Refused> {
    let fault =
        |refused: &Refused| FieldFault { field: refused.field.clone(), message: refused.message.clone() };
    let faults: Vec<FieldFault> = refusals.iter().map(fault).collect();
    let mut first = refusals.into_iter().next()?;
    if faults.len() > 1 {
        first.faults = faults;
    }
    Some(first)
}

/// An attribute is not acceptable. The sentence is the engine's.
pub(super) fn attribute(field: impl Into<String>, error: AttributeError) -> Refused {
    let reason = match error {
        AttributeError::NotAlongside(_) => "NOT_ALONGSIDE",
        AttributeError::BothGiven => "BOTH_GIVEN",
        AttributeError::ProfileRange(_) => "PROFILE_RANGE",
        AttributeError::ProfileUnknown(id) => {
            let refused = refuse(Status::NotFound, "UNKNOWN_PROFILE", error.to_string());
            return with(at(field, refused), "profile_id", id.into());
        }
        AttributeError::AgingUnknown(_) => "AGING_UNKNOWN",
        AttributeError::PermissionBits(_) => "PERMISSION_BITS",
        AttributeError::PermissionsBeyondTable { .. } => "PERMISSIONS_BEYOND_TABLE",
        AttributeError::PermissionsCreateBit(_) => "PERMISSIONS_CREATE_BIT",
        AttributeError::StaticEntry(_) => "STATIC_ENTRY",
        AttributeError::DynamicEntry => "DYNAMIC_ENTRY",
    };
    refuse_field(field, reason, error.to_string())
}

fn field(field: Field) -> &'static str {
    match field {
        Field::Dynamic => "dynamic",
        Field::ProfileId => "profile_id",
        Field::AgingMs => "aging_ms",
        Field::Permissions => "permissions",
    }
}

/// The program is detached.
pub(super) fn detached() -> Refused {
    refuse(Status::FailedPrecondition, "DETACHED", "the program is detached (purged); load attaches it again")
}

/// A purge of a program that is detached.
pub(super) fn already_detached() -> Refused {
    refuse(Status::FailedPrecondition, "ALREADY_DETACHED", "the program is detached (purged) already")
}

/// A load of a program that is attached.
pub(super) fn already_attached() -> Refused {
    refuse(Status::FailedPrecondition, "ALREADY_ATTACHED", "the program is attached already")
}

/// Another change of the table is under way.
pub(super) fn table_busy() -> Refused {
    refuse(Status::Unavailable, "TABLE_BUSY", "the table is being changed; try again")
}

/// A purge has not ended on every shard.
pub(super) fn purging() -> Refused {
    refuse(Status::Unavailable, "PURGING", "the purge has not ended on every lcore; try again")
}

/// A shard has no room for another command.
pub(super) fn behind() -> Refused {
    refuse(Status::Unavailable, "", "the data plane is behind with its commands")
}

/// The table of a family that this data plane does not track.
pub(super) fn family_off(family: Family) -> Refused {
    let (name, flag) = match family {
        Family::Ipv4 => ("IPv4", "ipv6"),
        Family::Ipv6 => ("IPv6", "ipv4"),
    };
    let message = format!("this data plane does not track {name}: it was started with --families {flag}");
    refuse(Status::FailedPrecondition, "FAMILY_OFF", message)
}

/// A pipeline that does not exist.
pub(super) fn unknown_pipeline(error: &NotFound) -> Refused {
    refuse_field("pipeline", "UNKNOWN_PIPELINE", error.to_string())
}

/// The command is of a later version.
pub(super) fn unknown_command() -> Refused {
    refuse(Status::FailedPrecondition, "UNKNOWN_COMMAND", "this data plane does not know the command")
}

/// The port of a key does not exist. `asked` is its number in the key, `ports` the DPDK ids that
/// there are.
pub(super) fn unknown_port(asked: u32, ports: impl ExactSizeIterator<Item = u16> + Clone) -> Refused {
    let name = |id: u16| port_name(u32::from(id) + 1);
    // DPDK's ids have holes where a port belongs to a device made of others.
    let there = match ports.clone().last() {
        Some(last) if usize::from(last) + 1 == ports.len() => format!("port0 to {}", name(last)),
        _ => ports.map(name).collect::<Vec<_>>().join(", "),
    };
    let message = format!("{} does not exist; this data plane has {there}", port_name(asked));
    refuse_field("key.input_port", "UNKNOWN_PORT", message)
}

/// A key that no flow can have.
pub(super) fn bad_key() -> Refused {
    refuse_field("key", "BAD_KEY", "a field is missing or out of range")
}

/// The shard that will receive a flow of this port cannot be told.
pub(super) fn flow_owner_unknown(port: u16) -> Refused {
    let message = format!(
        "port{port} deals its frames to several lcores by a hash of its own, so the shard that will receive this \
         flow is not known; with one receive queue per port (--rxq 1) it is"
    );
    refuse(Status::FailedPrecondition, "FLOW_OWNER_UNKNOWN", message)
}

/// No number is free for another author.
pub(super) fn too_many_authors() -> Refused {
    let message = "entries name as many different programs as can be told apart";
    refuse(Status::ResourceExhausted, "TOO_MANY_AUTHORS", message)
}

/// A name of an author is too long or would not print.
pub(super) fn bad_author(field: &str, most: usize) -> Refused {
    let message = format!("a name has at most {most} bytes and no control characters");
    refuse_field(field, "BAD_AUTHOR", message)
}

/// A filter with more steps than an lcore evaluates.
pub(super) fn long_filter() -> Refused {
    refuse_field("filter", "FILTER_TOO_LONG", format!("a filter has at most {MAX_STEPS} steps"))
}

/// An update of more profiles than a table can have.
pub(super) fn many_profiles(count: usize) -> Refused {
    let message = format!("{count} are given, and a table has at most {}", ProfileId::COUNT);
    refuse_field("profiles", "TOO_MANY_PROFILES", message)
}

/// A filter that is not sound.
pub(super) fn bad_filter(error: &BadFilter) -> Refused {
    refuse_field("filter", "BAD_FILTER", error.to_string())
}

/// An update of the table that changes nothing.
pub(super) fn nothing_to_do() -> Refused {
    refuse_field("profiles", "NOTHING_TO_DO", "neither profiles nor permissions are given")
}

/// A profile that is changed twice.
pub(super) fn profile_twice(field: String, id: u32) -> Refused {
    refuse_field(field, "PROFILE_TWICE", format!("profile {id} is given twice"))
}

/// An aging that another profile has.
pub(super) fn aging_duplicate(field: String, aging_ms: u64, other: usize) -> Refused {
    let message = format!("{aging_ms} was already specified by profile {other}");
    with(refuse_field(field, "AGING_DUPLICATE", message), "profile_id", other as u64)
}

/// An aging that no profile can have.
pub(super) fn aging_range(field: String, aging_ms: u64) -> Refused {
    refuse_field(field, "AGING_RANGE", format!("{aging_ms} is not in 1 to {}", Profiles::MAX_AGING_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The engine's own tests make two keys of one fingerprint; this is the answer that a user gets.
    #[test]
    fn a_key_whose_fingerprint_is_taken_cannot_be_created() {
        let reply = of(Outcome::Refused(Refusal::FingerprintCollision));
        assert_eq!(
            (reply.status(), &reply.reason[..]),
            (Status::FailedPrecondition, "FINGERPRINT_COLLISION")
        );
        assert!(reply.message.contains("another key"), "{}", reply.message);
    }
}
