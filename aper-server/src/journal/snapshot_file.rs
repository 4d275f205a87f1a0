//! Snapshots that are too big for the log: each in a file of its own, which the
//! log refers to once it is whole.

use std::io;

use super::format::{JournalId, Kind, checksum, u32_at, u64_at};
use super::manifest::{FORMAT, read_file};
use super::storage::Directory;

/// Encoded snapshots up to this many bytes are in the log.
pub(super) const IN_LOG_BYTES: usize = 64 * 1024;

const HEADER: usize = 64;
const MAGIC: [u8; 8] = *b"APERSNAP";
/// Written and synced so many bytes at a time, so that the log's own syncs
/// never wait for a whole big file.
const PIECE: usize = 4 << 20;

/// What the log says of such a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) number: u64,
    /// Bytes of the encoded snapshot.
    pub(super) length: u64,
    pub(super) checksum: u32,
}

impl Reference {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(24);
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.length.to_le_bytes());
        bytes.extend(self.checksum.to_le_bytes());
        bytes.extend([0; 4]);
        bytes
    }

    /// In the payload of an entry of this kind.
    pub(super) fn of(kind: Kind, payload: &[u8]) -> Option<Self> {
        if kind == Kind::SnapshotFile { Self::decode(payload) } else { None }
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            number: u64_at(bytes, 0)?,
            length: u64_at(bytes, 8)?,
            checksum: u32_at(bytes, 16)?,
        })
    }
}

/// The name of a snapshot's file.
pub(super) fn name(number: u64) -> String {
    format!("{number:08}.snap")
}

/// The number in the name of a snapshot's file, finished or not.
pub(super) fn snapshot_number(file: &str) -> Option<u64> {
    let finished = file.strip_suffix(".new").unwrap_or(file);
    let number = finished.strip_suffix(".snap")?.parse().ok()?;
    (name(number) == finished && number <= u64::MAX / 2).then_some(number)
}

/// Writes a snapshot's file. When it is done, the file survives a power
/// failure; after an error there is none.
pub(super) fn write(
    directory: &dyn Directory,
    journal: JournalId,
    number: u64,
    content: &[u8],
) -> io::Result<Reference> {
    let (unfinished, finished) = (format!("{}.new", name(number)), name(number));
    let reference = Reference { number, length: content.len() as u64, checksum: checksum(content) };
    let written = write_whole(directory, &unfinished, journal, reference, content)
        .and_then(|()| directory.rename(&unfinished, &finished))
        .and_then(|()| directory.sync());
    if written.is_err() {
        // What stays is removed when the journal is opened the next time.
        let _ = directory.remove(&unfinished).and_then(|()| directory.remove(&finished));
    }
    written.map(|()| reference)
}

fn write_whole(
    directory: &dyn Directory,
    unfinished: &str,
    journal: JournalId,
    reference: Reference,
    content: &[u8],
) -> io::Result<()> {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    header[16..32].copy_from_slice(&journal);
    header[32..40].copy_from_slice(&reference.number.to_le_bytes());
    header[40..48].copy_from_slice(&reference.length.to_le_bytes());
    header[48..52].copy_from_slice(&reference.checksum.to_le_bytes());
    let sum = checksum(&header[..60]);
    header[60..].copy_from_slice(&sum.to_le_bytes());
    let file = directory.create(unfinished)?;
    file.write(0, &header)?;
    let mut offset = HEADER as u64;
    for piece in content.chunks(PIECE) {
        file.write(offset, piece)?;
        file.sync()?;
        offset += piece.len() as u64;
    }
    Ok(())
}

/// Reads a snapshot's file.
pub(super) fn read(directory: &dyn Directory, reference: Reference) -> io::Result<Vec<u8>> {
    let mut bytes = read_file(directory, &name(reference.number))?;
    if bytes.len() < HEADER {
        return Err(damaged("it was cut"));
    }
    bytes.drain(..HEADER);
    if bytes.len() as u64 != reference.length {
        return Err(damaged("it is not as long as it was made"));
    }
    if checksum(&bytes) != reference.checksum {
        return Err(damaged("it is damaged"));
    }
    Ok(bytes)
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
