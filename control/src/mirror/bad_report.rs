//! What makes the mirror refuse a report.

use flowtracker_proto::link::BadRecord;

/// A report that the mirror refuses: the link is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReport {
    /// The link is no longer the one that speaks for this data plane.
    #[error("another link speaks for this data plane now")]
    StaleLink,
    /// The shard was not named in Hello.
    #[error("shard {0} was not named in Hello")]
    Shard(u32),
    /// The record cannot be read.
    #[error(transparent)]
    Record(#[from] BadRecord),
    /// Hello did not declare the table of this pipeline.
    #[error("it reports on the table of {0}, which its Hello does not declare")]
    Table(&'static str),
    /// The link has confirmed more entries than Hello declared.
    #[error("it reports more entries of {pipeline} than the {capacity} that the table holds by its Hello")]
    Capacity {
        /// The pipeline of the table.
        pipeline: &'static str,
        /// What Hello declared.
        capacity: usize,
    },
    /// The mirror would hold too many, with those that no resync has confirmed yet.
    #[error(
        "with what an earlier link has left, it has more than {in_all} entries of {pipeline}, \
         for a table of {capacity}"
    )]
    InAll {
        /// The pipeline of the table.
        pipeline: &'static str,
        /// The most that the mirror may hold.
        in_all: usize,
        /// What Hello declared.
        capacity: usize,
    },
    /// Too many reports wait until every shard has reported PURGED.
    #[error("more than {0} reports wait for the end of a purge")]
    Waiting(usize),
    /// Too many FLUSHED of one shard wait for those of the others.
    #[error("more than {0} flushes have ended on one shard and not on the others")]
    Flushes(usize),
}
