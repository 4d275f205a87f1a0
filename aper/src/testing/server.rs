//! The simulated server: the real authority, and around it what a server's
//! session does for it, as plainly as it can be done.

mod process;

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::disk::{Disk, Synced};
use super::fault::Fault;
use super::oracle::{Course, Oracle, Violation};
use super::outlet::{Answer, Outlet, Round, Stage, Tail, Written};
use super::random::Random;
use super::simulation::Config;
use crate::id::{ClientId, Version};
use crate::journal::Recovered;
use crate::limits;
use crate::protocol::{ClientMessage, CloseCode, Hello, RefusalMessage, ServerMessage, StateHash};
use crate::state_machine::StateMachine;
use crate::sync::authority::{Commit, Input, Output, Storage};
use crate::sync::presence::PresenceTable;
use crate::sync::{Authority, ConnectionId};
use crate::time::Timestamp;

/// Checks whose answers are still taken.
const CHECKS: usize = 2;

/// Entries that are no more bytes than a snapshot.
const CHEAPER: u64 = 5;

pub(super) struct Server<S: StateMachine> {
    initial: S,
    authority: Authority<S>,
    disk: Disk,
    outlets: BTreeMap<ConnectionId, Outlet>,
    tail: Tail,
    presence: PresenceTable,
    /// Connections that it has ended, and whose end it has not heard of.
    ending: Vec<ConnectionId>,
    /// What the session's own state came to, the oldest first.
    checks: Vec<(Version, StateHash)>,
    commits: Vec<Commit>,
    /// Whether the last append found no room.
    storage: Storage,
    backup: Option<(Recovered, Course<S>)>,
    /// Milliseconds by which its clock is ahead.
    pub(super) clock: i64,
    now: Timestamp,
    random: Random,
    tail_room: usize,
    window: u32,
    check_after: u64,
    /// What it ended, with what it had still to say.
    closed: Vec<(ConnectionId, CloseCode, Vec<ServerMessage>)>,
}

impl<S: StateMachine + PartialEq + Debug> Server<S> {
    pub(super) fn new(
        seed: u64,
        config: &Config,
        initial: S,
        oracle: &mut Oracle<S>,
    ) -> Result<Self, Violation> {
        let mut random = Random::of(seed);
        let authority = Authority::open(initial.clone(), Recovered::default(), random.bytes());
        let mut server = Self {
            authority: authority.expect("a new session can be opened"),
            initial,
            disk: Disk::empty::<S>(),
            outlets: BTreeMap::new(),
            tail: Tail::default(),
            presence: PresenceTable::default(),
            ending: Vec::new(),
            checks: Vec::new(),
            commits: Vec::new(),
            storage: Storage::Writable,
            backup: None,
            clock: 0,
            now: Timestamp::ZERO,
            random,
            tail_room: config.tail,
            window: config.window,
            check_after: config.entries_per_check,
            closed: Vec::new(),
        };
        server.open(oracle)?;
        Ok(server)
    }

    pub(super) fn authority(&self) -> &Authority<S> {
        &self.authority
    }

    pub(super) fn disk(&mut self) -> &mut Disk {
        &mut self.disk
    }

    pub(super) fn has_to_write(&self, connection: ConnectionId) -> bool {
        self.outlets
            .get(&connection)
            .is_some_and(|outlet| outlet.has_work(&self.tail, &self.presence))
    }

    /// How late it is by the server's clock.
    pub(super) fn is_at(&mut self, now: u64) {
        self.now = Timestamp::from_millis(now.saturating_add_signed(self.clock));
    }

    pub(super) fn connected(&mut self, connection: ConnectionId, owner: usize) {
        self.outlets.insert(connection, Outlet::of(owner));
    }

    /// The connections that it ended since this was asked last.
    pub(super) fn take_closed(&mut self) -> Vec<(ConnectionId, CloseCode, Vec<ServerMessage>)> {
        std::mem::take(&mut self.closed)
    }

    /// The connection has ended, as far as the server can tell.
    pub(super) fn lost(
        &mut self,
        connection: ConnectionId,
        oracle: &mut Oracle<S>,
    ) -> Result<(), Violation> {
        self.presence.leave(connection);
        match self.outlets.remove(&connection) {
            Some(outlet) if outlet.stage == Stage::Joined => {
                self.handle(Input::Leave { connection }, oracle)
            }
            _ => Ok(()),
        }
    }

