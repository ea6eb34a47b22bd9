//! Both tables of a data plane: which of them a call means, and how their answers are joined.

use flowtracker_proto::v1::{
    CreateEntryRequest, DeleteEntryRequest, FlushEntriesRequest, GetEntryRequest, GetIntrospectionRequest,
    GetStatsRequest, GetTableRequest, Key, LcoreStats, ListEntriesRequest, LoadRequest, PurgeRequest, Reply,
    ReplyStatus, Table, TableStats, UpdateEntryRequest, UpdateTableRequest, WatchEventsRequest, command,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::rig::*;

const IPV4: &str = "flowtracker";
const IPV6: &str = "flowtracker_ipv6";

fn fields(status: &Status) -> Vec<String> {
    status.get_details_bad_request().unwrap().field_violations.into_iter().map(|v| v.field).collect()
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

/// Entries 1 to 30 of each family.
fn table() -> Vec<EntryRecord> {
    let of = |n| [learned(n, T, T), wide_entry(learned(n, T, T))];
    (1..=30).flat_map(of).collect()
}

/// Returns pipelines and source ports of what is listed, and the error that ends the list.
async fn list(service: &Service, pipeline: &str, filter: &str) -> Result<Vec<(String, u32)>, Status> {
    let request = ListEntriesRequest {
        pipeline: pipeline.to_owned(),
        filter: filter.to_owned(),
        ..ListEntriesRequest::default()
    };
    let mut replies = service.client().await.list_entries(request).await?.into_inner();
    let mut listed = Vec::new();
    while let Some(reply) = soon("entries", replies.message()).await? {
        let of = |entry: flowtracker_proto::v1::Entry| (entry.pipeline, entry.key.unwrap().src_port);
        listed.extend(reply.entries.into_iter().map(of));
    }
    Ok(listed)
}

#[tokio::test]
async fn a_list_has_one_table_or_one_after_the_other() {
    let service = Service::start().await;
    Plane::fresh_of_both(&service).await.serve(table(), T);
    let of = |pipeline: &str, numbers: std::ops::RangeInclusive<u32>| -> Vec<_> {
        numbers.map(|n| (pipeline.to_owned(), n)).collect()
    };
    let all = || [of(IPV4, 1..=30), of(IPV6, 1..=30)].concat();
    let seven = || [of(IPV4, 7..=7), of(IPV6, 7..=7)].concat();
    for (pipeline, filter, expected) in [
        ("", "", all()),
        (IPV4, "", of(IPV4, 1..=30)),
        (IPV6, "", of(IPV6, 1..=30)),
        ("", "key.srcPort = 7", seven()),
        ("", "family = 6", of(IPV6, 1..=30)),
        ("", "key.srcAddr = \"2001:db8::/32\" && key.srcPort = 7", of(IPV6, 7..=7)),
        ("", "key.srcAddr != \"2001:db8::1\" && key.srcPort = 7", of(IPV4, 7..=7)),
        ("", "key.srcAddr = 0.0.0.0/0", of(IPV4, 1..=30)),
        ("", "key.hdr.ipv6.nextHdr = tcp && key.protocol = tcp && key.srcPort = 7", seven()),
        (IPV4, "family = 6", vec![]),
        (IPV6, "key.dstAddr = 10.0.0.2", vec![]),
    ] {
        assert_eq!(list(&service, pipeline, filter).await.unwrap(), expected, "{pipeline} {filter}");
    }
    // A list that fails in its second table says so.
    let service = Service::start().await;
    let mut plane = Plane::fresh_of_both(&service).await;
    let answered = async {
        for (pipeline, answer) in [(IPV4, ReplyStatus::Ok), (IPV6, ReplyStatus::Unavailable)] {
            let command = plane.command().await;
            assert!(matches!(command.body, Some(command::Body::Dump(d)) if d.pipeline == pipeline));
            // The other table is not asked meanwhile.
            plane.settled(&service).await;
            plane.reply(status(command.id, answer)).await;
        }
    };
    let (listed, ()) = tokio::join!(list(&service, "", ""), answered);
    assert_eq!(listed.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn the_family_of_a_key_decides_unless_it_contradicts_the_pipeline() {
    let service = Service::start().await;
    Plane::fresh_of_both(&service).await.serve(table(), T);
    let mut client = service.client().await;
    let (narrow, wide) = (flow(7).to_proto(), wide_flow(7).to_proto());
    let mixed = Key { dst_addr: narrow.dst_addr.clone(), ..wide.clone() };
    let mapped = Key { src_addr: "::ffff:10.0.0.1".to_owned(), ..wide.clone() };
    let zone = Key { src_addr: "fe80::1%eth0".to_owned(), ..wide.clone() };
    let none: &[&str] = &[];
    for (key, pipeline, wrong) in [
        (&narrow, "", none),
        (&wide, "", none),
        (&narrow, IPV4, none),
        (&wide, IPV6, none),
        (&narrow, IPV6, &["key.src_addr", "key.dst_addr"]),
        (&wide, IPV4, &["key.src_addr", "key.dst_addr"]),
        (&mixed, "", &["key.dst_addr"]),
        (&mixed, IPV4, &["key.src_addr"]),
        (&zone, "", &["key.src_addr"]),
        (&narrow, "nat", &["pipeline"]),
    ] {
        let (key, pipeline) = (|| Some(key.clone()), || pipeline.to_owned());
        let get = GetEntryRequest { key: key(), pipeline: pipeline(), ..Default::default() };
        let got = client.get_entry(get).await;
        if wrong.is_empty() {
            let entry = got.unwrap().into_inner().entry.unwrap();
            let of = if key().as_ref() == Some(&narrow) { IPV4 } else { IPV6 };
            assert_eq!((entry.pipeline.as_str(), entry.key), (of, key()));
            continue;
        }
        let create = CreateEntryRequest { key: key(), pipeline: pipeline(), ..Default::default() };
        let update = UpdateEntryRequest { key: key(), pipeline: pipeline(), ..Default::default() };
        let delete = DeleteEntryRequest { key: key(), pipeline: pipeline(), ..Default::default() };
        for refused in [
            got.unwrap_err(),
            client.create_entry(create).await.unwrap_err(),
            client.update_entry(update).await.unwrap_err(),
            client.delete_entry(delete).await.unwrap_err(),
        ] {
            assert_eq!(refused.code(), Code::InvalidArgument);
            assert_eq!(fields(&refused), wrong, "{refused:?}");
        }
    }
    // A mapped address is an IPv6 address, and no entry has this one.
    let request = GetEntryRequest { key: Some(mapped), ..Default::default() };
    assert_eq!(client.get_entry(request).await.unwrap_err().code(), Code::NotFound);
}

/// A write goes to the data plane with the key of its family.
#[tokio::test]
async fn an_entry_of_ipv6_is_written_under_its_whole_key() {
    let service = Service::start().await;
    let mut plane = Plane::fresh_of_both(&service).await;
    let mut client = service.client().await;
    let key = Some(wide_flow(7).to_proto());
    let asked = tokio::spawn(async move {
        let create = CreateEntryRequest { key: key.clone(), ..Default::default() };
        let created = client.create_entry(create).await.unwrap().into_inner().entry.unwrap();
        let delete = DeleteEntryRequest { key, ..Default::default() };
        (created, client.delete_entry(delete).await.unwrap().into_inner().entry.unwrap())
    });
    for _ in 0..2 {
        let command = plane.command().await;
        let key = match command.body.unwrap() {
            command::Body::Create(create) => create.key,
            command::Body::Delete(delete) => delete.key,
            other => panic!("{other:?}"),
        };
        assert_eq!((key.len(), &key), (41, &wide_flow(7).to_bytes()));
        let records = answer(T, &[wide_entry(learned(7, T, T))]);
        plane.reply(Reply { records, ..status(command.id, ReplyStatus::Ok) }).await;
    }
    let (created, deleted) = soon("answers", asked).await.unwrap();
    for entry in [created, deleted] {
        assert_eq!((entry.pipeline.as_str(), entry.table.as_str()), (IPV6, "Main/ct_flow_table"));
        assert_eq!(entry.key.unwrap().src_addr, "2001:db8::1");
    }
}

/// Returns the reply that refuses a command for a reason.
pub(crate) fn refuses(reason: &str) -> Reply {
    Reply { reason: reason.to_owned(), ..status(0, ReplyStatus::FailedPrecondition) }
}

pub(crate) fn did(deleted: u64, failed: u64) -> Reply {
    Reply { deleted, failed, ..status(0, ReplyStatus::Ok) }
}

/// Answers the commands of a call, and returns what it answers. Each command must name the table
/// that is due.
pub(crate) async fn with_answers<T>(
    plane: &mut Plane,
    call: impl Future<Output = Result<T, Status>>,
    answers: Vec<(&str, Reply)>,
) -> Result<T, Status> {
    let answered = async {
        // All tables are asked before the first has answered.
        let mut asked = Vec::new();
        for (due, reply) in answers {
            let command = plane.command().await;
            let pipeline = match command.body.unwrap() {
                command::Body::Flush(flush) => flush.pipeline,
                command::Body::Purge(purge) => purge.pipeline,
                command::Body::Load(load) => load.pipeline,
                command::Body::Table(table) => table.pipeline,
                command::Body::UpdateTable(update) => update.pipeline,
                other => panic!("{other:?}"),
            };
            assert_eq!(pipeline, due);
            asked.push(Reply { id: command.id, ..reply });
        }
        for reply in asked {
            plane.reply(reply).await;
        }
    };
    soon("an answer", async { tokio::join!(call, answered).0 }).await
}

#[tokio::test]
async fn what_all_tables_did_is_summed_up() {
    let service = Service::start().await;
    let mut plane = Plane::fresh_of_both(&service).await;
    let client = service.client().await;
    let flush = |pipeline: &str| {
        let request = FlushEntriesRequest { pipeline: pipeline.to_owned(), ..Default::default() };
        let mut client = client.clone();
        async move {
            client.flush_entries(request).await.map(|done| (done.get_ref().deleted, done.get_ref().failed))
        }
    };
    let purge = |pipeline: &str| {
        let request = PurgeRequest { pipeline: pipeline.to_owned(), ..Default::default() };
        let mut client = client.clone();
        async move { client.purge(request).await.map(|done| done.get_ref().removed) }
    };
    let load = |pipeline: &str| {
        let request = LoadRequest { pipeline: pipeline.to_owned(), ..Default::default() };
        let mut client = client.clone();
        async move { client.load(request).await.map(drop) }
    };
    let plane = &mut plane;
    for (pipeline, answers, sums) in [
        ("", vec![(IPV4, did(3, 1)), (IPV6, did(4, 2))], (7, 3)),
        (IPV4, vec![(IPV4, did(3, 1))], (3, 1)),
        (IPV6, vec![(IPV6, did(4, 2))], (4, 2)),
        ("", vec![(IPV4, did(u64::MAX, 1)), (IPV6, did(1, u64::MAX))], (u64::MAX, u64::MAX)),
        ("", vec![(IPV4, refuses("DETACHED")), (IPV6, did(4, 2))], (4, 2)),
        ("", vec![(IPV4, did(3, 1)), (IPV6, refuses("DETACHED"))], (3, 1)),
    ] {
        assert_eq!(with_answers(plane, flush(pipeline), answers).await.unwrap(), sums);
    }
    for (pipeline, answers, why) in [
        ("", vec![(IPV4, refuses("DETACHED")), (IPV6, refuses("DETACHED"))], "DETACHED"),
        (IPV6, vec![(IPV6, refuses("DETACHED"))], "DETACHED"),
        ("", vec![(IPV4, refuses("PURGING")), (IPV6, did(1, 1))], "PURGING"),
        ("", vec![(IPV4, refuses("DETACHED")), (IPV6, refuses("PURGING"))], "PURGING"),
    ] {
        let refused = with_answers(plane, flush(pipeline), answers).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, why));
    }
    let (detached, attached) = ("ALREADY_DETACHED", "ALREADY_ATTACHED");
    for (pipeline, answers, removed) in [
        ("", vec![(IPV4, did(5, 0)), (IPV6, did(6, 0))], Ok(11)),
        (IPV6, vec![(IPV6, did(6, 0))], Ok(6)),
        ("", vec![(IPV4, refuses(detached)), (IPV6, did(6, 0))], Ok(6)),
        ("", vec![(IPV4, refuses(detached)), (IPV6, refuses(detached))], Err(detached.to_owned())),
    ] {
        let done = with_answers(plane, purge(pipeline), answers).await;
        assert_eq!(done.map_err(|refused| reason(&refused)), removed);
    }
    for (pipeline, answers, done) in [
        ("", vec![(IPV4, did(0, 0)), (IPV6, did(0, 0))], Ok(())),
        (IPV4, vec![(IPV4, did(0, 0))], Ok(())),
        ("", vec![(IPV4, did(0, 0)), (IPV6, refuses(attached))], Ok(())),
        ("", vec![(IPV4, refuses(attached)), (IPV6, refuses(attached))], Err(attached.to_owned())),
    ] {
        let loaded = with_answers(plane, load(pipeline), answers).await;
        assert_eq!(loaded.map_err(|refused| reason(&refused)), done);
    }
}

#[tokio::test]
async fn calls_about_a_table_mean_that_of_ipv4_unless_they_name_one() {
    let service = Service::start().await;
    let mut plane = Plane::fresh_of_both(&service).await;
    let client = service.client().await;
    let shown = Table { name: "Main/ct_flow_table".to_owned(), max_entries: 7, ..Table::default() };
    let answer = || Reply { table: Some(shown.clone()), ..status(0, ReplyStatus::Ok) };
    for (asked, meant, bits) in [("", IPV4, 136), (IPV4, IPV4, 136), (IPV6, IPV6, 328)] {
        let mut client = client.clone();
        let pipeline = asked.to_owned();
        let get = GetTableRequest { pipeline: pipeline.clone(), ..Default::default() };
        let got = with_answers(&mut plane, client.get_table(get), vec![(meant, answer())]).await.unwrap();
        assert_eq!(got.into_inner().table.unwrap().pipeline, meant);
        let update = UpdateTableRequest { pipeline: pipeline.clone(), ..Default::default() };
        let updated =
            with_answers(&mut plane, client.update_table(update), vec![(meant, answer())]).await.unwrap();
        assert_eq!(updated.into_inner().table.unwrap().pipeline, meant);
        let get = GetIntrospectionRequest { pipeline, ..Default::default() };
        let got =
            with_answers(&mut plane, client.get_introspection(get), vec![(meant, answer())]).await.unwrap();
        let document: serde_json::Value = serde_json::from_str(&got.into_inner().json).unwrap();
        assert_eq!(document["pipeline_name"], meant);
        assert_eq!(
            (&document["tables"][0]["keysize"], &document["tables"][0]["tentries"]),
            (&bits.into(), &7.into())
        );
    }
}

/// A pipeline that does not exist is refused before a data plane is asked, and one that this data
/// plane does not run is refused with its name.
#[tokio::test]
async fn tables_that_are_not_there_are_refused() {
    let service = Service::start().await;
    let mut client = service.client().await;
    for (pipeline, attached) in [("nat", false), ("nat", true), (IPV6, true)] {
        if attached && service.hub.dataplanes().is_empty() {
            Plane::fresh(&service).await.serve(table(), T);
        }
        let pipeline = || pipeline.to_owned();
        let key = Some(wide_flow(1).to_proto());
        let mut refusals = vec![
            list(&service, &pipeline(), "").await.unwrap_err(),
            client
                .flush_entries(FlushEntriesRequest { pipeline: pipeline(), ..Default::default() })
                .await
                .unwrap_err(),
            client.purge(PurgeRequest { pipeline: pipeline(), ..Default::default() }).await.unwrap_err(),
            client.load(LoadRequest { pipeline: pipeline(), ..Default::default() }).await.unwrap_err(),
            client
                .get_table(GetTableRequest { pipeline: pipeline(), ..Default::default() })
                .await
                .unwrap_err(),
            client
                .update_table(UpdateTableRequest { pipeline: pipeline(), ..Default::default() })
                .await
                .unwrap_err(),
            client
                .get_introspection(GetIntrospectionRequest { pipeline: pipeline(), ..Default::default() })
                .await
                .unwrap_err(),
            client
                .get_entry(GetEntryRequest { key: key.clone(), pipeline: pipeline(), ..Default::default() })
                .await
                .unwrap_err(),
        ];
        if pipeline() == IPV6 {
            let get = GetEntryRequest { key, ..Default::default() };
            refusals.push(client.get_entry(get).await.unwrap_err());
            for refused in refusals {
                assert_eq!(
                    (refused.code(), reason(&refused).as_str()),
                    (Code::FailedPrecondition, "FAMILY_OFF")
                );
                assert!(refused.message().contains("\"dp\" does not run flowtracker_ipv6"), "{refused:?}");
            }
            continue;
        }
        let watch = WatchEventsRequest { pipeline: pipeline(), ..watch_request(now()) };
        refusals.push(client.watch_events(watch).await.unwrap_err());
        let stats = GetStatsRequest { pipeline: pipeline(), ..Default::default() };
        refusals.push(client.get_stats(stats).await.unwrap_err());
        for refused in refusals {
            assert_eq!(
                (refused.code(), fields(&refused)),
                (Code::InvalidArgument, vec!["pipeline".to_owned()])
            );
            assert_eq!(refused.message(), "pipeline: Pipeline name not found: \"nat\"");
        }
    }
    // All tables of a data plane that runs one are that one.
    let listed = list(&service, "", "").await.unwrap();
    assert_eq!((listed.len(), listed[0].0.as_str()), (30, IPV4));
}

#[tokio::test]
async fn counters_are_of_the_table_that_is_named() {
    let service = Service::start().await;
    let mut plane = Plane::fresh_of_both(&service).await;
    let client = service.client().await;
    let table = |pipeline: &str, hit| TableStats { pipeline: pipeline.to_owned(), hit, ..Default::default() };
    let tables = vec![table(IPV4, 3), table(IPV6, 4)];
    let lcore = LcoreStats { lcore: 1, rx: 7, tables: tables.clone(), ..LcoreStats::default() };
    let stats = flowtracker_proto::v1::DataplaneStats { lcores: vec![lcore], ..Default::default() };
    for (pipeline, expected) in [("", &tables[..]), (IPV4, &tables[..1]), (IPV6, &tables[1..])] {
        let mut client = client.clone();
        let request = GetStatsRequest { pipeline: pipeline.to_owned(), ..Default::default() };
        let asked = tokio::spawn(async move { client.get_stats(request).await });
        let id = plane.command().await.id;
        plane.reply(Reply { stats: Some(stats.clone()), ..status(id, ReplyStatus::Ok) }).await;
        let given = soon("stats", asked).await.unwrap().unwrap().into_inner().dataplanes.remove(0);
        assert_eq!((given.lcores[0].rx, &given.lcores[0].tables[..]), (7, expected));
    }
}
