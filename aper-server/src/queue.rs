//! A bounded queue that takes room for what waits in it, and for nothing else.
//! The runtime's channels have room for 32 from the beginning: of every idle
//! connection and session, that was a fifth of all memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures::task::AtomicWaker;
use tokio::sync::Notify;

/// Bytes of room that an empty queue keeps for what comes next.
const KEPT_BYTES: usize = 1024;

/// From many, for one.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    bound: usize,
    /// Who takes: there is one.
    taker: AtomicWaker,
    taken: Notify,
}

struct State<T> {
    waiting: VecDeque<T>,
    open: Open,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Yes,
    /// What waits is taken still.
    Closed,
    /// Nobody takes anything any more.
    Abandoned,
}

/// Nothing is taken any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// Why something was not put into a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotPut<T> {
    Full(T),
    Closed,
}

impl<T> Queue<T> {
    /// Has room for so many, and for one at least.
    pub(crate) fn new(bound: usize) -> Self {
        let state = State { waiting: VecDeque::new(), open: Open::Yes };
        let (taker, taken) = (AtomicWaker::new(), Notify::new());
        Self { state: Mutex::new(state), bound: bound.max(1), taker, taken }
    }

    /// Puts one in when there is room.
    pub(crate) async fn put(&self, value: T) -> Result<(), Closed> {
        let mut value = Some(value);
        loop {
            {
                let mut state = self.state();
                if state.open != Open::Yes {
                    return Err(Closed);
                }
                if state.waiting.len() < self.bound {
                    state.waiting.extend(value.take());
                    break;
                }
            }
            self.taken.notified().await;
        }
        self.taker.wake();
        Ok(())
    }

    /// Puts one in if there is room, or gives it back.
    pub(crate) fn try_put(&self, value: T) -> Result<(), NotPut<T>> {
        let mut state = self.state();
        if state.open != Open::Yes {
            return Err(NotPut::Closed);
        }
        if state.waiting.len() >= self.bound {
            return Err(NotPut::Full(value));
        }
        state.waiting.push_back(value);
        drop(state);
        self.taker.wake();
        Ok(())
    }

    /// Puts one in beyond all bounds, and after it was closed. Dropped if
    /// nobody takes anything any more.
    pub(crate) fn put_in_any_case(&self, value: T) {
        let mut state = self.state();
        if state.open != Open::Abandoned {
            state.waiting.push_back(value);
            drop(state);
            self.taker.wake();
        }
    }

    /// The next, if there is one.
    pub(crate) fn take(&self) -> Option<T> {
        let mut state = self.state();
        let value = state.waiting.pop_front()?;
        if state.waiting.is_empty() && state.waiting.capacity() * size_of::<T>() > KEPT_BYTES {
            state.waiting = VecDeque::new();
        }
        drop(state);
        self.taken.notify_one();
        Some(value)
    }

    /// The next. May be dropped and called again; only one task may wait.
    pub(crate) async fn next(&self) -> T {
        std::future::poll_fn(|cx| {
            if let Some(value) = self.take() {
                return Poll::Ready(value);
            }
            self.taker.register(cx.waker());
            // What came before that woke nobody.
            self.take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    pub(crate) fn len(&self) -> usize {
        self.state().waiting.len()
    }

    /// Takes nothing new.
    pub(crate) fn close(&self) {
        self.state().open = Open::Closed;
        // Each that waits for room passes it on as it finds out.
        self.taken.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a queue at which things are taken. When it is dropped, so is what
/// waits, and all that comes.
pub(crate) struct Receiver<T>(Arc<Queue<T>>);

impl<T> Receiver<T> {
    pub(crate) fn of(queue: &Arc<Queue<T>>) -> Self {
        Self(Arc::clone(queue))
    }
}

impl<T> std::ops::Deref for Receiver<T> {
    type Target = Queue<T>;

    fn deref(&self) -> &Queue<T> {
        &self.0
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.open = Open::Abandoned;
        let left = std::mem::take(&mut state.waiting);
        drop(state);
        // What that does is done when nothing is locked.
        drop(left);
        self.0.taken.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn nothing_is_lost_and_nothing_goes_beyond_the_bound() {
        let queue = Queue::new(3);
        for n in 0..3 {
            queue.put(n).await.unwrap();
        }
        assert_eq!(queue.try_put(3), Err(NotPut::Full(3)));
        let fourth = queue.put(3);
        tokio::pin!(fourth);
        assert!(fourth.as_mut().now_or_never().is_none());
        assert_eq!(queue.next().await, 0);
        assert_eq!(fourth.await, Ok(()));
        queue.put_in_any_case(4);
        assert_eq!(queue.len(), 4);
        assert_eq!([1, 2, 3, 4].map(|_| queue.take().unwrap()), [1, 2, 3, 4]);
        assert_eq!(queue.take(), None);
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let queue = Queue::new(8);
        let (value, put) = tokio::join!(queue.next(), queue.put(7));
        assert_eq!((value, put), (7, Ok(())));
    }

    #[tokio::test]
    async fn each_that_waits_for_room_gets_it_in_its_turn() {
        let queue = Queue::new(1);
        let puts = futures::future::join_all((0..20).map(|n| queue.put(n)));
        let takes = async {
            for n in 0..20 {
                assert_eq!(queue.next().await, n);
            }
        };
        let (puts, ()) = tokio::join!(puts, takes);
        assert!(puts.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn a_closed_queue_is_emptied_still() {
        let queue = Queue::new(1);
        queue.put(1).await.unwrap();
        let waits = queue.put(2);
        tokio::pin!(waits);
        assert!(waits.as_mut().now_or_never().is_none());
        queue.close();
        assert_eq!(waits.await, Err(Closed));
        assert_eq!(queue.try_put(3), Err(NotPut::Closed));
        queue.put_in_any_case(4);
        assert_eq!((queue.take(), queue.take(), queue.take()), (Some(1), Some(4), None));
    }

    #[tokio::test]
    async fn what_nobody_takes_is_dropped() {
        let queue = Arc::new(Queue::new(8));
        let receiver = Receiver::of(&queue);
        let value = Arc::new(());
        queue.put(Arc::clone(&value)).await.unwrap();
        drop(receiver);
        queue.put_in_any_case(Arc::clone(&value));
        assert_eq!(queue.put(Arc::clone(&value)).await, Err(Closed));
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn an_empty_queue_keeps_little_room() {
        let queue = Queue::new(1_000);
        for _ in 0..1_000 {
            queue.try_put([0_u8; 32]).unwrap();
        }
        while queue.take().is_some() {}
        assert!(queue.state().waiting.capacity() * 32 <= KEPT_BYTES);
    }
}