    /// A message of a client's.
    pub(super) fn take(
        &mut self,
        connection: ConnectionId,
        message: ClientMessage,
        oracle: &mut Oracle<S>,
    ) -> Result<(), Violation> {
        let Some(outlet) = self.outlets.get_mut(&connection) else { return Ok(()) };
        match message {
            ClientMessage::Hello(hello) if outlet.stage == Stage::Silent => {
                self.join(connection, &hello, oracle)
            }
            _ if outlet.stage == Stage::Silent => {
                self.close(connection, CloseCode::Protocol);
                Ok(())
            }
            ClientMessage::Hello(_) => {
                self.close(connection, CloseCode::Protocol);
                self.handle(Input::Leave { connection }, oracle)
            }
            ClientMessage::Submit(submissions) => {
                self.handle(Input::Submit { connection, submissions }, oracle)
            }
            ClientMessage::Ping { sent } => {
                let pong = ServerMessage::Pong { sent, now: self.now };
                outlet.answers.push_back(Answer::Pong(pong));
                Ok(())
            }
            ClientMessage::Checked { .. } => Ok(()),
            ClientMessage::Presence(value) => {
                self.presence.set(connection, value);
                Ok(())
            }
        }
    }

    /// Whether a client that claims this has another state than the session.
    pub(super) fn differs(&self, version: Version, hash: StateHash) -> Option<bool> {
        let check = self.checks.iter().find(|(checked, _)| *checked == version);
        check.map(|(_, own)| *own != hash)
    }

    pub(super) fn last_check(&self) -> Option<Version> {
        self.checks.last().map(|(version, _)| *version)
    }

    pub(super) fn send_snapshot(
        &mut self,
        connection: ConnectionId,
        oracle: &mut Oracle<S>,
    ) -> Result<(), Violation> {
        self.handle(Input::Snapshot { connection }, oracle)
    }

    fn join(
        &mut self,
        connection: ConnectionId,
        hello: &Hello,
        oracle: &mut Oracle<S>,
    ) -> Result<(), Violation> {
        if self.storage == Storage::Full {
            oracle.report.happened(Fault::TurnedAway);
            self.close(connection, CloseCode::Unavailable);
            return Ok(());
        }
        let resume = hello.resume;
        let outlet = self.outlets.get_mut(&connection).expect("its message was just taken");
        outlet.resume = resume.map(|resume| (resume.client, resume.key));
        outlet.stage = Stage::Joined;
        let tail = self.tail.floor;
        let cheaper = tail.max(Version(self.tail.head().0.saturating_sub(CHEAPER)));
        self.handle(Input::Join { connection, user: None, resume, tail, cheaper }, oracle)
    }

    /// What is sent to a client next.
    pub(super) fn write(
        &mut self,
        connection: ConnectionId,
        round: Round,
        oracle: &mut Oracle<S>,
    ) -> Result<Vec<ServerMessage>, Violation> {
        let Some(outlet) = self.outlets.get_mut(&connection) else { return Ok(Vec::new()) };
        let (tail, presence) = (&self.tail, &self.presence);
        let Written { messages, fell_off } =
            outlet.write(round, tail, presence, &mut oracle.report);
        if fell_off {
            self.send_snapshot(connection, oracle)?;
        }
        Ok(messages)
    }

    pub(super) fn timeout(&mut self, oracle: &mut Oracle<S>) -> Result<(), Violation> {
        match self.authority.next_timeout() {
            Some(due) if due <= self.now => self.handle(Input::Timeout, oracle),
            _ => Ok(()),
        }
    }

    pub(super) fn sync(&mut self, oracle: &mut Oracle<S>) -> Result<(), Violation> {
        match self.disk.sync(oracle)? {
            Synced::Nothing => Ok(()),
            Synced::Full => {
                self.storage = Storage::Full;
                self.handle(Input::Storage(Storage::Full), oracle)
            }
            Synced::Durable(position) => {
                self.storage = Storage::Writable;
                self.handle(Input::Storage(Storage::Writable), oracle)?;
                self.handle(Input::Durable(position), oracle)
            }
        }
    }

    pub(super) fn begin_snapshot(&mut self) {
        if !self.disk.is_storing() {
            self.disk.begin_snapshot(self.authority.snapshot());
        }
    }

    /// One input, and all that the authority wants done because of it.
    fn handle(&mut self, input: Input, oracle: &mut Oracle<S>) -> Result<(), Violation> {
        self.authority.handle(self.now, input);
        while let Some(output) = self.authority.next_output() {
            self.carry_out(output, oracle)?;
        }
        self.publish();
        Ok(())
    }

