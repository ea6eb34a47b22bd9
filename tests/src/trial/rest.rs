//! The end of a trial: everything comes to rest, all watchers agree, and the programs end in order.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use flowtracker_proto::test_support::event::{self, Key, State};
use flowtracker_proto::test_support::fold::{Tables, difference};
use flowtracker_proto::v1;

use super::{DATAPLANE, KEPT, LIMIT, Trial};
use crate::process::wait_for;
use crate::watcher::Watcher;

/// Smallest number of entries at the end.
const ENTRIES: usize = 10_000;

/// What everybody knows while nothing happens.
struct Still {
    /// End of the log.
    epoch: u64,
    seq: u64,
    /// The table of the data plane.
    live: HashMap<Key, State>,
    /// The tables of each watcher.
    tables: Vec<Tables>,
    /// The tables of one that has just come.
    fresh: Tables,
    stats: v1::DataplaneStats,
    log: v1::LogStats,
}

impl Trial {
    /// Waits until everything comes to rest, and checks that all watchers agree.
    pub(super) fn judge(&mut self) {
        let Still { epoch, seq, live, tables, mut fresh, stats, log } = self.wait_still();
        assert!(live.len() >= ENTRIES, "{} entries are left", live.len());
        for (watcher, tables) in self.watchers.iter().zip(&tables) {
            let (tally, resumed) = watcher.tally();
            self.note(&format!("{}: {tally:?}, {resumed} streams begun anew", watcher.name()));
            let folded = tables.get(DATAPLANE).cloned().unwrap_or_default();
            let wanted = live.iter().filter(|(key, _)| watcher.covers(key));
            let wanted = wanted.map(|(key, state)| (*key, *state)).collect();
            let apart = difference(&folded, &wanted);
            assert_eq!(apart, None, "{} and the table at ({epoch}, {seq})", watcher.name());
            assert_eq!(tables.len(), 1, "there is one data plane");
        }
        let snapshot = fresh.remove(DATAPLANE).unwrap_or_default();
        assert_eq!(difference(&snapshot, &live), None, "a fresh snapshot and the table");
        let sum = |counter: fn(&v1::LcoreStats) -> u64| stats.lcores.iter().map(counter).sum::<u64>();
        assert_eq!(sum(|lcore| lcore.entries), live.len() as u64, "GetStats counts the table");
        let created = sum(|lcore| lcore.outcomes.unwrap_or_default().miss_created);
        let gone = sum(|lcore| lcore.expired + lcore.deleted);
        let here = live.len() as u64;
        let asked_for = self.asked_for;
        let count = format!("{created} learned, {asked_for} asked for, {gone} gone, {here} here");
        assert!(created <= gone + here, "what came and has not gone is there: {count}");
        assert!(gone + here <= created + asked_for, "what is there has come: {count}");
        self.note(&format!(
            "{} entries, {seq} events in the last epoch, {} gaps, {} entries deleted by us, {:?}, ring filled {} times",
            live.len(),
            log.gaps,
            self.deleted,
            self.written,
            self.filled
        ));
    }

    /// Waits for a rest, and reads what everybody knows. If something happens meanwhile, as when
    /// the machine is so busy that a kept flow expires, it waits for the next rest.
    fn wait_still(&mut self) -> Still {
        let deadline = Instant::now() + LIMIT;
        loop {
            let (epoch, seq) = self.wait_rest();
            let tables = self.watchers.iter().map(Watcher::tables).collect();
            let live = self.live_table();
            let mut fresh = self.stranger("a fresh snapshot");
            wait_for("a fresh snapshot", LIMIT, || fresh.position());
            let fresh = fresh.tables();
            let (stats, log) = wait_for("GetStats answers", LIMIT, || self.stats());
            if (log.epoch, log.last_seq) == (epoch, seq) {
                return Still { epoch, seq, live, tables, fresh, stats, log };
            }
            assert!(Instant::now() < deadline, "something happens at every rest");
        }
    }

    /// Waits until nothing expires any more and all watchers are at the end of the log, twice in a
    /// row, and returns that end.
    pub(super) fn wait_rest(&mut self) -> (u64, u64) {
        let mut before = None;
        let mut seen = String::new();
        let deadline = Instant::now() + LIMIT;
        while Instant::now() < deadline {
            self.check();
            let now = self.rest(&mut seen);
            if let (Some(now), true) = (now, now == before) {
                return now;
            }
            before = now;
            // The pause is longer than the granularity of the clock, so that due entries have time
            // to expire.
            std::thread::sleep(Duration::from_millis(400));
        }
        panic!("no rest within {LIMIT:?}: {seen}");
    }

    pub(super) fn rest(&mut self, seen: &mut String) -> Option<(u64, u64)> {
        let known = self.dataplanes();
        let stats = self.stats();
        let positions: Vec<_> = self.watchers.iter_mut().map(Watcher::position).collect();
        *seen = format!("{known:?}, {stats:?}, watchers at {positions:?}");
        let (stats, log) = stats?;
        let end = (log.epoch, log.last_seq);
        // With this number, only the kept flows have entries, and nothing is left to expire.
        let kept = stats.lcores.iter().map(|lcore| lcore.entries).sum::<u64>() == KEPT.0;
        let agreed = known?.synced && stats.live && positions.iter().all(|position| *position == Some(end));
        (kept && agreed).then_some(end)
    }

    pub(super) fn stats(&self) -> Option<(v1::DataplaneStats, v1::LogStats)> {
        let request = v1::GetStatsRequest { dataplane: DATAPLANE.to_owned(), ..Default::default() };
        let answer = self.impatient.call(async |client| client.get_stats(request).await).ok()?;
        Some((answer.dataplanes.into_iter().next()?, answer.log?))
    }

    pub(super) fn live_table(&self) -> HashMap<Key, State> {
        let entries = self.caller.entries().expect("ListEntries answers");
        let count = entries.len();
        let table: HashMap<Key, State> =
            entries.iter().map(|entry| event::entry(entry).expect("a sound entry")).collect();
        assert_eq!(table.len(), count, "each entry once");
        table
    }

    /// Ends everything in order, while the watchers that do not behave are still connected.
    pub(super) fn stop(mut self) {
        let mut dataplane = self.dataplane.take().expect("it was started again");
        let status = dataplane.terminate();
        assert_eq!(status.code(), Some(0), "data plane at SIGTERM: {status}\n{}", dataplane.output());
        let mut control = self.control.take().expect("it was started again");
        let status = control.0.terminate();
        assert_eq!(status.code(), Some(0), "control service at SIGTERM: {status}\n{}", control.0.output());
        self.traffic.close_stdin();
        let status = self.traffic.wait(LIMIT);
        assert_eq!(status.code(), Some(0), "traffic at its end: {status}\n{}", self.traffic.output());
    }
}
