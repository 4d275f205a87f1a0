//! Sessions that are worked on, and what was promised to each.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aper::journal::{Journal, JournalError, Position, Record, Recovered, SessionKey, Snapshot};
use aper::protocol::{Entry, Payload, encode};
use aper::{ClientId, ClientSeq, Epoch, Timestamp, Version};

use super::SimulatedDisk;
use crate::journal::fault::{DamagedPart, Fault};
use crate::journal::log::{Ahead, LEAST_FILE_BYTES};
use crate::journal::{DiskJournal, Durability, Ground, JournalFiles, OpenJournalError};

/// Some sessions, the records that the journal acknowledged of each, and those
/// of which nobody knows.
#[derive(Debug)]
pub struct Workload {
    sessions: BTreeMap<SessionKey, Promised>,
    /// Bytes of a transition.
    bytes: usize,
}

#[derive(Clone, Debug, Default)]
struct Promised {
    /// All that were ever given to the journal.
    given: Vec<Record>,
    /// How many of them it acknowledged.
    acknowledged: usize,
}

/// What became of a workload's sessions in a journal that something was done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All that was promised is there.
    Whole,
    /// Something is gone, and the journal said so.
    Reported {
        /// How many sessions cannot be read.
        stopped: usize,
        /// How many records are missing at most at the end of one that can.
        missing: u64,
    },
    /// Promised records are gone, and nothing was said.
    Lost,
    /// A session has what it never was given.
    Undetected,
    /// The journal panicked.
    Panicked,
}

impl Workload {
    /// How many records each append has.
    pub const RECORDS: u64 = 3;

    /// With so many sessions, and transitions of so many bytes.
    ///
    /// # Panics
    ///
    /// Never.
    #[must_use]
    pub fn new(sessions: usize, bytes: usize) -> Self {
        let key = |number| SessionKey {
            machine: "machine".into(),
            session: format!("session-{number}").parse().expect("that is a name"),
        };
        let sessions = (0..sessions).map(|number| (key(number), Promised::default()));
        Self { sessions: sessions.collect(), bytes }
    }

