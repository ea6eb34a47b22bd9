//! A filter as an lcore applies it: the program that the control service has
//! compiled, and the engine's entry as the facts that it asks about.

use conntrack::{Entry, Now};
use flowtracker_proto::filter::{BadFilter, Facts, Program};
use flowtracker_proto::{show, v1};

/// Which entries a dump or a flush is about.
#[derive(Clone, Copy, Debug)]
pub struct Filter(Program);

impl Filter {
    /// Every entry.
    pub const ALL: Filter = Filter(Program::ALL);

    /// Takes a filter off the link.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_proto(filter: Option<&v1::Filter>) -> Result<Self, BadFilter> {
        Program::from_proto(filter).map(Filter)
    }

    /// True when the entry, as it is now, passes.
    #[inline]
    #[must_use]
    pub fn matches(&self, entry: &Entry, now: Now) -> bool {
        self.0.is_all() || self.0.matches(&facts(entry, now))
    }
}

fn facts(entry: &Entry, now: Now) -> Facts {
    let key = &entry.key;
    Facts {
        input_port: u32::from(key.input_port()),
        src_addr: key.src_addr().to_bits(),
        dst_addr: key.dst_addr().to_bits(),
        protocol: key.protocol(),
        src_port: key.src_port(),
        dst_port: key.dst_port(),
        prio: show::PRIORITY,
        idle_ms: u64::from(entry.idle_ms(now.tick)),
        cmd: 0,
    }
}

#[cfg(test)]
mod tests;
