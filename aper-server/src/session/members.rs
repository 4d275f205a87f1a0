//! The connections of a session, as its task sees them.

use std::collections::HashMap;
use std::sync::Arc;

use aper::ClientId;
use aper::protocol::CloseCode;
use aper::sync::ConnectionId;
use tokio::sync::oneshot;

use super::Answer;
use super::sight::Sight;
use crate::error::Closing;
use crate::limits::Limits;
use crate::presence::Presences;
use crate::queue::{NotPut, Queue};

/// Who is here, and what they show of themselves.
pub(super) struct Members {
    lanes: HashMap<ConnectionId, Member>,
    /// Removed here, and still to be told to the authority.
    gone: Vec<ConnectionId>,
    sight: Arc<Sight>,
}

struct Member {
    /// None until it has been welcomed.
    client: Option<ClientId>,
    lane: Arc<Queue<Answer>>,
    close: oneshot::Sender<Closing>,
}

impl Members {
    pub(super) fn new(limits: &Limits) -> Self {
        let sight = Sight::new(limits);
        Self { lanes: HashMap::new(), gone: Vec::new(), sight }
    }

    pub(super) fn presences(&self) -> &Presences {
        self.sight.presences()
    }

    /// What is seen of the session from outside.
    pub(super) fn sight(&self) -> &Arc<Sight> {
        &self.sight
    }

    pub(super) fn add(
        &mut self,
        connection: ConnectionId,
        lane: Arc<Queue<Answer>>,
        close: oneshot::Sender<Closing>,
    ) {
        self.lanes.insert(connection, Member { client: None, lane, close });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    pub(super) fn connections(&self) -> Vec<ConnectionId> {
        self.lanes.keys().copied().collect()
    }

    /// Who is behind each connection.
    pub(super) fn clients(&self) -> Vec<(ConnectionId, ClientId)> {
        let known =
            |(&connection, member): (&ConnectionId, &Member)| Some((connection, member.client?));
        self.lanes.iter().filter_map(known).collect()
    }

    pub(super) fn welcomed(&mut self, connection: ConnectionId, client: ClientId) {
        if let Some(member) = self.lanes.get_mut(&connection) {
            member.client = Some(client);
            self.presences().enter(connection, client);
        }
    }

    /// Puts an answer into a client's lane. One whose lane is full is closed:
    /// it goes on asking without taking the answers.
    pub(super) fn tell(&mut self, connection: ConnectionId, answer: Answer) {
        let Some(member) = self.lanes.get(&connection) else { return };
        match member.lane.try_put(answer) {
            // Whoever has hung up is about to leave.
            Ok(()) | Err(NotPut::Closed) => {}
            Err(NotPut::Full(_)) => {
                let reason = "too many answers wait to be taken";
                self.close(connection, Closing::new(CloseCode::Slow, reason));
                self.gone.push(connection);
            }
        }
    }

    pub(super) fn close(&mut self, connection: ConnectionId, closing: Closing) {
        if let Some(member) = self.lanes.remove(&connection) {
            self.presences().leave(connection);
            let _ = member.close.send(closing);
        }
    }

    /// Whether it was here.
    pub(super) fn remove(&mut self, connection: ConnectionId) -> bool {
        self.presences().leave(connection);
        self.lanes.remove(&connection).is_some()
    }

    pub(super) fn next_gone(&mut self) -> Option<ConnectionId> {
        self.gone.pop()
    }
}
