//! The handle that a program holds.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aper::sync::driver::{Connection, Error, ErrorCode, Input, Problem, Status};
use aper::{ClientId, Identity, StateMachine, Timestamp, Version, WithPresence};
use tokio::runtime::Handle as Runtime;
use tokio::sync::watch;

use crate::core::{Core, Revision};
use crate::options::Options;
use crate::socket::Address;
use crate::task;
use crate::told::{Changes, NoConnection, Submission};

/// One client of one session. A clone is the same client. It lives until
/// [`close`](Self::close), or until the last clone is dropped.
///
/// Nothing here waits for the client's task, except where a method is `async`;
/// and every `async` method may be given up at any time.
///
/// ```
/// use aper::Version;
/// use aper::collections::Counter;
/// use aper_client::{Client, Connection, Options};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let url = format!("ws://{}/counter/lobby", listener.local_addr()?);
/// # let server = aper_server::Server::builder().machine(|_| Counter::default()).build()?;
/// # tokio::spawn(server.serve(listener, std::future::pending()));
/// let client = Client::<Counter>::connect(&url, Options::new())?;
/// client.online().await?; // an error if somebody has to act before there can be a connection
/// assert_eq!(client.status().connection, Connection::Online);
/// assert!(client.server_time().is_some());
///
/// // As a command line that has little to say and then ends:
/// drop(client.submit(Counter::add(3)));
/// assert_eq!(client.confirmed().map(|counter| counter.get()), Some(0), "it shows in `state` only");
/// client.saved().await?;
/// assert!(client.is_saved());
/// assert_eq!(client.confirmed(), client.state());
/// assert_eq!(client.version(), Some(Version(1)));
///
/// // So that it is the same client when it runs next:
/// let kept = client.identity().expect("the server has said it").to_string();
/// client.close().await;
/// let client = Client::<Counter>::connect(&url, Options::new().identity(kept.parse()?))?;
/// client.online().await?;
/// assert_eq!(client.identity().map(|identity| identity.to_string()), Some(kept));
/// # Ok(()) }
/// ```
pub struct Client<S: StateMachine> {
    handle: Arc<Handle<S>>,
}

/// What all clones share; with the last one it tells the task to end.
struct Handle<S: StateMachine>(Arc<Core<S>>);

impl<S: StateMachine> Client<S> {
    /// A client of the session at `url`, `ws://host:port/{machine}/{session}`.
    /// It connects in the background, and again whenever it has to, for as
    /// long as it lives; transitions may be submitted at once.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Address`] when it cannot even be tried: the URL is none,
    /// needs the feature `tls`, or there is no tokio runtime here.
    ///
    /// # Panics
    ///
    /// When the runtime was made without its IO or its time.
    pub fn connect(url: &str, options: Options) -> Result<Self, Error> {
        let address = Address::new(url, &options)?;
        let Ok(runtime) = Runtime::try_current() else {
            let text = "there is no tokio runtime here for the client to run on";
            return Err(Error::new(ErrorCode::Address, text));
        };
        let core = {
            let _runtime = runtime.enter();
            Arc::new(Core::new(&options))
        };
        runtime.spawn(task::run(Arc::clone(&core), address));
        Ok(Self { handle: Arc::new(Handle(core)) })
    }

    /// Submits a transition: it shows in [`state`](Self::state) at once, if it
    /// can, and is sent as soon as there is a connection, in the order of the
    /// calls. The future tells how it ended; dropping it changes nothing.
    ///
    /// Costs one `apply`.
    pub fn submit(&self, transition: S::Transition) -> Submission<S::Conflict> {
        self.core().submit(transition)
    }

    /// What a user should see now: what the server accepted, and the own
    /// pending transitions upon it. None before the first welcome. The same
    /// until it changes; the first call after a change costs a clone.
    #[must_use]
    pub fn state(&self) -> Option<Arc<S>> {
        self.core().state()
    }

    /// What the server has accepted, as far as this client knows; of which
    /// [`version`](Self::version). Costs as [`state`](Self::state).
    #[must_use]
    pub fn confirmed(&self) -> Option<Arc<S>> {
        self.core().confirmed()
    }

