//! A journal that remembers every entry that it was ever given.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aper::journal::{
    Batch, Journal, JournalError, MemoryJournal, Position, Record, Recovered, SessionKey, Snapshot,
};
use aper::protocol::decode;
use aper::{ClientId, ClientSeq, Epoch, Timestamp};
use counter::Transition;
use futures::future::BoxFuture;

#[derive(Debug, Default)]
pub(super) struct Witness {
    journal: MemoryJournal,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// How often.
    entries: BTreeMap<(ClientId, ClientSeq), u64>,
    /// What all of them come to.
    sum: i64,
}

impl Witness {
    /// How many entries there are.
    pub(super) fn entries(&self) -> u64 {
        self.lock().entries.values().sum()
    }

    /// How many there are of a client.
    pub(super) fn of(&self, client: ClientId) -> u64 {
        self.count(|it| it == client)
    }

    /// How many there are of all others than these.
    pub(super) fn of_others(&self, clients: &[ClientId]) -> u64 {
        self.count(|it| !clients.contains(&it))
    }

    /// How many are there that were there already.
    pub(super) fn repeated(&self) -> u64 {
        self.lock().entries.values().map(|times| times - 1).sum()
    }

    /// What the counter must show that began with `start`.
    pub(super) fn value(&self, start: u32) -> i64 {
        i64::from(start) + self.lock().sum
    }

    /// Each counts once here: what was repeated is counted apart.
    fn count(&self, is_meant: impl Fn(ClientId) -> bool) -> u64 {
        self.lock().entries.keys().filter(|(client, _)| is_meant(*client)).count() as u64
    }

    fn saw(&self, record: &Record) {
        let Record::Entry(entry) = record else { return };
        let mut seen = self.lock();
        *seen.entries.entry((entry.client, entry.seq)).or_default() += 1;
        seen.sum += match decode(&entry.transition.0) {
            Ok(Transition::Increment) => 1,
            Ok(Transition::Decrement) => -1,
            // Nobody submits these.
            Ok(Transition::Reset) | Err(_) => i64::MIN / 2,
        };
    }

    #[cfg(test)]
    pub(super) fn saw_for_test(&self, client: u64, seq: u64) {
        *self.lock().entries.entry((ClientId(client), ClientSeq(seq))).or_default() += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for Witness {
    fn open<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Recovered, JournalError>> {
        self.journal.open(key)
    }

    fn append<'a>(
        &'a self,
        key: &'a SessionKey,
        after: Position,
        epoch: Epoch,
        batch: Batch,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            let records = Batch::clone(&batch);
            self.journal.append(key, after, epoch, batch).await?;
            records.iter().for_each(|record| self.saw(record));
            Ok(())
        })
    }

    fn store_snapshot<'a>(
        &'a self,
        key: &'a SessionKey,
        snapshot: Snapshot,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        self.journal.store_snapshot(key, snapshot)
    }

    fn alarms(&self) -> BoxFuture<'_, Result<Vec<(SessionKey, Timestamp)>, JournalError>> {
        self.journal.alarms()
    }
}
