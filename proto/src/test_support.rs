//! Support for tests (feature `test-support`): a sample entry, readers of events as messages and as
//! JSON lines, and the fold that checks a stream of them.
//!
//! Of the product, the readers and the fold use only the generated messages.

pub mod event;
pub mod fold;

use crate::change::EntryState;
use crate::clock_step::ClockStep;
use crate::key::FlowKey;

/// Returns the entry of `key` that one packet of 60 octets made, a nanosecond after 1970 began. A
/// test that needs other values writes `EntryState { …, ..state(key) }`.
#[must_use]
pub fn state(key: FlowKey) -> EntryState {
    EntryState {
        key,
        permissions: 0x1dbc,
        profile_id: 0,
        dynamic: true,
        aging_ms: 30_000,
        create_ns: 1,
        last_used_ns: 1,
        as_of_ns: 1,
        clock_step: ClockStep::NONE,
        packets: 1,
        bytes: 60,
        created_by: None,
        updated_by: None,
    }
}
