//! Dialling: TCP to whichever address of a host answers, then the handshake.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::explain::explain;

/// How long an address has before the next one is tried beside it (RFC 8305 §5 and §8).
const HEAD_START: Duration = Duration::from_millis(250);
/// Addresses of a host that are tried.
const ADDRESSES: usize = 16;

/// Connects to a host, over the first of its addresses that answers. One that swallows packets costs
/// the others a quarter of a second each, never the whole wait, which the caller bounds.
///
/// # Errors
/// Of name resolution, or of the first address when all have failed.
pub async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = race(alternating(tokio::net::lookup_host((host, port)).await?)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Makes a TLS connection of a stream.
///
/// # Errors
/// The reason in words that follow the server's name.
pub async fn tls(
    stream: TcpStream,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
) -> Result<TlsStream<TcpStream>, String> {
    TlsConnector::from(config).connect(name, stream).await.map_err(|why| explain(&why))
}

/// Orders addresses so that families take turns, beginning with the resolver's choice (RFC 8305 §4).
fn alternating(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses = addresses.peekable();
    let Some(first) = addresses.peek().map(SocketAddr::is_ipv6) else { return Vec::new() };
    let (one, other): (Vec<_>, Vec<_>) = addresses.partition(|address| address.is_ipv6() == first);
    let mut ordered = Vec::with_capacity(one.len() + other.len());
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    loop {
        let before = ordered.len();
        ordered.extend(one.next());
        ordered.extend(other.next());
        if ordered.len() == before {
            ordered.truncate(ADDRESSES);
            return ordered;
        }
    }
}

/// Connects to the first address that answers. Each has a head start over the next, and loses it
/// when it fails.
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut trials = JoinSet::new();
    let mut first_error = None;
    loop {
        let more = match waiting.next() {
            Some(address) => {
                trials.spawn(TcpStream::connect(address));
                true
            }
            None => false,
        };
        let head_start = tokio::time::sleep(HEAD_START);
        tokio::select! {
            ended = trials.join_next() => match ended {
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(error))) => _ = first_error.get_or_insert(error),
                Some(Err(panicked)) => return Err(io::Error::other(panicked)),
                None => {
                    return Err(first_error.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()));
                }
            },
            () = head_start, if more => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::{TcpListener, TcpSocket};

    /// Returns an address of `host` that answers no SYN: the queue of its listener is full. What is
    /// returned with it keeps it so.
    async fn black_hole(host: &str) -> (SocketAddr, impl Sized) {
        let any: SocketAddr = host.parse().unwrap();
        let socket = if any.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }.unwrap();
        socket.bind(any).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut held = Vec::new();
        while let Ok(stream) =
            tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
        {
            held.push(stream.unwrap());
            assert!(held.len() < 64, "the queue does not fill");
        }
        (address, (listener, held))
    }

    #[tokio::test]
    async fn an_address_that_swallows_packets_does_not_keep_the_others_waiting() {
        let (hole, _kept) = black_hole("127.0.0.1:0").await;
        let (other, _kept_too) = black_hole("127.0.0.1:0").await;
        let sound = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sound = sound.local_addr().map(|address| (address, sound)).unwrap();
        let connected = tokio::time::timeout(Duration::from_secs(20), race(vec![hole, other, sound.0])).await;
        assert_eq!(connected.expect("in time").unwrap().peer_addr().unwrap(), sound.0);
    }

    #[tokio::test]
    async fn an_address_that_refuses_gives_way_at_once() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let sound = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = sound.local_addr().unwrap();
        assert_eq!(race(vec![closed, address]).await.unwrap().peer_addr().unwrap(), address);
        assert_eq!(race(vec![closed, closed]).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(race(Vec::new()).await.unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
    }

    #[test]
    fn families_take_turns_and_the_resolver_chooses_who_begins() {
        let addresses = |text: &str| -> Vec<SocketAddr> {
            text.split(' ').map(|address| address.parse().unwrap()).collect()
        };
        for (given, tried) in [
            ("[::1]:1 [::2]:1 [::3]:1 1.1.1.1:1", "[::1]:1 1.1.1.1:1 [::2]:1 [::3]:1"),
            ("1.1.1.1:1 2.2.2.2:1 [::1]:1", "1.1.1.1:1 [::1]:1 2.2.2.2:1"),
            ("1.1.1.1:1", "1.1.1.1:1"),
        ] {
            assert_eq!(alternating(addresses(given).into_iter()), addresses(tried));
        }
        let many = (0..100).map(|n| SocketAddr::from(([10, 0, 0, n], 1)));
        assert_eq!(alternating(many).len(), ADDRESSES);
    }
}
