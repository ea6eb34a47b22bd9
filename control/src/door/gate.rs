//! One listening socket: what operators call a door.

/// A socket that callers come in by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The option that opened it and its address, such as `listen 127.0.0.1:50051`.
    pub name: String,
}
