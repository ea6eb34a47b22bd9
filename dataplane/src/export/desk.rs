//! Commands down, answers up: what the control service asks becomes tasks for
//! the shards, and what the shards say becomes one answer.
//!
//! Only the shards know who owns a flow, so most commands go to all of them, and
//! the owner's word counts. What the shards have in common, the table's
//! attributes and whether the program is attached, is kept here; a change of it
//! is made by all shards or by none.
//!
//! This outlives a link: a change that a cut link has left half done is finished.

use std::collections::{BTreeMap, HashMap, VecDeque};

use conntrack::timeout::ProfileError;
use conntrack::tracker::{Refusal, Removed, TableChange};
use conntrack::{Attributes, FlowKey, Now, Permissions, ProfileId, Profiles};
use crossbeam_channel::Sender;
use flowtracker_proto::{show, v1};

use super::authors::Authors;
use super::{batch, refusal};
use crate::lcore::clock::Wall;
use crate::lcore::filter::Filter;
use crate::lcore::mailbox::{Command, CommandId, Outcome, Reply, Task};

/// Entries in one part of an answer at most.
const PART: usize = 256;
/// A task that has to be done whenever its lcore comes to it.
const NEVER_LATE: u64 = u64::MAX;

/// One shard, as its commands are concerned.
#[derive(Debug)]
pub struct Shard {
    /// Its lcore.
    pub lcore: u32,
    /// Where its tasks go.
    pub tasks: Sender<Command>,
}

/// Attributes that the shards have in common.
#[derive(Debug)]
pub struct Table {
    /// The timer profiles.
    pub profiles: Profiles,
    /// The table's permissions.
    pub permissions: Permissions,
    /// Profile of entries that the data path learns.
    pub learn_profile: ProfileId,
}

/// What is known of a command under way.
#[derive(Debug)]
struct Pending {
    /// Id of the command on the link; `None` when nobody waits for the answer.
    asker: Option<u64>,
    kind: Kind,
    /// Shards that have not ended it.
    shards: usize,
    entries: Vec<v1::EntryRecord>,
    counts: Vec<v1::Shard>,
    at_ns: u64,
    /// What the shards have said so far.
    outcome: Option<Outcome>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// The answer is what the shards say.
    Plain,
    /// The same, and the events of what was done go before it.
    Write,
    /// The same, and it can be given up.
    Dump,
    /// A sweep for authors.
    Sweep,
    /// The answer is the table.
    Count,
    /// The first half of a change of the table.
    Hold(TableChange),
    /// The second half.
    Change(TableChange),
    /// Or, when it is not possible, its end.
    Release,
}

/// All commands under way, and what the shards have in common.
#[derive(Debug)]
pub struct Commands {
    shards: Vec<Shard>,
    /// By DPDK port id: the shard to which all frames of the port come, by its
    /// index; `None` where they are dealt to several.
    owners: BTreeMap<u16, Option<usize>>,
    dataplane: String,
    table: Table,
    attached: bool,
    /// A change of the table is under way.
    changing: bool,
    next: CommandId,
    pending: HashMap<CommandId, Pending>,
    /// What the shards have no room for yet.
    due: VecDeque<(Kind, To, Task)>,
    pub(super) authors: Authors,
    answers: VecDeque<v1::Reply>,
    /// Among them are some that events have to precede.
    news: bool,
}

/// How a task reaches the shards.
#[derive(Clone, Copy, Debug)]
struct To {
    /// The link that its command came over.
    link: u32,
    /// Id of the command there; `None` when nobody waits.
    asker: Option<u64>,
    /// Not executed after this.
    until_ns: u64,
}

/// A command that is refused before any shard has heard of it.
type Refused = Box<v1::Reply>;

impl Commands {
    /// For these shards. `owners` says for each port, by DPDK port id, which
    /// shard sees all of its frames.
    #[must_use]
    pub fn new(
        dataplane: String,
        shards: Vec<Shard>,
        owners: BTreeMap<u16, Option<usize>>,
        table: Table,
    ) -> Self {
        Commands {
            shards,
            owners,
            dataplane,
            table,
            attached: true,
            changing: false,
            next: 1,
            pending: HashMap::new(),
            due: VecDeque::new(),
            authors: Authors::new(),
            answers: VecDeque::new(),
            news: false,
        }
    }

    /// The next answer, or part of one, that is ready to be sent.
    pub(super) fn answer(&mut self) -> Option<v1::Reply> {
        self.news &= !self.answers.is_empty();
        self.answers.pop_front()
    }

    /// True when what is in the rings now has to be sent before the next answer:
    /// it may be the event of what was answered.
    pub(super) fn events_first(&self) -> bool {
        self.news
    }

