//! Why a journal on disk cannot be opened.

use std::path::{Path, PathBuf};

use super::manifest::FORMAT;
use super::recovery::ReadError;
use super::storage::TakeError;

/// Why there is no journal to work with. The files were left as they are.
///
/// ```
/// use aper_server::journal::{DiskJournal, Durability, JournalFiles, OpenJournalError};
///
/// let directory = tempfile::tempdir()?;
/// let nothing = JournalFiles::open(directory.path());
/// assert!(matches!(nothing, Err(OpenJournalError::Missing { .. })));
///
/// let _server = DiskJournal::open(directory.path(), Durability::Synced)?;
/// let another = DiskJournal::open(directory.path(), Durability::Synced);
/// assert!(matches!(another, Err(OpenJournalError::Locked { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenJournalError {
    /// Another process works on it.
    #[error(
        "the journal in {} is in use by another process: stop that one first, or choose another \
         directory with --data", path.display()
    )]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// There is no journal there.
    #[error("there is no journal in {}", path.display())]
    Missing {
        /// The directory.
        path: PathBuf,
    },
    /// A newer program made it.
    #[error(
        "the journal in {} is of version {found}, and this program knows version {known} only: \
         use the program that wrote it, or a newer one", path.display(), known = FORMAT
    )]
    Unknown {
        /// The directory.
        path: PathBuf,
        /// The version it is of.
        found: u32,
    },
    /// It is damaged beyond what stops single sessions.
    #[error(
        "the journal in {} cannot be read: {reason}. Nothing in it was changed: bring back a \
         backup of the directory, or move it away to begin anew", path.display()
    )]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The operating system refused.
    #[error("the journal in {} cannot {action}: {error}", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// What could not be done.
        action: String,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
}

impl OpenJournalError {
    pub(super) fn io(path: &Path, action: impl Into<String>, error: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), action: action.into(), error }
    }

    pub(super) fn of_taking(path: &Path, error: TakeError) -> Self {
        match error {
            TakeError::Locked => Self::Locked { path: path.to_owned() },
            TakeError::Io(action, error) => Self::io(path, action, error),
        }
    }

    pub(super) fn of_reading(path: &Path, error: ReadError) -> Self {
        let path = path.to_owned();
        match error {
            ReadError::Unknown(found) => Self::Unknown { path, found },
            ReadError::Damaged(reason) => Self::Damaged { path, reason },
            ReadError::Io(what, error) => {
                Self::Io { path, action: format!("be read ({what})"), error }
            }
        }
    }
}
