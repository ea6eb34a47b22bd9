//! The command desk: turns commands of the control service into tasks for the shards, and their
//! replies into one answer per command.
//!
//! Each table has a part of the desk ([`TableDesk`]). A command goes to the table of its key's
//! family, or of the pipeline that it names. Only the shards know who owns a flow, so most commands
//! go to all of them. What the shards have in common, the table's attributes and whether the
//! program is attached, is kept here; all shards change it, or none does.
//!
//! The desk outlives a link: a change that a lost link has left half done is finished.

mod dispatch;
mod one_table;
mod shared;
mod table;

use std::collections::BTreeMap;

use conntrack::{FlowKey, FlowKeyV6, Now};
use flowtracker_proto::table::Family;
use flowtracker_proto::v1;

use crate::export::authors::{Authors, Names};
use crate::export::refusal::{self, Refused};
use crate::lcore::clock::Wall;
use crate::lcore::generation::LinkGeneration;
pub use dispatch::Shard;
use dispatch::{NEVER_LATE, Origin};
pub use one_table::TableDesk;
use shared::Shared;
pub use table::Table;

/// The command desk.
#[derive(Debug)]
pub struct Desk {
    shared: Shared,
    /// The table of IPv4; `None` when it is off.
    ipv4: Option<TableDesk<FlowKey>>,
    /// The table of IPv6; `None` when it is off.
    ipv6: Option<TableDesk<FlowKeyV6>>,
}

impl Desk {
    /// Makes a desk for the tables that are tracked. `owners` says for each port, by DPDK port id,
    /// which shard receives all of its frames.
    #[must_use]
    pub fn new(
        dataplane: String,
        owners: BTreeMap<u16, Option<usize>>,
        ipv4: Option<TableDesk<FlowKey>>,
        ipv6: Option<TableDesk<FlowKeyV6>>,
    ) -> Self {
        Desk { shared: Shared::new(dataplane, owners), ipv4, ipv6 }
    }

    /// Takes in the authors that entries of an earlier run name.
    pub fn restore_authors(&mut self, authors: impl IntoIterator<Item = (u16, v1::Actor)>) {
        self.shared.authors.restore(authors);
    }

    /// Returns the names of authors, by their numbers; they stay those that the desk knows.
    #[must_use]
    pub fn names(&self) -> Names {
        self.shared.authors.names()
    }

    /// Returns the authors that commands of all tables have named.
    pub(super) fn authors(&mut self) -> &mut Authors {
        &mut self.shared.authors
    }

    /// Returns the next answer, or part of one, that is ready to be sent.
    pub(super) fn answer(&mut self) -> Option<v1::Reply> {
        self.shared.events_first &= !self.shared.answers.is_empty();
        self.shared.answers.pop_front()
    }

    /// Returns `true` when the events that are in the rings now have to be sent before the next
    /// answer: one of them may be the event of what is answered.
    pub(super) fn events_first(&self) -> bool {
        self.shared.events_first
    }

    /// Returns `true` while a shard has a command that it has not ended.
    pub(super) fn is_busy(&self) -> bool {
        self.ipv4.as_ref().is_some_and(|table| !table.dispatch.pending.is_empty())
            || self.ipv6.as_ref().is_some_and(|table| !table.dispatch.pending.is_empty())
    }

    /// The link is down: nobody waits for an answer any more.
    pub(super) fn unlink(&mut self) {
        self.shared.answers.clear();
        self.shared.events_first = false;
        self.ipv4.iter_mut().for_each(|table| table.dispatch.cancel_all());
        self.ipv6.iter_mut().for_each(|table| table.dispatch.cancel_all());
    }

    /// Tries again to give the shards what they had no room for.
    pub(super) fn pump(&mut self) {
        self.ipv4.iter_mut().for_each(|table| table.dispatch.pump());
        self.ipv6.iter_mut().for_each(|table| table.dispatch.pump());
    }

