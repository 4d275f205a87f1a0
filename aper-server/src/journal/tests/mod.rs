//! The journal on a disk in memory.

mod damage;
mod faults;
mod golden;
mod promises;

use aper::journal::{Journal, JournalError, Position, Record, SessionKey, Snapshot};
use aper::protocol::Payload;
use aper::{ClientId, Epoch, Timestamp, Version};

use super::testing::{SimulatedDisk, Workload};
use super::{DiskJournal, Durability};

fn open(disk: &SimulatedDisk) -> DiskJournal {
    Workload::open(disk, Durability::Synced).unwrap()
}

fn key(name: &str) -> SessionKey {
    SessionKey { machine: "machine".into(), session: name.parse().unwrap() }
}

/// The record at a place, with its place in it.
fn record(place: u64) -> Record {
    Record::Left { client: ClientId(place), at: Timestamp::from_millis(place) }
}

fn snapshot(position: u64, bytes: usize) -> Snapshot {
    Snapshot {
        schema: 1,
        version: Version(0),
        position: Position(position),
        at: Timestamp::ZERO,
        timer: None,
        histories: Vec::new(),
        next_client: ClientId(1),
        clients: Vec::new(),
        state: Payload(vec![position as u8; bytes]),
    }
}

/// Appends `count` records after `after`.
async fn append(
    journal: &DiskJournal,
    key: &SessionKey,
    after: u64,
    count: u64,
) -> Result<(), JournalError> {
    let batch: Vec<Record> = (after + 1..=after + count).map(record).collect();
    journal.append(key, Position(after), Epoch(0), batch.into()).await
}

/// That the session has these records and no others.
async fn check(journal: &DiskJournal, key: &SessionKey, snapshot: Option<u64>, last: u64) {
    let recovered = journal.open(key).await.unwrap();
    assert_eq!(recovered.snapshot.map(|snapshot| snapshot.position.0), snapshot, "{key}");
    let records: Vec<Record> = (snapshot.unwrap_or(0) + 1..=last).map(record).collect();
    assert_eq!(recovered.records, records, "{key}");
}
