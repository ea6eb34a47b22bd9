//! Refusals: gRPC statuses with `google.rpc` details.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use flowtracker_proto::key::{Violation, quoted};

/// `ErrorInfo.domain` of every refusal.
pub const DOMAIN: &str = "flowtracker.v1";

/// Returns a status with a machine-readable `reason`, in upper case as `ErrorInfo` wants it.
pub fn refusal(code: Code, reason: &str, message: impl Into<String>) -> Status {
    with_metadata(code, reason, message, HashMap::new())
}

/// Returns a status whose `ErrorInfo` carries metadata as well.
pub fn with_metadata(
    code: Code,
    reason: &str,
    message: impl Into<String>,
    metadata: HashMap<String, String>,
) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
    Status::with_error_details(code, message, details)
}

/// Returns INVALID_ARGUMENT that lists every violation; its message names the first.
pub fn bad_request(violations: Vec<Violation>) -> Status {
    of_fields(Code::InvalidArgument, "BAD_REQUEST", HashMap::new(), violations)
}

/// Returns a status about fields of the request. It lists every violation; its message names the
/// first.
pub fn of_fields(
    code: Code,
    reason: &str,
    metadata: HashMap<String, String>,
    violations: Vec<Violation>,
) -> Status {
    let message = violations
        .first()
        .map_or_else(|| "bad request".to_owned(), |v| format!("{}: {}", v.field, v.description));
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
    for v in violations {
        details.add_bad_request_violation(v.field, v.description);
    }
    Status::with_error_details(code, message, details)
}

/// Returns NOT_FOUND: no data plane is or was attached under `name`.
pub fn unknown_dataplane(name: &str) -> Status {
    let message = format!("no data plane is named {}", quoted(name));
    let violation = Violation::new("dataplane", message);
    of_fields(Code::NotFound, "UNKNOWN_DATAPLANE", HashMap::new(), vec![violation])
}

/// Returns INVALID_ARGUMENT for one field.
pub fn bad_field(field: &str, description: impl Into<String>) -> Status {
    bad_request(vec![Violation::new(field, description)])
}
