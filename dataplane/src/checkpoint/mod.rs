//! The checkpoint: a file with the entries of both tables, from which the next run goes on.
//!
//! ```text
//! lcores ─► saving ─► saver ─► write ─► FILE.tmp ─► FILE ─► read ─► restore ─► trackers
//!           (every interval)    ▲                             (before the first packet)
//! trackers, once the lcores have stopped
//! ```
//!
//! The clock of the next run goes on from that of this one ([`crate::lcore::clock`]), so creation
//! times and times of the last use stand in the file as they are in the tables. The time away counts
//! by the host's clock.
//!
//! A file is whole or it is refused: it is written under another name, and read twice, first to
//! check it.

pub mod format;
pub(crate) mod identity;
pub mod read;
pub(crate) mod restore;
pub(crate) mod saver;
pub mod write;

#[cfg(test)]
mod tests;
