//! The command desk: turns commands of the control service into tasks for the shards, and their
//! replies into one answer per command.
//!
//! Only the shards know who owns a flow, so most commands go to all of them. What the shards have
//! in common, the table's attributes and whether the program is attached, is kept here; all shards
//! change it, or none does.
//!
//! The desk outlives a link: a change that a lost link has left half done is finished.

mod dispatch;
mod table;

use std::collections::{BTreeMap, VecDeque};

use conntrack::{ActorId, Attributes, FlowKey, Now};
use flowtracker_proto::{link as wire, v1};

use crate::export::authors::Authors;
use crate::export::encode;
use crate::export::refusal::{self, Refused};
use crate::lcore::clock::Wall;
use crate::lcore::filter::Filter;
use crate::lcore::generation::LinkGeneration;
use crate::lcore::mailbox::{Outcome, Reply, Task};
pub use dispatch::Shard;
use dispatch::{Dispatch, Kind, NEVER_LATE, Origin, Pending};
pub use table::Table;

/// Bytes of records in one part of an answer at most.
const PART: usize = 256 * wire::LEN;

/// The command desk.
#[derive(Debug)]
pub struct Desk {
    dispatch: Dispatch,
    /// By DPDK port id: the index of the shard that receives all frames of the port; `None` where
    /// several do.
    owners: BTreeMap<u16, Option<usize>>,
    dataplane: String,
    table: Table,
    attached: bool,
    /// A change of the table is under way.
    changing: bool,
    /// A purge is under way.
    purging: bool,
    pub(super) authors: Authors,
    answers: VecDeque<v1::Reply>,
    /// `answers` holds one that the events of its command have to precede.
    events_first: bool,
}

impl Desk {
    /// Makes a desk for these shards. `owners` says for each port, by DPDK port id, which shard
    /// receives all of its frames.
    #[must_use]
    pub fn new(
        dataplane: String,
        shards: Vec<Shard>,
        owners: BTreeMap<u16, Option<usize>>,
        table: Table,
    ) -> Self {
        Desk {
            dispatch: Dispatch::new(shards),
            owners,
            dataplane,
            table,
            attached: true,
            changing: false,
            purging: false,
            authors: Authors::new(),
            answers: VecDeque::new(),
            events_first: false,
        }
    }

    /// Returns the next answer, or part of one, that is ready to be sent.
    pub(super) fn answer(&mut self) -> Option<v1::Reply> {
        self.events_first &= !self.answers.is_empty();
        self.answers.pop_front()
    }

    /// Returns `true` when the events that are in the rings now have to be sent before the next
    /// answer: one of them may be the event of what is answered.
    pub(super) fn events_first(&self) -> bool {
        self.events_first
    }

    /// The link is down: nobody waits for an answer any more.
    pub(super) fn unlink(&mut self) {
        self.answers.clear();
        self.events_first = false;
        self.dispatch.cancel_all();
    }

    /// Tries again to give the shards what they had no room for.
    pub(super) fn pump(&mut self) {
        self.dispatch.pump();
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
        self.begin(command, link, now).map_err(|refused| Box::new(v1::Reply { id, ..*refused }))
    }

    fn begin(&mut self, command: v1::Command, link: LinkGeneration, now: Now) -> Result<(), Refused> {
        use v1::command::Body;
        let origin = Origin { link: Some(link), asker: Some(command.id), until_ns: until_ns(&command, now) };
        // What takes many slices ends when it ends.
        let slow = Origin { until_ns: NEVER_LATE, ..origin };
        match command.body {
            Some(Body::Get(get)) => {
                let key = self.key(&get.key)?;
                self.dispatch.give_all(Kind::Plain, origin, Task::Get(key))
            }
            Some(Body::Create(create)) => self.create(origin, create),
            Some(Body::Update(update)) => {
                let (key, actor) = self.write(origin, &update.key, update.actor)?;
                let task = Task::Update(key, attributes(update.attributes), actor);
                self.dispatch.give_all(Kind::Write, origin, task)
            }
            Some(Body::Delete(delete)) => {
                let (key, actor) = self.write(origin, &delete.key, delete.actor)?;
                self.dispatch.give_all(Kind::Write, origin, Task::Remove(key, actor))
            }
            Some(Body::Dump(dump)) => {
                let filter = filter(dump.filter.as_ref())?;
                self.dispatch.give_all(Kind::Dump, origin, Task::Dump(filter))
            }
            Some(Body::Flush(flush)) => {
                self.check_attached()?;
                let filter = filter(flush.filter.as_ref())?;
                let actor = self.author(origin, flush.actor)?;
                self.dispatch.give_all(Kind::Write, slow, Task::Flush(filter, actor))
            }
            Some(Body::Table(_)) => self.dispatch.give_all(Kind::Count, origin, Task::Count),
            Some(Body::UpdateTable(update)) => self.update_table(slow, &update),
            Some(Body::Purge(_)) => self.purge(slow),
            Some(Body::Load(_)) => self.load(slow),
            Some(Body::Cancel(cancel)) => {
                self.dispatch.cancel(cancel.id);
                Ok(())
            }
            Some(Body::Stats(_)) | None => Err(refusal::unknown_command()),
        }
    }

