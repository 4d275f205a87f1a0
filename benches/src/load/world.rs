//! The connections, and the loop around them.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::client::{Client, Packing, Stage};
use super::dialect::{Dialect, Snapshot, Told};
use super::order::Session;
use super::pace::Pace;
use super::seen::{Seen, Timed};
use crate::websocket::{self, Kind, Sender};

const READ_BYTES: usize = 256 * 1024;

/// How long a scenario waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the loop sleeps when nothing is due, in milliseconds.
const REST: u64 = 5;

/// Connections that are opened before the first of them has to be welcome.
const AT_ONCE: usize = 128;

/// All clients, their sessions, and what was seen.
pub(super) struct World {
    dialect: Dialect,
    server: SocketAddr,
    started: Instant,
    poll: Poll,
    events: Events,
    /// Those who are looked after between any two others, so that what they
    /// wait for is the server and not the generator.
    first: Poll,
    first_events: Events,
    /// Among whom clients are that connect now.
    pub(super) rank: Rank,
    firsts: usize,
    looked_at: u64,
    /// Mutations at a pace, while it is run at that.
    pub(super) pace: Option<Pace>,
    paced: Paced,
    scratch: Vec<u8>,
    pub(super) clients: Vec<Client>,
    sessions: Vec<Session>,
    joined: usize,
    /// Entries for clients that joined ahead of what anybody was told yet.
    early: Vec<(usize, Vec<u8>)>,
    pub(super) seen: Seen,
}

/// How soon the generator looks after a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    /// When it is its turn.
    Ordinary,
    /// Between any two others.
    First,
}

/// Whether mutations are sent at a pace now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paced {
    No,
    Yes,
}

impl World {
    pub(super) fn new(dialect: Dialect, server: SocketAddr) -> Result<Self> {
        Ok(Self {
            dialect,
            server,
            started: Instant::now(),
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            first: Poll::new()?,
            first_events: Events::with_capacity(64),
            rank: Rank::Ordinary,
            firsts: 0,
            looked_at: 0,
            pace: None,
            paced: Paced::No,
            scratch: vec![0; READ_BYTES],
            clients: Vec::new(),
            sessions: Vec::new(),
            joined: 0,
            early: Vec::new(),
            seen: Seen::new(Timed::Authors),
        })
    }

    /// Forgets what was seen so far.
    pub(super) fn look_anew(&mut self, timed: Timed) {
        self.seen = Seen::new(timed);
    }

    /// Another session; its number.
    pub(super) fn add_session(&mut self) -> usize {
        self.sessions.push(Session::default());
        self.sessions.len() - 1
    }

    /// Connects a client to the session of this number and name.
    pub(super) fn connect(&mut self, session: usize, name: &str) -> Result<usize> {
        let stream = std::net::TcpStream::connect(self.server).context("no connection")?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let place = self.clients.len();
        let interest = Interest::READABLE | Interest::WRITABLE;
        let poll = match self.rank {
            Rank::Ordinary => &self.poll,
            Rank::First => &self.first,
        };
        poll.registry().register(&mut stream, Token(place), interest)?;
        self.firsts += usize::from(self.rank == Rank::First);
        let outbox = websocket::request(&self.dialect.path(name), self.dialect.subprotocol());
        let mut client = Client {
            stream,
            session,
            author: place as u64,
            stage: Stage::Upgrading,
            inbox: Vec::new(),
            outbox,
            position: 0,
            last_seq: 0,
            last_decided: 0,
            unanswered: 0,
            sent: VecDeque::new(),
            connected: self.now(),
            early: 0,
            window: 0,
            packing: Packing::Apart,
        };
        client.write()?;
        self.clients.push(client);
        Ok(place)
    }

    /// Connects clients, each to the session that `session` names, and waits
    /// until all take part.
    pub(super) fn connect_all(
        &mut self,
        count: usize,
        mut session: impl FnMut(&mut Self, usize) -> (usize, String),
    ) -> Result<()> {
        for n in 0..count {
            let (session, name) = session(self, n);
            self.connect(session, &name)?;
            if n + 1 == count || self.clients.len() - self.joined >= AT_ONCE {
                let most = if n + 1 == count { 0 } else { AT_ONCE / 2 };
                self.wait_for(|world| world.clients.len() - world.joined <= most)?;
            }
        }
        Ok(())
    }

