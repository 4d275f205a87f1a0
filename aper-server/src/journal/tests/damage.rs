//! What damage does, and to whom.

use std::collections::BTreeMap;

use aper::journal::{Journal, JournalError, SessionKey};

use super::{append, check, key, open, snapshot};
use crate::journal::testing::{SimulatedDisk, Workload};
use crate::journal::{Durability, Fault, OpenJournalError};

const LOG: &str = "00000001.log";

/// Where each batch begins in a log file.
fn batches(log: &[u8]) -> Vec<usize> {
    (64..log.len() - 4).step_by(8).filter(|at| log[*at..].starts_with(b"HEAD")).collect()
}

/// Three sessions, a batch for each, twice; and the bytes after a good end.
async fn three_sessions() -> (Vec<SessionKey>, BTreeMap<String, Vec<u8>>) {
    let disk = SimulatedDisk::new();
    let keys: Vec<_> = ["a", "b", "c"].map(key).into();
    let journal = open(&disk);
    for after in [0, 2] {
        for key in &keys {
            append(&journal, key, after, 2).await.unwrap();
        }
    }
    drop(journal);
    (keys, disk.contents())
}

fn corrupt(result: Result<impl Sized, JournalError>) -> String {
    match result {
        Err(JournalError::Corrupt { reason, .. }) => reason,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it can be read"),
    }
}

#[tokio::test]
async fn damage_in_the_middle_stops_its_session_and_leaves_the_files() {
    let (keys, mut contents) = three_sessions().await;
    let log = contents.get_mut(LOG).unwrap();
    // In the second session's first records.
    let middle = (batches(log)[1] + batches(log)[2]) / 2;
    log[middle] ^= 0x40;
    let damaged = log.clone();
    let disk = SimulatedDisk::with(&contents);
    let journal = open(&disk);
    assert!(corrupt(journal.peek(&keys[1]).await).contains(LOG));
    assert!(corrupt(journal.open(&keys[1]).await).contains(LOG));
    corrupt(append(&journal, &keys[1], 4, 1).await);
    corrupt(journal.store_snapshot(&keys[1], snapshot(4, 10)).await);
    for key in [&keys[0], &keys[2]] {
        check(&journal, key, None, 4).await;
        append(&journal, key, 4, 1).await.unwrap();
        check(&journal, key, None, 5).await;
    }
    drop(journal);
    let end = damaged.iter().rposition(|byte| *byte != 0).unwrap();
    assert_eq!(disk.contents()[LOG][..end], damaged[..end]);
    // And so the next time.
    corrupt(open(&disk.after_exit()).open(&keys[1]).await);
}

#[tokio::test]
async fn a_batch_that_is_gone_is_made_up_for_by_the_next_recap() {
    let (keys, mut contents) = three_sessions().await;
    let log = contents.get_mut(LOG).unwrap();
    let (begin, end) = (batches(log)[4], batches(log)[5]);
    log[begin..end].fill(0);
    let journal = open(&SimulatedDisk::with(&contents));
    corrupt(journal.open(&keys[1]).await);
    check(&journal, &keys[0], None, 4).await;
    check(&journal, &keys[2], None, 4).await;
    append(&journal, &key("new"), 0, 1).await.unwrap();
}

#[tokio::test]
async fn a_batch_that_nothing_makes_up_for_puts_all_in_doubt() {
    let (keys, mut contents) = three_sessions().await;
    let log = contents.get_mut(LOG).unwrap();
    // The recap too, as if the process had not ended in good order.
    let starts = batches(log);
    log[starts[6]..].fill(0);
    log[starts[3]..starts[4]].fill(0);
    let journal = open(&SimulatedDisk::with(&contents));
    for key in &keys {
        corrupt(journal.open(key).await);
    }
    corrupt(journal.open(&key("new")).await);
    corrupt(append(&journal, &key("new"), 0, 1).await);
}

#[tokio::test]
async fn a_torn_tail_is_cut_back_and_told() {
    let (keys, mut contents) = three_sessions().await;
    let log = contents.get_mut(LOG).unwrap();
    let starts = batches(log);
    log[starts[6]..].fill(0);
    // The head and half of what comes after it.
    let half = (starts[5] + starts[6]) / 2;
    log[half..].fill(0);
    let disk = SimulatedDisk::with(&contents);
    let journal = open(&disk);
    let [Fault::Torn { file, offset, sessions, .. }] = journal.faults() else {
        panic!("{:?}", journal.faults())
    };
    assert_eq!((file.as_str(), *offset), (LOG, starts[5] as u64));
    assert_eq!(*sessions, [keys[2].clone()]);
    check(&journal, &keys[2], None, 2).await;
    append(&journal, &keys[2], 2, 1).await.unwrap();
    drop(journal);
    let journal = open(&disk.after_exit());
    assert_eq!(journal.faults(), []);
    check(&journal, &keys[2], None, 3).await;
}

