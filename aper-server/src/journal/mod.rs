//! Sessions on disk: [`DiskJournal`].
//!
//! All sessions of a process share one log. What several sessions want to have
//! kept at a moment is written as one batch with one sync, and only then is
//! any of them answered. Whatever is damaged later is noticed: it stops the
//! session that it concerns, with a sentence, and the files are left as they
//! are. `docs/JOURNAL.md` has the format, to the byte, and the reasons.

mod durability;
mod error;
mod fault;
mod files;
mod format;
mod index;
mod log;
mod manifest;
mod reading;
mod recovery;
mod scan;
mod shared;
mod snapshot_file;
mod storage;
// For this project's own tests of the journal, its fuzz target and
// `cargo xtask journal-faults`, and for nobody else: it knows the format.
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing;
#[cfg(test)]
mod tests;
mod transfer;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use aper::journal::{Batch, Journal, JournalError, Position, Recovered, SessionKey, Snapshot};
use aper::protocol::encode;
use aper::{Epoch, Timestamp};
use futures::channel::oneshot;
use futures::future::BoxFuture;
use tracing::{error, info, warn};

pub use self::durability::{Durability, InvalidDurability};
pub use self::error::OpenJournalError;
pub use self::fault::{DamagedPart, Fault};
pub use self::files::{JournalFiles, SessionSummary};
pub use self::transfer::{Exported, ImportError, OnExisting};

use self::format::{Entry, Kind, Origin, checksum};
use self::log::{Ahead, Log};
use self::manifest::Manifest;
use self::recovery::Recovery;
use self::shared::Shared;
use self::snapshot_file::{IN_LOG_BYTES, Reference};
use self::storage::{Directory, DiskDirectory, Missing};
use self::writer::{Rule, Work, Writer};

/// How long a log file is, unless the disk has less room.
const FILE_BYTES: u64 = 16 << 20;

/// A journal in a directory of its own.
///
/// One process at a time has it; dropping it waits for what is under way and
/// ends it in good order. It keeps in memory where things are, not what they
/// are: some hundred bytes for a sleeping session.
///
/// An append costs an encoding of its records and its share of one write and
/// one sync; reading a session costs its own snapshot and records. Opening the
/// journal reads its log once.
///
/// ```
/// use aper::journal::{Journal, Position, Record, SessionKey};
/// use aper::{ClientId, Epoch, Timestamp};
/// use aper_server::journal::{DiskJournal, Durability};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let directory = tempfile::tempdir()?;
/// let key = SessionKey { machine: "counter".into(), session: "lobby".parse()? };
/// let left = Record::Left { client: ClientId(1), at: Timestamp::ZERO };
///
/// let journal = DiskJournal::open(directory.path(), Durability::Synced)?;
/// journal.append(&key, Position(0), Epoch(0), [left.clone()].into()).await?;
/// drop(journal);
///
/// let journal = DiskJournal::open(directory.path(), Durability::Synced)?;
/// assert_eq!(journal.open(&key).await?.records, [left]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DiskJournal {
    shared: Arc<Shared>,
    next_snapshot: AtomicU64,
    /// None only while it is dropped.
    works: Option<Sender<Work>>,
    thread: Option<JoinHandle<()>>,
    faults: Vec<Fault>,
}

/// What only a test chooses otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground {
    file_bytes: u64,
    ahead: Ahead,
}

impl DiskJournal {
    /// Opens the journal in a directory, or begins one when there is none.
    /// What was begun and not finished when the process ended is cut back and
    /// logged as a warning; what is damaged is logged as an error and stops
    /// the sessions that it concerns, no others.
    ///
    /// Cost: reads the log, which is about twice what is needed of it.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made, read or written, when another
    /// process has it, when a newer program made it, and when it is damaged so
    /// that nothing can be said of any session.
    pub fn open(path: impl AsRef<Path>, durability: Durability) -> Result<Self, OpenJournalError> {
        let path = path.as_ref();
        let directory = DiskDirectory::take(path, Missing::Make);
        let directory = directory.map_err(|error| OpenJournalError::of_taking(path, error))?;
        let ground = Ground { file_bytes: FILE_BYTES, ahead: Ahead::Yes };
        Self::open_in(Arc::new(directory), durability, ground)
    }

