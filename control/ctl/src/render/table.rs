//! Lines for people, one per thing, columns aligned.

use std::fmt::Write;

use flowtracker_proto::table::TableDescription;
use flowtracker_proto::v1::{
    DataplaneStats, DeleteReason, Entity, Entry, Event, EventType, FlushEntriesResponse, GetStatsResponse,
    LcoreStats, LifecycleKind, ListDataplanesResponse, Outcomes, Table,
};

use super::printable::one_line;
use super::{busy, compact_key, duration, loop_time, other_pipeline, tables, utc};

/// Appends the heading of [`entry`].
pub(crate) fn entry_heading(out: &mut String) {
    let _ = writeln!(
        out,
        "{:<52} {:>8} {:>8} {:>8} {:>10} {:>12}",
        "KEY", "AGE", "IDLE", "AGING", "PACKETS", "BYTES"
    );
}

/// Appends one entry.
pub(crate) fn entry(out: &mut String, table: &TableDescription, entry: &Entry) {
    let aging = if entry.dynamic { duration(entry.aging_ms) } else { "static".to_owned() };
    // The packet that creates an entry is counted: a learned entry without packets comes from a
    // data plane that does not count packets.
    let learned = entry.created_by.as_ref().is_some_and(|actor| actor.entity() == Entity::Kernel);
    let count = |n: u64| if learned && entry.packets == 0 { "-".to_owned() } else { n.to_string() };
    let _ = writeln!(
        out,
        "{:<52} {:>8} {:>8} {:>8} {:>10} {:>12}",
        compact_key(table, entry.key.as_ref()),
        duration(entry.created_ms_ago),
        duration(entry.idle_ms),
        aging,
        count(entry.packets),
        count(entry.bytes)
    );
}

/// Appends one event. PROGRESS prints nothing, because nothing happened.
pub(crate) fn event(out: &mut String, table: &TableDescription, event: &Event) {
    if event.r#type() == EventType::Progress {
        return;
    }
    let _ = writeln!(out, "{} {}", utc(event.time.as_ref()), event_words(table, event));
}

/// Returns the text of an event, without its time.
pub(super) fn event_words(table: &TableDescription, event: &Event) -> String {
    let name = event.r#type().as_str_name().trim_start_matches("EVENT_TYPE_");
    match event.r#type() {
        EventType::Gap => format!("{name:<8}{}; state starts over", lost(event.gap_from, event.gap_to)),
        EventType::Flushed => {
            let of = other_pipeline(&event.pipeline);
            format!("{name} {} deleted, {} left{of}", event.deleted, event.failed)
        }
        EventType::Lifecycle => match event.lifecycle() {
            LifecycleKind::Purged => lifecycle(event, "purged"),
            LifecycleKind::Loaded => lifecycle(event, "loaded"),
            LifecycleKind::Unspecified => name.to_owned(),
        },
        _ => {
            let mut words = format!("{name:<8}");
            if let Some(entry) = &event.entry {
                let _ = write!(words, "{}", compact_key(table, entry.key.as_ref()));
            }
            if event.reason() != DeleteReason::Unspecified {
                let reason = event.reason().as_str_name().trim_start_matches("DELETE_REASON_");
                let _ = write!(words, " {}", reason.to_ascii_lowercase());
            }
            words.trim_end().to_owned()
        }
    }
}

fn lifecycle(event: &Event, done: &str) -> String {
    format!("LIFECYCLE {} {done}{}", one_line(&event.dataplane), other_pipeline(&event.pipeline))
}

/// Returns the extent of a gap; 0 stands for an unknown beginning.
fn lost(from: u64, to: u64) -> String {
    match (from, to.saturating_sub(from)) {
        (0, _) => "events are lost, how many is not known".to_owned(),
        (_, 0) => format!("event {from} is lost"),
        (_, more) => format!("events {from} to {to} are lost ({})", more + 1),
    }
}

/// Appends the result of a flush.
pub(crate) fn flushed(out: &mut String, response: FlushEntriesResponse) {
    let _ = write!(out, "{} deleted", response.deleted);
    if response.failed != 0 {
        let _ = write!(out, ", {} left: their permissions have no D for the control plane", response.failed);
    }
    out.push('\n');
}

