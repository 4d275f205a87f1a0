//! The files of a journal, as few operations as it needs: so that a test can
//! stand a disk in their place that fails on demand.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A directory without subdirectories.
pub(crate) trait Directory: Send + Sync + fmt::Debug + 'static {
    /// Where it is, for messages.
    fn path(&self) -> &Path;
    /// The names of all files in it.
    ///
    /// # Errors
    /// Whatever the storage says.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Makes a file; one that is there is emptied.
    ///
    /// # Errors
    /// Whatever the storage says.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DataFile>>;
    /// Opens a file to read and write.
    ///
    /// # Errors
    /// Whatever the storage says.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DataFile>>;
    /// Gives a file another name, in place of the file that has it.
    ///
    /// # Errors
    /// Whatever the storage says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file. Whoever has it open can still read it.
    ///
    /// # Errors
    /// Whatever the storage says.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// When this is done, the names as they are now survive a power failure.
    ///
    /// # Errors
    /// Whatever the storage says.
    fn sync(&self) -> io::Result<()>;
}

/// One file.
pub(crate) trait DataFile: Send + Sync + fmt::Debug + 'static {
    /// Its length in bytes.
    ///
    /// # Errors
    /// Whatever the storage says.
    fn length(&self) -> io::Result<u64>;
    /// Cuts it, or makes it longer with zeros.
    ///
    /// # Errors
    /// Whatever the storage says.
    fn set_length(&self, length: u64) -> io::Result<()>;
    /// Fills `bytes` with those from `offset` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] when the file ends before.
    fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;
    /// Writes all of `bytes` at `offset`. After an error any part of them may
    /// be written.
    ///
    /// # Errors
    /// Whatever the storage says.
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// When this is done, all that was written survives a power failure.
    ///
    /// # Errors
    /// Whatever the storage says. What was written since the last success may
    /// or may not survive, and no later success says that it does.
    fn sync(&self) -> io::Result<()>;
}

/// A directory of the file system, locked for this process.
#[derive(Debug)]
pub(super) struct DiskDirectory {
    path: PathBuf,
    /// Unlocked when it is closed, also by the death of the process.
    _lock: File,
}

/// The file that whoever has the directory holds a lock on.
pub(super) const LOCK: &str = "LOCK";

/// Why a directory could not be taken.
#[derive(Debug)]
pub(super) enum TakeError {
    /// Another process has it.
    Locked,
    /// Doing this failed.
    Io(&'static str, io::Error),
}

impl DiskDirectory {
    /// Takes a directory, and makes it first when there is none and `missing`
    /// says so. It is for the owner alone: the journal holds clients' keys.
    pub(super) fn take(path: &Path, missing: Missing) -> Result<Self, TakeError> {
        if missing == Missing::Make {
            make_private(path).map_err(|error| TakeError::Io("be made", error))?;
        }
        fs::read_dir(path).map_err(|error| TakeError::Io("be read", error))?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let lock = options.open(path.join(LOCK));
        let lock = lock.map_err(|error| TakeError::Io("be written to", error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(TakeError::Locked),
            Err(TryLockError::Error(error)) => Err(TakeError::Io("be locked", error)),
        }
    }
}

/// What to do when there is no such directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Make,
    Refuse,
}

fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

impl Directory for DiskDirectory {
    fn path(&self) -> &Path {
        &self.path
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name()));
        // Names that are not UTF-8 are none of the journal's.
        names.filter_map(|name| name.map(|name| name.into_string().ok()).transpose()).collect()
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DataFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Arc::new(DiskFile(options.open(self.path.join(name))?)))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DataFile>> {
        let file = OpenOptions::new().read(true).write(true).open(self.path.join(name))?;
        Ok(Arc::new(DiskFile(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    #[cfg(unix)]
    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    /// Elsewhere a directory cannot be synced; the system does it by itself.
    #[cfg(not(unix))]
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct DiskFile(File);

impl DataFile for DiskFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    #[cfg(unix)]
    fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, bytes, offset)
    }

    #[cfg(unix)]
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.0, bytes, offset)
    }

    #[cfg(windows)]
    fn read(&self, mut offset: u64, mut bytes: &mut [u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = std::os::windows::fs::FileExt::seek_read(&self.0, bytes, offset)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            offset += count as u64;
            bytes = &mut bytes[count..];
        }
        Ok(())
    }

    #[cfg(windows)]
    fn write(&self, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = std::os::windows::fs::FileExt::seek_write(&self.0, bytes, offset)?;
            offset += count as u64;
            bytes = &bytes[count..];
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}
