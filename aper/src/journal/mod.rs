//! Where accepted transitions are kept, so that nothing that anybody was told
//! is forgotten.
//!
//! The journal is the seam between a session and its storage. A session
//! [opens](Journal::open) its own part once, [appends](Journal::append) what
//! happens to it, and from time to time [stores a
//! snapshot](Journal::store_snapshot), which lets the older records go. The
//! journal never sees a socket, and does not know what a transition means.
//!
//! There are two: [`MemoryJournal`] here, for tests and for what may be lost,
//! and `aper_server::journal::DiskJournal`. Any other storage, such as a
//! database that several servers share, implements [`Journal`].

mod error;
mod memory;
mod record;
mod snapshot;

use std::fmt;
use std::sync::Arc;

use futures::future::{BoxFuture, ready};
use serde::{Deserialize, Serialize};

pub use self::error::JournalError;
pub use self::memory::MemoryJournal;
pub use self::record::{Batch, Position, Record};
pub use self::snapshot::{History, Presence, RememberedClient, Snapshot};
use crate::id::{Epoch, SessionId};
use crate::time::Timestamp;

/// Which session: its machine and its name.
///
/// ```
/// use aper::journal::SessionKey;
/// let key = SessionKey { machine: "counter".into(), session: "lobby".parse()? };
/// assert_eq!(key.to_string(), "counter/lobby");
/// # Ok::<(), aper::InvalidSessionId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionKey {
    /// [`StateMachine::NAME`](crate::StateMachine::NAME) of its machine.
    pub machine: Arc<str>,
    /// Its name among that machine's sessions.
    pub session: SessionId,
}

impl SessionKey {
    /// Whether `machine/name` contains this text. Costs a pass over it.
    ///
    /// ```
    /// use aper::journal::SessionKey;
    /// let key = SessionKey { machine: "counter".into(), session: "lobby".parse()? };
    /// assert!(key.contains("lob") && key.contains("r/l") && key.contains(""));
    /// assert!(!key.contains("attic"));
    /// # Ok::<(), aper::InvalidSessionId>(())
    /// ```
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        let either = self.machine.contains(text) || self.session.as_str().contains(text);
        either || text.contains('/') && self.to_string().contains(text)
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.machine, self.session)
    }
}

