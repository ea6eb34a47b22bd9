//! How to make a table, and why one cannot be made.

use core::fmt;

use crate::key::{FlowKey, Key};

/// Maximum number of entries of a table.
pub(super) const MAX_ENTRIES: u32 = 1 << 30;

/// How to make a table (`rte_hash_parameters`).
#[derive(Clone)]
pub struct TableConfig<K: Key = FlowKey> {
    /// Maximum number of entries, 1 to 2^30.
    pub entries: u32,
    /// The hash function, with its initial value and its secret.
    pub hasher: K::Hasher,
}

/// Why a table cannot be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableConfigError {
    /// No table can have this number of entries (`EINVAL` of `rte_hash_create`).
    Entries(u32),
    /// There is not enough memory (`ENOMEM`).
    Memory {
        /// Bytes that were asked for.
        bytes: usize,
    },
}

impl fmt::Display for TableConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TableConfigError::Entries(n) => {
                write!(f, "a table of {n} entries: 1 to {MAX_ENTRIES} are possible")
            }
            TableConfigError::Memory { bytes } => write!(f, "{bytes} bytes of memory cannot be had"),
        }
    }
}

impl core::error::Error for TableConfigError {}
