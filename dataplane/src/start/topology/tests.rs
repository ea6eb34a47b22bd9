use super::*;

fn ports(count: u16, queues: u16, dealing: Dealing) -> Vec<PortFacts> {
    let port = |id| PortFacts {
        id,
        device: format!("dev{id}"),
        max_rx: queues,
        max_tx: queues,
        dealing,
        node: None,
    };
    (0..count).map(port).collect()
}

fn lcores(ids: std::ops::Range<u32>) -> Vec<LcoreFacts> {
    ids.map(|id| LcoreFacts { id, node: None }).collect()
}

fn lane(port: u16, queue: u16) -> Lane {
    Lane { port, queue, peer: port ^ 1 }
}

#[test]
fn the_only_lcore_polls_everything() {
    let plan = plan(&ports(2, 8, Dealing::ByFlow), 3, &lcores(3..4), None).unwrap();
    assert_eq!(plan.queues, 1);
    assert_eq!(plan.workers, [Worker { lcore: 3, lanes: vec![lane(0, 0), lane(1, 0)] }]);
}

#[test]
fn two_lcores_and_two_one_queue_ports_work() {
    let plan = plan(&ports(2, 1, Dealing::Fixed), 0, &lcores(0..2), None).unwrap();
    assert_eq!(plan.workers, [Worker { lcore: 1, lanes: vec![lane(0, 0), lane(1, 0)] }]);
    assert!(plan.idle.is_empty());
}

#[test]
fn every_queue_is_polled_exactly_once() {
    for dealing in [Dealing::ByFlow, Dealing::ByPeer, Dealing::Fixed] {
        for (n_ports, queues, n_lcores, rxq) in
            [(2, 1, 1, None), (2, 4, 4, None), (4, 2, 6, Some(2)), (6, 16, 4, Some(16))]
        {
            let plan = plan(&ports(n_ports, queues, dealing), 0, &lcores(0..n_lcores), rxq).unwrap();
            let mut lanes: Vec<_> =
                plan.workers.iter().flat_map(|w| &w.lanes).map(|l| (l.port, l.queue, l.peer)).collect();
            lanes.sort_unstable();
            let expected: Vec<_> =
                (0..n_ports).flat_map(|p| (0..plan.queues).map(move |q| (p, q, p ^ 1))).collect();
            assert_eq!(lanes, expected);
        }
    }
}

#[test]
fn queues_are_as_many_as_workers_when_every_device_deals_by_flow() {
    let plan = plan(&ports(2, 8, Dealing::ByFlow), 0, &lcores(0..4), None).unwrap();
    assert_eq!(plan.queues, 3);
    let sizes: Vec<_> = plan.workers.iter().map(|worker| worker.lanes.len()).collect();
    assert_eq!(sizes, [2, 2, 2]);
}

/// Law: a port has min(workers, queues of the device with the fewest, `--rxq`) queues.
#[test]
fn a_port_has_no_more_queues_than_workers_devices_and_the_flag_allow() {
    for dealing in [Dealing::ByFlow, Dealing::ByPeer] {
        for workers in [1, 2, 3, 8] {
            for has in [1, 2, 5] {
                for asked in [1, 2, 4, 1024] {
                    let mut facts = ports(2, has, dealing);
                    facts[1].max_tx = 4;
                    let plan = plan(&facts, 0, &lcores(0..u32::from(workers) + 1), Some(asked)).unwrap();
                    let case = format!("{dealing:?}, {workers} workers, {has} queues, --rxq {asked}");
                    assert_eq!(plan.queues, workers.min(has).min(4).min(asked), "{case}");
                }
            }
        }
    }
}

#[test]
fn queues_of_a_device_that_does_not_deal_by_flow_stay_on_one_lcore() {
    for (dealing, rxq, queues) in [(Dealing::Fixed, None, 4), (Dealing::ByPeer, Some(4), 3)] {
        let plan = plan(&ports(4, 4, dealing), 0, &lcores(0..4), rxq).unwrap();
        assert_eq!(plan.queues, queues);
        for port in 0..4 {
            let polls_it = |worker: &&Worker| worker.lanes.iter().any(|lane| lane.port == port);
            assert_eq!(plan.workers.iter().filter(polls_it).count(), 1, "port {port}, {dealing:?}");
        }
    }
    let plan = plan(&ports(2, 256, Dealing::ByPeer), 0, &lcores(0..4), None).unwrap();
    assert_eq!(plan.queues, 1, "a peer that may do as it likes gets one queue");
}

