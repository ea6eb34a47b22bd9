//! A watcher of the lab: `perf watch URI` decodes every event, as a program that uses the API
//! would, and counts. It prints its counts for each line on its standard input, and ends with it.

use std::io::{BufRead as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flowtracker_proto::v1::flow_tracker_service_client::FlowTrackerServiceClient;
use flowtracker_proto::v1::{
    Event, EventType, Snapshot, Start, WatchEventsRequest, WatchEventsResponse, start,
};
use flowtracker_tls::client::{Files, server_name};
use flowtracker_tls::dial;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tonic::transport::{Channel, Endpoint, Uri};

/// Counts of a watcher since the last query.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Events with a number of their own.
    pub(crate) events: u64,
    /// Events that a GAP has reported as lost.
    pub(crate) lost: u64,
    /// Numbers that are missing without a GAP, or repeated: always 0.
    pub(crate) unannounced: u64,
    /// Number of the last event.
    pub(crate) last_seq: u64,
    /// Delay of each CREATED from its packet to this program, microseconds, sorted.
    pub(crate) delays_us: Vec<u32>,
}

impl Seen {
    fn take(&mut self, event: &Event, now_ns: u64, with_delays: bool) {
        match event.r#type() {
            EventType::Gap => {
                self.lost += event.gap_to - event.gap_from + 1;
                self.last_seq = event.gap_to;
            }
            EventType::Synced | EventType::Progress => self.last_seq = self.last_seq.max(event.seq),
            // An entry of the snapshot after a gap.
            _ if event.seq == self.last_seq && self.lost > 0 => {}
            kind => {
                self.events += 1;
                self.unannounced += u64::from(self.last_seq != 0 && event.seq != self.last_seq + 1);
                self.last_seq = event.seq;
                if with_delays && kind == EventType::Created {
                    let time = event.time.unwrap_or_default();
                    let then_ns =
                        time.seconds.unsigned_abs() * 1_000_000_000 + u64::from(time.nanos.unsigned_abs());
                    self.delays_us
                        .push(u32::try_from(now_ns.saturating_sub(then_ns) / 1000).unwrap_or(u32::MAX));
                }
            }
        }
    }

    /// Returns the delay, in microseconds, that `share` of the events stay below.
    pub(crate) fn percentile_us(&self, share: f64) -> u32 {
        let last = self.delays_us.len().saturating_sub(1);
        self.delays_us.get((last as f64 * share).round() as usize).copied().unwrap_or(0)
    }
}

/// Watches until standard input ends. Answers each line on it with a [`Seen`] in JSON, and starts
/// the counts over. With `delays` it records the delays as well; with `ca`, the file of the
/// service's CA, it uses TLS.
pub(crate) fn run(uri: &str, delays: bool, ca: Option<&Path>) {
    let (asked, questions) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if asked.send(line).is_err() {
                return;
            }
        }
        // No further queries come.
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let endpoint = Endpoint::from_shared(uri.to_owned()).expect("a URI");
        let endpoint = endpoint.initial_stream_window_size(1 << 20).initial_connection_window_size(1 << 20);
        let channel = match ca {
            Some(ca) => secure(uri, ca).await,
            None => endpoint.connect().await.expect("the service answers"),
        };
        let mut client = FlowTrackerServiceClient::new(channel);
        let stream = client.watch_events(WatchEventsRequest::default()).await.expect("it lets us watch");
        let mut stream = stream.into_inner();
        let mut seen = Seen::default();
        loop {
            match tokio::time::timeout(Duration::from_millis(5), stream.message()).await {
                Ok(Ok(Some(WatchEventsResponse { events }))) => {
                    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                    let now_ns = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
                    events.iter().for_each(|event| seen.take(event, now_ns, delays));
                }
                Ok(end) => panic!("the stream has ended: {end:?}"),
                Err(_) => {}
            }
            if questions.try_recv().is_ok() {
                seen.delays_us.sort_unstable();
                let answer = serde_json::to_string(&seen).expect("numbers");
                let mut out = std::io::stdout().lock();
                writeln!(out, "{answer}").and_then(|()| out.flush()).expect("somebody reads");
                seen = Seen { last_seq: seen.last_seq, ..Seen::default() };
            }
        }
    });
}

/// Connects over TLS, with the windows of the plain connection.
async fn secure(uri: &str, ca: &Path) -> Channel {
    let plain = uri.replace("https:", "http:");
    let files = Files { ca: Some(ca.to_owned()), ..Files::default() };
    let config = files.config().expect("a CA");
    let address: SocketAddr = uri.trim_start_matches("https://").parse().expect("an address");
    let host = address.ip().to_string();
    let stream = dial::tcp(&host, address.port()).await.expect("the service listens");
    let name = server_name(&host).expect("an address");
    let stream = dial::tls(stream, config, name).await.expect("a handshake");
    let mut stream = Some(TokioIo::new(stream));
    let endpoint = Endpoint::from_shared(plain).expect("a URI");
    let endpoint = endpoint.initial_stream_window_size(1 << 20).initial_connection_window_size(1 << 20);
    let connector = tower::service_fn(move |_: Uri| {
        let stream = stream.take().ok_or(std::io::ErrorKind::NotConnected);
        async move { stream.map_err(std::io::Error::from) }
    });
    endpoint.connect_with_connector(connector).await.expect("the service answers")
}

/// Opens `count` streams from a snapshot on, each on a connection of its own, and never reads one.
/// Ends with standard input.
pub(crate) fn stuck(uri: &str, count: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let streams = runtime.block_on(async {
        let mut streams = Vec::new();
        for _ in 0..count {
            let endpoint = Endpoint::from_shared(uri.to_owned()).expect("a URI");
            let channel = endpoint.connect().await.expect("the service answers");
            let start = Some(Start { at: Some(start::At::Snapshot(Snapshot {})) });
            let request = WatchEventsRequest { start, ..WatchEventsRequest::default() };
            let stream = FlowTrackerServiceClient::new(channel).watch_events(request).await;
            streams.push(stream.expect("it lets us watch"));
        }
        streams
    });
    let mut out = std::io::stdout().lock();
    writeln!(out, "stuck").and_then(|()| out.flush()).expect("somebody reads");
    // The connections answer pings, so that the server does not take them for dead.
    std::thread::spawn(move || {
        for _ in std::io::stdin().lock().lines().map_while(Result::ok) {}
        std::process::exit(0);
    });
    runtime.block_on(std::future::pending::<()>());
    drop(streams);
}
