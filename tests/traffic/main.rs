//! A traffic generator: it sends TCP frames of many flows at chosen rates out of any DPDK port.
//! testpmd sends only UDP and has no rate of new flows.
//!
//! ```text
//! traffic [EAL arguments] -- [--new N] [--keep K,R] [--first F] [--dst ADDR] [--src ADDR] [--mac MAC]
//!                            [--families ipv4|ipv4,ipv6]
//! ```
//!
//! Flow number f leaves port f mod ports. Flows 0 to K-1 are *kept*: each is sent R times a second.
//! *New* flows, N a second, have not been sent before; their numbers increase from F. With both
//! families every other flow of each port is an IPv6 flow, from 2001:db8:1:: on. `--src` and
//! `--dst` set the addresses of IPv4 flows only. The program prints `ready` when the ports are
//! started. Then it reads commands from standard input, one per line:
//!
//! | command | does |
//! |---|---|
//! | `new N` | sends N new flows a second from now on; 0 stops them |
//! | `burst N` | sends N new flows at once |
//! | `keep K R` | sends each of the flows 0 to K-1 R times a second; `keep 0 0` stops them |
//! | `report` | answers `sent S dropped D new N`: frames taken by the ports, frames they did not take, new flows so far |
//!
//! The end of standard input ends the program.
#![forbid(unsafe_code)]

use std::io::{BufRead as _, Write as _};
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use conntrack::test_support::frame::FlowFrames;
use dpdk::test_support::push_frame;
use dpdk::{Burst, Eal, Mempool, MempoolConfig, Port, PortConfig, QueueId, SocketId, TxQueue};
use flowtracker_tests::generated::Frames;

/// Frames that may be in flight in all ports together.
const MBUFS: u32 = 65_535;
/// Descriptors per queue.
const DESCRIPTORS: u16 = 1024;
/// Frames per burst.
const BURST: usize = 64;
/// How long the generator sleeps when nothing is due.
const NAP: Duration = Duration::from_micros(200);
/// Frames that are overdue by more than this are given up, because the machine does not keep up.
const CATCH_UP: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // Standard error may be closed. The exit status reports the failure too.
            let _ = writeln!(std::io::stderr(), "traffic: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// The pace of something that is sent at a fixed rate.
struct Pace {
    per_second: f64,
    since: Instant,
    done: u64,
}

impl Pace {
    fn new(per_second: f64, now: Instant) -> Self {
        Self { per_second, since: now, done: 0 }
    }

    /// Returns how many are due. Those that are overdue by more than [`CATCH_UP`] are given up.
    fn due(&mut self, now: Instant) -> u64 {
        let wanted = (now.duration_since(self.since).as_secs_f64() * self.per_second) as u64;
        let limit = (CATCH_UP.as_secs_f64() * self.per_second) as u64 + 1;
        let due = wanted.saturating_sub(self.done);
        if due > limit {
            self.done = wanted - limit;
        }
        due.min(limit)
    }
}

/// A command to the generator.
enum Command {
    New(f64),
    Burst(u64),
    Keep(u64, f64),
    Report,
}

fn command(line: &str) -> Result<Command, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |word: &str| word.parse::<u64>().map_err(|e| format!("{line:?}: {word}: {e}"));
    let rate = |word: &str| {
        let rate: f64 = word.parse().map_err(|e| format!("{line:?}: {word}: {e}"))?;
        if rate.is_finite() && rate >= 0.0 { Ok(rate) } else { Err(format!("{line:?}: {word} is no rate")) }
    };
    match words[..] {
        ["new", n] => Ok(Command::New(rate(n)?)),
        ["burst", n] => Ok(Command::Burst(number(n)?)),
        ["keep", k, r] => Ok(Command::Keep(number(k)?, rate(r)?)),
        ["report"] => Ok(Command::Report),
        _ => Err(format!("{line:?}: new N, burst N, keep K R and report are possible")),
    }
}

/// The options after `--`.
struct Options {
    commands: Vec<Command>,
    first: u64,
    frames: Frames,
}

fn options(args: &[String]) -> Result<Options, String> {
    let (mut commands, mut first) = (Vec::new(), 1 << 24);
    let (mut ipv4, mut with_ipv6) = (FlowFrames::default(), false);
    let mut args = args.iter();
    while let Some(flag) = args.next() {
        let value = args.next().ok_or_else(|| format!("{flag} needs a value"))?;
        let bad = |e: &dyn std::fmt::Display| format!("{flag} {value}: {e}");
        match flag.as_str() {
            "--new" => commands.push(command(&format!("new {value}"))?),
            "--keep" => commands.push(command(&format!("keep {}", value.replace(',', " ")))?),
            "--first" => first = value.parse().map_err(|e| bad(&e))?,
            "--dst" => ipv4.set_dst(value.parse::<Ipv4Addr>().map_err(|e| bad(&e))?),
            "--src" => ipv4.set_src(value.parse::<Ipv4Addr>().map_err(|e| bad(&e))?),
            "--mac" => ipv4.set_dst_mac(mac(value).ok_or_else(|| bad(&"not a MAC address"))?),
            "--families" => match value.as_str() {
                "ipv4" => with_ipv6 = false,
                "ipv4,ipv6" => with_ipv6 = true,
                _ => return Err(bad(&"not ipv4 or ipv4,ipv6")),
            },
            _ => return Err(format!("{flag} is not known")),
        }
    }
    Ok(Options { commands, first, frames: Frames::new(ipv4, with_ipv6) })
}

