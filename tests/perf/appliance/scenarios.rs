//! The scenarios that are measured, and their targets.

#[path = "families.rs"]
mod families;

use std::path::{Path, PathBuf};

use conntrack::FlowKey;
use flowtracker_tests::collisions;
use flowtracker_tests::flows::flow;

use super::Plan;
use super::trial::{Meanwhile, Measured, Trial, Who};
use crate::report::{Better, Row, Section, Target, Versus};
use crate::source::{Load, SHARES};

/// testpmd on bare ports.
pub(crate) const TESTPMD: &str = "testpmd io";
/// testpmd on the lab's source: the upper bound for programs on that source.
pub(crate) const SOURCE: &str = "testpmd io, stamped";
pub(crate) const OURS: &str = "flowtracker";
const NO_ACCOUNTING: &str = "flowtracker, accounting off";
const RTE_HASH: &str = "the engine on rte_hash, accounting off";

/// No entry expires during a measurement.
const NEVER: &str = "--timer-profiles=864000000";

/// A trial and the figures that are read from it.
pub(crate) struct Case {
    pub(crate) trial: Trial,
    pub(crate) figures: Vec<Figure>,
}

/// A row that is still being filled.
pub(crate) struct Figure {
    pub(crate) section: usize,
    pub(crate) read: fn(&Measured) -> f64,
    scenario: String,
    contender: String,
    versus: Vec<Versus>,
    target: Option<Target>,
}

impl Figure {
    /// Returns the row that its values are added to.
    pub(crate) fn row(&self) -> Row {
        Row {
            scenario: self.scenario.clone(),
            contender: self.contender.clone(),
            rounds: Vec::new(),
            versus: self.versus.clone(),
            target: self.target,
            pages: String::new(),
            notes: Vec::new(),
        }
    }

    fn versus(mut self, peer: &str, target: Option<f64>) -> Self {
        let target = target.map(Target::AtLeast);
        self.versus.push(Versus { peer: peer.to_owned(), scenario: None, better: Better::Higher, target });
        self
    }

    fn versus_scenario(mut self, peer: &str, scenario: &str, target: Option<f64>) -> Self {
        let target = target.map(Target::AtLeast);
        let scenario = Some(scenario.to_owned());
        self.versus.push(Versus { peer: peer.to_owned(), scenario, better: Better::Higher, target });
        self
    }

    fn target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }
}

/// Sections, and the cases that fill them: each alone, or in turns with those that it is compared
/// with.
#[derive(Default)]
struct Lab {
    sections: Vec<Section>,
    contests: Vec<Vec<Case>>,
}

impl Lab {
    fn section(&mut self, id: &'static str, unit: &'static str, title: &str, text: &str) -> usize {
        let (title, text) = (title.to_owned(), text.to_owned());
        self.sections.push(Section { id, title, text, unit, rows: Vec::new(), plot: true });
        self.sections.len() - 1
    }

    /// Adds a measurement that runs alone.
    fn case(&mut self, trial: Trial, figures: Vec<Figure>) {
        self.contests.push(vec![Case { trial, figures }]);
    }

    /// Adds measurements that take turns and yield only frames per second.
    fn contest<const N: usize>(&mut self, entrants: [(Trial, Figure); N]) {
        let cases = entrants.into_iter().map(|(trial, figure)| Case { trial, figures: vec![figure] });
        self.contests.push(cases.collect());
    }
}

fn figure(section: usize, scenario: &str, contender: &str, read: fn(&Measured) -> f64) -> Figure {
    Figure {
        section,
        read,
        scenario: scenario.to_owned(),
        contender: contender.to_owned(),
        versus: Vec::new(),
        target: None,
    }
}

fn mpps(measured: &Measured) -> f64 {
    measured.mpps
}

/// Returns the data plane with a table for this number of flows, and these options.
fn ours(capacity: u64, options: &[&str]) -> Who {
    let mut all = vec![format!("--capacity={capacity}")];
    all.extend(options.iter().map(|&option| option.to_owned()));
    Who::Ours(all)
}

