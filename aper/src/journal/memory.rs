//! A journal that lasts as long as the process.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::{Mutex, PoisonError};

use futures::future::{BoxFuture, ready};

use super::{Batch, Journal, JournalError, Position, Recovered, SessionKey, Snapshot};
use crate::id::Epoch;
use crate::limits;
use crate::time::Timestamp;

/// A journal in memory. For tests, and for sessions that may be lost.
///
/// A batch costs O(records); a snapshot drops the records that it covers. It
/// never forgets a session, and takes at most
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
    sessions: Mutex<BTreeMap<SessionKey, Recovered>>,
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
        change: impl FnOnce(&mut Recovered) -> Result<(), JournalError>,
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
            Slot::Occupied(session) => Ok(session.get().clone()),
            Slot::Vacant(_) if count >= limits::MEMORY_JOURNAL_SESSIONS => {
                Err(JournalError::Full { session: key.clone(), sessions: count })
            }
            Slot::Vacant(slot) => Ok(slot.insert(Recovered::default()).clone()),
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
            let kept = session.position();
            if kept != after {
                return Err(JournalError::OutOfOrder { session: key.clone(), kept, after });
            }
            session.records.extend_from_slice(&batch);
            Ok(())
        })
    }

    fn store_snapshot<'a>(
        &'a self,
        key: &'a SessionKey,
        snapshot: Snapshot,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        self.with_session(key, |session| {
            let uncovered = session.position().0.saturating_sub(snapshot.position.0);
            let covered = session.records.len().saturating_sub(uncovered as usize);
            session.records.drain(..covered);
            session.snapshot = Some(snapshot);
            Ok(())
        })
    }

    fn alarms(&self) -> BoxFuture<'_, Result<Vec<(SessionKey, Timestamp)>, JournalError>> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let alarm =
            |(key, session): (&SessionKey, &Recovered)| Some((key.clone(), session.alarm()?));
        Box::pin(ready(Ok(sessions.iter().filter_map(alarm).collect())))
    }
}
