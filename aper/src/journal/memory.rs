//! A journal that lasts as long as the process.

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Mutex, PoisonError};

use futures::future::{BoxFuture, ready};

use super::{Batch, Journal, JournalError, Position, Recovered, SessionKey, Snapshot};
use crate::id::Epoch;
use crate::limits;
use crate::mutant::{Mutant, active};
use crate::time::Timestamp;

/// A journal in memory. For tests, and for sessions that may be lost.
///
/// A batch is kept as it comes, at no cost; a snapshot drops the batches that it
/// covers. It never forgets a session, and takes at most
/// [`MEMORY_JOURNAL_SESSIONS`](crate::limits::MEMORY_JOURNAL_SESSIONS).
///
/// ```
/// use aper::journal::{Journal, MemoryJournal, Position, Record, SessionKey};
/// use aper::{ClientId, Epoch, Timestamp};
///
/// # futures::executor::block_on(async {
/// let journal = MemoryJournal::new();
/// let key = SessionKey { machine: "counter".into(), session: "lobby".parse()? };
/// assert_eq!(journal.open(&key).await?.records, []);
///
/// let left = Record::Left { client: ClientId(1), at: Timestamp::ZERO };
/// journal.append(&key, Position(0), Epoch(0), [left.clone()].into()).await?;
/// assert_eq!(journal.open(&key).await?.records, [left.clone()]);
///
/// // Whoever believes in another position is told so.
/// assert!(journal.append(&key, Position(3), Epoch(0), [left].into()).await.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Default)]
pub struct MemoryJournal {
    sessions: Mutex<BTreeMap<SessionKey, Kept>>,
}

/// What is kept of a session.
#[derive(Debug, Default)]
struct Kept {
    snapshot: Option<Snapshot>,
    /// Before the first record that is kept.
    base: Position,
    /// The first may have records that the snapshot covers.
    batches: VecDeque<Batch>,
    /// Of the last record.
    position: Position,
}

impl Kept {
    fn covered(&self) -> Position {
        self.snapshot.as_ref().map_or(Position(0), |snapshot| snapshot.position)
    }

    fn recovered(&self) -> Recovered {
        let covered = self.covered().0.saturating_sub(self.base.0) as usize;
        let records = self.batches.iter().flat_map(|batch| batch.iter()).skip(covered);
        Recovered { snapshot: self.snapshot.clone(), records: records.cloned().collect() }
    }

    fn append(&mut self, batch: Batch) {
        if !batch.is_empty() {
            self.position = self.position.after(batch.len());
            self.batches.push_back(batch);
        }
    }

    fn store(&mut self, snapshot: Snapshot) {
        let drops_all = active(Mutant::DropBeyondSnapshot);
        let covered = if drops_all { self.position } else { snapshot.position };
        while let Some(first) = self.batches.front()
            && self.base.after(first.len()) <= covered
        {
            self.base = self.base.after(first.len());
            self.batches.pop_front();
        }
        if self.batches.is_empty() {
            self.base = self.position.max(covered);
            self.position = self.base;
        }
        self.snapshot = Some(snapshot);
    }

    fn alarm(&self) -> Option<Timestamp> {
        let is_covered = self.position <= self.covered();
        let timer = self.snapshot.as_ref().and_then(|snapshot| snapshot.timer);
        if is_covered { timer } else { Some(Timestamp::ZERO) }
    }
}

impl MemoryJournal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn with_session(
        &self,
        key: &SessionKey,
        change: impl FnOnce(&mut Kept) -> Result<(), JournalError>,
    ) -> BoxFuture<'static, Result<(), JournalError>> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = match sessions.get_mut(key) {
            Some(session) => change(session),
            None => Err(JournalError::Storage {
                session: key.clone(),
                reason: "the session was not opened".to_owned(),
            }),
        };
        Box::pin(ready(changed))
    }
}

impl Journal for MemoryJournal {
    fn open<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Recovered, JournalError>> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let count = sessions.len();
        let opened = match sessions.entry(key.clone()) {
            Slot::Occupied(session) => Ok(session.get().recovered()),
            Slot::Vacant(_) if count >= limits::MEMORY_JOURNAL_SESSIONS => {
                Err(JournalError::Full { session: key.clone(), sessions: count })
            }
            Slot::Vacant(slot) => Ok(slot.insert(Kept::default()).recovered()),
        };
        Box::pin(ready(opened))
    }

    fn append<'a>(
        &'a self,
        key: &'a SessionKey,
        after: Position,
        _: Epoch,
        batch: Batch,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        self.with_session(key, |session| {
            let kept = session.position;
            if kept != after {
                return Err(JournalError::OutOfOrder { session: key.clone(), kept, after });
            }
            session.append(batch);
            Ok(())
        })
    }

    fn store_snapshot<'a>(
        &'a self,
        key: &'a SessionKey,
        snapshot: Snapshot,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        self.with_session(key, |session| {
            session.store(snapshot);
            Ok(())
        })
    }

    fn alarms(&self) -> BoxFuture<'_, Result<Vec<(SessionKey, Timestamp)>, JournalError>> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let alarm = |(key, session): (&SessionKey, &Kept)| Some((key.clone(), session.alarm()?));
        Box::pin(ready(Ok(sessions.iter().filter_map(alarm).collect())))
    }

    fn peek<'a>(
        &'a self,
        key: &'a SessionKey,
    ) -> BoxFuture<'a, Result<Option<Recovered>, JournalError>> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        Box::pin(ready(Ok(sessions.get(key).map(Kept::recovered))))
    }

    fn sessions<'a>(
        &'a self,
        containing: &'a str,
        after: Option<&'a SessionKey>,
        most: usize,
    ) -> BoxFuture<'a, Result<Vec<SessionKey>, JournalError>> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let keys = sessions.range::<SessionKey, _>((from, Bound::Unbounded)).map(|(key, _)| key);
        let wanted = keys.filter(|key| key.contains(containing)).take(most);
        Box::pin(ready(Ok(wanted.cloned().collect())))
    }
}
