//! Where accepted transitions are kept, so that nothing that anybody was told
//! is forgotten.
//!
//! The journal is the seam between a session and its storage. A session
//! [opens](Journal::open) its own part once, [appends](Journal::append) what
//! the authority accepted, and from time to time [stores a
//! snapshot](Journal::store_snapshot), which lets the older entries go. The
//! journal never sees a socket, and does not know what a transition means.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::id::{ClientId, ClientSeq, Epoch, HistoryId, ResumeKey, SessionId, UserId, Version};
use crate::limits;
use crate::protocol::{Entry, Payload, Rejection};
use crate::time::Timestamp;

/// Which session: its machine and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionKey {
    /// [`StateMachine::NAME`](crate::StateMachine::NAME) of its machine.
    pub machine: Arc<str>,
    /// Its name among that machine's sessions.
    pub session: SessionId,
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.machine, self.session)
    }
}

/// Entries that are written and told together.
pub type Batch = Arc<[Entry]>;

/// A durable log of entries and snapshots, one session at a time.
///
/// One task at a time works on one session; several sessions may be worked on
/// at once. An implementation may gather the appends of several sessions into
/// one write.
pub trait Journal: Send + Sync + 'static {
    /// All that is kept of a session. One that is not there yet begins with
    /// the history `fresh` and nothing else.
    fn open<'a>(
        &'a self,
        key: &'a SessionKey,
        fresh: HistoryId,
    ) -> BoxFuture<'a, Result<Recovered, JournalError>>;

    /// Adds entries. When the future is ready with `Ok`, they are as durable
    /// as the operator chose. `after` is the version that the caller believes
    /// to be the last, and `epoch` its ownership of the session.
    ///
    /// The appends of a session are called one after the other: the next when
    /// the future of the last is ready.
    fn append<'a>(
        &'a self,
        key: &'a SessionKey,
        after: Version,
        epoch: Epoch,
        batch: Batch,
    ) -> BoxFuture<'a, Result<(), JournalError>>;

    /// Keeps a snapshot. From then on the entries up to its version, and
    /// earlier snapshots, may be dropped.
    fn store_snapshot<'a>(
        &'a self,
        key: &'a SessionKey,
        snapshot: Snapshot,
    ) -> BoxFuture<'a, Result<(), JournalError>>;
}

/// What a journal has of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The history that it belongs to.
    pub history: HistoryId,
    /// The last snapshot; none when the session is new.
    pub snapshot: Option<Snapshot>,
    /// The entries after it, without a gap.
    pub entries: Vec<Entry>,
}

/// State **and** deduplication table at a version: without the table, a
/// submission that is sent again after the entries are gone would happen twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// [`StateMachine::SCHEMA`](crate::StateMachine::SCHEMA) of the state.
    pub schema: u32,
    /// The version of the state.
    pub version: Version,
    /// When its last transition was accepted.
    pub at: Timestamp,
    /// The number that the next new client gets.
    pub next_client: ClientId,
    /// The clients that may come back.
    pub clients: Vec<RememberedClient>,
    /// The encoded state.
    pub state: Payload,
}

/// What the server remembers of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedClient {
    /// Who.
    pub client: ClientId,
    /// What it proves itself with.
    pub key: ResumeKey,
    /// As whom authentication knew it last.
    pub user: Option<UserId>,
    /// The highest number among its submissions that was decided.
    pub last_seq: ClientSeq,
    /// Its latest refused submissions, as many as may be without an answer.
    pub refused: Vec<Rejection>,
    /// When it was last connected.
    pub last_seen: Timestamp,
}