/// Returns the room for the flows and a quarter more, as an operator who knows their number would
/// choose.
fn room(flows: u64) -> u64 {
    (flows * 5 / 4).max(65_536)
}

fn flows(count: u64) -> Load {
    Load { flows: count, ..Load::default() }
}

fn name(flows: u64) -> String {
    match flows {
        n if n >= 1 << 20 && n % (1 << 20) == 0 => format!("{}M flows", n >> 20),
        n if n >= 1 << 10 && n % (1 << 10) == 0 => format!("{}k flows", n >> 10),
        n => format!("{n} flows"),
    }
}

/// Sections, and the cases that fill them; those that take turns are grouped.
pub(crate) type All = (Vec<Section>, Vec<Vec<Case>>);

/// Returns all scenarios, in the order of the report.
pub(crate) fn all(plan: &Plan, folder: &Path) -> All {
    let mut lab = Lab::default();
    hits(&mut lab, plan);
    small_pages(&mut lab);
    new_flows(&mut lab, plan);
    hostile(&mut lab, folder);
    families::hits(&mut lab, plan);
    families::new_flows(&mut lab, plan);
    families::hostile(&mut lab, folder);
    while_asked(&mut lab);
    two_workers(&mut lab);
    latency(&mut lab);
    aging(&mut lab, plan);
    (lab.sections, lab.contests)
}

fn hits(lab: &mut Lab, plan: &Plan) {
    let section = lab.section(
        "hits",
        "Mpps",
        "Known flows",
        "Every frame belongs to a flow that is known. One worker polls both ports; events, aging and an attached control \
         service are there, and have nothing to do.",
    );
    let sizes = [(1 << 10, 0.50, 0.45), (1 << 16, 0.38, 0.32), (1 << 20, 0.33, 0.27), (1 << 24, 0.30, 0.24)];
    for (count, without, with) in sizes.into_iter().filter(|(count, ..)| *count <= plan.largest) {
        let scenario = name(count);
        let scenario = scenario.as_str();
        let row = |contender| figure(section, scenario, contender, mpps);
        let off = Trial::new(ours(room(count), &[NEVER, "--accounting=off"]), flows(count));
        let on = Trial::new(ours(room(count), &[NEVER]), flows(count));
        let entrants = [
            (Trial::new(Who::Testpmd, flows(0)), row(TESTPMD)),
            (Trial { warm_up: 200_000, ..Trial::new(Who::Testpmd, flows(count)) }, row(SOURCE)),
            (
                off,
                row(NO_ACCOUNTING).versus(TESTPMD, Some(without)).versus(SOURCE, None).versus(RTE_HASH, None),
            ),
            (on, row(OURS).versus(TESTPMD, Some(with)).versus(SOURCE, None)),
        ];
        // The memory of rte_hash belongs to the EAL, which touches all of it at the start.
        if count > 1 << 20 {
            lab.contest(entrants);
            continue;
        }
        let on_rte_hash = Trial { hugepages: false, ..Trial::new(Who::OnRteHash(room(count)), flows(count)) };
        let [testpmd, source, off, on] = entrants;
        lab.contest([testpmd, source, off, on, (on_rte_hash, row(RTE_HASH))]);
    }
}

/// Returns the scenarios with known flows for this checkout's data plane and for that of another
/// revision, which is in the folder `programs`.
pub(crate) fn revisions(plan: &Plan, name: &str, programs: &Path) -> All {
    let mut lab = Lab::default();
    let title = format!("{name} and this checkout: known flows");
    let text =
        "As in the report: net_null, one worker polls both ports, mbufs in hugepages, in turns of 25 ms.";
    let section = lab.section("ab", "Mpps", &title, text);
    for count in [1 << 10, 1 << 16, 1 << 20, 1 << 24].into_iter().filter(|count| *count <= plan.largest) {
        let trial = |options: &[&str]| Trial::new(ours(room(count), options), flows(count));
        let off = trial(&[NEVER, "--accounting=off"]);
        let on = trial(&[NEVER]);
        let before = |trial: &Trial| Trial { programs: Some(programs.to_owned()), ..trial.clone() };
        let row = |contender: &str| figure(section, &self::name(count), contender, mpps);
        let peers = [format!("{name}, accounting off"), name.to_owned()];
        lab.contest([
            (before(&off), row(&peers[0])),
            (off, row(NO_ACCOUNTING).versus(&peers[0], None)),
            (before(&on), row(&peers[1])),
            (on, row(OURS).versus(&peers[1], None)),
        ]);
    }
    (lab.sections, lab.contests)
}

