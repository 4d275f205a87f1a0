//! What the journal promises when nothing goes wrong.

use std::time::Duration;

use aper::journal::{Journal, JournalError, Position, Snapshot};
use aper::{Epoch, Timestamp};
use futures::future::join_all;

use super::{append, check, key, open, record, snapshot};
use crate::journal::testing::{SimulatedDisk, Workload};
use crate::journal::{Durability, Exported, JournalFiles, OnExisting};

#[tokio::test]
async fn sessions_outlast_the_process() {
    let disk = SimulatedDisk::new();
    let (one, other) = (key("one"), key("other"));
    let journal = open(&disk);
    check(&journal, &one, None, 0).await;
    append(&journal, &one, 0, 2).await.unwrap();
    append(&journal, &other, 0, 1).await.unwrap();
    append(&journal, &one, 2, 3).await.unwrap();
    journal.store_snapshot(&one, snapshot(4, 10)).await.unwrap();
    check(&journal, &one, Some(4), 5).await;
    // Either end: without a farewell, and with one.
    for disk in [disk.after_exit(), {
        drop(journal);
        disk.after_exit()
    }] {
        let journal = open(&disk);
        assert_eq!(journal.faults(), []);
        check(&journal, &one, Some(4), 5).await;
        check(&journal, &other, None, 1).await;
        append(&journal, &one, 5, 1).await.unwrap();
        check(&journal, &one, Some(4), 6).await;
    }
}

