//! An authority and some replicas, joined by hand: each test says what is
//! delivered when.

use std::collections::VecDeque;

use aper::journal::Recovered;
use aper::protocol::message::SnapshotHeader;
use aper::protocol::{ClientMessage, CloseCode, Payload, ServerMessage, Submission, encode};
use aper::sync::authority::{Input as ServerInput, Output as ServerOutput};
use aper::sync::replica::{Input, Output};
use aper::sync::{Authority, ConnectionId, Event, Outcome, Replica, SubmitError, Ticket};
use aper::{ClientSeq, HistoryId, LocalTime, StateMachine, Timestamp, Version};
use uuid::Uuid;

pub struct Server<S: StateMachine> {
    pub authority: Authority<S>,
    pub now: u64,
    /// What was written, for a replay.
    pub journal: Recovered,
    /// What was closed, and why.
    pub closed: Vec<(ConnectionId, CloseCode)>,
    outbox: Vec<(ConnectionId, ServerMessage)>,
    connections: Vec<ConnectionId>,
}

impl<S: StateMachine> Server<S> {
    pub fn new(initial: S) -> Self {
        let history = HistoryId(Uuid::from_u128(1));
        let mut journal = Recovered { history, snapshot: None, entries: Vec::new() };
        let authority = Authority::open(initial, journal.clone(), [1; 32]).unwrap();
        journal.snapshot = Some(authority.snapshot().unwrap().encode().unwrap());
        Self {
            authority,
            now: 1_000,
            journal,
            closed: Vec::new(),
            outbox: Vec::new(),
            connections: Vec::new(),
        }
    }

    pub fn handle(&mut self, input: ServerInput) {
        self.authority.handle(Timestamp::from_millis(self.now), input);
        while let Some(output) = self.authority.next_output() {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: ServerOutput) {
        match output {
            ServerOutput::Append(batch) => {
                let version = batch.last().unwrap().version;
                self.journal.entries.extend_from_slice(&batch);
                let now = Timestamp::from_millis(self.now);
                self.authority.handle(now, ServerInput::Durable(version));
            }
            ServerOutput::Commit(batch) => {
                for &connection in &self.connections {
                    self.outbox.push((connection, ServerMessage::Commits(batch.to_vec())));
                }
            }
            ServerOutput::Welcome { connection, welcome, image, from } => {
                let last_seq = welcome.last_seq;
                self.outbox.push((connection, ServerMessage::Welcome(welcome)));
                if let Some(image) = image {
                    let bytes = image.encode().unwrap().to_vec();
                    let header = SnapshotHeader {
                        version: image.version(),
                        at: image.at(),
                        last_seq,
                        bytes: bytes.len() as u64,
                    };
                    self.outbox.push((connection, ServerMessage::Snapshot(header)));
                    self.outbox.push((connection, ServerMessage::Chunk(Payload(bytes))));
                }
                let missing = self.journal.entries.iter().filter(|entry| entry.version > from);
                let missing = ServerMessage::Commits(missing.cloned().collect());
                self.outbox.push((connection, missing));
                self.connections.push(connection);
            }
            ServerOutput::Snapshot { .. } => unreachable!("no test here is that slow"),
            ServerOutput::Reject { connection, rejection, .. } => {
                self.outbox.push((connection, ServerMessage::Rejects(vec![rejection])));
            }
            ServerOutput::Close { connection, code, .. } => {
                self.connections.retain(|&open| open != connection);
                self.closed.push((connection, code));
            }
        }
    }

    /// Starts the server anew from a journal that has every entry and every
    /// client, but no refusal.
    pub fn forget_refusals(&mut self) {
        let mut snapshot = self.authority.snapshot().unwrap().encode().unwrap();
        snapshot.clients.iter_mut().for_each(|known| known.refused.clear());
        let journal = Recovered {
            history: self.journal.history,
            snapshot: Some(snapshot),
            entries: Vec::new(),
        };
        self.authority = Authority::open(self.authority.state().clone(), journal, [4; 32]).unwrap();
        self.connections.clear();
        self.outbox.clear();
    }

    pub fn submit_raw(&mut self, connection: ConnectionId, seq: u64, bytes: Vec<u8>) {
        let submissions = vec![Submission { seq: ClientSeq(seq), transition: Payload(bytes) }];
        self.handle(ServerInput::Submit { connection, submissions });
    }
}

pub struct Client<S: StateMachine> {
    pub replica: Replica<S>,
    pub now: u64,
    pub settled: Vec<(Ticket, Outcome<S::Conflict>)>,
    pub gave_up: Vec<&'static str>,
    pub connection: Option<ConnectionId>,
    pub up: VecDeque<ClientMessage>,
    pub down: VecDeque<ServerMessage>,
}

impl<S: StateMachine> Client<S> {
    pub fn new() -> Self {
        Self {
            replica: Replica::new(None),
            now: 50,
            settled: Vec::new(),
            gave_up: Vec::new(),
            connection: None,
            up: VecDeque::new(),
            down: VecDeque::new(),
        }
    }

