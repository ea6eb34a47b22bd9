//! The users' gRPC: `FlowTrackerService`.
//!
//! [`service`] answers the calls, `list` streams entries, [`watch`] and [`prepared`] events. Requests are
//! checked by [`filter`] and described by [`introspection`]. [`fault`] says why a call was refused,
//! [`caller`] who makes it.

pub mod caller;
pub(crate) mod deadline;
pub mod fault;
pub mod filter;
pub mod introspection;
mod list;
pub mod prepared;
pub mod service;
pub mod watch;
