//! The server: what it is made of, and running it.

mod accept;
mod http;
mod upgrade;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use aper::journal::{Journal, MemoryJournal, SessionKey};
use aper::limits::CLIENT_FRAME_BYTES;
use aper::protocol::decode;
use aper::protocol::handshake::MachineVersion;
use aper::sync::{Admission, Lineage};
use aper::{SessionId, StateMachine, Version, WithPresence};
use axum::Router;
use axum::serve::{Listener, ListenerExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tracing::{error, info, warn};

use crate::auth::{Authenticate, Hook};
use crate::clock::Clock;
use crate::divergence::Divergences;
use crate::error::{BuildError, StateError};
use crate::hub::Hub;
use crate::inspector::{AdminToken, Inspector};
use crate::limits::Limits;
use crate::machine::{AnyMachine, PresenceAsJson, presence_as_json, register};
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

/// A server in the making: [`Server::builder`].
///
/// ```
/// use std::sync::Arc;
///
/// use aper::collections::{Atom, Counter, Map};
/// use aper::journal::MemoryJournal;
/// use aper_server::{Limits, Origins, Server};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let pages = tempfile::tempdir()?;
/// let server = Server::builder()
///     // Sessions at /counter/{session}, which begin at 0, ...
///     .machine(|_| Counter::default())
///     // ... and at /map/{session}, which begin with their own name in them.
///     .machine(|session| {
///         let title = ("title".to_owned(), Atom::new(session.to_string()));
///         Map::from_iter([title])
///     })
///     .journal(Arc::new(MemoryJournal::new()))
///     .limits(Limits { clients_per_session: 50, ..Limits::default() })
///     .origins(Origins::same().and("https://app.example.com"))
///     .static_files(pages.path())
///     .build()?;
/// assert_eq!(server.sessions_awake(), 0);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct ServerBuilder {
    pub(crate) machines: Vec<Arc<dyn AnyMachine>>,
    journal: Arc<dyn Journal>,
    limits: Limits,
    pub(crate) origins: Origins,
    authenticate: Option<Hook>,
    static_files: Option<PathBuf>,
    recordings: Option<PathBuf>,
    inspector: Option<AdminToken>,
    presences: HashMap<&'static str, PresenceAsJson>,
}

