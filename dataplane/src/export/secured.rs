//! A TLS connection that remembers why it ended. In TLS 1.3 the service's verdict on this side's
//! certificate comes after the handshake, and HTTP/2 hides it in an error of its own.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use flowtracker_tls::explain;
use flowtracker_tls::tokio_rustls::client::TlsStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::export::dial::Verdict;

/// A TLS connection.
pub(super) struct Secured {
    stream: TlsStream<TcpStream>,
    verdict: Verdict,
}

impl Secured {
    /// Wraps a connection whose end is told in `verdict`.
    pub(super) fn new(stream: TlsStream<TcpStream>, verdict: Verdict) -> Self {
        Self { stream, verdict }
    }
}

impl AsyncRead for Secured {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        if let Poll::Ready(Err(error)) = &read
            && explain::is_tls(error)
        {
            this.verdict.get_or_init(|| explain::explain(error));
        }
        read
    }
}

impl AsyncWrite for Secured {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