#[tokio::test]
async fn a_cut_in_the_end_of_the_last_batch_loses_nothing() {
    let (keys, mut contents) = three_sessions().await;
    let log = contents.get_mut(LOG).unwrap();
    let starts = batches(log);
    let foot = (starts[5]..starts[6]).rev().find(|at| log[*at..].starts_with(b"FOOT")).unwrap();
    // No multiple of 8.
    log.truncate(foot + 13);
    let disk = SimulatedDisk::with(&contents);
    let journal = open(&disk);
    assert!(journal.faults().iter().any(|fault| matches!(fault, Fault::Short { .. })));
    for key in &keys {
        check(&journal, key, None, 4).await;
        append(&journal, key, 4, 1).await.unwrap();
    }
    drop(journal);
    let journal = open(&disk.after_exit());
    assert_eq!(journal.faults(), [], "the end is where it was");
    for key in &keys {
        check(&journal, key, None, 5).await;
    }
}

#[tokio::test]
async fn a_snapshot_of_which_a_bit_flipped_is_not_replaced_by_an_earlier_one() {
    // It may have been of another schema.
    let disk = SimulatedDisk::new();
    let key = key("one");
    let journal = open(&disk);
    append(&journal, &key, 0, 2).await.unwrap();
    journal.store_snapshot(&key, snapshot(2, 100)).await.unwrap();
    journal.store_snapshot(&key, snapshot(2, 100)).await.unwrap();
    append(&journal, &key, 2, 1).await.unwrap();
    drop(journal);
    let mut contents = disk.contents();
    let log = contents.get_mut(LOG).unwrap();
    let middle = (batches(log)[2] + batches(log)[3]) / 2;
    log[middle] ^= 1;
    corrupt(open(&SimulatedDisk::with(&contents)).open(&key).await);
}

#[tokio::test]
async fn a_snapshots_file_that_is_damaged_or_gone_stops_its_session() {
    let disk = SimulatedDisk::new();
    let journal = open(&disk);
    for name in ["one", "other"] {
        journal.store_snapshot(&key(name), snapshot(0, 100_000)).await.unwrap();
    }
    drop(journal);
    let name = "00000001.snap";
    let mut flipped = disk.contents();
    flipped.get_mut(name).unwrap()[50_000] ^= 1;
    let mut gone = disk.contents();
    gone.remove(name);
    let mut cut = disk.contents();
    cut.get_mut(name).unwrap().truncate(40);
    // Whoever only looks is told, and stops nobody.
    let journal = open(&SimulatedDisk::with(&flipped));
    corrupt(journal.peek(&key("one")).await);
    append(&journal, &key("one"), 0, 1).await.unwrap();
    drop(journal);
    for contents in [flipped, gone, cut] {
        let journal = open(&SimulatedDisk::with(&contents));
        corrupt(journal.peek(&key("one")).await);
        corrupt(journal.open(&key("one")).await);
        check(&journal, &key("other"), Some(0), 0).await;
    }
}

#[tokio::test]
async fn a_log_file_that_is_gone_stops_those_who_were_in_it() {
    let disk = SimulatedDisk::new();
    let journal = open(&disk);
    append(&journal, &key("early"), 0, 1).await.unwrap();
    for round in 0..400 {
        append(&journal, &key("busy"), round * 100, 100).await.unwrap();
    }
    append(&journal, &key("late"), 0, 1).await.unwrap();
    drop(journal);
    let mut contents = disk.contents();
    contents.remove(LOG);
    let journal = open(&SimulatedDisk::with(&contents));
    corrupt(journal.open(&key("early")).await);
    corrupt(journal.open(&key("busy")).await);
    check(&journal, &key("late"), None, 1).await;
}

fn refusal(contents: &BTreeMap<String, Vec<u8>>) -> OpenJournalError {
    Workload::open(&SimulatedDisk::with(contents), Durability::Synced).unwrap_err()
}

#[tokio::test]
async fn a_newer_version_is_refused_and_left_alone() {
    let (_, mut contents) = three_sessions().await;
    let manifest = contents.get_mut("MANIFEST").unwrap();
    let half = manifest.len() / 2;
    for copy in [0, half] {
        manifest[copy + 8] = 2;
        let sum = crc32fast::hash(&manifest[copy..copy + 16]);
        manifest[copy + 16..copy + 20].copy_from_slice(&sum.to_le_bytes());
    }
    let error = refusal(&contents);
    assert!(matches!(error, OpenJournalError::Unknown { found: 2, .. }), "{error}");
    assert!(error.to_string().contains("version 2"), "{error}");
}

#[tokio::test]
async fn a_journal_without_a_manifest_or_its_newest_file_is_refused() {
    let (_, contents) = three_sessions().await;
    for missing in ["MANIFEST", LOG] {
        let mut contents = contents.clone();
        contents.remove(missing);
        let error = refusal(&contents);
        assert!(matches!(error, OpenJournalError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains(missing), "{error}");
    }
}

#[tokio::test]
async fn a_sync_that_failed_is_never_tried_again() {
    let disk = SimulatedDisk::new();
    let journal = open(&disk);
    let key = key("one");
    append(&journal, &key, 0, 1).await.unwrap();
    disk.fail_sync(1);
    for _ in 0..3 {
        let stopped = append(&journal, &key, 1, 1).await;
        assert!(matches!(stopped, Err(JournalError::Stopped { .. })), "{stopped:?}");
    }
    let stopped = journal.open(&key).await;
    assert!(matches!(stopped, Err(JournalError::Stopped { .. })), "{stopped:?}");
}