impl Server {
    /// A server without machines, with a journal in memory, for pages of its
    /// own origin.
    pub fn builder() -> ServerBuilder {
        ServerBuilder {
            machines: Vec::new(),
            journal: Arc::new(MemoryJournal::new()),
            limits: Limits::default(),
            origins: Origins::same(),
            authenticate: None,
            static_files: None,
            recordings: None,
            inspector: None,
            presences: HashMap::new(),
        }
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

impl ServerBuilder {
    /// Hosts a machine, at its [`NAME`](StateMachine::NAME). Each new session
    /// of it begins with what `initial` makes of its name.
    pub fn machine<S: StateMachine>(
        mut self,
        initial: impl Fn(&SessionId) -> S + Send + Sync + 'static,
    ) -> Self {
        self.machines.push(register(Lineage::new(), None, initial));
        self
    }

    /// Hosts a machine whose sessions may have been begun under earlier
    /// schemas: they are migrated when they are next opened. A page of an
    /// earlier schema is told to reload.
    ///
    /// ```
    /// use aper::sync::Lineage;
    /// use aper::{Context, NeverConflict, StateMachine};
    /// use serde::{Deserialize, Serialize};
    ///
    /// /// As it was. Kept for the sessions that were begun with it.
    /// #[derive(Clone, Default, Serialize, Deserialize)]
    /// struct LikesV1(u32);
    /// # impl StateMachine for LikesV1 {
    /// #     const NAME: &'static str = "likes";
    /// #     type Transition = ();
    /// #     type Conflict = NeverConflict;
    /// #     fn apply(&mut self, _: &(), _: &Context) -> Result<(), NeverConflict> {
    /// #         self.0 += 1;
    /// #         Ok(())
    /// #     }
    /// # }
    ///
    /// /// As it is: `SCHEMA` is 2.
    /// #[derive(Clone, Default, Serialize, Deserialize)]
    /// struct Likes { likes: u32, hearts: u32 }
    /// # impl StateMachine for Likes {
    /// #     const NAME: &'static str = "likes";
    /// #     const SCHEMA: u32 = 2;
    /// #     type Transition = bool;
    /// #     type Conflict = NeverConflict;
    /// #     fn apply(&mut self, heart: &bool, _: &Context) -> Result<(), NeverConflict> {
    /// #         *(if *heart { &mut self.hearts } else { &mut self.likes }) += 1;
    /// #         Ok(())
    /// #     }
    /// # }
    ///
    /// let lineage = Lineage::<LikesV1>::new().then(|old| Likes { likes: old.0, hearts: 0 });
    /// let server = aper_server::Server::builder()
    ///     .machine_since(lineage, |_| Likes::default());
    /// # drop(server);
    /// ```
    pub fn machine_since<S: StateMachine>(
        mut self,
        lineage: Lineage<S>,
        initial: impl Fn(&SessionId) -> S + Send + Sync + 'static,
    ) -> Self {
        self.machines.push(register(lineage, None, initial));
        self
    }

    /// Hosts a machine and asks more of its transitions than the machine does:
    /// what the admission refuses is refused, on this server only, when it is
    /// new. What was accepted before stays.
    ///
    /// ```
    /// use aper::collections::{Counter, CounterConflict};
    /// use aper::sync::Admission;
    /// use aper_server::Server;
    ///
    /// let up_to_ten = Admission::new(|_: &Counter, after: &Counter| match after.get() {
    ///     0..=10 => Ok(()),
    ///     value => Err(CounterConflict::OutOfRange { value }),
    /// });
    /// let server = Server::builder().machine_admitting(up_to_ten, |_| Counter::default());
    /// # drop(server);
    /// ```
    pub fn machine_admitting<S: StateMachine>(
        mut self,
        admission: Admission<S>,
        initial: impl Fn(&SessionId) -> S + Send + Sync + 'static,
    ) -> Self {
        self.machines.push(register(Lineage::new(), Some(admission), initial));
        self
    }

    /// Keeps sessions in this journal. The default keeps them as long as the
    /// process lives.
    pub fn journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.journal = journal;
        self
    }

    /// Other bounds than the default ones.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Which pages may connect, if not only those of the server's own origin.
    pub fn origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// Asks who a client is before it comes in.
    ///
    /// ```
    /// use aper::UserId;
    /// use aper_server::{Credentials, Denied, Server};
    ///
    /// let server = Server::builder().authenticate(|credentials: Credentials| async move {
    ///     match credentials.token.as_deref() {
    ///         Some("ada's secret") => Ok(Some(UserId::new("ada"))),
    ///         Some(_) => Err(Denied::new("this token is not valid any more: log in again")),
    ///         None => Ok(None),
    ///     }
    /// });
    /// # drop(server);
    /// ```
    pub fn authenticate(mut self, hook: impl Authenticate) -> Self {
        self.authenticate = Some(Arc::new(hook));
        self
    }

    /// Serves the files of a directory where no session is asked for, and its
    /// `index.html` for a directory.
    pub fn static_files(mut self, directory: impl Into<PathBuf>) -> Self {
        self.static_files = Some(directory.into());
        self
    }

    /// Keeps in this directory a [`Recording`](aper::sync::Recording) of what
    /// led to it when a client's state turns out not to be the session's: some
    /// of the first. They contain the session's state; without this call, none
    /// is kept.
    ///
    /// ```
    /// let server = aper_server::Server::builder().recordings("/var/lib/our-app/recordings");
    /// # drop(server);
    /// ```
    pub fn recordings(mut self, directory: impl Into<PathBuf>) -> Self {
        self.recordings = Some(directory.into());
        self
    }

    /// Serves the inspector at `/inspector/` to whoever has the token: a page
    /// that shows every session's clients, log and state, at any version that
    /// the journal reaches. Without this call there is none.
    ///
    /// Looking at a session does not wake it or change anything in it. It costs
    /// a reading of its journal, and a replay for each version that is looked
    /// at, two at a time in the whole server; and each connection some atomic
    /// additions a message.
    ///
    /// ```
    /// use aper::collections::Counter;
    /// use aper_server::{AdminToken, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let from_the_environment = "correct horse battery staple";
    /// let token = AdminToken::new(from_the_environment)?;
    /// let server =
    ///     Server::builder().machine(|_| Counter::default()).inspector(token).build()?;
    /// # drop(server);
    /// # Ok(())
    /// # }
    /// ```
    pub fn inspector(mut self, token: AdminToken) -> Self {
        self.inspector = Some(token);
        self
    }

    /// Lets the inspector read what the clients of a machine show of
    /// themselves. Of others it shows the bytes.
    ///
    /// ```
    /// use aper::StateMachine;
    /// use aper::collections::Counter;
    /// use aper_server::Server;
    /// use serde::{Deserialize, Serialize};
    ///
    /// /// The place at which somebody points.
    /// #[derive(Clone, Debug, Serialize, Deserialize)]
    /// struct Cursor { x: i32, y: i32 }
    ///
    /// #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, StateMachine)]
    /// #[machine(presence = Cursor)]
    /// struct Votes { for_it: Counter }
    ///
    /// let server =
    ///     Server::builder().machine(|_| Votes::default()).inspect_presence::<Votes>();
    /// # drop(server);
    /// ```
    pub fn inspect_presence<S: WithPresence>(mut self) -> Self {
        self.presences.insert(S::NAME, presence_as_json::<S>);
        self
    }

    /// The bounds as they are now, to change some of them.
    ///
    /// ```
    /// let mut server = aper_server::Server::builder();
    /// server.limits_mut().clients_per_session = 20;
    /// # drop(server);
    /// ```
    pub fn limits_mut(&mut self) -> &mut Limits {
        &mut self.limits
    }

    /// Makes the server. Call it within a tokio runtime.
    ///
    /// # Errors
    ///
    /// When two machines have one name or a name cannot stand in a URL,
    /// when there is no directory of static files, when a machine has the
    /// inspector's name and that is on, and when
    /// [`Limits::message_bytes`] is less than what clients send.
    pub fn build(self) -> Result<Server, BuildError> {
        let machines = by_name(self.machines)?;
        if self.inspector.is_some() && machines.contains_key(crate::inspector::PREFIX) {
            return Err(BuildError::InspectorsName);
        }
        let bytes = self.limits.message_bytes;
        if bytes < CLIENT_FRAME_BYTES {
            return Err(BuildError::MessageBytes { bytes });
        }
        if let Some(directory) = self.static_files.as_ref().filter(|path| !path.is_dir()) {
            return Err(BuildError::StaticFiles { path: directory.display().to_string() });
        }
        let (limits, clock) = (Arc::new(self.limits), Clock::start());
        let divergences = Divergences::new(self.recordings);
        let hub = Hub::new(machines, self.journal, clock, Arc::clone(&limits), divergences);
        let sleeping = Arc::clone(&hub);
        tokio::spawn(async move {
            if let Err(error) = sleeping.load_alarms().await {
                error!(%error, "the timers of sleeping sessions wait for somebody to come");
            }
        });
        let presences = self.presences;
        let inspector = self.inspector.map(|token| Inspector::new(token, &hub, presences));
        let connections = Arc::new(Semaphore::new(limits.connections.min(MANY)));
        let shared = Shared {
            hub,
            limits,
            origins: self.origins,
            authenticate: self.authenticate,
            static_files: self.static_files,
            clock,
            inspector,
            connections,
            next_connection: AtomicU64::new(1),
        };
        Ok(Server { shared: Arc::new(shared) })
    }
}

fn by_name(
    machines: Vec<Arc<dyn AnyMachine>>,
) -> Result<HashMap<&'static str, Arc<dyn AnyMachine>>, BuildError> {
    let mut named = HashMap::new();
    for machine in machines {
        let name = machine.version().name;
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || !name.bytes().all(allowed) {
            return Err(BuildError::MachineName { name });
        }
        match named.entry(name) {
            Entry::Occupied(_) => return Err(BuildError::TwoMachines { name }),
            Entry::Vacant(place) => place.insert(machine),
        };
    }
    Ok(named)
}