    /// Takes a command that came over `link`.
    ///
    /// # Errors
    /// The answer to a command that is refused before any shard has seen it.
    pub(super) fn take(
        &mut self,
        command: v1::Command,
        link: LinkGeneration,
        now: Now,
    ) -> Result<(), Refused> {
        let id = command.id;
        let taken = self.begin(command, link, now);
        self.sweep(link);
        taken.map_err(|refused| Box::new(v1::Reply { id, ..*refused }))
    }

    fn begin(&mut self, command: v1::Command, link: LinkGeneration, now: Now) -> Result<(), Refused> {
        let origin = Origin { link: Some(link), asker: Some(command.id), until_ns: until_ns(&command, now) };
        let body = command.body.ok_or_else(refusal::unknown_command)?;
        if let v1::command::Body::Cancel(cancel) = body {
            self.ipv4.iter_mut().for_each(|table| table.dispatch.cancel(cancel.id));
            self.ipv6.iter_mut().for_each(|table| table.dispatch.cancel(cancel.id));
            return Ok(());
        }
        let family = self.family_of(&body)?;
        let off = || refusal::family_off(family);
        match family {
            Family::Ipv4 => self.ipv4.as_mut().ok_or_else(off)?.begin(body, &mut self.shared, origin),
            Family::Ipv6 => self.ipv6.as_mut().ok_or_else(off)?.begin(body, &mut self.shared, origin),
        }
    }

    /// Returns the family of the table that a command is about.
    fn family_of(&self, body: &v1::command::Body) -> Result<Family, Refused> {
        use v1::command::Body;
        match body {
            Body::Get(get) => self.shared.family_of_key(&get.key),
            Body::Create(create) => self.shared.family_of_key(&create.key),
            Body::Update(update) => self.shared.family_of_key(&update.key),
            Body::Delete(delete) => self.shared.family_of_key(&delete.key),
            Body::Dump(dump) => family_of_pipeline(&dump.pipeline),
            Body::Flush(flush) => family_of_pipeline(&flush.pipeline),
            Body::Table(table) => family_of_pipeline(&table.pipeline),
            Body::UpdateTable(update) => family_of_pipeline(&update.pipeline),
            Body::Purge(purge) => family_of_pipeline(&purge.pipeline),
            Body::Load(load) => family_of_pipeline(&load.pipeline),
            Body::Cancel(_) | Body::Stats(_) => Err(refusal::unknown_command()),
        }
    }

    /// Asks all tables for their authors if a sweep has begun.
    fn sweep(&mut self, link: LinkGeneration) {
        if !std::mem::take(&mut self.shared.sweep_due) {
            return;
        }
        let ipv4 = self.ipv4.as_mut().map(|table| table.sweep(link));
        let ipv6 = self.ipv6.as_mut().map(|table| table.sweep(link));
        let asked = [ipv4, ipv6].into_iter().flatten().filter(|asked| *asked).count();
        self.shared.sweeps(asked, [ipv4, ipv6].into_iter().flatten().count());
    }

    /// Takes up to `most` replies about each table of a shard, and returns whether there were any.
    /// `link` is the link that stands.
    pub(super) fn hear(
        &mut self,
        shard: usize,
        most: usize,
        clock: &impl Wall,
        link: Option<LinkGeneration>,
    ) -> bool {
        let Desk { shared, ipv4, ipv6 } = self;
        let ipv4 = ipv4.as_mut().is_some_and(|table| table.hear(shard, most, shared, clock, link));
        let ipv6 = ipv6.as_mut().is_some_and(|table| table.hear(shard, most, shared, clock, link));
        ipv4 || ipv6
    }
}

/// Returns when nobody waits for the answer any more, in nanoseconds since the clock's start.
fn until_ns(command: &v1::Command, now: Now) -> u64 {
    match command.deadline_ms {
        0 => NEVER_LATE,
        ms => now.ns.saturating_add(u64::from(ms) * 1_000_000),
    }
}

/// Returns the family of a pipeline; an empty name stands for the table of IPv4.
fn family_of_pipeline(pipeline: &str) -> Result<Family, Refused> {
    match pipeline {
        "" => Ok(Family::Ipv4),
        name => Family::of_pipeline(name).map_err(|error| refusal::unknown_pipeline(&error)),
    }
}

#[cfg(test)]
mod tests;