fn mac(text: &str) -> Option<[u8; 6]> {
    let octets: Option<Vec<u8>> = text.split(':').map(|o| u8::from_str_radix(o, 16).ok()).collect();
    octets?.try_into().ok()
}

/// One port and the frames that it sends next.
struct Out<'p> {
    tx: TxQueue<'p>,
    burst: Burst<'p>,
}

/// All ports, and the counts of their frames.
struct Sender<'p> {
    outs: Vec<Out<'p>>,
    pool: &'p Mempool<'p>,
    frames: Frames,
    sent: u64,
    dropped: u64,
}

impl Sender<'_> {
    fn push(&mut self, flow: u64) {
        let ports = self.outs.len() as u64;
        let out = &mut self.outs[(flow % ports) as usize];
        if push_frame(&mut out.burst, self.pool, self.frames.flow(flow, ports)).is_err() {
            // All mbufs are in flight.
            self.dropped += 1;
        }
        if out.burst.len() == BURST {
            self.flush_one((flow % ports) as usize);
        }
    }

    fn flush_one(&mut self, port: usize) {
        let out = &mut self.outs[port];
        let result = out.tx.send(&mut out.burst);
        self.sent += result.sent as u64;
        self.dropped += result.dropped as u64;
    }

    fn flush(&mut self) {
        (0..self.outs.len()).for_each(|port| self.flush_one(port));
    }
}

fn run(args: &[String]) -> Result<(), String> {
    let split = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let (eal, ours) = (&args[..split], args.get(split + 1..).unwrap_or_default());
    let options = options(ours)?;

    let eal = Eal::init("traffic", eal).map_err(|e| e.to_string())?;
    let config = MempoolConfig { mbufs: MBUFS, cache: 256, data_room: 2048, socket: SocketId::ANY };
    let pool = Mempool::new(&eal, "traffic", config).map_err(|e| e.to_string())?;
    let wanted = PortConfig {
        rx_queues: 1,
        tx_queues: 1,
        rxd: DESCRIPTORS,
        txd: DESCRIPTORS,
        rss: dpdk::Rss::default(),
        rx_pool: &pool,
    };
    let ports = eal.ports().into_iter().map(|id| Port::open(&eal, id, wanted));
    let ports: Vec<Port<'_>> = ports.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    if ports.is_empty() {
        return Err("there is no port: --vdev".to_owned());
    }
    ports.iter().try_for_each(Port::start).map_err(|e| e.to_string())?;
    let outs = ports.iter().map(|port| port.tx_queue(QueueId(0)).map(|tx| Out { tx, burst: Burst::new() }));
    let outs: Vec<Out<'_>> = outs.collect::<Result<_, _>>().map_err(|e| e.to_string())?;

    let (asked, commands) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if asked.send(command(&line)).is_err() {
                return;
            }
        }
    });
    say("ready")?;
    let mut sender = Sender { outs, pool: &pool, frames: options.frames, sent: 0, dropped: 0 };
    send(&mut sender, &commands, options.commands, options.first)
}

/// Sends the frames that are due, until standard input ends.
fn send(
    sender: &mut Sender<'_>,
    commands: &mpsc::Receiver<Result<Command, String>>,
    first_commands: Vec<Command>,
    first: u64,
) -> Result<(), String> {
    let mut now = Instant::now();
    let (mut new, mut kept, mut keep) = (Pace::new(0.0, now), Pace::new(0.0, now), 0);
    let (mut next_new, mut next_kept) = (first, 0);
    let mut first_commands = first_commands.into_iter();
    loop {
        let command = match first_commands.next() {
            Some(command) => Some(command),
            None => match commands.try_recv() {
                Ok(command) => Some(command?),
                Err(mpsc::TryRecvError::Empty) => None,
                Err(mpsc::TryRecvError::Disconnected) => return Ok(()),
            },
        };
        now = Instant::now();
        match command {
            None => {}
            Some(Command::New(rate)) => new = Pace::new(rate, now),
            Some(Command::Keep(flows, rate)) => {
                (keep, next_kept) = (flows, 0);
                kept = Pace::new(rate * flows as f64, now);
            }
            Some(Command::Burst(count)) => {
                (next_new..next_new + count).for_each(|flow| sender.push(flow));
                next_new += count;
            }
            Some(Command::Report) => {
                let Sender { sent, dropped, .. } = sender;
                say(&format!("sent {sent} dropped {dropped} new {}", next_new - first))?;
            }
        }
        let due_new = new.due(now).min(BURST as u64);
        (next_new..next_new + due_new).for_each(|flow| sender.push(flow));
        (next_new, new.done) = (next_new + due_new, new.done + due_new);
        let due_kept = kept.due(now).min(BURST as u64);
        for _ in 0..due_kept {
            sender.push(next_kept);
            next_kept = (next_kept + 1) % keep.max(1);
        }
        kept.done += due_kept;
        sender.flush();
        if due_new == 0 && due_kept == 0 {
            std::thread::sleep(NAP);
        }
    }
}

fn say(line: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|e| e.to_string())
}
