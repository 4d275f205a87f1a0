//! A stream that is read no faster than its sender may send.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::rate::Bucket;
use crate::limits::Limits;
use crate::session::Traffic;

/// Counts bytes where they come in: those that never make a message, because
/// it has no end or is nothing but frame, cost the server no less than others.
/// Writes pass through.
pub(crate) struct Metered<S> {
    inner: S,
    bytes: Bucket,
    /// Until the bytes that were read are paid for; none when they are.
    unpaid: Option<Pin<Box<Sleep>>>,
    traffic: Option<Arc<Traffic>>,
}

impl<S> Metered<S> {
    /// What passes is told to `traffic` too, if anybody wants to know.
    pub(crate) fn new(inner: S, limits: &Limits, traffic: Option<Arc<Traffic>>) -> Self {
        let bytes = Bucket::new(limits.bytes_per_second, limits.burst_seconds);
        Self { inner, bytes, unpaid: None, traffic }
    }

    fn wrote(&self, bytes: usize) {
        if let Some(traffic) = &self.traffic {
            traffic.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(unpaid) = &mut self.unpaid {
            ready!(unpaid.as_mut().poll(cx));
            self.unpaid = None;
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let read = buf.filled().len() - before;
        if let Some(traffic) = &self.traffic {
            traffic.received.fetch_add(read as u64, Ordering::Relaxed);
        }
        let paid = self.bytes.take(read as f64);
        if paid > Instant::now() {
            self.unpaid = Some(Box::pin(sleep_until(paid)));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, buf))?;
        self.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write_vectored(cx, bufs))?;
        self.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_beyond_a_burst_comes_at_the_rate() {
        let limits = Limits { bytes_per_second: 1_000, burst_seconds: 2, ..Limits::default() };
        let (ours, mut theirs) = tokio::io::duplex(100);
        let mut metered = Metered::new(ours, &limits, None);
        let start = Instant::now();
        let send = async { theirs.write_all(&[0; 5_000]).await.unwrap() };
        let receive = async { metered.read_exact(&mut [0; 5_000]).await.unwrap() };
        tokio::join!(send, receive);
        assert_eq!(start.elapsed().as_millis() / 100, 29, "{:?}", start.elapsed());
    }
}