    /// Ends a client's connection.
    pub(super) fn leave(&mut self, client: usize) -> Result<()> {
        let client = &mut self.clients[client];
        client.stage = Stage::Left;
        client.stream.shutdown(std::net::Shutdown::Both).context("cannot leave")
    }

    /// Whether a client takes part.
    pub(super) fn has_joined(&self, client: usize) -> bool {
        self.clients[client].stage == Stage::Joined
    }

    /// Whether a client was welcomed, if not yet given the state.
    pub(super) fn is_welcome(&self, client: usize) -> bool {
        matches!(self.clients[client].stage, Stage::Joined | Stage::Receiving(_))
    }

    /// Whether everybody was told everything.
    pub(super) fn is_settled(&self) -> bool {
        let here = self.clients.iter().filter(|client| client.stage != Stage::Left);
        let settled = |client: &Client| {
            client.unanswered == 0 && client.position == self.sessions[client.session].head()
        };
        here.into_iter().all(settled)
    }

    /// Runs until `done`, or fails for lack of patience.
    pub(super) fn wait_for(&mut self, mut done: impl FnMut(&Self) -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            ensure!(Instant::now() < deadline, "the server did not do it in time");
            self.turn(Duration::from_millis(REST))?;
        }
        Ok(())
    }

    /// Runs for a while.
    pub(super) fn run_for(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.turn(Duration::from_millis(REST))?;
        }
        Ok(())
    }

    /// Runs for a while, with mutations at the pace. Does not sleep meanwhile:
    /// the operating system's clock is too coarse for that.
    pub(super) fn run_at_pace(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        (self.paced, self.looked_at) = (Paced::Yes, self.now());
        while Instant::now() < end {
            self.turn(Duration::ZERO)?;
        }
        self.paced = Paced::No;
        Ok(())
    }

    /// Sends what the pace wants sent, and looks after those that come first.
    fn attend(&mut self) -> Result<()> {
        while self.paced == Paced::Yes
            && let now = self.now()
            && let Some(client) = self.pace.as_mut().and_then(|pace| pace.due(now))
        {
            if self.clients[client].unanswered < self.dialect.window() {
                self.send(client, 1)?;
            }
        }
        if self.firsts == 0 {
            return Ok(());
        }
        let now = self.now();
        let _ = self.seen.between_looks.record((now - self.looked_at).max(1));
        self.looked_at = now;
        self.first.poll(&mut self.first_events, Some(Duration::ZERO))?;
        let events = std::mem::replace(&mut self.first_events, Events::with_capacity(0));
        for event in &events {
            self.event(event)?;
        }
        self.first_events = events;
        Ok(())
    }

    /// Sends mutations.
    pub(super) fn send(&mut self, place: usize, count: u32) -> Result<()> {
        let now = self.now();
        let client = &mut self.clients[place];
        let numbers = client.last_seq + 1..client.last_seq + 1 + u64::from(count);
        client.last_seq += u64::from(count);
        client.sent.extend(numbers.clone().map(|_| now));
        let (out, author) = (&mut client.outbox, client.author);
        match client.packing {
            Packing::Together => self.dialect.mutations(out, author, numbers)?,
            Packing::Apart => {
                for seq in numbers {
                    self.dialect.mutation(out, author, seq)?;
                }
            }
        }
        client.unanswered += count;
        client.write()
    }

    /// How many mutations a client has sent.
    pub(super) fn sent_by(&self, client: usize) -> u64 {
        self.clients[client].last_seq
    }

    /// The greatest number of mutations that a client may have on their way.
    pub(super) fn window(&self) -> u32 {
        self.dialect.window()
    }

    /// Keeps this many mutations of a client on their way.
    pub(super) fn keep_sending(&mut self, place: usize, window: u32) -> Result<()> {
        self.clients[place].window = window;
        self.refill(place)
    }

    fn refill(&mut self, place: usize) -> Result<()> {
        let client = &self.clients[place];
        let room = client.window.saturating_sub(client.unanswered);
        if room > 0 { self.send(place, room) } else { Ok(()) }
    }

    fn turn(&mut self, sleep: Duration) -> Result<()> {
        self.attend()?;
        self.poll.poll(&mut self.events, Some(sleep))?;
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            self.event(event)?;
            self.attend()?;
        }
        self.events = events;
        self.take_early()
    }

    fn event(&mut self, event: &Event) -> Result<()> {
        let Token(place) = event.token();
        if self.clients[place].stage == Stage::Left {
            return Ok(());
        }
        if event.is_writable() {
            self.clients[place].write()?;
        }
        if event.is_readable() {
            self.read(place).with_context(|| format!("client {place}"))?;
            self.refill(place)?;
        }
        Ok(())
    }

    /// Looks again at what came early.
    fn take_early(&mut self) -> Result<()> {
        let now = self.now();
        for (place, payload) in std::mem::take(&mut self.early) {
            self.clients[place].early -= 1;
            self.message(place, &payload, now)?;
        }
        Ok(())
    }

    fn read(&mut self, place: usize) -> Result<()> {
        loop {
            let mut scratch = std::mem::take(&mut self.scratch);
            let read = self.clients[place].stream.read(&mut scratch);
            let taken = match &read {
                Ok(0) => Err(anyhow::anyhow!("the server closed the connection")),
                Ok(len) => self.take(place, &scratch[..*len]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
                Err(error) => Err(anyhow::anyhow!("the connection broke: {error}")),
            };
            let whole = matches!(read, Ok(len) if len == scratch.len());
            self.scratch = scratch;
            taken?;
            if !whole {
                return Ok(());
            }
        }
    }

    fn take(&mut self, place: usize, bytes: &[u8]) -> Result<()> {
        if self.clients[place].inbox.is_empty() {
            let taken = self.messages(place, bytes)?;
            self.clients[place].inbox.extend_from_slice(&bytes[taken..]);
            return Ok(());
        }
        let mut inbox = std::mem::take(&mut self.clients[place].inbox);
        inbox.extend_from_slice(bytes);
        let taken = self.messages(place, &inbox)?;
        inbox.drain(..taken);
        if !inbox.is_empty() {
            self.clients[place].inbox = inbox;
        }
        Ok(())
    }

    /// Takes the messages that are there; how many bytes they were.
    fn messages(&mut self, place: usize, bytes: &[u8]) -> Result<usize> {
        let mut taken = 0;
        if self.clients[place].stage == Stage::Upgrading {
            let Some(head) = websocket::head(bytes)? else { return Ok(0) };
            ensure!(
                bytes.starts_with(b"HTTP/1.1 101"),
                "no upgrade: {}",
                String::from_utf8_lossy(&bytes[..head])
            );
            taken = head;
            self.upgraded(place)?;
        }
        let now = self.now();
        while let Some(frame) = websocket::frame(&bytes[taken..])? {
            let payload = &bytes[taken..][frame.start..frame.end];
            match frame.kind {
                Kind::Binary => self.message(place, payload, now)?,
                Kind::Ping => {
                    let client = &mut self.clients[place];
                    websocket::write_pong(&mut client.outbox, Sender::Client, payload);
                    client.write()?;
                }
                Kind::Pong => {}
                Kind::Close => {
                    let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default());
                    bail!("the server ended the connection: {reason}");
                }
            }
            taken += frame.end;
        }
        Ok(taken)
    }

    fn upgraded(&mut self, place: usize) -> Result<()> {
        let client = &mut self.clients[place];
        client.stage = Stage::Greeting;
        self.dialect.hello(&mut client.outbox)?;
        client.write()?;
        if self.dialect.joins_by_connecting() {
            let author = self.clients[place].author;
            self.joined(place, author, 0);
        }
        Ok(())
    }

    fn joined(&mut self, place: usize, author: u64, position: u64) {
        let now = self.now();
        let client = &mut self.clients[place];
        client.stage = Stage::Joined;
        client.author = author;
        client.position = position;
        let _ = self.seen.caught_up.record((now - client.connected).max(1));
        let session = &mut self.sessions[client.session];
        session.begin_at(position);
        session.add_author(author, place);
        self.joined += 1;
    }

    fn message(&mut self, place: usize, payload: &[u8], now: u64) -> Result<()> {
        let Client { position, session, author, stage, early, .. } = self.clients[place];
        if stage == Stage::Joined && (early > 0 || position > self.sessions[session].head()) {
            self.clients[place].early += 1;
            self.early.push((place, payload.to_vec()));
            return Ok(());
        }
        if stage == Stage::Joined
            && let Some(count) = self.sessions[session].known_message(position, payload)
        {
            self.delivered(place, count, now);
            return Ok(());
        }
        match self.dialect.read(payload)? {
            Told::Welcome { author, position, snapshot } => {
                let client = &mut self.clients[place];
                client.author = author;
                client.position = position;
                client.stage = Stage::Receiving(None);
                let _ = self.seen.welcomed.record((now - client.connected).max(1));
                if snapshot == Snapshot::No {
                    self.joined(place, author, position);
                }
            }
            Told::State { position, bytes } => {
                let client = &mut self.clients[place];
                ensure!(client.stage == Stage::Receiving(None), "it was left behind");
                client.position = position;
                client.stage = Stage::Receiving(Some(bytes));
                self.seen.state_bytes += bytes;
            }
            Told::Chunk { bytes } => {
                let Stage::Receiving(Some(rest)) = self.clients[place].stage else {
                    bail!("a piece of a state that was not announced");
                };
                let rest = rest.checked_sub(bytes).context("more than was announced")?;
                self.clients[place].stage = Stage::Receiving(Some(rest));
                if rest == 0 {
                    self.joined(place, author, position);
                }
            }
            Told::Entries(entries) => self.entries(place, &entries, payload, now)?,
            Told::Nothing => {}
        }
        Ok(())
    }

    /// Entries that were not seen in this form before.
    fn entries(
        &mut self,
        place: usize,
        entries: &[super::dialect::Entry],
        payload: &[u8],
        now: u64,
    ) -> Result<()> {
        let Client { position, session, stage, .. } = self.clients[place];
        ensure!(stage == Stage::Joined, "entries before the state they belong to");
        let (mut at, mut told) = (position, 0);
        for &entry in entries {
            if entry.position.is_some_and(|place| place <= at) {
                continue;
            }
            let in_order = entry.position.is_none_or(|place| place == at + 1);
            ensure!(in_order, "an entry is missing after {at}");
            let clients = &mut self.clients;
            let sent = |author: usize, seq| clients[author].decided(seq);
            self.sessions[session].told(at, entry, sent)?;
            at += 1;
            told += 1;
        }
        if told > 0 && told == entries.len() as u64 && entries[0].position.is_some() {
            self.sessions[session].keep_message(position, payload, told);
        }
        self.delivered(place, told, now);
        Ok(())
    }

    /// A client was told the next `count` entries.
    fn delivered(&mut self, place: usize, count: u64, now: u64) {
        let client = &mut self.clients[place];
        let timed = self.seen.timed.clone();
        for known in self.sessions[client.session].range(client.position, count) {
            let own = known.client == place;
            client.unanswered -= u32::from(own);
            let is_timed = match &timed {
                Timed::Authors => own,
                Timed::Among(clients) => {
                    clients.contains(&place) && clients.contains(&known.client)
                }
            };
            if is_timed {
                let _ = self.seen.latency.record((now - known.sent).max(1));
            }
        }
        client.position += count;
        self.seen.deliveries += count;
        let session = client.session;
        if self.sessions[session].wants_trim() {
            self.trim(session);
        }
    }

    fn trim(&mut self, session: usize) {
        let here = |client: &&Client| client.session == session && client.stage != Stage::Left;
        let lowest = self.clients.iter().filter(here).map(|client| client.position).min();
        self.sessions[session].trim(lowest.unwrap_or(0));
    }

    fn now(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }
}