/// Appends attributes and occupation of a table.
pub(crate) fn attributes(out: &mut String, table: &Table) {
    let detached = if table.detached { ", detached" } else { "" };
    let of = other_pipeline(&table.pipeline);
    let _ = writeln!(out, "{} {}{of}{detached}", one_line(&table.dataplane), one_line(&table.name));
    let _ = writeln!(out, "  {:<14} {} of {}", "entries", table.entries, table.max_entries);
    let _ = writeln!(
        out,
        "  {:<14} {:#x} {}",
        "permissions",
        table.permissions,
        one_line(&table.permissions_text)
    );
    for profile in &table.profiles {
        let learn = if profile.profile_id == table.learn_profile_id { ", of learned entries" } else { "" };
        let name = format!("profile {}", profile.profile_id);
        let _ = writeln!(out, "  {name:<14} {} ms{learn}", profile.aging_ms);
    }
    for shard in &table.shards {
        let name = format!("lcore {}", shard.lcore);
        let _ = writeln!(out, "  {name:<14} {} of {}", shard.entries, shard.capacity);
    }
}

/// Appends the data planes.
pub(crate) fn dataplanes(out: &mut String, response: &ListDataplanesResponse) {
    let _ = writeln!(out, "{:<20} {:<10} {:>10} {:<12} PORTS", "NAME", "STATE", "ENTRIES", "VERSION");
    for d in &response.dataplanes {
        let state = match (d.attached, d.synced) {
            (true, true) => "attached",
            (true, false) => "resyncing",
            (false, _) => "away",
        };
        let (name, version, ports) = (one_line(&d.name), one_line(&d.version), d.ports.join(","));
        let ports = one_line(&ports);
        let _ = writeln!(out, "{name:<20} {state:<10} {:>10} {version:<12} {ports}", d.entries);
    }
}

/// Appends counters of data planes: a line per lcore and their sum. BUSY is the share of poll
/// iterations that found a frame; LOOP50 and LOOP999 are quantiles (p50, p99.9) of an iteration's
/// time. The tables have lines of their own where a data plane has several, or with `of_one`, when
/// only one of them was asked for.
pub(crate) fn stats(out: &mut String, response: &GetStatsResponse, of_one: bool) {
    for dataplane in &response.dataplanes {
        dataplane_stats(out, dataplane, of_one);
    }
    if let Some(log) = &response.log {
        let _ = writeln!(
            out,
            "log: epoch {} events {} oldest {} watchers {} gaps {}",
            log.epoch, log.last_seq, log.oldest_seq, log.watchers, log.gaps
        );
    }
}

fn dataplane_stats(out: &mut String, stats: &DataplaneStats, of_one: bool) {
    let state = if stats.live { "live" } else { "last known" };
    let _ = writeln!(out, "{} ({state})", one_line(&stats.dataplane));
    lcore_lines(out, &stats.lcores);
    let _ = writeln!(out, "  outcomes: {}", counted(&outcome_sums(&stats.lcores)));
    let tables = tables(&stats.lcores);
    if of_one || tables.len() > 1 {
        for t in tables {
            let outcomes = [
                ("hit", t.hit),
                ("miss_created", t.miss_created),
                ("miss_full", t.miss_full),
                ("miss_denied", t.miss_denied),
            ];
            let (of, outcomes) = (one_line(&t.pipeline), counted(&outcomes));
            let _ = writeln!(out, "  {of}: entries {} of {}; {outcomes}", t.entries, t.capacity);
        }
    }
    for l in stats.lcores.iter().filter(|l| l.stalls != 0) {
        let now = if l.stalled { ", now too" } else { "" };
        let _ =
            writeln!(out, "  lcore {} stood still for a second or longer: {} times{now}", l.lcore, l.stalls);
    }
    for port in &stats.ports {
        let link = if port.link_up { "up" } else { "down" };
        let _ = writeln!(
            out,
            "  {} ({}, {link}): rx {} tx {} missed {} errors {} nombuf {}",
            one_line(&port.port),
            one_line(&port.device),
            port.rx_packets,
            port.tx_packets,
            port.rx_missed,
            port.rx_errors + port.tx_errors,
            port.rx_nombuf
        );
    }
}

/// Returns the counts that are not 0, with their names.
fn counted(outcomes: &[(&str, u64)]) -> String {
    let seen = outcomes.iter().filter(|(_, frames)| *frames != 0);
    let seen: Vec<String> = seen.map(|(name, frames)| format!("{name} {frames}")).collect();
    if seen.is_empty() { "none yet".to_owned() } else { seen.join(" ") }
}