fn small_pages(lab: &mut Lab) {
    let section = lab.section(
        "no-huge",
        "Mpps",
        "Without hugepages",
        "The same with --no-huge, as somebody has it who has set nothing up. testpmd's mbufs get a page of 4 KiB each, ours \
         lie one after the other.",
    );
    for count in [1 << 10, 1 << 16] {
        let scenario = name(count);
        let scenario = scenario.as_str();
        let small = |trial| Trial { hugepages: false, ..trial };
        let row = |contender| figure(section, scenario, contender, mpps);
        lab.contest([
            (small(Trial::new(Who::Testpmd, flows(0))), row(TESTPMD)),
            (small(Trial::new(ours(room(count), &[NEVER]), flows(count))), row(OURS).versus(TESTPMD, None)),
        ]);
    }
}

fn created(measured: &Measured) -> f64 {
    measured.rate(|l| l.outcomes.as_ref().map_or(0, |o| o.miss_created))
}

fn events(measured: &Measured) -> f64 {
    measured.rate(|l| l.events_sent)
}

fn new_flows(lab: &mut Lab, plan: &Plan) {
    let section = lab.section(
        "new",
        "M/s",
        "New flows",
        "Frames, creations and events a second, in millions. All new: every frame is the first of its flow, in a table that has \
         room for all of them, and every CREATED is taken by the exporter and sent to a control service that only counts. \
         1 % new: of a million known flows' frames one in a hundred is new, and is deleted a second later. \
         Churn: all are new, and as many expire, after a second. A full table: every frame is a new flow's, and is refused.",
    );
    let fresh = |share, count| Load { flows: count, fresh: share, ..Load::default() };
    let seconds = (plan.seconds + 3.0).ceil() as u64;
    // Enough for the entries that an lcore can create in that time.
    let capacity = (8_000_000 * seconds).next_power_of_two();
    lab.case(
        Trial { warm_up: 500_000, ..Trial::new(ours(capacity, &[NEVER]), fresh(SHARES, 2)) },
        vec![
            figure(section, "all new", "frames", mpps),
            figure(section, "all new", "created", created),
            figure(section, "all new", "events taken by the exporter", events).target(Target::AtLeast(5.0)),
        ],
    );
    lab.case(
        Trial::new(ours(1 << 21, &["--timer-profiles=1000"]), fresh(SHARES / 100, 1 << 20)),
        vec![
            figure(section, "1 % new", "frames", mpps),
            figure(section, "1 % new", "created", created),
            figure(section, "1 % new", "events taken by the exporter", events),
        ],
    );
    lab.case(
        Trial {
            warm_up: 12_000_000,
            ..Trial::new(ours(1 << 24, &["--timer-profiles=1000"]), fresh(SHARES, 2))
        },
        vec![
            figure(section, "churn", "frames", mpps),
            figure(section, "churn", "created", created),
            figure(section, "churn", "events taken by the exporter", events),
        ],
    );
    let full = [1 << 16, 1 << 20];
    for count in full {
        let scenario = format!("full table of {}", name(count).replace(" flows", ""));
        let trial = |load| Trial { warm_up: 4 * count, ..Trial::new(ours(count, &[NEVER]), load) };
        let (known, refused) = ("frames, known flows", "frames, all refused");
        lab.contest([
            (trial(flows(count)), figure(section, &scenario, known, mpps)),
            (trial(fresh(SHARES, 2)), figure(section, &scenario, refused, mpps).versus(known, Some(0.5))),
        ]);
    }
}