    /// How many transitions have made what the server has accepted, as far as
    /// this client knows.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        self.core().with(|driver, _| driver.replica().version())
    }

    /// Who this client is, once the server has said it: to be kept, secretly,
    /// for a later [`Options::identity`].
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        self.core().with(|driver, _| driver.replica().identity())
    }

    /// The server's clock, estimated; none before the first welcome.
    #[must_use]
    pub fn server_time(&self) -> Option<Timestamp> {
        self.core().with(|driver, now| driver.replica().server_time(now))
    }

    /// Whether the server has everything that was submitted and not refused.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.core().with(|driver, _| driver.replica().is_saved())
    }

    /// How things stand.
    #[must_use]
    pub fn status(&self) -> Status {
        self.core().with(|driver, _| driver.status())
    }

    /// How things stand, from now on.
    ///
    /// ```
    /// # use aper::collections::Counter;
    /// # use aper_client::{Client, Options};
    /// use aper_client::Connection;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let url = format!("ws://{}/counter/lobby", listener.local_addr()?);
    /// # let server = aper_server::Server::builder().machine(|_| Counter::default()).build()?;
    /// # tokio::spawn(server.serve(listener, std::future::pending()));
    /// # let client = Client::<Counter>::connect(&url, Options::new())?;
    /// let mut status = client.watch_status();
    /// while status.borrow_and_update().connection != Connection::Online {
    ///     status.changed().await?; // one for all that changed since the last look
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn watch_status(&self) -> watch::Receiver<Status> {
        self.core().status()
    }

    /// An item after the state, the identity or the status may have changed:
    /// one for all that happened since the last was taken. Ends with the
    /// client.
    ///
    /// ```
    /// use aper::collections::Counter;
    /// use aper_client::{Changes, Client, Options};
    /// use futures::StreamExt as _;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let url = format!("ws://{}/counter/lobby", listener.local_addr()?);
    /// # let server = aper_server::Server::builder().machine(|_| Counter::default()).build()?;
    /// # tokio::spawn(server.serve(listener, std::future::pending()));
    /// let ada = Client::<Counter>::connect(&url, Options::new())?;
    /// let bob = Client::<Counter>::connect(&url, Options::new())?;
    /// let mut changes: Changes = bob.changes();
    /// drop(ada.submit(Counter::add(3)));
    /// while bob.state().is_none_or(|counter| counter.get() < 3) {
    ///     changes.next().await;
    /// }
    ///
    /// bob.close().await;
    /// while changes.next().await.is_some() {} // what had changed before
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes::of(self.core().revision())
    }

    /// Waits until the [`state`](Self::state) is so, and gives it. `condition`
    /// is asked once now, and once after each change or several together.
    ///
    /// ```no_run
    /// # async fn run(client: aper_client::Client<aper::collections::Counter>)
    /// # -> Result<(), aper_client::Error> {
    /// let full = client.wait_for(|counter| counter.get() >= 100).await?;
    /// assert!(full.get() >= 100);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Closed`] when the client is closed before that.
    pub async fn wait_for(&self, mut condition: impl FnMut(&S) -> bool) -> Result<Arc<S>, Error> {
        let mut revision = self.core().revision();
        loop {
            let is_over = *revision.borrow_and_update() == Revision::Over;
            if let Some(state) = self.state().filter(|state| condition(state)) {
                return Ok(state);
            }
            if is_over || revision.changed().await.is_err() {
                return Err(Error::closed());
            }
        }
    }

    /// Waits until there is a connection, and all that happened before it is
    /// here.
    ///
    /// # Errors
    ///
    /// When the client has stopped trying, because somebody else has to act
    /// first. (A server that cannot be reached is no error: it is tried for
    /// ever.)
    pub async fn online(&self) -> Result<(), NoConnection> {
        let is_decided = |status: &Status| match status.connection {
            Connection::Online | Connection::Closed => true,
            Connection::Connecting | Connection::Offline => given_up(status).is_some(),
        };
        let mut watched = self.core().status();
        let status = watched.wait_for(is_decided).await.map(|status| status.clone());
        match status {
            Ok(status) => match given_up(&status) {
                Some(problem) => Err(NoConnection::GivenUp(problem.clone())),
                None if status.connection == Connection::Online => Ok(()),
                None => Err(NoConnection::Closed),
            },
            Err(_) => Err(NoConnection::Closed),
        }
    }

    /// Waits until the server has everything that was submitted and not
    /// refused.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Closed`] when the client is closed before that.
    pub async fn saved(&self) -> Result<(), Error> {
        let is_decided =
            |status: &Status| status.is_saved() || status.connection == Connection::Closed;
        let mut watched = self.core().status();
        let status = watched.wait_for(is_decided).await;
        match status {
            Ok(status) if status.is_saved() => Ok(()),
            _ => Err(Error::closed()),
        }
    }

    /// Tries to connect now, even if the server's last answer was one that
    /// forbids trying again by itself. Does nothing if there is a connection
    /// or an attempt.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    ///
    /// use aper::collections::Counter;
    /// use aper_client::{Client, NoConnection, Options, ProblemCode};
    /// use aper_server::{Credentials, Denied, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // A server that lets nobody in before the guest list is done:
    /// let is_done = Arc::new(AtomicBool::new(false));
    /// let guests = Arc::clone(&is_done);
    /// let server = Server::builder().machine(|_| Counter::default()).authenticate(
    ///     move |_: Credentials| {
    ///         let is_done = guests.load(Ordering::Relaxed);
    ///         async move { if is_done { Ok(None) } else { Err(Denied::new("come back later")) } }
    ///     },
    /// );
    /// # let server = server.build()?;
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let url = format!("ws://{}/counter/lobby", listener.local_addr()?);
    /// # tokio::spawn(server.serve(listener, std::future::pending()));
    ///
    /// let client = Client::<Counter>::connect(&url, Options::new())?;
    /// let Err(NoConnection::GivenUp(problem)) = client.online().await else { panic!() };
    /// assert_eq!((problem.code, &*problem.text), (ProblemCode::Refused, "come back later"));
    ///
    /// is_done.store(true, Ordering::Relaxed);
    /// client.reconnect();
    /// # let mut status = client.watch_status();
    /// # status.wait_for(|status| status.connection == aper_client::Connection::Online).await?;
    /// # Ok(()) }
    /// ```
    pub fn reconnect(&self) {
        self.core().act(Input::Reconnect);
    }

    /// Leaves the session, and waits until that is done: two seconds at most.
    /// The last state can still be read; what has no answer yet ends as
    /// [`ErrorCode::Closed`], and may have been accepted or not. To know, wait
    /// for [`saved`](Self::saved) first.
    pub async fn close(&self) {
        self.core().act(Input::Close);
        // An error is an end as well.
        let _ = self.core().revision().wait_for(|revision| *revision == Revision::Over).await;
    }

    /// Shows nothing of this client to the others from now on.
    pub fn clear_presence(&self) {
        self.core().show(|driver, now| driver.clear_presence(now));
    }

    fn core(&self) -> &Core<S> {
        &self.handle.0
    }
}