#[tokio::test]
async fn who_peeks_sees_what_there_is_and_changes_nothing() {
    let disk = SimulatedDisk::new();
    let journal = open(&disk);
    let keys = ["cellar", "attic", "lobby"].map(key);
    for key in &keys {
        append(&journal, key, 0, 3).await.unwrap();
    }
    journal.store_snapshot(&keys[0], snapshot(2, 10)).await.unwrap();
    let before = disk.contents();
    assert_eq!(journal.peek(&key("missing")).await, Ok(None));
    for key in &keys {
        let opened = journal.open(key).await.unwrap();
        assert_eq!(journal.peek(key).await, Ok(Some(opened)));
    }
    let names = async |containing, after: Option<usize>, most| {
        let after = after.map(|index: usize| &keys[index]);
        let sessions = journal.sessions(containing, after, most).await.unwrap();
        sessions.iter().map(|key| key.session.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("", None, 9).await, ["attic", "cellar", "lobby"]);
    assert_eq!(names("", None, 2).await, ["attic", "cellar"]);
    assert_eq!(names("", Some(0), 2).await, ["lobby"]);
    assert_eq!(names("l", None, 9).await, ["cellar", "lobby"]);
    assert_eq!(names("machine/a", None, 9).await, ["attic"]);
    assert_eq!(disk.contents(), before);
    append(&journal, &keys[0], 3, 1).await.unwrap();
}

#[tokio::test]
async fn what_does_not_follow_is_refused() {
    let journal = open(&SimulatedDisk::new());
    let key = key("one");
    append(&journal, &key, 0, 2).await.unwrap();
    let wrong = append(&journal, &key, 1, 1).await;
    let (kept, after) = (Position(2), Position(1));
    assert_eq!(wrong, Err(JournalError::OutOfOrder { session: key.clone(), kept, after }));
    let early = journal.store_snapshot(&key, snapshot(3, 10)).await;
    assert!(matches!(early, Err(JournalError::OutOfOrder { .. })), "{early:?}");
    // An owner that has lost the session to a later one.
    let batch = || [record(3)].into();
    journal.append(&key, Position(2), Epoch(7), batch()).await.unwrap();
    let stale = journal.append(&key, Position(3), Epoch(6), batch()).await;
    assert_eq!(stale, Err(JournalError::Fenced { session: key }));
}

#[tokio::test]
async fn what_waits_together_is_synced_once() {
    let disk = SimulatedDisk::new();
    let journal = open(&disk);
    let (_, before) = disk.operations();
    let keys: Vec<_> = (0..200).map(|number| key(&format!("s{number}"))).collect();
    let appended = join_all(keys.iter().map(|key| append(&journal, key, 0, 1))).await;
    assert!(appended.iter().all(Result::is_ok));
    let (_, after) = disk.operations();
    // At worst the writer is as quick as they are asked for.
    assert!(after - before < 200, "{} syncs", after - before);
}

#[tokio::test]
async fn space_is_given_back() {
    let disk = SimulatedDisk::new();
    let journal = open(&disk);
    let (busy, asleep) = (key("busy"), key("asleep"));
    append(&journal, &asleep, 0, 3).await.unwrap();
    let mut most = 0;
    for round in 0..2000 {
        append(&journal, &busy, round * 20, 20).await.unwrap();
        if round % 10 == 9 {
            journal.store_snapshot(&busy, snapshot(round * 20 + 20, 1000)).await.unwrap();
        }
        most = most.max(disk.used());
    }
    assert!(most < 12 * 64 * 1024, "{most} bytes");
    check(&journal, &asleep, None, 3).await;
    drop(journal);
    let journal = open(&disk.after_exit());
    assert_eq!(journal.faults(), []);
    check(&journal, &asleep, None, 3).await;
    check(&journal, &busy, Some(40_000), 40_000).await;
}

#[tokio::test]
async fn a_big_snapshot_has_a_file_and_the_one_before_has_none() {
    let disk = SimulatedDisk::new();
    let journal = open(&disk);
    let key = key("one");
    append(&journal, &key, 0, 3).await.unwrap();
    for position in 1..=3 {
        journal.store_snapshot(&key, snapshot(position, 200_000)).await.unwrap();
        check(&journal, &key, Some(position), 3).await;
    }
    drop(journal);
    let files = disk.contents().into_keys().filter(|name| name.ends_with(".snap")).count();
    assert_eq!(files, 1);
    check(&open(&disk.after_exit()), &key, Some(3), 3).await;
}

#[tokio::test]
async fn a_snapshot_that_was_overtaken_changes_nothing() {
    let journal = open(&SimulatedDisk::new());
    let key = key("one");
    append(&journal, &key, 0, 5).await.unwrap();
    journal.store_snapshot(&key, snapshot(4, 10)).await.unwrap();
    journal.store_snapshot(&key, snapshot(2, 10)).await.unwrap();
    check(&journal, &key, Some(4), 5).await;
}

#[tokio::test]
async fn of_two_snapshots_of_the_same_records_the_later_counts() {
    let disk = SimulatedDisk::new();
    let journal = open(&disk);
    let key = key("one");
    append(&journal, &key, 0, 5).await.unwrap();
    journal.store_snapshot(&key, snapshot(5, 10)).await.unwrap();
    let migrated = Snapshot { schema: 2, ..snapshot(5, 10) };
    journal.store_snapshot(&key, migrated.clone()).await.unwrap();
    drop(journal);
    let recovered = open(&disk.after_exit()).open(&key).await.unwrap();
    assert_eq!(recovered.snapshot, Some(migrated));
}

#[tokio::test]
async fn alarms_are_of_timers_and_of_what_no_snapshot_has() {
    let disk = SimulatedDisk::new();
    let journal = open(&disk);
    let due = Timestamp::from_millis(77);
    for (name, timer) in [("timer", Some(due)), ("quiet", None), ("busy", Some(due))] {
        let snapshot = Snapshot { timer, ..snapshot(0, 10) };
        journal.store_snapshot(&key(name), snapshot).await.unwrap();
    }
    append(&journal, &key("busy"), 0, 1).await.unwrap();
    append(&journal, &key("new"), 0, 1).await.unwrap();
    drop(journal);
    let mut alarms = open(&disk.after_exit()).alarms().await.unwrap();
    alarms.sort();
    let zero = Timestamp::ZERO;
    assert_eq!(alarms, [(key("busy"), zero), (key("new"), zero), (key("timer"), due)]);
}

#[tokio::test]
async fn with_an_interval_it_syncs_by_itself() {
    let disk = SimulatedDisk::new();
    let interval = Duration::from_millis(1);
    let journal = Workload::open(&disk, Durability::Interval(interval)).unwrap();
    let (_, before) = disk.operations();
    append(&journal, &key("one"), 0, 1).await.unwrap();
    while disk.operations().1 == before {
        tokio::task::yield_now().await;
    }
    check(&open(&disk.after_power_failure(1)), &key("one"), None, 1).await;
}

#[tokio::test]
async fn a_session_is_taken_out_and_in() {
    let (disk, other_disk) = (SimulatedDisk::new(), SimulatedDisk::new());
    let (one, copy) = (key("one"), key("copy"));
    let journal = open(&disk);
    append(&journal, &one, 0, 5).await.unwrap();
    journal.store_snapshot(&one, snapshot(3, 10)).await.unwrap();
    drop(journal);
    let files = JournalFiles::open_in(std::sync::Arc::new(disk)).unwrap().unwrap();
    let recovered = files.read(&one).unwrap();
    let bytes = Exported { key: one, recovered }.encode().unwrap();

    let journal = open(&other_disk);
    let exported = || Exported { key: copy.clone(), ..Exported::decode(&bytes).unwrap() };
    journal.import(exported(), OnExisting::Refuse).await.unwrap();
    append(&journal, &copy, 5, 4).await.unwrap();
    journal.store_snapshot(&copy, snapshot(9, 10)).await.unwrap();
    assert!(journal.import(exported(), OnExisting::Refuse).await.is_err());
    journal.import(exported(), OnExisting::Replace).await.unwrap();
    check(&journal, &copy, Some(3), 5).await;
    append(&journal, &copy, 5, 1).await.unwrap();
    drop(journal);
    check(&open(&other_disk.after_exit()), &copy, Some(3), 6).await;
}

#[test]
fn what_is_no_exported_session_is_none() {
    let recovered = aper::journal::Recovered::default();
    let good = Exported { key: key("one"), recovered }.encode().unwrap();
    for length in 0..good.len() {
        assert!(Exported::decode(&good[..length]).is_err());
    }
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(Exported::decode(&bad).is_err(), "bit {bit}");
    }
}