    fn open_in(
        directory: Arc<dyn Directory>,
        durability: Durability,
        ground: Ground,
    ) -> Result<Self, OpenJournalError> {
        let path = directory.path().to_owned();
        let recovery = recovery::read(&*directory);
        let recovery = recovery.map_err(|error| OpenJournalError::of_reading(&path, error))?;
        let io = |action: &'static str| {
            let path = path.clone();
            move |error| OpenJournalError::io(&path, action, error)
        };
        let recovery = match recovery {
            Some(recovery) => recovery,
            None => begin(&*directory).map_err(io("be begun"))?,
        };
        report(&path, &recovery.faults);
        repair(&*directory, &recovery).map_err(io("be repaired"))?;
        let Recovery { manifest, index, seq, end, faults, recent, .. } = recovery;
        let names = directory.list().map_err(io("be read"))?;
        let numbers = names.iter().filter_map(|name| snapshot_file::snapshot_number(name));
        let next_snapshot = AtomicU64::new(numbers.max().unwrap_or(0) + 1);
        let shared = Arc::new(Shared::new(Arc::clone(&directory), manifest.journal, index));
        let log = Log::resume(directory, manifest, seq, end, ground.file_bytes, ground.ahead);
        let log = log.map_err(io("be written to"))?;
        let (works, waiting) = channel();
        let writer = Writer::new(Arc::clone(&shared), log, recent, durability, waiting);
        let thread = std::thread::Builder::new().name("aper-journal".to_owned());
        let thread = thread.spawn(move || writer.run()).map_err(io("have a thread"))?;
        Ok(Self { shared, next_snapshot, works: Some(works), thread: Some(thread), faults })
    }

    /// What was found when the journal was opened: what was cut back, and what
    /// is damaged.
    ///
    /// ```
    /// use aper_server::journal::{DamagedPart, DiskJournal, Durability, Fault};
    ///
    /// /// Whether a backup is needed.
    /// fn is_loss(fault: &Fault) -> bool {
    ///     match fault {
    ///         Fault::Torn { .. } => false, // nobody was told of it
    ///         Fault::Damaged { part: DamagedPart::Directory | DamagedPart::Unused, .. } => false,
    ///         _ => true,
    ///     }
    /// }
    ///
    /// let directory = tempfile::tempdir()?;
    /// let journal = DiskJournal::open(directory.path(), Durability::Synced)?;
    /// assert!(!journal.faults().iter().any(is_loss));
    /// # drop(journal);
    ///
    /// // Somebody cuts the log.
    /// for file in std::fs::read_dir(directory.path())? {
    ///     let file = file?.path();
    ///     if file.extension().is_some_and(|extension| extension == "log") {
    ///         std::fs::File::options().write(true).open(file)?.set_len(100)?;
    ///     }
    /// }
    /// let journal = DiskJournal::open(directory.path(), Durability::Synced)?;
    /// assert!(journal.faults().iter().any(is_loss), "{:?}", journal.faults());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Gives work to the writer and waits for its answer.
    async fn written(
        &self,
        key: &SessionKey,
        parts: Vec<(Entry, Vec<u8>)>,
        rule: Rule,
    ) -> Result<(), JournalError> {
        self.shared.check()?;
        if key.machine.len() > usize::from(u8::MAX) {
            return Err(failed(key, "the machine's name is longer than 255 bytes"));
        }
        let (reply, answer) = oneshot::channel();
        let work = Work { key: key.clone(), parts, rule, reply };
        let sent = self.works.as_ref().is_some_and(|works| works.send(work).is_ok());
        if sent && let Ok(answer) = answer.await {
            return answer;
        }
        // The thread ended before its time: it panicked.
        self.shared.stop("its writer has ended".to_owned());
        self.shared.check()
    }

    /// Puts a snapshot where it belongs: a big one into a file of its own.
    async fn place_snapshot(
        &self,
        key: &SessionKey,
        epoch: Epoch,
        snapshot: Snapshot,
    ) -> Result<(Entry, Vec<u8>), JournalError> {
        let (position, timer) = (snapshot.position.0, snapshot.timer);
        let shared = Arc::clone(&self.shared);
        let number = self.next_snapshot.fetch_add(1, Ordering::Relaxed);
        let session = key.clone();
        let place = move || -> Result<(Kind, Vec<u8>), JournalError> {
            let encoded = encode(&snapshot).map_err(|error| failed(&session, error))?;
            if encoded.len() <= IN_LOG_BYTES {
                return Ok((Kind::Snapshot, encoded));
            }
            let written =
                snapshot_file::write(&*shared.directory, shared.journal, number, &encoded);
            match written {
                Ok(reference) => Ok((Kind::SnapshotFile, reference.encode())),
                Err(error) if log::is_no_space(&error) => Err(JournalError::NoSpace { session }),
                Err(error) => Err(failed(&session, error)),
            }
        };
        let (kind, payload) = blocking(place).await?;
        let entry = Entry {
            position,
            timer: timer.map(Timestamp::as_millis),
            ..entry(kind, key, epoch, &payload)
        };
        Ok((entry, payload))
    }

    /// Removes a snapshot's file that the log does not refer to, since it
    /// refused to. After `Stopped` nobody knows whether it does.
    fn clear_up(&self, file: Option<Reference>, written: &Result<(), JournalError>) {
        let refused = !matches!(written, Ok(()) | Err(JournalError::Stopped { .. }));
        if let Some(file) = file.filter(|_| refused) {
            // What stays is removed when the journal is opened next.
            let _ = self.shared.directory.remove(&snapshot_file::name(file.number));
        }
    }
}

