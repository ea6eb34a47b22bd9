//! The flow table: its contract ([`FlowTable`], in the manner of DPDK's `rte_hash`), and the table
//! of the product ([`LineTable`]).
//!
//! ```text
//! slots ◄─ line ◄─ memory ◄─┬─ lines ◄─ probe ◄─ calls
//!         store, sequence ◄─┘
//! ```
//!
//! `slots` compares a key with the slots of a line, `line` is the cache line of three flows,
//! `memory` says how lines and counters lie, `store` where the whole keys are, and `sequence` names
//! the lines in which a key may be.
//! `lines` is the table made of these, `probe` what it does for a batch, and `calls` what it does
//! for one key.

mod calls;
mod config;
mod displaced;
mod flow_table;
mod line;
mod lines;
mod memory;
mod probe;
mod sequence;
#[expect(unsafe_code, reason = "SIMD comparisons")]
mod slots;
mod store;

pub use config::{TableConfig, TableConfigError};
pub use flow_table::{ALL_STEPS, BULK, FlowTable, HashOf, Packets, Pos, Refresh, TableFull};
pub use lines::LineTable;
pub use memory::{Counted, Layout, Uncounted};
pub use store::{Beside, InSlots, Store};
