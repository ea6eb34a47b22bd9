//! Every output of `ctl` about IPv6 flows, byte for byte, and about both tables at once.
//! `golden.rs` describes the files.

use flowtracker_proto::key::WideKey;
use flowtracker_proto::show;
use flowtracker_proto::table::{IPV4_FLOWS, IPV6_FLOWS};
use flowtracker_proto::v1::*;
use tonic::Code;

use crate::golden::*;
use crate::rig::soon;
use crate::scripted::{Answer, Scripted};

const TABLE: &str = "flowtracker_ipv6/table/Main/ct_flow_table";
const KEY: &str = "port0/tcp/[2001:db8::1]:53660-[2001:db8::2]:1234";

/// Makes a step in which TABLE and KEY stand for the table and a key of IPv6.
fn step6(command: &str, answers: Vec<Answer>) -> Step {
    step(&command.replace("TABLE", TABLE).replace("KEY", KEY), answers)
}

/// Returns an entry as one of IPv6, with this key and the permissions of that table.
fn of_ipv6(entry: Entry, key: &str) -> Entry {
    let key = WideKey::parse(&IPV6_FLOWS, key).expect(key);
    let permissions = 0x1da4;
    Entry {
        pipeline: IPV6_FLOWS.pipeline.to_owned(),
        key: Some(key.to_proto(&IPV6_FLOWS)),
        permissions,
        permissions_text: show::permissions_text(permissions),
        ..entry
    }
}

/// Returns an entry that a packet made, 12 s old and 3 s idle.
fn entry6() -> Entry {
    of_ipv6(entry(1), KEY)
}

/// Addresses that `inet_ntop` prints in different ways.
fn of_every_form() -> Vec<Entry> {
    let keys = [
        "port0/tcp/[::1.2.3.4]:1-[::ffff:1.2.3.4]:2",
        "port0/udp/[::]:0-[::1]:65535",
        "port1/tcp/[::ffff:0:102:304]:1-[64:ff9b::1.2.3.4]:2",
        // The longest run of zeros is shortened, the first of two equal ones, and none of one
        // group.
        "port1/tcp/[2001:db8:0:0:1:0:0:0]:1-[2001:db8:0:0:1:0:0:1]:2",
        "port1/tcp/[2001:DB8:0:1:1:1:1:1]:1-[fe80:0:0:0:0:0:0:0001]:2",
        "port65535/255/[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535-[0:0:1::]:65535",
    ];
    keys.into_iter().map(|key| of_ipv6(entry(1), key)).collect()
}

fn table6() -> Table {
    Table {
        pipeline: IPV6_FLOWS.pipeline.to_owned(),
        key_bits: 328,
        permissions: 0x3de4,
        permissions_text: show::permissions_text(0x3de4),
        ..table()
    }
}

fn event6(kind: EventType, seq: u64, entry: Option<Entry>) -> Event {
    Event { pipeline: IPV6_FLOWS.pipeline.to_owned(), ..event(kind, seq, entry) }
}

/// Returns events of both tables, in one order.
fn events() -> Answer {
    let gone = |entry, seq, reason: DeleteReason| Event {
        reason: reason.into(),
        ..event6(EventType::Deleted, seq, Some(entry))
    };
    let aged = Entry { created_ms_ago: 30_900, idle_ms: 30_000, packets: 1, deleted_by: timer(), ..entry6() };
    let new = Entry { created_ms_ago: 0, idle_ms: 0, ..entry6() };
    let pipeline = || IPV4_FLOWS.pipeline.to_owned();
    let events = vec![
        event6(EventType::Created, 1, Some(new)),
        event(EventType::Created, 2, Some(Entry { created_ms_ago: 0, idle_ms: 0, ..entry(1) })),
        event6(EventType::Updated, 3, Some(of_ipv6(updated(1), KEY))),
        gone(aged, 4, DeleteReason::Idle),
        gone(of_ipv6(deleted(1), KEY), 5, DeleteReason::Control),
        gone(of_ipv6(deleted(2), KEY), 6, DeleteReason::Flush),
        Event { deleted: 1, failed: 2, ..event6(EventType::Flushed, 7, None) },
        Event { deleted: 3, pipeline: pipeline(), ..event(EventType::Flushed, 8, None) },
        Event { lifecycle: LifecycleKind::Purged.into(), ..event6(EventType::Lifecycle, 9, None) },
        Event { lifecycle: LifecycleKind::Loaded.into(), ..event6(EventType::Lifecycle, 10, None) },
    ];
    Answer::Events(events, refused(Code::Aborted, "END", "the script ends here"))
}

