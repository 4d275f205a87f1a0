//! The log files as they are written: one at a time, each filled with zeros
//! before its first batch.
//!
//! So a sync has no new length to keep, a full disk shows when a file is made
//! and not in the middle of a batch, and a file that is shorter than it was
//! made has been cut by somebody.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use super::format::file_header;
use super::format::{Directory as BatchDirectory, Entry, FILE_HEADER, FileId, encode_batch};
use super::index::Place;
use super::manifest::{LogFile, Manifest, log_name};
use super::storage::{DataFile, Directory};

/// A log file has at least so many bytes.
pub(super) const LEAST_FILE_BYTES: u64 = 64 * 1024;
/// What is filled with zeros at a time.
const FILL: usize = 1 << 20;

/// Why something was not written.
#[derive(Debug)]
pub(super) enum LogError {
    /// The disk is full. All is as it was.
    NoSpace,
    /// Nobody knows what is on the disk now.
    Broken(String),
}

/// The end of the log.
#[derive(Debug)]
pub(super) struct Log {
    directory: Arc<dyn Directory>,
    pub(super) manifest: Manifest,
    active: Active,
    /// The last batch that was written.
    pub(super) seq: u64,
    /// The last batch that was synced.
    pub(super) durable: u64,
    /// How long a file is, unless a batch needs more or the disk has less.
    file_bytes: u64,
    ahead: Ahead,
    prepared: Option<Receiver<io::Result<Prepared>>>,
}

/// When the next file is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ahead {
    /// While the one before is filled, in a thread of its own.
    Yes,
    /// When it is needed.
    No,
}

#[derive(Debug)]
struct Active {
    log: LogFile,
    file: Arc<dyn DataFile>,
    /// Where the next batch begins.
    end: u64,
}

/// A file with its header and nothing but zeros after it.
#[derive(Debug)]
struct Prepared {
    number: u64,
    capacity: u64,
    file: Arc<dyn DataFile>,
}

/// A log file that has just become the one that is written to.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) number: u64,
    pub(super) capacity: u64,
    pub(super) file: Arc<dyn DataFile>,
}

impl Log {
    /// Goes on in the manifest's last file, from `end` on; makes the first
    /// file of a journal that has none.
    pub(super) fn resume(
        directory: Arc<dyn Directory>,
        manifest: Manifest,
        seq: u64,
        end: u64,
        file_bytes: u64,
        ahead: Ahead,
    ) -> io::Result<Self> {
        let mut manifest = manifest;
        let active = match manifest.files.last().copied() {
            Some(log) if log.last.is_none() => {
                Active { log, file: directory.open(&log_name(log.number))?, end }
            }
            _ => {
                let number = manifest.next;
                let made = prepare(&*directory, id(&manifest, number), file_bytes, 0)?;
                let active = Active::new(made, seq + 1);
                manifest.next += 1;
                manifest.files.push(active.log);
                manifest.write(&*directory)?;
                active
            }
        };
        Ok(Self {
            directory,
            manifest,
            active,
            seq,
            durable: seq,
            file_bytes,
            ahead,
            prepared: None,
        })
    }

    /// The file that is written to.
    pub(super) fn begun(&self) -> Begun {
        let Active { log, file, .. } = &self.active;
        Begun { number: log.number, capacity: log.capacity, file: Arc::clone(file) }
    }

    /// How long a file is, as a rule.
    pub(super) fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// Bytes that a batch may have in the file that is written to.
    pub(super) fn room(&self) -> usize {
        usize::try_from(self.active.log.capacity.saturating_sub(self.active.end))
            .unwrap_or(usize::MAX)
    }

    /// Writes a batch that there is [room](Self::room) for, and tells where
    /// its payloads are.
    pub(super) fn write(
        &mut self,
        entries: &[Entry],
        payloads: &[&[u8]],
    ) -> Result<Vec<Place>, LogError> {
        let seq = self.seq + 1;
        let directory = BatchDirectory { seq, durable: self.durable, entries: entries.to_vec() };
        let Active { log, file, end } = &mut self.active;
        let (bytes, offsets) = encode_batch(id(&self.manifest, log.number), &directory, payloads);
        assert!(*end + bytes.len() as u64 <= log.capacity, "there is room for the batch");
        if let Err(error) = file.write(*end, &bytes) {
            return Err(give_up_tail(&**file, *end, log.capacity, &error));
        }
        let places = entries.iter().zip(offsets).map(|(entry, offset)| Place {
            file: log.number,
            offset: *end + offset as u64,
            length: entry.length,
            checksum: entry.checksum,
        });
        let places = places.collect();
        *end += bytes.len() as u64;
        self.seq = seq;
        self.prepare_ahead();
        Ok(places)
    }

    /// Makes all that was written durable.
    pub(super) fn sync(&mut self) -> Result<(), LogError> {
        if self.durable < self.seq {
            let synced = self.active.file.sync();
            synced.map_err(|error| LogError::Broken(format!("a sync failed: {error}")))?;
            self.durable = self.seq;
        }
        Ok(())
    }

