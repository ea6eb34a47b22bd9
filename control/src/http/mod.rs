//! Metrics and health over HTTP.
//!
//! `pages` says what is served, `connections` how long a client may take. The page of metrics
//! is made from the tables in `metrics`, each row a `metric`, in one of the two formats that
//! Prometheus reads ([`format`]).

mod classic;
mod connections;
mod door;
mod format;
mod histogram;
mod metric;
mod metrics;
mod pages;
mod table;

pub use connections::{CONNECTION_WITHIN, Pages, serve};
pub use pages::router;
