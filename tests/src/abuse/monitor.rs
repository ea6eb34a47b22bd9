//! What everybody else experiences: a watcher's delay, `/healthz`, a list, the lcore, and the
//! service's memory.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use flowtracker_proto::loop_time;
use flowtracker_proto::v1::flow_tracker_service_client::FlowTrackerServiceClient;
use flowtracker_proto::v1::{
    CreateEntryRequest, DeleteEntryRequest, EventType, GetStatsRequest, Key, LcoreStats, Now, Start,
    WatchEventsRequest, start,
};
use tonic::transport::{Channel, Endpoint};

use super::scene::{DATAPLANE, Scene, resident};

/// Pause between two probes of health and memory.
const PROBE: Duration = Duration::from_millis(50);
/// Pause between two lists.
const LIST: Duration = Duration::from_millis(500);
/// Pause between two writes, each of which makes an event.
const WRITE: Duration = Duration::from_millis(10);
/// Time limit of a probe.
const WITHIN: Duration = Duration::from_secs(10);
/// Destination port of the monitor's own flows.
const OWN: u32 = 4242;

/// What was seen in a period.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Largest resident set of the service, bytes.
    pub resident: u64,
    /// Longest answer of `/healthz`.
    pub health: Duration,
    /// Probes of `/healthz` without an answer.
    pub unhealthy: u64,
    /// Longest list.
    pub list: Duration,
    /// Lists.
    pub lists: u64,
    /// Lists that were refused or cut, with the first message.
    pub unlisted: Vec<String>,
    /// Delays of events to the watcher.
    pub delays: Vec<Duration>,
    /// Whether the watcher's stream was ended, and why.
    pub cut: Option<String>,
    /// Writes without success, with the first message.
    pub unwritten: Vec<String>,
    /// Frames a second.
    pub frames: f64,
    /// The poll loop's p99.9, nanoseconds.
    pub loop_time: u64,
    /// Refusals by reason, of the whole run.
    pub refusals: BTreeMap<String, u64>,
}

impl Seen {
    /// Returns the p99 of the watcher's delay.
    #[must_use]
    pub fn delay(&self) -> Duration {
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        delays.get(delays.len() * 99 / 100).copied().unwrap_or(Duration::MAX)
    }
}

type Shared = Arc<Mutex<Seen>>;

/// The threads that look, and the connections that they had before any attack.
pub struct Monitor {
    seen: Shared,
    ending: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    runtime: tokio::runtime::Runtime,
    stats: FlowTrackerServiceClient<Channel>,
    http: SocketAddr,
    pid: u32,
}

impl Monitor {
    /// Starts to look at the scene.
    ///
    /// # Panics
    /// When the service does not answer.
    #[must_use]
    pub fn start(scene: &Scene) -> Self {
        let seen = Shared::default();
        let ending = Arc::new(AtomicBool::new(false));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let stats = runtime.block_on(client(scene.grpc));
        let mut monitor = Self {
            seen,
            ending,
            threads: Vec::new(),
            runtime,
            stats,
            http: scene.http,
            pid: scene.service(),
        };
        monitor.watch(scene.grpc);
        monitor.write(scene.grpc);
        let (http, pid) = (scene.http, scene.service());
        monitor.every(PROBE, move |seen| {
            let since = Instant::now();
            let well = get(http, "/healthz").is_some_and(|page| page.starts_with("HTTP/1.1 200"));
            let took = since.elapsed();
            let mut seen = lock(seen);
            seen.health = seen.health.max(took);
            seen.unhealthy += u64::from(!well);
        });
        monitor.every(PROBE, move |seen| {
            let now = resident(pid);
            let mut seen = lock(seen);
            seen.resident = seen.resident.max(now);
        });
        let mut ctl = scene.ctl();
        ctl.args(["--dataplane", DATAPLANE, "list", "filter", &format!("key.dstPort = {OWN}")]);
        monitor.every(LIST, move |seen| {
            let since = Instant::now();
            let output = ctl.output().expect("ctl runs");
            let mut seen = lock(seen);
            seen.list = seen.list.max(since.elapsed());
            seen.lists += 1;
            if !output.status.success() {
                seen.unlisted.push(String::from_utf8_lossy(&output.stderr).trim().to_owned());
            }
        });
        monitor
    }

    /// Does `look` again and again in a thread of its own.
    fn every(&mut self, pause: Duration, mut look: impl FnMut(&Shared) + Send + 'static) {
        let (seen, ending) = (self.seen.clone(), self.ending.clone());
        self.threads.push(std::thread::spawn(move || {
            while !ending.load(Ordering::Relaxed) {
                look(&seen);
                std::thread::sleep(pause);
            }
        }));
    }

