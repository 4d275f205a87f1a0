//! What is where: the journal's only part in memory. A sleeping session costs
//! it its name and the place of its snapshot.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::sync::Arc;

use aper::journal::SessionKey;

use super::format::{Entry, Kind, checksum, padded};
use super::storage::DataFile;

/// All sessions and all log files.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) sessions: HashMap<SessionKey, Session>,
    pub(super) files: BTreeMap<u64, OpenFile>,
    /// Why a session that is not here may have been all the same.
    pub(super) doubt: Option<Arc<str>>,
    /// Each machine's name once, however many sessions it has.
    machines: HashSet<Arc<str>>,
}

/// What is kept of a session.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) life: u32,
    pub(super) epoch: u64,
    /// The place of its last record.
    pub(super) last: u64,
    pub(super) snapshot: Option<KeptSnapshot>,
    /// Those after the snapshot, in order.
    pub(super) records: Vec<KeptRecords>,
    /// Why it cannot be read, if it cannot.
    pub(super) fault: Option<Arc<str>>,
}

/// A session's snapshot.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptSnapshot {
    pub(super) position: u64,
    pub(super) timer: Option<u64>,
    pub(super) kind: SnapshotKind,
    /// The batch that it came with. Of two at one position the later counts: a
    /// migration makes another state of the same records.
    pub(super) seq: u64,
    pub(super) place: Place,
}

/// Where a snapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SnapshotKind {
    /// In the log, at its place.
    Here,
    /// In the file of this number; at its place is what that file must be.
    File(u64),
}

/// Records that were appended together.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptRecords {
    pub(super) first: u64,
    pub(super) count: u32,
    pub(super) place: Place,
}

impl KeptRecords {
    pub(super) fn last(&self) -> u64 {
        self.first + u64::from(self.count) - 1
    }
}

/// Where a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: u64,
    pub(super) offset: u64,
    pub(super) length: u32,
    pub(super) checksum: u32,
}

impl Place {
    /// What stands there.
    pub(super) fn read(&self, file: &dyn DataFile) -> io::Result<Vec<u8>> {
        let mut payload = vec![0; self.length as usize];
        file.read(self.offset, &mut payload)?;
        if checksum(&payload) == self.checksum {
            return Ok(payload);
        }
        let what = format!("{} bytes at {} are damaged", self.length, self.offset);
        Err(io::Error::new(io::ErrorKind::InvalidData, what))
    }

    /// Bytes that go with it: its payload, and its part of two directories.
    pub(super) fn weight(&self) -> u64 {
        padded(self.length as usize) as u64 + 160
    }
}

/// A log file that is in use.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) file: Arc<dyn DataFile>,
    pub(super) capacity: u64,
    /// Bytes in it that are still needed.
    pub(super) live: u64,
    pub(super) condition: Condition,
}

/// Whether a log file could be read to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Sound,
    /// Something in it could not be read. It is never removed.
    Damaged,
}

impl Index {
    /// The first of the sessions whose names contain a text, after one of them.
    pub(super) fn names(
        &self,
        containing: &str,
        after: Option<&SessionKey>,
        most: usize,
    ) -> Vec<SessionKey> {
        let mut first = BTreeSet::new();
        for key in self.sessions.keys() {
            if after.is_none_or(|after| after < key) && key.contains(containing) {
                first.insert(key);
                if first.len() > most {
                    first.pop_last();
                }
            }
        }
        first.into_iter().cloned().collect()
    }

    /// Takes up what stands at a place, unless something newer is known.
    /// Returns the number of the snapshot file that is not needed any more.
    pub(super) fn take(
        &mut self,
        seq: u64,
        entry: &Entry,
        place: Place,
        file: Option<u64>,
    ) -> Option<u64> {
        let key = entry.key.as_ref()?;
        let key = self.named(key);
        let session = self.sessions.entry(key).or_default();
        let mut freed = Vec::new();
        let mut outdated = None;
        if entry.life < session.life {
            return file;
        }
        if entry.life > session.life {
            outdated = session.forget(&mut freed);
            session.life = entry.life;
        }
        session.epoch = session.epoch.max(entry.epoch);
        let taken = match entry.kind {
            Kind::Records => session.take_records(entry, place, &mut freed),
            _ => {
                let (taken, old) = session.take_snapshot(seq, entry, place, file, &mut freed);
                outdated = outdated.or(old);
                taken
            }
        };
        if taken {
            self.weigh(place, Weight::More);
        }
        freed.into_iter().for_each(|place| self.weigh(place, Weight::Less));
        outdated
    }

