//! What runs on a polling lcore for every burst, and what the lcore shares with other threads.

pub(crate) mod burst_frames;
pub mod clock;
pub mod execute;
pub mod executors;
pub mod family;
pub mod filter;
pub mod forward;
pub mod generation;
pub mod mailbox;
pub mod saving;
pub mod seqlock;
pub mod stats;
pub(crate) mod sync;
pub mod worker;
