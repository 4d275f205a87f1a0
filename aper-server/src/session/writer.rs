//! A session's way to its journal: one operation at a time, so that the
//! journal sees one session's calls one after the other.
//!
//! While an append is on its way, what is accepted meanwhile is gathered and
//! goes into the next as one: the busier, the bigger the batches.

use std::sync::Arc;
use std::time::Duration;

use aper::journal::{Batch, Journal, JournalError, SessionKey, Snapshot};
use aper::protocol::Entry;
use aper::sync::authority::SnapshotImage;
use aper::{Epoch, Version};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::error::SessionError;

pub(super) struct Writer {
    journal: Arc<dyn Journal>,
    key: Arc<SessionKey>,
    within: Duration,
    /// The last version that the journal has, or is being given.
    given: Version,
    waiting: Vec<Batch>,
    waiting_entries: usize,
    operation: Option<BoxFuture<'static, Result<Done, SessionError>>>,
    encoding: Option<JoinHandle<Result<Snapshot, SessionError>>>,
    encoded: Option<Snapshot>,
}

/// What the journal has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// It holds everything up to this version.
    Appended(Version),
    /// It has a snapshot of this version.
    Stored(Version),
}

impl Writer {
    pub(super) fn new(
        journal: Arc<dyn Journal>,
        key: Arc<SessionKey>,
        given: Version,
        within: Duration,
    ) -> Self {
        Self {
            journal,
            key,
            within,
            given,
            waiting: Vec::new(),
            waiting_entries: 0,
            operation: None,
            encoding: None,
            encoded: None,
        }
    }

    pub(super) fn append(&mut self, batch: Batch) {
        self.waiting_entries += batch.len();
        self.waiting.push(batch);
    }

    /// Encodes a snapshot away from the task, then stores it.
    pub(super) fn store(&mut self, image: SnapshotImage) {
        let encode = move || image.encode().map_err(SessionError::from);
        self.encoding = Some(spawn_blocking(encode));
    }

    /// Entries that the journal has not been given yet.
    pub(super) fn waiting_entries(&self) -> usize {
        self.waiting_entries
    }

    /// Whether everything accepted is in the journal.
    pub(super) fn has_all_entries(&self) -> bool {
        self.operation.is_none() && self.waiting.is_empty()
    }

    /// Whether there is nothing to do at all.
    pub(super) fn is_settled(&self) -> bool {
        self.has_all_entries() && !self.is_storing()
    }

    pub(super) fn is_storing(&self) -> bool {
        self.encoding.is_some() || self.encoded.is_some()
    }

    /// Starts what can be started. What the journal does at once comes back at
    /// once; for the rest there is [`next`](Self::next).
    pub(super) fn advance(&mut self) -> Result<Option<Done>, SessionError> {
        if self.operation.is_none() {
            self.operation = self.next_operation();
        }
        let Some(operation) = &mut self.operation else { return Ok(None) };
        let Some(done) = operation.now_or_never() else { return Ok(None) };
        self.operation = None;
        done.map(Some)
    }

    /// Waits for the next that is done. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Done, SessionError> {
        loop {
            if self.operation.is_none() {
                self.operation = self.next_operation();
            }
            tokio::select! {
                done = pending_or(self.operation.as_mut()) => {
                    self.operation = None;
                    return done;
                }
                encoded = pending_or(self.encoding.as_mut()) => {
                    self.encoding = None;
                    self.encoded = Some(encoded.map_err(|_| SessionError::EncodePanicked)??);
                }
            }
        }
    }

    fn next_operation(&mut self) -> Option<BoxFuture<'static, Result<Done, SessionError>>> {
        let (journal, key) = (Arc::clone(&self.journal), Arc::clone(&self.key));
        if let Some(snapshot) = self.encoded.take() {
            let version = snapshot.version;
            let store = async move { journal.store_snapshot(&key, snapshot).await };
            return Some(within(self.within, store, Done::Stored(version)));
        }
        let batch = self.take_waiting()?;
        let last = batch.last().map_or(self.given, |entry| entry.version);
        let after = std::mem::replace(&mut self.given, last);
        let append = async move { journal.append(&key, after, Epoch(0), batch).await };
        Some(within(self.within, append, Done::Appended(last)))
    }

    fn take_waiting(&mut self) -> Option<Batch> {
        self.waiting_entries = 0;
        let mut waiting = std::mem::take(&mut self.waiting);
        if waiting.len() <= 1 {
            return waiting.pop();
        }
        let entries: Vec<Entry> = waiting.iter().flat_map(|batch| batch.iter().cloned()).collect();
        Some(entries.into())
    }
}

fn within(
    limit: Duration,
    operation: impl Future<Output = Result<(), JournalError>> + Send + 'static,
    done: Done,
) -> BoxFuture<'static, Result<Done, SessionError>> {
    Box::pin(async move {
        match tokio::time::timeout(limit, operation).await {
            Ok(result) => Ok(result.map(|()| done)?),
            Err(_) => Err(SessionError::JournalSilent { seconds: limit.as_secs() }),
        }
    })
}

async fn pending_or<F: Future + Unpin>(future: Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
