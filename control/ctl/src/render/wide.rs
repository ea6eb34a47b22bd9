//! The lines of `table`, followed by everything else that is known.

use std::fmt::Write;

use flowtracker_proto::table::TableDescription;
use flowtracker_proto::v1::{Actor, Entry, Event, EventType};

use super::printable::one_line;
use super::table::event_words;
use super::utc;

/// Appends the heading of [`entry`].
pub(crate) fn entry_heading(out: &mut String) {
    super::table::entry_heading(out);
    widen(out, &format!("{:<14} {:<20} {:<27} {}", "PERMISSIONS", "DATAPLANE", "CREATED", "BY"));
}

/// Appends one entry.
pub(crate) fn entry(out: &mut String, table: &TableDescription, entry: &Entry) {
    super::table::entry(out, table, entry);
    let created = utc(entry.create_time.as_ref());
    let by = author(entry.created_by.as_ref());
    widen(
        out,
        &format!(
            "{:<14} {:<20} {created:<27} {by}",
            one_line(&entry.permissions_text),
            one_line(&entry.dataplane)
        ),
    );
}

/// Appends one event with its number; PROGRESS too.
pub(crate) fn event(out: &mut String, table: &TableDescription, event: &Event) {
    let words = match event.r#type() {
        EventType::Progress => "PROGRESS".to_owned(),
        _ => event_words(table, event),
    };
    let _ = write!(out, "{} {}/{} {words}", utc(event.time.as_ref()), event.epoch, event.seq);
    if let Some(entry) = &event.entry {
        let by =
            [&entry.deleted_by, &entry.updated_by, &entry.created_by].into_iter().find_map(Option::as_ref);
        let _ = write!(
            out,
            " {} by {} age {} ms idle {} ms packets {} bytes {} {}",
            one_line(&entry.dataplane),
            author(by),
            entry.created_ms_ago,
            entry.idle_ms,
            entry.packets,
            entry.bytes,
            one_line(&entry.permissions_text)
        );
    }
    out.push('\n');
}

/// Formats an author: `ctl[448]`, or the process alone where there is no pid.
fn author(actor: Option<&Actor>) -> String {
    match actor {
        None => "-".to_owned(),
        Some(actor) if actor.pid == 0 => one_line(&actor.process).into_owned(),
        Some(actor) => format!("{}[{}]", one_line(&actor.process), actor.pid),
    }
}

/// Appends columns to the line just written.
fn widen(out: &mut String, columns: &str) {
    if out.ends_with('\n') {
        out.pop();
    }
    let _ = writeln!(out, " {columns}");
}