#[test]
fn in_a_tie_the_lcore_next_to_the_port_polls_it() {
    let node = |id, node| LcoreFacts { id, node: Some(node) };
    let mut facts = ports(2, 1, Dealing::ByFlow);
    facts[0].node = Some(1);
    facts[1].node = Some(0);
    let plan_on = |lcores: &[LcoreFacts]| plan(&facts, 0, lcores, None).unwrap();
    let near = plan_on(&[node(0, 0), node(1, 0), node(2, 1)]);
    assert_eq!(near.workers[1], Worker { lcore: 2, lanes: vec![lane(0, 0)] });
    assert_eq!(near.remote, []);
    let far = plan_on(&[node(0, 0), node(1, 0), node(2, 0)]);
    assert_eq!(far.workers.len(), 2, "a far lcore is better than none");
    assert_eq!(far.remote, [(1, 0)]);
}

#[test]
fn a_worker_with_nothing_to_poll_is_told() {
    let plan = plan(&ports(2, 1, Dealing::Fixed), 0, &lcores(0..4), None).unwrap();
    assert_eq!(plan.idle, [3]);
}

#[test]
fn what_cannot_work_is_refused_with_the_reason() {
    let error = |p: &[PortFacts], rxq| plan(p, 0, &lcores(0..2), rxq).unwrap_err().to_string();
    let fixed = |n, queues| ports(n, queues, Dealing::Fixed);
    assert_eq!(error(&fixed(0, 1), None), "0 DPDK ports: two are needed (EAL arguments --vdev or -a)");
    assert_eq!(error(&fixed(1, 1), None), "1 DPDK port: two are needed (EAL arguments --vdev or -a)");
    assert_eq!(error(&fixed(3, 1), None), "3 DPDK ports: port2 has no peer, ports work in pairs");
    assert!(error(&fixed(2, 0), None).contains("port0"));
    let unpolled = error(&fixed(2, 2), Some(1));
    assert!(unpolled.contains("--rxq") && unpolled.contains("dev0"), "{unpolled}");
    let mut unequal = fixed(2, 2);
    unequal[1].max_tx = 1;
    let unequal = error(&unequal, None);
    assert!(unequal.contains("dev0 was made with 2") && unequal.contains("dev1 has 1"), "{unequal}");
    assert!(shares("capacity-ipv6", 1, 2).unwrap_err().to_string().contains("--capacity-ipv6: 1"));
}

/// Law: a port whose number does not fit a key's eight bits is refused, however few ports there
/// are.
#[test]
fn a_port_id_that_no_key_can_hold_is_refused() {
    let with_id = |id| {
        let mut facts = ports(2, 1, Dealing::Fixed);
        (facts[1].id, facts[1].device) = (id, "net_tap7".to_owned());
        plan(&facts, 0, &lcores(0..2), None)
    };
    let largest = with_id(254).unwrap();
    let numbers: Vec<u8> = largest.workers[0].lanes.iter().map(Lane::input_port).collect();
    assert_eq!(numbers, [1, 255]);
    for id in [255, 256, u16::MAX] {
        let error = with_id(id).unwrap_err().to_string();
        assert_eq!(error, format!("port{id} (net_tap7): DPDK port ids up to 254 are possible"));
    }
    let many = plan(&ports(256, 1, Dealing::Fixed), 0, &lcores(0..2), None).unwrap_err();
    assert_eq!(many.to_string(), "256 DPDK ports: 254 are possible");
}

#[test]
fn shares_add_up() {
    assert_eq!(shares("capacity", 10, 3).unwrap(), [4, 3, 3]);
    assert_eq!(shares("capacity", 1024, 1).unwrap(), [1024]);
}
