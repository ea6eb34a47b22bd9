//! All attacks, one after the other, and the laws that are checked of each.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Attack;
use super::monitor::{Monitor, Seen};
use super::scene::{self, OTHER_CPU, Scene, resident};
use super::service::{self, Order};
use crate::process::{Running, Stream, wait_for};

/// Most that the resident set of the service may grow under attack.
const RESIDENT: u64 = 256 << 20;
/// Most that the resident set of a data plane may grow under a hostile service.
const RESIDENT_DATAPLANE: u64 = 256 << 20;
/// Longest answer of `/healthz`.
const HEALTH: Duration = Duration::from_secs(1);
/// Longest list by another user. A stalled list must have stalled for a second before it gives way.
const LIST: Duration = Duration::from_secs(5);
/// How much the watcher's p99 delay may grow.
const DELAY: u32 = 3;
/// A delay below which growth means nothing: on a CPU that all processes but the lcore share, the
/// start of another one takes longer.
const DELAY_FLOOR: Duration = Duration::from_millis(5);
/// Share of the frames that must be forwarded, and of the poll loop's speed.
const SHARE: f64 = 0.9;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// The sizes of the full form, and its laws of speed, which take a machine that nobody else uses.
    pub full: bool,
    /// Entries of the sound data plane.
    pub entries: u64,
    /// How long each attack lasts.
    pub attack: Duration,
    /// `--max-handshake` of the service, seconds: shorter than an attack.
    pub handshake: &'static str,
    /// How long the undisturbed service is looked at.
    pub idle: Duration,
}

impl Scale {
    /// For every run of the tests.
    pub const QUICK: Self = Self {
        full: false,
        entries: 100_000,
        attack: Duration::from_millis(2500),
        handshake: "1",
        idle: Duration::from_secs(4),
    };
    /// For the table.
    pub const FULL: Self = Self {
        full: true,
        entries: 1_000_000,
        attack: Duration::from_secs(12),
        handshake: "5",
        idle: Duration::from_secs(12),
    };
}

/// A row of the table, and which laws were broken.
#[derive(Debug)]
pub struct Row {
    /// The attack.
    pub name: String,
    /// What was seen.
    pub seen: Seen,
    /// Frames, next to those of the period before.
    pub share: f64,
    /// What the attacker has said at its end.
    pub tally: String,
    /// Refusals that came with it, by reason.
    pub refused: String,
    /// Lines of the service's log that came with it.
    pub logged: usize,
    /// Broken laws.
    pub broken: Vec<String>,
}

/// Runs the attacks of which `wanted` is true against one service. `program` is `abuse`.
///
/// # Panics
/// When a program does not start.
pub fn against_service(program: &Path, scale: Scale, wanted: impl Fn(Attack) -> bool) -> Vec<Row> {
    scene::leave_lcore_cpu();
    let scene = Scene::start(scale.entries, scale.handshake);
    let mut monitor = Monitor::start(&scene);
    // The first look warms caches and pools up.
    monitor.period(|| std::thread::sleep(scale.idle / 2));
    let idle = monitor.period(|| std::thread::sleep(scale.idle));
    let mut rows = vec![Row {
        name: "nobody".to_owned(),
        seen: idle.clone(),
        share: 1.0,
        tally: String::new(),
        refused: String::new(),
        logged: 0,
        broken: laws(&idle, &idle, scale.full),
    }];
    for attack in Attack::ALL.iter().copied().filter(|attack| wanted(*attack)) {
        let mut row = attacked(program, &scene, &mut monitor, attack, scale, &idle);
        if !row.broken.is_empty() {
            // A machine that others use, too, disturbs at times; a law that is broken is so again.
            row = attacked(program, &scene, &mut monitor, attack, scale, &idle);
        }
        rows.push(row);
    }
    drop(monitor);
    if rows.iter().any(|row| !row.broken.is_empty()) {
        say(&scene.output());
    }
    scene.stop();
    rows
}

/// Carries one attack out and looks, next to a period without one.
fn attacked(
    program: &Path,
    scene: &Scene,
    monitor: &mut Monitor,
    attack: Attack,
    scale: Scale,
    idle: &Seen,
) -> Row {
    // What an earlier attacker has left behind goes meanwhile.
    std::thread::sleep(scale.idle / 8);
    let calm = monitor.period(|| std::thread::sleep(scale.idle / 4));
    let (before, logged) = (monitor.refusals(), scene.log_lines());
    let mut tally = String::new();
    let seen = monitor.period(|| tally = carry_out(program, scene, attack, scale));
    let undisturbed = Seen { resident: idle.resident, delays: idle.delays.clone(), ..calm };
    let mut broken = laws(&seen, &undisturbed, scale.full);
    let mut refused = String::new();
    for (reason, count) in &seen.refusals {
        let more = count - before.get(reason).unwrap_or(&0);
        if more > 0 {
            let _ = write!(refused, "{reason} {more} ");
        }
    }
    if refused.is_empty() {
        broken.push("no refusal was counted".to_owned());
    }
    let share = seen.frames / undisturbed.frames;
    let logged = scene.log_lines() - logged;
    Row { name: attack.name().to_owned(), seen, share, tally, refused, logged, broken }
}

