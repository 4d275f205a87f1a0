//! A directory in memory: it loses at a power failure what was not synced, it
//! can be full, and its n-th write or sync can fail.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::journal::storage::{DataFile, Directory};

/// No file of a simulated disk gets longer.
const FILE_BYTES: u64 = 32 << 20;

/// What a power failure takes or leaves as a whole, in bytes.
const SECTOR: usize = 512;

/// The disk. A clone is the same disk.
#[derive(Clone, Debug, Default)]
pub struct SimulatedDisk {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    /// The names that are sure to survive, and what happened to them since.
    synced_names: BTreeMap<String, usize>,
    changes: Vec<Change>,
    writes: u64,
    syncs: u64,
    failing_write: Option<u64>,
    failing_sync: Option<u64>,
    room: Option<u64>,
}

#[derive(Clone, Debug)]
enum Change {
    Link(String, usize),
    Unlink(String),
}

#[derive(Clone, Debug, Default)]
struct File {
    now: Vec<u8>,
    /// What is sure to survive.
    synced: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Clone, Debug)]
enum Pending {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl SimulatedDisk {
    /// An empty one, with no end of room.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the `n`-th change from now on fail, from 1: a write, a new file, a
    /// new name or length, a removal. A failing write does half of its work.
    pub fn fail_write(&self, n: u64) {
        let mut disk = self.lock();
        disk.failing_write = Some(disk.writes + n);
    }

    /// Lets the `n`-th sync from now on fail, from 1. What it should have made
    /// durable is then durable in part, and never as a whole.
    pub fn fail_sync(&self, n: u64) {
        let mut disk = self.lock();
        disk.failing_sync = Some(disk.syncs + n);
    }

    /// How many changes there were, and how many syncs.
    #[must_use]
    pub fn operations(&self) -> (u64, u64) {
        let disk = self.lock();
        (disk.writes, disk.syncs)
    }

    /// Bytes that all files together may have from now on.
    pub fn set_room(&self, bytes: u64) {
        self.lock().room = Some(bytes);
    }

    /// Bytes that all files together have.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.lock().used()
    }

    /// The disk as it is when the process ends at this moment: another one,
    /// that works.
    #[must_use]
    pub fn after_exit(&self) -> Self {
        let disk = self.lock();
        let of = |(name, file): (&String, &usize)| (name.clone(), disk.files[*file].now.clone());
        Self::of(disk.names.iter().map(of))
    }

    /// The disk as it may be when the power fails at this moment: what was not
    /// synced is there or not, sector by sector, as the seed will have it.
    #[must_use]
    pub fn after_power_failure(&self, seed: u64) -> Self {
        let disk = self.lock();
        let mut coin = Coin(seed);
        let mut names = disk.synced_names.clone();
        // Changes of names survive in their order.
        let survive = coin.below(disk.changes.len() + 1);
        disk.changes.iter().take(survive).for_each(|change| change.apply(&mut names));
        let of =
            |(name, file): (String, usize)| (name, disk.files[file].after_power_failure(&mut coin));
        Self::of(names.into_iter().map(of))
    }

    fn of(files: impl Iterator<Item = (String, Vec<u8>)>) -> Self {
        let mut disk = Disk::default();
        for (name, bytes) in files {
            disk.names.insert(name, disk.files.len());
            disk.files.push(File { now: bytes.clone(), synced: bytes, pending: Vec::new() });
        }
        disk.synced_names = disk.names.clone();
        Self { disk: Arc::new(Mutex::new(disk)) }
    }

    /// All files.
    #[must_use]
    pub fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let disk = self.lock();
        let of = |(name, file): (&String, &usize)| (name.clone(), disk.files[*file].now.clone());
        disk.names.iter().map(of).collect()
    }

    /// Another disk with these files.
    #[must_use]
    pub fn with(contents: &BTreeMap<String, Vec<u8>>) -> Self {
        Self::of(contents.iter().map(|(name, bytes)| (name.clone(), bytes.clone())))
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Link(name, file) => {
                // A file has one name.
                names.retain(|_, other| other != file);
                names.insert(name.clone(), *file);
            }
            Self::Unlink(name) => drop(names.remove(name)),
        }
    }
}

