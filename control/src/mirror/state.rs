//! What is shown of a data plane.

use std::sync::Arc;

use flowtracker_proto::v1::DataplaneStats;

/// One data plane, for display.
#[derive(Clone, Debug)]
pub struct DataplaneState {
    /// Its name.
    pub name: Arc<str>,
    /// True while its link is up.
    pub attached: bool,
    /// True once its resync is finished.
    pub synced: bool,
    /// Version of its program.
    pub version: String,
    /// When the link last came up or went down, wall clock, Unix nanoseconds.
    pub since_ns: u64,
    /// Entries mirrored.
    pub entries: u64,
    /// Names of its ports.
    pub ports: Vec<String>,
    /// The last counters that it gave.
    pub stats: Option<Arc<DataplaneStats>>,
}
