//! The bytes of a log file: a header, and after it batches, one for each sync.
//!
//! A batch is its directory, its payloads, and its directory once more:
//!
//! ```text
//! ┌──────┬─────────┬─────────┬───┬──────┐
//! │ HEAD │ payload │ payload │ … │ FOOT │   every part padded to 8 bytes
//! └──────┴─────────┴─────────┴───┴──────┘
//! ```
//!
//! The directory tells what each payload is and whose, with its checksum. It
//! is there twice so that one damaged place never hides *which* session it
//! belongs to. Checksums of directories begin with the journal's identity and
//! the file's number: bytes of another file, or left from another time, are no
//! batch of this one.

use std::sync::Arc;

use aper::journal::SessionKey;

/// Bytes of a log file's header.
pub(super) const FILE_HEADER: usize = 64;
/// Bytes of a directory before its entries.
const DIRECTORY_HEADER: usize = 40;
/// Bytes of an entry before the names.
const ENTRY_HEADER: usize = 48;
/// Everything begins at a multiple of this.
pub(super) const ALIGN: usize = 8;

const FILE_MAGIC: [u8; 8] = *b"APERLOG\0";
const HEAD: u32 = u32::from_le_bytes(*b"HEAD");
const FOOT: u32 = u32::from_le_bytes(*b"FOOT");

/// The identity that a journal gets when it is made.
pub(super) type JournalId = [u8; 16];

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Records of a session that were appended together.
    Records = 1,
    /// A session's snapshot.
    Snapshot = 2,
    /// Where the file with a session's snapshot is.
    SnapshotFile = 3,
    /// Which sessions the batches before this one touched.
    Recap = 4,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        [Self::Records, Self::Snapshot, Self::SnapshotFile, Self::Recap]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// How a payload came into its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It was new.
    New,
    /// It was carried over from a file that was to be removed.
    Moved,
}

/// What the directory says of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) origin: Origin,
    /// Whose. A recap belongs to nobody, and has none.
    pub(super) key: Option<SessionKey>,
    /// Which life of the session: one more each time it was replaced whole.
    pub(super) life: u32,
    pub(super) epoch: u64,
    /// Of records: the first one's place; of a snapshot: what it contains.
    pub(super) position: u64,
    /// How many records.
    pub(super) count: u32,
    /// When the session's earliest timer is due, in milliseconds since 1970.
    pub(super) timer: Option<u64>,
    pub(super) length: u32,
    pub(super) checksum: u32,
}

impl Entry {
    /// The place of the last record that the payload has.
    pub(super) fn last(&self) -> u64 {
        match self.kind {
            Kind::Records => self.position + u64::from(self.count) - 1,
            _ => self.position,
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let (machine, session) =
            self.key.as_ref().map_or(("", ""), |key| (&*key.machine, key.session.as_str()));
        out.push(self.kind as u8);
        out.push(u8::from(self.origin == Origin::Moved));
        // Longer names are turned away before they come here.
        out.push(u8::try_from(machine.len()).unwrap_or(u8::MAX));
        out.push(u8::try_from(session.len()).unwrap_or(u8::MAX));
        out.extend(self.length.to_le_bytes());
        out.extend(self.checksum.to_le_bytes());
        out.extend(self.life.to_le_bytes());
        out.extend(self.epoch.to_le_bytes());
        out.extend(self.position.to_le_bytes());
        out.extend(self.timer.unwrap_or(u64::MAX).to_le_bytes());
        out.extend(self.count.to_le_bytes());
        out.extend([0; 4]);
        out.extend(machine.as_bytes());
        out.extend(session.as_bytes());
    }

    /// The first of these bytes as an entry, and what follows it.
    fn decode(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (header, rest) = bytes.split_at_checked(ENTRY_HEADER)?;
        let [kind, moved, machine, session] = *header.first_chunk()?;
        let (machine, rest) = rest.split_at_checked(machine.into())?;
        let (session, rest) = rest.split_at_checked(session.into())?;
        let key = if machine.is_empty() && session.is_empty() {
            None
        } else {
            let machine: Arc<str> = std::str::from_utf8(machine).ok()?.into();
            Some(SessionKey { machine, session: std::str::from_utf8(session).ok()?.parse().ok()? })
        };
        let kind = Kind::of(kind)?;
        let entry = Self {
            kind,
            origin: if moved == 0 { Origin::New } else { Origin::Moved },
            key,
            length: u32_at(header, 4)?,
            checksum: u32_at(header, 8)?,
            life: u32_at(header, 12).filter(|life| *life <= u32::MAX / 2)?,
            epoch: count_at(header, 16)?,
            position: count_at(header, 24)?,
            timer: u64_at(header, 32).filter(|timer| *timer != u64::MAX),
            count: u32_at(header, 40)?,
        };
        // The first record of a session is its first.
        let plausible = (kind == Kind::Recap) == entry.key.is_none()
            && (kind != Kind::Records || entry.position > 0);
        plausible.then_some((entry, rest))
    }
}

/// What is written with one sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directory {
    /// The batch's number: counted through all files, from 1.
    pub(super) seq: u64,
    /// The last batch that was known to be synced when this one was written.
    pub(super) durable: u64,
    pub(super) entries: Vec<Entry>,
}

