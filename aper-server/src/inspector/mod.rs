//! The inspector: a page that shows sessions to whoever has the admin token,
//! and what it asks.
//!
//! It only looks. What is live is read past a session's task ([`Sight`]), what
//! has happened from the journal beside it ([`Journal::peek`]), and a state at
//! a version is what the machine makes of that again, on a thread for blocking
//! work. So a session is not woken, kept awake or held up, however it is looked
//! at. What looking may cost has bounds, all of them here.
//!
//! [`Sight`]: crate::session::Sight
//! [`Journal::peek`]: aper::journal::Journal::peek

mod answer;
mod history;
mod live;
mod log;
mod page;
mod replay;
mod token;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aper::journal::{Recovered, SessionKey};
use aper::{InvalidSessionId, SessionId};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::warn;

pub use self::token::{AdminToken, InvalidAdminToken};

use self::answer::{Answered, Unanswered};
use self::history::Histories;
use crate::hub::Hub;
use crate::machine::{AnyMachine, PresenceAsJson};

/// Where it is: the first segment of its paths.
pub(crate) const PREFIX: &str = "inspector";

/// Sessions that one list names. At it: the next are in another.
const SESSIONS: usize = 200;
/// Clients of one session, and values that they show, in one answer. At it:
/// the rest is left out, and counted.
const CLIENTS: usize = 500;
/// Entries in one answer. At it: the earlier ones are in another.
const ENTRIES: usize = 500;
/// Bytes of JSON for entries in one answer, about. At it: as with [`ENTRIES`].
const ENTRIES_BYTES: usize = 4 << 20;
/// Bytes of JSON of one transition, conflict or presence. At it: its beginning.
const VALUE_BYTES: usize = 16 << 10;
/// Refusals in one answer. At it: the latest.
const REFUSALS: usize = 100;
/// Bytes of JSON of a state. At it: it is not shown, and that is said.
const STATE_BYTES: usize = 8 << 20;
/// Records and bytes of a session's history that are replayed for one answer.
/// At it: the state is not shown, and that is said.
const HISTORY_RECORDS: usize = 20_000;
const HISTORY_BYTES: usize = 32 << 20;
/// Sessions of which more history is remembered than the journal keeps. At it:
/// that of the one that was looked at least recently is forgotten.
const HISTORIES: usize = 8;
/// Readings of the journal and replays at a time. At it: others wait.
const AT_ONCE: usize = 2;
/// For how long they wait. After it: they are told to come again.
const WAIT: Duration = Duration::from_secs(5);
/// How long one may take. After it: no answer, although it goes on to its end.
const WITHIN: Duration = Duration::from_secs(10);
/// Pages that wait for news. At it: one more is told to come again.
const WAITING: usize = 64;
/// How long a page waits for news. After it: it is told how things stand.
const NEWS_WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked whether there is news.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What the inspector's requests need.
pub(crate) struct Inspector {
    token: AdminToken,
    hub: Arc<Hub>,
    presences: HashMap<&'static str, PresenceAsJson>,
    histories: Histories,
    at_once: Arc<Semaphore>,
    waiting: Semaphore,
}

/// A session of a machine that is hosted.
struct Subject {
    key: SessionKey,
    machine: Arc<dyn AnyMachine>,
}

impl Inspector {
    pub(crate) fn new(
        token: AdminToken,
        hub: &Arc<Hub>,
        presences: HashMap<&'static str, PresenceAsJson>,
    ) -> Arc<Self> {
        Arc::new(Self {
            token,
            hub: Arc::clone(hub),
            presences,
            histories: Histories::default(),
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Semaphore::new(WAITING),
        })
    }

    /// Its paths.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let api = Router::new()
            .route("/inspector/api/sessions", get(live::sessions))
            .route("/inspector/api/sessions/{machine}/{session}", get(live::session))
            .route("/inspector/api/sessions/{machine}/{session}/log", get(log::log))
            .route("/inspector/api/sessions/{machine}/{session}/state", get(replay::state))
            .route("/inspector/api/sessions/{machine}/{session}/recording", get(replay::recording))
            .route("/inspector/api/{*rest}", get(async || Unanswered::nothing_here()))
            .layer(from_fn_with_state(Arc::clone(self), authorize))
            .with_state(Arc::clone(self));
        page::router().merge(api)
    }

    /// The session that a path names.
    fn subject(&self, machine: &str, session: &str) -> Result<Subject, Unanswered> {
        let Some(hosted) = self.hub.machine(machine) else {
            return Err(Unanswered::missing(format!("this server has no machine `{machine}`")));
        };
        let unnamed = |error: InvalidSessionId| Unanswered::bad(error.to_string());
        let session: SessionId = session.parse().map_err(unnamed)?;
        let key = SessionKey { machine: hosted.version().name.into(), session };
        Ok(Subject { key, machine: Arc::clone(hosted) })
    }

    /// What the journal has of a session, and what is remembered from before.
    async fn history(&self, key: &SessionKey) -> Result<Arc<Recovered>, Unanswered> {
        let _place = self.place().await?;
        let peek = timeout(WITHIN, self.hub.journal().peek(key));
        let kept = peek.await.map_err(|_| Unanswered::late())?;
        match kept.map_err(|error| Unanswered::failed(error.to_string()))? {
            Some(kept) => {
                // What came and was taken into a snapshot since the last look.
                let between = |from, to| self.hub.sight(key)?.0.entries(from, to);
                Ok(self.histories.extend(key, kept, between))
            }
            None => Err(Unanswered::missing(format!("there is no session {key}"))),
        }
    }

    /// Does what takes long, on a thread where nobody has to wait for it.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unanswered> {
        let place = self.place().await?;
        let working = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        let done = timeout(WITHIN, working).await.map_err(|_| Unanswered::late())?;
        done.map_err(|error| Unanswered::failed(error.to_string()))
    }

    async fn place(&self) -> Result<tokio::sync::OwnedSemaphorePermit, Unanswered> {
        let place = timeout(WAIT, Arc::clone(&self.at_once).acquire_owned()).await;
        place.ok().and_then(Result::ok).ok_or_else(Unanswered::busy)
    }
}

/// Lets those through who show the token.
async fn authorize(
    State(inspector): State<Arc<Inspector>>,
    request: Request,
    next: Next,
) -> Answered<Response> {
    let shown = request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes());
    let shown = shown.and_then(|value| {
        let (scheme, token) = value.split_at_checked("Bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
    });
    match shown {
        Some(token) if inspector.token.is(token) => Ok(next.run(request).await),
        Some(_) => {
            warn!("somebody wants the inspector with a token that is not the admin's");
            Err(Unanswered::unauthorized("this is not the server's admin token"))
        }
        None => Err(Unanswered::unauthorized("the server's admin token is needed")),
    }
}
