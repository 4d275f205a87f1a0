//! Reads one session, and nothing else.

use std::io::ErrorKind;
use std::sync::Arc;

use aper::Version;
use aper::journal::{JournalError, Record, Recovered, SessionKey, Snapshot};
use aper::protocol::decode;

use super::failed;
use super::index::{Condition, Index, KeptRecords, KeptSnapshot, Place, SnapshotKind};
use super::manifest::log_name;
use super::shared::Shared;
use super::snapshot_file::{self, Reference};
use super::storage::{DataFile, Directory};

/// All that is kept of a session. Whatever turns out to be damaged stops it.
pub(super) fn read_session(shared: &Shared, key: &SessionKey) -> Result<Recovered, JournalError> {
    let found = find(&shared.index(), key)?;
    let Some(found) = found else { return Ok(Recovered::default()) };
    read_found(&*shared.directory, &found).map_err(|problem| match problem {
        Problem::Io(error) => failed(key, error),
        Problem::Damaged { file, reason } => {
            let mut index = shared.index();
            index.condemn(key, reason.clone());
            if let Some(file) = file.and_then(|file| index.files.get_mut(&file)) {
                file.condition = Condition::Damaged;
            }
            JournalError::Corrupt { session: key.clone(), reason }
        }
    })
}

/// The same for somebody who only looks: whatever is damaged is told, and stops
/// nobody. None when there is no such session.
pub(super) fn peek_at_session(
    shared: &Shared,
    key: &SessionKey,
) -> Result<Option<Recovered>, JournalError> {
    let found = find(&shared.index(), key)?;
    let Some(found) = found else { return Ok(None) };
    read_found(&*shared.directory, &found).map(Some).map_err(|problem| told(key, problem))
}

pub(super) fn told(key: &SessionKey, problem: Problem) -> JournalError {
    match problem {
        Problem::Io(error) => failed(key, error),
        Problem::Damaged { reason, .. } => JournalError::Corrupt { session: key.clone(), reason },
    }
}

/// Where a session's parts are. Their files can be read even when they are
/// removed meanwhile.
pub(super) struct Found {
    snapshot: Option<(KeptSnapshot, Arc<dyn DataFile>)>,
    records: Vec<(KeptRecords, Arc<dyn DataFile>)>,
}

/// Why a session cannot be read.
pub(super) enum Problem {
    /// The system said so; another time it may.
    Io(std::io::Error),
    /// It is not what was written.
    Damaged { file: Option<u64>, reason: String },
}

/// Where a session's parts are; nothing when there is no such session.
pub(super) fn find(index: &Index, key: &SessionKey) -> Result<Option<Found>, JournalError> {
    let known = index.sessions.get(key);
    let fault = match known {
        Some(session) => session.fault.as_ref(),
        None => index.doubt.as_ref(),
    };
    if let Some(reason) = fault {
        let reason = reason.to_string();
        return Err(JournalError::Corrupt { session: key.clone(), reason });
    }
    let Some(session) = known else { return Ok(None) };
    let file = |place: &Place| {
        let open = index.files.get(&place.file).map(|file| Arc::clone(&file.file));
        open.ok_or_else(|| failed(key, format!("{} is not open", log_name(place.file))))
    };
    let snapshot = session.snapshot.map(|it| Ok((it, file(&it.place)?))).transpose()?;
    let records = session.records.iter().map(|it| Ok((*it, file(&it.place)?)));
    Ok(Some(Found { snapshot, records: records.collect::<Result<_, _>>()? }))
}

pub(super) fn read_found(directory: &dyn Directory, found: &Found) -> Result<Recovered, Problem> {
    let snapshot = match &found.snapshot {
        Some((kept, file)) => Some(read_snapshot(directory, kept, &**file)?),
        None => None,
    };
    let mut position = snapshot.as_ref().map_or(0, |snapshot| snapshot.position.0);
    let mut version = snapshot.as_ref().map_or(Version(0), |snapshot| snapshot.version);
    let mut records = Vec::new();
    for (kept, file) in &found.records {
        let damaged = |reason: String| Problem::Damaged { file: Some(kept.place.file), reason };
        let payload = kept.place.read(&**file).map_err(|e| of_reading(kept.place, e))?;
        let batch: Vec<Record> = decode(&payload)
            .map_err(|error| damaged(format!("records from {} on: {error}", kept.first)))?;
        let known = position.saturating_sub(kept.first - 1);
        if batch.len() as u64 != u64::from(kept.count) || kept.first > position + 1 {
            return Err(damaged(format!("the records from {} on are not those", kept.first)));
        }
        let new = batch.into_iter().skip(usize::try_from(known).unwrap_or(usize::MAX));
        for record in new {
            if let Some(entry) = record.entry() {
                if entry.version.0.checked_sub(1) != Some(version.0) {
                    let (is, after) = (entry.version, version);
                    return Err(damaged(format!("version {is} comes after version {after}")));
                }
                version = entry.version;
            }
            position += 1;
            records.push(record);
        }
    }
    Ok(Recovered { snapshot, records })
}

fn read_snapshot(
    directory: &dyn Directory,
    kept: &KeptSnapshot,
    file: &dyn DataFile,
) -> Result<Snapshot, Problem> {
    let mut encoded = kept.place.read(file).map_err(|e| of_reading(kept.place, e))?;
    let damaged = |reason: String| Problem::Damaged { file: Some(kept.place.file), reason };
    if let SnapshotKind::File(number) = kept.kind {
        let name = snapshot_file::name(number);
        let reference = Reference::decode(&encoded);
        let reference = reference.ok_or_else(|| damaged(format!("nothing tells of {name}")))?;
        encoded =
            snapshot_file::read(directory, reference).map_err(|error| match error.kind() {
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof | ErrorKind::NotFound => {
                    Problem::Damaged {
                        file: None,
                        reason: format!("{name}, its snapshot: {error}"),
                    }
                }
                _ => Problem::Io(error),
            })?;
    }
    let snapshot: Snapshot =
        decode(&encoded).map_err(|error| damaged(format!("its snapshot: {error}")))?;
    if snapshot.position.0 != kept.position {
        return Err(damaged("its snapshot is another's".to_owned()));
    }
    Ok(snapshot)
}

fn of_reading(place: Place, error: std::io::Error) -> Problem {
    match error.kind() {
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
            let reason = format!("{}: {error}", log_name(place.file));
            Problem::Damaged { file: Some(place.file), reason }
        }
        _ => Problem::Io(error),
    }
}