    /// The same, with other names.
    ///
    /// # Panics
    ///
    /// When `name` cannot be part of a session's.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        let other = |key: SessionKey| SessionKey {
            session: format!("{name}-{}", key.session).parse().expect("that is a name"),
            ..key
        };
        let sessions = self.sessions.into_iter().map(|(key, promised)| (other(key), promised));
        Self { sessions: sessions.collect(), ..self }
    }

    /// Opens the disk's journal, with log files as short as may be.
    ///
    /// # Errors
    ///
    /// As [`DiskJournal::open`].
    pub fn open(
        disk: &SimulatedDisk,
        durability: Durability,
    ) -> Result<DiskJournal, OpenJournalError> {
        let ground = Ground { file_bytes: LEAST_FILE_BYTES, ahead: Ahead::No };
        DiskJournal::open_in(Arc::new(disk.clone()), durability, ground)
    }

    /// One append of each session, all at once.
    ///
    /// # Errors
    ///
    /// What the journal answered to the first that it refused.
    pub async fn append(&mut self, journal: &DiskJournal) -> Result<(), JournalError> {
        let bytes = self.bytes;
        let appends = self.sessions.iter_mut().map(|(key, promised)| async move {
            let after = promised.acknowledged;
            if promised.given.len() == after {
                let records = records(after, bytes, key.session.as_str());
                promised.given.extend(records);
            }
            let batch: Vec<Record> = promised.given[after..].to_vec();
            let after = Position(after as u64);
            journal.append(key, after, Epoch(0), batch.into()).await?;
            promised.acknowledged = promised.given.len();
            Ok(())
        });
        futures::future::join_all(appends).await.into_iter().collect()
    }

    /// A snapshot of each session, one after the other; as long as `bytes`.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub async fn snapshot(&self, journal: &DiskJournal, bytes: usize) -> Result<(), JournalError> {
        for (key, promised) in &self.sessions {
            let snapshot = snapshot(&promised.given[..promised.acknowledged], bytes);
            journal.store_snapshot(key, snapshot).await?;
        }
        Ok(())
    }

    /// What the journal on this disk has, against what was promised.
    #[must_use]
    pub fn judge(&self, disk: &SimulatedDisk) -> Verdict {
        let looked = catch_unwind(AssertUnwindSafe(|| {
            match JournalFiles::open_in(Arc::new(disk.clone())) {
                Ok(Some(files)) => self.compare(&files),
                Ok(None) if self.sessions.values().all(|it| it.acknowledged == 0) => Verdict::Whole,
                Ok(None) => Verdict::Lost,
                Err(_) => Verdict::Reported { stopped: self.sessions.len(), missing: 0 },
            }
        }));
        looked.unwrap_or(Verdict::Panicked)
    }

    fn compare(&self, files: &JournalFiles) -> Verdict {
        let faults = files.verify();
        let told = faults.iter().any(|fault| {
            let harmless = DamagedPart::Directory;
            !matches!(fault, Fault::Damaged { part, .. } if *part == harmless)
        });
        let (mut stopped, mut missing) = (0, 0);
        for (key, promised) in &self.sessions {
            match files.read(key) {
                Err(_) => stopped += 1,
                Ok(recovered) if !promised.is_beginning(&recovered) => return Verdict::Undetected,
                Ok(recovered) => {
                    let known = recovered.position().0;
                    missing = missing.max((promised.acknowledged as u64).saturating_sub(known));
                }
            }
        }
        match (stopped, missing) {
            (0, 0) => Verdict::Whole,
            (0, _) if !told => Verdict::Lost,
            _ => Verdict::Reported { stopped, missing },
        }
    }
}

impl Promised {
    /// Whether a session is what it was at some time.
    fn is_beginning(&self, recovered: &Recovered) -> bool {
        let position = usize::try_from(recovered.position().0).unwrap_or(usize::MAX);
        let Some(given) = self.given.get(..position) else { return false };
        let base = recovered.snapshot.as_ref().map_or(0, |snapshot| snapshot.position.0);
        let (before, after) = given.split_at(usize::try_from(base).unwrap_or(0).min(given.len()));
        let expected = |it: &Snapshot| *it == snapshot(before, it.state.0.len());
        recovered.snapshot.as_ref().is_none_or(expected) && after == recovered.records
    }
}

/// The next records of a session: two entries, and somebody who left.
fn records(after: usize, bytes: usize, session: &str) -> Vec<Record> {
    let entry = |number: usize| {
        let mut transition = format!("{session}, transition {number}").into_bytes();
        transition.resize(bytes.max(transition.len()), number as u8);
        Record::Entry(Entry {
            version: Version(number as u64),
            epoch: Epoch(0),
            client: ClientId(1),
            seq: ClientSeq(number as u64),
            at: Timestamp::from_millis(number as u64),
            user: None,
            chance: None,
            transition: Payload(transition),
        })
    };
    let version = after / 3 * 2;
    let at = Timestamp::from_millis(after as u64);
    vec![entry(version + 1), entry(version + 2), Record::Left { client: ClientId(1), at }]
}

/// A state that says which records made it.
fn snapshot(records: &[Record], bytes: usize) -> Snapshot {
    let mut state = encode(&records.last()).unwrap_or_default();
    state.resize(bytes.max(state.len()), records.len() as u8);
    let entries = records.iter().filter(|record| record.entry().is_some()).count();
    Snapshot {
        schema: 1,
        version: Version(entries as u64),
        position: Position(records.len() as u64),
        at: Timestamp::ZERO,
        timer: None,
        histories: Vec::new(),
        next_client: ClientId(2),
        clients: Vec::new(),
        state: Payload(state),
    }
}
