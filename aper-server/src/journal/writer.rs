//! The one thread that writes: it takes all that waits, writes it as one
//! batch, syncs once, and only then answers.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Instant;

use aper::journal::{JournalError, Position, SessionKey};
use aper::protocol::encode;
use futures::channel::oneshot;
use tracing::warn;

use super::Durability;
use super::format::{Entry, Kind, Origin, batch_bytes, checksum};
use super::index::{Condition, Index, OpenFile};
use super::log::{Begun, Log, LogError};
use super::recovery::{Recap, Recent, Touched};
use super::shared::Shared;
use super::snapshot_file::Reference;

mod cleaning;

/// Payloads that go into one batch; what waits beyond that is in the next.
const BATCH_BYTES: usize = 4 << 20;
/// Bytes of batches after which a recap is due.
const RECAP_BYTES: usize = 256 * 1024;

/// What a session wants to have written, in one piece.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) key: SessionKey,
    /// Entries and their payloads, one at least.
    pub(super) parts: Vec<(Entry, Vec<u8>)>,
    /// Of the first part.
    pub(super) rule: Rule,
    pub(super) reply: oneshot::Sender<Result<(), JournalError>>,
}

impl Work {
    fn bytes(&self) -> usize {
        self.parts.iter().map(|(_, payload)| payload.len()).sum()
    }
}

/// What has to hold, or the work is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// It follows the session's last record.
    Follows,
    /// The session has got as far as this says.
    Reached,
    /// There is no such session.
    Absent,
    /// Whatever there is ends with this.
    Replaces,
}

/// A writer in its thread.
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    log: Log,
    durability: Durability,
    works: Receiver<Work>,
    /// What has to wait for the next batch.
    later: Vec<Work>,
    recent: Recent,
    since_recap: usize,
    /// Since when something is written and not synced.
    unsynced: Option<Instant>,
    /// Snapshot files that nothing needs once the log is synced.
    outdated: Vec<u64>,
    moving: Option<cleaning::Moving>,
    /// Whether a batch was refused for want of room, and none accepted since.
    full: bool,
}

