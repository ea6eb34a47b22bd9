//! The control service: does it listen? It may be started later, so its absence is a warning.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;

use crate::doctor::case::{Case, PATIENCE};
use crate::doctor::check::Check;
use crate::start::config::{ControlTls, ControlUri};
use crate::start::control_tls::told;

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
        ControlUri::Https { host, port } => {
            let start =
                format!("flowtracker-control --listen {host}:{port} --tls-cert FILE --tls-key FILE &");
            (dial(host, *port), start)
        }
    };
    vec![match answer {
        Ok(()) => match (uri, &case.config.tls) {
            (ControlUri::Https { host, port }, Some(tls)) => match handshake(host, *port, tls) {
                Ok(()) => Check::ok(TOPIC, format!("{uri} is the service that it should be")),
                Err(why) => {
                    Check::fail(TOPIC, format!("no link to {uri}: {why}"), "look at the --control-… options")
                }
            },
            _ => Check::ok(TOPIC, format!("somebody listens at {uri}")),
        },
        Err(error) => {
            Check::warn(TOPIC, format!("nobody listens at {uri} ({error}); it may come later"), start)
        }
    }]
}

/// Splits a URI: `http://[::1]:50051` is `[::1]` and 50051. The configuration has checked its form.
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

/// Shakes hands as the exporter would.
fn handshake(host: &str, port: u16, tls: &ControlTls) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let config = tls.files.config().map_err(|unfit| told(&unfit))?;
    let shake = async {
        let stream = flowtracker_tls::dial::tcp(host, port).await.map_err(|error| error.to_string())?;
        flowtracker_tls::dial::tls(stream, config, tls.name.clone()).await.map(drop)
    };
    let shaken = runtime.block_on(async { tokio::time::timeout(PATIENCE, shake).await });
    shaken.unwrap_or_else(|_| Err("it does not answer the TLS handshake".to_owned()))
}

#[cfg(test)]
mod tests;
