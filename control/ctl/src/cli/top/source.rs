//! The source of the figures: two loops that query the service, one for counters and one for
//! entries, and never give up.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use flowtracker_proto::v1::{GetStatsRequest, GetStatsResponse, ListDataplanesRequest, ListEntriesRequest};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tonic::Status;

use super::flows::{Flows, Listing};
use crate::cli::connect::{Client, Target};
use crate::cli::{Failure, Options, connect};
use crate::render::printable::one_line;

/// The share of the time that listings may take, as its divisor.
const LISTING_SHARE: u32 = 10;

/// A report of the loops.
#[derive(Debug)]
pub(super) enum News {
    /// Counters.
    Stats(GetStatsResponse),
    /// Entries.
    Listed(Listing),
    /// The service does not answer, for this reason.
    Away(String),
    /// The service answers but gives no entries, for this reason.
    Unlisted(String),
}

/// The pace of the queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// Time between two answers.
    pub(super) interval: Duration,
    /// Whether queries are paused.
    pub(super) paused: bool,
}

/// A connection to the service, made again after it was lost.
pub(super) struct Service {
    target: Target,
    dataplane: String,
    pipeline: String,
    client: Option<Client>,
}

impl Service {
    pub(super) fn new(options: &Options) -> Self {
        let (dataplane, pipeline) = (options.dataplane.clone(), options.pipeline());
        Self { target: options.target.clone(), dataplane, pipeline, client: None }
    }

    async fn client(&mut self) -> Result<Client, Failure> {
        match &self.client {
            Some(client) => Ok(client.clone()),
            None => Ok(self.client.insert(connect::client(&self.target).await?).clone()),
        }
    }

    /// Drops the connection after a failure that it may have caused.
    fn keep_if_good<T>(&mut self, result: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(Failure::Unreachable(_)) = result {
            self.client = None;
        }
        result
    }

    /// Returns the counters of the data planes.
    pub(super) async fn stats(&mut self) -> Result<GetStatsResponse, Failure> {
        let mut client = self.client().await?;
        let request = GetStatsRequest { dataplane: self.dataplane.clone(), pipeline: self.pipeline.clone() };
        let answer = self.target.ask(request, |r| client.get_stats(r)).await;
        self.keep_if_good(answer.map_err(Failure::from))
    }

    /// Lists all entries of the attached data planes, for the first `limit` rows.
    pub(super) async fn list(
        &mut self,
        flows: &mut Flows,
        limit: usize,
        clock: &Instant,
    ) -> Result<Listing, Failure> {
        let mut client = self.client().await?;
        let listing = self.listing(&mut client, flows, limit, clock).await;
        self.keep_if_good(listing)
    }

    async fn listing(
        &self,
        client: &mut Client,
        flows: &mut Flows,
        limit: usize,
        clock: &Instant,
    ) -> Result<Listing, Failure> {
        let Self { target, dataplane, pipeline, .. } = self;
        let mut round = flows.look(limit, clock.elapsed());
        let known = target.ask(ListDataplanesRequest {}, |r| client.list_dataplanes(r)).await?;
        let wanted = |name: &str| dataplane.is_empty() || name == dataplane;
        for plane in known.dataplanes.into_iter().filter(|d| d.attached && wanted(&d.name)) {
            let request = ListEntriesRequest {
                dataplane: plane.name,
                pipeline: pipeline.clone(),
                ..ListEntriesRequest::default()
            };
            let list = client.list_entries(connect::request(request));
            let mut stream = answered(target, list).await?.into_inner();
            while let Some(response) = answered(target, stream.message()).await? {
                let now = clock.elapsed();
                response.entries.iter().for_each(|entry| round.take(entry, now));
            }
        }
        Ok(round.finish(clock.elapsed()))
    }
}

/// Waits for the next part of a listing. A service that is silent for longer than the timeout counts
/// as away.
async fn answered<T>(target: &Target, answer: impl Future<Output = Result<T, Status>>) -> Result<T, Failure> {
    match tokio::time::timeout(target.timeout, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::Unreachable(format!("no answer for {:?}", target.timeout))),
    }
}

/// Reports counters, without end.
pub(super) async fn counters(
    mut service: Service,
    mut pace: watch::Receiver<Pace>,
    news: mpsc::Sender<News>,
) -> Infallible {
    loop {
        let since = Instant::now();
        until_due(&mut pace, since, |interval| interval).await;
        let report = match service.stats().await {
            Ok(stats) => News::Stats(stats),
            Err(failure) => News::Away(words(&failure)),
        };
        tell(&news, report).await;
    }
}

/// Reports the first `limit` rows of all orders, without end.
pub(super) async fn entries(
    mut service: Service,
    limit: usize,
    mut pace: watch::Receiver<Pace>,
    news: mpsc::Sender<News>,
    clock: Instant,
) -> Infallible {
    let mut flows = Flows::default();
    loop {
        let since = Instant::now();
        let report = match service.list(&mut flows, limit, &clock).await {
            Ok(listing) => News::Listed(listing),
            Err(failure) => News::Unlisted(words(&failure)),
        };
        let took = since.elapsed();
        tell(&news, report).await;
        until_due(&mut pace, since, |interval| period(interval, took)).await;
    }
}

/// Returns the time from the start of one listing to the start of the next, when one took `took`.
fn period(interval: Duration, took: Duration) -> Duration {
    interval.max(took * LISTING_SHARE)
}

/// Waits until `period` of the present interval has passed since `since`, and until nothing is
/// paused.
async fn until_due(pace: &mut watch::Receiver<Pace>, since: Instant, period: impl Fn(Duration) -> Duration) {
    loop {
        let Pace { interval, paused } = *pace.borrow_and_update();
        tokio::select! {
            () = tokio::time::sleep_until(since + period(interval)), if !paused => return,
            changed = pace.changed() => if changed.is_err() {
                // The sender of the pace has gone, and this task is about to be ended.
                std::future::pending::<()>().await;
            },
        }
    }
}

/// Sends a report. If the receiver has gone, this task is about to be ended.
async fn tell(news: &mpsc::Sender<News>, report: News) {
    let _ = news.send(report).await;
}

fn words(failure: &Failure) -> String {
    one_line(&failure.message().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn listing_takes_a_tenth_of_the_time_at_most() {
        assert_eq!(period(SECOND, Duration::from_millis(2)), SECOND);
        assert_eq!(period(SECOND, Duration::from_millis(100)), SECOND);
        assert_eq!(period(SECOND, 3 * SECOND), 30 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_interval_counts_at_once_and_a_pause_until_it_ends() {
        let (set, mut pace) = watch::channel(Pace { interval: 60 * SECOND, paused: false });
        let since = Instant::now();
        let waiting = tokio::spawn(async move {
            until_due(&mut pace, since, |interval| interval).await;
            since.elapsed()
        });
        tokio::time::sleep(10 * SECOND).await;
        set.send(Pace { interval: 20 * SECOND, paused: true }).unwrap();
        tokio::time::sleep(15 * SECOND).await;
        assert!(!waiting.is_finished(), "paused");
        set.send(Pace { interval: 30 * SECOND, paused: false }).unwrap();
        let took = waiting.await.unwrap();
        assert!((30 * SECOND..31 * SECOND).contains(&took), "{took:?}");
    }
}
