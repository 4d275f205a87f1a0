//! A connection's socket. Its own task reads from it and writes to it; while its
//! client has been told everything and only follows the log, others may write
//! the log to it: see [`crate::fanout`].

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use aper::Version;
use bytes::Bytes;
use futures::task::AtomicWaker;
use futures::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

use crate::fanout::{Follower, Reading};
use crate::queue::Queue;
use crate::session::{Answer, Gauge};

/// A socket in the hands of several.
pub(crate) struct Outlet<S> {
    inner: Mutex<Inner<S>>,
    /// The connection's own task has something to do.
    called: Call,
}

struct Inner<S> {
    /// None when the connection has ended.
    socket: Option<WebSocketStream<S>>,
    hand: Hand,
}

/// Who may write.
#[derive(Clone, Copy)]
enum Hand {
    /// The connection's own task.
    Own,
    /// Whoever has what comes after this version.
    Anybody(Version),
    /// The connection's own task, which is about to take over what others have
    /// begun and the socket does not take: it is sent up to this version.
    Left(Version),
}

/// What the connection's own task takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TakenOver {
    /// Everything up to here has been given to the socket.
    pub(super) cursor: Version,
    /// Not all of it has been taken.
    pub(super) unflushed: bool,
}

/// For one task. The runtime's `Notify` is for many, and takes more room.
#[derive(Default)]
struct Call {
    is_called: AtomicBool,
    called: AtomicWaker,
}

