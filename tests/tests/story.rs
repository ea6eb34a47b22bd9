//! The main use of the product: two hosts, netcat between them, and an operator who watches the
//! flows come and go.

use std::process::Command;

use flowtracker_proto::v1::{DeleteReason, Event, EventType};
use flowtracker_tests::appliance::{Appliance, LIMIT};
use flowtracker_tests::netns::{
    CLIENT_PORT, LEFT_ADDR, LEFT_ADDR6, Line, Namespace, RIGHT_ADDR, RIGHT_ADDR6, SERVER_PORT, netcat,
    netcat6,
};
use flowtracker_tests::process::{Running, Stream, run, wait_for};

/// A family: how its entries are shown, and how two hosts connect.
struct Family {
    pipeline: &'static str,
    id: u32,
    permissions: &'static str,
    address: &'static str,
    bits: u32,
    protocol: &'static str,
    left: &'static str,
    right: &'static str,
    connect: fn(&Namespace, &Namespace) -> (Running, Running),
}

const IPV4: Family = Family {
    pipeline: "flowtracker",
    id: 1,
    permissions: "-RUD-PS-RUDX--",
    address: "ipv4",
    bits: 32,
    protocol: "hdr.ipv4.protocol",
    left: LEFT_ADDR,
    right: RIGHT_ADDR,
    connect: netcat,
};

const IPV6: Family = Family {
    pipeline: "flowtracker_ipv6",
    id: 2,
    permissions: "-RUD-PS-R--X--",
    address: "ipv6",
    bits: 128,
    protocol: "hdr.ipv6.nextHdr",
    left: LEFT_ADDR6,
    right: RIGHT_ADDR6,
    connect: netcat6,
};

impl Family {
    /// Returns the text form of an entry between its first line and the times.
    fn block(&self, port: &str, src: (&str, &str), dst: (&str, &str), authors: &str) -> String {
        let Self { permissions, address, bits, protocol, .. } = self;
        format!(
            " table: Main/ct_flow_table(id 1)entry priority 64000[permissions {permissions}]
    entry key
     input_port id:1 size:32b type:dev exact fieldval  {port}
     srcAddr id:2 size:{bits}b type:{address} exact fieldval  {}/{bits}
     dstAddr id:3 size:{bits}b type:{address} exact fieldval  {}/{bits}
     {protocol} id:4 size:8b type:bit8 exact fieldval  6/0xff
     srcPort id:5 size:16b type:be16 exact fieldval  {}/0xffff
     dstPort id:6 size:16b type:be16 exact fieldval  {}/0xffff
    created by: kernel (id 1)
{authors}    dynamic true
",
            src.0, dst.0, src.1, dst.1
        )
    }

    fn forward(&self, authors: &str) -> String {
        self.block("port0", (self.left, CLIENT_PORT), (self.right, SERVER_PORT), authors)
    }

    fn reverse(&self, authors: &str) -> String {
        self.block("port1", (self.right, SERVER_PORT), (self.left, CLIENT_PORT), authors)
    }

    fn created(&self, block: &str) -> String {
        let Self { pipeline, id, .. } = self;
        format!(
            "created pipeline:  {pipeline}(id {id})\n{block}    table aging 30000\n    tmpl created false\n\n"
        )
    }

    /// Returns the path of the table.
    fn table(&self) -> String {
        format!("{}/table/Main/ct_flow_table", self.pipeline)
    }

    /// Returns the compact form of the key of the direction from the left.
    fn compact(&self) -> String {
        let bracketed = |addr: &str| if addr.contains(':') { format!("[{addr}]") } else { addr.to_owned() };
        let (left, right) = (bracketed(self.left), bracketed(self.right));
        format!("port0/tcp/{left}:{CLIENT_PORT}-{right}:{SERVER_PORT}")
    }
}

#[test]
fn a_connection_is_seen_in_both_directions_and_deleted_on_request() {
    seen_and_deleted("net_af_packet", &IPV4);
}

#[test]
fn a_connection_over_af_xdp_is_seen_and_deleted() {
    seen_and_deleted("net_af_xdp", &IPV4);
}

#[test]
fn an_ipv6_connection_is_seen_in_both_directions_and_deleted_on_request() {
    seen_and_deleted("net_af_packet", &IPV6);
}

#[test]
fn an_ipv6_connection_over_af_xdp_is_seen_and_deleted() {
    seen_and_deleted("net_af_xdp", &IPV6);
}

