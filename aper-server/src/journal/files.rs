//! A journal that no server works on, to look at.

use std::path::Path;
use std::sync::Arc;

use aper::Timestamp;
use aper::journal::{JournalError, Position, Recovered, SessionKey};

use super::OpenJournalError;
use super::fault::Fault;
use super::index::Session;
use super::manifest;
use super::reading::{find, read_found, told};
use super::recovery::{Recovery, read};
use super::storage::{Directory, DiskDirectory, Missing};

/// The files of a journal, and what is wrong with them. Looking changes none
/// of them; while this lives, no server can open the journal.
///
/// ```
/// use aper::journal::{Journal, Position, Record, SessionKey};
/// use aper::{ClientId, Epoch, Timestamp};
/// use aper_server::journal::{DiskJournal, Durability, JournalFiles, SessionSummary};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let directory = tempfile::tempdir()?;
/// let key = SessionKey { machine: "counter".into(), session: "lobby".parse()? };
/// let left = Record::Left { client: ClientId(1), at: Timestamp::ZERO };
/// let journal = DiskJournal::open(directory.path(), Durability::Synced)?;
/// journal.append(&key, Position(0), Epoch(0), [left.clone()].into()).await?;
/// drop(journal); // as when a server ends
///
/// let files = JournalFiles::open(directory.path())?;
/// let lobby: SessionSummary = files.session(&key).expect("something happened there");
/// assert_eq!((lobby.position, lobby.snapshot, &lobby.fault), (Position(1), None, &None));
/// assert_eq!(files.sessions(), [lobby]);
/// assert_eq!(files.read(&key)?.records, [left]);
/// assert_eq!(files.verify(), []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct JournalFiles {
    directory: Arc<dyn Directory>,
    recovery: Recovery,
}

/// What a journal has of a session, without having read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSummary {
    /// Which.
    pub key: SessionKey,
    /// The position of its last record.
    pub position: Position,
    /// The position of its snapshot; none when there is none.
    pub snapshot: Option<Position>,
    /// When the timer of its snapshot is due.
    pub timer: Option<Timestamp>,
    /// Bytes of it in the log.
    pub log_bytes: u64,
    /// Why it cannot be read, as far as that shows without reading it.
    pub fault: Option<String>,
}

impl JournalFiles {
    /// Opens the files of a journal. Cost: reads the log once.
    ///
    /// # Errors
    ///
    /// As [`DiskJournal::open`](super::DiskJournal::open), and when there is
    /// no journal.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenJournalError> {
        let path = path.as_ref();
        let missing = || OpenJournalError::Missing { path: path.to_owned() };
        // Before anything is made there, the lock's file too.
        if matches!(path.join(manifest::NAME).try_exists(), Ok(false)) {
            return Err(missing());
        }
        let directory = DiskDirectory::take(path, Missing::Refuse);
        let directory = directory.map_err(|error| OpenJournalError::of_taking(path, error))?;
        Self::open_in(Arc::new(directory)).and_then(|files| files.ok_or_else(missing))
    }

    pub(super) fn open_in(directory: Arc<dyn Directory>) -> Result<Option<Self>, OpenJournalError> {
        let found = read(&*directory);
        let found = found.map_err(|error| OpenJournalError::of_reading(directory.path(), error))?;
        Ok(found.map(|recovery| Self { directory, recovery }))
    }

    /// All sessions, by machine and name.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionSummary> {
        let sessions = &self.recovery.index.sessions;
        let mut all: Vec<_> = sessions.iter().map(|(key, it)| summary(key, it)).collect();
        all.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        all
    }

    /// One session, unread; none when there is no such session.
    #[must_use]
    pub fn session(&self, key: &SessionKey) -> Option<SessionSummary> {
        self.recovery.index.sessions.get(key).map(|session| summary(key, session))
    }

    /// All that is kept of a session; of one that is not there, nothing.
    ///
    /// # Errors
    ///
    /// [`JournalError::Corrupt`] when it is damaged, and
    /// [`JournalError::Storage`] when a file cannot be read.
    pub fn read(&self, key: &SessionKey) -> Result<Recovered, JournalError> {
        let Some(found) = find(&self.recovery.index, key)? else {
            return Ok(Recovered::default());
        };
        read_found(&*self.directory, &found).map_err(|problem| told(key, problem))
    }

    /// What is wrong. Cost: reads every session.
    #[must_use]
    pub fn verify(&self) -> Vec<Fault> {
        let mut faults = self.recovery.faults.clone();
        let sessions = self.sessions().into_iter().filter(|session| session.fault.is_none());
        faults.extend(sessions.filter_map(|session| {
            let reason = match self.read(&session.key).err()? {
                JournalError::Corrupt { reason, .. } => reason,
                other => other.to_string(),
            };
            Some(Fault::Session { session: session.key, reason })
        }));
        faults
    }
}

fn summary(key: &SessionKey, session: &Session) -> SessionSummary {
    let snapshot = session.snapshot;
    let records = session.records.iter().map(|records| records.place);
    let places = snapshot.map(|it| it.place).into_iter().chain(records);
    SessionSummary {
        key: key.clone(),
        position: Position(session.last),
        snapshot: snapshot.map(|it| Position(it.position)),
        timer: snapshot.and_then(|it| it.timer).map(Timestamp::from_millis),
        log_bytes: places.map(|place| place.weight()).sum(),
        fault: session.fault.as_ref().map(ToString::to_string),
    }
}
