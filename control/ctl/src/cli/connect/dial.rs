//! Dialling. A connection counts once the service has sent its first octets: those of the HTTP/2
//! preface (RFC 9113 §3.4), which every server owes. A listener that nobody serves accepts too, and
//! over TLS 1.3 the verdict on the client's certificate comes only then.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use flowtracker_tls::explain;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tonic::transport::{Channel, Endpoint, Uri};

use super::address::{Address, Scheme};
use super::cause;
use super::target::Target;
use crate::cli::Failure;

/// Silence after which the client pings the server.
pub(in crate::cli) const PING_EVERY: Duration = Duration::from_secs(10);
/// Time within which the server must answer a ping.
pub(in crate::cli) const PONG_WITHIN: Duration = Duration::from_secs(20);
/// HTTP/2 windows, bytes: enough for a dump at full speed.
const WINDOW: u32 = 1 << 20;
/// First octets of a TLS record that a server of TLS sends to a client that speaks without
/// (RFC 8446 §5.1): an alert.
const ALERT: [u8; 2] = [21, 3];

/// Connects to the service, within the target's timeout.
pub(in crate::cli) async fn channel(target: &Target) -> Result<Channel, Failure> {
    let Target { server, timeout, .. } = target;
    let unreachable = |why: &str| Failure::Unreachable(format!("cannot reach {server}: {why}"));
    match tokio::time::timeout(*timeout, dial(target)).await {
        Ok(Ok(channel)) => Ok(channel),
        Ok(Err(Failure::Unreachable(why))) => Err(unreachable(&why)),
        Ok(Err(failure)) => Err(failure),
        Err(_) => Err(unreachable(&format!("no answer within {timeout:?}"))),
    }
}

/// Dials. The message of [`Failure::Unreachable`] is the reason alone.
async fn dial(target: &Target) -> Result<Channel, Failure> {
    let failed = Failure::Unreachable;
    let stream = open(target).await?;
    let scheme = if target.tls.is_some() { Scheme::Https } else { Scheme::Http };
    let authority = match &target.address {
        Address::Tcp { host, port, .. } if host.contains(':') => format!("[{host}]:{port}"),
        Address::Tcp { host, port, .. } => format!("{host}:{port}"),
        // What tonic's own connector sends for a unix socket.
        Address::Unix(_) => "tonic".to_owned(),
    };
    // The connector has done the TLS handshake; only the scheme of the requests still shows it.
    let plain = format!("{}{authority}", Scheme::Http.prefix());
    let origin: Uri = format!("{}{authority}", scheme.prefix()).parse().map_err(|e| failed(cause(&e)))?;
    let endpoint = Endpoint::from_shared(plain)
        .and_then(|e| e.origin(origin).user_agent(concat!("ctl/", env!("CARGO_PKG_VERSION"))))
        .map_err(|e| failed(cause(&e)))?
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_WITHIN)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW);
    let (spoken, speaks) = oneshot::channel();
    let mut wire = Some(TokioIo::new(Wire { stream, spoken: Some(spoken) }));
    let connector = tower::service_fn(move |_: Uri| {
        let wire = wire.take().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected));
        async move { wire }
    });
    let channel = endpoint.connect_with_connector(connector).await.map_err(|e| failed(cause(&e)))?;
    match speaks.await {
        Ok(Ok(())) => Ok(channel),
        Ok(Err(why)) => Err(failed(why)),
        Err(_) => Err(failed("it has closed the connection without an answer".to_owned())),
    }
}

/// A connection over TCP, TLS or a unix socket.
type Stream = Pin<Box<dyn Duplex>>;

trait Duplex: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

async fn open(target: &Target) -> Result<Stream, Failure> {
    let failed = |why: io::Error| Failure::Unreachable(why.to_string());
    let (host, port) = match &target.address {
        Address::Unix(path) => return Ok(Box::pin(UnixStream::connect(path).await.map_err(failed)?)),
        Address::Tcp { host, port, .. } => (host, *port),
    };
    let Some(tls) = &target.tls else {
        return Ok(Box::pin(flowtracker_tls::dial::tcp(host, port).await.map_err(failed)?));
    };
    // The files may have been replaced since the last connection.
    let config = tls.config()?;
    let stream = flowtracker_tls::dial::tcp(host, port).await.map_err(failed)?;
    let stream = flowtracker_tls::dial::tls(stream, config, tls.name.clone()).await;
    Ok(Box::pin(stream.map_err(Failure::Unreachable)?))
}

/// A connection that tells when the first octets have come, or why none will.
struct Wire {
    stream: Stream,
    spoken: Option<oneshot::Sender<Result<(), String>>>,
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read = ready!(this.stream.as_mut().poll_read(cx, buf));
        let octets = &buf.filled()[before..];
        this.heard(&read, octets);
        Poll::Ready(read)
    }
}

impl Wire {
    /// Notes what the server's first octets, or the error in their place, say.
    fn heard(&mut self, read: &io::Result<()>, octets: &[u8]) {
        let word = match read {
            Ok(()) if octets.is_empty() => return,
            Ok(()) if octets.starts_with(&ALERT) => Err("it speaks TLS: https://HOST:PORT".to_owned()),
            Ok(()) => Ok(()),
            Err(error) if explain::is_tls(error) => Err(explain::explain(error)),
            Err(_) => return,
        };
        if let Some(spoken) = self.spoken.take() {
            // The receiver has gone when the dialling was given up.
            let _ = spoken.send(word);
        }
    }

    /// Passes on how a write ended. A server that refuses the connection sends an alert and closes
    /// it, which a write may meet before a read does: what it has sent is read first.
    fn written<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if matches!(written, Poll::Ready(Err(_))) && self.spoken.is_some() {
            let mut first = [0; 64];
            let mut first = ReadBuf::new(&mut first);
            // A connection that has ended can be read, to its end.
            let read = ready!(self.stream.as_mut().poll_read(cx, &mut first));
            self.heard(&read, first.filled());
        }
        written
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = this.stream.as_mut().poll_write(cx, buf);
        this.written(cx, written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = this.stream.as_mut().poll_flush(cx);
        this.written(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream.as_mut().poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = this.stream.as_mut().poll_write_vectored(cx, bufs);
        this.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn a_write_that_fails_leaves_the_servers_last_words() {
        for (said, heard) in [
            (&[21, 3, 3, 0, 2, 2, 10][..], Ok(Err("it speaks TLS: https://HOST:PORT".to_owned()))),
            (&[0, 0, 0, 4, 0, 0, 0, 0, 0], Ok(Ok(()))),
            (&[], Err(())),
        ] {
            let (stream, mut server) = tokio::io::duplex(64);
            server.write_all(said).await.unwrap();
            drop(server);
            let (spoken, speaks) = oneshot::channel();
            let mut wire = Wire { stream: Box::pin(stream), spoken: Some(spoken) };
            assert_eq!(wire.write(b"PRI").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
            drop(wire);
            assert_eq!(speaks.await.map_err(drop), heard, "{said:?}");
        }
    }
}