#[tokio::test]
async fn p4tc_commands() {
    let pairs = "dstPort 1234 permissions 1da4 srcPort 53660 action NoAction hdr.ipv6.nextHdr 6 dynamic \
                 dstAddr 2001:db8::2 srcAddr 2001:0DB8:0:0::1/128 aging 30000 pipeid 2 input_port 1";
    let made = || of_ipv6(made_static(1), KEY);
    golden(
        "ipv6-p4ctrl.txt",
        vec![
            step6("p4ctrl create TABLE KEY", one(made())),
            step6(&format!("-echo p4ctrl create TABLE {pairs}"), one(made())),
            step6("-j -echo p4ctrl create TABLE KEY", one(made())),
            step6("-echo p4ctrl update TABLE KEY aging 60000", one(of_ipv6(updated(1), KEY))),
            step6("-echo -d p4ctrl update TABLE KEY", one(of_ipv6(updated(1), KEY))),
            step6("-j -echo p4ctrl update TABLE KEY", one(of_ipv6(updated(1), KEY))),
            step6(
                "p4ctrl update TABLE tbl_attrs timer_profile id 0 aging 5000",
                vec![Answer::Table(table6())],
            ),
            step6("p4ctrl get TABLE KEY", one(entry6())),
            step6("-d p4ctrl get TABLE KEY", one(entry6())),
            step6("-j p4ctrl get TABLE KEY", one(entry6())),
            step6("-j -p p4ctrl get TABLE KEY", one(made())),
            step6("p4ctrl get TABLE", vec![Answer::Entries(of_every_form())]),
            step6("-j p4ctrl get TABLE", vec![Answer::Entries(of_every_form())]),
            step6("p4ctrl get TABLE filter 'key.srcAddr = \"2001:db8::/32\"'", vec![Answer::Entries(vec![])]),
            step6("-echo p4ctrl delete TABLE KEY", one(of_ipv6(deleted(1), KEY))),
            step6("-j -echo p4ctrl delete TABLE KEY", one(of_ipv6(deleted(1), KEY))),
            step6("-echo p4ctrl delete TABLE", vec![Answer::Flushed(3, 0)]),
            step6("-j -echo p4ctrl delete TABLE", vec![Answer::Flushed(3, 0)]),
            step6("p4template get table/flowtracker_ipv6/Main/ct_flow_table", vec![Answer::Table(table6())]),
            step6(
                "-j p4template get table/flowtracker_ipv6/Main/ct_flow_table",
                vec![Answer::Table(table6())],
            ),
            step6("p4ctrl create TABLE help", vec![]),
            Step {
                input: "p4ctrl get flowtracker_ipv6/table/Main/ct_flow_table\n\
                        p4ctrl delete flowtracker/table/Main/ct_flow_table\n",
                ..step6("-batch -", vec![Answer::Entries(vec![entry6()]), Answer::Flushed(0, 0)])
            },
        ],
    )
    .await;
}

#[tokio::test]
async fn monitor() {
    golden(
        "ipv6-monitor.txt",
        vec![
            step6("mon p4 events", vec![events()]),
            step6("-d mon p4 events TABLE filter cmd = delete", vec![events()]),
        ],
    )
    .await;
}

