//! The control service: does anybody listen there? It may come later, so its absence is a warning.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;

use super::{Case, Check, PATIENCE};
use crate::start::config::ControlUri;

const TOPIC: &str = "control";

pub(super) fn check(case: &Case) -> Vec<Check> {
    let uri = &case.config.control;
    let (answer, start) = match uri {
        ControlUri::Unix(path) => {
            let start = format!("flowtracker-control --unix {} &", path.display());
            (UnixStream::connect(case.root.path(path)).map(drop), start)
        }
        ControlUri::Http(text) => {
            let (host, port) = host_and_port(text);
            (dial(&host, port), format!("flowtracker-control --listen {host}:{port} &"))
        }
    };
    vec![match answer {
        Ok(()) => Check::ok(TOPIC, format!("somebody listens at {uri}")),
        Err(error) => {
            Check::warn(TOPIC, format!("nobody listens at {uri} ({error}); it may come later"), start)
        }
    }]
}

/// `http://[::1]:50051` is `[::1]` and 50051. The configuration has seen that it is such a URI.
fn host_and_port(uri: &str) -> (String, u16) {
    let uri: tonic::transport::Uri = uri.parse().unwrap_or_default();
    (uri.host().unwrap_or_default().to_owned(), uri.port_u16().unwrap_or(80))
}

fn dial(host: &str, port: u16) -> io::Result<()> {
    let host = host.trim_matches(['[', ']']);
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            (check.verdict, &*check.remedy),
            (Verdict::Warn, "flowtracker-control --unix /tmp/c.sock &")
        );
        let _listener = UnixListener::bind(fixture.path("/tmp/c.sock")).unwrap();
        assert_eq!(only(&fixture.examine(line), "control").verdict, Verdict::Ok);
    }

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(host_and_port("http://[::1]:50051"), ("[::1]".to_owned(), 50051));
        assert_eq!(host_and_port("http://control"), ("control".to_owned(), 80));
    }
}
