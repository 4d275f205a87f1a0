//! What the writer and everybody else have in common.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use aper::journal::JournalError;
use tracing::error;

use super::format::JournalId;
use super::index::Index;
use super::storage::Directory;

/// The journal apart from its writer.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) directory: Arc<dyn Directory>,
    pub(super) journal: JournalId,
    index: Mutex<Index>,
    /// Why nothing is taken any more.
    stopped: OnceLock<String>,
}

impl Shared {
    pub(super) fn new(directory: Arc<dyn Directory>, journal: JournalId, index: Index) -> Self {
        Self { directory, journal, index: Mutex::new(index), stopped: OnceLock::new() }
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the journal still takes anything.
    pub(super) fn check(&self) -> Result<(), JournalError> {
        match self.stopped.get() {
            None => Ok(()),
            Some(reason) => Err(JournalError::Stopped { reason: reason.clone() }),
        }
    }

    /// Takes nothing any more; the first reason stays.
    pub(super) fn stop(&self, reason: String) {
        if self.stopped.set(reason.clone()).is_ok() {
            let journal = self.directory.path().display();
            error!(%journal, reason, "the journal has stopped: start the server anew");
        }
    }
}
