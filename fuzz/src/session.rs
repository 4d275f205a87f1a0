//! A session with a journal that may be slow, full, and all that is left after
//! a crash, and with clients that do what they like.

use std::collections::BTreeMap;

use aper::protocol::message::Held;
use aper::protocol::{RefusalMessage, Resume, Submission};
use aper::sync::authority::{Input, Output, Storage};
use aper::sync::{Authority, ConnectionId};
use aper::{ClientId, ClientSeq, HistoryId, Identity, ResumeKey, Timestamp, Version};
use arbitrary::{Result, Unstructured};
use uuid::Uuid;

use crate::log::Log;
use crate::machine::Scene;
use crate::server::{near, payload, user};

/// Entries that a server keeps for those who come back.
const TAIL: u64 = 4;

/// Longest script: each step looks through all that was before.
const STEPS: usize = 300;

/// Plays a session as `u` would have it.
///
/// # Panics
///
/// When the authority breaks one of its promises.
///
/// # Errors
///
/// When the input has come to its end.
pub fn play(u: &mut Unstructured<'_>) -> Result<()> {
    let mut game = Game::new(u.arbitrary()?);
    for _ in 0..STEPS {
        if u.is_empty() {
            break;
        }
        game.step(u)?;
        game.drain();
        assert_eq!(game.authority.connected(), game.connections.len());
    }
    game.crash();
    Ok(())
}

struct Game {
    authority: Authority<Scene>,
    log: Log,
    now: Timestamp,
    /// Who is connected, as far as they were told.
    connections: BTreeMap<ConnectionId, Option<ClientId>>,
    next_connection: u64,
    /// Who has ever been told who they are, and the last number they used.
    clients: Vec<(Identity, HistoryId, u64)>,
    /// The version up to which everybody has been told.
    told: Version,
    seed: u8,
}

impl Game {
    fn new(seed: u8) -> Self {
        let mut log = Log::default();
        let authority = open(&mut log, seed);
        let mut game = Self {
            authority,
            log,
            now: Timestamp::ZERO,
            connections: BTreeMap::new(),
            next_connection: 1,
            clients: Vec::new(),
            told: Version(0),
            seed,
        };
        game.store();
        game
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let input = match u.int_in_range(0..=19)? {
            0..=2 => self.join(u)?,
            3 => Input::Leave { connection: self.leaving(u)? },
            4..=9 => Input::Submit {
                connection: self.some_connection(u)?,
                submissions: self.submissions(u)?,
            },
            10 => Input::Snapshot { connection: self.some_connection(u)? },
            11 | 12 => {
                self.now = self.now + std::time::Duration::from_millis(u.int_in_range(0..=60_000)?);
                Input::Timeout
            }
            13..=16 => match self.log.write() {
                Some(position) => Input::Durable(position),
                None => return Ok(()),
            },
            17 => Input::Storage(*u.choose(&[Storage::Writable, Storage::Full])?),
            18 if u.arbitrary()? => {
                self.store();
                return Ok(());
            }
            18 => {
                self.sleep();
                return Ok(());
            }
            _ => {
                self.crash();
                return Ok(());
            }
        };
        self.authority.handle(self.now, input);
        Ok(())
    }

    fn join(&mut self, u: &mut Unstructured<'_>) -> Result<Input> {
        let connection = ConnectionId(self.next_connection);
        self.next_connection += 1;
        self.connections.insert(connection, None);
        let resume = if self.clients.is_empty() || u.ratio(1, 3)? { None } else { self.resume(u)? };
        let version = self.authority.version().0;
        let tail = Version(version.saturating_sub(u.int_in_range(0..=TAIL)?));
        let cheaper = Version(near(u, version)?);
        Ok(Input::Join { connection, user: user(u)?, resume, tail, cheaper })
    }

    fn resume(&self, u: &mut Unstructured<'_>) -> Result<Option<Resume>> {
        let (Identity { client, key }, history, seq) = *u.choose(&self.clients)?;
        let forged = ResumeKey(Uuid::from_u128(0));
        let history = if u.ratio(7, 8)? { history } else { HistoryId(Uuid::from_u128(1)) };
        let version = Version(near(u, self.told.0)?);
        let holds = if u.arbitrary()? { Some(Held { history, version }) } else { None };
        let key = if u.ratio(7, 8)? { key } else { forged };
        Ok(Some(Resume { client, key, holds, unanswered: ClientSeq(near(u, seq)?) }))
    }

    fn leaving(&mut self, u: &mut Unstructured<'_>) -> Result<ConnectionId> {
        let connection = self.some_connection(u)?;
        self.connections.remove(&connection);
        Ok(connection)
    }

    /// One that is there, mostly.
    fn some_connection(&self, u: &mut Unstructured<'_>) -> Result<ConnectionId> {
        let there: Vec<ConnectionId> = self.connections.keys().copied().collect();
        if there.is_empty() || u.ratio(1, 16)? {
            return Ok(ConnectionId(u.int_in_range(0..=self.next_connection)?));
        }
        u.choose(&there).copied()
    }

