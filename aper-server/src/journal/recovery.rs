//! Reads a journal's files: what there is, and what is wrong with it. Changes
//! nothing.
//!
//! A batch that was synced and cannot be read is **damage**; what was begun and
//! not synced when the process ended is a **torn tail**. They are told apart by
//! what later batches say: each carries the number of the last batch that was
//! synced before it, and whatever comes in a log file after the last such
//! number was promised to nobody. Damage stops the sessions that it concerns.
//! Which these are is told by either directory of the batch, or, when both are
//! gone, by the next recap: it names every session that was touched since the
//! one before. When there is none yet, every session is in doubt that has
//! nothing newer.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::ops::Range;
use std::sync::Arc;

use aper::journal::SessionKey;
use aper::protocol::decode;
use serde::{Deserialize, Serialize};

use super::fault::{DamagedPart, Fault};
use super::format::{End, FILE_HEADER, FileId, Kind, Origin, encode_end};
use super::index::{Condition, Index, OpenFile, Place};
use super::manifest::{LogFile, Manifest, ManifestError, log_name, log_number, read_file};
use super::scan::{Directories, FoundBatch, Payload, Scan, scan};
use super::snapshot_file::{self, Reference, snapshot_number};
use super::storage::Directory;

/// A journal as its files tell it.
#[derive(Debug)]
pub(super) struct Recovery {
    pub(super) manifest: Manifest,
    pub(super) index: Index,
    /// The last batch there is.
    pub(super) seq: u64,
    /// Where the file that is written to goes on.
    pub(super) end: u64,
    pub(super) faults: Vec<Fault>,
    /// What is cut back before the journal goes on.
    pub(super) torn: Option<Torn>,
    /// What is put in its place again before that: offsets and bytes of the
    /// last batch's ends, when one was not written any more.
    pub(super) mend: Vec<(u64, Vec<u8>)>,
    /// Files that nothing refers to: left when the process ended at a bad moment.
    pub(super) leftover: Vec<String>,
    /// What the next recap has to speak of.
    pub(super) recent: Recent,
}

/// The sessions that were touched since the last recap.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// The first batch that the next recap speaks of.
    pub(super) from: u64,
    pub(super) sessions: HashSet<SessionKey>,
}

impl Recovery {
    /// Of a journal that was just begun.
    pub(super) fn empty(manifest: Manifest) -> Self {
        Reading::new(manifest).finish()
    }
}

/// A tail that is to be filled with zeros.
#[derive(Clone, Copy, Debug)]
pub(super) struct Torn {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// Why a journal cannot be read at all.
#[derive(Debug)]
pub(super) enum ReadError {
    Unknown(u32),
    Damaged(String),
    Io(String, io::Error),
}

/// Which sessions were touched, and how far they got: what makes up for a
/// batch that cannot be read at all.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Recap {
    /// The first batch that it speaks of; the last is the one before its own.
    pub(super) from: u64,
    pub(super) sessions: Vec<Touched>,
}

/// How far a session got.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Touched {
    pub(super) key: SessionKey,
    pub(super) life: u32,
    /// The place of its last record.
    pub(super) last: u64,
    /// The batch that its snapshot came with, or 0.
    pub(super) snapshot: u64,
}

/// Reads a journal. `None` when the directory holds none.
pub(super) fn read(directory: &dyn Directory) -> Result<Option<Recovery>, ReadError> {
    let names = directory.list().map_err(|error| ReadError::Io("the directory".into(), error))?;
    let manifest = match Manifest::read(directory) {
        Ok(manifest) => manifest,
        Err(ManifestError::Missing) => return nothing_there(&names),
        Err(ManifestError::Unknown(version)) => return Err(ReadError::Unknown(version)),
        Err(ManifestError::Damaged) => {
            return Err(ReadError::Damaged("both halves of its MANIFEST are damaged".into()));
        }
        Err(ManifestError::Io(error)) => return Err(ReadError::Io("MANIFEST".into(), error)),
    };
    let mut reading = Reading::new(manifest);
    for number in 0..reading.recovery.manifest.files.len() {
        reading.read_file(directory, number)?;
    }
    reading.apply();
    reading.judge();
    reading.look_around(directory, &names)?;
    Ok(Some(reading.finish()))
}

fn nothing_there(names: &[String]) -> Result<Option<Recovery>, ReadError> {
    match names.iter().find(|name| log_number(name).is_some() || snapshot_number(name).is_some()) {
        None => Ok(None),
        Some(name) => Err(ReadError::Damaged(format!("{name} is there, but no MANIFEST"))),
    }
}