    /// A client that is connected and up to date.
    pub fn joined(server: &mut Server<S>, connection: u64) -> Self {
        let mut client = Self::new();
        client.connect(connection);
        client.exchange(server);
        client
    }

    pub fn connect(&mut self, connection: u64) {
        self.connection = Some(ConnectionId(connection));
        self.handle(Input::Connected);
    }

    /// Ends the connection, with all that is on its way.
    pub fn lose_connection(&mut self) {
        self.connection = None;
        self.up.clear();
        self.down.clear();
        self.handle(Input::Disconnected);
    }

    pub fn handle(&mut self, input: Input) {
        self.replica.handle(LocalTime::from_millis(self.now), input);
        self.drain();
    }

    pub fn submit(
        &mut self,
        transition: S::Transition,
    ) -> Result<Ticket, SubmitError<S::Conflict>> {
        let ticket = self.replica.submit(LocalTime::from_millis(self.now), transition);
        self.drain();
        ticket
    }

    fn drain(&mut self) {
        while let Some(output) = self.replica.next_output() {
            match output {
                Output::Send(message) => self.up.push_back(message),
                Output::Event(Event::Settled { ticket, outcome }) => {
                    self.settled.push((ticket, outcome));
                }
                Output::Event(_) => {}
                Output::Reconnect { reason, .. } => self.gave_up.push(reason),
            }
        }
    }

    /// Delivers what this client sent.
    pub fn deliver_up(&mut self, server: &mut Server<S>) {
        let Some(connection) = self.connection else { return };
        while let Some(message) = self.up.pop_front() {
            match message {
                ClientMessage::Hello(hello) => server.handle(ServerInput::Join {
                    connection,
                    user: None,
                    resume: hello.resume,
                    tail: Version(0),
                }),
                ClientMessage::Submit(submissions) => {
                    server.handle(ServerInput::Submit { connection, submissions });
                }
                ClientMessage::Ping { .. } => {}
            }
        }
    }

    /// Fetches what the server sent to this client, without taking it in.
    pub fn fetch(&mut self, server: &mut Server<S>) {
        let mine = |(to, _): &mut (ConnectionId, ServerMessage)| Some(*to) == self.connection;
        self.down.extend(server.outbox.extract_if(.., mine).map(|(_, message)| message));
    }

    /// Delivers what the server sent to this client.
    pub fn deliver_down(&mut self, server: &mut Server<S>) {
        self.fetch(server);
        while let Some(message) = self.down.pop_front() {
            self.handle(Input::Message(message));
        }
    }

    /// Delivers everything, both ways, until nothing is left.
    pub fn exchange(&mut self, server: &mut Server<S>) {
        loop {
            self.deliver_up(server);
            self.fetch(server);
            if self.down.is_empty() {
                return;
            }
            self.deliver_down(server);
        }
    }

    pub fn state(&self) -> &S {
        self.replica.state().expect("the client has joined")
    }
}

pub fn bytes_of<T: serde::Serialize>(value: &T) -> Vec<u8> {
    encode(value).unwrap()
}
