//! A journal's files, after something was done to them.

use std::collections::BTreeMap;

use aper::journal::{Journal, Record, SessionKey};
use aper::{ClientId, Epoch, Timestamp};
use aper_server::journal::testing::campaign::journal_of;
use aper_server::journal::testing::{SimulatedDisk, Verdict, Workload};
use aper_server::journal::{DiskJournal, Durability};
use arbitrary::{Result, Unstructured};
use futures::executor::block_on;

use crate::server::near;

type Files = BTreeMap<String, Vec<u8>>;

thread_local! {
    /// What is damaged: made once, and never changed.
    static SOUND: (Workload, Files) = journal_of(4_000);
}

/// Does something to a journal's files and opens it, as `u` would have it.
///
/// # Panics
///
/// When the journal does, or tells what it was never given, or says nothing of
/// what is gone.
///
/// # Errors
///
/// When the input has come to its end.
pub fn play(u: &mut Unstructured<'_>) -> Result<()> {
    SOUND.with(|(workload, files)| {
        let mut files = files.clone();
        match u.int_in_range(0..=2)? {
            0 => {
                for _ in 0..u.int_in_range(1..=6)? {
                    flip(&mut files, u)?;
                }
                let verdict = workload.judge(&SimulatedDisk::with(&files));
                let is_told = matches!(verdict, Verdict::Whole | Verdict::Reported { .. });
                assert!(is_told, "{verdict:?}");
            }
            1 => {
                for _ in 0..u.int_in_range(1..=3)? {
                    rearrange(&mut files, u)?;
                }
                // A disk that loses its newest bytes as a whole is none that
                // anybody could notice.
                let verdict = workload.judge(&SimulatedDisk::with(&files));
                assert!(verdict != Verdict::Undetected, "{verdict:?}");
            }
            _ => {
                for _ in 0..u.int_in_range(1..=4)? {
                    forge(&mut files, u)?;
                }
                seal(&mut files);
            }
        }
        let disk = SimulatedDisk::with(&files);
        if let Ok(journal) = Workload::open(&disk, Durability::Synced) {
            block_on(work(&journal));
        }
        Ok(())
    })
}

/// What a server does. It may be refused.
async fn work(journal: &DiskJournal) {
    let _when = journal.alarms().await;
    for session in ["session-0", "session-1", "session-2", "new"] {
        let session = session.parse().expect("that is a name");
        let key = SessionKey { machine: "machine".into(), session };
        let Ok(recovered) = journal.open(&key).await else { continue };
        let after = recovered.position();
        let left = Record::Left { client: ClientId(1), at: Timestamp::ZERO };
        if journal.append(&key, after, Epoch(0), [left.clone()].into()).await.is_ok() {
            let again = journal.open(&key).await.expect("it was appended to");
            assert_eq!(again.records.last(), Some(&left));
        }
    }
}

fn file<'a>(files: &'a mut Files, u: &mut Unstructured<'_>) -> Result<&'a mut Vec<u8>> {
    let name = u.choose_index(files.len())?;
    Ok(files.values_mut().nth(name).expect("there are so many"))
}

/// Somewhere in what is used of a file, or a little behind it.
fn place(bytes: &[u8], u: &mut Unstructured<'_>) -> Result<usize> {
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    u.int_in_range(0..=used + 16)
}

fn flip(files: &mut Files, u: &mut Unstructured<'_>) -> Result<()> {
    let bytes = file(files, u)?;
    let place = place(bytes, u)?;
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1 << u.int_in_range(0..=7)?;
    }
    Ok(())
}

