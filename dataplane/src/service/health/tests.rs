use std::thread;

use rustix::net::{accept, bind, listen};

use super::*;

/// Two lcores, the second of which polls nothing.
const ANSWERS: [(&str, &str); 3] = [
    ("/flowtracker/table", r#"{"/flowtracker/table": {"shards": {"10": {}, "2": {}}}}"#),
    ("/flowtracker/lcores,2", r#"{"/flowtracker/lcores": {"stalled": 0, "lanes": ["port0/0", "port1/0"]}}"#),
    ("/flowtracker/lcores,10", r#"{"/flowtracker/lcores": {"stalled": 0, "lanes": []}}"#),
];
const WELL: &str = "lcore 2 polls port0/0 port1/0\nlcore 10 polls nothing\n";

/// Long enough for a thread of this process to answer.
const LONG: Duration = Duration::from_secs(60);

/// Law: operators see these texts, so they do not change by accident.
#[test]
fn each_reason_has_its_text() {
    let path = || PathBuf::from("/run/dpdk");
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    for (error, text) in [
        (HealthError::NoneRuns(path()), "no data plane runs: nobody listens below /run/dpdk".to_owned()),
        (
            HealthError::Several(vec!["a".to_owned(), "b".to_owned()]),
            "several data planes run: --file-prefix must name one of a, b".to_owned(),
        ),
        (HealthError::Socket(path(), refused()), format!("/run/dpdk: {}", refused())),
        (
            HealthError::Hangs(path(), Duration::from_secs(2)),
            "/run/dpdk: no answer within 2s: the process hangs or is stopped".to_owned(),
        ),
        (
            HealthError::Answer(path(), "null".to_owned()),
            "/run/dpdk does not answer as a running data plane would: null".to_owned(),
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn an_lcore_that_stands_still_is_not_well() {
    let answer = r#"{"/flowtracker/lcores": {"stalled": 1, "lanes": ["port0/0"]}}"#;
    let line = "lcore 3 stands still instead of polling port0/0\n".to_owned();
    assert_eq!(describe(3, answer), Some((line, false)));
}

#[test]
fn what_is_not_an_answer_of_a_running_data_plane_is_none() {
    // The last two: a data plane that starts or stops, and another DPDK program.
    for text in ["", "{", "{}", r#"{"/flowtracker/table": {}}"#, r#"{"/flowtracker/table": null}"#] {
        assert_eq!(lcores(text), None, "{text}");
    }
    assert_eq!(lcores(r#"{"/flowtracker/table": {"shards": {}}}"#), None, "no lcore");
    assert_eq!(lcores(r#"{"/flowtracker/table": {"shards": {"one": {}}}}"#), None, "no number");
    for text in ["", "{}", r#"{"/flowtracker/lcores": null}"#, r#"{"/flowtracker/lcores": {"lanes": []}}"#] {
        assert_eq!(describe(1, text), None, "{text}");
    }
}

fn listener(folder: &Path, prefix: &str) -> OwnedFd {
    let folder = folder.join(prefix);
    fs::create_dir(&folder).expect("made");
    let listener = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .expect("a socket");
    bind(&listener, &SocketAddrUnix::new(folder.join(SOCKET)).expect("an address")).expect("bound");
    listen(&listener, 10).expect("listens");
    listener
}

/// Listens as DPDK does, and answers one client. Returns the number of its queries.
fn data_plane(folder: &Path, prefix: &str) -> thread::JoinHandle<usize> {
    let listener = listener(folder, prefix);
    thread::spawn(move || {
        let client = accept(&listener).expect("a client");
        send(&client, br#"{"version": "DPDK 22.11.11"}"#, SendFlags::empty()).expect("greeted");
        let mut asked = 0;
        loop {
            let mut request = [0; 100];
            let (length, _) = recv(&client, &mut request[..], RecvFlags::empty()).unwrap_or_default();
            let known = ANSWERS.iter().find(|(question, _)| question.as_bytes() == &request[..length]);
            let Some((_, answer)) = known else { return asked };
            asked += 1;
            let _ = send(&client, answer.as_bytes(), SendFlags::NOSIGNAL);
        }
    })
}

#[test]
fn the_only_data_plane_needs_no_name_and_of_several_one_must_be_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let ask = |prefix| ask(folder.path(), prefix, LONG);
    assert!(matches!(ask(None), Err(HealthError::NoneRuns(_))));
    // This data plane was killed: its socket exists, but nothing listens on it.
    let dead = data_plane(folder.path(), "dead");
    assert_eq!(ask(Some("dead")).expect("an answer"), (WELL.to_owned(), true));
    dead.join().expect("answered");
    assert!(matches!(ask(None), Err(HealthError::NoneRuns(_))));
    assert!(matches!(ask(Some("dead")), Err(HealthError::Socket(..))));

    let one = data_plane(folder.path(), "one");
    assert_eq!(ask(None).expect("an answer"), (WELL.to_owned(), true));
    assert_eq!(one.join().expect("answered"), ANSWERS.len());

    let both = ["three", "two"].map(|prefix| data_plane(folder.path(), prefix));
    match ask(None) {
        Err(HealthError::Several(prefixes)) => assert_eq!(prefixes, ["three", "two"]),
        other => panic!("{other:?}"),
    }
    // Both were dialled, but got no query.
    for data_plane in both {
        assert_eq!(data_plane.join().expect("ended"), 0);
    }
}

#[test]
fn one_that_listens_and_does_not_answer_hangs() {
    let folder = tempfile::tempdir().expect("a folder");
    // Nothing calls accept: the kernel completes the connection, as for a stopped process.
    let _listener = listener(folder.path(), "stopped");
    for prefix in [None, Some("stopped")] {
        let answer = ask(folder.path(), prefix, Duration::from_millis(1));
        assert!(matches!(answer, Err(HealthError::Hangs(..))), "{answer:?}");
    }
}
