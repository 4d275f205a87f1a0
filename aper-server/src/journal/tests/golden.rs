//! A journal of version 1 that has to open for ever. If this fails, what is on
//! people's disks cannot be read any more: give the format a new version, read
//! the old one too, and add another golden journal.
//!
//! `tests/golden/journal-1` was written by the test itself, once, with
//! `APER_GOLDEN=write` in the environment.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use aper::journal::{
    History, Journal, Position, Presence, Record, Recovered, RememberedClient, SessionKey, Snapshot,
};
use aper::protocol::{Entry, Payload, RefusalMessage, Rejection};
use aper::{ClientId, ClientSeq, Epoch, HistoryId, ResumeKey, Timestamp, UserId, Version};
use uuid::Uuid;

use super::{key, open};
use crate::journal::testing::SimulatedDisk;
use crate::journal::{DiskJournal, Durability, JournalFiles};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/journal-1")
}

/// One record of each kind.
fn records() -> Vec<Record> {
    let at = Timestamp::from_millis;
    let client = ClientId(1);
    let refused = |seq, refusal| Record::Refused {
        client,
        rejection: Rejection { seq: ClientSeq(seq), refusal },
    };
    vec![
        Record::Opened { history: HistoryId(Uuid::from_u128(0xa1)) },
        Record::Joined {
            client,
            key: ResumeKey(Uuid::from_u128(0x5ec7e7)),
            user: Some(UserId::new("ada")),
            at: at(1_700_000_000_000),
        },
        Record::Entry(Entry {
            version: Version(1),
            epoch: Epoch(0),
            client,
            seq: ClientSeq(1),
            at: at(1_700_000_000_001),
            user: Some(UserId::new("ada")),
            chance: Some([7; 16]),
            transition: Payload(b"a transition".to_vec()),
        }),
        refused(2, RefusalMessage::Conflict(Payload(b"a conflict".to_vec()))),
        refused(3, RefusalMessage::Panicked),
        Record::Left { client, at: at(1_700_000_000_002) },
    ]
}

fn snapshot(position: u64, state: Vec<u8>) -> Snapshot {
    Snapshot {
        schema: 3,
        version: Version(1),
        position: Position(position),
        at: Timestamp::from_millis(1_700_000_000_001),
        timer: Some(Timestamp::from_millis(1_800_000_000_000)),
        histories: vec![History { id: HistoryId(Uuid::from_u128(0xa1)), until: Version(1) }],
        next_client: ClientId(2),
        clients: vec![RememberedClient {
            client: ClientId(1),
            key: ResumeKey(Uuid::from_u128(0x5ec7e7)),
            user: None,
            last_seq: ClientSeq(3),
            refused: Vec::new(),
            last_seen: Timestamp::from_millis(1_700_000_000_002),
            presence: Presence::Away,
        }],
        state: Payload(state),
    }
}

/// What is in the golden journal.
fn sessions() -> Vec<(SessionKey, Recovered)> {
    let (all, none) = (records(), Vec::new());
    let last = all[5..].to_vec();
    vec![
        (key("records"), Recovered { snapshot: None, records: all }),
        (
            key("asleep"),
            Recovered { snapshot: Some(snapshot(6, b"state".to_vec())), records: none },
        ),
        (key("big"), Recovered { snapshot: Some(snapshot(5, vec![9; 70_000])), records: last }),
    ]
}

async fn write(directory: &Path) {
    let disk = SimulatedDisk::new();
    let journal = open(&disk);
    for (key, recovered) in sessions() {
        let (first, second) = (records()[..4].to_vec(), records()[4..].to_vec());
        journal.append(&key, Position(0), Epoch(0), first.into()).await.unwrap();
        journal.append(&key, Position(4), Epoch(0), second.into()).await.unwrap();
        if let Some(snapshot) = recovered.snapshot {
            journal.store_snapshot(&key, snapshot).await.unwrap();
        }
    }
    drop(journal);
    fs::create_dir_all(directory).unwrap();
    for (name, bytes) in disk.contents() {
        fs::write(directory.join(name), bytes).unwrap();
    }
}

fn files() -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(golden()).unwrap().map(|file| {
        let file = file.unwrap();
        (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())
    });
    files.collect()
}

#[tokio::test]
async fn version_1_opens_for_ever() {
    if std::env::var("APER_GOLDEN").is_ok_and(|what| what == "write") {
        write(&golden()).await;
    }
    let disk = SimulatedDisk::with(&files());
    let looked_at = JournalFiles::open_in(std::sync::Arc::new(disk.clone())).unwrap().unwrap();
    assert_eq!(looked_at.verify(), []);
    assert_eq!(looked_at.sessions().len(), 3);
    for (key, expected) in sessions() {
        assert_eq!(looked_at.read(&key).unwrap(), expected, "{key}");
    }
    // And on a real disk it goes on.
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in files() {
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    let journal = DiskJournal::open(directory.path(), Durability::Synced).unwrap();
    for (key, expected) in sessions() {
        assert_eq!(journal.open(&key).await.unwrap(), expected, "{key}");
        let left = Record::Left { client: ClientId(1), at: Timestamp::ZERO };
        journal.append(&key, Position(6), Epoch(0), [left].into()).await.unwrap();
        assert_eq!(journal.open(&key).await.unwrap().position(), Position(7));
    }
}