/// Which file's bytes these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    pub(super) journal: JournalId,
    pub(super) number: u64,
}

/// Bytes that a batch of such entries takes in its file.
pub(super) fn batch_bytes<'a>(entries: impl Iterator<Item = &'a Entry>) -> usize {
    let (mut directory, mut payloads) = (DIRECTORY_HEADER, 0);
    for entry in entries {
        directory += entry_bytes(entry);
        payloads += padded(entry.length as usize);
    }
    2 * padded(directory) + payloads
}

fn entry_bytes(entry: &Entry) -> usize {
    let names = entry.key.as_ref().map_or(0, |key| key.machine.len() + key.session.as_str().len());
    ENTRY_HEADER + names
}

/// A batch's bytes, and where in them each payload begins. `payloads` are in
/// the order of the entries.
pub(super) fn encode_batch(
    file: FileId,
    directory: &Directory,
    payloads: &[&[u8]],
) -> (Vec<u8>, Vec<usize>) {
    let head = encode_directory(HEAD, file, directory);
    let mut bytes = head;
    bytes.reserve(batch_bytes(directory.entries.iter()));
    let mut places = Vec::with_capacity(payloads.len());
    for payload in payloads {
        places.push(bytes.len());
        bytes.extend_from_slice(payload);
        bytes.resize(padded(bytes.len()), 0);
    }
    bytes.extend(encode_directory(FOOT, file, directory));
    (bytes, places)
}

/// Either end of a batch alone: to be put in its place again.
pub(super) fn encode_end(end: End, file: FileId, directory: &Directory) -> Vec<u8> {
    encode_directory(end.magic(), file, directory)
}

fn encode_directory(magic: u32, file: FileId, directory: &Directory) -> Vec<u8> {
    let mut entries = Vec::new();
    directory.entries.iter().for_each(|entry| entry.encode(&mut entries));
    let payloads: usize = directory.entries.iter().map(|entry| padded(entry.length as usize)).sum();
    let mut bytes = Vec::with_capacity(padded(DIRECTORY_HEADER + entries.len()));
    bytes.extend(magic.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(directory.seq.to_le_bytes());
    bytes.extend(directory.durable.to_le_bytes());
    bytes.extend((payloads as u64).to_le_bytes());
    bytes.extend((entries.len() as u32).to_le_bytes());
    bytes.extend((directory.entries.len() as u32).to_le_bytes());
    bytes.extend(entries);
    bytes.resize(padded(bytes.len()), 0);
    let checksum = seal(file, &bytes);
    bytes[4..8].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Either of a batch's two directories, as it was found.
pub(super) struct Found {
    pub(super) directory: Directory,
    /// Bytes of the directory itself.
    pub(super) bytes: usize,
    /// Bytes of the payloads, with what pads them.
    pub(super) payloads: usize,
}

/// Which of a batch's directories to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Head,
    Foot,
}

impl End {
    fn magic(self) -> u32 {
        match self {
            Self::Head => HEAD,
            Self::Foot => FOOT,
        }
    }
}

/// The directory that begins at the first of these bytes, if a whole and
/// undamaged one does.
pub(super) fn decode_directory(end: End, file: FileId, bytes: &[u8]) -> Option<Found> {
    if u32_at(bytes, 0)? != end.magic() {
        return None;
    }
    let checksum = u32_at(bytes, 4)?;
    let payloads = usize::try_from(u64_at(bytes, 24)?).ok()?;
    let length = padded(DIRECTORY_HEADER.checked_add(u32_at(bytes, 32)? as usize)?);
    let count = u32_at(bytes, 36)? as usize;
    let whole = bytes.get(..length)?;
    if seal(file, whole) != checksum {
        return None;
    }
    let directory = Directory {
        seq: count_at(whole, 8)?,
        durable: count_at(whole, 16)?,
        entries: decode_entries(&whole[DIRECTORY_HEADER..], count)?,
    };
    let sum: usize = directory.entries.iter().map(|entry| padded(entry.length as usize)).sum();
    (sum == payloads).then_some(Found { directory, bytes: length, payloads })
}

fn decode_entries(mut bytes: &[u8], count: usize) -> Option<Vec<Entry>> {
    // A count that the bytes cannot hold runs out of them.
    let mut entries = Vec::new();
    for _ in 0..count {
        let (entry, rest) = Entry::decode(bytes)?;
        entries.push(entry);
        bytes = rest;
    }
    Some(entries)
}

/// The checksum of a directory: of all its bytes but the checksum's own.
fn seal(file: FileId, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&file.journal);
    hasher.update(&file.number.to_le_bytes());
    hasher.update(&bytes[..4]);
    hasher.update(&bytes[8..]);
    hasher.finalize()
}

