//! An authority and some replicas, joined by hand: each test says what is
//! delivered when.

use std::collections::{BTreeMap, VecDeque};

use aper::journal::{Record, Recovered};
use aper::protocol::message::SnapshotHeader;
use aper::protocol::{ClientMessage, CloseCode, Entry, Payload, ServerMessage, Submission, encode};
use aper::sync::authority::{Input as ServerInput, Output as ServerOutput};
use aper::sync::replica::{Input, OutboxChange, OutboxItem, Output};
use aper::sync::{Authority, ConnectionId, Event, Outcome, Replica, SubmitError, Ticket};
use aper::{ClientSeq, Identity, LocalTime, StateMachine, Timestamp, Version};

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
        let mut journal = Recovered::default();
        let authority = Authority::open(initial, journal.clone(), [1; 32]).unwrap();
        journal.snapshot = Some(authority.snapshot().encode().unwrap());
        Self {
            authority,
            now: 1_000,
            journal,
            closed: Vec::new(),
            outbox: Vec::new(),
            connections: Vec::new(),
        }
    }

    /// What was accepted, in order.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.journal.records.iter().filter_map(Record::entry)
    }

    pub fn handle(&mut self, input: ServerInput) {
        self.authority.handle(Timestamp::from_millis(self.now), input);
        while let Some(output) = self.authority.next_output() {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: ServerOutput) {
        match output {
            ServerOutput::Append { batch, .. } => {
                self.journal.records.extend_from_slice(&batch);
                let now = Timestamp::from_millis(self.now);
                self.authority.handle(now, ServerInput::Durable(self.journal.position()));
            }
            ServerOutput::Commit(commit) => {
                let entries: Vec<_> = commit.entries().cloned().collect();
                for &connection in &self.connections {
                    self.outbox.push((connection, ServerMessage::Commits(entries.clone())));
                }
            }
            ServerOutput::Check(_) => unreachable!("no test here is that long"),
            ServerOutput::Welcome { connection, welcome, image, from } => {
                let last_seq = welcome.last_seq;
                self.outbox.push((connection, ServerMessage::Welcome(*welcome)));
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
                let missing = self.entries().filter(|entry| entry.version > from);
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
        let mut snapshot = self.authority.snapshot().encode().unwrap();
        snapshot.clients.iter_mut().for_each(|known| known.refused.clear());
        let journal = Recovered { snapshot: Some(snapshot), records: Vec::new() };
        self.authority = Authority::open(self.authority.state().clone(), journal, [4; 32]).unwrap();
        self.connections.clear();
        self.outbox.clear();
    }

    /// Starts the server anew from its journal.
    pub fn restart(&mut self, initial: S) {
        self.authority = Authority::open(initial, self.journal.clone(), [5; 32]).unwrap();
        self.connections.clear();
        self.outbox.clear();
        self.handle(ServerInput::Absent);
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
    pub device: Device,
}

/// Where a client keeps its outbox.
#[derive(Default)]
pub struct Device {
    pub identity: Option<Identity>,
    pub items: BTreeMap<Ticket, OutboxItem>,
    pub asked: VecDeque<(u64, Vec<OutboxChange>)>,
}

impl Device {
    /// Carries out what was asked, and gives the number to acknowledge.
    fn keep(&mut self) -> Option<u64> {
        let mut last = None;
        for (serial, changes) in self.asked.drain(..) {
            for change in changes {
                match change {
                    OutboxChange::Identify(identity) => self.identity = Some(identity),
                    OutboxChange::Put(item) => drop(self.items.insert(item.ticket, item)),
                    OutboxChange::Remove(ticket) => drop(self.items.remove(&ticket)),
                }
            }
            last = Some(serial);
        }
        last
    }
}

impl<S: StateMachine> Client<S> {
    pub fn new() -> Self {
        Self::of(Replica::new(None))
    }

    /// One that a device keeps, as it left it.
    pub fn restored(device: Device) -> Self {
        let items = device.items.values().cloned().collect();
        let replica = Replica::restore(device.identity, items).unwrap();
        Self { device, ..Self::of(replica) }
    }

    fn of(replica: Replica<S>) -> Self {
        Self {
            replica,
            now: 50,
            settled: Vec::new(),
            gave_up: Vec::new(),
            connection: None,
            up: VecDeque::new(),
            down: VecDeque::new(),
            device: Device::default(),
        }
    }

    /// Lets the device do what it was asked.
    pub fn keep(&mut self) {
        while let Some(serial) = self.device.keep() {
            self.handle(Input::Stored { serial });
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
                Output::Store { serial, changes } => self.device.asked.push_back((serial, changes)),
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
                    cheaper: Version(0),
                }),
                ClientMessage::Submit(submissions) => {
                    server.handle(ServerInput::Submit { connection, submissions });
                }
                ClientMessage::Ping { .. }
                | ClientMessage::Checked { .. }
                | ClientMessage::Presence(_) => {}
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
