//! How many entries the tables of a data plane may hold, as its Hello declares them.

use flowtracker_proto::table::Family;
use flowtracker_proto::v1::Hello;

/// The capacity of each table. A table that Hello does not declare is not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capacities([Option<u64>; Family::ALL.len()]);

impl Capacities {
    /// Returns what `hello` declares. Tables that this version does not know are left out.
    #[must_use]
    pub fn of(hello: &Hello) -> Self {
        let declared = |family: Family| {
            let table = hello.capacities.iter().find(|table| table.pipeline == family.pipeline());
            table.map(|table| table.entries)
        };
        Self(Family::ALL.map(declared))
    }

    /// Returns how many entries the table of `family` may hold; `None` when the data plane does not
    /// run it.
    #[must_use]
    pub fn get(&self, family: Family) -> Option<u64> {
        self.0[family as usize]
    }

    /// Returns the families whose tables the data plane runs.
    pub fn families(&self) -> impl Iterator<Item = Family> {
        Family::ALL.into_iter().filter(|family| self.get(*family).is_some())
    }

    /// Returns how many entries the tables may hold together; at most the largest number.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.iter().flatten().fold(0, |sum, entries| sum.saturating_add(*entries))
    }
}
