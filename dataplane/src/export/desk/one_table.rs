//! The desk of one table: what its shards are asked, and what their replies mean.

use conntrack::{ActorId, Attributes};
use flowtracker_proto::{link as wire, v1};

use crate::export::desk::dispatch::{Dispatch, Kind, NEVER_LATE, Origin, Pending, Shard};
use crate::export::desk::shared::Shared;
use crate::export::desk::table::Table;
use crate::export::encode;
use crate::export::refusal::{self, Refused};
use crate::lcore::clock::Wall;
use crate::lcore::family::TableKey;
use crate::lcore::filter::Filter;
use crate::lcore::generation::LinkGeneration;
use crate::lcore::mailbox::{Outcome, Reply, Task};

/// Bytes of records in one part of an answer at most.
const PART: usize = 256 * wire::LEN;

/// The desk of one table.
#[derive(Debug)]
pub struct TableDesk<K: TableKey> {
    pub(super) dispatch: Dispatch<K>,
    table: Table,
    attached: bool,
    /// A change of the table is under way.
    changing: bool,
    /// A purge is under way.
    purging: bool,
}

impl<K: TableKey> TableDesk<K> {
    /// Makes a desk for the table of these shards.
    #[must_use]
    pub fn new(shards: Vec<Shard<K>>, table: Table) -> Self {
        TableDesk { dispatch: Dispatch::new(shards), table, attached: true, changing: false, purging: false }
    }

    /// The table is detached, as an earlier run has left it.
    #[must_use]
    pub fn detached(self) -> Self {
        TableDesk { attached: false, ..self }
    }

    /// Takes a command about this table.
    pub(super) fn begin(
        &mut self,
        body: v1::command::Body,
        shared: &mut Shared,
        origin: Origin,
    ) -> Result<(), Refused> {
        use v1::command::Body;
        // What takes many slices ends when it ends.
        let slow = Origin { until_ns: NEVER_LATE, ..origin };
        match body {
            Body::Get(get) => {
                let key = key(shared, &get.key)?;
                self.dispatch.give_all(Kind::Plain, origin, Task::Get(key))
            }
            Body::Create(create) => self.create(shared, origin, create),
            Body::Update(update) => {
                let (key, actor) = self.write(shared, &update.key, update.actor)?;
                let task = Task::Update(key, attributes(update.attributes), actor);
                self.dispatch.give_all(Kind::Write, origin, task)
            }
            Body::Delete(delete) => {
                let (key, actor) = self.write(shared, &delete.key, delete.actor)?;
                self.dispatch.give_all(Kind::Write, origin, Task::Remove(key, actor))
            }
            Body::Dump(dump) => {
                let filter = filter(dump.filter.as_ref())?;
                self.dispatch.give_all(Kind::Dump, origin, Task::Dump(filter))
            }
            Body::Flush(flush) => {
                self.check_attached()?;
                let filter = filter(flush.filter.as_ref())?;
                let actor = shared.author(flush.actor)?;
                self.dispatch.give_all(Kind::Write, slow, Task::Flush(filter, actor))
            }
            Body::Table(_) => self.dispatch.give_all(Kind::Count, origin, Task::Count),
            Body::UpdateTable(update) => self.update_table(slow, &update),
            Body::Purge(_) => self.purge(slow),
            Body::Load(_) => self.load(slow),
            Body::Cancel(_) | Body::Stats(_) => Err(refusal::unknown_command()),
        }
    }

    /// Checks what all writes of one entry have in common.
    fn write(
        &mut self,
        shared: &mut Shared,
        bytes: &[u8],
        actor: Option<v1::Actor>,
    ) -> Result<(K, ActorId), Refused> {
        self.check_attached()?;
        let key = key(shared, bytes)?;
        Ok((key, shared.author(actor)?))
    }

    /// Creates an entry in the shard that will receive the flow's frames.
    fn create(
        &mut self,
        shared: &mut Shared,
        origin: Origin,
        create: v1::CreateCommand,
    ) -> Result<(), Refused> {
        self.check_attached()?;
        let key: K = key(shared, &create.key)?;
        let owner = shared.owner(u16::from(key.input_port()) - 1)?;
        let actor = shared.author(create.actor)?;
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

    /// Reads all entries that name a control program. Returns `false` when a shard has no room for
    /// the task.
    pub(super) fn sweep(&mut self, link: LinkGeneration) -> bool {
        let origin = Origin { link: Some(link), asker: None, until_ns: NEVER_LATE };
        self.dispatch.give_all(Kind::Sweep, origin, Task::Authored).is_ok()
    }

    /// Takes up to `most` replies of a shard, and returns whether there were any. `link` is the
    /// link that stands.
    pub(super) fn hear(
        &mut self,
        shard: usize,
        most: usize,
        shared: &mut Shared,
        clock: &impl Wall,
        link: Option<LinkGeneration>,
    ) -> bool {
        for heard in 0..most {
            let Some(reply) = self.dispatch.reply(shard) else { return heard > 0 };
            self.take_in(shard, reply, shared, clock, link);
        }
        most > 0
    }

    fn take_in(
        &mut self,
        shard: usize,
        reply: Reply<K>,
        shared: &mut Shared,
        clock: &impl Wall,
        link: Option<LinkGeneration>,
    ) {
        match reply {
            Reply::Entry { id, at_ns, entry } => {
                let Some(pending) = self.dispatch.pending.get_mut(&id) else { return };
                if pending.kind == Kind::Sweep {
                    return shared.authors.meet(&entry);
                }
                let Some(asker) = pending.asker else { return };
                let mut record = encode::present(&entry, at_ns, clock);
                shared.authors.introduce(&mut record);
                pending.records.extend_from_slice(&record.to_bytes());
                if pending.records.len() >= PART {
                    let records = std::mem::take(&mut pending.records);
                    shared.answers.push_back(v1::Reply { id: asker, records, ..Default::default() });
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
                    self.end(ended, shared, link);
                }
            }
        }
    }

    /// Ends a command that has ended on every shard: answers it, or goes on with its next step.
    fn end(&mut self, pending: Pending, shared: &mut Shared, link: Option<LinkGeneration>) {
        let outcome = pending.outcome();
        let done = matches!(outcome, Outcome::Done(_));
        let origin = Origin { link, asker: pending.asker, until_ns: NEVER_LATE };
        match pending.kind {
            Kind::Sweep => return shared.swept(done),
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
            Kind::Write => shared.events_first = true,
            Kind::Purge => (self.purging, shared.events_first) = (false, true),
            Kind::Plain | Kind::Dump | Kind::Count => {}
        }
        let Some(id) = pending.asker else { return };
        let describe = |counts| self.table.describe(K::FAMILY, &shared.dataplane, self.attached, counts);
        let table = (pending.kind == Kind::Count && done).then(|| describe(pending.counts));
        let records = pending.records;
        shared.answers.push_back(v1::Reply { id, records, table, ..refusal::of(outcome) });
    }
}

/// Returns the key of a command, on a port that exists.
fn key<K: TableKey>(shared: &Shared, bytes: &[u8]) -> Result<K, Refused> {
    shared.check_port(bytes)?;
    K::from_command(bytes).ok_or_else(refusal::bad_key)
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
