//! The bounds of what a data plane answers, and its text made fit for terminals and logs.

use std::collections::HashSet;

use flowtracker_proto::table::Family;
use flowtracker_proto::v1::{DataplaneStats, Reply, ReplyStatus, Table};
use flowtracker_proto::{link, loop_time, text};
use tonic::Status;

use crate::api::fault;
use crate::link::hello::Declared;

/// Longest explanation of a refusal, bytes.
const MESSAGE_MAX: usize = 1024;
/// Longest other text, bytes.
const TEXT_MAX: usize = 256;
/// The most pairs of metadata of a refusal.
const METADATA_MAX: usize = 16;
/// The most fields at fault that a refusal names.
const FAULTS_MAX: usize = 64;
/// Buckets of the histogram of lateness.
const LATENESS_BUCKETS: usize = 16;
/// Timer profiles of a table.
const PROFILES: usize = 16;
/// Entries in the answer to any command, and parts of any answer.
const ENTRIES: usize = 4096;
const PARTS: usize = 64;
/// Entries that a part of a long answer has at least.
const PART_MIN: usize = 128;

/// How much of the answer to a command may still come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    entries: usize,
    parts: usize,
}

impl Budget {
    /// Returns that of an answer that may be as long as tables of `capacity` entries. A table has
    /// less than twice as many places as entries, and a dump visits each place once.
    pub(super) fn of_table(capacity: u64) -> Self {
        let table = usize::try_from(capacity).unwrap_or(usize::MAX).saturating_mul(2);
        let entries = table.saturating_add(ENTRIES);
        Self { entries, parts: entries / PART_MIN + PARTS }
    }

    /// Takes one part with this many entries. Returns false when the answer is too long.
    pub(super) fn take(&mut self, entries: usize) -> bool {
        let left = (self.entries.checked_sub(entries), self.parts.checked_sub(1));
        let (Some(entries), Some(parts)) = left else { return false };
        *self = Self { entries, parts };
        true
    }
}

/// Takes in a part of an answer: checks what has a number in Hello, and replaces control
/// characters. Only the last part has more than records.
///
/// # Errors
/// Names the field that is wrong.
pub(super) fn check(mut reply: Reply, declared: &Declared) -> Result<Reply, Status> {
    if reply.status() == ReplyStatus::Unspecified {
        return Ok(Reply { id: reply.id, records: reply.records, ..Reply::default() });
    }
    let bad = |field: &str, rule: &str| Err(fault::bad_field(&format!("reply.{field}"), rule));
    if reply.metadata.len() > METADATA_MAX {
        return bad("metadata", "has too many members");
    }
    if reply.faults.len() > FAULTS_MAX {
        return bad("faults", "has too many members");
    }
    for fault in &mut reply.faults {
        tidy(&mut fault.field, TEXT_MAX);
        tidy(&mut fault.message, TEXT_MAX);
    }
    tidy(&mut reply.message, MESSAGE_MAX);
    tidy(&mut reply.field, TEXT_MAX);
    if reply.reason.len() > TEXT_MAX || !reply.reason.bytes().all(is_of_reason) {
        return bad("reason", "must be in capitals");
    }
    let tidied = |mut text: String| {
        tidy(&mut text, TEXT_MAX);
        text
    };
    reply.metadata = reply.metadata.into_iter().map(|(key, value)| (tidied(key), tidied(value))).collect();
    if let Some(stats) = &mut reply.stats {
        check_stats(stats, declared)?;
    }
    if let Some(table) = &mut reply.table {
        check_table(table, declared)?;
    }
    Ok(reply)
}

/// Returns how many entries a reply has.
pub(super) fn entries(reply: &Reply) -> usize {
    reply.records.len() / link::LEN
}

fn check_stats(stats: &mut DataplaneStats, declared: &Declared) -> Result<(), Status> {
    let bad = |field: &str, rule: &str| Err(fault::bad_field(&format!("reply.stats.{field}"), rule));
    let mut seen = HashSet::new();
    for lcore in &stats.lcores {
        if !declared.shards.contains(&lcore.lcore) || !seen.insert(lcore.lcore) {
            return bad("lcores", "must be of lcores named in Hello, each once");
        }
        if lcore.expiry_lateness_log2_ms.len() > LATENESS_BUCKETS {
            return bad("lcores.expiry_lateness_log2_ms", "has too many buckets");
        }
        if lcore.loop_time.len() > loop_time::BUCKETS {
            return bad("lcores.loop_time", "has too many buckets");
        }
        let mut tables = HashSet::new();
        let declares = |pipeline: &str| {
            let family = Family::of_pipeline(pipeline).ok();
            family.is_some_and(|family| declared.capacities.get(family).is_some())
        };
        if !lcore.tables.iter().all(|t| declares(&t.pipeline) && tables.insert(&t.pipeline)) {
            return bad("lcores.tables", "must be of tables named in Hello, each once");
        }
    }
    if stats.ports.len() > declared.ports {
        return bad("ports", "must be no more than those named in Hello");
    }
    for port in &mut stats.ports {
        tidy(&mut port.port, TEXT_MAX);
        tidy(&mut port.device, TEXT_MAX);
    }
    let mut seen = HashSet::new();
    if !stats.ports.iter().all(|port| seen.insert(&port.port)) {
        return bad("ports", "must have each port once");
    }
    Ok(())
}

fn check_table(table: &mut Table, declared: &Declared) -> Result<(), Status> {
    let bad = |field: &str, rule: &str| Err(fault::bad_field(&format!("reply.table.{field}"), rule));
    if table.profiles.len() > PROFILES {
        return bad("profiles", "must be at most 16");
    }
    if table.shards.len() > declared.shards.len() {
        return bad("shards", "must be no more than those named in Hello");
    }
    let texts = [&mut table.dataplane, &mut table.pipeline, &mut table.name, &mut table.permissions_text];
    for text in texts {
        tidy(text, TEXT_MAX);
    }
    Ok(())
}

fn is_of_reason(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
}

/// Replaces control characters, and cuts the text between characters to `most` bytes.
fn tidy(text: &mut String, most: usize) {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or(0));
    if !text::is_printable(text) {
        *text = text::printable(text).into_owned();
    }
}
