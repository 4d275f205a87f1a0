//! A session's way to its journal: one append at a time, and one snapshot
//! beside it.
//!
//! While an append is on its way, what happens meanwhile is gathered and goes
//! into the next as one: the busier, the bigger the batches. A snapshot is
//! encoded on a thread of its own and stored while appends go on, as soon as
//! the journal has the records that it contains.

use std::sync::Arc;
use std::time::Duration;

use aper::Epoch;
use aper::journal::{Batch, Journal, JournalError, Position, Record, SessionKey, Snapshot};
use aper::sync::authority::SnapshotImage;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{sleep, timeout};

use crate::error::SessionError;

/// Time from a full disk to the next try.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    journal: Arc<dyn Journal>,
    key: Arc<SessionKey>,
    within: Duration,
    /// The last position that the journal has, or is being given.
    given: Position,
    durable: Position,
    waiting: Vec<Batch>,
    waiting_records: usize,
    append: Option<BoxFuture<'static, Appended>>,
    room: Room,
    storing: Storing,
}

/// How an append ended; with what it was about, if that is to be tried again.
struct Appended {
    after: Position,
    batch: Batch,
    result: Result<(), SessionError>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    There,
    Gone,
}

/// How far a snapshot has come.
enum Storing {
    Nothing,
    Encoding(JoinHandle<Result<Snapshot, SessionError>>),
    /// The journal may lack records that it contains.
    Encoded(Snapshot),
    Stored(BoxFuture<'static, Result<usize, SessionError>>),
}

/// What has come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// The journal holds everything up to this position.
    Appended(Position),
    /// The journal has the snapshot, of a state that is so long.
    Stored { state_bytes: usize },
    /// There was no room for the snapshot.
    NotStored,
    /// There is no room for what happens. It is kept, and tried again.
    Full,
}

impl Writer {
    pub(super) fn new(
        journal: Arc<dyn Journal>,
        key: Arc<SessionKey>,
        given: Position,
        within: Duration,
    ) -> Self {
        Self {
            journal,
            key,
            within,
            given,
            durable: given,
            waiting: Vec::new(),
            waiting_records: 0,
            append: None,
            room: Room::There,
            storing: Storing::Nothing,
        }
    }

    pub(super) fn append(&mut self, batch: Batch) {
        self.waiting_records += batch.len();
        self.waiting.push(batch);
    }

    /// Encodes a snapshot away from the task, then stores it.
    pub(super) fn store(&mut self, image: SnapshotImage) {
        let encode = move || image.encode().map_err(SessionError::from);
        self.storing = Storing::Encoding(spawn_blocking(encode));
    }

    /// Records that the journal has not been given yet.
    pub(super) fn waiting_records(&self) -> usize {
        self.waiting_records
    }

    /// The journal holds everything up to here.
    pub(super) fn durable(&self) -> Position {
        self.durable
    }

    /// Whether everything that happened is in the journal.
    pub(super) fn has_all(&self) -> bool {
        self.append.is_none() && self.waiting.is_empty()
    }

    /// Whether there is nothing to do at all.
    pub(super) fn is_settled(&self) -> bool {
        self.has_all() && !self.is_storing()
    }

    pub(super) fn is_storing(&self) -> bool {
        !matches!(self.storing, Storing::Nothing)
    }

    /// Starts what can be started. What the journal does at once comes back at
    /// once; for the rest there is [`next`](Self::next).
    pub(super) fn advance(&mut self) -> Result<Option<Done>, SessionError> {
        self.start();
        if let Some(append) = &mut self.append
            && let Some(appended) = append.now_or_never()
        {
            return self.appended(appended).map(Some);
        }
        if let Storing::Stored(stored) = &mut self.storing
            && let Some(stored) = stored.now_or_never()
        {
            return self.stored(stored).map(Some);
        }
        Ok(None)
    }

