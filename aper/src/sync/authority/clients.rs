//! Who the clients are, and up to where each was decided: what makes a
//! submission happen once however often it comes.

use std::collections::BTreeMap;

use super::ConnectionId;
use super::refusals::Refusals;
use crate::id::{ClientId, ClientSeq, ResumeKey, UserId};
use crate::journal::{Presence, Record as LogRecord, RememberedClient};
use crate::limits;
use crate::mutant::{Mutant, active};
use crate::protocol::{RefusalMessage, Rejection};
use crate::time::Timestamp;

/// The clients that may come back, and those that are here.
#[derive(Debug)]
pub(super) struct Clients {
    next_id: ClientId,
    /// Each in a place of its own: a node of the tree has room for eleven, and
    /// most sessions have fewer clients.
    records: BTreeMap<ClientId, Box<Record>>,
}

/// One client.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) key: ResumeKey,
    pub(super) user: Option<UserId>,
    pub(super) last_seq: ClientSeq,
    last_seen: Timestamp,
    /// What the log says: a session that just woke has no connections yet.
    pub(super) presence: Presence,
    pub(super) connection: Option<ConnectionId>,
    /// Decided, but not told yet.
    pub(super) unanswered: usize,
    refused: Refusals,
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
        let records =
            remembered.into_iter().map(|known| (known.client, Box::new(Record::recover(known))));
        Self { next_id, records: records.collect() }
    }

    /// Takes in a record that the snapshot does not contain.
    pub(super) fn replay(&mut self, record: &LogRecord) {
        match record {
            LogRecord::Entry(entry) => {
                if let Some(client) = self.records.get_mut(&entry.client) {
                    client.forget_refusal(entry.seq);
                    client.accepted(entry.seq);
                }
            }
            LogRecord::Joined { client, key, user, at } => {
                let record = self.insert(*client, *key, *at);
                record.user.clone_from(user);
                record.presence = Presence::Here;
            }
            LogRecord::Left { client, at } => {
                if let Some(client) = self.records.get_mut(client) {
                    client.left(*at);
                }
            }
            LogRecord::Refused { client, rejection } => {
                if let Some(client) = self.records.get_mut(client) {
                    client.forget_refusal(rejection.seq);
                    client.refused(rejection);
                }
            }
            LogRecord::Opened { .. } => {}
        }
    }

    pub(super) fn next_id(&self) -> ClientId {
        self.next_id
    }

    /// What a snapshot keeps.
    pub(super) fn remembered(&self) -> Vec<RememberedClient> {
        let remember = |(&client, record): (_, &Record)| RememberedClient {
            client,
            key: record.key,
            user: record.user.clone(),
            last_seq: if active(Mutant::ForgetNumbers) { ClientSeq(0) } else { record.last_seq },
            refused: record.refused.iter().collect(),
            last_seen: record.last_seen,
            presence: record.presence,
        };
        self.records.iter().map(|(client, record)| (client, &**record)).map(remember).collect()
    }

    pub(super) fn knows(&self, client: ClientId, key: ResumeKey) -> bool {
        self.records.get(&client).is_some_and(|record| same_secret(record.key, key))
    }

    pub(super) fn get(&self, client: ClientId) -> Option<&Record> {
        self.records.get(&client).map(|record| &**record)
    }

    pub(super) fn get_mut(&mut self, client: ClientId) -> Option<&mut Record> {
        self.records.get_mut(&client).map(|record| &mut **record)
    }

    /// Those who count as here and have no connection.
    pub(super) fn absent(&self) -> Vec<ClientId> {
        let is_absent =
            |record: &Record| record.presence == Presence::Here && record.connection.is_none();
        let absent = self.records.iter().filter(|(_, record)| is_absent(record));
        absent.map(|(&client, _)| client).collect()
    }

    /// A new client. O(log clients); O(clients) when one has to be forgotten.
    pub(super) fn add(&mut self, key: ResumeKey, now: Timestamp) -> ClientId {
        let client = self.next_id;
        self.insert(client, key, now);
        client
    }

    fn insert(&mut self, client: ClientId, key: ResumeKey, now: Timestamp) -> &mut Record {
        if !self.records.contains_key(&client) && self.records.len() >= limits::REMEMBERED_CLIENTS {
            self.forget_one();
        }
        self.next_id = self.next_id.max(client.next());
        let new = || Record {
            key,
            user: None,
            last_seq: ClientSeq(0),
            last_seen: now,
            presence: Presence::Away,
            connection: None,
            unanswered: 0,
            refused: Refusals::default(),
        };
        self.records.entry(client).or_insert_with(|| Box::new(new()))
    }

    /// Of those who are away, the one that has been for the longest.
    fn forget_one(&mut self) {
        let away = self.records.iter().filter(|(_, record)| record.presence == Presence::Away);
        let longest = away.min_by_key(|(_, record)| record.last_seen).map(|(&id, _)| id);
        if let Some(longest) = longest {
            self.records.remove(&longest);
        }
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
            presence: known.presence,
            connection: None,
            unanswered: 0,
            refused: Refusals::recover(&known.refused),
        }
    }

    pub(super) fn decided(&self, seq: ClientSeq) -> Decided {
        let rejection = self.refused.get(seq);
        if seq > self.last_seq && rejection.is_none() {
            return Decided::Not;
        }
        Decided::Before { rejection }
    }

    pub(super) fn accepted(&mut self, seq: ClientSeq) {
        self.last_seq = self.last_seq.max(seq);
    }

    /// Keeps the rejection for a client that never got it, as far as there is
    /// room.
    pub(super) fn refused(&mut self, rejection: &Rejection) {
        // What could not be decided is not in the log, and a server that
        // starts anew decides on it if it comes again.
        if rejection.refusal != RefusalMessage::Unavailable && !active(Mutant::RefusalNotCounted) {
            self.last_seq = self.last_seq.max(rejection.seq);
        }
        self.refused.push(rejection);
    }

    /// It was refused for now, and has been decided on since: the snapshot may
    /// be of the time between.
    fn forget_refusal(&mut self, seq: ClientSeq) {
        self.refused.remove(seq);
    }

    pub(super) fn left(&mut self, at: Timestamp) {
        self.presence = Presence::Away;
        self.connection = None;
        self.last_seen = at;
    }

    pub(super) fn refused_from(&mut self, unanswered: ClientSeq) -> Vec<Rejection> {
        self.refused.retain(|rejection| rejection.seq >= unanswered);
        self.refused.iter().collect()
    }
}

/// Compares in a time that does not tell how much was right.
fn same_secret(a: ResumeKey, b: ResumeKey) -> bool {
    let pairs = a.0.as_bytes().iter().zip(b.0.as_bytes());
    std::hint::black_box(pairs.fold(0, |difference, (a, b)| difference | (a ^ b))) == 0
}
