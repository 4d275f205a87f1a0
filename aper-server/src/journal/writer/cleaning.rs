//! Gives space back: removes log files in which nothing is needed any more,
//! and carries the little that is needed over from those with much else.

use std::collections::HashMap;
use std::sync::Arc;

use aper::journal::SessionKey;
use tracing::warn;

use super::{Admitted, Writer, entries};
use crate::journal::format::{Entry, Kind, Origin, batch_bytes};
use crate::journal::index::{Condition, Index, Place, Session, SnapshotKind};
use crate::journal::manifest::log_name;
use crate::journal::snapshot_file;

/// Payloads that are carried over at a time: appends wait so long at most.
const MOVED_BYTES: usize = 1 << 20;
/// Files without much that is needed are left while they are few.
const SPARE_FILES: u64 = 4;

/// A log file that is being emptied.
#[derive(Debug)]
pub(super) struct Moving {
    file: u64,
    needed: Vec<(SessionKey, Place)>,
}

impl Writer {
    /// Does a bounded piece of the work that there is.
    pub(super) fn clean(&mut self) {
        if self.shared.check().is_err() {
            return;
        }
        self.remove_outdated();
        self.remove_empty();
        self.choose();
        if let Some(moving) = self.moving.take() {
            self.carry_over(moving);
        }
    }

    fn remove_outdated(&mut self) {
        if self.outdated.is_empty() || !self.is_synced() {
            return;
        }
        for number in self.outdated.drain(..) {
            // One that stays is removed when the journal is opened next.
            let _ = self.shared.directory.remove(&snapshot_file::name(number));
        }
    }

    fn remove_empty(&mut self) {
        let active = self.log.begun().number;
        let empty: Vec<u64> = {
            let index = self.shared.index();
            let of = index.files.iter().filter(|(number, file)| {
                **number != active && file.live == 0 && file.condition == Condition::Sound
            });
            of.map(|(number, _)| *number).collect()
        };
        // What took the place of what is in there has to be durable first.
        if empty.is_empty() || !self.is_synced() {
            return;
        }
        match self.log.remove(&empty) {
            Ok(()) => {
                let mut index = self.shared.index();
                empty.iter().for_each(|number| drop(index.files.remove(number)));
            }
            Err(error) => self.note(&error),
        }
    }

    /// Whether there is a file worth emptying, and which.
    fn choose(&mut self) {
        if self.moving.is_some() {
            return;
        }
        let active = self.log.begun().number;
        let index = self.shared.index();
        let sealed = index.files.iter().filter(|(number, _)| **number != active);
        let (mut capacity, mut live) = (0, 0);
        let mut best: Option<(u64, u64, u64)> = None;
        for (number, file) in sealed {
            capacity += file.capacity;
            live += file.live;
            let better = best.is_none_or(|(_, its_live, its_capacity)| {
                file.live * its_capacity < its_live * file.capacity
            });
            if better && file.condition == Condition::Sound {
                best = Some((*number, file.live, file.capacity));
            }
        }
        let Some((file, its_live, its_capacity)) = best else { return };
        let spare = self.log.file_bytes().min(its_capacity.max(1)) * SPARE_FILES;
        if capacity < 2 * live + spare || its_live > its_capacity / 2 {
            return;
        }
        let needed = needed_of(&index, file);
        let faulty = |key| index.sessions.get(key).is_some_and(|it: &Session| it.fault.is_some());
        if needed.keys().any(faulty) {
            // What is left of a session that cannot be read is left alone.
            drop(index);
            return self.keep(file);
        }
        let needed = needed
            .into_iter()
            .flat_map(|(key, places)| places.into_iter().map(move |place| (key.clone(), place)));
        self.moving = Some(Moving { file, needed: needed.collect() });
    }

    fn carry_over(&mut self, mut moving: Moving) {
        let mut admitted = Vec::new();
        let mut bytes = 0;
        while bytes < MOVED_BYTES {
            let Some((key, place)) = moving.needed.pop() else { break };
            match self.load(&key, place) {
                Ok(Some((entry, payload))) => {
                    bytes += payload.len();
                    admitted.push(Admitted { key, parts: vec![(entry, payload)], reply: None });
                }
                // Not needed any more.
                Ok(None) => {}
                Err(error) => return self.abandon(&moving, &key, &error),
            }
        }
        if admitted.is_empty() {
            return;
        }
        if !moving.needed.is_empty() {
            self.moving = Some(moving);
        }
        let size = batch_bytes(entries(&admitted)) + self.recap_bytes();
        let rolled = if size > self.log.room() { self.roll(size) } else { Ok(()) };
        if let Err(error) = rolled.and_then(|()| self.write(&admitted)) {
            self.moving = None;
            self.note(&error);
        }
    }

    /// What stands at a place, if that is still where it is needed from.
    fn load(&self, key: &SessionKey, place: Place) -> std::io::Result<Option<(Entry, Vec<u8>)>> {
        let index = self.shared.index();
        let Some(session) = index.sessions.get(key) else { return Ok(None) };
        let entry = |kind, position, count, timer| Entry {
            kind,
            origin: Origin::Moved,
            key: Some(key.clone()),
            life: session.life,
            epoch: session.epoch,
            position,
            count,
            timer,
            length: place.length,
            checksum: place.checksum,
        };
        let snapshot = session.snapshot.filter(|snapshot| snapshot.place == place);
        let records = session.records.iter().find(|records| records.place == place);
        let entry = match (snapshot, records) {
            (Some(snapshot), _) => {
                let kind = match snapshot.kind {
                    SnapshotKind::Here => Kind::Snapshot,
                    SnapshotKind::File(_) => Kind::SnapshotFile,
                };
                entry(kind, snapshot.position, 0, snapshot.timer)
            }
            (None, Some(records)) => entry(Kind::Records, records.first, records.count, None),
            (None, None) => return Ok(None),
        };
        let file = index.files.get(&place.file).map(|file| Arc::clone(&file.file));
        drop(index);
        let file = file.ok_or_else(|| std::io::Error::other("its file is gone"))?;
        place.read(&*file).map(|payload| Some((entry, payload)))
    }

    /// Damage that shows now stops its session, and keeps the file.
    fn abandon(&mut self, moving: &Moving, key: &SessionKey, error: &std::io::Error) {
        let file = log_name(moving.file);
        warn!(session = %key, file, %error, "what is kept of a session is damaged: it is left as it is");
        let mut index = self.shared.index();
        index.condemn(key, format!("{file}: {error}"));
        drop(index);
        self.keep(moving.file);
    }

    fn keep(&self, file: u64) {
        if let Some(file) = self.shared.index().files.get_mut(&file) {
            file.condition = Condition::Damaged;
        }
    }
}

/// Cost: one pass over all sessions.
fn needed_of(index: &Index, file: u64) -> HashMap<SessionKey, Vec<Place>> {
    let mut needed = HashMap::new();
    for (key, session) in &index.sessions {
        let records = session.records.iter().map(|records| records.place);
        let all = session.snapshot.map(|snapshot| snapshot.place).into_iter().chain(records);
        let here: Vec<Place> = all.filter(|place| place.file == file).collect();
        if !here.is_empty() {
            needed.insert(key.clone(), here);
        }
    }
    needed
}