    /// The link is down: nobody waits for an answer any more.
    pub(super) fn unlink(&mut self) {
        self.answers.clear();
        self.news = false;
        let dumps: Vec<_> =
            self.pending.iter().filter(|(_, p)| p.kind == Kind::Dump).map(|(id, _)| *id).collect();
        dumps.into_iter().for_each(|id| self.give_up(id));
        for pending in self.pending.values_mut() {
            (pending.asker, pending.entries) = (None, Vec::new());
        }
        for (_, to, _) in &mut self.due {
            to.asker = None;
        }
    }

    /// Takes a command off the link `link`.
    pub(super) fn take(&mut self, command: v1::Command, link: u32, now: Now) {
        let asker = command.id;
        if let Err(refused) = self.begin(command, link, now) {
            self.answers.push_back(v1::Reply { id: asker, ..*refused });
        }
    }

    fn begin(&mut self, command: v1::Command, link: u32, now: Now) -> Result<(), Refused> {
        use v1::command::Body;
        let to = To { link, asker: Some(command.id), until_ns: until(&command, now) };
        let in_its_time = To { until_ns: NEVER_LATE, ..to };
        match command.body {
            Some(Body::Get(get)) => {
                let key = self.key(get.key.as_ref())?;
                self.dispatch(Kind::Plain, to, Task::Get(key))
            }
            Some(Body::Create(create)) => {
                self.check_attached()?;
                let key = self.key(create.key.as_ref())?;
                let owner = self.owner(&key)?;
                let actor = self.author(create.actor, link)?;
                let task = Task::Create(key, attributes(create.attributes), actor);
                self.dispatch_to(&[owner], Kind::Write, to, task)
            }
            Some(Body::Update(update)) => {
                self.check_attached()?;
                let key = self.key(update.key.as_ref())?;
                let actor = self.author(update.actor, link)?;
                self.dispatch(Kind::Write, to, Task::Update(key, attributes(update.attributes), actor))
            }
            Some(Body::Delete(delete)) => {
                self.check_attached()?;
                let key = self.key(delete.key.as_ref())?;
                let actor = self.author(delete.actor, link)?;
                self.dispatch(Kind::Write, to, Task::Remove(key, actor))
            }
            Some(Body::Dump(dump)) => {
                let filter = filter(dump.filter.as_ref())?;
                self.dispatch(Kind::Dump, to, Task::Dump(filter))
            }
            Some(Body::Flush(flush)) => {
                self.check_attached()?;
                let filter = filter(flush.filter.as_ref())?;
                let actor = self.author(flush.actor, link)?;
                self.dispatch(Kind::Write, in_its_time, Task::Flush(filter, actor))
            }
            Some(Body::Table(_)) => self.dispatch(Kind::Count, to, Task::Count),
            Some(Body::UpdateTable(update)) => {
                let change = self.change(&update)?;
                self.dispatch(Kind::Hold(change), in_its_time, Task::Hold(change))?;
                self.changing = true;
                Ok(())
            }
            Some(Body::Purge(_)) => {
                if !self.attached {
                    let message = "the program is detached (purged) already";
                    return Err(failed_precondition("ALREADY_DETACHED", message));
                }
                // Between the halves of a change it would leave shards held, or, with a
                // load behind it, filled one sooner than the other.
                if self.changing {
                    return Err(Box::new(refusal::table_busy()));
                }
                self.dispatch(Kind::Write, in_its_time, Task::Purge)?;
                self.attached = false;
                Ok(())
            }
            Some(Body::Load(_)) => {
                if self.attached {
                    return Err(failed_precondition("ALREADY_ATTACHED", "the program is attached already"));
                }
                self.dispatch(Kind::Write, in_its_time, Task::Load)?;
                self.attached = true;
                Ok(())
            }
            Some(Body::Cancel(cancel)) => {
                let dump = |(id, p): (&CommandId, &Pending)| {
                    (p.asker == Some(cancel.id) && p.kind == Kind::Dump).then_some(*id)
                };
                if let Some(id) = self.pending.iter().find_map(dump) {
                    self.give_up(id);
                }
                let pending = self.pending.values_mut().map(|pending| &mut pending.asker);
                let due = self.due.iter_mut().map(|(_, to, _)| &mut to.asker);
                pending.chain(due).filter(|asker| **asker == Some(cancel.id)).for_each(|asker| *asker = None);
                Ok(())
            }
            Some(Body::Stats(_)) | None => {
                let message = "this data plane does not know the command";
                Err(failed_precondition("UNKNOWN_COMMAND", message))
            }
        }
    }