/// Work that may be done.
struct Admitted {
    key: SessionKey,
    parts: Vec<(Entry, Vec<u8>)>,
    reply: Option<oneshot::Sender<Result<(), JournalError>>>,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        log: Log,
        recent: Recent,
        durability: Durability,
        works: Receiver<Work>,
    ) -> Self {
        let begun = log.begun();
        shared.index().files.entry(begun.number).or_insert_with(|| open_file(begun));
        Self {
            shared,
            log,
            durability,
            works,
            later: Vec::new(),
            recent,
            since_recap: 0,
            unsynced: None,
            outdated: Vec::new(),
            moving: None,
            full: false,
        }
    }

    /// Works until nobody can ask for anything any more.
    pub(super) fn run(mut self) {
        while let Some(works) = self.gather() {
            self.sync_if_due();
            if !works.is_empty() {
                self.commit(works);
            }
            self.clean();
        }
        self.close();
    }

    /// All that waits; nothing when it is time for other things; `None` when
    /// there is an end of it.
    fn gather(&mut self) -> Option<Vec<Work>> {
        let mut works = std::mem::take(&mut self.later);
        if works.is_empty() {
            match self.wait() {
                Ok(work) => works.push(work),
                Err(RecvTimeoutError::Timeout) => return Some(works),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        let mut bytes: usize = works.iter().map(Work::bytes).sum();
        while bytes < BATCH_BYTES {
            let Ok(work) = self.works.try_recv() else { break };
            bytes += work.bytes();
            works.push(work);
        }
        Some(works)
    }

    fn wait(&mut self) -> Result<Work, RecvTimeoutError> {
        if self.moving.is_some() {
            return self.works.try_recv().map_err(|error| match error {
                TryRecvError::Empty => RecvTimeoutError::Timeout,
                TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            });
        }
        match (self.durability, self.unsynced) {
            (Durability::Interval(interval), Some(since)) => {
                self.works.recv_timeout(interval.saturating_sub(since.elapsed()))
            }
            _ => self.works.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn commit(&mut self, works: Vec<Work>) {
        let mut admitted = self.admit(works);
        if let Err(error) = self.shared.check() {
            return answer(admitted, |_| Err(error.clone()));
        }
        if let Err(error) = self.make_room(&mut admitted) {
            return self.fail(admitted, &error);
        }
        if admitted.is_empty() {
            return;
        }
        let written = self.write(&admitted).and_then(|()| match self.durability {
            Durability::Synced => self.sync(),
            Durability::Interval(_) | Durability::Memory => Ok(()),
        });
        match written {
            Ok(()) => {
                self.full = false;
                answer(admitted, |_| Ok(()));
            }
            Err(error) => self.fail(admitted, &error),
        }
    }

    /// Sorts out what cannot be done. A session has one work in a batch.
    fn admit(&mut self, works: Vec<Work>) -> Vec<Admitted> {
        let shared = Arc::clone(&self.shared);
        let index = shared.index();
        let mut busy = HashSet::new();
        let mut admitted = Vec::with_capacity(works.len());
        for mut work in works {
            if !busy.insert(work.key.clone()) {
                self.later.push(work);
                continue;
            }
            match check(&index, &mut work) {
                Ok(()) => {
                    let Work { key, parts, reply, .. } = work;
                    admitted.push(Admitted { key, parts, reply: Some(reply) });
                }
                // Whoever asked may have gone.
                Err(error) => drop(work.reply.send(Err(error))),
            }
        }
        admitted
    }

    /// Begins a new file when the batch does not fit. When there is no room
    /// for one, what does fit goes ahead, and the rest is answered.
    fn make_room(&mut self, admitted: &mut Vec<Admitted>) -> Result<(), LogError> {
        let recap = self.recap_bytes();
        let size = |some: &[Admitted]| batch_bytes(entries(some)) + recap;
        if size(admitted) <= self.log.room() {
            return Ok(());
        }
        match self.roll(size(admitted)) {
            Err(LogError::NoSpace) => {
                let fits = |count: &usize| size(&admitted[..*count]) <= self.log.room();
                let fitting = (0..=admitted.len()).rev().find(fits);
                let rest = admitted.split_off(fitting.unwrap_or(0));
                self.fail(rest, &LogError::NoSpace);
                Ok(())
            }
            rolled => rolled,
        }
    }

    fn roll(&mut self, size: usize) -> Result<(), LogError> {
        let begun = self.log.roll(size)?;
        self.unsynced = None;
        self.shared.index().files.insert(begun.number, open_file(begun));
        Ok(())
    }

    /// Writes a batch, with a recap when one is due, and takes note of it.
    fn write(&mut self, admitted: &[Admitted]) -> Result<(), LogError> {
        let recap = if self.since_recap < RECAP_BYTES { None } else { self.recap() };
        let parts = recap.iter().chain(admitted.iter().flat_map(|it| &it.parts));
        let (entries, payloads): (Vec<Entry>, Vec<&[u8]>) =
            parts.map(|(entry, payload)| (entry.clone(), &payload[..])).unzip();
        let places = self.log.write(&entries, &payloads)?;
        self.unsynced.get_or_insert_with(Instant::now);
        if recap.is_some() {
            self.recent = Recent { from: self.log.seq, sessions: HashSet::new() };
            self.since_recap = 0;
        }
        self.since_recap += batch_bytes(entries.iter());
        let shared = Arc::clone(&self.shared);
        let mut index = shared.index();
        for ((entry, payload), place) in entries.iter().zip(&payloads).zip(places) {
            let Some(key) = &entry.key else { continue };
            self.recent.sessions.insert(key.clone());
            let file = Reference::of(entry.kind, payload).map(|file| file.number);
            self.outdated.extend(index.take(self.log.seq, entry, place, file));
        }
        Ok(())
    }

    /// The most that a recap takes, if one is due.
    fn recap_bytes(&self) -> usize {
        if self.since_recap < RECAP_BYTES {
            return 0;
        }
        let most = |key: &SessionKey| key.machine.len() + key.session.as_str().len() + 32;
        256 + self.recent.sessions.iter().map(most).sum::<usize>()
    }

    /// What the batches since the last recap touched.
    fn recap(&self) -> Option<(Entry, Vec<u8>)> {
        if self.recent.sessions.is_empty() {
            return None;
        }
        let index = self.shared.index();
        let sessions = self.recent.sessions.iter().filter_map(|key| {
            let session = index.sessions.get(key)?;
            Some(Touched {
                key: key.clone(),
                life: session.life,
                last: session.last,
                snapshot: session.snapshot_seq(),
            })
        });
        let recap = Recap { from: self.recent.from, sessions: sessions.collect() };
        // Nothing in it can fail to be encoded; without a recap nothing is lost.
        let payload = encode(&recap).ok()?;
        let entry = Entry {
            kind: Kind::Recap,
            origin: Origin::New,
            key: None,
            life: 0,
            epoch: 0,
            position: 0,
            count: 0,
            timer: None,
            length: u32::try_from(payload.len()).ok()?,
            checksum: checksum(&payload),
        };
        Some((entry, payload))
    }

    fn sync(&mut self) -> Result<(), LogError> {
        self.unsynced = None;
        self.log.sync()
    }

    fn sync_if_due(&mut self) {
        let Durability::Interval(interval) = self.durability else { return };
        if self.unsynced.is_some_and(|since| since.elapsed() >= interval) {
            self.is_synced();
        }
    }

    /// Syncs; whether all that was written is durable now.
    fn is_synced(&mut self) -> bool {
        if self.shared.check().is_err() {
            return false;
        }
        match self.sync() {
            Ok(()) => true,
            Err(error) => {
                self.note(&error);
                false
            }
        }
    }

    fn fail(&mut self, admitted: Vec<Admitted>, error: &LogError) {
        self.note(error);
        answer(admitted, |key| match error {
            LogError::NoSpace => Err(JournalError::NoSpace { session: key.clone() }),
            LogError::Broken(reason) => Err(JournalError::Stopped { reason: reason.clone() }),
        });
    }

    fn note(&mut self, error: &LogError) {
        match error {
            LogError::Broken(reason) => self.shared.stop(reason.clone()),
            LogError::NoSpace if self.full => {}
            LogError::NoSpace => {
                self.full = true;
                let journal = self.shared.directory.path().display();
                warn!(%journal, "the disk is full: nothing new is taken until there is room");
            }
        }
    }

    /// The end in good order: with a recap, so that whatever happens to the
    /// files from now on can be told from what was never finished.
    fn close(mut self) {
        if !self.is_synced() {
            return;
        }
        let Some((entry, payload)) = self.recap() else { return };
        if batch_bytes([&entry].into_iter()) > self.log.room() {
            return;
        }
        let closed = self.log.write(&[entry], &[&payload]).and_then(|_| self.log.sync());
        if let Err(error) = closed {
            self.note(&error);
        }
    }
}

fn open_file(begun: Begun) -> OpenFile {
    let Begun { capacity, file, .. } = begun;
    OpenFile { file, capacity, live: 0, condition: Condition::Sound }
}

fn entries(admitted: &[Admitted]) -> impl Iterator<Item = &Entry> {
    admitted.iter().flat_map(|it| &it.parts).map(|(entry, _)| entry)
}

fn answer(admitted: Vec<Admitted>, result: impl Fn(&SessionKey) -> Result<(), JournalError>) {
    for Admitted { key, reply, .. } in admitted {
        if let Some(reply) = reply {
            // Whoever asked may have gone.
            let _ = reply.send(result(&key));
        }
    }
}

/// Whether the work's rule holds; fills in what only the index knows.
fn check(index: &Index, work: &mut Work) -> Result<(), JournalError> {
    let session = || work.key.clone();
    let known = index.sessions.get(&work.key);
    let fault = match known {
        Some(known) => known.fault.as_ref(),
        None => index.doubt.as_ref(),
    };
    if let Some(reason) = fault {
        return Err(JournalError::Corrupt { session: session(), reason: reason.to_string() });
    }
    let first = &work.parts[0].0;
    if known.is_some_and(|known| first.epoch < known.epoch) {
        return Err(JournalError::Fenced { session: session() });
    }
    let (mut life, last) = known.map_or((1, 0), |known| (known.life, known.last));
    let out_of_order = |after| {
        let (kept, after) = (Position(last), Position(after));
        Err(JournalError::OutOfOrder { session: session(), kept, after })
    };
    match work.rule {
        Rule::Follows if first.position != last + 1 => return out_of_order(first.position - 1),
        Rule::Reached if first.position > last => return out_of_order(first.position),
        Rule::Absent if known.is_some() => {
            let reason = "there is such a session already".to_owned();
            return Err(JournalError::Storage { session: session(), reason });
        }
        Rule::Replaces if known.is_some() => life += 1,
        _ => {}
    }
    work.parts.iter_mut().for_each(|(entry, _)| entry.life = life);
    Ok(())
}
