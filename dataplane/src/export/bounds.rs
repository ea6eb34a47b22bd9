//! Bounds on what the control service sends. It is another process, often on another host, and
//! nothing that it does may make this process grow.
//!
//! | what | bound | beyond it |
//! |---|---|---|
//! | a message | [`MESSAGE`] bytes | the link ends |
//! | an author's name | [`limits::PROCESS`] bytes, no control characters | the command is refused |
//! | its identity | [`limits::IDENTITY`] bytes, no control characters | the command is refused |
//! | the steps of a filter | [`MAX_STEPS`] | the command is refused |
//! | the profiles of an update of the table | [`ProfileId::COUNT`] | the command is refused |
//! | authors that entries name | 65,520 numbers, see [`crate::export::authors`] | the command is refused |
//! | commands that wait for the exporter | [`COMMANDS`] | the link is not read |
//! | commands that wait for an lcore | see [`crate::lcore::mailbox`] | the command is refused |
//!
//! A command is checked before it waits, so what waits is small. A link logs each bound once.

use conntrack::ProfileId;
use flowtracker_proto::filter::MAX_STEPS;
use flowtracker_proto::limits;
use flowtracker_proto::v1::{self, command::Body};
use tracing::warn;

use crate::export::refusal::{self, Refused};

/// Bytes of a message at most. The longest command of a control service has about 4 KiB.
pub(super) const MESSAGE: usize = 64 * 1024;
/// Commands that may wait for the exporter, and that it takes in one round.
pub(super) const COMMANDS: usize = 64;
/// Characters of a text of the control service that the log shows.
const SHOWN: usize = 256;

/// Checks the parts of a command whose length is free.
///
/// # Errors
/// The refusal that is the command's answer.
pub(super) fn check(command: &v1::Command) -> Result<(), Refused> {
    let Some(body) = &command.body else { return Ok(()) };
    let (actor, filter) = match body {
        Body::Create(create) => (&create.actor, &None),
        Body::Update(update) => (&update.actor, &None),
        Body::Delete(delete) => (&delete.actor, &None),
        Body::Flush(flush) => (&flush.actor, &flush.filter),
        Body::Dump(dump) => (&None, &dump.filter),
        _ => (&None, &None),
    };
    if let Some(actor) = actor {
        for (field, name, most) in [
            ("actor.process", &actor.process, limits::PROCESS),
            ("actor.identity", &actor.identity, limits::IDENTITY),
        ] {
            if name.len() > most || name.chars().any(char::is_control) {
                return Err(refusal::bad_author(field, most));
            }
        }
    }
    if filter.as_ref().is_some_and(|filter| filter.steps.len() > MAX_STEPS) {
        return Err(refusal::long_filter());
    }
    match body {
        Body::UpdateTable(update) if update.profiles.len() > ProfileId::COUNT => {
            Err(refusal::many_profiles(update.profiles.len()))
        }
        _ => Ok(()),
    }
}

/// Reasons of the refusals that mean that a bound was reached. Without a reason, an lcore is behind.
const REASONS: [&str; 5] = ["", "BAD_AUTHOR", "FILTER_TOO_LONG", "TOO_MANY_AUTHORS", "TOO_MANY_PROFILES"];

/// Logs the bounds that a link reaches, each once.
#[derive(Debug, Default)]
pub(super) struct Noted([bool; REASONS.len()]);

impl Noted {
    /// Takes in the answer to a command that was refused before any shard has seen it.
    pub(super) fn refusal(&mut self, reply: &v1::Reply) {
        let reached = REASONS.iter().zip(&mut self.0).find(|(reason, _)| **reason == reply.reason);
        if let Some((_, noted)) = reached
            && !std::mem::replace(noted, true)
        {
            warn!("a command of the control service is refused: {}; said once a link", reply.message);
        }
    }
}

/// Returns a text of the control service as the log shows it: cut, and without characters that a
/// terminal would obey.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(SHOWN) {
        match c {
            '"' | '\'' | '\\' => out.push(c),
            c => out.extend(c.escape_debug()),
        }
    }
    if text.chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_for_the_log_are_short_and_plain() {
        assert_eq!(
            shown("data plane \"a\" is attached\\already – ü"),
            "data plane \"a\" is attached\\already – ü"
        );
        assert_eq!(shown("\u{1b}]0;x\u{7}\r\n\u{202e}"), "\\u{1b}]0;x\\u{7}\\r\\n\\u{202e}");
        assert_eq!(shown(&"é".repeat(1 << 20)), "é".repeat(SHOWN) + "…");
    }
}