#[tokio::test]
async fn everyday_verbs() {
    let mut steps = Vec::new();
    for form in ["table", "wide", "json", "tc"] {
        steps.push(step6(&format!("get -o {form} KEY"), one(entry6())));
        steps.push(step6(&format!("list -6 -o {form}"), vec![Answer::Entries(of_every_form())]));
        steps.push(step6(&format!("watch -o {form}"), vec![events()]));
    }
    let pairs =
        "dstPort 1234 srcPort 53660 protocol tcp dstAddr 2001:db8::2 srcAddr 2001:db8::1 input_port port0";
    let made = || one(of_ipv6(made_static(1), KEY));
    let both = || vec![Answer::Entries([vec![entry(1), entry(2)], of_every_form()].concat())];
    let off = no(Code::FailedPrecondition, "FAMILY_OFF");
    let detached = Answer::Refused(refused(Code::FailedPrecondition, "DETACHED", "it is detached"));
    steps.extend([
        step6(&format!("-6 create {pairs}"), made()),
        step6(&format!("create {pairs}"), made()),
        step6("update KEY --dynamic", one(of_ipv6(updated(1), KEY))),
        step6("delete -6 KEY", one(of_ipv6(deleted(1), KEY))),
        step6("list", both()),
        step6("list -o tc", both()),
        step6("-4 list filter family = 4", vec![Answer::Entries(vec![])]),
        step6("watch -6", vec![events()]),
        step6("flush -6", vec![Answer::Flushed(3, 0)]),
        // P4TC has no message about two pipelines.
        step6("flush -o tc", vec![Answer::Flushed(3, 0), Answer::Flushed(4, 0)]),
        step6("flush -o tc", vec![Answer::Flushed(3, 0), off.clone()]),
        step6("flush -o tc", vec![detached.clone(), Answer::Flushed(4, 0)]),
        step6("flush -o tc", vec![Answer::Flushed(3, 0), detached.clone()]),
        step6("flush -o tc", vec![detached.clone(), Answer::Flushed(0, 2)]),
        step6("flush -o tc", vec![detached.clone(), off.clone()]),
        step6("flush -o tc", vec![off.clone(), detached.clone()]),
        step6("flush -o tc", vec![detached.clone(), no(Code::FailedPrecondition, "DETACHED")]),
        step6("flush -o tc", vec![off.clone(), off.clone()]),
        step6("flush -o tc -4", vec![detached]),
        step6("flush -o tc -6", vec![off]),
        step6("table -6", vec![Answer::Table(table6())]),
        step6("table -6 -o tc", vec![Answer::Table(table6())]),
        step6("table -6 --profile 0=5000", vec![Answer::Table(table6())]),
        step6("introspect -6", vec![Answer::Introspection("{}")]),
        step6("load -6", vec![Answer::Loaded]),
        step6("purge -6", vec![Answer::Purged(3)]),
        step6("stats", vec![Answer::Stats(stats())]),
        step6("stats -o json", vec![Answer::Stats(stats())]),
        step6("stats -6", vec![Answer::Stats(of_one_table(stats()))]),
        // Usage errors.
        step6("get -4 KEY", vec![]),
        step6("get -6 port0/tcp/10.0.0.1:1-10.0.0.2:2", vec![]),
        step6("get port0/tcp/[fe80::1%eth0]:1-[fe80::2]:2", vec![]),
        step6("get input_port 1 srcAddr 10.0.0.1 dstAddr ::1 protocol 6 srcPort 1 dstPort 2", vec![]),
        step6("get input_port 1 srcAddr ::1/64 dstAddr ::1 protocol 6 srcPort 1 dstPort 2", vec![]),
        step6("dataplanes -6", vec![]),
        step6("p4ctrl get TABLE port0/tcp/10.0.0.1:1-10.0.0.2:2", vec![]),
        step6("p4ctrl get TABLE pipeid 1", vec![]),
        step6("p4ctrl get flowtracker_ipv6/table/Main/other", vec![]),
        step6("p4ctrl get flowtracker_ipv7/table/Main/ct_flow_table", vec![]),
    ]);
    golden("ipv6-everyday.txt", steps).await;
}

/// Returns counters of two lcores with both tables.
fn stats() -> GetStatsResponse {
    let of = |pipeline: &str, hit, miss_created, miss_full| TableStats {
        pipeline: pipeline.to_owned(),
        hit,
        miss_created,
        miss_full,
        entries: miss_created,
        capacity: 1024,
        ..TableStats::default()
    };
    let lcore = |lcore| LcoreStats {
        lcore,
        rx: 20,
        tx: 20,
        outcomes: Some(Outcomes { hit: 12, miss_created: 5, miss_full: 3, ..Outcomes::default() }),
        entries: 5,
        capacity: 2048,
        tables: vec![of("flowtracker", 10, 2, 0), of("flowtracker_ipv6", 2, 3, 3)],
        ..LcoreStats::default()
    };
    let dataplane = DataplaneStats {
        dataplane: "dp".to_owned(),
        lcores: vec![lcore(1), lcore(2)],
        live: true,
        ..DataplaneStats::default()
    };
    GetStatsResponse { dataplanes: vec![dataplane], log: None }
}

fn of_one_table(mut stats: GetStatsResponse) -> GetStatsResponse {
    let lcores = stats.dataplanes.iter_mut().flat_map(|dataplane| &mut dataplane.lcores);
    lcores.for_each(|lcore| lcore.tables.retain(|table| table.pipeline == IPV6_FLOWS.pipeline));
    stats
}

#[tokio::test]
async fn one_table_or_the_other() {
    for command in ["-4 -6 list", "list -4 -6", "-6 get -4 KEY", "-4 mon p4 events"] {
        let Step { arguments, .. } = step6(command, vec![]);
        let service = Scripted::start(vec![]).await;
        let mut ctl = std::process::Command::new(env!("CARGO_BIN_EXE_ctl"));
        ctl.args(&arguments).env("FLOWTRACKER_SERVER", service.uri());
        let end = tokio::task::spawn_blocking(move || ctl.output());
        let output = soon(command, end).await.unwrap().unwrap();
        let status = if command.contains("mon") { 255 } else { 2 };
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{command}: {message}");
        assert!(message.contains("-4"), "{command}: {message}");
        assert_eq!(service.asked(), [] as [String; 0], "{command}");
    }
}