fn seen_and_deleted(driver: &str, family: &Family) {
    let line = Line::with_ipv6();
    let appliance = Appliance::start(&line.middle, &line.devices(driver, ""), &[]);
    let mut monitor = Running::spawn(appliance.ctl().args(["mon", "p4", "events"]));
    appliance.wait_watchers(1);

    let (mut server, mut client) = (family.connect)(&line.left, &line.right);
    // Each entry ends with an empty line.
    let blocks = |lines: &[&str], count: usize| {
        (lines.iter().filter(|line| line.is_empty()).count() >= count).then_some(())
    };
    monitor.wait_lines(Stream::Stdout, LIMIT, |lines| blocks(lines, 2));
    let (forward, reverse) = (family.forward(""), family.reverse(""));
    let expected = family.created(&forward) + &family.created(&reverse);
    assert_eq!(monitor.text(Stream::Stdout), expected);

    // Data passes both ways, and causes no further events.
    client.write_stdin("hello\n");
    server.wait_line(Stream::Stdout, LIMIT, |line| line == "hello");
    server.write_stdin("and back\n");
    client.wait_line(Stream::Stdout, LIMIT, |line| line == "and back");

    // The last delayed acknowledgement must have passed: it would create again the entry that is
    // deleted below.
    wait_for("the connection is quiet", LIMIT, || {
        appliance.entries().iter().all(|entry| entry.idle_ms >= 1000).then_some(())
    });

    let listed = run(appliance.ctl().args(["list"]));
    let compact = family.compact();
    assert!(listed.contains(&compact), "{listed}");
    let Family { pipeline, id, .. } = family;
    let dump = run(appliance.ctl().args(["p4ctrl", "get", &family.table()]));
    assert!(dump.starts_with(&format!("pipeline:  {pipeline}(id {id})\n")), "{dump}");
    assert!(dump.contains(&forward) && dump.contains(&reverse), "{dump}");
    let json = run(appliance.ctl().args(["-j", "p4ctrl", "get", &family.table()]));
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json[0], serde_json::json!({"pname": pipeline, "pipeid": id}));
    assert_eq!(json[1]["entries"].as_array().map(Vec::len), Some(2), "{json}");

    run(appliance.ctl().args(["DeleteEntry", &compact]));
    monitor.wait_lines(Stream::Stdout, LIMIT, |lines| blocks(lines, 3));
    let text = monitor.text(Stream::Stdout);
    let deletion = text.strip_prefix(&expected).expect("only something new at the end");
    let expected = format!(
        "deleted pipeline:  {pipeline}(id {id})\n{}    table aging 30000\n",
        family.forward("    deleted by: tc (id 2)\n")
    );
    assert!(deletion.starts_with(&expected), "{deletion}");
    assert!(!run(appliance.ctl().args(["list"])).contains(&compact));

    drop((server, client, monitor));
    appliance.stop();
    let names = [line.left.name(), line.middle.name(), line.right.name()].map(str::to_owned);
    drop(line);
    let left = run(Command::new("ip").args(["netns", "list"]));
    assert!(names.iter().all(|name| !left.contains(name)), "{left}");
}

#[test]
fn an_idle_connection_expires_in_both_directions_and_never_early() {
    const AGING_MS: u64 = 1500;
    let line = Line::new();
    let devices = line.devices("net_af_packet", "");
    let appliance = Appliance::start(&line.middle, &devices, &["--timer-profiles", "1500,60000"]);
    let mut text = Running::spawn(appliance.ctl().args(["mon", "p4", "events"]));
    let mut json = Running::spawn(appliance.ctl().args(["watch", "-o", "json"]));
    appliance.wait_watchers(2);
    let hosts = netcat(&line.left, &line.right);

    let events: Vec<Event> = json.wait_lines(Stream::Stdout, LIMIT, |lines| {
        let events: Vec<Event> = lines.iter().map(|l| serde_json::from_str(l).expect("an Event")).collect();
        (events.iter().filter(|e| e.r#type() == EventType::Deleted).count() == 2).then_some(events)
    });
    let changes: Vec<&Event> = events.iter().filter(|e| e.entry.is_some()).collect();
    assert_eq!(
        changes.iter().map(|e| e.r#type()).collect::<Vec<_>>(),
        [EventType::Created, EventType::Created, EventType::Deleted, EventType::Deleted]
    );
    for pair in changes.windows(2) {
        assert_eq!(pair[1].seq, pair[0].seq + 1, "dense");
    }
    for event in &changes[2..] {
        let entry = event.entry.as_ref().expect("filtered");
        assert_eq!(event.reason(), DeleteReason::Idle);
        assert!(entry.idle_ms >= AGING_MS, "early: {entry:?}");
        assert!(entry.created_ms_ago >= entry.idle_ms, "used before it was created: {entry:?}");
    }

    text.wait_lines(Stream::Stdout, LIMIT, |lines| {
        (lines.iter().filter(|line| line.is_empty()).count() == 4).then_some(())
    });
    let text = text.text(Stream::Stdout);
    let by_timer = "    deleted by: timer (id 3)\n";
    for block in [IPV4.forward(by_timer), IPV4.reverse(by_timer)] {
        let expected =
            format!("deleted pipeline:  flowtracker(id 1)\n{block}    table aging {AGING_MS}\n    created ");
        assert!(text.contains(&expected), "{text}");
    }
    assert_eq!(appliance.entries(), []);

    drop((hosts, json));
    appliance.stop();
}