    fn check_attached(&self) -> Result<(), Refused> {
        if self.attached { Ok(()) } else { Err(Box::new(refusal::detached())) }
    }

    /// The key of a command, on a port that exists.
    fn key(&self, record: Option<&v1::EntryRecord>) -> Result<FlowKey, Refused> {
        let known = |r: &&v1::EntryRecord| {
            let id = r.input_port.checked_sub(1).and_then(|id| u16::try_from(id).ok());
            id.is_some_and(|id| self.owners.contains_key(&id))
        };
        let Some(record) = record.filter(known) else {
            let asked = show::port_name(record.map_or(0, |r| r.input_port));
            let message = format!("{asked} does not exist; this data plane has {}", self.port_names());
            return Err(Box::new(refusal::refuse_field("key.input_port", "UNKNOWN_PORT", message)));
        };
        batch::key(record).ok_or_else(|| {
            let message = "a field is missing or out of range";
            Box::new(refusal::refuse_field("key", "BAD_KEY", message))
        })
    }

    /// "port0 to port3". DPDK's ids have holes where a port belongs to a device of another one.
    fn port_names(&self) -> String {
        let name = |id: &u16| show::port_name(u32::from(*id) + 1);
        match self.owners.keys().last() {
            Some(last) if usize::from(*last) + 1 == self.owners.len() => format!("port0 to {}", name(last)),
            _ => self.owners.keys().map(name).collect::<Vec<_>>().join(", "),
        }
    }

    /// The shard to which the flow's frames will come.
    fn owner(&self, key: &FlowKey) -> Result<usize, Refused> {
        let port = u16::from(key.input_port()) - 1;
        self.owners.get(&port).copied().flatten().ok_or_else(|| {
            let message = format!(
                "port{port} deals its frames to several lcores by a hash of its own, so the shard that will \
                 receive this flow is not known; with one receive queue per port (--rxq 1) it is"
            );
            failed_precondition("FLOW_OWNER_UNKNOWN", message)
        })
    }

    fn author(&mut self, actor: Option<v1::Actor>, link: u32) -> Result<conntrack::ActorId, Refused> {
        let id = self.authors.assign(actor.unwrap_or_default()).ok_or_else(|| {
            let message = "entries name as many different programs as can be told apart";
            Box::new(refusal::refuse(v1::ReplyStatus::ResourceExhausted, "TOO_MANY_AUTHORS", message))
        })?;
        if self.authors.begin_sweep() {
            let to = To { link, asker: None, until_ns: NEVER_LATE };
            if self.dispatch(Kind::Sweep, to, Task::Authored).is_err() {
                self.authors.end_sweep(false);
            }
        }
        Ok(id)
    }

    /// The table as an update wants it.
    fn change(&self, update: &v1::UpdateTableCommand) -> Result<TableChange, Refused> {
        self.check_attached()?;
        if self.changing {
            return Err(Box::new(refusal::table_busy()));
        }
        if update.profiles.is_empty() && update.permissions.is_none() {
            return Err(Box::new(refusal::refuse_field(
                "profiles",
                "NOTHING_TO_DO",
                "neither profiles nor permissions are given",
            )));
        }
        Ok(TableChange { profiles: self.profiles(&update.profiles)?, permissions: self.permissions(update)? })
    }

    fn profiles(&self, changes: &[v1::TimerProfile]) -> Result<Profiles, Refused> {
        let mut values: Vec<u64> = self.table.profiles.values().iter().map(|ms| u64::from(*ms)).collect();
        let mut at = vec![None; values.len()];
        for (nth, change) in changes.iter().enumerate() {
            let field = format!("profiles[{nth}].profile_id");
            let id = change.profile_id;
            if ProfileId::new(id).is_none() {
                return Err(Box::new(refusal::profile_range(field, id)));
            }
            let Some(value) = values.get_mut(id as usize) else {
                return Err(Box::new(refusal::unknown_profile(field, id)));
            };
            if at[id as usize].replace(nth).is_some() {
                let message = format!("profile {id} is given twice");
                return Err(Box::new(refusal::refuse_field(field, "PROFILE_TWICE", message)));
            }
            *value = change.aging_ms;
        }
        Profiles::new(&values).map_err(|error| {
            let of = |id: usize| at.get(id).copied().flatten();
            match error {
                ProfileError::Duplicate { id, other } => {
                    // The one that was asked for is at fault.
                    let (id, other) = if of(id).is_some() { (id, other) } else { (other, id) };
                    let field = format!("profiles[{}].aging_ms", of(id).unwrap_or_default());
                    let message = format!("{} was already specified by profile {other}", values[id]);
                    let reply = refusal::refuse_field(field, "AGING_DUPLICATE", message);
                    Box::new(refusal::with(reply, "profile_id", other as u64))
                }
                ProfileError::Range { id, aging_ms } => {
                    let field = format!("profiles[{}].aging_ms", of(id).unwrap_or_default());
                    let message = format!("{aging_ms} is not in 1 to {}", Profiles::MAX_AGING_MS);
                    Box::new(refusal::refuse_field(field, "AGING_RANGE", message))
                }
                ProfileError::Count(_) => {
                    Box::new(refusal::refuse_field("profiles", "BAD_VALUE", error.to_string()))
                }
            }
        })
    }