fn carry_out(program: &Path, scene: &Scene, attack: Attack, scale: Scale) -> String {
    let mut command = Command::new("nice");
    command.args(["-n", "10", "taskset", "-c", OTHER_CPU]).arg(program);
    command.args(["attack", attack.name(), &attack.size(scale.full).to_string()]);
    command.args([scene.grpc.to_string(), scene.http.to_string(), scale.attack.as_millis().to_string()]);
    let mut attacker = Running::spawn(&mut command);
    // It ends by itself; the rest is for an attacker that starves.
    let status = attacker.wait(3 * scale.attack + Duration::from_secs(20));
    assert!(status.success(), "{}", attacker.output());
    attacker.text(Stream::Stdout).trim().to_owned()
}

/// Returns which laws do not hold.
fn laws(seen: &Seen, idle: &Seen, speed: bool) -> Vec<String> {
    let mut broken = Vec::new();
    let mut law = |holds: bool, text: String| {
        if !holds {
            broken.push(text);
        }
    };
    let grown = seen.resident.saturating_sub(idle.resident);
    law(grown <= RESIDENT, format!("the service has grown by {} MB", grown >> 20));
    law(seen.unhealthy == 0, format!("/healthz did not answer {} times", seen.unhealthy));
    law(seen.health <= HEALTH, format!("/healthz took {:?}", seen.health));
    law(
        seen.unlisted.is_empty(),
        format!("{} lists failed: {:?}", seen.unlisted.len(), seen.unlisted.first()),
    );
    law(seen.list <= LIST, format!("a list took {:?}", seen.list));
    law(
        seen.unwritten.is_empty(),
        format!("{} writes failed: {:?}", seen.unwritten.len(), seen.unwritten.first()),
    );
    law(seen.cut.is_none(), format!("the watcher was cut: {:?}", seen.cut));
    if !speed {
        return broken;
    }
    let allowed = DELAY * idle.delay().max(DELAY_FLOOR);
    law(
        seen.delay() <= allowed,
        format!("the watcher's p99 delay is {:?}, {allowed:?} allowed", seen.delay()),
    );
    let share = seen.frames / idle.frames;
    law(share >= SHARE, format!("{share:.2} of the frames are forwarded"));
    let slower = seen.loop_time as f64 / idle.loop_time.max(1) as f64;
    law(slower <= 1.0 / SHARE + 0.125, format!("the poll loop's p99.9 is {slower:.2} times as long"));
    broken
}

/// What a hostile service has done to a data plane.
#[derive(Debug)]
pub struct Ordered {
    /// What it sends.
    pub order: Order,
    /// Growth of the data plane's resident set, bytes.
    pub grown: u64,
    /// Links, commands, replies.
    pub counts: (u64, u64, u64),
}

/// Lets a data plane dial each hostile service.
///
/// # Panics
/// When a law is broken: the data plane runs on and its memory is bounded.
#[must_use]
pub fn against_dataplane(time: Duration) -> Vec<Ordered> {
    scene::leave_lcore_cpu();
    Order::ALL.into_iter().map(|order| ordered(order, time)).collect()
}

fn ordered(order: Order, time: Duration) -> Ordered {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let addr = scene::free_address();
    let mut dataplane = scene::dataplane(folder.path(), addr, 0);
    // It runs before anybody answers.
    dataplane.wait_line(Stream::Stderr, Duration::from_secs(60), |line| line.contains("no link to"));
    std::thread::sleep(Duration::from_millis(300));
    let before = resident(dataplane.pid());
    let serving = service::serve(addr, order);
    let counts = &serving.counts;
    wait_for("a link", Duration::from_secs(30), || {
        (counts.commands.load(Ordering::Relaxed) > 0).then_some(())
    });
    let mut most = before;
    let since = std::time::Instant::now();
    while since.elapsed() < time {
        assert!(dataplane.is_running(), "{}", dataplane.output());
        most = most.max(resident(dataplane.pid()));
        std::thread::sleep(Duration::from_millis(50));
    }
    let grown = most - before;
    let of = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
    let ordered =
        Ordered { order, grown, counts: (of(&counts.links), of(&counts.commands), of(&counts.replies)) };
    assert!(grown <= RESIDENT_DATAPLANE, "{ordered:?}");
    drop(serving);
    let status = dataplane.terminate();
    assert_eq!(status.code(), Some(0), "{}", dataplane.output());
    ordered
}

/// Returns the table.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut out = format!(
        "{:<34} {:>8} {:>10} {:>10} {:>10} {:>8} {:>7} {:>6}  refusals; attacker\n",
        "ATTACK", "RSS MB", "P99 DELAY", "HEALTH", "LIST", "LOOP999", "FRAMES", "LOG"
    );
    for row in rows {
        let Seen { resident, health, list, loop_time, .. } = row.seen;
        let _ = writeln!(
            out,
            "{:<34} {:>8} {:>10} {:>10} {:>10} {:>6}ns {:>7.2} {:>6}  {}; {}",
            row.name,
            resident >> 20,
            format!("{:.1?}", row.seen.delay()),
            format!("{health:.1?}"),
            format!("{list:.1?}"),
            loop_time,
            row.share,
            row.logged,
            row.refused.trim_end(),
            row.tally
        );
        for broken in &row.broken {
            let _ = writeln!(out, "    BROKEN: {broken}");
        }
    }
    out
}

fn say(text: &str) {
    use std::io::Write as _;
    // Standard error may be closed; the message is lost then.
    let _ = writeln!(std::io::stderr(), "{text}");
}
