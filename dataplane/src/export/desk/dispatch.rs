//! Gives tasks to the shards and counts their replies until every shard has ended the command.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use conntrack::event::Removed;
use conntrack::tracker::{Refusal, TableChange};
use flowtracker_proto::v1;

use crate::export::refusal::{self, Refused};
use crate::lcore::family::TableKey;
use crate::lcore::generation::LinkGeneration;
use crate::lcore::mailbox::{Command, CommandId, MailboxHandle, Outcome, Reply, Task};

/// The deadline of a task that has to be done whenever its lcore comes to it.
pub(super) const NEVER_LATE: u64 = u64::MAX;

/// The command desk's view of one table of a shard.
#[derive(Debug)]
pub struct Shard<K: TableKey> {
    /// Its lcore.
    pub lcore: u32,
    /// Where its commands go, and its replies come from.
    pub mailbox: MailboxHandle<K>,
}

/// A command under way.
#[derive(Debug)]
pub(super) struct Pending {
    /// Id of the command on the link; `None` when nobody waits for the answer.
    pub(super) asker: Option<u64>,
    pub(super) kind: Kind,
    /// Shards that have not ended it.
    shards: usize,
    /// Entries of the answer that have not been sent, as records.
    pub(super) records: Vec<u8>,
    pub(super) counts: Vec<v1::Shard>,
    /// The outcomes so far, joined.
    outcome: Option<Outcome>,
}

impl Pending {
    /// Returns how the command ended on all shards together.
    pub(super) fn outcome(&self) -> Outcome {
        self.outcome.unwrap_or(Outcome::OK)
    }
}

/// What the command desk does with the replies to a command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// Answers with what the shards reply.
    Plain,
    /// The same, after the events of what was done.
    Write,
    /// The same as [`Kind::Write`]; no load begins before its end.
    Purge,
    /// The same as [`Kind::Plain`], for a command that can be cancelled.
    Dump,
    /// Collects the authors that entries name; no answer.
    Sweep,
    /// Answers with a description of the table.
    Count,
    /// The first step of a change of the table: every shard checks it.
    Hold(TableChange),
    /// The second step, when every shard has found the change possible.
    Change(TableChange),
    /// The second step otherwise.
    Release,
}

/// Whose command a task is part of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// The link that stood when the command was given.
    pub(super) link: Option<LinkGeneration>,
    /// Id of the command on that link; `None` when nobody waits for the answer.
    pub(super) asker: Option<u64>,
    /// When the task is too late, in nanoseconds since the clock's start.
    pub(super) until_ns: u64,
}

/// All commands about a table that are under way.
#[derive(Debug)]
pub(super) struct Dispatch<K: TableKey> {
    shards: Vec<Shard<K>>,
    next: CommandId,
    pub(super) pending: HashMap<CommandId, Pending>,
    /// Next steps of commands that the shards have had no room for. They go before other commands,
    /// so there are as many as commands that have a next step: one change of the table.
    pub(super) due: VecDeque<(Kind, Origin, Task<K>)>,
}

impl<K: TableKey> Dispatch<K> {
    pub(super) fn new(shards: Vec<Shard<K>>) -> Self {
        Dispatch { shards, next: 1, pending: HashMap::new(), due: VecDeque::new() }
    }

    /// Returns the lcore of a shard.
    pub(super) fn lcore(&self, shard: usize) -> u32 {
        self.shards[shard].lcore
    }

    /// Takes the next reply of a shard.
    pub(super) fn reply(&self, shard: usize) -> Option<Reply<K>> {
        self.shards[shard].mailbox.replies.try_recv().ok()
    }

    /// Gives a task to every shard.
    pub(super) fn give_all(&mut self, kind: Kind, origin: Origin, task: Task<K>) -> Result<(), Refused> {
        self.give(0..self.shards.len(), kind, origin, task)
    }

    /// Gives a task to one shard.
    pub(super) fn give_one(
        &mut self,
        shard: usize,
        kind: Kind,
        origin: Origin,
        task: Task<K>,
    ) -> Result<(), Refused> {
        self.give(shard..shard + 1, kind, origin, task)
    }

    /// Gives the first task of a command to some shards: to all of them, or to none when one is
    /// behind.
    fn give(
        &mut self,
        shards: Range<usize>,
        kind: Kind,
        origin: Origin,
        task: Task<K>,
    ) -> Result<(), Refused> {
        self.pump();
        if !self.due.is_empty() {
            return Err(refusal::behind());
        }
        self.hand_over(shards, kind, origin, task)
    }