/// The checksum of a payload.
pub(super) fn checksum(payload: &[u8]) -> u32 {
    crc32fast::hash(payload)
}

/// The header of a log file. It is for whoever finds the file alone: what the
/// journal relies on is in the manifest.
pub(super) fn file_header(file: FileId, capacity: u64) -> [u8; FILE_HEADER] {
    let mut header = [0; FILE_HEADER];
    header[..8].copy_from_slice(&FILE_MAGIC);
    header[8..12].copy_from_slice(&super::manifest::FORMAT.to_le_bytes());
    header[16..32].copy_from_slice(&file.journal);
    header[32..40].copy_from_slice(&file.number.to_le_bytes());
    header[40..48].copy_from_slice(&capacity.to_le_bytes());
    let checksum = checksum(&header[..60]);
    header[60..].copy_from_slice(&checksum.to_le_bytes());
    header
}

pub(super) fn padded(length: usize) -> usize {
    length.next_multiple_of(ALIGN)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.first_chunk().copied().map(u32::from_le_bytes)
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.first_chunk().copied().map(u64::from_le_bytes)
}

/// A number that was counted up one by one. One that nobody can have got to is
/// none, so that there is always a next.
pub(super) fn count_at(bytes: &[u8], at: usize) -> Option<u64> {
    u64_at(bytes, at).filter(|number| *number <= u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: FileId = FileId { journal: *b"0123456789abcdef", number: 3 };

    fn directory() -> (Directory, Vec<u8>) {
        let payload = b"a payload of some length".to_vec();
        let key = SessionKey { machine: "counter".into(), session: "lobby".parse().unwrap() };
        let entry = Entry {
            kind: Kind::Records,
            origin: Origin::New,
            key: Some(key),
            life: 1,
            epoch: 0,
            position: 5,
            count: 3,
            timer: None,
            length: payload.len() as u32,
            checksum: checksum(&payload),
        };
        (Directory { seq: 9, durable: 8, entries: vec![entry] }, payload)
    }

    #[test]
    fn a_batch_is_read_from_either_end() {
        let (directory, payload) = directory();
        let (bytes, places) = encode_batch(FILE, &directory, &[&payload]);
        assert_eq!(bytes.len(), batch_bytes(directory.entries.iter()));
        assert_eq!(&bytes[places[0]..][..payload.len()], payload);
        let head = decode_directory(End::Head, FILE, &bytes).unwrap();
        assert_eq!(head.directory, directory);
        let foot = &bytes[head.bytes + head.payloads..];
        assert_eq!(decode_directory(End::Foot, FILE, foot).unwrap().directory, directory);
        assert!(decode_directory(End::Foot, FILE, &bytes).is_none());
    }

    #[test]
    fn a_number_that_nobody_counted_to_is_not_taken() {
        let (good, _) = directory();
        let taken = |forged: &Directory| {
            decode_directory(End::Head, FILE, &encode_directory(HEAD, FILE, forged)).is_some()
        };
        assert!(taken(&good));
        let forgeries: [fn(&mut Directory); 7] = [
            |it| it.seq = u64::MAX,
            |it| it.durable = u64::MAX,
            |it| it.entries[0].position = u64::MAX,
            |it| it.entries[0].position = 0,
            |it| it.entries[0].epoch = u64::MAX,
            |it| it.entries[0].life = u32::MAX,
            |it| it.entries[0].key = None,
        ];
        for (number, forge) in forgeries.into_iter().enumerate() {
            let mut forged = good.clone();
            forge(&mut forged);
            assert!(!taken(&forged), "forgery {number}");
        }
    }

    #[test]
    fn no_flipped_bit_in_a_directory_is_taken_for_good() {
        let (directory, _) = directory();
        let good = encode_directory(HEAD, FILE, &directory);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(decode_directory(End::Head, FILE, &bad).is_none(), "bit {bit}");
        }
        for length in 0..good.len() {
            assert!(decode_directory(End::Head, FILE, &good[..length]).is_none());
        }
        let other = FileId { number: 4, ..FILE };
        assert!(decode_directory(End::Head, other, &good).is_none(), "another file's bytes");
    }
}