fn hostile(lab: &mut Lab, folder: &Path) {
    let section = lab.section(
        "hostile",
        "Mpps",
        "Hostile and unlucky load",
        "65,536 random flows, under each hash; 65,536 chosen ones that all have the same CRC, and so the same home line \
         under --hash crc; one flow that has nine frames of ten among a million others; bursts of one frame.",
    );
    const COUNT: u64 = 1 << 16;
    let bytes = |key: &FlowKey| key.to_bytes().to_vec();
    // The source reads both sets from a file, so that they cost it the same.
    let chosen = write_keys(folder.join("colliding"), collisions::crc(COUNT as usize).iter().map(bytes));
    let ordinary = write_keys(folder.join("random"), (0..COUNT).map(|number| bytes(&flow(number))));
    let random = name(COUNT);
    for hash in ["keyed", "crc", "jhash"] {
        let option = format!("--hash={hash}");
        let contender = format!("{OURS}, --hash {hash}");
        let trial = |keys: &PathBuf| {
            let load = Load { keys: Some(keys.clone()), ..flows(COUNT) };
            Trial { warm_up: 4 * COUNT, ..Trial::new(ours(4 * COUNT, &[NEVER, &option]), load) }
        };
        let row = |scenario| figure(section, scenario, &contender, mpps);
        let target = (hash == "keyed").then_some(0.95);
        lab.contest([
            (trial(&ordinary), row(&random)),
            (trial(&chosen), row("colliding CRC").versus_scenario(&contender, &random, target)),
        ]);
    }
    let mice = 1 << 20;
    let row = |contender| figure(section, "elephant among a million mice", contender, mpps);
    let load = || Load { elephant: SHARES * 9 / 10, ..flows(mice) };
    lab.contest([
        (Trial::new(ours(room(mice), &[NEVER]), load()), row(OURS).versus(SOURCE, None)),
        (Trial { warm_up: 200_000, ..Trial::new(Who::Testpmd, load()) }, row(SOURCE)),
    ]);
    let row = |contender| figure(section, "bursts of one, 1k flows", contender, mpps);
    let one = |who| Trial { burst: 1, ..Trial::new(who, flows(1 << 10)) };
    lab.contest([
        (one(Who::Testpmd), row(SOURCE)),
        (one(ours(65_536, &[NEVER])), row(OURS).versus(SOURCE, None)),
    ]);
}

/// Writes flows, in the form of a key's bytes, to a file for the source.
fn write_keys(path: PathBuf, keys: impl IntoIterator<Item = Vec<u8>>) -> PathBuf {
    let mut bytes = Vec::new();
    for key in keys {
        // Behind the input port stand the addresses; then protocol and ports.
        let (addrs, rest) = key[4..].split_at(key.len() - 9);
        bytes.extend(addrs);
        bytes.extend(&rest[1..]);
    }
    std::fs::write(&path, bytes).expect("a file for the flows");
    path
}

fn while_asked(lab: &mut Lab) {
    let section = lab.section(
        "asked",
        "Mpps",
        "While the control service is busy",
        "Frames of 65,536 known flows, which the control service on CPU 0 has mirrored, while it lists all entries again and \
         again, while it empties the table again and again (and every flow comes back at once), and while ten watchers read \
         nothing.",
    );
    const COUNT: u64 = 1 << 16;
    for (scenario, meanwhile) in [
        ("nothing", Meanwhile::Mirrored),
        ("ListEntries", Meanwhile::Dump),
        ("FlushEntries", Meanwhile::Flush),
        ("ten stuck watchers", Meanwhile::StuckWatchers),
    ] {
        let trial = Trial { meanwhile, ..Trial::new(ours(room(COUNT), &[NEVER]), flows(COUNT)) };
        let mut row = figure(section, scenario, OURS, mpps);
        if meanwhile != Meanwhile::Mirrored {
            row = row.versus_scenario(OURS, "nothing", None);
        }
        lab.case(trial, vec![row]);
    }
}

