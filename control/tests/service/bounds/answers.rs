//! The bounds of what a data plane answers.

use super::*;

#[tokio::test]
async fn an_answer_is_no_longer_than_the_table_can_make_it() {
    let mut scene = Scene::new(&[]).await;
    let [ipv4, ipv6] = Family::ALL;
    // The answers to a list have the bound of the table that is listed.
    for (entries, family, capacities) in
        [(256, ipv4, [1000, 1 << 20]), (256, ipv6, [1 << 20, 1000]), (0, ipv4, [0, 0])]
    {
        let capacities = [(ipv4, capacities[0]), (ipv6, capacities[1])];
        let capacities = capacities.map(|(family, entries)| capacity_of(family, entries)).to_vec();
        let mut plane = scene.link(Hello { capacities, ..bad(&[1], 0) }).await;
        let (dataplane, pipeline) = ("bad".to_owned(), family.pipeline().to_owned());
        let request = ListEntriesRequest { dataplane, pipeline, ..Default::default() };
        let list = scene.service.client().await.list_entries(request).await.unwrap();
        let id = plane.command().await.id;
        let table: Vec<_> = (0..entries).map(|n| learned(n, T, T)).collect();
        let records = answer(T, &table);
        for _ in 0..120 {
            plane.offer_reply(Reply { id, records: records.clone(), ..Reply::default() }).await;
        }
        let refused = scene.closed_for(plane, "TOO_MANY_REPLIES", Reason::TooManyReplies).await;
        assert_eq!(refused.code(), Code::ResourceExhausted);
        drop(list);
        until("the link to be gone", || scene.service.hub.dataplanes().iter().any(|d| !d.attached)).await;
    }
}

/// Answers GetStats with `stats`. Returns what the service makes of them, and the data plane.
async fn answered(scene: &Scene, stats: DataplaneStats) -> (DataplaneStats, Plane) {
    let mut plane = scene.link(bad(&[1, 2], 0)).await;
    let mut client = scene.service.client().await;
    let asked = tokio::spawn(async move { client.get_stats(stats_of("bad")).await });
    let id = plane.command().await.id;
    plane.reply(Reply { stats: Some(stats), ..status(id, ReplyStatus::Ok) }).await;
    let mut given = soon("stats", asked).await.unwrap().unwrap().into_inner().dataplanes;
    (given.remove(0), plane)
}

#[tokio::test]
async fn counters_are_of_what_hello_names() {
    let mut scene = Scene::new(&[]).await;
    let lcore = |lcore| LcoreStats { lcore, ..LcoreStats::default() };
    let lcores = |lcores: Vec<LcoreStats>| DataplaneStats { lcores, ..DataplaneStats::default() };
    let tables = |names: &[&str]| LcoreStats {
        tables: names
            .iter()
            .map(|n| TableStats { pipeline: (*n).to_owned(), ..Default::default() })
            .collect(),
        ..lcore(1)
    };
    let ports = |names: &[&str]| DataplaneStats {
        ports: names.iter().map(|n| PortStats { port: (*n).to_owned(), ..Default::default() }).collect(),
        ..DataplaneStats::default()
    };
    for (stats, field) in [
        (lcores(vec![lcore(1), lcore(1)]), "reply.stats.lcores"),
        (lcores(vec![lcore(3)]), "reply.stats.lcores"),
        (lcores(vec![lcore(1); 50_000]), "reply.stats.lcores"),
        (lcores(vec![LcoreStats { loop_time: vec![1; 202], ..lcore(1) }]), "reply.stats.lcores.loop_time"),
        (
            lcores(vec![LcoreStats { expiry_lateness_log2_ms: vec![1; 17], ..lcore(1) }]),
            "reply.stats.lcores.expiry_lateness_log2_ms",
        ),
        (lcores(vec![tables(&["flowtracker_ipv6"])]), "reply.stats.lcores.tables"),
        (lcores(vec![tables(&["flowtracker", "flowtracker"])]), "reply.stats.lcores.tables"),
        (lcores(vec![tables(&["nat"])]), "reply.stats.lcores.tables"),
        (ports(&["a", "b", "c"]), "reply.stats.ports"),
        (ports(&["a", "a"]), "reply.stats.ports"),
    ] {
        let (given, plane) = answered(&scene, stats).await;
        assert!(!given.live && given.lcores.is_empty() && given.ports.is_empty());
        let refused = scene.closed_for(plane, "BAD_REQUEST", Reason::BadLink).await;
        assert_eq!((refused.code(), field_of(&refused).as_str()), (Code::InvalidArgument, field));
        until("the link to be gone", || scene.service.hub.dataplanes().iter().any(|d| !d.attached)).await;
    }
}

/// A name that a link gives reaches terminals and logs through answers, refusals and statistics.
#[tokio::test]
async fn what_a_link_says_is_printable() {
    let scene = Scene::new(&[]).await;
    let port = PortStats { port: "p\u{1b}[2J".to_owned(), device: "d\r".to_owned(), ..Default::default() };
    let stats = DataplaneStats { ports: vec![port], ..DataplaneStats::default() };
    let (given, plane) = answered(&scene, stats).await;
    assert_eq!((given.ports[0].port.as_str(), given.ports[0].device.as_str()), ("p\u{fffd}[2J", "d\u{fffd}"));
    drop(plane);
    until("the link to be gone", || scene.service.hub.dataplanes().iter().any(|d| !d.attached)).await;

    let mut plane = scene.link(bad(&[1], 0)).await;
    let mut client = scene.service.client().await;
    let mut ask = async |reply: Reply| {
        let mut asked = client.clone();
        let asked = tokio::spawn(async move {
            let request = GetTableRequest { dataplane: "bad".to_owned(), ..GetTableRequest::default() };
            asked.get_table(request).await
        });
        let id = plane.command().await.id;
        plane.reply(Reply { id, ..reply }).await;
        soon("an answer", asked).await.unwrap()
    };
    let refusal = Reply {
        message: format!("\u{9b}31m{}", "m".repeat(5000)),
        field: "f\u{1b}c".to_owned(),
        metadata: [("k\n".to_owned(), "v\u{8}".to_owned())].into(),
        ..status(0, ReplyStatus::NotFound)
    };
    let refused = ask(refusal).await.unwrap_err();
    assert!(refused.message().starts_with("f\u{fffd}c: \u{fffd}31mmm"), "{}", refused.message());
    assert!(refused.message().len() < 1100, "{}", refused.message().len());
    assert_eq!(field_of(&refused), "f\u{fffd}c");
    let metadata = refused.get_details_error_info().unwrap().metadata;
    assert_eq!(metadata, [("k\u{fffd}".to_owned(), "v\u{fffd}".to_owned())].into());
    let table = Table { name: "t\u{1b}".to_owned(), ..Table::default() };
    let answer = ask(Reply { table: Some(table), ..status(0, ReplyStatus::Ok) }).await;
    assert_eq!(answer.unwrap().into_inner().table.unwrap().name, "t\u{fffd}");
    let table = Table { profiles: vec![TimerProfile::default(); 17], ..Table::default() };
    ask(Reply { table: Some(table), ..status(0, ReplyStatus::Ok) }).await.unwrap_err();
    let known = client.list_dataplanes(ListDataplanesRequest {}).await.unwrap().into_inner();
    assert_eq!(known.dataplanes.len(), 2);
}
