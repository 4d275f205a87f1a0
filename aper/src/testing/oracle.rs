//! What must be true, checked by means so dumb that they cannot share a
//! mistake with the code that they check.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use super::client::SimulatedClient;
use crate::id::{ClientId, ClientSeq, Version};
use crate::protocol::{Entry, decode};
use crate::state_machine::{Context, StateMachine};
use crate::sync::{Outcome, Ticket};
use crate::time::Timestamp;

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{invariant} is broken: {what}")]
pub struct Violation {
    /// Its number in `docs/ARCHITECTURE.md`: `"I1"`.
    pub invariant: &'static str,
    /// What was seen.
    pub what: String,
}

impl Violation {
    pub(super) fn new(invariant: &'static str, what: impl Into<String>) -> Self {
        Self { invariant, what: what.into() }
    }
}

/// Every state that the journal has ever stood for.
pub(super) struct Oracle<S: StateMachine> {
    /// By version: `states[0]` is the initial state.
    states: Vec<S>,
    entries: Vec<Entry>,
    written: BTreeSet<(ClientId, ClientSeq)>,
    confirmed: BTreeSet<Version>,
}

impl<S: StateMachine + PartialEq + Debug> Oracle<S> {
    pub(super) fn new(initial: S) -> Self {
        Self {
            states: vec![initial],
            entries: Vec::new(),
            written: BTreeSet::new(),
            confirmed: BTreeSet::new(),
        }
    }

    pub(super) fn version(&self) -> Version {
        Version(self.entries.len() as u64)
    }

    /// The journal holds another entry now (I1, I3).
    pub(super) fn wrote(&mut self, entry: &Entry) -> Result<(), Violation> {
        if entry.version != self.version().next() {
            let what = format!("{} follows {} in the journal", entry.version, self.version());
            return Err(Violation::new("I1", what));
        }
        let id = (entry.client, entry.seq);
        if !entry.client.is_server() && !self.written.insert(id) {
            let what = format!("submission {} of client {} is there twice", id.1, id.0);
            return Err(Violation::new("I3", what));
        }
        let mut state = self.states.last().expect("there is an initial state").clone();
        let transition: S::Transition = decode(&entry.transition.0)
            .map_err(|error| Violation::new("I1", format!("entry {}: {error}", entry.version)))?;
        let cx = Context::new(
            entry.client,
            entry.user.clone(),
            entry.at,
            entry.version,
            entry.chance.unwrap_or_default(),
        );
        state.apply(&transition, &cx).map_err(|conflict| {
            Violation::new("I1", format!("entry {} is refused: {conflict}", entry.version))
        })?;
        self.states.push(state);
        self.entries.push(entry.clone());
        Ok(())
    }

    /// Somebody is about to be told of this version (I4).
    pub(super) fn tells(&self, version: Version) -> Result<(), Violation> {
        if version <= self.version() {
            return Ok(());
        }
        let what = format!("{version} was told, the journal holds {}", self.version());
        Err(Violation::new("I4", what))
    }

    /// What a replica holds (I1), and what it shows (I2).
    pub(super) fn look_at(&self, client: &SimulatedClient<S>) -> Result<(), Violation> {
        let replica = &client.replica;
        let (Some(confirmed), Some(version)) = (replica.confirmed(), replica.version()) else {
            return Ok(());
        };
        let index = usize::try_from(version.0).unwrap_or(usize::MAX);
        match self.states.get(index) {
            Some(expected) if expected == confirmed => {}
            Some(expected) => {
                let what = format!(
                    "{} has {confirmed:?} at {version}, the journal says {expected:?}",
                    client.name()
                );
                return Err(Violation::new("I1", what));
            }
            None => {
                let what = format!("{} is at {version}, which does not exist", client.name());
                return Err(Violation::new("I1", what));
            }
        }
        let mut expected = confirmed.clone();
        let mut next = version;
        for (_, transition) in replica.pending_shown() {
            next = next.next();
            let cx = Context::new(client.id(), None, Timestamp::ZERO, next, [0; 16]);
            if let Err(conflict) = expected.apply(transition, &cx) {
                let what = format!("{} shows {transition:?}: {conflict}", client.name());
                return Err(Violation::new("I2", what));
            }
        }
        if Some(&expected) == replica.state() {
            return Ok(());
        }
        let what = format!("{} shows {:?}, not {expected:?}", client.name(), replica.state());
        Err(Violation::new("I2", what))
    }

    /// A client was told how a ticket ended (I5).
    pub(super) fn settled(
        &mut self,
        open: &mut BTreeMap<Ticket, Vec<u8>>,
        client: ClientId,
        ticket: Ticket,
        outcome: &Outcome<S::Conflict>,
    ) -> Result<(), Violation> {
        let Some(transition) = open.remove(&ticket) else {
            return Err(Violation::new("I5", format!("{ticket:?} ended twice, or never began")));
        };
        let Outcome::Confirmed(version) = *outcome else { return Ok(()) };
        let entry = version.0.checked_sub(1).and_then(|index| self.entries.get(index as usize));
        let is_it =
            entry.is_some_and(|entry| entry.client == client && entry.transition.0 == transition);
        if is_it && self.confirmed.insert(version) {
            return Ok(());
        }
        Err(Violation::new("I5", format!("{ticket:?} was confirmed as {version}, and is not that")))
    }

    /// The server took its session up again from its journal.
    pub(super) fn recovered(&self, state: &S, version: Version) -> Result<(), Violation> {
        if self.version() == version && self.states.last() == Some(state) {
            return Ok(());
        }
        let what =
            format!("the server came back at {version}, the journal is at {:?}", self.version());
        Err(Violation::new("I1", what))
    }
}
