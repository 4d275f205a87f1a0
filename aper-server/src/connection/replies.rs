//! The connection's own answers, from its reader to its writer. Both are parts
//! of one task; a channel would take a kilobyte of every idle connection for it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Reply;

/// Answers that wait to be sent, at most. At it: nothing more is read.
const REPLIES: usize = 8;

#[derive(Default)]
pub(super) struct Replies {
    waiting: Mutex<VecDeque<Reply>>,
    put: Notify,
    taken: Notify,
}

impl Replies {
    /// Puts one in, when there is room.
    pub(super) async fn put(&self, reply: Reply) {
        while self.waiting().len() >= REPLIES {
            self.taken.notified().await;
        }
        self.waiting().push_back(reply);
        self.put.notify_one();
    }

    /// The next, if there is one.
    pub(super) fn take(&self) -> Option<Reply> {
        let reply = self.waiting().pop_front();
        if reply.is_some() {
            self.taken.notify_one();
        }
        reply
    }

    /// The next. May be dropped and called again.
    pub(super) async fn next(&self) -> Reply {
        loop {
            if let Some(reply) = self.take() {
                return reply;
            }
            self.put.notified().await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Reply>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use aper::LocalTime;
    use futures::FutureExt;

    use super::*;

    fn pong(sent: u64) -> Reply {
        Reply::Pong { sent: LocalTime::from_millis(sent) }
    }

    #[tokio::test]
    async fn nothing_is_lost_and_nothing_goes_beyond_the_bound() {
        let replies = Replies::default();
        for sent in 0..REPLIES as u64 {
            replies.put(pong(sent)).await;
        }
        let ninth = replies.put(pong(REPLIES as u64));
        tokio::pin!(ninth);
        assert!(ninth.as_mut().now_or_never().is_none());
        let first = replies.next().await;
        assert!(matches!(first, Reply::Pong { sent } if sent == LocalTime::from_millis(0)));
        ninth.await;
        assert_eq!(replies.waiting().len(), REPLIES);
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let replies = Replies::default();
        let (reply, ()) = tokio::join!(replies.next(), replies.put(pong(7)));
        assert!(matches!(reply, Reply::Pong { .. }));
        assert!(replies.take().is_none());
    }
}
