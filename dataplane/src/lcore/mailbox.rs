//! The mailbox of a table of an lcore: commands come in from the command desk, replies go out to
//! it.
//!
//! Both directions are bounded channels that nobody waits on. [`crate::lcore::execute`] takes
//! commands out and does what they ask; this file only says what a command and a reply are.

use conntrack::event::Removed;
use conntrack::tracker::{Refusal, TableChange, TableRefusal};
use conntrack::{ActorId, Attributes, Entry, FlowKey, Key};
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::lcore::filter::Filter;
use crate::lcore::generation::LinkGeneration;

/// Commands that may wait for one table of an lcore.
const COMMANDS: usize = 256;
/// Replies about one table of an lcore that may wait for the command desk.
pub(super) const REPLIES: usize = 8192;

/// Identifies a command to the command desk.
pub type CommandId = u64;

/// Something for one table of a shard to do.
#[derive(Clone, Copy, Debug)]
pub struct Command<K: Key = FlowKey> {
    /// Names the command in its replies.
    pub id: CommandId,
    /// The link that stood when the command was given. A flush, a purge or a load reports its end
    /// on this link or not at all: the resync of a later link reports the table as it is then.
    pub link: Option<LinkGeneration>,
    /// Time after which the command is not executed, in nanoseconds since the clock's start.
    pub until_ns: u64,
    /// What to do.
    pub task: Task<K>,
}

/// What a command asks for. A filter lies in it by value, because an lcore frees no memory.
#[derive(Clone, Copy, Debug)]
pub enum Task<K: Key = FlowKey> {
    /// Read one entry.
    Get(K),
    /// Create one entry.
    Create(K, Attributes, ActorId),
    /// Update one entry.
    Update(K, Attributes, ActorId),
    /// Delete one entry.
    Remove(K, ActorId),
    /// Read every entry that the filter matches.
    Dump(Filter),
    /// Read every entry that names a control program.
    Authored,
    /// End the dump with this id.
    Cancel(CommandId),
    /// Delete every entry that the filter matches.
    Flush(Filter, ActorId),
    /// Count the entries.
    Count,
    /// Check whether the table can be changed in this way, and refuse other writes until
    /// [`Task::Change`] or [`Task::Release`].
    Hold(TableChange),
    /// Change the table.
    Change(TableChange),
    /// End a hold without a change.
    Release,
    /// Detach the program and empty the table.
    Purge,
    /// Attach the program.
    Load,
}

/// How a command ended on one shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done. The counts are those of a flush or a purge, and zero for other commands.
    Done(Removed),
    /// Refused.
    Refused(Refusal),
    /// The table cannot be changed in this way.
    TableRefused(TableRefusal),
    /// The lcore works on as many dumps as it can.
    TooManyDumps,
    /// The lcore came to the command after its time.
    Late,
}

impl Outcome {
    /// Done, and nothing was removed.
    pub const OK: Outcome = Outcome::Done(Removed { deleted: 0, failed: 0 });
}

/// Part of an answer. [`Reply::Done`] is the last part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<K: Key = FlowKey> {
    /// An entry that was read or written.
    Entry {
        /// The command that this answers.
        id: CommandId,
        /// When the entry was read, in nanoseconds since the clock's start.
        at_ns: u64,
        /// The entry.
        entry: Entry<K>,
    },
    /// Answer to [`Task::Count`].
    Count {
        /// The command that this answers.
        id: CommandId,
        /// Entries that the shard holds.
        entries: u32,
        /// Entries that the shard may hold.
        capacity: u32,
    },
    /// The end of the answer.
    Done {
        /// The command that this answers.
        id: CommandId,
        /// How it ended.
        outcome: Outcome,
    },
}

/// The command desk's end of a mailbox.
#[derive(Debug)]
pub struct MailboxHandle<K: Key = FlowKey> {
    /// Commands to the lcore. Full when the lcore is behind.
    pub commands: Sender<Command<K>>,
    /// Replies from the lcore.
    pub replies: Receiver<Reply<K>>,
}

/// The lcore's end.
pub struct Mailbox<K: Key = FlowKey> {
    commands: Receiver<Command<K>>,
    replies: Sender<Reply<K>>,
}

/// Makes a mailbox. Returns the command desk's end and the lcore's.
#[must_use]
pub fn mailbox<K: Key>() -> (MailboxHandle<K>, Mailbox<K>) {
    let (commands, inbox) = bounded(COMMANDS);
    let (outbox, replies) = bounded(REPLIES);
    (MailboxHandle { commands, replies }, Mailbox { commands: inbox, replies: outbox })
}

impl<K: Key> Mailbox<K> {
    /// Returns `true` when no command waits. Costs one load, unlike a failed [`Mailbox::take`].
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Takes the next command.
    pub(super) fn take(&self) -> Option<Command<K>> {
        self.commands.try_recv().ok()
    }

    /// Returns `true` when the command desk has room for this many replies.
    pub(super) fn has_room(&self, replies: usize) -> bool {
        self.replies.len() + replies <= REPLIES
    }

    /// Sends a reply. The caller has made sure of [`Mailbox::has_room`], which stays true: this
    /// lcore is the only sender.
    pub(super) fn reply(&self, reply: Reply<K>) {
        let sent = self.replies.try_send(reply);
        debug_assert!(sent.is_ok(), "room was checked");
    }
}
