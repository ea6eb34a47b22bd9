//! The text of P4TC's `tc`, byte for byte, in the form that names an author on one line
//! (`created by: kernel (id 1)`).

use std::fmt::Write;

use flowtracker_proto::Timestamp;
use flowtracker_proto::table::{KeyField, MATCH_TYPE, TableDescription};
use flowtracker_proto::v1::{Actor, Entity, Entry, Event, EventType, Table};
use jiff::tz::TimeZone;

use super::printable::one_line;
use super::{Done, actions, key_values, miss_action};

/// The message of `tc` on standard error when its socket has overrun and events are lost.
pub(crate) const OVERRUN: &str = "netlink receive error No buffer space available (105)";

/// The form of the times in front of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// No time.
    #[default]
    None,
    /// `-timestamp`: on a line of its own.
    Long,
    /// `-tshort`: in front of the first line.
    Short,
}

/// Appends the first line of a message about entries of `table`.
pub(crate) fn pipeline(out: &mut String, table: &TableDescription, done: Option<Done>) {
    if let Some(done) = done {
        let _ = write!(out, "{} ", done.word());
    }
    let _ = writeln!(out, "pipeline:  {}(id {})", table.pipeline, table.pipeline_id);
}

/// Appends the message that a flush has deleted this number of entries.
pub(crate) fn flushed(out: &mut String, table: &TableDescription, deleted: u64) {
    pipeline(out, table, Some(Done::Flushed));
    let _ = writeln!(out, "    table entry flush count {deleted}\n");
}

/// Appends an event that P4TC has: created, updated, deleted, flushed. Others print nothing.
pub(crate) fn event(out: &mut String, table: &TableDescription, event: &Event, details: bool) {
    let done = match event.r#type() {
        EventType::Created => Done::Created,
        EventType::Updated => Done::Updated,
        EventType::Deleted => Done::Deleted,
        EventType::Flushed => return flushed(out, table, event.deleted),
        _ => return,
    };
    if let Some(shown) = &event.entry {
        pipeline(out, table, Some(done));
        entry(out, table, shown, details);
    }
}

/// Appends an entry without its first line.
pub(crate) fn entry(out: &mut String, table: &TableDescription, entry: &Entry, details: bool) {
    let _ = writeln!(
        out,
        " table: {}(id {})entry priority {}[permissions {}]",
        table.name,
        table.id,
        entry.priority,
        one_line(&entry.permissions_text)
    );
    out.push_str("    entry key\n");
    let key = entry.key.clone().unwrap_or_default();
    for (KeyField { name, id, r#type, .. }, value) in key_values(table, &key) {
        let bits = r#type.bits();
        let _ = writeln!(out, "     {name} id:{id} size:{bits}b type:{type} {MATCH_TYPE} fieldval  {value}");
    }
    author(out, "create", entry.created_by.as_ref(), details);
    author(out, "update", entry.updated_by.as_ref(), details);
    author(out, "delete", entry.deleted_by.as_ref(), details);
    let _ = writeln!(out, "    dynamic {}", entry.dynamic);
    if entry.dynamic {
        let _ = writeln!(out, "    table aging {}", entry.aging_ms);
    }
    let (created, used) = (entry.created_ms_ago / 1000, entry.idle_ms / 1000);
    if created > 0 {
        let _ = write!(out, "    created {created} sec");
    }
    if used > 0 {
        let _ = write!(out, "    used {used} sec");
    }
    if created > 0 || used > 0 {
        out.push('\n');
    }
    let _ = writeln!(out, "    tmpl created {}\n", entry.tmpl_created);
}

/// Appends `    created by: kernel (id 1)`, and with details the pid and the process.
fn author(out: &mut String, verb: &str, actor: Option<&Actor>, details: bool) {
    let Some(actor) = actor else { return };
    let _ = writeln!(out, "    {verb}d by: {} (id {})", entity(actor), actor.entity);
    if details {
        if shows_pid(actor) {
            let _ = writeln!(out, "    {verb} by pid: {}", actor.pid);
        }
        if !actor.process.is_empty() {
            let _ = writeln!(out, "    {verb}d by process: {}", one_line(&actor.process));
        }
    }
}

/// Returns the name of the actor's entity, as in `/etc/iproute2/p4tc_entities`.
pub(super) fn entity(actor: &Actor) -> &'static str {
    match Entity::try_from(actor.entity) {
        Ok(Entity::Unspecified) => "unspec",
        Ok(Entity::Kernel) => "kernel",
        Ok(Entity::Tc) => "tc",
        Ok(Entity::Timer) => "timer",
        Err(_) => "??",
    }
}

/// Returns true where P4TC prints the pid: when there is one, and for the 0 of kernel and timer.
pub(super) fn shows_pid(actor: &Actor) -> bool {
    actor.pid != 0 || matches!(actor.entity(), Entity::Kernel | Entity::Timer)
}

/// Appends the time in front of an event, in local time.
pub(crate) fn stamp(out: &mut String, time: Option<&Timestamp>, stamp: Stamp) {
    let time = time.and_then(|t| jiff::Timestamp::new(t.seconds, t.nanos).ok()).unwrap_or_default();
    let local = time.to_zoned(TimeZone::system());
    let usec = local.subsec_nanosecond() / 1000;
    match stamp {
        Stamp::None => {}
        Stamp::Long => {
            let _ = writeln!(out, "Timestamp: {} {usec:06} usec", local.strftime("%a %b %e %H:%M:%S %Y"));
        }
        Stamp::Short => {
            let _ = write!(out, "[{}.{usec:06}] ", local.strftime("%Y-%m-%dT%H:%M:%S"));
        }
    }
}

/// Appends the table's template, as `p4template get` shows it.
pub(crate) fn table(out: &mut String, described: &TableDescription, table: &Table) {
    let _ = write!(
        out,
        "templates obj type table\n\
         pipeline name {}\n\
         pipeline id {}\n\
         \x20   table id {}\n\
         \x20   table name {}\n\
         \x20    table keysz {}\n\n\
         \x20    max_entries {}\n\n\
         \x20    masks 1\n\n\
         \x20    table entries {}\n\
         \x20   permissions {}\n\
         \x20   table type {MATCH_TYPE}\n\n\
         \x20   default_miss:\n\n\
         \taction order 1: {}  index 1 ref 1 bind 1\n\
         \t params:\n\n\n\
         \x20   acts list:\n",
        described.pipeline,
        described.pipeline_id,
        described.id,
        one_line(&table.name),
        table.key_bits,
        table.max_entries,
        table.entries,
        one_line(&table.permissions_text),
        miss_action(described)
    );
    for (name, place) in actions(described) {
        let _ = writeln!(out, "        act name {name}\n        act flags {place}\n");
    }
    let _ = writeln!(out, "\n    num timer profiles {}\n    profiles:", table.profiles.len());
    for profile in &table.profiles {
        let _ = writeln!(
            out,
            "        profile id {}\n        profile aging {}\n",
            profile.profile_id, profile.aging_ms
        );
    }
    out.push_str("\n\n");
}
