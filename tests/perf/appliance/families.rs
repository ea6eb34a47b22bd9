//! The scenarios with IPv6, each next to the same with IPv4.

use std::path::{Path, PathBuf};

use conntrack::FlowKeyV6;
use flowtracker_tests::collisions;
use flowtracker_tests::flows::flow_v6;

use super::super::Plan;
use super::super::trial::{Trial, Who};
use super::{
    Lab, NEVER, NO_ACCOUNTING, OURS, SOURCE, events, figure, flows, mpps, name, ours, room, write_keys,
};
use crate::source::{Families, Load, SHARES};

const IPV4: &str = "IPv4";
const IPV6: &str = "IPv6";
const BOTH: &str = "half and half";

fn of(families: Families, load: Load) -> Load {
    Load { families: Some(families), ..load }
}

/// Adds known flows of IPv4, of IPv6 and of both.
pub(super) fn hits(lab: &mut Lab, plan: &Plan) {
    let section = lab.section(
        "ipv6",
        "Mpps",
        "Known flows of both families",
        "Frames of IPv4, of IPv6, and of both in turn, all of known flows. The source writes all headers of \
         each frame, so that all three cost it the same. Half and half has the same number of flows, half of \
         them in each table.",
    );
    for count in [1 << 10, 1 << 16, 1 << 20].into_iter().filter(|count| *count <= plan.largest) {
        let source = |families, scenario: &str| {
            let trial = Trial { warm_up: 200_000, ..Trial::new(Who::Testpmd, of(families, flows(count))) };
            (trial, figure(section, &format!("{}, {scenario}", name(count)), SOURCE, mpps))
        };
        lab.contest([
            source(Families::Ipv4, IPV4),
            source(Families::Ipv6, IPV6),
            source(Families::Both, BOTH),
        ]);
        for (contender, options) in [(NO_ACCOUNTING, &[NEVER, "--accounting=off"][..]), (OURS, &[NEVER])] {
            let size = name(count);
            let entrant = |families, scenario: &str| {
                let trial = Trial::new(ours(room(count), options), of(families, flows(count)));
                (trial, figure(section, &format!("{size}, {scenario}"), contender, mpps))
            };
            let (ipv4, ipv6) = (entrant(Families::Ipv4, IPV4), entrant(Families::Ipv6, IPV6));
            let both = entrant(Families::Both, BOTH);
            let than = |name: &str| format!("{size}, {name}");
            lab.contest([
                ipv4,
                (ipv6.0, ipv6.1.versus_scenario(contender, &than(IPV4), Some(0.75))),
                (
                    both.0,
                    both.1.versus_scenario(contender, &than(IPV4), None).versus_scenario(
                        contender,
                        &than(IPV6),
                        None,
                    ),
                ),
            ]);
        }
    }
}

/// Adds new flows of both families, all of whose events are taken.
pub(super) fn new_flows(lab: &mut Lab, plan: &Plan) {
    let section = lab.section(
        "ipv6-new",
        "M/s",
        "New flows of both families",
        "Every frame is the first of its flow, as in the section on new flows. Events a second that the \
         exporter has taken.",
    );
    let seconds = (plan.seconds + 3.0).ceil() as u64;
    let capacity = (8_000_000 * seconds).next_power_of_two();
    for (families, scenario) in [(Families::Ipv4, IPV4), (Families::Ipv6, IPV6)] {
        let load = of(families, Load { flows: 2, fresh: SHARES, ..Load::default() });
        // The table of the other family is small.
        let (ipv4, ipv6) = match families {
            Families::Ipv4 => (capacity, 65_536),
            _ => (65_536, capacity),
        };
        let small = format!("--capacity-ipv6={ipv6}");
        let mut row = figure(section, scenario, OURS, events);
        if families == Families::Ipv6 {
            row = row.versus_scenario(OURS, IPV4, Some(0.65));
        }
        lab.case(Trial { warm_up: 500_000, ..Trial::new(ours(ipv4, &[NEVER, &small]), load) }, vec![row]);
    }
}

/// Adds what a hostile sender can do with IPv6.
pub(super) fn hostile(lab: &mut Lab, folder: &Path) {
    let section = lab.section(
        "ipv6-hostile",
        "Mpps",
        "Hostile load of IPv6",
        "65,536 random flows, and 65,536 chosen ones that all have the same CRC, under each hash; a /64 that \
         scans through a full table of 65,536; and eight extension headers in every frame of known flows.",
    );
    const COUNT: u64 = 1 << 16;
    let bytes = |key: &FlowKeyV6| key.to_bytes().to_vec();
    let chosen =
        write_keys(folder.join("colliding-ipv6"), collisions::crc_v6(COUNT as usize).iter().map(bytes));
    let ordinary = write_keys(folder.join("random-ipv6"), (0..COUNT).map(|number| bytes(&flow_v6(number))));
    let random = name(COUNT);
    let known = || of(Families::Ipv6, flows(COUNT));
    for hash in ["keyed", "crc", "jhash"] {
        let option = format!("--hash={hash}");
        let contender = format!("{OURS}, --hash {hash}");
        let trial = |keys: &PathBuf| {
            let load = Load { keys: Some(keys.clone()), ..known() };
            Trial { warm_up: 4 * COUNT, ..Trial::new(ours(4 * COUNT, &[NEVER, &option]), load) }
        };
        let row = |scenario| figure(section, scenario, &contender, mpps);
        let target = (hash == "keyed").then_some(0.95);
        lab.contest([
            (trial(&ordinary), row(&random)),
            (trial(&chosen), row("colliding CRC").versus_scenario(&contender, &random, target)),
        ]);
    }
    let trial = |load| Trial { warm_up: 4 * COUNT, ..Trial::new(ours(COUNT, &[NEVER]), load) };
    let row = |scenario| figure(section, scenario, OURS, mpps);
    let scan = of(Families::Ipv6, Load { flows: 2, fresh: SHARES, ..Load::default() });
    let full = "full table, known flows";
    lab.contest([
        (trial(known()), row(full)),
        (trial(scan), row("full table, a /64 scans").versus_scenario(OURS, full, Some(0.5))),
    ]);
    let plain = "no extension headers";
    let chain = Load { extensions: 8, ..known() };
    lab.contest([
        (Trial::new(ours(room(COUNT), &[NEVER]), known()), row(plain)),
        (
            Trial::new(ours(room(COUNT), &[NEVER]), chain),
            row("eight extension headers").versus_scenario(OURS, plain, Some(0.4)),
        ),
    ]);
}