    fn hand_over(
        &mut self,
        shards: Range<usize>,
        kind: Kind,
        origin: Origin,
        task: Task<K>,
    ) -> Result<(), Refused> {
        let shards = &self.shards[shards];
        if shards.iter().any(|shard| shard.mailbox.commands.is_full()) {
            return Err(refusal::behind());
        }
        let command = Command { id: self.next, link: origin.link, until_ns: origin.until_ns, task };
        for shard in shards {
            let sent = shard.mailbox.commands.try_send(command);
            debug_assert!(sent.is_ok(), "there was room, and this is the only sender");
        }
        let pending = Pending {
            asker: origin.asker,
            kind,
            shards: shards.len(),
            records: Vec::new(),
            counts: Vec::new(),
            outcome: None,
        };
        self.pending.insert(command.id, pending);
        self.next += 1;
        Ok(())
    }

    /// Gives the next step of a command to all shards as soon as all have room. It cannot be
    /// refused: without it the shards would stay different.
    pub(super) fn go_on(&mut self, kind: Kind, origin: Origin, task: Task<K>) {
        self.due.push_back((kind, origin, task));
        self.pump();
    }

    /// Tries again to give the shards what they had no room for.
    pub(super) fn pump(&mut self) {
        while let Some((kind, origin, task)) = self.due.front().copied() {
            if self.hand_over(0..self.shards.len(), kind, origin, task).is_err() {
                return;
            }
            self.due.pop_front();
        }
    }

    /// Counts the end of a command on one shard. Returns the command when it has ended on all.
    pub(super) fn ended(&mut self, id: CommandId, outcome: Outcome) -> Option<Pending> {
        let pending = self.pending.get_mut(&id)?;
        let needs_all = matches!(pending.kind, Kind::Dump | Kind::Count);
        pending.outcome = Some(pending.outcome.map_or(outcome, |so_far| joined(so_far, outcome, needs_all)));
        pending.shards -= 1;
        if pending.shards > 0 {
            return None;
        }
        self.pending.remove(&id)
    }

    /// Forgets who asked for a command. A dump ends.
    pub(super) fn cancel(&mut self, asker: u64) {
        let is_it = |(_, p): &(&CommandId, &Pending)| p.asker == Some(asker) && p.kind == Kind::Dump;
        if let Some((&dump, _)) = self.pending.iter().find(is_it) {
            self.give_up(dump);
        }
        let pending = self.pending.values_mut().map(|pending| &mut pending.asker);
        let due = self.due.iter_mut().map(|(_, origin, _)| &mut origin.asker);
        pending.chain(due).filter(|one| **one == Some(asker)).for_each(|one| *one = None);
    }

    /// Forgets who asked for all commands. Dumps end, other commands go on.
    pub(super) fn cancel_all(&mut self) {
        let dumps: Vec<_> =
            self.pending.iter().filter(|(_, p)| p.kind == Kind::Dump).map(|(id, _)| *id).collect();
        dumps.into_iter().for_each(|id| self.give_up(id));
        for pending in self.pending.values_mut() {
            (pending.asker, pending.records) = (None, Vec::new());
        }
        for (_, origin, _) in &mut self.due {
            origin.asker = None;
        }
    }

    /// Ends a dump whose answer nobody wants.
    fn give_up(&mut self, dump: CommandId) {
        self.pending.remove(&dump);
        let cancel = Command { id: self.next, link: None, until_ns: NEVER_LATE, task: Task::Cancel(dump) };
        self.next += 1;
        for shard in &self.shards {
            // An lcore that is behind does not get the command. It ends the dump by itself, and the
            // replies are dropped.
            let _ = shard.mailbox.commands.try_send(cancel);
        }
    }
}

/// Joins the outcomes of two shards. Only one shard owns a flow, so what it has done or refused
/// goes before "no such entry" of the others. Where the answer `needs_all` shards, what keeps one
/// of them from its part goes before all.
fn joined(a: Outcome, b: Outcome, needs_all: bool) -> Outcome {
    let rank = |outcome| match outcome {
        Outcome::Refused(Refusal::NotFound) => 0,
        Outcome::Late if needs_all => 4,
        Outcome::Late => 1,
        Outcome::Refused(_) => 2,
        Outcome::Done(_) => 3,
        Outcome::TooManyDumps | Outcome::TableRefused(_) => 4,
    };
    match (a, b) {
        (Outcome::Done(a), Outcome::Done(b)) => {
            Outcome::Done(Removed { deleted: a.deleted + b.deleted, failed: a.failed + b.failed })
        }
        (Outcome::Refused(Refusal::Attributes(a)), Outcome::Refused(Refusal::Attributes(b))) => {
            // Only the shard that has the entry knows whether it is static.
            Outcome::Refused(Refusal::Attributes(a.joined(b)))
        }
        _ if rank(b) > rank(a) => b,
        _ => a,
    }
}
