//! The users' gRPC: `FlowTrackerService`.
//!
//! [`service`] answers the calls: `tables` finds the tables that a call means, `ask` sends commands
//! to data planes, `list` streams entries, and [`watch`] and [`prepared`] stream events. [`filter`]
//! checks filters, [`introspection`] describes a table, [`fault`] makes the status of a refused
//! call, and [`caller`] identifies who makes a call.

mod ask;
pub mod caller;
pub(crate) mod deadline;
pub mod fault;
pub mod filter;
pub mod introspection;
mod list;
pub mod prepared;
pub mod service;
mod tables;
pub mod watch;
