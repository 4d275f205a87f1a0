//! Finds the batches in a log file's bytes, also behind a damaged place.

use super::format::{
    ALIGN, Directory, End, FILE_HEADER, FileId, Found, checksum, decode_directory,
};

/// What there is in one log file.
#[derive(Debug)]
pub(super) struct Scan {
    /// In the order in which they stand there.
    pub(super) batches: Vec<FoundBatch>,
    /// Bytes from the last batch on up to the last that is not zero: what was
    /// begun and not finished, or cannot be read.
    pub(super) rest: usize,
}

/// A batch of which a directory at least is undamaged.
#[derive(Debug)]
pub(super) struct FoundBatch {
    pub(super) directory: Directory,
    /// Where it begins in the file.
    pub(super) start: usize,
    /// Where the next one begins.
    pub(super) end: usize,
    /// Where each payload begins, and whether it is undamaged: in the order of
    /// the directory's entries.
    pub(super) payloads: Vec<(usize, Payload)>,
    /// What is wrong with it apart from its payloads, if anything.
    pub(super) directories: Directories,
}

/// Of a batch's two directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directories {
    Both,
    One,
}

/// What a checksum says of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payload {
    Whole,
    Damaged,
}

impl FoundBatch {
    /// Whether all that it carries can be read.
    pub(super) fn is_whole(&self) -> bool {
        self.payloads.iter().all(|(_, payload)| *payload == Payload::Whole)
    }

    /// Whether any bit of it is not as it was written.
    pub(super) fn is_damaged(&self) -> bool {
        !self.is_whole() || self.directories == Directories::One
    }
}

/// Reads a file's bytes. Cost: one pass over them.
pub(super) fn scan(file: FileId, bytes: &[u8]) -> Scan {
    let mut batches: Vec<FoundBatch> = Vec::new();
    let mut at = FILE_HEADER;
    while let Some((place, end, found)) = next_directory(file, bytes, at) {
        let start = match end {
            End::Head => place,
            // A foot without its head: the batch begins where that would be,
            // and that is not in a batch before.
            End::Foot => match place.checked_sub(found.payloads + found.bytes) {
                Some(start) if start >= at => start,
                _ => {
                    at = place + found.bytes;
                    continue;
                }
            },
        };
        let batch = examine(file, bytes, start, end, found);
        at = batch.end;
        batches.push(batch);
    }
    let end = batches.last().map_or(FILE_HEADER, |batch| batch.end);
    let rest = bytes.get(end..).unwrap_or_default();
    let rest = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    Scan { batches, rest }
}

/// The first undamaged directory from `at` on.
fn next_directory(file: FileId, bytes: &[u8], at: usize) -> Option<(usize, End, Found)> {
    (at..bytes.len()).step_by(ALIGN).find_map(|place| {
        let here = &bytes[place..];
        // Free space, most of all.
        if here.first() == Some(&0) {
            return None;
        }
        let either = |end| decode_directory(end, file, here).map(|found| (place, end, found));
        either(End::Head).or_else(|| either(End::Foot))
    })
}

fn examine(file: FileId, bytes: &[u8], start: usize, end: End, found: Found) -> FoundBatch {
    let foot = start + found.bytes + found.payloads;
    let directories = match end {
        End::Foot => Directories::One,
        End::Head => match bytes.get(foot..).and_then(|at| decode_directory(End::Foot, file, at)) {
            Some(other) if other.directory == found.directory => Directories::Both,
            _ => Directories::One,
        },
    };
    let mut place = start + found.bytes;
    let payloads = found.directory.entries.iter().map(|entry| {
        let at = place;
        let length = entry.length as usize;
        place += super::format::padded(length);
        let state = match bytes.get(at..at + length) {
            Some(payload) if checksum(payload) == entry.checksum => Payload::Whole,
            _ => Payload::Damaged,
        };
        (at, state)
    });
    FoundBatch {
        payloads: payloads.collect(),
        start,
        // Also where a file that was cut ends before: there it goes on.
        end: foot + found.bytes,
        directories,
        directory: found.directory,
    }
}
