//! What a data plane may send: records in their fixed form, filters in the form of the link, and
//! whole links with any messages.
//!
//! Input: a byte that chooses one of these; then a run of records, the bytes of one link, or steps
//! of several links.

mod fold;
mod trial;

use flowtracker_proto::filter::{Facts, Program};
use flowtracker_proto::link::{LEN, Record, records};
use flowtracker_proto::v1::Filter;
use prost::Message as _;

use crate::input::Input;

/// Checks that records and filters that are read are written back as they were, and that a watcher
/// who follows the events has the mirror, whatever data planes send.
///
/// # Panics
/// When that does not hold.
pub fn target(data: &[u8]) {
    let mut input = Input(data);
    match input.below(8) {
        0 => run_of_records(input.0),
        1 => filter(input.0),
        2 => trial::raw(input.0),
        _ => trial::steps(input),
    }
}

fn run_of_records(bytes: &[u8]) {
    let Ok(found) = records(bytes) else {
        assert_ne!(bytes.len() % LEN, 0);
        return;
    };
    assert_eq!(found.len() * LEN, bytes.len());
    for record in found.flatten() {
        assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
    }
}

fn filter(bytes: &[u8]) {
    let Ok(filter) = Filter::decode(bytes) else { return };
    let Ok(program) = Program::from_proto(Some(&filter)) else { return };
    assert_eq!(program.to_proto().as_ref(), Some(&filter));
    // It ends with a truth value, whatever that is.
    let _ = program.matches(&Facts::default());
}
