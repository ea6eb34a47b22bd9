//! Certificates on every connection: who a caller is and may do is the same by every way in, and
//! certificates can be replaced while events flow.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use flowtracker_proto::v1;
use flowtracker_tests::appliance::{LIMIT, polling};
use flowtracker_tests::grpcurl;
use flowtracker_tests::process::{Running, Stream, binary, cpu, run, wait_for, workspace_root};
use flowtracker_tests::tls::Certificates;
use flowtracker_tests::watcher::Watcher;
use serde_json::Value;

const DATAPLANE: &str = "dp";
const KEY: &str = "port0/tcp/10.0.0.1:1-10.0.0.2:2";
/// New flows a second: each is an event when it comes, and one when it expires.
const NEW: u64 = 5000;

/// A control service with certificates.
struct Service {
    process: Running,
    address: String,
    http: String,
}

fn service(certificates: &Certificates) -> Service {
    let mut command = Command::new(binary("flowtracker-control"));
    command.args(["--listen=127.0.0.1:0", "--http=127.0.0.1:0"]).args(certificates.of_service(DATAPLANE));
    let mut process = Running::spawn(&mut command);
    let line = process.wait_line(Stream::Stderr, LIMIT, |line| line.contains("listening on http"));
    let after = |text: &str, words: &str| {
        let (_, rest) = text.split_once(words).unwrap_or_else(|| panic!("{words}: {text}"));
        rest.split_whitespace().next().expect("an address").to_owned()
    };
    let log = process.text(Stream::Stderr);
    let users = log.lines().find(|line| line.contains("listening on 127.0.0.1:")).expect("the users' door");
    let http =
        after(&line, "listening on http").trim_start_matches("s://").trim_start_matches("://").to_owned();
    Service { address: after(users, "listening on "), http, process }
}

impl Service {
    /// Returns a `ctl` that comes as `name`, or as nobody.
    fn ctl(&self, certificates: &Certificates, name: &str) -> Command {
        let mut ctl = Command::new(binary("ctl"));
        ctl.args(["--server", &format!("https://{}", self.address)]).stdin(Stdio::null());
        if name.is_empty() {
            ctl.env("FLOWTRACKER_CACERT", certificates.path("ca.pem"));
        } else {
            certificates.identify(&mut ctl, name);
        }
        ctl
    }