fn rearrange(files: &mut Files, u: &mut Unstructured<'_>) -> Result<()> {
    match u.int_in_range(0..=3)? {
        0 => {
            let name = u.choose_index(files.len())?;
            let name = files.keys().nth(name).expect("there are so many").clone();
            files.remove(&name);
            if files.is_empty() {
                files.insert("other".to_owned(), Vec::new());
            }
        }
        1 => {
            let bytes = file(files, u)?;
            let place = place(bytes, u)?;
            bytes.truncate(place);
        }
        2 => {
            let bytes = file(files, u)?;
            let (from, to) = (place(bytes, u)?, place(bytes, u)?);
            let length = u.int_in_range(0..=512)?;
            let end = (from + length).min(bytes.len());
            let copied = bytes.get(from..end).unwrap_or_default().to_vec();
            bytes.iter_mut().skip(to).zip(copied).for_each(|(byte, copy)| *byte = copy);
        }
        _ => {
            let bytes = file(files, u)?;
            let from = place(bytes, u)?;
            let length = u.int_in_range(0..=512)?;
            bytes.iter_mut().skip(from).take(length).for_each(|byte| *byte = 0);
        }
    }
    Ok(())
}

/// Another number in a place where one may be.
fn forge(files: &mut Files, u: &mut Unstructured<'_>) -> Result<()> {
    let bytes = file(files, u)?;
    let place = place(bytes, u)? / 4 * 4;
    if u.arbitrary()? {
        if let Some(number) = bytes.get_mut(place..).and_then(|rest| rest.first_chunk_mut::<8>()) {
            *number = near(u, u64::from_le_bytes(*number))?.to_le_bytes();
        }
    } else if let Some(number) = bytes.get_mut(place..).and_then(|rest| rest.first_chunk_mut()) {
        *number = (near(u, u32::from_le_bytes(*number).into())? as u32).to_le_bytes();
    }
    Ok(())
}

/// Makes all checksums right, so that the numbers are believed: those of
/// `docs/JOURNAL.md`.
fn seal(files: &mut Files) {
    let Some(manifest) = files.get_mut("MANIFEST") else { return };
    let half = manifest.len() / 2;
    manifest.chunks_mut(half.max(1)).for_each(seal_manifest);
    let Some(journal) = manifest.get(24..40).map(<[u8]>::to_vec) else { return };
    for (name, bytes) in files {
        let number = name.strip_suffix(".log").and_then(|digits| digits.parse::<u64>().ok());
        if let Some(number) = number {
            seal_log(bytes, &journal, number);
        }
    }
}

fn seal_manifest(half: &mut [u8]) {
    let Some((header, body)) = half.split_at_mut_checked(24) else { return };
    let length = u32_at(header, 12).min(body.len());
    let sum = crc32fast::hash(&header[..16]).to_le_bytes();
    header[16..20].copy_from_slice(&sum);
    header[20..24].copy_from_slice(&crc32fast::hash(&body[..length]).to_le_bytes());
}

fn seal_log(bytes: &mut [u8], journal: &[u8], number: u64) {
    for place in (64..bytes.len()).step_by(8) {
        let magic = bytes[place..].starts_with(b"HEAD") || bytes[place..].starts_with(b"FOOT");
        if !magic || bytes.len() - place < 40 {
            continue;
        }
        let length = (40 + u32_at(bytes, place + 32)).next_multiple_of(8);
        if place + length > bytes.len() {
            continue;
        }
        if bytes[place..].starts_with(b"HEAD") {
            seal_payloads(bytes, place, place + length);
        }
        let directory = &mut bytes[place..place + length];
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(journal);
        hasher.update(&number.to_le_bytes());
        hasher.update(&directory[..4]);
        hasher.update(&directory[8..]);
        let sum = hasher.finalize().to_le_bytes();
        directory[4..8].copy_from_slice(&sum);
    }
}

/// The checksums of what follows a head, in its entries.
fn seal_payloads(bytes: &mut [u8], head: usize, mut payload: usize) {
    let (mut entry, end) = (head + 40, payload);
    while entry + 48 <= end {
        let names = usize::from(bytes[entry + 2]) + usize::from(bytes[entry + 3]);
        let length = u32_at(bytes, entry + 4);
        let Some(content) = bytes.get(payload..payload.saturating_add(length)) else { return };
        let sum = crc32fast::hash(content).to_le_bytes();
        bytes[entry + 8..entry + 12].copy_from_slice(&sum);
        payload += length.next_multiple_of(8);
        entry += 48 + names;
    }
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    let number = bytes.get(at..).and_then(|rest| rest.first_chunk()).copied();
    u32::from_le_bytes(number.unwrap_or_default()) as usize
}
