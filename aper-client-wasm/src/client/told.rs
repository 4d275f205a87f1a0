//! What an application holds to be told something: a submission's end, or that
//! something changed.

use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use aper::sync::Outcome;
use aper::sync::driver::Error;
use futures::channel::oneshot;
use futures::stream::Stream;

use super::shell::Ended;

/// A submission on its way: a future of its end.
///
/// [`Outcome::Refused`] also when the state that the user sees did not allow
/// it, and it was never sent. An error is a misuse, or the client was closed.
///
/// ```no_run
/// use aper::collections::{Counter, CounterConflict};
/// use aper::sync::Outcome;
/// use aper_client_wasm::{Client, Error, Submission};
///
/// async fn like(likes: &Client<Counter>) -> Result<&'static str, Error> {
///     // It shows already; what is awaited is the server's answer.
///     let submission: Submission<CounterConflict> = likes.submit(Counter::add(1));
///     Ok(match submission.await? {
///         Outcome::Confirmed(_) => "saved",
///         Outcome::Refused { .. } => "so many already!",
///         Outcome::Snapshot(_) => "perhaps saved: the state that everybody sees tells",
///     })
/// }
/// ```
pub struct Submission<C>(pub(super) oneshot::Receiver<Ended<C>>);

impl<C> Submission<C> {
    /// One that has ended: for whoever has no client any more to submit to.
    ///
    /// ```
    /// use aper::collections::CounterConflict;
    /// use aper_client_wasm::{Error, Submission};
    ///
    /// /// What a button does whose page has been left.
    /// fn late() -> Submission<CounterConflict> {
    ///     Submission::ended(Err(Error::closed()))
    /// }
    /// ```
    #[must_use]
    pub fn ended(end: Result<Outcome<C>, Error>) -> Self {
        let (send, receive) = oneshot::channel();
        let _ = send.send(end);
        Self(receive)
    }
}

impl<C> Future for Submission<C> {
    type Output = Result<Outcome<C>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Whoever drops all clients has closed the client.
        Pin::new(&mut self.0).poll(cx).map(|ended| ended.unwrap_or_else(|_| Err(Error::closed())))
    }
}

impl<C> fmt::Debug for Submission<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Submission")
    }
}

/// A listener's place; dropping it ends the listening.
///
/// ```no_run
/// # use aper::collections::Counter;
/// use aper_client_wasm::{Client, Subscription};
///
/// /// A part of a page, which listens for as long as it is there.
/// struct Badge {
///     _subscription: Subscription,
/// }
///
/// impl Badge {
///     fn new(client: &Client<Counter>, redraw: impl Fn() + 'static) -> Self {
///         Self { _subscription: client.on_change(redraw) }
///     }
/// }
/// ```
#[must_use = "dropping it ends the listening"]
pub struct Subscription {
    pub(super) end: Option<Box<dyn FnOnce()>>,
}

impl Subscription {
    /// Listens for as long as the client lives.
    ///
    /// ```no_run
    /// # use aper::collections::Counter;
    /// # fn page(client: &aper_client_wasm::Client<Counter>, redraw: impl Fn() + 'static) {
    /// client.on_change(redraw).forget();
    /// # }
    /// ```
    pub fn forget(mut self) {
        self.end = None;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end();
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription")
    }
}

/// The stream that [`Client::changes`](super::Client::changes) gives.
pub struct Changes {
    pub(super) news: Rc<Unseen>,
    pub(super) _subscription: Subscription,
}

#[derive(Default)]
pub(super) struct Unseen {
    is_there: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

impl Unseen {
    pub(super) fn tell(&self) {
        self.is_there.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Stream for Changes {
    type Item = ();

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        if self.news.is_there.replace(false) {
            return Poll::Ready(Some(()));
        }
        self.news.waker.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Changes")
    }
}