    /// Calls a method with grpcurl as `name`, or as nobody; returns the answer, or what it prints.
    fn grpcurl(
        &self,
        certificates: &Certificates,
        name: &str,
        method: &str,
        request: &str,
    ) -> Result<Value, String> {
        let file = |option: &str, file: &str| format!("-{option}={}", certificates.path(file).display());
        let mut command = Command::new(grpcurl::program());
        // Not everybody may use reflection.
        command.arg("-import-path").arg(workspace_root().join("proto"));
        command.args(["-proto", "flowtracker/v1/flowtracker.proto"]);
        command.arg(file("cacert", "ca.pem")).args(["-emit-defaults", "-d", request]);
        if !name.is_empty() {
            command.arg(file("cert", &format!("{name}.pem"))).arg(file("key", &format!("{name}.key")));
        }
        let output = command.arg(&self.address).arg(format!("{}/{method}", grpcurl::SERVICE)).output();
        let output = output.expect("grpcurl runs");
        if output.status.success() {
            Ok(serde_json::from_slice(&output.stdout).expect("JSON"))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

#[test]
fn a_caller_is_the_same_by_every_way_in() {
    let certificates = Certificates::new(DATAPLANE);
    let service = service(&certificates);
    let delete = r#"{"key":{"inputPort":"port0","srcAddr":"10.0.0.1","dstAddr":"10.0.0.2","protocol":6,"srcPort":1,"dstPort":2}}"#;
    for (name, role, reads, writes) in [
        ("viewer", "viewer", true, false),
        ("operator", "operator", true, true),
        ("admin", "admin", true, true),
        (DATAPLANE, "dataplane", false, false),
        ("", "", false, false),
    ] {
        let who = run(service.ctl(&certificates, name).args(["whoami", "-o", "json"]));
        let who: v1::WhoAmIResponse = serde_json::from_str(&who).expect("JSON");
        assert_eq!(who.role, role, "{name}");
        assert!(
            if name.is_empty() { who.identity.is_empty() } else { who.identity.contains(name) },
            "{who:?}"
        );
        let same = service.grpcurl(&certificates, name, "WhoAmI", "{}").expect("WhoAmI is open to all");
        assert_eq!(serde_json::from_value::<v1::WhoAmIResponse>(same).expect("the message"), who);

        // Without a data plane, whoever is let in gets another refusal.
        let refused = if name.is_empty() { "Unauthenticated" } else { "PermissionDenied" };
        let listed = service.ctl(&certificates, name).arg("dataplanes").output().expect("ctl runs");
        assert_eq!(listed.status.code(), Some(if reads { 0 } else { 1 }), "{name}: {listed:?}");
        let listed = service.grpcurl(&certificates, name, "ListDataplanes", "{}");
        assert!(
            if reads { listed.is_ok() } else { listed.clone().unwrap_err().contains(refused) },
            "{name}: {listed:?}"
        );
        let deleted = service.ctl(&certificates, name).args(["delete", KEY]).output().expect("ctl runs");
        assert_eq!(deleted.status.code(), Some(1), "{name}: {deleted:?}");
        let deleted = service.grpcurl(&certificates, name, "DeleteEntry", delete).expect_err("no data plane");
        assert_eq!(!deleted.contains(refused), writes, "{name}: {deleted}");
    }
    // Metrics and health are open to all, over TLS.
    let ca = certificates.path("ca.pem");
    let page = |path: &str| {
        let url = format!("https://{}{path}", service.http);
        run(Command::new("curl").args(["--silent", "--fail", "--cacert"]).arg(&ca).arg(url))
    };
    assert!(page("/metrics").contains("flowtracker_refusals_total"));
    page("/healthz");
    // TLS only.
    let mut plain = Command::new(binary("ctl"));
    let plain =
        plain.args(["--server", &format!("http://{}", service.address), "list"]).output().expect("ctl runs");
    assert!(String::from_utf8_lossy(&plain.stderr).contains("it speaks TLS"), "{plain:?}");
}

/// Starts the generator and the data plane, joined by memif.
fn dataplane(folder: &Path, control: &str, options: &[String]) -> (Running, Running) {
    let socket = folder.join("port.sock");
    let dpdk = |command: &mut Command, which: &str, megabytes: &str| {
        command.env("RUNTIME_DIRECTORY", folder).args([
            "--no-huge",
            "--no-shconf",
            "--no-pci",
            "-m",
            megabytes,
        ]);
        command.arg(format!("--file-prefix=fttls{which}{}", std::process::id()));
    };
    let mut traffic = Command::new(env!("CARGO_BIN_EXE_traffic"));
    dpdk(&mut traffic, "t", "512");
    traffic.args(["--lcores=0@(0-1)"]);
    traffic.arg(format!("--vdev=net_memif0,role=server,id=0,socket-abstract=no,socket={}", socket.display()));
    traffic.args(["--", "--new", &NEW.to_string()]);
    let mut traffic = Running::spawn(&mut traffic);
    traffic.wait_line(Stream::Stdout, LIMIT, |line| line == "ready");
    let mut dataplane = polling(Command::new("nice"));
    dpdk(&mut dataplane, "d", "256");
    dataplane.arg(format!("--lcores=0@{}", cpu()));
    dataplane
        .arg(format!("--vdev=net_memif0,role=client,id=0,socket-abstract=no,socket={}", socket.display()));
    dataplane.args(["--vdev=net_null0,no-rx=1", "--", "--forward=drop", "--timer-profiles=1000"]);
    dataplane.arg(format!("--id={DATAPLANE}")).arg(format!("--control={control}")).args(options);
    (traffic, Running::spawn(&mut dataplane))
}

/// Makes a pair of this CA that has expired, in files of these names.
fn expired(certificates: &Certificates, cert: &Path, key: &Path) {
    std::fs::copy(certificates.path("server.key"), key).expect("copied");
    let script = "openssl req -new -key \"$0\" -subj /CN=server | \
        openssl x509 -req -CA \"$1\" -CAkey \"$2\" -days -1 -out \"$3\" 2>&1";
    let mut openssl = Command::new("sh");
    openssl.args(["-c", script]).arg(key).args([certificates.path("ca.pem"), certificates.path("ca.key")]);
    run(openssl.arg(cert));
}

/// Returns what a handshake shows of the service's certificate.
fn shown(address: &str) -> String {
    let script = "openssl s_client -connect \"$0\" </dev/null 2>/dev/null | \
        openssl x509 -noout -serial -issuer -fingerprint";
    run(Command::new("sh").args(["-c", script, address]))
}

/// Waits for as many events as the flows of a second give when they come and when they expire.
fn flows_on(watcher: &mut Watcher) {
    let (epoch, before) = wait_for("the end of a snapshot", LIMIT, || watcher.position());
    wait_for("a second's events", LIMIT, || {
        watcher.position().filter(|now| *now > (epoch, before + 2 * NEW))
    });
}

/// Law: no event is lost to a watcher, and no link to a data plane, when certificates are replaced.
/// What is new counts from the next connection on; a bad pair does not count, and is named in the log.
/// The watcher is offered 10,000 events a second. Those that arrive are counted and printed: a
/// machine that others use may deliver them more slowly.
#[test]
fn certificates_are_replaced_while_events_flow() {
    let certificates = Certificates::new(DATAPLANE);
    let mut service = service(&certificates);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let control = format!("https://{}", service.address);
    let (_traffic, mut dataplane) = dataplane(folder.path(), &control, &certificates.of_dataplane(DATAPLANE));
    dataplane.wait_line(Stream::Stderr, LIMIT, |line| line.contains("linked to https://"));
    let mut watcher = Watcher::ctl("ctl over TLS", &mut service.ctl(&certificates, "viewer"), None);
    // Flows expire by now.
    flows_on(&mut watcher);
    let (since, (epoch, first)) = (Instant::now(), watcher.position().expect("no snapshot"));

    for (what, new_ca) in [("all pairs", false), ("the CA, and all pairs", true)] {
        let before = shown(&service.address);
        if new_ca {
            std::fs::remove_file(certificates.path("ca.key")).expect("there was a CA");
        }
        certificates.renew(DATAPLANE);
        wait_for(&format!("new connections use new certificates: {what}"), LIMIT, || {
            (shown(&service.address) != before).then_some(())
        });
        flows_on(&mut watcher);
        // Newcomers come with the new pairs, and are known.
        let who = wait_for("a newcomer is let in", LIMIT, || {
            let who = service.ctl(&certificates, "operator").args(["whoami", "-o", "json"]).output().ok()?;
            who.status.success().then_some(who.stdout)
        });
        assert_eq!(
            serde_json::from_slice::<v1::WhoAmIResponse>(&who).expect("JSON").role,
            "operator",
            "{what}"
        );
        flows_on(&mut watcher);
    }

    let (cert, key) = (certificates.path("server.pem"), certificates.path("server.key"));
    let read = |path: &Path| std::fs::read(path).expect("a file");
    let good = (read(&cert), read(&key));
    let half = good.0[..good.0.len() / 2].to_vec();
    let old = [folder.path().join("old.pem"), folder.path().join("old.key")];
    expired(&certificates, &old[0], &old[1]);
    let before = shown(&service.address);
    for (what, bad, said) in [
        ("half a file", (half, good.1.clone()), " is not PEM"),
        ("another's key", (good.0.clone(), read(&certificates.path("viewer.key"))), " is not the key of "),
        ("an expired pair", (read(&old[0]), read(&old[1])), " has expired at "),
    ] {
        std::fs::write(&cert, bad.0).expect("written");
        std::fs::write(&key, bad.1).expect("written");
        service.process.wait_line(Stream::Stderr, LIMIT, |line| {
            line.contains(said) && line.contains("what was there before stays in force")
        });
        assert_eq!(shown(&service.address), before, "{what}");
        flows_on(&mut watcher);
    }

    let (seconds, (still, last)) = (since.elapsed().as_secs_f64(), watcher.position().expect("no snapshot"));
    assert_eq!(still, epoch, "the service has not lost its log");
    let events = last - first;
    say(&format!(
        "{:.0} events a second at the watcher, {} offered: {events} in {seconds:.1} s",
        events as f64 / seconds,
        2 * NEW
    ));
    // The watcher folds what it reads, which fails at an event that is missing or out of order.
    let (tally, _) = watcher.tally();
    assert_eq!(tally.gaps, 0, "{tally:?}");
    assert!(service.process.is_running() && dataplane.is_running());
    assert!(!dataplane.text(Stream::Stderr).contains("is down"), "{}", dataplane.text(Stream::Stderr));
}

fn say(text: &str) {
    // Standard error may be closed; the message is lost then.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A data plane that may not attach says so once, and goes on trying.
#[test]
fn a_data_plane_that_is_refused_says_so_once_and_comes_back() {
    let certificates = Certificates::new(DATAPLANE);
    let mut service = service(&certificates);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let control = format!("https://{}", service.address);
    // An operator is no data plane.
    let options = certificates.of_dataplane("operator");
    let (_traffic, mut dataplane) = dataplane(folder.path(), &control, &options);
    dataplane.wait_line(Stream::Stderr, LIMIT, |line| line.contains("it refuses this data plane: "));
    // Longer than the first pauses.
    std::thread::sleep(Duration::from_secs(2));
    let log = dataplane.text(Stream::Stderr);
    assert_eq!(log.matches("it refuses this data plane").count(), 1, "{log}");
    // Another certificate in the same files is enough.
    for kind in ["pem", "key"] {
        std::fs::copy(
            certificates.path(&format!("{DATAPLANE}.{kind}")),
            certificates.path(&format!("operator.{kind}")),
        )
        .expect("copied");
    }
    dataplane.wait_line(Stream::Stderr, LIMIT, |line| line.contains("linked to https://"));
    assert!(service.process.is_running());
}

/// Law: what `docker/certs.sh` makes is what it says, by openssl.
#[test]
fn the_labs_certificates_are_good() {
    let certificates = Certificates::new("dp1 dp2");
    let verify = |arguments: &[&str], file: &str| {
        let mut openssl = Command::new("openssl");
        openssl.arg("verify").args(arguments).arg("-CAfile").arg(certificates.path("ca.pem"));
        run(openssl.arg(certificates.path(file)))
    };
    verify(&["-x509_strict", "-purpose", "sslserver", "-verify_hostname", "localhost"], "server.pem");
    verify(&["-x509_strict", "-purpose", "sslserver", "-verify_ip", "127.0.0.1"], "server.pem");
    for client in ["viewer", "operator", "admin", "dp1", "dp2"] {
        verify(&["-x509_strict", "-purpose", "sslclient"], &format!("{client}.pem"));
        let public = |arguments: [&str; 3], file: String| {
            run(Command::new("openssl").args(arguments).arg("-in").arg(certificates.path(&file)))
        };
        let of_key = public(["pkey", "-pubout", "-outform=PEM"], format!("{client}.key"));
        let of_certificate = public(["x509", "-noout", "-pubkey"], format!("{client}.pem"));
        assert_eq!(of_key, of_certificate, "{client}");
    }
    for entry in std::fs::read_dir(certificates.path("")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let mode = std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777;
        let expected = if path.extension().is_some_and(|kind| kind == "key") { 0o600 } else { 0o644 };
        assert_eq!(mode, expected, "{}", path.display());
    }
    // The CA stays; a bad name is refused before anything is written.
    let ca = std::fs::read(certificates.path("ca.pem")).expect("a CA");
    certificates.renew("dp1");
    assert_eq!(std::fs::read(certificates.path("ca.pem")).expect("a CA"), ca);
    let script = workspace_root().join("docker/certs.sh");
    let refused = Command::new(script).arg(certificates.path("new")).arg("a,b").output().expect("it runs");
    assert_eq!(refused.status.code(), Some(2));
    assert!(!certificates.path("new").exists());
}