    /// Checks what all writes of one entry have in common.
    fn write(
        &mut self,
        origin: Origin,
        key: &[u8],
        actor: Option<v1::Actor>,
    ) -> Result<(FlowKey, ActorId), Refused> {
        self.check_attached()?;
        let key = self.key(key)?;
        Ok((key, self.author(origin, actor)?))
    }

    /// Creates an entry in the shard that will receive the flow's frames.
    fn create(&mut self, origin: Origin, create: v1::CreateCommand) -> Result<(), Refused> {
        self.check_attached()?;
        let key = self.key(&create.key)?;
        let port = u16::from(key.input_port()) - 1;
        let owner = self.owners.get(&port).copied().flatten();
        let owner = owner.ok_or_else(|| refusal::flow_owner_unknown(port))?;
        let actor = self.author(origin, create.actor)?;
        let task = Task::Create(key, attributes(create.attributes), actor);
        self.dispatch.give_one(owner, Kind::Write, origin, task)
    }

    fn update_table(&mut self, origin: Origin, update: &v1::UpdateTableCommand) -> Result<(), Refused> {
        self.check_attached()?;
        self.check_unchanging()?;
        let change = self.table.updated(update)?;
        self.dispatch.give_all(Kind::Hold(change), origin, Task::Hold(change))?;
        self.changing = true;
        Ok(())
    }

    fn purge(&mut self, origin: Origin) -> Result<(), Refused> {
        if !self.attached {
            return Err(refusal::already_detached());
        }
        // Between the two steps of a change it would leave shards held. With a load behind it, one
        // shard would be filled before another.
        self.check_unchanging()?;
        self.dispatch.give_all(Kind::Purge, origin, Task::Purge)?;
        (self.attached, self.purging) = (false, true);
        Ok(())
    }

    fn load(&mut self, origin: Origin) -> Result<(), Refused> {
        if self.attached {
            return Err(refusal::already_attached());
        }
        // A shard that is loaded while another is still purged would report entries of a table that
        // the control service must take to be empty, and it would have to keep these reports.
        if self.purging {
            return Err(refusal::purging());
        }
        self.dispatch.give_all(Kind::Write, origin, Task::Load)?;
        self.attached = true;
        Ok(())
    }

    fn check_attached(&self) -> Result<(), Refused> {
        if self.attached { Ok(()) } else { Err(refusal::detached()) }
    }

    fn check_unchanging(&self) -> Result<(), Refused> {
        if self.changing { Err(refusal::table_busy()) } else { Ok(()) }
    }

    /// Returns the key of a command, on a port that exists.
    fn key(&self, bytes: &[u8]) -> Result<FlowKey, Refused> {
        // The port is looked at first, and in all of its 32 bits, so that the refusal can name it.
        let port = bytes.first_chunk().map_or(0, |port| u32::from_le_bytes(*port));
        let id = port.checked_sub(1).and_then(|id| u16::try_from(id).ok());
        if !id.is_some_and(|id| self.owners.contains_key(&id)) {
            return Err(refusal::unknown_port(port, self.owners.keys().copied()));
        }
        encode::key(bytes).ok_or_else(refusal::bad_key)
    }

