//! Names of the metadata that accompanies calls.

/// Metadata key under which a client gives its process id.
pub const PID: &str = "x-flowtracker-pid";
/// Metadata key under which a client gives its process name.
pub const PROCESS: &str = "x-flowtracker-process";
/// Metadata key in front of a stream of events: its epoch.
pub const EPOCH: &str = "x-flowtracker-epoch";
/// Metadata key in front of a stream of events: the number of the event that it follows.
pub const SEQ: &str = "x-flowtracker-seq";
