//! One simulated client: a replica, its connection, and what its application
//! still waits for.

use std::collections::{BTreeMap, VecDeque};

use crate::id::{ClientId, Version};
use crate::protocol::{ClientMessage, ServerMessage};
use crate::state_machine::StateMachine;
use crate::sync::{ConnectionId, Replica, Ticket};

pub(super) struct SimulatedClient<S: StateMachine> {
    pub(super) number: usize,
    pub(super) replica: Replica<S>,
    pub(super) connection: Option<Connection>,
    /// Tickets without an end, with their encoded transition.
    pub(super) open: BTreeMap<Ticket, Vec<u8>>,
}

/// A connection as the network has it: what was sent and has not come yet.
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) up: VecDeque<ClientMessage>,
    pub(super) down: VecDeque<ServerMessage>,
    /// The last version sent, once the server has welcomed the client.
    pub(super) sent: Option<Version>,
}

impl<S: StateMachine> SimulatedClient<S> {
    pub(super) fn new(number: usize) -> Self {
        Self { number, replica: Replica::new(None), connection: None, open: BTreeMap::new() }
    }

    pub(super) fn name(&self) -> String {
        format!("replica {}", self.number)
    }

    pub(super) fn id(&self) -> ClientId {
        self.replica.identity().map_or(ClientId::SERVER, |identity| identity.client)
    }
}

impl Connection {
    pub(super) fn new(id: ConnectionId) -> Self {
        Self { id, up: VecDeque::new(), down: VecDeque::new(), sent: None }
    }
}
