//! What a program holds to be told something: a submission's end, or that
//! something changed.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use aper::sync::driver::{Error, Problem};
use aper::sync::{Outcome, Ticket};
use futures::stream::{BoxStream, Stream};
use tokio::sync::{oneshot, watch};

use crate::core::Revision;

/// How a submission ended.
pub(crate) type Ended<C> = Result<Outcome<C>, Error>;

/// A submission on its way: a future of its end.
///
/// It has been taken when this exists: dropping it changes nothing, and it may
/// be awaited at any time, from any task.
///
/// [`Outcome::Refused`] also when the state here did not allow it, and it was
/// never sent. An error is a misuse, or the client was closed.
///
/// ```
/// use aper::collections::{Counter, CounterConflict};
/// use aper_client::{Client, Options, Outcome, Submission};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let url = format!("ws://{}/counter/lobby", listener.local_addr()?);
/// # let server = aper_server::Server::builder().machine(|_| Counter::default()).build()?;
/// # tokio::spawn(server.serve(listener, std::future::pending()));
/// let client = Client::<Counter>::connect(&url, Options::new())?;
/// client.online().await?;
/// let one: Submission<CounterConflict> = client.submit(Counter::add(1));
/// let far: Submission<CounterConflict> = client.submit(Counter::add(Counter::MAX));
/// assert!(one.ticket().is_some());
/// assert_eq!(far.ticket(), None, "there is no room for so many, and nobody was asked");
/// assert!(matches!(one.await?, Outcome::Confirmed(_)));
/// let Outcome::Refused { refusal, .. } = far.await? else { panic!() };
/// println!("{refusal}");
/// # Ok(()) }
/// ```
#[must_use = "the submission goes its way; only its outcome would be unknown"]
pub struct Submission<C> {
    ticket: Option<Ticket>,
    ended: End<C>,
}

enum End<C> {
    Already(Option<Ended<C>>),
    Awaited(oneshot::Receiver<Ended<C>>),
}

impl<C> Submission<C> {
    pub(crate) fn ended(ended: Ended<C>) -> Self {
        Self { ticket: None, ended: End::Already(Some(ended)) }
    }

    pub(crate) fn awaited(ticket: Ticket, end: oneshot::Receiver<Ended<C>>) -> Self {
        Self { ticket: Some(ticket), ended: End::Awaited(end) }
    }

    /// By which other outcomes name it as `affected`; none if it was not taken.
    #[must_use]
    pub fn ticket(&self) -> Option<Ticket> {
        self.ticket
    }
}

impl<C: Unpin> Future for Submission<C> {
    type Output = Result<Outcome<C>, Error>;

    /// # Panics
    ///
    /// When it is polled after it was ready, as futures may.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.ended {
            End::Already(ended) => Poll::Ready(ended.take().expect("it was not ready before")),
            // Whoever drops all clients has closed the client.
            End::Awaited(end) => {
                Pin::new(end).poll(cx).map(|ended| ended.unwrap_or_else(|_| Err(Error::closed())))
            }
        }
    }
}

impl<C> fmt::Debug for Submission<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submission").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

/// The stream that [`Client::changes`](crate::Client::changes) and
/// [`Client::presence_changes`](crate::Client::presence_changes) give.
pub struct Changes(BoxStream<'static, ()>);

impl Changes {
    pub(crate) fn of(revision: watch::Receiver<Revision>) -> Self {
        let changes = futures::stream::unfold(revision, |mut revision| async {
            revision.changed().await.ok()?;
            let is_over = *revision.borrow_and_update() == Revision::Over;
            (!is_over).then_some(((), revision))
        });
        Self(Box::pin(changes))
    }
}

impl Stream for Changes {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Changes")
    }
}

/// Why there will be no connection, unless somebody acts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoConnection {
    /// The server's last answer forbids to try again by itself; see
    /// [`Client::reconnect`](crate::Client::reconnect).
    #[error("{}", .0.text)]
    GivenUp(Problem),
    /// The client is closed.
    #[error("the client is closed")]
    Closed,
}
