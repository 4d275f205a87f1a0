//! What carries the messages: connections that keep the order of what they
//! carry, end at any time, and whose two ends need not learn of that together.

use std::collections::{BTreeMap, VecDeque};

use crate::protocol::{ClientMessage, ServerMessage};
use crate::sync::ConnectionId;

/// Every connection that at least one side holds for open.
#[derive(Default)]
pub(super) struct Network {
    links: BTreeMap<ConnectionId, Link>,
    last: u64,
}

/// One connection.
pub(super) struct Link {
    /// Whose it is, by its place among the clients.
    pub(super) owner: usize,
    pub(super) up: Lane<ClientMessage>,
    pub(super) down: Lane<ServerMessage>,
    pub(super) client: Side,
    pub(super) server: Side,
}

/// What one side believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Open,
    Ended,
}

/// One direction, oldest first.
pub(super) struct Lane<M> {
    frames: VecDeque<(u64, Frame<M>)>,
}

/// What travels.
#[derive(Clone)]
pub(super) enum Frame<M> {
    Message(M),
    /// The other side has ended the connection, after all that came before.
    End,
}

impl Network {
    /// Opens a connection of this client.
    pub(super) fn open(&mut self, owner: usize) -> ConnectionId {
        self.last += 1;
        let id = ConnectionId(self.last);
        let link = Link {
            owner,
            up: Lane::default(),
            down: Lane::default(),
            client: Side::Open,
            server: Side::Open,
        };
        self.links.insert(id, link);
        id
    }

    pub(super) fn get(&mut self, id: ConnectionId) -> Option<&mut Link> {
        self.links.get_mut(&id)
    }

    pub(super) fn owner(&self, id: ConnectionId) -> Option<usize> {
        self.links.get(&id).map(|link| link.owner)
    }

    pub(super) fn has(&self, id: ConnectionId, wanted: impl Fn(&Link) -> bool) -> bool {
        self.links.get(&id).is_some_and(wanted)
    }

    /// The connection is no more, for either side.
    pub(super) fn remove(&mut self, id: ConnectionId) {
        self.links.remove(&id);
    }

    /// The client has no more to do with it.
    pub(super) fn client_left(&mut self, id: ConnectionId) {
        self.left(id, |link| link.client = Side::Ended);
    }

    /// The server has no more to do with it.
    pub(super) fn server_left(&mut self, id: ConnectionId) {
        self.left(id, |link| link.server = Side::Ended);
    }

    fn left(&mut self, id: ConnectionId, leave: impl FnOnce(&mut Link)) {
        let Some(link) = self.links.get_mut(&id) else { return };
        leave(link);
        if (link.client, link.server) == (Side::Ended, Side::Ended) {
            self.links.remove(&id);
        }
    }

    /// The connections that the server holds for open, and the client does not.
    pub(super) fn stale(&self) -> impl Iterator<Item = ConnectionId> {
        let is_stale = |link: &Link| (link.client, link.server) == (Side::Ended, Side::Open);
        self.links.iter().filter(move |(_, link)| is_stale(link)).map(|(&id, _)| id)
    }

    /// The server's process is no more. What it had sent still comes.
    pub(super) fn server_gone(&mut self, now: u64) {
        for link in self.links.values_mut().filter(|link| link.server == Side::Open) {
            link.up.clear();
            link.down.send(now, Frame::End);
            link.server = Side::Ended;
        }
        self.links.retain(|_, link| link.client == Side::Open);
    }
}

impl<M> Default for Lane<M> {
    fn default() -> Self {
        Self { frames: VecDeque::new() }
    }
}

impl<M> Lane<M> {
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn send(&mut self, now: u64, frame: Frame<M>) {
        self.frames.push_back((now, frame));
    }

    /// The oldest, and how long it has been under way.
    pub(super) fn take(&mut self, now: u64) -> Option<(Frame<M>, u64)> {
        self.frames.pop_front().map(|(sent, frame)| (frame, now - sent))
    }

    pub(super) fn next(&self) -> Option<&M> {
        match self.frames.front() {
            Some((_, Frame::Message(message))) => Some(message),
            _ => None,
        }
    }

    pub(super) fn clear(&mut self) {
        self.frames.clear();
    }
}

impl<M: Clone> Lane<M> {
    pub(super) fn duplicate(&mut self) {
        if let Some(next) = self.frames.front().cloned() {
            self.frames.push_front(next);
        }
    }
}
