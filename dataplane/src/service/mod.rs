//! What runs on threads of its own beside the lcores.

pub mod health;
pub mod interfaces;
pub mod link_state;
pub mod telemetry;
pub mod watchdog;
