//! The users' gRPC: `FlowTrackerService`.
//!
//! [`service`] answers the calls, `list` streams entries, and [`watch`] and [`prepared`] stream events.
//! [`filter`] checks filters, [`introspection`] describes the table, [`fault`] makes the status of a
//! refused call, and [`caller`] identifies who makes a call.

pub mod caller;
pub(crate) mod deadline;
pub mod fault;
pub mod filter;
pub mod introspection;
mod list;
pub mod prepared;
pub mod service;
pub mod watch;