/// Appends a line for each lcore, and one for their sum where there are several.
fn lcore_lines(out: &mut String, lcores: &[LcoreStats]) {
    let _ = writeln!(
        out,
        "  {:<6} {:>12} {:>12} {:>10} {:>12} {:>10} {:>10} {:>10} {:>10} {:>5} {:>7} {:>7}",
        "LCORE",
        "RX",
        "TX",
        "TXDROP",
        "HIT",
        "CREATED",
        "EXPIRED",
        "DELETED",
        "ENTRIES",
        "BUSY",
        "LOOP50",
        "LOOP999"
    );
    let mut sum = LcoreStats::default();
    let mut created = 0;
    let mut hit = 0;
    for l in lcores {
        let outcomes = l.outcomes.unwrap_or_default();
        lcore_line(out, &l.lcore.to_string(), l, outcomes.hit, outcomes.miss_created);
        hit += outcomes.hit;
        created += outcomes.miss_created;
        sum.rx += l.rx;
        sum.tx += l.tx;
        sum.tx_dropped += l.tx_dropped;
        sum.expired += l.expired;
        sum.deleted += l.deleted;
        sum.entries += l.entries;
        sum.polls += l.polls;
        sum.busy_polls += l.busy_polls;
        sum.loop_time.resize(sum.loop_time.len().max(l.loop_time.len()), 0);
        sum.loop_time.iter_mut().zip(&l.loop_time).for_each(|(sum, count)| *sum += count);
    }
    if lcores.len() > 1 {
        lcore_line(out, "all", &sum, hit, created);
    }
}

/// Returns the frames of all lcores by outcome; they add up to the received frames.
fn outcome_sums(lcores: &[LcoreStats]) -> [(&'static str, u64); 11] {
    let sum =
        |field: fn(&Outcomes) -> u64| lcores.iter().filter_map(|l| l.outcomes.as_ref()).map(field).sum();
    [
        ("hit", sum(|o| o.hit)),
        ("miss_created", sum(|o| o.miss_created)),
        ("miss_full", sum(|o| o.miss_full)),
        ("miss_denied", sum(|o| o.miss_denied)),
        ("truncated", sum(|o| o.truncated)),
        ("not_tracked_ethertype", sum(|o| o.not_tracked_ethertype)),
        ("malformed", sum(|o| o.malformed)),
        ("extension_limit", sum(|o| o.extension_limit)),
        ("fragment", sum(|o| o.fragment)),
        ("not_tracked_protocol", sum(|o| o.not_tracked_protocol)),
        ("detached", sum(|o| o.detached)),
    ]
}

fn lcore_line(out: &mut String, name: &str, l: &LcoreStats, hit: u64, created: u64) {
    let _ = writeln!(
        out,
        "  {:<6} {:>12} {:>12} {:>10} {:>12} {:>10} {:>10} {:>10} {:>10} {:>5} {:>7} {:>7}",
        name,
        l.rx,
        l.tx,
        l.tx_dropped,
        hit,
        created,
        l.expired,
        l.deleted,
        l.entries,
        busy(l.busy_polls, l.polls),
        loop_time(&l.loop_time, 500),
        loop_time(&l.loop_time, 999)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lcores_show_how_busy_they_are_and_how_long_their_loop_takes() {
        let lcore = |lcore, busy_polls, loop_time| LcoreStats {
            lcore,
            rx: 10,
            polls: 1000,
            busy_polls,
            loop_time,
            ..LcoreStats::default()
        };
        let lcores = vec![lcore(1, 10, vec![0, 999]), lcore(2, 500, vec![0, 1, 0, 1000])];
        let dataplane =
            DataplaneStats { dataplane: "lab".to_owned(), lcores, live: true, ..DataplaneStats::default() };
        let mut text = String::new();
        stats(&mut text, &GetStatsResponse { dataplanes: vec![dataplane], log: None }, false);
        let (before, _) = text.split_once("  BUSY").unwrap();
        let at = before.lines().last().unwrap().len();
        let ends: Vec<&str> = text.lines().skip(1).take(4).map(|line| &line[at..]).collect();
        assert_eq!(
            ends,
            [
                "  BUSY  LOOP50 LOOP999",
                "    1%    16ns    16ns",
                "   50%    32ns    32ns",
                "   26%    16ns    32ns",
            ],
            "{text}"
        );
    }
}
