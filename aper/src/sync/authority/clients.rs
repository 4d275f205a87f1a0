//! Who the clients are, and up to where each was decided: what makes a
//! submission happen once however often it comes.

use std::collections::{BTreeMap, VecDeque};

use super::ConnectionId;
use crate::id::{ClientId, ClientSeq, ResumeKey, UserId};
use crate::journal::RememberedClient;
use crate::limits;
use crate::protocol::{Entry, Rejection};
use crate::time::Timestamp;

/// The clients that may come back, and those that are here.
#[derive(Debug)]
pub(super) struct Clients {
    next_id: ClientId,
    records: BTreeMap<ClientId, Record>,
}

/// One client.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) key: ResumeKey,
    pub(super) user: Option<UserId>,
    pub(super) last_seq: ClientSeq,
    pub(super) last_seen: Timestamp,
    pub(super) connection: Option<ConnectionId>,
    /// Decided, but not told yet.
    pub(super) unanswered: usize,
    refused: VecDeque<Rejection>,
}

/// Whether a submission was decided on already.
pub(super) enum Decided {
    Not,
    Before { rejection: Option<Rejection> },
}

impl Default for Clients {
    fn default() -> Self {
        Self { next_id: ClientId::SERVER.next(), records: BTreeMap::new() }
    }
}

impl Clients {
    pub(super) fn recover(next_id: ClientId, remembered: Vec<RememberedClient>) -> Self {
        let records = remembered.into_iter().map(|known| (known.client, Record::recover(known)));
        Self { next_id, records: records.collect() }
    }

    /// Takes in an entry that the snapshot does not contain.
    pub(super) fn replay(&mut self, entry: &Entry) {
        if entry.client.is_server() {
            return;
        }
        self.next_id = self.next_id.max(entry.client.next());
        if let Some(record) = self.records.get_mut(&entry.client) {
            record.last_seq = record.last_seq.max(entry.seq);
            record.last_seen = entry.at;
        }
    }

    /// Entries may speak of clients that came after the snapshot and submitted
    /// nothing: nobody else may get their numbers.
    pub(super) fn skip_unrecorded(&mut self) {
        self.next_id = ClientId(self.next_id.0.saturating_add(limits::REMEMBERED_CLIENTS as u64));
    }

    pub(super) fn next_id(&self) -> ClientId {
        self.next_id
    }

    /// What a snapshot keeps. Those who are here count as seen at `now`.
    pub(super) fn remembered(&self, now: Timestamp) -> Vec<RememberedClient> {
        let remember = |(&client, record): (&ClientId, &Record)| RememberedClient {
            client,
            key: record.key,
            user: record.user.clone(),
            last_seq: record.last_seq,
            refused: record.refused.iter().cloned().collect(),
            last_seen: if record.connection.is_some() { now } else { record.last_seen },
        };
        self.records.iter().map(remember).collect()
    }

    pub(super) fn knows(&self, client: ClientId, key: ResumeKey) -> bool {
        self.records.get(&client).is_some_and(|record| same_secret(record.key, key))
    }

    pub(super) fn get(&self, client: ClientId) -> Option<&Record> {
        self.records.get(&client)
    }

    pub(super) fn get_mut(&mut self, client: ClientId) -> Option<&mut Record> {
        self.records.get_mut(&client)
    }

    /// A new client. O(log clients); O(clients) when one has to be forgotten.
    pub(super) fn add(&mut self, key: ResumeKey, now: Timestamp) -> ClientId {
        if self.records.len() >= limits::REMEMBERED_CLIENTS {
            let away = self.records.iter().filter(|(_, record)| record.connection.is_none());
            let longest = away.min_by_key(|(_, record)| record.last_seen).map(|(&id, _)| id);
            if let Some(longest) = longest {
                self.records.remove(&longest);
            }
        }
        let client = self.next_id;
        self.next_id = client.next();
        let record = Record {
            key,
            user: None,
            last_seq: ClientSeq(0),
            last_seen: now,
            connection: None,
            unanswered: 0,
            refused: VecDeque::new(),
        };
        self.records.insert(client, record);
        client
    }

    pub(super) fn answered(&mut self, client: ClientId) {
        if let Some(record) = self.records.get_mut(&client) {
            record.unanswered = record.unanswered.saturating_sub(1);
        }
    }
}

impl Record {
    fn recover(known: RememberedClient) -> Self {
        Self {
            key: known.key,
            user: known.user,
            last_seq: known.last_seq,
            last_seen: known.last_seen,
            connection: None,
            unanswered: 0,
            refused: known.refused.into(),
        }
    }

    pub(super) fn decided(&self, seq: ClientSeq) -> Decided {
        if seq > self.last_seq {
            return Decided::Not;
        }
        let rejection = self.refused.iter().find(|rejection| rejection.seq == seq).cloned();
        Decided::Before { rejection }
    }

    pub(super) fn accepted(&mut self, seq: ClientSeq) {
        self.last_seq = self.last_seq.max(seq);
    }

    /// Keeps the rejection for a client that never got it. No client waits for
    /// the answers to more submissions than the window has room for.
    pub(super) fn refused(&mut self, rejection: Rejection) {
        self.last_seq = self.last_seq.max(rejection.seq);
        if self.refused.len() >= limits::UNANSWERED_SUBMISSIONS as usize {
            self.refused.pop_front();
        }
        self.refused.push_back(rejection);
    }

    pub(super) fn refused_from(&mut self, unanswered: ClientSeq) -> Vec<Rejection> {
        self.refused.retain(|rejection| rejection.seq >= unanswered);
        self.refused.iter().cloned().collect()
    }
}

/// Compares in a time that does not tell how much was right.
fn same_secret(a: ResumeKey, b: ResumeKey) -> bool {
    let pairs = a.0.as_bytes().iter().zip(b.0.as_bytes());
    std::hint::black_box(pairs.fold(0, |difference, (a, b)| difference | (a ^ b))) == 0
}
