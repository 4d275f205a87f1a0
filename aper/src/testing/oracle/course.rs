//! A course of events: what the journal has ever held, until a backup took its
//! place.

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use crate::id::{ClientId, ClientSeq, ResumeKey, Version};
use crate::protocol::{Entry, decode};
use crate::state_machine::StateMachine;
use crate::sync::authority::context_of;
use crate::testing::page::{Page, SubmissionId};

/// A course of events.
#[derive(Clone)]
pub(in crate::testing) struct Course<S> {
    /// By version: `states[0]` is the initial state.
    pub(super) states: Vec<S>,
    pub(super) entries: Vec<Entry>,
    pub(super) written: BTreeMap<(ClientId, ClientSeq), Version>,
    /// What somebody was told to be refused.
    pub(super) refused: BTreeSet<(ClientId, ClientSeq)>,
    /// What was not taken because there was no room.
    pub(super) postponed: BTreeMap<(ClientId, ClientSeq), SubmissionId>,
    pub(super) keys: BTreeMap<ClientId, ResumeKey>,
    pub(super) confirmed: BTreeSet<Version>,
    /// Which submission a number was given to.
    pub(super) numbers: BTreeMap<(ClientId, ClientSeq), SubmissionId>,
    /// Under which number a submission entered the journal.
    pub(super) entered: BTreeMap<SubmissionId, (ClientId, ClientSeq)>,
}

impl<S: StateMachine> Course<S> {
    pub(super) fn of(initial: S) -> Self {
        Self {
            states: vec![initial],
            entries: Vec::new(),
            written: BTreeMap::new(),
            refused: BTreeSet::new(),
            postponed: BTreeMap::new(),
            keys: BTreeMap::new(),
            confirmed: BTreeSet::new(),
            numbers: BTreeMap::new(),
            entered: BTreeMap::new(),
        }
    }

    pub(in crate::testing) fn version(&self) -> Version {
        Version(self.entries.len() as u64)
    }

    pub(super) fn wrote(&mut self, entry: &Entry) -> Result<(), Violation> {
        let version = entry.version;
        if version != self.version().next() {
            let what = format!("{version} follows {} in the journal", self.version());
            return Err(Violation::new("I1", what));
        }
        if self.entries.last().is_some_and(|last| entry.at < last.at) {
            return Err(Violation::new("I1", format!("time goes back at {version}")));
        }
        self.wrote_once(entry)?;
        let mut state = self.states.last().expect("there is an initial state").clone();
        let transition: S::Transition = decode(&entry.transition.0)
            .map_err(|error| Violation::new("I1", format!("entry {version}: {error}")))?;
        state.apply(&transition, &context_of(entry)).map_err(|conflict| {
            Violation::new("I1", format!("entry {version} is refused: {conflict}"))
        })?;
        self.states.push(state);
        self.entries.push(entry.clone());
        Ok(())
    }

    /// I3.
    fn wrote_once(&mut self, entry: &Entry) -> Result<(), Violation> {
        let (client, seq) = (entry.client, entry.seq);
        if client.is_server() {
            return Ok(());
        }
        let twice = |what: &str| {
            let what = format!("submission {seq} of client {client} {what}");
            Err(Violation::new("I3", what))
        };
        if self.written.insert((client, seq), entry.version).is_some() {
            return twice("is there twice");
        }
        if self.refused.contains(&(client, seq)) {
            return twice("was refused, and is there");
        }
        let Some(submission) = self.numbers.get(&(client, seq)) else { return Ok(()) };
        match self.entered.insert(*submission, (client, seq)) {
            Some((_, before)) if before != seq => twice(&format!("is there as {before} too")),
            _ => Ok(()),
        }
    }

    pub(super) fn confirm(
        &mut self,
        page: &Page<S>,
        version: Version,
        transition: &[u8],
    ) -> Result<(), Violation> {
        let index = version.0.checked_sub(1).and_then(|index| usize::try_from(index).ok());
        let entry = index.and_then(|index| self.entries.get(index));
        let is_it = entry
            .is_some_and(|entry| entry.client == page.id() && entry.transition.0 == transition);
        if is_it && self.confirmed.insert(version) {
            return Ok(());
        }
        let what = format!("{} was confirmed something as {version} that is not that", page.name());
        Err(Violation::new("I5", what))
    }
}
