//! The manifest: which log files a journal has, so that one that is missing
//! or shorter than it was made is noticed.
//!
//! It is written anew, beside the old one and then in its place, whenever a
//! log file comes or goes. The file holds it twice: a damaged half is harmless.

use std::io;

use super::format::{FILE_HEADER, JournalId, checksum, count_at, u32_at, u64_at};
use super::storage::Directory;

/// The version of all files of a journal. A program refuses one that it does
/// not know.
pub(super) const FORMAT: u32 = 1;

pub(super) const NAME: &str = "MANIFEST";
const NEW: &str = "MANIFEST.new";
const MAGIC: [u8; 8] = *b"APERJRNL";
const HEADER: usize = 24;
const FILE: usize = 32;

/// What a journal consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) journal: JournalId,
    /// The number of the next log file. Files from it on hold nothing yet.
    pub(super) next: u64,
    /// In the order of their numbers.
    pub(super) files: Vec<LogFile>,
}

/// One log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LogFile {
    pub(super) number: u64,
    /// Its length in bytes, from the beginning.
    pub(super) capacity: u64,
    /// The first batch that is in it.
    pub(super) first: u64,
    /// The last one; none while it is written to.
    pub(super) last: Option<u64>,
}

/// Why there is no manifest to go by.
#[derive(Debug)]
pub(super) enum ManifestError {
    /// There is none.
    Missing,
    /// It is of a version that is not known here.
    Unknown(u32),
    /// Both halves are damaged.
    Damaged,
    Io(io::Error),
}

/// The name of a log file.
pub(super) fn log_name(number: u64) -> String {
    format!("{number:08}.log")
}

/// The number in the name of a log file.
pub(super) fn log_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log")?;
    digits.parse().ok().filter(|number| log_name(*number) == name)
}

impl Manifest {
    pub(super) fn read(directory: &dyn Directory) -> Result<Self, ManifestError> {
        let bytes = match read_file(directory, NAME) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ManifestError::Missing);
            }
            Err(error) => return Err(ManifestError::Io(error)),
        };
        let second = bytes.get(bytes.len() / 2..).unwrap_or_default();
        Self::decode(&bytes).or_else(|first| match first {
            ManifestError::Damaged => Self::decode(second),
            other => Err(other),
        })
    }

    /// Puts this in the place of what was. When it is done, it survives a
    /// power failure; after an error either of the two may be there.
    pub(super) fn write(&self, directory: &dyn Directory) -> io::Result<()> {
        let mut bytes = self.encode();
        bytes.extend_from_within(..);
        let file = directory.create(NEW)?;
        file.write(0, &bytes)?;
        file.sync()?;
        directory.rename(NEW, NAME)?;
        directory.sync()
    }

    fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(32 + FILE * self.files.len());
        body.extend(self.journal);
        body.extend(self.next.to_le_bytes());
        body.extend((self.files.len() as u64).to_le_bytes());
        for file in &self.files {
            body.extend(file.number.to_le_bytes());
            body.extend(file.capacity.to_le_bytes());
            body.extend(file.first.to_le_bytes());
            body.extend(file.last.unwrap_or(0).to_le_bytes());
        }
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend(MAGIC);
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend((body.len() as u32).to_le_bytes());
        bytes.extend(checksum(&bytes[..16]).to_le_bytes());
        bytes.extend(checksum(&body).to_le_bytes());
        bytes.extend(body);
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, ManifestError> {
        const DAMAGED: ManifestError = ManifestError::Damaged;
        let header = bytes.get(..HEADER).ok_or(DAMAGED)?;
        if header[..8] != MAGIC || u32_at(header, 16) != Some(checksum(&header[..16])) {
            return Err(DAMAGED);
        }
        match u32_at(header, 8) {
            Some(FORMAT) => {}
            other => return Err(ManifestError::Unknown(other.unwrap_or_default())),
        }
        let length = u32_at(header, 12).ok_or(DAMAGED)? as usize;
        let body = bytes[HEADER..].get(..length).ok_or(DAMAGED)?;
        if u32_at(header, 20) != Some(checksum(body)) {
            return Err(DAMAGED);
        }
        Self::decode_body(body).ok_or(DAMAGED)
    }

    fn decode_body(body: &[u8]) -> Option<Self> {
        let count = usize::try_from(u64_at(body, 24)?).ok()?;
        let files = body.get(32..)?;
        if files.len() != count.checked_mul(FILE)? {
            return None;
        }
        let files = files.chunks_exact(FILE).map(|file| {
            Some(LogFile {
                number: count_at(file, 0)?,
                capacity: count_at(file, 8).filter(|capacity| *capacity >= FILE_HEADER as u64)?,
                first: count_at(file, 16)?,
                last: Some(count_at(file, 24)?).filter(|last| *last != 0),
            })
        });
        Some(Self {
            journal: *body.first_chunk()?,
            next: count_at(body, 16)?,
            files: files.collect::<Option<_>>()?,
        })
    }
}

pub(super) fn read_file(directory: &dyn Directory, name: &str) -> io::Result<Vec<u8>> {
    let file = directory.open(name)?;
    let length = usize::try_from(file.length()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read(0, &mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let files = vec![
            LogFile { number: 3, capacity: 1 << 20, first: 40, last: Some(51) },
            LogFile { number: 5, capacity: 1 << 16, first: 60, last: None },
        ];
        Manifest { journal: [7; 16], next: 6, files }
    }

    #[test]
    fn no_flipped_bit_is_taken_for_good() {
        let good = manifest().encode();
        assert_eq!(Manifest::decode(&good).unwrap(), manifest());
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(Manifest::decode(&bad), Err(ManifestError::Damaged)), "bit {bit}");
        }
        assert!((0..good.len()).all(|length| Manifest::decode(&good[..length]).is_err()));
    }

    #[test]
    fn a_newer_version_is_told_from_damage() {
        let mut newer = manifest().encode();
        newer[8] = 2;
        let sum = checksum(&newer[..16]);
        newer[16..20].copy_from_slice(&sum.to_le_bytes());
        assert!(matches!(Manifest::decode(&newer), Err(ManifestError::Unknown(2))));
    }

    #[test]
    fn only_what_the_journal_names_is_a_log_file() {
        assert_eq!(log_number(&log_name(12)), Some(12));
        assert_eq!(log_number(&log_name(1_234_567_890)), Some(1_234_567_890));
        for other in ["12.log", "+0000012.log", "00000012.log.new", "MANIFEST"] {
            assert_eq!(log_number(other), None, "{other}");
        }
    }
}