/// A durable log of records and snapshots, one session at a time.
///
/// One task at a time works on one session; several sessions may be worked on
/// at once. An implementation may gather the appends of several sessions into
/// one write. [`MemoryJournal`] is the plainest one. What a session does with
/// its part:
///
/// ```
/// use aper::journal::{Journal, JournalError, MemoryJournal, Record, SessionKey, Snapshot};
/// use aper::{ClientId, Epoch, Timestamp};
///
/// /// Notes that a client left, and says how long the log is now.
/// async fn note(journal: &dyn Journal, key: &SessionKey) -> Result<usize, JournalError> {
///     let recovered = journal.open(key).await?;
///     let left = Record::Left { client: ClientId(1), at: Timestamp::from_millis(5) };
///     journal.append(key, recovered.position(), Epoch(0), [left].into()).await?;
///     // From here on it may be told.
///     Ok(journal.open(key).await?.records.len())
/// }
///
/// /// Lets the log up to a snapshot go.
/// async fn compact(
///     journal: &dyn Journal,
///     key: &SessionKey,
///     snapshot: Snapshot,
/// ) -> Result<(), JournalError> {
///     journal.store_snapshot(key, snapshot).await
/// }
///
/// # futures::executor::block_on(async {
/// let (journal, key) = (MemoryJournal::new(), SessionKey {
///     machine: "counter".into(),
///     session: "lobby".parse()?,
/// });
/// assert_eq!(note(&journal, &key).await?, 1);
/// // After a restart the server has to look who is still here.
/// assert_eq!(journal.alarms().await?, [(key, Timestamp::ZERO)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub trait Journal: Send + Sync + 'static {
    /// All that is kept of a session; of one that is not there yet, nothing.
    /// Comes before anything else that is done to the session. Costs as much as
    /// its snapshot and the records after that are long.
    ///
    /// # Errors
    ///
    /// [`Full`](JournalError::Full) when there is no room for another session,
    /// [`Corrupt`](JournalError::Corrupt) when what is kept of it cannot be
    /// relied upon, [`Storage`](JournalError::Storage) when it cannot be read,
    /// and [`Stopped`](JournalError::Stopped).
    fn open<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Recovered, JournalError>>;

    /// Adds records. When the future is ready with `Ok`, they are as durable
    /// as the operator chose. `after` is the position that the caller believes
    /// to be the last, and `epoch` its ownership of the session.
    ///
    /// The appends of a session are called one after the other: the next when
    /// the future of the last is ready.
    ///
    /// # Errors
    ///
    /// [`OutOfOrder`](JournalError::OutOfOrder) when `after` is not the last
    /// position, [`Fenced`](JournalError::Fenced) when another node owns the
    /// session since `epoch`, [`NoSpace`](JournalError::NoSpace) when nothing
    /// was kept and the same call may be made again; what ends the session is
    /// [`Storage`](JournalError::Storage), and what ends all of them
    /// [`Stopped`](JournalError::Stopped).
    fn append<'a>(
        &'a self,
        key: &'a SessionKey,
        after: Position,
        epoch: Epoch,
        batch: Batch,
    ) -> BoxFuture<'a, Result<(), JournalError>>;

    /// Keeps a snapshot. From then on the records up to its position, and
    /// earlier snapshots, may be dropped. The records up to its position are
    /// durable already; an append of later ones may be under way.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append). What was kept before is kept still.
    fn store_snapshot<'a>(
        &'a self,
        key: &'a SessionKey,
        snapshot: Snapshot,
    ) -> BoxFuture<'a, Result<(), JournalError>>;

    /// The sessions that a server has to wake by itself when it starts, and
    /// when: one whose snapshot has a [timer](Snapshot::timer), at that; one
    /// with records after its snapshot, at once, since they may have set a
    /// timer or left somebody behind.
    ///
    /// # Errors
    ///
    /// [`Stopped`](JournalError::Stopped), and whatever keeps the storage from
    /// telling.
    fn alarms(&self) -> BoxFuture<'_, Result<Vec<(SessionKey, Timestamp)>, JournalError>>;

    /// All that is kept of a session, for somebody who only looks, beside
    /// whoever works on it: nothing is begun, changed or stopped by that. None
    /// when there is no such session. Costs as much as [`open`](Self::open).
    ///
    /// A journal need not be able to, and says so if it has no method of its
    /// own for it: then there is nothing to look at, and all else works.
    ///
    /// # Errors
    ///
    /// [`Storage`](JournalError::Storage) and [`Corrupt`](JournalError::Corrupt),
    /// as [`open`](Self::open), and [`Stopped`](JournalError::Stopped).
    ///
    /// ```
    /// use aper::journal::{Journal, MemoryJournal, SessionKey};
    ///
    /// # futures::executor::block_on(async {
    /// let journal = MemoryJournal::new();
    /// let key = SessionKey { machine: "counter".into(), session: "lobby".parse()? };
    /// assert_eq!(journal.peek(&key).await?, None);
    /// assert!(journal.sessions("", None, 10).await?.is_empty(), "looking has begun nothing");
    /// journal.open(&key).await?;
    /// assert!(journal.peek(&key).await?.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    fn peek<'a>(
        &'a self,
        key: &'a SessionKey,
    ) -> BoxFuture<'a, Result<Option<Recovered>, JournalError>> {
        let reason = "this journal lets nobody look into it".to_owned();
        Box::pin(ready(Err(JournalError::Storage { session: key.clone(), reason })))
    }

    /// The sessions that there are, by machine and name: those whose `machine/name`
    /// contains a text, after one of them, and so many at most. Costs a look at
    /// each name. A journal that cannot tell says that there is none.
    ///
    /// # Errors
    ///
    /// [`Stopped`](JournalError::Stopped), and whatever keeps the storage from
    /// telling.
    ///
    /// ```
    /// use aper::journal::{Journal, MemoryJournal, SessionKey};
    ///
    /// # futures::executor::block_on(async {
    /// let journal = MemoryJournal::new();
    /// for name in ["attic", "cellar", "lobby"] {
    ///     let key = SessionKey { machine: "counter".into(), session: name.parse()? };
    ///     journal.open(&key).await?;
    /// }
    /// let some = journal.sessions("l", None, 1).await?;
    /// assert_eq!(some[0].to_string(), "counter/cellar");
    /// let others = journal.sessions("l", some.last(), 10).await?;
    /// assert_eq!(others[0].to_string(), "counter/lobby");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    fn sessions<'a>(
        &'a self,
        containing: &'a str,
        after: Option<&'a SessionKey>,
        most: usize,
    ) -> BoxFuture<'a, Result<Vec<SessionKey>, JournalError>> {
        let _ = (containing, after, most);
        Box::pin(ready(Ok(Vec::new())))
    }
}

/// What a journal has of a session.
///
/// ```
/// use aper::journal::{Position, Record, Recovered};
/// use aper::{ClientId, Timestamp};
///
/// // A session that nobody was in yet.
/// let new = Recovered::default();
/// assert!(new.snapshot.is_none() && new.records.is_empty());
/// assert_eq!((new.position(), new.alarm()), (Position(0), None));
///
/// // One with records has to be looked at when the server starts.
/// let left = Record::Left { client: ClientId(1), at: Timestamp::from_millis(5) };
/// let begun = Recovered { records: vec![left], ..Recovered::default() };
/// assert_eq!((begun.position(), begun.alarm()), (Position(1), Some(Timestamp::ZERO)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The last snapshot; none when the session is new.
    pub snapshot: Option<Snapshot>,
    /// The records after it, without a gap.
    pub records: Vec<Record>,
}

impl Recovered {
    /// The position of the last record.
    #[must_use]
    pub fn position(&self) -> Position {
        let base = self.snapshot.as_ref().map_or(Position(0), |snapshot| snapshot.position);
        base.after(self.records.len())
    }

    /// When a server has to wake the session by itself, if at all; see
    /// [`Journal::alarms`].
    #[must_use]
    pub fn alarm(&self) -> Option<Timestamp> {
        match &self.snapshot {
            Some(snapshot) if self.records.is_empty() => snapshot.timer,
            _ if self.records.is_empty() => None,
            _ => Some(Timestamp::ZERO),
        }
    }
}