    /// Waits for the next that is done. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Done, SessionError> {
        loop {
            self.start();
            tokio::select! {
                appended = pending_or(self.append.as_mut()) => return self.appended(appended),
                step = self.storing.step() => match step {
                    Step::Encoded(snapshot) => self.storing = Storing::Encoded(snapshot?),
                    Step::Stored(stored) => return self.stored(stored),
                },
            }
        }
    }

    fn start(&mut self) {
        if self.append.is_none()
            && let Some(batch) = self.take_waiting()
        {
            let after = self.given;
            self.given = after.after(batch.len());
            self.append = Some(self.append_after(Duration::ZERO, after, batch));
        }
        if let Storing::Encoded(snapshot) = &self.storing
            && snapshot.position <= self.durable
            && let Storing::Encoded(snapshot) =
                std::mem::replace(&mut self.storing, Storing::Nothing)
        {
            let (journal, key) = (Arc::clone(&self.journal), Arc::clone(&self.key));
            let limit = self.within;
            let store = async move {
                let state_bytes = snapshot.state.0.len();
                within(limit, journal.store_snapshot(&key, snapshot)).await?;
                Ok(state_bytes)
            };
            self.storing = Storing::Stored(store.boxed());
        }
    }

    fn append_after(
        &self,
        wait: Duration,
        after: Position,
        batch: Batch,
    ) -> BoxFuture<'static, Appended> {
        let (journal, key, limit) = (Arc::clone(&self.journal), Arc::clone(&self.key), self.within);
        let append = async move {
            if !wait.is_zero() {
                sleep(wait).await;
            }
            let append = journal.append(&key, after, Epoch(0), Arc::clone(&batch));
            let result = within(limit, append).await;
            Appended { after, batch, result }
        };
        append.boxed()
    }

    fn appended(&mut self, appended: Appended) -> Result<Done, SessionError> {
        self.append = None;
        let Appended { after, batch, result } = appended;
        match result {
            Ok(()) => {
                self.room = Room::There;
                self.durable = after.after(batch.len());
                Ok(Done::Appended(self.durable))
            }
            Err(SessionError::Journal(JournalError::NoSpace { .. })) => {
                self.room = Room::Gone;
                self.append = Some(self.append_after(AGAIN_AFTER, after, batch));
                Ok(Done::Full)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the last that was tried found no room.
    pub(super) fn is_full(&self) -> bool {
        self.room == Room::Gone
    }

    fn stored(&mut self, stored: Result<usize, SessionError>) -> Result<Done, SessionError> {
        self.storing = Storing::Nothing;
        match stored {
            Ok(state_bytes) => Ok(Done::Stored { state_bytes }),
            Err(SessionError::Journal(JournalError::NoSpace { .. })) => Ok(Done::NotStored),
            Err(error) => Err(error),
        }
    }

    fn take_waiting(&mut self) -> Option<Batch> {
        self.waiting_records = 0;
        let mut waiting = std::mem::take(&mut self.waiting);
        if waiting.len() <= 1 {
            return waiting.pop();
        }
        let records: Vec<Record> = waiting.iter().flat_map(|batch| batch.iter().cloned()).collect();
        Some(records.into())
    }
}

enum Step {
    Encoded(Result<Snapshot, SessionError>),
    Stored(Result<usize, SessionError>),
}

impl Storing {
    async fn step(&mut self) -> Step {
        match self {
            Self::Encoding(encoding) => {
                Step::Encoded(encoding.await.unwrap_or(Err(SessionError::EncodePanicked)))
            }
            Self::Stored(stored) => Step::Stored(stored.await),
            Self::Nothing | Self::Encoded(_) => std::future::pending().await,
        }
    }
}

async fn within(
    limit: Duration,
    operation: impl Future<Output = Result<(), JournalError>>,
) -> Result<(), SessionError> {
    match timeout(limit, operation).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(SessionError::JournalSilent { seconds: limit.as_secs() }),
    }
}

async fn pending_or<F: Future + Unpin>(future: Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
