//! The server: what it is made of, and running it.

mod accept;
mod builder;
mod http;
mod upgrade;

pub use self::builder::ServerBuilder;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use aper::journal::SessionKey;
use aper::protocol::decode;
use aper::protocol::handshake::MachineVersion;
use aper::{SessionId, StateMachine, Version};
use axum::Router;
use axum::serve::{Listener, ListenerExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tracing::{info, warn};

use crate::auth::Hook;
use crate::clock::Clock;
use crate::error::StateError;
use crate::hub::Hub;
use crate::inspector::Inspector;
use crate::limits::Limits;
use crate::origin::Origins;

/// Sessions of one or several machines, for clients over WebSocket.
///
/// A clone is the same server.
///
/// ```no_run
/// use aper::collections::Counter;
/// use aper_server::Server;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder().machine(|_| Counter::default()).build()?;
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:4000").await?;
/// let stop = async { tokio::signal::ctrl_c().await.expect("Ctrl+C can be caught") };
/// server.serve(listener, stop).await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

/// What every request needs.
struct Shared {
    hub: Arc<Hub>,
    limits: Arc<Limits>,
    origins: Origins,
    authenticate: Option<Hook>,
    static_files: Option<PathBuf>,
    clock: Clock,
    /// None while it is off.
    inspector: Option<Arc<Inspector>>,
    /// One permit for each WebSocket connection that there may be.
    connections: Arc<Semaphore>,
    next_connection: AtomicU64,
}

/// Most permits that a semaphore is asked for.
const MANY: usize = 1 << 30;

impl Server {
    /// A server without machines, with a journal in memory, for pages of its
    /// own origin.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    /// The server as part of another application: its WebSockets at
    /// `/{machine}/{session}`, its `/healthz`, its static files. Nest it:
    ///
    /// ```
    /// # use aper_server::Server;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), aper_server::BuildError> {
    /// # let server = Server::builder().build()?;
    /// let app: axum::Router = axum::Router::new().nest("/live", server.router());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The application then owns the listener, and with it `TCP_NODELAY`, the
    /// deadlines of plain HTTP, and the bound on its connections. Before it
    /// ends it calls [`shut_down`](Self::shut_down).
    pub fn router(&self) -> Router {
        http::router(Arc::clone(&self.shared))
    }

    /// Runs alone on a TCP listener until `shutdown` is ready, and then ends
    /// in good order: sessions and clients within [`Limits::shutdown_within`],
    /// and what is left of HTTP within [`Limits::close_within`] after that.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                warn!(%error, "TCP_NODELAY could not be set: small messages may be late");
            }
        });
        self.serve_on(listener, shutdown).await;
    }

    /// The same on any listener: a Unix socket, TLS, a test's pipe.
    ///
    /// ```
    /// # #[cfg(not(unix))] fn main() {}
    /// # #[cfg(unix)]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use aper::collections::Counter;
    /// use aper_server::Server;
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("aper.sock");
    /// let server = Server::builder().machine(|_| Counter::default()).build()?;
    /// let listener = tokio::net::UnixListener::bind(path)?;
    /// server.serve_on(listener, async { /* ready when it is to stop */ }).await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn serve_on<L>(self, listener: L, shutdown: impl Future<Output = ()> + Send)
    where
        L: Listener,
        L::Addr: std::fmt::Debug,
    {
        accept::serve(&self, listener, shutdown).await;
    }

    /// Ends in good order: clients are told to come back, sessions store a
    /// snapshot. New clients and sessions are turned away from now on. Gives
    /// up what takes longer than [`Limits::shutdown_within`].
    ///
    /// [`serve`](Self::serve) does it by itself; an application with a
    /// listener of its own does it when that has ended:
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use aper_server::Server;
    /// # let server = Server::builder().build()?;
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// let app = axum::Router::new().nest("/live", server.router());
    /// let stop = {
    ///     let server = server.clone();
    ///     async move {
    ///         // Ready when it is to stop. WebSockets do not end by
    ///         // themselves, so they are ended before axum waits for them.
    ///         server.shut_down().await;
    ///     }
    /// };
    /// axum::serve(listener, app).with_graceful_shutdown(stop).await?;
    /// assert_eq!(server.clients_connected(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn shut_down(&self) {
        let within = self.shared.limits.shutdown_within;
        let end = async {
            self.shared.hub.shut_down().await;
            self.shared.all_disconnected().await;
        };
        match tokio::time::timeout(within, end).await {
            Ok(()) => info!("all sessions ended in good order"),
            Err(_) => warn!(
                sessions = self.shared.hub.awake(),
                "some sessions or clients did not end in time and are dropped"
            ),
        }
    }

    /// The state of a session, with its version: all of it is in the journal.
    /// A session that sleeps is woken for it, one that never was begins.
    ///
    /// Costs an encoding and a decoding of the state; a busy session pauses
    /// until the journal has what it accepted.
    ///
    /// # Errors
    ///
    /// When the server does not host this machine or is at a limit, and when
    /// the session cannot be opened.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use aper::Version;
    /// use aper::collections::Counter;
    /// use aper_server::Server;
    ///
    /// let server = Server::builder().machine(|_| Counter::default()).build()?;
    /// let (version, counter) = server.state::<Counter>(&"front-page".parse()?).await?;
    /// assert_eq!((version, counter.get()), (Version(0), 0));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn state<S: StateMachine>(
        &self,
        session: &SessionId,
    ) -> Result<(Version, S), StateError> {
        let hub = &self.shared.hub;
        let hosted = hub.machine(S::NAME).map(|machine| machine.version());
        if hosted != Some(MachineVersion::of::<S>()) {
            return Err(StateError::UnknownMachine);
        }
        let key = SessionKey { machine: S::NAME.into(), session: session.clone() };
        let image = hub.look(&Arc::new(key)).await?;
        let codec = |error: &dyn std::fmt::Display| StateError::Codec(error.to_string());
        let snapshot = image.encode().map_err(|error| codec(&error))?;
        let state = decode(&snapshot.state.0).map_err(|error| codec(&error))?;
        Ok((snapshot.version, state))
    }

    /// How many sessions are awake.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use aper::collections::Counter;
    /// # use aper_server::Server;
    /// let server = Server::builder().machine(|_| Counter::default()).build()?;
    /// assert_eq!(server.sessions_awake(), 0);
    /// server.state::<Counter>(&"front-page".parse()?).await?; // wakes it
    /// assert_eq!(server.sessions_awake(), 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn sessions_awake(&self) -> usize {
        self.shared.hub.awake()
    }

    /// How often a client's state turned out not to be the session's. Each time
    /// the client was sent the session's; anything but 0 means that a machine's
    /// `apply` is not deterministic.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), aper_server::BuildError> {
    /// # let server = aper_server::Server::builder().build()?;
    /// if server.divergences() > 0 {
    ///     eprintln!("some machine is not deterministic: look into the recordings");
    /// }
    /// # assert_eq!(server.divergences(), 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn divergences(&self) -> u64 {
        self.shared.hub.divergences()
    }

    /// How many clients are connected.
    #[must_use]
    pub fn clients_connected(&self) -> usize {
        self.shared.connected()
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}

impl Shared {
    fn most_connections(&self) -> usize {
        self.limits.connections.min(MANY)
    }

    fn connected(&self) -> usize {
        self.most_connections() - self.connections.available_permits()
    }

    async fn all_disconnected(&self) {
        let all = u32::try_from(self.most_connections()).expect("MANY fits");
        // An error means that there are none left to wait for.
        let _ = self.connections.acquire_many(all).await;
    }
}