impl<S: WithPresence> Client<S> {
    /// Shows this to the other clients from now on, in place of what was shown,
    /// for as long as this client is here. It is sent at most every
    /// [`PRESENCE_INTERVAL`], the last value always, and again on each
    /// connection; the others may skip a value, never the last.
    ///
    /// ```
    /// use aper::collections::Counter;
    /// use aper::{StateMachine, WithPresence};
    /// use aper_client::{Client, Options};
    /// use futures::StreamExt as _;
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Default, Serialize, Deserialize, StateMachine)]
    /// #[machine(presence = String)]
    /// struct Room {
    ///     visits: Counter,
    /// }
    ///
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let url = format!("ws://{}/room/kitchen", listener.local_addr()?);
    /// # let server = aper_server::Server::builder().machine(|_| Room::default()).build()?;
    /// # tokio::spawn(server.serve(listener, std::future::pending()));
    /// let ada = Client::<Room>::connect(&url, Options::new())?;
    /// let bob = Client::<Room>::connect(&url, Options::new())?;
    /// ada.set_presence(&"Ada".to_owned())?;
    ///
    /// let mut changes = bob.presence_changes();
    /// while bob.presences().is_empty() {
    ///     changes.next().await;
    /// }
    /// assert_eq!(bob.presences().into_values().collect::<Vec<_>>(), ["Ada"]);
    ///
    /// ada.clear_presence();
    /// while !bob.presences().is_empty() {
    ///     changes.next().await;
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// [`PRESENCE_INTERVAL`]: aper::limits::PRESENCE_INTERVAL
    ///
    /// # Errors
    ///
    /// [`ErrorCode::TooBig`] when the value is longer than
    /// [`PRESENCE_BYTES`](aper::limits::PRESENCE_BYTES), and
    /// [`ErrorCode::Unrepresentable`] when it cannot be encoded: then what was
    /// shown still is.
    pub fn set_presence(&self, value: &S::Presence) -> Result<(), Error> {
        self.core().show(|driver, now| driver.set_presence(now, value))
    }

    /// What the other clients show, as far as it is known: nothing while there
    /// is no connection. Costs a decoding of each value.
    #[must_use]
    pub fn presences(&self) -> BTreeMap<ClientId, S::Presence> {
        self.core().with(|driver, _| driver.replica().presences().decoded())
    }

    /// An item after what the others show may have changed: one for all that
    /// happened since the last was taken. Ends with the client.
    #[must_use]
    pub fn presence_changes(&self) -> Changes {
        Changes::of(self.core().presence())
    }
}

fn given_up(status: &Status) -> Option<&Problem> {
    let offline = status.connection == Connection::Offline;
    status.problem.as_ref().filter(|problem| offline && !problem.code.is_worth_retrying())
}

impl<S: StateMachine> Clone for Client<S> {
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle) }
    }
}

impl<S: StateMachine> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("machine", &S::NAME).finish_non_exhaustive()
    }
}

impl<S: StateMachine> Drop for Handle<S> {
    fn drop(&mut self) {
        self.0.act(Input::Close);
    }
}
