//! The door: what callers may take of the service, and what becomes of what exceeds it.
//!
//! [`limits`] holds the bounds as options set them, [`refusals`] counts by reason whoever was
//! refused. A [`Door`] is shared by everything that lets callers in.

pub mod limits;
pub mod refusals;

use limits::Limits;
use refusals::Refusals;

/// The bounds of the service, and the count of those that exceeded them.
#[derive(Debug)]
pub struct Door {
    /// What callers may take.
    pub limits: Limits,
    /// How often one wanted more.
    pub refusals: Refusals,
}

impl Door {
    /// Creates a door with these bounds that has refused nobody yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, refusals: Refusals::default() }
    }
}