    /// Returns the number of an author, and starts a sweep for numbers that are free again when one
    /// is due. A refused author may be accepted when two sweeps have ended.
    fn author(&mut self, origin: Origin, actor: Option<v1::Actor>) -> Result<ActorId, Refused> {
        let id = self.authors.assign(actor.unwrap_or_default());
        if self.authors.begin_sweep(id.is_none()) {
            let origin = Origin { link: origin.link, asker: None, until_ns: NEVER_LATE };
            if self.dispatch.give_all(Kind::Sweep, origin, Task::Authored).is_err() {
                self.authors.end_sweep(false);
            }
        }
        id.ok_or_else(refusal::too_many_authors)
    }

    /// Takes a reply of a shard. `link` is the link that stands.
    pub(super) fn hear(
        &mut self,
        shard: usize,
        reply: Reply,
        clock: &impl Wall,
        link: Option<LinkGeneration>,
    ) {
        match reply {
            Reply::Entry { id, at_ns, entry } => {
                let Some(pending) = self.dispatch.pending.get_mut(&id) else { return };
                if pending.kind == Kind::Sweep {
                    return self.authors.meet(&entry);
                }
                let Some(asker) = pending.asker else { return };
                let mut record = encode::present(&entry, at_ns, clock);
                self.authors.introduce(&mut record);
                pending.records.extend_from_slice(&record.to_bytes());
                if pending.records.len() >= PART {
                    let records = std::mem::take(&mut pending.records);
                    self.answers.push_back(v1::Reply { id: asker, records, ..Default::default() });
                }
            }
            Reply::Count { id, entries, capacity } => {
                let lcore = self.dispatch.lcore(shard);
                if let Some(pending) = self.dispatch.pending.get_mut(&id) {
                    let (entries, capacity) = (entries.into(), capacity.into());
                    pending.counts.push(v1::Shard { lcore, entries, capacity });
                }
            }
            Reply::Done { id, outcome } => {
                if let Some(ended) = self.dispatch.ended(id, outcome) {
                    self.end(ended, link);
                }
            }
        }
    }

    /// Ends a command that has ended on every shard: answers it, or goes on with its next step.
    fn end(&mut self, pending: Pending, link: Option<LinkGeneration>) {
        let outcome = pending.outcome();
        let done = matches!(outcome, Outcome::Done(_));
        let origin = Origin { link, asker: pending.asker, until_ns: NEVER_LATE };
        match pending.kind {
            Kind::Sweep => return self.authors.end_sweep(done),
            Kind::Hold(change) if done => {
                return self.dispatch.go_on(Kind::Change(change), origin, Task::Change(change));
            }
            Kind::Hold(_) => {
                self.dispatch.go_on(Kind::Release, Origin { asker: None, ..origin }, Task::Release);
            }
            Kind::Release => {
                self.changing = false;
                return;
            }
            Kind::Change(change) => {
                self.changing = false;
                debug_assert!(done, "every shard has found the change possible");
                if done {
                    self.table.apply(change);
                    return self.dispatch.go_on(Kind::Count, origin, Task::Count);
                }
            }
            Kind::Write => self.events_first = true,
            Kind::Purge => (self.purging, self.events_first) = (false, true),
            Kind::Plain | Kind::Dump | Kind::Count => {}
        }
        let Some(id) = pending.asker else { return };
        let describe = |counts| self.table.describe(&self.dataplane, self.attached, counts);
        let table = (pending.kind == Kind::Count && done).then(|| describe(pending.counts));
        let records = pending.records;
        self.answers.push_back(v1::Reply { id, records, table, ..refusal::of(outcome) });
    }
}

/// Returns when nobody waits for the answer any more, in nanoseconds since the clock's start.
fn until_ns(command: &v1::Command, now: Now) -> u64 {
    match command.deadline_ms {
        0 => NEVER_LATE,
        ms => now.ns.saturating_add(u64::from(ms) * 1_000_000),
    }
}

fn filter(filter: Option<&v1::Filter>) -> Result<Filter, Refused> {
    Filter::from_proto(filter).map_err(|error| refusal::bad_filter(&error))
}

fn attributes(wire: Option<v1::Attributes>) -> Attributes {
    let wire = wire.unwrap_or_default();
    Attributes {
        dynamic: wire.dynamic,
        profile_id: wire.profile_id,
        aging_ms: wire.aging_ms,
        permissions: wire.permissions,
    }
}

#[cfg(test)]
mod tests;