/// The work of reading.
struct Reading {
    recovery: Recovery,
    /// The last batch that was certainly synced.
    durable: u64,
    scans: Vec<(LogFile, Vec<u8>, Scan)>,
    /// Batches of which there is no trace, with where they should be: in the
    /// order of their numbers.
    holes: Vec<(Range<u64>, Arc<str>)>,
    claims: Vec<Claim>,
    /// The batches that whole recaps speak of: from, and the recap's own.
    recaps: Vec<(u64, u64)>,
    proven: HashMap<SessionKey, Proven>,
}

/// The last batches of a session that prove something: new records, that there
/// are none before that are not known; a snapshot, that there is no later one.
#[derive(Clone, Copy, Default)]
struct Proven {
    records: u64,
    snapshot: u64,
}

/// What is known to have been.
struct Claim {
    touched: Touched,
    reason: Arc<str>,
}

impl Reading {
    fn new(manifest: Manifest) -> Self {
        let sealed = manifest.files.iter().filter_map(|file| file.last).max().unwrap_or(0);
        let first = manifest.files.last().map_or(1, |file| file.first);
        let recovery_from = manifest.files.first().map_or(1, |file| file.first);
        let recovery = Recovery {
            manifest,
            index: Index::default(),
            seq: sealed.max(first.saturating_sub(1)),
            end: FILE_HEADER as u64,
            faults: Vec::new(),
            torn: None,
            mend: Vec::new(),
            leftover: Vec::new(),
            recent: Recent { from: recovery_from, sessions: HashSet::new() },
        };
        Self {
            durable: recovery.seq,
            proven: HashMap::new(),
            recovery,
            scans: Vec::new(),
            holes: Vec::new(),
            claims: Vec::new(),
            recaps: Vec::new(),
        }
    }