    fn submissions(&mut self, u: &mut Unstructured<'_>) -> Result<Vec<Submission>> {
        let mut submissions = Vec::new();
        let first: u64 = u.int_in_range(0..=16)?;
        for seq in first..first + u.int_in_range(0..=4)? {
            submissions.push(Submission { seq: ClientSeq(near(u, seq)?), transition: payload(u)? });
        }
        // More than a window, sometimes.
        if u.ratio(1, 64)? {
            let again = submissions.first().cloned();
            submissions.extend(again.iter().cycle().take(300).cloned());
        }
        Ok(submissions)
    }

    fn drain(&mut self) {
        while let Some(output) = self.authority.next_output() {
            self.output(output);
        }
    }

    fn output(&mut self, output: Output) {
        let log = &mut self.log;
        match output {
            Output::Append { after, batch } => log.append(after, batch),
            Output::Commit(commit) => {
                for entry in commit.entries() {
                    assert_eq!(entry.version, self.told.next(), "the log is told with a hole");
                    log.tells_entry(entry);
                    self.told = entry.version;
                }
            }
            Output::Check(image) => {
                assert_eq!(image.version(), self.told, "a check is of what was told last");
                log.tells_state(image.version(), image.encode().expect("it can be encoded"));
            }
            Output::Welcome { connection, welcome, image, from } => {
                log.tells_identity(welcome.client, welcome.key);
                log.tells_decided(welcome.client, welcome.last_seq);
                log.state(welcome.version);
                assert!(from <= welcome.version);
                for rejection in &welcome.refused {
                    if rejection.refusal != RefusalMessage::Unavailable {
                        log.tells_rejection(welcome.client, rejection);
                    }
                }
                if let Some(image) = image {
                    assert_eq!(image.version(), from);
                    log.tells_state(from, image.encode().expect("it can be encoded"));
                }
                if let Some(known) = self.connections.get_mut(&connection) {
                    *known = Some(welcome.client);
                }
                let identity = Identity { client: welcome.client, key: welcome.key };
                self.clients.retain(|(known, ..)| *known != identity);
                self.clients.push((identity, welcome.history, welcome.last_seq.0));
            }
            Output::Snapshot { connection, image, last_seq } => {
                log.tells_state(image.version(), image.encode().expect("it can be encoded"));
                if let Some(Some(client)) = self.connections.get(&connection) {
                    log.tells_decided(*client, last_seq);
                }
            }
            Output::Reject { client, rejection, .. } => {
                if rejection.refusal != RefusalMessage::Unavailable {
                    log.tells_rejection(client, &rejection);
                }
            }
            Output::Close { connection, .. } => {
                assert!(self.connections.remove(&connection).is_some(), "it is closed twice");
            }
        }
    }

    /// A snapshot, when everything that it contains is durable.
    fn store(&mut self) {
        let snapshot = self.authority.snapshot();
        if snapshot.position() > self.log.position() {
            return;
        }
        // A state that nobody could read stays out of the journal.
        if let Ok(snapshot) = snapshot.encode() {
            self.log.store(snapshot);
        }
    }

    /// The session ends when there is nothing to do, and is woken with the
    /// connections that it had.
    fn sleep(&mut self) {
        if !self.log.is_written() {
            return;
        }
        self.store();
        let connections = self.connections.clone();
        self.reopen();
        for (connection, client) in connections {
            let client = client.expect("a welcome waits for nothing but the journal");
            self.connections.insert(connection, Some(client));
            self.authority.handle(self.now, Input::Reattach { connection, client });
            assert!(self.authority.next_output().is_none(), "it is as it was");
        }
        self.authority.handle(self.now, Input::Absent);
        assert!(self.authority.next_output().is_none(), "nobody came or went");
    }

    /// The session ends, and comes back with what is durable and without its
    /// connections.
    fn crash(&mut self) {
        self.reopen();
        self.authority.handle(self.now, Input::Absent);
        self.drain();
        self.store();
    }

    fn reopen(&mut self) {
        self.seed = self.seed.wrapping_add(1);
        self.authority = open(&mut self.log, self.seed);
        self.connections.clear();
        let version = self.log.version();
        assert_eq!(self.authority.version(), version, "I1: the log came back");
        assert!(self.authority.state() == self.log.state(version), "I1: another state came back");
        for (Identity { client, key }, ..) in &self.clients {
            let (client, key) = (*client, *key);
            let resume = Resume { client, key, holds: None, unanswered: ClientSeq(1) };
            assert!(
                self.authority.knows(&resume),
                "I4: {client} was told who it is, and forgotten"
            );
        }
        self.told = version;
    }
}

fn open(log: &mut Log, seed: u8) -> Authority<Scene> {
    let recovered = log.recover();
    Authority::open(Scene::default(), recovered, [seed; 32]).expect("what was written can be read")
}
