//! Metrics of the door: refusals, calls by status code, and the expiry of certificates.

use prometheus_client::registry::Unit;

use super::metric::{Metric, Value};

/// What the door has counted.
#[derive(Debug)]
pub(crate) struct DoorFigures {
    /// How often each reason to refuse applied.
    pub(crate) refused: Vec<(&'static str, u64)>,
    /// Calls that have ended, by method and code.
    pub(crate) calls: Vec<(&'static str, &'static str, u64)>,
    /// Last second in which certificates hold, since 1970, by option.
    pub(crate) expiries: Vec<(&'static str, f64)>,
}

/// The rows.
pub(super) const DOOR: &[Metric<DoorFigures>] = &[
    Metric {
        name: "refusals",
        help: "Connections, calls and messages refused, by the reason.",
        unit: None,
        value: Value::Counters("reason", |door| door.refused.clone()),
    },
    Metric {
        name: "rpcs",
        help: "Calls of gRPC that have ended, by method and status code.",
        unit: None,
        value: Value::Table(|door| {
            let labels = |method: &str, code: &str| vec![("method", method.into()), ("code", code.into())];
            door.calls.iter().map(|(method, code, count)| (labels(method, code), *count)).collect()
        }),
    },
    Metric {
        name: "certificate_not_after_timestamp",
        help: "Last second in which the certificates of an option hold, Unix time.",
        unit: Some(Unit::Seconds),
        value: Value::Times("option", |door| door.expiries.clone()),
    },
];