impl Drop for DiskJournal {
    fn drop(&mut self) {
        drop(self.works.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the writer was told when it happened.
            let _ = thread.join();
        }
    }
}

impl Journal for DiskJournal {
    fn open<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Recovered, JournalError>> {
        let (shared, key) = (Arc::clone(&self.shared), key.clone());
        Box::pin(async move {
            shared.check()?;
            blocking(move || reading::read_session(&shared, &key)).await
        })
    }

    fn append<'a>(
        &'a self,
        key: &'a SessionKey,
        after: Position,
        epoch: Epoch,
        batch: Batch,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            if batch.is_empty() {
                return self.shared.check();
            }
            let (entry, payload) = records(key, after, epoch, &batch)?;
            self.written(key, vec![(entry, payload)], Rule::Follows).await
        })
    }

    fn store_snapshot<'a>(
        &'a self,
        key: &'a SessionKey,
        snapshot: Snapshot,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            self.shared.check()?;
            let epoch = self.shared.index().sessions.get(key).map_or(0, |session| session.epoch);
            let (entry, payload) = self.place_snapshot(key, Epoch(epoch), snapshot).await?;
            let file = Reference::of(entry.kind, &payload);
            let stored = self.written(key, vec![(entry, payload)], Rule::Reached).await;
            self.clear_up(file, &stored);
            stored
        })
    }

    fn alarms(&self) -> BoxFuture<'_, Result<Vec<(SessionKey, Timestamp)>, JournalError>> {
        let index = self.shared.index();
        let readable = index.sessions.iter().filter(|(_, session)| session.fault.is_none());
        let alarms = readable.filter_map(|(key, session)| {
            let due = match &session.snapshot {
                Some(snapshot) if session.records.is_empty() => {
                    Timestamp::from_millis(snapshot.timer?)
                }
                _ => Timestamp::ZERO,
            };
            Some((key.clone(), due))
        });
        let alarms = self.shared.check().map(|()| alarms.collect());
        Box::pin(std::future::ready(alarms))
    }

    fn peek<'a>(
        &'a self,
        key: &'a SessionKey,
    ) -> BoxFuture<'a, Result<Option<Recovered>, JournalError>> {
        let (shared, key) = (Arc::clone(&self.shared), key.clone());
        Box::pin(async move {
            shared.check()?;
            blocking(move || reading::peek_at_session(&shared, &key)).await
        })
    }

    fn sessions<'a>(
        &'a self,
        containing: &'a str,
        after: Option<&'a SessionKey>,
        most: usize,
    ) -> BoxFuture<'a, Result<Vec<SessionKey>, JournalError>> {
        let (shared, containing) = (Arc::clone(&self.shared), containing.to_owned());
        let after = after.cloned();
        Box::pin(async move {
            shared.check()?;
            let names = move || shared.index().names(&containing, after.as_ref(), most);
            blocking(move || Ok(names())).await
        })
    }
}