fn two_workers(lab: &mut Lab) {
    let section = lab.section(
        "workers",
        "Mpps",
        "Two workers",
        "Two ports and 65,536 flows, polled by one worker on CPU 1, or by two on CPUs 0 and 1 with a port and a shard each. The \
         main lcore, the exporter and this lab share CPU 0 with the second worker.",
    );
    const COUNT: u64 = 1 << 16;
    let entrant = |who, contender, (lcores, scenario)| {
        (Trial { lcores, ..Trial::new(who, flows(COUNT)) }, figure(section, scenario, contender, mpps))
    };
    let (one, two) = (("0@0,1@1", "one worker"), ("0@0,1@0,2@1", "two workers"));
    let ours = || ours(2 * room(COUNT), &[NEVER]);
    let than_one =
        |(trial, row): (Trial, Figure), peer, target| (trial, row.versus_scenario(peer, one.1, target));
    lab.contest([
        entrant(Who::Testpmd, SOURCE, one),
        entrant(ours(), OURS, one),
        than_one(entrant(Who::Testpmd, SOURCE, two), SOURCE, None),
        than_one(entrant(ours(), OURS, two), OURS, Some(1.8)),
    ]);
}

fn latency(lab: &mut Lab) {
    let section = lab.section(
        "latency",
        "µs",
        "From receive to transmit",
        "The time that a frame spends between the driver's receive and its transmit function, at full load, which is that of \
         its burst, and of the burst of the other port that is worked on meanwhile. 65,536 known flows.",
    );
    const COUNT: u64 = 1 << 16;
    let load = Load { latency: true, ..flows(COUNT) };
    for (contender, who) in [(SOURCE, Who::Testpmd), (OURS, ours(room(COUNT), &[NEVER]))] {
        let figures = vec![
            figure(section, "p50", contender, |m| m.counts.quantile(0.5) / 1e3),
            figure(section, "p99", contender, |m| m.counts.quantile(0.99) / 1e3),
            figure(section, "p99.9", contender, |m| m.counts.quantile(0.999) / 1e3),
            figure(section, "p99.99", contender, |m| m.counts.quantile(0.9999) / 1e3),
        ];
        lab.case(Trial::new(who, load.clone()), figures);
    }
}

fn aging(lab: &mut Lab, plan: &Plan) {
    let section = lab.section(
        "lateness",
        "ms",
        "How late entries expire",
        "At full load: known flows, and one frame in a hundred of a new flow that expires after a second (with 15M flows, which \
         take more than that to come round, after 12 s). The p99.9 of lateness, \
         given as the end of its bucket (a power of two), and how many of the deletions that were checked came \
         early.",
    );
    for count in [1 << 16, 1 << 20, 15 << 20].into_iter().filter(|count| *count <= plan.largest) {
        let scenario = name(count);
        let load = Load { fresh: SHARES / 100, ..flows(count) };
        // Known flows return before they expire.
        let aging = if count > 1 << 20 { "--timer-profiles=12000" } else { "--timer-profiles=1000" };
        lab.case(
            Trial { expiring: true, ..Trial::new(ours(count * 17 / 16 + (1 << 20), &[aging]), load) },
            vec![
                figure(section, &scenario, "p99.9", |m| m.lateness_ms(0.999)).target(Target::AtMost(100.0)),
                figure(section, &scenario, "early", |m| m.early as f64).target(Target::AtMost(0.0)),
            ],
        );
    }
    let section = lab.section(
        "aging",
        "Mpps",
        "What aging costs",
        "A million known flows. The product's 30 s; 1 s, so that each block of entries is looked at every second; and ten \
         days, so that none is ever due.",
    );
    const COUNT: u64 = 1 << 20;
    let entrant = |scenario: &str, option: &str| {
        let trial = Trial::new(ours(room(COUNT), &[option, "--accounting=off"]), flows(COUNT));
        (Trial { warm_up: 40 * COUNT, ..trial }, figure(section, scenario, NO_ACCOUNTING, mpps))
    };
    // They run in pairs. Expiry that becomes due during the other's turn is done in one's own, so
    // the cost of aging counts twice.
    for (scenario, option, target) in
        [("30 s", "--timer-profiles=30000", Some(0.97)), ("1 s", "--timer-profiles=1000", None)]
    {
        let never = format!("never due, beside {scenario}");
        let (trial, row) = entrant(scenario, option);
        lab.contest([entrant(&never, NEVER), (trial, row.versus_scenario(NO_ACCOUNTING, &never, target))]);
    }
}