    fn read_file(&mut self, directory: &dyn Directory, number: usize) -> Result<(), ReadError> {
        let log = self.recovery.manifest.files[number];
        let name = log_name(log.number);
        let file = match directory.open(&name) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && log.last.is_some() => {
                self.recovery.faults.push(Fault::Missing { file: name });
                let scan = Scan { batches: Vec::new(), rest: 0 };
                self.scans.push((log, Vec::new(), scan));
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ReadError::Damaged(format!("{name}, its newest file, is missing")));
            }
            Err(error) => return Err(ReadError::Io(name, error)),
        };
        let failed = |error| ReadError::Io(log_name(log.number), error);
        let length = file.length().map_err(failed)?;
        let mut bytes = vec![0; usize::try_from(length).map_err(|e| failed(io::Error::other(e)))?];
        file.read(0, &mut bytes).map_err(failed)?;
        if length < log.capacity {
            self.recovery.faults.push(Fault::Short {
                file: name,
                bytes: length,
                made: log.capacity,
            });
        }
        let id = FileId { journal: self.recovery.manifest.journal, number: log.number };
        let found = scan(id, &bytes);
        let told = found.batches.iter().map(|batch| batch.directory.durable).max();
        self.durable = self.durable.max(told.unwrap_or(0));
        let open = OpenFile { file, capacity: log.capacity, live: 0, condition: Condition::Sound };
        self.recovery.index.files.insert(log.number, open);
        self.scans.push((log, bytes, found));
        Ok(())
    }

    /// Takes every batch that counts.
    fn apply(&mut self) {
        for (log, bytes, found) in std::mem::take(&mut self.scans) {
            let mut expected = log.first;
            let mut end = FILE_HEADER;
            let mut torn = None;
            for batch in &found.batches {
                let seq = batch.directory.seq;
                if seq > self.durable {
                    let follows = seq == expected && batch.start == end && batch.is_whole();
                    if !follows {
                        torn = Some(batch.start);
                        break;
                    }
                }
                self.miss(&log, expected..seq, end);
                self.examine(&log, batch);
                if seq > self.durable && batch.directories == Directories::One {
                    self.mend(&log, batch);
                }
                self.take(&log, batch, &bytes);
                expected = expected.max(seq + 1);
                end = batch.end;
            }
            match log.last {
                Some(last) => self.miss(&log, expected..last + 1, end),
                None => {
                    self.miss(&log, expected..self.durable + 1, end);
                    self.recovery.seq = expected.max(self.durable + 1) - 1;
                    self.end_of_log(&log, &found, torn.unwrap_or(end));
                }
            }
            if log.last.is_some_and(|last| expected > last) && found.rest > 0 {
                self.damaged(&log, end, DamagedPart::Unused);
            }
        }
    }

    /// Where the log goes on, and what is cut back there.
    fn end_of_log(&mut self, log: &LogFile, found: &Scan, end: usize) {
        let last = found.batches.last().map_or(FILE_HEADER, |batch| batch.end) + found.rest;
        self.recovery.end = end as u64;
        if last <= end {
            return;
        }
        let after = found.batches.iter().filter(|batch| batch.start >= end);
        let entries = after.flat_map(|batch| &batch.directory.entries);
        let sessions: BTreeSet<_> = entries.filter_map(|entry| entry.key.clone()).collect();
        self.recovery.torn = Some(Torn { from: end as u64, to: last as u64 });
        self.recovery.faults.push(Fault::Torn {
            file: log_name(log.number),
            offset: end as u64,
            bytes: (last - end) as u64,
            sessions: sessions.into_iter().collect(),
        });
    }

    fn miss(&mut self, log: &LogFile, seqs: Range<u64>, offset: usize) {
        if seqs.is_empty() {
            return;
        }
        let file = log_name(log.number);
        self.damaged(log, offset, DamagedPart::Whole);
        let reason: Arc<str> = format!("a batch of {file} cannot be read").into();
        self.holes.push((seqs, reason));
    }

    fn damaged(&mut self, log: &LogFile, offset: usize, part: DamagedPart) {
        let file = log_name(log.number);
        self.recovery.faults.push(Fault::Damaged { file, offset: offset as u64, part });
        if matches!(part, DamagedPart::Payload | DamagedPart::Whole)
            && let Some(file) = self.recovery.index.files.get_mut(&log.number)
        {
            file.condition = Condition::Damaged;
        }
    }

    /// One end of the newest batch is missing: the power failed before it was
    /// written, or it was cut off.
    fn mend(&mut self, log: &LogFile, batch: &FoundBatch) {
        let id = FileId { journal: self.recovery.manifest.journal, number: log.number };
        let [head, foot] = [End::Head, End::Foot].map(|end| encode_end(end, id, &batch.directory));
        let at_foot = batch.end - foot.len();
        self.recovery.mend = vec![(batch.start as u64, head), (at_foot as u64, foot)];
    }

    fn examine(&mut self, log: &LogFile, batch: &FoundBatch) {
        if batch.is_damaged() {
            let whole = batch.is_whole();
            let part = if whole { DamagedPart::Directory } else { DamagedPart::Payload };
            self.damaged(log, batch.start, part);
        }
    }

    fn take(&mut self, log: &LogFile, batch: &FoundBatch, bytes: &[u8]) {
        let seq = batch.directory.seq;
        for (entry, (offset, state)) in batch.directory.entries.iter().zip(&batch.payloads) {
            let length = entry.length as usize;
            let payload = match state {
                Payload::Whole => &bytes[*offset..*offset + length],
                Payload::Damaged => {
                    let name = log_name(log.number);
                    let reason =
                        format!("its part of the batch at {} of {name} is damaged", batch.start);
                    let snapshot = if entry.kind == Kind::Records { 0 } else { seq };
                    let touched =
                        |key| Touched { key, life: entry.life, last: entry.last(), snapshot };
                    let claim = |key| Claim { touched: touched(key), reason: reason.into() };
                    self.claims.extend(entry.key.clone().map(claim));
                    continue;
                }
            };
            let Some(key) = &entry.key else {
                self.take_recap(seq, payload);
                continue;
            };
            self.recovery.recent.sessions.insert(key.clone());
            let proven = self.proven.entry(key.clone()).or_default();
            match (entry.kind, entry.origin) {
                (Kind::Records, Origin::New) => proven.records = seq,
                (Kind::Records, Origin::Moved) => {}
                _ => proven.snapshot = seq,
            }
            let place = Place {
                file: log.number,
                offset: *offset as u64,
                length: entry.length,
                checksum: entry.checksum,
            };
            let file = Reference::of(entry.kind, payload).map(|file| file.number);
            self.recovery.index.take(seq, entry, place, file);
        }
    }

    fn take_recap(&mut self, seq: u64, payload: &[u8]) {
        // It was written by this program and its checksum is right: what cannot
        // be decoded all the same covers nothing.
        let Ok(recap) = decode::<Recap>(payload) else { return };
        self.recaps.push((recap.from, seq));
        self.recovery.recent = Recent { from: seq, sessions: HashSet::new() };
        let reason: Arc<str> = "records of it are missing that were there before".into();
        let claim = |touched| Claim { touched, reason: Arc::clone(&reason) };
        self.claims.extend(recap.sessions.into_iter().map(claim));
    }

    /// Which sessions cannot be read.
    fn judge(&mut self) {
        let index = &mut self.recovery.index;
        let mut reasons = HashMap::new();
        for Claim { touched, reason } in self.claims.drain(..) {
            let there = index.sessions.get(&touched.key).is_some_and(|kept| {
                let as_far = kept.last >= touched.last && kept.snapshot_seq() >= touched.snapshot;
                kept.life > touched.life || (kept.life == touched.life && as_far)
            });
            if !there {
                index.condemn(&touched.key, Arc::clone(&reason));
            }
            reasons.entry(touched.key).or_insert(reason);
        }
        let gaps = index.sessions.iter().filter_map(|(key, it)| Some((key.clone(), it.gap()?)));
        for (key, gap) in gaps.collect::<Vec<_>>() {
            let reason = reasons.get(&key).map_or(gap.clone(), |reason| format!("{gap}: {reason}"));
            index.condemn(&key, reason);
        }
    }

    /// The files of the directory against what the log says of them.
    fn look_around(
        &mut self,
        directory: &dyn Directory,
        names: &[String],
    ) -> Result<(), ReadError> {
        let recovery = &mut self.recovery;
        let there: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let mut needed = BTreeSet::new();
        for (key, session) in &recovery.index.sessions {
            let file = session.snapshot.and_then(|snapshot| snapshot.file());
            needed.extend(file.map(|number| (snapshot_file::name(number), key.clone())));
        }
        for (name, key) in &needed {
            if !there.contains(name.as_str()) {
                recovery.faults.push(Fault::Missing { file: name.clone() });
                recovery.index.condemn(key, format!("{name}, its snapshot, is missing"));
            }
        }
        let needed: BTreeSet<&str> = needed.iter().map(|(name, _)| name.as_str()).collect();
        let listed: BTreeSet<u64> = recovery.manifest.files.iter().map(|it| it.number).collect();
        // While something is amiss, a snapshot that nothing refers to may be
        // the only trace of a session.
        let amiss = recovery.index.sessions.values().any(|session| session.fault.is_some());
        for name in names {
            let leftover = match (log_number(name), snapshot_number(name)) {
                (Some(number), _) if listed.contains(&number) => false,
                (Some(number), _) => {
                    refuse_unlisted(directory, recovery, number)?;
                    true
                }
                (None, Some(_)) => !needed.contains(name.as_str()) && !amiss,
                (None, None) => name.ends_with(".log.new"),
            };
            if leftover {
                recovery.leftover.push(name.clone());
            }
        }
        Ok(())
    }

    /// Batches that nothing makes up for put into doubt who may have been in
    /// them: everybody of whom there is nothing newer, and whoever is not known.
    fn doubt(&mut self) {
        let Self { holes, recaps, proven, recovery, .. } = self;
        let mut open = holes
            .iter()
            .rev()
            .filter_map(|(seqs, reason)| Some((newest_outside(seqs, recaps)?, reason)));
        let Some((newest, reason)) = open.next() else { return };
        let newer = |key: &SessionKey| {
            proven.get(key).is_some_and(|it| it.records.min(it.snapshot) > newest)
        };
        let doubtful = recovery.index.sessions.keys().filter(|key| !newer(key)).cloned();
        for key in doubtful.collect::<Vec<_>>() {
            let reason = format!("{reason}, and nothing tells whether records of it were in there");
            recovery.index.condemn(&key, reason);
        }
        recovery.index.doubt = Some(Arc::clone(reason));
        recovery.recent.from = recovery.recent.from.max(newest + 1);
    }

    fn finish(mut self) -> Recovery {
        self.doubt();
        let index = &self.recovery.index;
        let faulty = index.sessions.iter().filter_map(|(session, it)| {
            Some(Fault::Session {
                session: session.clone(),
                reason: it.fault.as_ref()?.to_string(),
            })
        });
        let mut faulty: Vec<Fault> = faulty.collect();
        faulty.sort_by_cached_key(ToString::to_string);
        self.recovery.faults.extend(faulty);
        self.recovery
    }
}

/// The last of these batches that no recap speaks of. A range may be as long as
/// a forged number makes it: it is never walked through.
fn newest_outside(seqs: &Range<u64>, recaps: &[(u64, u64)]) -> Option<u64> {
    let mut seq = seqs.end.checked_sub(1)?;
    while let Some((from, _)) = recaps.iter().find(|(from, own)| (*from..*own).contains(&seq)) {
        seq = from.checked_sub(1)?;
    }
    seqs.contains(&seq).then_some(seq)
}

/// A log file that the manifest does not list was either removed from it, and
/// is left over, or is about to be listed, and empty. Anything else would mean
/// that the manifest is not the one that belongs to the files.
fn refuse_unlisted(
    directory: &dyn Directory,
    recovery: &Recovery,
    number: u64,
) -> Result<(), ReadError> {
    let name = log_name(number);
    if number < recovery.manifest.next {
        return Ok(());
    }
    let bytes = read_file(directory, &name).map_err(|e| ReadError::Io(name.clone(), e))?;
    let id = FileId { journal: recovery.manifest.journal, number };
    if scan(id, &bytes).batches.is_empty() {
        return Ok(());
    }
    Err(ReadError::Damaged(format!("{name} is newer than the MANIFEST, which does not list it")))
}
