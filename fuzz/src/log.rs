//! What a session's journal holds, and what follows from that: the oracle of
//! the session's target, which knows nothing but a plain replay.

use std::collections::{BTreeSet, VecDeque};

use aper::journal::{Batch, Position, Record, Recovered, Snapshot};
use aper::protocol::{Entry, Rejection, decode, encode};
use aper::{ClientId, ClientSeq, Context, ResumeKey, StateMachine, Version};

use crate::machine::{Change, Scene};

/// A journal that writes when it is told to.
pub struct Log {
    snapshot: Option<Snapshot>,
    /// Those that a crash does not take, since the snapshot.
    records: Vec<Record>,
    /// Those that it does.
    unwritten: VecDeque<Batch>,
    /// All entries that were ever durable, and the state after each.
    entries: Vec<Entry>,
    states: Vec<Scene>,
    /// All that is durable and that a client can be told.
    joined: BTreeSet<(ClientId, u128)>,
    refused: Vec<(ClientId, Rejection)>,
    position: Position,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            snapshot: None,
            records: Vec::new(),
            unwritten: VecDeque::new(),
            entries: Vec::new(),
            states: vec![Scene::default()],
            joined: BTreeSet::new(),
            refused: Vec::new(),
            position: Position(0),
        }
    }
}

impl Log {
    /// The last version that is durable.
    pub fn version(&self) -> Version {
        Version(self.entries.len() as u64)
    }

    /// The last position that is durable.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Whether everything is.
    pub fn is_written(&self) -> bool {
        self.unwritten.is_empty()
    }

    /// Takes a batch, which follows the last.
    pub fn append(&mut self, after: Position, batch: Batch) {
        let unwritten: usize = self.unwritten.iter().map(|batch| batch.len()).sum();
        assert_eq!(after, Position(self.position.0 + unwritten as u64), "a hole in the log");
        assert!(!batch.is_empty(), "a batch of nothing");
        self.unwritten.push_back(batch);
    }

    /// Makes the oldest batch durable, and gives the position that this comes to.
    pub fn write(&mut self) -> Option<Position> {
        for record in self.unwritten.pop_front()?.iter() {
            self.keep(record);
        }
        Some(self.position)
    }

    fn keep(&mut self, record: &Record) {
        self.position = Position(self.position.0 + 1);
        self.records.push(record.clone());
        match record {
            Record::Entry(entry) => self.enter(entry),
            Record::Joined { client, key, .. } => {
                self.joined.insert((*client, key.0.as_u128()));
            }
            Record::Refused { client, rejection } => {
                self.refused.push((*client, rejection.clone()));
            }
            Record::Left { .. } | Record::Opened { .. } => {}
        }
    }

    fn enter(&mut self, entry: &Entry) {
        assert_eq!(entry.version, self.version().next(), "I1: an entry is missing");
        let is_same = |other: &Entry| (other.client, other.seq) == (entry.client, entry.seq);
        let is_twice = !entry.client.is_server() && self.entries.iter().any(is_same);
        assert!(!is_twice, "I3: {} of client {} is twice", entry.seq, entry.client);
        if let Some(last) = self.entries.last() {
            assert!(last.at <= entry.at, "time goes back");
        }
        let mut state = self.states.last().expect("there is the first").clone();
        let change: Change = decode(&entry.transition.0).expect("I1: an entry can be read");
        let cx = Context::new(
            entry.client,
            entry.user.clone(),
            entry.at,
            entry.version,
            entry.chance.unwrap_or_default(),
        );
        state.apply(&change, &cx).expect("I1: an entry can be applied");
        self.states.push(state);
        self.entries.push(entry.clone());
    }

    /// Drops what a snapshot makes superfluous.
    pub fn store(&mut self, snapshot: Snapshot) {
        assert!(snapshot.position <= self.position, "I4: the snapshot is ahead of the log");
        let after = (self.position.0 - snapshot.position.0) as usize;
        let contained = self.records.len().saturating_sub(after);
        self.records.drain(..contained);
        self.snapshot = Some(snapshot);
    }

    /// What is there after a crash.
    pub fn recover(&mut self) -> Recovered {
        self.unwritten.clear();
        Recovered { snapshot: self.snapshot.clone(), records: self.records.clone() }
    }

    /// The state at a durable version.
    pub fn state(&self, version: Version) -> &Scene {
        let state = usize::try_from(version.0).ok().and_then(|index| self.states.get(index));
        state.expect("I4: a version was told that is not durable")
    }

    /// Whether an encoded state is that of a version (I1, I4).
    pub fn tells_state(&self, version: Version, state: &[u8]) {
        let expected = encode(self.state(version)).expect("a scene can be encoded");
        assert!(state == expected, "I1: another state is told of version {version}");
    }

    /// Whether entries are told that are durable.
    pub fn tells_entry(&self, entry: &Entry) {
        let kept = self.entries.get(entry.version.0 as usize - 1);
        assert_eq!(kept, Some(entry), "I4: an entry was told that is not durable");
    }

    /// Whether a client is told who it is when that is durable.
    pub fn tells_identity(&self, client: ClientId, key: ResumeKey) {
        assert!(self.joined.contains(&(client, key.0.as_u128())), "I4: {client} is not durable");
    }

    /// Whether a refusal is told that is durable.
    pub fn tells_rejection(&self, client: ClientId, rejection: &Rejection) {
        let told = (client, rejection.clone());
        assert!(self.refused.contains(&told), "I4: a refusal is told that is not durable");
    }

    /// Whether up to this number everything is decided that was told to be.
    pub fn tells_decided(&self, client: ClientId, seq: ClientSeq) {
        let entered = self.entries.iter().any(|entry| (entry.client, entry.seq) == (client, seq));
        let refused = self.refused.iter().any(|(who, r)| (*who, r.seq) == (client, seq));
        assert!(seq == ClientSeq(0) || entered || refused, "I4: {seq} is not durable");
    }
}
