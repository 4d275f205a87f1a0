//! One session as one file, to be taken somewhere else.

use aper::Epoch;
use aper::journal::{JournalError, Position, Record, Recovered, SessionKey, Snapshot};
use aper::protocol::{EncodeError, decode, encode};
use serde::{Deserialize, Serialize};

use super::format::{checksum, u32_at, u64_at};
use super::manifest::FORMAT;
use super::snapshot_file::Reference;
use super::writer::Rule;
use super::{DiskJournal, records};

const MAGIC: [u8; 8] = *b"APEREXPT";
const HEADER: usize = 24;

/// A session outside of any journal.
///
/// ```
/// use aper::journal::{Recovered, SessionKey};
/// use aper_server::journal::Exported;
/// let key = SessionKey { machine: "counter".into(), session: "lobby".parse()? };
/// let exported = Exported { key, recovered: Recovered::default() };
/// assert_eq!(Exported::decode(&exported.encode()?)?, exported);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Whose it was.
    pub key: SessionKey,
    /// All that was kept of it.
    pub recovered: Recovered,
}

/// What to do with a session that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExisting {
    /// Leave it, and say so.
    Refuse,
    /// Put the other in its place. What it had is gone.
    Replace,
}

/// Why there is no session to take from a file.
///
/// ```
/// use aper_server::journal::{Exported, ImportError};
///
/// let decoded = Exported::decode(b"a letter to my aunt, by mistake");
/// assert!(matches!(decoded, Err(ImportError::NotExported(_))), "{decoded:?}");
/// ```
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is something else, or not all of it is there.
    #[error("the file is no exported session: {0}")]
    NotExported(String),
    /// The journal did not take it.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// What the file's body is.
#[derive(Serialize, Deserialize)]
struct Body {
    key: SessionKey,
    snapshot: Option<Snapshot>,
    records: Vec<Record>,
}

impl Exported {
    /// The bytes of its file.
    ///
    /// # Errors
    ///
    /// When a value in it has no encoding, which none that was in a journal has.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let Recovered { snapshot, records } = self.recovered.clone();
        let body = encode(&Body { key: self.key.clone(), snapshot, records })?;
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend(MAGIC);
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend(checksum(&body).to_le_bytes());
        bytes.extend((body.len() as u64).to_le_bytes());
        bytes.extend(body);
        Ok(bytes)
    }

    /// The session in a file's bytes.
    ///
    /// # Errors
    ///
    /// When they are something else, damaged, or of another version.
    pub fn decode(bytes: &[u8]) -> Result<Self, ImportError> {
        let not = |reason: &str| ImportError::NotExported(reason.to_owned());
        let (header, body) =
            bytes.split_at_checked(HEADER).ok_or_else(|| not("it is too short"))?;
        if header[..8] != MAGIC {
            return Err(not("it begins as something else"));
        }
        match u32_at(header, 8) {
            Some(FORMAT) => {}
            other => {
                let version = other.unwrap_or_default();
                let reason = format!("version {version} is not known, only {FORMAT}");
                return Err(not(&reason));
            }
        }
        if u64_at(header, 16) != Some(body.len() as u64) {
            return Err(not("it was cut"));
        }
        if u32_at(header, 12) != Some(checksum(body)) {
            return Err(not("it is damaged"));
        }
        let Body { key, snapshot, records } =
            decode(body).map_err(|error| not(&error.to_string()))?;
        Ok(Self { key, recovered: Recovered { snapshot, records } })
    }
}

impl DiskJournal {
    /// Takes in a session, whole or not at all. It begins a new history when
    /// it is opened: a client that has seen more of it than the file knows is
    /// given the state as it is here.
    ///
    /// ```
    /// use aper::journal::{Journal, Record, Recovered, SessionKey};
    /// use aper::{ClientId, Timestamp};
    /// use aper_server::journal::{DiskJournal, Durability, Exported, OnExisting};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let key = SessionKey { machine: "counter".into(), session: "lobby".parse()? };
    /// # let records = vec![Record::Left { client: ClientId(1), at: Timestamp::ZERO }];
    /// # let recovered = Recovered { snapshot: None, records };
    /// # let file = Exported { key: key.clone(), recovered }.encode()?;
    /// let exported = Exported::decode(&file)?; // of another server's journal
    ///
    /// let directory = tempfile::tempdir()?;
    /// let journal = DiskJournal::open(directory.path(), Durability::Synced)?;
    /// journal.import(exported.clone(), OnExisting::Refuse).await?;
    /// assert_eq!(journal.open(&key).await?, exported.recovered);
    ///
    /// assert!(journal.import(exported.clone(), OnExisting::Refuse).await.is_err());
    /// journal.import(exported, OnExisting::Replace).await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When there is such a session already and it is not to be replaced, and
    /// as an append.
    pub async fn import(
        &self,
        exported: Exported,
        existing: OnExisting,
    ) -> Result<(), JournalError> {
        let Exported { key, recovered } = exported;
        let Recovered { snapshot, records: log } = recovered;
        let base = snapshot.as_ref().map_or(Position(0), |snapshot| snapshot.position);
        let mut parts = Vec::new();
        if let Some(snapshot) = snapshot {
            parts.push(self.place_snapshot(&key, Epoch(0), snapshot).await?);
        }
        if !log.is_empty() {
            parts.push(records(&key, base, Epoch(0), &log)?);
        }
        if parts.is_empty() {
            return Ok(());
        }
        let rule = match existing {
            OnExisting::Refuse => Rule::Absent,
            OnExisting::Replace => Rule::Replaces,
        };
        let file = parts.first().and_then(|(entry, payload)| Reference::of(entry.kind, payload));
        let taken = self.written(&key, parts, rule).await;
        self.clear_up(file, &taken);
        taken
    }
}
