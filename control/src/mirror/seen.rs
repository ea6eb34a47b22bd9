//! How a shard has shown that an entry exists.

use std::cmp::Ordering;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Created,
    Updated,
    /// In an enumeration of its table.
    InTable,
}

impl Seen {
    /// Returns whether a report repeats the known state, which is no event. `same` says whether it
    /// has the same attributes, `order` how the time of the known state compares to its own: a
    /// repetition that is older must not turn time back.
    pub(super) fn repeats(self, same: bool, order: Ordering) -> bool {
        match self {
            Seen::Updated => same && order.is_ge(),
            Seen::Created => same || order.is_ge(),
            Seen::InTable => same,
        }
    }
}
