//! Messages on their way, and what happens to the connections that carry them.

use std::fmt::Debug;

use super::fault::Fault;
use super::network::{Frame, Side};
use super::oracle::Violation;
use super::outlet::Round;
use super::script::Way;
use super::world::World;
use crate::protocol::{ClientMessage, CloseCode, ServerMessage};
use crate::state_machine::StateMachine;
use crate::sync::ConnectionId;
use crate::sync::replica::Input;

/// From this time under way on a message counts as delayed, in milliseconds.
const DELAY: u64 = 1_000;

impl<S: StateMachine + PartialEq + Debug> World<S> {
    pub(super) fn connect(&mut self, page: usize) -> Result<(), Violation> {
        if self.pages[page].link.is_some() {
            return Ok(());
        }
        let connection = self.network.open(page);
        self.server.connected(connection, page);
        self.pages[page].link = Some(connection);
        self.give(page, Input::Connected)
    }

    pub(super) fn up(&mut self, page: usize) -> Result<(), Violation> {
        match self.pages[page].link {
            Some(connection) => self.take_up(connection),
            None => Ok(()),
        }
    }

    pub(super) fn up_stale(&mut self, nth: usize) -> Result<(), Violation> {
        let Some(connection) = self.stale(nth) else { return Ok(()) };
        if self.network.has(connection, |link| link.up.next().is_some()) {
            self.oracle.report.happened(Fault::Stale);
        }
        self.take_up(connection)
    }

    pub(super) fn notice_stale(&mut self, nth: usize) -> Result<(), Violation> {
        let Some(connection) = self.stale(nth) else { return Ok(()) };
        self.server_loses(connection)
    }

    fn take_up(&mut self, connection: ConnectionId) -> Result<(), Violation> {
        let now = self.now;
        let Some(link) = self.network.get(connection) else { return Ok(()) };
        if link.server == Side::Ended {
            return Ok(());
        }
        let Some((frame, delay)) = link.up.take(now) else { return Ok(()) };
        self.was_under_way(delay);
        match frame {
            Frame::End => self.server_loses(connection),
            Frame::Message(ClientMessage::Checked { version, hash }) => {
                match self.server.differs(version, hash) {
                    Some(true) => {
                        let what = format!("a client has another state at {version}");
                        Err(Violation::new("I1", what))
                    }
                    Some(false) => {
                        self.oracle.report.checked += 1;
                        Ok(())
                    }
                    None => Ok(()),
                }
            }
            Frame::Message(message) => {
                self.serve(|server, oracle| server.take(connection, message, oracle))
            }
        }
    }

    pub(super) fn down(&mut self, page: usize) -> Result<(), Violation> {
        let now = self.now;
        let Some(connection) = self.pages[page].link else { return Ok(()) };
        let Some(link) = self.network.get(connection) else { return Ok(()) };
        let Some((frame, delay)) = link.down.take(now) else { return Ok(()) };
        self.was_under_way(delay);
        match frame {
            Frame::End => self.client_loses(page).map(drop),
            Frame::Message(message) => {
                if let ServerMessage::Welcome(welcome) = &message {
                    self.pages[page].history = Some(welcome.history);
                }
                self.give(page, Input::Message(message))
            }
        }
    }

    fn was_under_way(&mut self, millis: u64) {
        if millis >= DELAY {
            self.oracle.report.happened(Fault::Delayed);
        }
    }

    pub(super) fn write(&mut self, page: usize, round: Round) -> Result<(), Violation> {
        let Some(connection) = self.pages[page].link else { return Ok(()) };
        let messages = self.server.write(connection, round, &mut self.oracle)?;
        if let Some(link) = self.network.get(connection) {
            for message in messages {
                link.down.send(self.now, Frame::Message(message));
            }
        }
        self.end_closed()
    }

