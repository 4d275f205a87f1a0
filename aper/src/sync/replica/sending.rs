//! What goes out: as far as the server's window and the device allow.

use super::io::OutboxChange;
use super::pending::{Pending, Stage};
use super::{Link, Output, Replica};
use crate::limits;
use crate::mutant::{Mutant, active};
use crate::protocol::{ClientMessage, Submission};
use crate::state_machine::StateMachine;

impl<S: StateMachine> Replica<S> {
    /// Sends what there is room for, as far as the device has kept it, and has
    /// the device keep the rest.
    pub(super) fn send_pending(&mut self) {
        let mut submissions = Vec::new();
        let mut room = self.room();
        let mut all_kept = true;
        for pending in &mut self.pending {
            if pending.stage != Stage::Unsent {
                continue;
            }
            let is_next = room > 0;
            if is_next && pending.seq.is_none() {
                pending.seq = Some(self.next_seq);
                self.next_seq = self.next_seq.next();
                pending.kept_by = None;
            }
            if pending.kept_by.is_none() {
                pending.kept_by = self.outbox.change(|| OutboxChange::Put(pending.item()));
            }
            // In the order of their numbers, or the server would take the
            // lower one for one that it had decided on.
            all_kept &= self.outbox.has(pending.kept_by);
            if let Some(seq) = pending.seq
                && is_next
            {
                room -= 1;
                if all_kept {
                    pending.stage = Stage::Sent;
                    submissions.push(Submission { seq, transition: pending.encoded.clone() });
                }
            }
        }
        self.outputs.extend(self.outbox.ask());
        // A server's window may be wider than a message.
        let most = limits::UNANSWERED_SUBMISSIONS as usize;
        while !submissions.is_empty() {
            let rest = submissions.split_off(most.min(submissions.len()));
            self.outputs.push_back(Output::Send(ClientMessage::Submit(submissions)));
            submissions = rest;
        }
    }

    /// How many may be sent now.
    fn room(&self) -> usize {
        let Link::Up(up) = &self.link else { return 0 };
        if active(Mutant::NoWindow) {
            return usize::MAX;
        }
        let is_sent = |pending: &&Pending<_>| pending.stage == Stage::Sent;
        up.window.saturating_sub(self.pending.iter().filter(is_sent).count())
    }
}
