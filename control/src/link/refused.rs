//! Why links are refused or closed, as statuses and for the count of refusals.

use flowtracker_proto::limits;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::api::fault;
use crate::door::refusals::Reason;
use crate::mirror::dataplane::BadReport;

/// Longest message of a link, bytes. The longest that a data plane sends are its counters, for each
/// lcore some hundred numbers, and the introductions of authors.
pub const MESSAGE_MAX: usize = limits::LINK_MESSAGE;

/// Returns the status that closes a link because of a report.
pub(super) fn by_report(why: BadReport) -> Status {
    let exhausted = |reason| fault::refusal(Code::ResourceExhausted, reason, why.to_string());
    match why {
        BadReport::Capacity { .. } | BadReport::InAll { .. } => exhausted("CAPACITY"),
        BadReport::Waiting(_) => exhausted("TOO_MANY_DEFERRED"),
        BadReport::Flushes(_) => exhausted("TOO_MANY_FLUSHES"),
        BadReport::StaleLink | BadReport::Shard(_) | BadReport::Table(_) | BadReport::Record(_) => {
            fault::bad_field("batch.records", why.to_string())
        }
    }
}

/// Returns the status for a message that could not be received.
pub(super) fn by_transport(status: &Status) -> Status {
    if status.code() == Code::OutOfRange {
        let message = format!("a message has more than {MESSAGE_MAX} bytes");
        return fault::refusal(Code::ResourceExhausted, "MESSAGE_SIZE", message);
    }
    Status::new(status.code(), format!("its link broke: {}", status.message()))
}

/// Returns how a refusal is counted; `None` for an end that is no refusal.
pub(super) fn counted_as(status: &Status) -> Option<Reason> {
    Some(match status.get_details_error_info()?.reason.as_str() {
        "NO_HELLO" => Reason::NoHello,
        "BAD_REQUEST" | "BATCH_HOLE" => Reason::BadLink,
        "CAPACITY" => Reason::Capacity,
        "DATAPLANE_NAME" => Reason::DataplaneName,
        "MESSAGE_SIZE" => Reason::LinkMessageSize,
        "TOO_MANY_AUTHORS" => Reason::TooManyAuthors,
        "TOO_MANY_DATAPLANES" => Reason::TooManyDataplanes,
        "TOO_MANY_DEFERRED" => Reason::TooManyDeferred,
        "TOO_MANY_FLUSHES" => Reason::TooManyFlushes,
        "TOO_MANY_REPLIES" => Reason::TooManyReplies,
        _ => return None,
    })
}
