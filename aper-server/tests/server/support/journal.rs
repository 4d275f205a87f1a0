//! A journal that takes its time, fails on demand and counts.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use aper::journal::{
    Batch, Journal, JournalError, MemoryJournal, Position, Record, Recovered, SessionKey, Snapshot,
};
use aper::{Epoch, Timestamp};
use futures::future::BoxFuture;

#[derive(Default)]
pub struct Faulty {
    inner: MemoryJournal,
    delay: Mutex<Duration>,
    fail: Mutex<Option<String>>,
    /// Whether there is no room on the disk.
    pub full: AtomicBool,
    pub opened: AtomicUsize,
    /// How many more openings fail.
    pub fail_opens: AtomicUsize,
    pub snapshots: AtomicUsize,
    /// How many entries each append had.
    pub appends: Mutex<Vec<usize>>,
}

impl Faulty {
    /// How long each append takes.
    pub fn delay(&self, delay: Duration) {
        *self.delay.lock().unwrap() = delay;
    }

    /// The appends of this session fail from now on.
    pub fn fail(&self, session: Option<&str>) {
        *self.fail.lock().unwrap() = session.map(str::to_owned);
    }

    fn has_room(&self, key: &SessionKey) -> Result<(), JournalError> {
        match self.full.load(Ordering::Relaxed) {
            true => Err(JournalError::NoSpace { session: key.clone() }),
            false => Ok(()),
        }
    }

    fn fails(&self, key: &SessionKey) -> Result<(), JournalError> {
        if self.fail.lock().unwrap().as_deref() == Some(key.session.as_str()) {
            return Err(failure(key));
        }
        Ok(())
    }
}

fn failure(key: &SessionKey) -> JournalError {
    let reason = "the disk is full".to_owned();
    JournalError::Storage { session: key.clone(), reason }
}

impl Journal for Faulty {
    fn open<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Recovered, JournalError>> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        let less = |left: usize| left.checked_sub(1);
        if self.fail_opens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            return Box::pin(async move { Err(failure(key)) });
        }
        self.inner.open(key)
    }

    fn append<'a>(
        &'a self,
        key: &'a SessionKey,
        after: Position,
        epoch: Epoch,
        batch: Batch,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            let delay = *self.delay.lock().unwrap();
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            self.fails(key)?;
            self.has_room(key)?;
            let entries = batch.iter().filter_map(Record::entry).count();
            self.appends.lock().unwrap().push(entries);
            self.inner.append(key, after, epoch, batch).await
        })
    }

    fn store_snapshot<'a>(
        &'a self,
        key: &'a SessionKey,
        snapshot: Snapshot,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        if let Err(error) = self.has_room(key) {
            return Box::pin(async move { Err(error) });
        }
        self.snapshots.fetch_add(1, Ordering::Relaxed);
        self.inner.store_snapshot(key, snapshot)
    }

    fn alarms(&self) -> BoxFuture<'_, Result<Vec<(SessionKey, Timestamp)>, JournalError>> {
        self.inner.alarms()
    }
}