    fn permissions(&self, update: &v1::UpdateTableCommand) -> Result<Permissions, Refused> {
        let Some(asked) = update.permissions else { return Ok(self.table.permissions) };
        u16::try_from(asked).ok().and_then(Permissions::new).ok_or_else(|| {
            let message = format!("{asked:#x} has bits outside of {:#x}", Permissions::MASK);
            Box::new(refusal::refuse_field("permissions", "PERMISSION_BITS", message))
        })
    }

    /// Gives a task to every shard.
    fn dispatch(&mut self, kind: Kind, to: To, task: Task) -> Result<(), Refused> {
        let all: Vec<usize> = (0..self.shards.len()).collect();
        self.dispatch_to(&all, kind, to, task)
    }

    /// Gives a task to some shards: to all of them, or to none when one is behind.
    fn dispatch_to(&mut self, shards: &[usize], kind: Kind, to: To, task: Task) -> Result<(), Refused> {
        if shards.iter().any(|shard| self.shards[*shard].tasks.is_full()) {
            let message = "the data plane is behind with its commands";
            return Err(Box::new(refusal::refuse(v1::ReplyStatus::Unavailable, "", message)));
        }
        let id = self.next;
        self.next += 1;
        let pending = Pending {
            asker: to.asker,
            kind,
            shards: shards.len(),
            entries: Vec::new(),
            counts: Vec::new(),
            at_ns: 0,
            outcome: None,
        };
        self.pending.insert(id, pending);
        for shard in shards {
            self.send(*shard, Command { id, link: to.link, until_ns: to.until_ns, task });
        }
        Ok(())
    }

    /// This is the only sender, so the room that was seen is there.
    fn send(&self, shard: usize, command: Command) {
        let sent = self.shards[shard].tasks.try_send(command);
        debug_assert!(sent.is_ok(), "room was checked");
    }

    /// Nobody wants the answer of this dump any more.
    fn give_up(&mut self, dump: CommandId) {
        self.pending.remove(&dump);
        let id = self.next;
        self.next += 1;
        for shard in &self.shards {
            // An lcore that is behind gets no word; the dump then runs on, and its parts are dropped.
            let cancel = Command { id, link: 0, until_ns: NEVER_LATE, task: Task::Cancel(dump) };
            let _ = shard.tasks.try_send(cancel);
        }
    }

    /// Takes what shard `shard` says.
    pub(super) fn hear(&mut self, shard: usize, reply: Reply, clock: &impl Wall, link: u32) {
        match reply {
            Reply::Entry { id, at_ns, entry } => {
                let Some(pending) = self.pending.get_mut(&id) else { return };
                if pending.kind == Kind::Sweep {
                    return self.authors.meet(&entry);
                }
                let Some(asker) = pending.asker else { return };
                pending.at_ns = at_ns;
                pending.entries.push(batch::entry(&entry, at_ns, clock, &self.authors));
                if pending.entries.len() >= PART {
                    let entries = std::mem::take(&mut pending.entries);
                    let time_ns = clock.wall_ns(at_ns);
                    self.answers.push_back(v1::Reply { id: asker, entries, time_ns, ..Default::default() });
                }
            }
            Reply::Count { id, entries, capacity } => {
                let lcore = self.shards[shard].lcore;
                let count = v1::Shard { lcore, entries: entries.into(), capacity: capacity.into() };
                if let Some(pending) = self.pending.get_mut(&id) {
                    pending.counts.push(count);
                }
            }
            Reply::Done { id, outcome } => {
                let Some(pending) = self.pending.get_mut(&id) else { return };
                let whole = matches!(pending.kind, Kind::Dump | Kind::Count);
                let joined = |so_far| joined(so_far, outcome, whole);
                pending.outcome = Some(pending.outcome.map_or(outcome, joined));
                pending.shards -= 1;
                if pending.shards == 0
                    && let Some(pending) = self.pending.remove(&id)
                {
                    self.end(pending, clock, link);
                }
            }
        }
    }

