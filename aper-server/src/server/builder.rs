//! What a server is made of.

use super::{MANY, Server, Shared};
use crate::auth::{Authenticate, Hook};
use crate::clock::Clock;
use crate::divergence::Divergences;
use crate::error::BuildError;
use crate::hub::Hub;
use crate::inspector::{AdminToken, Inspector};
use crate::limits::Limits;
use crate::machine::{AnyMachine, PresenceAsJson, presence_as_json, register};
use crate::origin::Origins;
use aper::journal::{Journal, MemoryJournal};
use aper::limits::CLIENT_FRAME_BYTES;
use aper::sync::{Admission, Lineage};
use aper::{SessionId, StateMachine, WithPresence};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::sync::Semaphore;
use tracing::error;

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

impl ServerBuilder {
    pub(super) fn new() -> Self {
        Self {
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
