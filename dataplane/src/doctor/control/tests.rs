use std::net::TcpListener;
use std::os::unix::net::UnixListener;

use super::super::Verdict;
use super::super::testing::{Fixture, only};
use super::*;

fn examine(uri: &str) -> Check {
    only(&Fixture::healthy().examine(&format!("-l 0 -- --control {uri}")), "control")
}

#[test]
fn whoever_listens_is_found() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let uri = format!("http://127.0.0.1:{port}");
    assert_eq!(examine(&uri).verdict, Verdict::Ok);
    drop(listener);
    let check = examine(&uri);
    assert_eq!(check.verdict, Verdict::Warn);
    assert_eq!(check.remedy, format!("flowtracker-control --listen 127.0.0.1:{port} &"));
}

#[test]
fn unix_sockets_are_tried_too() {
    let fixture = Fixture::healthy();
    let line = "-l 0 -- --control unix:/tmp/c.sock";
    let check = only(&fixture.examine(line), "control");
    assert_eq!((check.verdict, &*check.remedy), (Verdict::Warn, "flowtracker-control --unix /tmp/c.sock &"));
    let _listener = UnixListener::bind(fixture.path("/tmp/c.sock")).unwrap();
    assert_eq!(only(&fixture.examine(line), "control").verdict, Verdict::Ok);
}

#[test]
fn addresses_are_taken_apart() {
    assert_eq!(host_and_port("http://[::1]:50051"), ("[::1]".to_owned(), 50051));
    assert_eq!(host_and_port("http://control"), ("control".to_owned(), 80));
}
