//! Takes in what one data plane sends: reports for the mirror, and answers for those who asked.
//!
//! The records of each shard are numbered, so that a hole closes the link instead of going
//! unnoticed.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowtracker_proto::v1::{AttachRequest, Batch, Reply, attach_request};
use tokio::sync::mpsc;
use tonic::{Code, Status, Streaming};

use crate::api::fault;
use crate::link::authors::Authors;
use crate::link::hello::Declared;
use crate::link::links::{Answer, Down, Link};
use crate::link::{refused, replies};
use crate::mirror::hub::{Hub, wall_ns};
use crate::stop::Stop;

/// The receiving end of one link.
pub(super) struct Ingest {
    pub(super) hub: Arc<Hub>,
    link: Arc<Link>,
    /// The number by which the mirror knows the link.
    number: u64,
    /// Number that the next record of each shard must have.
    expected: BTreeMap<u32, u64>,
    declared: Declared,
    authors: Authors,
}

impl Ingest {
    /// Makes the receiving end of a link that the mirror knows by `number`.
    pub(super) fn new(hub: Arc<Hub>, link: Arc<Link>, number: u64, declared: Declared) -> Self {
        let expected = declared.shards.iter().map(|shard| (*shard, 1)).collect();
        Self { hub, link, number, expected, declared, authors: Authors::default() }
    }

    /// Takes in what the data plane sends until the link ends.
    ///
    /// # Errors
    /// The status that ends the link.
    pub(super) async fn run(
        mut self,
        mut up: Streaming<AttachRequest>,
        down: &mpsc::Sender<Down>,
        mut stop: Stop,
    ) -> Result<(), Status> {
        self.hub.remove_foreign(self.link.name(), self.number, wall_ns()).await;
        loop {
            let message = tokio::select! {
                // In this order: a flood of messages must not delay the end of the service, and
                // messages that have arrived are taken in before the end of the connection is
                // noticed, because a good-bye is no broken link.
                biased;
                () = stop.wanted() => {
                    return Err(fault::refusal(Code::Unavailable, "SHUTDOWN", "the control service is stopping"));
                }
                message = up.message() => message.map_err(|status| refused::by_transport(&status))?,
                () = down.closed() => {
                    return Err(Status::unavailable("its link broke: the connection is gone, or pings are not answered"));
                }
            };
            let Some(message) = message else { return Ok(()) };
            match message.body {
                Some(attach_request::Body::Batch(batch)) => self.take_batch(&batch).await?,
                Some(attach_request::Body::Reply(reply)) => self.take_reply(reply)?,
                Some(attach_request::Body::Authors(authors)) => self.authors.introduce(authors)?,
                Some(attach_request::Body::Hello(_)) => {
                    return Err(fault::bad_field("hello", "must come only once"));
                }
                None => return Err(fault::bad_field("body", "must be batch, reply or authors")),
            }
        }
    }

    async fn take_batch(&mut self, batch: &Batch) -> Result<(), Status> {
        let Some(expected) = self.expected.get_mut(&batch.shard) else {
            let unknown = format!("{} was not named in Hello", batch.shard);
            return Err(fault::bad_field("batch.shard", unknown));
        };
        if batch.first_seq != *expected {
            let message =
                format!("shard {}: record {} was due, {} came", batch.shard, expected, batch.first_seq);
            return Err(fault::refusal(Code::DataLoss, "BATCH_HOLE", message));
        }
        self.authors.count_reports(&batch.records);
        let reports = self.authors.reports(&batch.records).map_err(|why| refused::by_report(why.into()))?;
        *expected += reports.len() as u64;
        let applied = self.hub.apply(self.link.name(), self.number, batch.shard, reports).await;
        applied.map_err(refused::by_report)
    }

    fn take_reply(&self, reply: Reply) -> Result<(), Status> {
        // Who has stopped waiting gets nothing, however much comes.
        if !self.link.take_from_budget(reply.id, replies::entries(&reply))? {
            return Ok(());
        }
        let mut reply = replies::check(reply, &self.declared)?;
        let entries = self.authors.entries(&std::mem::take(&mut reply.records))?;
        self.link.deliver(Answer { reply, entries });
        Ok(())
    }
}