    /// The same key, with the machine's name that the other keys have.
    fn named(&mut self, key: &SessionKey) -> SessionKey {
        if let Some((known, _)) = self.sessions.get_key_value(key) {
            return known.clone();
        }
        let machine = match self.machines.get(&key.machine) {
            Some(machine) => Arc::clone(machine),
            None => {
                self.machines.insert(Arc::clone(&key.machine));
                Arc::clone(&key.machine)
            }
        };
        SessionKey { machine, session: key.session.clone() }
    }

    fn weigh(&mut self, place: Place, weight: Weight) {
        if let Some(file) = self.files.get_mut(&place.file) {
            file.live = match weight {
                Weight::More => file.live + place.weight(),
                Weight::Less => file.live.saturating_sub(place.weight()),
            };
        }
    }

    /// Marks a session as one that cannot be read; the first reason stays.
    pub(super) fn condemn(&mut self, key: &SessionKey, reason: impl Into<Arc<str>>) {
        let key = self.named(key);
        self.sessions.entry(key).or_default().fault.get_or_insert_with(|| reason.into());
    }
}

enum Weight {
    More,
    Less,
}

impl Session {
    fn forget(&mut self, freed: &mut Vec<Place>) -> Option<u64> {
        freed.extend(self.records.drain(..).map(|records| records.place));
        let snapshot = self.snapshot.take();
        freed.extend(snapshot.map(|snapshot| snapshot.place));
        *self = Self { fault: self.fault.take(), ..Self::default() };
        snapshot.and_then(|snapshot| snapshot.file())
    }

    fn take_records(&mut self, entry: &Entry, place: Place, freed: &mut Vec<Place>) -> bool {
        let covered = self.snapshot.is_some_and(|snapshot| entry.last() <= snapshot.position);
        if covered || entry.count == 0 {
            return false;
        }
        let records = KeptRecords { first: entry.position, count: entry.count, place };
        match self.records.binary_search_by_key(&entry.position, |known| known.first) {
            // Carried over from another file.
            Ok(at) => freed.push(std::mem::replace(&mut self.records[at], records).place),
            Err(at) => self.records.insert(at, records),
        }
        self.last = self.last.max(entry.last());
        true
    }

    /// Whether it was taken, and the file that is of no more use.
    fn take_snapshot(
        &mut self,
        seq: u64,
        entry: &Entry,
        place: Place,
        file: Option<u64>,
        freed: &mut Vec<Place>,
    ) -> (bool, Option<u64>) {
        let old = match self.snapshot {
            Some(known) if known.position > entry.position => return (false, file),
            old => old,
        };
        let kind = file.map_or(SnapshotKind::Here, SnapshotKind::File);
        let position = entry.position;
        self.snapshot = Some(KeptSnapshot { position, timer: entry.timer, kind, seq, place });
        freed.extend(old.map(|old| old.place));
        self.records.retain(|records| {
            let needed = records.last() > position;
            if !needed {
                freed.push(records.place);
            }
            needed
        });
        self.records.shrink_to_fit();
        self.last = self.last.max(position);
        // Carried over, it is still the same file.
        (true, old.and_then(|old| old.file()).filter(|old| Some(*old) != file))
    }

    /// The batch that its snapshot came with; 0 when it has none.
    pub(super) fn snapshot_seq(&self) -> u64 {
        self.snapshot.map_or(0, |snapshot| snapshot.seq)
    }

    /// What is wrong with what is known of it: a gap.
    pub(super) fn gap(&self) -> Option<String> {
        let mut last = self.snapshot.map_or(0, |snapshot| snapshot.position);
        for records in &self.records {
            if records.first > last + 1 {
                let missing = records.first - 1;
                return Some(format!("its records from {} to {missing} are missing", last + 1));
            }
            last = last.max(records.last());
        }
        None
    }
}

impl KeptSnapshot {
    pub(super) fn file(&self) -> Option<u64> {
        match self.kind {
            SnapshotKind::Here => None,
            SnapshotKind::File(number) => Some(number),
        }
    }
}
