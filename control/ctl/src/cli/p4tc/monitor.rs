//! `monitor p4 events [PATH [filter EXPR]]`: prints the events that P4TC would have published.

use flowtracker_proto::v1::{DeleteReason, Event, EventType};

use super::flags::Flags;
use super::{Error, body, is_published, path, say};
use crate::cli::follow::Follower;
use crate::cli::origin::Origin;
use crate::cli::{Failure, output, print_events};
use crate::render::{self, tc};

/// The events that are wanted.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Wanted {
    /// The pipeline of the table whose events are wanted; empty for all tables.
    pipeline: String,
    /// The expression that they must match; empty for all.
    filter: String,
}

/// Reads the words after `monitor`.
pub(super) fn read(words: &[String]) -> Result<Wanted, Error> {
    let mut words = words.iter();
    match (words.next(), words.next()) {
        (Some(p4), Some(what)) if p4 == "p4" && "events".starts_with(what.as_str()) && !what.is_empty() => {}
        _ => return say("Only \"monitor p4 events\" is supported"),
    }
    let Some(path) = words.next() else { return Ok(Wanted::default()) };
    let pipeline = path::table(path)?.pipeline.to_owned();
    let filter = match words.next() {
        None => String::new(),
        Some(word) if word == "filter" => body::expression(words.as_slice())?,
        Some(word) => return say(format!("Unknown argument \"{word}\"")),
    };
    Ok(Wanted { pipeline, filter })
}

/// Prints events until interrupted.
pub(super) async fn run(flags: Flags, wanted: Wanted) -> Result<(), Failure> {
    let scope = flags.scope(wanted.pipeline, wanted.filter);
    let source = Follower::start(flags.target()?, scope, Origin::Now).await?;
    let mut seen = Seen::default();
    let render = move |out: &mut String, event: &Event| {
        if event.r#type() == EventType::Gap {
            output::complain(tc::OVERRUN);
        }
        if seen.shows(event) {
            tc::stamp(out, event.time.as_ref(), flags.stamp);
            tc::event(out, render::table_of_event(event), event, flags.details);
        }
    };
    print_events::print(source, render).await
}

/// Selects the events that P4TC would have published.
#[derive(Default)]
struct Seen {
    /// True after a gap, until SYNCED: what arrives then is present entries, not events.
    catching_up: bool,
}

impl Seen {
    fn shows(&mut self, event: &Event) -> bool {
        match event.r#type() {
            EventType::Gap => self.catching_up = true,
            EventType::Synced => self.catching_up = false,
            EventType::Flushed => return true,
            EventType::Created | EventType::Updated | EventType::Deleted => {
                let published = event.entry.as_ref().is_some_and(is_published);
                // FLUSHED reports a flush once.
                return published && !self.catching_up && event.reason() != DeleteReason::Flush;
            }
            EventType::Unspecified | EventType::Lifecycle | EventType::Progress => {}
        }
        false
    }
}