    /// Goes on in a new file, with room for a batch of such entries.
    pub(super) fn roll(&mut self, needed: usize) -> Result<Begun, LogError> {
        self.sync()?;
        let number = self.manifest.next;
        let least = (needed + FILE_HEADER) as u64;
        let made = match self.take_prepared(least) {
            Some(made) => made,
            None => prepare(&*self.directory, id(&self.manifest, number), self.file_bytes, least)
                .map_err(|error| of_new_file(&error))?,
        };
        let mut manifest = self.manifest.clone();
        manifest.next += 1;
        let before = manifest.files.last_mut().filter(|file| file.last.is_none());
        if let Some(file) = before {
            file.last = Some(self.seq);
        }
        // A file without a batch would claim one.
        manifest.files.retain(|file| file.last.is_none_or(|last| last >= file.first));
        let active = Active::new(made, self.seq + 1);
        manifest.files.push(active.log);
        if let Err(error) = self.adopt(manifest) {
            if matches!(error, LogError::NoSpace) {
                // It would take up the room that there is not.
                let _ = self.directory.remove(&log_name(active.log.number));
            }
            return Err(error);
        }
        self.active = active;
        Ok(self.begun())
    }

    /// Removes files from the journal, for good.
    pub(super) fn remove(&mut self, numbers: &[u64]) -> Result<(), LogError> {
        let mut manifest = self.manifest.clone();
        manifest.files.retain(|file| !numbers.contains(&file.number));
        self.adopt(manifest)?;
        for number in numbers {
            // One that stays is removed when the journal is opened next.
            let _ = self.directory.remove(&log_name(*number));
        }
        Ok(())
    }

    fn adopt(&mut self, manifest: Manifest) -> Result<(), LogError> {
        match manifest.write(&*self.directory) {
            Ok(()) => {
                self.manifest = manifest;
                Ok(())
            }
            // Then the new one was not finished, and the old one stands.
            Err(error) if is_no_space(&error) => Err(LogError::NoSpace),
            Err(error) => Err(LogError::Broken(format!("MANIFEST could not be written: {error}"))),
        }
    }

    fn prepare_ahead(&mut self) {
        let half = self.active.end > self.active.log.capacity / 2;
        if self.ahead == Ahead::No || self.prepared.is_some() || !half {
            return;
        }
        let (done, prepared) = sync_channel(1);
        let (directory, bytes) = (Arc::clone(&self.directory), self.file_bytes);
        let file = id(&self.manifest, self.manifest.next);
        let begun =
            std::thread::Builder::new().name("aper-journal-file".to_owned()).spawn(move || {
                // Nobody listens when the journal has been closed.
                let _ = done.send(prepare(&*directory, file, bytes, 0));
            });
        // Without a thread it is made when it is needed.
        self.prepared = begun.ok().map(|_| prepared);
    }

    /// The file that was made ahead, if it serves.
    fn take_prepared(&mut self, least: u64) -> Option<Prepared> {
        let made = self.prepared.take()?.recv().ok()?.ok()?;
        let serves = made.capacity >= least && made.number == self.manifest.next;
        serves.then_some(made)
    }
}

impl Active {
    fn new(made: Prepared, first: u64) -> Self {
        let Prepared { number, capacity, file } = made;
        let log = LogFile { number, capacity, first, last: None };
        Self { log, file, end: FILE_HEADER as u64 }
    }
}

fn id(manifest: &Manifest, number: u64) -> FileId {
    FileId { journal: manifest.journal, number }
}

/// Makes a file: of `wanted` bytes, of more if `least` is more, and of less
/// when the disk has no room for as many.
fn prepare(
    directory: &dyn Directory,
    file: FileId,
    wanted: u64,
    least: u64,
) -> io::Result<Prepared> {
    let least = least.max(LEAST_FILE_BYTES);
    let mut capacity = wanted.max(least).next_multiple_of(8);
    loop {
        match fill(directory, file, capacity) {
            Err(error) if is_no_space(&error) && capacity > least => {
                capacity = (capacity / 2).max(least).next_multiple_of(8);
            }
            made => return made,
        }
    }
}

fn fill(directory: &dyn Directory, id: FileId, capacity: u64) -> io::Result<Prepared> {
    let name = log_name(id.number);
    let unfinished = format!("{name}.new");
    let made = directory.create(&unfinished).and_then(|file| {
        let zeros = vec![0; FILL.min(usize::try_from(capacity).unwrap_or(FILL))];
        let mut offset = 0;
        while offset < capacity {
            let piece = zeros.len().min(usize::try_from(capacity - offset).unwrap_or(FILL));
            file.write(offset, &zeros[..piece])?;
            offset += piece as u64;
        }
        file.write(0, &file_header(id, capacity))?;
        file.sync()?;
        directory.rename(&unfinished, &name)?;
        directory.sync()?;
        Ok(Prepared { number: id.number, capacity, file })
    });
    if made.is_err() {
        // What stays is removed when the journal is opened next.
        let _ = directory.remove(&unfinished);
    }
    made
}

/// After a write that failed: the file's end as it was before, or nothing.
fn give_up_tail(file: &dyn DataFile, end: u64, capacity: u64, error: &io::Error) -> LogError {
    let broken = |error: &io::Error| LogError::Broken(format!("a write failed: {error}"));
    if !is_no_space(error) {
        return broken(error);
    }
    match file.set_length(end).and_then(|()| file.set_length(capacity)) {
        Ok(()) => LogError::NoSpace,
        Err(error) => broken(&error),
    }
}

/// Making a file touches nothing that is in use, so a full disk is no more
/// than that.
fn of_new_file(error: &io::Error) -> LogError {
    if is_no_space(error) {
        LogError::NoSpace
    } else {
        LogError::Broken(format!("a new log file could not be made: {error}"))
    }
}

/// Whether an error says that there is no room.
pub(super) fn is_no_space(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
