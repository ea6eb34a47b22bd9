//! The one state of the service: what each data plane holds, and the last events.
//!
//! [`hub`] keeps both behind one lock: the mirror of the live entries ([`registry`]) and the log of numbered events
//! ([`log`]). [`snapshot`] copies the mirror for watchers that start from the present entries.

pub mod hub;
pub mod log;
pub mod registry;
pub mod snapshot;
