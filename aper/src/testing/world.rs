//! The world of one run: an authority, its journal, the network and the
//! clients, moved by one seeded random source.

use std::fmt::Debug;

use super::client::{Connection, SimulatedClient};
use super::oracle::{Oracle, Violation};
use super::simulation::{Config, Faults, Random, Report};
use crate::id::{ClientSeq, Version};
use crate::journal::{Batch, Record, Recovered};
use crate::limits;
use crate::protocol::message::SnapshotHeader;
use crate::protocol::{ClientMessage, Entry, Payload, ServerMessage, encode};
use crate::state_machine::StateMachine;
use crate::sync::authority::{Commit, Image, Input as ServerInput, Output as ServerOutput};
use crate::sync::replica::{Input, Output};
use crate::sync::{Authority, ConnectionId, Event, Outcome};
use crate::time::{LocalTime, Timestamp};

pub(super) struct World<'c, S: StateMachine, F> {
    config: &'c Config,
    random: Random,
    transition: F,
    now: u64,
    initial: S,
    authority: Authority<S>,
    /// What the journal holds, for the next time that the server opens it.
    journal: Recovered,
    /// Written, not durable.
    appending: Vec<Batch>,
    /// Told, and still in memory.
    tail: Vec<Entry>,
    clients: Vec<SimulatedClient<S>>,
    /// Connections that have ended for their client and not for the server.
    ghosts: Vec<ConnectionId>,
    next_connection: u64,
    oracle: Oracle<S>,
    report: Report,
}

/// What may happen next.
#[derive(Clone, Copy)]
enum Step {
    Submit,
    DeliverUp,
    DeliverDown,
    Sync,
    Connect,
    Wait,
    NoticeGhost,
    Cut,
    HalfOpen,
    Duplicate,
    Hole,
    Sleep,
    Crash,
}