/// Why a journal did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Another node owns the session now.
    #[error("session {session} is owned by another node: this one has to let it go")]
    Fenced {
        /// Which session.
        session: SessionKey,
    },
    /// The entries do not follow the last that is kept.
    #[error(
        "session {session} is at version {kept} in the journal, the append was for after {after}"
    )]
    OutOfOrder {
        /// Which session.
        session: SessionKey,
        /// The last version that is kept.
        kept: Version,
        /// The version that the caller took for the last.
        after: Version,
    },
    /// There is no room for another session. Those that are there go on.
    #[error("there is no room in the journal for session {session}: it holds {sessions} already")]
    Full {
        /// Which session.
        session: SessionKey,
        /// How many there are.
        sessions: usize,
    },
    /// The storage failed.
    #[error("the journal of session {session} failed: {reason}")]
    Storage {
        /// Which session.
        session: SessionKey,
        /// What the storage said.
        reason: String,
    },
}

/// A journal in memory: it lasts as long as the process. For tests, and for
/// sessions that may be lost.
///
/// A batch costs O(entries); a snapshot drops the entries that it covers. It
/// never forgets a session, and takes at most
/// [`MEMORY_JOURNAL_SESSIONS`](crate::limits::MEMORY_JOURNAL_SESSIONS).
///
/// ```
/// use aper::journal::{Journal, MemoryJournal, SessionKey};
/// use aper::{Epoch, HistoryId, Version};
/// use uuid::Uuid;
///
/// # futures::executor::block_on(async {
/// let journal = MemoryJournal::new();
/// let key = SessionKey { machine: "counter".into(), session: "lobby".parse()? };
/// let session = journal.open(&key, HistoryId(Uuid::from_u128(1))).await?;
/// assert_eq!(session.entries, []);
/// // Whoever believes in another version is told so.
/// let wrong = journal.append(&key, Version(3), Epoch(0), [].into()).await;
/// assert!(wrong.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Default)]
pub struct MemoryJournal {
    sessions: Mutex<BTreeMap<SessionKey, Recovered>>,
}

impl MemoryJournal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn with_session<T>(
        &self,
        key: &SessionKey,
        change: impl FnOnce(&mut Recovered) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get_mut(key).ok_or_else(|| JournalError::Storage {
            session: key.clone(),
            reason: "the session was not opened".to_owned(),
        })?;
        change(session)
    }
}

impl Journal for MemoryJournal {
    fn open<'a>(
        &'a self,
        key: &'a SessionKey,
        fresh: HistoryId,
    ) -> BoxFuture<'a, Result<Recovered, JournalError>> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let count = sessions.len();
        let opened = match sessions.entry(key.clone()) {
            Slot::Occupied(session) => Ok(session.get().clone()),
            Slot::Vacant(_) if count >= limits::MEMORY_JOURNAL_SESSIONS => {
                Err(JournalError::Full { session: key.clone(), sessions: count })
            }
            Slot::Vacant(slot) => {
                let new = Recovered { history: fresh, snapshot: None, entries: Vec::new() };
                Ok(slot.insert(new).clone())
            }
        };
        Box::pin(std::future::ready(opened))
    }

    fn append<'a>(
        &'a self,
        key: &'a SessionKey,
        after: Version,
        _: Epoch,
        batch: Batch,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        let appended = self.with_session(key, |session| {
            let kept = last_version(session);
            if kept != after {
                return Err(JournalError::OutOfOrder { session: key.clone(), kept, after });
            }
            session.entries.extend_from_slice(&batch);
            Ok(())
        });
        Box::pin(std::future::ready(appended))
    }

    fn store_snapshot<'a>(
        &'a self,
        key: &'a SessionKey,
        snapshot: Snapshot,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        let stored = self.with_session(key, |session| {
            session.entries.retain(|entry| entry.version > snapshot.version);
            session.snapshot = Some(snapshot);
            Ok(())
        });
        Box::pin(std::future::ready(stored))
    }
}

fn last_version(session: &Recovered) -> Version {
    let of_snapshot = || session.snapshot.as_ref().map_or(Version(0), |snapshot| snapshot.version);
    session.entries.last().map_or_else(of_snapshot, |entry| entry.version)
}
