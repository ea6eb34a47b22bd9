//! What a data plane says about itself, and the bounds that follow for what it sends.

use std::collections::BTreeSet;

use flowtracker_proto::key::Violation;
use flowtracker_proto::table::TABLES;
use flowtracker_proto::text;
use flowtracker_proto::v1::Hello;
use flowtracker_proto::{link as wire, name};
use prost::Message as _;
use tonic::{Code, Status};

use crate::api::fault;
use crate::door::limits::Limits;
use crate::mirror::capacities::Capacities;

/// Longest Hello, bytes.
const HELLO_MAX: usize = 64 << 10;
/// Longest text in Hello, bytes.
const TEXT_MAX: usize = 256;
/// The most shards and the most ports; DPDK's own limits are lower.
const SHARDS_MAX: usize = 256;
const PORTS_MAX: usize = 1024;

/// What Hello has declared.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    /// The shards.
    pub(super) shards: BTreeSet<u32>,
    /// Number of ports.
    pub(super) ports: usize,
    /// Entries that each table may hold.
    pub(super) capacities: Capacities,
}

/// Checks an introduction, and returns what follows from it.
///
/// # Errors
/// Names the fields that are wrong, the bound that is exceeded, or the versions.
pub(super) fn check(hello: &Hello, limits: &Limits) -> Result<Declared, Status> {
    let mut wrong = Vec::new();
    let mut check = |holds: bool, field: &str, rule: String| {
        if !holds {
            wrong.push(Violation::new(field, rule));
        }
    };
    check(hello.encoded_len() <= HELLO_MAX, "hello", format!("must have at most {HELLO_MAX} bytes"));
    check(
        name::is_valid(&hello.dataplane),
        "hello.dataplane",
        format!("must have 1 to {} bytes without blanks", name::MAX),
    );
    let is_text = |text: &String| text.len() <= TEXT_MAX && text::is_printable(text);
    let text = || format!("must have at most {TEXT_MAX} bytes without control characters");
    check(is_text(&hello.version), "hello.version", text());
    check(hello.ports.len() <= PORTS_MAX, "hello.ports", format!("must be at most {PORTS_MAX}"));
    check(hello.ports.iter().all(is_text), "hello.ports", text());
    let shards = if hello.shards.len() <= SHARDS_MAX { hello.shards.as_slice() } else { &[] };
    let shards: BTreeSet<_> = shards.iter().copied().collect();
    check(
        !shards.is_empty() && shards.len() == hello.shards.len(),
        "hello.shards",
        format!("must name 1 to {SHARDS_MAX} lcores, each once"),
    );
    let tables: BTreeSet<_> = hello.capacities.iter().map(|table| table.pipeline.as_str()).collect();
    check(
        tables.len() == hello.capacities.len()
            && tables.iter().all(|name| TABLES.iter().any(|table| table.pipeline == *name)),
        "hello.capacities",
        "must name tables of this version, each once".to_owned(),
    );
    if !wrong.is_empty() {
        return Err(fault::bad_request(wrong));
    }
    if hello.record_version != wire::VERSION {
        let (theirs, ours) = (hello.record_version, wire::VERSION);
        let message = format!("its records have version {theirs}, those of this control service {ours}");
        return Err(fault::refusal(Code::FailedPrecondition, "RECORD_VERSION", message));
    }
    let capacities = Capacities::of(hello);
    let entries = capacities.sum();
    if entries > limits.max_entries {
        let most = limits.max_entries;
        let message =
            format!("its tables hold {entries} entries, and the control service has --max-entries={most}");
        return Err(fault::refusal(Code::ResourceExhausted, "CAPACITY", message));
    }
    Ok(Declared { shards, ports: hello.ports.len(), capacities })
}