impl<'c, S, F> World<'c, S, F>
where
    S: StateMachine + PartialEq + Debug,
    F: FnMut(&mut Random, Option<&S>) -> S::Transition,
{
    pub(super) fn new(seed: u64, config: &'c Config, initial: S, transition: F) -> Self {
        let mut random = Random::of(seed);
        let mut journal = Recovered::default();
        let authority = open(&mut random, &initial, &mut journal);
        Self {
            config,
            transition,
            now: 1_000_000,
            authority,
            journal,
            appending: Vec::new(),
            tail: Vec::new(),
            clients: (0..config.clients).map(SimulatedClient::new).collect(),
            ghosts: Vec::new(),
            next_connection: 1,
            oracle: Oracle::new(initial.clone()),
            initial,
            report: Report::default(),
            random,
        }
    }

    pub(super) fn step(&mut self) -> Result<(), Violation> {
        self.now += self.random.below(40);
        match self.choose() {
            Step::Submit => self.submit()?,
            Step::DeliverUp => self.deliver_up()?,
            Step::DeliverDown => self.deliver_down()?,
            Step::Sync => self.sync()?,
            Step::Connect => self.connect()?,
            Step::Wait => self.wait()?,
            Step::NoticeGhost => self.notice_ghost()?,
            Step::Cut => self.cut()?,
            Step::HalfOpen => self.half_open()?,
            Step::Duplicate => self.duplicate(),
            Step::Hole => self.hole(),
            Step::Sleep => self.sleep()?,
            Step::Crash => self.crash()?,
        }
        self.clients.iter().try_for_each(|client| self.oracle.look_at(client))
    }

    fn choose(&mut self) -> Step {
        let Faults { cut, half_open, duplicate, hole, sleep, crash } = self.config.faults;
        let weights = [
            (Step::Submit, 60),
            (Step::DeliverUp, 78),
            (Step::DeliverDown, 84),
            (Step::Sync, 42),
            (Step::Connect, 24),
            (Step::Wait, 6),
            (Step::NoticeGhost, 6),
            (Step::Cut, cut),
            (Step::HalfOpen, half_open),
            (Step::Duplicate, duplicate),
            (Step::Hole, hole),
            (Step::Sleep, sleep),
            (Step::Crash, crash),
        ];
        let total: u32 = weights.iter().map(|&(_, weight)| weight).sum();
        let mut left = self.random.below(u64::from(total)) as u32;
        for (step, weight) in weights {
            match left.checked_sub(weight) {
                Some(rest) => left = rest,
                None => return step,
            }
        }
        unreachable!("the weights sum up to their total")
    }

    fn any_client(&mut self) -> usize {
        self.random.index(self.clients.len())
    }

    fn local(&self) -> LocalTime {
        LocalTime::from_millis(self.now)
    }

    fn submit(&mut self) -> Result<(), Violation> {
        let now = self.local();
        let index = self.any_client();
        let client = &mut self.clients[index];
        let transition = (self.transition)(&mut self.random, client.replica.state());
        let encoded = encode(&transition).expect("a transition can be encoded");
        if let Ok(ticket) = client.replica.submit(now, transition) {
            self.report.submitted += 1;
            client.open.insert(ticket, encoded);
        }
        self.drain_client(index)
    }

    fn connect(&mut self) -> Result<(), Violation> {
        let index = self.any_client();
        self.connect_client(index)
    }

    fn connect_client(&mut self, index: usize) -> Result<(), Violation> {
        if self.clients[index].connection.is_some() {
            return Ok(());
        }
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        self.clients[index].connection = Some(Connection::new(id));
        self.give_client(index, Input::Connected)
    }

    fn deliver_up(&mut self) -> Result<(), Violation> {
        let index = self.any_client();
        self.deliver_up_from(index)
    }

    fn deliver_up_from(&mut self, index: usize) -> Result<(), Violation> {
        let Some(connection) = &mut self.clients[index].connection else { return Ok(()) };
        let id = connection.id;
        let Some(message) = connection.up.pop_front() else { return Ok(()) };
        match message {
            ClientMessage::Hello(hello) => {
                let tail = self
                    .tail
                    .first()
                    .map_or(self.oracle.version(), |first| Version(first.version.0 - 1));
                self.give_server(ServerInput::Join {
                    connection: id,
                    user: None,
                    resume: hello.resume,
                    tail,
                    cheaper: tail,
                })
            }
            ClientMessage::Submit(submissions) => {
                self.give_server(ServerInput::Submit { connection: id, submissions })
            }
            ClientMessage::Checked { .. } => Ok(()),
            ClientMessage::Ping { sent } => {
                let now = Timestamp::from_millis(self.now);
                connection.down.push_back(ServerMessage::Pong { sent, now });
                Ok(())
            }
        }
    }

    fn deliver_down(&mut self) -> Result<(), Violation> {
        let index = self.any_client();
        self.deliver_down_to(index)
    }

    fn deliver_down_to(&mut self, index: usize) -> Result<(), Violation> {
        let Some(connection) = &mut self.clients[index].connection else { return Ok(()) };
        let Some(message) = connection.down.pop_front() else { return Ok(()) };
        self.give_client(index, Input::Message(message))
    }

    /// The oldest batch that was being written is durable now.
    fn sync(&mut self) -> Result<(), Violation> {
        if self.appending.is_empty() {
            return Ok(());
        }
        let batch = self.appending.remove(0);
        for entry in batch.iter().filter_map(Record::entry) {
            self.oracle.wrote(entry)?;
            self.report.entries += 1;
        }
        self.journal.records.extend_from_slice(&batch);
        self.give_server(ServerInput::Durable(self.journal.position()))
    }

    fn wait(&mut self) -> Result<(), Violation> {
        self.now += self.random.below(2_000);
        for index in 0..self.clients.len() {
            self.give_client(index, Input::Timeout)?;
        }
        let due = self.authority.next_timeout();
        if due.is_some_and(|due| due.as_millis() <= self.now) {
            self.give_server(ServerInput::Timeout)?;
        }
        Ok(())
    }

    fn notice_ghost(&mut self) -> Result<(), Violation> {
        match self.ghosts.pop() {
            Some(connection) => self.give_server(ServerInput::Leave { connection }),
            None => Ok(()),
        }
    }

    fn cut(&mut self) -> Result<(), Violation> {
        let index = self.any_client();
        let Some(connection) = self.lose_connection(index)? else { return Ok(()) };
        self.report.cut += 1;
        self.give_server(ServerInput::Leave { connection })
    }

    fn half_open(&mut self) -> Result<(), Violation> {
        let index = self.any_client();
        let Some(connection) = self.lose_connection(index)? else { return Ok(()) };
        self.report.half_open += 1;
        self.ghosts.push(connection);
        Ok(())
    }

    fn lose_connection(&mut self, index: usize) -> Result<Option<ConnectionId>, Violation> {
        let Some(connection) = self.clients[index].connection.take() else { return Ok(None) };
        self.give_client(index, Input::Disconnected)?;
        Ok(Some(connection.id))
    }

    fn duplicate(&mut self) {
        let index = self.any_client();
        let Some(connection) = &mut self.clients[index].connection else { return };
        if let Some(message @ ClientMessage::Submit(_)) = connection.up.front() {
            let again = message.clone();
            connection.up.push_front(again);
            self.report.duplicated += 1;
        } else if let Some(message @ ServerMessage::Commits(_)) = connection.down.front() {
            let again = message.clone();
            connection.down.push_front(again);
            self.report.duplicated += 1;
        }
    }

    fn hole(&mut self) {
        let index = self.any_client();
        let Some(connection) = &mut self.clients[index].connection else { return };
        if let Some(ServerMessage::Commits(_)) = connection.down.front() {
            connection.down.pop_front();
            self.report.holes += 1;
        }
    }

    fn sleep(&mut self) -> Result<(), Violation> {
        while !self.appending.is_empty() {
            self.sync()?;
        }
        let snapshot = self.authority.snapshot().encode().expect("a state can be encoded");
        self.journal.records.clear();
        self.journal.snapshot = Some(snapshot);
        self.report.slept += 1;
        self.restart()
    }

    fn crash(&mut self) -> Result<(), Violation> {
        self.appending.clear();
        self.report.crashed += 1;
        self.restart()
    }

    fn restart(&mut self) -> Result<(), Violation> {
        for index in 0..self.clients.len() {
            self.lose_connection(index)?;
        }
        self.ghosts.clear();
        self.tail.clear();
        self.authority = open(&mut self.random, &self.initial, &mut self.journal);
        self.oracle.recovered(self.authority.state(), self.authority.version())?;
        self.give_server(ServerInput::Absent)
    }

    fn give_server(&mut self, input: ServerInput) -> Result<(), Violation> {
        self.authority.handle(Timestamp::from_millis(self.now), input);
        while let Some(output) = self.authority.next_output() {
            match output {
                ServerOutput::Append { batch, .. } => self.appending.push(batch),
                ServerOutput::Commit(commit) => self.commit(&commit)?,
                ServerOutput::Check(_) => {}
                ServerOutput::Welcome { connection, welcome, image, from } => {
                    self.oracle.tells(welcome.version)?;
                    let last_seq = welcome.last_seq;
                    self.send(connection, ServerMessage::Welcome(welcome));
                    if let Some(image) = image {
                        self.send_snapshot(connection, &image, last_seq);
                    }
                    self.send_tail(connection, from);
                }
                ServerOutput::Snapshot { connection, image, last_seq } => {
                    self.oracle.tells(image.version())?;
                    self.send_snapshot(connection, &image, last_seq);
                    self.send_tail(connection, image.version());
                }
                ServerOutput::Reject { connection, rejection, .. } => {
                    self.send(connection, ServerMessage::Rejects(vec![rejection]));
                }
                ServerOutput::Close { connection, .. } => self.close(connection)?,
            }
        }
        Ok(())
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), Violation> {
        let entries: Vec<Entry> = commit.entries().cloned().collect();
        let last = entries.last().expect("no commit is empty").version;
        self.oracle.tells(last)?;
        self.tail.extend_from_slice(&entries);
        let excess = self.tail.len().saturating_sub(self.config.tail);
        self.tail.drain(..excess);
        for connection in self.clients.iter_mut().filter_map(|client| client.connection.as_mut()) {
            if connection.sent.is_some_and(|sent| sent < last) {
                connection.down.push_back(ServerMessage::Commits(entries.clone()));
                connection.sent = Some(last);
            }
        }
        Ok(())
    }

    fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        let connections = self.clients.iter_mut().filter_map(|client| client.connection.as_mut());
        connections.into_iter().find(|connection| connection.id == id)
    }

    fn send(&mut self, connection: ConnectionId, message: ServerMessage) {
        if let Some(connection) = self.connection(connection) {
            connection.down.push_back(message);
        }
    }

    fn send_snapshot(&mut self, connection: ConnectionId, image: &Image, last_seq: ClientSeq) {
        let bytes = image.encode().expect("a state can be encoded");
        let header = SnapshotHeader {
            version: image.version(),
            at: image.at(),
            last_seq,
            bytes: bytes.len() as u64,
        };
        self.send(connection, ServerMessage::Snapshot(header));
        for chunk in bytes.chunks(16) {
            self.send(connection, ServerMessage::Chunk(Payload(chunk.to_vec())));
        }
        self.report.snapshots += 1;
    }

    fn send_tail(&mut self, id: ConnectionId, from: Version) {
        let head = self.tail.last().map_or(from, |last| last.version.max(from));
        let missing: Vec<Entry> =
            self.tail.iter().filter(|entry| entry.version > from).cloned().collect();
        let Some(connection) = self.connection(id) else { return };
        if !missing.is_empty() {
            connection.down.push_back(ServerMessage::Commits(missing));
        }
        connection.sent = Some(head);
    }

    fn close(&mut self, id: ConnectionId) -> Result<(), Violation> {
        self.ghosts.retain(|ghost| *ghost != id);
        let is_it = |client: &SimulatedClient<S>| {
            client.connection.as_ref().is_some_and(|connection| connection.id == id)
        };
        match self.clients.iter().position(is_it) {
            Some(index) => self.lose_connection(index).map(|_| ()),
            None => Ok(()),
        }
    }

    fn give_client(&mut self, index: usize, input: Input) -> Result<(), Violation> {
        let now = self.local();
        self.clients[index].replica.handle(now, input);
        self.drain_client(index)
    }

    fn drain_client(&mut self, index: usize) -> Result<(), Violation> {
        let mut give_up = false;
        while let Some(output) = self.clients[index].replica.next_output() {
            let client = &mut self.clients[index];
            match output {
                Output::Send(message) => {
                    if let Some(connection) = &mut client.connection {
                        connection.up.push_back(message);
                    }
                }
                Output::Reconnect { .. } => give_up = true,
                Output::Store { .. } => {}
                Output::Event(Event::Settled { ticket, outcome }) => {
                    let id = client.id();
                    self.oracle.settled(&mut client.open, id, ticket, &outcome)?;
                    match outcome {
                        Outcome::Confirmed(_) => self.report.confirmed += 1,
                        Outcome::Refused { .. } => self.report.refused += 1,
                        Outcome::Snapshot(_) => self.report.by_snapshot += 1,
                    }
                }
                Output::Event(Event::Diverged { version }) => {
                    let what = format!("{} cannot apply entry {version}", client.name());
                    return Err(Violation::new("I1", what));
                }
                Output::Event(_) => {}
            }
        }
        if give_up && let Some(connection) = self.lose_connection(index)? {
            self.report.given_up += 1;
            self.give_server(ServerInput::Leave { connection })?;
        }
        Ok(())
    }

    /// Nothing goes wrong any more: everything comes to its end, and everybody
    /// agrees.
    pub(super) fn heal(&mut self) -> Result<Report, Violation> {
        while !self.ghosts.is_empty() {
            self.notice_ghost()?;
        }
        if self.report.holes > 0 {
            self.reconnect_all()?;
        }
        for _ in 0..self.rounds_to_settle() {
            for index in 0..self.clients.len() {
                self.connect_client(index)?;
                self.deliver_up_from(index)?;
                self.deliver_down_to(index)?;
            }
            self.sync()?;
        }
        self.clients.iter().try_for_each(|client| self.is_settled(client))?;
        Ok(self.report)
    }

    /// What a hole swallowed is asked for on a new connection.
    fn reconnect_all(&mut self) -> Result<(), Violation> {
        for index in 0..self.clients.len() {
            if let Some(connection) = self.lose_connection(index)? {
                self.give_server(ServerInput::Leave { connection })?;
            }
        }
        Ok(())
    }

    fn rounds_to_settle(&self) -> usize {
        let pending: usize = self.clients.iter().map(|client| client.open.len()).sum();
        let chunks = encode(self.authority.state()).expect("a state can be encoded").len() / 16;
        200 + 4 * (pending + chunks + self.appending.len() + limits::TIMERS_AT_ONCE)
    }

    fn is_settled(&self, client: &SimulatedClient<S>) -> Result<(), Violation> {
        if !client.open.is_empty() || !client.replica.is_saved() {
            let what = format!("{} waits for {} tickets", client.name(), client.open.len());
            return Err(Violation::new("I5", what));
        }
        let state = Some(self.authority.state());
        if client.replica.confirmed() != state || client.replica.state() != state {
            let what = format!("{} does not have the server's state in the end", client.name());
            return Err(Violation::new("I1", what));
        }
        self.oracle.look_at(client)
    }
}

/// The session as its journal has it; a new one stores its initial state.
fn open<S: StateMachine>(
    random: &mut Random,
    initial: &S,
    journal: &mut Recovered,
) -> Authority<S> {
    let authority = Authority::open(initial.clone(), journal.clone(), random.bytes())
        .expect("the journal is the one that it wrote");
    if journal.snapshot.is_none() {
        let image = authority.snapshot();
        journal.snapshot = Some(image.encode().expect("a state can be encoded"));
    }
    authority
}