impl File {
    fn after_power_failure(&self, coin: &mut Coin) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for pending in &self.pending {
            match pending {
                Pending::Length(length) if coin.heads() => bytes.resize(*length, 0),
                Pending::Length(_) => {}
                Pending::Write(offset, written) => {
                    for (number, sector) in written.chunks(SECTOR).enumerate() {
                        if coin.heads() {
                            put(&mut bytes, offset + number * SECTOR, sector);
                        }
                    }
                }
            }
        }
        bytes
    }
}

impl Disk {
    fn used(&self) -> u64 {
        self.names.values().map(|file| self.files[*file].now.len() as u64).sum()
    }

    fn change(&mut self) -> io::Result<()> {
        self.writes += 1;
        if self.failing_write == Some(self.writes) {
            return Err(io::Error::other("a planted failure of a write"));
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.syncs += 1;
        if self.failing_sync == Some(self.syncs) {
            return Err(io::Error::other("a planted failure of a sync"));
        }
        Ok(())
    }

    fn rename_as(&mut self, change: Change) {
        change.apply(&mut self.names);
        self.changes.push(change);
    }

    fn room_for(&self, more: usize) -> io::Result<()> {
        match self.room {
            Some(room) if self.used() + more as u64 > room => {
                Err(io::ErrorKind::StorageFull.into())
            }
            _ => Ok(()),
        }
    }
}

impl Directory for SimulatedDisk {
    fn path(&self) -> &Path {
        Path::new("simulated")
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.lock().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DataFile>> {
        let mut disk = self.lock();
        disk.change()?;
        let file = disk.files.len();
        disk.files.push(File::default());
        disk.rename_as(Change::Link(name.to_owned(), file));
        Ok(Arc::new(SimulatedFile { disk: self.clone(), file }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DataFile>> {
        let file = self.lock().names.get(name).copied();
        let file = file.ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimulatedFile { disk: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.lock();
        disk.change()?;
        let file = disk.names.get(from).copied().ok_or(io::ErrorKind::NotFound)?;
        disk.rename_as(Change::Link(to.to_owned(), file));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.lock();
        disk.change()?;
        if !disk.names.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        disk.rename_as(Change::Unlink(name.to_owned()));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.lock();
        disk.sync()?;
        disk.changes.clear();
        disk.synced_names = disk.names.clone();
        Ok(())
    }
}

#[derive(Debug)]
struct SimulatedFile {
    disk: SimulatedDisk,
    file: usize,
}

impl DataFile for SimulatedFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.lock().files[self.file].now.len() as u64)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        if length > FILE_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let mut disk = self.disk.lock();
        disk.change()?;
        let file = &mut disk.files[self.file];
        file.now.resize(length, 0);
        file.pending.push(Pending::Length(length));
        Ok(())
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let disk = self.disk.lock();
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let found = disk.files[self.file].now.get(offset..).and_then(|it| it.get(..bytes.len()));
        bytes.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let mut disk = self.disk.lock();
        let longer = (offset + bytes.len()).saturating_sub(disk.files[self.file].now.len());
        let failed = disk.change().and_then(|()| disk.room_for(longer));
        let written = if failed.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        // A full disk takes nothing of what it has no room for.
        let full = failed.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::StorageFull);
        if !full {
            let file = &mut disk.files[self.file];
            put(&mut file.now, offset, written);
            file.pending.push(Pending::Write(offset, written.to_vec()));
        }
        failed
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.disk.lock();
        let synced = disk.sync();
        let seed = disk.syncs;
        let file = &mut disk.files[self.file];
        file.synced = match synced {
            Ok(()) => file.now.clone(),
            // The system has marked it as clean all the same.
            Err(_) => file.after_power_failure(&mut Coin(seed)),
        };
        file.pending.clear();
        synced
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, written: &[u8]) {
    let end = offset + written.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(written);
}

/// Chance, the same for the same seed (splitmix64).
struct Coin(u64);

impl Coin {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn heads(&mut self) -> bool {
        self.next() & 1 == 0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap_or(0)
    }
}
