//! Writes of the control plane during the faults.

use std::time::{Duration, Instant};

use flowtracker_proto::v1;

use super::{AGAIN, KEPT, LIMIT, NARROW, Step, Trial};
use crate::generated;
use crate::process::wait_for;
use crate::watcher::Caller;

/// The pipelines of the tables.
const PIPELINES: [&str; 2] = ["flowtracker", "flowtracker_ipv6"];

/// Numbers of writes that succeeded.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) flushed: u64,
    pub(super) purged: u64,
}

impl Trial {
    /// Repeats the kinds of writes that have not succeeded yet, so that each has succeeded at least
    /// once.
    pub(super) fn write_each_way(&mut self) {
        let deadline = Instant::now() + LIMIT;
        loop {
            let Written { created, updated, flushed, .. } = self.written;
            let missing = [self.deleted == 0, created == 0, updated == 0, flushed == 0];
            if missing == [false; 4] {
                return;
            }
            assert!(Instant::now() < deadline, "no answer to writes: {:?}", self.written);
            let writes: [fn(&mut Self); 4] =
                [Self::delete_some, Self::create_one, Self::update_one, Self::flush_some];
            for (write, _) in writes.iter().zip(missing).filter(|(_, missing)| *missing) {
                write(self);
            }
            std::thread::sleep(Duration::from_millis(AGAIN));
        }
    }

    /// Returns the caller for writes: one with a short limit when no answer can arrive.
    pub(super) fn writer(&self) -> &Caller {
        if self.filling || self.stopped { &self.hasty } else { &self.impatient }
    }

    /// Returns the key of one of the kept flows, chosen at random.
    pub(super) fn kept_key(&mut self) -> v1::Key {
        let flow = self.dice.between(0, KEPT.0 - 1);
        generated::key(flow, self.plan.shards)
    }

    /// Returns the pipeline of one of the tables, or nothing for both.
    fn some_tables(&mut self) -> String {
        ["", PIPELINES[0], PIPELINES[1]][self.dice.between(0, 2) as usize].to_owned()
    }

    /// Deletes a few of the kept entries; their next packets create them again.
    pub(super) fn delete_some(&mut self) {
        for _ in 0..self.dice.between(1, 3) {
            let request = v1::DeleteEntryRequest { key: Some(self.kept_key()), ..Default::default() };
            match self.writer().call(async |client| client.delete_entry(request).await) {
                Ok(_) => self.deleted += 1,
                // The service is away, and the other deletions would fail as well.
                Err(_) => return,
            }
        }
    }

    /// Creates an entry that no packet belongs to; it expires by itself.
    pub(super) fn create_one(&mut self) {
        self.asked_for += 1;
        // No flow of the generator has this port.
        let src_port = self.asked_for as u32 % 65_536;
        let key = v1::Key { dst_port: 1, src_port, ..self.kept_key() };
        let request = v1::CreateEntryRequest { key: Some(key), dynamic: Some(true), ..Default::default() };
        let answer = self.writer().call(async |client| client.create_entry(request).await);
        self.written.created += u64::from(answer.is_ok());
    }

    /// Updates a kept entry, with any of the timer profiles: it keeps its creation, and its timer
    /// starts anew.
    pub(super) fn update_one(&mut self) {
        let profile_id = Some(self.dice.between(0, 3) as u32);
        let request = v1::UpdateEntryRequest { key: Some(self.kept_key()), profile_id, ..Default::default() };
        let answer = self.writer().call(async |client| client.update_entry(request).await);
        self.written.updated += u64::from(answer.is_ok());
    }

    /// Changes the idle time of the last timer profile. Entries keep theirs.
    pub(super) fn update_table(&mut self) {
        let aging_ms = self.plan.profiles()[3] + self.dice.between(0, 3) * 100;
        let profiles = vec![v1::TimerProfile { profile_id: 3, aging_ms }];
        let pipeline = PIPELINES[self.dice.between(0, 1) as usize].to_owned();
        let request = v1::UpdateTableRequest { profiles, pipeline, ..Default::default() };
        // A service that is away refuses it, which is no fault.
        let _ = self.writer().call(async |client| client.update_table(request).await);
    }

    /// Lists the entries with a filter, and begins a list of all whose reader goes away.
    pub(super) fn list(&mut self) {
        let filter = format!("key.srcAddr = \"{NARROW}\" && msecs_since < {}", self.dice.between(1, 10_000));
        let pipeline = self.some_tables();
        let all = v1::ListEntriesRequest { pipeline, ..Default::default() };
        let some = v1::ListEntriesRequest { filter, ..all.clone() };
        // As with every call, a service that is away is no fault.
        let _ = self.writer().call(async |client| {
            let mut answers = client.list_entries(some).await?.into_inner();
            while answers.message().await?.is_some() {}
            let mut answers = client.list_entries(all).await?.into_inner();
            answers.message().await.map(tonic::Response::new)
        });
    }

    /// Flushes the entries with the source port of a kept flow, and sometimes all entries.
    pub(super) fn flush_some(&mut self) {
        let all = self.dice.between(0, 5) == 0;
        let filter = if all { String::new() } else { format!("key.srcPort = {}", self.kept_key().src_port) };
        let pipeline = self.some_tables();
        let request = v1::FlushEntriesRequest { filter, pipeline, ..Default::default() };
        let answer = self.writer().call(async |client| client.flush_entries(request).await);
        self.written.flushed += u64::from(answer.is_ok());
    }

    /// Detaches the program of one table or of both for a while. It may be detached even if no
    /// answer arrived.
    pub(super) fn purge(&mut self) {
        if self.filling {
            // Without entries the ring would never be full.
            return self.later(AGAIN, Step::Purge);
        }
        self.detached = true;
        let pipeline = self.some_tables();
        let request = v1::PurgeRequest { pipeline, ..Default::default() };
        let answer = self.writer().call(async |client| client.purge(request).await);
        self.written.purged += u64::from(answer.is_ok());
        let after = self.dice.between(0, 300);
        self.later(after, Step::Load);
    }

    pub(super) fn load(&mut self) {
        for pipeline in PIPELINES {
            let request = v1::LoadRequest { pipeline: pipeline.to_owned(), ..Default::default() };
            match self.writer().call(async |client| client.load(request).await) {
                Ok(_) => {}
                // It is attached already: it was never detached, or another command came first, or
                // the data plane has restarted.
                Err(status) if status.code() == tonic::Code::FailedPrecondition => {}
                Err(_) => return self.later(AGAIN, Step::Load),
            }
        }
        self.detached = false;
    }

    /// Attaches the program again if it is detached: a purge whose caller had given up may have
    /// arrived late.
    pub(super) fn attach_again(&mut self) {
        for pipeline in PIPELINES.map(str::to_owned) {
            let table = || {
                let request = v1::GetTableRequest { pipeline: pipeline.clone(), ..Default::default() };
                self.caller.call(async |client| client.get_table(request).await).ok()?.table
            };
            if wait_for("the table", LIMIT, table).detached {
                self.note(&format!("a late purge has detached {pipeline}"));
                let request = v1::LoadRequest { pipeline: pipeline.clone(), ..Default::default() };
                self.caller.call(async |client| client.load(request).await).expect("attached again");
            }
        }
    }
}