    /// The server has ended connections: their clients learn of it after all
    /// that came before.
    pub(super) fn end_closed(&mut self) -> Result<(), Violation> {
        for (connection, code, rest) in self.server.take_closed() {
            let owner = self.network.owner(connection);
            self.may_be_closed(owner, code)?;
            if let Some(link) = self.network.get(connection) {
                for message in rest {
                    link.down.send(self.now, Frame::Message(message));
                }
                link.down.send(self.now, Frame::End);
            }
            self.network.server_left(connection);
            if self.villain.link == Some(connection) {
                self.network.remove(connection);
                self.villain.link = None;
            }
        }
        Ok(())
    }

    /// I8: nobody's misbehaviour ends the connection of somebody who is in order.
    fn may_be_closed(&self, owner: Option<usize>, code: CloseCode) -> Result<(), Violation> {
        let Some(page) = owner.and_then(|owner| self.pages.get(owner)) else { return Ok(()) };
        // A connection that the client has given up already, and whose hello
        // comes late, takes the place of a newer one.
        if matches!(code, CloseCode::Replaced | CloseCode::Unavailable | CloseCode::Restart) {
            return Ok(());
        }
        Err(Violation::new("I8", format!("{} was closed as {code:?}", page.name())))
    }

    pub(super) fn cut(&mut self, page: usize) -> Result<(), Violation> {
        let Some(connection) = self.client_loses(page)? else { return Ok(()) };
        self.oracle.report.happened(Fault::Cut);
        self.server_loses(connection)?;
        self.network.remove(connection);
        Ok(())
    }

    pub(super) fn half_open(&mut self, page: usize) -> Result<(), Violation> {
        let Some(connection) = self.client_loses(page)? else { return Ok(()) };
        if self.network.has(connection, |link| link.server == Side::Open) {
            self.oracle.report.happened(Fault::HalfOpen);
        }
        Ok(())
    }

    pub(super) fn deaf(&mut self, page: usize) -> Result<(), Violation> {
        let Some(connection) = self.pages[page].link else { return Ok(()) };
        if self.network.has(connection, |link| link.server == Side::Ended) {
            return Ok(());
        }
        self.oracle.report.happened(Fault::Deaf);
        self.server_loses(connection)
    }

    /// The client has no connection any more; the server may think it has.
    pub(super) fn client_loses(&mut self, page: usize) -> Result<Option<ConnectionId>, Violation> {
        let Some(connection) = self.pages[page].link.take() else { return Ok(None) };
        self.network.client_left(connection);
        self.pages[page].sent.clear();
        self.give(page, Input::Disconnected)?;
        Ok(Some(connection))
    }

    /// The client ends its connection; what it had sent still comes.
    pub(super) fn client_ends(&mut self, page: usize) -> Result<(), Violation> {
        if let Some(connection) = self.pages[page].link
            && let Some(link) = self.network.get(connection)
        {
            link.up.send(self.now, Frame::End);
        }
        self.client_loses(page).map(drop)
    }

    pub(super) fn server_loses(&mut self, connection: ConnectionId) -> Result<(), Violation> {
        self.network.server_left(connection);
        self.serve(|server, oracle| server.lost(connection, oracle))
    }

    pub(super) fn duplicate(&mut self, page: usize, way: Way) {
        let Some(connection) = self.pages[page].link else { return };
        let Some(link) = self.network.get(connection) else { return };
        match way {
            Way::Up if matches!(link.up.next(), Some(ClientMessage::Submit(_))) => {
                link.up.duplicate();
            }
            Way::Down if matches!(link.down.next(), Some(ServerMessage::Commits(_))) => {
                link.down.duplicate();
            }
            _ => return,
        }
        self.oracle.report.happened(Fault::Duplicated);
    }

    pub(super) fn hole(&mut self, page: usize) {
        let now = self.now;
        let Some(connection) = self.pages[page].link else { return };
        let Some(link) = self.network.get(connection) else { return };
        if let Some(ServerMessage::Commits(_)) = link.down.next() {
            link.down.take(now);
            self.oracle.report.happened(Fault::Hole);
        }
    }
}