/// Records as an entry and its payload.
fn records(
    key: &SessionKey,
    after: Position,
    epoch: Epoch,
    batch: &[aper::journal::Record],
) -> Result<(Entry, Vec<u8>), JournalError> {
    let payload = encode(batch).map_err(|error| failed(key, error))?;
    let count = u32::try_from(batch.len()).map_err(|_| failed(key, "too many records at once"))?;
    u32::try_from(payload.len()).map_err(|_| failed(key, "the records are too long"))?;
    let entry = entry(Kind::Records, key, epoch, &payload);
    Ok((Entry { position: after.0.saturating_add(1), count, ..entry }, payload))
}

/// An entry that belongs to a session; the rest of it is for the caller.
fn entry(kind: Kind, key: &SessionKey, epoch: Epoch, payload: &[u8]) -> Entry {
    Entry {
        kind,
        origin: Origin::New,
        key: Some(key.clone()),
        // The writer knows it.
        life: 0,
        epoch: epoch.0,
        position: 0,
        count: 0,
        timer: None,
        length: payload.len() as u32,
        checksum: checksum(payload),
    }
}

fn failed(key: &SessionKey, reason: impl ToString) -> JournalError {
    JournalError::Storage { session: key.clone(), reason: reason.to_string() }
}

/// Runs what waits for the disk where nobody else has to wait for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, JournalError> + Send + 'static,
) -> Result<T, JournalError> {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return work() };
    match runtime.spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => {
                Err(JournalError::Stopped { reason: "the runtime is shutting down".to_owned() })
            }
        },
    }
}

/// A journal without anything in it.
fn begin(directory: &dyn Directory) -> std::io::Result<Recovery> {
    let mut journal = [0; 16];
    getrandom::fill(&mut journal).map_err(std::io::Error::other)?;
    let manifest = Manifest { journal, next: 1, files: Vec::new() };
    manifest.write(directory)?;
    Ok(Recovery::empty(manifest))
}

/// Puts right what a crash leaves behind, so that the next thing that is
/// written follows the last that counts.
fn repair(directory: &dyn Directory, recovery: &Recovery) -> std::io::Result<()> {
    for name in &recovery.leftover {
        directory.remove(name)?;
    }
    let Some(log) = recovery.manifest.files.last().filter(|file| file.last.is_none()) else {
        return Ok(());
    };
    let file = directory.open(&manifest::log_name(log.number))?;
    if let Some(torn) = recovery.torn {
        let length = usize::try_from(torn.to - torn.from).map_err(std::io::Error::other)?;
        file.write(torn.from, &vec![0; length])?;
    }
    if file.length()? < log.capacity {
        file.set_length(log.capacity)?;
    }
    for (offset, bytes) in &recovery.mend {
        file.write(*offset, bytes)?;
    }
    // The last batch may be whole and not synced.
    file.sync()
}

fn report(path: &Path, faults: &[Fault]) {
    let journal = path.display();
    for fault in faults {
        match fault {
            Fault::Torn { file, bytes, sessions, .. } if sessions.is_empty() => {
                warn!(%journal, file, bytes, "a write was not finished: it is cut back");
            }
            Fault::Torn { file, bytes, sessions, .. } => {
                for session in sessions {
                    warn!(%journal, file, bytes, %session, "a write was not finished: it is cut back");
                }
            }
            Fault::Damaged { part: DamagedPart::Directory | DamagedPart::Unused, .. } => {
                warn!(%journal, "{fault}");
            }
            _ => error!(%journal, "{fault}"),
        }
    }
    if faults.is_empty() {
        info!(%journal, "the journal is in order");
    }
}