    /// Every shard has ended a command.
    fn end(&mut self, pending: Pending, clock: &impl Wall, link: u32) {
        let outcome = pending.outcome.unwrap_or(Outcome::OK);
        let done = matches!(outcome, Outcome::Done(_));
        let to = To { link, asker: pending.asker, until_ns: NEVER_LATE };
        match pending.kind {
            Kind::Sweep => return self.authors.end_sweep(done),
            Kind::Hold(change) if done => {
                return self.go_on(Kind::Change(change), to, Task::Change(change));
            }
            Kind::Hold(_) => self.go_on(Kind::Release, To { asker: None, ..to }, Task::Release),
            Kind::Release => {
                self.changing = false;
                return;
            }
            Kind::Change(change) => {
                self.changing = false;
                debug_assert!(done, "every shard has found the change possible");
                if done {
                    (self.table.profiles, self.table.permissions) = (change.profiles, change.permissions);
                    return self.go_on(Kind::Count, to, Task::Count);
                }
            }
            Kind::Write => self.news = true,
            Kind::Plain | Kind::Dump | Kind::Count => {}
        }
        let Some(id) = pending.asker else { return };
        let table = (pending.kind == Kind::Count && done).then(|| self.describe(pending.counts));
        let time_ns = clock.wall_ns(pending.at_ns);
        self.answers.push_back(v1::Reply {
            id,
            entries: pending.entries,
            time_ns,
            table,
            ..refusal::of(outcome)
        });
    }

    /// Gives the next step of a command to all shards, as soon as all have room:
    /// without it they would stay different.
    fn go_on(&mut self, kind: Kind, to: To, task: Task) {
        self.due.push_back((kind, to, task));
        self.pump();
    }

    /// Tries again to give the shards what they had no room for.
    pub(super) fn pump(&mut self) {
        while let Some((kind, to, task)) = self.due.front().copied() {
            if self.dispatch(kind, to, task).is_err() {
                return;
            }
            self.due.pop_front();
        }
    }

    fn describe(&self, mut shards: Vec<v1::Shard>) -> v1::Table {
        shards.sort_by_key(|shard| shard.lcore);
        let permissions = u32::from(self.table.permissions.bits());
        let profiles = self.table.profiles.values().iter().zip(0..);
        v1::Table {
            dataplane: self.dataplane.clone(),
            name: show::TABLE.to_owned(),
            key_bits: 136,
            max_entries: shards.iter().map(|s| s.capacity).sum(),
            entries: shards.iter().map(|s| s.entries).sum(),
            permissions,
            permissions_text: show::permissions_text(permissions),
            profiles: profiles
                .map(|(ms, id)| v1::TimerProfile { profile_id: id, aging_ms: (*ms).into() })
                .collect(),
            learn_profile_id: self.table.learn_profile.get().into(),
            shards,
            detached: !self.attached,
        }
    }
}

fn failed_precondition(reason: &str, message: impl Into<String>) -> Refused {
    Box::new(refusal::refuse(v1::ReplyStatus::FailedPrecondition, reason, message))
}

/// When nobody waits for the answer any more.
fn until(command: &v1::Command, now: Now) -> u64 {
    match command.deadline_ms {
        0 => NEVER_LATE,
        ms => now.ns.saturating_add(u64::from(ms) * 1_000_000),
    }
}

fn filter(filter: Option<&v1::Filter>) -> Result<Filter, Refused> {
    let bad = |error: flowtracker_proto::filter::BadFilter| {
        Box::new(refusal::refuse_field("filter", "BAD_FILTER", error.to_string()))
    };
    Filter::from_proto(filter).map_err(bad)
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

/// Of what two shards say, what counts: what the owner has done or refused before
/// "not mine"; but where the answer is only `whole` with every shard's part, what
/// keeps one from it.
fn joined(a: Outcome, b: Outcome, whole: bool) -> Outcome {
    let rank = |outcome| match outcome {
        Outcome::Refused(Refusal::NotFound) => 0,
        Outcome::Late if whole => 4,
        Outcome::Late => 1,
        Outcome::Refused(_) => 2,
        Outcome::Done(_) => 3,
        // A part is missing.
        Outcome::TooManyDumps | Outcome::TableRefused(_) => 4,
    };
    match (a, b) {
        (Outcome::Done(a), Outcome::Done(b)) => {
            Outcome::Done(Removed { deleted: a.deleted + b.deleted, failed: a.failed + b.failed })
        }
        _ if rank(b) > rank(a) => b,
        _ => a,
    }
}

#[cfg(test)]
mod tests;
