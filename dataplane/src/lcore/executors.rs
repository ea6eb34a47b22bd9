//! The executors of both tables of a shard, which share an iteration.
//!
//! An iteration takes one command, alternately from the two tables, so that a command of one table
//! does not wait for all commands of the other. When flushes and dumps go on in both tables, each
//! table has half of the positions.

use conntrack::{DualShard, EventSink, FlowKey, FlowKeyV6, FlowTable, Now};

use crate::lcore::execute::Executor;
use crate::lcore::generation::LinkGeneration;
use crate::lcore::mailbox::{Command, Mailbox};
use crate::lcore::saving::SaveEnd;

/// Executes the commands of one lcore.
pub struct Executors {
    ipv4: Executor<FlowKey>,
    ipv6: Executor<FlowKeyV6>,
    /// The next command is one about the table of IPv6, if there is one.
    ipv6_first: bool,
}

/// A command about one of the tables.
#[derive(Clone, Copy, Debug)]
pub enum Taken {
    /// About the table of IPv4.
    Ipv4(Command<FlowKey>),
    /// About the table of IPv6.
    Ipv6(Command<FlowKeyV6>),
}

impl Executors {
    /// Makes the executors for the commands that come into these mailboxes.
    #[must_use]
    pub fn new(ipv4: Mailbox<FlowKey>, ipv6: Mailbox<FlowKeyV6>) -> Self {
        Executors { ipv4: Executor::new(ipv4), ipv6: Executor::new(ipv6), ipv6_first: false }
    }

    /// Answers the checkpoint over these ways.
    #[must_use]
    pub fn with_saving(self, ipv4: SaveEnd<FlowKey>, ipv6: SaveEnd<FlowKeyV6>) -> Self {
        Executors { ipv4: self.ipv4.with_saving(ipv4), ipv6: self.ipv6.with_saving(ipv6), ..self }
    }

    /// Begins the dumps that the checkpoint asks for.
    #[inline]
    pub fn notice_saving(&mut self) {
        self.ipv4.notice_saving();
        self.ipv6.notice_saving();
    }

    /// Takes the command to execute, as [`Executor::take_command`] does: of one table, and of the
    /// other when that one has none. The next call begins with the table that was not served.
    #[inline]
    pub fn take_command(&mut self) -> Option<Taken> {
        let taken = if self.ipv6_first {
            let ipv6 = self.ipv6.take_command().map(Taken::Ipv6);
            ipv6.or_else(|| self.ipv4.take_command().map(Taken::Ipv4))
        } else {
            let ipv4 = self.ipv4.take_command().map(Taken::Ipv4);
            ipv4.or_else(|| self.ipv6.take_command().map(Taken::Ipv6))
        };
        if let Some(taken) = &taken {
            self.ipv6_first = matches!(taken, Taken::Ipv4(_));
        }
        taken
    }

    /// Works on `command` and on what has begun in both tables; see [`Executor::run`]. The flushes
    /// and purges of both together look at no more than `positions` positions, and so do the dumps.
    #[inline]
    pub fn run<T: FlowTable<Key = FlowKey>, U: FlowTable<Key = FlowKeyV6>>(
        &mut self,
        command: Option<Taken>,
        shard: &mut DualShard<T, U>,
        now: Now,
        positions: u32,
        link: Option<LinkGeneration>,
        sink: &mut (impl EventSink<FlowKey> + EventSink<FlowKeyV6>),
    ) {
        let (ipv4, ipv6) = match command {
            Some(Taken::Ipv4(command)) => (Some(command), None),
            Some(Taken::Ipv6(command)) => (None, Some(command)),
            None => (None, None),
        };
        let works = (ipv4.is_some() || self.ipv4.goes_on(), ipv6.is_some() || self.ipv6.goes_on());
        let positions = if works == (true, true) { (positions / 2).max(1) } else { positions };
        self.ipv4.run(ipv4, &mut shard.ipv4, now, positions, link, sink);
        self.ipv6.run(ipv6, &mut shard.ipv6, now, positions, link, sink);
    }
}

#[cfg(test)]
mod tests;
