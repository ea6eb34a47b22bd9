//! Dialling. A connection counts once the service has sent its first octets: those of the HTTP/2
//! preface (RFC 9113 §3.4), which every server owes. A listener that nobody serves accepts too.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::oneshot;
use tonic::transport::{Channel, Endpoint, Uri};

use super::cause;
use super::target::{Address, Target};
use crate::cli::Failure;

/// Silence after which the client pings the server.
pub(in crate::cli) const PING_EVERY: Duration = Duration::from_secs(10);
/// Time within which the server must answer a ping.
pub(in crate::cli) const PONG_WITHIN: Duration = Duration::from_secs(20);
/// HTTP/2 windows, bytes: enough for a dump at full speed.
const WINDOW: u32 = 1 << 20;

/// Connects to the service, within the target's timeout.
pub(in crate::cli) async fn channel(target: &Target) -> Result<Channel, Failure> {
    let Target { server, timeout } = target;
    let address = target.address()?;
    let unreachable = |why: &str| Failure::Unreachable(format!("cannot reach {server}: {why}"));
    match tokio::time::timeout(*timeout, dial(address, server)).await {
        Ok(dialled) => dialled.map_err(|why| unreachable(&why)),
        Err(_) => Err(unreachable(&format!("no answer within {timeout:?}"))),
    }
}

async fn dial(address: Address, server: &str) -> Result<Channel, String> {
    // The authority of a unix socket is what tonic's own connector sends for one.
    let authority = if matches!(address, Address::Tcp(..)) { server } else { "http://tonic" };
    let endpoint = Endpoint::from_shared(authority.to_owned())
        .and_then(|e| e.user_agent(concat!("ctl/", env!("CARGO_PKG_VERSION"))))
        .map_err(|e| cause(&e))?
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_WITHIN)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW);
    let (spoken, speaks) = oneshot::channel();
    let mut spoken = Some(spoken);
    let connector = tower::service_fn(move |_: Uri| {
        let (address, spoken) = (address.clone(), spoken.take());
        async move { Ok::<_, io::Error>(TokioIo::new(Wire { stream: open(&address).await?, spoken })) }
    });
    let channel = endpoint.connect_with_connector(connector).await.map_err(|e| cause(&e))?;
    match speaks.await {
        Ok(()) => Ok(channel),
        Err(_) => Err("it has closed the connection without an answer".to_owned()),
    }
}

async fn open(address: &Address) -> io::Result<Stream> {
    Ok(match address {
        Address::Tcp(host, port) => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            Stream::Tcp(stream)
        }
        Address::Unix(path) => Stream::Unix(UnixStream::connect(path).await?),
    })
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A connection that tells when the first octets have come.
struct Wire {
    stream: Stream,
    spoken: Option<oneshot::Sender<()>>,
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read = match &mut this.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        };
        if buf.filled().len() > before
            && let Some(spoken) = this.spoken.take()
        {
            // The receiver has gone when the dialling was given up.
            let _ = spoken.send(());
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Stream::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Stream::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}
