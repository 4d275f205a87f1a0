//! What is told, and when: not before the journal holds what it reveals (I4).

use super::{Authority, Commit, ConnectionId, Opened, Output};
use crate::id::ClientId;
use crate::journal::{Batch, Position, Record};
use crate::mutant::{Mutant, active};
use crate::protocol::{CloseCode, RefusalMessage, Rejection};
use crate::state_machine::StateMachine;
use std::ops::Range;
use std::sync::Arc;

impl<S: StateMachine> Authority<S> {
    /// Told after what was accepted before and ahead of what will be: a client
    /// takes its answers in the order of its submissions.
    pub(super) fn reject(
        &mut self,
        connection: ConnectionId,
        client: ClientId,
        rejection: Rejection,
    ) {
        if rejection.refusal == RefusalMessage::Unavailable {
            // It reveals nothing, and the journal may be long in taking the rest.
            self.outputs.push_back(Output::Reject { connection, client, rejection });
            return;
        }
        if let Some(record) = self.clients.get_mut(client) {
            record.unanswered += 1;
        }
        self.tell(Output::Reject { connection, client, rejection });
    }

    pub(super) fn close(&mut self, connection: ConnectionId, code: CloseCode, reason: String) {
        self.leave(connection);
        self.outputs.push_back(Output::Close { connection, code, reason });
    }

    pub(super) fn happens(&mut self, record: Record) {
        if self.opened == Opened::Unrecorded {
            self.opened = Opened::Recorded;
            self.happened.push(Record::Opened { history: self.history });
        }
        self.happened.push(record);
    }

    /// Tells something that reveals all that has happened so far (I4).
    pub(super) fn tell(&mut self, output: Output) {
        self.telling.push((self.happened.len(), output));
    }

    /// Has everything written that the input made happen, and lets what is to
    /// be told wait for that, entries and answers in the order in which they
    /// came about.
    pub(super) fn append(&mut self) {
        if self.happened.is_empty() && self.telling.is_empty() {
            return;
        }
        let batch: Batch = std::mem::take(&mut self.happened).into();
        let after = self.position;
        self.position = after.after(batch.len());
        let mut told = 0;
        for (records, output) in std::mem::take(&mut self.telling) {
            self.hold_commit(after, &batch, told..records);
            self.held.push_back((after.after(records), output));
            told = records;
        }
        self.hold_commit(after, &batch, told..batch.len());
        let is_new = batch.iter().any(|record| record.entry().is_some());
        if is_new && !self.connections.is_empty() && self.checks.is_due() {
            let image = self.image();
            self.checks.begin(&image);
            self.held.push_back((self.position, Output::Check(image)));
        }
        if !batch.is_empty() {
            self.outputs.push_back(Output::Append { after, batch });
        }
    }

    pub(super) fn hold_commit(&mut self, after: Position, batch: &Batch, range: Range<usize>) {
        let position = after.after(range.end);
        let commit = Commit { batch: Arc::clone(batch), range };
        if commit.entries().next().is_some() {
            self.held.push_back((position, Output::Commit(commit)));
        }
    }

    pub(super) fn release(&mut self) {
        let tells_early = active(Mutant::TellBeforeDurable);
        let durable = if tells_early { self.position } else { self.durable };
        debug_assert!(durable <= self.position, "the journal holds what never happened");
        while let Some((_, output)) = self.held.pop_front_if(|(reveals, _)| *reveals <= durable) {
            self.answered(&output);
            self.outputs.push_back(output);
        }
    }

    pub(super) fn answered(&mut self, output: &Output) {
        match output {
            Output::Commit(commit) => {
                for entry in commit.entries() {
                    self.clients.answered(entry.client);
                }
            }
            Output::Reject { client, .. } => self.clients.answered(*client),
            _ => {}
        }
    }
}