    /// Watches the monitor's own flows.
    fn watch(&self, grpc: SocketAddr) {
        let seen = self.seen.clone();
        let (ready, wait) = std::sync::mpsc::channel();
        self.runtime.spawn(async move {
            let request = WatchEventsRequest {
                filter: format!("key.dstPort = {OWN}"),
                dataplane: String::new(),
                pipeline: String::new(),
                start: Some(Start { at: Some(start::At::Now(Now {})) }),
            };
            let mut client = client(grpc).await;
            let mut stream = client.watch_events(request).await.expect("a watch").into_inner();
            let _ = ready.send(());
            let cut = loop {
                match stream.message().await {
                    Ok(Some(response)) => {
                        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                        let changes = response.events.iter().filter(|event| {
                            matches!(event.r#type(), EventType::Created | EventType::Deleted)
                        });
                        let delay = |time: flowtracker_proto::Timestamp| {
                            let at = Duration::new(time.seconds.max(0) as u64, time.nanos.max(0) as u32);
                            now.saturating_sub(at)
                        };
                        lock(&seen).delays.extend(changes.filter_map(|event| event.time).map(delay));
                    }
                    Ok(None) => break "the stream has ended".to_owned(),
                    Err(status) => break status.message().to_owned(),
                }
            };
            lock(&seen).cut = Some(cut);
        });
        wait.recv_timeout(WITHIN).expect("a watch");
    }

    /// Creates and deletes entries, whose events the watcher gets.
    fn write(&self, grpc: SocketAddr) {
        let (seen, ending) = (self.seen.clone(), self.ending.clone());
        self.runtime.spawn(async move {
            let mut client = client(grpc).await;
            let mut n = 0;
            while !ending.load(Ordering::Relaxed) {
                let key = Key {
                    input_port: "port0".to_owned(),
                    src_addr: "192.0.2.1".to_owned(),
                    dst_addr: "192.0.2.2".to_owned(),
                    protocol: 6,
                    src_port: 1 + n % 60_000,
                    dst_port: OWN,
                };
                n += 1;
                let dataplane = DATAPLANE.to_owned();
                let create = CreateEntryRequest {
                    key: Some(key.clone()),
                    dataplane: dataplane.clone(),
                    ..Default::default()
                };
                let delete = DeleteEntryRequest { key: Some(key), dataplane, ..Default::default() };
                let written = match client.create_entry(create).await {
                    Ok(_) => client.delete_entry(delete).await.map(drop),
                    Err(status) => Err(status),
                };
                if let Err(status) = written {
                    lock(&seen).unwritten.push(status.message().to_owned());
                }
                tokio::time::sleep(WRITE).await;
            }
        });
    }

    /// Lets `during` happen and returns what was seen meanwhile.
    pub fn period(&mut self, during: impl FnOnce()) -> Seen {
        let before = self.lcore();
        let since = Instant::now();
        *lock(&self.seen) = Seen { resident: resident(self.pid), ..Seen::default() };
        during();
        let mut seen = std::mem::take(&mut *lock(&self.seen));
        let after = self.lcore();
        let seconds = since.elapsed().as_secs_f64();
        seen.frames = (after.rx - before.rx) as f64 / seconds;
        let grown = loop_time::since(&after.loop_time, &before.loop_time);
        seen.loop_time = loop_time::quantile(&grown, 999).map_or(0, |bucket| bucket.end);
        seen.refusals = self.refusals();
        seen
    }

    fn lcore(&mut self) -> LcoreStats {
        let request = GetStatsRequest { dataplane: DATAPLANE.to_owned(), ..Default::default() };
        let stats = self.runtime.block_on(self.stats.get_stats(request)).expect("counters").into_inner();
        let lab =
            stats.dataplanes.into_iter().find(|plane| plane.dataplane == DATAPLANE).expect("the data plane");
        lab.lcores.into_iter().next().expect("an lcore")
    }

    /// Returns the refusals by reason.
    #[must_use]
    pub fn refusals(&self) -> BTreeMap<String, u64> {
        let page = get(self.http, "/metrics").unwrap_or_default();
        let counts = page.lines().filter_map(|line| {
            let (reason, count) =
                line.strip_prefix("flowtracker_refusals_total{reason=\"")?.split_once("\"} ")?;
            Some((reason.to_owned(), count.trim().parse::<f64>().ok()? as u64))
        });
        counts.collect()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn lock(seen: &Shared) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn client(grpc: SocketAddr) -> FlowTrackerServiceClient<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{grpc}")).expect("a URI");
    FlowTrackerServiceClient::new(endpoint.connect().await.expect("the service accepts"))
}

/// Returns a page, with its head.
fn get(http: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&http, WITHIN).ok()?;
    stream.set_read_timeout(Some(WITHIN)).ok()?;
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n").as_bytes())
        .ok()?;
    let mut page = Vec::new();
    stream.read_to_end(&mut page).ok()?;
    String::from_utf8(page).ok().filter(|page| !page.is_empty())
}
