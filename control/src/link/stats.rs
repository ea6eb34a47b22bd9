//! The counters of the data planes: live from those that answer, else the last known.

use std::sync::Arc;
use std::time::Duration;

use flowtracker_proto::v1::{DataplaneStats, GetStatsResponse, StatsCommand, command};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::link::links::{Link, Links};
use crate::mirror::dataplane::DataplaneState;
use crate::mirror::hub::Hub;

/// Longest wait for a data plane's counters; then the last known ones are given.
pub const WITHIN: Duration = Duration::from_secs(2);

/// Returns the counters of all data planes whose name is `wanted`, and those of the log. A data
/// plane that has not answered by `deadline` is not waited for.
pub async fn gather(
    hub: &Arc<Hub>,
    links: &Links,
    wanted: impl Fn(&str) -> bool,
    deadline: Instant,
) -> GetStatsResponse {
    let mut answers = JoinSet::new();
    for known in hub.dataplanes().into_iter().filter(|known| wanted(&known.name)) {
        let (hub, link) = (hub.clone(), links.get(&known.name));
        answers.spawn(async move { of_one(&hub, link, &known, deadline).await });
    }
    let mut dataplanes = answers.join_all().await;
    dataplanes.sort_by(|a, b| a.dataplane.cmp(&b.dataplane));
    GetStatsResponse { dataplanes, log: Some(hub.log_stats()) }
}

/// Returns the counters of one data plane: live, or else the last known ones.
async fn of_one(
    hub: &Hub,
    link: Option<Arc<Link>>,
    known: &DataplaneState,
    deadline: Instant,
) -> DataplaneStats {
    let ask = async {
        let mut call = link?.call(command::Body::Stats(StatsCommand {}), deadline).ok()?;
        let mut given = None;
        while let Some(answer) = call.next().await.ok()? {
            given = answer.reply.stats.or(given);
        }
        given
    };
    match ask.await {
        Some(mut stats) => {
            known.name.as_ref().clone_into(&mut stats.dataplane);
            stats.live = true;
            hub.keep_stats(&known.name, Arc::new(stats.clone()));
            stats
        }
        None => stale(&known.name, known.stats.as_deref()),
    }
}

/// The last known counters of a data plane that does not answer.
fn stale(dataplane: &str, last: Option<&DataplaneStats>) -> DataplaneStats {
    let mut stats = last.cloned().unwrap_or_default();
    dataplane.clone_into(&mut stats.dataplane);
    stats.live = false;
    stats
}