    fn carry_out(&mut self, output: Output, oracle: &mut Oracle<S>) -> Result<(), Violation> {
        match output {
            Output::Append { after, batch } => self.disk.append(after, &batch),
            Output::Commit(commit) => {
                let last = commit.entries().next_back().expect("no commit is empty").version;
                oracle.tells(last)?;
                self.commits.push(commit);
                Ok(())
            }
            Output::Check(image) => {
                oracle.tells(image.version())?;
                self.publish();
                self.ask(image.version(), image.digest().expect("a state can be encoded").hash);
                Ok(())
            }
            Output::Welcome { connection, mut welcome, image, from } => {
                oracle.tells(welcome.version)?;
                self.is_alone(welcome.client)?;
                let Some(outlet) = self.outlets.get_mut(&connection) else { return Ok(()) };
                let (client, key) = (welcome.client, welcome.key);
                oracle.welcomes(outlet, client, key, welcome.history)?;
                let refused = welcome.refused.iter();
                refused.clone().try_for_each(|rejection| oracle.refuses(client, rejection))?;
                outlet.client = Some(client);
                self.presence.enter(connection, client);
                welcome.window = self.window;
                outlet.answers.push_back(Answer::Welcome { welcome, image, from });
                Ok(())
            }
            Output::Snapshot { connection, image, last_seq } => {
                oracle.tells(image.version())?;
                self.answer(connection, Answer::Snapshot { image, last_seq });
                Ok(())
            }
            Output::Reject { connection, client, rejection } => {
                if rejection.refusal == RefusalMessage::Unavailable {
                    oracle.report.happened(Fault::Unavailable);
                    if self.storage == Storage::Writable {
                        oracle.refuses_again(client, rejection.seq)?;
                    }
                }
                oracle.refuses(client, &rejection)?;
                self.answer(connection, Answer::Reject(rejection));
                Ok(())
            }
            Output::Close { connection, code, .. } => {
                self.close(connection, code);
                Ok(())
            }
        }
    }

    fn ask(&mut self, version: Version, hash: StateHash) {
        self.tail.ask(version);
        if self.checks.len() >= CHECKS {
            self.checks.remove(0);
        }
        self.checks.push((version, hash));
    }

    fn answer(&mut self, connection: ConnectionId, answer: Answer) {
        if let Some(outlet) = self.outlets.get_mut(&connection) {
            outlet.answers.push_back(answer);
        }
    }

    fn publish(&mut self) {
        for commit in std::mem::take(&mut self.commits) {
            self.tail.publish(commit.entries(), self.tail_room);
        }
    }

    /// It hears that the connections that it has ended are no more: long after
    /// their clients may have come back by others.
    pub(super) fn hear_of_ends(&mut self, oracle: &mut Oracle<S>) -> Result<(), Violation> {
        let ending = std::mem::take(&mut self.ending);
        ending.into_iter().try_for_each(|connection| self.lost(connection, oracle))
    }

    fn close(&mut self, connection: ConnectionId, code: CloseCode) {
        let Some(outlet) = self.outlets.remove(&connection) else { return };
        self.presence.leave(connection);
        self.ending.push(connection);
        let rest = outlet.last_words();
        self.closed.push((connection, code, rest));
    }

    /// A client has one connection, and the last one counts.
    fn is_alone(&self, client: ClientId) -> Result<(), Violation> {
        if self.outlets.values().all(|outlet| outlet.client != Some(client)) {
            return Ok(());
        }
        Err(Violation::new("I7", format!("client {client} has two connections")))
    }

    /// I7, as far as it can be seen.
    pub(super) fn look_at_bounds(&self) -> Result<(), Violation> {
        let joined = self.outlets.values().filter(|outlet| outlet.stage == Stage::Joined).count();
        if self.authority.connected() != joined {
            let what = format!("{} are here, not {joined}", self.authority.connected());
            return Err(Violation::new("I7", what));
        }
        // A client's answers, its welcome, a snapshot and a few pongs.
        let most = 2 * limits::UNANSWERED_SUBMISSIONS as usize + 64;
        let is_full = |outlet: &Outlet| outlet.answers.len() > most;
        if self.outlets.values().any(is_full) {
            return Err(Violation::new("I7", "too many answers wait for one client"));
        }
        Ok(())
    }
}