impl Call {
    fn call(&self) {
        self.is_called.store(true, Ordering::Release);
        self.called.wake();
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        self.called.register(cx.waker());
        if self.is_called.swap(false, Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl<S> Outlet<S> {
    pub(crate) fn new(socket: WebSocketStream<S>) -> Self {
        let inner = Inner { socket: Some(socket), hand: Hand::Own };
        Self { inner: Mutex::new(inner), called: Call::default() }
    }

    /// The socket, for its end. Nobody reads or writes any more.
    pub(super) fn close(&self) -> Option<WebSocketStream<S>> {
        self.lock().socket.take()
    }

    /// Waits until there is something to do.
    pub(super) async fn called(&self) {
        std::future::poll_fn(|cx| self.called.poll(cx)).await;
    }

    /// Lets others write what comes after `cursor`, until `woken`. What it
    /// comes back with is found while nobody writes: nothing is written between
    /// that an answer is found and that it is this task's turn.
    ///
    /// May be dropped; then [`take_over`](Self::take_over) follows.
    pub(super) async fn rest<T>(
        &self,
        cursor: Version,
        mut woken: Pin<&mut impl Future<Output = T>>,
    ) -> (T, TakenOver) {
        self.lock().hand = Hand::Anybody(cursor);
        std::future::poll_fn(|cx| {
            let mut inner = self.lock();
            let found = ready!(woken.as_mut().poll(cx));
            let unchanged = TakenOver { cursor, unflushed: false };
            Poll::Ready((found, inner.take_over().unwrap_or(unchanged)))
        })
        .await
    }

    /// Takes the right to write back. None if it was not given away.
    pub(super) fn take_over(&self) -> Option<TakenOver> {
        self.lock().take_over()
    }

    fn lock(&self) -> MutexGuard<'_, Inner<S>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Inner<S> {
    fn take_over(&mut self) -> Option<TakenOver> {
        match std::mem::replace(&mut self.hand, Hand::Own) {
            Hand::Own => None,
            Hand::Anybody(cursor) => Some(TakenOver { cursor, unflushed: false }),
            Hand::Left(cursor) => Some(TakenOver { cursor, unflushed: true }),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Outlet<S> {
    /// The client's messages.
    pub(super) fn messages(&self) -> impl Stream<Item = Result<Message, SocketError>> {
        futures::stream::poll_fn(|cx| match &mut self.lock().socket {
            Some(socket) => Pin::new(socket).poll_next(cx),
            None => Poll::Ready(None),
        })
    }

    /// Gives a message to the socket, which may keep it until it is
    /// [flushed](Self::flush).
    pub(super) async fn feed(&self, message: Message) -> Result<(), SocketError> {
        let mut message = Some(message);
        std::future::poll_fn(|cx| {
            let mut inner = self.lock();
            let Some(socket) = &mut inner.socket else { return closed() };
            ready!(Pin::new(&mut *socket).poll_ready(cx))?;
            Poll::Ready(match message.take() {
                Some(message) => Pin::new(socket).start_send(message),
                None => Ok(()),
            })
        })
        .await
    }

    /// Waits until the socket has taken everything.
    pub(super) async fn flush(&self) -> Result<(), SocketError> {
        std::future::poll_fn(|cx| match &mut self.lock().socket {
            Some(socket) => Pin::new(socket).poll_flush(cx),
            None => closed(),
        })
        .await
    }
}

fn closed<T>() -> Poll<Result<T, SocketError>> {
    Poll::Ready(Err(SocketError::AlreadyClosed))
}

/// An outlet for others to write the log to.
pub(super) struct Followed<S> {
    pub(super) outlet: Arc<Outlet<S>>,
    /// What the session has for this client alone goes first.
    pub(super) lane: Arc<Queue<Answer>>,
    pub(super) gauge: Option<Arc<Gauge>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Follower for Followed<S> {
    fn follow(&self, log: &mut Reading<'_>) {
        let called = &self.outlet.called;
        let mut inner = self.outlet.lock();
        let Inner { socket: Some(socket), hand } = &mut *inner else { return };
        let Hand::Anybody(cursor) = *hand else { return called.call() };
        // What was answered before this was published is sent before it: the
        // connection's own task is about to do so, and goes on with the log.
        if self.lane.len() > 0 {
            return;
        }
        let Ok((messages, reached)) = log.after(cursor) else { return called.call() };
        // Nobody is to be woken: what is not taken at once is left.
        let mut cx = Context::from_waker(Waker::noop());
        let mut socket = Pin::new(socket);
        let mut give =
            |message: &Bytes| socket.as_mut().start_send(Message::Binary(message.clone()));
        if messages.iter().any(|message| give(message).is_err()) {
            // It is about to end, or has no room: the rest of it may come to
            // it a second time, and versions tell.
            *hand = Hand::Left(cursor);
            return called.call();
        }
        let is_flushed = matches!(socket.poll_flush(&mut cx), Poll::Ready(Ok(())));
        *hand = if is_flushed { Hand::Anybody(reached) } else { Hand::Left(reached) };
        if let Some(gauge) = &self.gauge {
            gauge.sent(reached);
        }
        if !is_flushed || reached < log.head() {
            called.call();
        }
    }
}

#[cfg(test)]
mod tests {
    use aper::ClientSeq;
    use aper::protocol::{RefusalMessage, Rejection};
    use std::pin::pin;

    use futures::{FutureExt, StreamExt};
    use tokio::io::DuplexStream;
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;
    use crate::limits::Limits;
    use crate::tail::testing::publish;
    use crate::tail::{Tail, TailWriter};

    /// Bytes that the socket takes before the other side has to read.
    const TAKES: usize = 256;

    struct World {
        writer: TailWriter,
        tail: Tail,
        outlet: Arc<Outlet<DuplexStream>>,
        lane: Arc<Queue<Answer>>,
        client: WebSocketStream<DuplexStream>,
    }

    async fn world() -> World {
        world_that_takes(TAKES).await
    }

    async fn world_that_takes(bytes: usize) -> World {
        let (ours, theirs) = tokio::io::duplex(bytes);
        let socket = WebSocketStream::from_raw_socket(ours, Role::Server, None).await;
        let client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        let lane = Arc::new(Queue::new(8));
        let outlet = Arc::new(Outlet::new(socket));
        let writer = TailWriter::new(Version(0), &Limits::default());
        let tail = writer.reader();
        World { writer, tail, outlet, lane, client }
    }

    impl World {
        fn follow(&self) {
            let (outlet, lane) = (Arc::clone(&self.outlet), Arc::clone(&self.lane));
            Followed { outlet, lane, gauge: None }
                .follow(&mut Reading::new(&self.tail, self.tail.head()));
        }

        fn is_called(&self) -> bool {
            self.outlet.called().now_or_never().is_some()
        }
    }

    async fn never() {
        std::future::pending::<()>().await;
    }

    #[tokio::test]
    async fn others_write_while_it_rests_and_only_then() {
        let mut world = world().await;
        publish(&world.writer, 1..=1, 10);
        world.follow();
        assert!(world.is_called(), "it does not rest");
        {
            let mut never = pin!(never());
            let mut rest = pin!(world.outlet.rest(Version(0), never.as_mut()));
            assert!(rest.as_mut().now_or_never().is_none());
        }
        world.follow();
        assert!(!world.is_called());
        assert!(matches!(world.client.next().await, Some(Ok(Message::Binary(_)))));
        let taken_over = TakenOver { cursor: Version(1), unflushed: false };
        assert_eq!(world.outlet.take_over(), Some(taken_over));
        assert_eq!(world.outlet.take_over(), None);
    }

    #[tokio::test]
    async fn what_the_socket_does_not_take_is_left_to_its_own_task() {
        let mut world = world().await;
        assert!(world.outlet.rest(Version(0), pin!(never())).now_or_never().is_none());
        publish(&world.writer, 1..=1, 2 * TAKES);
        world.follow();
        assert!(world.is_called());
        publish(&world.writer, 2..=2, 10);
        world.follow();
        let taken_over = TakenOver { cursor: Version(1), unflushed: true };
        assert_eq!(world.outlet.take_over(), Some(taken_over), "nothing goes on top of it");
        let (flushed, message) = tokio::join!(world.outlet.flush(), world.client.next());
        flushed.unwrap();
        assert!(message.unwrap().unwrap().len() > 2 * TAKES);
    }

    #[tokio::test]
    async fn what_is_more_than_a_turn_allows_is_its_own_tasks() {
        let mut world = world_that_takes(1 << 20).await;
        assert!(world.outlet.rest(Version(0), pin!(never())).now_or_never().is_none());
        publish(&world.writer, 1..=1, 60_000);
        publish(&world.writer, 2..=2, 60_000);
        world.follow();
        assert!(world.is_called(), "the second is left");
        let taken_over = TakenOver { cursor: Version(1), unflushed: false };
        assert_eq!(world.outlet.take_over(), Some(taken_over));
        assert!(world.client.next().await.is_some());
    }

    #[tokio::test]
    async fn an_answer_that_waits_goes_first() {
        let world = world().await;
        assert!(world.outlet.rest(Version(0), pin!(never())).now_or_never().is_none());
        let refusal = RefusalMessage::Unavailable;
        let refused = Answer::Reject(Rejection { seq: ClientSeq(1), refusal });
        world.lane.try_put(refused).unwrap();
        publish(&world.writer, 1..=1, 10);
        world.follow();
        let taken_over = TakenOver { cursor: Version(0), unflushed: false };
        assert_eq!(world.outlet.take_over(), Some(taken_over));
    }

    #[tokio::test]
    async fn what_wakes_it_takes_the_hand_back() {
        let world = world().await;
        publish(&world.writer, 1..=1, 10);
        let woken = async {
            world.outlet.called().await;
            "called"
        };
        let mut woken = pin!(woken);
        let mut rest = pin!(world.outlet.rest(Version(0), woken.as_mut()));
        assert!(rest.as_mut().now_or_never().is_none());
        world.follow();
        world.outlet.called.call();
        assert_eq!(rest.await, ("called", TakenOver { cursor: Version(1), unflushed: false }));
        world.follow();
        assert!(world.is_called());
    }
}
